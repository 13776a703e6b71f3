//! The command line: the lab's work without its window, on the same engine.

mod bench;
mod eval;
mod generate;
mod inspect;
mod models;
mod progress;
mod shot;
mod trace;
mod train;

use clap::{Args, Parser, Subcommand};

use crate::builtin::ModelFolders;
use crate::engine::loader::Checkpoint;
use crate::engine::tokenizer::Tokenizer;
use crate::engine::{DeviceChoice, Engine, ModelSource, NotNumbers, Output, Request, open_engine, open_source};
use crate::model::{Cancel, Error};
use crate::ui;

/// See and change how a language model computes. Without a command the window opens.
///
/// A MODEL is a weight file, a folder with config.json, or the id of a built-in model such as story-dense (`glassbox
/// models` lists them; a folder of that name is named as ./story-dense). A folder of the same name in the directory
/// GLASSBOX_MODELS, or in models beside this program, stands in for a built-in model.
#[derive(Debug, Parser)]
#[command(version, about, long_about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The weight file, folder or built-in model that the window opens; without it, the one of last time.
    #[arg(value_name = "MODEL")]
    file: Option<ModelSource>,
    #[command(flatten)]
    device: DeviceArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the built-in models.
    Models(models::Models),
    /// Prints what a weight file holds.
    Inspect(inspect::Inspect),
    /// Generates text.
    Generate(generate::Generate),
    /// Records a run's tensors in a safetensors file, under their hook names.
    Trace(trace::TraceCommand),
    /// Measures loading, prefill and decoding on every device.
    Bench(bench::Bench),
    /// Measures what a model's heads do and, for a model of the story world, what it knows.
    Eval(eval::Eval),
    /// Shows or exports what was learnt.
    Progress(progress::Progress),
    /// Draws the window into a PNG, without a display.
    Shot(shot::Shot),
    /// Trains one of the project's own models.
    Train(train::Train),
}

/// Where to compute.
#[derive(Debug, Clone, Args)]
struct DeviceArguments {
    /// `auto`, `cpu`, `gpu`, or a part of a graphics adapter's name.
    #[arg(long, env = "GLASSBOX_DEVICE", default_value = "auto", global = true)]
    device: String,
    /// Keep exact f32 arithmetic on the CPU instead of the fast quantised kernels.
    #[arg(long, global = true)]
    exact: bool,
}

impl DeviceArguments {
    fn choice(&self) -> DeviceChoice {
        let Ok(choice) = self.device.parse();
        choice
    }
}

/// Runs the command that the arguments name. An error is a sentence for the user.
pub fn run() -> Result<(), String> {
    let arguments = Arguments::parse();
    let device = &arguments.device;
    match arguments.command {
        None => window(arguments.file, device),
        Some(Command::Models(command)) => command.run(),
        Some(Command::Inspect(command)) => command.run(),
        Some(Command::Generate(command)) => command.run(device),
        Some(Command::Trace(command)) => command.run(device),
        Some(Command::Bench(command)) => command.run(device),
        Some(Command::Eval(command)) => command.run(device),
        Some(Command::Progress(command)) => command.run(),
        Some(Command::Shot(command)) => command.run(device),
        Some(Command::Train(command)) => command.run(),
    }
}

fn window(file: Option<ModelSource>, device: &DeviceArguments) -> Result<(), String> {
    // Without a word on the device, the window goes by what was chosen last time.
    let choice = (device.device != "auto").then(|| device.choice());
    ui::run(file, choice).map_err(|e| format!("The window could not be opened ({e}): check that a display is there."))
}

/// A model that a command works on.
struct Opened {
    checkpoint: Checkpoint,
    tokenizer: Tokenizer,
    engine: Box<dyn Engine>,
    not_numbers: Option<NotNumbers>,
    /// What has to be said about it.
    notes: Vec<String>,
}

impl Opened {
    /// Runs tokens. What was noticed while the file was opened is told once a run has worked: where one fails, its own
    /// sentence says all that matters.
    fn run(&mut self, request: Request<'_>) -> Result<Output, String> {
        let output = self.engine.run(request).map_err(|error| sentence(&error, self.not_numbers.as_ref()))?;
        self.notes.drain(..).for_each(|note| eprintln!("note: {note}"));
        Ok(output)
    }
}

/// Why a run failed; where parameters are not numbers, they are why.
fn sentence(error: &Error, not_numbers: Option<&NotNumbers>) -> String {
    match (error, not_numbers) {
        (Error::NotFinite(point), Some(tensors)) => tensors.blame(*point),
        _ => error.to_string(),
    }
}

/// Opens a model.
fn open(source: &ModelSource, device: &DeviceArguments) -> Result<Opened, String> {
    let (checkpoint, tokenizer) = open_source(source, &ModelFolders::of_this_program())?;
    let opened = open_engine(&checkpoint, &device.choice(), device.exact, &Cancel::new(), &|_| {})?;
    let report = &checkpoint.report;
    let warnings = report.fallback.iter().chain(&report.warnings).chain(tokenizer.warnings()).chain(&opened.fallback);
    let notes = warnings.cloned().chain(opened.not_numbers.as_ref().map(ToString::to_string)).collect();
    Ok(Opened { checkpoint, tokenizer, engine: opened.engine, not_numbers: opened.not_numbers, notes })
}
