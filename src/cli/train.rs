//! `glassbox train`: makes one of the project's own models.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::builtin::About;
use crate::engine::loader::{Saved, save_hub};
use crate::engine::tokenizer::{HubVocabulary, Tokenizer};
use crate::train::corpus::{Corpus, Split};
use crate::train::tokenizer::END_ID;
use crate::train::{CurvePoint, PROMPTS, RECIPES, Recipe, Trainer, tokenizer};

/// Documents that the tokenizer's words are counted on.
const TOKENIZER_DOCUMENTS: u64 = 20_000;
/// Steps between two checkpoints, each with a loss on held-out text.
const CHECKPOINT_EVERY: usize = 250;
/// Steps that the progress bar's loss is averaged over.
const SHOWN_OVER: usize = 20;

/// Train one of the project's own models.
#[derive(Debug, Args)]
pub struct Train {
    /// Which model: `story-dense`, `story-moe` or `story-base-small`.
    #[arg(long)]
    model: String,
    /// Where random numbers start: the same seed gives the same text, weights and losses.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder of the run. A run that is there already goes on from its last checkpoint.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Tokens to train on, in place of the recipe's.
    #[arg(long)]
    tokens: Option<usize>,
    /// Threads to compute with.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// The version of the program that is noted in model.toml; without it, what git says.
    #[arg(long)]
    commit: Option<String>,
    /// Stop after this many steps of this sitting; a later call goes on.
    #[arg(long)]
    pause_after: Option<usize>,
}

impl Train {
    pub fn run(self) -> Result<(), String> {
        let known = || RECIPES.iter().map(|recipe| recipe.id).collect::<Vec<_>>().join(", ");
        let recipe = Recipe::find(&self.model)
            .ok_or_else(|| format!("There is no recipe “{}”: choose one of {}.", self.model, known()))?;
        let recipe = Recipe { tokens: self.tokens.unwrap_or(recipe.tokens), ..*recipe };
        if recipe.steps() == 0 {
            let least = recipe.batch * recipe.sequence_len;
            return Err(format!("{} tokens are less than one step of {least}: ask for more.", recipe.tokens));
        }
        let out = self.out.clone().unwrap_or_else(|| Path::new("target/train").join(recipe.id));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads.max(1)).build();
        pool.map_err(|e| format!("Threads could not be started ({e}): ask for fewer."))?.install(|| {
            std::fs::create_dir_all(&out).map_err(|e| could_not(&out, "be made", &e))?;
            self.train(&recipe, &out)
        })
    }

    fn train(&self, recipe: &Recipe, out: &Path) -> Result<(), String> {
        let (tokenizer, d_vocab) = tokenizer_of(out, self.seed)?;
        let mut trainer = Trainer::new(recipe, self.seed, recipe.steps(), tokenizer, d_vocab).map_err(sentence)?;
        let checkpoint = out.join("checkpoint.safetensors");
        if checkpoint.exists() {
            trainer.resume(&checkpoint).map_err(sentence)?;
            println!("going on after step {}", trainer.steps());
        }
        println!("{}: {} parameters, {d_vocab} tokens in the vocabulary", recipe.id, trainer.config().n_params());
        let last = self.pause_after.map_or(trainer.total_steps(), |n| (trainer.steps() + n).min(trainer.total_steps()));
        let bar = progress_bar(trainer.total_steps(), trainer.steps());
        let mut log = Log::open(out, trainer.steps() == 0)?;
        while trainer.steps() < last {
            let point = trainer.step().map_err(sentence)?;
            if !point.loss.is_finite() {
                return Err(format!("The loss at step {} is not a number: train with a lower rate.", point.step));
            }
            let held_out = if point.step % CHECKPOINT_EVERY == 0 || point.step == last {
                trainer.save(&checkpoint).map_err(sentence)?;
                Some(trainer.held_out_loss().map_err(sentence)?)
            } else {
                None
            };
            log.line(&point, held_out)?;
            show(&bar, &trainer, held_out);
        }
        bar.finish();
        if trainer.steps() == trainer.total_steps() {
            save(out, &trainer)?;
            self.describe(out, recipe, &trainer)?;
            println!("saved in {} after {:.1} minutes", out.display(), trainer.seconds() / 60.0);
        }
        Ok(())
    }
}

/// Steps at the end of a run whose mean loss is noted.
const NOTED_OVER: usize = 250;

impl Train {
    /// Writes `model.toml`: what the model is for, and how it was made.
    fn describe(&self, out: &Path, recipe: &Recipe, trainer: &Trainer) -> Result<(), String> {
        let curve = trainer.curve();
        let last = &curve[curve.len().saturating_sub(NOTED_OVER)..];
        let rounded = |x: f64, digits: i32| (x * 10f64.powi(digits)).round() / 10f64.powi(digits);
        let about = About {
            id: recipe.id.into(),
            title: recipe.title.into(),
            description: recipe.description.into(),
            prompt: recipe.prompt.into(),
            prompts: PROMPTS.iter().map(ToString::to_string).collect(),
            command: format!("glassbox train --model {} --seed {} --tokens {}", recipe.id, self.seed, recipe.tokens),
            seed: self.seed,
            commit: self.commit.clone().or_else(head_commit).unwrap_or_else(|| "unknown".into()),
            tokens: (trainer.steps() * trainer.tokens_per_step()) as u64,
            minutes: rounded(trainer.seconds() / 60.0, 1),
            train_loss: rounded(last.iter().map(|point| point.loss).sum::<f64>() / last.len() as f64, 4),
            held_out_loss: rounded(trainer.held_out_loss().map_err(sentence)?, 4),
            params: trainer.config().n_params(),
            licence: "MIT OR Apache-2.0".into(),
        };
        let path = out.join("model.toml");
        let text = toml::to_string_pretty(&about).map_err(|e| could_not(&path, "be written", &e))?;
        std::fs::write(&path, text).map_err(|e| could_not(&path, "be written", &e))
    }
}

/// The commit that the working folder stands at.
fn head_commit() -> Option<String> {
    let output = std::process::Command::new("git").args(["rev-parse", "--short", "HEAD"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|commit| output.status.success() && !commit.is_empty())
}

/// The run's tokenizer: the one in its folder, or a new one.
fn tokenizer_of(out: &Path, seed: u64) -> Result<(Arc<Tokenizer>, usize), String> {
    let path = out.join("tokenizer.json");
    if !path.exists() {
        let corpus = Corpus::new(seed);
        let texts = (0..TOKENIZER_DOCUMENTS).map(|index| corpus.document(Split::Train, index));
        let json = tokenizer::train(texts).map_err(|e| format!("The tokenizer could not be trained ({e})."))?;
        std::fs::write(&path, json).map_err(|e| could_not(&path, "be written", &e))?;
    }
    let json = std::fs::read(&path).map_err(|e| could_not(&path, "be read", &e))?;
    let d_vocab = tokenizer::vocabulary_size(&json).map_err(|e| could_not(&path, "be read", &e))?;
    let vocabulary = HubVocabulary { json, eos: vec![END_ID], ..HubVocabulary::default() };
    let tokenizer = Tokenizer::from_hub(vocabulary, d_vocab, "tokenizer.json").map_err(|e| e.to_string())?;
    Ok((Arc::new(tokenizer), d_vocab))
}

/// Writes the trained model.
fn save(out: &Path, trainer: &Trainer) -> Result<(), String> {
    let table = trainer.config().tensors().into_iter().map(|spec| {
        let values = trainer.parameters().values(spec.id)?;
        Ok((spec.id, spec.shape, values))
    });
    let tensors = table.collect::<crate::model::Result<Vec<_>>>().map_err(|e| e.to_string())?;
    let saved = Saved { config: trainer.config(), end: END_ID, tensors: &tensors };
    save_hub(out, &saved).map_err(|e| e.to_string())
}

fn progress_bar(total: usize, done: usize) -> ProgressBar {
    let bar = ProgressBar::new(total as u64).with_position(done as u64);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} steps · {msg} · {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.reset_eta();
    bar
}

fn show(bar: &ProgressBar, trainer: &Trainer, held_out: Option<f64>) {
    let recent = &trainer.curve()[trainer.curve().len().saturating_sub(SHOWN_OVER)..];
    let loss = recent.iter().map(|point| point.loss).sum::<f64>() / recent.len() as f64;
    let speed = bar.per_sec() * trainer.tokens_per_step() as f64;
    let mut message = format!("loss {loss:.3} · {speed:.0} tokens/s");
    if let Some(held_out) = held_out {
        let _ = write!(message, " · held out {held_out:.3}");
        let step = trainer.steps();
        bar.suspend(|| println!("step {step}: loss {loss:.4}, held out {held_out:.4}, {speed:.0} tokens/s"));
    }
    bar.set_message(message);
    bar.set_position(trainer.steps() as u64);
}

/// The losses as a table, a line a step.
struct Log {
    path: PathBuf,
    file: std::fs::File,
}

impl Log {
    fn open(out: &Path, fresh: bool) -> Result<Self, String> {
        let path = out.join("curve.csv");
        let file = std::fs::OpenOptions::new().create(true).write(true).append(!fresh).truncate(fresh).open(&path);
        let mut log = Self { file: file.map_err(|e| could_not(&path, "be opened", &e))?, path };
        if fresh {
            log.write("step,loss,held_out,balance,gradient_norm,learning_rate")?;
        }
        Ok(log)
    }

    fn line(&mut self, point: &CurvePoint, held_out: Option<f64>) -> Result<(), String> {
        let or_empty = |x: Option<f64>| x.map(|x| format!("{x:.6}")).unwrap_or_default();
        let CurvePoint { step, loss, balance, norm, rate } = point;
        let (held_out, balance) = (or_empty(held_out), or_empty(*balance));
        self.write(&format!("{step},{loss:.6},{held_out},{balance},{norm:.6},{rate:.8}"))
    }

    fn write(&mut self, line: &str) -> Result<(), String> {
        use std::io::Write;
        writeln!(self.file, "{line}").map_err(|e| could_not(&self.path, "be written", &e))
    }
}

fn sentence(error: crate::train::TrainError) -> String {
    error.to_string()
}

fn could_not(path: &Path, what: &str, error: &dyn std::fmt::Display) -> String {
    format!("{} could not {what} ({error}).", path.display())
}
