//! The cloud of points as one picture, and how it is looked at.
//!
//! A place is turned by two angles, scaled so that 99 % of the tokens fit at zoom 1, and drawn as a small dot. Tokens of
//! no coloured class let the ground shine through, so that where many lie on each other the map grows darker.

use std::sync::Arc;

use egui::{Color32, ColorImage, Mesh, Pos2, Rect, TextureHandle, TextureOptions, Ui, Vec2, vec2};

use super::shifted;
use crate::lab::TokenMap;
use crate::ui::plot::Later;
use crate::ui::theme::{self, palette};

/// Pixels of the picture's longer side, at most.
const LARGEST: f32 = 1400.0;

/// From where the map is seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Whether it turns: three components, else two.
    pub solid: bool,
    yaw: f32,
    pitch: f32,
    zoom: f32,
    /// In parts of the shorter side.
    shift: Vec2,
}

impl Default for Look {
    fn default() -> Self {
        Self { solid: false, yaw: 0.5, pitch: 0.35, zoom: 1.0, shift: Vec2::ZERO }
    }
}

impl Look {
    /// The same kind of map, seen as at first.
    pub fn reset(self) -> Self {
        Self { solid: self.solid, ..Self::default() }
    }

    /// Turns the solid map, moves the flat one.
    pub fn drag(&mut self, by: Vec2, rect: Rect) {
        if self.solid {
            self.yaw += by.x * 0.008;
            self.pitch = (self.pitch + by.y * 0.008).clamp(-1.5, 1.5);
        } else {
            self.shift += by / rect.size().min_elem().max(1.0);
        }
    }

    /// Zooms about the middle of what is seen.
    pub fn zoom_by(&mut self, factor: f32) {
        let zoom = (self.zoom * factor).clamp(0.2, 60.0);
        self.shift *= zoom / self.zoom;
        self.zoom = zoom;
    }

    /// Where a place lies on screen.
    pub fn screen(&self, rect: Rect, radius: f32, [x, y, z]: [f32; 3]) -> Pos2 {
        let (x, y) = if self.solid {
            let ((sin_y, cos_y), (sin_p, cos_p)) = (self.yaw.sin_cos(), self.pitch.sin_cos());
            let (x, depth) = (cos_y * x + sin_y * z, cos_y * z - sin_y * x);
            (x, cos_p * y + sin_p * depth)
        } else {
            (x, y)
        };
        let scale = 0.46 * rect.size().min_elem() * self.zoom / radius;
        shifted(rect, self.shift) + vec2(x, -y) * scale
    }
}

/// The picture, made on a thread of its own: while the view turns, the last one that was finished is shown.
#[derive(Default)]
pub struct Cloud {
    pictures: Later<Key, ColorImage>,
    texture: Option<TextureHandle>,
}

/// What the picture depends on.
#[derive(Debug, Clone, PartialEq)]
struct Key {
    /// Tells maps apart; never read through.
    map: usize,
    look: Look,
    size: [usize; 2],
    classes: Vec<u8>,
    dark: bool,
}

impl Cloud {
    /// Draws all tokens into `rect`; those of `classes` in the colours of the theme's series, in that order. Returns from
    /// where the picture on screen is seen, which may still be that of some frames ago; marks that use it stay on their
    /// points.
    pub fn paint(&mut self, ui: &Ui, rect: Rect, map: &Arc<TokenMap>, look: Look, classes: &[u8]) -> Look {
        let p = palette(ui);
        let wanted = ui.ctx().pixels_per_point().min(LARGEST / rect.size().max_elem().max(1.0));
        let size = [(rect.width() * wanted) as usize, (rect.height() * wanted) as usize].map(|n| n.max(1));
        let key = Key { map: Arc::as_ptr(map) as usize, look, size, classes: classes.to_vec(), dark: p.dark };
        let colors: Vec<Color32> = (0..classes.len()).map(|i| p.series(i)).collect();
        let paint = Paint { ground: p.surface, plain: p.muted, colors };
        let (map, classes, step) = (map.clone(), classes.to_vec(), rect.size() / vec2(size[0] as f32, size[1] as f32));
        let made = self.pictures.get(ui.ctx(), &key, move || paint.picture(&map, look, size, step, &classes));
        let Some((key, image, arrived)) = made else { return look };
        let shown = key.look;
        match &mut self.texture {
            Some(texture) if arrived => texture.set(image.clone(), TextureOptions::LINEAR),
            Some(_) => {}
            None => {
                let texture = ui.ctx().load_texture("map of tokens", image.clone(), TextureOptions::LINEAR);
                self.texture = Some(texture);
            }
        }
        if let Some(texture) = &self.texture {
            let mut mesh = Mesh::with_texture(texture.id());
            mesh.add_rect_with_uv(rect, Rect::from_min_max(Pos2::ZERO, egui::pos2(1.0, 1.0)), theme::UNTINTED);
            ui.painter().add(mesh);
        }
        shown
    }

    /// Whether a newer picture is being made.
    pub fn is_pending(&self) -> bool {
        self.pictures.is_pending()
    }
}

struct Paint {
    ground: Color32,
    plain: Color32,
    colors: Vec<Color32>,
}

impl Paint {
    fn picture(&self, map: &TokenMap, look: Look, size: [usize; 2], step: Vec2, classes: &[u8]) -> ColorImage {
        let mut image = ColorImage::filled(size, self.ground);
        let rect = Rect::from_min_size(Pos2::ZERO, vec2(size[0] as f32, size[1] as f32) * step);
        // Few tokens are drawn stronger than many.
        let strength = (3000.0 / map.places.len().max(1) as f32).clamp(0.16, 0.6);
        let series = |class: &u8| classes.iter().position(|c| c == class);
        for coloured in [false, true] {
            for (place, class) in map.places.iter().zip(&map.class_of) {
                let color = series(class).and_then(|i| self.colors.get(i));
                if color.is_some() != coloured {
                    continue;
                }
                let at = look.screen(rect, map.radius, *place).to_vec2() / step;
                let (color, strength) = color.map_or((self.plain, strength), |color| (*color, 0.9));
                dot(&mut image, at, color, strength);
            }
        }
        image
    }
}

/// A dot of three by three pixels, weaker at its corners.
fn dot(image: &mut ColorImage, at: Vec2, color: Color32, strength: f32) {
    let [width, height] = image.size;
    if !(at.x >= 1.0 && at.y >= 1.0 && at.x < width as f32 - 1.0 && at.y < height as f32 - 1.0) {
        return;
    }
    let (x, y) = (at.x as usize, at.y as usize);
    for (dy, dx) in (0..3).flat_map(|dy| (0..3).map(move |dx| (dy, dx))) {
        let corner = if dx != 1 && dy != 1 { 0.35 } else { 1.0 };
        if let Some(pixel) = image.pixels.get_mut((y + dy - 1) * width + x + dx - 1) {
            *pixel = pixel.lerp_to_gamma(color, strength * corner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_stays_in_the_middle_and_zoom_spreads_the_rest() {
        let rect = Rect::from_min_size(Pos2::ZERO, vec2(200.0, 100.0));
        for solid in [false, true] {
            let mut look = Look { solid, ..Look::default() };
            assert_eq!(look.screen(rect, 2.0, [0.0; 3]), rect.center());
            let before = look.screen(rect, 2.0, [1.0, 0.5, 0.2]).distance(rect.center());
            look.zoom_by(2.0);
            let after = look.screen(rect, 2.0, [1.0, 0.5, 0.2]).distance(rect.center());
            assert!((after - 2.0 * before).abs() < 1e-3);
        }
    }

    #[test]
    fn dragging_moves_the_flat_map_with_the_pointer() {
        let rect = Rect::from_min_size(Pos2::ZERO, vec2(200.0, 100.0));
        let mut look = Look::default();
        look.drag(vec2(30.0, -10.0), rect);
        assert!(look.screen(rect, 1.0, [0.0; 3]).distance(rect.center() + vec2(30.0, -10.0)) < 1e-3);
    }

    #[test]
    fn a_dot_at_the_edge_is_left_out() {
        let mut image = ColorImage::filled([4, 4], Color32::TRANSPARENT);
        for at in [vec2(-5.0, 2.0), vec2(3.5, 2.0), vec2(f32::NAN, 1.0), vec2(2.0, 1e30)] {
            dot(&mut image, at, Color32::DEBUG_COLOR, 1.0);
        }
        assert!(image.pixels.iter().all(|pixel| *pixel == Color32::TRANSPARENT));
        dot(&mut image, vec2(1.0, 1.0), Color32::DEBUG_COLOR, 1.0);
        assert_eq!(image.pixels[5], Color32::DEBUG_COLOR);
    }
}
