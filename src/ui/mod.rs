//! The window: the only room that knows egui.

pub mod card;
pub mod lesson_truth;
pub mod lesson_view;
pub mod markdown;
pub mod predict_view;
pub mod quiz_view;
