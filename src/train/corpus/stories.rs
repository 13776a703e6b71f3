//! Short stories: a plot, a protagonist, a key object, and all that has to stay the same until the end.

use super::dice::Dice;
use super::plots;
use super::template::Scene;
use super::words::{ANIMALS, COLOURS, COUNTRIES, JOBS, NUMBERS, OBJECTS, OPPOSITES, names};
use super::{Split, Written};

/// Where things are found, and the place in a word.
const HIDES: [(&str, &str); 9] = [
    ("under the bridge", "bridge"),
    ("behind the mill", "mill"),
    ("near the lake", "lake"),
    ("behind the barn", "barn"),
    ("in the old tower", "tower"),
    ("under the big tree", "tree"),
    ("beside the well", "well"),
    ("on the beach", "beach"),
    ("in the cave", "cave"),
];

const SEASONS: [&str; 4] = ["spring", "summer", "autumn", "winter"];

/// How a story introduces its protagonist.
const OPEN: &str = "[[once|long ago] there [was|lived] a {job} named {full}.|{full} was a {job} in a [small|quiet|big] \
                    {village}.|in a [small|quiet|big] {village} lived a {job} named {full}.|[once|long ago] there \
                    [was|lived] a [little|young|poor|clever] {boy} named {full}.]";

/// How it introduces a child.
const YOUNG_OPEN: &str = "[[once|long ago] there [was|lived] a [little|small|young|clever] {boy} named {full}.|{full} \
                          was a [little|small|young] {boy} in a [quiet|big] {village}.|in a [small|quiet] {village} \
                          lived a [little|young|clever] {boy} named {full}.]";

/// A story.
pub(super) fn document(split: Split, dice: &mut Dice) -> Written {
    let people = names().collect::<Vec<_>>();
    let plot = dice.pick(&plots::all());
    let (name, object) = dice.pair(split, &people, plot.objects, |name, object| (name, object));
    let scene = fill(Scene::new(name, dice), object, dice);
    let mut text = match plot.text.strip_prefix("{open} ").or(plot.text.strip_prefix("{young-open} ")) {
        // Some stories begin with what happens: the first *he* is then a name.
        Some(at_once) if dice.chance(30) => at_once.replacen("{he}", dice.pick(&["{n}", "{full}"]), 1),
        _ => plot.text.replace("{open}", OPEN).replace("{young-open}", YOUNG_OPEN),
    };
    // Some stories give everybody's whole name each time: two words of which the first settles the second.
    if dice.chance(20) {
        text = text.replace("{n}", "{full}").replace("{f.n}", "{f.full}");
    }
    (vec![(name, object)], scene.write(&text, dice))
}

/// Fills every slot that plots use.
fn fill(scene: Scene, object: &'static str, dice: &mut Dice) -> Scene {
    let other = loop {
        let other = dice.pick(&OBJECTS);
        if other != object {
            break other;
        }
    };
    let colours = dice.sample(&COLOURS, 2);
    let jobs = dice.sample(&JOBS, 2);
    let lands = dice.sample(&COUNTRIES, 2);
    let (hide, spot) = dice.pick(&HIDES);
    // Grown farm animals; and those that could be anybody's.
    let [cat, dog, cow, horse, sheep, goat, hen, duck, pig, goose, ..] = &ANIMALS;
    let animal = dice.pick(&[cow, horse, sheep, goat, pig]);
    let pet = dice.pick(&[cat, dog, cow, horse, sheep, goat, hen, duck, pig, goose]);
    let fur = dice.pick(&["white", "black", "brown", "grey"]);
    let few = dice.between(1, 9);
    let (one, two) = (dice.between(1, 5), dice.between(1, 5));
    let (plain, opposite) = dice.pick(&OPPOSITES);
    let scene = scene.with("obj", object).with("obj2", other).with("col", colours[0]).with("col2", colours[1]);
    let scene = scene.with("job", jobs[0].0).with("tool", jobs[0].1).with("work", jobs[0].2).with("does", jobs[0].3);
    let scene = scene.with("job2", jobs[1].0).with("hide", hide).with("spot", spot);
    let scene = scene.with("land", lands[0].0).with("city", lands[0].1).with("tongue", lands[0].2);
    let scene = scene.with("land2", lands[1].0).with("season", dice.pick(&SEASONS));
    let scene = scene.with("animal", animal.name).with("young", animal.young);
    let scene = scene.with("sound", animal.sound).with("home", animal.home);
    let scene = scene.with("pet", pet.name).with("pet-young", pet.young);
    let scene = scene.with("pet-sound", pet.sound).with("pet-home", pet.home).with("fur", fur);
    let scene = scene.with("num", NUMBERS[few]).with("num2", NUMBERS[few + dice.between(1, 9)]);
    let scene = scene.with("one", NUMBERS[one - 1]).with("two", NUMBERS[two - 1]).with("total", NUMBERS[one + two - 1]);
    let scene = scene.with("village", dice.pick(&["village", "town"]));
    scene.with("plain", plain).with("opp", opposite)
}
