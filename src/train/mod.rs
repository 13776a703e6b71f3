//! Training: the same forward pass over weights that change.
//!
//! [`TrainBackend`] is candle's autodiff as a third backend under [`forward`](crate::model::forward). A [`Trainer`] asks a
//! [`TokenStream`] for the next batch of the story world's text, runs the pass, and lets [`AdamW`] step against the
//! gradient. Everything is a function of the recipe and the seed: the same run gives the same curve on the same machine,
//! and a run that was cut off goes on from its last checkpoint as if it had not been. `eval` measures what became of a model, and
//! says whether it does what the lessons promise.

mod backend;
mod checkpoint;
pub mod corpus;
pub mod eval;
mod experts;
pub mod ops;
mod optimizer;
mod parameters;
mod recipe;
mod schedule;
mod stream;
pub mod tokenizer;
mod trainer;

pub use backend::TrainBackend;
pub use optimizer::AdamW;
pub use parameters::Parameters;
pub use recipe::{PROMPTS, RECIPES, Recipe};
pub use schedule::Schedule;
pub use stream::TokenStream;
pub use trainer::{CurvePoint, Trainer};

/// Why a training run stopped.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The pass or its gradient failed.
    #[error(transparent)]
    Model(#[from] crate::model::Error),
    /// A file could not be written or read. The sentence names it.
    #[error("{0}")]
    File(String),
}

/// The result of a step of training.
pub type Result<T> = std::result::Result<T, TrainError>;
