//! The story models' tokenizer: whole words where the world uses them, pieces and bytes for everything else.
//!
//! Byte-pair encoding (arXiv 1508.07909) as the crate `tokenizers` trains it needs every half of a word as a token of its
//! own. A word of this world is to be *one* token, with no idle halves in the embedding table; so the merges are few and
//! learnt from the list of distinct words, and every frequent word joins the vocabulary whole (`ignore_merges`, as in
//! Llama 3). A word that the world does not know is spelt from pieces, and whatever it is, from bytes.

use std::collections::HashMap;

use serde_json::json;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, Trainer};

/// The token between documents, which ends a generated text.
pub const END: &str = "<|endoftext|>";
/// Its id.
pub const END_ID: u32 = 0;
/// Merges for words that are not in the vocabulary.
const MERGES: usize = 96;
/// A word that is seen more rarely is spelt from pieces.
const MIN_COUNT: u64 = 12;

/// Trains a tokenizer on texts and returns its `tokenizer.json`.
pub fn train(texts: impl Iterator<Item = String>) -> tokenizers::Result<String> {
    let cut = ByteLevel::new(true, false, true);
    let mut counts: HashMap<String, u64> = HashMap::new();
    for text in texts {
        let mut words = PreTokenizedString::from(text);
        cut.pre_tokenize(&mut words)?;
        for (word, ..) in words.get_splits(OffsetReferential::Original, OffsetType::Byte) {
            *counts.entry(word.to_string()).or_default() += 1;
        }
    }
    // By frequency, and then by spelling: a hash map has no order of its own.
    let mut words: Vec<(String, u64)> = counts.into_iter().filter(|(_, count)| *count >= MIN_COUNT).collect();
    words.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));

    let mut trainer = BpeTrainer::builder()
        .show_progress(false)
        .vocab_size(256 + 1 + MERGES)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .special_tokens(vec![AddedToken::from(END, true)])
        .build();
    trainer.feed(words.iter().map(|(word, _)| word.clone()), |word| Ok(vec![word.to_string()]))?;
    let mut model = BPE::default();
    trainer.train(&mut model)?;

    let mut tokenizer = tokenizers::Tokenizer::new(model);
    tokenizer.with_pre_tokenizer(Some(cut));
    tokenizer.with_decoder(Some(ByteLevel::default()));
    tokenizer.add_special_tokens([AddedToken::from(END, true)])?;
    with_words(&tokenizer.to_string(false)?, words.iter().map(|(word, _)| word.as_str()))
}

/// Adds whole words to the vocabulary of a `tokenizer.json`.
fn with_words<'a>(json: &str, words: impl Iterator<Item = &'a str>) -> tokenizers::Result<String> {
    let mut file: serde_json::Value = serde_json::from_str(json)?;
    let model = &mut file["model"];
    let vocab = model["vocab"].as_object_mut().ok_or("the trained model has no vocabulary")?;
    for word in words {
        if !vocab.contains_key(word) {
            vocab.insert(word.into(), json!(vocab.len()));
        }
    }
    model["ignore_merges"] = json!(true);
    Ok(serde_json::to_string_pretty(&file)?)
}

/// How many tokens a `tokenizer.json` has.
pub fn vocabulary_size(json: &[u8]) -> Result<usize, String> {
    let file: serde_json::Value = serde_json::from_slice(json).map_err(|e| e.to_string())?;
    file["model"]["vocab"].as_object().map(|vocab| vocab.len()).ok_or_else(|| "it has no vocabulary".into())
}
