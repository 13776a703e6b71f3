//! A lesson's page by itself, driven through its real widgets by accessible name, without a display.

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use glassbox::lesson::{Lesson, LessonError, LiveTruth};
use glassbox::ui::lesson_view::{self, LessonAction, LessonState};
use glassbox::ui::theme;

/// A page with what happens on it.
pub struct Page {
    /// The lesson.
    pub lesson: Lesson,
    /// How far the student is.
    pub state: LessonState,
    /// What the lab says.
    pub live: LiveTruth,
    /// What the student did, not yet taken.
    pub actions: Vec<LessonAction>,
    /// What to show instead of the lesson.
    pub problem: Option<LessonError>,
}

impl eframe::App for Page {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        // The pane that the window shows lessons in.
        let pane = egui::Frame::new().fill(theme::palette(ui).surface);
        egui::CentralPanel::default().frame(pane).show(ui, |ui| {
            let actions = match &self.problem {
                Some(problem) => {
                    lesson_view::show_problems(ui, &[problem]);
                    Vec::new()
                }
                None => lesson_view::show(ui, &self.lesson, &mut self.state, &self.live),
            };
            self.actions.extend(actions);
        });
    }
}

/// A page in a column of some size.
pub fn page_of(lesson: Lesson, size: egui::Vec2, dark: bool) -> Harness<'static, Page> {
    let state = LessonState::default();
    let page = Page { lesson, state, live: LiveTruth::default(), actions: Vec::new(), problem: None };
    let theme = if dark { egui::Theme::Dark } else { egui::Theme::Light };
    Harness::builder().with_size(size).with_theme(theme).wgpu().build_eframe(|cc| {
        theme::install(&cc.egui_ctx);
        page
    })
}

/// Writes what is on screen to the folder that the environment variable GLASSBOX_LOOK names, for a look at it.
pub fn look(harness: &mut Harness<'static, Page>, name: &str) {
    if let Some(folder) = std::env::var_os("GLASSBOX_LOOK") {
        harness.render().unwrap().save(std::path::Path::new(&folder).join(name)).unwrap();
    }
}

/// Clicks what has this accessible name.
pub fn click(harness: &mut Harness<'static, Page>, label: &str) {
    harness.get_by_label(label).click();
    harness.run();
}

/// What was done since the last call.
pub fn took(harness: &mut Harness<'static, Page>) -> Vec<LessonAction> {
    std::mem::take(&mut harness.state_mut().actions)
}

/// The name of what has the keyboard's focus.
pub fn focused(harness: &Harness<'static, Page>) -> String {
    let node = harness.query_all_by(|node| node.is_focused()).next();
    node.map(|n| n.accesskit_node().label().or(n.accesskit_node().value()).unwrap_or_default()).unwrap_or_default()
}

/// Presses Tab until a widget has the focus; how often that took.
pub fn tab_to(harness: &mut Harness<'static, Page>, label: &str) -> usize {
    for presses in 0..600 {
        if focused(harness) == label {
            return presses;
        }
        harness.key_press(egui::Key::Tab);
        harness.run();
    }
    panic!("Tab does not reach {label:?}");
}
