//! The student's changes: what is in force, and the knobs that make them.
//!
//! Every knob becomes a [`Tweak`] and a true run of the model. A knob sends at most one request per frame, and the lab
//! keeps only the newest, so a dragged slider never queues up.

use egui::{Align, DragValue, Layout, RichText, ScrollArea, TextEdit, Ui};

use crate::lab::Command;
use crate::model::tweak::{Ablation, HeadRef, Tweak};
use crate::ui::theme::palette;
use crate::ui::view::View;
use crate::ui::{icon, shell, widgets};

/// The panel: what its knobs stand at before they make a change.
#[derive(Debug)]
pub struct Tweaks {
    width: usize,
    layer: usize,
    position: usize,
    from_position: usize,
    donor: String,
    /// The lab's second prompt that `donor` was last in step with.
    donor_seen: String,
    /// The changes as the list shows them.
    listed: Vec<Tweak>,
}

impl Default for Tweaks {
    fn default() -> Self {
        Self {
            width: 4,
            layer: 0,
            position: 0,
            from_position: 0,
            donor: String::new(),
            donor_seen: String::new(),
            listed: Vec::new(),
        }
    }
}

impl Tweaks {
    /// Draws the panel.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        if view.snapshot.model.is_none() {
            let hint = "Open a model to change how it computes: temperature, heads, mask, patches.";
            return widgets::empty_state(ui, icon::KNOBS, "No model is open", hint);
        }
        ScrollArea::vertical().id_salt("tweaks").auto_shrink([false, false]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 5.0;
            // Sections have identities of their own, so that a knob keeps its drag when the list above it grows.
            ui.push_id("active", |ui| self.active(ui, view));
            ui.push_id("temperatures", |ui| temperatures(ui, view));
            ui.push_id("mask", |ui| self.mask(ui, view));
            ui.push_id("heads", |ui| heads(ui, view));
            ui.push_id("patch", |ui| self.patch(ui, view));
        });
    }

    /// The changes in force, each with a way to take it back.
    fn active(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let p = palette(ui);
        // While something is dragged the list keeps its length: a knob must not slide away under the pointer.
        let same_length = self.listed.len() == view.snapshot.tweaks.len();
        if same_length || ui.ctx().dragged_id().is_none() {
            self.listed.clone_from(&view.snapshot.tweaks);
        }
        let tweaks = self.listed.clone();
        if tweaks.is_empty() {
            widgets::note(ui, "The model runs unchanged. Every knob below changes it and runs it again.");
            return;
        }
        egui::Frame::new().fill(p.accent_soft).corner_radius(8).inner_margin(egui::Margin::symmetric(8, 5)).show(
            ui,
            |ui| {
                ui.set_width(ui.available_width());
                ui.spacing_mut().item_spacing.y = 1.0;
                for (i, tweak) in tweaks.iter().enumerate() {
                    ui.horizontal(|ui| {
                        let text = describe(tweak);
                        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                            if widgets::icon_button(ui, icon::CLOSE, &format!("Take back: {text}")).clicked() {
                                let mut rest = tweaks.clone();
                                rest.remove(i);
                                view.send(Command::SetTweaks(rest));
                            }
                            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                                ui.add(egui::Label::new(RichText::new(&text).small().color(p.text)).truncate());
                            });
                        });
                    });
                }
                if widgets::button(ui, icon::RESET, "Reset all").clicked() {
                    view.send(Command::ClearTweaks);
                }
            },
        );
    }

    fn mask(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let tweaks = &view.snapshot.tweaks;
        let has = |tweak: &Tweak| tweaks.contains(tweak);
        let (mut unscaled, mut acausal) = (has(&Tweak::Unscaled), has(&Tweak::Acausal));
        let window = tweaks.iter().find_map(|t| if let Tweak::Window { width } = t { Some(*width) } else { None });
        ui.horizontal_wrapped(|ui| {
            let why = "Leaves the scores unscaled";
            if widgets::switch(ui, &mut unscaled, "No 1/√d").on_hover_text(why).changed() {
                view.send(Command::ToggleTweak(Tweak::Unscaled));
            }
            let why = "Lets tokens see later ones";
            if widgets::switch(ui, &mut acausal, "Causal mask off").on_hover_text(why).changed() {
                view.send(Command::ToggleTweak(Tweak::Acausal));
            }
        });
        ui.horizontal(|ui| {
            let mut on = window.is_some();
            let switch = widgets::switch(ui, &mut on, "Local window");
            let switched = switch.on_hover_text("Lets each token see only the last few").changed();
            let mut width = window.unwrap_or(self.width);
            let most = view.snapshot.chips.len().max(2);
            let value = DragValue::new(&mut width).range(1..=most).suffix(" tokens").speed(0.1);
            let dragged = ui.add_enabled(on, value).accessible_name("Window width").changed();
            self.width = width;
            if switched || (dragged && on) {
                let tweak = on.then_some(Tweak::Window { width });
                view.set_tweak(|t| matches!(t, Tweak::Window { .. }), tweak);
            }
        });
    }

    fn patch(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        ui.add_space(4.0);
        widgets::heading(ui, "Patch from a second prompt");
        let donor = view.snapshot.donor_prompt.clone().unwrap_or_default();
        if self.donor_seen != donor {
            // A lesson brought another one.
            self.donor.clone_from(&donor);
            self.donor_seen = donor;
        }
        let field = TextEdit::singleline(&mut self.donor).desired_width(f32::INFINITY).hint_text("The second prompt");
        if ui.add(field).accessible_name("Second prompt").changed() {
            self.donor_seen.clone_from(&self.donor);
            let prompt = Some(self.donor.clone()).filter(|text| !text.is_empty());
            view.send(Command::SetDonorPrompt(prompt));
        }
        let n_layers = view.snapshot.model.as_ref().map_or(1, |m| m.config.n_layers);
        let (n, m) = (view.snapshot.chips.len(), view.snapshot.donor_chips.len());
        ui.horizontal_wrapped(|ui| {
            for (name, value, most) in [
                ("After layer", &mut self.layer, n_layers),
                ("at position", &mut self.position, n),
                ("take position", &mut self.from_position, m),
            ] {
                let label = widgets::note(ui, name);
                ui.add(DragValue::new(value).range(0..=most.saturating_sub(1)).speed(0.1)).labelled_by(label.id);
            }
            let tweak = Tweak::Patch { layer: self.layer, position: self.position, from_position: self.from_position };
            let ready = m > 0 && n > 0 && !view.snapshot.tweaks.contains(&tweak);
            ui.add_enabled_ui(ready, |ui| {
                if ui.button("Patch").clicked() {
                    view.send(Command::ToggleTweak(tweak));
                }
            });
        });
        let chip = |chips: &[crate::lab::Chip], i: usize| chips.get(i).map_or(String::new(), |c| c.label.clone());
        if m > 0 {
            let (to, from) =
                (chip(&view.snapshot.chips, self.position), chip(&view.snapshot.donor_chips, self.from_position));
            widgets::note(ui, format!("“{from}” of the second prompt replaces “{to}” in the residual stream."));
        }
    }
}

fn temperatures(ui: &mut Ui, view: &mut View<'_>) {
    let head = view.snapshot.selection.head;
    let targets: [(&str, Vec<HeadRef>); 2] =
        [("Attention temperature", vec![]), ("Temperature of this head", vec![head])];
    for (name, heads) in targets {
        let is_ours = |t: &Tweak| matches!(t, Tweak::Temperature { heads: h, .. } if *h == heads);
        let now = view.snapshot.tweaks.iter().find_map(|t| match t {
            Tweak::Temperature { value, .. } if is_ours(t) => Some(*value),
            _ => None,
        });
        let mut value = now.unwrap_or(1.0);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let label = widgets::note(ui, name);
            ui.spacing_mut().slider_width = (ui.available_width() - 64.0).clamp(80.0, 320.0);
            let why = "Divides the scores before the softmax: below 1 sharper, above 1 flatter";
            let response = widgets::slider(ui, &label, name, &mut value, 0.1..=10.0).on_hover_text(why);
            if response.changed() {
                let tweak = ((value - 1.0).abs() > 0.005).then(|| Tweak::Temperature { heads: heads.clone(), value });
                view.set_tweak(is_ours, tweak);
            }
        });
    }
}

fn heads(ui: &mut Ui, view: &mut View<'_>) {
    let head = view.snapshot.selection.head;
    let was = shell::ablation_of(&view.snapshot.tweaks, head);
    let mut now = was;
    ui.horizontal_wrapped(|ui| {
        widgets::note(ui, format!("Layer {}, head {}", head.layer, head.head));
        let options = [(None, "Speaks"), (Some(Ablation::Zero), "Zero"), (Some(Ablation::Mean), "Mean")];
        if widgets::segmented(ui, &mut now, &options)
            && let Some(with) = now.or(was)
        {
            shell::toggle_ablation(view, head, with);
        }
    });
}

/// A change in words.
pub fn describe(tweak: &Tweak) -> String {
    let names = |heads: &[HeadRef]| {
        let list: Vec<String> = heads.iter().take(4).map(|h| format!("{}.{}", h.layer, h.head)).collect();
        let more = if heads.len() > 4 { ", …" } else { "" };
        format!("{} {}{more}", if heads.len() == 1 { "head" } else { "heads" }, list.join(", "))
    };
    match tweak {
        Tweak::AblateHeads { heads, with: Ablation::Zero } => format!("Silence {}", names(heads)),
        Tweak::AblateHeads { heads, with: Ablation::Mean } => format!("Mean output for {}", names(heads)),
        Tweak::Temperature { heads, value } if heads.is_empty() => format!("Attention temperature {value:.2}"),
        Tweak::Temperature { heads, value } => format!("Temperature {value:.2} for {}", names(heads)),
        Tweak::Unscaled => "No 1/√d".to_owned(),
        Tweak::Acausal => "Causal mask off".to_owned(),
        Tweak::Window { width } => format!("Window of {width} tokens"),
        Tweak::PatternRow { layer, head, query, .. } => format!("Edited row of token {query} in head {layer}.{head}"),
        Tweak::Patch { layer, position, from_position } => {
            format!("Patch after layer {layer}: {from_position} → {position}")
        }
    }
}
