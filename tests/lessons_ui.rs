//! The reading column, driven through its real widgets by accessible name, without a display.

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use glassbox::lesson::{Answer, Candidate, Lesson, LessonError, Library, LiveTruth, QuestionKind, RunFacts};
use glassbox::ui::lesson_view::{self, LessonAction, LessonState};
use glassbox::ui::theme;

struct Page {
    lesson: Lesson,
    state: LessonState,
    live: LiveTruth,
    actions: Vec<LessonAction>,
    problem: Option<LessonError>,
}

impl eframe::App for Page {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        // The pane that the window shows lessons in.
        let pane = egui::Frame::new().fill(theme::palette(ui).surface);
        egui::CentralPanel::default().frame(pane).show(ui, |ui| {
            let actions = match &self.problem {
                Some(problem) => {
                    lesson_view::show_problem(ui, problem);
                    Vec::new()
                }
                None => lesson_view::show(ui, &self.lesson, &mut self.state, &self.live),
            };
            self.actions.extend(actions);
        });
    }
}

fn page_of(lesson: Lesson, size: egui::Vec2, dark: bool) -> Harness<'static, Page> {
    let state = LessonState::default();
    let page = Page { lesson, state, live: LiveTruth::default(), actions: Vec::new(), problem: None };
    let theme = if dark { egui::Theme::Dark } else { egui::Theme::Light };
    Harness::builder().with_size(size).with_theme(theme).wgpu().build_eframe(|cc| {
        theme::install(&cc.egui_ctx);
        page
    })
}

fn page(size: egui::Vec2, dark: bool) -> Harness<'static, Page> {
    page_of(Library::embedded().lessons.swap_remove(0), size, dark)
}

/// A column tall enough that nothing has to be scrolled to.
fn tall() -> Harness<'static, Page> {
    page(egui::vec2(520.0, 24_000.0), false)
}

/// Writes what is on screen to the folder that the environment variable GLASSBOX_LOOK names, for a look at it.
fn look(harness: &mut Harness<'static, Page>, name: &str) {
    if let Some(folder) = std::env::var_os("GLASSBOX_LOOK") {
        harness.render().unwrap().save(std::path::Path::new(&folder).join(name)).unwrap();
    }
}

fn click(harness: &mut Harness<'static, Page>, label: &str) {
    harness.get_by_label(label).click();
    harness.run();
}

fn took(harness: &mut Harness<'static, Page>) -> Vec<LessonAction> {
    std::mem::take(&mut harness.state_mut().actions)
}

fn facts(prompt: &str) -> RunFacts {
    let next = [(" Mary", 0.92), (" the", 0.02)];
    RunFacts {
        prompt: prompt.into(),
        tokens: "When Mary and John went".split(' ').map(str::to_owned).collect(),
        next: next.map(|(text, probability)| Candidate { text: text.into(), probability }).into(),
        last_row: vec![0.5, 0.1, 0.1, 0.1, 0.2],
    }
}

#[test]
fn every_lesson_renders_in_both_themes() {
    for lesson in Library::embedded().lessons {
        for dark in [false, true] {
            let (id, title) = (lesson.meta.id.clone(), lesson.meta.title.clone());
            let mut harness = page_of(lesson.clone(), egui::vec2(520.0, 8000.0), dark);
            harness.run();
            look(&mut harness, &format!("{id}_{}.png", if dark { "dark" } else { "light" }));
            let formulas = harness.get_all_by_role(Role::Image).count();
            assert!(formulas >= 2, "{id}: display formulas are typeset: {formulas}");
            assert!(harness.query_by_role_and_label(Role::Heading, &title).is_some(), "{id} has its heading");
        }
    }
}

#[test]
fn a_choice_is_wrong_with_its_reason_then_right() {
    let mut harness = tall();
    harness.run();
    assert!(harness.get_by_label("Check question 1").accesskit_node().is_disabled(), "nothing is chosen yet");
    click(&mut harness, "Question 1: Speed: the text is split, and each head reads a part of it.");
    click(&mut harness, "Check question 1");
    look(&mut harness, "wrong.png");
    let reason = "Every head reads the whole visible text.";
    assert!(harness.query_by_label_contains(reason).is_some(), "the reason of the wrong option stands there");
    assert!(harness.query_by_label_contains("Separate queries and keys").is_none(), "the key is not given away");
    let answers = took(&mut harness);
    let [LessonAction::Answered { question, verdict, attempt: 0, hints: 0, .. }] = answers.as_slice() else {
        panic!("one answer: {answers:?}")
    };
    assert_eq!(question, "many-heads");
    assert!(!verdict.correct);

    click(&mut harness, "Try again question 1");
    click(&mut harness, "Hint 1 of 3, question 1");
    assert!(harness.query_by_label_contains("How many patterns does one head make").is_some());
    assert!(harness.query_by_label_contains("whatever one purpose takes").is_none(), "hints come one by one");
    let right = "Question 1: Several patterns at once: each head can follow another relation between tokens.";
    click(&mut harness, right);
    click(&mut harness, "Check question 1");
    look(&mut harness, "right.png");
    let answers = took(&mut harness);
    let [LessonAction::Answered { verdict, attempt: 1, hints: 1, .. }] = answers.as_slice() else {
        panic!("one answer: {answers:?}")
    };
    assert!(verdict.correct);
    assert!(harness.query_by_label("Check question 1").is_none(), "a solved question is closed");
    assert!(harness.state().state.is_done("many-heads"));
}

#[test]
fn several_options_and_a_number_are_answered() {
    let mut harness = tall();
    harness.run();
    click(&mut harness, "Question 2: Each row sums to 1.");
    click(&mut harness, "Check question 2");
    assert!(harness.query_by_label_contains("Something that holds is not chosen").is_some());
    assert!(harness.query_by_label_contains("looks at later tokens").is_none(), "what was left out is not given away");
    assert_eq!(took(&mut harness).len(), 1);
    click(&mut harness, "Try again question 2");
    click(&mut harness, "Question 2: Each row sums to 1.");
    click(&mut harness, "Question 2: Each column sums to 1.");
    click(&mut harness, "Question 2: Each column sums to 1.");
    click(&mut harness, "Question 2: Everything above the diagonal is 0.");
    click(&mut harness, "Check question 2");
    let actions = took(&mut harness);
    assert!(matches!(&actions[..], [LessonAction::Answered { verdict, .. }] if verdict.correct), "{actions:?}");

    let field = harness.get_by_label("Question 3: your number");
    field.focus();
    harness.run();
    harness.get_by_label("Question 3: your number").type_text("64");
    harness.run();
    harness.key_press(egui::Key::Enter);
    harness.run();
    let actions = took(&mut harness);
    let [LessonAction::Answered { answer: Answer::Number(64.0), verdict, .. }] = &actions[..] else {
        panic!("Enter checks the number: {actions:?}")
    };
    assert!(!verdict.correct && verdict.reasons[0].text.contains("itself"), "the known mistake is named");
}

#[test]
fn a_prediction_is_committed_before_the_run_and_settled_by_it() {
    let mut harness = tall();
    harness.run();
    assert!(harness.get_by_label("Commit and ask the model, prediction 1").accesskit_node().is_disabled());
    click(&mut harness, "Prediction 1: John");
    let slider = harness.get_by_label("Prediction 1: how sure, in percent");
    slider.set_value_accesskit(90.0);
    harness.run();
    click(&mut harness, "Commit and ask the model, prediction 1");
    let prompt = harness.state().lesson.predictions().next().unwrap().prompt.clone();
    assert_eq!(took(&mut harness), [LessonAction::SetPrompt(prompt.clone())]);
    assert!(harness.query_by_label_contains("Open a model").is_some(), "without a model it says what to do");

    harness.state_mut().live = LiveTruth { model: Some("test".into()), running: true, ..LiveTruth::default() };
    harness.run();
    assert!(harness.query_by_label_contains("reading the text").is_some());
    harness.state_mut().live.facts = Some(facts("Another text").into());
    harness.state_mut().live.running = false;
    harness.run();
    assert_eq!(took(&mut harness), [], "a run of another text settles nothing");
    click(&mut harness, "Ask the model, prediction 1");
    assert_eq!(took(&mut harness), [LessonAction::SetPrompt(prompt.clone())]);

    harness.state_mut().live.facts = Some(facts(&prompt).into());
    harness.run();
    look(&mut harness, "settled.png");
    let expected =
        LessonAction::Predicted { predict: "who-gets-the-drink".into(), choice: 1, confidence: 90, right: Some(false) };
    assert_eq!(took(&mut harness), [expected], "reported once");
    assert!(harness.query_by_label_contains("puts 92 % on “Mary”").is_some(), "the finding names the live numbers");
    harness.state_mut().live.facts = None;
    harness.run();
    assert!(harness.query_by_label_contains("puts 92 %").is_some(), "the truth stays");
}

#[test]
fn a_scene_and_its_changes_reach_the_lab() {
    let mut harness = tall();
    harness.run();
    click(&mut harness, "Show in the lab, scene 3");
    click(&mut harness, "See only 3 tokens, scene 3");
    let scene = harness.state().lesson.scenes().nth(2).unwrap().clone();
    let tweak = scene.tweaks.iter().find(|t| t.label == "See only 3 tokens").unwrap().tweak.clone();
    assert_eq!(took(&mut harness), [LessonAction::SetScene(scene.clone()), LessonAction::Toggle(tweak.clone())]);

    harness.state_mut().live.active = vec![tweak];
    harness.run();
    let button = harness.get_by_label("See only 3 tokens, scene 3");
    assert_eq!(button.accesskit_node().toggled(), Some(egui::accesskit::Toggled::True), "the button shows its state");
}

fn focused(harness: &Harness<'static, Page>) -> String {
    let node = harness.query_all_by(|node| node.is_focused()).next();
    node.map(|n| n.accesskit_node().label().or(n.accesskit_node().value()).unwrap_or_default()).unwrap_or_default()
}

/// Presses Tab until a widget has the focus; how often that took.
fn tab_to(harness: &mut Harness<'static, Page>, label: &str) -> usize {
    for presses in 0..100 {
        if focused(harness) == label {
            return presses;
        }
        harness.key_press(egui::Key::Tab);
        harness.run();
    }
    panic!("Tab does not reach {label:?}");
}

#[test]
fn the_keyboard_alone_answers_a_question() {
    let mut harness = tall();
    harness.run();
    let press = |harness: &mut Harness<'static, Page>, key| {
        harness.key_press(key);
        harness.run();
    };
    tab_to(&mut harness, "Question 1: Speed: the text is split, and each head reads a part of it.");
    press(&mut harness, egui::Key::Space);
    tab_to(&mut harness, "Check question 1");
    press(&mut harness, egui::Key::Enter);
    assert_eq!(focused(&harness), "Question 1: Not yet.", "the focus goes on to the verdict");
    assert_eq!(tab_to(&mut harness, "Try again question 1"), 1);
    press(&mut harness, egui::Key::Enter);
    assert!(focused(&harness).starts_with("Question 1: "), "then back to the first option: {}", focused(&harness));
    tab_to(&mut harness, "Hint 1 of 3, question 1");
    for next in ["Hint 2 of 3, question 1", "Hint 3 of 3, question 1"] {
        press(&mut harness, egui::Key::Enter);
        assert_eq!(focused(&harness), next);
    }
    tab_to(&mut harness, "Question 1: Several patterns at once: each head can follow another relation between tokens.");
    press(&mut harness, egui::Key::Space);
    tab_to(&mut harness, "Check question 1");
    press(&mut harness, egui::Key::Enter);
    assert_eq!(focused(&harness), "Question 1: Right.");
    assert!(harness.state().state.is_done("many-heads"));
}

#[test]
fn every_control_has_a_name_of_its_own() {
    let mut harness = tall();
    harness.run();
    let mut names = std::collections::BTreeSet::new();
    for role in [Role::Button, Role::RadioButton, Role::CheckBox, Role::Slider, Role::TextInput, Role::Link] {
        for node in harness.get_all_by_role(role) {
            let name = node.accesskit_node().label().unwrap_or_default();
            assert!(!name.is_empty(), "a {role:?} has no name");
            assert!(names.insert(name.clone()), "two controls are called {name:?}");
        }
    }
    let questions = &harness.state().lesson.questions().filter(|q| matches!(q.kind, QuestionKind::Single(_))).count();
    assert!(names.len() > 25 && *questions > 0, "{names:?}");
}

#[test]
fn a_bad_lesson_shows_its_problem_in_place() {
    let problem = glassbox::lesson::parse("mine.md", "+++\nid = 3\n+++\n").unwrap_err();
    let mut harness = page(egui::vec2(520.0, 400.0), false);
    harness.state_mut().problem = Some(problem);
    harness.run();
    look(&mut harness, "problem.png");
    assert!(harness.query_by_label_contains("mine.md, line 2").is_some());
}

#[test]
fn every_kind_of_block_renders_at_any_width() {
    let text = "+++\nid = \"t\"\ntitle = \"Every kind of block\"\norder = 1\nsummary = \"s\"\nminutes = 1\ntakeaway = \"t\"\n\
        core_question = \"c\"\nconcepts = [\"x\"]\n+++\n\nText with `code`, **bold**, *italic*, ***both***, a [link](https://example.org) and \
        $\\sum_{i=1}^{n} \\frac{x_i}{\\sqrt{2}}$ in the line.\n\n## Second level\n\n### Third level\n\n> A quote with $x^2$\n> over two lines.\n>\n\
        > - and a list\n> - in it\n\n1. one\n   - nested, with a line that is long enough to break in a narrow column\n   - again\n2. two\n\n\
        ```rust\nfn main() { println!(\"a line of code that is much too long for a narrow column to hold\"); }\n```\n\n\
        | name | what it does | formula |\n|---|---|---|\n| softmax | turns any row of scores into weights that sum to 1 | $e^{x_i} / \\sum_j e^{x_j}$ |\n\
        | ReLU | cuts off below zero | $\\max(0, x)$ |\n\n---\n\n<script>alert(\"hi\")</script>\n\nText <b>not bold</b>.\n\n\
        $$\\operatorname{Attention}(Q,K,V) = \\operatorname{softmax}\\left(\\frac{QK^\\top}{\\sqrt{d}} + M\\right)V \\cdot \\begin{pmatrix} a & b & c & d \\\\ e & f & g & h \\end{pmatrix} \\cdot \\int_0^\\infty e^{-x^2}\\,dx$$\n";
    let lesson = glassbox::lesson::parse("all.md", text).unwrap();
    for width in [240.0, 520.0, 1200.0] {
        let mut harness = page_of(lesson.clone(), egui::vec2(width, 1600.0), false);
        harness.run();
        look(&mut harness, &format!("all_{width}.png"));
        assert!(harness.query_by_label_contains("<script>alert").is_some(), "HTML is shown as text");
        // In a very narrow column, tables and long formulas are strips that scroll sideways.
        let texts = [Role::Label, Role::Heading, Role::Link].into_iter().filter(|_| width > 400.0);
        for node in texts.flat_map(|role| harness.query_all_by_role(role)) {
            let (right, said) = (node.rect().right(), node.accesskit_node().value());
            assert!(right <= width, "{said:?} reaches to {right} of {width}");
        }
    }
}
