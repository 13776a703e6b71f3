//! What a student answers in the window is kept: graded once, safe on disk, and there again at the next start.

mod support;
#[path = "support/window.rs"]
mod window;

use std::path::Path;

use egui::Theme;
use egui_kittest::kittest::Queryable;
use glassbox::lab::{Command, DeviceChoice, Lab, LabOptions, NoticeLevel, Standing};
use glassbox::progress::{Act, Credit, Moment, Opened, Store};
use glassbox::ui::Settings;
use window::{click, rest, snapshot, window_with};

const QUESTION: &str = "many-heads";

fn options(record: &Path) -> LabOptions {
    LabOptions { device: DeviceChoice::Cpu, record: Some(record.to_owned()), ..LabOptions::default() }
}

fn standing(lab: &Lab) -> &Standing {
    lab.snapshot().standing.as_deref().expect("the record is open")
}

#[test]
fn an_answer_in_the_window_is_there_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("progress.sqlite3");
    let in_lesson = || Settings { lesson: Some("attention".to_owned()), ..Settings::default() };
    let mut w = window_with([1700.0, 24_000.0], Theme::Light, in_lesson(), options(&record));
    rest(&mut w);
    assert!(w.query_by_label("0 XP").is_some());
    click(&mut w, "Question 1: Speed: the text is split, and each head reads a part of it.");
    click(&mut w, "Check question 1");
    click(&mut w, "Try again question 1");
    click(&mut w, "Question 1: Several patterns at once: each head can follow another relation between tokens.");
    click(&mut w, "Check question 1");
    // The second try is worth half of a question's ten.
    assert!(w.query_by_label("5 XP").is_some());
    drop(w);

    let statements = {
        let Opened { store, notice } = Store::open(&record, Moment::now()).unwrap();
        assert_eq!(notice, None);
        store.statements(None).unwrap()
    };
    assert_eq!(statements.len(), 2, "both tries are in the log: {statements:?}");
    let mut failures = Vec::new();
    for (theme, name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let mut w = window_with([1280.0, 800.0], theme, in_lesson(), options(&record));
        rest(&mut w);
        assert!(w.query_by_label("5 XP").is_some());
        assert!(w.state().snapshot().standing.as_ref().unwrap().done.iter().any(|(_, item)| item == QUESTION));
        snapshot(&mut w, &format!("record_{name}"), &mut failures);
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn answers_are_kept_in_order_and_none_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("progress.sqlite3");
    let mut lab = Lab::new(options(&record), || {});
    let right = |item: &str| Box::new(Act::question("attention", item, &["many-heads"], Credit::RIGHT));
    for i in 0..40 {
        lab.apply(Command::Record(right(&format!("question-{i}"))));
    }
    lab.wait_until_idle();
    assert_eq!((standing(&lab).done.len(), standing(&lab).xp), (40, 40 * 15));
    // What was asked for last is written even if the window closes at once.
    lab.apply(Command::Record(right("the-last")));
    drop(lab);
    let mut lab = Lab::new(options(&record), || {});
    lab.wait_until_idle();
    assert!(standing(&lab).done.contains(&("attention".into(), "the-last".into())));
}

#[test]
fn a_record_that_cannot_be_opened_is_explained_and_costs_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(options(folder.path()), || {});
    lab.apply(Command::Record(Box::new(Act::question("attention", "one", &[], Credit::RIGHT))));
    lab.wait_until_idle();
    let notices = &lab.snapshot().notices;
    let [notice] = notices.as_slice() else { panic!("one sentence: {notices:?}") };
    assert!(notice.level == NoticeLevel::Warning && notice.text.contains("are not kept"), "{notice:?}");
    assert!(notice.text.contains(&folder.path().display().to_string()), "{notice:?}");
    assert_eq!(lab.snapshot().standing, None);
}
