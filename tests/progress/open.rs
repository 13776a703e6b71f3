//! Opening what should not have happened: damage, other programs, other versions.

use std::fs;
use std::path::{Path, PathBuf};

use glassbox::progress::{Act, Credit, Error, Opened, SCHEMA, Store};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rusqlite::Connection;

use crate::{at, folder, open, with_answers};

/// The files of a folder whose names hold a word.
fn named(path: &Path, word: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|f| f.file_name().unwrap().to_str().unwrap().contains(word)).collect();
    files.sort();
    files
}

/// A record with 20 answers, of which a backup holds 12.
fn with_backup(path: &Path) {
    let profile = with_answers(path, 12);
    let mut store = open(path, at(12, 0));
    for i in 12..20 {
        store.answer(profile.id, &Act::question("attention", "q", &["softmax"], Credit::RIGHT), at(i, 0)).unwrap();
    }
    drop(store);
    assert_eq!(named(path, "backup").len(), 1);
}

fn entries(store: &Store) -> usize {
    store.statements(None).unwrap().len()
}

type Damage = (&'static str, fn(&mut Vec<u8>));

const DAMAGES: &[Damage] = &[
    ("empty", |bytes| bytes.clear()),
    ("cut in the header", |bytes| bytes.truncate(50)),
    ("cut in the middle of a page", |bytes| bytes.truncate(bytes.len() / 2 + 77)),
    ("cut after the first page", |bytes| bytes.truncate(4096)),
    ("garbage", |bytes| bytes.iter_mut().enumerate().for_each(|(i, b)| *b = (i * 7 + i / 256) as u8)),
    ("text", |bytes| *bytes = b"Dear diary, this is no database at all.\n".repeat(300)),
    ("wrong header", |bytes| bytes[..16].copy_from_slice(b"NotSQLite format")),
    ("its mark overwritten", |bytes| bytes[68..72].fill(0)),
    ("a zeroed tree", |bytes| bytes[4096..5 * 4096].fill(0)),
    ("zeros", |bytes| bytes.fill(0)),
];

#[test]
fn a_damaged_file_is_kept_and_the_newest_backup_opened() {
    for (name, damage) in DAMAGES {
        let (_folder, path) = folder();
        with_backup(&path);
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::write(&path, &bytes).unwrap();

        let Opened { store, notice } = Store::open(&path, at(30, 0)).unwrap_or_else(|e| panic!("{name}: {e}"));
        let notice = notice.unwrap_or_else(|| panic!("{name}: nothing was said"));
        let kept = named(&path, "damaged");
        assert_eq!(kept.len(), 1, "{name}: {kept:?}");
        assert_eq!(fs::read(&kept[0]).unwrap(), bytes, "{name}: the damaged file is what it was");
        assert!(notice.contains(kept[0].file_name().unwrap().to_str().unwrap()), "{name}: {notice}");
        assert!(notice.contains("backup") && notice.contains("12 entries"), "{name}: {notice}");
        assert_eq!(entries(&store), 12, "{name}");
        drop(store);
        assert_eq!(entries(&open(&path, at(31, 0))), 12, "{name}: the next start is clean");
    }
}

#[test]
fn without_a_backup_a_new_record_begins() {
    let (_folder, path) = folder();
    fs::write(&path, b"no database").unwrap();
    let Opened { mut store, notice } = Store::open(&path, at(0, 0)).unwrap();
    let notice = notice.unwrap();
    assert!(notice.contains("no backup") && notice.contains("damaged-2026-03-01-090000"), "{notice}");
    store.add_profile("Ada").unwrap();
    // A second time on the same second: the first one is not overwritten.
    drop(store);
    fs::write(&path, b"again none").unwrap();
    Store::open(&path, at(0, 0)).unwrap();
    let kept: Vec<Vec<u8>> = named(&path, "damaged").iter().map(|kept| fs::read(kept).unwrap()).collect();
    assert!(kept.contains(&b"no database".to_vec()) && kept.contains(&b"again none".to_vec()));
}

#[test]
fn a_bad_backup_gives_way_to_an_older_one() {
    let (_folder, path) = folder();
    with_backup(&path);
    drop(open(&path, at(21, 0)));
    let backups = named(&path, "backup");
    assert_eq!(backups.len(), 2, "a record that has grown is copied when it is opened: {backups:?}");
    fs::write(&backups[1], b"not a copy").unwrap();
    fs::write(&path, b"not a record").unwrap();
    let Opened { store, notice } = Store::open(&path, at(30, 0)).unwrap();
    assert!(notice.unwrap().contains("12 entries"));
    assert_eq!(entries(&store), 12);
}

#[test]
fn a_lost_file_is_restored() {
    let (_folder, path) = folder();
    with_backup(&path);
    fs::remove_file(&path).unwrap();
    let Opened { store, notice } = Store::open(&path, at(30, 0)).unwrap();
    assert!(notice.unwrap().contains("missing"));
    assert_eq!(entries(&store), 12);
}

#[test]
fn other_programs_and_newer_versions_are_left_alone() {
    let (_folder, path) = folder();
    let foreign = Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE recipes (cake TEXT); INSERT INTO recipes VALUES ('plum')").unwrap();
    foreign.close().unwrap();
    let bytes = fs::read(&path).unwrap();
    let error = Store::open(&path, at(0, 0)).err().unwrap();
    assert!(matches!(error, Error::Foreign { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
    fs::remove_file(&path).unwrap();

    with_answers(&path, 2);
    let raw = Connection::open(&path).unwrap();
    raw.pragma_update(None, "user_version", SCHEMA.len() as i64 + 1).unwrap();
    raw.close().unwrap();
    let bytes = fs::read(&path).unwrap();
    let error = Store::open(&path, at(0, 0)).err().unwrap().to_string();
    assert!(error.contains("newer version") && error.contains(path.to_str().unwrap()), "{error}");
    assert_eq!((fs::read(&path).unwrap(), named(&path, "damaged").len()), (bytes, 0));
}

/// The steps with one that no version has yet.
fn next_version(step: &'static str) -> Vec<&'static str> {
    SCHEMA.iter().copied().chain([step]).collect()
}

#[test]
fn a_file_is_copied_before_its_tables_change() {
    let (_folder, path) = folder();
    let profile = with_answers(&path, 5);
    let steps = next_version("ALTER TABLE profile ADD COLUMN note TEXT NOT NULL DEFAULT 'new'");
    let Opened { mut store, notice } = Store::open_with(&path, at(6, 0), &steps).unwrap();
    assert_eq!((notice, store.record(profile.id).unwrap().item("attention", "q").unwrap().tries), (None, 5));
    drop(store);
    let raw = Connection::open(&path).unwrap();
    let note: String = raw.query_row("SELECT note FROM profile", [], |row| row.get(0)).unwrap();
    assert_eq!(note, "new");
    drop(raw);
    assert!(matches!(Store::open(&path, at(6, 0)).err().unwrap(), Error::Newer { .. }));
    let copies = named(&path, "backup");
    assert!(copies.len() == 1 && copies[0].to_str().unwrap().ends_with("-v1.sqlite3"), "{copies:?}");
    fs::copy(&copies[0], path.with_file_name("old.sqlite3")).unwrap();
    assert_eq!(entries(&open(&path.with_file_name("old.sqlite3"), at(7, 0))), 5, "the copy opens as the old version");
}

#[test]
fn a_step_that_fails_leaves_the_old_version() {
    let (_folder, path) = folder();
    with_answers(&path, 5);
    let steps = next_version("ALTER TABLE profile ADD COLUMN note TEXT; ALTER TABLE nowhere ADD COLUMN note TEXT");
    let error = Store::open_with(&path, at(6, 0), &steps).err().unwrap().to_string();
    assert!(error.contains("brought up to date"), "{error}");
    assert_eq!(entries(&open(&path, at(6, 0))), 5);
}

#[test]
fn nothing_is_moved_or_changed_under_an_open_window() {
    let (_folder, path) = folder();
    let profile = with_answers(&path, 3);
    let mut window = open(&path, at(4, 0));
    let steps = next_version("ALTER TABLE profile ADD COLUMN note TEXT");
    let error = Store::open_with(&path, at(4, 0), &steps).err().unwrap();
    assert!(matches!(error, Error::InUse { what: "brought up to date", .. }), "{error}");
    window.answer(profile.id, &Act::question("attention", "q", &[], Credit::RIGHT), at(4, 0)).unwrap();
    drop(window);
    assert!(Store::open_with(&path, at(5, 0), &steps).is_ok());
}

#[test]
fn flipped_bytes_never_cause_a_panic() {
    let (_folder, path) = folder();
    with_backup(&path);
    let whole = fs::read(&path).unwrap();
    for seed in 0..60 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut bytes = whole.clone();
        for _ in 0..random.random_range(1..20) {
            let at = random.random_range(0..bytes.len());
            bytes[at] ^= random.random_range(1..=255_u8);
        }
        let (_folder, path) = folder();
        fs::write(&path, bytes).unwrap();
        let what = match Store::open(&path, at(30, 0)) {
            Err(error) => error.to_string(),
            Ok(Opened { mut store, notice }) => match store.everyone() {
                Err(error) => error.to_string(),
                Ok(_) => notice.unwrap_or("the damage is in no place that counts.".into()),
            },
        };
        assert!(what.ends_with('.') && !what.contains("panicked"), "seed {seed}: {what}");
    }
}

#[test]
fn old_copies_make_room() {
    let (_folder, path) = folder();
    let profile = with_answers(&path, 1);
    for i in 1..15 {
        let mut store = open(&path, at(i, 0));
        store.answer(profile.id, &Act::question("attention", "q", &[], Credit::RIGHT), at(i, 0)).unwrap();
    }
    let copies = named(&path, "backup");
    assert_eq!(copies.len(), 8);
    assert!(copies[7].to_str().unwrap().contains("backup-0000000014-"), "the newest stay: {copies:?}");
}
