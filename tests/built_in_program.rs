//! The program itself with its own models, from the command line.

use std::path::Path;
use std::process::{Command, Output};

use glassbox::builtin::{BUILTIN, FILES, MODELS_VARIABLE, default_model};

fn glassbox(arguments: &[&str], models: Option<&Path>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_glassbox"));
    // Without such a folder the software driver prints a line of its own.
    command.env("XDG_RUNTIME_DIR", std::env::temp_dir()).env_remove(MODELS_VARIABLE);
    if let Some(models) = models {
        command.env(MODELS_VARIABLE, models);
    }
    command.args(arguments).output().unwrap()
}

/// What a command prints that ends well.
fn prints(arguments: &[&str], models: Option<&Path>) -> (String, String) {
    let output = glassbox(arguments, models);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_list_names_every_model() {
    let (list, notes) = prints(&["models"], None);
    assert_eq!((list.lines().count(), notes.as_str()), (BUILTIN.len() + 1, ""), "a heading and a line each: {list}");
    for model in &BUILTIN {
        let line = list.lines().find(|line| line.starts_with(model.id)).expect("a line");
        assert!(line.contains(&model.about().title) && line.ends_with(&format!("built in: {}", model.id)), "{line}");
    }
    let rows: serde_json::Value = serde_json::from_str(&prints(&["models", "--json"], None).0).unwrap();
    assert_eq!(rows[0]["n_params"], default_model().about().params);
}

#[test]
fn every_command_takes_an_id() {
    let out = tempfile::tempdir().unwrap();
    let trace = out.path().join("trace.safetensors");
    let trace = trace.to_str().unwrap();
    for model in &BUILTIN {
        let (report, _) = prints(&["inspect", model.id], None);
        assert!(report.contains(&format!("built in: {}", model.id)) && report.contains("How it was made"), "{report}");
        let (_, speed) = prints(&["generate", model.id, "-p", "once there was", "-n", "3"], None);
        assert!(speed.contains("prompt tokens"), "{speed}");
        let (told, _) = prints(&["trace", model.id, "-p", "once there was", "--out", trace, "--hook", "pattern"], None);
        assert!(told.contains("tensors of"), "{told}");
    }
    let bench = ["bench", default_model().id, "--device", "cpu", "--rounds", "1", "--prefill", "4", "--decode", "2"];
    assert!(prints(&bench, None).0.contains("decode tok/s"));
    let help = prints(&["--help"], None).0;
    assert!(help.contains(default_model().id) && help.contains(MODELS_VARIABLE), "{help}");
}

#[test]
fn a_wrong_id_is_told_with_the_right_ones() {
    let output = glassbox(&["inspect", "story-tall"], None);
    let sentence = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), sentence.lines().count()), (Some(1), 1), "{sentence}");
    assert!(BUILTIN.iter().all(|model| sentence.contains(model.id)) && sentence.contains("story-tall"), "{sentence}");
}

#[test]
fn the_variable_names_folders_that_win() {
    let (model, other) = (&BUILTIN[0], &BUILTIN[2]);
    let models = tempfile::tempdir().unwrap();
    let copy = models.path().join(model.id);
    std::fs::create_dir(&copy).unwrap();
    for file in FILES {
        std::fs::write(copy.join(file), other.file(file).unwrap()).unwrap();
    }
    let (list, _) = prints(&["models"], Some(models.path()));
    let line = list.lines().find(|line| line.starts_with(model.id)).unwrap();
    assert!(line.contains(&other.about().title) && line.ends_with(&copy.display().to_string()), "{line}");

    std::fs::write(copy.join("config.json"), "{").unwrap();
    let (list, notes) = prints(&["models"], Some(models.path()));
    assert!(list.contains(&format!("built in: {}", model.id)), "{list}");
    assert_eq!(notes.lines().count(), 1, "{notes}");
    assert!(
        notes.contains("“config.json” is not valid JSON") && notes.contains(&copy.display().to_string()),
        "{notes}"
    );
}
