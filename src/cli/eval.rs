//! `glassbox eval MODEL`.

use std::io::Write;
use std::path::Path;

use clap::Args;

use super::{DeviceArguments, Opened, open, sentence};
use crate::builtin::About;
use crate::engine::ModelSource;
use crate::model::{Param, TensorId};
use crate::train::eval::{Options, Report, Subject, evaluate, render};

/// Measures what a model's heads do and, for a model of the story world, what it knows.
#[derive(Debug, Args)]
pub struct Eval {
    /// The weight file or folder, or the id of a built-in model.
    model: ModelSource,
    /// Write the report into a Markdown file, between the markers <!-- eval:ID --> and <!-- /eval:ID -->.
    #[arg(long, num_args = 2, value_names = ["FILE", "ID"])]
    report: Option<Vec<String>>,
    /// Another model of the same vocabulary, whose held-out loss is compared token by token.
    #[arg(long, value_name = "MODEL")]
    beside: Option<ModelSource>,
    /// As JSON.
    #[arg(long)]
    json: bool,
    /// Fail if a figure misses its limit.
    #[arg(long)]
    check: bool,
    /// Where all random draws begin.
    #[arg(long, default_value_t = Options::default().seed)]
    seed: u64,
    /// The seed of the corpus that the model was trained on; by default what its model.toml says.
    #[arg(long)]
    corpus_seed: Option<u64>,
    /// Random prompts for the head scores.
    #[arg(long, default_value_t = Options::default().prompts)]
    prompts: usize,
    /// Random tokens that each of them repeats.
    #[arg(long, default_value_t = Options::default().copy_length)]
    copy_length: usize,
    /// Tokens of held-out text.
    #[arg(long, default_value_t = Options::default().held_out_tokens)]
    held_out: usize,
    /// Tokens of training text that the trigram model counts; by default as many as the model was trained on.
    #[arg(long)]
    counted: Option<usize>,
}

impl Eval {
    /// Prints the report; the steps go to standard error.
    pub fn run(&self, device: &DeviceArguments) -> Result<(), String> {
        let mut measured = Measured::open(&self.model, device)?;
        let mut other = self.beside.as_ref().map(|other| Measured::open(other, device)).transpose()?;
        let options = self.options(measured.opened.checkpoint.report.about.as_ref());
        let mut beside = other.as_mut().map(Measured::subject);
        let report =
            evaluate(&mut measured.subject(), beside.as_mut(), &options, &|step| eprintln!("measuring: {step}"))
                .map_err(|e| sentence(&e, measured.opened.not_numbers.as_ref()))?;
        measured.opened.notes.iter().for_each(|note| eprintln!("note: {note}"));
        let text = if self.json {
            serde_json::to_string_pretty(&report).map_err(|e| e.to_string())? + "\n"
        } else {
            render::terminal(&report.page())
        };
        // A closed pipe only means that nobody reads on.
        let _ = std::io::stdout().write_all(text.as_bytes());
        if let Some([file, id]) = self.report.as_deref() {
            write_section(Path::new(file), id, &report)?;
        }
        match self.check && !report.passed() {
            true => Err("A figure misses its limit.".into()),
            false => Ok(()),
        }
    }

    fn options(&self, about: Option<&About>) -> Options {
        let usual = Options::default();
        let tokens = about.and_then(|about| usize::try_from(about.tokens).ok()).filter(|n| *n > 0);
        Options {
            seed: self.seed,
            corpus_seed: self.corpus_seed.or(about.map(|about| about.seed)).unwrap_or(usual.corpus_seed),
            prompts: self.prompts,
            copy_length: self.copy_length,
            held_out_tokens: self.held_out,
            counted_tokens: self.counted.or(tokens).unwrap_or(usual.counted_tokens),
            ..usual
        }
    }
}

/// An open model with what a measurement needs of it.
struct Measured {
    name: String,
    opened: Opened,
    embeddings: Vec<f32>,
}

impl Measured {
    fn open(source: &ModelSource, device: &DeviceArguments) -> Result<Self, String> {
        let opened = open(source, device)?;
        let checkpoint = &opened.checkpoint;
        let embed = TensorId::global(Param::Embed);
        let table = checkpoint.config.tensors().into_iter().find(|spec| spec.id == embed);
        let embeddings = match table {
            Some(spec) => checkpoint.tensor(&spec).map_err(|e| e.to_string())?.decode(),
            None => Vec::new(),
        };
        let name = checkpoint.report.name.clone().unwrap_or_else(|| source.name());
        Ok(Self { name, opened, embeddings })
    }

    fn subject(&mut self) -> Subject<'_> {
        let Opened { engine, tokenizer, .. } = &mut self.opened;
        Subject { name: self.name.clone(), engine: engine.as_mut(), tokenizer, embeddings: &self.embeddings }
    }
}

fn write_section(file: &Path, id: &str, report: &Report) -> Result<(), String> {
    let problem = |e: std::io::Error, what: &str| format!("“{}” could not be {what} ({e}).", file.display());
    let old = match std::fs::read_to_string(file) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        other => other.map_err(|e| problem(e, "read"))?,
    };
    let new = render::replace_section(&old, id, &render::markdown(&report.page(), 4))?;
    std::fs::write(file, new).map_err(|e| problem(e, "written"))
}
