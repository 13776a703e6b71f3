//! Stories of people on the way.

use super::{Plot, any, with};

/// The plots.
pub(super) const PLOTS: &[Plot] = &[
    // To a far country.
    any("{full} wanted to see the country of {land}. {he} took {his} {col} {obj} and left home in {season}. [{he} \
         walked for {num} days.|the way was long.] at last {he} came to {city}, the capital. everyone there spoke \
         {tongue}, but {n} did not know one word. {he} was [tired and hungry|cold and tired]. then {he} met {f.full} \
         from home. \"{n}!\" cried {f.n}. \"i know your {col} {obj}!\" {f.n} had lived in {land} for a year and spoke \
         {tongue} well. {f.he} gave {n} [soup and bread|something to eat] and taught {him} the words. soon {n} spoke \
         {tongue} too."),
    // Over the sea.
    with(
        &["key", "coin", "cup", "doll", "flute", "scarf"],
        "{full} was a sailor. {he} had a {col} ship and a {obj} that brought luck. one day a storm came over the sea. \
         the wind was strong, and the water was high. the {obj} fell into the sea. \"now my luck is gone,\" thought \
         {n}. the ship broke, but {n} could swim. {he} swam to an island. there sat {f.n}, a {job2}, by a fire. {f.he} \
         had caught a big fish, and inside the fish was the {obj}! {n} laughed. together they built a new ship and \
         sailed home.",
    ),
    // A letter.
    any(
        "{f.full} lived in {city}. one day {n} wrote to {f.him}: \"dear {f.n}, come and see me in {season}. bring the \
         {col} {obj} with you. your friend {n}.\" {f.n} was happy and looked for the {obj}. {f.he} found it {hide}. \
         the way from {city} was long, and {f.he} [walked|rode] for {num} days. at last {f.he} stood at the door of \
         {n}. \"here is your {col} {obj},\" said {f.n}. \"i do not need the {obj},\" said {n}. \"i only wanted to see \
         you again.\"",
    ),
    // Lost in the forest.
    any("{young-open} one day in {season} {he} went into the forest with a {obj}. {he} walked and walked, and then \
         {he} did not know the way any more. it was dark and cold. {n} sat down under a tree and cried. then {he} saw \
         a small light between the trees. it came from the house of an old {g.man}. \"come in, child,\" said the old \
         {g.man}. {n} got [hot soup|warm milk] and a bed. in the morning the old {g.man} showed {him} the way. {n} \
         gave {g.him} the {obj}, because {he} had no money. and [{he} never walked alone in the forest again|{he} came \
         back every year]."),
    // Up the mountain.
    any("{full} and {f.full} wanted to climb the mountain. {n} carried [the bread|the water], and {f.n} carried a \
         {col} {obj}. \"why do you bring a {obj}?\" asked {n}. \"you will see,\" said {f.n}. the way was [long and \
         hard|hard and long]. at noon {n} wanted to go back, but {f.n} said, \"it is not far now.\" in the evening \
         they were there. they could see {num} villages and the sea. {f.n} put the {col} {obj} on the last stone. \
         \"now everyone can see that we were here,\" {f.he} said. and {n} was proud."),
    // The map.
    with(
        &["key", "lamp", "cup", "coin", "box", "mirror", "clock", "drum"],
        "{open} in an old book {he} found a map. the map showed the {spot}, and there was a {col} sign on it. \"there \
         must be gold!\" {n} thought. {he} took a spade and told {f.n}. together they went to the {spot}. they dug for \
         {num} days. at last the spade hit something hard. it was a {obj}. it was not gold, but it was very old. {n} \
         and {f.n} cleaned the {obj} and showed it to the whole {village}. \"you have found the {obj} of the first \
         king,\" said the teacher.",
    ),
    // The bridge.
    with(
        &["lamp", "hat", "scarf", "blanket", "doll", "kite", "mirror", "cup", "box", "drum"],
        "{full} lived on this side of the river, and {f.full} lived on the other side. there was no bridge. every \
         evening {n} put a {col} {obj} in the window, and {f.n} put a {col2} one in {f.his} window. so each knew that \
         the other was well. one evening there was no {col2} {obj} to see. {n} was afraid for {f.n}. {he} took a boat \
         over the dark river. {f.n} was sick in bed. {n} cooked soup and stayed for {num} days. when {f.n} was well \
         again, they built a bridge.",
    ),
];
