//! What plots are made of: colour maps, textures of matrices, bars and lines.

mod bars;
pub mod heat;
mod ramp;
mod texture;
pub mod through_layers;

pub use bars::{Bars, bars};
pub use ramp::Ramp;
pub use texture::{Cached, Later, matrix_image};
