//! What the live model says, as a lesson needs it.
//!
//! The lab fills a [`LiveTruth`] from the latest finished run; lessons only read it. So no truth about a model is typed
//! into a lesson, and a lesson can be tested without one.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::Measured;
use crate::model::tweak::{HeadRef, Tweak};
use crate::model::{HookPoint, Recorded, Site, Trace};

/// The state of the lab, as far as a lesson page shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveTruth {
    /// The open model's name; none while no model is open.
    pub model: Option<String>,
    /// Its id, by which lessons name it; none for a model that lessons do not know.
    pub model_id: Option<String>,
    /// Whether a run is under way.
    pub running: bool,
    /// The latest finished run of the unchanged model, if there was one.
    pub facts: Option<Arc<RunFacts>>,
    /// The changes that are switched on now.
    pub active: Vec<Tweak>,
    /// The head that the panels look at.
    pub selected: HeadRef,
    /// What the lab measured of the open model for tasks, by the seeds of the attempts.
    pub measured: BTreeMap<u64, Arc<Measured>>,
}

impl Default for LiveTruth {
    fn default() -> Self {
        Self {
            model: None,
            model_id: None,
            running: false,
            facts: None,
            active: Vec::new(),
            selected: HeadRef { layer: 0, head: 0 },
            measured: BTreeMap::new(),
        }
    }
}

/// What one run of the unchanged model found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunFacts {
    /// The text that was run.
    pub prompt: String,
    /// Its tokens, as text.
    pub tokens: Vec<String>,
    /// The likeliest next tokens, best first.
    pub next: Vec<Candidate>,
    /// How much the last token takes from each position: its pattern row, averaged over all heads of all layers. Sums to
    /// 1; empty where the run did not record patterns.
    pub last_row: Vec<f32>,
    /// The patterns that the run recorded, one per layer, each `[n_heads, n_queries, n_keys]`.
    pub patterns: Vec<Recorded>,
}

impl RunFacts {
    /// How much the last token takes from each position in one head; none where that was not recorded.
    pub fn last_row_of(&self, layer: usize, head: usize) -> Option<&[f32]> {
        let pattern = self.patterns.get(layer)?;
        let &[_, n_queries, n_keys] = pattern.shape.as_slice() else { return None };
        pattern.head(head)?.get(n_queries.checked_sub(1)?.checked_mul(n_keys)?..)
    }
}

/// Which fact of a run is the answer to a live question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LiveKey {
    /// The likeliest next token.
    TopToken {},
    /// The token that the last one takes most from, in one head.
    AttendedMostToken {
        /// The layer, from 0.
        layer: usize,
        /// The head, from 0.
        head: usize,
    },
}

/// A possible next token.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its text, with the space that belongs to it.
    pub text: String,
    /// Its probability, 0 to 1.
    pub probability: f32,
}

/// The last token's pattern row, averaged over all heads of all recorded layers, `[n_positions]`; empty where the trace
/// holds no pattern.
pub fn mean_last_row(trace: &Trace) -> Vec<f32> {
    let patterns = trace.tensors.iter().filter(|(point, _)| point.site == Site::Pattern);
    let mut sum: Vec<f32> = Vec::new();
    let mut n_rows = 0.0;
    for (_, pattern) in patterns {
        let &[n_heads, n_queries, n_keys] = pattern.shape.as_slice() else { continue };
        for head in 0..n_heads {
            let last = pattern.head(head).and_then(|rows| rows.get(n_queries.checked_sub(1)? * n_keys..));
            let Some(row) = last else { continue };
            sum.resize(n_keys, 0.0);
            sum.iter_mut().zip(row).for_each(|(s, w)| *s += w);
            n_rows += 1.0;
        }
    }
    sum.iter_mut().for_each(|s| *s /= n_rows);
    sum
}

/// The patterns that a run recorded, one per layer from the first on. They are shared with the trace, not copied.
pub fn patterns(trace: &Trace) -> Vec<Recorded> {
    (0..).map_while(|layer| trace.get(HookPoint::layer(layer, Site::Pattern)).cloned()).collect()
}
