//! What the window shows of an open model.

use std::sync::Arc;
use std::time::Duration;

use super::snapshot::{LoadReportView, ModelCard};
use crate::engine::loader::{Checkpoint, bytes};
use crate::engine::{Engine, ModelSource};

/// The card of a model that was just opened.
pub fn model_card(
    source: &ModelSource,
    checkpoint: &Checkpoint,
    engine: &dyn Engine,
    load_time: Duration,
) -> ModelCard {
    let (report, memory, device) = (&checkpoint.report, engine.memory(), engine.device());
    let mut sections: Vec<LoadReportView> =
        report.sections().into_iter().map(|(title, rows)| LoadReportView { title: title.into(), rows }).collect();
    sections.push(LoadReportView {
        title: "Device".into(),
        rows: vec![
            ("computes".into(), device.name.clone()),
            ("arithmetic".into(), device.arithmetic.clone()),
            ("parameters on it".into(), bytes(memory.weights)),
        ],
    });
    ModelCard {
        name: report.name.clone().unwrap_or_else(|| source.name()),
        source: source.clone(),
        about: report.about.clone().map(Arc::new),
        config: checkpoint.config.clone(),
        device,
        memory,
        report: sections,
        warnings: report.fallback.iter().chain(&report.warnings).cloned().collect(),
        has_chat_template: false,
        load_time,
    }
}
