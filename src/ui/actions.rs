//! Every command of the window, declared once.
//!
//! Menus, keyboard shortcuts, the command palette and the list of shortcuts all walk [`TABLE`], so a new command shows up
//! everywhere by being added here. Built-in models have a command each, made from their list ([`all`]).

use std::sync::LazyLock;

use egui::{Key, KeyboardShortcut, Modifiers};

use super::icon;
use crate::builtin::BUILTIN;
use crate::lesson::PanelId;

/// Something that the student can ask the window for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Opens the dialog for a weight file.
    OpenFile,
    /// Opens the dialog for a folder.
    OpenFolder,
    /// Opens the dialog for a folder of lessons.
    OpenLessons,
    /// Goes back to the lessons of the program.
    CloseLessons,
    /// Opens a built-in model, by its id.
    OpenBuiltIn(&'static str),
    /// Brings a panel to the front.
    ShowPanel(PanelId),
    /// Closes the model.
    CloseModel,
    /// Shows how the model was loaded.
    ShowReport,
    /// Opens the command palette.
    Palette,
    /// Light to dark and back.
    ToggleTheme,
    /// Shows or hides the list of lessons.
    ToggleRail,
    /// Shows or hides the lesson's text.
    ToggleLesson,
    /// Puts the panels back where they were at first.
    ResetLayout,
    /// Moves the cursor into the prompt.
    FocusPrompt,
    /// Draws one token.
    Step,
    /// Draws many.
    Generate,
    /// Stops what runs.
    Stop,
    /// Takes back what was generated.
    ClearGenerated,
    /// Silences the selected head, or lets it speak again.
    AblateSelected,
    /// Takes back every change.
    ResetTweaks,
    /// Selects the head to the right.
    NextHead,
    /// Selects the head to the left.
    PreviousHead,
    /// Selects the layer below in the list.
    NextLayer,
    /// Selects the layer above.
    PreviousLayer,
    /// Selects the next token.
    NextToken,
    /// Selects the token before.
    PreviousToken,
    /// Plain prompt or chat.
    ToggleChat,
    /// With or without the KV cache.
    ToggleCache,
    /// Fast or exact arithmetic on the CPU.
    ToggleExact,
    /// Lists the shortcuts.
    Shortcuts,
    /// Opens the page of today.
    ShowToday,
    /// Opens the review.
    ShowReview,
    /// Opens the page of progress.
    ShowProgress,
    /// Opens the leaderboard.
    ShowLeaderboard,
    /// Opens the profiles.
    ShowProfiles,
    /// Goes back to lesson and lab.
    ShowLesson,
    /// Saves a lab report.
    SaveReport,
    /// Saves the grade book.
    SaveGradeBook,
    /// Saves the statements.
    SaveStatements,
}

/// What the window knows about a command.
#[derive(Debug)]
pub struct Entry {
    /// The command.
    pub action: Action,
    /// Its name, in sentence case.
    pub name: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// Its keys.
    pub keys: Option<KeyboardShortcut>,
}

const CTRL: Modifiers = Modifiers::COMMAND;
const CTRL_SHIFT: Modifiers = Modifiers { shift: true, ..Modifiers::COMMAND };
const ALT: Modifiers = Modifiers::ALT;

macro_rules! table {
    ($($action:ident, $name:literal, $icon:ident $(, $modifiers:ident + $key:ident)?;)+) => {
        /// The table.
        pub const TABLE: &[Entry] = &[$(Entry {
            action: Action::$action,
            name: $name,
            icon: icon::$icon,
            keys: table!(@keys $($modifiers $key)?),
        }),+];
    };
    (@keys) => { None };
    (@keys $modifiers:ident $key:ident) => { Some(KeyboardShortcut::new($modifiers, Key::$key)) };
}

table! {
    OpenFile, "Open file…", FILE, CTRL + O;
    OpenFolder, "Open folder…", FOLDER, CTRL_SHIFT + O;
    OpenLessons, "Open a folder of lessons…", LESSON;
    CloseLessons, "Back to the lessons of the program", LESSON;
    CloseModel, "Close model", CLOSE;
    ShowReport, "Load report", REPORT, CTRL + I;
    Palette, "Command palette", SEARCH, CTRL + K;
    FocusPrompt, "Edit the prompt", EDIT, CTRL + L;
    Step, "Step", STEP, CTRL + Enter;
    Generate, "Generate", GENERATE, CTRL_SHIFT + Enter;
    Stop, "Stop", STOP, CTRL + Period;
    ClearGenerated, "Clear generated text", DELETE, CTRL_SHIFT + K;
    AblateSelected, "Silence the selected head", ABLATE, CTRL + D;
    ResetTweaks, "Reset all changes", RESET, CTRL_SHIFT + D;
    NextHead, "Next head", CHEVRON, ALT + ArrowRight;
    PreviousHead, "Previous head", CHEVRON, ALT + ArrowLeft;
    NextLayer, "Next layer", CHEVRON, ALT + ArrowDown;
    PreviousLayer, "Previous layer", CHEVRON, ALT + ArrowUp;
    NextToken, "Next token", CHEVRON, ALT + Period;
    PreviousToken, "Previous token", CHEVRON, ALT + Comma;
    ToggleChat, "Chat format on or off", LESSON;
    ToggleCache, "KV cache on or off", KNOBS;
    ToggleExact, "Exact arithmetic on or off", KNOBS;
    ToggleTheme, "Light or dark", DARK, CTRL_SHIFT + L;
    ToggleRail, "Show or hide the list of lessons", RAIL, CTRL + B;
    ToggleLesson, "Show or hide the lesson", LESSON, CTRL_SHIFT + B;
    ResetLayout, "Reset the layout", RESET;
    Shortcuts, "Keyboard shortcuts", INFO, CTRL + Slash;
    ShowToday, "Today", TODAY, CTRL + Num1;
    ShowReview, "Review", REVIEW, CTRL + Num2;
    ShowProgress, "Progress", PROGRESS, CTRL + Num3;
    ShowLeaderboard, "Leaderboard", LEADERBOARD, CTRL + Num4;
    ShowProfiles, "Profiles", PROFILES, CTRL + Num5;
    ShowLesson, "Back to lesson and lab", LESSON, CTRL + Num6;
    SaveReport, "Save a lab report…", SAVE;
    SaveGradeBook, "Save the grade book…", SAVE;
    SaveStatements, "Save the statements…", SAVE;
}

/// The commands that open a built-in model, one for each.
static MODELS: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let entry = |model: &'static crate::builtin::BuiltIn| Entry {
        action: Action::OpenBuiltIn(model.id),
        // Once for each model and for good, like the literals of the table.
        name: format!("Open built-in model: {}", model.about().title).leak(),
        icon: icon::MODEL,
        keys: None,
    };
    BUILTIN.iter().map(entry).collect()
});

/// The commands that show a panel, one for each.
static PANELS: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let entry = |panel: &PanelId| Entry {
        action: Action::ShowPanel(*panel),
        name: format!("Show panel: {}", panel.title()).leak(),
        icon: icon::SEARCH,
        keys: None,
    };
    PanelId::ALL.iter().map(entry).collect()
});

/// Every command: the table, then the built-in models and the panels.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    TABLE.iter().chain(MODELS.iter()).chain(PANELS.iter())
}

/// What is known about a command.
pub fn entry(action: Action) -> &'static Entry {
    all().find(|entry| entry.action == action).unwrap_or(&TABLE[0])
}

/// The commands whose keys were just pressed. Longer combinations win over their parts.
pub fn pressed(ctx: &egui::Context) -> Vec<Action> {
    let mut entries: Vec<&Entry> = TABLE.iter().filter(|e| e.keys.is_some()).collect();
    entries.sort_by_key(|e| std::cmp::Reverse(e.keys.is_some_and(|k| k.modifiers.shift)));
    ctx.input_mut(|input| {
        let hit = |e: &&Entry| e.keys.is_some_and(|keys| input.consume_shortcut(&keys));
        entries.into_iter().filter(hit).map(|e| e.action).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_commands_share_a_name_or_keys() {
        let entries: Vec<_> = all().collect();
        for (i, a) in entries.iter().enumerate() {
            for b in &entries[i + 1..] {
                assert_ne!(a.name, b.name);
                assert!(a.keys.is_none() || a.keys != b.keys, "{} and {}", a.name, b.name);
                assert_ne!(a.action, b.action);
            }
        }
    }
}
