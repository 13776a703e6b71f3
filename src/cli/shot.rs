//! `glassbox shot`: the window as a picture, drawn without a display.

use std::path::{Path, PathBuf};

use clap::Args;

use super::DeviceArguments;

/// Draws the window into a PNG, without a display.
#[derive(Debug, Args)]
pub struct Shot {
    /// Where to write the PNG.
    #[arg(long)]
    out: PathBuf,
    /// A weight file or folder to open first.
    #[arg(long)]
    model: Option<PathBuf>,
    /// The lesson to show, by its id.
    #[arg(long)]
    lesson: Option<String>,
    /// The prompt to run.
    #[arg(short, long)]
    prompt: Option<String>,
    /// The light theme instead of the dark one.
    #[arg(long)]
    light: bool,
    /// Width and height in points.
    #[arg(long, num_args = 2, default_values_t = [1280, 800])]
    size: Vec<u32>,
}
