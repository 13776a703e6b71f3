//! Studies: what takes many runs of the model, against the same thing done plainly.

mod support;

use glassbox::engine::{ModelSource, open_engine, open_source};
use glassbox::insight::heads::{HeadKind, label};
use glassbox::insight::loss::{mean, token_losses};
use glassbox::lab::study::{effect::HeadEffect, patch::PatchMap, scores::HeadScores};
use glassbox::lab::{Begin, Command, DeviceChoice, Finding, Lab, LabOptions, LossText, Study};
use glassbox::model::tweak::{Ablation, HeadRef, Sources, Tweak, compile, every_head};
use glassbox::model::{Cancel, Capture, Interventions, LogitsWanted};
use glassbox::train::eval::RepeatPrompts;

const LIST: &str = "the teacher said: lamp river coin garden. the children said: lamp";
/// The same with two words in each other's place, so that another word follows.
const OTHER: &str = "the teacher said: lamp coin river garden. the children said: lamp";

fn story() -> ModelSource {
    ModelSource::BuiltIn("story-dense".into())
}

fn tiny() -> ModelSource {
    ModelSource::File(support::data("conformance/llama/Q8_0.gguf"))
}

fn opened(source: ModelSource, prompt: &str) -> Lab {
    let options =
        LabOptions { begin: Begin::With(source), device: DeviceChoice::Cpu, exact: true, ..LabOptions::default() };
    let mut lab = Lab::new(options, || {});
    lab.wait_until_idle();
    lab.apply(Command::SetPrompt(prompt.into()));
    lab.wait_until_idle();
    lab
}

fn studied(lab: &mut Lab, study: Study, text: LossText) -> Option<Finding> {
    lab.apply(Command::Study(study, text));
    lab.wait_until_idle();
    let view = &lab.snapshot().studies[&study];
    assert!(!view.running && view.done == view.total, "{view:?}");
    view.finding.clone()
}

fn scores(lab: &mut Lab) -> HeadScores {
    let Some(Finding::Scores(scores)) = studied(lab, Study::HeadScores, LossText::Repeats) else { panic!("no scores") };
    scores
}

fn effect(lab: &mut Lab, text: LossText) -> HeadEffect {
    let Some(Finding::Effect(effect)) = studied(lab, Study::HeadEffect, text) else { panic!("no effect") };
    effect
}

fn patch(lab: &mut Lab) -> PatchMap {
    match studied(lab, Study::PatchMap, LossText::Prompt) {
        Some(Finding::Patch(map)) => map,
        _ => panic!("{:?}", lab.snapshot().studies[&Study::PatchMap]),
    }
}

#[test]
fn scores_name_the_heads_of_smollm2() {
    let Some(path) = support::smollm2() else { return };
    let scores = scores(&mut opened(ModelSource::File(path), "a"));
    let best = |kind, n| -> Vec<String> {
        scores.map(kind).unwrap().ranked().into_iter().take(n).map(|(head, _)| label(head)).collect()
    };
    // Found with numpy on 16 prompts of tokens from the whole vocabulary; ours are words of small letters, so that heads
    // whose scores there lie less than 0.05 apart (L16H0 0.896, L11H1 0.851) may change places.
    let names_all = |kind, n, names: &[&str]| {
        let best = best(kind, n);
        assert!(names.iter().all(|name| best.contains(&(*name).to_owned())), "{kind:?}: {best:?}");
    };
    names_all(HeadKind::PreviousToken, 2, &["L16H0", "L11H1"]);
    names_all(HeadKind::PreviousToken, 6, &["L16H0", "L11H1", "L2H1", "L19H3"]);
    names_all(HeadKind::Induction, 5, &["L18H6", "L17H3", "L17H4"]);
    names_all(HeadKind::DuplicateToken, 3, &["L14H3", "L8H0"]);
    let loss = scores.loss.unwrap();
    assert!(loss.first > loss.later + 5.0, "copying is seen in the loss: {loss:?}");
}

#[test]
fn effects_are_those_of_a_plain_loop() {
    for (source, prompt) in [(tiny(), "The engine reads the page"), (story(), LIST)] {
        let mut lab = opened(source.clone(), prompt);
        let (checkpoint, tokenizer) = open_source(&source, &Default::default()).unwrap();
        let opened = open_engine(&checkpoint, &DeviceChoice::Cpu, true, &Cancel::new(), &|_| {}).unwrap();
        let mut engine = opened.engine;
        let config = engine.config().clone();
        let tokens = lab.snapshot().clean.as_ref().unwrap().tokens.to_vec();
        for text in [LossText::Prompt, LossText::Repeats] {
            let found = effect(&mut lab, text);
            let mut plain = |changed: &Interventions| {
                let drawn = RepeatPrompts::draw(&tokenizer, &config, 0, 1, 32);
                let tokens = if text == LossText::Prompt { &tokens } else { &drawn.prompts[0] };
                engine.truncate(0);
                let capture = Capture::none();
                let request = glassbox::engine::Request {
                    tokens,
                    capture: &capture,
                    interventions: changed,
                    logits: LogitsWanted::All,
                };
                let losses = token_losses(&engine.run(request).unwrap().logits, config.d_vocab, tokens);
                let skip = if text == LossText::Prompt { 0 } else { drawn.n_begin + drawn.copy_length };
                mean(&losses[skip..]).unwrap()
            };
            let base = plain(&Interventions::none());
            assert!((found.base - base).abs() < 1e-9, "{} {base}", found.base);
            for head in every_head(&config) {
                let tweak = Tweak::AblateHeads { heads: vec![head], with: Ablation::Zero };
                let want = plain(&compile(&[tweak], &config, Sources::default()).unwrap()) - base;
                let got = found.rise(head).unwrap();
                assert!((got - want).abs() < 1e-9, "{head:?}: {got} {want}");
            }
        }
        assert_eq!(found_outside(&effect(&mut lab, LossText::Prompt)), None);
    }
}

fn found_outside(effect: &HeadEffect) -> Option<f64> {
    effect.rise(HeadRef { layer: 0, head: effect.n_heads })
}

#[test]
fn a_patch_map_begins_at_nothing_and_ends_at_the_whole_answer() {
    let mut lab = opened(story(), LIST);
    lab.apply(Command::SetDonorPrompt(Some(OTHER.into())));
    lab.wait_until_idle();
    let map = patch(&mut lab);
    assert_ne!(map.answer, map.donor_answer);
    assert!(map.clean < 0.0 && map.donor > 0.0, "each prompt prefers its own answer: {map:?}");
    let n_layers = lab.snapshot().model.as_ref().unwrap().config.n_layers;
    let last = map.n_positions - 1;
    // All that comes after the last layer reads one vector.
    assert!((map.moved(n_layers - 1, last).unwrap() - 1.0).abs() < 1e-4);
    for layer in 0..n_layers {
        // Before the prompts part, both have the same vectors: patching them changes nothing.
        for position in 0..3 {
            assert!(map.moved(layer, position).unwrap().abs() < 1e-4, "layer {layer}, position {position}");
        }
        // Nothing reads the others after the last layer.
        assert!(map.moved(n_layers - 1, last - 1 - layer).unwrap().abs() < 1e-4);
    }
    lab.apply(Command::SetDonorPrompt(Some(LIST.into())));
    lab.wait_until_idle();
    assert!(!lab.snapshot().studies.contains_key(&Study::PatchMap), "another text, another map");
    lab.apply(Command::Study(Study::PatchMap, LossText::Prompt));
    lab.wait_until_idle();
    let view = &lab.snapshot().studies[&Study::PatchMap];
    assert!(view.problem.as_ref().is_some_and(|problem| problem.contains("Both prompts answer")), "{view:?}");
}

#[test]
fn the_heads_that_the_search_names_flip_the_prediction() {
    for (source, prompt) in [(tiny(), "The engine reads"), (story(), LIST)] {
        let mut lab = opened(source, prompt);
        let Some(Finding::Flip(search)) = studied(&mut lab, Study::Flip, LossText::Prompt) else { panic!("no search") };
        assert!(search.finished && search.margin >= 0.0);
        let Some((heads, other, margin)) = search.found else { continue };
        assert!(margin < 0.0 && !heads.is_empty());
        let alone = search.margins.iter().flatten().any(|margin| *margin < 0.0);
        assert_eq!(heads.len() == 1, alone, "one head is enough exactly where one alone is");
        lab.apply(Command::SetTweaks(vec![Tweak::AblateHeads { heads: heads.clone(), with: Ablation::Zero }]));
        lab.wait_until_idle();
        let changed = lab.snapshot().tweaked.as_ref().unwrap();
        assert_eq!(changed.top[0].label, other);
        assert_ne!(changed.top[0].label, search.top);
    }
}

#[test]
fn counting_stands_beside_story_models_and_is_withdrawn_for_others() {
    let mut lab = opened(story(), LIST);
    let Some(Finding::Counts(counted)) = studied(&mut lab, Study::NGram, LossText::Prompt) else { panic!("no counts") };
    assert!(counted.n_tokens >= 400_000 && counted.context.len() == 2, "{counted:?}");
    let sum: f32 = counted.top.iter().map(|(score, _)| score.probability).sum();
    assert!(sum > 0.0 && sum <= 1.0 + 1e-5);
    // Another prompt is answered from the same counts.
    lab.apply(Command::SetPrompt("once there was a".into()));
    lab.wait_until_idle();
    let view = lab.snapshot().studies[&Study::NGram].clone();
    let Some(Finding::Counts(again)) = &view.finding else { panic!("{view:?}") };
    assert_eq!(again.n_tokens, counted.n_tokens);
    assert_ne!(again.context, counted.context);

    let mut other = opened(tiny(), "The engine reads");
    other.apply(Command::Study(Study::NGram, LossText::Prompt));
    other.wait_until_idle();
    let view = &other.snapshot().studies[&Study::NGram];
    assert!(view.problem.as_ref().is_some_and(|problem| problem.contains("story world")), "{view:?}");
}

#[test]
fn a_study_stops_and_steps_aside_for_the_prompt() {
    let mut lab = opened(story(), LIST);
    lab.apply(Command::Study(Study::HeadEffect, LossText::Repeats));
    assert!(lab.wait_until(|s| s.studies[&Study::HeadEffect].done > 0));
    // A prompt that is typed meanwhile is run, and the study goes on.
    lab.apply(Command::SetPrompt("once there was a".into()));
    assert!(lab.wait_until(|s| !s.stale));
    lab.wait_until_idle();
    let whole = lab.snapshot().studies[&Study::HeadEffect].clone();
    assert_eq!(whole.done, whole.total);

    lab.apply(Command::Study(Study::HeadEffect, LossText::Repeats));
    lab.apply(Command::StopStudy(Study::HeadEffect));
    lab.wait_until_idle();
    assert!(!lab.snapshot().studies[&Study::HeadEffect].running);
    // Nothing of another model is kept.
    lab.apply(Command::OpenModel(tiny()));
    lab.wait_until_idle();
    assert!(lab.snapshot().studies.is_empty());
}
