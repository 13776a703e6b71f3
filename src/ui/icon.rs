//! The icons that the window uses, each declared once.

use egui_material_icons::icons;

macro_rules! icon_table {
    ($($(#[doc = $doc:literal])* $name:ident = $source:ident;)+) => {
        $($(#[doc = $doc])* pub const $name: &str = icons::$source.codepoint;)+
    };
}

icon_table! {
    /// Open a file.
    FILE = ICON_DESCRIPTION;
    /// Open a folder.
    FOLDER = ICON_FOLDER_OPEN;
    /// Something opened before.
    RECENT = ICON_HISTORY;
    /// Close.
    CLOSE = ICON_CLOSE;
    /// The light theme.
    LIGHT = ICON_LIGHT_MODE;
    /// The dark theme.
    DARK = ICON_DARK_MODE;
    /// A device.
    DEVICE = ICON_MEMORY;
    /// A model.
    MODEL = ICON_HUB;
    /// Search.
    SEARCH = ICON_SEARCH;
    /// One token.
    STEP = ICON_SKIP_NEXT;
    /// Many tokens.
    GENERATE = ICON_FAST_FORWARD;
    /// Stop.
    STOP = ICON_STOP;
    /// Remove.
    DELETE = ICON_DELETE;
    /// Take back.
    UNDO = ICON_UNDO;
    /// A menu opens below.
    EXPAND = ICON_EXPAND_MORE;
    /// Good to know.
    INFO = ICON_INFO;
    /// Lesser service.
    WARNING = ICON_WARNING;
    /// Failure.
    ERROR = ICON_ERROR;
    /// Chosen.
    CHECK = ICON_CHECK;
    /// The folder above.
    UP = ICON_ARROW_UPWARD;
    /// One further down.
    DOWN = ICON_ARROW_DOWNWARD;
    /// A report.
    REPORT = ICON_FACT_CHECK;
    /// Silence a head.
    ABLATE = ICON_VISIBILITY_OFF;
    /// Reset.
    RESET = ICON_RESTART_ALT;
    /// Show or hide the list of lessons.
    RAIL = ICON_MENU_OPEN;
    /// A lesson.
    LESSON = ICON_SCHOOL;
    /// Something to try.
    IDEA = ICON_LIGHTBULB;
    /// Edit.
    EDIT = ICON_EDIT;
    /// One further.
    CHEVRON = ICON_CHEVRON_RIGHT;
    /// The knobs.
    KNOBS = ICON_TUNE;
    /// What to do today.
    TODAY = ICON_TODAY;
    /// Asked once more.
    REVIEW = ICON_EVENT_REPEAT;
    /// What was learnt.
    PROGRESS = ICON_INSIGHTS;
    /// Who has how much.
    LEADERBOARD = ICON_LEADERBOARD;
    /// Who learns.
    PROFILES = ICON_GROUP;
    /// Something reached.
    BADGE = ICON_MILITARY_TECH;
    /// Write into a file.
    SAVE = ICON_DOWNLOAD;
    /// One more.
    ADD = ICON_ADD;
    /// Not yet.
    LATER = ICON_MORE_HORIZ;
}
