//! The headless app, driven by commands as the window drives it.

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use glassbox::lab::{Command, DeviceChoice, Lab, LabOptions, ModelSource, NoticeLevel};
use glassbox::model::sampler::SamplerConfig;
use glassbox::model::tweak::{Ablation, HeadRef, Tweak};
use glassbox::model::{HookPoint, Site};
use support::data;

fn lab() -> Lab {
    let options = LabOptions {
        device: DeviceChoice::Cpu,
        exact: true,
        prompt: "The engine reads".into(),
        ..LabOptions::default()
    };
    Lab::new(options, || {})
}

fn opened(path: &Path) -> Lab {
    let mut lab = lab();
    lab.apply(Command::OpenModel(ModelSource::File(path.to_owned())));
    lab.wait_until_idle();
    assert!(lab.snapshot().model.is_some(), "{:?}", lab.snapshot().notices);
    lab
}

fn llama() -> Lab {
    opened(&data("conformance/llama/Q8_0.gguf"))
}

fn errors(lab: &Lab) -> Vec<String> {
    lab.snapshot().notices.iter().filter(|n| n.level == NoticeLevel::Error).map(|n| n.text.clone()).collect()
}

#[test]
fn opening_a_model_runs_the_prompt() {
    let lab = llama();
    let s = lab.snapshot();
    let run = s.clean.as_ref().expect("a run");
    assert_eq!(run.tokens.len(), s.chips.len());
    assert!(!s.stale && s.activity.is_none() && s.tweaked.is_none());
    let config = &s.model.as_ref().unwrap().config;
    for layer in 0..config.n_layers {
        let pattern = run.trace.get(HookPoint::layer(layer, Site::Pattern)).expect("every layer's pattern");
        assert_eq!(pattern.shape, [config.n_heads, run.tokens.len(), run.tokens.len()]);
    }
    let lens = run.lens.as_ref().expect("the lens is computed in the background");
    assert_eq!(lens.cells.len(), (config.n_layers + 1) * run.tokens.len());
    // What leaves the last layer is what the model predicts.
    let last = &lens.cells[lens.cells.len() - 1][0];
    assert_eq!(last.0.id, run.top[0].score.id);
    assert!((last.0.probability - run.top[0].score.probability).abs() < 1e-5);
}

#[test]
fn tweaks_change_the_run_and_come_back() {
    let mut lab = llama();
    let before = lab.snapshot().clean.clone().unwrap();
    let ablate = Tweak::AblateHeads { heads: vec![HeadRef { layer: 1, head: 2 }], with: Ablation::Mean };
    for tweak in [
        ablate,
        Tweak::Temperature { heads: vec![], value: 0.3 },
        Tweak::Unscaled,
        Tweak::Acausal,
        Tweak::Window { width: 2 },
    ] {
        lab.apply(Command::SetTweaks(vec![tweak.clone()]));
        lab.wait_until_idle();
        let s = lab.snapshot();
        let (clean, tweaked) = (s.clean.as_ref().unwrap(), s.tweaked.as_ref().expect("a changed run"));
        assert_ne!(clean.logits, tweaked.logits, "{tweak:?} changes nothing");
        assert_eq!(clean.logits, before.logits, "the unchanged run stays what it was");
    }
    lab.apply(Command::ClearTweaks);
    lab.wait_until_idle();
    assert!(lab.snapshot().tweaked.is_none());
}

#[test]
fn patching_with_the_same_prompt_changes_nothing() {
    let mut lab = llama();
    let prompt = lab.snapshot().prompt.clone();
    lab.apply(Command::SetDonorPrompt(Some(prompt)));
    lab.apply(Command::SetTweaks(vec![Tweak::Patch { layer: 1, position: 2, from_position: 2 }]));
    lab.wait_until_idle();
    let s = lab.snapshot();
    assert_eq!(s.clean.as_ref().unwrap().logits, s.tweaked.as_ref().unwrap().logits, "{:?}", s.notices);
    lab.apply(Command::SetDonorPrompt(Some("Another text, and a longer one".into())));
    lab.wait_until_idle();
    let s = lab.snapshot();
    assert_ne!(s.clean.as_ref().unwrap().logits, s.tweaked.as_ref().unwrap().logits);
}

#[test]
fn a_tweak_that_does_not_fit_says_so_and_leaves_the_rest() {
    let mut lab = llama();
    lab.apply(Command::SetTweaks(vec![Tweak::AblateHeads {
        heads: vec![HeadRef { layer: 99, head: 0 }],
        with: Ablation::Zero,
    }]));
    lab.wait_until_idle();
    assert_eq!(errors(&lab).len(), 1, "{:?}", lab.snapshot().notices);
    lab.apply(Command::ClearTweaks);
    lab.wait_until_idle();
    assert!(lab.snapshot().clean.is_some() && !lab.snapshot().stale);
}

#[test]
fn generation_is_the_same_with_and_without_the_cache() {
    let text = |use_cache: bool, tweaks: Vec<Tweak>| {
        let mut lab = llama();
        lab.apply(Command::SetTweaks(tweaks));
        lab.apply(Command::SetSampler(SamplerConfig { temperature: 0.0, ..SamplerConfig::default() }));
        lab.apply(Command::SetUseCache(use_cache));
        lab.apply(Command::Generate(12));
        lab.wait_until_idle();
        let s = lab.snapshot();
        let generation = s.generation.as_ref().unwrap();
        assert!(!generation.running && generation.stopped.is_some());
        assert_eq!(generation.cache_bytes > 0, use_cache);
        assert_eq!(s.chips.len(), s.n_prompt + generation.draws.len());
        assert_eq!(s.clean.as_ref().unwrap().tokens.len(), s.chips.len(), "the panels follow the longer text");
        generation.draws.iter().map(|(chip, _)| chip.id).collect::<Vec<_>>()
    };
    assert_eq!(text(true, vec![]), text(false, vec![]));
    let mean = Tweak::AblateHeads { heads: vec![HeadRef { layer: 0, head: 1 }], with: Ablation::Mean };
    let row = Tweak::PatternRow { layer: 1, head: 0, query: 2, weights: vec![1.0, 2.0] };
    let tweaks = vec![mean, Tweak::Temperature { heads: vec![], value: 2.0 }, row, Tweak::Window { width: 3 }];
    assert_eq!(text(true, tweaks.clone()), text(false, tweaks));
}

#[test]
fn step_draws_one_token_after_another() {
    let mut lab = llama();
    for n in 1..=3 {
        lab.apply(Command::Step);
        lab.wait_until_idle();
        assert_eq!(lab.snapshot().chips.len(), lab.snapshot().n_prompt + n);
        assert_eq!(lab.snapshot().selection.token, lab.snapshot().chips.len() - 1, "the end stays selected");
    }
    lab.apply(Command::ClearGenerated);
    lab.wait_until_idle();
    assert_eq!(lab.snapshot().chips.len(), lab.snapshot().n_prompt);
}

#[test]
fn a_dragged_slider_queues_one_run_at_most() {
    let runs = Arc::new(AtomicUsize::new(0));
    let mut lab = llama();
    let first = lab.snapshot().clean.as_ref().unwrap().id;
    for i in 0..200 {
        let value = 0.5 + 0.01 * i as f32;
        lab.apply(Command::SetTweaks(vec![Tweak::Temperature { heads: vec![], value }]));
        runs.fetch_add(1, Ordering::Relaxed);
    }
    lab.wait_until_idle();
    let s = lab.snapshot();
    let last = s.tweaked.as_ref().unwrap();
    // One that may have begun at once, and the newest. Each costs one run; the unchanged one is shared.
    assert!(last.id - first <= 3, "{} runs for {} moves", last.id - first, runs.load(Ordering::Relaxed));
    assert_eq!(last.tweaks, [Tweak::Temperature { heads: vec![], value: 0.5 + 0.01 * 199.0 }]);
}

#[test]
fn odd_prompts() {
    let mut lab = llama();
    for prompt in ["", " ", "x", "\u{0}", "👩‍👩‍👧‍👦 مرحبا", "\n\n\t"] {
        lab.apply(Command::SetPrompt(prompt.into()));
        lab.wait_until_idle();
        let s = lab.snapshot();
        assert_eq!(s.clean.is_some(), !s.chips.is_empty(), "{prompt:?} {:?}", s.notices);
        assert!(errors(&lab).is_empty(), "{prompt:?}: {:?}", errors(&lab));
    }
    // One past the context: one sentence, and the next prompt works.
    lab.apply(Command::SetPrompt("word ".repeat(400)));
    lab.wait_until_idle();
    let told = errors(&lab);
    assert!(told.len() == 1 && told[0].contains("context"), "{told:?}");
    lab.apply(Command::SetPrompt("The".into()));
    lab.wait_until_idle();
    assert!(lab.snapshot().clean.is_some());
}

#[test]
fn a_bad_file_leaves_the_open_model() {
    let mut lab = llama();
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("text.gguf");
    std::fs::write(&bad, "this is no model").unwrap();
    let empty = tempfile::tempdir().unwrap();
    for path in [bad, folder.path().join("missing.gguf"), empty.path().to_owned()] {
        lab.apply(Command::OpenModel(ModelSource::File(path.clone())));
        lab.wait_until_idle();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let [error] = &errors(&lab)[..] else { panic!("{}: {:?}", path.display(), errors(&lab)) };
        assert!(error.contains(&name), "{error}");
    }
    assert!(lab.snapshot().model.is_some() && lab.snapshot().activity.is_none());
    lab.apply(Command::SetPrompt("It still runs".into()));
    lab.wait_until_idle();
    assert!(lab.snapshot().clean.is_some() && !lab.snapshot().stale);
    lab.apply(Command::OpenModel(ModelSource::File(data("conformance/gpt2/F32.gguf"))));
    lab.wait_until_idle();
    assert_eq!(errors(&lab), [""; 0], "what was wrong with another file is no longer told");
}

#[test]
fn cancelling_a_generation_keeps_what_was_drawn() {
    let mut lab = llama();
    lab.apply(Command::Generate(1_000_000));
    assert!(lab.wait_until(|s| s.generation.as_ref().is_some_and(|g| g.draws.len() >= 2)));
    lab.apply(Command::Cancel);
    lab.wait_until_idle();
    let s = lab.snapshot();
    let generation = s.generation.as_ref().unwrap();
    assert!(!generation.running);
    assert_eq!(s.chips.len(), s.n_prompt + generation.draws.len());
    // A new prompt while text is being generated: nothing of the old text shows up in the new one.
    lab.apply(Command::Generate(1_000_000));
    lab.apply(Command::SetPrompt("The".into()));
    lab.wait_until_idle();
    let s = lab.snapshot();
    assert_eq!(s.chips.len(), s.n_prompt);
    assert!(s.generation.is_none());
}

#[test]
fn the_model_moves_between_devices() {
    let mut lab = llama();
    let on_cpu = lab.snapshot().clean.clone().unwrap();
    lab.apply(Command::SetDevice(DeviceChoice::Gpu("gpu".into())));
    lab.wait_until_idle();
    let s = lab.snapshot();
    assert_ne!(s.model.as_ref().unwrap().device.kind, glassbox::model::DeviceKind::Cpu, "{:?}", s.notices);
    let on_gpu = s.clean.clone().unwrap();
    support::assert_close("logits", &on_gpu.logits, &on_cpu.logits, 5e-5, 2e-5);
    // A device that is not there: the CPU takes over and the window says so.
    lab.apply(Command::SetDevice(DeviceChoice::Gpu("no such device".into())));
    lab.wait_until_idle();
    let s = lab.snapshot();
    assert_eq!(s.model.as_ref().unwrap().device.kind, glassbox::model::DeviceKind::Cpu);
    assert!(s.notices.iter().any(|n| n.level == NoticeLevel::Warning && n.sticky));
    // Where a device that is there takes over in turn, that is no longer true.
    lab.apply(Command::SetDevice(DeviceChoice::Gpu("gpu".into())));
    lab.wait_until_idle();
    assert!(lab.snapshot().notices.is_empty(), "{:?}", lab.snapshot().notices);
}

#[test]
fn closing_forgets_the_model() {
    let mut lab = llama();
    lab.apply(Command::CloseModel);
    lab.wait_until_idle();
    let s = lab.snapshot();
    assert!(s.model.is_none() && s.clean.is_none() && s.chips.is_empty());
}

#[test]
fn chat_template_of_the_real_model() {
    let Some(path) = support::smollm2() else { return };
    let mut lab = opened(&path);
    assert!(lab.snapshot().model.as_ref().unwrap().has_chat_template);
    lab.apply(Command::SetChat(true));
    lab.apply(Command::SetPrompt("Hi <|im_end|>".into()));
    lab.wait_until_idle();
    let ends = lab.snapshot().chips.iter().filter(|chip| chip.label == "<|im_end|>" && chip.special).count();
    // Of the system message and of the user's: what the user typed is text.
    assert_eq!(ends, 2);
}
