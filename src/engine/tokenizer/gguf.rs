//! A tokenizer from the arrays of a GGUF file.

use tokenizers::models::bpe::Merges;

use super::bpe::{Added, Plan};
use super::error::quote;
use super::specials::{Finder, Special};
use super::spm::Spm;
use super::table::{Alphabet, TokenKind, TokenTable, byte_token};
use super::{GgufVocabulary, MAX_TOKEN_BYTES, Parts, Scheme, end_names, pre};

/// Checks the arrays against each other and against the rows of the embedding table, and builds. The error is a sentence.
pub(super) fn build(vocabulary: GgufVocabulary, d_vocab: usize) -> Result<Parts, String> {
    check(&vocabulary, d_vocab)?;
    let kinds = kinds(&vocabulary);
    let mut parts = match vocabulary.model.as_str() {
        "gpt2" => byte_level(vocabulary, &kinds)?,
        "llama" => scored(vocabulary, &kinds)?,
        other => {
            return Err(format!(
                "its tokenizer is of the kind {}, but only \"gpt2\" and \"llama\" can be read; try another model.",
                quote(other)
            ));
        }
    };
    parts.table.shrink();
    Ok(parts)
}

fn check(vocabulary: &GgufVocabulary, d_vocab: usize) -> Result<(), String> {
    let n = vocabulary.tokens.len();
    if n == 0 {
        return Err("it holds no tokenizer (tokenizer.ggml.tokens is missing or empty); try another copy.".into());
    }
    if n > d_vocab {
        return Err(format!(
            "its tokenizer has {n} tokens, but its embedding table only {d_vocab} rows; the file is damaged, try another copy."
        ));
    }
    for (name, len) in [("token_type", vocabulary.token_types.len()), ("scores", vocabulary.scores.len())] {
        if len != 0 && len != n {
            return Err(format!("its tokenizer has {n} tokens, but {len} entries in {name}; try another copy."));
        }
    }
    if let Some(id) = vocabulary.tokens.iter().position(|text| text.len() > MAX_TOKEN_BYTES) {
        return Err(format!(
            "token {id} of its tokenizer is longer than {MAX_TOKEN_BYTES} bytes; the file is damaged, try another copy."
        ));
    }
    let named = [
        ("begin", vocabulary.bos),
        ("end", vocabulary.eos),
        ("end-of-turn", vocabulary.eot),
        ("unknown", vocabulary.unk),
        ("padding", vocabulary.pad),
    ];
    match named.into_iter().find_map(|(name, id)| Some((name, id.filter(|id| *id as usize >= n)?))) {
        Some((name, id)) => {
            Err(format!("its {name} token is number {id}, but it has only {n} tokens; try another copy."))
        }
        None => Ok(()),
    }
}

fn kinds(vocabulary: &GgufVocabulary) -> Vec<TokenKind> {
    let mut kinds: Vec<TokenKind> = match vocabulary.token_types.is_empty() {
        true => vec![TokenKind::Normal; vocabulary.tokens.len()],
        false => vocabulary.token_types.iter().map(|kind| kind_of(*kind)).collect(),
    };
    // Files without types, and files that forgot one: the tokens that are named and look like names are control tokens.
    for id in [vocabulary.bos, vocabulary.eos, vocabulary.eot, vocabulary.unk, vocabulary.pad].into_iter().flatten() {
        if let (Some(text), Some(kind)) = (vocabulary.tokens.get(id as usize), kinds.get_mut(id as usize)) {
            let looks_like_a_name = |open, close| text.len() > 2 && text.starts_with(open) && text.ends_with(close);
            if *kind == TokenKind::Normal && (looks_like_a_name('<', '>') || looks_like_a_name('[', ']')) {
                *kind = TokenKind::Control;
            }
        }
    }
    kinds
}

/// The numbers of `llama_token_type` in llama.h. A token that stands for the unknown is structure, too.
fn kind_of(number: i32) -> TokenKind {
    match number {
        2 | 3 => TokenKind::Control,
        4 => TokenKind::UserDefined,
        5 => TokenKind::Unused,
        6 => TokenKind::Byte,
        _ => TokenKind::Normal,
    }
}

fn specials(vocabulary: &GgufVocabulary, kinds: &[TokenKind], wanted: TokenKind) -> Vec<Special> {
    let with_kind = (0..).zip(&vocabulary.tokens).zip(kinds);
    let special = |id, text: &str| Special { id, text: text.into(), lstrip: false, rstrip: false, single_word: false };
    with_kind.filter(|(_, kind)| **kind == wanted).map(|((id, text), _)| special(id, text)).collect()
}

fn fill(table: &mut TokenTable, vocabulary: &GgufVocabulary, kinds: &[TokenKind], alphabet: Alphabet) {
    for ((id, text), kind) in (0..).zip(&vocabulary.tokens).zip(kinds) {
        table.set(id, text, *kind, alphabet);
    }
}

/// What both kinds of vocabulary say in the same way.
fn common(vocabulary: &GgufVocabulary, kinds: &[TokenKind], alphabet: Alphabet, scheme: Scheme) -> Parts {
    let mut table = TokenTable::default();
    fill(&mut table, vocabulary, kinds, alphabet);
    let mut ends: Vec<u32> = vocabulary.eos.into_iter().chain(vocabulary.eot).collect();
    for ((id, text), kind) in (0..).zip(&vocabulary.tokens).zip(kinds) {
        if *kind == TokenKind::Control && end_names().contains(&text.as_str()) {
            ends.push(id);
        }
    }
    ends.sort_unstable();
    ends.dedup();
    Parts {
        scheme,
        table,
        alphabet,
        control: Finder::new(specials(vocabulary, kinds, TokenKind::Control)),
        bos: vocabulary.bos,
        eos: vocabulary.eos,
        unk: vocabulary.unk,
        ends,
        add_bos: vocabulary.add_bos.unwrap_or(false) && vocabulary.bos.is_some(),
        warnings: Vec::new(),
    }
}

fn byte_level(mut vocabulary: GgufVocabulary, kinds: &[TokenKind]) -> Result<Parts, String> {
    let (rule, warning) = match vocabulary.pre.as_deref().map(|pre| (pre, pre::rule(pre))) {
        Some((_, Some(rule))) => (rule, None),
        Some((pre, None)) => (
            pre::fallback(),
            Some(format!(
                "The tokenizer cuts text into words by the rule {}, which is unknown here; GPT-2's rule stands in, so some tokens may differ.",
                quote(pre)
            )),
        ),
        None => (
            pre::fallback(),
            Some("The file does not say how its tokenizer cuts text into words; GPT-2's rule stands in, so some tokens may differ.".into()),
        ),
    };
    vocabulary.add_bos = vocabulary.add_bos.or(Some(rule.add_bos));
    let merges = merges(&vocabulary.merges)?;
    vocabulary.merges = Vec::new();
    let mut plan = Plan { merges, ignore_merges: rule.ignore_merges, cuts_words: true, ..Plan::default() };
    plan.pre_tokenizer = Some(rule.build()?);
    for (kind, control) in [(TokenKind::Control, true), (TokenKind::UserDefined, false)] {
        let specials = specials(&vocabulary, kinds, kind).into_iter();
        plan.added.extend(specials.map(|special| Added { special, control, normalized: false }));
    }
    let mut doubles = 0;
    for (id, text) in (0..).zip(&vocabulary.tokens).filter(|(_, text)| !text.is_empty()) {
        match plan.vocab.contains_key(text) {
            true => doubles += 1,
            false => drop(plan.vocab.insert(text.clone(), id)),
        }
    }
    let scheme = Scheme::Bpe(Box::new(plan.build()?));
    let mut parts = common(&vocabulary, kinds, Alphabet::Bytes, scheme);
    parts.warnings.extend(warning);
    parts.warn_of_doubles(doubles);
    Ok(parts)
}

/// Splits "left right" lines. A token may begin with a space in no alphabet, so the first space after the first character
/// parts the two.
fn merges(lines: &[String]) -> Result<Merges, String> {
    let halves = |line: &str| {
        let first = line.chars().next()?.len_utf8();
        let at = first + line.get(first..)?.find(' ')?;
        Some((line.get(..at)?.to_owned(), line.get(at + 1..)?.to_owned()))
    };
    let merge = |(index, line): (usize, &String)| {
        halves(line).ok_or_else(|| {
            format!("merge {index} of its tokenizer, {}, is not a pair of tokens; try another copy.", quote(line))
        })
    };
    lines.iter().enumerate().map(merge).collect()
}

fn scored(mut vocabulary: GgufVocabulary, kinds: &[TokenKind]) -> Result<Parts, String> {
    if vocabulary.scores.is_empty() {
        return Err("its tokenizer lacks the scores that say which pieces join first; try another copy.".into());
    }
    if let Some(id) = vocabulary.scores.iter().position(|score| score.is_nan()) {
        return Err(format!("token {id} of its tokenizer has a score that is not a number; try another copy."));
    }
    let mut bytes = [None; 256];
    let mut spm_tokens = Vec::new();
    let mut odd = 0;
    for (((id, text), kind), score) in (0..).zip(&vocabulary.tokens).zip(kinds).zip(&vocabulary.scores) {
        match (kind, byte_token(text)) {
            (TokenKind::Byte | TokenKind::Normal, Some(byte)) => {
                bytes[usize::from(byte)].get_or_insert(id);
            }
            (TokenKind::Byte, None) => odd += 1,
            (TokenKind::Normal | TokenKind::UserDefined, _) if !text.is_empty() => spm_tokens.push((id, text, *score)),
            _ => {}
        }
    }
    let mut spm = Spm::new(bytes, vocabulary.unk);
    let doubles = spm_tokens.into_iter().filter(|(id, text, score)| !spm.add(text, *id, *score)).count();
    let kept = Finder::new(specials(&vocabulary, kinds, TokenKind::UserDefined));
    let space_prefix = vocabulary.add_space_prefix.unwrap_or(true);
    vocabulary.add_bos = vocabulary.add_bos.or(Some(true));
    let scheme = Scheme::Spm { spm: Box::new(spm), kept, space_prefix };
    let mut parts = common(&vocabulary, kinds, Alphabet::Spaces, scheme);
    parts.warn_of_doubles(doubles);
    if odd > 0 {
        parts.warnings.push(format!("The tokenizer has {odd} byte tokens that name no byte; they are never used."));
    }
    Ok(parts)
}
