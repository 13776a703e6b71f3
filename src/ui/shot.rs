//! The window as a picture, without a display.
//!
//! Renders the real [`App`](super::App) through egui's test harness and its software rasteriser, driving the real lab
//! until it rests. For the command line, for documentation and for tests.

use std::time::{Duration, Instant};

use egui::{Theme, vec2};
use egui_kittest::Harness;
use image::RgbaImage;

use super::app::{App, FIRST_PROMPT};
use super::settings::Settings;
use crate::builtin::ModelFolders;
use crate::lab::{Begin, Command, DeviceChoice, Lab, LabOptions, ModelSource};
use crate::lesson::PanelId;

/// What to show.
#[derive(Debug, Clone)]
pub struct ShotOptions {
    /// Size in points.
    pub size: [f32; 2],
    /// Pixels per point.
    pub scale: f32,
    /// Light or dark.
    pub theme: Theme,
    /// The lesson to open; `None` is "Your model".
    pub lesson: Option<String>,
    /// The model to open; `None` is the empty window.
    pub model: Option<ModelSource>,
    /// Where to compute.
    pub device: DeviceChoice,
    /// The prompt; `None` keeps the one that the model suggests.
    pub prompt: Option<String>,
    /// The panel to bring to the front.
    pub panel: Option<PanelId>,
    /// What to tell the lab once the model is open.
    pub commands: Vec<Command>,
    /// How long to wait for the lab at most.
    pub timeout: Duration,
}

impl Default for ShotOptions {
    fn default() -> Self {
        Self {
            size: [1440.0, 900.0],
            scale: 1.0,
            theme: Theme::Light,
            lesson: None,
            model: None,
            device: DeviceChoice::Auto,
            prompt: None,
            panel: None,
            commands: Vec::new(),
            timeout: Duration::from_secs(120),
        }
    }
}

impl ShotOptions {
    /// The usual options in the light theme or the dark one.
    pub fn with_light(light: bool) -> Self {
        Self { theme: if light { Theme::Light } else { Theme::Dark }, ..Self::default() }
    }
}

/// Draws the window. An error is one sentence on what did not work.
pub fn shot(options: &ShotOptions) -> Result<RgbaImage, String> {
    let settings = Settings { theme: Some(options.theme), lesson: options.lesson.clone(), ..Settings::default() };
    let lab_options = LabOptions {
        begin: options.model.clone().map_or(Begin::Empty, Begin::With),
        folders: ModelFolders::of_this_program(),
        device: options.device.clone(),
        prompt: FIRST_PROMPT.to_owned(),
        ..LabOptions::default()
    };
    let mut harness = Harness::builder()
        .with_size(vec2(options.size[0], options.size[1]))
        .with_pixels_per_point(options.scale)
        .with_theme(options.theme)
        .allow_missing_glyphs()
        .with_max_steps(64)
        .wgpu()
        .build_eframe(|cc| {
            let waker = cc.egui_ctx.clone();
            let lab = Lab::new(lab_options, move || waker.request_repaint());
            App::with_lab(&cc.egui_ctx, Box::new(lab), settings)
        });
    let deadline = Instant::now() + options.timeout;
    if let Some(prompt) = &options.prompt {
        harness.state_mut().lab_mut().apply(Command::SetPrompt(prompt.clone()));
    }
    if let Some(source) = &options.model {
        settle(&mut harness, deadline)?;
        if harness.state().snapshot().model.is_none() {
            let why = harness.state().snapshot().notices.last().map(|n| n.text.clone());
            return Err(why.unwrap_or_else(|| format!("{source} could not be opened.")));
        }
    }
    for command in &options.commands {
        harness.state_mut().lab_mut().apply(command.clone());
        settle(&mut harness, deadline)?;
    }
    if let Some(panel) = options.panel {
        harness.state_mut().shell_mut().show_panel(panel);
    }
    settle(&mut harness, deadline)?;
    harness.render()
}

/// Runs frames until the lab rests and every picture is made.
pub fn settle(harness: &mut Harness<'_, App>, deadline: Instant) -> Result<(), String> {
    // Three quiet frames in a row: the first may still start work of its own, the second shows what came of it.
    let mut quiet = 0;
    while quiet < 3 {
        harness.step();
        quiet = if harness.state().is_settled() { quiet + 1 } else { 0 };
        if Instant::now() > deadline {
            return Err("The lab did not come to rest in time.".to_owned());
        }
        harness.state_mut().lab_mut().wait_until_idle();
        std::thread::yield_now();
    }
    Ok(())
}
