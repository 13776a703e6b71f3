//! Formulas: TeX in, SVG out.
//!
//! RaTeX (a port of KaTeX) parses and lays out; its SVG carries its own glyph outlines, so no font is needed on the
//! machine. [`check`] runs when a lesson is parsed, so that a formula that does not typeset is an error with a line and
//! not a hole in the page.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ratex_layout::{LayoutOptions, layout, to_display_list};
use ratex_svg::{SvgColorSyntax, SvgOptions, render_to_svg_with_color_syntax};
use ratex_types::color::Color;
use ratex_types::display_item::DisplayList;
use ratex_types::math_style::MathStyle;

/// The longest formula that is typeset, in bytes of TeX.
pub const MAX_TEX: usize = 2_000;

/// A typeset formula, white on transparent, so that it can be tinted. Lengths are in units of the font size.
#[derive(Debug, Clone)]
pub struct Formula {
    /// The picture; [`PADDING`] points wide margins included.
    pub svg: String,
    /// Width.
    pub width: f32,
    /// Height above the baseline.
    pub height: f32,
    /// Depth below the baseline.
    pub depth: f32,
}

/// The margin around the picture, in points, so that no stroke is cut off.
pub const PADDING: f32 = 1.0;

/// Says what is wrong with a formula, if anything is.
pub fn check(tex: &str, display: bool) -> Result<(), String> {
    set(tex, display).map(|_| ())
}

/// Typesets a formula at a font size in points.
pub fn typeset(tex: &str, display: bool, font_size: f32) -> Result<Formula, String> {
    let list = set(tex, display)?;
    let options = SvgOptions {
        font_size: f64::from(font_size),
        padding: f64::from(PADDING),
        embed_glyphs: true,
        ..Default::default()
    };
    let svg = guarded(|| Ok(render_to_svg_with_color_syntax(&list, &options, SvgColorSyntax::Rgb)))?;
    Ok(Formula { svg, width: list.width as f32, height: list.height as f32, depth: list.depth as f32 })
}

fn set(tex: &str, display: bool) -> Result<DisplayList, String> {
    if tex.len() > MAX_TEX {
        return Err(format!("it is {} bytes long, and at most {MAX_TEX} are typeset", tex.len()));
    }
    let style = if display { MathStyle::Display } else { MathStyle::Text };
    guarded(|| {
        let ast = ratex_parser::parse(tex).map_err(|e| e.to_string())?;
        let options = LayoutOptions { color: Color::WHITE, style, ..Default::default() };
        Ok(to_display_list(&layout(&ast, &options)))
    })
}

// A lesson is untrusted and the typesetter is large: whatever formula makes it panic must not take the window along.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("the typesetter cannot lay it out".into()))
}
