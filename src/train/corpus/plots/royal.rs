//! Stories of palaces, spells and dragons.

use super::{Plot, any, with};

/// The plots.
pub(super) const PLOTS: &[Plot] = &[
    // The sad ruler.
    any(
        "[once|long ago] there was a {king} named {full}. {he} sat on {his} throne and was sad. {his} {col} {obj} was \
         gone. \"bring me my {obj}, and i will give you {num} golden coins,\" said {king} {n}. the soldiers looked in \
         the castle, but found nothing. then a poor {f.boy} named {f.n} came to the palace. \"i found this {obj} \
         {hide},\" said {f.n}. it was {col}. the {king} laughed for the first time in a year. {f.n} got the {num} \
         coins and bought a house for {f.his} parents.",
    ),
    // The dragon.
    any("a dragon lived in a cave near the {village}. every night it came and took [a sheep|a cow]. everyone was \
         afraid. only {full}, a {job}, was not. {he} took a {col} {obj} and went to the cave. \"dragon,\" {he} called, \
         \"why do you come to us?\" \"because i am alone,\" said the dragon. so {n} gave the {obj} to the dragon and \
         stayed with it until the evening. since then the dragon helps the {village}. and people call {n} a {hero}."),
    // A spell undone.
    any("a bad {wizard} turned {full}, the {prince}, into a {pet}. nobody knew {him} any more. {he} could only say \
     {pet-sound}. but {f.full} saw that the {pet} had a {col} {obj}, and {f.he} knew it. \"this is the {obj} of {n},\" \
     {f.he} thought. {f.he} took the {pet} to the old {g.monk} in the cloister. the {g.monk} knew many spells and said \
     the word \"{col2}\" three times. then {n} stood there again, with the {obj} in {his} hand. the whole palace \
     danced until the morning."),
    // The three tasks.
    any(
        "a {f.king} named {f.n} wanted to find out who was clever enough to rule. \"bring me something {col},\" {f.he} \
         said. {full}, the {son} of a {job}, came to the palace. {he} brought a {col} {obj}. \"a good {obj},\" said \
         the {f.king}. \"but what is {one} and {two}?\" \"it is {total},\" said {n}. \"and what is the opposite of \
         {plain}?\" asked the {f.king}. \"that is {opp},\" answered {n}. the {f.king} stood up from the throne. \"you \
         are clever,\" {f.he} said. and one day {n} ruled the land.",
    ),
    // The proud one.
    any("[once|long ago] there was a {prince} named {full}. {he} was rich but proud. {he} had a {col} {obj} and did \
         not give it to people. one winter {n} rode through the snow and fell from {his} horse. nobody was there to \
         help. at last {f.n}, a poor {job}, came along. {f.he} carried the {prince} to {f.his} small house. {f.he} \
         gave {him} [{f.his} bed|the last bread]. \"why do you help me?\" asked {n}. \"because you need help,\" said \
         {f.n}. then the {prince} was sad. {he} gave the {col} {obj} to {f.n} and was never proud again."),
    // The wish.
    with(
        &["lamp", "box", "cup", "basket", "clock", "mirror", "book", "drum"],
        "{open} one day {he} found an old {obj} {hide}. {n} cleaned it with {his} {col} scarf. suddenly a {g.wizard} \
         stood before {him}. \"i lived in this {obj} for {num} years,\" said the {g.wizard}. \"you have one wish.\" \
         {n} thought about gold and about a palace. then {he} thought about {f.n}, who was sick. \"i wish that {f.n} \
         was well,\" said {n}. and it was so. the {g.wizard} went away, but {f.n} came and danced with {n}.",
    ),
    // The test of friendship.
    with(
        &["doll", "kite", "drum", "flute", "coin", "hat", "box", "cup", "lamp", "mirror"],
        "the {king} of {land} and the {f.king} of {land2} were angry with each other. both wanted the {col} {obj}. the \
         {obj} lay in a tower between {land} and {land2}. {n}, the {king} of {land}, came with {his} army. {f.n}, the \
         {f.king} of {land2}, came with {f.his} army too. but a child sat in the tower and played with the {obj}. \"do \
         you want to play?\" asked the child. {n} looked at {f.n}, and both had to laugh. so the soldiers of {land} \
         and {land2} went home, and the child kept the {col} {obj}.",
    ),
];
