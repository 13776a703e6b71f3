//! Plots of a record, as SVG.
//!
//! The same figures as on the page of progress, drawn with lines and rectangles alone: no script, no style sheet, no font
//! and no address. Colours are `currentColor` and one blue that reads on light and on dark paper, so that a plot can be
//! put into a report, a slide or a printer. All text is escaped.
//!
//! A drawing is a plain rectangle with its origin at the lower left; [`Frame`] turns figures into points of the picture.

use std::fmt::Write;

use super::Plot;
use crate::progress::{Day, DayFigures, Record};

/// Size of a picture.
const SIZE: (f64, f64) = (640.0, 240.0);
/// Space around the drawing: left, top, right, bottom.
const MARGIN: (f64, f64, f64, f64) = (56.0, 28.0, 22.0, 34.0);
/// Reads on white (5.1:1) and on black (4.1:1).
const BLUE: &str = "#3d6fd9";
/// The days that are plotted.
pub const DAYS: i32 = 28;

/// The plots of a record on a day: XP, accuracy and time per day, and calibration. What has no figures has no plot.
pub fn plots(record: &Record, today: Day) -> Vec<Plot> {
    let days = last_days(record, today);
    let mut plots = Vec::new();
    if days.iter().any(|(_, figures)| *figures != DayFigures::default()) {
        let per_day = |title: &str, unit: &str, value: &dyn Fn(&DayFigures) -> f64| Plot {
            title: format!("{title}, {DAYS} days up to {today}"),
            svg: bars(&format!("{title} ({unit})"), &days, value),
        };
        plots.push(per_day("XP per day", "XP", &|d| d.xp as f64));
        plots.push(per_day("Right answers per day", "%", &|d| 100.0 * d.accuracy().unwrap_or(0.0)));
        plots.push(per_day("Time between answers per day", "minutes", &DayFigures::minutes));
    }
    if !record.calibration().is_empty() {
        plots.push(Plot { title: "Calibration: how sure, and how often right".into(), svg: calibration(record) });
    }
    plots
}

/// The figures of the last days, oldest first; a day without an answer has none.
pub fn last_days(record: &Record, today: Day) -> Vec<(Day, DayFigures)> {
    let day = |back: i32| today.plus(-back);
    let figures = |day: Day| (day, record.days().get(&day).copied().unwrap_or_default());
    (0..DAYS).rev().map(|back| figures(day(back))).collect()
}

/// From figures to points of the picture.
struct Frame {
    x: (f64, f64),
    y: (f64, f64),
}

impl Frame {
    fn x(&self, value: f64) -> f64 {
        MARGIN.0 + (value - self.x.0) / (self.x.1 - self.x.0) * (SIZE.0 - MARGIN.0 - MARGIN.2)
    }

    fn y(&self, value: f64) -> f64 {
        SIZE.1 - MARGIN.3 - (value - self.y.0) / (self.y.1 - self.y.0) * (SIZE.1 - MARGIN.1 - MARGIN.3)
    }

    /// The picture around a drawing, with marks at these places of each axis.
    fn around(&self, title: &str, xs: &[(f64, String)], ys: &[(f64, String)], drawing: &str) -> String {
        let (width, height) = SIZE;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n"
        );
        text(&mut svg, MARGIN.0, 16.0, "start", title);
        let (left, right, bottom) = (self.x(self.x.0), self.x(self.x.1), self.y(self.y.0));
        for (value, label) in ys {
            line(&mut svg, (left, self.y(*value)), (right, self.y(*value)), "stroke=\"gray\" stroke-opacity=\"0.4\"");
            text(&mut svg, left - 6.0, self.y(*value) + 4.0, "end", label);
        }
        for (value, label) in xs {
            text(&mut svg, self.x(*value), bottom + 18.0, "middle", label);
        }
        line(&mut svg, (left, bottom), (right, bottom), "stroke=\"gray\"");
        svg + drawing + "</svg>\n"
    }
}

fn bars(title: &str, days: &[(Day, DayFigures)], value: &dyn Fn(&DayFigures) -> f64) -> String {
    let highest = days.iter().map(|(_, figures)| value(figures)).fold(0.0, f64::max);
    let top = round_up(highest);
    let frame = Frame { x: (-0.6, days.len() as f64 - 0.4), y: (0.0, top) };
    let mut drawing = String::new();
    for (i, (_, figures)) in days.iter().enumerate() {
        let (left, right) = (frame.x(i as f64 - 0.4), frame.x(i as f64 + 0.4));
        let (high, low) = (frame.y(value(figures)), frame.y(0.0));
        let _ = writeln!(
            drawing,
            "<rect x=\"{left:.1}\" y=\"{high:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{BLUE}\"/>",
            right - left,
            low - high
        );
    }
    let xs: Vec<_> = days.iter().enumerate().skip(2).step_by(6).map(|(i, (day, _))| (i as f64, short(*day))).collect();
    let ys = [0.0, 0.5, 1.0].map(|share| (share * top, number(share * top)));
    frame.around(title, &xs, &ys, &drawing)
}

fn calibration(record: &Record) -> String {
    let frame = Frame { x: (0.0, 1.0), y: (0.0, 1.0) };
    let at = |x: f64, y: f64| (frame.x(x), frame.y(y));
    let mut drawing = String::new();
    line(&mut drawing, at(0.0, 0.0), at(1.0, 1.0), "stroke=\"gray\" stroke-dasharray=\"4 4\"");
    for bin in record.calibration().bins() {
        let (x, y) = at(bin.confidence, bin.right);
        let _ = writeln!(drawing, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{BLUE}\"/>");
        text(&mut drawing, x + 7.0, y + 4.0, "start", &format!("{}×", bin.n));
    }
    let marks = [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| (share, format!("{:.0} %", 100.0 * share)));
    frame.around("Right (up) against how sure (across); the broken line is honest", &marks, &marks, &drawing)
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), look: &str) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = writeln!(svg, "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" {look}/>");
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let words = escaped(words);
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"gray\">{words}</text>");
}

/// A round number at or above: 1, 2 or 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    if value <= 1.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|step| step * power).into_iter().find(|round| *round >= value).unwrap_or(value)
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// Month and day.
fn short(day: Day) -> String {
    day.to_string().split_once('-').map_or_else(String::new, |(_, rest)| rest.to_owned())
}

/// Text as it may stand between tags and in quoted attributes. Other control characters have no place in
/// HTML or in SVG.
pub fn escaped(text: &str) -> String {
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
