//! The window, driven by the accessible names of its widgets, without a display.
//!
//! What computes here is the real lab with a tiny real model; [`desk::StillDesk`] stands in only where the question is how
//! many commands or vertices a frame makes. A missing glyph or a widget without a name fails any of these tests.

#[path = "support/desk.rs"]
mod desk;
mod support;
#[path = "support/window.rs"]
mod window;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Key, Modifiers, Theme, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use glassbox::lab::{Command, ModelSource, Notice, NoticeLevel};
use glassbox::lesson::PanelId;
use glassbox::model::tweak::{Ablation, HeadRef, Tweak};
use glassbox::ui::{Settings, frame_work};
use window::{Window, click, rest, snapshot, still, tell, window};

const PROMPT: &str = "When Mary and John went to the store, John gave a drink to";
const HEAD: HeadRef = HeadRef { layer: 1, head: 2 };

fn tiny() -> PathBuf {
    support::data("conformance/llama/Q8_0.gguf")
}

fn in_lesson() -> Settings {
    Settings { lesson: Some("attention".to_owned()), ..Settings::default() }
}

fn opened(size: [f32; 2], theme: Theme, settings: Settings, model: &Path) -> Window {
    let mut harness = window(size, theme, settings);
    tell(&mut harness, Command::OpenModel(ModelSource::File(model.to_owned())));
    assert!(harness.state().snapshot().model.is_some(), "{:?}", harness.state().snapshot().notices);
    harness
}

#[test]
fn a_student_opens_a_model_and_changes_how_it_computes() {
    let mut w = window([1600.0, 1200.0], Theme::Light, Settings::default());
    rest(&mut w);
    click(&mut w, "Model");
    click(&mut w, "Open file…");
    let field = w.get_by_label("Path");
    field.focus();
    w.run();
    w.key_press_modifiers(Modifiers::COMMAND, Key::A);
    w.get_by_label("Path").type_text(&tiny().display().to_string());
    rest(&mut w);
    click(&mut w, "Open this path");
    assert!(w.state().snapshot().model.is_some(), "{:?}", w.state().snapshot().notices);

    w.get_by_label("Prompt").focus();
    w.run();
    w.get_by_label("Prompt").type_text("The engine reads");
    rest(&mut w);
    assert_eq!(w.state().snapshot().prompt, "The engine reads");
    let n = w.state().snapshot().chips.len();
    assert!(n > 0 && w.state().snapshot().clean.is_some());
    assert_eq!(w.query_all_by_role(Role::ListBoxOption).count(), n, "one chip per token");

    click(&mut w, "Layer 1, head 2");
    assert_eq!(w.state().snapshot().selection.head, HEAD);
    click(&mut w, "Silence this head");
    assert_eq!(w.state().snapshot().tweaks, [Tweak::AblateHeads { heads: vec![HEAD], with: Ablation::Zero }]);
    let changed = w.state().snapshot().tweaked.clone().expect("a run with the head silenced");
    assert_ne!(changed.logits, w.state().snapshot().clean.as_ref().unwrap().logits);

    w.get_by_role_and_label(Role::Slider, "Attention temperature").set_value_accesskit(3.0);
    rest(&mut w);
    let is_hotter = |t: &Tweak| matches!(t, Tweak::Temperature { heads, value } if heads.is_empty() && *value == 3.0);
    assert!(w.state().snapshot().tweaks.iter().any(is_hotter), "{:?}", w.state().snapshot().tweaks);
    click(&mut w, "Take back: Attention temperature 3.00");
    assert_eq!(w.state().snapshot().tweaks.len(), 1);
    click(&mut w, "Reset all");
    assert!(w.state().snapshot().tweaks.is_empty() && w.state().snapshot().tweaked.is_none());

    click(&mut w, "Step");
    let s = w.state().snapshot();
    let generation = s.generation.as_ref().expect("a token was drawn");
    assert_eq!((generation.draws.len(), s.chips.len()), (1, n + 1));
    assert_eq!(generation.labels.len(), generation.draws[0].1.candidates.len());
    click(&mut w, "Last draw");
    assert!(w.query_by_label_contains("was drawn").is_some());
}

#[test]
fn without_a_system_dialog_the_picker_opens_and_says_why() {
    // A dialog that was never there takes nothing from the window; one that was closed took the keyboard meanwhile.
    for (was_there, says_why) in [(false, true), (true, false)] {
        let (answer, asked) = std::sync::mpsc::channel();
        let asked = std::sync::Mutex::new(asked);
        let mut w = window([1280.0, 800.0], Theme::Light, Settings::default());
        rest(&mut w);
        w.state_mut().shell_mut().opener.dialog = Some(Arc::new(move |_| asked.lock().unwrap().recv().unwrap()));
        w.key_press_modifiers(Modifiers::COMMAND, Key::O);
        w.step();
        w.step();
        w.input_mut().focused = !was_there;
        w.step();
        w.input_mut().focused = true;
        answer.send(None::<PathBuf>).unwrap();
        rest(&mut w);
        assert_eq!(w.query_by_label_contains("The system has no file dialog").is_some(), says_why);
        assert_eq!(w.query_by_label("Path").is_some(), says_why);
    }
}

#[test]
fn a_dialog_that_is_late_can_be_done_without() {
    let (answer, asked) = std::sync::mpsc::channel();
    let asked = std::sync::Mutex::new(asked);
    let mut w = window([1280.0, 800.0], Theme::Light, Settings::default());
    rest(&mut w);
    w.state_mut().shell_mut().opener.dialog = Some(Arc::new(move |_| asked.lock().unwrap().recv().ok().flatten()));
    w.key_press_modifiers(Modifiers::COMMAND, Key::O);
    // The harness counts time by frames.
    let late = |w: &Window| w.query_by_label("Choose here instead").is_some();
    let frames = (0..1000).take_while(|_| (w.step(), !late(&w)).1).count();
    assert!((4..999).contains(&frames), "it shows after {frames} frames");
    w.get_by_label("Choose here instead").click();
    w.step();
    w.step();
    drop(answer);
    rest(&mut w);
    assert!(w.query_by_label("Path").is_some());
}

#[test]
fn an_edited_row_becomes_a_change() {
    let mut w = opened([1600.0, 1200.0], Theme::Dark, Settings::default(), &tiny());
    tell(&mut w, Command::SetPrompt("The engine reads".into()));
    tell(&mut w, Command::SelectHead(HEAD));
    click(&mut w, "Edit a row");
    let bar = w
        .get_all_by_role(Role::Slider)
        .find(|n| n.accesskit_node().label().unwrap_or_default().starts_with("Weight of token 0"));
    let rect = bar.expect("a bar for the first token").rect();
    w.drag_at(rect.center());
    w.run();
    w.hover_at(rect.center_top() + vec2(0.0, 18.0));
    w.run();
    w.drop_at(rect.center_top() + vec2(0.0, 18.0));
    rest(&mut w);
    let tweaks = &w.state().snapshot().tweaks;
    let [Tweak::PatternRow { layer: 1, head: 2, weights, .. }] = tweaks.as_slice() else { panic!("{tweaks:?}") };
    let sum: f32 = weights.iter().sum();
    assert!((sum - 1.0).abs() < 1e-5 && weights[0] > 0.4, "{weights:?}");
    assert!(w.state().snapshot().tweaked.is_some());
    click(&mut w, "Undo this row");
    assert!(w.state().snapshot().tweaks.is_empty());
}

#[test]
fn a_lesson_sets_the_scene_and_a_quiz_is_answered() {
    let mut w = opened([1700.0, 24_000.0], Theme::Light, in_lesson(), &tiny());
    tell(&mut w, Command::SelectHead(HEAD));
    click(&mut w, "Show in the lab, scene 1");
    assert_eq!(w.state().snapshot().selection.head, HeadRef { layer: 0, head: 0 }, "the scene selects its head");
    let prompt = &w.state().snapshot().prompt;
    assert!(prompt.contains("Mary"), "the scene brings its prompt: {prompt}");
    click(&mut w, "Question 1: Several patterns at once: each head can follow another relation between tokens.");
    click(&mut w, "Check question 1");
    assert!(w.query_by_label("Check question 1").is_none(), "a solved question is closed");
}

#[test]
fn a_dragged_slider_asks_once_per_frame() {
    let desk = desk::still(&["The", "·engine", "·reads"], 4, 4);
    let told = Arc::clone(&desk.told);
    let mut w = still(desk, [1600.0, 1200.0], Theme::Light);
    rest(&mut w);
    let rect = w.get_by_role_and_label(Role::Slider, "Attention temperature").rect();
    let frames = 40;
    w.drag_at(rect.center());
    w.step();
    for i in 0..frames {
        w.hover_at(rect.center() + vec2(i as f32, 0.0));
        w.step();
    }
    w.drop_at(rect.center() + vec2(frames as f32, 0.0));
    w.run();
    let told = told.lock().unwrap();
    let asked = told.iter().filter(|c| matches!(c, Command::SetTweaks(_))).count();
    assert!(asked > 5 && asked <= frames + 3, "{asked} requests in {frames} frames: {told:?}");
    let Some(Command::SetTweaks(last)) = told.last() else { panic!("{told:?}") };
    assert_eq!(last.len(), 1, "one change, moved along: {last:?}");
}

#[test]
fn commands_are_found_and_run_by_keyboard() {
    let mut w = window([1280.0, 800.0], Theme::Light, Settings::default());
    rest(&mut w);
    w.key_press_modifiers(Modifiers::COMMAND, Key::K);
    w.run();
    w.get_by_label("Find a command").type_text("light or");
    w.run();
    w.key_press(Key::Enter);
    w.run();
    assert_eq!(w.ctx.theme(), Theme::Dark);
    assert!(w.query_by_label("Find a command").is_none(), "the palette closes");
    w.key_press_modifiers(Modifiers::COMMAND, Key::B);
    w.run();
    assert!(w.query_by_label("Show the list of lessons").is_some());
    w.key_press_modifiers(Modifiers::COMMAND, Key::O);
    rest(&mut w);
    assert!(w.query_by_label("Path").is_some(), "the shortcut opens the picker");
    w.key_press(Key::Escape);
    rest(&mut w);
    assert!(w.query_by_label("Path").is_none());
}

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("nobody reads it here".into())
    }
}

#[test]
fn a_dropped_file_is_opened_and_a_bad_one_is_explained() {
    let mut w = window([1280.0, 800.0], Theme::Dark, Settings::default());
    rest(&mut w);
    let dir = tempfile::tempdir().unwrap();
    let bad = dir.path().join("broken.gguf");
    std::fs::write(&bad, "this is no model").unwrap();
    w.input_mut().dropped_files.push(Arc::new(Dropped(bad)));
    rest(&mut w);
    assert!(w.state().snapshot().model.is_none());
    let notice = w.state().snapshot().notices.last().expect("a sentence").clone();
    assert!(notice.text.contains("broken.gguf"), "{}", notice.text);
    assert!(w.query_by_label(&notice.text).is_some());
    click(&mut w, &format!("Dismiss: {}", notice.text));
    assert!(w.state().snapshot().notices.is_empty());
    w.input_mut().dropped_files.push(Arc::new(Dropped(tiny())));
    rest(&mut w);
    assert!(w.state().snapshot().model.is_some());
    assert_eq!(w.state().snapshot().recent, [tiny()]);
    click(&mut w, "Model");
    assert!(w.query_by_label("Q8_0.gguf").is_some(), "it is among the recent files");
}

#[test]
fn a_window_of_any_size_is_drawn() {
    let dir = tempfile::tempdir().unwrap();
    let bad = dir.path().join("broken.gguf");
    std::fs::write(&bad, "this is no model").unwrap();
    for size in [[320.0, 320.0], [500.0, 400.0], [1200.0, 320.0], [320.0, 1200.0], [3000.0, 700.0]] {
        let mut w = opened(size, Theme::Light, in_lesson(), &tiny());
        tell(&mut w, Command::SetPrompt(PROMPT.into()));
        tell(&mut w, Command::OpenModel(ModelSource::File(bad.clone())));
        tell(&mut w, Command::SetTweaks(vec![Tweak::Temperature { heads: vec![], value: 3.0 }]));
        for &panel in PanelId::ALL {
            w.state_mut().shell_mut().show_panel(panel);
            rest(&mut w);
        }
        w.key_press_modifiers(Modifiers::COMMAND, Key::O);
        rest(&mut w);
        assert!(w.state().snapshot().tweaked.is_some(), "{size:?}");
    }
}

#[test]
fn odd_prompts_are_shown() {
    let mut w = opened([1280.0, 800.0], Theme::Light, Settings::default(), &tiny());
    let long = "Donaudampfschifffahrtsgesellschaft".repeat(9);
    let prompts = ["😀🎉 👩‍👩‍👧", "שלום עולם, مرحبا", "a", "", "\n\n\t  ", "naïve café Ωμέγα Ж → ∞", &long];
    for prompt in prompts {
        tell(&mut w, Command::SetPrompt(prompt.into()));
        for &panel in PanelId::ALL {
            w.state_mut().shell_mut().show_panel(panel);
            rest(&mut w);
        }
        for mode in ["Lines", "Edit a row", "Matrix"] {
            w.state_mut().shell_mut().show_panel(PanelId::AttentionHead);
            rest(&mut w);
            if w.query_by_label(mode).is_some() {
                click(&mut w, mode);
            }
        }
        assert_eq!(w.state().snapshot().prompt, prompt);
    }
}

#[test]
fn a_character_without_a_glyph_shows_its_code_point() {
    // The test has no system fonts, so these have no glyph at all; a box would fail the harness.
    let mut desk = desk::still(&["中", "·ꯃꯤ", "ok"], 2, 2);
    desk.snapshot.prompt = String::new();
    let mut w = still(desk, [1280.0, 800.0], Theme::Light);
    rest(&mut w);
    for &panel in PanelId::ALL {
        w.state_mut().shell_mut().show_panel(panel);
        rest(&mut w);
    }
}

#[test]
fn the_largest_trace_costs_few_vertices() {
    let words: Vec<String> = (0..256).map(|i| format!("·w{i}")).collect();
    let labels: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut desk = desk::still(&labels, 30, 9);
    let work = frame_work(&mut desk, [1440.0, 900.0], 120);
    println!("frame work in this build: median {:?}, p95 {:?}, {} vertices", work.median, work.p95, work.vertices);
    // Every cell as a rectangle would be 30 · 9 · 65 536 · 4 vertices; textures keep the plots out of this count.
    assert!(work.vertices < 60_000, "{}", work.vertices);
}

#[test]
fn the_main_screens_look_as_they_did() {
    let sizes = [[1280.0, 800.0], [2560.0, 1440.0]];
    let mut failures = Vec::new();
    for (theme, name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        for size in sizes {
            let mut w = opened(size, theme, in_lesson(), &tiny());
            tell(&mut w, Command::SetPrompt(PROMPT.into()));
            tell(&mut w, Command::SelectHead(HEAD));
            snapshot(&mut w, &format!("lesson_{name}_{}", size[0]), &mut failures);
            if size != sizes[0] {
                continue;
            }
            for panel in [PanelId::AttentionPipeline, PanelId::LogitLens] {
                w.state_mut().shell_mut().show_panel(panel);
                rest(&mut w);
                snapshot(&mut w, &format!("{}_{name}", panel.name()), &mut failures);
            }
            w.state_mut().shell_mut().show_panel(PanelId::AttentionHead);
            let silent = Tweak::AblateHeads { heads: vec![HeadRef { layer: 0, head: 1 }], with: Ablation::Zero };
            tell(&mut w, Command::SetTweaks(vec![Tweak::Temperature { heads: vec![], value: 3.0 }, silent]));
            click(&mut w, "Difference");
            w.remove_cursor();
            rest(&mut w);
            snapshot(&mut w, &format!("changed_{name}"), &mut failures);
        }
        let mut w = window([1280.0, 800.0], theme, Settings::default());
        rest(&mut w);
        snapshot(&mut w, &format!("empty_{name}"), &mut failures);
        w.key_press_modifiers(Modifiers::COMMAND, Key::K);
        rest(&mut w);
        snapshot(&mut w, &format!("palette_{name}"), &mut failures);
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn notices_stand_where_they_hide_nothing() {
    let mut desk = desk::still(&["The", "·engine", "·reads"], 4, 4);
    let notice = |id, level, text: &str, sticky| Notice { id, level, text: text.into(), sticky };
    desk.snapshot.notices = vec![
        notice(1, NoticeLevel::Warning, "No GPU was found, so the CPU computes. Long prompts take longer.", true),
        notice(2, NoticeLevel::Error, "The file broken.gguf ends after 16 bytes. Download it again.", true),
        notice(3, NoticeLevel::Info, "The context of 64 tokens is full.", false),
    ];
    let told = Arc::clone(&desk.told);
    let mut w = still(desk, [1280.0, 800.0], Theme::Light);
    rest(&mut w);
    let sticky = w.get_by_label("No GPU was found, so the CPU computes. Long prompts take longer.").rect();
    let grid = w.get_by_label("Every head; arrow keys choose one").rect();
    assert!(sticky.bottom() < grid.top(), "{sticky:?} {grid:?}");
    click(&mut w, "Dismiss: The file broken.gguf ends after 16 bytes. Download it again.");
    assert!(told.lock().unwrap().contains(&Command::Dismiss(2)));
}

/// Pictures of the window with SmolLM2, for a look at them: `GLASSBOX_LOOK=folder cargo test --test ui -- --ignored`.
#[test]
#[ignore = "makes pictures to look at; nothing is checked"]
fn look_at_smollm2() {
    let (Some(folder), Some(model)) = (std::env::var_os("GLASSBOX_LOOK"), support::smollm2()) else { return };
    let tweaks = vec![
        Tweak::Temperature { heads: vec![], value: 2.5 },
        Tweak::AblateHeads { heads: vec![HeadRef { layer: 11, head: 3 }], with: Ablation::Zero },
    ];
    for (theme, name, size) in [(Theme::Light, "light", [1280.0, 800.0]), (Theme::Dark, "dark", [1920.0, 1080.0])] {
        let mut w = opened(size, theme, in_lesson(), &model);
        let save = |w: &mut Window, what: &str| {
            w.remove_cursor();
            rest(w);
            w.render().unwrap().save(Path::new(&folder).join(format!("{what}_{name}.png"))).unwrap();
        };
        tell(&mut w, Command::SetPrompt(PROMPT.into()));
        tell(&mut w, Command::SelectHead(HeadRef { layer: 10, head: 2 }));
        save(&mut w, "lesson");
        tell(&mut w, Command::SetTweaks(tweaks.clone()));
        tell(&mut w, Command::Generate(16));
        save(&mut w, "generated");
        for panel in [PanelId::AttentionPipeline, PanelId::LogitLens, PanelId::AttentionHead] {
            w.state_mut().shell_mut().show_panel(panel);
            save(&mut w, panel.name());
        }
        for mode in ["Lines", "Edit a row"] {
            click(&mut w, mode);
            save(&mut w, &mode[..4]);
        }
        for menu in ["Model", "Device", "Load report", "Last draw"] {
            click(&mut w, menu);
            save(&mut w, menu);
            w.key_press(Key::Escape);
            if menu == "Load report" {
                w.key_press_modifiers(Modifiers::COMMAND, Key::I);
            }
            rest(&mut w);
        }
    }
}
