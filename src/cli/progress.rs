//! `glassbox progress`: the learner's record without the window.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use crate::lesson::Library;
use crate::progress::export::{LabReport, Plot, grade_book, xapi};
use crate::progress::{Course, CourseLesson, Moment, Opened, Profile, Record, Store, Today, default_path};

/// Shows or exports what was learnt.
#[derive(Debug, Args)]
pub struct Progress {
    /// The record; by default the one that the window uses.
    #[arg(long, env = "GLASSBOX_PROGRESS", value_name = "FILE", global = true)]
    record: Option<PathBuf>,
    /// Only the profile with this alias.
    #[arg(long, value_name = "ALIAS", global = true)]
    profile: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prints where each profile stands.
    Show,
    /// Writes the record into a file.
    Export(Export),
}

#[derive(Debug, Args)]
struct Export {
    /// What to write.
    #[arg(long)]
    format: Format,
    /// Where to write it.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A plot for the lab report, as SVG; may be given several times.
    #[arg(long = "plot", value_name = "SVG")]
    plots: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// All statements, as a JSON array for a learning record store.
    Xapi,
    /// A grade book, one line per student and lesson.
    Csv,
    /// A lab report of one profile, as one file.
    Html,
}

/// How large a plot may be, in bytes.
const MAX_PLOT: u64 = 20 << 20;

impl Progress {
    /// Does what was asked.
    pub fn run(&self) -> Result<(), String> {
        let path = match &self.record {
            Some(path) if !path.as_os_str().is_empty() => path.clone(),
            _ => default_path().map_err(|e| e.to_string())?,
        };
        if !path.exists() {
            return Err(format!("{}: there is no record yet; it begins with the first answer.", path.display()));
        }
        let now = Moment::now();
        let Opened { mut store, notice } = Store::open(&path, now).map_err(|e| e.to_string())?;
        if let Some(notice) = notice {
            eprintln!("note: {notice}");
        }
        let everyone = self.chosen(&mut store)?;
        let course = course();
        match &self.command {
            Command::Show => {
                // A closed pipe only means that nobody reads on.
                let _ = std::io::stdout().write_all(shown(&everyone, &course, now).as_bytes());
                Ok(())
            }
            Command::Export(export) => export.run(&store, &everyone, &course, now),
        }
    }

    fn chosen(&self, store: &mut Store) -> Result<Vec<(Profile, Record)>, String> {
        let mut everyone = store.everyone().map_err(|e| e.to_string())?;
        if let Some(alias) = &self.profile {
            let aliases: Vec<String> = everyone.iter().map(|(profile, _)| profile.alias.clone()).collect();
            everyone.retain(|(profile, _)| profile.alias == *alias);
            if everyone.is_empty() {
                return Err(format!("There is no profile “{alias}”; there are: {}.", aliases.join(", ")));
            }
        }
        Ok(everyone)
    }
}

impl Export {
    fn run(&self, store: &Store, everyone: &[(Profile, Record)], course: &Course, now: Moment) -> Result<(), String> {
        let text = match self.format {
            Format::Xapi => {
                let of = |(profile, _): &(Profile, Record)| store.statements(Some(profile.id));
                let statements: Result<Vec<_>, _> = everyone.iter().map(of).collect();
                xapi(&statements.map_err(|e| e.to_string())?.concat())
            }
            Format::Csv => grade_book(everyone, course),
            Format::Html => {
                let [(profile, record)] = everyone else {
                    return Err("A lab report is of one profile: name it with --profile ALIAS.".into());
                };
                let statements = store.statements(Some(profile.id)).map_err(|e| e.to_string())?;
                let plots: Vec<Plot> = self.plots.iter().map(|path| plot(path)).collect::<Result<_, _>>()?;
                LabReport { profile, record, statements: &statements, course, plots: &plots, now }.html()
            }
        };
        fs::write(&self.out, text).map_err(|e| format!("{}: could not be written ({e}).", self.out.display()))
    }
}

fn plot(path: &Path) -> Result<Plot, String> {
    let say = |why: String| format!("{}: the plot could not be read ({why}); save it again as SVG.", path.display());
    let bytes = fs::metadata(path).map_err(|e| say(e.to_string()))?.len();
    if bytes > MAX_PLOT {
        return Err(say(format!("it has {bytes} bytes, and {MAX_PLOT} are the most")));
    }
    let svg = fs::read_to_string(path).map_err(|e| say(e.to_string()))?;
    Ok(Plot { title: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), svg })
}

/// The course that comes with the program.
fn course() -> Course {
    let library = Library::embedded();
    let lesson = |lesson: &crate::lesson::Lesson| CourseLesson {
        id: lesson.meta.id.clone(),
        title: lesson.meta.title.clone(),
        items: lesson.questions().map(|q| &q.id).chain(lesson.predictions().map(|p| &p.id)).cloned().collect(),
        concepts: lesson.meta.concepts.clone(),
    };
    Course { lessons: library.lessons.iter().map(lesson).collect() }
}

fn shown(everyone: &[(Profile, Record)], course: &Course, now: Moment) -> String {
    let mut text = String::new();
    for (profile, record) in everyone {
        let level = record.level();
        let (xp, to) = (record.xp(), level.to);
        text += &format!("{}: level {}, {xp} XP (the next level begins at {to})\n", profile.alias, level.number);
        let today = Today::of(course, record, now.day());
        text += &match today.reviews.len() {
            0 => "  no reviews due\n".to_owned(),
            _ => format!("  due: {}\n", today.reviews.iter().map(|(c, _)| c.as_str()).collect::<Vec<_>>().join(", ")),
        };
        text += &match today.next {
            Some(next) => format!("  go on with: {} ({} of {} done)\n", next.lesson, next.state.done, next.state.of),
            None => "  the course is finished\n".to_owned(),
        };
        let mastered = record.concepts().filter(|(_, practice)| practice.is_mastered()).map(|(concept, _)| concept);
        text += &format!("  mastered: {}\n", or_none(&mastered.collect::<Vec<_>>().join(", ")));
        let badges = record.badges().keys().map(|badge| badge.name());
        text += &format!("  badges: {}\n", or_none(&badges.collect::<Vec<_>>().join(", ")));
        if let Some(brier) = record.calibration().brier() {
            text += &format!("  Brier score: {brier:.3} over {} answers\n", record.calibration().len());
        }
    }
    if text.is_empty() { "There are no profiles yet.\n".into() } else { text }
}

fn or_none(list: &str) -> &str {
    if list.is_empty() { "none" } else { list }
}
