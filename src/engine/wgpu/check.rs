//! Checks of shapes before a launch, and how kernels take masks and activations.

use super::backend::Tensor;
use super::launch::Sizes;
use crate::model::{Activation, Error, Mask, Result};

pub(super) fn shape_error(op: &'static str, detail: impl Into<String>) -> Error {
    Error::Shape { op, detail: detail.into() }
}

pub(super) fn axes<const N: usize>(op: &'static str, x: &Tensor) -> Result<[usize; N]> {
    <[usize; N]>::try_from(x.shape.as_slice())
        .map_err(|_| shape_error(op, format!("{N} axes are needed, {:?} came", x.shape)))
}

/// The sizes of queries `[T, H, h]` and keys `[S, G, h]` that fit each other.
pub(super) fn attention_sizes(op: &'static str, q: &Tensor, k: &Tensor) -> Result<Sizes> {
    let [n_queries, n_heads, d_head] = axes(op, q)?;
    let [n_keys, n_kv_heads, d_key] = axes(op, k)?;
    if d_head != d_key || n_kv_heads == 0 || !n_heads.is_multiple_of(n_kv_heads) {
        return Err(shape_error(op, format!("q {:?} and k {:?}", q.shape, k.shape)));
    }
    Ok(Sizes { n_queries, n_keys, n_heads, n_kv_heads, d_head })
}

/// A mask as kernels take it: causal, window. The widest window stands for none.
pub(super) fn mask_params(mask: Mask) -> [u32; 2] {
    const NO_WINDOW: usize = 1 << 30;
    [u32::from(mask.causal), mask.window.unwrap_or(NO_WINDOW).min(NO_WINDOW) as u32]
}

pub(super) fn function(activation: Activation) -> f64 {
    match activation {
        Activation::Silu => 0.0,
        Activation::Gelu => 1.0,
        Activation::GeluTanh => 2.0,
        Activation::Relu => 3.0,
    }
}
