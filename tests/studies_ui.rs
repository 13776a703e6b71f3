//! The panels of studies, by what they are called, and as pictures.

#[path = "support/desk.rs"]
mod desk;
mod support;
#[path = "support/window.rs"]
mod window;

use std::sync::Arc;

use egui::Theme;
use egui_kittest::kittest::Queryable;
use glassbox::engine::TokenScore;
use glassbox::insight::heads::{HeadKind, HeadMap};
use glassbox::lab::study::{
    counts::Counted, effect::HeadEffect, flip::FlipSearch, patch::PatchMap, scores::HeadScores,
};
use glassbox::lab::{Begin, Command, Finding, LabOptions, LossText, ModelSource, Study, StudyView};
use glassbox::lesson::PanelId;
use glassbox::model::tweak::{Ablation, HeadRef, Tweak};
use glassbox::ui::Settings;
use window::{click, rest, snapshot, still, tell, window_with};

const PANELS: [PanelId; 4] = [PanelId::HeadScores, PanelId::HeadEffect, PanelId::PatchMap, PanelId::NGram];

#[test]
fn a_student_scores_silences_and_flips_by_name() {
    let begin = Begin::With(ModelSource::File(support::data("conformance/llama/Q8_0.gguf")));
    let options = LabOptions { begin, prompt: "The engine reads".into(), ..LabOptions::default() };
    let settings = Settings { lesson_hidden: true, ..Settings::default() };
    let mut w = window_with([1600.0, 1200.0], Theme::Light, settings, options);
    rest(&mut w);
    w.state_mut().shell_mut().show_panel(PanelId::HeadScores);
    rest(&mut w);
    click(&mut w, "Score every head");
    click(&mut w, "induction scores: layer 1, head 2");
    assert_eq!(w.state().snapshot().selection.head, HeadRef { layer: 1, head: 2 });
    w.key_press(egui::Key::ArrowLeft);
    rest(&mut w);
    assert_eq!(w.state().snapshot().selection.head, HeadRef { layer: 1, head: 1 });

    w.state_mut().shell_mut().show_panel(PanelId::HeadEffect);
    rest(&mut w);
    click(&mut w, "This prompt");
    click(&mut w, "Silence each head in turn");
    click(&mut w, "Rise of the loss: layer 0, head 1");
    assert_eq!(w.state().snapshot().selection.head, HeadRef { layer: 0, head: 1 });
    assert!(w.query_by_label("Score against effect, a dot per head").is_some());
    click(&mut w, "Search the fewest heads");
    let Some(Finding::Flip(search)) = &w.state().snapshot().studies[&Study::Flip].finding else { panic!("no search") };
    if let Some((heads, ..)) = search.found.clone() {
        w.get_by_label("Silence these heads").scroll_to_me();
        rest(&mut w);
        click(&mut w, "Silence these heads");
        assert_eq!(w.state().snapshot().tweaks, [Tweak::AblateHeads { heads, with: Ablation::Zero }]);
    }

    w.state_mut().shell_mut().show_panel(PanelId::PatchMap);
    rest(&mut w);
    assert!(w.query_by_label("One prompt is missing").is_some());
    tell(&mut w, Command::SetDonorPrompt(Some("The engine reads".into())));
    click(&mut w, "Patch every place");
    assert!(w.query_by_label_contains("Both prompts answer").is_some(), "the same prompt is refused with its reason");

    w.state_mut().shell_mut().show_panel(PanelId::NGram);
    rest(&mut w);
    click(&mut w, "Count the training text");
    assert!(w.query_by_label_contains("not trained on the story world").is_some());
}

/// Findings of a model that never was: 30 layers of 9 heads.
fn findings(n_layers: usize, n_heads: usize, labels: &[&str]) -> Vec<(Study, Finding)> {
    let mut noise = desk::Noise(5);
    let n = n_layers * n_heads;
    let mut scores = |strong: usize| -> Vec<f32> {
        (0..n)
            .map(|i| if (i * 7 + strong).is_multiple_of(23) { 0.3 + 0.6 * noise.next() } else { 0.12 * noise.next() })
            .collect()
    };
    let maps: Vec<(HeadKind, HeadMap)> =
        HeadKind::ALL.iter().enumerate().map(|(i, kind)| (*kind, HeadMap { n_heads, scores: scores(5 * i) })).collect();
    let rises: Vec<f32> = scores(3);
    let losses =
        rises.iter().enumerate().map(|(i, rise)| (i < n - 40).then_some(2.5 + f64::from(rise - 0.05))).collect();
    let loss = None;
    let moved =
        |i: usize| ((i / labels.len()) as f32 / n_layers as f32 * 9.0 - 4.0) * f32::from(i % 5 == labels.len() % 5);
    let word =
        |i: usize| (TokenScore { id: i as u32, logit: -1.0, probability: 0.3 * 0.7f32.powi(i as i32) }, "·sea".into());
    let found = Some((vec![HeadRef { layer: 16, head: 0 }, HeadRef { layer: 11, head: 1 }], "·Anna".into(), -0.4));
    vec![
        (Study::HeadScores, Finding::Scores(HeadScores { n_prompts: 4, copy_length: 32, n_allowed: 9000, maps, loss })),
        (
            Study::HeadEffect,
            Finding::Effect(HeadEffect { text: LossText::Repeats, n_tokens: 31, n_heads, base: 2.5, losses }),
        ),
        (
            Study::Flip,
            Finding::Flip(FlipSearch {
                top: "·Mary".into(),
                margin: 1.25,
                n_heads,
                margins: vec![Some(1.0); n],
                trying: vec![],
                found,
                finished: true,
            }),
        ),
        (
            Study::PatchMap,
            Finding::Patch(PatchMap {
                n_positions: labels.len(),
                from: (0..labels.len()).map(Some).collect(),
                answer: "·Mary".into(),
                donor_answer: "·Anna".into(),
                clean: -4.0,
                donor: 5.0,
                differences: (0..n_layers * labels.len()).map(|i| Some(moved(i).max(-4.0))).collect(),
            }),
        ),
        (
            Study::NGram,
            Finding::Counts(Counted {
                order: 3,
                n_tokens: 400_123,
                n_distinct: 90_001,
                context: vec!["·drink".into(), "·to".into()],
                top: (0..12).map(word).collect(),
            }),
        ),
    ]
}

#[test]
fn the_panels_look_as_they_did() {
    let labels = [
        "When", "·Mary", "·and", "·John", "·went", "·to", "·the", "·store", ",", "·John", "·gave", "·a", "·drink",
        "·to",
    ];
    let mut failures = Vec::new();
    for (size, theme) in [([1280.0, 800.0], Theme::Light), ([2560.0, 1440.0], Theme::Dark)] {
        for panel in PANELS {
            let mut desk = desk::still(&labels, 30, 9);
            desk.snapshot.donor_prompt = Some("When Anna and John went to the store, John gave a drink to".into());
            for (study, finding) in findings(30, 9, &labels) {
                let running = study == Study::HeadEffect;
                let view = StudyView { done: 230, total: 270, running, problem: None, finding: Some(finding) };
                desk.snapshot.studies.insert(study, Arc::new(view));
            }
            let mut w = still(desk, size, theme);
            w.state_mut().shell_mut().show_panel(panel);
            w.run_steps(6);
            let name = format!("{}_{}_{}", panel.name(), if theme == Theme::Dark { "dark" } else { "light" }, size[0]);
            snapshot(&mut w, &name, &mut failures);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
