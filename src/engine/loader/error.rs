//! Why a file cannot be opened, in one sentence.

use std::fmt;
use std::io;
use std::path::Path;

/// A problem with a file: which file, what is wrong, what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct LoadError {
    /// The file's name.
    pub file: String,
    /// What is wrong, as the end of a sentence that begins with the file.
    pub problem: String,
    /// What to do.
    pub remedy: &'static str,
}

/// The result of reading a file.
pub type Result<T> = std::result::Result<T, LoadError>;

/// Remedies that several problems share.
pub mod remedy {
    /// The bytes are not what their header says.
    pub const DAMAGED: &str = "download or export it again";
    /// A kind of model that is not known.
    pub const UNSUPPORTED: &str =
        "open a model of a supported family (llama, mistral, mixtral, qwen2, qwen3, qwen3_moe, olmoe, gpt2)";
    /// The file is something else.
    pub const NOT_A_MODEL: &str = "choose a .gguf file, a .safetensors file, or a folder with config.json";
    /// Something beside the weights is missing.
    pub const INCOMPLETE: &str = "put the missing file beside the weights";
    /// The system refuses.
    pub const ACCESS: &str = "check that it exists and that you may read it";
    /// The config describes another model.
    pub const MISMATCH: &str = "use the config.json that belongs to these weights";
    /// The numbers are stored in a way that cannot be read.
    pub const CONVERT: &str =
        "convert it to one of the supported types (F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K)";
    /// The numbers need more memory than there is.
    pub const MEMORY: &str = "close other programs or open a smaller model";
}

impl LoadError {
    /// A problem with the file at `path`.
    pub fn new(path: &Path, problem: impl Into<String>, remedy: &'static str) -> Self {
        Self { file: file_name(path), problem: shortened(&problem.into(), LONGEST_PROBLEM), remedy }
    }

    /// What the system said when the file was touched.
    pub fn io(path: &Path, error: &io::Error) -> Self {
        let problem = match error.kind() {
            io::ErrorKind::NotFound => "does not exist (any more)".into(),
            io::ErrorKind::PermissionDenied => "may not be read by you".into(),
            io::ErrorKind::UnexpectedEof => {
                return Self::new(path, "ends before its data do", remedy::DAMAGED);
            }
            _ => format!("could not be read ({error})"),
        };
        Self::new(path, problem, remedy::ACCESS)
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "“{}” {}: {}.", self.file, self.problem, self.remedy)
    }
}

/// Characters of a problem that are shown, so that a sentence stays one.
const LONGEST_PROBLEM: usize = 220;

/// Characters of a name or a value from a file that are shown.
const LONGEST_NAME: usize = 80;

/// A file's name, fit for one line on screen.
pub fn file_name(path: &Path) -> String {
    printable(&path.file_name().unwrap_or(path.as_os_str()).to_string_lossy())
}

/// A name or value from a file: short, and with everything that could move a terminal's cursor or turn the reading
/// direction made visible.
pub fn printable(text: &str) -> String {
    shortened(text, LONGEST_NAME)
}

fn shortened(text: &str, longest: usize) -> String {
    let moves = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut short: String = text.chars().take(longest).map(|c| if moves(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(longest).is_some() {
        short.push('…');
    }
    short
}
