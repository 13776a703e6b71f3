//! Chat templates: from a conversation to the tokens that the model was trained on.
//!
//! A model's file carries its format as a small program in Jinja, written by whoever made the file. It runs here without
//! access to anything, with bounded time, memory, depth and output ([`environment`](self)).
//!
//! What somebody writes inside a message must never become structure, or a typed `<|im_end|>` would end the turn. So
//! [`ChatTemplate::render`] returns [`Segment`]s that tell the template's own text from the messages' text. It finds them
//! by rendering once more with marks around each content, characters of Unicode's private use that occur nowhere else. The
//! marks stand inside the white space at a content's ends, so that a template may trim it. If a template does more (cuts,
//! measures, compares), the marked text differs from the plain one; then only the names of control tokens inside the
//! contents are masked, each by one private character, which survives what templates do to text.

mod clock;
mod environment;
mod metered;

use minijinja::{Environment, ErrorKind, Value, context};

use super::tokenizer::{Tokenizer, TokenizerError, one_line};
use environment::{Raised, environment, without_generation_marks};

/// A longer template is refused; the longest in use are about 20 kB.
pub const MAX_TEMPLATE_BYTES: usize = 256 << 10;
/// A conversation with more text is refused: it is far past any context.
pub const MAX_CONVERSATION_BYTES: usize = 4 << 20;
/// Fuel that a render may use beside what its text costs: a ten-turn conversation in a long template uses about a tenth.
const FUEL: u64 = 100_000;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sets the scene.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// What a program answered to the model.
    Tool,
}

impl Role {
    /// The name that templates know.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said; never structure.
    pub content: String,
}

impl Message {
    /// A turn.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into() }
    }
}

/// A part of a rendered conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// The template's own text: here the names of control tokens count.
    Template(String),
    /// What somebody said: here they are text.
    Content(String),
}

impl Segment {
    /// The text.
    pub fn text(&self) -> &str {
        match self {
            Self::Template(text) | Self::Content(text) => text,
        }
    }
}

/// Why a template cannot be used. Each prints as one sentence that names the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChatError {
    /// The template is longer than any real one.
    #[error("“{file}”: its chat template is longer than {} kB; type a raw prompt instead.", MAX_TEMPLATE_BYTES >> 10)]
    TemplateTooLong {
        /// The file.
        file: String,
    },
    /// The template is no program.
    #[error("“{file}”: its chat template has an error in line {line} ({detail}); type a raw prompt instead.")]
    Syntax {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        detail: String,
    },
    /// The template refuses the conversation.
    #[error("“{file}”: its chat template does not take this conversation (“{message}”); type a raw prompt instead.")]
    Raised {
        /// The file.
        file: String,
        /// In the template's own words.
        message: String,
    },
    /// The template does too much.
    #[error(
        "“{file}”: its chat template was stopped because it runs too long or makes too much text; type a raw prompt instead."
    )]
    Exhausted {
        /// The file.
        file: String,
    },
    /// The template fails.
    #[error("“{file}”: its chat template failed in line {line} ({detail}); type a raw prompt instead.")]
    Failed {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What went wrong.
        detail: String,
    },
    /// The conversation is longer than any context.
    #[error("The conversation is longer than {} MB; shorten it.", MAX_CONVERSATION_BYTES >> 20)]
    ConversationTooLong,
    /// The rendered text cannot be encoded.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
}

/// A model's chat format, ready to run.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    file: String,
    bos: String,
    eos: String,
    /// Names of control tokens.
    control: Vec<String>,
}

const NAME: &str = "chat";

impl ChatTemplate {
    /// Reads a template. `tokenizer` gives the names of the special tokens; `file` is how the student knows the file.
    pub fn new(source: &str, tokenizer: &Tokenizer, file: &str) -> Result<Self, ChatError> {
        let file = file.to_owned();
        if source.len() > MAX_TEMPLATE_BYTES {
            return Err(ChatError::TemplateTooLong { file });
        }
        let mut environment = environment();
        if let Err(error) = environment.add_template_owned(NAME, metered::metered(&without_generation_marks(source))) {
            return Err(ChatError::Syntax { file, line: error.line().unwrap_or(1), detail: detail(&error) });
        }
        let name = |id: Option<u32>| id.map(|id| String::from_utf8_lossy(&tokenizer.bytes(&[id])).into_owned());
        Ok(Self {
            environment,
            file,
            bos: name(tokenizer.bos()).unwrap_or_default(),
            eos: name(tokenizer.eos()).unwrap_or_default(),
            control: tokenizer.control_names().map(String::from).collect(),
        })
    }

    /// Renders a conversation. With `add_generation_prompt` it ends where the assistant is to speak.
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<Vec<Segment>, ChatError> {
        if messages.iter().map(|message| message.content.len()).sum::<usize>() > MAX_CONVERSATION_BYTES {
            return Err(ChatError::ConversationTooLong);
        }
        let contents: Vec<&str> = messages.iter().map(|message| message.content.as_str()).collect();
        let plain = self.run(messages, &contents, add_generation_prompt)?;
        let mut unused = unused_characters(contents.iter().copied().chain([plain.as_str()]));
        let (open, close) = (unused.next().unwrap_or_default(), unused.next().unwrap_or_default());
        let marked: Vec<String> = contents.iter().map(|content| mark(content, open, close)).collect();
        let marked: Vec<&str> = marked.iter().map(String::as_str).collect();
        if let Ok(text) = self.run(messages, &marked, add_generation_prompt)
            && let Some(segments) = split(&text, open, close)
            && segments.iter().map(Segment::text).collect::<String>() == plain
        {
            return Ok(segments);
        }
        self.render_masked(messages, &contents, add_generation_prompt, unused)
    }

    /// Masks only the names of control tokens in the contents; all other text counts as the template's.
    fn render_masked(
        &self,
        messages: &[Message],
        contents: &[&str],
        add_generation_prompt: bool,
        unused: impl Iterator<Item = char>,
    ) -> Result<Vec<Segment>, ChatError> {
        let typed = |name: &&String| contents.iter().any(|content| content.contains(name.as_str()));
        let mut names: Vec<&String> = self.control.iter().filter(typed).collect();
        // A longer name may hold a shorter one.
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        let wanted = names.len();
        let masks: Vec<(char, &String)> = unused.zip(names).collect();
        if masks.len() < wanted {
            // A conversation that uses up all private characters gets no structure rather than somebody else's.
            return Ok(vec![Segment::Content(self.run(messages, contents, add_generation_prompt)?)]);
        }
        let mask = |content: &&str| {
            masks.iter().fold(content.to_string(), |text, (mask, name)| text.replace(name.as_str(), &mask.to_string()))
        };
        let masked: Vec<String> = contents.iter().map(mask).collect();
        let masked: Vec<&str> = masked.iter().map(String::as_str).collect();
        let text = self.run(messages, &masked, add_generation_prompt)?;
        let mut segments = Vec::new();
        let mut start = 0;
        for (at, character) in text.char_indices() {
            if let Some((_, name)) = masks.iter().find(|(mask, _)| *mask == character) {
                push(&mut segments, Segment::Template(text.get(start..at).unwrap_or_default().into()));
                push(&mut segments, Segment::Content(name.to_string()));
                start = at + character.len_utf8();
            }
        }
        push(&mut segments, Segment::Template(text.get(start..).unwrap_or_default().into()));
        Ok(segments)
    }

    fn run(&self, messages: &[Message], contents: &[&str], add_generation_prompt: bool) -> Result<String, ChatError> {
        let turn =
            |(message, content): (&Message, &&str)| context! { role => message.role.name(), content => *content };
        let turns: Vec<Value> = messages.iter().zip(contents).map(turn).collect();
        let length: usize = contents.iter().map(|content| content.len()).sum();
        let mut environment = self.environment.clone();
        environment.set_fuel(Some(FUEL + length as u64 / 2));
        let template = environment.get_template(NAME).map_err(|error| self.failure(&error))?;
        let rendered = template.render(context! {
            messages => turns,
            add_generation_prompt => add_generation_prompt,
            bos_token => self.bos.as_str(),
            eos_token => self.eos.as_str(),
            // `transformers` passes both even where there are none.
            tools => (),
            documents => (),
        });
        rendered.map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &minijinja::Error) -> ChatError {
        let file = self.file.clone();
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(inner) = cause {
            if let Some(raised) = inner.downcast_ref::<Raised>() {
                let message = one_line(&raised.to_string(), 200);
                return ChatError::Raised { file, message };
            }
            if inner.downcast_ref::<minijinja::Error>().is_some_and(|e| e.kind() == ErrorKind::OutOfFuel) {
                return ChatError::Exhausted { file };
            }
            cause = inner.source();
        }
        ChatError::Failed { file, line: error.line().unwrap_or(1), detail: detail(error) }
    }
}

/// The tokens of a conversation: what the template wrote may be structure, what somebody said may not.
pub fn encode_chat(
    tokenizer: &Tokenizer,
    template: &ChatTemplate,
    messages: &[Message],
    add_generation_prompt: bool,
) -> Result<Vec<u32>, ChatError> {
    let segments = template.render(messages, add_generation_prompt)?;
    let (mut text, mut structure) = (String::new(), Vec::new());
    for segment in &segments {
        let start = text.len();
        text.push_str(segment.text());
        if matches!(segment, Segment::Template(_)) {
            structure.push(start..text.len());
        }
    }
    Ok(tokenizer.encode_marked(&text, &structure)?)
}

fn detail(error: &minijinja::Error) -> String {
    one_line(&error.detail().map_or_else(|| error.kind().to_string(), String::from), 200)
}

/// Characters of private use that none of the texts holds.
fn unused_characters<'a>(texts: impl Iterator<Item = &'a str>) -> impl Iterator<Item = char> {
    let private = |c: &char| ('\u{f0000}'..='\u{ffffd}').contains(c);
    let used: std::collections::HashSet<char> = texts.flat_map(str::chars).filter(private).collect();
    ('\u{f0000}'..='\u{ffffd}').filter(move |c| !used.contains(c))
}

/// Puts the marks around a content, inside the white space at its ends.
fn mark(content: &str, open: char, close: char) -> String {
    let core = content.trim();
    if core.is_empty() {
        return content.into();
    }
    let (before, after) = content.split_once(core).unwrap_or_default();
    format!("{before}{open}{core}{close}{after}")
}

/// Cuts a rendered text at the marks; `None` if they do not pair up.
fn split(text: &str, open: char, close: char) -> Option<Vec<Segment>> {
    let mut segments = Vec::new();
    let mut parts = text.split(open);
    push(&mut segments, Segment::Template(parts.next().filter(|first| !first.contains(close))?.into()));
    for part in parts {
        let (content, after) = part.split_once(close).filter(|(_, after)| !after.contains(close))?;
        push(&mut segments, Segment::Content(content.into()));
        push(&mut segments, Segment::Template(after.into()));
    }
    Some(segments)
}

fn push(segments: &mut Vec<Segment>, segment: Segment) {
    if !segment.text().is_empty() {
        segments.push(segment);
    }
}
