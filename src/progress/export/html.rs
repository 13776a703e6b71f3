//! The lab report: one HTML file to hand in.
//!
//! It holds everything that it shows and asks for nothing: no script, no font, no address, and a policy at its head that
//! forbids them. All text is escaped. A plot is an SVG that somebody else drew, so it is shown as a picture (a `data:`
//! address in an `img`), in which a browser runs no scripts and loads nothing. Colours are those of the reader's system.

use crate::progress::{Act, ActKind, Course, Logged, Moment, Profile, Record, Statement};

/// What a report is made from.
pub struct LabReport<'a> {
    /// Whose it is.
    pub profile: &'a Profile,
    /// What that profile did and knows.
    pub record: &'a Record,
    /// The log of that profile, oldest first.
    pub statements: &'a [Statement],
    /// The lessons with their titles.
    pub course: &'a Course,
    /// The plots.
    pub plots: &'a [Plot],
    /// When it is made.
    pub now: Moment,
}

/// A plot for a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plot {
    /// What it shows.
    pub title: String,
    /// The picture, as SVG.
    pub svg: String,
}

const HEAD: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n\
<meta name=\"viewport\" content=\"width=device-width\">\n<title>Lab report</title>\n<style>\n\
:root { color-scheme: light dark }\n\
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }\n\
table { border-collapse: collapse; width: 100% }\n\
th, td { border: 1px solid GrayText; padding: .3rem .5rem; text-align: left; vertical-align: top; \
overflow-wrap: anywhere }\n\
img { max-width: 100% }\nfigure { margin: 1rem 0 }\nh2 { margin-top: 2rem }\n</style>\n</head>\n<body>\n";

impl LabReport<'_> {
    /// The file.
    pub fn html(&self) -> String {
        let mut html = String::from(HEAD) + "<h1>Lab report</h1>\n" + &self.summary();
        let answers = self.answers();
        let mut lessons: Vec<&str> = Vec::new();
        for (act, ..) in &answers {
            if !lessons.contains(&act.lesson.as_str()) {
                lessons.push(&act.lesson);
            }
        }
        if lessons.is_empty() {
            html += "<p>Nothing was answered yet.</p>\n";
        }
        for lesson in lessons {
            let known = self.course.lessons.iter().find(|l| l.id == lesson);
            html += &format!("<h2>{}</h2>\n", escaped(known.map_or(lesson, |l| &l.title)));
            html += "<table>\n<tr><th>Item</th><th>Try</th><th>Answer</th><th>Result</th><th>Circumstances</th></tr>\n";
            answers.iter().filter(|(act, ..)| act.lesson == lesson).for_each(|answer| html += &row(answer));
            html += "</table>\n";
        }
        self.plots.iter().for_each(|plot| html += &figure(plot));
        html + "</body>\n</html>\n"
    }

    fn summary(&self) -> String {
        let mut lines = vec![
            format!("{}, account {}", self.profile.alias, self.profile.account),
            format!("Made on {}", self.now),
            format!("{} XP, level {}", self.record.xp(), self.record.level().number),
        ];
        let mastered = self.record.concepts().filter(|(_, practice)| practice.is_mastered());
        let mastered: Vec<&str> = mastered.map(|(concept, _)| concept).collect();
        if !mastered.is_empty() {
            lines.push(format!("Mastered: {}", mastered.join(", ")));
        }
        let calibration = self.record.calibration();
        if let Some(brier) = calibration.brier() {
            lines.push(format!("Brier score over {} answers with a confidence: {brier:.3}", calibration.len()));
        }
        let items: String = lines.iter().map(|line| format!("<li>{}</li>\n", escaped(line))).collect();
        format!("<ul>\n{items}</ul>\n")
    }

    fn answers(&self) -> Vec<(Act, u32, u32, Moment)> {
        let answer = |statement: &Statement| match statement.read() {
            Ok(Logged::Answered { act, attempt, xp }) => Some((act, attempt, xp, statement.timestamp)),
            _ => None,
        };
        self.statements.iter().filter_map(answer).collect()
    }
}

fn row((act, attempt, xp, at): &(Act, u32, u32, Moment)) -> String {
    let kind = match act.kind {
        ActKind::Question => "question",
        ActKind::Prediction => "prediction",
        ActKind::Task => "task",
    };
    let result = match (act.credit.is_right(), act.credit.got) {
        (true, _) => "right".to_owned(),
        (false, 0) => "wrong".to_owned(),
        (false, got) => format!("{got} of {} parts right", act.credit.of),
    };
    let mut answer = vec![act.answer.clone()];
    answer.extend(act.reasons.iter().cloned());
    let mut facts = vec![at.to_string()];
    facts.extend(act.confidence.map(|percent| format!("{percent} % sure")));
    facts.extend((act.hints > 0).then(|| format!("hints read: {}", act.hints)));
    facts.extend(act.variant.map(|seed| format!("seed {seed:016x}")));
    facts.extend(act.model.as_ref().map(|hash| format!("model {hash}")));
    facts.extend(act.tweaks.iter().map(|tweak| format!("changed: {tweak}")));
    format!(
        "<tr><td>{} ({kind})</td><td>{attempt}</td><td>{}</td><td>{result}, {xp} XP</td><td>{}</td></tr>\n",
        escaped(&act.item),
        lines(&answer),
        lines(&facts),
    )
}

fn figure(plot: &Plot) -> String {
    let title = escaped(&plot.title);
    let data: String = plot.svg.bytes().map(percent).collect();
    format!(
        "<figure>\n<img alt=\"{title}\" src=\"data:image/svg+xml,{data}\">\n\
         <figcaption>{title}</figcaption>\n</figure>\n"
    )
}

/// A byte as it may stand in an address (RFC 3986, 2.3).
fn percent(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

fn lines(texts: &[String]) -> String {
    texts.iter().filter(|text| !text.is_empty()).map(|text| escaped(text)).collect::<Vec<_>>().join("<br>")
}

/// Text as it may stand between tags and in quoted attributes. Other control characters have no place in HTML.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html += "&amp;",
            '<' => html += "&lt;",
            '>' => html += "&gt;",
            '"' => html += "&quot;",
            '\'' => html += "&#39;",
            c if c.is_control() => html.push(' '),
            c => html.push(c),
        }
    }
    html
}
