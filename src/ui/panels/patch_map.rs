//! Where what tells two prompts apart lives: how much patching each vector of the residual stream moves the answer.

use egui::{ScrollArea, TextEdit, Ui};

use super::study;
use crate::lab::study::patch::PatchMap as Map;
use crate::lab::{Command, Finding, LossText, Study};
use crate::model::tweak::Tweak;
use crate::ui::plot::heat::{Heat, heat};
use crate::ui::theme::palette;
use crate::ui::view::View;
use crate::ui::{icon, widgets};

/// The panel.
#[derive(Debug, Default)]
pub struct PatchMap {
    donor: String,
    /// The lab's second prompt that `donor` was last in step with.
    seen: String,
    chosen: Option<(usize, usize)>,
}

impl PatchMap {
    /// Draws the panel.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        if !study::has_model(ui, view, "where two prompts differ") {
            return;
        }
        let donor = view.snapshot.donor_prompt.clone().unwrap_or_default();
        if self.seen != donor {
            self.donor.clone_from(&donor);
            self.seen = donor;
        }
        let field = TextEdit::singleline(&mut self.donor).desired_width(f32::INFINITY).hint_text("The second prompt");
        if ui.add(field).accessible_name("Second prompt to patch from").changed() {
            self.seen.clone_from(&self.donor);
            view.send(Command::SetDonorPrompt(Some(self.donor.clone()).filter(|text| !text.is_empty())));
        }
        if self.donor.is_empty() {
            let hint = "Type a second prompt above that differs in one word, so that the model answers otherwise.";
            return widgets::empty_state(ui, icon::EDIT, "One prompt is missing", hint);
        }
        let known = study::controls(ui, view, Study::PatchMap, LossText::Prompt, "Patch every place");
        let Some(Finding::Patch(map)) = known.as_ref().and_then(|known| known.finding.as_ref()) else {
            if known.is_none() {
                widgets::note(ui, "Runs the model once for each layer and position, with that one vector patched.");
            }
            return;
        };
        ScrollArea::vertical().id_salt("patch map").auto_shrink([false, false]).show(ui, |ui| {
            self.map(ui, view, map);
        });
    }

    fn map(&mut self, ui: &mut Ui, view: &mut View<'_>, map: &Map) {
        let p = palette(ui);
        let (answer, other) = (&map.answer, &map.donor_answer);
        widgets::note(
            ui,
            format!(
                "logit(“{other}”) − logit(“{answer}”): {:.2} here, {:.2} in the second prompt.",
                map.clean, map.donor
            ),
        );
        let n_layers = map.differences.len() / map.n_positions.max(1);
        let token = |position: usize| view.snapshot.chips.get(position).map_or("", |chip| chip.label.as_str());
        let from = |position: usize| map.from.get(position).copied().flatten();
        let donor = |position: usize| {
            let chip = from(position).and_then(|i| view.snapshot.donor_chips.get(i));
            chip.map_or("", |chip| chip.label.as_str())
        };
        let about = |ui: &mut Ui, layer: usize, position: usize| {
            let (to, with) = (token(position), donor(position));
            widgets::heading(ui, &format!("After layer {layer}, “{with}” in place of “{to}”"));
            let at = map.differences.get(layer * map.n_positions + position).copied().flatten();
            match (map.moved(layer, position), at) {
                (Some(moved), Some(at)) => {
                    ui.label(format!("{:.1} % of the way", 100.0 * moved));
                    let (clean, end) = (map.clean, map.donor);
                    widgets::note(ui, format!("({at:.2} − {clean:.2}) / ({end:.2} − {clean:.2})"));
                }
                _ => {
                    widgets::note(ui, "Not run: nothing of the second prompt stands beside it, or not yet.");
                }
            }
        };
        let height = (ui.available_height() - 60.0).max(120.0);
        let chosen = heat(
            ui,
            height,
            &Heat {
                name: "Patch map",
                rows: "layer",
                size: [n_layers, map.n_positions],
                color: &|layer, position| map.moved(layer, position).map(|x| p.diverging.signed(x.clamp(-1.0, 1.0))),
                cell: &|layer, position| format!("layer {layer}, position {position}"),
                about: &about,
                columns: &|position| token(position).to_owned(),
                chosen: self.chosen,
            },
        );
        if let Some((layer, position)) = chosen {
            self.chosen = Some((layer, position));
            view.send(Command::SelectToken(position));
        }
        let Some((layer, position)) = self.chosen else { return };
        if let Some(from_position) = map.from.get(position).copied().flatten()
            && widgets::button(ui, icon::KNOBS, "Apply this patch").clicked()
        {
            let tweak = Tweak::Patch { layer, position, from_position };
            view.set_tweak(|t| matches!(t, Tweak::Patch { .. }), Some(tweak));
        }
    }
}
