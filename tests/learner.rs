//! The student's own pages, driven by accessible name over a real record, and their figures compared with the plain
//! recomputation of `tests/progress/plain.rs`.

#[path = "progress/plain.rs"]
mod plain;
mod support;
#[path = "support/window.rs"]
mod window;

use std::path::{Path, PathBuf};

use egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::{NodeT, Queryable};
use glassbox::lab::{Command, Export, LabOptions, LearnerCommand, ModelSource, Standing};
use glassbox::lesson::{Library, Question, QuestionKind};
use glassbox::progress::{Act, ActKind, Credit, Day, Moment, Opened, Store};
use glassbox::ui::{Page, Settings};
use window::{Window, click, rest, snapshot, tell, window_with};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn options(record: &Path) -> LabOptions {
    LabOptions { record: Some(record.to_owned()), ..LabOptions::default() }
}

fn on(page: Page) -> Settings {
    Settings { page: Some(page), ..Settings::default() }
}

fn open_page(record: &Path, page: Page) -> Window {
    let mut w = window_with([1280.0, 2600.0], Theme::Light, on(page), options(record));
    rest(&mut w);
    w
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("progress.sqlite3");
    (folder, record)
}

fn standing(w: &Window) -> &Standing {
    w.state().snapshot().standing.as_deref().expect("the record is open")
}

/// Whether something on screen holds these words; a notice does twice, since its cross is named after it.
fn says(w: &Window, words: &str) -> bool {
    w.query_all_by_label_contains(words).next().is_some()
}

/// So many days before now, at the same time of day.
fn ago(days: i64, minutes: i64) -> Moment {
    Moment::new(Moment::now().ms() - days * DAY_MS + minutes * 60_000, 0)
}

/// Answers of some weeks to questions and predictions of the real lessons.
fn acts() -> Vec<(Act, Moment)> {
    let library = Library::embedded();
    let lesson = &library.lessons[0];
    let mut acts = Vec::new();
    for (i, question) in lesson.questions().enumerate() {
        let days = 24 - 2 * i as i64;
        let concepts: Vec<&str> = question.concepts.iter().map(String::as_str).collect();
        let mut answer = |right, minutes, hints| {
            let act = Act::question(&lesson.meta.id, &question.id, &concepts, Credit::whole(right));
            acts.push((Act { hints, answer: "as typed".into(), ..act }, ago(days, minutes)));
        };
        if i % 3 == 1 {
            answer(false, 0, 0);
        }
        answer(true, 4, u32::from(i % 4 == 2));
        answer(true, 40, 0);
    }
    for (i, predict) in lesson.predictions().enumerate() {
        let act = Act::question(&lesson.meta.id, &predict.id, &[], Credit::whole(i % 2 == 0));
        let confidence = Some(60 + 15 * (i % 3) as u8);
        acts.push((Act { kind: ActKind::Prediction, confidence, ..act }, ago(3, i as i64)));
    }
    acts.sort_by_key(|(_, at)| at.ms());
    acts
}

/// A record in which Ada answered all of `acts`, and Bob one question today.
fn with_past(record: &Path) -> Vec<(Act, Moment)> {
    let Opened { mut store, .. } = Store::open(record, ago(40, 0)).unwrap();
    let (ada, bob) = (store.add_profile("Ada").unwrap(), store.add_profile("Bob").unwrap());
    let acts = acts();
    acts.iter().for_each(|(act, at)| drop(store.answer(ada.id, act, *at).unwrap()));
    let one = Act::question("attention", "many-heads", &["many-heads"], Credit::RIGHT);
    store.answer(bob.id, &one, Moment::now()).unwrap();
    acts
}

/// Clicks the right answer of the card on screen, or another one.
fn answer(w: &mut Window, question: &Question, number: usize, right: bool) {
    // Each try asks with other numbers, where a question has them.
    let tries = standing(w).answers.iter().find(|((_, item), _)| *item == question.id).map_or(0, |(_, kept)| kept.1);
    let question = question.variant(question.variant_at(tries));
    match &question.kind {
        QuestionKind::Numeric { answer, .. } => {
            let value = if right { *answer } else { answer + 1234.5 };
            let field = format!("Question {number}: your number");
            w.get_by_label(&field).focus();
            w.run();
            w.get_by_label(&field).type_text(&value.to_string());
            rest(w);
        }
        QuestionKind::Order { items, .. } if right => {
            // Each step goes to the top, the last one first: whatever the order was, it is the right one then.
            for item in items.iter().rev() {
                let up = option_name(number, item).replacen(": ", ": move up: ", 1);
                while !w.get_by_label(&up).accesskit_node().is_disabled() {
                    click(w, &up);
                }
            }
        }
        // The order at first is never the right one.
        QuestionKind::Order { .. } => {}
        _ => {
            let is_single = matches!(question.kind, QuestionKind::Single(_));
            let wanted = question.choices().iter().filter(|choice| choice.correct == right);
            let names: Vec<String> = wanted.map(|choice| option_name(number, &choice.text)).collect();
            for name in names.iter().take(if is_single || !right { 1 } else { usize::MAX }) {
                click(w, name);
            }
        }
    }
    click(w, &format!("Check question {number}"));
}

/// How a card calls an option: its text without marks.
fn option_name(number: usize, markdown: &str) -> String {
    let mut type_ = glassbox::ui::markdown::Typesetter::default();
    format!("Question {number}: {}", type_.document(markdown).plain())
}

#[test]
fn a_profile_is_made_renamed_switched_to_and_deleted() {
    let (_folder, record) = folder();
    let mut w = open_page(&record, Page::Profiles);
    assert!(w.query_by_label("Delete Student").is_some(), "the first profile is there");
    w.get_by_label("Alias of the new profile").focus();
    w.run();
    w.get_by_label("Alias of the new profile").type_text("Ada");
    rest(&mut w);
    click(&mut w, "Add profile");
    assert_eq!(standing(&w).alias, "Ada", "who was added learns now");

    click(&mut w, "Rename Ada");
    w.key_press_modifiers(Modifiers::COMMAND, Key::A);
    w.get_by_label("New alias of Ada").type_text("Grace");
    rest(&mut w);
    click(&mut w, "Save alias");
    assert_eq!(standing(&w).alias, "Grace");
    click(&mut w, "20 XP a day");
    click(&mut w, "Show my streak");
    let profile = standing(&w).profile.clone();
    assert_eq!((profile.goal, profile.with_streak, profile.on_leaderboard), (20, true, false));

    click(&mut w, "Learn as Student");
    assert_eq!(standing(&w).alias, "Student");
    click(&mut w, "Delete Grace");
    click(&mut w, "Keep Grace");
    assert_eq!(standing(&w).everyone.len(), 2, "asked first");
    click(&mut w, "Delete Grace");
    click(&mut w, "Delete Grace for good");
    assert_eq!(standing(&w).everyone.len(), 1);
    // The alias of somebody else is refused with a sentence.
    tell(&mut w, Command::Learner(LearnerCommand::AddProfile("student".into())));
    assert!(says(&w, "another profile has it"));
    click(&mut w, "Delete Student");
    click(&mut w, "Delete Student for good");
    assert_eq!(standing(&w).everyone.len(), 1, "somebody always learns");
}

#[test]
fn the_profile_of_last_time_learns_again_and_sees_only_its_own_answers() {
    let (_folder, record) = folder();
    with_past(&record);
    let mut w = open_page(&record, Page::Profiles);
    assert_eq!(standing(&w).alias, "Ada");
    click(&mut w, "Learn as Bob");
    let settings = w.state().settings_to_save();
    drop(w);
    let again = LabOptions { profile: settings.profile.clone(), ..options(&record) };
    let w = {
        let mut w = window_with([1280.0, 900.0], Theme::Light, settings, again);
        rest(&mut w);
        w
    };
    assert_eq!((standing(&w).alias.as_str(), standing(&w).xp), ("Bob", 15));
    assert_eq!(standing(&w).answers.len(), 1);
}

#[test]
fn the_leaderboard_is_asked_for_and_left_again() {
    let (_folder, record) = folder();
    with_past(&record);
    let mut w = open_page(&record, Page::Leaderboard);
    assert!(w.query_by_label_contains("Place 1").is_none(), "nobody sees it who did not ask");
    click(&mut w, "Take part");
    assert!(w.query_by_label_contains("Nobody else takes part yet").is_some());
    let bob = standing(&w).everyone[1].profile.clone();
    let bob = glassbox::progress::Profile { on_leaderboard: true, ..bob };
    tell(&mut w, Command::Learner(LearnerCommand::ChangeProfile(bob)));
    let acts = acts();
    let monday = |day: Day| (day.0 + 3).div_euclid(7);
    let week = (0..acts.len()).filter(|i| monday(acts[*i].1.day()) == monday(standing(&w).day));
    let own: u32 = week.map(|i| plain::xp(&acts, i)).sum();
    let place = |mine: u32, other: u32| if mine >= other { 1 } else { 2 };
    assert!(w.query_by_label(&format!("Place {}: Ada, {own} XP", place(own, 15))).is_some(), "Ada has {own} XP");
    assert!(w.query_by_label(&format!("Place {}: Bob, 15 XP", place(15, own))).is_some());
    click(&mut w, "Leave the leaderboard");
    assert!(w.query_by_label("Take part").is_some());
}

#[test]
fn every_figure_of_progress_is_that_of_a_plain_computation() {
    let (_folder, record) = folder();
    let acts = with_past(&record);
    let w = open_page(&record, Page::Progress);
    let xp: u32 = (0..acts.len()).map(|i| plain::xp(&acts, i)).sum();
    let says = |words: &str| assert!(w.query_by_label(words).is_some(), "the page does not say “{words}”");
    says(&format!("XP: {xp}"));
    let level = (1..).take_while(|n| 50 * n * (n - 1) <= xp).last().unwrap();
    says(&format!("Level: {level}"));
    says(&format!("Brier score: {:.3}", plain::brier(&acts).unwrap()));
    let practice: Vec<_> = acts.iter().filter(|(act, _)| act.kind != ActKind::Prediction).collect();
    let right = practice.iter().filter(|(act, _)| plain::right(act)).count();
    says(&format!("Right answers: {:.0} %", 100.0 * right as f64 / practice.len() as f64));
    let minutes = plain::minutes(&acts).round() as u64;
    says(&if minutes < 60 {
        format!("Time: {minutes} min")
    } else {
        format!("Time: {} h {} min", minutes / 60, minutes % 60)
    });
    let library = Library::embedded();
    let taught: Vec<&String> = library.lessons.iter().flat_map(|lesson| &lesson.meta.concepts).collect();
    let mastered = taught.iter().filter(|concept| plain::is_mastered(&acts, concept)).count();
    says(&format!("Concepts mastered: {mastered} of {}", taught.len()));
    assert!(mastered > 0 && mastered < taught.len());

    // The plots, day by day.
    let days = &standing(&w).days;
    assert_eq!(days.len(), 28);
    for (day, figures) in days {
        let of_day = |i: &usize| acts[*i].1.day() == *day;
        let xp: u32 = (0..acts.len()).filter(of_day).map(|i| plain::xp(&acts, i)).sum();
        assert_eq!(figures.xp, u64::from(xp), "{day}");
        let practice = acts.iter().filter(|(act, at)| at.day() == *day && act.kind != ActKind::Prediction);
        let (mut n, mut right) = (0, 0);
        practice.for_each(|(act, _)| (n, right) = (n + 1, right + u32::from(plain::right(act))));
        assert_eq!((figures.answers, figures.right), (n, right), "{day}");
        assert!((figures.minutes() - plain::minutes_of(&acts, *day)).abs() < 1e-9, "{day}");
    }
    // Every concept is on the map, with its state in words.
    for concept in taught {
        let state = &standing(&w).concepts.iter().find(|c| c.concept == *concept).unwrap().state;
        let due = plain::memory(&acts, concept).is_some_and(|memory| memory.due <= standing(&w).day);
        let word = match (plain::is_mastered(&acts, concept), due) {
            (true, true) => ": review due",
            (true, false) => ": mastered",
            (false, _) => ": ",
        };
        let title = glassbox::lesson::Concepts::embedded().title(concept);
        assert!(w.query_by_label_contains(&format!("{title}{word}")).is_some(), "{title} is {state:?}");
    }
    assert!(w.query_by_label_contains("Calibration: Brier score").is_some(), "plots have names");
}

#[test]
fn a_review_is_done_to_its_end() {
    let (_folder, record) = folder();
    let acts = with_past(&record);
    let mut w = open_page(&record, Page::Today);
    let due: Vec<String> = standing(&w).today.reviews.iter().map(|(concept, _)| concept.clone()).collect();
    assert!(!due.is_empty(), "weeks have passed");
    for concept in &due {
        assert!(plain::memory(&acts, concept).unwrap().due <= standing(&w).day, "{concept}");
    }
    let deck = standing(&w).deck.clone();
    let covered: Vec<&String> = deck.iter().flat_map(|card| &card.concepts).collect();
    assert!(due.iter().all(|concept| covered.contains(&concept)), "{deck:?}");
    let before = standing(&w).xp;
    click(&mut w, &format!("Review {} card{}", deck.len(), if deck.len() == 1 { "" } else { "s" }));

    let library = Library::embedded();
    for (i, card) in deck.iter().enumerate() {
        let lesson = library.lessons.iter().find(|lesson| lesson.meta.id == card.lesson).unwrap();
        let question = lesson.questions().find(|question| question.id == card.item).unwrap();
        // The first one wrong and then right, the others right at once.
        if i == 0 {
            answer(&mut w, question, 1, false);
            click(&mut w, "Try again question 1");
        }
        answer(&mut w, question, i + 1, true);
        click(&mut w, if i + 1 == deck.len() { "Finish the review" } else { "Next card" });
    }
    let earned = standing(&w).xp - before;
    let n = deck.len();
    let words = format!("{n} card{}, {} right at the first try, {earned} XP.", if n == 1 { "" } else { "s" }, n - 1);
    assert!(w.query_by_label(&words).is_some(), "{words}");
    click(&mut w, "Back to today");
    assert_eq!(standing(&w).due, 0, "each of them has another date now");
    assert!(w.query_by_label_contains("Nothing is due today").is_some());
    drop(w);

    // The record holds them as reviews: the plain computation from the log gives the same dates and XP.
    let Opened { mut store, .. } = Store::open(&record, Moment::now()).unwrap();
    let ada = store.profiles().unwrap()[0].clone();
    let log: Vec<(Act, Moment)> = store
        .statements(Some(ada.id))
        .unwrap()
        .iter()
        .map(|statement| match statement.read().unwrap() {
            glassbox::progress::Logged::Answered { act, .. } => (act, statement.timestamp),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(log.len(), acts.len() + n + 1);
    let kept = store.record(ada.id).unwrap();
    assert_eq!(kept.xp(), (0..log.len()).map(|i| u64::from(plain::xp(&log, i))).sum::<u64>());
    for concept in due {
        let memory = kept.practice(&concept).unwrap().memory.unwrap();
        assert_eq!(memory.due, plain::memory(&log, &concept).unwrap().due, "{concept}");
    }
}

#[test]
fn exports_are_saved_where_the_student_says() {
    let (folder, record) = folder();
    with_past(&record);
    let mut w = open_page(&record, Page::Progress);
    tell(&mut w, Command::OpenModel(ModelSource::default_model()));
    let hash = hash_of_default();
    for (button, name, export) in [
        ("Save a lab report…", "report.html", Export::Report),
        ("Save the grade book…", "grades.csv", Export::GradeBook),
        ("Save the statements…", "log.json", Export::Xapi),
    ] {
        let out = folder.path().join(name);
        click(&mut w, button);
        assert!(w.query_by_label(&format!("Save: {}", export.name())).is_some());
        w.get_by_label("Path").focus();
        w.run();
        w.key_press_modifiers(Modifiers::COMMAND, Key::A);
        w.get_by_label("Path").type_text(&out.display().to_string());
        rest(&mut w);
        click(&mut w, "Save here");
        let text = std::fs::read_to_string(&out).unwrap();
        match export {
            Export::Report => {
                assert!(text.contains(&format!("SHA-256 of its weights: {hash}")), "the model on the bench");
                assert_eq!(text.matches("<img").count(), 6, "four plots of the record, two of the run");
                let outside = ["http:", "https:", "<script", "url("];
                assert!(outside.iter().all(|word| !text.contains(word)), "nothing from outside");
            }
            Export::GradeBook => assert!(text.lines().any(|line| line.starts_with("Bob,"))),
            Export::Xapi => {
                let all: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
                assert_eq!(all.len(), acts().len(), "Ada's and nobody else's");
            }
        }
        assert!(says(&w, "Saved as"));
    }
    // Where it cannot be written, one sentence says so.
    let nowhere = folder.path().join("no such folder/report.html");
    let export = LearnerCommand::Export { what: Export::Report, to: nowhere, changes: Vec::new() };
    tell(&mut w, Command::Learner(export));
    assert!(says(&w, "could not be written"));
}

fn hash_of_default() -> String {
    let source = ModelSource::default_model();
    let folders = glassbox::builtin::ModelFolders::none();
    glassbox::engine::open_checkpoint(&source, &folders).unwrap().digest().unwrap()
}

#[test]
fn a_damaged_record_leaves_two_ways_on() {
    for (button, entries_left) in [("Go on with this record", true), ("Begin a new record", false)] {
        let (folder, record) = folder();
        let acts = with_past(&record);
        // Opening it makes a copy; then the file is overwritten.
        drop(Store::open(&record, Moment::now()).unwrap());
        std::fs::write(&record, b"no database any more").unwrap();
        let mut w = window_with([1280.0, 800.0], Theme::Light, on(Page::Today), options(&record));
        rest(&mut w);
        assert!(w.query_by_label("Your record was repaired").is_some());
        assert!(w.query_by_label_contains("newest backup was opened").is_some());
        // It stays in sight whatever is opened meanwhile.
        tell(&mut w, Command::OpenModel(ModelSource::default_model()));
        assert!(w.query_by_label("Your record was repaired").is_some());
        click(&mut w, button);
        assert!(w.query_by_label("Your record was repaired").is_none());
        assert_eq!(standing(&w).has_begun(), entries_left);
        assert_eq!(standing(&w).everyone.len(), if entries_left { 2 } else { 1 });
        drop(w);
        let names: Vec<String> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(names.iter().any(|name| name.contains("damaged-")), "the damaged file is kept: {names:?}");
        let aside = names.iter().any(|name| name.contains("put-aside"));
        assert_eq!(aside, !entries_left, "and so is the one that was not wanted: {names:?}");
        // The next start is clean, and keeps what was decided.
        let w = open_page(&record, Page::Today);
        assert!(w.query_by_label("Your record was repaired").is_none());
        assert_eq!(standing(&w).answers.is_empty(), !entries_left, "{}", acts.len());
    }
}

#[test]
fn without_a_place_for_a_record_the_pages_say_so() {
    let why = "This system names no folder. Answers of this sitting are not kept.".to_owned();
    let options = LabOptions { no_record: Some(why.clone()), ..LabOptions::default() };
    let mut w = window_with([1280.0, 800.0], Theme::Light, on(Page::Today), options);
    rest(&mut w);
    assert!(w.query_all_by_label(&why).count() >= 1);
    click(&mut w, "Your model");
    assert!(w.query_by_label(&why).is_some(), "the notice stands over the lab too");
    tell(&mut w, Command::OpenModel(ModelSource::default_model()));
    assert!(w.query_by_label(&why).is_some(), "and outlives the opening of a model");
}

#[test]
fn the_pages_work_by_keyboard_alone() {
    let (_folder, record) = folder();
    let mut w = window_with([1280.0, 800.0], Theme::Dark, Settings::default(), options(&record));
    rest(&mut w);
    for (key, page) in [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5].into_iter().zip(Page::ALL) {
        w.key_press_modifiers(Modifiers::COMMAND, key);
        rest(&mut w);
        assert_eq!(w.state_mut().shell_mut().settings.page, Some(page));
    }
    // From the profiles to the leaderboard and in, with Tab and Space.
    w.key_press_modifiers(Modifiers::COMMAND, Key::Num4);
    rest(&mut w);
    reach(&mut w, "Take part");
    w.key_press(Key::Space);
    rest(&mut w);
    assert!(standing(&w).profile.on_leaderboard);
    // Through the map of concepts into a lesson.
    w.key_press_modifiers(Modifiers::COMMAND, Key::Num3);
    rest(&mut w);
    reach(&mut w, "Many heads: later; builds on Query, key and value");
    w.key_press(Key::Enter);
    rest(&mut w);
    let settings = &w.state_mut().shell_mut().settings;
    assert_eq!((settings.page, settings.lesson.as_deref()), (None, Some("attention")));
    // Deleting asks, and the safe answer has the keyboard.
    w.key_press_modifiers(Modifiers::COMMAND, Key::Num5);
    rest(&mut w);
    reach(&mut w, "Delete Student");
    w.key_press(Key::Space);
    rest(&mut w);
    assert!(w.get_by_label("Keep Student").accesskit_node().is_focused());
    w.key_press(Key::Space);
    rest(&mut w);
    assert_eq!(standing(&w).alias, "Student");
    w.key_press_modifiers(Modifiers::COMMAND, Key::Num6);
    rest(&mut w);
    assert_eq!(w.state_mut().shell_mut().settings.page, None);
}

#[test]
fn a_review_can_be_done_by_keyboard_alone() {
    let (_folder, record) = folder();
    with_past(&record);
    let mut w = window_with([1280.0, 800.0], Theme::Light, Settings::default(), options(&record));
    rest(&mut w);
    w.key_press_modifiers(Modifiers::COMMAND, Key::Num2);
    rest(&mut w);
    let deck = standing(&w).deck.clone();
    let library = Library::embedded();
    for (i, card) in deck.iter().enumerate() {
        let lesson = library.lessons.iter().find(|lesson| lesson.meta.id == card.lesson).unwrap();
        let question = lesson.questions().find(|question| question.id == card.item).unwrap();
        match &question.kind {
            QuestionKind::Numeric { answer, .. } => {
                reach(&mut w, &format!("Question {}: your number", i + 1));
                w.get_by_label(&format!("Question {}: your number", i + 1)).type_text(&answer.to_string());
                rest(&mut w);
            }
            _ => {
                for choice in question.choices().iter().filter(|choice| choice.correct) {
                    reach(&mut w, &option_name(i + 1, &choice.text));
                    w.key_press(Key::Space);
                    rest(&mut w);
                }
            }
        }
        reach(&mut w, &format!("Check question {}", i + 1));
        w.key_press(Key::Space);
        rest(&mut w);
        reach(&mut w, if i + 1 == deck.len() { "Finish the review" } else { "Next card" });
        w.key_press(Key::Space);
        rest(&mut w);
    }
    assert!(w.get_by_label("Back to today").accesskit_node().is_focused(), "the keyboard is taken along");
    assert_eq!(standing(&w).due, 0);
}

/// Presses Tab until what has this name has the focus.
fn reach(w: &mut Window, name: &str) {
    for _ in 0..200 {
        if w.query_by_label(name).is_some_and(|node| node.accesskit_node().is_focused()) {
            return;
        }
        w.key_press(Key::Tab);
        w.run();
    }
    panic!("“{name}” cannot be reached with Tab");
}

#[test]
fn every_control_of_every_page_has_a_name() {
    use egui::accesskit::Role;
    let (_folder, record) = folder();
    with_past(&record);
    for page in Page::ALL {
        let w = open_page(&record, page);
        for role in [Role::Button, Role::CheckBox, Role::RadioButton, Role::TextInput, Role::Tab, Role::Link] {
            for node in w.query_all_by_role(role) {
                let node = node.accesskit_node();
                let named = node.label().is_some_and(|label| !label.trim().is_empty());
                assert!(named || node.labelled_by().count() > 0, "{page:?}: a {role:?} without a name");
            }
        }
    }
}

#[test]
fn the_pages_look_as_they_did() {
    let (_folder, record) = folder();
    let mut failures = Vec::new();
    for (theme, name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        // A fresh record: what depends on the day would change each night.
        let mut w = window_with([1280.0, 800.0], theme, on(Page::Progress), options(&record));
        rest(&mut w);
        snapshot(&mut w, &format!("learner_progress_{name}"), &mut failures);
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Pictures of the pages, for a look at them: `GLASSBOX_LOOK=folder cargo test --test learner -- --ignored`.
#[test]
#[ignore = "makes pictures to look at; nothing is checked"]
fn look() {
    let Some(folder) = std::env::var_os("GLASSBOX_LOOK") else { return };
    let (_folder, record) = self::folder();
    let (_other, fresh) = self::folder();
    with_past(&record);
    for (theme, name, size) in [
        (Theme::Light, "light", [1280.0, 800.0]),
        (Theme::Dark, "dark", [1280.0, 800.0]),
        (Theme::Dark, "wide", [2560.0, 1440.0]),
    ] {
        for (record, which) in [(&record, "past"), (&fresh, "fresh")] {
            for page in Page::ALL {
                let mut w = window_with(size, theme, on(page), options(record));
                rest(&mut w);
                w.remove_cursor();
                rest(&mut w);
                let path = Path::new(&folder).join(format!("{which}_{}_{name}.png", page.name()));
                w.render().unwrap().save(path).unwrap();
            }
        }
        let mut w = window_with([size[0], 2400.0], theme, on(Page::Progress), options(&record));
        rest(&mut w);
        w.render().unwrap().save(Path::new(&folder).join(format!("whole_progress_{name}.png"))).unwrap();
    }
}
