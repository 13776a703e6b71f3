//! Does a model do what the lessons say? Measured on the model itself, so that no figure is typed by hand.
//!
//! [`evaluate`] runs an open model through the maths of [`insight`](crate::insight) and gives a [`Report`]: what its heads
//! look at, what it loses on tokens that repeat, with and without the head that copies; and for a model of the story world
//! ([`corpus`](super::corpus)) its loss on text that training never showed beside that of a trigram model, the geometry of
//! its words, the senses it tells apart, the facts it knows, what its experts share, and samples. Every figure comes from a
//! run; figures that a lesson relies on have a limit in [`limits`] and become a [`Check`].
//!
//! The report is data (it can be stored as JSON), and [`page`] lays it out once, and [`render`] writes that for the terminal and as Markdown.

mod experts;
mod heads;
pub mod limits;
mod meaning;
pub mod page;
pub mod render;
mod run;
pub mod words;
mod world;

use serde::{Deserialize, Serialize};

pub use experts::{ExpertLayer, Leaning};
pub use heads::{Ablated, Heads, KindScores, RepeatPrompts, Repeats};
pub use limits::Check;
pub use meaning::{AnalogyReport, FactReport, Placed, SenseReport};
pub use words::whole_words;
pub use world::{Beside, HeldOut, Loss, Sample, World, document, is_of_the_world};

use crate::engine::Engine;
use crate::engine::tokenizer::Tokenizer;
use crate::model::Result;

/// A model to measure.
pub struct Subject<'a> {
    /// What it is called in the report.
    pub name: String,
    /// The model.
    pub engine: &'a mut dyn Engine,
    /// Its tokenizer.
    pub tokenizer: &'a Tokenizer,
    /// Its embedding table, `[d_vocab, d_model]`.
    pub embeddings: &'a [f32],
}

/// How much is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Where all random draws begin.
    pub seed: u64,
    /// The seed of the corpus that the model was trained on.
    pub corpus_seed: u64,
    /// Random prompts for the head scores.
    pub prompts: usize,
    /// Random tokens in each of the two copies of such a prompt.
    pub copy_length: usize,
    /// Tokens of held-out text.
    pub held_out_tokens: usize,
    /// Tokens of training text that the trigram model counts.
    pub counted_tokens: usize,
    /// Samples.
    pub samples: usize,
    /// Tokens of a sample, at most; most end before.
    pub sample_tokens: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 0,
            corpus_seed: 1,
            prompts: 16,
            copy_length: 25,
            held_out_tokens: 50_000,
            counted_tokens: 4_000_000,
            samples: 10,
            sample_tokens: 200,
        }
    }
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The model.
    pub model: About,
    /// How it was measured.
    pub options: Options,
    /// What its heads look at.
    pub heads: Heads,
    /// What it knows of the story world, for a model of that world.
    pub world: Option<World>,
}

/// Which model, and what computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Its name.
    pub name: String,
    /// Parameters.
    pub n_params: u64,
    /// Those that one token uses: fewer in a mixture of experts.
    pub n_active_params: u64,
    /// Layers.
    pub n_layers: usize,
    /// Heads per layer.
    pub n_heads: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Tokens of the vocabulary.
    pub d_vocab: usize,
    /// Longest sequence.
    pub n_ctx: usize,
    /// The device and its arithmetic.
    pub device: String,
}

/// Measures a model; of the story world, its held-out loss stands beside that of `other`, one of the same vocabulary.
/// `progress` hears what is being done, a few words at a time.
pub fn evaluate(
    subject: &mut Subject<'_>,
    other: Option<&mut Subject<'_>>,
    options: &Options,
    progress: &dyn Fn(&str),
) -> Result<Report> {
    let (config, device) = (subject.engine.config().clone(), subject.engine.device());
    let model = About {
        name: subject.name.clone(),
        n_params: config.n_params(),
        n_active_params: config.n_active_params(),
        n_layers: config.n_layers,
        n_heads: config.n_heads,
        d_model: config.d_model,
        d_vocab: config.d_vocab,
        n_ctx: config.n_ctx,
        device: format!("{}, {}", device.name, device.arithmetic),
    };
    progress("heads on random tokens that repeat");
    let heads = heads::measure(subject, options)?;
    let world = match is_of_the_world(subject.tokenizer) {
        true => Some(world::measure(subject, other, options, progress)?),
        false => None,
    };
    Ok(Report { model, options: options.clone(), heads, world })
}
