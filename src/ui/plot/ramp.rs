//! Perceptual colour maps.
//!
//! A [`Ramp`] is a table of 256 colours, interpolated between a few anchors in OKLab (Björn Ottosson, "A perceptual color
//! space for image processing", 2020): equal steps of a value are equal steps to the eye, which neither RGB nor HSV give.
//! The anchors themselves are colours and live in the theme.

use egui::Color32;

use crate::ui::theme;

/// A colour map over 0 to 1.
#[derive(Debug, Clone)]
pub struct Ramp {
    table: Vec<Color32>,
}

impl Ramp {
    /// The map through the anchors, which are sRGB bytes, spaced evenly.
    pub fn new(anchors: &[[u8; 3]]) -> Self {
        let anchors: Vec<[f32; 3]> = anchors.iter().map(|&c| to_oklab(c)).collect();
        let last = anchors.len().saturating_sub(1);
        let table = (0..256)
            .map(|i| {
                let x = i as f32 / 255.0 * last as f32;
                let from = (x as usize).min(last.saturating_sub(1));
                let t = x - from as f32;
                let (a, b) = (anchors[from], anchors[(from + 1).min(last)]);
                from_oklab(std::array::from_fn(|k| a[k] + (b[k] - a[k]) * t))
            })
            .collect();
        Self { table }
    }

    /// The colour of a value from 0 to 1. Values outside are clamped; NaN is the colour of 0.
    pub fn at(&self, value: f32) -> Color32 {
        let index = (value * 255.0 + 0.5).clamp(0.0, 255.0) as usize;
        self.table[index.min(255)]
    }

    /// The colour of a signed value from −1 to 1.
    pub fn signed(&self, value: f32) -> Color32 {
        self.at(value * 0.5 + 0.5)
    }
}

fn to_oklab(srgb: [u8; 3]) -> [f32; 3] {
    let [r, g, b] = srgb.map(|c| {
        let c = f32::from(c) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    });
    let l = (0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
    let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
    let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

fn from_oklab([lightness, a, b]: [f32; 3]) -> Color32 {
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    let linear = [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_4 * s,
        -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ];
    theme::srgb(linear.map(|c| {
        let c = if c <= 0.003_130_8 { 12.92 * c } else { 1.055 * c.max(0.0).powf(1.0 / 2.4) - 0.055 };
        (c * 255.0 + 0.5).clamp(0.0, 255.0) as u8
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::Palette;
    use egui::Theme;

    fn lightness(color: Color32) -> f32 {
        to_oklab([color.r(), color.g(), color.b()])[0]
    }

    #[test]
    fn colours_survive_the_round_trip() {
        for c in [[0, 0, 0], [255, 255, 255], [200, 30, 90], [3, 250, 128]] {
            let back = from_oklab(to_oklab(c));
            for (a, b) in c.into_iter().zip([back.r(), back.g(), back.b()]) {
                assert!(a.abs_diff(b) <= 1, "{c:?} became {back:?}");
            }
        }
    }

    #[test]
    fn amounts_change_lightness_in_one_direction() {
        for theme in [Theme::Light, Theme::Dark] {
            let ramp = &Palette::of(theme).sequential;
            let steps: Vec<f32> = (0..=64).map(|i| lightness(ramp.at(i as f32 / 64.0))).collect();
            let sign = (steps[64] - steps[0]).signum();
            // A byte of sRGB is about 0.004 of lightness, hence the small allowance.
            assert!(steps.windows(2).all(|w| (w[1] - w[0]) * sign > -0.004), "{theme:?} {steps:?}");
            assert!((steps[64] - steps[0]).abs() > 0.6, "{theme:?} spans too little lightness");
        }
    }

    #[test]
    fn signed_values_are_symmetric_in_lightness() {
        for theme in [Theme::Light, Theme::Dark] {
            let ramp = &Palette::of(theme).diverging;
            for i in 1..=8 {
                let value = i as f32 / 8.0;
                let gap = lightness(ramp.signed(value)) - lightness(ramp.signed(-value));
                assert!(gap.abs() < 0.1, "{theme:?} at ±{value}: {gap}");
            }
        }
    }

    #[test]
    fn nan_has_a_colour() {
        let ramp = Ramp::new(&[[0, 0, 0], [255, 255, 255]]);
        assert_eq!(ramp.at(f32::NAN), ramp.at(0.0));
    }
}
