//! A lesson as a reading column.
//!
//! The page is prose, cards and scenes from top to bottom, at most 68 characters wide. It changes nothing itself: what a
//! student does comes back as [`LessonAction`]s, and what the live model says comes in as [`LiveTruth`].

use std::collections::BTreeMap;

use egui::{Button, RichText, ScrollArea, Ui, vec2};

use super::card::{self, Tone};
use super::markdown::{self, Typesetter};
use super::predict_view::{self, PredictState};
use super::quiz_view::{self, Place, QuizState};
use crate::lesson::{Answer, Block, Lesson, LessonError, LiveTruth, Scene, Verdict};
use crate::model::tweak::Tweak;

/// What a student did on the page.
#[derive(Debug, Clone, PartialEq)]
pub enum LessonAction {
    /// Wants the lab in this state, with no change switched on.
    SetScene(Scene),
    /// Wants this text run, for a prediction. The panels may stay as they are.
    SetPrompt(String),
    /// Switches a change on or off.
    Toggle(Tweak),
    /// Answered a question.
    Answered {
        /// The question's id.
        question: String,
        /// The answer.
        answer: Answer,
        /// How it was graded.
        verdict: Verdict,
        /// Which try it was, from 0.
        attempt: u32,
        /// How many hints were open.
        hints: usize,
    },
    /// A prediction was settled by the live run.
    Predicted {
        /// The prediction's id.
        predict: String,
        /// The chosen option.
        choice: usize,
        /// How sure the student was, in percent.
        confidence: u8,
        /// Whether the option was right; none where the run could not tell.
        right: Option<bool>,
    },
}

/// How far a student is on one page. One for each lesson.
#[derive(Default)]
pub struct LessonState {
    quizzes: BTreeMap<String, QuizState>,
    predictions: BTreeMap<String, PredictState>,
    /// The scene that was last asked for, by its number on the page.
    scene: Option<usize>,
    type_: Typesetter,
}

impl LessonState {
    /// Whether a question is solved, or a prediction settled.
    pub fn is_done(&self, item: &str) -> bool {
        self.quizzes.get(item).is_some_and(QuizState::is_solved)
            || self.predictions.get(item).is_some_and(PredictState::is_settled)
    }
}

/// Shows a lesson in the space that there is, scrolling.
pub fn show(ui: &mut Ui, lesson: &Lesson, state: &mut LessonState, live: &LiveTruth) -> Vec<LessonAction> {
    let mut actions = Vec::new();
    ScrollArea::vertical().id_salt(&lesson.meta.id).auto_shrink(false).show(ui, |ui| {
        column(ui, |ui| {
            header(ui, lesson, state);
            let mut seen = Seen::default();
            for block in &lesson.blocks {
                ui.add_space(if matches!(block, Block::Markdown(_)) { 20.0 } else { 22.0 });
                actions.extend(show_block(ui, lesson, block, state, live, &mut seen));
            }
            takeaway(ui, lesson, state);
        });
    });
    actions
}

/// Says what is wrong with a lesson that cannot be shown, in its place.
pub fn show_problem(ui: &mut Ui, problem: &LessonError) {
    column(ui, |ui| {
        card::card(ui, "This lesson cannot be shown", Tone::Wrong, |ui| {
            ui.label(RichText::new(&problem.sentence).strong());
            let place = match problem.line {
                Some(line) => format!("{}, line {line}", problem.file),
                None => problem.file.clone(),
            };
            ui.label(RichText::new(place).monospace().weak());
            ui.label("The other lessons are not affected.");
        });
    });
}

/// How many cards of each kind stand above.
#[derive(Default)]
struct Seen {
    predictions: usize,
    questions: usize,
    scenes: usize,
}

/// A centred column of comfortable width.
fn column(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    const MARGIN: f32 = 24.0;
    let available = ui.available_width();
    let width = (available - 2.0 * MARGIN).min(markdown::measure(ui)).max(120.0);
    ui.horizontal_top(|ui| {
        ui.add_space(((available - width) / 2.0).floor());
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing = vec2(8.0, 0.0);
            ui.add_space(MARGIN);
            contents(ui);
            ui.add_space(2.0 * MARGIN);
        });
    });
}

fn header(ui: &mut Ui, lesson: &Lesson, state: &mut LessonState) {
    let meta = &lesson.meta;
    let minutes = if meta.minutes == 1 { "minute" } else { "minutes" };
    let kicker = format!("Lesson {} · about {} {minutes}", meta.order, meta.minutes);
    ui.label(RichText::new(kicker).small().color(Tone::Accent.color(ui)));
    ui.add_space(6.0);
    state.type_.show(ui, &format!("# {}", meta.title));
    ui.add_space(8.0);
    let weak = ui.visuals().weak_text_color();
    state.type_.show_tinted(ui, &meta.summary, weak);
}

fn takeaway(ui: &mut Ui, lesson: &Lesson, state: &mut LessonState) {
    ui.add_space(28.0);
    card::card(ui, "To remember", Tone::Accent, |ui| {
        state.type_.show(ui, &lesson.meta.takeaway);
    });
}

fn show_block(
    ui: &mut Ui,
    lesson: &Lesson,
    block: &Block,
    state: &mut LessonState,
    live: &LiveTruth,
    seen: &mut Seen,
) -> Vec<LessonAction> {
    let LessonState { quizzes, predictions, type_, scene: shown_scene } = state;
    let id = lesson.meta.id.as_str();
    match block {
        Block::Markdown(text) => {
            type_.show(ui, text);
            Vec::new()
        }
        Block::Predict(predict) => {
            seen.predictions += 1;
            let place = Place { lesson: id, number: seen.predictions, of: lesson.predictions().count() };
            let state = predictions.entry(predict.id.clone()).or_default();
            predict_view::show(ui, type_, predict, state, live, place)
        }
        Block::Quiz(question) => {
            seen.questions += 1;
            let place = Place { lesson: id, number: seen.questions, of: lesson.questions().count() };
            quiz_view::show(ui, type_, question, quizzes.entry(question.id.clone()).or_default(), place)
        }
        Block::Lab(scene) => {
            seen.scenes += 1;
            show_scene(ui, scene, seen.scenes, shown_scene, live)
        }
    }
}

fn show_scene(
    ui: &mut Ui,
    scene: &Scene,
    number: usize,
    shown: &mut Option<usize>,
    live: &LiveTruth,
) -> Vec<LessonAction> {
    let mut actions = Vec::new();
    card::card(ui, "Scene for the lab", Tone::Accent, |ui| {
        ui.label(RichText::new(&scene.title).heading());
        let panels: Vec<_> = scene.panels.iter().map(|panel| panel.title()).collect();
        ui.label(RichText::new(panels.join(" · ")).weak());
        let button = card::primary(ui, true, "Show in the lab");
        if card::named(ui, button, format!("Show in the lab, scene {number}")).clicked() {
            *shown = Some(number);
            actions.push(LessonAction::SetScene(scene.clone()));
        }
        if scene.tweaks.is_empty() {
            return;
        }
        ui.add_space(4.0);
        ui.label(RichText::new("Changes to try").weak());
        ui.horizontal_wrapped(|ui| {
            for offer in &scene.tweaks {
                let on = live.active.contains(&offer.tweak);
                let button = ui.add(Button::selectable(on, &offer.label).frame_when_inactive(true));
                if card::named(ui, button, format!("{}, scene {number}", offer.label)).clicked() {
                    // A change is offered for its own scene: bring that up first.
                    if *shown != Some(number) {
                        *shown = Some(number);
                        actions.push(LessonAction::SetScene(scene.clone()));
                    }
                    actions.push(LessonAction::Toggle(offer.tweak.clone()));
                }
            }
        });
    });
    actions
}
