//! The window with the models in the program: what a student meets on the first start, and how one model is chosen after
//! another. Whatever the models have learned, these tests hold.

#[path = "support/desk.rs"]
mod desk;
mod support;
#[path = "support/window.rs"]
mod window;

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::Queryable;
use glassbox::builtin::{About, BUILTIN, default_model};
use glassbox::lab::{Begin, Command, LabOptions, ModelCard, ModelSource};
use glassbox::lesson::Library;
use glassbox::ui::Settings;
use window::{Window, click, rest, snapshot, still, tell, window_with};

/// The window as it opens on a machine that never saw it.
fn first_start(size: [f32; 2], settings: Settings) -> Window {
    let options = LabOptions { begin: Begin::Again, prompt: "The engine reads".into(), ..LabOptions::default() };
    let mut w = window_with(size, Theme::Light, settings, options);
    rest(&mut w);
    w
}

fn card(w: &Window) -> Arc<ModelCard> {
    let s = w.state().snapshot();
    s.model.clone().unwrap_or_else(|| panic!("no model: {:?}", s.notices))
}

#[test]
fn the_first_start_shows_a_run() {
    let w = first_start([1280.0, 800.0], Settings::default());
    let (s, about) = (w.state().snapshot(), default_model().about());
    assert_eq!(card(&w).id(), Some(default_model().id));
    assert_eq!((&s.prompt, s.notices.len()), (&about.prompt, 0), "{:?}", s.notices);
    let n = s.clean.as_ref().expect("a run").tokens.len();
    assert_eq!(w.query_all_by_role(Role::ListBoxOption).count(), n, "one chip per token");
    assert!(w.query_by_label(&about.description).is_some(), "the page says what it is");
    let config = &card(&w).config;
    let cells = w.query_all_by_role(Role::GridCell).count();
    assert_eq!(cells, config.n_layers * config.n_heads, "the grid shows its heads");
    assert!(w.query_by_label("No model is open").is_none());
}

#[test]
fn each_model_is_chosen_in_the_menu() {
    let mut w = first_start([1280.0, 800.0], Settings::default());
    for model in BUILTIN.iter().rev() {
        click(&mut w, "Model");
        click(&mut w, &format!("Open built-in model: {}", model.about().title));
        assert_eq!(card(&w).source, ModelSource::BuiltIn(model.id.to_owned()));
        let s = w.state().snapshot();
        assert_eq!(s.prompt, model.about().prompt, "its prompt comes with it");
        assert!(s.clean.is_some() && !s.stale);
        assert!(w.query_by_label("Open file…").is_none(), "the menu closes");
    }
}

#[test]
fn each_model_is_found_by_a_few_letters() {
    let mut w = first_start([1280.0, 800.0], Settings::default());
    for model in BUILTIN.iter().rev() {
        w.key_press_modifiers(Modifiers::COMMAND, Key::K);
        w.run();
        w.get_by_label("Find a command").type_text(&format!("model: {}", model.about().title));
        w.run();
        w.key_press(Key::Enter);
        rest(&mut w);
        assert_eq!(card(&w).source, ModelSource::BuiltIn(model.id.to_owned()));
    }
}

#[test]
fn a_suggested_prompt_is_tried() {
    let mut w = first_start([1280.0, 800.0], Settings::default());
    let about = default_model().about();
    for prompt in about.suggestions().skip(1) {
        click(&mut w, "Prompts to try");
        click(&mut w, &format!("Try: {prompt}"));
        let s = w.state().snapshot();
        assert_eq!(&s.prompt, prompt);
        assert!(s.clean.is_some() && !s.stale, "it is run at once");
    }
    tell(&mut w, Command::OpenModel(ModelSource::File(support::data("conformance/llama/Q8_0.gguf"))));
    assert!(w.query_by_label("Prompts to try").is_none(), "a file that suggests nothing offers nothing");
}

#[test]
fn the_report_says_how_the_model_was_made() {
    let mut w = first_start([1280.0, 1400.0], Settings::default());
    click(&mut w, "Load report");
    let about = default_model().about();
    for text in ["How it was made", about.command.as_str(), &format!("built in: {}", default_model().id)] {
        assert!(w.query_by_label(text).is_some(), "the report says {text:?}");
    }
}

#[test]
fn a_closed_model_leaves_an_empty_window_that_says_what_to_do() {
    let mut w = first_start([1280.0, 800.0], Settings::default());
    click(&mut w, "Model");
    click(&mut w, "Close model");
    assert!(w.state().snapshot().model.is_none());
    assert!(w.query_all_by_label("No model is open").count() > 1);
    let saved = w.state().settings_to_save();
    assert_eq!(saved.model, Some(ModelSource::default_model()), "the next start opens it again");
    click(&mut w, &format!("Open “{}”", default_model().about().title));
    assert_eq!(card(&w).id(), Some(default_model().id));
}

#[test]
fn a_lesson_asks_the_open_model_in_its_own_words() {
    let in_lesson = Settings { lesson: Some("attention".to_owned()), ..Settings::default() };
    let mut w = first_start([1700.0, 7000.0], in_lesson);
    let lesson = Library::embedded().lessons.swap_remove(0);
    let id = Some(default_model().id);
    let own = lesson.scenes().next().unwrap().prompt.of(id).unwrap().clone();
    assert!(own.bytes().all(|b| !b.is_ascii_uppercase()), "{own}");
    click(&mut w, "Show in the lab, scene 1");
    assert_eq!(w.state().snapshot().prompt, own);

    for (i, predict) in lesson.predictions().enumerate() {
        let predict = predict.of(id);
        let name = format!("rediction {}", i + 1);
        click(&mut w, &format!("P{name}: {}", predict.options[0].text));
        click(&mut w, &format!("Commit and ask the model, p{name}"));
        let settled = w.query_by_label_contains(&format!("P{name}: You were right")).is_some()
            || w.query_by_label_contains(&format!("P{name}: The model disagrees")).is_some()
            || w.query_by_label_contains(&format!("P{name}: This run cannot tell")).is_some();
        assert!(settled, "the live run settles prediction {}", i + 1);
    }

    // Another model is asked as the others are.
    tell(&mut w, Command::OpenModel(ModelSource::File(support::data("conformance/llama/Q8_0.gguf"))));
    click(&mut w, "Show in the lab, scene 1");
    assert!(w.state().snapshot().prompt.contains("Mary"));
}

/// The first screen over made-up numbers and words, so that the picture shows the layout and not the weights.
#[test]
fn the_first_screen_looks_as_it_did() {
    let words =
        ["when", "·mira", "·and", "·oran", "·went", "·to", "·the", "·market", ",", "·oran", "·gave", "·a", "·cup"];
    let about = About {
        id: "made-up".into(),
        title: "Story model".into(),
        description: "A transformer that learned a small world of stories; the one to start with.".into(),
        prompt: "when mira and oran went to the market, oran gave a cup".into(),
        ..About::default()
    };
    let mut failures = Vec::new();
    for (theme, name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let mut desk = desk::still(&words, 4, 4);
        let mut card = ModelCard::clone(desk.snapshot.model.as_ref().unwrap());
        (card.name, card.has_chat_template) = (about.title.clone(), false);
        card.about = Some(Arc::new(about.clone()));
        desk.snapshot.model = Some(Arc::new(card));
        desk.snapshot.prompt.clone_from(&about.prompt);
        let mut w = still(desk, [1280.0, 800.0], theme);
        rest(&mut w);
        snapshot(&mut w, &format!("first_start_{name}"), &mut failures);
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Pictures of the window with the models in the program, for a look at them:
/// `GLASSBOX_LOOK=folder cargo test --test first_start -- --ignored`.
#[test]
#[ignore = "makes pictures to look at; nothing is checked"]
fn look_at_the_first_start() {
    let Some(folder) = std::env::var_os("GLASSBOX_LOOK").map(std::path::PathBuf::from) else { return };
    for (theme, name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let mut w = first_start([1280.0, 800.0], Settings { lesson: None, ..Settings::default() });
        w.ctx.set_theme(theme);
        let save = |w: &mut Window, what: &str| {
            w.remove_cursor();
            rest(w);
            w.render().unwrap().save(folder.join(format!("{what}_{name}.png"))).unwrap();
        };
        save(&mut w, "first");
        for (what, button) in [("menu", "Model"), ("try", "Prompts to try"), ("report", "Load report")] {
            click(&mut w, button);
            save(&mut w, what);
            w.key_press(Key::Escape);
            rest(&mut w);
        }
        w.key_press_modifiers(Modifiers::COMMAND, Key::I);
        tell(&mut w, Command::CloseModel);
        save(&mut w, "closed");
    }
}
