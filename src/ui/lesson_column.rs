//! The lesson beside the lab: which one is open, how far it is, and what its page asks of the lab.

use std::collections::HashMap;

use egui::{RichText, ScrollArea, Ui};

use super::lesson_truth::TruthReader;
use super::lesson_view::{self, LessonAction, LessonState};
use super::settings::Settings;
use super::theme::{self, palette};
use super::view::View;
use super::{graded, icon, widgets};
use crate::builtin;
use crate::lab::{Command, Standing};
use crate::lesson::{Library, PanelId, Scene};

/// The lessons and the student's place in them.
pub struct LessonColumn {
    library: Library,
    states: HashMap<String, LessonState>,
    truth: TruthReader,
    /// The token that a scene selects once its prompt has been run.
    wanted_token: Option<(String, usize)>,
}

impl Default for LessonColumn {
    fn default() -> Self {
        Self { library: Library::embedded(), states: HashMap::new(), truth: TruthReader::default(), wanted_token: None }
    }
}

impl LessonColumn {
    /// The lessons at hand.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// How many cards of a lesson are done, now or in an earlier sitting, and how many there are.
    pub fn progress(&self, id: &str, standing: Option<&Standing>) -> (usize, usize) {
        let Some(lesson) = self.library.lessons.iter().find(|l| l.meta.id == id) else { return (0, 0) };
        let state = self.states.get(id);
        let is_done = |item: &String| {
            state.is_some_and(|state| state.is_done(item))
                || standing.is_some_and(|s| s.done.contains(&(id.to_owned(), item.clone())))
        };
        let items: Vec<&String> =
            lesson.questions().map(|q| &q.id).chain(lesson.predictions().map(|p| &p.id)).collect();
        (items.iter().filter(|item| is_done(item)).count(), items.len())
    }

    /// Draws the open lesson; returns the panels that it wants in front, in reading order.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>, settings: &Settings) -> Vec<PanelId> {
        let open = settings.lesson.as_deref();
        if let Some((prompt, token)) = &self.wanted_token
            && !view.snapshot.stale
            && view.snapshot.prompt == *prompt
            && view.snapshot.clean.is_some()
        {
            view.send(Command::SelectToken(*token));
            self.wanted_token = None;
        }
        let Some(lesson) = self.library.lessons.iter().find(|l| Some(l.meta.id.as_str()) == open) else {
            your_model(ui, view);
            return Vec::new();
        };
        let live = self.truth.read(view.snapshot);
        let state = self.states.entry(lesson.meta.id.clone()).or_default();
        let mut panels = Vec::new();
        for action in lesson_view::show(ui, lesson, state, &live) {
            match action {
                LessonAction::SetScene(scene) => {
                    let model = live.model_id.as_deref();
                    set_scene(view, &scene, model);
                    let prompt = scene.prompt.of(model).unwrap_or(&view.snapshot.prompt);
                    self.wanted_token = scene.token.map(|token| (prompt.clone(), token));
                    panels.extend(scene.panels);
                }
                LessonAction::SetPrompt(prompt) => set_prompt(view, prompt),
                LessonAction::Toggle(tweak) => view.send(Command::ToggleTweak(tweak)),
                // What was answered is shown on the page itself, and kept.
                LessonAction::Answered { .. } | LessonAction::Predicted { .. } => {
                    let tweaks = &view.snapshot.tweaks;
                    if let Some(act) = graded::act(lesson, &action, live.model_id.as_deref(), tweaks) {
                        view.send(Command::Record(Box::new(act)));
                    }
                }
            }
        }
        panels
    }
}

/// A lesson speaks about the plain text: a chat template around it would make another prompt of it.
fn set_prompt(view: &mut View<'_>, prompt: String) {
    if view.snapshot.chat {
        view.send(Command::SetChat(false));
    }
    view.send(Command::SetPrompt(prompt));
}

/// Brings the lab into a scene's state, with no change switched on. `model` is the id of the open model.
fn set_scene(view: &mut View<'_>, scene: &Scene, model: Option<&str>) {
    view.send(Command::ClearTweaks);
    if let Some(prompt) = scene.prompt.of(model) {
        set_prompt(view, prompt.clone());
    }
    if let Some(prompt) = scene.compare_prompt.of(model) {
        view.send(Command::SetDonorPrompt(Some(prompt.clone())));
    }
    if let (Some(head), Some(model)) = (scene.select, &view.snapshot.model)
        && head.layer < model.config.n_layers
        && head.head < model.config.n_heads
    {
        view.send(Command::SelectHead(head));
    }
}

/// The page without a lesson: what is open, in short, or how to open something.
fn your_model(ui: &mut Ui, view: &mut View<'_>) {
    let p = palette(ui);
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        egui::Frame::new().inner_margin(egui::Margin::same(24)).show(ui, |ui| {
            ui.label(RichText::new("Your model").text_style(theme::title()));
            ui.add_space(4.0);
            let Some(model) = &view.snapshot.model else {
                if let Some(activity) = &view.snapshot.activity {
                    ui.label(RichText::new(format!("{}…", activity.label)).color(p.muted));
                    return;
                }
                ui.label("Open a language model and look inside while it computes.");
                ui.add_space(10.0);
                let built_in = builtin::default_model();
                let words = format!("Open “{}”", built_in.about().title);
                if widgets::primary_button(ui, icon::MODEL, &words).clicked() {
                    view.act(super::actions::Action::OpenBuiltIn(built_in.id));
                }
                widgets::note(ui, "It is built in, as are others in the model menu.");
                ui.add_space(10.0);
                if widgets::button(ui, icon::FILE, "Open a file").clicked() {
                    view.act(super::actions::Action::OpenFile);
                }
                ui.add_space(4.0);
                if widgets::button(ui, icon::FOLDER, "Open a folder").clicked() {
                    view.act(super::actions::Action::OpenFolder);
                }
                ui.add_space(10.0);
                widgets::note(ui, "A .gguf file, a .safetensors file beside its config.json, or the folder of a checkpoint. You can also drop it on the window.");
                return;
            };
            let c = &model.config;
            ui.label(RichText::new(&model.name).color(p.muted));
            if let Some(about) = &model.about {
                ui.add_space(8.0);
                ui.label(&about.description);
            }
            ui.add_space(12.0);
            egui::Grid::new("model facts").num_columns(2).spacing([20.0, 6.0]).show(ui, |ui| {
                let parameters = match c.moe {
                    Some(_) => {
                        let (all, active) = (widgets::count(c.n_params()), widgets::count(c.n_active_params()));
                        format!("{all}, of which a token uses {active}")
                    }
                    None => widgets::count(c.n_params()),
                };
                for (name, value) in [
                    ("Family", c.family.clone()),
                    ("Parameters", parameters),
                    ("Layers", c.n_layers.to_string()),
                    ("Heads per layer", format!("{} ({} for keys and values)", c.n_heads, c.n_kv_heads)),
                    ("Width of a head", c.d_head.to_string()),
                    ("Residual stream", c.d_model.to_string()),
                    ("Vocabulary", c.d_vocab.to_string()),
                    ("Context", format!("{} tokens", c.n_ctx)),
                    ("Weights in memory", widgets::bytes(model.memory.weights)),
                    ("Computes on", format!("{}, {}", model.device.name, model.device.arithmetic)),
                ] {
                    ui.label(RichText::new(name).color(p.muted));
                    ui.add(egui::Label::new(value).wrap());
                    ui.end_row();
                }
            });
            ui.add_space(12.0);
            if widgets::button(ui, icon::REPORT, "Show the load report").clicked() {
                view.act(super::actions::Action::ShowReport);
            }
            if model.about.is_some() {
                ui.add_space(4.0);
                widgets::note(ui, "It says how the model was made, and how well it reads.");
            }
        });
    });
}
