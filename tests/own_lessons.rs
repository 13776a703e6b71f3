//! A teacher's own folder in the window: opened without a system dialog, a bad file shown with its problem, and a saved
//! file read again.

mod support;
#[path = "support/window.rs"]
mod window;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::Queryable;
use glassbox::ui::Settings;
use window::{Window, click, rest, window};

fn page(id: &str, rest: &str) -> String {
    format!(
        "+++\nid = \"{id}\"\ntitle = \"Page {id}\"\norder = 1\nsummary = \"s\"\nminutes = 1\ntakeaway = \"t\"\n\
         core_question = \"c\"\nconcepts = [\"x\"]\n+++\n\n{rest}\n"
    )
}

/// Draws frames until something is on screen.
fn until(w: &mut Window, label: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while w.query_by_label_contains(label).is_none() {
        assert!(Instant::now() < deadline, "{label:?} does not appear");
        w.step();
    }
}

fn save(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

#[test]
fn a_folder_is_opened_shown_and_followed() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), "good.md", &page("good", "The first version."));
    save(folder.path(), "bad.md", &page("bad", "```lab\ntitle = \"t\"\npanels = [\"nowhere\"]\n```\n\n![x](y.png)"));
    let mut w = window([1280.0, 800.0], Theme::Light, Settings::default());
    rest(&mut w);
    assert!(w.query_by_label("Self-attention").is_some(), "first the course");

    w.key_press_modifiers(Modifiers::COMMAND, Key::K);
    w.run();
    w.get_by_label("Find a command").type_text("folder of lessons");
    w.run();
    w.key_press(Key::Enter);
    rest(&mut w);
    let field = w.get_by_label("Path");
    field.focus();
    w.run();
    w.key_press_modifiers(Modifiers::COMMAND, Key::A);
    w.get_by_label("Path").type_text(&format!("{}/", folder.path().display()));
    rest(&mut w);
    click(&mut w, "Open this folder");
    until(&mut w, "Page good");
    rest(&mut w);
    assert!(w.query_by_label("Self-attention").is_none(), "the folder's lessons stand in for the course");

    click(&mut w, "bad.md");
    assert!(w.query_by_label_contains("no panel \"nowhere\"").is_some(), "the first problem");
    assert!(w.query_by_label_contains("bad.md, line 17").is_some(), "and the second, with its line");
    click(&mut w, "Page good");
    assert!(w.query_by_label_contains("The first version.").is_some());

    save(folder.path(), "good.md", &page("good", "The second version, which is longer."));
    until(&mut w, "The second version");
    save(folder.path(), "good.md", &page("good", "It costs $5 now."));
    until(&mut w, "begins no formula");
    save(folder.path(), "good.md", &page("good", "Whole again."));
    until(&mut w, "Whole again.");

    click(&mut w, "Back to the course");
    rest(&mut w);
    assert!(w.query_by_label("Self-attention").is_some());
    assert_eq!(w.state().settings_to_save().lesson_folder, None);
}
