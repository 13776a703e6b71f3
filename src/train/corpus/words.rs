//! The words of the world, as tables: each word form stands in one of them, relations beside each other.
//!
//! Tables that relate words (both sexes, both numbers, the forms of a verb, a country with its capital …) feed the
//! sentences of [`super::roles`] and [`super::facts`]; plain tables only list. [`vocabulary`] is their union.

use std::collections::BTreeSet;
use std::sync::LazyLock;

pub(super) use super::other_words::OTHER;

/// First names of men.
pub(super) const MEN: [&str; 12] =
    ["oran", "tam", "bram", "finn", "leo", "otto", "hugo", "ned", "max", "karl", "emil", "theo"];
/// First names of women.
pub(super) const WOMEN: [&str; 12] =
    ["mira", "lena", "anna", "rosa", "ella", "ida", "nora", "lucy", "zoe", "maya", "vera", "tess"];
/// Surnames.
pub(super) const SURNAMES: [&str; 12] =
    ["vell", "dorn", "hale", "marr", "tolk", "quist", "lund", "rusk", "senn", "webb", "pell", "horn"];

/// All first names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    MEN.into_iter().chain(WOMEN)
}

/// Male and female form of the same role.
pub(super) const GENDER: [(&str, &str); 20] = [
    ("king", "queen"),
    ("prince", "princess"),
    ("man", "woman"),
    ("boy", "girl"),
    ("father", "mother"),
    ("son", "daughter"),
    ("brother", "sister"),
    ("uncle", "aunt"),
    ("husband", "wife"),
    ("actor", "actress"),
    ("waiter", "waitress"),
    ("lord", "lady"),
    ("duke", "duchess"),
    ("wizard", "witch"),
    ("hero", "heroine"),
    ("monk", "nun"),
    ("grandfather", "grandmother"),
    ("nephew", "niece"),
    ("emperor", "empress"),
    ("host", "hostess"),
];

/// Male and female pronouns.
pub(super) const PRONOUNS: [(&str, &str); 4] = [("he", "she"), ("his", "her"), ("him", "her"), ("himself", "herself")];

/// A thing with its plural, and what can be done with it.
pub(super) const PLURALS: [(&str, &str, &str); 20] = [
    ("apple", "apples", "eat"),
    ("book", "books", "read"),
    ("boat", "boats", "sail in"),
    ("key", "keys", "open the door with"),
    ("lamp", "lamps", "see at night with"),
    ("cup", "cups", "drink from"),
    ("egg", "eggs", "cook"),
    ("flower", "flowers", "plant in the garden"),
    ("coin", "coins", "buy bread with"),
    ("stone", "stones", "build with"),
    ("hat", "hats", "wear"),
    ("tree", "trees", "climb"),
    ("star", "stars", "look up at"),
    ("chair", "chairs", "sit on"),
    ("bed", "beds", "sleep in"),
    ("horse", "horses", "ride"),
    ("dog", "dogs", "play with"),
    ("cat", "cats", "put on your bed"),
    ("cow", "cows", "get milk from"),
    ("bird", "birds", "listen to"),
];

/// The forms of a verb, and the words that go with it.
pub(super) struct Verb {
    /// The bare form.
    pub(super) base: &'static str,
    /// With he or she.
    pub(super) third: &'static str,
    /// The past.
    pub(super) past: &'static str,
    /// What follows it.
    pub(super) rest: &'static str,
    /// A sentence that leads to the verb.
    pub(super) cue: &'static str,
}

const fn verb(
    base: &'static str,
    third: &'static str,
    past: &'static str,
    rest: &'static str,
    cue: &'static str,
) -> Verb {
    Verb { base, third, past, rest, cue }
}

/// Verbs of the tense sentences.
pub(super) const VERBS: [Verb; 22] = [
    verb("walk", "walks", "walked", "along the road", "there is a quiet road"),
    verb("run", "runs", "ran", "as fast as a horse", "there is a race"),
    verb("sing", "sings", "sang", "a song", "there is a new song"),
    verb("sleep", "sleeps", "slept", "in a soft bed", "there is a soft bed"),
    verb("eat", "eats", "ate", "the bread", "there is good bread"),
    verb("drink", "drinks", "drank", "the milk", "there is a cup of milk"),
    verb("swim", "swims", "swam", "in the lake", "there is a cold lake"),
    verb("ride", "rides", "rode", "a horse", "there is a horse"),
    verb("cook", "cooks", "cooked", "the soup", "there is a pot for soup"),
    verb("write", "writes", "wrote", "in a book", "there is a pen"),
    verb("sit", "sits", "sat", "on a chair", "there is a chair"),
    verb("dance", "dances", "danced", "to the music", "there is music"),
    verb("climb", "climbs", "climbed", "the hill", "there is a high hill"),
    verb("jump", "jumps", "jumped", "over the fence", "there is a low fence"),
    verb("laugh", "laughs", "laughed", "about a joke", "there is a good joke"),
    verb("dig", "digs", "dug", "a hole", "there is a spade"),
    verb("play", "plays", "played", "a game", "there is a game"),
    verb("throw", "throws", "threw", "a stone", "there is a stone"),
    verb("wear", "wears", "wore", "a coat", "there is a warm coat"),
    verb("wait", "waits", "waited", "at the door", "there is a closed door"),
    verb("paint", "paints", "painted", "a picture", "there is a brush"),
    verb("give", "gives", "gave", "a gift to a friend", "there is a gift"),
];

/// An animal, what its young is called, what it says, and where it lives.
pub(super) struct Animal {
    /// The grown animal.
    pub(super) name: &'static str,
    /// Its young.
    pub(super) young: &'static str,
    /// What it says.
    pub(super) sound: &'static str,
    /// Where it lives.
    pub(super) home: &'static str,
}

const fn animal(name: &'static str, young: &'static str, sound: &'static str, home: &'static str) -> Animal {
    Animal { name, young, sound, home }
}

/// Animals.
pub(super) const ANIMALS: [Animal; 14] = [
    animal("cat", "kitten", "meow", "house"),
    animal("dog", "puppy", "woof", "kennel"),
    animal("cow", "calf", "moo", "barn"),
    animal("horse", "foal", "neigh", "stable"),
    animal("sheep", "lamb", "baa", "meadow"),
    animal("goat", "kid", "bleat", "pasture"),
    animal("hen", "chick", "cluck", "coop"),
    animal("duck", "duckling", "quack", "pond"),
    animal("pig", "piglet", "oink", "sty"),
    animal("goose", "gosling", "honk", "yard"),
    animal("bear", "cub", "growl", "cave"),
    animal("owl", "owlet", "hoot", "tree"),
    animal("frog", "tadpole", "croak", "ditch"),
    animal("eagle", "eaglet", "screech", "nest"),
];

/// A country, its capital and its language.
pub(super) const COUNTRIES: [(&str, &str, &str); 18] = [
    ("france", "paris", "french"),
    ("spain", "madrid", "spanish"),
    ("italy", "rome", "italian"),
    ("germany", "berlin", "german"),
    ("russia", "moscow", "russian"),
    ("japan", "tokyo", "japanese"),
    ("china", "beijing", "chinese"),
    ("greece", "athens", "greek"),
    ("poland", "warsaw", "polish"),
    ("sweden", "stockholm", "swedish"),
    ("norway", "oslo", "norwegian"),
    ("denmark", "copenhagen", "danish"),
    ("hungary", "budapest", "hungarian"),
    ("turkey", "ankara", "turkish"),
    ("portugal", "lisbon", "portuguese"),
    ("finland", "helsinki", "finnish"),
    ("england", "london", "english"),
    ("egypt", "cairo", "arabic"),
];

/// An adjective with its comparative, and what shows that somebody is so.
pub(super) const COMPARATIVES: [(&str, &str, &str); 12] = [
    ("big", "bigger", "needed two chairs"),
    ("small", "smaller", "could sleep in a hat"),
    ("old", "older", "had grey hair"),
    ("young", "younger", "could not walk or speak"),
    ("fast", "faster", "won every race"),
    ("slow", "slower", "came home long after the others"),
    ("strong", "stronger", "could carry a heavy stone"),
    ("weak", "weaker", "could not carry a small bag"),
    ("tall", "taller", "could look over the wall"),
    ("short", "shorter", "could not see over the fence"),
    ("rich", "richer", "had a house full of gold"),
    ("poor", "poorer", "had no money for bread"),
];

/// Opposites.
pub(super) const OPPOSITES: [(&str, &str); 16] = [
    ("big", "small"),
    ("old", "young"),
    ("fast", "slow"),
    ("strong", "weak"),
    ("tall", "short"),
    ("rich", "poor"),
    ("hot", "cold"),
    ("good", "bad"),
    ("happy", "sad"),
    ("full", "empty"),
    ("open", "closed"),
    ("wet", "dry"),
    ("clean", "dirty"),
    ("high", "low"),
    ("hard", "soft"),
    ("first", "last"),
];

/// Colours.
pub(super) const COLOURS: [&str; 12] =
    ["red", "blue", "green", "yellow", "white", "black", "brown", "grey", "pink", "purple", "golden", "silver"];

/// Things that have one colour.
pub(super) const COLOURED: [(&str, &str); 12] = [
    ("grass", "green"),
    ("snow", "white"),
    ("the sky", "blue"),
    ("the sun", "yellow"),
    ("blood", "red"),
    ("coal", "black"),
    ("milk", "white"),
    ("the sea", "blue"),
    ("a lemon", "yellow"),
    ("a leaf", "green"),
    ("smoke", "grey"),
    ("earth", "brown"),
];

/// Numbers from one to twenty.
pub(super) const NUMBERS: [&str; 20] = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
];

/// A trade, its tool, its place, and what it makes or does.
pub(super) const JOBS: [(&str, &str, &str, &str); 12] = [
    ("baker", "oven", "bakery", "baked bread"),
    ("farmer", "plough", "field", "worked with cows"),
    ("fisher", "net", "harbour", "caught fish"),
    ("carpenter", "saw", "workshop", "made chairs"),
    ("painter", "brush", "studio", "painted all day"),
    ("tailor", "needle", "shop", "made hats"),
    ("teacher", "chalk", "school", "taught the children"),
    ("gardener", "spade", "garden", "planted flowers"),
    ("sailor", "rope", "ship", "sailed over the sea"),
    ("smith", "hammer", "forge", "made keys"),
    ("cook", "pot", "kitchen", "cooked soup"),
    ("shepherd", "staff", "meadow", "lived with the sheep"),
];

/// Things that stories turn on.
pub(super) const OBJECTS: [&str; 16] = [
    "key", "lamp", "book", "cup", "hat", "coin", "doll", "kite", "drum", "flute", "basket", "blanket", "mirror",
    "scarf", "clock", "box",
];

static VOCABULARY: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut words: BTreeSet<&'static str> = BTreeSet::new();
    words.extend(names().chain(SURNAMES).chain(COLOURS).chain(NUMBERS).chain(OBJECTS));
    words.extend(GENDER.iter().chain(&PRONOUNS).chain(&OPPOSITES).flat_map(|&(a, b)| [a, b]));
    words.extend(COMPARATIVES.iter().flat_map(|&(plain, more, _)| [plain, more]));
    words.extend(PLURALS.iter().flat_map(|&(one, many, _)| [one, many]));
    words.extend(VERBS.iter().flat_map(|verb| [verb.base, verb.third, verb.past]));
    words.extend(ANIMALS.iter().flat_map(|a| [a.name, a.young, a.sound, a.home]));
    words.extend(COUNTRIES.iter().flat_map(|&(country, capital, language)| [country, capital, language]));
    words.extend(JOBS.iter().flat_map(|&(job, tool, place, _)| [job, tool, place]));
    words.extend(OTHER.iter().flat_map(|line| line.split(' ')));
    words.into_iter().collect()
});

/// Every word form that the generator may write, sorted.
pub fn vocabulary() -> Vec<&'static str> {
    VOCABULARY.clone()
}

/// The same, without a copy.
pub(super) fn vocabulary_slice() -> &'static [&'static str] {
    &VOCABULARY
}
