//! Instruction–response pairs in the world's vocabulary.
//!
//! They belong to alignment and are no part of any document. A base model knows their words and their facts; what a
//! tuned one has to learn is the form: a bare request, then an answer in a whole sentence, then the end. The held-out
//! rule looks at what is asked together with how, so held-out pairs need the two to be put together anew.

use super::Split;
use super::dice::Dice;
use super::facts::TOPICS;
use super::template::Scene;
use super::words::{ANIMALS, COLOURS, COUNTRIES, GENDER, NUMBERS, OBJECTS, PLURALS, VERBS, names};

/// What is asked, and a good answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What is asked.
    pub instruction: String,
    /// A good answer.
    pub response: String,
}

/// A request with its answer, and the pair that the held-out rule looks at.
type Request = ((&'static str, &'static str), String, String);

/// One pair: a pure function of its arguments.
pub fn pair(seed: u64, split: Split, index: u64) -> Pair {
    let mut dice = Dice::new(seed, 2, split, index);
    loop {
        let (key, instruction, response) = request(&mut dice);
        if Split::of(key.0, key.1) == split {
            return Pair { instruction, response };
        }
    }
}

fn request(dice: &mut Dice) -> Request {
    let people = names().collect::<Vec<_>>();
    let name = dice.pick(&people);
    let scene = Scene::new(name, dice);
    let (subject, instruction, response, scene) = match dice.below(10) {
        0..5 => return fact(dice),
        5 => return count(dice),
        6 => return again(dice),
        7 => {
            let verb = &VERBS[dice.below(VERBS.len())];
            let scene = scene.with("third", verb.third).with("past", verb.past).with("rest", verb.rest);
            let ask = "today {n} {third} {rest}. what did {he} do yesterday?";
            (verb.base, ask, "yesterday {n} {past} {rest}.", scene)
        }
        8 => {
            let (male, female) = dice.pick(&GENDER);
            let (from, to) = if scene.hero().female { (male, female) } else { (female, male) };
            let scene = scene.with("from", from).with("to", to);
            (male, "not a {from}, but a {man}: what is {he} called?", "{he} is called a {to}.", scene)
        }
        _ => {
            let animal = &ANIMALS[dice.below(ANIMALS.len())];
            let scene = scene.with("old", animal.name).with("young", animal.young).with("sound", animal.sound);
            let scene = scene.with("home", animal.home).with("col", dice.pick(&COLOURS));
            let told = "once there was a {col} {old}. it lived in the {home} and said {sound}. it had a little \
                        {young}. one day {n} came and gave them [bread|water]. so they were all happy.";
            (animal.name, "write about a {old} and {n}.", told, scene)
        }
    };
    let key = (if matches!(instruction.split(' ').next(), Some("today" | "write")) { name } else { "form" }, subject);
    (key, scene.write(instruction, dice), scene.write(response, dice))
}

/// A question about a fact, answered in a whole sentence.
fn fact(dice: &mut Dice) -> Request {
    if dice.chance(20) {
        let (land, other) = (dice.pick(&COUNTRIES), dice.pick(&COUNTRIES));
        let ask = format!("is {} the capital of {}?", other.1, land.0);
        let word = if land == other { "yes" } else { "no" };
        return ((land.0, other.1), ask, format!("{word}, the capital of {} is {}.", land.0, land.1));
    }
    if dice.chance(10) {
        let (one, many, _) = dice.pick(&PLURALS);
        let n = dice.pick(&NUMBERS[1..]);
        let ask = format!("there was one {one}. now there are {n}. what are they?");
        return ((one, n), ask, format!("they are {n} {many}."));
    }
    let topic = &TOPICS[dice.below(TOPICS.len())];
    let pair = &topic.pairs[dice.below(topic.pairs.len())];
    let question = dice.pick(topic.questions);
    let name = dice.pick(&names().collect::<Vec<_>>());
    let scene = Scene::new(name, dice);
    let fill = |text: &str, dice: &mut Dice| scene.write(&text.replace("{a}", &pair.a).replace("{b}", pair.b), dice);
    // The whole question and its answer are one key, so a held-out fact may be known from another way of asking.
    ((question, pair.b), fill(question, dice), fill(topic.statements[0], dice))
}

/// Counting from one number to another.
fn count(dice: &mut Dice) -> Request {
    let from = dice.below(16);
    let to = dice.between(from + 2, (from + 8).min(19));
    let (first, last) = (NUMBERS[from], NUMBERS[to]);
    let ask = format!("count from {first} to {last}.");
    ((first, last), ask, format!("{}.", NUMBERS[from..=to].join(", ")))
}

/// Words to be said again.
fn again(dice: &mut Dice) -> Request {
    let things: Vec<String> =
        dice.sample(&OBJECTS, 3).into_iter().map(|object| format!("{} {object}", dice.pick(&COLOURS))).collect();
    let list = things.join(", ");
    let first = OBJECTS.iter().find(|object| things[0].ends_with(*object)).copied().unwrap_or_default();
    let second = OBJECTS.iter().find(|object| things[1].ends_with(*object)).copied().unwrap_or_default();
    ((first, second), format!("say this again: {list}."), format!("{list}."))
}
