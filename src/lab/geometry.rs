//! Answers questions about meaning, on the engine thread.
//!
//! The embedding table is read from the model's source when it is first needed, decoded row by row into f32, and kept
//! until the model is closed. That is refused where it would not fit into memory. Everything is arithmetic of
//! [`insight`](crate::insight); only the words in context need runs of the model.

use super::meaning::{AnalogyAnswer, Answer, Contexts, Labelled, Near, Pairs, Question, TokenMap, Word};
use super::session::Open;
use super::trace::record;
use crate::engine::tokenizer::{TokenKind, Tokenizer};
use crate::engine::{free_memory, open_checkpoint};
use crate::insight::analogy::{Measure, Neighbour, Space};
use crate::insight::pca::principal;
use crate::model::{Cancel, Capture, HookPoint, Param, Site, TensorId};
use crate::train::corpus::probes::word_classes;
use crate::train::eval::is_of_the_world;
use crate::train::eval::words::{last_place, word_id, word_ids};

/// Tokens in a list of neighbours.
const NEAREST: usize = 12;
/// Words in a list, and sentences around a word, at most.
pub const MOST_WORDS: usize = 24;
/// Rows that are decoded between two looks at the stop flag.
const ROWS: usize = 1024;

/// The open model's embedding table, decoded.
pub struct Table {
    values: Vec<f32>,
    d: usize,
}

/// Answers a question. `progress` hears how far the work is.
pub fn answer(
    open: &mut Open,
    table: &mut Option<Table>,
    question: &Question,
    cancel: &Cancel,
    progress: &dyn Fn(f32),
) -> Answer {
    if let Question::Context { word, sentences } = question {
        return Answer::Context(contexts(open, word, sentences));
    }
    if table.is_none() {
        *table = match read(open, cancel) {
            Ok(table) => Some(table),
            Err(problem) => return refuse(question, problem),
        };
    }
    let Some(table) = table else { return refuse(question, "The embedding table is missing.".into()) };
    let tokenizer = &open.tokenizer;
    match question {
        Question::Map => Answer::Map(map(table, tokenizer, cancel, progress)),
        Question::Near { word, centred } => {
            Answer::Near(find(tokenizer, word).and_then(|id| near(table, tokenizer, id, *centred)))
        }
        Question::Glance(id) => Answer::Glance(near(table, tokenizer, *id, false)),
        Question::Analogy { words, expected, centred } => {
            Answer::Analogy(analogy(table, tokenizer, words, expected.as_deref(), *centred))
        }
        Question::Pairs { words, centred } => Answer::Pairs(pairs(table, tokenizer, words, *centred)),
        Question::Context { .. } => refuse(question, String::new()),
    }
}

fn refuse(question: &Question, problem: String) -> Answer {
    match question {
        Question::Map => Answer::Map(Err(problem)),
        Question::Near { .. } => Answer::Near(Err(problem)),
        Question::Glance(_) => Answer::Glance(Err(problem)),
        Question::Analogy { .. } => Answer::Analogy(Err(problem)),
        Question::Pairs { .. } => Answer::Pairs(Err(problem)),
        Question::Context { .. } => Answer::Context(Err(problem)),
    }
}

/// Reads and decodes the table.
fn read(open: &Open, cancel: &Cancel) -> Result<Table, String> {
    let (d_vocab, d) = (open.engine.config().d_vocab, open.engine.config().d_model);
    let needed = (d_vocab as u64).saturating_mul(d as u64).saturating_mul(4);
    if let Some(free) = free_memory().filter(|free| needed > free / 2) {
        let mib = |bytes: u64| bytes >> 20;
        return Err(format!(
            "The embedding table takes {} MiB, and only {} MiB are free: close other programs, or open a smaller model.",
            mib(needed),
            mib(free)
        ));
    }
    let checkpoint = open_checkpoint(open.source(), open.folders())?;
    let id = TensorId::global(Param::Embed);
    let spec = checkpoint.config.tensors().into_iter().find(|spec| spec.id == id);
    let spec = spec.filter(|spec| spec.shape == [d_vocab, d]);
    let changed = || "The model's file has changed since it was opened: open it again.".to_owned();
    let data = checkpoint.tensor(&spec.ok_or_else(changed)?).map_err(|e| e.to_string())?;
    let bytes = data.encoding.row_bytes(d).filter(|bytes| *bytes > 0).ok_or_else(changed)?;
    let mut values = vec![0.0f32; d_vocab * d];
    for (rows, out) in data.bytes.chunks(bytes * ROWS).zip(values.chunks_mut(d * ROWS)) {
        cancel.check().map_err(|e| e.to_string())?;
        for (row, out) in rows.chunks_exact(bytes).zip(out.chunks_exact_mut(d)) {
            data.encoding.decode_row(row, out);
        }
    }
    if values.iter().any(|x| !x.is_finite()) {
        return Err("The embedding table holds values that are not numbers, so it has no map.".into());
    }
    Ok(Table { values, d })
}

fn map(table: &Table, tokenizer: &Tokenizer, cancel: &Cancel, progress: &dyn Fn(f32)) -> Result<TokenMap, String> {
    let mut go_on = |fraction: f32| {
        progress(fraction);
        !cancel.is_cancelled()
    };
    let found = principal(&table.values, table.d, 3, &mut go_on);
    let found = found.ok_or("The map was stopped. Ask for it again to see it.")?;
    let place = |row: &[f32]| {
        let along = found.project(row);
        std::array::from_fn(|axis| along.get(axis).copied().unwrap_or(0.0))
    };
    let places: Vec<[f32; 3]> = table.values.chunks_exact(table.d).map(place).collect();
    let labels = (0..places.len() as u32).map(|id| tokenizer.label(id)).collect();
    let (classes, class_of) = classes(tokenizer, places.len());
    let mut lengths: Vec<f32> = places.iter().map(|p| p.iter().map(|x| x * x).sum::<f32>().sqrt()).collect();
    lengths.sort_by(f32::total_cmp);
    let radius = lengths.get(lengths.len() * 99 / 100).copied().unwrap_or(1.0).max(1e-6);
    Ok(TokenMap { places, labels, class_of, classes, shares: [0, 1, 2].map(|axis| found.share(axis)), radius })
}

/// Classes of words for a model of the story world, kinds of token for any other.
fn classes(tokenizer: &Tokenizer, n: usize) -> (Vec<String>, Vec<u8>) {
    if is_of_the_world(tokenizer) {
        let classes = word_classes();
        let mut class_of = vec![classes.len() as u8; n];
        for (class, words) in classes.iter().enumerate() {
            for id in words.words.iter().flat_map(|word| word_ids(tokenizer, word)) {
                if let Some(place) = class_of.get_mut(id as usize) {
                    *place = class as u8;
                }
            }
        }
        return (classes.into_iter().map(|class| class.name.to_owned()).collect(), class_of);
    }
    let names = ["words after a space", "parts of words", "capitals", "numbers", "signs", "other scripts", "control"];
    let class = |id: u32| {
        let Some(token) = tokenizer.token(id) else { return names.len() };
        let text = String::from_utf8_lossy(token.bytes);
        let trimmed = text.trim();
        match token.kind {
            TokenKind::Control | TokenKind::Unused => 6,
            _ if trimmed.is_empty() => 4,
            _ if trimmed.chars().all(char::is_numeric) => 3,
            _ if !trimmed.is_ascii() => 5,
            _ if !trimmed.chars().any(char::is_alphabetic) => 4,
            _ if trimmed.starts_with(char::is_uppercase) => 2,
            _ if text.starts_with(' ') => 0,
            _ => 1,
        }
    };
    (names.map(String::from).to_vec(), (0..n as u32).map(|id| class(id) as u8).collect())
}

fn find(tokenizer: &Tokenizer, word: &Word) -> Result<u32, String> {
    match word {
        Word::Id(id) => Ok(*id),
        Word::Text(text) => token_of(tokenizer, text),
    }
}

/// The one token that a word is.
fn token_of(tokenizer: &Tokenizer, word: &str) -> Result<u32, String> {
    let word = word.trim();
    if word.is_empty() {
        return Err("A word is missing: type one into each field.".into());
    }
    word_id(tokenizer, word).ok_or_else(|| {
        let shown: String = word.chars().take(40).collect();
        format!("“{shown}” is not one token of this model, so it has no single vector: try another word.")
    })
}

fn labelled(tokenizer: &Tokenizer, neighbour: Neighbour) -> Labelled {
    Labelled { neighbour, label: tokenizer.label(neighbour.id) }
}

fn near(table: &Table, tokenizer: &Tokenizer, id: u32, centred: bool) -> Result<Near, String> {
    let list = |measure| {
        let space = Space::new(&table.values, table.d, measure, centred);
        let point = space.vector(id)?;
        let list = space.nearest(point, &[id], NEAREST).into_iter().map(|n| labelled(tokenizer, n)).collect();
        Some((list, space.between(id, id).unwrap_or(0.0)))
    };
    let lists = (list(Measure::Cosine), list(Measure::Dot), list(Measure::Euclid));
    let (Some((cosine, _)), Some((dot, square)), Some((euclid, _))) = lists else {
        return Err("This token has no row in the embedding table.".into());
    };
    let token = labelled(tokenizer, Neighbour { id, value: 1.0 });
    Ok(Near { token, length: square.max(0.0).sqrt(), centred, lists: [cosine, dot, euclid] })
}

fn analogy(
    table: &Table,
    tokenizer: &Tokenizer,
    words: &[String; 3],
    expected: Option<&str>,
    centred: bool,
) -> Result<AnalogyAnswer, String> {
    let [a, b, c] = [&words[0], &words[1], &words[2]].map(|word| token_of(tokenizer, word));
    let (a, b, c) = (a?, b?, c?);
    let space = Space::new(&table.values, table.d, Measure::Cosine, centred);
    let outside = || "A word has no row in the embedding table.".to_owned();
    let d = match expected {
        Some(word) => token_of(tokenizer, word)?,
        None => space.analogy([a, b, c, a], 1).and_then(|r| Some(r.nearest.first()?.id)).ok_or_else(outside)?,
    };
    let found = space.analogy([a, b, c, d], NEAREST).ok_or_else(outside)?;
    let list = |list: Vec<Neighbour>| list.into_iter().map(|n| labelled(tokenizer, n)).collect();
    Ok(AnalogyAnswer {
        tokens: [a, b, c, d].map(|id| labelled(tokenizer, Neighbour { id, value: found.value })),
        centred,
        rank: found.rank,
        rank_among_all: found.rank_among_all,
        nearest: list(found.nearest),
        nearest_of_all: list(found.nearest_of_all),
    })
}

fn pairs(table: &Table, tokenizer: &Tokenizer, words: &[String], centred: bool) -> Result<Pairs, String> {
    let ids = words.iter().take(MOST_WORDS).map(|word| token_of(tokenizer, word)).collect::<Result<Vec<_>, _>>()?;
    let space = Space::new(&table.values, table.d, Measure::Cosine, centred);
    let cosines = space.matrix(&ids).ok_or("A word has no row in the embedding table.")?;
    Ok(Pairs { labels: ids.iter().map(|id| tokenizer.label(*id)).collect(), cosines, centred })
}

/// Runs each sentence, and compares the residual stream at the word.
fn contexts(open: &mut Open, word: &str, sentences: &[String]) -> Result<Contexts, String> {
    let config = open.engine.config().clone();
    let word = word.trim();
    let sentences: Vec<&String> = sentences.iter().filter(|s| !s.trim().is_empty()).take(MOST_WORDS).collect();
    if word.is_empty() || sentences.len() < 2 {
        return Err("Type a word, and two sentences or more that hold it.".into());
    }
    let capture = Capture::none().with(HookPoint::layer(0, Site::ResidPre)).with_site(Site::ResidPost, &config);
    let after = (0..config.n_layers).map(|layer| HookPoint::layer(layer, Site::ResidPost));
    let points: Vec<HookPoint> = std::iter::once(HookPoint::layer(0, Site::ResidPre)).chain(after).collect();
    // By sentence and layer.
    let mut vectors: Vec<f32> = Vec::new();
    for text in &sentences {
        let place = last_place(text, word);
        let place = place.ok_or_else(|| format!("“{}” does not hold the word “{word}”.", text.trim()))?;
        let pieces = open.tokenizer.prompt_pieces(text).map_err(|e| e.to_string())?;
        // A word of several tokens is whole only at its last.
        let at = pieces.iter().rposition(|p| p.range.start < place.end && place.start < p.range.end);
        let at = at.ok_or_else(|| format!("This model cannot write “{word}”."))?;
        let ids: Vec<u32> = pieces.iter().map(|piece| piece.id).collect();
        let trace = record(open, &ids, &capture).map_err(|e| e.to_string())?;
        for point in &points {
            let row = trace.get(*point).and_then(|recorded| recorded.row(at));
            vectors.extend(row.ok_or("This model did not record its residual stream.")?);
        }
    }
    let (n, n_points, d) = (sentences.len(), points.len(), config.d_model);
    let at_layer = |layer: usize| -> Vec<f32> {
        (0..n).flat_map(|s| &vectors[(s * n_points + layer) * d..][..d]).copied().collect()
    };
    let ids: Vec<u32> = (0..n as u32).collect();
    let cosines = (0..n_points)
        .map(|layer| Space::new(&at_layer(layer), d, Measure::Cosine, false).matrix(&ids).unwrap_or_default());
    let cosines = cosines.collect();
    let found = principal(&vectors, d, 2, &mut |_| true).ok_or("There is nothing to compare.")?;
    let place = |row: &[f32]| {
        let along = found.project(row);
        [along.first().copied().unwrap_or(0.0), along.get(1).copied().unwrap_or(0.0)]
    };
    let path = |path: &[f32]| path.chunks_exact(d).map(place).collect();
    Ok(Contexts {
        word: word.to_owned(),
        sentences: sentences.into_iter().cloned().collect(),
        cosines,
        paths: vectors.chunks_exact(n_points * d).map(path).collect(),
        share: found.share(0) + found.share(1),
    })
}
