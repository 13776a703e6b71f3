//! Plots of what was done: per day, and how sure against how right.
//!
//! Under each plot stands what it shows in one sentence, for a screen reader and for whoever wants the number.

use egui::{Ui, vec2};
use egui_plot::{Bar, BarChart, HoverPosition, Line, LineStyle, MarkerShape, Plot, PlotPoints, Points};

use super::{counted, long_date};
use crate::lab::{CalibrationView, Standing};
use crate::progress::{Day, DayFigures};
use crate::ui::theme::palette;
use crate::ui::widgets;

/// Height of a plot in points.
const HEIGHT: f32 = 170.0;

/// XP of the last days.
pub fn xp(ui: &mut Ui, standing: &Standing) {
    let best = standing.days.iter().max_by_key(|(_, figures)| figures.xp).filter(|(_, figures)| figures.xp > 0);
    let sum: u64 = standing.days.iter().map(|(_, figures)| figures.xp).sum();
    let words = match best {
        Some((day, figures)) => {
            let n = standing.days.len();
            format!("{sum} XP in {n} days, the most on {}: {} XP.", long_date(*day), figures.xp)
        }
        None => "No XP in these days.".to_owned(),
    };
    per_day(ui, "XP per day", &standing.days, &words, |figures| figures.xp as f64, |value| format!("{value:.0}"));
}

/// The share of right answers of the last days.
pub fn accuracy(ui: &mut Ui, standing: &Standing) {
    let all = total(&standing.days);
    let words = match all.accuracy() {
        Some(share) => {
            format!("{} of {} right: {:.0} %.", all.right, counted(all.answers as usize, "answer"), 100.0 * share)
        }
        None => "No question or task was answered in these days.".to_owned(),
    };
    let share = |figures: &DayFigures| 100.0 * figures.accuracy().unwrap_or(0.0);
    per_day(ui, "Right answers per day", &standing.days, &words, share, |value| format!("{value:.0} %"));
}

/// The time of the last days.
pub fn time(ui: &mut Ui, standing: &Standing) {
    let minutes = total(&standing.days).minutes();
    let words =
        format!("{minutes:.0} minutes in these days. Counted are gaps of up to ten minutes between two answers.");
    per_day(ui, "Time per day", &standing.days, &words, DayFigures::minutes, |value| format!("{value:.0} min"));
}

fn total(days: &[(Day, DayFigures)]) -> DayFigures {
    days.iter().fold(DayFigures::default(), |sum, (_, figures)| sum.and(figures))
}

fn per_day(
    ui: &mut Ui,
    name: &str,
    days: &[(Day, DayFigures)],
    words: &str,
    value: impl Fn(&DayFigures) -> f64,
    unit: impl Fn(f64) -> String + Clone + 'static,
) {
    let p = palette(ui);
    widgets::heading(ui, name);
    let bars = days
        .iter()
        .enumerate()
        .map(|(i, (_, figures))| {
            let bar = Bar::new(i as f64, value(figures)).width(0.72);
            bar.fill(p.accent).stroke(egui::Stroke::NONE)
        })
        .collect();
    let dates: Vec<Day> = days.iter().map(|(day, _)| *day).collect();
    let (dates_below, unit_at_left) = (dates.clone(), unit.clone());
    let at = |dates: &[Day], x: f64| dates.get(x.round().max(0.0) as usize).copied();
    let chart =
        BarChart::new(name, bars).color(p.accent).element_formatter(Box::new(move |bar: &Bar, _: &BarChart| {
            let day = at(&dates, bar.argument).map(long_date).unwrap_or_default();
            format!("{day}: {}", unit(bar.value))
        }));
    let shown = quiet(name, ui)
        .include_y(0.0)
        .include_y(1.0)
        .include_x(-0.6)
        .include_x(days.len() as f64 - 0.4)
        .show_grid([false, true])
        .x_axis_formatter(move |mark, _| {
            let is_whole = mark.value.fract() == 0.0 && mark.value >= 0.0;
            let day = if is_whole { at(&dates_below, mark.value) } else { None };
            day.map(short).unwrap_or_default()
        })
        .y_axis_formatter(move |mark, _| unit_at_left(mark.value))
        .show(ui, |plot| plot.bar_chart(chart));
    shown.response.accessible_name(format!("{name}: {words}"));
    widgets::note(ui, words);
}

/// How sure, and how often right.
pub fn calibration(ui: &mut Ui, calibration: &CalibrationView) {
    let p = palette(ui);
    let name = "Calibration";
    widgets::heading(ui, name);
    let Some(brier) = calibration.brier else {
        ui.allocate_ui(vec2(ui.available_width(), HEIGHT), |ui| {
            ui.set_min_height(HEIGHT);
            ui.label(
                "Say how sure you are when a lesson asks for a prediction. Here you see whether 80 % is right eight times \
                 in ten.",
            );
        });
        return;
    };
    let words = format!("Brier score {brier:.3} over {}.", counted(calibration.n, "answer"));
    let points: Vec<[f64; 2]> = calibration.bins.iter().map(|bin| [bin.confidence, bin.right]).collect();
    let bins = calibration.bins.clone();
    let about = move |at: &HoverPosition<'_>| {
        let HoverPosition::NearDataPoint { position: at, .. } = at else { return None };
        let near = bins.iter().find(|bin| (bin.confidence - at.x).abs() < 1e-9)?;
        let (n, sure, right) = (counted(near.n as usize, "answer"), 100.0 * near.confidence, 100.0 * near.right);
        Some(format!("{n}: {sure:.0} % sure, {right:.0} % right"))
    };
    let percent = |value: f64| format!("{:.0} %", 100.0 * value);
    let shown = quiet(name, ui)
        .include_x(0.0)
        .include_x(1.0)
        .include_y(0.0)
        .include_y(1.0)
        .x_axis_formatter(move |mark, _| percent(mark.value))
        .y_axis_formatter(move |mark, _| percent(mark.value))
        .label_formatter(about)
        .show(ui, |plot| {
            let honest = Line::new("honest", PlotPoints::from(vec![[0.0, 0.0], [1.0, 1.0]]));
            plot.line(honest.color(p.muted).width(1.0).style(LineStyle::dashed_loose()).allow_hover(false));
            let dots = Points::new("you", PlotPoints::from(points)).shape(MarkerShape::Circle);
            plot.points(dots.radius(5.0).color(p.accent));
        });
    shown.response.accessible_name(format!("{name}: {words}"));
    widgets::note(
        ui,
        format!(
            "{words} 0 is a prophet, 0.25 is always saying 50 %. On the broken line one is as sure as one is right."
        ),
    );
}

/// How the Brier score came about, day by day.
pub fn brier(ui: &mut Ui, calibration: &CalibrationView) {
    let [first, .., last] = calibration.by_day.as_slice() else { return };
    let (p, name) = (palette(ui), "Brier score up to each day");
    widgets::heading(ui, name);
    let days = calibration.by_day.clone();
    let points: Vec<[f64; 2]> = days.iter().map(|day| [f64::from(day.day.0), day.so_far]).collect();
    let (from, to) = (long_date(first.day), long_date(last.day));
    let words = format!("From {:.3} on {from} to {:.3} on {to}. Lower is better.", first.so_far, last.so_far);
    let about = move |at: &HoverPosition<'_>| {
        let HoverPosition::NearDataPoint { position: at, .. } = at else { return None };
        let near = days.iter().find(|day| f64::from(day.day.0) == at.x)?;
        Some(format!("{}: {:.3}", long_date(near.day), near.so_far))
    };
    let shown = quiet(name, ui)
        .include_y(0.0)
        .include_y(0.25)
        .show_grid([false, true])
        .x_axis_formatter(
            |mark, _| if mark.value.fract() == 0.0 { short(Day(mark.value as i32)) } else { String::new() },
        )
        .label_formatter(about)
        .show(ui, |plot| {
            let line = Line::new("Brier score", PlotPoints::from(points.clone())).allow_hover(false);
            plot.line(line.color(p.accent).width(1.5));
            let dots = Points::new("Brier score", PlotPoints::from(points)).shape(MarkerShape::Circle);
            plot.points(dots.radius(3.0).color(p.accent));
        });
    shown.response.accessible_name(format!("{name}: {words}"));
    widgets::note(ui, words);
}

/// A plot that leaves the wheel to the page.
fn quiet<'a>(name: &str, ui: &Ui) -> Plot<'a> {
    Plot::new(name.to_owned())
        .height(HEIGHT)
        .width(ui.available_width())
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .show_background(false)
}

/// Day and month.
fn short(day: Day) -> String {
    let date = day.to_string();
    let mut parts = date.split('-').skip(1);
    match (parts.next(), parts.next()) {
        (Some(month), Some(of_month)) => {
            format!("{}.{}.", of_month.trim_start_matches('0'), month.trim_start_matches('0'))
        }
        _ => date,
    }
}
