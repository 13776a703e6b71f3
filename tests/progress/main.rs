//! The learner's record: its rules computed again in the plainest way, its file damaged, shared and killed.

mod export;
mod kill;
mod open;
mod plain;
mod rules;
mod store;

use std::path::{Path, PathBuf};

use glassbox::progress::{Act, ActKind, Credit, Moment, Profile, Store};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The first of March 2026, nine in the morning, on a clock one hour ahead of UTC.
const START: i64 = 1_772_352_000_000;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Nine in the morning, so many days and minutes after the start.
fn at(days: i64, minutes: i64) -> Moment {
    Moment::new(START + days * DAY + minutes * 60_000, 3600)
}

/// A folder of its own and the record in it.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("progress.sqlite3");
    (folder, path)
}

/// Opens a record of which nothing has to be said.
fn open(path: &Path, now: Moment) -> Store {
    let opened = Store::open(path, now).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(opened.notice, None);
    opened.store
}

/// A record with one profile and so many answers.
fn with_answers(path: &Path, n: i64) -> Profile {
    let mut store = open(path, at(0, 0));
    let profile = store.add_profile("Ada").unwrap();
    for i in 0..n {
        store.answer(profile.id, &Act::question("attention", "q", &["softmax"], Credit::RIGHT), at(i, 0)).unwrap();
    }
    profile
}

/// Acts as a student might make them: a few items asked again and again over some months.
fn recorded(seed: u64, n: usize) -> Vec<(Act, Moment)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let concepts = ["softmax", "many-heads", "causal-mask", "position"];
    let mut minutes = 0;
    let act = |_| {
        minutes += if random.random_bool(0.3) { random.random_range(60..20_000) } else { random.random_range(1..30) };
        let number = random.random_range(0..9_usize);
        let of = random.random_range(1..4);
        let got = if random.random_bool(0.7) { of } else { random.random_range(0..of) };
        let kind = [ActKind::Question, ActKind::Task, ActKind::Prediction][number % 3];
        let mut taught = vec![concepts[number % 4]];
        if number > 5 {
            taught.push(concepts[(number + 1) % 4]);
        }
        let mut act = Act::question(
            ["attention", "embeddings"][number % 2],
            &format!("item-{number}"),
            &taught,
            Credit { got, of },
        );
        act.kind = kind;
        act.hints = if random.random_bool(0.2) { random.random_range(0..5) } else { 0 };
        act.confidence = (kind == ActKind::Prediction || random.random_bool(0.1)).then(|| random.random_range(0..=100));
        act.variant = (number > 2).then(|| random.random());
        act.model = (kind == ActKind::Task).then(|| format!("{:016x}", random.random::<u64>()));
        act.tweaks = vec![serde_json::json!({ "kind": "temperature", "value": number as f64 / 3.0 })];
        act.answer = format!("the <{number}>th option, \"so\"");
        act.reasons = vec!["Because rows sum to 1.".into(); number % 3];
        (act, at(0, minutes))
    };
    (0..n).map(act).collect()
}
