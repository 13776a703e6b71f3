//! The grade book: one line per student and lesson.
//!
//! Written as RFC 4180 has it: lines end in CR LF, a field with a comma, a quote or a line break stands in quotes, and
//! quotes in it are doubled. A spreadsheet takes a field that begins with `=`, `+`, `-`, `@`, a tab or a line break for
//! a formula, even in quotes; such text gets an apostrophe in front, as the Open Worldwide Application Security Project
//! advises ("CSV injection").

use crate::progress::{Course, CourseLesson, Profile, Record};

const HEAD: [&str; 11] = [
    "alias",
    "account",
    "lesson",
    "title",
    "items",
    "tried",
    "right",
    "right_at_first_try",
    "score_percent",
    "xp",
    "last_answer",
];

/// The grade book of some profiles: every lesson of the course, and every other lesson in which something was answered.
/// The score is the mean over the items of the lesson of the best that was right of each.
pub fn grade_book(profiles: &[(Profile, Record)], course: &Course) -> String {
    let mut text = line(HEAD.map(String::from).to_vec());
    for (profile, record) in profiles {
        let others = other_lessons(record, course);
        for lesson in course.lessons.iter().chain(&others) {
            text += &line(fields(profile, record, lesson));
        }
    }
    text
}

fn fields(profile: &Profile, record: &Record, lesson: &CourseLesson) -> Vec<String> {
    let tried: Vec<_> = lesson.items.iter().filter_map(|item| record.item(&lesson.id, item)).collect();
    // From 0.0, because the sum of nothing is -0.0.
    let score = tried.iter().fold(0.0, |sum, item| sum + item.best.share()) / lesson.items.len().max(1) as f64;
    let last = tried.iter().map(|item| item.last).max_by_key(|last| last.ms());
    vec![
        harmless(&profile.alias),
        harmless(&profile.account),
        harmless(&lesson.id),
        harmless(&lesson.title),
        lesson.items.len().to_string(),
        tried.len().to_string(),
        tried.iter().filter(|item| item.best.is_right()).count().to_string(),
        tried.iter().filter(|item| item.first_right).count().to_string(),
        format!("{:.1}", 100.0 * score),
        tried.iter().map(|item| item.xp).sum::<u64>().to_string(),
        last.map(|last| last.to_string()).unwrap_or_default(),
    ]
}

/// Lessons that the course does not name, made of the items that were tried.
fn other_lessons(record: &Record, course: &Course) -> Vec<CourseLesson> {
    let mut others: Vec<CourseLesson> = Vec::new();
    let unknown = record.items().filter(|(lesson, ..)| !course.lessons.iter().any(|l| l.id == *lesson));
    for (lesson, item, _) in unknown {
        match others.last_mut().filter(|last| last.id == lesson) {
            Some(last) => last.items.push(item.into()),
            None => others.push(CourseLesson {
                id: lesson.into(),
                title: String::new(),
                items: vec![item.into()],
                concepts: Vec::new(),
            }),
        }
    }
    others
}

/// Text that no spreadsheet takes for a formula. Some of them also take the wide forms of the signs.
fn harmless(text: &str) -> String {
    let formula = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    let first = text.trim_start_matches(' ').chars().next();
    if first.is_some_and(formula) { format!("'{text}") } else { text.into() }
}

fn line(fields: Vec<String>) -> String {
    let quoted = |field: String| {
        if field.contains([',', '"', '\r', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
    };
    fields.into_iter().map(quoted).collect::<Vec<_>>().join(",") + "\r\n"
}
