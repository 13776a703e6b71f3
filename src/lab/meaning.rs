//! Questions about what words mean to the open model, and their answers, as plain data.
//!
//! A panel asks ([`Question`], through [`Command::Ask`](super::Command::Ask)) and finds the answer in the snapshot's
//! [`Meaning`] later. Each kind of question has one place: the newest question of a kind replaces an older one, and an
//! answer to an older one, or about another model, is dropped by its number.

use std::sync::Arc;

use crate::insight::analogy::Neighbour;

/// Something to find out about the embedding table or a word in context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The table's principal components and where they put each token.
    Map,
    /// What is near a token, under each measure.
    Near {
        /// The token.
        word: Word,
        /// Whether the table's mean is subtracted first.
        centred: bool,
    },
    /// The same for the token under the pointer.
    Glance(u32),
    /// a is to b as c is to what?
    Analogy {
        /// a, b, c.
        words: [String; 3],
        /// The word whose rank is asked for; none takes the nearest that was not put in.
        expected: Option<String>,
        /// Whether the table's mean is subtracted first.
        centred: bool,
    },
    /// The cosine of each pair of words.
    Pairs {
        /// The words.
        words: Vec<String>,
        /// Whether the table's mean is subtracted first.
        centred: bool,
    },
    /// One word in several sentences, layer by layer.
    Context {
        /// The word.
        word: String,
        /// The sentences.
        sentences: Vec<String>,
    },
}

/// A token, named either way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// As text.
    Text(String),
    /// By its number.
    Id(u32),
}

/// Answers, one place for each kind of question.
#[derive(Debug, Clone, Default)]
pub struct Meaning {
    /// To [`Question::Map`].
    pub map: Asked<TokenMap>,
    /// To [`Question::Near`].
    pub near: Asked<Near>,
    /// To [`Question::Glance`].
    pub glance: Asked<Near>,
    /// To [`Question::Analogy`].
    pub analogy: Asked<AnalogyAnswer>,
    /// To [`Question::Pairs`].
    pub pairs: Asked<Pairs>,
    /// To [`Question::Context`].
    pub context: Asked<Contexts>,
}

/// What became of the newest question of a kind.
#[derive(Debug, Clone)]
pub struct Asked<T> {
    /// Its number; 0 before the first.
    pub id: u64,
    /// The newest answer there is. While `waiting`, it is that to an older question.
    pub answer: Option<Arc<T>>,
    /// Whether the answer is still to come.
    pub waiting: bool,
    /// Why there is no answer, as a sentence.
    pub problem: Option<String>,
}

impl<T> Default for Asked<T> {
    fn default() -> Self {
        Self { id: 0, answer: None, waiting: false, problem: None }
    }
}

impl<T> Asked<T> {
    /// Whether this was never asked.
    pub fn is_new(&self) -> bool {
        self.answer.is_none() && !self.waiting && self.problem.is_none()
    }

    pub(super) fn ask(&mut self, id: u64) {
        (self.id, self.waiting, self.problem) = (id, true, None);
    }

    pub(super) fn stop(&mut self, problem: Option<&str>) {
        if self.waiting {
            (self.id, self.waiting, self.problem) = (0, false, problem.map(String::from));
        }
    }

    fn collect(&mut self, id: u64, answer: Result<T, String>) {
        if id != self.id {
            return;
        }
        self.waiting = false;
        match answer {
            Ok(answer) => self.answer = Some(Arc::new(answer)),
            Err(problem) => (self.answer, self.problem) = (None, Some(problem)),
        }
    }
}

/// The answer to one question.
#[derive(Debug)]
pub enum Answer {
    /// To [`Question::Map`].
    Map(Result<TokenMap, String>),
    /// To [`Question::Near`].
    Near(Result<Near, String>),
    /// To [`Question::Glance`].
    Glance(Result<Near, String>),
    /// To [`Question::Analogy`].
    Analogy(Result<AnalogyAnswer, String>),
    /// To [`Question::Pairs`].
    Pairs(Result<Pairs, String>),
    /// To [`Question::Context`].
    Context(Result<Contexts, String>),
}

impl Meaning {
    /// Notes that a question was asked.
    pub(super) fn ask(&mut self, id: u64, question: &Question) {
        match question {
            Question::Map => self.map.ask(id),
            Question::Near { .. } => self.near.ask(id),
            Question::Glance(_) => self.glance.ask(id),
            Question::Analogy { .. } => self.analogy.ask(id),
            Question::Pairs { .. } => self.pairs.ask(id),
            Question::Context { .. } => self.context.ask(id),
        }
    }

    /// Puts an answer in its place, unless a newer question took that.
    pub(super) fn collect(&mut self, id: u64, answer: Answer) {
        match answer {
            Answer::Map(answer) => self.map.collect(id, answer),
            Answer::Near(answer) => self.near.collect(id, answer),
            Answer::Glance(answer) => self.glance.collect(id, answer),
            Answer::Analogy(answer) => self.analogy.collect(id, answer),
            Answer::Pairs(answer) => self.pairs.collect(id, answer),
            Answer::Context(answer) => self.context.collect(id, answer),
        }
    }

    /// Nothing that was asked will be answered any more.
    pub(super) fn stop(&mut self, problem: Option<&str>) {
        self.map.stop(problem);
        self.near.stop(problem);
        self.glance.stop(problem);
        self.analogy.stop(problem);
        self.pairs.stop(problem);
        self.context.stop(problem);
    }
}

/// A map of the embedding table.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenMap {
    /// Each token's place along the first three components, by id.
    pub places: Vec<[f32; 3]>,
    /// Each token's printable text.
    pub labels: Vec<String>,
    /// Each token's class: an index into `classes`, or one past its end for none.
    pub class_of: Vec<u8>,
    /// What the classes are called.
    pub classes: Vec<String>,
    /// The share of the variance that each component keeps, 0 to 1.
    pub shares: [f64; 3],
    /// The distance from the middle within which 99 % of the tokens lie.
    pub radius: f32,
}

/// What is near a token.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// The token.
    pub token: Labelled,
    /// |x|, after centring if that was asked for.
    pub length: f32,
    /// Whether the table's mean was subtracted.
    pub centred: bool,
    /// The nearest tokens by cosine, by dot product and by distance.
    pub lists: [Vec<Labelled>; 3],
}

/// A token with its text and a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// The token and how near it is.
    pub neighbour: Neighbour,
    /// Its printable text.
    pub label: String,
}

/// Where the answer of an analogy lies.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalogyAnswer {
    /// a, b, c and the answer.
    pub tokens: [Labelled; 4],
    /// Whether the table's mean was subtracted.
    pub centred: bool,
    /// The answer's rank when a, b and c are left out.
    pub rank: usize,
    /// Its rank among all tokens.
    pub rank_among_all: usize,
    /// The nearest when a, b and c are left out.
    pub nearest: Vec<Labelled>,
    /// The nearest of all.
    pub nearest_of_all: Vec<Labelled>,
}

/// How near the words of a list are to each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairs {
    /// The words.
    pub labels: Vec<String>,
    /// Cosines, `[n, n]`.
    pub cosines: Vec<f32>,
    /// Whether the table's mean was subtracted.
    pub centred: bool,
}

/// A word in several sentences.
#[derive(Debug, Clone, PartialEq)]
pub struct Contexts {
    /// The word.
    pub word: String,
    /// The sentences.
    pub sentences: Vec<String>,
    /// For each layer the cosine of each pair of sentences, `[n_layers + 1][n, n]`; entry 0 enters the first block.
    pub cosines: Vec<Vec<f32>>,
    /// For each sentence the way of the word through the layers, on the two directions in which all of them differ most:
    /// `[n][n_layers + 1]`.
    pub paths: Vec<Vec<[f32; 2]>>,
    /// The share of the variance that these two keep.
    pub share: f64,
}
