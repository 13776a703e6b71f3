//! Things lost, broken, made, given and exchanged.

use super::{Plot, any, with};

/// The plots.
pub(super) const PLOTS: &[Plot] = &[
    // Lost and found.
    any("{open} {he} had a {col} {obj} and loved it very much. one [morning|day|evening] the {obj} was gone. {n} \
         looked [under the bed|behind the door|in every room], but it was not there. \"who has seen my {col} {obj}?\" \
         {he} asked. [nobody knew.|nobody had seen it.] then {n} met {f.n} [on the road|at the market|in the street]. \
         {f.n} said, \"i saw a {col} {obj} {hide}.\" they [ran|went] to the {spot} together. and there it was! {n} \
         [took|found] the {obj} and thanked {f.n}. [from that day on they were friends.|that night {he} slept well.]"),
    // Lost, and another one found.
    any("{n} lost {his} {col} {obj}. {he} cried, because it was a gift from {his} {father}. \"have you seen a {col} \
         {obj}?\" {he} asked {f.n}. \"no,\" said {f.n}, \"but i will help you look.\" they looked in the garden, and \
         there lay a {col2} {obj}. \"that is not mine,\" said {n}, \"mine is {col}.\" then they looked {hide}, and \
         there lay the {col} {obj}. {n} was happy. {he} gave {f.n} [an apple|half of {his} cake], and together they \
         went home."),
    // Broken and repaired.
    with(
        &["lamp", "cup", "doll", "kite", "drum", "flute", "basket", "mirror", "clock", "box"],
        "{open} one day {he} dropped {his} {col} {obj}, and it broke. {n} [cried|was very sad]. \"it was a gift from \
         my {grandfather},\" {he} said. {f.n}, the {job2}, heard it. \"do not [cry|be sad], {n},\" said {f.n}, \"i can \
         help you.\" {f.he} took the {obj} home and worked on it all night. in the morning {f.he} came back. the {col} \
         {obj} was as good as new! \"what can i give you?\" asked {n}. \"give me [some bread|an apple|a cup of \
         milk],\" said {f.n} and laughed.",
    ),
    // A gift in secret.
    any("{f.full} had a birthday in {season}. {full} wanted to give {f.him} a {obj}. {n} had only {num} coins, and \
         that was not enough. so {he} worked for a {job} for {num2} days. [{he} was tired every night.|it was hard \
         work.] then {n} had enough money and bought a {col} {obj}. on {f.his} birthday {f.n} opened the box. \"a \
         {col} {obj}!\" {f.he} cried. \"how did you know?\" {n} smiled and said, \"because i am your friend.\""),
    // An exchange.
    any("{full} had a {col} {obj}. {f.full} had a {col2} {obj2}. {n} looked at the {obj2} and liked it. {f.n} looked \
         at the {obj} and liked it too. \"will you give me your {obj2} for my {obj}?\" asked {n}. \"yes,\" said {f.n}. \
         so {n} went home with the {col2} {obj2}, and {f.n} went home with the {col} {obj}. [both were happy.|it was a \
         good day for both.] [but at night {n} could not sleep without the {col} {obj}. so the next day they gave them \
         back.|and they were friends for many years.]"),
    // A locked box.
    with(
        &["key", "coin", "cup", "book", "mirror", "clock"],
        "{open} in {his} house stood an old {col} box. nobody could open it. one day {n} found a small {obj} {hide}. \
         there was a word on the {obj}. the word was \"{col2}\". {n} did not understand it. {he} showed the {obj} to \
         {f.n}. {f.n} thought for a long time and said, \"paint the box {col2}!\" so {n} painted the {col} box {col2}. \
         [then|at once] it was open. inside lay {num} golden coins. {n} gave half of the money to {f.n}.",
    ),
    // A thief.
    any(
        "at night a thief came to the house of {full}. {he} took the {col} {obj} and ran away. in the morning {n} saw \
         that the {obj} was gone. the snow showed where the thief had walked. {n} and {f.n} followed the thief to the \
         {spot}. there sat the thief with the {obj}. \"why did you take my {obj}?\" asked {n}. \"because i was [poor \
         and hungry|cold and hungry],\" said the thief. {n} was not angry any more. {he} took the {obj} back, but {he} \
         gave the thief [some bread|warm soup|a warm coat]. after that the thief was never a thief again.",
    ),
    // Making something for the fair.
    with(
        &["lamp", "cup", "hat", "doll", "kite", "drum", "flute", "basket", "blanket", "scarf", "clock", "box"],
        "{open} soon there would be a fair in the {village}, and the best {obj} would win {num} coins. {n} wanted to \
         win. on the first day {he} bought what {he} needed. on the second day {he} made a {obj}. on the third day \
         {he} painted it {col}. {f.n} made a {obj} too, but {f.he} painted it {col2}. at the fair everyone looked at \
         the two. \"the {col} one is the best,\" said the old teacher. so {n} won the {num} coins. {f.n} was a little \
         sad, but {n} bought {f.him} a [cake|hot soup|big apple], and they ate together.",
    ),
    // Two of a kind.
    any(
        "{full} and {f.full} both had a {obj}. the {obj} of {n} was {col}, and the {obj} of {f.n} was {col2}. one day \
         they left both by the {spot}. in the evening {n} took the wrong one home. \"this is not mine,\" {he} said. \
         \"mine is {col}, but this one is {col2}. it must be the {obj} of {f.n}.\" so {he} went to {f.n}. {f.n} \
         [laughed|smiled] and said, \"i have yours, and you have mine.\" so each took the right one and went to sleep.",
    ),
];
