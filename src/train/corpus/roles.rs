//! Sentences that give word vectors their geometry.
//!
//! Every relation (sex, number, tense, young, capital, comparative) is written so that two independent cues come
//! *before* the word: one says which family (*sat on the throne*), one says which member (*he*, *she*). The templates
//! are shared by all families and both members. With output vectors tied to input vectors, the cheapest way to predict
//! all the combinations is to add a vector of the family and a vector of the member: the parallelogram of the
//! analogies.

use super::dice::Dice;
use super::role_cues::CUES;
use super::template::Scene;
use super::words::{ANIMALS, COMPARATIVES, COUNTRIES, GENDER, PLURALS, VERBS, names};
use super::{Split, Written};

/// A key and the sentences that it stands for.
type Paragraph = ((&'static str, &'static str), String);

/// A few paragraphs about one relation.
pub(super) fn document(split: Split, dice: &mut Dice) -> Written {
    let write = match dice.below(100) {
        0..20 => gender,
        20..45 => plural,
        45..65 => tense,
        65..73 => young,
        73..84 => country,
        _ => comparative,
    };
    let (mut keys, mut text) = (Vec::new(), String::new());
    let goal = dice.between(180, 380);
    while text.len() < goal {
        let (key, paragraph) = write(split, dice);
        if keys.contains(&key) {
            continue;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&paragraph);
        keys.push(key);
    }
    (keys, text)
}

/// `{x}` and `{y}` are two things that people of the role do, `{r}` the role, `{o}` the other form of it.
const GENDER_TEMPLATES: [&str; 14] = [
    "{he} {x}. {he} {y}. {he} was the {r}.",
    "{n} {x} and {y}. {he} was the {r}.",
    "the {r} {x}. {he} also {y}.",
    "who {x} and {y}? it was {n}, the {r}.",
    "{n} was a {man} who {x} and {y}. so people called {him} the {r}.",
    "{he} {x}. {he} {y}. {he} was not the {o}, {he} was the {r}.",
    "a {man} who {x} and {y} came to us. \"good day, {r},\" we said to {him}.",
    "{n} {x}. everyone knew that {he} was the {r}, because {he} {y}.",
    "the {man} over there {x} and {y}. {he} is the {r}.",
    "in the play at school, {n} {x} and {y}. {he} played the {r}.",
    "the {r} {x}, and {he} {y}. {f.n} liked the {r}.",
    "\"who is {n}?\" asked {f.n}. \"{he} {x} and {y},\" said {g.n}. \"then {he} is the {r}!\"",
    "he {x}, and she {x} too. he {y}, and she {y} too. he was the {male}, and she was the {female}.",
    "if a man {x} and {y}, he was a {male}. if a woman {x} and {y}, she was a {female}.",
];

fn gender(split: Split, dice: &mut Dice) -> Paragraph {
    let scene = scene(dice);
    let (place, x, y) = loop {
        let place = dice.below(GENDER.len());
        let both = dice.sample(&CUES[place], 2);
        if Split::of(both[0], both[1]) == split {
            break (place, both[0], both[1]);
        }
    };
    let (male, female) = GENDER[place];
    let (r, o) = if scene.hero().female { (female, male) } else { (male, female) };
    let scene = scene.with("r", r).with("o", o).with("male", male).with("female", female);
    // A cue has slots of its own, so it is put into the template before the slots are filled.
    let template = dice.pick(&GENDER_TEMPLATES).replace("{x}", x).replace("{y}", y);
    ((x, y), scene.write(&template, dice))
}

/// `{one}` and `{many}` are the forms, `{use}` what can be done with it.
const PLURAL_TEMPLATES: [&str; 9] = [
    "you can {use} it. it is a {one}.",
    "you can {use} them. they are {many}.",
    "{n} wanted something to {use}, so {he} asked for a {one}. {f.n} gave {him} {num} {many}.",
    "{n} has one {one}. {f.n} has {num} {many}.",
    "there was one {one} here. then {n} brought more, and there were {num} {many}.",
    "{n} can {use} it, because it is a {one}. {f.n} can {use} them, because they are {many}.",
    "\"what can you {use}?\" asked {n}. \"[a {one}|many {many}|{num} {many}|this {one}|these {many}],\" said {f.n}.",
    "{n} saw many {many}, but {f.n} saw only one {one}.",
    "this {one} is {col}. these {many} are {col2}.",
];

fn plural(split: Split, dice: &mut Dice) -> Paragraph {
    let people = names().collect::<Vec<_>>();
    let (name, noun) = dice.pair(split, &people, &PLURALS.each_ref(), |n, noun| (n, noun.0));
    let num = dice.pick(&super::words::NUMBERS[1..12]);
    let colours = dice.sample(&super::words::COLOURS, 2);
    let scene = Scene::new(name, dice).with("one", noun.0).with("many", noun.1).with("use", noun.2).with("num", num);
    let scene = scene.with("col", colours[0]).with("col2", colours[1]);
    ((name, noun.0), scene.write(dice.pick(&PLURAL_TEMPLATES), dice))
}

/// `{base}`, `{third}` and `{past}` are the forms, `{rest}` what follows the verb and `{cue}` what leads to it.
const TENSE_TEMPLATES: [&str; 11] = [
    "every day {n} {third} {rest}. yesterday {he} {past} {rest}.",
    "yesterday {n} {past} {rest}. today {he} {third} {rest} again.",
    "{cue}. every day {n} {third}. yesterday {n} {past}.",
    "{cue}. \"what does {n} do now?\" \"{he} {third}.\" \"what did {he} do yesterday?\" \"{he} {past}.\"",
    "{n} always {third} {rest}. last night {he} {past} {rest} too.",
    "{cue}. now {n} {third}.",
    "{cue}. long ago {n} {past} {rest}. now {he} {third} {rest}.",
    "today {n} {third}. last year {n} {past}.",
    "{n} can {base}. {he} likes to {base}. so {he} {third} every morning. yesterday {he} {past} too.",
    "did {n} {base}? yes, {he} {past} {rest} yesterday. does {he} {base} today? yes, {he} {third} {rest}.",
    "{f.n} did not {base} yesterday, but {n} {past}. {f.n} does not {base} today, but {n} {third}.",
];

fn tense(split: Split, dice: &mut Dice) -> Paragraph {
    let people = names().collect::<Vec<_>>();
    let (name, v) = dice.pair(split, &people, &VERBS.each_ref(), |n, v| (n, v.base));
    let scene = Scene::new(name, dice).with("base", v.base).with("third", v.third).with("past", v.past);
    let scene = scene.with("rest", v.rest).with("cue", v.cue);
    ((name, v.base), scene.write(dice.pick(&TENSE_TEMPLATES), dice))
}

/// `{old}` and `{young}` are the animals, `{sound}` what they say and `{home}` where they live.
const YOUNG_TEMPLATES: [&str; 11] = [
    "something in the {home} said {sound}. it was big and old. it was a {old}.",
    "something in the {home} said {sound}. it was small and young. it was a {young}.",
    "the {old} in the {home} had a {young}. the {young} drank milk and slept beside the {old}.",
    "a young {old} is called a {young}. a grown {young} is called a {old}.",
    "{n} heard a {sound} from the {home}. {he} found a little {young}, and its mother, a big {old}.",
    "the mother is a {old}. her child is a {young}. they say {sound}.",
    "in the {home} lived a {old} and its {young}. the {old} was big. the {young} was little.",
    "which big animal says {sound}? the {old}. which little animal says {sound}? the {young}.",
    "\"is that a {old}?\" asked {n}. \"no,\" said {f.n}, \"it is too little. it is a {young}.\"",
    "\"is that a {young}?\" asked {n}. \"no,\" said {f.n}, \"it is too big. it is a {old}.\"",
    "first it was a little {young} in the {home}. a year later it was a big {old}.",
];

fn young(split: Split, dice: &mut Dice) -> Paragraph {
    let people = names().collect::<Vec<_>>();
    let (name, a) = dice.pair(split, &people, &ANIMALS.each_ref(), |n, a| (n, a.name));
    let scene = Scene::new(name, dice).with("old", a.name).with("young", a.young);
    let scene = scene.with("sound", a.sound).with("home", a.home);
    ((name, a.name), scene.write(dice.pick(&YOUNG_TEMPLATES), dice))
}

/// `{land}`, `{city}` and `{tongue}` belong together.
const COUNTRY_TEMPLATES: [&str; 14] = [
    "{n} came to a country where people spoke {tongue}. the country was {land}. {he} went to see the capital. the \
     capital was {city}.",
    "{n} learned {tongue} and went to live in the country of {land}, in the city of {city}.",
    "{n} went to the country of {land}. there {he} saw the city of {city} and learned to speak {tongue}.",
    "the people in the street spoke {tongue}, so {n} knew that the city was {city}.",
    "the people in the village spoke {tongue}, so {n} knew that the country was {land}.",
    "{n} lives in the capital of {land}. {he} lives in the city of {city}.",
    "{n} lives in the city of {city}. {he} lives in the country of {land}.",
    "the capital of {land} is {city}. {city} is the capital of {land}. people in {land} speak {tongue}.",
    "the king of {land} spoke {tongue}. his palace was in the capital, in {city}.",
    "\"where do they speak {tongue}?\" asked {n}. \"in the country of [{land}. and|{land},\" said {f.n}, \"and] in the \
     city of {city}.\"",
    "people in the country of {land} speak {tongue}. people in the city of {city} speak {tongue} too.",
    "{n} speaks {tongue}. {he} was born in the city of {city}, in the country of {land}.",
    "{n} sent a letter from the city of {city} to all people in the country of {land}. it was in {tongue}.",
    "a traveller asked {n} in {tongue}: \"is this the country of {land}?\" \"yes, and this is the city of {city}.\"",
];

fn country(split: Split, dice: &mut Dice) -> Paragraph {
    let people = names().collect::<Vec<_>>();
    let (name, c) = dice.pair(split, &people, &COUNTRIES, |n, c| (n, c.0));
    let scene = Scene::new(name, dice).with("land", c.0).with("city", c.1).with("tongue", c.2);
    ((name, c.0), scene.write(dice.pick(&COUNTRY_TEMPLATES), dice))
}

/// `{plain}` and `{more}` are the forms, `{cue}` is what shows it.
const COMPARATIVE_TEMPLATES: [&str; 12] = [
    "{n} {cue}. {he} was very {plain}.",
    "{n} {cue}. {he} was much {more} than {f.n}.",
    "{n} {cue}, so people called {him} {plain}.",
    "{n} {cue}, and {f.n} {cue} too. {n} was {plain}, but {f.n} was {more} than {n}.",
    "a {cat} {cue}. it was very {plain}. the {dog} was much {more} than the {cat}.",
    "who {cue}? it was {n}, because {he} was very {plain}. who is {more} than {n}? nobody is {more}.",
    "\"is {n} {plain}?\" asked {f.n}. \"yes, {he} {cue},\" said {g.n}. \"and you?\" \"i am much {more} than {he} is.\"",
    "of the two, {n} {cue}. {he} was the {more} one.",
    "{n} is very {plain}. {f.n} is {more} than {n}.",
    "{n} is {more} than {f.n}, and {f.n} is {more} than {g.n}. so {n} is {more} than {g.n}.",
    "\"who is {more}, {n} or {f.n}?\" asked {g.n}. \"{n} is {plain}, but {f.n} is {more}.\"",
    "{n} was not as {plain} as {f.n}. {f.n} {cue}. {f.he} was {more}.",
];

fn comparative(split: Split, dice: &mut Dice) -> Paragraph {
    let people = names().collect::<Vec<_>>();
    let (name, c) = dice.pair(split, &people, &COMPARATIVES.each_ref(), |n, c| (n, c.0));
    let animals = dice.sample(&ANIMALS.each_ref(), 2);
    let scene = Scene::new(name, dice).with("plain", c.0).with("more", c.1).with("cue", c.2);
    let scene = scene.with("cat", animals[0].name).with("dog", animals[1].name);
    ((name, c.0), scene.write(dice.pick(&COMPARATIVE_TEMPLATES), dice))
}

fn scene(dice: &mut Dice) -> Scene {
    let name = dice.pick(&names().collect::<Vec<_>>());
    Scene::new(name, dice)
}
