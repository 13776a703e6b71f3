//! What can go wrong inside the model.

use super::{HookPoint, TensorId};

/// A failure of a run. Each prints as one calm sentence.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The student stopped the run, or a newer one replaced it.
    #[error("The run was cancelled.")]
    Cancelled,
    /// The prompt holds no token.
    #[error("The prompt is empty: type at least one character.")]
    EmptyPrompt,
    /// More tokens than the model has positions for.
    #[error("The text has {tokens} tokens, but this model's context holds {n_ctx}: shorten it by {}.", tokens - n_ctx)]
    ContextOverflow {
        /// Tokens that the run would hold.
        tokens: usize,
        /// Positions that the model has.
        n_ctx: usize,
    },
    /// A token id that the embedding table has no row for.
    #[error("Token id {id} is outside the vocabulary of {d_vocab} tokens.")]
    TokenOutOfRange {
        /// The id.
        id: u32,
        /// Rows of the embedding table.
        d_vocab: usize,
    },
    /// A parameter that the config's table names but the weights lack.
    #[error("The weights lack the tensor {0}.")]
    MissingTensor(TensorId),
    /// An operation was handed tensors whose shapes do not fit.
    #[error("{op}: shapes do not fit ({detail}).")]
    Shape {
        /// The operation.
        op: &'static str,
        /// What was expected and what came.
        detail: String,
    },
    /// An intervention that cannot be carried out on this model or prompt.
    #[error("This change cannot be made at {point}: {detail}.")]
    Intervention {
        /// Where it was to act.
        point: HookPoint,
        /// Why it does not fit.
        detail: String,
    },
    /// A run, with all that it is to record, is larger than the memory.
    #[error(
        "To run {tokens} tokens and record what was asked for takes {:.1} GB of memory, and {:.1} GB are free: use at most about {most} tokens.",
        *needed as f64 / 1e9,
        *free as f64 / 1e9
    )]
    Memory {
        /// Tokens of the run, cached ones included.
        tokens: usize,
        /// Bytes that it would take.
        needed: u64,
        /// Bytes that are free.
        free: u64,
        /// Tokens for which the memory would do.
        most: usize,
    },
    /// The computation produced NaN or infinity.
    #[error(
        "The run produced a value that is not a number, first seen at {0}: undo the last change, or open another copy of the model."
    )]
    NotFinite(HookPoint),
    /// The text could not be turned into tokens, or tokens not be drawn. The sentence says why.
    #[error("{0}")]
    Text(String),
    /// The device or its library failed.
    #[error("The {device} reported a failure: {detail}")]
    Device {
        /// Which device.
        device: String,
        /// What it said.
        detail: String,
    },
}

/// The result of a model operation.
pub type Result<T> = std::result::Result<T, Error>;
