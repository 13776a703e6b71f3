//! The command palette: every command by a few letters of its name, with the keyboard alone.

use egui::{Button, Key, Modal, Modifiers, RichText, ScrollArea, TextEdit, Ui, vec2};

use super::actions::{self, Entry};
use super::theme::{self, palette};
use super::view::View;
use super::widgets;

/// The palette; closed at first.
#[derive(Debug, Default)]
pub struct CommandPalette {
    open: bool,
    query: String,
    selected: usize,
    focus: bool,
}

impl CommandPalette {
    /// Opens or closes it.
    pub fn toggle(&mut self) {
        *self = Self { open: !self.open, focus: true, ..Self::default() };
    }

    /// Draws it while it is open.
    pub fn show(&mut self, ui: &Ui, view: &mut View<'_>) {
        if !self.open {
            return;
        }
        let shown = Modal::new(egui::Id::unique("command palette")).show(ui.ctx(), |ui| {
            ui.set_width(480.0);
            self.content(ui, view)
        });
        if shown.inner || shown.should_close() {
            self.open = false;
        }
    }

    /// True when it is to be closed.
    fn content(&mut self, ui: &mut Ui, view: &mut View<'_>) -> bool {
        let none = Modifiers::NONE;
        let (up, down, enter) = ui.input_mut(|i| {
            (i.consume_key(none, Key::ArrowUp), i.consume_key(none, Key::ArrowDown), i.consume_key(none, Key::Enter))
        });
        let field = TextEdit::singleline(&mut self.query).desired_width(f32::INFINITY).margin(vec2(10.0, 7.0));
        let field = ui.add(field.hint_text("What do you want to do?")).accessible_name("Find a command");
        if std::mem::take(&mut self.focus) {
            field.request_focus();
        }
        if field.changed() {
            self.selected = 0;
        }
        let found = matches(&self.query);
        self.selected =
            (self.selected + usize::from(down)).saturating_sub(usize::from(up)).min(found.len().saturating_sub(1));
        let mut chosen = if enter { found.get(self.selected).copied() } else { None };
        ui.add_space(2.0);
        if found.is_empty() {
            widgets::note(ui, "No command has these letters in this order.");
        }
        ScrollArea::vertical().max_height(340.0).auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            for (i, entry) in found.iter().enumerate() {
                let response = row(ui, entry, i == self.selected);
                if i == self.selected && (up || down) {
                    response.scroll_to_me(None);
                }
                if response.clicked() {
                    chosen = Some(entry);
                }
            }
        });
        if let Some(entry) = chosen {
            view.act(entry.action);
        }
        chosen.is_some() || enter
    }
}

fn row(ui: &mut Ui, entry: &Entry, selected: bool) -> egui::Response {
    let p = palette(ui);
    let label = widgets::icon_and_text(ui, entry.icon, entry.name, p.text);
    let mut button = Button::new(label).min_size(vec2(ui.available_width(), 30.0)).corner_radius(theme::RADIUS_SMALL);
    if let Some(keys) = &entry.keys {
        button = button.shortcut_text(RichText::new(ui.ctx().format_shortcut(keys)).small().color(p.muted));
    }
    button = if selected { button.fill(p.accent_soft) } else { button.frame_when_inactive(false) };
    widgets::named(ui.add(button), &format!("Run: {}", entry.name))
}

/// The commands whose names hold the letters of the query in their order, best first.
fn matches(query: &str) -> Vec<&'static Entry> {
    let mut scored: Vec<(i32, &Entry)> =
        actions::all().filter_map(|entry| Some((score(query, entry.name)?, entry))).collect();
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().map(|(_, entry)| entry).collect()
}

/// How well a name fits: letters at the start of words and next to each other count more. `None` if it does not.
fn score(query: &str, name: &str) -> Option<i32> {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let (mut score, mut at, mut previous) = (0, 0, None);
    for wanted in query.to_lowercase().chars().filter(|c| !c.is_whitespace()) {
        let found = at + name[at..].iter().position(|c| *c == wanted)?;
        let starts_word = found == 0 || !name[found - 1].is_alphanumeric();
        let follows = previous.is_some_and(|p| p + 1 == found);
        score += 1 + 4 * i32::from(starts_word) + 3 * i32::from(follows);
        (at, previous) = (found + 1, Some(found));
    }
    Some(score)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::actions::Action;

    #[test]
    fn a_few_letters_find_a_command() {
        assert_eq!(matches("gen")[0].action, Action::Generate);
        assert_eq!(matches("rac")[0].action, Action::ResetTweaks);
        assert_eq!(matches("open fo")[0].action, Action::OpenFolder);
        assert!(matches("zzz").is_empty());
        assert_eq!(matches("").len(), actions::all().count());
    }
}
