//! What the routers of a mixture of experts do with the words of the story world.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::limits::{LEAN, LIFT, OCCURRENCES};
use super::run::run;
use super::words::word_ids;
use super::{Subject, World};
use crate::insight::router::Routing;
use crate::model::{Capture, HookPoint, Interventions, LogitsWanted, Result, Site};
use crate::train::corpus::probes;

/// One layer of experts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExpertLayer {
    /// The layer.
    pub layer: usize,
    /// The names of the classes of words, in the order of `routing.classes`.
    pub classes: Vec<String>,
    /// What its router does.
    pub routing: Routing,
}

/// A class of words that leans clearly to an expert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leaning {
    /// The layer.
    pub layer: usize,
    /// The expert.
    pub expert: usize,
    /// The class.
    pub class: String,
    /// The share of its places that the expert takes.
    pub share: f64,
    /// That over the fair share.
    pub lean: f64,
}

impl World {
    /// The classes that lean clearly to an expert, the clearest first.
    pub fn leanings(&self) -> Vec<Leaning> {
        let mut all = Vec::new();
        for ExpertLayer { layer, classes, routing } in self.experts.iter().flatten() {
            for (name, class) in classes.iter().zip(&routing.classes) {
                if class.lean >= LEAN && class.lift >= LIFT && class.n_tokens >= OCCURRENCES {
                    let share = class.shares[class.expert];
                    let (layer, expert, lean) = (*layer, class.expert, class.lean);
                    all.push(Leaning { layer, expert, class: name.clone(), share, lean });
                }
            }
        }
        all.sort_by(|a, b| b.lean.total_cmp(&a.lean));
        all
    }

    /// How many experts have a class that leans clearly to them.
    pub fn leaning_experts(&self) -> usize {
        let mut experts: Vec<_> = self.leanings().iter().map(|leaning| (leaning.layer, leaning.expert)).collect();
        experts.sort_unstable();
        experts.dedup();
        experts.len()
    }
}

/// Routes a text in windows. `None` for a model without experts.
pub(super) fn measure(
    subject: &mut Subject<'_>,
    text: &[u32],
    window: usize,
    classes: &[probes::WordClass],
    seed: u64,
) -> Result<Option<Vec<ExpertLayer>>> {
    let layers = subject.engine.config().moe_layers();
    let points: Vec<HookPoint> = layers.map(|layer| HookPoint::layer(layer, Site::ExpertWeights)).collect();
    if points.is_empty() {
        return Ok(None);
    }
    let capture: Capture = points.iter().copied().collect();
    let (mut gates, mut n_experts) = (vec![Vec::new(); points.len()], vec![0; points.len()]);
    for part in text.chunks(window) {
        let trace = run(subject.engine, part, &capture, &Interventions::none(), LogitsWanted::Last)?.trace;
        for ((gates, n_experts), point) in gates.iter_mut().zip(&mut n_experts).zip(&points) {
            let Some(recorded) = trace.get(*point) else { continue };
            gates.extend_from_slice(&recorded.data);
            *n_experts = recorded.shape.last().copied().unwrap_or(0);
        }
    }
    let words = classes.iter().enumerate().flat_map(|(class, c)| c.words.iter().map(move |word| (*word, class)));
    let ids = words.flat_map(|(word, class)| word_ids(subject.tokenizer, word).into_iter().map(move |id| (id, class)));
    let class_of: BTreeMap<u32, usize> = ids.collect();
    let layer = |((point, gates), n_experts): ((&HookPoint, Vec<f32>), usize)| {
        Some(ExpertLayer {
            layer: point.layer?,
            classes: classes.iter().map(|class| class.name.into()).collect(),
            routing: Routing::new(&gates, n_experts, text, &class_of, classes.len(), seed)?,
        })
    };
    Ok(Some(points.iter().zip(gates).zip(n_experts).filter_map(layer).collect()))
}
