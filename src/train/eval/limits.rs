//! What the lessons rely on, as numbers. A model that is shipped keeps every one of them; a test and `glassbox eval` say
//! so.

use serde::{Deserialize, Serialize};

use super::{Loss, Report, World};
use crate::insight::heads::HeadKind;

/// A head is called a previous-token head from this score on.
pub const PREVIOUS_TOKEN: f32 = 0.6;
/// A head is called an induction head from this score on.
pub const INDUCTION: f32 = 0.5;
/// How many heads of each of the two kinds there are, at least.
pub const HEADS: usize = 2;
/// The loss on the second copy without the best induction head, over that with it, at least.
pub const RISE: f64 = 1.5;
/// Analogies whose answer comes first, at least.
pub const ANALOGIES: usize = 20;
/// Ambiguous words whose senses separate in the layer with the widest gap, at least.
pub const SENSES: usize = 4;
/// How often senses dealt out at random may give a gap as wide as one that counts. The layer with the widest gap is the best
/// of a handful, so this is stricter than the usual one in twenty.
pub const SENSE_CHANCE: f64 = 0.01;
/// The load of every layer's least used expert over its fair share, at least.
pub const LOAD: f64 = 0.25;
/// A class of words leans clearly to an expert if that takes this many times its fair share of them …
pub const LEAN: f64 = 2.0;
/// … and this many times what it takes of all tokens …
pub const LIFT: f64 = 1.5;
/// … counted over so many occurrences.
pub const OCCURRENCES: usize = 50;
/// Experts to which a class leans clearly, at least.
pub const LEANING: usize = 2;

/// A figure beside its limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What was measured.
    pub figure: String,
    /// What came out.
    pub value: String,
    /// What it has to be; empty where nothing depends on it.
    pub limit: String,
    /// Whether it is; `None` where nothing depends on it.
    pub passed: Option<bool>,
}

impl Report {
    /// Every figure that a lesson relies on.
    pub fn checks(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        let mut add = |figure: &str, value: String, limit: String, passed: bool| {
            checks.push(Check { figure: figure.into(), value, limit, passed: Some(passed) });
        };
        for (kind, score) in [(HeadKind::PreviousToken, PREVIOUS_TOKEN), (HeadKind::Induction, INDUCTION)] {
            let n = self.heads.map(kind).map_or(0, |map| map.count(score));
            let figure = format!("Heads with a score of {score} or more: {}", kind.name());
            add(&figure, n.to_string(), format!("{HEADS} or more"), n >= HEADS);
        }
        if let Some(ablated) = self.heads.without(HeadKind::Induction) {
            let (with, without) = (self.heads.repeats.plain.later, ablated.loss.later);
            let figure = "Loss on the second copy without the best induction head, over that with it";
            let value = format!("{:.2} ({without:.2} / {with:.2})", without / with);
            add(figure, value, format!("{RISE} or more"), without >= RISE * with);
        }
        checks.extend(self.world.as_ref().map(World::checks).unwrap_or_default());
        checks
    }

    /// Whether every figure keeps its limit.
    pub fn passed(&self) -> bool {
        self.checks().iter().all(|check| check.passed != Some(false))
    }
}

impl World {
    fn checks(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        let mut add = |figure: &str, value: String, limit: String, passed: Option<bool>| {
            checks.push(Check { figure: figure.into(), value, limit, passed });
        };
        let (model, trigram) = (self.held_out.model.nats, self.held_out.trigram.nats);
        add(
            "Held-out loss, nats per token",
            format!("{model:.3}"),
            format!("below the trigram model's {trigram:.3}"),
            Some(model < trigram),
        );
        if let Some(beside) = &self.held_out.beside {
            let Loss { nats, error, .. } = beside.difference;
            add(
                &format!("Held-out loss minus that of {}, token by token", beside.name),
                format!("{nats:+.4} ± {error:.4}"),
                "0 or less".into(),
                Some(nats <= 0.0),
            );
        }
        let rank = self.king_queen.centred.as_ref().map(|placed| placed.rank);
        add(
            "Rank of queen for king − man + woman, inputs left out",
            rank.map_or("not one token".into(), |rank| rank.to_string()),
            "1".into(),
            Some(rank == Some(1)),
        );
        let (right, of) = (self.analogies.iter().filter(|a| a.passed()).count(), self.analogies.len());
        add(
            "Analogies whose answer ranks first, inputs left out",
            format!("{right} of {of}"),
            format!("{ANALOGIES} or more"),
            Some(right >= ANALOGIES),
        );
        let (apart, of) = (self.senses.iter().filter(|s| s.separates()).count(), self.senses.len());
        add(
            "Ambiguous words whose senses separate",
            format!("{apart} of {of}"),
            format!("{SENSES} or more"),
            Some(apart >= SENSES),
        );
        let (known, of) = (self.facts.iter().filter(|f| f.right()).count(), self.facts.len());
        add("Facts answered", format!("{known} of {of}"), String::new(), None);
        if let Some(experts) = &self.experts {
            let least = experts.iter().map(|layer| layer.routing.least_load()).fold(f64::INFINITY, f64::min);
            add(
                "Load of the least used expert of any layer, over its fair share",
                format!("{least:.2}"),
                format!("{LOAD} or more"),
                Some(least >= LOAD),
            );
            let n = self.leaning_experts();
            add(
                "Experts to which a class of words leans clearly",
                n.to_string(),
                format!("{LEANING} or more"),
                Some(n >= LEANING),
            );
        }
        checks
    }
}
