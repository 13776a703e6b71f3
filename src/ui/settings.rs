//! What the window remembers between sessions.

use std::path::PathBuf;

use egui::Theme;
use egui_tiles::Tree;
use serde::{Deserialize, Serialize};

use super::learner::Page;
use crate::lab::{DeviceChoice, ModelSource};
use crate::lesson::PanelId;

/// Choices that outlive the window.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Light or dark; `None` follows the system.
    pub theme: Option<Theme>,
    /// Whether the list of lessons is shown.
    pub rail_open: bool,
    /// The lesson that is open; `None` is "Your model".
    pub lesson: Option<String>,
    /// The folder whose lessons are shown; `None` shows those of the program.
    pub lesson_folder: Option<PathBuf>,
    /// Whether the lab fills the window and the lesson is folded away.
    pub lesson_hidden: bool,
    /// How the panels are arranged.
    pub layout: Option<Tree<PanelId>>,
    /// Whether colour scales leave out the first token.
    pub skip_first: bool,
    /// Files opened before, newest first.
    pub recent: Vec<PathBuf>,
    /// What was open last.
    pub model: Option<ModelSource>,
    /// Where to compute.
    pub device: DeviceChoice,
    /// Whether the CPU keeps exact arithmetic.
    pub exact: bool,
    /// The account of the profile that learns.
    pub profile: Option<String>,
    /// The learner's page that is open instead of a lesson.
    pub page: Option<Page>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: None,
            rail_open: true,
            lesson: None,
            lesson_folder: None,
            lesson_hidden: false,
            layout: None,
            skip_first: true,
            recent: Vec::new(),
            model: None,
            device: DeviceChoice::Auto,
            exact: false,
            profile: None,
            page: None,
        }
    }
}
