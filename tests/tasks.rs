//! Tasks are measured in the open model, through the lab, and nowhere else.

mod support;

use glassbox::insight::heads::HeadKind;
use glassbox::lab::{Begin, Command, DeviceChoice, Lab, LabOptions, ModelSource, TaskJob};
use glassbox::lesson::{Attempt, Key, Measured, TaskKind, grade_task};
use glassbox::model::tweak::{Ablation, HeadRef, Tweak};

/// The lab with the default model of the program.
fn lab() -> Lab {
    let begin = Begin::With(ModelSource::default_model());
    let options = LabOptions { begin, device: DeviceChoice::Cpu, exact: true, ..LabOptions::default() };
    let mut lab = Lab::new(options, || {});
    lab.wait_until_idle();
    assert!(lab.snapshot().model.is_some());
    lab
}

fn measure(lab: &mut Lab, kind: TaskKind, seed: u64, silenced: Option<Vec<HeadRef>>) -> Measured {
    lab.apply(Command::Measure(TaskJob { kind, seed, silenced }));
    lab.wait_until_idle();
    lab.snapshot().measured.get(&seed).unwrap_or_else(|| panic!("{kind:?} was measured")).as_ref().clone()
}

const KINDS: [TaskKind; 5] =
    [TaskKind::PreviousTokenHead, TaskKind::InductionHead, TaskKind::Sink, TaskKind::Flip, TaskKind::RowEntropy];

#[test]
fn an_attempt_draws_its_own_texts_and_the_same_attempt_the_same() {
    let mut lab = lab();
    let n_words = |m: &Measured| m.prompt.split_whitespace().count();
    for kind in KINDS {
        let (one, two) = (measure(&mut lab, kind, 1, None), measure(&mut lab, kind, 2, None));
        assert_ne!(one.prompt, two.prompt, "{kind:?} draws anew");
        assert!(n_words(&one) >= 8, "{kind:?}: {:?}", one.prompt);
        assert_eq!(measure(&mut lab, kind, 1, None), one, "{kind:?} is the same for the same seed");
        if let Key::Withdrawn(why) = &one.key {
            println!("{kind:?} is withdrawn: {why}");
            assert!(why.ends_with('.'));
        }
    }
    lab.apply(Command::CloseModel);
    lab.wait_until_idle();
    assert!(lab.snapshot().measured.is_empty(), "what was measured was about that model");
    lab.apply(Command::Measure(TaskJob { kind: TaskKind::Sink, seed: 9, silenced: None }));
    lab.wait_until_idle();
    assert!(lab.snapshot().measured.is_empty(), "without a model nothing is measured");
}

#[test]
fn the_best_head_passes_and_the_worst_does_not() {
    let mut lab = lab();
    let mut graded = 0;
    for kind in [TaskKind::PreviousTokenHead, TaskKind::InductionHead, TaskKind::Sink] {
        let measured = measure(&mut lab, kind, 7, None);
        let Key::Heads(map) = &measured.key else { continue };
        let ranked = map.ranked();
        assert_eq!(ranked.len(), measured.n_layers * measured.n_heads);
        assert!(grade_task(&measured.key, &Attempt::Head(ranked[0].0)).correct);
        assert!(!grade_task(&measured.key, &Attempt::Head(ranked.last().unwrap().0)).correct);
        graded += 1;
    }
    assert!(graded > 0, "the default model is there for these tasks");
    assert_eq!(TaskKind::Sink.habit(), Some(HeadKind::FirstToken));
}

#[test]
fn heads_that_were_found_do_flip_the_prediction() {
    let mut lab = lab();
    let measured = measure(&mut lab, TaskKind::Flip, 3, None);
    let Key::Flip(key) = &measured.key else {
        println!("withdrawn: {:?}", measured.key);
        return;
    };
    let again = measure(&mut lab, TaskKind::Flip, 3, Some(key.found.clone()));
    let (heads, now) = again.tried.clone().expect("the set was tried");
    assert_eq!((&heads, &now), (&key.found, &key.then));
    assert!(grade_task(&again.key, &Attempt::Silenced(heads.clone(), now)).correct);

    // The window says the same: the text in the prompt, the heads silenced by hand.
    lab.apply(Command::SetPrompt(measured.prompt.clone()));
    lab.wait_until_idle();
    let top = |lab: &Lab| lab.snapshot().shown().unwrap().top[0].label.replace('·', " ");
    assert_eq!(top(&lab).trim(), key.top.trim());
    lab.apply(Command::SetTweaks(vec![Tweak::AblateHeads { heads, with: Ablation::Zero }]));
    lab.wait_until_idle();
    assert_eq!(top(&lab).trim(), key.then.trim());
}

#[test]
fn a_row_has_the_entropy_that_the_lab_shows() {
    let mut lab = lab();
    let measured = measure(&mut lab, TaskKind::RowEntropy, 5, None);
    let Key::Row(row) = &measured.key else { panic!("the default model has such a row: {:?}", measured.key) };
    let temperature = 2.5;
    let tweak = Tweak::Temperature { heads: vec![row.head], value: temperature as f32 };
    lab.apply(Command::SetPrompt(measured.prompt.clone()));
    lab.apply(Command::SetTweaks(vec![tweak]));
    lab.wait_until_idle();
    let run = lab.snapshot().shown().unwrap().clone();
    let pattern = &glassbox::lesson::patterns(&run.trace)[row.head.layer];
    let n = run.tokens.len();
    let last = &pattern.head(row.head.head).unwrap()[(n - 1) * n..];
    // Two float paths to one softmax: far tighter than the 5 % that a student is allowed.
    support::assert_close(
        "the row",
        &row.weights(temperature).iter().map(|w| *w as f32).collect::<Vec<_>>(),
        last,
        1e-4,
        0.0,
    );
}
