//! What leaves the program, read by readers of our own, and the command line.

use std::fs;
use std::process::{Command, Output};

use glassbox::progress::export::{LabReport, Plot, grade_book, xapi};
use glassbox::progress::{Act, Course, CourseLesson, Credit};
use serde_json::Value;

use crate::{at, folder, open, recorded};

/// Reads CSV as RFC 4180 describes it.
fn read_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quoted) {
            ('"', true) if chars.peek() == Some(&'"') => field.extend(chars.next()),
            ('"', _) => quoted = !quoted,
            (',', false) => row.push(std::mem::take(&mut field)),
            ('\r', false) => {
                assert_eq!(chars.next(), Some('\n'), "lines end in CR LF");
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            (c, _) => field.push(c),
        }
    }
    assert!(!quoted && row.is_empty() && field.is_empty(), "the last line is whole");
    rows
}

fn course() -> Course {
    let items: Vec<String> = (0..9).map(|n| format!("item-{n}")).collect();
    let lesson = |id: &str, title: &str, rest| CourseLesson {
        id: id.into(),
        title: title.into(),
        items: items.iter().enumerate().filter(|(n, _)| n % 2 == rest).map(|(_, item)| item.clone()).collect(),
        concepts: Vec::new(),
    };
    Course { lessons: vec![lesson("attention", "Attention, \"all\" at once", 0), lesson("embeddings", "=SUM(A1)", 1)] }
}

#[test]
fn a_grade_book_is_a_table_without_formulas() {
    let (_folder, path) = folder();
    let mut store = open(&path, at(0, 0));
    let aliases = ["=HYPERLINK(\"http://x\")", "+1", "-2+3", "@cmd", " =1", "＝1", "O'Neil, \"Jim\"", "Ada"];
    for alias in aliases {
        store.add_profile(alias).unwrap();
    }
    let ada = store.profiles().unwrap().pop().unwrap();
    let acts = recorded(8, 60);
    acts.iter().for_each(|(act, now)| drop(store.answer(ada.id, act, *now).unwrap()));
    store.answer(ada.id, &Act::question("own-lesson", "x", &[], Credit { got: 1, of: 4 }), at(200, 0)).unwrap();

    let rows = read_csv(&grade_book(&store.everyone().unwrap(), &course()));
    assert_eq!(rows.len(), 1 + 2 * aliases.len() + 1);
    for row in &rows {
        assert_eq!(row.len(), rows[0].len());
        assert!(row.iter().all(|f| !f.trim_start().starts_with(['=', '+', '-', '@', '＝'])), "{row:?}");
    }
    assert!(
        rows[1..].iter().any(|row| row[0] == "'=HYPERLINK(\"http://x\")" && row[3] == "Attention, \"all\" at once")
    );
    let of_ada: Vec<_> = rows.iter().filter(|row| row[0] == "Ada").collect();
    let best = |lesson: &str, item: &String| {
        let tries = acts.iter().filter(|(act, _)| act.lesson == lesson && act.item == *item);
        tries.map(|(act, _)| act.credit.share()).fold(0.0, f64::max)
    };
    for (row, lesson) in of_ada.iter().zip(&course().lessons) {
        let score = lesson.items.iter().map(|item| best(&lesson.id, item)).sum::<f64>() / lesson.items.len() as f64;
        assert_eq!((row[2].as_str(), row[8].as_str()), (lesson.id.as_str(), format!("{:.1}", 100.0 * score).as_str()));
    }
    assert_eq!((of_ada[2][2].as_str(), of_ada[2][8].as_str()), ("own-lesson", "25.0"));
}

#[test]
fn statements_are_what_xapi_asks_for() {
    let (_folder, path) = folder();
    let mut store = open(&path, at(0, 0));
    let ada = store.add_profile("Ada").unwrap();
    let acts = recorded(9, 30);
    acts.iter().for_each(|(act, now)| drop(store.answer(ada.id, act, *now).unwrap()));
    store.reach(ada.id, "attention", 3, at(200, 0)).unwrap();
    let statements = store.statements(None).unwrap();
    let Value::Array(all) = serde_json::from_str(&xapi(&statements)).unwrap() else { panic!("no array") };
    assert_eq!(all.len(), acts.len() + 1);
    let mut ids: Vec<&str> = Vec::new();
    for one in &all {
        let id = one["id"].as_str().unwrap();
        assert!(id.len() == 36 && id.as_bytes()[14] == b'4' && b"89ab".contains(&id.as_bytes()[19]), "{id}");
        ids.push(id);
        assert_eq!(one["actor"]["account"]["name"], ada.account.as_str());
        for address in [&one["actor"]["account"]["homePage"], &one["verb"]["id"], &one["object"]["id"]] {
            assert!(address.as_str().unwrap().starts_with("http"), "{address}");
        }
        for extensions in [&one["context"]["extensions"], &one["result"]["extensions"]] {
            let mut keys = extensions.as_object().into_iter().flatten();
            assert!(keys.all(|(key, _)| key.starts_with("https://")), "xAPI wants addresses as keys: {extensions}");
        }
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all.len());
    for (one, (act, now)) in all.iter().zip(&acts) {
        let extension = |name: &str| &one["context"]["extensions"][format!("https://glassbox.invalid/xapi/{name}")];
        assert_eq!(one["timestamp"], now.to_string());
        assert_eq!(extension("model-hash").as_str(), act.model.as_deref());
        assert_eq!(extension("seed").as_str().map(|s| u64::from_str_radix(s, 16).unwrap()), act.variant);
        assert_eq!(*extension("tweaks"), Value::from(act.tweaks.clone()));
        assert_eq!(one["result"]["score"]["scaled"].as_f64().unwrap(), act.credit.share());
    }
}

#[test]
fn a_lab_report_runs_nothing_that_somebody_typed() {
    let (_folder, path) = folder();
    let mut store = open(&path, at(0, 0));
    let ada = store.add_profile("<script>alert(1)</script>").unwrap();
    let mut act = Act::question("attention", "q", &["softmax"], Credit::WRONG);
    act.answer = "<img src=x onerror=alert(2)> & 'so'".into();
    act.reasons = vec!["</td></table><script>alert(3)</script>".into()];
    act.model = Some("a3f0\"><b>".into());
    act.tweaks = vec![serde_json::json!({ "<i>": "</i>" })];
    store.answer(ada.id, &act, at(0, 0)).unwrap();
    let plots =
        [Plot { title: "\"><script>".into(), svg: "<svg onload=\"alert(4)\"><script>x</script></svg>'\"".into() }];
    let (record, statements) = (store.record(ada.id).unwrap().clone(), store.statements(None).unwrap());
    let report = LabReport {
        profile: &ada,
        record: &record,
        statements: &statements,
        course: &course(),
        plots: &plots,
        now: at(1, 0),
    };
    let html = report.html();
    // Every tag is one of ours: between all angle brackets stands what the report itself writes.
    let tags: Vec<&str> = html.split('<').skip(1).map(|rest| rest.split(['>', ' ', '\n']).next().unwrap()).collect();
    let ours = "!DOCTYPE html /html head /head meta title /title style /style body /body h1 /h1 h2 /h2 ul /ul li /li p /p \
                table /table tr /tr th /th td /td br figure /figure figcaption /figcaption img";
    assert!(tags.iter().all(|tag| ours.split_whitespace().any(|t| t == *tag)), "{tags:?}");
    assert_eq!(html.matches("<img").count(), plots.len());
    assert!(html.contains("&lt;img src=x onerror=alert(2)&gt; &amp; &#39;so&#39;") && html.contains("a3f0&quot;&gt;"));
    let picture = html.split("data:image/svg+xml,").nth(1).unwrap().split('"').next().unwrap();
    assert!(picture.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)), "{picture}");
    assert!(html.contains("default-src 'none'") && !html.contains("http://") && !html.contains("https://"));
}

fn program(arguments: &[&str], record: &std::path::Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_glassbox"));
    command.env("XDG_RUNTIME_DIR", std::env::temp_dir()).env("GLASSBOX_PROGRESS", record).arg("progress");
    command.args(arguments).output().unwrap()
}

#[test]
fn the_command_line_shows_and_exports() {
    let (folder, path) = folder();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let none = program(&["show"], &path);
    assert!(!none.status.success() && text(&none.stderr).contains("no record yet"), "{}", text(&none.stderr));
    assert!(!path.exists(), "looking makes no file");

    let mut store = open(&path, at(0, 0));
    let (ada, _) = (store.add_profile("Ada").unwrap(), store.add_profile("Bob").unwrap());
    for (item, credit) in [("many-heads", Credit::RIGHT), ("the-divisor", Credit::RIGHT)] {
        store.answer(ada.id, &Act::question("attention", item, &["many-heads"], credit), at(0, 0)).unwrap();
    }
    // The window stays open meanwhile.
    let shown = program(&["show"], &path);
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    let shown = text(&shown.stdout);
    assert!(shown.contains("Ada: level 1, 30 XP") && shown.contains("mastered: many-heads"), "{shown}");
    assert!(shown.contains("due: many-heads"), "2026-03-01 is long ago: {shown}");
    let only = text(&program(&["show", "--profile", "Bob"], &path).stdout);
    assert!(only.starts_with("Bob") && !only.contains("Ada"), "{only}");

    let out = folder.path().join("out");
    let plot = folder.path().join("pattern.svg");
    fs::write(&plot, "<svg/>").unwrap();
    let (out_text, plot) = (out.to_str().unwrap(), plot.to_str().unwrap());
    let export = |more: &[&str]| {
        let output = program(&[&["export", "--out", out_text], more].concat(), &path);
        (output.status.success(), text(&output.stderr), fs::read_to_string(&out).unwrap_or_default())
    };
    let (ok, stderr, json) = export(&["--format", "xapi"]);
    assert!(ok && serde_json::from_str::<Value>(&json).unwrap().as_array().unwrap().len() == 2, "{stderr}");
    let (ok, stderr, csv) = export(&["--format", "csv"]);
    assert!(ok && read_csv(&csv).len() == 1 + 2 * glassbox::lesson::Library::embedded().lessons.len(), "{stderr}");
    let (ok, stderr, _) = export(&["--format", "html"]);
    assert!(!ok && stderr.contains("--profile"), "{stderr}");
    let (ok, stderr, html) = export(&["--format", "html", "--profile", "Ada", "--plot", plot]);
    assert!(ok && html.contains("many-heads (question)") && html.contains("alt=\"pattern\""), "{stderr}");
    let (ok, stderr, _) = export(&["--format", "csv", "--profile", "Eve"]);
    assert!(!ok && stderr.contains("there are: Ada, Bob"), "{stderr}");
}
