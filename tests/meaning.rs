//! What words mean to a model: the questions of the lab, and the panels that ask them.

mod support;
#[path = "support/window.rs"]
mod window;

use std::path::Path;

use egui::{Theme, vec2};
use egui_kittest::kittest::Queryable;
use glassbox::lab::{Begin, Command, DeviceChoice, Lab, LabOptions, ModelSource, Question, Word};
use glassbox::lesson::PanelId;
use glassbox::ui::Settings;
use window::{Window, click, rest, snapshot, tell, window};

const PANELS: [PanelId; 4] = [PanelId::EmbeddingMap, PanelId::Neighbours, PanelId::Analogy, PanelId::WordInContext];

fn lab(source: ModelSource) -> Lab {
    let options = LabOptions {
        begin: Begin::With(source),
        device: DeviceChoice::Cpu,
        exact: true,
        prompt: "The engine reads".into(),
        ..LabOptions::default()
    };
    let mut lab = Lab::new(options, || {});
    lab.wait_until_idle();
    assert!(lab.snapshot().model.is_some(), "{:?}", lab.snapshot().notices);
    lab
}

fn story() -> Lab {
    lab(ModelSource::default_model())
}

fn tiny() -> ModelSource {
    ModelSource::File(support::data("conformance/llama/Q8_0.gguf"))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn ask(lab: &mut Lab, question: Question) {
    lab.apply(Command::Ask(question));
    lab.wait_until_idle();
}

fn analogy() -> Question {
    let words = ["man", "king", "woman"].map(String::from);
    Question::Analogy { words, expected: Some("queen".into()), centred: true }
}

#[test]
fn every_question_is_answered() {
    let mut lab = story();
    ask(&mut lab, Question::Map);
    ask(&mut lab, Question::Near { word: Word::Text("king".into()), centred: false });
    ask(&mut lab, Question::Glance(300));
    ask(&mut lab, analogy());
    ask(&mut lab, Question::Pairs { words: words(&["king", "queen", "river"]), centred: true });
    let sentences = words(&["the bat flew out of the cave", "he hit the ball with the bat", "a bat slept in the cave"]);
    ask(&mut lab, Question::Context { word: "bat".into(), sentences });
    let s = lab.snapshot();
    let config = &s.model.as_ref().unwrap().config;

    let map = s.meaning.map.answer.as_ref().expect("a map");
    assert_eq!(
        (map.places.len(), map.labels.len(), map.class_of.len()),
        (config.d_vocab, config.d_vocab, config.d_vocab)
    );
    assert!(map.shares.windows(2).all(|w| w[0] >= w[1]) && map.shares[2] > 0.0 && map.shares.iter().sum::<f64>() < 1.0);
    assert!(map.classes.iter().any(|class| class == "animals"), "the story world's own classes");
    // The places are centred, and vary less from axis to axis, in the ratio of the shares.
    let n = map.places.len() as f64;
    let moment = |axis: usize, power: i32| map.places.iter().map(|p| f64::from(p[axis]).powi(power)).sum::<f64>() / n;
    assert!((0..3).all(|axis| moment(axis, 1).abs() < 1e-3 * f64::from(map.radius)));
    assert!((moment(0, 2) / moment(1, 2) / (map.shares[0] / map.shares[1]) - 1.0).abs() < 1e-3);

    let near = s.meaning.near.answer.as_ref().expect("neighbours");
    for list in &near.lists {
        assert!(list.iter().all(|one| one.neighbour.id != near.token.neighbour.id), "a token is not its own neighbour");
    }
    let values = |list: usize| near.lists[list].iter().map(|one| one.neighbour.value).collect::<Vec<f32>>();
    assert!(values(0).windows(2).all(|w| w[0] >= w[1]) && values(2).windows(2).all(|w| w[0] <= w[1]));
    assert!(s.meaning.glance.answer.as_ref().is_some_and(|near| near.token.neighbour.id == 300));

    let analogy = s.meaning.analogy.answer.as_ref().expect("an analogy");
    assert!(analogy.rank >= 1 && analogy.rank_among_all >= analogy.rank);
    assert!(analogy.rank_among_all <= analogy.rank + 3, "three words at most are left out");
    let inputs = [0, 1, 2].map(|i| analogy.tokens[i].neighbour.id);
    assert!(analogy.nearest.iter().all(|one| !inputs.contains(&one.neighbour.id)));

    let pairs = s.meaning.pairs.answer.as_ref().expect("a matrix");
    assert_eq!(pairs.cosines.len(), 9);
    for i in 0..3 {
        assert!((pairs.cosines[i * 4] - 1.0).abs() < 1e-5);
        assert!((0..3).all(|j| (pairs.cosines[i * 3 + j] - pairs.cosines[j * 3 + i]).abs() < 1e-6));
    }

    let contexts = s.meaning.context.answer.as_ref().expect("contexts");
    assert_eq!((contexts.cosines.len(), contexts.paths.len()), (config.n_layers + 1, 3));
    assert!(contexts.cosines[0].iter().all(|x| (x - 1.0).abs() < 1e-5), "the same word enters as the same vector");
    assert!(contexts.cosines[config.n_layers].iter().any(|x| *x < 0.99), "the sentences around it make it another");
    assert!(contexts.paths.iter().all(|path| path.len() == config.n_layers + 1));
}

#[test]
fn what_cannot_be_answered_says_why() {
    let mut lab = story();
    for (question, says) in [
        (Question::Near { word: Word::Text("qzxv".into()), centred: false }, "not one token"),
        (Question::Near { word: Word::Text(" ".into()), centred: false }, "A word is missing"),
        (Question::Near { word: Word::Id(u32::MAX), centred: false }, "no row"),
    ] {
        ask(&mut lab, question);
        let near = &lab.snapshot().meaning.near;
        assert!(near.answer.is_none() && !near.waiting);
        assert!(near.problem.as_ref().is_some_and(|text| text.contains(says)), "{:?}", near.problem);
    }
    for (sentences, says) in [(vec!["the bat"], "two sentences"), (vec!["the bat", "the dog"], "does not hold")] {
        ask(&mut lab, Question::Context { word: "bat".into(), sentences: words(&sentences) });
        let problem = lab.snapshot().meaning.context.problem.clone();
        assert!(problem.as_ref().is_some_and(|text| text.contains(says)), "{problem:?}");
    }
}

#[test]
fn a_stopped_question_gives_nothing_and_can_be_asked_again() {
    let mut lab = story();
    lab.apply(Command::Ask(Question::Map));
    lab.apply(Command::Cancel);
    lab.wait_until_idle();
    let map = &lab.snapshot().meaning.map;
    assert!(map.answer.is_none() && !map.waiting && map.problem.is_some(), "{map:?}");
    assert!(lab.snapshot().activity.is_none());
    ask(&mut lab, Question::Map);
    assert!(lab.snapshot().meaning.map.answer.is_some());
}

#[test]
fn answers_about_another_model_are_dropped() {
    let mut lab = story();
    ask(&mut lab, analogy());
    assert!(lab.snapshot().meaning.analogy.answer.is_some());
    // One more is under way while the next model is asked for.
    lab.apply(Command::Ask(Question::Map));
    lab.apply(Command::OpenModel(tiny()));
    lab.wait_until_idle();
    let s = lab.snapshot();
    assert!(s.meaning.map.is_new() && s.meaning.analogy.is_new(), "{:?}", s.meaning.map);
    let d_vocab = s.model.as_ref().unwrap().config.d_vocab;
    ask(&mut lab, Question::Map);
    assert_eq!(lab.snapshot().meaning.map.answer.as_ref().unwrap().places.len(), d_vocab, "the new model's table");
    lab.apply(Command::CloseModel);
    ask(&mut lab, Question::Map);
    assert!(lab.snapshot().meaning.map.answer.is_none());
}

#[test]
fn of_many_questions_the_newest_is_answered() {
    let mut lab = story();
    for id in 0..200 {
        lab.apply(Command::Ask(Question::Glance(id)));
    }
    lab.wait_until_idle();
    let glance = &lab.snapshot().meaning.glance;
    assert_eq!(glance.answer.as_ref().map(|near| near.token.neighbour.id), Some(199));
    assert!(!glance.waiting);
}

fn opened(size: [f32; 2], theme: Theme, source: ModelSource) -> Window {
    let settings = Settings { lesson_hidden: true, rail_open: false, ..Settings::default() };
    let mut w = window(size, theme, settings);
    tell(&mut w, Command::OpenModel(source));
    w
}

fn show(w: &mut Window, panel: PanelId) {
    w.state_mut().shell_mut().show_panel(panel);
    rest(w);
}

#[test]
fn a_student_explores_the_words() {
    let mut w = opened([1600.0, 1200.0], Theme::Light, ModelSource::default_model());
    show(&mut w, PanelId::EmbeddingMap);
    let name = "Map of the embedding table; arrow keys move it, plus and minus zoom";
    assert!(w.state().snapshot().meaning.map.answer.is_some(), "the panel asks by itself");
    let map = w.get_by_label(name).rect();
    click(&mut w, "3-D");
    click(&mut w, "Select a box");
    w.drag_at(map.center() - vec2(60.0, 60.0));
    w.run();
    w.hover_at(map.center() + vec2(60.0, 60.0));
    w.run();
    w.drop_at(map.center() + vec2(60.0, 60.0));
    rest(&mut w);
    assert!(w.query_by_label_contains(" selected: ").is_some(), "tokens in the middle of the map");
    click(&mut w, "Clear the selection");

    show(&mut w, PanelId::Neighbours);
    w.get_by_label("Word").focus();
    w.run();
    w.get_by_label("Word").type_text("king");
    rest(&mut w);
    click(&mut w, "Find neighbours");
    let s = w.state().snapshot();
    assert!(s.meaning.near.answer.as_ref().is_some_and(|near| near.token.label.contains("king")));
    w.get_by_label("Words to compare").focus();
    w.run();
    w.get_by_label("Words to compare").type_text("king queen");
    rest(&mut w);
    click(&mut w, "Compare the words");
    assert!(w.state().snapshot().meaning.pairs.answer.as_ref().is_some_and(|pairs| pairs.cosines.len() == 4));

    show(&mut w, PanelId::Analogy);
    click(&mut w, "Calculate");
    assert!(w.query_by_label_contains("Rank among all tokens").is_some());

    show(&mut w, PanelId::WordInContext);
    click(&mut w, "Follow the word");
    assert!(
        w.state().snapshot().meaning.context.answer.is_some(),
        "{:?}",
        w.state().snapshot().meaning.context.problem
    );
}

#[test]
fn the_panels_look_as_they_did() {
    let mut failures = Vec::new();
    for (theme, name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        // A model whose weights are for good: its tokens mean nothing, but its pictures stay.
        let mut w = opened([1280.0, 800.0], theme, tiny());
        for panel in PANELS {
            show(&mut w, panel);
            snapshot(&mut w, &format!("{}_{name}", panel.name()), &mut failures);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Pictures for a look at them: `GLASSBOX_LOOK=folder cargo test --test meaning -- --ignored`.
#[test]
#[ignore = "makes pictures to look at; nothing is checked"]
fn look_at_the_words() {
    let Some(folder) = std::env::var_os("GLASSBOX_LOOK") else { return };
    let smollm2 = support::smollm2().map(ModelSource::File);
    for source in [Some(ModelSource::default_model()), smollm2].into_iter().flatten() {
        for (theme, name, size) in [(Theme::Light, "light", [1280.0, 800.0]), (Theme::Dark, "dark", [2560.0, 1440.0])] {
            let mut w = opened(size, theme, source.clone());
            for question in [analogy(), Question::Near { word: Word::Text("king".into()), centred: true }] {
                tell(&mut w, Command::Ask(question));
            }
            let (word, sentences) =
                ("bat".into(), words(&["the bat flew out of the cave", "he hit the ball with the bat"]));
            tell(&mut w, Command::Ask(Question::Context { word, sentences }));
            let list = words(&["king", "queen", "man", "woman", "river"]);
            tell(&mut w, Command::Ask(Question::Pairs { words: list, centred: true }));
            for panel in PANELS {
                show(&mut w, panel);
                let file = format!("{}_{}_{name}.png", source.name().replace(' ', "_"), panel.name());
                w.render().unwrap().save(Path::new(&folder).join(file)).unwrap();
            }
        }
    }
}
