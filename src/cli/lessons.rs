//! `glassbox lessons`: checking lessons before students see them.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::lesson::Library;

/// Checks lessons.
#[derive(Debug, Args)]
pub struct Lessons {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Reads every lesson of a folder and prints each problem with its file and line.
    Check {
        /// The folder; its .md files are the lessons.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

impl Lessons {
    /// Prints what was found; an error where something is wrong.
    pub fn run(&self) -> Result<(), String> {
        let Command::Check { folder } = &self.command;
        let library = Library::open(folder);
        let mut text = String::new();
        for lesson in &library.lessons {
            let planned: Vec<_> = lesson.scenes().flat_map(|scene| scene.planned.iter().copied()).collect();
            let (questions, tasks) = (lesson.questions().count(), lesson.tasks().count());
            text += &format!("{}: {questions} questions, {tasks} tasks", lesson.file);
            if !planned.is_empty() {
                text += &format!("; panels that are still to be built: {}", planned.join(", "));
            }
            text.push('\n');
        }
        for problem in &library.problems {
            text += &format!("{problem}\n");
        }
        // A closed pipe only means that nobody reads on.
        let _ = std::io::stdout().write_all(text.as_bytes());
        match library.problems.len() {
            0 => Ok(()),
            1 => Err("There is 1 problem: see above.".into()),
            n => Err(format!("There are {n} problems: see above.")),
        }
    }
}
