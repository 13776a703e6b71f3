//! The window, driven by the accessible names of its widgets, without a display.

mod support;
#[path = "support/desk.rs"]
mod desk;

use egui::{Theme, vec2};
use egui_kittest::Harness;
use glassbox::ui::{App, Settings};

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

fn settle(harness: &mut Harness<'_, App>) {
    for _ in 0..400 {
        harness.step();
        if harness.state().is_settled() {
            break;
        }
        std::thread::yield_now();
    }
    harness.run();
}

#[test]
fn preview() {
    use egui_kittest::kittest::Queryable;
    use glassbox::lab::{Notice, NoticeLevel};
    use glassbox::lesson::PanelId;
    use glassbox::model::tweak::*;
    use std::sync::Arc;
    let lesson = Some("attention".to_owned());
    let settings = Settings { lesson: lesson.clone(), ..Settings::default() };
    let make = |n: usize| {
        let mut d = desk::still(&PROMPT[..n], 30, 9);
        let head = d.snapshot.selection.head;
        d.snapshot.tweaks = vec![Tweak::AblateHeads { heads: vec![head, HeadRef { layer: 3, head: 2 }], with: Ablation::Zero }, Tweak::Temperature { heads: vec![], value: 2.5 }];
        let c = d.snapshot.model.clone().unwrap().config.clone();
        let mut run = desk::run(2, &c, n);
        for (i, b) in run.top.iter_mut().enumerate() { b.clean_probability *= 0.5 + 0.2 * i as f32; }
        d.snapshot.tweaked = Some(Arc::new(run));
        d.snapshot.notices.push(Notice { id: 1, level: NoticeLevel::Warning, text: "No GPU was found, so the CPU computes. Everything works; long prompts take longer.".into(), sticky: true });
        d.snapshot.notices.push(Notice { id: 2, level: NoticeLevel::Info, text: "Opened SmolLM2-135M-Instruct.Q4_1.gguf in 0.42 s.".into(), sticky: false });
        d
    };
    let save = |h: &mut Harness<'_, App>, name: &str| h.render().unwrap().save(format!("/tmp/shot_{name}.png")).unwrap();
    for (theme, tn) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let mut h = window(make(14), [1280.0, 800.0], theme, settings.clone());
        settle(&mut h);
        save(&mut h, &format!("a_{tn}"));
        for (panel, name) in [(PanelId::AttentionPipeline, "pipe"), (PanelId::LogitLens, "lens")] {
            h.state_mut().shell_mut().show_panel(panel);
            settle(&mut h);
            save(&mut h, &format!("{name}_{tn}"));
        }
        h.state_mut().shell_mut().show_panel(PanelId::AttentionHead);
        settle(&mut h);
        for name in ["Lines", "Edit a row"] {
            h.get_by_label(name).click();
            settle(&mut h);
            save(&mut h, &format!("{}_{tn}", &name[..4]));
        }
        let mut h = window(desk::StillDesk::default(), [1280.0, 800.0], theme, Settings::default());
        settle(&mut h);
        save(&mut h, &format!("empty_{tn}"));
    }
}
