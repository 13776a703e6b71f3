//! Every lesson from its first block to its last: each item is answered wrong and then right, as the window would record
//! it, and what the store says of it is what the plain rules say.

use glassbox::insight::heads::HeadMap;
use glassbox::lesson::{
    Answer, Attempt, Block, Candidate, Commitment, Key, Lesson, Library, LiveKey, Question, QuestionKind, RunFacts,
    Task, Verdict, grade, grade_live, grade_task,
};
use glassbox::model::Recorded;
use glassbox::model::tweak::HeadRef;
use glassbox::progress::{Act, Logged, Moment};
use glassbox::ui::graded;
use glassbox::ui::lesson_view::LessonAction;

use crate::{at, folder, open, plain};

/// A run that says "yes" next, and whose last token looks at the first one.
fn facts() -> RunFacts {
    let candidate = |text: &str, probability| Candidate { text: text.into(), probability };
    RunFacts {
        tokens: ["yes", " no"].map(str::to_owned).into(),
        next: vec![candidate(" yes", 0.9), candidate(" no", 0.1)],
        patterns: vec![Recorded { shape: vec![1, 2, 2], data: [1.0, 0.0, 0.9, 0.1].into() }],
        ..RunFacts::default()
    }
}

/// A wrong and a right answer.
fn answers(question: &Question) -> [Answer; 2] {
    let choices = question.choices();
    let right: Vec<usize> = choices.iter().enumerate().filter(|(_, c)| c.correct).map(|(i, _)| i).collect();
    let wrong = choices.iter().position(|c| !c.correct);
    match &question.kind {
        QuestionKind::Single(_) => [Answer::One(wrong.unwrap()), Answer::One(right[0])],
        QuestionKind::Multiple(_) => {
            let all = (0..choices.len()).collect();
            [
                Answer::Many(if wrong.is_some() { all } else { [right[0]].into() }),
                Answer::Many(right.into_iter().collect()),
            ]
        }
        QuestionKind::Numeric { answer, tolerance, .. } => {
            [Answer::Number(answer + 2.0 * tolerance + 1.0), Answer::Number(*answer)]
        }
        QuestionKind::Order { items, .. } => {
            [Answer::Order((0..items.len()).rev().collect()), Answer::Order((0..items.len()).collect())]
        }
        QuestionKind::Match { pairs, .. } => {
            [Answer::Pairs((0..pairs.len()).rev().collect()), Answer::Pairs((0..pairs.len()).collect())]
        }
        QuestionKind::Text { accepted, mistakes } => {
            let wrong = mistakes.first().map_or("no", |mistake| mistake.text.as_str());
            [Answer::Word(wrong.into()), Answer::Word(accepted[0].clone())]
        }
        QuestionKind::Live { .. } => [Answer::Word("no".into()), Answer::Word("yes".into())],
    }
}

fn verdict(question: &Question, answer: &Answer) -> Verdict {
    match (&question.kind, answer) {
        (QuestionKind::Live { key, .. }, Answer::Word(word)) => {
            let key = if let LiveKey::AttendedMostToken { .. } = key {
                LiveKey::AttendedMostToken { layer: 0, head: 0 }
            } else {
                *key
            };
            grade_live(key, &facts(), word).unwrap()
        }
        _ => grade(question, answer),
    }
}

fn task_actions(task: &Task) -> Vec<LessonAction> {
    let key = Key::Heads(HeadMap { n_heads: 2, scores: vec![0.1, 0.9] });
    let solve = |(i, head): (usize, usize)| {
        let attempt = Attempt::Head(HeadRef { layer: 0, head });
        let verdict = grade_task(&key, &attempt);
        LessonAction::Solved { task: task.id.clone(), attempt, verdict, hints: i, seed: i as u64 }
    };
    [0, 1].into_iter().enumerate().map(solve).collect()
}

/// What a student does on a page who answers everything wrong first.
fn actions(block: &Block) -> Vec<LessonAction> {
    match block {
        Block::Quiz(question) => {
            let of = |(tries, i): (u32, usize)| {
                let number = question.variant_at(tries);
                let asked = question.variant(number);
                let answer = answers(asked)[i].clone();
                let verdict = verdict(asked, &answer);
                assert_eq!(verdict.correct, i == 1, "{}: {answer:?}", question.id);
                let variant = (!question.variants.is_empty()).then_some(number as u64);
                let (question, hints) = (question.id.clone(), tries as usize);
                LessonAction::Answered { question, answer, verdict, attempt: tries, hints, variant }
            };
            [(0, 0), (1, 1), (2, 1)].map(of).into()
        }
        Block::Predict(predict) => {
            let predicted = |right: bool| {
                let made = if predict.options.is_empty() { Commitment::Bar(0.5) } else { Commitment::Option(0) };
                let predict = predict.id.clone();
                LessonAction::Predicted { predict, made, confidence: 80, right: Some(right) }
            };
            vec![predicted(false), predicted(true)]
        }
        Block::Task(task) => task_actions(task),
        Block::Markdown(_) | Block::Lab(_) | Block::Claim(_) => Vec::new(),
    }
}

fn acts(lesson: &Lesson) -> Vec<Act> {
    let all = lesson.blocks.iter().flat_map(actions);
    all.map(|action| graded::act(lesson, &action, None, &[]).expect("a graded act")).collect()
}

#[test]
fn every_lesson_is_walked_through_and_the_record_agrees_with_the_plain_rules() {
    let (_folder, path) = folder();
    let mut store = open(&path, at(0, 0));
    let profile = store.add_profile("Ada").unwrap();
    let lessons = Library::embedded().lessons;
    let walked: Vec<Act> = lessons.iter().flat_map(acts).collect();
    let walked: Vec<(Act, Moment)> = walked.into_iter().zip(0..).map(|(act, i)| (act, at(i / 40, i % 40))).collect();
    let n_items: usize = lessons.iter().map(|lesson| lesson.items().count()).sum();
    assert!(n_items > 80 && walked.len() > 2 * n_items);
    for (i, (act, now)) in walked.iter().enumerate() {
        let graded = store.answer(profile.id, act, *now).unwrap();
        assert_eq!(graded.xp, plain::xp(&walked, i), "{} {}", act.lesson, act.item);
        assert!(!act.answer.is_empty(), "{}: the log says what was answered", act.item);
    }
    let record = store.record(profile.id).unwrap().clone();
    assert_eq!(record.xp(), (0..walked.len()).map(|i| u64::from(plain::xp(&walked, i))).sum::<u64>());
    assert_eq!(record.items().count(), n_items);
    for lesson in &lessons {
        for concept in &lesson.meta.concepts {
            let practised = record.practice(concept).is_some_and(|practice| practice.is_mastered());
            assert_eq!(practised, plain::is_mastered(&walked, concept), "{concept}");
        }
        assert!(lesson.items().all(|item| record.item(&lesson.meta.id, item).is_some_and(|i| i.best.is_right())));
    }
    let statements = store.statements(None).unwrap();
    let logged = statements.iter().map(|statement| match statement.read().unwrap() {
        Logged::Answered { act, .. } => (act, statement.timestamp),
        other => panic!("{other:?}"),
    });
    assert_eq!(logged.collect::<Vec<_>>(), walked, "the log holds every act, whole and in order");
}
