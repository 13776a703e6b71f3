//! The walls between the rooms, kept by reading the source.

use std::fs;
use std::path::{Path, PathBuf};

/// A word that may stand only in some rooms.
struct Wall {
    /// What is looked for, as it appears in code.
    words: &'static [&'static str],
    /// Where it may stand: path prefixes under `src/`.
    allowed: &'static [&'static str],
    why: &'static str,
}

const WALLS: &[Wall] = &[
    Wall {
        words: &["candle_core", "candle_nn"],
        allowed: &["engine/candle/", "train/"],
        why: "candle computes; it stays in the engine and in training",
    },
    Wall {
        words: &["wgpu::"],
        // `engine/open.rs` names our module of that name, which is where the backend comes from.
        allowed: &["engine/wgpu/", "engine/open.rs", "ui/"],
        why: "only the GPU backend talks to the GPU (the window's own drawing aside)",
    },
    Wall { words: &["egui", "eframe", "rfd::"], allowed: &["ui/"], why: "only the window knows the window library" },
    Wall {
        words: &["thread::spawn", "thread::Builder", "Builder::new().name"],
        allowed: &["lab/worker.rs"],
        why: "threads start in one place",
    },
    Wall {
        words: &["Color32::from_rgb", "Color32::from_gray", "Color32::from_hex", "Color32::WHITE", "Color32::BLACK"],
        allowed: &["ui/theme.rs", "ui/theme/"],
        why: "colours are the theme's",
    },
    Wall {
        words: &["rusqlite"],
        allowed: &["progress/store/", "progress/error.rs"],
        why: "the learner's record is the only database, and its store the only part that talks to it",
    },
    Wall {
        words: &["unsafe "],
        allowed: &["engine/candle/raw.rs"],
        why: "one small module may say unsafe, with a proof for each block",
    },
];

/// What the definition of the model may not know.
const FOREIGN_TO_THE_MODEL: &[&str] =
    &["std::fs", "std::io", "std::thread", "std::net", "crate::engine", "crate::lab", "crate::ui", "rayon"];

/// What the maths on traces and weights may not know: every room but the model, and everything outside the program.
const FOREIGN_TO_INSIGHT: &[&str] = &[
    "std::fs",
    "std::io",
    "std::thread",
    "std::net",
    "std::path",
    "rayon",
    "candle",
    "wgpu",
    "egui",
    "crate::cli",
    "crate::engine",
    "crate::lab",
    "crate::lesson",
    "crate::progress",
    "crate::train",
    "crate::ui",
];

/// What the learner's record may not know: every other room. Lessons, items, concepts and models are strings to it.
const FOREIGN_TO_PROGRESS: &[&str] = &[
    "std::thread",
    "std::net",
    "rayon",
    "candle",
    "wgpu",
    "egui",
    "crate::builtin",
    "crate::cli",
    "crate::engine",
    "crate::insight",
    "crate::lab",
    "crate::lesson",
    "crate::model",
    "crate::train",
    "crate::ui",
];

/// Asking what time it is: in the record's room only one function does.
const CLOCKS: &[&str] = &["SystemTime", "Instant", "Zoned::now", "Timestamp::now"];

/// The rooms that may know the learner's record.
const READERS_OF_PROGRESS: &[&str] = &["progress/", "lab/", "ui/", "cli/"];

#[test]
fn walls_stand() {
    let mut breaches = Vec::new();
    for (path, code) in sources() {
        for wall in WALLS {
            let inside = wall.allowed.iter().any(|room| path.starts_with(room));
            if let Some(word) = wall.words.iter().find(|word| !inside && code.contains(**word)) {
                breaches.push(format!("src/{path} says “{word}”: {}", wall.why));
            }
        }
        if path.starts_with("model/")
            && let Some(word) = FOREIGN_TO_THE_MODEL.iter().find(|word| code.contains(**word))
        {
            breaches.push(format!("src/{path} says “{word}”: the model is pure"));
        }
        if path.starts_with("insight/")
            && let Some(word) = FOREIGN_TO_INSIGHT.iter().find(|word| code.contains(**word))
        {
            breaches.push(format!("src/{path} says “{word}”: insight is arithmetic on what the model leaves behind"));
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn the_record_knows_only_strings_and_is_known_only_above() {
    let mut breaches = Vec::new();
    for (path, code) in sources() {
        let mut forbid = |words: &[&str], why: &str| {
            let found = words.iter().filter(|word| code.contains(**word));
            breaches.extend(found.map(|word| format!("src/{path} says “{word}”: {why}")));
        };
        if path.starts_with("progress/") {
            forbid(FOREIGN_TO_PROGRESS, "the record knows no other room");
            if path != "progress/clock.rs" {
                forbid(CLOCKS, "time comes in as a Moment, so that everything can be computed again");
            }
            if !path.starts_with("progress/store/") {
                forbid(&["std::fs"], "the record's files are the store's");
            }
        } else if !READERS_OF_PROGRESS.iter().any(|room| path.starts_with(room)) {
            forbid(&["crate::progress"], "only lab, window and command line know the record");
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn arrows_point_down() {
    // ui -> lab -> train -> engine -> model: a lower room never names a higher one. Insight stands beside engine: it
    // names the model alone (FOREIGN_TO_INSIGHT), and neither model nor engine names it. The built-in models are bytes
    // below all.
    let rooms = ["builtin", "model", "engine", "insight", "train", "lab", "ui"];
    for (path, code) in sources() {
        let Some(level) = rooms.iter().position(|room| path.starts_with(&format!("{room}/"))) else { continue };
        for higher in &rooms[level + 1..] {
            assert!(!code.contains(&format!("crate::{higher}::")), "src/{path} reaches up to {higher}");
        }
    }
}

#[test]
fn every_room_has_an_essay() {
    for (path, code) in sources() {
        assert!(code.trim_start().starts_with("//!"), "src/{path} does not begin with what it is for");
    }
}

/// Every source file under `src/`, its path relative to it, without line comments other than leading essays.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 20, "the source was not found");
    files
        .into_iter()
        .map(|file| {
            let path = file.strip_prefix(&root).expect("under src").to_string_lossy().replace('\\', "/");
            let text = fs::read_to_string(&file).expect("readable source");
            (path, without_comments(&text))
        })
        .collect()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

fn without_comments(text: &str) -> String {
    let mut essay = true;
    text.lines()
        .filter(|line| {
            let trimmed = line.trim_start();
            essay &= trimmed.starts_with("//!") || trimmed.is_empty();
            let first = essay && trimmed.starts_with("//!") && trimmed.len() > 3;
            first || !trimmed.starts_with("//")
        })
        .map(|line| if line.trim_start().starts_with("//!") { "//!" } else { line })
        .collect::<Vec<_>>()
        .join("\n")
}
