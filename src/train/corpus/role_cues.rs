//! What people of a role do, in words that fit both sexes.

/// Four cues for each pair of [`super::words::GENDER`], in its order.
pub(super) const CUES: [[&str; 4]; 20] = [
    // king, queen
    ["sat on the throne", "wore a golden crown", "ruled the land", "lived in the palace"],
    // prince, princess
    ["wore a small silver crown", "would rule the land one day", "was the child of a king", "danced at the palace"],
    // man, woman
    ["was grown up", "was not a child any more", "lived in the village", "worked all day and was no child"],
    // boy, girl
    ["was a little child", "went to school", "played in the park", "was seven years old"],
    // father, mother
    ["had three children", "loved the children", "put the children to bed", "cooked for the family"],
    // son, daughter
    ["was the first child of the family", "had good parents", "helped the parents at home", "listened to the parents"],
    // brother, sister
    [
        "had the same parents as {f.n}",
        "shared a room with {f.n}",
        "was born a year after {f.n}",
        "played with {f.n} at home",
    ],
    // uncle, aunt
    [
        "came to see the family each winter",
        "brought cakes for the children",
        "gave the children a gift each year",
        "went to the fair with the children",
    ],
    // husband, wife
    ["had a big wedding", "was married to {f.n}", "lived with {f.n} for many years", "danced at the wedding"],
    // actor, actress
    ["stood on the stage", "worked at the theatre", "learned many words for the stage", "played in the theatre"],
    // waiter, waitress
    [
        "carried cups and soup to the tables",
        "asked the guests what they wanted to eat",
        "brought the soup to the guests",
        "cleaned the tables",
    ],
    // lord, lady
    [
        "had many servants",
        "lived in the great house",
        "owned the fields and the forest",
        "told the servants what to do",
    ],
    // duke, duchess
    [
        "had a castle on the hill",
        "rode out with the soldiers",
        "lived in the castle",
        "was a friend of the king and the queen",
    ],
    // wizard, witch
    ["knew many spells", "had a magic hat", "cooked a magic drink", "could fly at night"],
    // hero, heroine
    ["went to the dragon alone", "helped the whole village", "was very brave", "was not afraid of the dragon"],
    // monk, nun
    ["prayed all day", "lived in the quiet cloister", "wore a long brown coat", "prayed for the poor"],
    // grandfather, grandmother
    ["was very old", "had white hair", "told stories by the fire", "talked about the old times"],
    // nephew, niece
    ["lived with an uncle and an aunt", "got a gift from an aunt", "visited an uncle", "wrote to an uncle and an aunt"],
    // emperor, empress
    ["ruled over many kings", "had a great army", "ruled half of the world", "sat on the highest throne of the world"],
    // host, hostess
    ["opened the door for the guests", "gave a feast", "showed the guests to the table", "gave the guests to drink"],
];
