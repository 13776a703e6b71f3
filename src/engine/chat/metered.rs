//! Making the growth of lists cost fuel.
//!
//! minijinja 3.1 charges fuel for text, but adding two lists is lazy and free until the sum is 32 additions deep; then all
//! of it is written out, unmetered. `ns.x = ns.x + ns.x` in a loop of forty turns asks for 2⁴⁰ items that way. So a template
//! is rewritten before it is compiled: both sides of every `+` pass through the filter [`FLAT`], which writes lists out and
//! charges for each item, and both sides of every `*` through [`SINGLE`], which takes no list. Everything else passes
//! through both unchanged, so templates that add text and numbers mean what they meant.

use minijinja::value::{Tuple, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

/// The filter for the sides of `+`.
pub(super) const FLAT: &str = "glassbox_flat";
/// The filter for the sides of `*`.
pub(super) const SINGLE: &str = "glassbox_single";

/// A lazily joined list as a plain one, paid for by the item.
pub(super) fn flat(state: &State, value: Value) -> Result<Value, Error> {
    let list = matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
    if !list || value.downcast_object_ref::<Tuple>().is_some() {
        return Ok(value);
    }
    let mut items: Vec<Value> = Vec::new();
    state.consume_fuel(1)?;
    for item in value.try_iter()? {
        state.consume_fuel(1)?;
        items.push(item);
    }
    Ok(Value::from(items))
}

/// Refuses a list: repeating one is free and a hundred million items are allowed.
pub(super) fn single(value: Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            Err(Error::new(ErrorKind::InvalidOperation, "lists cannot be repeated"))
        }
        _ => Ok(value),
    }
}

/// Rewrites a template's source.
pub(super) fn metered(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + source.len() / 4);
    let mut rest = source;
    let mut raw = false;
    while let Some(at) = rest.find('{') {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let end = match tag.as_bytes().get(1) {
            Some(b'#') if !raw => tag.find("#}").map(|end| end + 2),
            Some(b'%') if raw => {
                tag.find("%}").map(|end| end + 2).filter(|end| statement(&tag[..*end]) == "endraw").or(Some(1))
            }
            Some(b'%') => code_end(tag, "%}"),
            Some(b'{') if !raw => code_end(tag, "}}"),
            _ => Some(1),
        };
        let (code, after) = tag.split_at(end.unwrap_or(tag.len()));
        if code.starts_with("{%") && matches!(statement(code), "raw" | "endraw") {
            raw = statement(code) == "raw";
            out.push_str(code);
        } else if !raw && code.len() > 1 && !code.starts_with("{#") {
            rewrite(code, &mut out);
        } else {
            out.push_str(code);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// What a tag says, without its braces and marks.
fn statement(tag: &str) -> &str {
    tag.trim_matches(|c: char| "{%-+}".contains(c) || c.is_whitespace())
}

/// Where a tag ends: at the first `close` that is not inside a string or brackets.
fn code_end(tag: &str, close: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = 2;
    for (kind, text) in Tokens(tag.get(2..)?) {
        if depth == 0 && tag.get(at..)?.starts_with(close) {
            return Some(at + close.len());
        }
        match kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += text.len();
    }
    None
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Space,
    /// A name or a number.
    Word,
    Text,
    Open,
    Close,
    Sign,
}

/// The pieces of an expression, none of them lost.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = (Kind, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.0.chars().next()?;
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let run = |test: &dyn Fn(char) -> bool| self.0.find(|c| !test(c)).unwrap_or(self.0.len());
        let (kind, len) = match first {
            c if c.is_whitespace() => (Kind::Space, run(&char::is_whitespace)),
            c if is_word(c) => {
                let len = run(&is_word);
                // 1e+5 is one number.
                let (word, rest) = self.0.split_at(len);
                let exponent = c.is_ascii_digit() && word.ends_with(['e', 'E']) && rest.starts_with(['+', '-']);
                let power = rest.len() - rest.trim_start_matches(['+', '-']).trim_start_matches(is_word).len();
                (Kind::Word, if exponent { len + power } else { len })
            }
            '\'' | '"' => {
                let mut escaped = false;
                let end = self.0.char_indices().skip(1).find(|(_, c)| {
                    let ends = *c == first && !escaped;
                    escaped = *c == '\\' && !escaped;
                    ends
                });
                (Kind::Text, end.map_or(self.0.len(), |(at, _)| at + 1))
            }
            '(' | '[' | '{' => (Kind::Open, 1),
            ')' | ']' | '}' => (Kind::Close, 1),
            _ if self.0.starts_with("**") => (Kind::Sign, 2),
            other => (Kind::Sign, other.len_utf8()),
        };
        let (token, rest) = self.0.split_at(len);
        self.0 = rest;
        Some((kind, token))
    }
}

/// Puts the filters around the `+` and `*` of one tag.
fn rewrite(code: &str, out: &mut String) {
    let (Some(open), Some(body), Some(close)) =
        (code.get(..2), code.get(2..code.len().saturating_sub(2)), code.get(code.len().saturating_sub(2)..))
    else {
        out.push_str(code);
        return;
    };
    let tokens: Vec<(Kind, &str)> = Tokens(body).collect();
    let partners = partners(&tokens);
    let mut before = vec![""; tokens.len()];
    let mut after: Vec<Vec<&str>> = vec![Vec::new(); tokens.len()];
    for (index, (kind, text)) in tokens.iter().enumerate() {
        let filter = match (kind, *text) {
            (Kind::Sign, "+") => FLAT,
            (Kind::Sign, "*") => SINGLE,
            _ => continue,
        };
        if ends_operand(&tokens, index)
            && let Some(end) = operand_end(&tokens, &partners, index + 1)
        {
            before[index] = filter;
            after[end].push(filter);
        }
    }
    out.push_str(open);
    for ((token, before), after) in tokens.iter().zip(before).zip(after) {
        for filter in [before].into_iter().filter(|filter| !filter.is_empty()) {
            out.push('|');
            out.push_str(filter);
            out.push(' ');
        }
        out.push_str(token.1);
        for filter in after {
            out.push('|');
            out.push_str(filter);
        }
    }
    out.push_str(close);
}

/// For each bracket that opens, where it closes.
fn partners(tokens: &[(Kind, &str)]) -> Vec<Option<usize>> {
    let mut partners = vec![None; tokens.len()];
    let mut open = Vec::new();
    for (index, (kind, _)) in tokens.iter().enumerate() {
        match kind {
            Kind::Open => open.push(index),
            Kind::Close => {
                if let Some(start) = open.pop() {
                    partners[start] = Some(index);
                }
            }
            _ => {}
        }
    }
    partners
}

/// Whether what stands before a sign is a value, which makes the sign one between two values.
fn ends_operand(tokens: &[(Kind, &str)], index: usize) -> bool {
    let last = tokens.iter().take(index).rev().find(|(kind, _)| *kind != Kind::Space);
    let joins = |word: &str| matches!(word, "and" | "or" | "not" | "in" | "is" | "if" | "else" | "elif");
    last.is_some_and(|(kind, text)| match kind {
        Kind::Text | Kind::Close => true,
        Kind::Word => !joins(text),
        _ => false,
    })
}

/// Where the value that starts at `index` ends, with its attributes, indices, calls and filters.
fn operand_end(tokens: &[(Kind, &str)], partners: &[Option<usize>], index: usize) -> Option<usize> {
    let next = |from: usize| (from..tokens.len()).find(|&at| tokens[at].0 != Kind::Space);
    let is_sign = |at: usize, sign: &str| tokens[at] == (Kind::Sign, sign);
    let mut at = next(index)?;
    while is_sign(at, "-") || is_sign(at, "+") {
        at = next(at + 1)?;
    }
    let mut end = match tokens[at].0 {
        Kind::Open => partners[at]?,
        Kind::Word | Kind::Text => at,
        _ => return None,
    };
    while let Some(at) = next(end + 1) {
        end = match tokens[at].0 {
            Kind::Open => partners[at]?,
            Kind::Sign if is_sign(at, ".") || is_sign(at, "|") => next(at + 1)?,
            _ => break,
        };
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(source: &str) -> String {
        metered(source).replace(&format!("|{FLAT}"), "~F").replace(&format!("|{SINGLE}"), "~S")
    }

    #[test]
    fn both_sides_of_every_sum_are_metered() {
        let cases = [
            ("a + b {{ a + b }} c + d", "a + b {{ a ~F + b~F }} c + d"),
            ("{%- set x = [a+b] + c.d['e + f'](g)|h(i) -%}", "{%- set x = [a~F +b~F] ~F + c.d['e + f'](g)|h(i)~F -%}"),
            ("{{ a + (b + c) * d }}", "{{ a ~F + (b ~F + c~F)~F ~S * d~S }}"),
            ("{{ -a + -b.c }}{{ +a }}{{ a ** b }}", "{{ -a ~F + -b.c~F }}{{ +a }}{{ a ** b }}"),
            ("{%+ if a +%}+{% endif %}{# a + b #}", "{%+ if a +%}+{% endif %}{# a + b #}"),
            ("{{ '}}' + \"\\\"+\" + 1e+5 }}", "{{ '}}' ~F + \"\\\"+\"~F ~F + 1e+5~F }}"),
            (
                "{% raw %}{{ a + b }}{% endraw %}{{ {'a': {'b': c + d}} }}",
                "{% raw %}{{ a + b }}{% endraw %}{{ {'a': {'b': c ~F + d~F}} }}",
            ),
            ("{{ a if b else c + d }} {{ not a + b }}", "{{ a if b else c ~F + d~F }} {{ not a ~F + b~F }}"),
            ("{{ a +", "{{ a +"),
            ("{ a + b } {", "{ a + b } {"),
        ];
        for (source, expected) in cases {
            assert_eq!(short(source), expected);
        }
    }
}
