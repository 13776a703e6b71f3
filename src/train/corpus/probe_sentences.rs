//! Sentences for the two senses of ambiguous words, written for measuring and never generated.

/// A sense's name and its sentences.
type Sentences = (&'static str, [&'static str; 6]);

/// Each word with its senses, in the order of [`super::sense_scenes::SENSES`].
pub(super) const SENSES: [(&str, [Sentences; 2]); 10] = [
    (
        "bank",
        [
            (
                "side of a river",
                [
                    "the fish swam in the river near the bank.",
                    "the two friends swam over the river and came to the bank.",
                    "the duck left the water of the river and slept on the bank.",
                    "a boat on the river was tied to a tree on the bank.",
                    "the river was cold, and the grass on the bank was green.",
                    "the fisher put his net into the river from the bank.",
                ],
            ),
            (
                "house for money",
                [
                    "the rich man had much money, and it lay in the bank.",
                    "she counted her coins and took the gold to the bank.",
                    "the farmer needed money and asked for it at the bank.",
                    "the thief looked for gold and money in the bank.",
                    "all her money and all her coins are in the bank.",
                    "he sold his house for gold and brought the money to the bank.",
                ],
            ),
        ],
    ),
    (
        "bat",
        [
            (
                "animal",
                [
                    "at night in the dark cave we saw a bat.",
                    "it flew at night on thin wings, so it was a bat.",
                    "in the old tower slept an owl and a small black bat.",
                    "something with big ears and wings flew at night. she knew it was a bat.",
                    "the cave was dark, and from the wall hung a bat.",
                    "when the night came, the owl flew away, and so did the bat.",
                ],
            ),
            (
                "stick for a ball",
                [
                    "to hit the ball you need a bat.",
                    "they played with a ball, and the girl held the bat.",
                    "the boy threw the ball, and his friend hit it with the bat.",
                    "in the game he hit the ball with a wooden bat.",
                    "she wanted to hit the ball, so she took the bat.",
                    "the children had a ball, but they had no bat.",
                ],
            ),
        ],
    ),
    (
        "ring",
        [
            (
                "jewel",
                [
                    "at the wedding she wore a golden ring.",
                    "on the finger of the queen was a silver ring.",
                    "the smith made a golden ring.",
                    "he lost the gold from his finger, his wedding ring.",
                    "there was a red stone in her golden ring.",
                    "the husband gave his wife a gift of gold for her finger. it was a ring.",
                ],
            ),
            (
                "sound of a bell",
                [
                    "in the evening the bell of the church began to ring.",
                    "the children heard the school bell ring.",
                    "at noon the bell in the tower would ring.",
                    "the people woke up, because they heard the bell ring.",
                    "the clock and the bell can ring.",
                    "everyone was quiet until the bell began to ring.",
                ],
            ),
        ],
    ),
    (
        "light",
        [
            (
                "of a lamp",
                [
                    "the dark room had only one lamp, and it gave no light.",
                    "in the dark night the sailor saw a light.",
                    "the sun gives us its light.",
                    "it was so dark that she took a lamp to have light.",
                    "the lamp in the dark window gave a little light.",
                    "he could not see in the dark without a light.",
                ],
            ),
            (
                "of little weight",
                [
                    "the stone was heavy, but the hat was light.",
                    "a child can carry the basket, because it is light.",
                    "she could carry the box with one finger, for it was light.",
                    "the full bag is heavy, and the empty bag is light.",
                    "he carried the boat alone. it was small and light.",
                    "is the basket heavy or light?",
                ],
            ),
        ],
    ),
    (
        "bow",
        [
            (
                "for arrows",
                [
                    "the man in the forest shot an arrow with his bow.",
                    "the soldier had no sword, but he had arrows and a bow.",
                    "she wanted to shoot at the wolf with her bow.",
                    "to shoot an arrow you need a bow.",
                    "he took two arrows and a wooden bow.",
                    "the arrow flew from the bow.",
                ],
            ),
            (
                "of a ribbon",
                [
                    "she had a red ribbon in her hair and tied it in a bow.",
                    "the box had a blue ribbon with a bow.",
                    "around the gift he tied a pretty ribbon in a bow.",
                    "the ribbon on her hat was a pretty bow.",
                    "my mother can tie a ribbon in a bow.",
                    "the girl took the pink ribbon from her gift and made a bow.",
                ],
            ),
        ],
    ),
    (
        "spring",
        [
            (
                "season",
                [
                    "after the cold winter we wait for spring.",
                    "winter is over, and soon it is spring.",
                    "the snow was gone, and the first birds sang. it was spring.",
                    "autumn, winter and spring.",
                    "in winter there is snow, but there are flowers in spring.",
                    "the gardener planted the seeds after the winter, in spring.",
                ],
            ),
            (
                "source of water",
                [
                    "we wanted to drink cold water, so we looked for the spring.",
                    "the clear water came out of a spring.",
                    "the sheep drank water at the spring.",
                    "between two stones on the mountain the water came from a spring.",
                    "he filled the cup with cold water from the spring.",
                    "the river comes from under a stone, from a small spring.",
                ],
            ),
        ],
    ),
    (
        "letter",
        [
            (
                "message",
                [
                    "my friend wrote to me and sent a letter.",
                    "the post brought the queen a long letter.",
                    "she took paper and a pen and wrote her father a letter.",
                    "he was far away and sent his mother a letter.",
                    "there was post from the city. she opened the letter.",
                    "the king sent the emperor a letter.",
                ],
            ),
            (
                "sign of writing",
                [
                    "he could not spell the word without the last letter.",
                    "at school we learned to spell the word letter by sign.",
                    "in this word there is one wrong letter.",
                    "she spelled her name, and the second sign was a wrong letter.",
                    "the teacher asked for the word and its first letter.",
                    "to read the word you must know each letter.",
                ],
            ),
        ],
    ),
    (
        "wave",
        [
            (
                "of the sea",
                [
                    "the storm came over the sea with a high wave.",
                    "the ship on the sea fell with the wave.",
                    "the beach was wet after the big wave.",
                    "he swam in the sea and was under a wave.",
                    "the water of the sea came to the beach in a wave.",
                    "the ship was far out on the sea and was hit by a wave.",
                ],
            ),
            (
                "of the hand",
                [
                    "she said goodbye to her friend with a wave.",
                    "he turned at the door and gave his mother a wave.",
                    "with a smile she held up her hand and gave a wave.",
                    "\"good day,\" said the man with his hand in a wave.",
                    "the prince said goodbye to the people with a smile and a wave.",
                    "they did not speak, but his hand gave her a wave.",
                ],
            ),
        ],
    ),
    (
        "bark",
        [
            (
                "of a tree",
                [
                    "the wood of the old tree was under its bark.",
                    "this tree is tall and has brown bark.",
                    "in winter the goat eats leaves from the tree and its bark.",
                    "he climbed the tree, and its bark was hard.",
                    "the boat was made from a tree, from wood and bark.",
                    "rain fell on the leaves of the tree and on its bark.",
                ],
            ),
            (
                "of a dog",
                [
                    "the dog heard the thief and began to bark.",
                    "our old dog can bark.",
                    "when someone is at the door, the dog will bark.",
                    "i heard a dog bark.",
                    "the puppy was afraid, but it did not bark.",
                    "the dogs in the yard began to bark.",
                ],
            ),
        ],
    ),
    (
        "match",
        [
            (
                "for fire",
                [
                    "for a fire she needed wood and a match.",
                    "the lamp was not burning, so he looked for a match.",
                    "there was no fire in the oven, and there was only one match.",
                    "the dry wood was burning after the first match.",
                    "my mother does not give the children fire, no lamp and no match.",
                    "she had wood for the fire, but not one match.",
                ],
            ),
            (
                "game",
                [
                    "our team played well and won the match.",
                    "the two teams waited for the ball and the match.",
                    "he played ball for the best team in every match.",
                    "the blue team lost to the red team in the match.",
                    "after a long game the team was tired of the match.",
                    "both teams wanted to win the match.",
                ],
            ),
        ],
    ),
];
