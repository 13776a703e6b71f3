//! The window without a display: opened over a lab, told things, and compared with stored pictures.
#![allow(dead_code)]

use std::time::{Duration, Instant};

use egui::{Theme, vec2};
use egui_kittest::kittest::Queryable;
use egui_kittest::{Harness, SnapshotOptions};
use glassbox::lab::{Command, DeviceChoice, Lab, LabOptions};
use glassbox::ui::{App, Desk, Settings, settle};

/// The window in its harness.
pub type Window = Harness<'static, App>;

/// A window over a lab of its own, on the exact CPU. Files are asked for in the window, not by the system.
pub fn window_with(size: [f32; 2], theme: Theme, settings: Settings, options: LabOptions) -> Window {
    let settings = Settings { theme: Some(theme), ..settings };
    let builder = Harness::builder().with_size(vec2(size[0], size[1])).with_theme(theme).with_max_steps(200);
    let mut harness = builder.wgpu().build_eframe(|cc| {
        let options = LabOptions { device: DeviceChoice::Cpu, exact: true, ..options };
        let waker = cc.egui_ctx.clone();
        App::with_lab(&cc.egui_ctx, Box::new(Lab::new(options, move || waker.request_repaint())), settings)
    });
    harness.state_mut().shell_mut().opener.dialog = None;
    harness
}

/// A window that opens nothing by itself.
pub fn window(size: [f32; 2], theme: Theme, settings: Settings) -> Window {
    window_with(size, theme, settings, LabOptions::default())
}

/// A window over a lab that never computes.
pub fn still(desk: impl Desk + 'static, size: [f32; 2], theme: Theme) -> Window {
    let settings = Settings { theme: Some(theme), ..Settings::default() };
    let builder = Harness::builder().with_size(vec2(size[0], size[1])).with_theme(theme).with_max_steps(200);
    builder.wgpu().build_eframe(|cc| App::with_lab(&cc.egui_ctx, Box::new(desk), settings))
}

/// Tells the lab something and runs frames until it rests.
pub fn tell(harness: &mut Window, command: Command) {
    harness.state_mut().lab_mut().apply(command);
    rest(harness);
}

/// Runs frames until the lab rests.
pub fn rest(harness: &mut Window) {
    settle(harness, Instant::now() + Duration::from_secs(120)).unwrap();
}

/// Clicks what has this accessible name.
pub fn click(harness: &mut Window, name: &str) {
    harness.get_by_label(name).click();
    rest(harness);
}

/// Compares with the stored picture. The software rasteriser that the gate installs draws the same pixels each time,
/// whatever its number of threads; the few that may differ are for another version of it.
pub fn snapshot(w: &mut Window, name: &str, failures: &mut Vec<String>) {
    let options = SnapshotOptions::default().threshold(0.6).max_failed_pixels(12);
    if let Err(error) = w.try_snapshot_options(name, &options) {
        failures.push(error.to_string());
    }
}
