//! The file in daily use: what may be changed and what not, and two processes at once.

use std::process::{Child, Command, Stdio};

use glassbox::progress::{Act, Credit, Error, Store};
use rusqlite::Connection;

use crate::{at, folder, open, with_answers};

#[test]
fn the_log_can_only_grow() {
    let (_folder, path) = folder();
    with_answers(&path, 3);
    let raw = Connection::open(&path).unwrap();
    let statement: String = raw.query_row("SELECT statement FROM log WHERE seq = 2", [], |r| r.get(0)).unwrap();
    for change in [
        "UPDATE log SET statement = '{}' WHERE seq = 2",
        "UPDATE log SET profile = 2",
        "DELETE FROM log",
        "DELETE FROM log WHERE seq = 3",
        "INSERT OR REPLACE INTO log (seq, profile, statement) VALUES (2, 1, '{}')",
        "INSERT INTO log (seq, profile, statement) VALUES (2, 1, '{}') ON CONFLICT DO UPDATE SET statement = '{}'",
    ] {
        let error = raw.execute(change, []).unwrap_err().to_string();
        assert!(error.contains("append-only"), "{change}: {error}");
    }
    assert!(raw.execute("INSERT INTO log (profile, statement) VALUES (1, 'not json')", []).is_err());
    let after: String = raw.query_row("SELECT statement FROM log WHERE seq = 2", [], |r| r.get(0)).unwrap();
    assert_eq!(statement, after);
}

#[test]
fn a_row_of_nonsense_is_named() {
    let (_folder, path) = folder();
    let profile = with_answers(&path, 3);
    let raw = Connection::open(&path).unwrap();
    let good: String = raw.query_row("SELECT statement FROM log WHERE seq = 1", [], |r| r.get(0)).unwrap();
    raw.execute("INSERT INTO log (profile, statement) VALUES (1, ?1)", [good.replace("\"raw\":1", "\"raw\":9")])
        .unwrap();
    raw.close().unwrap();
    let mut store = open(&path, at(9, 0));
    let error = store.record(profile.id).unwrap_err();
    assert!(matches!(&error, Error::Row { row: 4, .. }) && error.to_string().contains("9 of 1 parts"), "{error}");
}

#[test]
fn profiles_have_aliases_of_their_own_that_never_enter_the_log() {
    let (_folder, path) = folder();
    let mut store = open(&path, at(0, 0));
    let mut ada = store.add_profile("  Ada Lovelace ").unwrap();
    assert_eq!((ada.alias.as_str(), ada.with_streak, ada.on_leaderboard), ("Ada Lovelace", false, false));
    store.answer(ada.id, &Act::question("attention", "q", &[], Credit::RIGHT), at(0, 0)).unwrap();
    let bob = store.add_profile("Bob").unwrap();
    for bad in ["", " \t ", "a\nb", &"x".repeat(41), "ADA lovelace"] {
        let error = store.add_profile(bad).unwrap_err();
        assert!(matches!(error, Error::Alias { .. }), "{bad}: {error}");
    }
    ada.alias = "Countess".into();
    ada.with_streak = true;
    ada.on_leaderboard = true;
    store.change_profile(&ada).unwrap();
    drop(store);
    let mut store = open(&path, at(0, 1));
    assert_eq!(store.profiles().unwrap(), [ada.clone(), bob.clone()]);
    let log = serde_json::to_string(&store.statements(None).unwrap()).unwrap();
    assert!(!log.contains("Ada") && !log.contains("Countess") && log.contains(&ada.account), "{log}");
    assert_eq!((store.record(ada.id).unwrap().xp(), store.record(bob.id).unwrap().xp()), (15, 0));
    let nobody = glassbox::progress::ProfileId(77);
    assert!(matches!(store.record(nobody), Err(Error::NoProfile { .. })));
}

#[test]
fn an_act_that_cannot_be_read_back_is_not_written() {
    let (_folder, path) = folder();
    let profile = with_answers(&path, 1);
    let mut store = open(&path, at(0, 0));
    let good = Act::question("attention", "q", &["softmax"], Credit::RIGHT);
    for (bad, why) in [
        (Act { lesson: "../etc".into(), ..good.clone() }, "small letters"),
        (Act { item: String::new(), ..good.clone() }, "small letters"),
        (Act { concepts: vec!["x".repeat(101)], ..good.clone() }, "small letters"),
        (Act { credit: Credit { got: 0, of: 0 }, ..good.clone() }, "0 of 0"),
        (Act { credit: Credit { got: 2, of: 1 }, ..good.clone() }, "2 of 1"),
        (Act { confidence: Some(101), ..good.clone() }, "above 100"),
        (Act { answer: "x".repeat(20_001), ..good.clone() }, "longer"),
    ] {
        let error = store.answer(profile.id, &bad, at(0, 0)).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    assert!(store.reach(profile.id, "no spaces", 0, at(0, 0)).is_err());
    assert_eq!(store.statements(None).unwrap().len(), 1);
}

#[test]
fn two_windows_see_each_others_answers() {
    let (_folder, path) = folder();
    let profile = with_answers(&path, 0);
    let (mut one, mut two) = (open(&path, at(0, 0)), open(&path, at(0, 0)));
    let act = Act::question("attention", "q", &["softmax"], Credit::RIGHT);
    let attempts: Vec<(u32, u32)> = (0..6)
        .map(|i| {
            let graded = if i % 2 == 0 { &mut one } else { &mut two }.answer(profile.id, &act, at(0, i)).unwrap();
            (graded.attempt, graded.xp)
        })
        .collect();
    assert_eq!(attempts, [(1, 15), (2, 5), (3, 2), (4, 1), (5, 0), (6, 0)]);
    assert_eq!(one.record(profile.id).unwrap(), two.record(profile.id).unwrap());
}

/// How many answers each of two processes gives.
const EACH: usize = 40;

/// Begins a process that runs one test of this file.
pub fn child(test: &str, path: &std::path::Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .env("GLASSBOX_PROGRESS", path)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

#[test]
fn two_processes_write_at_once() {
    let (_folder, path) = folder();
    let profile = with_answers(&path, 0);
    let children = [(); 2].map(|()| child("store::one_of_two_writers", &path));
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let mut store = open(&path, at(1, 0));
    let mut attempts: Vec<u32> = Vec::new();
    for statement in store.statements(Some(profile.id)).unwrap() {
        attempts.push(statement.result.unwrap().extensions.attempt);
    }
    attempts.sort_unstable();
    let every: Vec<u32> = (1..=2 * EACH as u32).collect();
    assert_eq!(attempts, every, "each try has its own number: nobody graded by an old state");
    assert_eq!(store.record(profile.id).unwrap().xp(), 15 + 5 + 2 + 1);
}

#[test]
#[ignore = "one of the processes of two_processes_write_at_once"]
fn one_of_two_writers() {
    let path = glassbox::progress::default_path().unwrap();
    let mut store = Store::open(&path, at(0, 0)).unwrap().store;
    let profile = store.profiles().unwrap()[0].id;
    for i in 0..EACH {
        let act = Act::question("attention", "q", &["softmax"], Credit::RIGHT);
        store.answer(profile, &act, at(0, i as i64)).unwrap();
    }
}
