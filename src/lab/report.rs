//! Files that leave the program: made and written on the thread that owns the record.
//!
//! A lab report also shows what stands on the bench: the model with its hash, the prompt, the changes, and two plots of
//! the run on screen, the next token and the pattern of the selected head. They are drawn from the run's own numbers as
//! SVG of rectangles and text.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::learner::{Bench, Export};
use crate::model::{HookPoint, Site};
use crate::progress::export::{self, LabReport, Plot, grade_book, xapi};
use crate::progress::{Course, Moment, Profile, Record, Store};

/// Tokens of a pattern that are drawn at most; a picture of more has cells too small to see.
const MOST_TOKENS: usize = 64;
/// Candidates for the next token that are drawn.
const CANDIDATES: usize = 10;

/// Makes a file's text. `hash` is that of the model on the bench.
pub(super) fn text(
    what: Export,
    store: &Store,
    everyone: &[(Profile, Record)],
    own: &Profile,
    course: &Course,
    bench: (&Bench, Option<&str>, &[String]),
    now: Moment,
) -> Result<String, String> {
    let statements = || store.statements(Some(own.id)).map_err(|e| e.to_string());
    match what {
        Export::Xapi => Ok(xapi(&statements()?)),
        Export::GradeBook => Ok(grade_book(everyone, course)),
        Export::Report => {
            let gone = || "This profile is no longer there: choose another one.".to_owned();
            let (profile, record) = everyone.iter().find(|(profile, _)| profile.id == own.id).ok_or_else(gone)?;
            let statements = statements()?;
            let (on_bench, hash, changes) = bench;
            let described = on_bench.model.as_ref().map(|model| export::Bench {
                model: model.name.clone(),
                hash: match hash {
                    Some(hash) => format!("SHA-256 of its weights: {hash}"),
                    None => "The hash of its weights could not be computed: the file is no longer there.".into(),
                },
                prompt: on_bench.prompt.clone(),
                changes: changes.to_vec(),
            });
            let plots = plots(on_bench);
            let (bench, plots) = (described.as_ref(), plots.as_slice());
            Ok(LabReport { profile, record, statements: &statements, course, bench, plots, now }.html())
        }
    }
}

/// Writes a file whole or not at all.
pub(super) fn write(to: &Path, text: &str) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{}: could not be written ({e}): choose another place.", to.display());
    let name = to.file_name().ok_or_else(|| failed(std::io::ErrorKind::IsADirectory.into()))?;
    let part = to.with_file_name(format!("{}.part", name.to_string_lossy()));
    let written = fs::write(&part, text).and_then(|()| fs::rename(&part, to));
    written.map_err(|e| {
        // What was begun is in nobody's way.
        let _ = fs::remove_file(&part);
        failed(e)
    })
}

fn plots(bench: &Bench) -> Vec<Plot> {
    let Some(run) = &bench.run else { return Vec::new() };
    let mut plots = vec![Plot {
        title: format!("The next token after “{}”", bench.prompt),
        svg: candidates(run.top.iter().take(CANDIDATES).map(|bar| (bar.label.as_str(), bar.score.probability))),
    }];
    if let Some(head) = bench.head
        && let Some(pattern) =
            run.trace.get(HookPoint::layer(head.layer, Site::Pattern)).and_then(|p| p.head(head.head))
    {
        let n = bench.chips.len();
        if n > 0 && pattern.len() == n * n {
            plots.push(Plot {
                title: format!("Attention of layer {}, head {}: rows look at columns", head.layer, head.head),
                svg: matrix(pattern, n, &bench.chips.iter().map(|chip| chip.label.as_str()).collect::<Vec<_>>()),
            });
        }
    }
    plots
}

fn open(width: f32, height: f32) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n"
    )
}

fn candidates<'a>(bars: impl Iterator<Item = (&'a str, f32)>) -> String {
    let bars: Vec<_> = bars.collect();
    let largest = bars.iter().map(|(_, p)| *p).fold(f32::MIN_POSITIVE, f32::max);
    let mut svg = open(640.0, 22.0 * bars.len() as f32 + 8.0);
    for (i, (label, probability)) in bars.iter().enumerate() {
        let (y, width) = (22.0 * i as f32 + 4.0, 400.0 * probability / largest);
        let (label, percent) = (export::escaped(label), 100.0 * probability);
        let _ = writeln!(
            svg,
            "<text x=\"150\" y=\"{}\" text-anchor=\"end\" fill=\"gray\">{label}</text>\
             <rect x=\"158\" y=\"{y}\" width=\"{width:.1}\" height=\"16\" fill=\"#3d6fd9\"/>\
             <text x=\"{:.1}\" y=\"{}\" fill=\"gray\">{percent:.2} %</text>",
            y + 12.0,
            width + 164.0,
            y + 12.0
        );
    }
    svg + "</svg>\n"
}

/// A pattern: the darker the more. Only the last tokens where there are many.
fn matrix(pattern: &[f32], n: usize, labels: &[&str]) -> String {
    let (shown, from) = (n.min(MOST_TOKENS), n.saturating_sub(MOST_TOKENS));
    let cell = (480.0 / shown as f32).clamp(7.0, 24.0);
    let (left, top) = (130.0, 8.0);
    let side = cell * shown as f32;
    let mut svg = open(left + side + 8.0, top + side + 8.0);
    let _ = writeln!(
        svg,
        "<rect x=\"{left}\" y=\"{top}\" width=\"{side:.1}\" height=\"{side:.1}\" fill=\"white\" stroke=\"gray\"/>"
    );
    for row in 0..shown {
        let y = top + cell * row as f32;
        let label = export::escaped(labels.get(from + row).copied().unwrap_or_default());
        let baseline = y + cell * 0.75;
        let _ = writeln!(svg, "<text x=\"122\" y=\"{baseline:.1}\" text-anchor=\"end\" fill=\"gray\">{label}</text>");
        for column in 0..=row {
            let weight = pattern[(from + row) * n + from + column].clamp(0.0, 1.0);
            if weight >= 0.005 {
                let x = left + cell * column as f32;
                let _ = writeln!(
                    svg,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{cell:.1}\" height=\"{cell:.1}\" fill=\"#1f3f8f\" \
                     fill-opacity=\"{weight:.3}\"/>"
                );
            }
        }
    }
    svg + "</svg>\n"
}
