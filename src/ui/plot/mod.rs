//! What plots are made of: colour maps, textures of matrices, and bars.

mod bars;
mod ramp;
mod texture;

pub use bars::{Bars, bars};
pub use ramp::Ramp;
pub use texture::{Cached, Later, matrix_image};
