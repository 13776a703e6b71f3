//! The student's changes, made through the lab as the window makes them, against the same changes made by plain loops:
//! a second, independent Llama in f64 (`support/plain_llama.rs`).

#[path = "support/plain_llama.rs"]
mod plain_llama;
mod support;

use glassbox::lab::{Command, DeviceChoice, Lab, LabOptions, ModelSource};
use glassbox::model::tweak::{Ablation, HeadRef, Tweak};
use plain_llama::{Edits, PlainLlama};
use support::{assert_close, data};

const PROMPT: &str = "The engine reads the tape, and the engine stops.";
const DONOR: &str = "Another reader writes on a longer tape, and goes on.";

/// Each change as the student makes it, and as the plain model makes it.
fn cases() -> Vec<(Vec<Tweak>, Edits)> {
    let heads = |list: &[(usize, usize)]| list.iter().map(|&(layer, head)| HeadRef { layer, head }).collect::<Vec<_>>();
    let ablate = |list: &[(usize, usize)], with| vec![Tweak::AblateHeads { heads: heads(list), with }];
    let row = |weights: Vec<f32>| vec![Tweak::PatternRow { layer: 0, head: 3, query: 6, weights }];
    let patch = |layer, position, from_position| Tweak::Patch { layer, position, from_position };
    vec![
        (vec![], Edits::default()),
        (ablate(&[(1, 2)], Ablation::Zero), Edits { silent: vec![(1, 2)], ..Edits::default() }),
        (ablate(&[(0, 0), (1, 3)], Ablation::Zero), Edits { silent: vec![(0, 0), (1, 3)], ..Edits::default() }),
        (ablate(&[(0, 1)], Ablation::Mean), Edits { averaged: vec![(0, 1)], ..Edits::default() }),
        // The mean is that of the unchanged run, also where an earlier layer was changed.
        (ablate(&[(0, 1), (1, 2)], Ablation::Mean), Edits { averaged: vec![(0, 1), (1, 2)], ..Edits::default() }),
        (
            vec![Tweak::Temperature { heads: vec![], value: 0.4 }],
            Edits { temperature: Some((None, 0.4)), ..Edits::default() },
        ),
        (
            vec![Tweak::Temperature { heads: heads(&[(1, 1)]), value: 5.0 }],
            Edits { temperature: Some((Some((1, 1)), 5.0)), ..Edits::default() },
        ),
        (vec![Tweak::Unscaled], Edits { unscaled: true, ..Edits::default() }),
        (vec![Tweak::Acausal], Edits { acausal: true, ..Edits::default() }),
        (vec![Tweak::Window { width: 1 }], Edits { window: Some(1), ..Edits::default() }),
        (vec![Tweak::Window { width: 3 }], Edits { window: Some(3), ..Edits::default() }),
        (
            vec![Tweak::Acausal, Tweak::Window { width: 3 }],
            Edits { acausal: true, window: Some(3), ..Edits::default() },
        ),
        (row(vec![1.0, 0.0, 3.0]), Edits { row: Some((0, 3, 6, vec![0.25, 0.0, 0.75])), ..Edits::default() }),
        (vec![patch(0, 4, 7)], Edits { patches: vec![(0, 4, 7)], ..Edits::default() }),
        (vec![patch(1, 2, 0), patch(0, 5, 5)], Edits { patches: vec![(1, 2, 0), (0, 5, 5)], ..Edits::default() }),
        // Several at once.
        (
            [ablate(&[(1, 0)], Ablation::Mean), vec![Tweak::Window { width: 4 }, Tweak::Unscaled, patch(0, 3, 1)]]
                .concat(),
            Edits {
                averaged: vec![(1, 0)],
                window: Some(4),
                unscaled: true,
                patches: vec![(0, 3, 1)],
                ..Edits::default()
            },
        ),
    ]
}

#[test]
fn on_the_cpu() {
    check(DeviceChoice::Cpu);
}

#[test]
fn on_the_graphics_processor() {
    check(DeviceChoice::Gpu("gpu".into()));
}

fn check(device: DeviceChoice) {
    let path = data("conformance/llama/F32.gguf");
    let options = LabOptions { device, exact: true, prompt: PROMPT.into(), ..LabOptions::default() };
    let mut lab = Lab::new(options, || {});
    lab.apply(Command::OpenModel(ModelSource::File(path.clone())));
    lab.apply(Command::SetDonorPrompt(Some(DONOR.into())));
    lab.wait_until_idle();
    let notices = &lab.snapshot().notices;
    assert!(lab.snapshot().model.is_some() && notices.is_empty(), "{notices:?}");
    let ids = |chips: &[glassbox::lab::Chip]| chips.iter().map(|chip| chip.id).collect::<Vec<_>>();
    let (tokens, donor) = (ids(&lab.snapshot().chips), ids(&lab.snapshot().donor_chips));
    let plain = PlainLlama::open(&path);
    let untouched: Vec<f32> = plain.logits(&tokens, &donor, &Edits::default());
    for (tweaks, edits) in cases() {
        lab.apply(Command::SetTweaks(tweaks.clone()));
        lab.wait_until_idle();
        let s = lab.snapshot();
        let what = format!("{tweaks:?} on {}", s.model.as_ref().unwrap().device.name);
        let run = s.shown().unwrap_or_else(|| panic!("{what}: {:?}", s.notices));
        assert_eq!(run.tweaks, tweaks, "{what}: {:?}", s.notices);
        let want = plain.logits(&tokens, &donor, &edits);
        // f32 against f64: the conformance suite's own tolerance.
        assert_close(&what, &run.logits, &want, 5e-5, 2e-5);
        let moved = want.iter().zip(&untouched).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(tweaks.is_empty() || moved > 0.01, "{what}: such a small change ({moved}) would prove nothing");
    }
}
