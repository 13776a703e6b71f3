//! From a file's text to a [`Lesson`].
//!
//! The file is cut by lines: front matter between `+++`, then prose, then fenced blocks. A fence whose language is one of
//! the live blocks goes to TOML, any other fence stays in the prose as code. Then each part is checked by itself, so that
//! a teacher sees at once what is wrong in each of them, with its line.

use std::collections::BTreeSet;

use super::error::Source;
use super::toml_block::Toml;
use super::{Block, Lesson, LessonError, Meta, ModelText, prose};

/// The largest lesson file, in bytes.
pub const MAX_BYTES: usize = 512 * 1024;
const MAX_BLOCKS: usize = 400;
/// Parses a lesson; `file` is its name in messages. What is wrong is told by the first problem.
pub fn parse(file: &str, text: &str) -> Result<Lesson, LessonError> {
    read(file, text).map_err(|all| {
        let unknown = LessonError { file: file.into(), line: None, sentence: "The lesson cannot be read.".into() };
        all.into_iter().next().unwrap_or(unknown)
    })
}

/// Everything that is wrong with a lesson, in the order of the file: one problem for the front matter and one for each
/// block at most. Empty for a good one.
pub fn problems(file: &str, text: &str) -> Vec<LessonError> {
    read(file, text).err().unwrap_or_default()
}

/// Parses a lesson, or tells every problem.
pub(super) fn read(file: &str, text: &str) -> Result<Lesson, Vec<LessonError>> {
    let too_large = text.len() > MAX_BYTES;
    if too_large {
        let sentence = format!(
            "The file is {} KiB large, and a lesson is at most {} KiB: split it in two.",
            text.len() / 1024,
            MAX_BYTES / 1024
        );
        return Err(vec![LessonError { file: file.into(), line: None, sentence }]);
    }
    // Every later offset is of this text; its lines are those of the file.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let source = Source { file, text: &text };
    let (body, start, body_start) = front_matter(source).map_err(|problem| vec![problem])?;
    let mut problems = Vec::new();
    let mut keep = |problem: LessonError| problems.push(problem);
    // Where the front matter is wrong, the blocks are still looked at, so that a teacher sees all there is to mend.
    let meta = Toml { source, what: "front matter", body, offset: start }.meta().map_err(&mut keep).ok();
    let pieces = split(source, body_start).map_err(&mut keep).unwrap_or_default();
    let (mut ids, mut blocks) = (BTreeSet::new(), Vec::new());
    if let Some(piece) = pieces.get(MAX_BLOCKS) {
        keep(source.error(piece.offset, format!("The lesson has more than {MAX_BLOCKS} blocks: split it.")));
    }
    for piece in pieces.iter().take(MAX_BLOCKS) {
        blocks.extend(block(source, meta.as_ref(), *piece, &mut ids).map_err(&mut keep).ok());
    }
    if pieces.is_empty() && problems.is_empty() {
        problems.push(source.error(text.len(), "The lesson is empty: write something after the front matter."));
    }
    match meta {
        Some(meta) if problems.is_empty() => {
            own_words(&mut blocks);
            Ok(Lesson { file: file.into(), meta, blocks })
        }
        _ => Err(problems),
    }
}

/// A counter-example on the text of a scene is shown to each model in the words in which the scene asks it.
fn own_words(blocks: &mut [Block]) {
    let scenes: Vec<ModelText> = blocks
        .iter()
        .filter_map(|block| match block {
            Block::Lab(scene) => Some(scene.prompt.clone()),
            _ => None,
        })
        .collect();
    let questions = blocks.iter_mut().filter_map(|block| match block {
        Block::Quiz(question) => Some(question),
        _ => None,
    });
    for show in questions.flat_map(super::Question::shows_mut) {
        let same = |scene: &&ModelText| scene.default.is_some() && scene.default == show.prompt.default;
        if let Some(scene) = scenes.iter().find(same).filter(|_| show.prompt.own.is_empty()) {
            show.prompt.own.clone_from(&scene.own);
        }
    }
}

#[derive(Clone, Copy)]
struct Piece<'a> {
    /// The block's language; none for prose.
    live: Option<&'static str>,
    body: &'a str,
    offset: usize,
}

/// The TOML of the front matter, where it starts, and where the page starts.
fn front_matter(source: Source<'_>) -> Result<(&str, usize, usize), LessonError> {
    let mut lines = lines(source.text);
    let Some((_, start)) = lines.next().filter(|(line, _)| line.trim_end() == "+++").map(|(l, at)| (l, at + l.len()))
    else {
        return Err(source.error(0, "A lesson begins with front matter: make the first line +++."));
    };
    let Some((end, after)) = lines.find(|(line, _)| line.trim_end() == "+++").map(|(l, at)| (at, at + l.len())) else {
        return Err(source.error(0, "The front matter is never closed: end it with a line +++."));
    };
    let body = source.text.get(start..end).unwrap_or_default();
    Ok((body, start, after))
}

fn block(
    source: Source<'_>,
    meta: Option<&Meta>,
    piece: Piece<'_>,
    ids: &mut BTreeSet<String>,
) -> Result<Block, LessonError> {
    let Piece { body, offset, live } = piece;
    let toml = |what| Toml { source, what, body, offset };
    let mut unique = |id: &str, at: usize| {
        if ids.insert(id.to_owned()) {
            return Ok(());
        }
        Err(source.error(at, format!("The id {id:?} is used twice on this page: rename one.")))
    };
    match live {
        Some("lab") => Ok(Block::Lab(toml("lab block").scene()?)),
        Some("predict") => {
            let (predict, at) = toml("predict block").predict()?;
            unique(&predict.id, at)?;
            Ok(Block::Predict(predict))
        }
        Some("quiz") => {
            let (question, at) = toml("quiz block").question(meta)?;
            unique(&question.id, at)?;
            Ok(Block::Quiz(question))
        }
        Some("task") => {
            let (task, at) = toml("task block").task(meta)?;
            unique(&task.id, at)?;
            Ok(Block::Task(task))
        }
        Some("claim") => {
            let (claim, at) = toml("claim block").claim()?;
            unique(&claim.id, at)?;
            Ok(Block::Claim(claim))
        }
        _ => {
            prose::check(body).map_err(|(at, sentence)| source.error(offset + at, sentence))?;
            Ok(Block::Markdown(body.into()))
        }
    }
}

/// Cuts the page into prose and live blocks.
fn split(source: Source<'_>, start: usize) -> Result<Vec<Piece<'_>>, LessonError> {
    let page = source.text.get(start..).unwrap_or_default();
    let mut pieces = Vec::new();
    let mut prose_start = start;
    let mut open: Option<(Fence<'_>, usize, usize)> = None;
    let prose = |from: usize, to: usize| {
        let body = source.text.get(from..to).unwrap_or_default();
        (!body.trim().is_empty()).then_some(Piece { live: None, body, offset: from })
    };
    for (line, at) in lines(page).map(|(line, at)| (line, start + at)) {
        let end = at + line.len();
        let Some((fence, fence_at, body_at)) = open else {
            if let Some(fence) = Fence::opening(line) {
                if fence.live().is_some() {
                    pieces.extend(prose(prose_start, at));
                }
                open = Some((fence, at, end));
            }
            continue;
        };
        if fence.is_closed_by(line) {
            if let Some(live) = fence.live() {
                let body = source.text.get(body_at..at).unwrap_or_default();
                pieces.push(Piece { live: Some(live), body, offset: body_at });
                prose_start = end;
            }
            open = None;
        } else if fence.live().is_some() && Fence::opening(line).is_some_and(|f| f.live().is_some()) {
            // The usual slip: the closing fence was forgotten, and the next block would vanish into this one.
            return Err(never_closed(source, fence_at, fence));
        }
    }
    if let Some((fence, fence_at, _)) = open {
        return Err(never_closed(source, fence_at, fence));
    }
    pieces.extend(prose(prose_start, source.text.len()));
    Ok(pieces)
}

fn never_closed(source: Source<'_>, at: usize, fence: Fence<'_>) -> LessonError {
    let what = fence.live().unwrap_or("code");
    source.error(at, format!("The {what} block that begins here is never closed: end it with a line ```."))
}

/// Lines with their line breaks, and where each begins.
fn lines(text: &str) -> impl Iterator<Item = (&str, usize)> {
    text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((line, start))
    })
}

/// The opening line of a fenced block, as CommonMark defines it.
#[derive(Clone, Copy)]
struct Fence<'a> {
    mark: char,
    length: usize,
    info: &'a str,
}

impl<'a> Fence<'a> {
    fn opening(line: &'a str) -> Option<Self> {
        let rest = line.trim_start_matches(' ');
        let mark = rest.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = rest.trim_start_matches(mark);
        let length = rest.len() - info.len();
        let fits = line.len() - rest.len() <= 3 && length >= 3 && !(mark == '`' && info.contains('`'));
        fits.then_some(Self { mark, length, info: info.trim() })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        Fence::opening(line).is_some_and(|f| f.mark == self.mark && f.length >= self.length && f.info.is_empty())
    }

    fn language(&self) -> &'a str {
        self.info.split_whitespace().next().unwrap_or_default()
    }

    fn live(&self) -> Option<&'static str> {
        prose::LIVE_BLOCKS.iter().find(|name| **name == self.language()).copied()
    }
}
