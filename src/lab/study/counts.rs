//! What counting alone predicts: a Markov model of the text that the story models were trained on.

use super::{Finding, StudyJob, Work};
use crate::engine::TokenScore;
use crate::insight::ngram::NGram;
use crate::lab::session::Open;
use crate::lab::trace;
use crate::model::{Error, Result};
use crate::train::corpus::{Corpus, Split};
use crate::train::eval::{Options, document, is_of_the_world};

/// Tokens of an n-gram.
const ORDER: usize = 3;
/// Tokens that are counted.
const TOKENS: u64 = 400_000;
/// Documents that one step counts.
const DOCUMENTS: u64 = 100;
/// Candidates that are listed.
const TOP: usize = 12;

/// The counts so far, and what they predict.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// Tokens of an n-gram: the context and the one that follows.
    pub order: usize,
    /// Tokens counted.
    pub n_tokens: u64,
    /// Different n-grams found.
    pub n_distinct: usize,
    /// The tokens that the prediction looks at.
    pub context: Vec<String>,
    /// The most probable next tokens, with their labels; the logit is ln p.
    pub top: Vec<(TokenScore, String)>,
}

/// The work.
pub struct CountsWork {
    sequence: Vec<u32>,
    corpus: Corpus,
    next: u64,
    done: u64,
    found: Option<Counted>,
}

impl CountsWork {
    /// Refuses a model that learned something else.
    pub fn new(open: &mut Open, job: &StudyJob) -> Result<Self> {
        if !is_of_the_world(&open.tokenizer) {
            let sentence = "This model was not trained on the story world, and its training text is not here to be \
                            counted: open a story model.";
            return Err(Error::Text(sentence.into()));
        }
        let sequence = trace::tokens(open, &job.sequence)?.all;
        let corpus = Corpus::new(Options::default().corpus_seed);
        let mut work = Self { sequence, corpus, next: 0, done: 0, found: None };
        // What was counted for an earlier prompt serves this one.
        if let Some((model, next)) = &open.counts {
            (work.next, work.done) = (*next, model.n_tokens().min(TOKENS));
        }
        work.read(open);
        Ok(work)
    }

    fn read(&mut self, open: &Open) {
        let Some((model, _)) = &open.counts else { return };
        let p = model.distribution(&self.sequence);
        let mut ids: Vec<usize> = (0..p.len()).collect();
        ids.sort_by(|a, b| p[*b].total_cmp(&p[*a]).then(a.cmp(b)));
        let score = |id: &usize| {
            let token = TokenScore { id: *id as u32, logit: p[*id].ln() as f32, probability: p[*id] as f32 };
            (token, open.tokenizer.label(*id as u32))
        };
        let from = self.sequence.len().saturating_sub(ORDER - 1);
        self.found = Some(Counted {
            order: ORDER,
            n_tokens: model.n_tokens(),
            n_distinct: model.n_distinct(),
            context: self.sequence[from..].iter().map(|id| open.tokenizer.label(*id)).collect(),
            top: ids.iter().take(TOP).map(score).collect(),
        });
    }
}

impl Work for CountsWork {
    fn step(&mut self, open: &mut Open) -> Result<()> {
        let d_vocab = open.engine.config().d_vocab;
        let (mut model, _) = open.counts.take().unwrap_or_else(|| (NGram::new(ORDER, d_vocab), 0));
        for index in self.next..self.next + DOCUMENTS {
            model.count(&document(&open.tokenizer, &self.corpus, Split::Train, index)?);
        }
        self.next += DOCUMENTS;
        self.done = model.n_tokens().min(TOKENS);
        open.counts = Some((model, self.next));
        self.read(open);
        Ok(())
    }

    fn progress(&self) -> (usize, usize) {
        (self.done as usize, TOKENS as usize)
    }

    fn finding(&self) -> Option<Finding> {
        self.found.clone().map(Finding::Counts)
    }
}
