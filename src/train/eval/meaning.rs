//! Words: their geometry in the embedding table, their senses over the layers, and the facts that they state.

use serde::{Deserialize, Serialize};

use super::Subject;
use super::limits::SENSE_CHANCE;
use super::run::{encode, run, text_error};
use super::words::{last_place, word_id};
use crate::engine::top_tokens;
use crate::insight::analogy::{AnalogyResult, Measure, Neighbour, Space};
use crate::insight::senses::{Separation, separation, widest};
use crate::model::sampler::log_sum_exp;
use crate::model::{Capture, HookPoint, Interventions, LogitsWanted, ModelConfig, Result, Site};
use crate::train::corpus::probes;

/// Nearest tokens that a report lists.
const NEAREST: usize = 3;

/// One analogy, a : b = c : d.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalogyReport {
    /// What relates the words.
    pub relation: String,
    /// a, b, c and the answer d.
    pub words: [String; 4],
    /// Under the cosine after subtracting the table's mean; `None` where a word is not one token.
    pub centred: Option<Placed>,
    /// Under the cosine of the vectors as they are.
    pub raw: Option<Placed>,
}

/// Where the answer lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// Its rank when a, b and c are left out.
    pub rank: usize,
    /// Its rank among all tokens.
    pub rank_among_all: usize,
    /// The cosine of b − a + c and d.
    pub cosine: f32,
    /// The nearest tokens with their cosines, a, b and c left out.
    pub nearest: Vec<(String, f32)>,
    /// The nearest tokens of all.
    pub nearest_of_all: Vec<(String, f32)>,
}

impl AnalogyReport {
    /// Whether the answer comes first when the inputs are left out (centred).
    pub fn passed(&self) -> bool {
        self.centred.as_ref().is_some_and(|placed| placed.rank == 1)
    }
}

/// One ambiguous word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SenseReport {
    /// The word.
    pub word: String,
    /// Its two senses.
    pub senses: [String; 2],
    /// Sentences of each.
    pub n_sentences: [usize; 2],
    /// The residual stream: entry 0 enters the first block, entry l leaves block l − 1. Empty where the sentences do not
    /// hold the word.
    pub layers: Vec<Separation>,
    /// The entry with the widest gap.
    pub widest: Option<usize>,
}

impl SenseReport {
    /// Whether the senses separate where the gap is widest: the mean cosine within a sense lies above that across, by more
    /// than senses dealt out at random would give.
    pub fn separates(&self) -> bool {
        self.widest.is_some_and(|layer| self.layers[layer].gap > 0.0 && self.layers[layer].chance <= SENSE_CHANCE)
    }
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FactReport {
    /// What the model was to continue.
    pub prompt: String,
    /// The answer.
    pub answer: String,
    /// What the model said token by token, always the most probable one.
    pub said: String,
    /// The probability of the answer, all its tokens together.
    pub probability: f64,
}

impl FactReport {
    /// Whether the model gave the answer.
    pub fn right(&self) -> bool {
        self.said.trim() == self.answer.trim()
    }
}

pub(super) fn analogies(subject: &Subject<'_>, analogies: &[probes::Analogy]) -> Vec<AnalogyReport> {
    let (tokenizer, d_model) = (subject.tokenizer, subject.engine.config().d_model);
    let space = |centred| Space::new(subject.embeddings, d_model, Measure::Cosine, centred);
    let (centred, raw) = (space(true), space(false));
    let label = |n: &Neighbour| (tokenizer.decode(&[n.id]).trim().to_owned(), n.value);
    let placed = |r: AnalogyResult| Placed {
        rank: r.rank,
        rank_among_all: r.rank_among_all,
        cosine: r.value,
        nearest: r.nearest.iter().map(label).collect(),
        nearest_of_all: r.nearest_of_all.iter().map(label).collect(),
    };
    let report = |probe: &probes::Analogy| {
        let words = [probe.a, probe.b, probe.c, probe.d];
        let ids: Option<Vec<u32>> = words.iter().map(|word| word_id(tokenizer, word)).collect();
        let ids: Option<[u32; 4]> = ids.and_then(|ids| ids.try_into().ok());
        let place = |space: &Space<'_>| ids.and_then(|ids| space.analogy(ids, NEAREST)).map(placed);
        AnalogyReport {
            relation: probe.relation.into(),
            words: words.map(String::from),
            centred: place(&centred),
            raw: place(&raw),
        }
    };
    analogies.iter().map(report).collect()
}

pub(super) fn senses(subject: &mut Subject<'_>, words: &[probes::AmbiguousWord]) -> Result<Vec<SenseReport>> {
    let config = subject.engine.config().clone();
    let capture = Capture::none().with(HookPoint::layer(0, Site::ResidPre)).with_site(Site::ResidPost, &config);
    let mut reports = Vec::new();
    for word in words {
        // Per layer, the vectors of all sentences in a row.
        let mut vectors: Vec<Vec<f32>> = vec![Vec::new(); config.n_layers + 1];
        let mut senses = Vec::new();
        for (sense, sentences) in word.senses.iter().enumerate() {
            for text in &sentences.sentences {
                let pieces = subject.tokenizer.prompt_pieces(text).map_err(text_error)?;
                let Some(place) = last_place(text, word.word) else { continue };
                // A word of several tokens is whole only at its last.
                let Some(at) = pieces.iter().rposition(|p| p.range.start < place.end && place.start < p.range.end)
                else {
                    continue;
                };
                let ids: Vec<u32> = pieces.iter().map(|piece| piece.id).collect();
                let trace = run(subject.engine, &ids, &capture, &Interventions::none(), LogitsWanted::Last)?.trace;
                for (vectors, point) in vectors.iter_mut().zip(stream_points(&config)) {
                    vectors.extend(trace.get(point).and_then(|r| r.row(at)).unwrap_or_default());
                }
                senses.push(sense);
            }
        }
        let layers: Option<Vec<Separation>> = vectors.iter().map(|layer| separation(layer, &senses)).collect();
        let layers = layers.unwrap_or_default();
        reports.push(SenseReport {
            word: word.word.into(),
            senses: [0, 1].map(|i| word.senses[i].name.into()),
            n_sentences: [0, 1].map(|i| senses.iter().filter(|sense| **sense == i).count()),
            widest: widest(&layers),
            layers,
        });
    }
    Ok(reports)
}

/// The residual stream before the first block and after each.
fn stream_points(config: &ModelConfig) -> impl Iterator<Item = HookPoint> {
    let after = (0..config.n_layers).map(|layer| HookPoint::layer(layer, Site::ResidPost));
    std::iter::once(HookPoint::layer(0, Site::ResidPre)).chain(after)
}

pub(super) fn facts(subject: &mut Subject<'_>, facts: &[probes::Fact]) -> Result<Vec<FactReport>> {
    let (tokenizer, d_vocab) = (subject.tokenizer, subject.engine.config().d_vocab);
    let mut reports = Vec::new();
    for fact in facts {
        let space = if fact.prompt.ends_with(char::is_whitespace) { "" } else { " " };
        let prompt = tokenizer.encode_prompt(&fact.prompt).map_err(text_error)?;
        let answer = encode(tokenizer, &format!("{space}{}", fact.answer))?;
        let all = [prompt.as_slice(), &answer].concat();
        // The most probable token at each place of the answer, given the right ones before it: greedy decoding gives the
        // answer exactly if all of them are its own.
        let output = run(subject.engine, &all, &Capture::none(), &Interventions::none(), LogitsWanted::All)?;
        let rows = output.logits.chunks_exact(d_vocab).skip(prompt.len() - 1);
        let (mut said, mut probability) = (Vec::new(), 1.0);
        for (row, right) in rows.zip(&answer) {
            let best = top_tokens(row, 1)[0].id;
            said.push(best);
            probability *= (f64::from(row[*right as usize]) - log_sum_exp(row)).exp();
            if best != *right {
                break;
            }
        }
        reports.push(FactReport {
            prompt: fact.prompt.clone(),
            answer: fact.answer.into(),
            said: tokenizer.decode(&said),
            probability,
        });
    }
    Ok(reports)
}
