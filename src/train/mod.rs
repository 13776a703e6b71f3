//! Models of our own: the text they are trained on, and what became of them.
//!
//! `corpus` writes the story world, `eval` measures a model and says whether it does what the lessons promise.

pub mod corpus;
pub mod eval;
