//! Fonts: the same on every machine, and no boxes.
//!
//! The window ships its own faces (Noto Sans for text, Hack for code, DejaVu Sans for Arabic, Hebrew and symbols, Noto
//! Emoji, Material Symbols), so that its pixels do not depend on what is installed. Scripts beyond these (Chinese,
//! Japanese, Korean, Devanagari, …) come from the system through eframe's font provider. Where that has no glyph either,
//! [`printable`] writes the character's code point instead of an empty box: a token may hold anything.

use std::borrow::Cow;
use std::sync::Arc;

use egui::{Context, FontData, FontDefinitions, FontFamily, FontId};

use super::theme;

/// Installs the faces.
pub fn install(ctx: &Context) {
    let mut fonts = FontDefinitions::default();
    let faces: [(&str, &'static [u8]); 5] = [
        ("Noto Sans", notosans::REGULAR_TTF),
        ("Noto Sans Bold", notosans::BOLD_TTF),
        ("Noto Sans Italic", notosans::ITALIC_TTF),
        ("DejaVu Sans", dejavu::sans::regular()),
        ("DejaVu Sans Bold", dejavu::sans::bold()),
    ];
    for (name, bytes) in faces {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    let emoji = ["NotoEmoji-Regular", "emoji-icon-font", "egui-icons"];
    let emoji: Vec<String> = emoji.iter().filter(|f| fonts.font_data.contains_key(**f)).map(|f| (*f).into()).collect();
    let family = |first: &[&str], rest: &[&str]| -> Vec<String> {
        let names = |list: &[&str]| list.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>();
        [names(first), names(rest), emoji.clone()].concat()
    };
    let families = [
        (FontFamily::Proportional, family(&["Noto Sans"], &["DejaVu Sans"])),
        (FontFamily::Monospace, family(&["Hack"], &["Noto Sans", "DejaVu Sans"])),
        (theme::bold(), family(&["Noto Sans Bold"], &["DejaVu Sans Bold", "DejaVu Sans"])),
        (theme::italic(), family(&["Noto Sans Italic"], &["Noto Sans", "DejaVu Sans"])),
    ];
    fonts.families.extend(families);

    let icons = egui_material_icons::font_insert();
    let mut data = icons.data;
    // The symbols sit high on their line beside Latin text.
    data.tweak.y_offset_factor = 0.055;
    fonts.font_data.insert(icons.name.clone(), Arc::new(data));
    for family in fonts.families.values_mut() {
        family.push(icons.name.clone());
    }
    fonts.families.insert(theme::icons(), vec![icons.name, "Noto Sans".to_owned()]);
    ctx.set_fonts(fonts);
}

/// The text, with each character that no font can draw replaced by its code point.
pub fn printable<'a>(ctx: &Context, text: &'a str, font: &FontId) -> Cow<'a, str> {
    if text.is_ascii() || ctx.fonts_mut(|fonts| fonts.has_glyphs(font, text)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) || ctx.fonts_mut(|fonts| fonts.has_glyph(font, c)) {
            out.push(c);
        } else {
            out.push_str(&format!("⟨{:X}⟩", c as u32));
        }
    }
    Cow::Owned(out)
}

/// Joiners, variation selectors and marks of direction: drawn by the shaper, never on their own.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}
