//! Every question of the course is graded part by part, every kind of block is read with precise errors, and what a live
//! question or a task asks of a model is graded by a run.

use std::collections::{BTreeMap, BTreeSet};

use glassbox::insight::heads::HeadMap;
use glassbox::lesson::{
    Answer, Attempt, Candidate, Commitment, FlipKey, Key, Lesson, LessonError, Library, LiveKey, PLANNED, PanelId,
    Question, QuestionKind, RowKey, RunFacts, Verdict, grade, grade_live, grade_task, parse, problems,
};
use glassbox::model::Recorded;
use glassbox::model::tweak::{HeadRef, Tweak};

const HEAD: &str = "+++\nid = \"test\"\ntitle = \"Test\"\norder = 1\nsummary = \"A test.\"\nminutes = 1\ntakeaway = \"None.\"\n\
    core_question = \"Which?\"\nconcepts = [\"one\"]\n+++\n\nProse.\n";

/// A lesson with one block, whose TOML begins on line 14.
fn with_block(language: &str, toml: &str) -> String {
    format!("{HEAD}```{language}\n{toml}\n```\n")
}

/// A question; what is its kind's own begins on line 20.
fn question(kind: &str, own: &str) -> String {
    let shared = "concepts = [\"one\"]\nquestion = \"Which?\"\nhints = [\"a\", \"b\", \"c\"]\nexplanation = \"So.\"";
    with_block("quiz", &format!("id = \"q\"\nkind = \"{kind}\"\n{shared}\n{own}"))
}

fn parsed(text: &str) -> Question {
    let lesson = parse("ok.md", text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    lesson.questions().next().expect("a question").clone()
}

/// The one problem of a lesson, with its line.
fn problem(text: &str) -> (Option<usize>, String) {
    let LessonError { line, sentence, .. } = parse("bad.md", text).expect_err(text);
    (line, sentence)
}

/// A right answer to whatever can be graded without a model.
fn right_answer(question: &Question) -> Option<Answer> {
    let mut right = question.choices().iter().enumerate().filter(|(_, c)| c.correct).map(|(i, _)| i);
    Some(match &question.kind {
        QuestionKind::Single(_) => Answer::One(right.next().unwrap()),
        QuestionKind::Multiple(_) => Answer::Many(right.collect()),
        QuestionKind::Numeric { answer, .. } => Answer::Number(*answer),
        QuestionKind::Order { items, .. } => Answer::Order((0..items.len()).collect()),
        QuestionKind::Match { pairs, .. } => Answer::Pairs((0..pairs.len()).collect()),
        QuestionKind::Text { accepted, .. } => Answer::Word(accepted[0].to_uppercase()),
        QuestionKind::Live { .. } => return None,
    })
}

/// Every question of the course and every variant of one.
fn all() -> Vec<Question> {
    let asked = Library::embedded().lessons.iter().flat_map(Lesson::questions).cloned().collect::<Vec<_>>();
    asked.iter().flat_map(|q| (0..=q.variants.len()).map(|i| q.variant(i).clone())).collect()
}

fn first_wrong(verdict: &Verdict) -> &str {
    assert!(!verdict.correct);
    let reason = verdict.reasons.iter().find(|r| !r.correct).expect("a wrong answer is told why");
    assert!(!reason.text.trim().is_empty());
    &reason.text
}

#[test]
fn every_right_answer_is_right_and_every_wrong_option_has_its_reason() {
    let questions = all();
    assert!(questions.len() > 90, "the course and its variants: {}", questions.len());
    for question in &questions {
        let id = &question.id;
        if let Some(answer) = right_answer(question) {
            assert!(grade(question, &answer).correct, "{id}");
        }
        match &question.kind {
            QuestionKind::Single(choices) => {
                for (i, choice) in choices.iter().enumerate().filter(|(_, c)| !c.correct) {
                    assert_eq!(first_wrong(&grade(question, &Answer::One(i))), choice.reason, "{id}");
                }
            }
            QuestionKind::Multiple(choices) => {
                let Some(Answer::Many(key)) = right_answer(question) else { unreachable!() };
                for (i, choice) in choices.iter().enumerate() {
                    let mut answer = key.clone();
                    if !answer.remove(&i) {
                        answer.insert(i);
                    }
                    let verdict = grade(question, &Answer::Many(answer.clone()));
                    assert!(!verdict.correct, "{id} with option {i} flipped");
                    if answer.is_empty() {
                        continue;
                    }
                    let wrong: Vec<_> = verdict.reasons.iter().filter(|r| !r.correct).collect();
                    assert_eq!((wrong.len(), wrong[0].option), (1, Some(i)), "{id}: only the flipped option is wrong");
                    assert!(wrong[0].text.contains(&choice.reason), "{id} says why");
                }
            }
            QuestionKind::Numeric { answer, tolerance, mistakes, .. } => {
                for edge in [answer - tolerance, answer + tolerance] {
                    assert!(grade(question, &Answer::Number(edge)).correct, "{id} at its tolerance");
                }
                for beyond in [answer - 1.01 * tolerance - 1e-6, answer + 1.01 * tolerance + 1e-6] {
                    first_wrong(&grade(question, &Answer::Number(beyond)));
                }
                for mistake in mistakes {
                    assert_eq!(first_wrong(&grade(question, &Answer::Number(mistake.value))), mistake.reason, "{id}");
                }
                assert!(!grade(question, &Answer::Number(f64::NAN)).correct);
            }
            QuestionKind::Order { items, reasons } => {
                for i in 0..items.len() - 1 {
                    let mut order: Vec<usize> = (0..items.len()).collect();
                    order.swap(i, i + 1);
                    let verdict = grade(question, &Answer::Order(order));
                    let own = reasons.iter().find(|r| (r.before, r.after) == (i, i + 1)).expect("neighbours have one");
                    assert_eq!(first_wrong(&verdict), own.reason, "{id}");
                }
                first_wrong(&grade(question, &Answer::Order((0..items.len()).rev().collect())));
                first_wrong(&grade(question, &Answer::Order(vec![0; items.len()])));
            }
            QuestionKind::Match { pairs, .. } => {
                let key: Vec<usize> = (0..pairs.len()).collect();
                for (left, right) in key.iter().flat_map(|l| (0..question.rights().len()).map(move |r| (*l, r))) {
                    let mut answer = key.clone();
                    answer[left] = right;
                    let verdict = grade(question, &Answer::Pairs(answer));
                    assert_eq!(verdict.correct, left == right, "{id}");
                    assert_eq!(verdict.reasons.iter().filter(|r| !r.correct).count(), usize::from(left != right));
                }
                first_wrong(&grade(question, &Answer::Pairs(vec![0])));
            }
            QuestionKind::Text { accepted, mistakes } => {
                for word in accepted {
                    assert!(grade(question, &Answer::Word(format!("  {word}. "))).correct, "{id}: {word}");
                }
                for mistake in mistakes {
                    let typed = Answer::Word(mistake.text.to_uppercase());
                    assert_eq!(first_wrong(&grade(question, &typed)), mistake.reason, "{id}");
                }
                first_wrong(&grade(question, &Answer::Word("something else altogether".into())));
                first_wrong(&grade(question, &Answer::Word("…".into())));
            }
            QuestionKind::Live { prompt, .. } => {
                for model in ["story-dense", "story-moe", "story-base-small"] {
                    let own = prompt.of(Some(model)).unwrap();
                    assert_eq!(*own, own.to_lowercase(), "{id}: {model} knows small letters only");
                }
                first_wrong(&grade(question, &Answer::Word("x".into())));
            }
        }
    }
}

#[test]
fn an_answer_of_another_kind_is_wrong_and_says_what_to_do() {
    let other = [Answer::Many(BTreeSet::new()), Answer::Order(vec![7]), Answer::One(9)];
    for question in all() {
        for answer in &other {
            first_wrong(&grade(&question, answer));
        }
    }
}

#[test]
fn a_mistake_on_the_edge_of_the_tolerance_is_refused_as_it_is_graded() {
    // 0.3 + 0.1 is a hair more than 0.4 in binary: the grading forgives it, so the parser must see it too.
    let edge = question("numeric", "answer = 0.3\ntolerance = 0.1\n[[mistakes]]\nvalue = 0.4\nreason = \"no\"");
    assert_eq!(problem(&edge), (Some(22), "This mistake would be graded as right.".into()));
    let near = "answer = 10\ntolerance = 1\n[[mistakes]]\nvalue = 12.5\nreason = \"far\"\n[[mistakes]]\nvalue = 13.5\nreason = \"further\"";
    let question = parsed(&question("numeric", near));
    assert_eq!(first_wrong(&grade(&question, &Answer::Number(13.2))), "further", "the nearer mistake is the likelier");
}

#[test]
fn numbers_take_turns_over_the_tries() {
    let own = "answer = 1\ntolerance = 0\nvariants = [{ question = \"Two?\", answer = 2 }, { question = \"Three?\", answer = 3, \
        mistakes = [{ value = 4, reason = \"no\" }] }]";
    let question = parsed(&question("numeric", own));
    let asked = |tries| question.variant(question.variant_at(tries)).question.clone();
    assert_eq!([asked(0), asked(1), asked(2), asked(3)], ["Which?", "Two?", "Three?", "Which?"]);
    let third = question.variant(2);
    assert!(grade(third, &Answer::Number(3.0)).correct && !grade(third, &Answer::Number(1.0)).correct);
    assert_eq!(first_wrong(&grade(third, &Answer::Number(4.0))), "no");
}

#[test]
fn every_mistake_in_the_newer_blocks_is_named_with_its_line() {
    let order = |own: &str| question("order", own);
    let reason = "[[reasons]]\nbefore = \"a\"\nafter = \"b\"\nreason = \"r\"";
    let pair = |l: &str, r: &str| format!("[[pairs]]\nleft = \"{l}\"\nright = \"{r}\"\nreason = \"r\"");
    let pairs = format!("{}\n{}", pair("a", "x"), pair("b", "y"));
    let choice = |show: &str| {
        let wrong = format!("{{ text = \"b\", reason = \"r\", show = {show} }}");
        question("single", &format!("options = [\n  {{ text = \"a\", correct = true }},\n  {wrong},\n]"))
    };
    let claim = |own: &str| with_block("claim", &format!("id = \"c\"\n{own}"));
    let task = "id = \"t\"\ntitle = \"T\"\nkind = \"sink\"\nconcepts = [\"one\"]\nquestion = \"?\"\nhints = [\"a\", \"b\", \"c\"]\nexplanation = \"e\"";
    let bar = |own: &str| {
        let head = "id = \"p\"\nquestion = \"?\"\nprompt = \"x\"\nexplanation = \"e\"";
        with_block("predict", &format!("{head}\n{own}"))
    };
    let cases: Vec<(String, usize, &str)> = vec![
        (order(""), 14, "needs items"),
        (order("items = [\"a\"]"), 20, "2 to 8 items"),
        (order("items = [\"a\", \"a\"]"), 20, "say the same"),
        (order("items = [\"a\", \"b\"]"), 20, "No reason says why \"a\" comes before \"b\""),
        (order(&format!("items = [\"a\", \"c\"]\n{reason}")), 23, "none of the items"),
        (order(&format!("items = [\"b\", \"a\"]\n{reason}")), 21, "does not stand before"),
        (order(&format!("items = [\"a\", \"b\"]\nanswer = 1\n{reason}")), 21, "An order question has no answer"),
        (question("match", &pair("a", "x")), 14, "at least 2 pairs"),
        (question("match", &format!("{}\n{}", pair("a", "x"), pair("a", "y"))), 24, "the same left"),
        (question("match", &format!("distractors = [\"x\"]\n{pairs}")), 20, "right side of a pair"),
        (question("match", &format!("items = [\"x\"]\n{pairs}")), 20, "A match question has no items"),
        (question("text", "accepted = []"), 14, "needs accepted"),
        (question("text", "accepted = [\"…\"]"), 20, "a word or two"),
        (question("text", "accepted = [\"A b\"]\n[[mistakes]]\ntext = \"a-B\"\nreason = \"r\""), 21, "graded as right"),
        (
            question("text", "accepted = [\"a\"]\n[[mistakes]]\nvalue = 1\nreason = \"r\""),
            21,
            "has a text, and no value",
        ),
        (
            question("numeric", "answer = 1\ntolerance = 0\n[[mistakes]]\ntext = \"a\"\nreason = \"r\""),
            22,
            "has a value",
        ),
        (
            question("numeric", "answer = 1\ntolerance = 0\nvariants = [{ question = \"?\", answer = inf }]"),
            22,
            "finite",
        ),
        (question("live", "prompt = \"x\""), 14, "a prompt and a key"),
        (question("live", "prompt = \"x\"\nkey = { kind = \"crystal\" }"), 21, "crystal"),
        (question("live", "prompt = \"\"\nkey = { kind = \"top-token\" }"), 20, "prompt"),
        (
            question("live", "prompt = \"x\"\nkey = { kind = \"top-token\" }\n[prompts]\nstory-tall = \"x\""),
            23,
            "no built-in model",
        ),
        (choice("{}"), 22, "shows nothing"),
        (choice("{ tweaks = [{ kind = \"window\", width = 0 }] }"), 22, "at least 1"),
        (
            choice("{ tweaks = [{ kind = \"patch\", layer = 0, position = 0, from_position = 0 }] }"),
            22,
            "second prompt",
        ),
        (with_block("task", &task.replace("sink", "sunk")), 16, "sunk"),
        (with_block("task", &task.replace("[\"one\"]", "[\"two\"]")), 17, "\"two\""),
        (with_block("task", &task.replace("[\"a\", \"b\", \"c\"]", "[\"a\"]")), 19, "three hints"),
        (with_block("task", &format!("{task}\nxp = 9")), 21, "xp"),
        (claim("models = [\"gpt-9\"]\nprompt = \"x\"\nholds = { kind = \"top-token\", token = \"y\" }"), 15, "smollm2"),
        (claim("models = []\nprompt = \"x\"\nholds = { kind = \"top-token\", token = \"y\" }"), 15, "no model"),
        (
            claim("models = [\"smollm2\"]\nprompt = \"x\"\nholds = { kind = \"top-token\", token = \" \" }"),
            17,
            "no token",
        ),
        (
            claim(
                "models = [\"smollm2\"]\nprompt = \"x\"\nholds = { kind = \"head-score\", score = \"induction\", above = 2 }",
            ),
            17,
            "from 0 to 1",
        ),
        (
            claim(
                "models = [\"smollm2\"]\nprompt = \"x\"\nholds = { kind = \"change\", tweak = { kind = \"acausal\" }, kl_above = -1 }",
            ),
            17,
            "never negative",
        ),
        (claim("models = [\"smollm2\"]\nprompt = \"x\"\nholds = { kind = \"hopes\" }"), 17, "hopes"),
        (bar("reveal = { kind = \"bar\", measure = \"height\" }"), 18, "height"),
        (bar("reveal = { kind = \"bar\", measure = \"top-probability\", within = 2 }"), 18, "within"),
        (
            bar(
                "reveal = { kind = \"bar\", measure = \"top-probability\" }\noptions = [{ text = \"a\", otherwise = true }]",
            ),
            19,
            "not chosen",
        ),
        (bar("reveal = { kind = \"top-token\" }"), 14, "no options"),
    ];
    for (text, line, expected) in cases {
        let (found, sentence) = problem(&text);
        assert!(sentence.contains(expected), "expected {expected:?}, got {sentence:?}\n{text}");
        assert_eq!(found, Some(line), "{sentence}\n{text}");
        assert!(sentence.ends_with(['.', '`']) && !sentence.contains('\n'), "{sentence}");
    }
}

#[test]
fn every_bad_block_of_a_file_is_told_and_not_only_the_first() {
    let bad = question("single", "options = []");
    let page = format!("{bad}\n![x](y.png)\n\n```lab\ntitle = \"t\"\npanels = [\"nowhere\"]\n```\n")
        .replace("order = 1", "order = -1");
    let all = problems("bad.md", &page);
    assert_eq!(all.len(), 4, "front matter, question, picture, panel: {all:?}");
    assert!(all.is_sorted_by_key(|p| p.line));
    assert_eq!(problems("ok.md", &question("text", "accepted = [\"a\"]")), []);
}

#[test]
fn panels_that_are_not_built_yet_are_left_out() {
    let planned = |lesson: &Lesson| lesson.scenes().flat_map(|s| s.planned.clone()).collect::<BTreeSet<_>>();
    let named: BTreeSet<_> = Library::embedded().lessons.iter().flat_map(planned).collect();
    let open: BTreeSet<_> = PLANNED.iter().copied().filter(|name| PanelId::find(name).is_none()).collect();
    println!("panels that lessons wait for: {named:?}");
    assert_eq!(named, open, "the list of what is to be built is what the lessons wait for");
    for lesson in &Library::embedded().lessons {
        assert!(lesson.scenes().all(|scene| !scene.panels.is_empty()), "{}: a scene shows something", lesson.file);
    }
}

#[test]
fn a_counter_example_speaks_the_words_of_the_open_model() {
    let lessons = Library::embedded().lessons;
    let choices = lessons[0].questions().flat_map(Question::choices);
    let shows: Vec<_> = choices.filter_map(|choice| choice.show.as_ref()).collect();
    assert!(shows.len() >= 3);
    for show in shows {
        let own = show.prompt.of(Some("story-dense")).unwrap();
        assert_eq!(*own, own.to_lowercase(), "the scene's own words for that model");
        assert_ne!(show.prompt.of(None), Some(own));
        assert!(!show.tweaks.is_empty() && show.tweaks.iter().all(|t| !matches!(t, Tweak::Patch { .. })));
    }
}

fn facts() -> RunFacts {
    let candidate = |text: &str, probability| Candidate { text: text.into(), probability };
    // One layer, two heads, three tokens; the last row of each head is what counts.
    let data = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.7, 0.2, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.5, 0.4];
    RunFacts {
        prompt: "the cat the".into(),
        tokens: ["the", " cat", " the"].map(str::to_owned).into(),
        next: vec![candidate(" cat", 0.5), candidate(" Dog", 0.498), candidate(" king", 0.001)],
        last_row: Vec::new(),
        patterns: vec![Recorded { shape: vec![2, 3, 3], data: data.into() }],
    }
}

#[test]
fn a_live_question_is_graded_by_the_run() {
    let facts = facts();
    let top = |typed: &str| grade_live(LiveKey::TopToken {}, &facts, typed).unwrap();
    assert!(top(" CAT ").correct && top("dog").correct, "a tie counts for both");
    let verdict = top("king");
    assert!(first_wrong(&verdict).contains("place 3") && !verdict.reasons[0].text.contains("cat"), "{verdict:?}");
    assert!(first_wrong(&top("queen")).contains("list"));
    assert!(first_wrong(&top(" ")).contains("Type"));

    let most = |head, typed: &str| grade_live(LiveKey::AttendedMostToken { layer: 0, head }, &facts, typed);
    assert!(most(0, "the").unwrap().correct, "of two equal words the better one counts");
    assert!(most(1, "cat").unwrap().correct);
    assert!(first_wrong(&most(1, "the").unwrap()).contains("another token has more"));
    assert!(first_wrong(&most(1, "dog").unwrap()).contains("No token"));
    assert_eq!(most(2, "cat"), None, "there is no such head");
    assert_eq!(grade_live(LiveKey::AttendedMostToken { layer: 3, head: 0 }, &facts, "cat"), None);
}

#[test]
fn a_bar_is_right_near_the_truth() {
    let reveal = "reveal = { kind = \"bar\", measure = \"top-probability\", within = 0.05 }";
    let block = format!("id = \"p\"\nquestion = \"?\"\nprompt = \"the cat the\"\nexplanation = \"e\"\n{reveal}");
    let lesson = parse("ok.md", &with_block("predict", &block)).unwrap();
    let predict = lesson.predictions().next().unwrap();
    let settled = predict.settle(&facts()).unwrap();
    assert_eq!((settled.bar, settled.right), (Some(0.5), None));
    let said = |bar| predict.came_true(&settled, Commitment::Bar(bar)).unwrap();
    assert_eq!([said(0.54), said(0.46), said(0.56), said(0.0)], [true, true, false, false]);
    assert_eq!(predict.settle(&RunFacts { prompt: "other".into(), ..facts() }), None);
}

#[test]
fn a_task_is_graded_by_what_was_measured() {
    let head = |layer, head| HeadRef { layer, head };
    let map = Key::Heads(HeadMap { n_heads: 2, scores: vec![0.1, 0.8, 0.75, 0.5] });
    let found = |h| grade_task(&map, &Attempt::Head(h));
    assert!(found(head(0, 1)).correct && found(head(1, 0)).correct, "90 % of the best is as good as found");
    assert!(first_wrong(&found(head(1, 1))).contains("50 %"));
    assert!(first_wrong(&found(head(5, 0))).contains("no such head"));

    let found = vec![head(0, 0), head(0, 1)];
    let flip = Key::Flip(FlipKey { top: " a".into(), probability: 0.9, found: found.clone(), then: " b".into() });
    let tried = |heads: &[HeadRef], now: &str| grade_task(&flip, &Attempt::Silenced(heads.to_vec(), now.into()));
    assert!(tried(&found, " b").correct && tried(&[head(1, 1)], " c").correct, "fewer than the search found counts");
    assert!(first_wrong(&tried(&found, " a")).contains("still the likeliest"));
    assert!(first_wrong(&tried(&[head(0, 0), head(0, 1), head(1, 0)], " b")).contains("2 heads can do it"));

    let mut row = RowKey { head: head(0, 0), token: "x".into(), scores: vec![2.0, 0.0, -1.0], target: 0.0 };
    // A very hot row is even: its entropy is ln 3. A very cold one is a single token: 0.
    assert!((row.entropy(1e9) - 3f64.ln()).abs() < 1e-6);
    assert!(row.entropy(0.05) < 1e-6);
    row.target = row.entropy(2.0);
    let set = |t| grade_task(&Key::Row(row.clone()), &Attempt::Temperature(t));
    assert!(set(2.0).correct && set(2.05).correct);
    assert!(first_wrong(&set(1.0)).contains("too sharp") && first_wrong(&set(9.0)).contains("too flat"));
    assert!(first_wrong(&set(0.0)).contains("above 0"));
    let withdrawn = Key::Withdrawn("Its best head scores too little.".into());
    assert!(!grade_task(&withdrawn, &Attempt::Head(head(0, 0))).correct);
}

#[test]
fn ids_are_unique_on_each_page_and_every_lesson_keeps_what_it_has() {
    let mut counts = BTreeMap::new();
    for lesson in &Library::embedded().lessons {
        let items: Vec<_> = lesson.items().collect();
        assert_eq!(items.iter().collect::<BTreeSet<_>>().len(), items.len());
        counts.insert(
            lesson.meta.id.clone(),
            (lesson.questions().count(), lesson.tasks().count(), lesson.claims().count()),
        );
    }
    println!("questions, tasks and claims: {counts:?}");
    assert!(counts["attention"].1 >= 5, "the detective's tasks");
    assert!(counts.values().all(|(_, _, claims)| *claims > 0), "each lesson has claims for a test: {counts:?}");
}
