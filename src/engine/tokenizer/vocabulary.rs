//! The vocabulary as a GGUF file carries it.
//!
//! GGUF stores no `tokenizer.json`: it stores parallel arrays under `tokenizer.ggml.*`. [`GgufVocabulary`] is exactly
//! those arrays, unchecked; [`Tokenizer::from_gguf`](super::Tokenizer::from_gguf) checks them before it builds anything.

/// The fields `tokenizer.ggml.*` of a GGUF file, as found there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GgufVocabulary {
    /// `tokenizer.ggml.model`: `gpt2` is byte-level BPE, `llama` is SentencePiece-like BPE with scores.
    pub model: String,
    /// `tokenizer.ggml.pre`: names the rule that cuts text into words before the merges.
    pub pre: Option<String>,
    /// `tokenizer.ggml.tokens`: the text of each token, by id.
    pub tokens: Vec<String>,
    /// `tokenizer.ggml.token_type`, by id: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte. May be empty.
    pub token_types: Vec<i32>,
    /// `tokenizer.ggml.scores`, by id: the higher, the earlier two neighbours join into this token. May be empty for BPE.
    pub scores: Vec<f32>,
    /// `tokenizer.ggml.merges`: "left right" per line, the first joins first.
    pub merges: Vec<String>,
    /// `tokenizer.ggml.bos_token_id`: begins a text.
    pub bos: Option<u32>,
    /// `tokenizer.ggml.eos_token_id`: ends a text.
    pub eos: Option<u32>,
    /// `tokenizer.ggml.eot_token_id`: ends a turn of a conversation.
    pub eot: Option<u32>,
    /// `tokenizer.ggml.unknown_token_id`: stands for what has no token.
    pub unk: Option<u32>,
    /// `tokenizer.ggml.padding_token_id`: fills up batches.
    pub pad: Option<u32>,
    /// `tokenizer.ggml.add_bos_token`: whether a prompt starts with `bos`.
    pub add_bos: Option<bool>,
    /// `tokenizer.ggml.add_eos_token`: whether a text ends with `eos` (not for prompts that are to be continued).
    pub add_eos: Option<bool>,
    /// `tokenizer.ggml.add_space_prefix`: whether SentencePiece puts a space before the text.
    pub add_space_prefix: Option<bool>,
}
