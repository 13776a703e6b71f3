//! What a part of the window is given to draw with.

use crate::lab::{Chip, Command, Run, Snapshot};
use crate::model::tweak::Tweak;

use super::actions::Action;

/// The state to draw, and where to put what the student asks for.
#[derive(Debug)]
pub struct View<'a> {
    /// What the lab shows.
    pub snapshot: &'a Snapshot,
    /// Requests to the lab, carried out after the frame.
    pub commands: Vec<Command>,
    /// Requests to the window itself.
    pub actions: Vec<Action>,
}

impl<'a> View<'a> {
    /// A view of a snapshot.
    pub fn new(snapshot: &'a Snapshot) -> Self {
        Self { snapshot, commands: Vec::new(), actions: Vec::new() }
    }

    /// Asks the lab for something.
    pub fn send(&mut self, command: Command) {
        self.commands.push(command);
    }

    /// Asks the window for something.
    pub fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// The label of the token at a position.
    pub fn label(&self, position: usize) -> &'a str {
        self.snapshot.chips.get(position).map_or("", |chip: &Chip| chip.label.as_str())
    }

    /// The run that panels show, with the position that is looked at, brought into its range.
    pub fn shown(&self) -> Option<(&'a Run, usize)> {
        let run: &Run = self.snapshot.shown()?;
        let last = run.tokens.len().checked_sub(1)?;
        Some((run, self.snapshot.selection.token.min(last)))
    }

    /// Puts a change in the place of those that `replaces` matches, or removes them if there is none.
    pub fn set_tweak(&mut self, replaces: impl Fn(&Tweak) -> bool, tweak: Option<Tweak>) {
        let mut tweaks = self.snapshot.tweaks.clone();
        let at = tweaks.iter().position(&replaces).unwrap_or(tweaks.len());
        tweaks.retain(|t| !replaces(t));
        if let Some(tweak) = tweak {
            tweaks.insert(at.min(tweaks.len()), tweak);
        }
        if tweaks != self.snapshot.tweaks {
            self.send(Command::SetTweaks(tweaks));
        }
    }
}
