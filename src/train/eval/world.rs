//! What a model of the story world knows of it: everything that needs the corpus.

use serde::{Deserialize, Serialize};

use super::experts::{self, ExpertLayer};
use super::meaning::{self, AnalogyReport, FactReport, SenseReport};
use super::run::{encode, losses, sample};
use super::words::word_id;
use super::{Options, Subject};
use crate::engine::tokenizer::Tokenizer;
use crate::insight::loss::{mean, perplexity, standard_error};
use crate::insight::ngram::NGram;
use crate::model::sampler::SamplerConfig;
use crate::model::{Error, Interventions, Result};
use crate::train::corpus::{Corpus, Split, probes};

/// The order of the counting model: two tokens of context and what follows.
const ORDER: usize = 3;
/// Tokens of a held-out window, at most: a longer context than the story world's documents says nothing more.
const LONGEST_WINDOW: usize = 512;
/// A larger vocabulary is not that of the story world.
const LARGEST_VOCABULARY: usize = 8192;

/// What was measured with the corpus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// The loss on text that training never showed.
    pub held_out: HeldOut,
    /// king − man + woman.
    pub king_queen: AnalogyReport,
    /// The analogies of the corpus.
    pub analogies: Vec<AnalogyReport>,
    /// The ambiguous words of the corpus.
    pub senses: Vec<SenseReport>,
    /// The facts of the corpus.
    pub facts: Vec<FactReport>,
    /// What the experts do, for a mixture of experts: one entry per such layer.
    pub experts: Option<Vec<ExpertLayer>>,
    /// Texts that the model wrote.
    pub samples: Vec<Sample>,
}

/// A loss.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// Mean, in nats per token.
    pub nats: f64,
    /// exp of it.
    pub perplexity: f64,
    /// The standard error of the mean, as if tokens were independent.
    pub error: f64,
}

/// Held-out loss of the model and of counting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// Tokens whose loss was measured; the same for both.
    pub n_tokens: usize,
    /// Tokens of a window, whose first one has no context and is not measured.
    pub window: usize,
    /// The model.
    pub model: Loss,
    /// The counting model.
    pub trigram: Loss,
    /// Tokens of training text that it counted.
    pub counted: u64,
    /// Different n-grams that it found.
    pub n_grams: usize,
    /// The model's loss minus the counting model's, token by token; its perplexity is the ratio of theirs.
    pub difference: Loss,
    /// Another model on the same windows, if one was given.
    pub beside: Option<Beside>,
}

/// The held-out loss of another model, on the same tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beside {
    /// Its name.
    pub name: String,
    /// Parameters that one token uses.
    pub n_active_params: u64,
    /// Its loss.
    pub loss: Loss,
    /// The measured model's loss minus this one's, token by token. As both meet the same difficult tokens, its error is
    /// much smaller than that of either loss.
    pub difference: Loss,
}

/// A text that the model wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The seed of its draws.
    pub seed: u64,
    /// Its tokens.
    pub n_tokens: usize,
    /// The words that it was to go on from.
    pub opening: String,
    /// What it wrote after them, to the end of the document.
    pub text: String,
}

/// Whether a tokenizer is made for the story world: a small vocabulary in which the words of its analogies are one token
/// each.
pub fn is_of_the_world(tokenizer: &Tokenizer) -> bool {
    let probes::Analogy { a, b, c, d, .. } = probes::king_queen();
    let known = |word: &&str| word_id(tokenizer, word).is_some();
    tokenizer.len() <= LARGEST_VOCABULARY && [a, b, c, d].iter().all(known)
}

pub(super) fn measure(
    subject: &mut Subject<'_>,
    other: Option<&mut Subject<'_>>,
    options: &Options,
    progress: &dyn Fn(&str),
) -> Result<World> {
    let corpus = Corpus::new(options.corpus_seed);
    let window = subject.engine.config().n_ctx.min(LONGEST_WINDOW);
    progress("held-out text");
    let held_out_text = stream(subject.tokenizer, &corpus, Split::HeldOut, options.held_out_tokens)?;
    let model = in_windows(subject, &held_out_text, window)?;
    progress("a trigram model of the training text");
    let mut counting = NGram::new(ORDER, subject.engine.config().d_vocab);
    counting.count(&stream(subject.tokenizer, &corpus, Split::Train, options.counted_tokens)?);
    let trigram: Vec<f64> = held_out_text.chunks(window).flat_map(|part| counting.losses(part)).collect();
    let difference: Vec<f64> = model.iter().zip(&trigram).map(|(a, b)| a - b).collect();
    let held_out = HeldOut {
        n_tokens: model.len(),
        window,
        model: Loss::of(&model),
        trigram: Loss::of(&trigram),
        counted: counting.n_tokens(),
        n_grams: counting.n_distinct(),
        difference: Loss::of(&difference),
        beside: other.map(|other| beside(other, &model, &held_out_text, window)).transpose()?,
    };

    progress("words");
    let king_queen = meaning::analogies(subject, &[probes::king_queen()]).remove(0);
    let analogies = meaning::analogies(subject, &probes::analogies());
    progress("senses");
    let senses = meaning::senses(subject, &probes::ambiguous_words())?;
    progress("facts");
    let facts = meaning::facts(subject, &probes::facts())?;
    progress("experts");
    let experts = experts::measure(subject, &held_out_text, window, &probes::word_classes(), options.seed)?;
    progress("samples");
    let samples = samples(subject, options)?;
    Ok(World { held_out, king_queen, analogies, senses, facts, experts, samples })
}

/// The loss at each token of a text that is cut into windows, but for the first of each.
fn in_windows(subject: &mut Subject<'_>, text: &[u32], window: usize) -> Result<Vec<f64>> {
    let mut all = Vec::with_capacity(text.len());
    for part in text.chunks(window) {
        all.extend(losses(subject.engine, part, &Interventions::none())?);
    }
    Ok(all)
}

/// Another model on the text and the windows that gave `measured`.
fn beside(other: &mut Subject<'_>, measured: &[f64], text: &[u32], window: usize) -> Result<Beside> {
    let config = other.engine.config();
    // Ids mean the same words only under the same vocabulary.
    if config.n_ctx < window || text.iter().any(|&id| id as usize >= config.d_vocab) {
        let name = &other.name;
        let sentence =
            format!("“{name}” cannot read the same text: compare with a model of the same vocabulary and context.");
        return Err(Error::Text(sentence));
    }
    let n_active_params = config.n_active_params();
    let theirs = in_windows(other, text, window)?;
    let difference: Vec<f64> = measured.iter().zip(&theirs).map(|(a, b)| a - b).collect();
    let (loss, difference) = (Loss::of(&theirs), Loss::of(&difference));
    Ok(Beside { name: other.name.clone(), n_active_params, loss, difference })
}

impl Loss {
    fn of(losses: &[f64]) -> Self {
        let nats = mean(losses).unwrap_or(f64::NAN);
        Self { nats, perplexity: perplexity(nats), error: standard_error(losses).unwrap_or(f64::NAN) }
    }
}

/// Documents in a row, each begun by the token that separates them where the vocabulary has one.
fn stream(tokenizer: &Tokenizer, corpus: &Corpus, split: Split, n_tokens: usize) -> Result<Vec<u32>> {
    let begin = document_start(tokenizer);
    let mut tokens = Vec::with_capacity(n_tokens);
    for index in 0.. {
        if tokens.len() >= n_tokens {
            break;
        }
        tokens.extend(begin);
        tokens.extend(encode(tokenizer, &corpus.document(split, index))?);
    }
    tokens.truncate(n_tokens);
    Ok(tokens)
}

/// The token between documents.
fn document_start(tokenizer: &Tokenizer) -> Option<u32> {
    tokenizer.bos().or(tokenizer.eos()).or(tokenizer.ends().first().copied())
}

/// Stories from the corpus's openings, one draw of each, none left out. Before each stands the token between documents.
fn samples(subject: &mut Subject<'_>, options: &Options) -> Result<Vec<Sample>> {
    let tokenizer = subject.tokenizer;
    let start = document_start(tokenizer);
    let write = |(seed, opening): (u64, &&str)| {
        let config = SamplerConfig { seed, ..SamplerConfig::default() };
        let prompt: Vec<u32> = start.into_iter().chain(encode(tokenizer, opening)?).collect();
        let drawn = sample(subject.engine, tokenizer, &prompt, config, options.sample_tokens)?;
        Ok(Sample {
            seed,
            n_tokens: drawn.len(),
            opening: (*opening).to_owned(),
            text: tokenizer.decode(&drawn).trim().to_owned(),
        })
    };
    (options.seed..).zip(&probes::STORY_OPENINGS).take(options.samples).map(write).collect()
}
