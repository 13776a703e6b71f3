//! The lessons at hand: those in the program, and a teacher's own folder.
//!
//! One bad file never hides the others: it is listed with its problem.

use std::fs;
use std::io::Read;
use std::path::Path;

use super::{Lesson, LessonError, MAX_BYTES, parse};

macro_rules! embedded {
    ($($file:literal),+ $(,)?) => {
        &[$(($file, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/lessons/", $file)))),+]
    };
}

// The one place where the program's own lessons are listed; a test compares it with the folder.
const EMBEDDED: &[(&str, &str)] = embedded![
    "01-attention.md",
    "02-embeddings-and-positions.md",
    "03-alignment.md",
    "04-kv-cache.md",
    "05-scaling-and-moe.md",
];
const MAX_FILES: usize = 200;

/// Lessons in course order, with what went wrong.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Library {
    /// The lessons that can be shown, by their order.
    pub lessons: Vec<Lesson>,
    /// The files that cannot, each with its problem.
    pub problems: Vec<LessonError>,
}

impl Library {
    /// The lessons of the program.
    pub fn embedded() -> Self {
        let mut library = Self::default();
        for (file, text) in EMBEDDED {
            library.add(parse(file, text));
        }
        library.sort();
        library
    }

    /// The `.md` files of a folder, except `README.md`. Reads the disk: not for the thread of the window.
    pub fn open(folder: &Path) -> Self {
        let mut library = Self::default();
        let shown = folder.display().to_string();
        let listed = fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let mut paths: Vec<_> = match listed {
            Ok(entries) => entries.into_iter().map(|e| e.path()).filter(|p| is_lesson(p)).collect(),
            Err(e) => {
                library.problems.push(whole_file(&shown, format!("The folder cannot be read: {}.", lower(&e))));
                return library;
            }
        };
        paths.sort();
        if paths.is_empty() {
            let sentence = "The folder holds no lesson: put a .md file into it.".into();
            library.problems.push(whole_file(&shown, sentence));
        }
        if paths.len() > MAX_FILES {
            let sentence = format!("The folder holds {} lessons; the first {MAX_FILES} are read.", paths.len());
            library.problems.push(whole_file(&shown, sentence));
            paths.truncate(MAX_FILES);
        }
        for path in &paths {
            library.add(read(folder, path));
        }
        library.sort();
        library
    }

    fn add(&mut self, parsed: Result<Lesson, LessonError>) {
        match parsed {
            Ok(lesson) => match self.lessons.iter().find(|other| other.meta.id == lesson.meta.id) {
                Some(other) => {
                    let sentence =
                        format!("The id {:?} is already that of {}: rename one.", lesson.meta.id, other.file);
                    self.problems.push(whole_file(&lesson.file, sentence));
                }
                None => self.lessons.push(lesson),
            },
            Err(problem) => self.problems.push(problem),
        }
    }

    fn sort(&mut self) {
        self.lessons.sort_by(|a, b| (a.meta.order, &a.meta.id).cmp(&(b.meta.order, &b.meta.id)));
    }
}

fn is_lesson(path: &Path) -> bool {
    let is_readme = path.file_stem().is_some_and(|s| s.eq_ignore_ascii_case("readme"));
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("md")) && !is_readme
}

fn read(folder: &Path, path: &Path) -> Result<Lesson, LessonError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let fail = |sentence: String| Err(whole_file(&name, sentence));
    let (root, real) = match folder.canonicalize().and_then(|root| Ok((root, path.canonicalize()?))) {
        Ok(paths) => paths,
        Err(e) => return fail(format!("The file cannot be read: {}.", lower(&e))),
    };
    if !real.starts_with(&root) {
        return fail("The file is a link to a place outside its folder: copy it into the folder.".into());
    }
    if !real.is_file() {
        return fail("This is not a file.".into());
    }
    // Never more than the cap is read, whatever the file's size claims to be.
    let mut bytes = Vec::new();
    let limit = MAX_BYTES as u64 + 1;
    if let Err(e) = fs::File::open(&real).and_then(|file| file.take(limit).read_to_end(&mut bytes)) {
        return fail(format!("The file cannot be read: {}.", lower(&e)));
    }
    if bytes.len() > MAX_BYTES {
        return fail(format!("The file is larger than {} KiB: split the lesson in two.", MAX_BYTES / 1024));
    }
    match String::from_utf8(bytes) {
        Ok(text) => parse(&name, &text),
        Err(e) => {
            let line = 1 + e.as_bytes().iter().take(e.utf8_error().valid_up_to()).filter(|b| **b == b'\n').count();
            let sentence = "The file is not UTF-8 text here: save it as UTF-8.".into();
            Err(LessonError { file: name, line: Some(line), sentence })
        }
    }
}

fn whole_file(file: &str, sentence: String) -> LessonError {
    LessonError { file: file.into(), line: None, sentence }
}

/// The system's message, as the middle of a sentence.
fn lower(error: &std::io::Error) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}
