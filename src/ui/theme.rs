//! Colours, type and spacing: the only place that names a colour.
//!
//! Two palettes, light and dark, are the same roles with other values: calm neutral surfaces, one accent, and a few
//! signal colours. A widget asks [`palette`] for a role and never for a colour, so that a theme can be judged (and its
//! contrast tested) in one file. Every pair of text and surface that the window uses stands in [`Palette::text_pairs`];
//! a test computes its WCAG 2.2 contrast and asks for at least 4.5.
//!
//! Plots use two colour maps per theme, [`Palette::sequential`] for amounts and [`Palette::diverging`] for signed
//! values. Both are built in OKLab (Björn Ottosson, 2020), where equal steps look equal, from a handful of anchors: the
//! sequential map starts at the surface, so that zero reads as paper, and changes its lightness in one direction only,
//! so that it survives every kind of colour blindness and a grey printer; the diverging map runs from blue to orange,
//! the pair that colour-blind readers tell apart best.
//!
//! Type is one scale of six sizes. Nothing in the window uses a size that is not named here.

use std::sync::LazyLock;

use egui::{Color32, FontFamily, TextStyle, Theme};

use super::plot::Ramp;
pub use super::style::install;

/// Radius of cards and windows.
pub const RADIUS: u8 = 8;
/// Radius of buttons, fields and chips.
pub const RADIUS_SMALL: u8 = 6;
/// The step of spacing; gaps are multiples of it.
pub const STEP: f32 = 4.0;

/// The colours of one theme, by role.
#[derive(Debug)]
pub struct Palette {
    /// Whether this is the dark theme.
    pub dark: bool,
    /// Behind everything.
    pub canvas: Color32,
    /// Cards and panels.
    pub surface: Color32,
    /// Fields, tracks and wells inside a card.
    pub sunken: Color32,
    /// Menus, tooltips and windows.
    pub raised: Color32,
    /// Under the pointer.
    pub hover: Color32,
    /// Hairlines.
    pub border: Color32,
    /// Borders of what can be operated.
    pub border_strong: Color32,
    /// Body text.
    pub text: Color32,
    /// Secondary text.
    pub muted: Color32,
    /// The accent as text, line or icon.
    pub accent: Color32,
    /// The accent as a filled surface.
    pub accent_fill: Color32,
    /// Text on [`Self::accent_fill`].
    pub on_accent: Color32,
    /// A tint of the accent, for what is selected.
    pub accent_soft: Color32,
    /// Behind selected text, and the filled part of a slider.
    pub accent_mid: Color32,
    /// Good news.
    pub positive: Color32,
    /// A tint of it.
    pub positive_soft: Color32,
    /// What works in a lesser way.
    pub warning: Color32,
    /// A tint of it.
    pub warning_soft: Color32,
    /// What went wrong.
    pub danger: Color32,
    /// A tint of it.
    pub danger_soft: Color32,
    /// What was generated rather than typed.
    pub generated_soft: Color32,
    /// Colour of shadows.
    pub shadow: Color32,
    /// Amounts from zero up.
    pub sequential: Ramp,
    /// Signed values.
    pub diverging: Ramp,
}

/// Leaves a texture's own colours as they are.
pub const UNTINTED: Color32 = Color32::WHITE;

/// A computed sRGB colour, for colour maps.
pub fn srgb([r, g, b]: [u8; 3]) -> Color32 {
    Color32::from_rgb(r, g, b)
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

static LIGHT: LazyLock<Palette> = LazyLock::new(|| Palette {
    dark: false,
    canvas: rgb(0xF3F4F7),
    surface: rgb(0xFFFFFF),
    sunken: rgb(0xF0F2F5),
    raised: rgb(0xFFFFFF),
    hover: rgb(0xE7EAF0),
    border: rgb(0xE0E3E9),
    border_strong: rgb(0xC3C9D3),
    text: rgb(0x1A1E26),
    muted: rgb(0x545C69),
    accent: rgb(0x2F55C8),
    accent_fill: rgb(0x2F55C8),
    on_accent: rgb(0xFFFFFF),
    accent_soft: rgb(0xE3E9FB),
    accent_mid: rgb(0xA9BCF2),
    positive: rgb(0x0B6B4F),
    positive_soft: rgb(0xDDF3EA),
    warning: rgb(0x8A4B00),
    warning_soft: rgb(0xFCEFD6),
    danger: rgb(0xB3261E),
    danger_soft: rgb(0xFBE4E1),
    generated_soft: rgb(0xE6F3EE),
    shadow: Color32::from_black_alpha(28),
    sequential: Ramp::new(&[
        [255, 255, 255],
        [204, 226, 238],
        [122, 179, 208],
        [55, 117, 172],
        [33, 58, 122],
        [20, 20, 60],
    ]),
    diverging: Ramp::new(&[[20, 62, 130], [96, 156, 206], [250, 250, 250], [236, 158, 84], [138, 62, 8]]),
});

static DARK: LazyLock<Palette> = LazyLock::new(|| Palette {
    dark: true,
    canvas: rgb(0x121418),
    surface: rgb(0x1A1D23),
    sunken: rgb(0x121419),
    raised: rgb(0x22262E),
    hover: rgb(0x2A2F39),
    border: rgb(0x2A2F38),
    border_strong: rgb(0x444C59),
    text: rgb(0xE7E9ED),
    muted: rgb(0xA1A9B6),
    accent: rgb(0x93AEFF),
    accent_fill: rgb(0x93AEFF),
    on_accent: rgb(0x0E1530),
    accent_soft: rgb(0x273256),
    accent_mid: rgb(0x43558F),
    positive: rgb(0x6FD3A8),
    positive_soft: rgb(0x163429),
    warning: rgb(0xF2BC6B),
    warning_soft: rgb(0x3A2C14),
    danger: rgb(0xFF9B92),
    danger_soft: rgb(0x43211F),
    generated_soft: rgb(0x1D322B),
    shadow: Color32::from_black_alpha(110),
    sequential: Ramp::new(&[
        [18, 20, 25],
        [36, 43, 84],
        [52, 86, 150],
        [66, 144, 178],
        [136, 204, 178],
        [246, 244, 200],
    ]),
    diverging: Ramp::new(&[[132, 190, 248], [58, 104, 168], [26, 29, 35], [176, 98, 40], [255, 188, 118]]),
});

impl Palette {
    /// The palette of a theme.
    pub fn of(theme: Theme) -> &'static Self {
        match theme {
            Theme::Light => &LIGHT,
            Theme::Dark => &DARK,
        }
    }

    /// Every pair of text and surface that the window uses, with its name.
    pub fn text_pairs(&self) -> Vec<(&'static str, Color32, Color32)> {
        let mut pairs = vec![
            ("text on accent", self.on_accent, self.accent_fill),
            ("accent on tint", self.accent, self.accent_soft),
            ("text on generated", self.text, self.generated_soft),
            ("muted on generated", self.muted, self.generated_soft),
            ("selected text", self.text, self.accent_mid),
            ("positive on tint", self.positive, self.positive_soft),
            ("warning on tint", self.warning, self.warning_soft),
            ("danger on tint", self.danger, self.danger_soft),
            ("text on warning", self.text, self.warning_soft),
            ("text on danger", self.text, self.danger_soft),
            ("text on positive", self.text, self.positive_soft),
            ("text on hover", self.text, self.hover),
            ("muted on hover", self.muted, self.hover),
            ("muted on selected", self.muted, self.accent_soft),
        ];
        for surface in [self.canvas, self.surface, self.sunken, self.raised] {
            pairs.push(("text", self.text, surface));
            pairs.push(("muted", self.muted, surface));
            pairs.push(("accent", self.accent, surface));
            pairs.push(("warning", self.warning, surface));
            pairs.push(("danger", self.danger, surface));
            pairs.push(("positive", self.positive, surface));
        }
        pairs
    }

    /// Black or white text, whichever reads better on a plot's colour.
    pub fn on(&self, background: Color32) -> Color32 {
        let (dark, light) = (rgb(0x000000), rgb(0xFFFFFF));
        if contrast(dark, background) >= contrast(light, background) { dark } else { light }
    }

    /// The colour that tells the layers of a stack or the lines of a plot apart: five hues that stay apart under
    /// colour blindness (after Okabe and Ito, 2008), fitted to the theme.
    pub fn series(&self, index: usize) -> Color32 {
        const LIGHT: [u32; 5] = [0x2F55C8, 0xC2570C, 0x0B7A5A, 0x9A3E8F, 0x6B6200];
        const DARK: [u32; 5] = [0x93AEFF, 0xF0A35E, 0x6FD3A8, 0xE29AD9, 0xD8CE6A];
        rgb(if self.dark { DARK } else { LIGHT }[index % 5])
    }
}

/// The program's icon: a causal pattern, as the grid of heads draws it.
pub fn app_icon() -> egui::IconData {
    const SIDE: usize = 64;
    const CELLS: usize = 4;
    let palette = Palette::of(Theme::Dark);
    let mut rgba = Vec::with_capacity(SIDE * SIDE * 4);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let (row, column) = (y * CELLS / SIDE, x * CELLS / SIDE);
            let weight = if column > row { 0.12 } else { 0.35 + 0.6 * (1.0 - (row - column) as f32 / CELLS as f32) };
            let is_gap = y % (SIDE / CELLS) == 0 || x % (SIDE / CELLS) == 0;
            let color = if is_gap { palette.canvas } else { palette.sequential.at(weight) };
            rgba.extend(color.to_array());
        }
    }
    egui::IconData { rgba, width: SIDE as u32, height: SIDE as u32 }
}

/// The palette of the theme that a `ui` draws in.
pub fn palette(ui: &egui::Ui) -> &'static Palette {
    Palette::of(if ui.visuals().dark_mode { Theme::Dark } else { Theme::Light })
}

/// The WCAG 2.2 contrast ratio of two opaque colours, 1 to 21.
pub fn contrast(a: Color32, b: Color32) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Relative luminance (WCAG 2.2).
fn luminance(color: Color32) -> f32 {
    let linear = |c: u8| {
        let c = f32::from(c) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(color.r()) + 0.7152 * linear(color.g()) + 0.0722 * linear(color.b())
}

/// The bold face.
pub fn bold() -> FontFamily {
    FontFamily::Name("bold".into())
}

/// The italic face.
pub fn italic() -> FontFamily {
    FontFamily::Name("italic".into())
}

/// The icons.
pub fn icons() -> FontFamily {
    FontFamily::Name("icons".into())
}

/// The heading of a page.
pub fn title() -> TextStyle {
    TextStyle::Name("title".into())
}

/// The heading of a card.
pub fn subheading() -> TextStyle {
    TextStyle::Name("subheading".into())
}

/// A lesson's prose.
pub fn reading() -> TextStyle {
    TextStyle::Name("reading".into())
}

/// Labels inside plots.
pub fn tick() -> TextStyle {
    TextStyle::Name("tick".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_readable() {
        for palette in [&*LIGHT, &*DARK] {
            for (name, text, surface) in palette.text_pairs() {
                let ratio = contrast(text, surface);
                assert!(
                    ratio >= 4.5,
                    "{name} in the {} theme: {ratio:.2}",
                    if palette.dark { "dark" } else { "light" }
                );
            }
        }
    }

    #[test]
    fn plot_labels_are_readable_on_every_colour() {
        for palette in [&*LIGHT, &*DARK] {
            for ramp in [&palette.sequential, &palette.diverging] {
                for step in 0..=100 {
                    let background = ramp.at(step as f32 / 100.0);
                    assert!(contrast(palette.on(background), background) >= 4.5);
                }
            }
        }
    }

    #[test]
    fn lines_show_on_cards() {
        // WCAG 1.4.11 asks for 3:1 of what a reader needs in order to read a plot.
        for palette in [&*LIGHT, &*DARK] {
            for index in 0..5 {
                assert!(contrast(palette.series(index), palette.surface) >= 3.0);
            }
        }
    }
}
