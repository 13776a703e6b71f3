//! The template language as the Hub's templates expect it, without anything that reaches outside.
//!
//! Templates are written for Python's Jinja2 with `transformers`' additions. What minijinja lacks is added here: Python's
//! string methods, `tojson` in Python's spelling, `raise_exception`, `strftime_now`. There is no loader, so a template can
//! read no file. Fuel bounds both the time that a render takes and the memory that it can allocate, at 64 bytes a unit.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State};

use super::clock::strftime_now;
use super::metered;

/// Deeper nesting of values, macros or loops is refused. Templates in use stay below ten; the worker's stack is 2 MiB.
const MAX_DEPTH: usize = 60;

/// What a template says by `raise_exception`.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Raised(String);

/// An environment for one template, without the template.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    // The settings of `transformers`. Only custom delimiters can be refused, and there are none.
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    environment.set_recursion_limit(MAX_DEPTH);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_filter("tojson", to_json);
    environment.add_filter(metered::FLAT, metered::flat);
    environment.add_filter(metered::SINGLE, metered::single);
    // Both join lists without paying for it, and no template in use asks for them.
    environment.remove_filter("sum");
    environment.remove_filter("chain");
    environment.add_function("strftime_now", |format: &str| strftime_now(format));
    environment.add_function("raise_exception", |message: String| -> Result<Value, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, "raised").with_source(Raised(message)))
    });
    environment
}

/// Removes `{% generation %}` and `{% endgeneration %}`, by which training marks the assistant's part; they print nothing.
/// A comment stands in, because it keeps the marks that trim white space.
pub(super) fn without_generation_marks(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find("{%") {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let Some(end) = tag.find("%}") else {
            rest = tag;
            break;
        };
        let (tag, after) = tag.split_at(end + 2);
        let inner = tag.trim_start_matches("{%").trim_end_matches("%}");
        match inner.trim_matches(['-', '+']).trim() {
            "generation" | "endgeneration" => {
                let (left, right) = (inner.starts_with('-'), inner.ends_with('-'));
                out.push_str(if left { "{#-" } else { "{#" });
                out.push_str(if right { "-#}" } else { "#}" });
            }
            _ => out.push_str(tag),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// JSON as Python's `json.dumps(value, ensure_ascii=False, indent=…)` writes it: ", " and ": ", and no HTML escapes.
fn to_json(state: &State, value: &Value, options: Kwargs) -> Result<Value, Error> {
    let indent: Option<usize> = options.get("indent")?;
    for ignored in ["ensure_ascii", "separators", "sort_keys"] {
        let _: Option<Value> = options.get(ignored)?;
    }
    options.assert_all_used()?;
    let mut out = String::new();
    let charge = |bytes: usize| state.consume_fuel((bytes / 64) as u64 + 1);
    write_json(value, indent.map(|width| width.min(16)), 0, &mut out, &charge)?;
    Ok(Value::from(out))
}

/// `charge` is told about the bytes that each entry adds before the next is written.
fn write_json(
    value: &Value,
    indent: Option<usize>,
    depth: usize,
    out: &mut String,
    charge: &dyn Fn(usize) -> Result<(), Error>,
) -> Result<(), Error> {
    let refuse = |text: &'static str| Err(Error::new(ErrorKind::BadSerialization, text));
    if depth > MAX_DEPTH {
        return refuse("the value is nested too deeply for JSON");
    }
    let start = out.len();
    let line = |out: &mut String, depth: usize| {
        if let Some(width) = indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', width * depth));
        }
    };
    let separator = if indent.is_some() { "," } else { ", " };
    match value.kind() {
        ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => out.push_str(&value.to_string()),
        ValueKind::String => push_string(value.as_str().unwrap_or_default(), out),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => {
            let (open, close) = if value.kind() == ValueKind::Map { ('{', '}') } else { ('[', ']') };
            out.push(open);
            let mut count = 0;
            for item in value.try_iter()? {
                out.push_str(if count > 0 { separator } else { "" });
                count += 1;
                line(out, depth + 1);
                if value.kind() == ValueKind::Map {
                    push_string(&item.to_string(), out);
                    out.push_str(": ");
                    write_json(&value.get_item(&item)?, indent, depth + 1, out, charge)?;
                } else {
                    write_json(&item, indent, depth + 1, out, charge)?;
                }
            }
            if count > 0 {
                line(out, depth);
            }
            out.push(close);
        }
        _ => return refuse("the value cannot be written as JSON"),
    }
    charge(out.len() - start)
}

fn push_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}
