//! The lessons of the program hold together, a teacher's mistakes are named with their line, and hostile files do no harm.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use glassbox::lesson::{
    Block, Candidate, LessonError, Library, MAX_BYTES, PanelId, RunFacts, attempt_seed, mean_last_row, parse, prose,
    read_number, shuffled,
};
use glassbox::model::{HookPoint, Recorded, Site, Trace};
use rand::{RngExt, SeedableRng};

/// A lesson with a place for one more block, which begins on line 13.
fn with_block(block: &str) -> String {
    format!("{HEAD}{block}")
}

const HEAD: &str = r#"+++
id = "test"
title = "Test"
order = 1
summary = "A test."
minutes = 1
takeaway = "None."
core_question = "Which?"
concepts = ["one"]
+++

Prose.
"#;

const QUIZ: &str = r#"```quiz
id = "q"
kind = "single"
concepts = ["one"]
question = "Which?"
hints = ["a", "b", "c"]
explanation = "So."
options = [
  { text = "this", correct = true },
  { text = "that", reason = "no" },
]
```
"#;

fn problem(text: &str) -> LessonError {
    parse("bad.md", text).expect_err("this lesson must be refused")
}

#[test]
fn every_lesson_in_the_folder_is_embedded_and_parses() {
    let library = Library::embedded();
    assert_eq!(library.problems, [], "no embedded lesson has a problem");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons");
    let names = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let on_disk: BTreeSet<_> = names.filter(|n| n.ends_with(".md") && n != "README.md").collect();
    let embedded: BTreeSet<_> = library.lessons.iter().map(|l| l.file.clone()).collect();
    assert_eq!(on_disk, embedded);
    assert_eq!(Library::open(&folder), library, "the folder reads as what is embedded");
}

#[test]
fn every_embedded_lesson_has_the_five_beats() {
    for lesson in Library::embedded().lessons {
        let file = &lesson.file;
        let first_card = lesson.blocks.iter().position(|b| !matches!(b, Block::Markdown(_)));
        let words_before: usize = lesson.blocks[..first_card.unwrap()]
            .iter()
            .map(|b| if let Block::Markdown(text) = b { text.split_whitespace().count() } else { 0 })
            .sum();
        assert!(matches!(lesson.blocks[first_card.unwrap()], Block::Predict(_)), "{file} begins with a prediction");
        assert!(words_before <= 60, "{file}: {words_before} words stand before the first thing to do");
        assert!(lesson.scenes().any(|s| !s.tweaks.is_empty()), "{file} offers a change");
        assert!(lesson.questions().count() >= 8, "{file} has questions");
        let kinds: BTreeSet<_> = lesson.questions().map(|q| format!("{:?}", std::mem::discriminant(&q.kind))).collect();
        assert!(kinds.len() >= 5, "{file} asks in several ways");
        assert!(
            lesson.questions().any(|q| q.question == lesson.meta.core_question),
            "{file} asks its core question among the others"
        );
    }
}

#[test]
fn numbers_are_read_with_and_without_their_unit() {
    assert_eq!(read_number(" 36 KiB ", "KiB"), Some(36.0));
    assert_eq!(read_number("-1.5e3", ""), Some(-1500.0));
    assert_eq!(read_number("−2", ""), Some(-2.0), "the typographic minus");
    for bad in ["", "12 KB", "1,000", "inf", "NaN", "eight"] {
        assert_eq!(read_number(bad, "KiB"), None, "{bad:?}");
    }
}

#[test]
fn the_order_of_options_is_drawn_anew_per_attempt_and_repeats_for_the_same() {
    let seed = |attempt| attempt_seed("attention", "many-heads", attempt);
    assert_eq!(shuffled(6, seed(0)), shuffled(6, seed(0)));
    let orders: BTreeSet<_> = (0..20).map(|attempt| shuffled(6, seed(attempt))).collect();
    assert!(orders.len() > 15, "20 attempts gave {} orders", orders.len());
    for order in orders {
        assert_eq!(order.iter().copied().collect::<BTreeSet<_>>(), (0..6).collect());
    }
}

#[test]
fn a_prediction_is_settled_by_the_run_and_only_by_it() {
    let library = Library::embedded();
    let predictions: Vec<_> = library.lessons[0].predictions().collect();
    let (word, place) = (predictions[0], predictions[1]);
    let facts = |next: &str, last_row: &[f32]| RunFacts {
        prompt: word.prompt.clone(),
        tokens: vec!["a".into(); last_row.len()],
        next: vec![Candidate { text: next.into(), probability: 0.5 }],
        last_row: last_row.into(),
        ..RunFacts::default()
    };
    let said = |next: &str| word.settle(&facts(next, &[])).unwrap().right.map(|i| word.options[i].text.as_str());
    assert_eq!(said(" Mary"), Some("Mary"));
    assert_eq!(said(" M"), Some("Mary"), "the first piece of a word stands for it");
    assert_eq!(said(" them"), Some("Something else"));
    assert_eq!(said("\n"), Some("Something else"));
    assert_eq!(word.settle(&RunFacts { prompt: "Another text".into(), ..facts(" Mary", &[]) }), None);

    let looked = |row: &[f32]| place.settle(&facts("x", row)).unwrap().right.map(|i| place.options[i].text.as_str());
    assert_eq!(looked(&[0.6, 0.1, 0.1, 0.2]), Some("The first token of the text"));
    assert_eq!(looked(&[0.1, 0.1, 0.6, 0.2]), Some("The token just before it"));
    assert_eq!(looked(&[0.1, 0.1, 0.2, 0.6]), Some("Itself"));
    assert_eq!(looked(&[0.1, 0.6, 0.1, 0.2]), Some("Another one, a name perhaps"));
    assert_eq!(looked(&[1.0]), None, "with one token, first and own are the same");
    assert_eq!(place.settle(&facts("x", &[])), None, "a run without patterns tells nothing");
}

#[test]
fn a_built_in_model_is_asked_in_its_own_words() {
    let page = r#"```lab
title = "t"
panels = ["next-token"]
prompt = "The sky is"
compare_prompt = "The sea is"

[prompts]
story-dense = "the sky is"

[compare_prompts]
story-moe = "the sea is"
```

```predict
id = "p"
question = "What colour?"
prompt = "The sky is"
reveal = { kind = "top-token" }
explanation = "So."
options = [{ text = "Blue", token = "blue" }, { text = "Another", otherwise = true }]

[[variants]]
models = ["story-dense", "story-moe"]
prompt = "the king sat on the"
question = "Where?"
options = [{ text = "throne", token = "throne" }, { text = "chair", token = "chair" }, { text = "-", otherwise = true }]

[[variants]]
models = ["story-base-small"]
prompt = "the sky is"
```
"#;
    let lesson = parse("ok.md", &with_block(page)).unwrap();
    let scene = lesson.scenes().next().unwrap();
    let prompt = |model| scene.prompt.of(model).map(String::as_str);
    assert_eq!(prompt(Some("story-dense")), Some("the sky is"));
    assert_eq!([prompt(Some("story-moe")), prompt(Some("smollm2")), prompt(None)], [Some("The sky is"); 3]);
    assert_eq!(scene.compare_prompt.of(Some("story-moe")).unwrap(), "the sea is");

    let predict = lesson.predictions().next().unwrap();
    let (plain, own, small) = (predict.of(None), predict.of(Some("story-moe")), predict.of(Some("story-base-small")));
    assert_eq!((plain.prompt.as_str(), plain), ("The sky is", predict));
    assert_eq!((own.prompt.as_str(), own.question.as_str(), own.options.len()), ("the king sat on the", "Where?", 3));
    assert_eq!(
        (&own.id, &own.explanation),
        (&plain.id, &plain.explanation),
        "what it leaves out is that of the others"
    );
    assert_eq!((small.prompt.as_str(), &small.options), ("the sky is", &plain.options));
    let facts = |prompt: &str, next: &str| RunFacts {
        prompt: prompt.into(),
        next: vec![Candidate { text: next.into(), probability: 0.5 }],
        ..RunFacts::default()
    };
    assert_eq!(own.settle(&facts("the king sat on the", " chair")).unwrap().right, Some(1));
    assert_eq!(own.settle(&facts("The sky is", " blue")), None);
    assert_eq!(plain.settle(&facts("The sky is", " blue")).unwrap().right, Some(0));
}

#[test]
fn the_example_of_the_teachers_guide_parses() {
    let guide = include_str!("../lessons/README.md");
    let example = guide.split("````markdown\n").nth(1).and_then(|rest| rest.split("\n````").next()).unwrap();
    let lesson = parse("README.md", example).unwrap();
    let kinds: Vec<_> = lesson.blocks.iter().map(std::mem::discriminant).collect::<Vec<_>>();
    assert_eq!(kinds.len(), 5, "predict, prose, lab and two questions");
    for panel in PanelId::ALL {
        assert!(guide.contains(&format!("`{}`", panel.name())), "the guide names the panel {}", panel.name());
    }
}

#[test]
fn every_block_of_the_teachers_guide_parses() {
    let guide = include_str!("../lessons/README.md");
    let (_, after) = guide.split_once("\n````\n").expect("the complete example ends");
    let mut languages = BTreeMap::new();
    for block in after.split("\n```").skip(1).step_by(2) {
        let (language, toml) = block.split_once('\n').unwrap();
        if !["predict", "quiz", "task", "claim", "lab"].contains(&language) {
            continue;
        }
        let page = with_block(&format!("```{language}\n{toml}\n```\n")).replace("\"one\"", "\"next-token\"");
        let lesson = parse("README.md", &page).unwrap_or_else(|e| panic!("{e}\n{toml}"));
        assert_eq!(lesson.blocks.len(), 2, "{toml}");
        *languages.entry(language).or_insert(0) += 1;
    }
    assert_eq!(languages.into_iter().collect::<Vec<_>>(), [("claim", 1), ("predict", 1), ("quiz", 6), ("task", 1)]);
    for word in ["order", "match", "text", "live", "single", "multiple", "numeric", "flip", "row-entropy", "change"] {
        assert!(guide.contains(&format!("\"{word}\"")), "the guide names {word}");
    }
}

#[test]
fn every_mistake_is_named_with_its_line() {
    let predict = |option: &str, reveal: &str| {
        format!(
            "```predict\nid = \"p\"\nquestion = \"?\"\nprompt = \"x\"\nreveal = {{ kind = \"{reveal}\" }}\nexplanation = \"e\"\n\
             [[options]]\ntext = \"a\"\n{option}\n[[options]]\ntext = \"b\"\notherwise = true\n```\n"
        )
    };
    let variant = |lines: &str| {
        let whole = predict("token = \"a\"", "top-token");
        whole.replace("otherwise = true\n", &format!("otherwise = true\n[[variants]]\n{lines}\n"))
    };
    let lab = |line: &str| format!("```lab\ntitle = \"t\"\npanels = [\"next-token\"]\n{line}\n```\n");
    let quiz = |from: &str, to: &str| {
        assert!(QUIZ.contains(from));
        QUIZ.replace(from, to)
    };
    let front = |from: &str, to: &str| {
        assert!(HEAD.contains(from));
        HEAD.replace(from, to)
    };
    // The block begins on line 13, so the first line of its TOML is line 14.
    let cases: Vec<(String, usize, &str)> = vec![
        ("no front matter".into(), 1, "make the first line +++"),
        ("+++\nid = \"x\"\n".into(), 1, "never closed"),
        (front("minutes = 1", "minuets = 1"), 6, "minuets"),
        (front("minutes = 1", "minutes = 0"), 6, "minutes"),
        (front("id = \"test\"", "id = \"Te st\""), 2, "small letters"),
        (front("title = \"Test\"", "title = \"Test"), 3, "front matter cannot be read"),
        (front("[\"one\"]", "[\"one\", \"one\"]"), 9, "only once"),
        (front("title = \"Test\"", "title = \" \""), 3, "title"),
        (front("Prose.", ""), 13, "empty"),
        (with_block(&quiz("kind = \"single\"", "kind = \"guess\"")), 15, "guess"),
        (with_block(&quiz("explanation = \"So.\"", "explanation = \"So.\"\nxp = 5")), 20, "xp"),
        (with_block(&quiz("explanation = \"So.\"", "")), 14, "explanation"),
        (with_block(&quiz("concepts = [\"one\"]", "concepts = [\"two\"]")), 16, "\"two\""),
        (with_block(&quiz("[\"a\", \"b\", \"c\"]", "[\"a\"]")), 18, "three hints"),
        (with_block(&quiz(", reason = \"no\"", "")), 22, "no reason"),
        (with_block(&quiz(", correct = true", ", reason = \"r\"")), 14, "No option is marked"),
        (with_block(&quiz("reason = \"no\"", "correct = true")), 14, "2 options are marked correct"),
        (with_block(&quiz("text = \"that\"", "text = \"this\"")), 22, "say the same"),
        (with_block(&quiz("  { text = \"that\", reason = \"no\" },\n", "")), 14, "2 to 8 options"),
        (with_block(&quiz("\"So.\"", "\"So.\"\nanswer = 3")), 20, "A single choice has no answer"),
        (with_block(&quiz("\"Which?\"", "\"What is $\\\\frac{1$?\"")), 17, "begins no formula"),
        (with_block(&quiz("\"Which?\"", "\"\"\"\nOne.\n\n$\\\\nosuch$\n\"\"\"")), 20, "cannot be typeset"),
        (with_block(&format!("{QUIZ}{QUIZ}")), 26, "used twice"),
        (with_block(&quiz("kind = \"single\"", "kind = \"numeric\"")), 21, "no options"),
        (with_block(&lab("panel = 1")), 16, "panel"),
        (
            with_block("```lab\ntitle = \"t\"\npanels = [\n  \"next-token\",\n  \"no-such-panel\",\n]\n```\n"),
            17,
            "no-such-panel",
        ),
        (with_block("```lab\ntitle = \"t\"\npanels = [\"tweaks\", \"tweaks\"]\n```\n"), 15, "listed twice"),
        (with_block("```lab\ntitle = \"t\"\npanels = []\n```\n"), 14, "no panel"),
        (with_block(&lab("prompt = \"\"")), 16, "prompt"),
        (with_block(&lab("[prompts]\nstory-tall = \"x\"")), 17, "no built-in model \"story-tall\""),
        (with_block(&lab("[prompts]\nstory-dense = \"\"")), 17, "prompt"),
        (with_block(&lab("[compare_prompts]\nstory-tall = \"x\"")), 17, "no built-in model"),
        (with_block(&lab("[[tweaks]]\nlabel = \"x\"\ntweak = { kind = \"temperature\", value = 0 }")), 16, "above 0"),
        (with_block(&lab("[[tweaks]]\nlabel = \"x\"\ntweak = { kind = \"window\", width = 0 }")), 16, "at least 1"),
        (with_block(&lab("[[tweaks]]\nlabel = \"x\"\ntweak = { kind = \"levitate\" }")), 18, "levitate"),
        (
            with_block(&lab(
                "[[tweaks]]\nlabel = \"x\"\ntweak = { kind = \"patch\", layer = 0, position = 0, from_position = 0 }",
            )),
            16,
            "compare_prompt",
        ),
        (with_block(&predict("place = \"first\"", "top-token")), 19, "needs either token"),
        (with_block(&predict("token = \"a\"", "attended-most")), 19, "needs either place"),
        (with_block(&predict("token = \"a\"", "crystal-ball")), 17, "crystal-ball"),
        (with_block(&predict("otherwise = true", "top-token")), 22, "same time"),
        (with_block(&variant("models = [\"story-tall\"]\nprompt = \"y\"")), 26, "no built-in model \"story-tall\""),
        (with_block(&variant("models = []\nprompt = \"y\"")), 26, "for no model"),
        (with_block(&variant("models = [\"story-moe\", \"story-moe\"]\nprompt = \"y\"")), 26, "a variant already"),
        (with_block(&variant("models = [\"story-moe\"]\nprompt = \"\"")), 27, "prompt"),
        (with_block(&variant("models = [\"story-moe\"]")), 25, "prompt"),
        (with_block(&variant("models = [\"story-moe\"]\nprompt = \"y\"\nhint = 1")), 28, "hint"),
        (
            with_block(&variant(
                "models = [\"story-moe\"]\nprompt = \"y\"\noptions = [{ text = \"a\", token = \"a\" }, { text = \"b\", token = \"b\" }]",
            )),
            28,
            "otherwise = true",
        ),
        (with_block("```quiz\nid = \"q\"\n"), 13, "never closed"),
        (with_block(&format!("```quiz\nid = \"q\"\n\n{QUIZ}")), 13, "never closed"),
        (with_block("\n```rust\nfn main() {}\n"), 14, "never closed"),
        (with_block("\n> ```quiz\n> id = \"q\"\n> ```\n"), 14, "inside a list or a quote"),
        (with_block("\nText\nand $\\frac{1}{2$.\n"), 15, "begins no formula"),
        (with_block("\nText\nand $\\frac{1}$.\n"), 15, "cannot be typeset"),
        (with_block("\n![plot](plot.png)\n"), 14, "lab block"),
        (with_block("\n![x](../../etc/passwd)\n"), 14, "outside the lesson's folder"),
        (with_block("\n![x](file:///etc/passwd)\n"), 14, "outside the lesson's folder"),
        (with_block("\n[x](file:///etc/passwd)\n"), 14, "does not go to the web"),
        (with_block("\n[x](javascript:alert(1))\n"), 14, "does not go to the web"),
    ];
    for (text, line, expected) in cases {
        let problem = problem(&text);
        assert!(problem.sentence.contains(expected), "expected {expected:?}, got: {problem}\n{text}");
        assert_eq!(problem.line, Some(line), "{problem}\n{text}");
        assert_eq!(problem.file, "bad.md");
        assert!(problem.to_string().starts_with(&format!("bad.md, line {line}: ")), "{problem}");
        assert!(problem.sentence.ends_with(['.', '`']) && !problem.sentence.contains('\n'), "{problem}");
        let windows = parse("bad.md", &text.replace('\n', "\r\n")).unwrap_err();
        assert_eq!(windows.line, Some(line), "with line ends of Windows: {windows}");
    }
}

#[test]
fn plain_code_and_html_stay_text() {
    let page = "\nIt costs \\$5.\n\n```rust\n// $5\n```\n\n```rust\nfn main() { println!(\"```\"); }\n```\n\n````markdown\n```quiz\nnot = \"a quiz\"\n```\n````\n\n<script>alert(1)</script>\n";
    let lesson = parse("ok.md", &with_block(page)).unwrap();
    let [Block::Markdown(text)] = lesson.blocks.as_slice() else { panic!("one block of prose: {:?}", lesson.blocks) };
    assert!(text.contains("<script>") && text.contains("not = \"a quiz\""));
}

#[test]
fn hostile_text_is_refused_calmly() {
    let large = with_block(&"word ".repeat(2 * 1024 * 1024));
    assert!(large.len() > 10_000_000);
    assert!(problem(&large).sentence.contains("at most"));

    let deep = problem(&with_block(&format!("\n{} x\n", "> ".repeat(50_000))));
    assert_eq!(deep.line, Some(14));
    assert!(deep.sentence.contains("nested"), "{deep}");

    for tex in [
        format!("{}{}", "{".repeat(900), "}".repeat(900)),
        "\\sqrt".repeat(300),
        "\\left(".repeat(300),
        "\\def\\a{\\a\\a}\\a".into(),
    ] {
        let problem = problem(&with_block(&format!("\n${tex}$\n")));
        assert_eq!(problem.line, Some(14), "{problem}");
    }
    // Whatever else is thrown at it: an error or a lesson, never a panic.
    for text in ["", "+++", "+++\n+++", "+++\n+++\n", "\u{feff}+++\n", "\0\0\0", "```", "+++\n[[[[[\n+++\n"] {
        problem(text);
    }
    let good = with_block(QUIZ);
    for cut in (0..good.len()).filter(|at| good.is_char_boundary(*at)) {
        let _ = parse("cut.md", &good[..cut]);
    }
}

#[test]
fn damaged_lessons_are_read_or_refused_but_never_crash() {
    let good = include_str!("../lessons/01-attention.md");
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let pieces =
        ["```", "+++", "$", "$$", "\"", "\"\"\"", "\\", "{", "}", "[[options]]\n", "= ", "\0", "> ", "- ", "\n", "é"];
    for _ in 0..200 {
        let mut text: Vec<char> = good.chars().collect();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..text.len());
            let end = (at + rng.random_range(0..40)).min(text.len());
            let piece = pieces[rng.random_range(0..pieces.len())];
            text.splice(at..end, piece.chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(problem) = parse("damaged.md", &text) {
            let n_lines = text.lines().count();
            let line = problem.line.expect("every fault in a file of normal size has a line");
            assert!((1..=n_lines).contains(&line), "{problem}");
            assert!(!problem.sentence.contains('\n'), "{problem}");
        }
    }
}

#[test]
fn a_bad_file_leaves_the_rest_of_the_folder_usable() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("good.md", with_block(QUIZ).as_bytes());
    write("same-id.md", with_block("").as_bytes());
    write("not-utf8.md", b"+++\n\xff\xfe\n+++\n");
    write("large.md", &vec![b'x'; MAX_BYTES + 1]);
    write("broken.md", b"+++\nid = \n+++\n");
    write("README.md", b"not a lesson");
    write("notes.txt", b"not a lesson");
    fs::create_dir(folder.path().join("folder.md")).unwrap();
    let secret = outside.path().join("secret.md");
    fs::write(&secret, with_block("").replace("\"test\"", "\"secret\"")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&secret, folder.path().join("link.md")).unwrap();

    let library = Library::open(folder.path());
    assert_eq!(library.lessons.len(), 1, "{:?}", library.lessons);
    assert_eq!(library.lessons[0].file, "good.md");
    let said = |file: &str| {
        let problem = library.problems.iter().find(|p| p.file == file);
        problem.unwrap_or_else(|| panic!("{file} has a problem: {:?}", library.problems)).to_string()
    };
    assert!(said("same-id.md").contains("already that of good.md"));
    assert!(said("not-utf8.md").starts_with("not-utf8.md, line 2: "));
    assert!(said("large.md").contains("larger than"));
    assert!(said("broken.md").starts_with("broken.md, line 2: "));
    assert!(said("folder.md").contains("not a file"));
    #[cfg(unix)]
    assert!(said("link.md").contains("outside its folder"));
    assert_eq!(library.problems.len(), if cfg!(unix) { 6 } else { 5 });

    let missing = Library::open(&folder.path().join("nowhere"));
    assert!(missing.lessons.is_empty() && missing.problems[0].sentence.contains("cannot be read"));
    let empty = Library::open(tempfile::tempdir().unwrap().path());
    assert_eq!(empty.problems.len(), 1, "an empty folder says what to do");
}

#[test]
fn the_last_row_is_the_mean_over_heads_and_layers() {
    let pattern = |data: &[f32]| Recorded { shape: vec![2, 2, 2], data: data.into() };
    let mut trace = Trace::default();
    assert!(mean_last_row(&trace).is_empty());
    trace.tensors.insert(HookPoint::layer(0, Site::Pattern), pattern(&[1.0, 0.0, 0.5, 0.5, 1.0, 0.0, 0.1, 0.9]));
    trace.tensors.insert(HookPoint::layer(1, Site::Pattern), pattern(&[1.0, 0.0, 0.2, 0.8, 1.0, 0.0, 0.4, 0.6]));
    trace.tensors.insert(HookPoint::layer(1, Site::ScaledScores), pattern(&[9.0; 8]));
    let row = mean_last_row(&trace);
    assert!((row[0] - 0.3).abs() < 1e-6 && (row[1] - 0.7).abs() < 1e-6, "{row:?}");
}

/// Figures of a text that stand bare: two digits or more, a decimal or a share, outside formulas and code.
fn bare_figures(text: &str) -> Vec<String> {
    use pulldown_cmark::{Event, Tag, TagEnd};
    let (mut found, mut open, mut in_code, mut has_source) = (Vec::new(), Vec::new(), false, false);
    for (event, _) in prose::events(text) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            // A link in the same paragraph or list item is the source of what is said there.
            Event::Start(Tag::Link { .. }) => has_source = true,
            Event::Start(Tag::Paragraph | Tag::Item | Tag::Heading { .. }) => {
                (open, has_source) = (Vec::new(), false);
            }
            Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::Heading(_)) if !has_source => found.append(&mut open),
            Event::Text(words) if !in_code => {
                let numbers = words.split(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '%')));
                let figure = |n: &str| n.trim_end_matches(['.', ',']).chars().filter(char::is_ascii_digit).count() > 1;
                open.extend(numbers.filter(|n| figure(n) || n.len() > 1 && n.ends_with('%')).map(str::to_owned));
            }
            _ => {}
        }
    }
    found
}

#[test]
fn no_figure_stands_bare_in_the_prose() {
    assert_eq!(
        bare_figures("It has 124 heads, costs 0.5 and 9% more.\n\n- $400$ and `12` are fine, and so is 1.").len(),
        3
    );
    assert_eq!(bare_figures("In [a paper](https://example.org) it was 0.845."), Vec::<String>::new());
    for lesson in Library::embedded().lessons {
        let mut section = String::new();
        for block in &lesson.blocks {
            let Block::Markdown(text) = block else { continue };
            for (i, part) in text.split("\n## ").enumerate() {
                if i > 0 {
                    section = part.lines().next().unwrap_or_default().to_owned();
                }
                // There, figures are worked out before the reader's eyes, or belong to a reference.
                if section.contains("comes from") {
                    continue;
                }
                assert_eq!(bare_figures(part), Vec::<String>::new(), "{}, under {section:?}", lesson.file);
            }
        }
    }
}
