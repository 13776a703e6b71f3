//! What the first lesson says about a model holds on a real one.
//!
//! A lesson's truths come from the live run, so no answer can be wrong; but its prose says what to expect ("most often the
//! first token", "probably little happens"), and that is checked here on SmolLM2.

mod support;

use glassbox::engine::tokenizer::Tokenizer;
use glassbox::engine::{Engine, Request, open_tokenizer, top_tokens};
use glassbox::lesson::{Candidate, Lesson, Library, RunFacts, mean_last_row, patterns};
use glassbox::model::tweak::{self, Ablation, Sources, Tweak};
use glassbox::model::{Capture, LogitsWanted, Site};

struct Live {
    engine: Box<dyn Engine>,
    tokenizer: Tokenizer,
    lesson: Lesson,
    prompt: String,
}

impl Live {
    fn open() -> Option<Self> {
        let path = support::smollm2()?;
        let mut checkpoint = support::open(&path);
        let tokenizer = open_tokenizer(&mut checkpoint).unwrap();
        let engine = support::on_cpu(&path, false);
        let lesson = Library::embedded().lessons.swap_remove(0);
        let prompt = lesson.predictions().next().unwrap().prompt.clone();
        Some(Self { engine, tokenizer, lesson, prompt })
    }

    /// The facts of a run of the lesson's prompt under some changes.
    fn facts(&mut self, tweaks: &[Tweak]) -> RunFacts {
        let config = self.engine.config().clone();
        let tokens = self.tokenizer.encode_prompt(&self.prompt).unwrap();
        let capture = Capture::none().with_site(Site::Pattern, &config);
        let interventions = tweak::compile(tweaks, &config, Sources::default()).unwrap();
        self.engine.truncate(0);
        let request =
            Request { tokens: &tokens, capture: &capture, interventions: &interventions, logits: LogitsWanted::Last };
        let output = self.engine.run(request).unwrap();
        let next = top_tokens(&output.logits, 8).into_iter();
        RunFacts {
            prompt: self.prompt.clone(),
            tokens: tokens.iter().map(|id| self.tokenizer.decode(&[*id])).collect(),
            next: next
                .map(|t| Candidate { text: self.tokenizer.decode(&[t.id]), probability: t.probability })
                .collect(),
            last_row: mean_last_row(&output.trace),
            patterns: patterns(&output.trace),
        }
    }

    /// The probability of Mary under some changes.
    fn mary(&mut self, tweaks: &[Tweak]) -> f32 {
        let facts = self.facts(tweaks);
        facts.next.iter().find(|c| c.text.trim() == "Mary").map_or(0.0, |c| c.probability)
    }
}

#[test]
fn the_predictions_come_out_as_the_prose_expects() {
    let Some(mut live) = Live::open() else { return };
    let facts = live.facts(&[]);
    println!("{facts:?}");
    let sum: f32 = facts.last_row.iter().sum();
    assert!((sum - 1.0).abs() < 1e-4, "a mean of rows that sum to 1 sums to 1: {sum}");
    let said: Vec<_> = live
        .lesson
        .predictions()
        .map(|p| {
            let settled = p.settle(&facts).unwrap();
            println!("{}", settled.finding);
            p.options[settled.right.unwrap()].text.clone()
        })
        .collect();
    assert_eq!(said, ["Mary", "The first token of the text"]);
}

#[test]
fn the_changes_do_what_the_prose_says() {
    let Some(mut live) = Live::open() else { return };
    let clean = live.mary(&[]);
    let offers: Vec<_> = live.lesson.scenes().flat_map(|s| s.tweaks.clone()).collect();
    let mut mary = |label: &str| {
        let offer = offers.iter().find(|o| o.label == label).unwrap_or_else(|| panic!("no button {label:?}"));
        let now = live.mary(std::slice::from_ref(&offer.tweak));
        println!("{label}: {now:.3} (unchanged {clean:.3})");
        now
    };
    for label in ["Sharpen: temperature 0.5", "Flatten: temperature 2"] {
        assert!((0.2..clean).contains(&mary(label)), "{label:?} costs certainty, not the answer");
    }
    for label in ["See only 8 tokens", "See only 3 tokens"] {
        assert!(mary(label) < 0.1, "{label:?} loses the name");
    }
    assert!(mary("Silence layer 0, head 0") < clean - 0.05, "a dull head that matters");

    // A sample spread over the layers: the step shares no divisor with the 9 heads of a layer.
    let heads: Vec<_> = tweak::every_head(live.engine.config()).skip(20).step_by(37).collect();
    let mut drops: Vec<f32> = heads
        .into_iter()
        .map(|head| (clean - live.mary(&[Tweak::AblateHeads { heads: vec![head], with: Ablation::Zero }])).abs())
        .collect();
    drops.sort_by(f32::total_cmp);
    println!("changes by single heads: {drops:.3?}");
    assert!(drops[drops.len() / 2] < 0.03, "most heads alone change almost nothing: {drops:?}");
}
