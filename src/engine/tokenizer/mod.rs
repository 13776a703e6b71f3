//! Text to token ids and back.

mod vocabulary;

pub use vocabulary::GgufVocabulary;
