//! `glassbox lessons check`, on good lessons, on slips and on hostile files.

use std::fs;
use std::path::Path;
use std::process::Command;

use glassbox::lesson::{Block, Library};

/// What the program says of a folder: its exit status, what it prints, and what it complains.
fn check(folder: &Path) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_glassbox"));
    command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
    let output = command.args(["lessons", "check"]).arg(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn page(id: &str, rest: &str) -> String {
    format!(
        "+++\nid = \"{id}\"\ntitle = \"T\"\norder = 1\nsummary = \"s\"\nminutes = 1\ntakeaway = \"t\"\ncore_question = \"c\"\n\
         concepts = [\"x\"]\n+++\n\n{rest}\n"
    )
}

#[test]
fn the_lessons_of_the_program_are_good() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons");
    let (code, said, complaint) = check(&folder);
    assert_eq!((code, complaint.as_str()), (Some(0), ""), "{said}");
    for lesson in Library::embedded().lessons {
        let line = said.lines().find(|line| line.starts_with(&lesson.file)).expect("a line for each lesson");
        assert!(line.contains(&format!("{} questions", lesson.questions().count())), "{line}");
    }
}

#[test]
fn every_problem_of_hostile_files_is_told_and_the_rest_works() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("good.md", &page("good", "Text."));
    write("script.md", &page("script", "<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>"));
    write("panel.md", &page("panel", "```lab\ntitle = \"t\"\npanels = [\"no-such-panel\"]\n```"));
    write("toml.md", &page("toml", "```quiz\nid = \"q\nkind = 3\n```\n\n```lab\ntitle = [\n```"));
    write(
        "image.md",
        &page(
            "image",
            "![a](missing.png)\n\n```lab\ntitle = \"t\"\npanels = [\"tweaks\"]\n```\n\n![b](../../../etc/passwd)",
        ),
    );
    write("large.md", &page("large", &"word ".repeat(2 * 1024 * 1024)));
    assert!(fs::metadata(folder.path().join("large.md")).unwrap().len() > 10_000_000);
    fs::write(outside.path().join("secret.md"), page("secret", "The secret text.")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(outside.path().join("secret.md"), folder.path().join("link.md")).unwrap();

    let (code, said, complaint) = check(folder.path());
    assert_eq!(code, Some(1));
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    for (file, line, words) in [
        ("panel.md", Some(14), "no-such-panel"),
        ("toml.md", Some(13), "cannot be read"),
        ("toml.md", Some(18), "cannot be read"),
        ("image.md", Some(12), "missing.png"),
        ("image.md", Some(19), "outside the lesson's folder"),
        ("large.md", None, "larger than"),
        #[cfg(unix)]
        ("link.md", None, "outside its folder"),
    ] {
        let place = line.map_or(format!("{file}: "), |line| format!("{file}, line {line}: "));
        let told = said.lines().find(|told| told.starts_with(&place) && told.contains(words));
        assert!(told.is_some(), "{place}{words}\n{said}");
    }
    assert!(said.contains("good.md: 0 questions") && said.contains("script.md: 0 questions"), "{said}");
    assert!(!said.contains("secret text"), "nothing of a file outside is read");

    let library = Library::open(folder.path());
    let script = library.lessons.iter().find(|lesson| lesson.meta.id == "script").expect("HTML is text");
    assert!(matches!(&script.blocks[..], [Block::Markdown(text)] if text.contains("<script>")));
    assert_eq!(library.lessons.len(), 2);
}

#[test]
fn a_folder_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said, _) = check(&folder.path().join("nowhere"));
    assert_eq!(code, Some(1));
    assert!(said.contains("nowhere: The folder cannot be read"), "{said}");
    let (code, said, _) = check(folder.path());
    assert_eq!((code, said.contains("put a .md file into it")), (Some(1), true), "{said}");
}

#[test]
fn a_changed_folder_is_read_again_and_an_unchanged_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.md");
    fs::write(&path, page("one", "Text.")).unwrap();
    let (library, stamp) = Library::open_if_changed(folder.path(), &Default::default()).expect("it was never read");
    assert_eq!(library.lessons.len(), 1);
    assert!(Library::open_if_changed(folder.path(), &stamp).is_none());
    fs::write(&path, page("one", "Text, and more of it.")).unwrap();
    let (library, stamp) = Library::open_if_changed(folder.path(), &stamp).expect("a longer file");
    assert!(matches!(&library.lessons[0].blocks[..], [Block::Markdown(text)] if text.contains("more of it")));
    fs::write(folder.path().join("two.md"), page("two", "![x](y.png)")).unwrap();
    let (library, stamp) = Library::open_if_changed(folder.path(), &stamp).expect("a new file");
    assert_eq!((library.lessons.len(), library.problems.len()), (1, 1));
    fs::remove_dir_all(folder.path()).unwrap();
    let (library, _) = Library::open_if_changed(folder.path(), &stamp).expect("it is gone");
    assert!(library.problems[0].sentence.contains("cannot be read"));
}
