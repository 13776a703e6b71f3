//! Tasks as cards: something to find in the open model.
//!
//! A task begins with a measurement that the student asks for: the lab draws texts for this attempt and measures the open
//! model on them. What was measured is the key; the card shows of it only what the task needs. Each further attempt draws
//! other texts. Where the model has no clear answer, the card says why and the task is withdrawn.

use egui::{DragValue, RichText, Slider, Ui};

use super::card::{self, Tone};
use super::lesson_view::LessonAction;
use super::markdown::Typesetter;
use super::quiz_view::Place;
use super::row_plot;
use crate::lesson::{
    Attempt, FlipKey, Key, LiveTruth, Measured, RowKey, Task, TaskKind, Verdict, attempt_seed, grade_task,
};
use crate::model::tweak::{HeadRef, Tweak};

/// How far a student is with one task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskState {
    /// Tries in earlier sittings.
    earlier: u32,
    attempt: u32,
    hints: usize,
    head: HeadRef,
    temperature: f64,
    /// Heads that were handed in and that the lab is to silence.
    handed: Option<Vec<HeadRef>>,
    verdict: Option<Verdict>,
    /// Whether the verdict takes the keyboard's focus.
    focus: bool,
}

impl Default for TaskState {
    fn default() -> Self {
        let head = HeadRef { layer: 0, head: 0 };
        Self { earlier: 0, attempt: 0, hints: 0, head, temperature: 1.0, handed: None, verdict: None, focus: false }
    }
}

impl TaskState {
    /// Whether it is solved.
    pub fn is_solved(&self) -> bool {
        self.verdict.as_ref().is_some_and(|v| v.correct)
    }

    /// Takes over how often it was tried in earlier sittings, as long as nothing was done in this one.
    pub fn begin_after(&mut self, earlier: u32) {
        if self.attempt == 0 && self.verdict.is_none() && self.handed.is_none() {
            self.earlier = earlier;
        }
    }

    fn seed(&self, lesson: &str, task: &str) -> u64 {
        attempt_seed(lesson, task, self.earlier.saturating_add(self.attempt))
    }

    fn again(&mut self) {
        *self = Self {
            earlier: self.earlier,
            attempt: self.attempt + 1,
            hints: self.hints,
            head: self.head,
            ..Self::default()
        };
    }
}

/// Shows a task.
pub fn show(
    ui: &mut Ui,
    type_: &mut Typesetter,
    task: &Task,
    state: &mut TaskState,
    live: &LiveTruth,
    place: Place<'_>,
) -> Vec<LessonAction> {
    let name = format!("Task {}", place.number);
    let of = name.to_lowercase();
    let seed = state.seed(place.lesson, &task.id);
    let measured = live.measured.get(&seed).cloned();
    let mut actions = Vec::new();
    card::card(ui, &format!("Task {} of {}", place.number, place.of), Tone::Accent, |ui| {
        ui.label(RichText::new(&task.title).heading());
        type_.show(ui, &task.question);
        ui.add_space(4.0);
        let Some(measured) = measured else {
            return actions.extend(begin(ui, task.kind, seed, live, &of));
        };
        if let Key::Withdrawn(why) = &measured.key {
            type_.plain(ui, &format!("The open model has no clear answer, so the task is withdrawn. {why}"));
            let another = ui.button("Try another text");
            if card::named(ui, another, format!("Try another text, {of}")).clicked() {
                state.again();
            }
            return;
        }
        let mut card = Card { ui, type_, task, state, live, seed, name: &name, of: &of, actions: &mut actions };
        card.body(&measured);
    });
    actions
}

/// Before anything was measured: the button that has it done.
fn begin(ui: &mut Ui, kind: TaskKind, seed: u64, live: &LiveTruth, of: &str) -> Option<LessonAction> {
    let words = match (&live.model, live.running) {
        (None, _) => "Open a model: the answer is measured in it.",
        (Some(_), true) => "The lab is at work …",
        (Some(_), false) => "The lab draws a new text for each attempt and measures the open model.",
    };
    ui.label(RichText::new(words).weak());
    let button = card::primary(ui, live.model.is_some() && !live.running, "Draw and measure");
    let button = card::named(ui, button, format!("Draw and measure, {of}"));
    button.clicked().then_some(LessonAction::Measure { kind, seed, silenced: None })
}

/// A task whose key is measured.
struct Card<'a> {
    ui: &'a mut Ui,
    type_: &'a mut Typesetter,
    task: &'a Task,
    state: &'a mut TaskState,
    live: &'a LiveTruth,
    seed: u64,
    name: &'a str,
    of: &'a str,
    actions: &'a mut Vec<LessonAction>,
}

impl Card<'_> {
    fn body(&mut self, measured: &Measured) {
        let open = self.state.verdict.is_none();
        self.text(measured);
        let attempt = match &measured.key {
            Key::Heads(_) => self.head(measured, open),
            Key::Flip(key) => self.flip(key),
            Key::Row(key) => self.row(key, open),
            Key::Withdrawn(_) => None,
        };
        self.settle(measured);
        self.outcome();
        if self.state.is_solved() {
            return;
        }
        for hint in self.task.hints.iter().take(self.state.hints) {
            card::aside(self.ui, self.type_, Tone::Plain, hint);
        }
        self.buttons(measured, attempt);
    }

    /// The text that was drawn, with a button that runs it in the lab.
    fn text(&mut self, measured: &Measured) {
        if measured.prompt.is_empty() {
            return;
        }
        card::quoted(self.ui, &measured.prompt);
        let shown = self.live.facts.as_ref().is_some_and(|facts| facts.prompt == measured.prompt);
        if !shown {
            let button = self.ui.button("Run it in the lab");
            if card::named(self.ui, button, format!("Run it in the lab, {}", self.of)).clicked() {
                self.actions.push(LessonAction::SetPrompt(measured.prompt.clone()));
            }
        }
    }

    fn head(&mut self, measured: &Measured, open: bool) -> Option<Attempt> {
        let (layers, heads) = (measured.n_layers.saturating_sub(1), measured.n_heads.saturating_sub(1));
        let head = &mut self.state.head;
        (head.layer, head.head) = (head.layer.min(layers), head.head.min(heads));
        self.ui.horizontal_wrapped(|ui| {
            ui.label("Layer");
            let layer = ui.add_enabled(open, DragValue::new(&mut head.layer).range(0..=layers).speed(0.1));
            card::named(ui, layer, format!("{}: layer", self.name));
            ui.label("head");
            let of_layer = ui.add_enabled(open, DragValue::new(&mut head.head).range(0..=heads).speed(0.1));
            card::named(ui, of_layer, format!("{}: head", self.name));
            let HeadRef { layer, head: number } = self.live.selected;
            let take = ui.add_enabled(open, egui::Button::new(format!("Take layer {layer}, head {number}")));
            let take = take.on_hover_text("The head that the lab shows now");
            if card::named(ui, take, format!("Take the selected head, {}", self.of)).clicked() {
                *head = self.live.selected;
            }
            let look = ui.button("Look at it");
            let look = card::named(ui, look, format!("Look at the head, {}", self.of));
            if look.clicked() {
                self.actions.push(LessonAction::Select(*head));
            }
        });
        Some(Attempt::Head(self.state.head))
    }

    fn flip(&mut self, key: &FlipKey) -> Option<Attempt> {
        let percent = key.probability * 100.0;
        let said = format!("The open model puts {percent:.0} % on “{}” after this text.", key.top.trim());
        self.type_.plain(self.ui, &said);
        let heads = silenced(&self.live.active);
        let list: Vec<String> = heads.iter().map(|h| format!("layer {}, head {}", h.layer, h.head)).collect();
        let words = match list.is_empty() {
            true => "Silence heads in the lab, then hand them in here.".to_owned(),
            false => format!("Silenced in the lab now: {}.", list.join("; ")),
        };
        self.type_.plain(self.ui, &words);
        (!heads.is_empty()).then(|| Attempt::Silenced(heads, String::new()))
    }

    fn row(&mut self, key: &RowKey, open: bool) -> Option<Attempt> {
        let HeadRef { layer, head } = key.head;
        let said = format!(
            "The row of the last token, “{}”, in layer {layer}, head {head}, over {} tokens. Wanted is an entropy of {:.3} nats.",
            key.token.trim(),
            key.scores.len(),
            key.target
        );
        self.type_.plain(self.ui, &said);
        row_plot::bars(self.ui, &key.weights(self.state.temperature), &format!("{}: the row now", self.name));
        self.ui.horizontal_wrapped(|ui| {
            ui.label("Temperature");
            let slider = Slider::new(&mut self.state.temperature, 0.1..=10.0).logarithmic(true).show_value(false);
            let slider = ui.add_enabled(open, slider);
            card::named(ui, slider, format!("{}: temperature", self.name));
            ui.label(format!("{:.2}", self.state.temperature));
        });
        Some(Attempt::Temperature(self.state.temperature))
    }

    /// Grades heads that were handed in, once the lab has silenced them.
    fn settle(&mut self, measured: &Measured) {
        let Some(heads) = &self.state.handed else { return };
        match &measured.tried {
            Some((tried, now)) if tried == heads => {
                let attempt = Attempt::Silenced(heads.clone(), now.clone());
                self.state.handed = None;
                self.keep(&measured.key, attempt);
            }
            _ if self.live.running => {
                self.ui.label(RichText::new("The model runs without these heads …").weak());
            }
            _ => {}
        }
    }

    fn keep(&mut self, key: &Key, attempt: Attempt) {
        let verdict = grade_task(key, &attempt);
        self.state.verdict = Some(verdict.clone());
        let (task, hints, seed) = (self.task.id.clone(), self.state.hints, self.seed);
        self.actions.push(LessonAction::Solved { task, attempt, verdict, hints, seed });
    }

    fn outcome(&mut self) {
        let Some(verdict) = self.state.verdict.clone() else { return };
        let (tone, words) = if verdict.correct { (Tone::Right, "Found.") } else { (Tone::Wrong, "Not yet.") };
        let line = card::verdict(self.ui, tone, self.name, words);
        if std::mem::take(&mut self.state.focus) {
            line.request_focus();
        }
        for reason in &verdict.reasons {
            card::aside(self.ui, self.type_, tone, &reason.text);
        }
        if verdict.correct {
            card::aside(self.ui, self.type_, Tone::Right, &self.task.explanation);
        }
    }

    fn buttons(&mut self, measured: &Measured, attempt: Option<Attempt>) {
        let mut handed = None;
        self.ui.horizontal(|ui| {
            if self.state.verdict.is_none() {
                let waits = self.state.handed.is_some() && self.live.running;
                let check = card::primary(ui, attempt.is_some() && !waits, "Check");
                let check = card::named(ui, check, format!("Check {}", self.of));
                if let Some(attempt) = attempt.filter(|_| check.clicked()) {
                    self.state.focus = check.has_focus();
                    match attempt {
                        Attempt::Silenced(heads, _) => {
                            self.state.handed = Some(heads.clone());
                            let (kind, seed) = (self.task.kind, self.seed);
                            self.actions.push(LessonAction::Measure { kind, seed, silenced: Some(heads) });
                        }
                        attempt => handed = Some(attempt),
                    }
                }
            } else {
                let again = card::primary(ui, true, "Try again");
                if card::named(ui, again, format!("Try again {}", self.of)).clicked() {
                    self.state.again();
                }
            }
            if let Some(hint) = card::hint(ui, self.state.hints, self.task.hints.len(), self.of)
                && hint.clicked()
            {
                self.state.hints += 1;
            }
        });
        if let Some(attempt) = handed {
            self.keep(&measured.key, attempt);
        }
    }
}

/// The heads that the changes silence, in order.
fn silenced(tweaks: &[Tweak]) -> Vec<HeadRef> {
    let mut heads: Vec<HeadRef> = tweaks
        .iter()
        .flat_map(|tweak| match tweak {
            Tweak::AblateHeads { heads, .. } => heads.as_slice(),
            _ => &[],
        })
        .copied()
        .collect();
    heads.sort_unstable();
    heads.dedup();
    heads
}
