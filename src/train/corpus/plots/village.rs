//! Stories of work, school, weather and neighbours.

use super::{Plot, any, with};

/// The plots.
pub(super) const PLOTS: &[Plot] = &[
    // The lost tool.
    any("{full} was a {job}. {he} {does}, and {he} needed a {tool} for {his} work. one day the {tool} broke. {n} had \
         no money for a new {tool}. but {he} had an old {col} {obj}. {he} went to the market and sold the {obj} to \
         {f.full} for {num} coins. with the money {n} bought a new {tool}. then {he} worked [day and night|from \
         morning to evening]. in the next year {he} had enough money. {he} went to {f.n} and asked for the {col} \
         {obj}. \"i kept it for you,\" said {f.n}."),
    // The new child at school.
    any("{full} was new at school. the other children did not talk to {him}. {n} sat alone and played with a {col} \
         {obj}. then {f.full} came. \"what do you have there?\" asked {f.n}. \"a {obj},\" said {n}. \"it is from \
         {land}. i was born there.\" \"can you speak {tongue}?\" asked {f.n}. \"yes,\" said {n}. so {n} taught {f.him} \
         some words in {tongue}, and {f.n} taught {him} a game. [soon all the children wanted to play with them.|the \
         next day {n} was not alone any more.]"),
    // The flood.
    with(
        &["drum", "flute", "box"],
        "in {season} it rained for {num} days. the river near the {village} was higher every day. {full} saw it from \
         {his} window. {he} took {his} {obj} and made a loud noise, until all the people were awake. \"here comes the \
         water!\" {n} cried. everyone ran up the hill. {f.n} carried the [old people|small children]. soon the water \
         stood in all the houses, but everyone was well. later the people gave {n} a new {obj}, a {col} one. it is in \
         the church now.",
    ),
    // The contest.
    any("{full} and {f.full} wanted to know who was faster. so they ran from the {spot} to the church. {f.n} was \
     faster than {n}. but near the church an old {g.man} fell, and {g.his} {col} {obj} fell into the river. {f.n} ran \
     on, but {n} stopped and helped. {he} brought back the {obj}. {f.n} was first at the church. \"{f.n} has won the \
     race,\" said the people, \"but {n} is the better friend.\" and the old {g.man} gave {n} the {obj}."),
    // The lie.
    any(
        "{young-open} {he} had lost the {col} {obj} of {his} {father}. \"who did this?\" asked the {father}. \"the cat \
         did it,\" said {n}. the cat had to sleep in the [garden|barn], and it was cold. \"it was not me,\" {n} said \
         to {himself}. but {he} heard the cat cry. so {he} got up and went to {his} {father}. \"it was not the cat,\" \
         {he} said. \"i lost your {obj}.\" the {father} was not angry. \"it was hard to say that,\" {he} said. then \
         they let the cat in, and looked for the {obj} together.",
    ),
    // Seeds.
    any("{full} planted {num} seeds in {his} garden. {f.full} laughed and said, \"nothing will grow here.\" but {n} \
         put {his} {col} {obj} beside them and gave them water every day. in the first week they saw nothing. in the \
         second week there was a little green leaf. in [spring|summer|autumn] there were {num} tall flowers, and all \
         were {col2}. everyone came to see the {col2} flowers. {f.n} came too. \"i was wrong,\" {f.he} said. {n} \
         smiled and gave {f.him} one of them, and the {col} {obj} stayed in the garden."),
    // The night watch.
    with(
        &["lamp", "doll", "hat", "scarf", "blanket", "drum", "flute", "book"],
        "{young-open} {he} was afraid of the dark. every night {he} thought that something was {hide}. \"take my {col} \
         {obj},\" said {his} {grandfather}. \"it is brave, and it will guard you.\" that night {n} took the {obj} and \
         went to the {spot}. there was something! it was small, and it said {pet-sound}. but it was only a little \
         {pet-young}. {n} took it home, and now the {pet-young} sleeps beside {his} bed. \"you see,\" said the \
         {grandfather}, \"the {obj} was not brave. you were.\"",
    ),
    // The song.
    with(
        &["key", "lamp", "cup", "coin", "hat", "doll", "flute", "scarf", "mirror", "book"],
        "{open} {he} wanted to sing at the feast, but {he} was afraid. {f.n} gave {him} a {col} {obj}. \"take it in \
         your hand when you sing,\" said {f.n}, \"and you will not be afraid.\" at the feast {n} stood on the stage \
         and held the {obj}. {he} sang of [the sea and the stars|a king and a queen|the snow and the sun]. everyone \
         was quiet. when the song was over, the people cried, \"again!\" {n} wanted to give back the {obj}, but {f.n} \
         laughed. \"it is only a {obj}. it was you,\" {f.he} said.",
    ),
    // The well.
    any("it had not rained since {season}, and the {village} had no water. {full}, a {job}, thought, \"there must be \
         water [under the hill|under the old tree].\" {he} took a spade and began to dig. {f.n} came and laughed. \
         \"you will find nothing,\" {f.he} said. on the first day {n} found a stone. on the second day {he} found a \
         {col} {obj}. on the third day {he} found water! all the people came with cups and pots. and {f.n}, who had \
         laughed, was the first to drink. {n} put the {col} {obj} beside the new well."),
    // Sharing.
    any(
        "{young-open} {he} baked {num} small cakes and put them into a {col} bag. on the way to {his} {uncle} {he} met \
         a hungry {g.boy}. {n} gave {g.him} one cake. then {he} met {f.n}, who had not eaten since the morning. {n} \
         gave {f.him} one too. at last {he} came to the door of {his} {uncle}, but only one cake was left. \"i had \
         {num} cakes,\" said {n}, \"but people were hungry.\" the {uncle} smiled. \"you did well,\" {he} said. and \
         {he} gave {him} a {col2} {obj}. {n} took the {obj} in one hand and the last cake in the other, and they went \
         in.",
    ),
];
