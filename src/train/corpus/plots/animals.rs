//! Stories about animals and their young.

use super::{Plot, any, with};

/// The plots.
pub(super) const PLOTS: &[Plot] = &[
    // The lost young.
    any("{open} {he} wanted a {obj}, but {he} had no money for it. one day {he} heard a small {pet-sound} {hide}. it \
         was a little {pet-young}. \"where is your mother?\" asked {n}. the {pet-young} was [cold|hungry|wet] and \
         afraid. {n} put it into {his} {col} coat and carried it home. {he} gave it water to drink. {f.n} came and \
         said, \"an old {pet} wants to find her {pet-young}.\" so they took the {pet-young} to the {pet-home}. when \
         the {pet} saw her child, she was happy. and {n} found a {obj} in the grass, as if the {pet} wanted to thank \
         {him}."),
    // The clever animal.
    any("{open} {he} had a {animal}. the {animal} was {fur} and very clever. one day {n} lost {his} {obj} near the \
         {spot}. {he} looked for it all day. \"go and find my {obj},\" {n} told the {animal}. the {animal} [ran|went] \
         to the {spot} and looked [in the grass|under the stones]. \"{sound}!\" said the {animal}, for it had found \
         the {obj}. {n} laughed and gave it [some bread|an apple]. since then {n} never goes out \
         without the {animal}."),
    // Not for sale.
    any("{full} had a {fur} {pet}. every day the {pet} went with {him} to the market and waited for {him}. one day \
         {f.full} showed {him} a {col} {obj}. \"will you give me your {pet} for my {obj}?\" asked {f.n}. {n} looked at \
         the {obj}. it was a good {obj}. then {he} looked at the {pet}. \"{pet-sound},\" said the {pet}. \"no,\" said \
         {n}, \"a {obj} is only a {obj}, but my {pet} is my friend.\" so {f.n} kept the {col} {obj}, and {n} went home \
         with the {fur} {pet}."),
    // An animal that would not move.
    any(
        "{full} had to bring a {obj} to {f.full}. {he} put the {obj} on {his} {animal}. half way the {animal} stopped. \
         \"go on!\" said {n}. but the {animal} did not go on. it only said {sound}. {n} was strong, but the {animal} \
         was stronger. then {f.n} came along the road. \"what did your {animal} eat today?\" {f.he} asked. \
         \"nothing,\" said {n}. \"so give it [some grass|an apple],\" said {f.n}. the {animal} ate and was happy. {n} \
         gave {f.n} the {obj}, and all three walked home.",
    ),
    // The animal in the house.
    with(
        &["key", "lamp", "book", "cup", "drum", "flute", "basket", "box", "clock"],
        "{open} one night {he} heard a noise in the kitchen. \"is there a thief?\" {n} thought. {he} was afraid, but \
         {he} took a {obj} in {his} hand and opened the door. there was no thief. there stood a {fur} {pet} and ate \
         the bread. \"{pet-sound},\" said the {pet}. {n} had to laugh. {he} put the {obj} down and gave the {pet} some \
         water. in the morning {f.n} came. \"have you seen my {fur} {pet}?\" {f.he} asked. \"yes,\" said {n}, \"and it \
         has eaten all my bread!\"",
    ),
    // The farm grows.
    any("{full} had no money, only a {obj}. at the market {he} met {f.n}. {f.n} gave {him} a {young} for the {obj}. \
         {n} took the {young} home and gave it milk every day. it ate and slept. after a year it was a big {animal}. \
         the {animal} had {num} children. {n} sold [some of them|half of them] and bought a house. then {he} went to \
         {f.n} and bought the {obj} back, because {he} had never been happy without it."),
    // The brave animal.
    any("[once|long ago] {full} walked through the forest. {he} carried a {col} {obj}. a little {pet-young} followed \
         {him}. \"go home, little one,\" said {n}. but the {pet-young} did not listen. suddenly a big wolf stood on \
         the road. {n} could not move. then the {pet-young} [jumped up|ran to the wolf] and cried, \"{pet-sound}, \
         {pet-sound}, {pet-sound}!\" the wolf had never heard that noise and ran away. {n} dropped the {obj} and took \
         the {pet-young} in both hands. \"you are very brave,\" {he} said."),
    // Three animals.
    any("{open} {he} had a cat, a dog and a {animal}. {n} said, \"bring me my {col} {obj}, and you can sleep in my \
         bed.\" the cat looked in the kitchen, but the {obj} was not there. the dog looked in the garden, but it found \
         only a stone. the {animal} looked {hide} and came back with the {obj}. \"{sound},\" it said. so that night \
         the {animal} slept in the bed of {n}, and the cat and the dog slept in the kitchen."),
];
