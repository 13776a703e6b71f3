//! The layout of the window.

use egui::{CentralPanel, Frame, Margin, Panel, Stroke, Ui};
use egui_tiles::Tree;

use super::actions::{self, Action};
use super::command_palette::CommandPalette;
use super::lesson_column::LessonColumn;
use super::opener::Opener;
use super::panels::Panels;
use super::prompt_bar::PromptBar;
use super::settings::Settings;
use super::theme::palette;
use super::view::View;
use super::{load_report, notice, rail, tiles, top_bar};
use crate::lab::{Command, ModelSource, Snapshot};
use crate::lesson::PanelId;
use crate::model::tweak::{Ablation, HeadRef, Tweak};

/// Tokens that "Generate" draws at most.
pub const GENERATE: usize = 64;

/// Everything that the window keeps between frames.
pub struct Shell {
    /// What is remembered between sessions.
    pub settings: Settings,
    /// How files are opened.
    pub opener: Opener,
    tree: Tree<PanelId>,
    panels: Panels,
    prompt: PromptBar,
    lessons: LessonColumn,
    palette: CommandPalette,
    report_open: bool,
    shortcuts_open: bool,
}

impl Shell {
    /// A shell with what was remembered.
    pub fn new(settings: Settings) -> Self {
        let tree = settings.layout.clone().unwrap_or_else(tiles::default_layout);
        Self {
            settings,
            opener: Opener::default(),
            tree,
            panels: Panels::default(),
            prompt: PromptBar::default(),
            lessons: LessonColumn::default(),
            palette: CommandPalette::default(),
            report_open: false,
            shortcuts_open: false,
        }
    }

    /// What is to be remembered.
    pub fn settings_to_save(&self, snapshot: &Snapshot) -> Settings {
        Settings {
            layout: Some(self.tree.clone()),
            recent: snapshot.recent.clone(),
            model: snapshot.last.clone(),
            device: snapshot.device_choice.clone(),
            exact: snapshot.exact,
            ..self.settings.clone()
        }
    }

    /// Whether a picture is still being made.
    pub fn is_pending(&self) -> bool {
        self.panels.is_pending() || self.opener.is_waiting()
    }

    /// Brings a panel to the front.
    pub fn show_panel(&mut self, panel: PanelId) {
        tiles::reveal(&mut self.tree, panel);
    }

    /// Draws the window; returns what the student asked for.
    pub fn show(&mut self, ui: &mut Ui, snapshot: &Snapshot) -> Vec<Command> {
        let mut view = View::new(snapshot);
        view.actions = actions::pressed(ui.ctx());
        let p = palette(ui);
        let bar = |margin: Margin| Frame::new().fill(p.surface).inner_margin(margin);

        Panel::top("top bar")
            .frame(bar(Margin::symmetric(14, 8)))
            .show_separator_line(true)
            .resizable(false)
            .show(ui, |ui| top_bar::show(ui, &mut view, &self.settings));
        Panel::bottom("prompt bar")
            .frame(bar(Margin::symmetric(14, 10)))
            .resizable(false)
            .show(ui, |ui| self.prompt.show(ui, &mut view));
        if self.settings.rail_open {
            Panel::left("lessons")
                .frame(bar(Margin::symmetric(10, 12)).stroke(Stroke::NONE))
                .exact_size(188.0)
                .resizable(false)
                .show(ui, |ui| rail::show(ui, &self.lessons, &mut self.settings, snapshot.standing.as_deref()));
        }
        if !self.settings.lesson_hidden {
            let most = ui.available_width() * 0.5;
            let panels = Panel::left("lesson")
                .frame(bar(Margin::ZERO))
                .default_size((ui.available_width() * 0.34).clamp(300.0, 620.0))
                .size_range(280.0..=most.max(281.0))
                .show(ui, |ui| {
                    ui.set_min_width(ui.available_width());
                    self.lessons.show(ui, &mut view, &self.settings)
                });
            // The first panel of a scene is brought to the front last, so that it wins.
            panels.inner.into_iter().rev().for_each(|panel| tiles::reveal(&mut self.tree, panel));
        }
        CentralPanel::default().frame(Frame::new().fill(p.canvas).inner_margin(Margin::same(10))).show(ui, |ui| {
            notice::show_sticky(ui, &mut view);
            tiles::show(ui, &mut self.tree, &mut self.panels, &mut view, &mut self.settings);
        });

        notice::show_toasts(ui, &mut view);
        load_report::show(ui, &view, &mut self.report_open);
        self.opener.show(ui, &mut view);
        self.palette.show(ui, &mut view);
        command_help(ui, &mut self.shortcuts_open);
        for action in std::mem::take(&mut view.actions) {
            self.perform(ui, action, &mut view);
        }
        view.commands
    }

    fn perform(&mut self, ui: &Ui, action: Action, view: &mut View<'_>) {
        let s = view.snapshot;
        match action {
            Action::OpenFile => self.opener.open_file(ui.ctx()),
            Action::OpenFolder => self.opener.open_folder(ui.ctx()),
            Action::OpenBuiltIn(id) => view.send(Command::OpenModel(ModelSource::BuiltIn(id.to_owned()))),
            Action::CloseModel => view.send(Command::CloseModel),
            Action::ShowReport => self.report_open = !self.report_open,
            Action::Palette => self.palette.toggle(),
            Action::ToggleTheme => {
                let theme = if ui.visuals().dark_mode { egui::Theme::Light } else { egui::Theme::Dark };
                self.settings.theme = Some(theme);
                ui.ctx().set_theme(theme);
            }
            Action::ToggleRail => self.settings.rail_open = !self.settings.rail_open,
            Action::ToggleLesson => self.settings.lesson_hidden = !self.settings.lesson_hidden,
            Action::ResetLayout => self.tree = tiles::default_layout(),
            Action::FocusPrompt => self.prompt.focus(ui.ctx()),
            Action::Step => view.send(Command::Step),
            Action::Generate => view.send(Command::Generate(GENERATE)),
            Action::Stop => view.send(Command::Cancel),
            Action::ClearGenerated => view.send(Command::ClearGenerated),
            Action::AblateSelected => toggle_ablation(view, s.selection.head, Ablation::Zero),
            Action::ResetTweaks => view.send(Command::ClearTweaks),
            Action::NextHead => select_head(view, 0, 1),
            Action::PreviousHead => select_head(view, 0, -1),
            Action::NextLayer => select_head(view, 1, 0),
            Action::PreviousLayer => select_head(view, -1, 0),
            Action::NextToken => select_token(view, 1),
            Action::PreviousToken => select_token(view, -1),
            Action::ToggleChat => view.send(Command::SetChat(!s.chat)),
            Action::ToggleCache => view.send(Command::SetUseCache(!s.use_cache)),
            Action::ToggleExact => view.send(Command::SetExact(!s.exact)),
            Action::Shortcuts => self.shortcuts_open = !self.shortcuts_open,
        }
    }
}

/// Moves the selection by layers and heads, within the model.
pub fn select_head(view: &mut View<'_>, layers: isize, heads: isize) {
    let Some(model) = &view.snapshot.model else { return };
    let HeadRef { layer, head } = view.snapshot.selection.head;
    let layer = layer.saturating_add_signed(layers).min(model.config.n_layers.saturating_sub(1));
    let head = head.saturating_add_signed(heads).min(model.config.n_heads.saturating_sub(1));
    if (HeadRef { layer, head }) != view.snapshot.selection.head {
        view.send(Command::SelectHead(HeadRef { layer, head }));
    }
}

fn select_token(view: &mut View<'_>, by: isize) {
    let last = view.snapshot.chips.len().saturating_sub(1);
    let token = view.snapshot.selection.token.saturating_add_signed(by).min(last);
    view.send(Command::SelectToken(token));
}

/// How a head is silenced, if it is.
pub fn ablation_of(tweaks: &[Tweak], head: HeadRef) -> Option<Ablation> {
    tweaks.iter().find_map(|tweak| match tweak {
        Tweak::AblateHeads { heads, with } if heads.contains(&head) => Some(*with),
        _ => None,
    })
}

/// Silences a head in a way, or lets it speak again if it is silenced in that way.
pub fn toggle_ablation(view: &mut View<'_>, head: HeadRef, with: Ablation) {
    let was = ablation_of(&view.snapshot.tweaks, head);
    let mut tweaks = view.snapshot.tweaks.clone();
    for tweak in &mut tweaks {
        if let Tweak::AblateHeads { heads, .. } = tweak {
            heads.retain(|h| *h != head);
        }
    }
    if was != Some(with) {
        let same_kind = tweaks.iter_mut().find_map(|tweak| match tweak {
            Tweak::AblateHeads { heads, with: w } if *w == with => Some(heads),
            _ => None,
        });
        match same_kind {
            Some(heads) => heads.push(head),
            None => tweaks.push(Tweak::AblateHeads { heads: vec![head], with }),
        }
    }
    tweaks.retain(|t| !matches!(t, Tweak::AblateHeads { heads, .. } if heads.is_empty()));
    view.send(Command::SetTweaks(tweaks));
}

fn command_help(ui: &mut Ui, open: &mut bool) {
    let p = palette(ui);
    egui::Window::new("Keyboard shortcuts").open(open).collapsible(false).resizable(false).show(ui.ctx(), |ui| {
        egui::Grid::new("shortcuts").num_columns(2).spacing([32.0, 6.0]).show(ui, |ui| {
            for entry in actions::TABLE {
                if let Some(keys) = &entry.keys {
                    ui.label(entry.name);
                    ui.label(egui::RichText::new(ui.ctx().format_shortcut(keys)).monospace().color(p.muted));
                    ui.end_row();
                }
            }
        });
    });
}
