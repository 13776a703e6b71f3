//! How much work a frame is.

use std::time::{Duration, Instant};

use egui::{Context, RawInput, Rect, Vec2, pos2, vec2};

use super::app::Desk;
use super::settings::Settings;
use super::shell::Shell;
use super::theme;
use crate::lab::Snapshot;

/// What frames cost on the CPU: layout, tessellation and the paint list; the rasteriser is not counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameWork {
    /// Half of the frames took less.
    pub median: Duration,
    /// 19 of 20 frames took less.
    pub p95: Duration,
    /// The slowest.
    pub worst: Duration,
    /// Frames measured.
    pub frames: usize,
    /// Vertices of the last frame.
    pub vertices: usize,
}

/// Measures `frames` frames of the whole window over a lab that may be at work; the pointer moves across the panels.
pub fn frame_work(lab: &mut dyn Desk, size: [f32; 2], frames: usize) -> FrameWork {
    let ctx = Context::default();
    theme::install(&ctx);
    let mut shell = Shell::new(Settings::default());
    let screen = Rect::from_min_size(pos2(0.0, 0.0), vec2(size[0], size[1]));
    // Fonts are rasterised and pictures made in the first frames.
    let warm_up = 20;
    let mut times = Vec::with_capacity(frames);
    let mut vertices = 0;
    for frame in 0..frames + warm_up {
        lab.poll();
        let started = Instant::now();
        let pointer = screen.center() + Vec2::angled(frame as f32 * 0.05) * screen.size() * 0.3;
        let input = RawInput {
            screen_rect: Some(screen),
            time: Some(frame as f64 / 60.0),
            events: vec![egui::Event::PointerMoved(pointer)],
            ..RawInput::default()
        };
        vertices = one(&ctx, &mut shell, lab.snapshot(), input);
        if frame >= warm_up {
            times.push(started.elapsed());
        }
    }
    times.sort_unstable();
    let at = |share: f32| times.get(((times.len() as f32 * share) as usize).min(times.len().saturating_sub(1)));
    let at = |share: f32| at(share).copied().unwrap_or_default();
    FrameWork { median: at(0.5), p95: at(0.95), worst: at(1.0), frames: times.len(), vertices }
}

/// One frame: layout and tessellation. Returns how many vertices it has.
fn one(ctx: &Context, shell: &mut Shell, snapshot: &Snapshot, input: RawInput) -> usize {
    let mut output = ctx.run_ui(input, |ui| {
        // What the shell asks for is not carried out: the lab is only looked at.
        drop(shell.show(ui, snapshot));
    });
    // There is no renderer to hand them to.
    output.textures_delta.clear();
    let meshes = ctx.tessellate(output.shapes, output.pixels_per_point);
    meshes
        .iter()
        .map(|clipped| match &clipped.primitive {
            egui::epaint::Primitive::Mesh(mesh) => mesh.vertices.len(),
            egui::epaint::Primitive::Callback(_) => 0,
        })
        .sum()
}
