//! What a person meets who gives bad files to the program itself: one sentence on one line, and exit code 1; and to the
//! lab: one notice, and an app that goes on.

use std::path::Path;
use std::process::{Command, Output};

use glassbox::lab::{self, DeviceChoice, Lab, LabOptions, NoticeLevel};

use crate::check_sentence;
use crate::forge::{Gguf, Meta, hub_folder, text};

fn glassbox(arguments: &[&str], file: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_glassbox"));
    // Without such a folder the software driver prints a line of its own.
    command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
    command.args(&arguments[..1]).arg(file).args(&arguments[1..]).output().unwrap()
}

/// Asserts that the program ends with one sentence that holds each of `says`.
fn ends_with_one_sentence(arguments: &[&str], file: &Path, says: &[&str]) {
    let output = glassbox(arguments, file);
    let (what, errors) = (format!("{arguments:?} {}", file.display()), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{what}: {errors}");
    let [line] = errors.lines().collect::<Vec<_>>()[..] else { panic!("{what}: not one line: {errors}") };
    let sentence = line.strip_prefix("glassbox: ").unwrap_or_else(|| panic!("{what}: {line}"));
    check_sentence(&what, sentence, says);
}

const GENERATE: [&str; 7] = ["generate", "-p", "ab c", "-n", "2", "--device", "cpu"];
const ON_GPU: [&str; 7] = ["generate", "-p", "ab c", "-n", "2", "--device", "gpu"];

#[test]
fn bad_files() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("empty.gguf"), "").unwrap();
    std::fs::write(at("letter.gguf"), "Dear reader, this is no model.").unwrap();
    std::fs::write(at("cut.gguf"), &Gguf::llama().bytes()[..900]).unwrap();
    std::fs::write(at("\u{1b}[31mred\u{202e}.gguf"), "nothing").unwrap();
    Gguf::llama().with("general.architecture", text("warp-drive")).write(&at("warp.gguf"));
    Gguf::llama().tensor("blk.0.attn_q.weight", |t| t.kind = 16).write(&at("kind.gguf"));
    for (name, says) in [
        ("empty.gguf", "is empty"),
        ("letter.gguf", "neither GGUF nor safetensors"),
        ("cut.gguf", "again"),
        ("\u{1b}[31mred\u{202e}.gguf", "red"),
        ("warp.gguf", "“warp-drive”"),
        ("kind.gguf", "IQ2_XXS"),
        ("nothing.gguf", "does not exist"),
    ] {
        let file = if name.contains('\u{1b}') { says } else { name };
        for arguments in [&["inspect"][..], &GENERATE, &ON_GPU] {
            ends_with_one_sentence(arguments, &at(name), &[file, says]);
        }
    }
}

#[test]
fn weights_that_are_not_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    Gguf::llama().tensor("blk.0.ffn_up.weight", |t| t.data = f32::NAN.to_le_bytes().repeat(96)).write(&path);
    for arguments in [GENERATE, ON_GPU] {
        let place = "blocks.0.mlp.hook_pre_linear";
        ends_with_one_sentence(&arguments, &path, &["tiny.gguf", "blk.0.ffn_up.weight", place, "download"]);
    }
    // Numbers that are fine alone and too large together.
    Gguf::llama()
        .tensor("output_norm.weight", |t| t.data = 1e3f32.to_le_bytes().repeat(8))
        .tensor("output.weight", |t| t.data = 3e38f32.to_le_bytes().repeat(64))
        .write(&path);
    ends_with_one_sentence(&GENERATE, &path, &["not a number", "hook_logits", "another copy"]);
}

#[test]
fn prompts_of_no_token_and_past_the_context() {
    let folder = tempfile::tempdir().unwrap();
    let path = Gguf::llama().write(&folder.path().join("tiny.gguf"));
    let long = "c".repeat(33);
    for device in ["cpu", "gpu"] {
        ends_with_one_sentence(&["generate", "-p", "", "--device", device], &path, &["empty"]);
        ends_with_one_sentence(
            &["generate", "-p", &long, "--device", device],
            &path,
            &["33 tokens", "holds 32", "by 1"],
        );
    }
    let out = folder.path().join("t.safetensors").display().to_string();
    ends_with_one_sentence(&["trace", "-p", &long, "--out", &out], &path, &["33 tokens", "holds 32"]);
}

#[test]
fn a_run_that_is_larger_than_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = Gguf::llama().with("context_length", Meta::U32(1 << 21)).write(&folder.path().join("tiny.gguf"));
    // Two heads that each of 400 000 tokens attends to in all the others: 2.5 TB.
    let prompt = folder.path().join("long.txt");
    std::fs::write(&prompt, "c".repeat(400_000)).unwrap();
    let mut lab = opened(&path);
    lab.apply(lab::Command::SetPrompt(std::fs::read_to_string(&prompt).unwrap()));
    lab.wait_until_idle();
    let sentence = only_error(&mut lab);
    check_sentence("a long prompt", &sentence, &["400000 tokens", "GB", "use at most about"]);
    lab.apply(lab::Command::SetPrompt("ab c".into()));
    lab.wait_until_idle();
    assert!(lab.snapshot().clean.is_some(), "a shorter text runs again: {:?}", lab.snapshot().notices);
}

#[test]
fn broken_tokenizers_can_be_inspected_and_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    hub_folder(folder.path());
    let output = glassbox(&["inspect"], folder.path());
    assert!(String::from_utf8_lossy(&output.stdout).contains("8 tokens"));
    std::fs::write(at("tokenizer.json"), "{}").unwrap();
    ends_with_one_sentence(&GENERATE, folder.path(), &["“tokenizer.json”"]);
    std::fs::remove_file(at("tokenizer.json")).unwrap();
    ends_with_one_sentence(&GENERATE, folder.path(), &["has no tokenizer.json", "beside its weights"]);
    let output = glassbox(&["inspect"], folder.path());
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && shown.contains("none that can be used") && shown.contains("tokenizer.json"));
}

#[test]
fn a_template_that_shouts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    let template = "{{ raise_exception('No way. \n\u{1b}[2J' * 1) }}{{ raise_exception('no ' ~ messages) }}";
    Gguf::llama().with("tokenizer.chat_template", text(template)).write(&path);
    let chat = ["generate", "-p", "ab", "--chat", "--device", "cpu"];
    ends_with_one_sentence(&chat, &path, &["“tiny.gguf”", "No way.", "raw prompt"]);
}

#[test]
fn a_folder_with_something_else_inside() {
    let folder = tempfile::tempdir().unwrap();
    hub_folder(folder.path());
    Gguf::llama().write(&folder.path().join("model.safetensors"));
    ends_with_one_sentence(&["inspect"], folder.path(), &["“model.safetensors”", "GGUF file by another name"]);
}

/// Only where the tests run as an ordinary user; the superuser may look everywhere.
#[cfg(unix)]
#[test]
fn a_closed_folder_is_what_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("closed");
    std::fs::create_dir(&folder).unwrap();
    hub_folder(&folder);
    for mode in [0, 0o444] {
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(mode)).unwrap();
        if folder.join("config.json").try_exists().is_err() {
            ends_with_one_sentence(&["inspect"], &folder, &["“closed”", "may not be read by you"]);
        }
    }
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
}

fn opened(path: &Path) -> Lab {
    let options = LabOptions { device: DeviceChoice::Cpu, prompt: "ab c".into(), ..LabOptions::default() };
    let mut lab = Lab::new(options, || {});
    lab.apply(lab::Command::OpenModel(lab::ModelSource::File(path.to_owned())));
    lab.wait_until_idle();
    assert!(lab.snapshot().model.is_some(), "{:?}", lab.snapshot().notices);
    lab
}

/// The one error that the lab tells of, which is dismissed.
fn only_error(lab: &mut Lab) -> String {
    let errors: Vec<_> = lab.snapshot().notices.iter().filter(|n| n.level == NoticeLevel::Error).cloned().collect();
    let [error] = &errors[..] else { panic!("{errors:?}") };
    lab.apply(lab::Command::Dismiss(error.id));
    error.text.clone()
}

#[test]
fn the_lab_names_the_file_whose_weights_are_not_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    Gguf::llama().tensor("output_norm.weight", |t| t.data = f32::NAN.to_le_bytes().repeat(8)).write(&path);
    let mut lab = opened(&path);
    let sentence = only_error(&mut lab);
    check_sentence("NaN in the lab", &sentence, &["tiny.gguf", "output_norm.weight", "ln_final.hook_normalized"]);
    let card = lab.snapshot().model.clone().unwrap();
    assert!(card.warnings.iter().any(|w| w.contains("output_norm.weight")), "{:?}", card.warnings);
}
