//! The window, driven by the accessible names of its widgets, without a display.

mod support;
#[path = "support/desk.rs"]
mod desk;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use egui::{Theme, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use glassbox::lab::{Command, DeviceChoice, Lab, LabOptions};
use glassbox::lesson::PanelId;
use glassbox::model::tweak::{Ablation, HeadRef, Tweak};
use glassbox::ui::{App, Settings, settle};

const PROMPT: [&str; 14] = [
    "When", "·Mary", "·and", "·John", "·went", "·to", "·the", "·store", ",", "·John", "·gave", "·a", "·drink", "·to",
];

fn window(desk: desk::StillDesk, size: [f32; 2], theme: Theme, settings: Settings) -> Harness<'static, App> {
    let settings = Settings { theme: Some(theme), ..settings };
    Harness::builder()
        .with_size(vec2(size[0], size[1]))
        .with_theme(theme)
        .with_max_steps(200)
        .wgpu()
        .build_eframe(|cc| App::with_lab(&cc.egui_ctx, Box::new(desk), settings))
}

/// Where the previews of a change in looks go, if anywhere: a folder named by `GLASSBOX_PREVIEWS`.
fn previews() -> Option<PathBuf> {
    std::env::var_os("GLASSBOX_PREVIEWS").map(PathBuf::from)
}

/// The window over a real lab with a real model, run until it rests.
fn real(model: &std::path::Path, size: [f32; 2], theme: Theme, settings: Settings, commands: &[Command]) -> Harness<'static, App> {
    let settings = Settings { theme: Some(theme), ..settings };
    let mut harness = Harness::builder()
        .with_size(vec2(size[0], size[1]))
        .with_theme(theme)
        .with_max_steps(200)
        .wgpu()
        .build_eframe(|cc| {
            let options = LabOptions { device: DeviceChoice::Cpu, exact: true, ..LabOptions::default() };
            let waker = cc.egui_ctx.clone();
            App::with_lab(&cc.egui_ctx, Box::new(Lab::new(options, move || waker.request_repaint())), settings)
        });
    harness.state_mut().lab_mut().apply(Command::OpenModel(model.into()));
    rest(&mut harness);
    for command in commands {
        harness.state_mut().lab_mut().apply(command.clone());
        rest(&mut harness);
    }
    harness
}

/// Runs frames until the lab rests.
fn rest(harness: &mut Harness<'_, App>) {
    settle(harness, Instant::now() + Duration::from_secs(60)).unwrap();
}

#[test]
fn previews_of_a_real_model() {
    let (Some(folder), Some(model)) = (previews(), support::smollm2()) else { return };
    let lesson = Some("attention".to_owned());
    let settings = Settings { lesson: lesson.clone(), ..Settings::default() };
    let prompt = "When Mary and John went to the store, John gave a drink to";
    let head = HeadRef { layer: 11, head: 3 };
    let tweaks = vec![Tweak::Temperature { heads: vec![], value: 2.5 }, Tweak::AblateHeads { heads: vec![head], with: Ablation::Zero }];
    for (theme, tn) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        for size in [[1280.0, 800.0], [2560.0, 1440.0]] {
            let commands = [Command::SetPrompt(prompt.into()), Command::SelectHead(HeadRef { layer: 10, head: 2 }), Command::SetTweaks(tweaks.clone()), Command::Generate(24)];
            let mut h = real(&model, size, theme, settings.clone(), &commands);
            let save = |h: &mut Harness<'_, App>, name: &str| {
                h.render().unwrap().save(folder.join(format!("{name}_{tn}_{}.png", size[0]))).unwrap();
            };
            save(&mut h, "head");
            for (panel, name) in [(PanelId::AttentionPipeline, "pipeline"), (PanelId::LogitLens, "lens"), (PanelId::AttentionHead, "head")] {
                h.state_mut().shell_mut().show_panel(panel);
                rest(&mut h);
                save(&mut h, name);
            }
            for name in ["Lines", "Edit a row"] {
                h.get_by_label(name).click();
                rest(&mut h);
                save(&mut h, &name[..4]);
            }
        }
    }
}
