//! What the lessons claim about a model holds on that model.
//!
//! Each `claim` block is run as the app runs it: the file in the program (or SmolLM2, where the test machine has it), the
//! plain prompt, and the change as a true re-run. Every claim that fails is named, with what was found instead.

mod support;

use std::collections::BTreeMap;

use glassbox::builtin::ModelFolders;
use glassbox::engine::tokenizer::Tokenizer;
use glassbox::engine::{DeviceChoice, Engine, ModelSource, Output, Request, open_engine, open_source};
use glassbox::insight::heads::HeadMaps;
use glassbox::lesson::{Claim, Holds, Library, OUTSIDE};
use glassbox::model::tweak::{Sources, Tweak, compile};
use glassbox::model::{Cancel, Capture, LogitsWanted, Site};

struct Live {
    engine: Box<dyn Engine>,
    tokenizer: Tokenizer,
}

impl Live {
    /// A model by the id that lessons use; none where the machine does not have it.
    fn open(id: &str) -> Option<Self> {
        let source = if OUTSIDE.contains(&id) {
            ModelSource::File(support::smollm2()?)
        } else {
            ModelSource::BuiltIn(id.to_owned())
        };
        let (checkpoint, tokenizer) = open_source(&source, &ModelFolders::none()).unwrap();
        let opened = open_engine(&checkpoint, &DeviceChoice::Cpu, false, &Cancel::new(), &|_| {}).unwrap();
        Some(Self { engine: opened.engine, tokenizer })
    }

    fn run(&mut self, prompt: &str, tweaks: &[Tweak], capture: &Capture) -> Output {
        let tokens = self.tokenizer.encode_prompt(prompt).unwrap();
        let interventions = compile(tweaks, self.engine.config(), Sources::default()).unwrap();
        self.engine.truncate(0);
        let logits = LogitsWanted::Last;
        self.engine.run(Request { tokens: &tokens, capture, interventions: &interventions, logits }).unwrap()
    }

    /// The probabilities of all tokens after a prompt.
    fn next(&mut self, prompt: &str, tweaks: &[Tweak]) -> Vec<f64> {
        let logits = self.run(prompt, tweaks, &Capture::none()).logits;
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f64> = logits.iter().map(|x| f64::from(x - most).exp()).collect();
        let sum: f64 = powers.iter().sum();
        powers.into_iter().map(|p| p / sum).collect()
    }

    fn word(&self, id: usize) -> String {
        self.tokenizer.decode(&[id as u32]).trim().to_owned()
    }

    /// Whether a claim holds, and what was found.
    fn check(&mut self, claim: &Claim) -> (bool, String) {
        let next = self.next(&claim.prompt, &[]);
        let (top, p) = next.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        match &claim.holds {
            Holds::TopToken { token } => {
                let said = self.word(top);
                (said == token.trim(), format!("the likeliest token is {said:?} with {p:.3}"))
            }
            Holds::ProbabilityAbove { token, above } => {
                let is_it = |id: &usize| self.word(*id) == token.trim();
                let found = (0..next.len()).filter(is_it).map(|id| next[id]).fold(0.0, f64::max);
                (found > *above, format!("{token:?} has {found:.4}"))
            }
            Holds::HeadScore { score, above } => {
                let config = self.engine.config().clone();
                let mut maps = HeadMaps::new(config.n_layers, config.n_heads);
                let capture = Capture::none().with_site(Site::Pattern, &config);
                assert!(maps.add(&self.run(&claim.prompt, &[], &capture).trace));
                let best = maps.map(*score).and_then(|map| map.best());
                (
                    best.is_some_and(|(_, best)| f64::from(best) > *above),
                    format!("the best head for {} is {best:?}", score.name()),
                )
            }
            Holds::Change { tweak, kl_above } => {
                let changed = self.next(&claim.prompt, std::slice::from_ref(tweak));
                let term = |(p, q): (&f64, &f64)| if *p > 0.0 { p * (p / q.max(1e-300)).ln() } else { 0.0 };
                let kl: f64 = next.iter().zip(&changed).map(term).sum();
                (kl > *kl_above, format!("the divergence is {kl:.4} nats"))
            }
        }
    }
}

#[test]
fn every_claim_holds_on_the_models_that_it_names() {
    let mut open: BTreeMap<String, Option<Live>> = BTreeMap::new();
    let (mut failures, mut checked, mut skipped) = (Vec::new(), 0, 0);
    for lesson in &Library::embedded().lessons {
        for (claim, model) in lesson.claims().flat_map(|claim| claim.models.iter().map(move |model| (claim, model))) {
            let live = open.entry(model.clone()).or_insert_with(|| Live::open(model));
            let Some(live) = live else {
                skipped += 1;
                continue;
            };
            let (holds, found) = live.check(claim);
            checked += 1;
            let line = format!("{}, claim {:?} on {model}: {found}", lesson.file, claim.id);
            println!("{} {line}", if holds { "holds:" } else { "FAILS:" });
            if !holds {
                failures.push(line);
            }
        }
    }
    println!("{checked} checked, {skipped} skipped");
    assert!(checked > 0);
    assert!(failures.is_empty(), "{} of {checked} claims do not hold:\n{}", failures.len(), failures.join("\n"));
}
