//! Every kind of card is answered through its real widgets, by name and by keyboard, and looks right in both themes.

#[path = "support/page.rs"]
mod sheet;

use std::collections::BTreeSet;
use std::sync::Arc;

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use glassbox::insight::heads::HeadMap;
use glassbox::lesson::{
    Answer, Attempt, Candidate, Commitment, FlipKey, Key, Lesson, LiveTruth, Measured, RowKey, RunFacts, TaskKind,
    attempt_seed, parse,
};
use glassbox::model::tweak::{Ablation, HeadRef, Tweak};
use glassbox::ui::lesson_view::LessonAction;
use sheet::{Page, click, focused, look, page_of, tab_to, took};

const HEAD: &str = "+++\nid = \"test\"\ntitle = \"Cards\"\norder = 1\nsummary = \"A test.\"\nminutes = 1\ntakeaway = \"None.\"\n\
    core_question = \"Which?\"\nconcepts = [\"one\"]\n+++\n";

fn lesson(blocks: &[String]) -> Lesson {
    parse("cards.md", &format!("{HEAD}\n{}", blocks.join("\n"))).unwrap()
}

fn quiz(kind: &str, question: &str, own: &str) -> String {
    let shared = "concepts = [\"one\"]\nhints = [\"A pointer.\", \"The principle.\", \"A worked step.\"]\nexplanation = \"So it is.\"";
    format!("```quiz\nid = \"{kind}\"\nkind = \"{kind}\"\nquestion = \"{question}\"\n{shared}\n{own}\n```\n")
}

fn order() -> String {
    let reason =
        |a: &str, b: &str, why: &str| format!("[[reasons]]\nbefore = \"{a}\"\nafter = \"{b}\"\nreason = \"{why}\"\n");
    let reasons = reason("Scores $q \\\\cdot k$", "Softmax", "A softmax needs scores.")
        + &reason("Softmax", "Sum of the values", "The weights say how much of each value is taken.");
    quiz(
        "order",
        "Put the steps in order.",
        &format!("items = [\"Scores $q \\\\cdot k$\", \"Softmax\", \"Sum of the values\"]\n{reasons}"),
    )
}

fn pairs() -> String {
    let pair =
        |l: &str, r: &str, why: &str| format!("[[pairs]]\nleft = \"{l}\"\nright = \"{r}\"\nreason = \"{why}\"\n");
    let own = pair("$q$", "stands for the token that looks", "The query makes the row.")
        + &pair("$k$", "stands for the token looked at", "The key makes the column.");
    quiz(
        "match",
        "Who plays which part?",
        &format!("distractors = [\"adds the position to a vector of some length\"]\n{own}"),
    )
}

fn word() -> String {
    let show = "show = { tweaks = [{ kind = \"window\", width = 3 }], select = { layer = 0, head = 1 } }";
    let own = format!(
        "accepted = [\"causal\"]\n[[mistakes]]\ntext = \"window\"\nreason = \"A window limits how far back one looks.\"\n{show}"
    );
    quiz("text", "What is the mask called?", &own)
}

fn live() -> String {
    quiz("live", "Which token is the likeliest?", "prompt = \"one two three\"\nkey = { kind = \"top-token\" }")
}

fn single() -> String {
    let show = "show = { prompt = \"one two\", tweaks = [{ kind = \"acausal\" }] }";
    let own =
        format!("options = [{{ text = \"Right\", correct = true }}, {{ text = \"Left\", reason = \"No.\", {show} }}]");
    quiz("single", "Which way?", &own)
}

fn number() -> String {
    let own = "answer = 4\ntolerance = 0\nvariants = [{ question = \"What is three times three?\", answer = 9 }]\n\
        [[mistakes]]\nvalue = 5\nreason = \"That is two plus three.\"";
    quiz("numeric", "What is two times two?", own)
}

fn bar() -> String {
    "```predict\nid = \"bar\"\nquestion = \"How sure is the model?\"\nprompt = \"one two three\"\n\
     reveal = { kind = \"bar\", measure = \"top-probability\" }\nexplanation = \"It counts.\"\n```\n"
        .into()
}

fn task(kind: &str) -> String {
    let shared =
        "concepts = [\"one\"]\nhints = [\"a\", \"b\", \"c\"]\nexplanation = \"The score is the mean of $A_{i,0}$.\"";
    format!(
        "```task\nid = \"{kind}\"\ntitle = \"Find it\"\nkind = \"{kind}\"\nquestion = \"Where is it?\"\n{shared}\n```\n"
    )
}

fn page(blocks: &[String]) -> Harness<'static, Page> {
    let mut harness = page_of(lesson(blocks), egui::vec2(520.0, 1600.0), false);
    harness.run();
    harness
}

fn press(harness: &mut Harness<'static, Page>, key: egui::Key) {
    harness.key_press(key);
    harness.run();
}

fn type_in(harness: &mut Harness<'static, Page>, field: &str, text: &str) {
    harness.get_by_label(field).focus();
    harness.run();
    harness.get_by_label(field).type_text(text);
    harness.run();
}

fn facts() -> RunFacts {
    let next = [(" four", 0.6), (" five", 0.2)];
    RunFacts {
        prompt: "one two three".into(),
        tokens: ["one", " two", " three"].map(str::to_owned).into(),
        next: next.map(|(text, probability)| Candidate { text: text.into(), probability }).into(),
        ..RunFacts::default()
    }
}

fn with_model(facts: Option<RunFacts>) -> LiveTruth {
    LiveTruth { model: Some("test".into()), facts: facts.map(Arc::new), ..LiveTruth::default() }
}

/// The answers that were given, as kind of verdict.
fn verdicts(actions: &[LessonAction]) -> Vec<bool> {
    let verdict = |action: &LessonAction| match action {
        LessonAction::Answered { verdict, .. } | LessonAction::Solved { verdict, .. } => Some(verdict.correct),
        _ => None,
    };
    actions.iter().filter_map(verdict).collect()
}

#[test]
fn steps_are_put_in_order_by_keyboard() {
    let mut h = page(&[order()]);
    let steps = ["Scores", "Softmax", "Sum of the values"];
    let place = |h: &Harness<'static, Page>, step: &str| {
        h.get_by_label_contains(&format!("Question 1: move up: {step}")).rect().top()
    };
    let sorted = |h: &Harness<'static, Page>| steps.map(|s| place(h, s)).is_sorted();
    assert!(!sorted(&h), "the first order is never the right one");
    click(&mut h, "Check question 1");
    look(&mut h, "order_wrong.png");
    let actions = took(&mut h);
    assert_eq!(verdicts(&actions), [false]);
    assert!(
        h.query_by_label_contains("needs scores").is_some() || h.query_by_label_contains("how much of each").is_some()
    );
    click(&mut h, "Try again question 1");
    // The last step goes down until it is last, the first one up until it is first: whatever the order was.
    for (what, step) in [("down", "Sum of the values"), ("up", "Scores")] {
        for _ in 0..2 {
            let name = h.get_by_label_contains(&format!("move {what}: {step}")).accesskit_node().label().unwrap();
            if h.get_by_label(&name).accesskit_node().is_disabled() {
                break;
            }
            tab_to(&mut h, &name);
            press(&mut h, egui::Key::Space);
            assert!(focused(&h).contains(step), "the focus stays on the step: {}", focused(&h));
        }
    }
    assert!(sorted(&h));
    tab_to(&mut h, "Check question 1");
    press(&mut h, egui::Key::Enter);
    look(&mut h, "order_right.png");
    let actions = took(&mut h);
    assert!(
        matches!(&actions[..], [LessonAction::Answered { answer: Answer::Order(o), verdict, attempt: 1, .. }] if *o == [0, 1, 2] && verdict.correct)
    );
}

#[test]
fn pairs_are_chosen_by_letter() {
    let mut h = page(&[pairs()]);
    assert!(h.get_by_label("Check question 1").accesskit_node().is_disabled(), "every left side needs a partner");
    let choose = |h: &mut Harness<'static, Page>, left: &str, right: &str| {
        let all: Vec<String> = h
            .get_all_by_role(Role::Button)
            .filter_map(|node| node.accesskit_node().label())
            .filter(|name| name.starts_with(&format!("Question 1: {left}: ")) && name.ends_with(right))
            .collect();
        assert_eq!(all.len(), 1, "{left} has one button for {right}");
        tab_to(h, &all[0]);
        press(h, egui::Key::Space);
    };
    choose(&mut h, "q", "looked at");
    choose(&mut h, "k", "of some length");
    click(&mut h, "Check question 1");
    look(&mut h, "match_wrong.png");
    assert_eq!(verdicts(&took(&mut h)), [false]);
    assert!(h.query_by_label_contains("The key makes the column").is_some(), "where the chosen one belongs");
    assert!(h.query_by_label_contains("The query makes the row").is_none(), "the right partner is not given away");
    click(&mut h, "Try again question 1");
    choose(&mut h, "q", "that looks");
    choose(&mut h, "k", "looked at");
    click(&mut h, "Check question 1");
    look(&mut h, "match_right.png");
    let actions = took(&mut h);
    assert!(
        matches!(&actions[..], [LessonAction::Answered { answer: Answer::Pairs(p), .. }] if *p == [0, 1]),
        "{actions:?}"
    );
    assert_eq!(verdicts(&actions), [true]);
}

#[test]
fn a_word_is_typed_and_a_mistake_shows_its_counter_example() {
    let mut h = page(&[word()]);
    type_in(&mut h, "Question 1: your answer", "a Window");
    press(&mut h, egui::Key::Enter);
    look(&mut h, "text_wrong.png");
    assert_eq!(verdicts(&took(&mut h)), [false]);
    click(&mut h, "Show me, Question 1");
    let actions = took(&mut h);
    let [LessonAction::Show(show)] = &actions[..] else { panic!("{actions:?}") };
    assert_eq!(show.tweaks, [Tweak::Window { width: 3 }]);
    assert_eq!(show.select, Some(HeadRef { layer: 0, head: 1 }));
    click(&mut h, "Try again question 1");
    type_in(&mut h, "Question 1: your answer", "Causal");
    click(&mut h, "Check question 1");
    assert_eq!(verdicts(&took(&mut h)), [true]);
}

#[test]
fn a_wrong_option_shows_its_counter_example() {
    let mut h = page(&[single()]);
    click(&mut h, "Question 1: Left");
    click(&mut h, "Check question 1");
    look(&mut h, "single_wrong.png");
    took(&mut h);
    click(&mut h, "Show me, question 1: Left");
    let actions = took(&mut h);
    assert!(matches!(&actions[..], [LessonAction::Show(show)] if show.prompt.default.as_deref() == Some("one two")));
}

#[test]
fn the_open_model_settles_a_live_question() {
    let mut h = page(&[live()]);
    look(&mut h, "live.png");
    type_in(&mut h, "Question 1: your token", "five");
    click(&mut h, "Check question 1");
    assert_eq!(took(&mut h), [], "nothing is graded without a model");
    assert!(h.query_by_label_contains("Open a model").is_some());
    h.state_mut().live = with_model(None);
    h.run();
    click(&mut h, "Ask the model, question 1");
    assert_eq!(took(&mut h), [LessonAction::SetPrompt("one two three".into())], "the lab is asked to run the text");
    h.state_mut().live = with_model(Some(facts()));
    h.run();
    let actions = took(&mut h);
    assert_eq!(verdicts(&actions), [false]);
    assert!(h.query_by_label_contains("place 2 in its list").is_some());
    assert!(h.query_by_label_contains("four").is_none(), "the right token is not given away");
    click(&mut h, "Try again question 1");
    type_in(&mut h, "Question 1: your token", "four");
    click(&mut h, "Check question 1");
    look(&mut h, "live_right.png");
    let actions = took(&mut h);
    assert!(
        matches!(&actions[..], [LessonAction::Answered { answer: Answer::Word(w), .. }] if w == "four"),
        "{actions:?}"
    );
    assert_eq!(verdicts(&actions), [true]);
}

#[test]
fn a_number_changes_from_try_to_try() {
    let mut h = page(&[number()]);
    let answer = |h: &mut Harness<'static, Page>, typed: &str| {
        type_in(h, "Question 1: your number", typed);
        click(h, "Check question 1");
        took(h)
    };
    assert!(h.query_by_label_contains("two times two").is_some());
    let actions = answer(&mut h, "5");
    assert!(matches!(&actions[..], [LessonAction::Answered { variant: Some(0), .. }]), "{actions:?}");
    assert!(h.query_by_label_contains("two plus three").is_some());
    click(&mut h, "Try again question 1");
    assert!(h.query_by_label_contains("three times three").is_some());
    let actions = answer(&mut h, "9");
    assert!(matches!(&actions[..], [LessonAction::Answered { variant: Some(1), verdict, .. }] if verdict.correct));

    // In a later sitting the count goes on.
    let mut h = page(&[number()]);
    let lesson = h.state().lesson.clone();
    h.state_mut().state.begin_after(&lesson, |_| 3);
    h.run();
    assert!(h.query_by_label_contains("three times three").is_some());
}

#[test]
fn a_bar_is_placed_before_the_model_draws_its_own() {
    let mut h = page(&[bar()]);
    h.state_mut().live = with_model(None);
    h.get_by_label("Prediction 1: your bar, in percent").set_value_accesskit(55.0);
    h.run();
    look(&mut h, "bar.png");
    click(&mut h, "Commit and ask the model, prediction 1");
    assert_eq!(took(&mut h), [LessonAction::SetPrompt("one two three".into())]);
    h.state_mut().live = with_model(Some(facts()));
    h.run();
    look(&mut h, "bar_settled.png");
    let actions = took(&mut h);
    let [LessonAction::Predicted { made: Commitment::Bar(bar), right: Some(true), confidence: 70, .. }] = actions[..]
    else {
        panic!("{actions:?}")
    };
    assert!((bar - 0.55).abs() < 1e-6);
    assert!(h.query_by_label_contains("you placed 55 %, it is 60 %").is_some());
}

fn measured(key: Key, tried: Option<(Vec<HeadRef>, String)>) -> Arc<Measured> {
    Arc::new(Measured { n_layers: 2, n_heads: 2, prompt: "river coin river".into(), key, tried })
}

#[test]
fn a_head_is_found_by_number_or_by_selection() {
    let mut h = page(&[task("sink")]);
    assert!(h.get_by_label("Draw and measure, task 1").accesskit_node().is_disabled(), "without a model");
    h.state_mut().live = with_model(None);
    h.run();
    look(&mut h, "task_begin.png");
    click(&mut h, "Draw and measure, task 1");
    let seed = attempt_seed("test", "sink", 0);
    assert_eq!(took(&mut h), [LessonAction::Measure { kind: TaskKind::Sink, seed, silenced: None }]);
    let key = Key::Heads(HeadMap { n_heads: 2, scores: vec![0.1, 0.2, 0.9, 0.3] });
    h.state_mut().live.measured.insert(seed, measured(key.clone(), None));
    h.run();
    click(&mut h, "Check task 1");
    look(&mut h, "task_wrong.png");
    let actions = took(&mut h);
    assert!(matches!(&actions[..], [LessonAction::Solved { attempt: Attempt::Head(_), seed: s, .. }] if *s == seed));
    assert_eq!(verdicts(&actions), [false]);
    click(&mut h, "Try again task 1");
    assert!(h.query_by_label("Check task 1").is_none(), "a new attempt is measured anew");
    let seed = attempt_seed("test", "sink", 1);
    h.state_mut().live.measured.insert(seed, measured(key, None));
    h.state_mut().live.selected = HeadRef { layer: 1, head: 0 };
    h.run();
    click(&mut h, "Take the selected head, task 1");
    click(&mut h, "Check task 1");
    look(&mut h, "task_right.png");
    assert_eq!(verdicts(&took(&mut h)), [true]);
    assert!(h.state().state.is_done("sink"));
}

#[test]
fn silenced_heads_are_handed_in_and_tried() {
    let mut h = page(&[task("flip")]);
    let seed = attempt_seed("test", "flip", 0);
    let head = HeadRef { layer: 1, head: 1 };
    let key = Key::Flip(FlipKey { top: " coin".into(), probability: 0.8, found: vec![head], then: " lamp".into() });
    h.state_mut().live = with_model(None);
    h.state_mut().live.measured.insert(seed, measured(key.clone(), None));
    h.run();
    assert!(h.get_by_label("Check task 1").accesskit_node().is_disabled(), "nothing is silenced yet");
    h.state_mut().live.active = vec![Tweak::AblateHeads { heads: vec![head], with: Ablation::Zero }];
    h.run();
    look(&mut h, "task_flip.png");
    click(&mut h, "Check task 1");
    assert_eq!(took(&mut h), [LessonAction::Measure { kind: TaskKind::Flip, seed, silenced: Some(vec![head]) }]);
    h.state_mut().live.measured.insert(seed, measured(key, Some((vec![head], " lamp".into()))));
    h.run();
    assert_eq!(verdicts(&took(&mut h)), [true]);
}

#[test]
fn a_temperature_is_set_and_a_withdrawn_task_says_why() {
    let mut h = page(&[task("row-entropy")]);
    let seed = attempt_seed("test", "row-entropy", 0);
    let mut row =
        RowKey { head: HeadRef { layer: 0, head: 1 }, token: " coin".into(), scores: vec![2.0, 0.0, 1.0], target: 0.0 };
    row.target = row.entropy(3.0);
    h.state_mut().live = with_model(None);
    h.state_mut().live.measured.insert(seed, measured(Key::Row(row), None));
    h.run();
    h.get_by_label("Task 1: temperature").set_value_accesskit(3.0);
    h.run();
    look(&mut h, "task_entropy.png");
    click(&mut h, "Check task 1");
    assert_eq!(verdicts(&took(&mut h)), [true]);

    let mut h = page(&[task("row-entropy")]);
    h.state_mut().live = with_model(None);
    h.state_mut().live.measured.insert(seed, measured(Key::Withdrawn("No row reacts.".into()), None));
    h.run();
    look(&mut h, "task_withdrawn.png");
    assert!(h.query_by_label_contains("No row reacts.").is_some());
    click(&mut h, "Try another text, task 1");
    assert!(h.query_by_label("Draw and measure, task 1").is_some());
    assert_eq!(took(&mut h), [], "a withdrawn task is not graded");
}

#[test]
fn every_card_has_names_of_its_own_in_both_themes() {
    let blocks =
        [single(), number(), order(), pairs(), word(), live(), bar(), task("sink"), task("flip"), task("row-entropy")];
    for dark in [false, true] {
        let mut h = page_of(lesson(&blocks), egui::vec2(520.0, 3600.0), dark);
        h.state_mut().live = with_model(Some(facts()));
        let head = HeadRef { layer: 0, head: 0 };
        let keys = [
            ("sink", Key::Heads(HeadMap { n_heads: 2, scores: vec![0.1, 0.2, 0.9, 0.3] })),
            ("flip", Key::Flip(FlipKey { top: " a".into(), probability: 0.8, found: vec![head], then: " b".into() })),
            ("row-entropy", Key::Row(RowKey { head, token: " a".into(), scores: vec![1.0, 0.0], target: 0.5 })),
        ];
        for (id, key) in keys {
            h.state_mut().live.measured.insert(attempt_seed("test", id, 0), measured(key, None));
        }
        h.run();
        look(&mut h, if dark { "cards_dark.png" } else { "cards_light.png" });
        let mut names = BTreeSet::new();
        for role in [Role::Button, Role::RadioButton, Role::CheckBox, Role::Slider, Role::TextInput, Role::SpinButton] {
            for node in h.query_all_by_role(role) {
                let name = node.accesskit_node().label().unwrap_or_default();
                assert!(!name.is_empty(), "a {role:?} has no name");
                assert!(names.insert(name.clone()), "two controls are called {name:?}");
            }
        }
        assert!(names.len() > 30, "{names:?}");
    }
}
