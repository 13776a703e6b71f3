//! The scenes of the words with two senses.

/// A word, and scenes for each of its senses.
pub(super) const SENSES: [(&str, [[&str; 8]; 2]); 10] = [
    (
        "bank",
        [
            [
                "{n} walked along the river. {he} sat down on the bank and put {his} feet into the water.",
                "the boat came down the river and stopped at the bank. {n} [jumped out|tied it to a tree].",
                "{n} wanted to catch fish in the river. {he} stood on the bank with {his} net and waited.",
                "the water of the river was high. soon the bank was under water, and the grass was wet.",
                "{n} swam across the river. on the other bank stood {f.n} and waved to {him}.",
                "the cows drank from the river. one cow lay on the bank and slept in the sun.",
                "there was a storm, and the water of the river came over the bank and into the fields.",
                "{f.n} sat in a boat on the river, and {n} walked beside it on the bank.",
            ],
            [
                "{n} had much money. {he} brought it to the bank, and the {man} there counted the coins.",
                "{n} wanted to buy a house. {he} had no money, so {he} went to the bank and asked for gold.",
                "the thief wanted gold. at night he broke into the bank and opened the money box.",
                "{n} worked in the city with money. in the bank {he} counted coins all day.",
                "\"where is your money?\" asked {f.n}. \"my money is in the bank,\" said {n}. \"they guard it well.\"",
                "the rich {f.man} was afraid of a thief. so {f.he} took all {f.his} gold to the bank.",
                "{n} sold a {col} coat and got {num} coins. {he} put the money into the bank.",
                "the bank was closed, so {n} got no money and could not buy bread.",
            ],
        ],
    ),
    (
        "bat",
        [
            [
                "it was night in the cave. a bat flew over the head of {n} and caught a fly.",
                "{n} heard wings in the dark tower. it was a bat. it hung in the tower by its feet.",
                "the owl and the bat fly at night. in the day the bat sleeps and hangs in the cave.",
                "something small and black flew out of the cave at night. it was a bat with big ears and thin wings.",
                "in the dark barn slept an owl and a bat. in the evening the bat opened its wings and flew away.",
                "the night was dark. over the barn flew a bat and caught a fly.",
                "{n} climbed into the old tower. an owl sat there, and beside it hung a bat with its head down.",
                "\"is it a bird?\" asked {n} at night. \"no, it has ears and thin wings,\" said {f.n}. \"it is a bat.\"",
            ],
            [
                "the children played ball. {n} took the bat in both hands and hit the ball over the fence.",
                "{f.n} threw the ball. {n} held the bat and hit it hard. everyone cried, \"run!\"",
                "{n} got a ball and a wooden bat for {his} birthday. with the bat {he} hit the ball into the garden.",
                "the game began. {n} was first to hit the ball, but the bat broke in two, and the ball was gone.",
                "\"i will throw the ball,\" said {f.n}, \"and you take the bat.\" {n} took the bat and hit it well.",
                "the ball came fast. {n} took the bat and hit it, and then {he} ran.",
                "{f.n} had a new ball, and {n} had a bat. so they played all day.",
                "the carpenter made it of wood for the game. with this bat {n} hit every ball.",
            ],
        ],
    ),
    (
        "ring",
        [
            [
                "at the wedding {n} put a golden ring on the finger of {f.n}.",
                "{n} wore gold on {his} finger. it was the ring of {his} {grandfather}, and there was a stone in it.",
                "{n} washed {his} hands. then the golden ring fell from {his} finger into the water.",
                "the smith made it of gold. the ring had a {col} stone and was too small for the finger of {n}.",
                "\"will you marry me?\" asked {n}. {f.n} took the golden ring, put it on and smiled.",
                "{f.n} had no gold and no silver, but {f.he} wore a ring of grass on {f.his} finger.",
                "{n} sold the gold from {his} finger. without the ring {he} was sad.",
                "in the box lay a golden coin and a silver ring with a {col} stone.",
            ],
            [
                "it was noon. the bell began to ring, and everyone in the church heard it.",
                "{n} waited for the bell. when the bell would ring, school was over and the children would go home.",
                "someone was at the door. \"i heard the bell ring,\" said {n} and went to open.",
                "the clock in the tower can ring. at {num} it began to ring, and {n} heard it.",
                "there was a fire! {n} ran to the church and let the bell ring until all were awake.",
                "the fire came near the church, and the bell began to ring in the night.",
                "be quiet and listen. far away in the tower the bell began to ring.",
                "every morning the bell at school will ring, and the children come in.",
            ],
        ],
    ),
    (
        "light",
        [
            [
                "it was dark in the room. {n} took the lamp, and then there was light. now {he} could see.",
                "{n} was alone in the dark forest. far away {he} saw a light in a window. it shone through the trees.",
                "the sun came up. its light shone on the {col} houses, and the night was over.",
                "the lamp was old, and its light was weak. {n} could not read in the dark.",
                "at night the tower by the sea gives light. the light shone far, and the ships saw it.",
                "the fire was out, and it was dark in the cave. then {f.n} came with a lamp, and they had light.",
                "every evening {n} put a lamp in the window. the light shone far over the dark sea.",
                "in the morning the sun came through the window, and the room was full of light.",
            ],
            [
                "the basket was empty. it was light, and {n} could carry it with one finger.",
                "{f.n} carried a heavy stone, but the box of {n} was light, because it was full of hats.",
                "the first bag was heavy. the second bag was very light, so {n} took the second one.",
                "\"is the box heavy?\" asked {n}. \"no, it is light,\" said {f.n}. \"a child can carry it.\"",
                "the boat was small and light. {n} could carry it on {his} back to the lake.",
                "{n} took the heavy bag, and {f.n} took the light one.",
                "the bird was so light that {n} held it on one finger.",
                "a stone is heavy and a leaf is light.",
            ],
        ],
    ),
    (
        "bow",
        [
            [
                "{n} went into the forest to hunt. {he} took {his} bow and shot an arrow at a tree.",
                "the soldier had a sword and a bow. with the bow he shot an arrow over the wall.",
                "{n} had many arrows, but {his} bow was broken, so {he} could not shoot at the wolf.",
                "\"can you shoot?\" asked {f.n}. {n} took the bow and an arrow, and {he} hit the apple.",
                "the wolf came near. {n} took an arrow and the long bow and shot at it. the wolf ran away.",
                "the king hunted in the forest. he shot the wolf with an arrow from his bow.",
                "{n} made it of wood. now {he} had a bow, but {he} had no arrows to shoot.",
                "the soldiers stood on the wall. each had a sword, arrows and a long bow.",
            ],
            [
                "{n} had a gift for {f.n}. {he} put a {col} ribbon around the box and tied it in a bow. it was pretty.",
                "{f.n} wore a {col} ribbon in {f.his} hair. the ribbon was tied in a bow, and {n} thought it was \
                 pretty.",
                "{n} put a {col} ribbon around {his} hat. the ribbon was tied in a bow, and everyone said it was \
                 pretty.",
                "the gift was in a {col} box with a ribbon. {n} opened the bow, and the ribbon fell down.",
                "\"how do you tie a ribbon?\" asked {n}. {f.n} made a bow. \"it is pretty,\" {f.he} said.",
                "{f.n} took the ribbon from {f.his} hair and tied it around the gift in a pretty bow.",
                "the {col} ribbon on the hat was tied in a bow, and {n} opened it.",
                "{n} had a ribbon, but {he} could not tie a bow. so {f.n} tied it for {him}.",
            ],
        ],
    ),
    (
        "spring",
        [
            [
                "the long winter was over. in spring the snow was gone, and the first flowers came.",
                "it was cold all winter. now it was spring, and {n} planted seeds in the garden.",
                "after winter comes spring. in spring the birds sing and the trees are green.",
                "winter was over when {n} was born, and it was spring. each spring {he} has a birthday when the \
                 flowers come.",
                "\"what comes before summer?\" asked {n}. \"before summer comes spring,\" said {f.n}, \"with flowers \
                 and birds.\"",
                "{n} was tired of the snow and of the long winter. \"when will it be spring?\" {he} asked.",
                "the birds came back and the trees were green again, for it was spring.",
                "winter, spring, summer and autumn are the times of the year.",
            ],
            [
                "{n} wanted to drink. between the stones {he} found a spring and drank the cold water.",
                "the river comes from the mountain. there a small spring comes out of the stone, with clear water.",
                "the well was dry, but under the stone was a spring. {n} filled {his} cup with clear water.",
                "\"where does the water come from?\" asked {n}. \"from a spring,\" said {f.n}. \"the water comes out \
                 of the stone.\"",
                "{n} followed the water up the hill to a spring. {he} drank, and the water was cold and clear.",
                "the goat ran up the mountain and drank cold water from the spring.",
                "under the hill water comes out of the earth. the people drink from this spring.",
                "{f.n} filled a pot with clear water. \"it is from the spring between the stones,\" {f.he} said.",
            ],
        ],
    ),
    (
        "letter",
        [
            [
                "{n} wrote to {f.n}. {he} put the letter into the post, and {f.n} read it [at home|two days later].",
                "the post came. there was a letter for {n} from {f.n}. {he} opened it and read, \"dear {n}, come \
                 soon.\"",
                "{f.n} was far away in the city. {n} sent {f.him} a letter with the post and told {f.him} all about \
                 home.",
                "\"is there any post for me?\" asked {n}. \"yes, a long letter from {f.n},\" said {g.n}. {n} opened \
                 it.",
                "{n} sat down with paper and a pen. {he} wrote a letter to {his} {father} and sent it home.",
                "a soldier wrote home from the army. his letter was long, and his mother read it again and again.",
                "\"dear {n},\" wrote {f.n}. {f.he} sent the letter to the city with the post.",
                "for many days no post came. then {n} got a letter and opened it with a smile.",
            ],
            [
                "the child learned to read and write words. \"the first letter of a word is big,\" said the teacher.",
                "the teacher wrote a word at school. \"which letter comes first in the word?\" asked the teacher.",
                "{n} learned to spell {his} name. {he} wrote one letter after the other until the word was whole.",
                "{n} could not spell the word. one letter was wrong, so {f.n} spelled it again.",
                "\"what is in a word?\" asked {n}. \"one letter and then the next,\" said the teacher. \"so we spell \
                 and read.\"",
                "{n} could read a long word, but {f.n} knew only one letter of it.",
                "the teacher spelled the name of {n}. the children wrote down each letter.",
                "\"you wrote one letter too many,\" said the teacher. \"this word is short.\"",
            ],
        ],
    ),
    (
        "wave",
        [
            [
                "there was a storm over the sea. a high wave hit the ship, and everyone was wet.",
                "{n} swam in the sea. a wave came over {his} head, and {he} drank cold water.",
                "the wind was strong over the sea, and a big wave broke on the beach and took the {col} boat.",
                "on the beach {n} built a castle. then a wave came from the sea and washed it away.",
                "the ship went up and down on the sea. each wave was higher than the one before, and the water was \
                 cold.",
                "the children played on the beach until a wave made them wet.",
                "far out on the sea the wind made a wave as high as a house, and the ship fell.",
                "the sailor held the rope when the wave came over the ship.",
            ],
            [
                "{n} left the house. {he} turned to {f.n} with a wave of {his} hand and said, \"goodbye!\"",
                "{f.n} saw {n} across the street. with a smile and a wave {f.he} said, \"good day!\"",
                "\"goodbye, {f.n}!\" cried {n} from the window. {f.n} answered with a wave of {f.his} hand.",
                "the queen stood at the window. with her hand she gave a wave to the people, and they cried, \"good \
                 day!\"",
                "the friends said goodbye. {n} held up {his} hand and gave a wave, and {f.n} smiled.",
                "{n} did not speak. {he} smiled, held up {his} hand, and with a wave {he} left.",
                "the king rode through the street. he gave the people a wave, and they gave him flowers.",
                "on the ship {f.n} said goodbye. from the harbour {n} answered with a wave of both hands.",
            ],
        ],
    ),
    (
        "bark",
        [
            [
                "the old tree was very tall. its bark was hard and brown, and {n} sat under it.",
                "{n} cut {his} name into the tree. the bark was hard, but under it the wood was soft.",
                "the goat stood by the tree and ate the bark, until one could see the white wood.",
                "in the forest {n} made a small boat of wood. {he} took the bark of a tree and a leaf.",
                "the leaves of the tree fell in autumn, and its bark was wet and brown from the rain.",
                "{n} climbed a tall tree. the bark was hard, and it cut {his} hands.",
                "the tree was sick. its leaves were yellow, and its bark fell down.",
                "in winter the bear cleaned its back on the bark of an old tree.",
            ],
            [
                "the dog heard a noise at the door. it began to bark, and {n} woke up. \"be quiet!\" {he} said.",
                "{n} was afraid of the big dog. the dog began to bark and ran to the fence.",
                "a thief came at night, but the dog began to bark so loud that he ran away.",
                "\"why does your dog bark?\" asked {f.n}. \"it wants to go out,\" said {n}.",
                "the puppy was too young to bark, but the old dog was loud and woke {n}.",
                "{f.n} came to the fence, and the dog began to bark at {f.him}.",
                "all night {n} heard the dog bark in the yard, so {he} could not sleep.",
                "\"my dog does not bark at friends,\" said {n}. \"it knows you.\"",
            ],
        ],
    ),
    (
        "match",
        [
            [
                "it was cold. {n} put wood into the oven and took a match, and soon the fire was burning.",
                "the lamp was out. {n} found a match in the kitchen and made fire, and the lamp was burning again.",
                "{n} had dry wood but no fire. \"i have one match,\" said {f.n}, and soon the wood was burning.",
                "\"do not play with fire!\" said {f.n} and took the match from {n}. \"the house could catch fire.\"",
                "in the dark {n} took a match. then there was fire in {his} hand. it was hot.",
                "the oven was cold. \"give me a match,\" said {n}, and then there was fire.",
                "the wind came, and the match in the hand of {n} went out. now {he} had no fire.",
                "{f.n} put paper under the wood, took a match, and the fire was burning.",
            ],
            [
                "the two teams played ball. {n} was on the {col} team, and they won the match.",
                "{n} ran with the ball for {his} team. after the match {his} team had won.",
                "our team played with the team of {f.n}. it was a long match, and our team lost.",
                "the {col} team was the best. in the last match it won {num} to one.",
                "the game was hard for both teams. after the match {n} and {f.n} were tired, and each team went home.",
                "{n} wore {his} best {col} hat to the match and cried for {his} team.",
                "after the rain the teams could not play ball, so there was no match.",
                "{f.n} threw the ball to {n}, and they won the match for their team.",
            ],
        ],
    ),
];
