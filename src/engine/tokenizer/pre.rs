//! The rule that cuts text into words before the merges.
//!
//! A merge never crosses a word, so this rule decides many token ids. A `tokenizer.json` spells it out; a GGUF file only
//! names it in `tokenizer.ggml.pre`, and the reader has to know the name. The names and what they mean are those of
//! llama.cpp (`llama-vocab.cpp`); the expressions are the ones that the models' authors published in their own
//! `tokenizer.json`.

use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{PreTokenizerWrapper, SplitDelimiterBehavior};

/// How a GGUF byte-level vocabulary cuts text, and what else its name implies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    /// Cuts made one after the other.
    cuts: &'static [Cut],
    /// A word that is a token is taken whole, whatever the merges say.
    pub(super) ignore_merges: bool,
    /// Whether a prompt starts with the begin token if the file does not say.
    pub(super) add_bos: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Every numeric character alone.
    Digits,
    /// Every match of an expression alone.
    Match(&'static str),
}

const GPT_2_WORDS: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA_3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN_2: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT_4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const DEEPSEEK_3: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##;
const BLOOM: &str = r" ?[^(\s|.,!?…。，、।۔،)]+";

const GPT_2: Rule = Rule { cuts: &[Cut::Match(GPT_2_WORDS)], ignore_merges: false, add_bos: false };

/// The rule that `tokenizer.ggml.pre` names; `None` if the name is unknown.
pub(super) fn rule(pre: &str) -> Option<Rule> {
    let cut = |cuts| Some(Rule { cuts, ..GPT_2 });
    match pre {
        "gpt-2" | "gpt2" | "phi-2" | "jina-es" | "jina-de" | "jina-v1-en" | "jina-v2-es" | "jina-v2-de"
        | "jina-v2-code" | "roberta-bpe" | "gigachat" | "a.x-4.0" | "mellum" | "mpt" | "olmo" | "jais" | "trillion"
        | "granite-docling" | "exaone4" => Some(GPT_2),
        "smollm" | "starcoder" | "refact" | "command-r" | "codeshell" | "exaone" | "minerva-7b" => {
            cut(&[Cut::Digits, Cut::Match(GPT_2_WORDS)])
        }
        "llama3" | "llama-v3" | "llama-bpe" | "falcon3" | "falcon-h1" | "pixtral" | "midm-2.0" | "lfm2"
        | "jina-v5-nano" => Some(Rule { cuts: &[Cut::Match(LLAMA_3)], ignore_merges: true, add_bos: true }),
        "dbrx" | "smaug-bpe" | "glm4" | "chatglm-bpe" => cut(&[Cut::Match(LLAMA_3)]),
        "qwen2" | "deepseek-r1-qwen" | "kormo" | "stablelm2" | "hunyuan" | "megrez" | "grok-2" => {
            cut(&[Cut::Match(QWEN_2)])
        }
        "tekken" => Some(Rule { cuts: &[Cut::Match(TEKKEN)], ignore_merges: true, add_bos: true }),
        "gpt-4o" | "llama4" | "minimax-m2" => cut(&[Cut::Match(GPT_4O)]),
        "deepseek-v3" | "hunyuan-dense" => {
            cut(&[Cut::Match(r"\p{N}{1,3}"), Cut::Match("[一-龥぀-ゟ゠-ヿ]+"), Cut::Match(DEEPSEEK_3)])
        }
        "deepseek-coder" => cut(&[
            Cut::Match(r"[\r\n]"),
            Cut::Match(r"\s?\p{L}+"),
            Cut::Match(r"\s?\p{P}+"),
            Cut::Match("[一-龥ࠀ-一가-퟿]+"),
            Cut::Digits,
        ]),
        "falcon" => {
            cut(&[Cut::Match(r"[\p{P}\$\+<=>\^~\|`]+"), Cut::Match(GPT_2_WORDS), Cut::Match("[0-9][0-9][0-9]")])
        }
        "poro-chat" | "bloom" | "gpt3-finnish" => cut(&[Cut::Match(BLOOM)]),
        "viking" => cut(&[Cut::Match(BLOOM), Cut::Digits]),
        _ => None,
    }
}

/// What stands in for a name that is missing or unknown.
pub(super) fn fallback() -> Rule {
    GPT_2
}

impl Rule {
    /// The rule in the crate's terms, ending with the step to GPT-2's alphabet of bytes.
    pub(super) fn build(&self) -> Result<PreTokenizerWrapper, String> {
        let mut steps: Vec<PreTokenizerWrapper> = Vec::new();
        for cut in self.cuts {
            steps.push(match cut {
                Cut::Digits => Digits::new(true).into(),
                Cut::Match(expression) => {
                    let pattern = SplitPattern::Regex((*expression).into());
                    let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false);
                    split.map_err(|error| error.to_string())?.into()
                }
            });
        }
        steps.push(ByteLevel::new(false, false, false).into());
        Ok(Sequence::new(steps).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_builds() {
        for pre in [
            "gpt-2",
            "smollm",
            "llama-bpe",
            "qwen2",
            "tekken",
            "gpt-4o",
            "deepseek-v3",
            "deepseek-coder",
            "falcon",
            "bloom",
            "viking",
        ] {
            assert!(rule(pre).unwrap().build().is_ok(), "{pre}");
        }
        assert_eq!(rule("no-such-rule"), None);
    }
}
