//! `glassbox shot`: the window as a picture, drawn without a display.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::DeviceArguments;
use crate::builtin::ModelFolders;
use crate::lab::{Begin, Command, Lab, LabOptions, ModelSource};
use crate::lesson::PanelId;
use crate::ui::{self, ShotOptions, shot};

/// Points that a picture may be wide or high: what the layout takes, and what every graphics interface draws.
const SIDES: std::ops::RangeInclusive<u32> = 320..=8192;

/// Draws the window into a PNG, without a display.
#[derive(Debug, Args)]
pub struct Shot {
    /// Where to write the PNG.
    #[arg(long)]
    out: PathBuf,
    /// A weight file or folder, or the id of a built-in model, to open first. Without it, the default built-in model.
    #[arg(long, conflicts_with = "empty")]
    model: Option<ModelSource>,
    /// Open no model.
    #[arg(long)]
    empty: bool,
    /// The lesson to show, by its id.
    #[arg(long)]
    lesson: Option<String>,
    /// The prompt to run; without it, the one that the model suggests.
    #[arg(short, long)]
    prompt: Option<String>,
    /// The panel to bring to the front, by its name in lessons (such as `logit-lens`).
    #[arg(long)]
    panel: Option<String>,
    /// The light theme instead of the dark one.
    #[arg(long)]
    light: bool,
    /// Width and height in points.
    #[arg(long, num_args = 2, default_values_t = [1280, 800])]
    size: Vec<u32>,
}

impl Shot {
    /// Opens what is asked for, waits until the lab rests, and draws.
    pub fn run(&self, device: &DeviceArguments) -> Result<(), String> {
        let [width, height] = self.size[..] else { return Err("Give --size a width and a height.".into()) };
        if ![width, height].iter().all(|side| SIDES.contains(side)) {
            let (least, most) = (SIDES.start(), SIDES.end());
            return Err(format!(
                "A picture of {width} × {height} points cannot be drawn: each side may be {least} to {most}."
            ));
        }
        let panel = |name: &String| {
            let found = PanelId::ALL.iter().copied().find(|panel| panel.name() == name);
            let names = PanelId::ALL.iter().map(|panel| panel.name()).collect::<Vec<_>>().join(", ");
            found.ok_or_else(|| format!("There is no panel “{name}”: choose one of {names}."))
        };
        let options = ShotOptions {
            panel: self.panel.as_ref().map(panel).transpose()?,
            size: [width as f32, height as f32],
            lesson: self.lesson.clone(),
            model: (!self.empty).then(|| self.model.clone().unwrap_or_else(ModelSource::default_model)),
            device: device.choice(),
            prompt: self.prompt.clone(),
            ..ShotOptions::with_light(self.light)
        };
        let picture = shot(&options)?;
        picture
            .save(&self.out)
            .map_err(|e| format!("“{}” could not be written ({e}): choose another place.", self.out.display()))
    }
}

/// What the window's own work per frame costs, with the largest trace on screen while text is generated.
pub fn frame_work(source: ModelSource, device: &DeviceArguments, json: bool) -> Result<(), String> {
    const FRAMES: usize = 300;
    let options = LabOptions {
        begin: Begin::With(source),
        folders: ModelFolders::of_this_program(),
        device: device.choice(),
        exact: device.exact,
        ..LabOptions::default()
    };
    let mut lab = Lab::new(options, || {});
    // As much text as the model takes, up to 21 times the sentence.
    for times in [21, 10, 4, 1] {
        lab.apply(Command::SetPrompt("The quick brown fox jumps over the lazy dog, and then ".repeat(times)));
        lab.wait_until_idle();
        if lab.snapshot().clean.is_some() {
            break;
        }
    }
    let tokens = lab.snapshot().chips.len();
    if lab.snapshot().clean.is_none() {
        let why = lab.snapshot().notices.last().map(|n| n.text.clone());
        return Err(why.unwrap_or_else(|| "The model could not be run.".into()));
    }
    lab.apply(Command::Generate(1_000_000));
    let work = ui::frame_work(&mut lab, [1440.0, 900.0], FRAMES);
    let ms = |d: std::time::Duration| d.as_secs_f64() * 1e3;
    if json {
        let figures = json!({ "frames": work.frames, "prompt_tokens": tokens, "median_ms": ms(work.median),
            "p95_ms": ms(work.p95), "worst_ms": ms(work.worst), "vertices": work.vertices });
        println!("{figures:#}");
    } else {
        let (median, p95, worst) = (ms(work.median), ms(work.p95), ms(work.worst));
        println!("work per frame over {} frames, {tokens} tokens on screen, a generation running:", work.frames);
        println!("median {median:.2} ms, 95 % under {p95:.2} ms, worst {worst:.2} ms, {} vertices", work.vertices);
    }
    Ok(())
}
