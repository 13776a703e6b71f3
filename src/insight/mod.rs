//! What can be read off a model: pure arithmetic on traces, weights and token streams.
//!
//! A run leaves tensors behind ([`Trace`](crate::model::Trace)), a file holds tables, a corpus is a stream of ids. This
//! room turns each into a figure that a student can check by hand, with its formula beside it:
//!
//! | file | question |
//! |---|---|
//! | [`heads`] | where does a head look: to the token before, to an earlier copy, to what followed it, to the first token? |
//! | [`loss`] | how surprised was the model, in nats per token? |
//! | [`ngram`] | how far does counting alone get (the Markov model that lesson 1 compares with)? |
//! | [`analogy`] | what is near a vector, and does b − a + c land on d? |
//! | [`pca`] | in which few directions do the rows of a table differ most? |
//! | [`senses`] | in which layer do two meanings of one word part? |
//! | [`router`] | does a mixture of experts share its load, and who takes which words? |
//!
//! Everything takes plain slices or a trace, and gives numbers. Nothing here runs a model, opens a file or starts a
//! thread, and it may name no room but `model` (`tests/architecture.rs` keeps it so); whoever has an engine feeds it:
//! `train::eval`, the labs, the panels.

pub mod analogy;
pub mod heads;
pub mod loss;
pub mod ngram;
pub mod pca;
mod random;
pub mod router;
pub mod senses;
