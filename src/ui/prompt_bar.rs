//! The prompt bar: the text, its tokens, and how the next one is drawn.

mod candidates;
mod chips;

use egui::{Align, Context, DragValue, Id, Layout, RichText, ScrollArea, TextEdit, Ui, vec2};

use super::actions::{Action, entry};
use super::fonts::printable;
use super::theme::palette;
use super::view::View;
use super::{icon, shell, widgets};
use crate::lab::Command;
use crate::model::sampler::SamplerConfig;

/// Height of the prompt and of the generated text beside it.
const TEXT_HEIGHT: f32 = 50.0;

/// The bar's own state: the text while it is being typed.
#[derive(Debug, Default)]
pub struct PromptBar {
    text: String,
    /// The lab's prompt that `text` was last in step with.
    seen: Option<String>,
    chips: chips::Chips,
}

impl PromptBar {
    /// Moves the cursor into the prompt.
    pub fn focus(&self, ctx: &Context) {
        ctx.memory_mut(|memory| memory.request_focus(prompt_id()));
    }

    /// Draws the bar.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        ui.spacing_mut().item_spacing.y = 8.0;
        let width = ui.available_width();
        ui.horizontal_top(|ui| {
            let prompt_width = ((width - 10.0) * 0.5).floor();
            ui.allocate_ui_with_layout(vec2(prompt_width, TEXT_HEIGHT), Layout::right_to_left(Align::Center), |ui| {
                suggestions(ui, view);
                ui.with_layout(Layout::top_down(Align::Min), |ui| self.prompt(ui, view));
            });
            ui.allocate_ui_with_layout(ui.available_size(), Layout::top_down(Align::Min), |ui| output(ui, view));
        });
        self.chips.show(ui, view);
        knobs(ui, view);
    }

    fn prompt(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let shown = &view.snapshot.prompt;
        if self.seen.as_ref() != Some(shown) {
            self.text.clone_from(shown);
            self.seen = Some(shown.clone());
        }
        ScrollArea::vertical().id_salt("prompt").max_height(TEXT_HEIGHT).min_scrolled_height(20.0).show(ui, |ui| {
            let field = TextEdit::multiline(&mut self.text)
                .id(prompt_id())
                .desired_rows(2)
                .desired_width(f32::INFINITY)
                .margin(vec2(10.0, 6.0))
                .hint_text("Type a text. The model reads it at once and guesses how it goes on.");
            let response = ui.add(field).accessible_name("Prompt");
            if response.changed() {
                self.seen = Some(self.text.clone());
                view.send(Command::SetPrompt(self.text.clone()));
            }
        });
    }
}

/// A menu of prompts that the model suggests, if it suggests any.
fn suggestions(ui: &mut Ui, view: &mut View<'_>) {
    let Some(about) = view.snapshot.model.as_ref().and_then(|model| model.about.as_ref()) else { return };
    widgets::menu(ui, icon::IDEA, "Try", "Prompts to try", 480.0, |ui| {
        widgets::note(ui, "Prompts to try with this model");
        for prompt in about.suggestions() {
            let font = egui::TextStyle::Button.resolve(ui.style());
            let line = printable(ui.ctx(), &prompt.replace(['\n', '\t'], " "), &font).into_owned();
            let row = widgets::menu_row(ui, icon::EDIT, &line);
            if widgets::named(row, &format!("Try: {line}")).clicked() {
                view.send(Command::SetPrompt(prompt.clone()));
                ui.close();
            }
        }
    });
}

fn prompt_id() -> Id {
    Id::unique("prompt text")
}

/// What was generated, and how fast.
fn output(ui: &mut Ui, view: &View<'_>) {
    let p = palette(ui);
    let frame = egui::Frame::new().fill(p.generated_soft).corner_radius(super::theme::RADIUS_SMALL);
    frame.inner_margin(egui::Margin::symmetric(10, 6)).show(ui, |ui| {
        ui.set_min_size(vec2(ui.available_width(), TEXT_HEIGHT - 12.0));
        ui.set_max_height(TEXT_HEIGHT - 12.0);
        let Some(generation) = &view.snapshot.generation else {
            let hint = "What the model writes appears here. Step draws one token, Generate goes on.";
            ui.label(RichText::new(hint).color(p.muted));
            return;
        };
        let scroll = ScrollArea::vertical().id_salt("output").max_height(TEXT_HEIGHT - 12.0).min_scrolled_height(20.0);
        scroll.stick_to_bottom(true).auto_shrink([false, false]).show(ui, |ui| {
            ui.add(egui::Label::new(generation.text.trim_start()).wrap().selectable(true));
            if let Some(reason) = &generation.stopped {
                widgets::note(ui, format!("Stopped: {reason}."));
            }
        });
    });
}

fn knobs(ui: &mut Ui, view: &mut View<'_>) {
    let snapshot = view.snapshot;
    let ready = snapshot.model.is_some();
    let running = snapshot.generation.as_ref().is_some_and(|g| g.running);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        buttons(ui, view, ready, running);
        ui.add_space(6.0);
        ui.push_id("sampler", |ui| sampler(ui, view));
        ui.add_space(6.0);
        let has_template = snapshot.model.as_ref().is_some_and(|m| m.has_chat_template);
        let (mut chat, mut cache) = (snapshot.chat, snapshot.use_cache);
        let switch = ui.add_enabled_ui(has_template, |ui| widgets::switch(ui, &mut chat, "Chat")).inner;
        let why = "Writes the prompt as a message through the model's own chat template";
        let switch = switch.on_hover_text(why).on_disabled_hover_text("This model brings no chat template");
        if switch.changed() {
            view.send(Command::SetChat(chat));
        }
        let switch = widgets::switch(ui, &mut cache, "KV cache");
        if switch.on_hover_text("Keeps keys and values of earlier tokens instead of computing them again").changed() {
            view.send(Command::SetUseCache(cache));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| status(ui, view));
    });
}

fn buttons(ui: &mut Ui, view: &mut View<'_>, ready: bool, running: bool) {
    ui.add_enabled_ui(ready && !running && !view.snapshot.chips.is_empty(), |ui| {
        if widgets::button(ui, icon::STEP, "Step").on_hover_text("Draw one token").clicked() {
            view.act(Action::Step);
        }
    });
    if running {
        if widgets::primary_button(ui, icon::STOP, "Stop").clicked() {
            view.act(Action::Stop);
        }
    } else {
        ui.add_enabled_ui(ready && !view.snapshot.chips.is_empty(), |ui| {
            let why = format!("Draw up to {} tokens", shell::GENERATE);
            if widgets::primary_button(ui, icon::GENERATE, "Generate").on_hover_text(why).clicked() {
                view.act(Action::Generate);
            }
        });
    }
    ui.add_enabled_ui(view.snapshot.generation.is_some() && !running, |ui| {
        if widgets::icon_button(ui, icon::DELETE, entry(Action::ClearGenerated).name).clicked() {
            view.act(Action::ClearGenerated);
        }
    });
}

/// Temperature, top-k, top-p and seed.
fn sampler(ui: &mut Ui, view: &mut View<'_>) {
    let before = view.snapshot.sampler;
    let mut s = before;
    let label = widgets::note(ui, "Temperature");
    ui.spacing_mut().slider_width = 84.0;
    let why = "Divides the logits: 0 always takes the best token, above 1 surprises more";
    widgets::slider(ui, &label, "Temperature", &mut s.temperature, 0.0..=4.0).on_hover_text(why);

    let label = widgets::note(ui, "Top-k");
    let mut k = s.top_k.unwrap_or(0);
    let value = DragValue::new(&mut k)
        .range(0..=1000)
        .custom_formatter(|x, _| if x < 1.0 { "all".into() } else { format!("{x:.0}") });
    let value = value.custom_parser(|text| if text.trim() == "all" { Some(0.0) } else { text.trim().parse().ok() });
    ui.add(value).labelled_by(label.id).on_hover_text("Keeps only the k likeliest tokens; 0 keeps all");
    s.top_k = (k > 0).then_some(k);

    let label = widgets::note(ui, "Top-p");
    let value = DragValue::new(&mut s.top_p).range(0.01..=1.0).speed(0.005).fixed_decimals(2);
    ui.add(value)
        .labelled_by(label.id)
        .on_hover_text("Keeps the likeliest tokens until their probabilities reach this sum");

    let label = widgets::note(ui, "Seed");
    let value = DragValue::new(&mut s.seed).speed(0.1);
    ui.add(value).labelled_by(label.id).on_hover_text("The same seed draws the same tokens");
    if s != before {
        view.send(Command::SetSampler(SamplerConfig { ..s }));
    }
}

/// Speed, cache and the last draw.
fn status(ui: &mut Ui, view: &View<'_>) {
    let p = palette(ui);
    let Some(generation) = &view.snapshot.generation else { return };
    candidates::button(ui, view, generation);
    let mut facts = Vec::new();
    if generation.tokens_per_second > 0.0 {
        facts.push(format!("{:.1} tokens/s", generation.tokens_per_second));
    }
    if generation.cache_bytes > 0 {
        facts.push(format!("cache {}", widgets::bytes(generation.cache_bytes)));
    }
    ui.label(RichText::new(facts.join(" · ")).small().color(p.muted));
}
