//! The lesson beside the lab: which one is open, how far it is, and what its page asks of the lab.

use std::collections::HashMap;
use std::path::Path;

use egui::{RichText, ScrollArea, Ui};

use super::lesson_folder::LessonFolder;
use super::lesson_truth::TruthReader;
use super::lesson_view::{self, LessonAction, LessonState};
use super::settings::Settings;
use super::theme::{self, palette};
use super::view::View;
use super::{graded, icon, memo, widgets};
use crate::builtin;
use crate::lab::{Command, Standing, TaskJob};
use crate::lesson::{Concepts, LessonError, Library, PanelId, Scene};
use crate::model::tweak::HeadRef;

/// Where the name of a page begins that says what is wrong with a file. No lesson's id has a space.
const PROBLEM_PAGE: &str = "problems of ";

/// The name of the page that says what is wrong with a file.
pub fn problem_page(file: &str) -> String {
    format!("{PROBLEM_PAGE}{file}")
}

/// The lessons and the student's place in them.
pub struct LessonColumn {
    library: Library,
    concepts: Concepts,
    /// The teacher's folder that the library comes from; none for the lessons of the program.
    folder: Option<LessonFolder>,
    /// Lessons that could be shown before their files were changed, by id.
    broken: HashMap<String, String>,
    states: HashMap<String, LessonState>,
    truth: TruthReader,
    /// The token that a scene selects once its prompt has been run.
    wanted_token: Option<(String, usize)>,
    /// The account whose answers are on the pages.
    whose: Option<String>,
}

impl Default for LessonColumn {
    fn default() -> Self {
        Self {
            library: Library::embedded(),
            concepts: Concepts::embedded(),
            folder: None,
            broken: HashMap::new(),
            states: HashMap::new(),
            truth: TruthReader::default(),
            wanted_token: None,
            whose: None,
        }
    }
}

impl LessonColumn {
    /// The lessons at hand.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// What concepts are called.
    pub fn concepts(&self) -> &Concepts {
        &self.concepts
    }

    /// Shows the lessons of a folder, and follows its changes; without one those of the program.
    pub fn follow_folder(&mut self, ctx: &egui::Context, folder: Option<&Path>) {
        if self.folder.as_ref().map(LessonFolder::path) != folder {
            self.folder = folder.map(|path| LessonFolder::new(path.to_owned()));
            self.broken.clear();
            self.library = if folder.is_some() { Library::default() } else { Library::embedded() };
        }
        let Some(library) = self.folder.as_mut().and_then(|folder| folder.poll(ctx)) else { return };
        for lesson in &self.library.lessons {
            self.broken.insert(lesson.meta.id.clone(), lesson.file.clone());
        }
        self.library = library;
    }

    /// Whether a folder is being read for the first time.
    pub fn is_pending(&self) -> bool {
        self.folder.as_ref().is_some_and(LessonFolder::is_pending)
    }

    /// What is wrong with the file that is open, if it cannot be shown.
    fn problems(&self, open: Option<&str>) -> Vec<&LessonError> {
        let Some(open) = open else { return Vec::new() };
        let file = open.strip_prefix(PROBLEM_PAGE).or_else(|| self.broken.get(open).map(String::as_str));
        self.library.problems.iter().filter(|problem| Some(problem.file.as_str()) == file).collect()
    }

    /// How many cards of a lesson are done, now or in an earlier sitting, and how many there are.
    pub fn progress(&self, id: &str, standing: Option<&Standing>) -> (usize, usize) {
        let Some(lesson) = self.library.lessons.iter().find(|l| l.meta.id == id) else { return (0, 0) };
        let state = self.states.get(id);
        let is_done = |item: &str| {
            state.is_some_and(|state| state.is_done(item))
                || standing.is_some_and(|s| s.done.contains(&(id.to_owned(), item.to_owned())))
        };
        (lesson.items().filter(|item| is_done(item)).count(), lesson.items().count())
    }

    /// Shows what was answered in earlier sittings, and nothing of another profile.
    fn restore(&mut self, standing: &Standing) {
        let account = &standing.profile.account;
        if self.whose.as_ref() == Some(account) {
            return;
        }
        if self.whose.replace(account.clone()).is_some() {
            self.states.clear();
        }
        for lesson in &self.library.lessons {
            memo::restore(lesson, self.states.entry(lesson.meta.id.clone()).or_default(), standing);
        }
    }

    /// Takes in who learns. To be called in each frame, whatever is on screen.
    pub fn follow(&mut self, standing: Option<&Standing>) {
        if let Some(standing) = standing {
            self.restore(standing);
        }
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
            let problems = self.problems(open);
            if problems.is_empty() {
                your_model(ui, view);
            } else {
                lesson_view::show_problems(ui, &problems);
            }
            return Vec::new();
        };
        let live = self.truth.read(view.snapshot);
        let state = self.states.entry(lesson.meta.id.clone()).or_default();
        if let Some(standing) = &view.snapshot.standing {
            let id = &lesson.meta.id;
            let tries =
                |item: &str| standing.answers.get(&(id.clone(), item.to_owned())).map_or(0, |(_, tries)| *tries);
            state.begin_after(lesson, tries);
        }
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
                LessonAction::Show(show) => {
                    if let Some(prompt) = show.prompt.of(live.model_id.as_deref()) {
                        set_prompt(view, prompt.clone());
                    }
                    view.send(Command::SetTweaks(show.tweaks));
                    select(view, show.select);
                    panels.extend([PanelId::AttentionHead, PanelId::NextToken]);
                }
                LessonAction::Select(head) => {
                    select(view, Some(head));
                    panels.push(PanelId::AttentionHead);
                }
                LessonAction::Measure { kind, seed, silenced } => {
                    view.send(Command::Measure(TaskJob { kind, seed, silenced }));
                }
                // What was answered is shown on the page itself, and kept.
                LessonAction::Answered { .. } | LessonAction::Predicted { .. } | LessonAction::Solved { .. } => {
                    let tweaks = &view.snapshot.tweaks;
                    if let Some(mut act) = graded::act(lesson, &action, live.model_id.as_deref(), tweaks) {
                        act.given = memo::of_item(lesson, &act.item, state);
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
    select(view, scene.select);
}

/// Looks at a head, where the open model has it.
fn select(view: &mut View<'_>, head: Option<HeadRef>) {
    if let (Some(head), Some(model)) = (head, &view.snapshot.model)
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
