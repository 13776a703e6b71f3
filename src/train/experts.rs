//! A mixture of experts in training: rows are sent only to the experts that they chose, and gradients flow back through
//! the gates.

use candle_core::{D, Device, Tensor};

use super::backend::failed;
use super::ops::with_values;
use crate::model::{self, route_row};

/// The gates of router logits `[T, E]`: which experts a row goes to is a constant, how much each counts is not.
pub(super) fn route(logits: &Tensor, top_k: usize, normalise: bool) -> candle_core::Result<Tensor> {
    let (rows, n_experts) = logits.dims2()?;
    let chosen = with_values(logits, |logits| {
        let gates = logits.chunks_exact(n_experts).flat_map(|row| route_row(row, top_k, false));
        gates.map(|gate| if gate > 0.0 { 1f32 } else { 0.0 }).collect::<Vec<_>>()
    })?;
    let chosen = Tensor::from_vec(chosen, (rows, n_experts), &Device::Cpu)?;
    let gates = (candle_nn::ops::softmax(logits, D::Minus1)? * chosen)?;
    if normalise { gates.broadcast_div(&gates.sum_keepdim(D::Minus1)?) } else { Ok(gates) }
}

/// Σ_e gates\[:, e\] · expert_e(x) for x `[T, d]`. `expert(e, rows)` is what expert e makes of some rows.
pub(super) fn experts(
    x: &Tensor,
    gates: &Tensor,
    expert: impl Fn(usize, &Tensor) -> model::Result<Tensor>,
) -> model::Result<Tensor> {
    let (n_rows, n_experts) = gates.dims2().map_err(failed)?;
    let visits = with_values(gates, |gates| visits(gates, n_experts)).map_err(failed)?;
    // Rows in the order of their experts, so that an expert's are next to each other.
    let row_ids: Vec<u32> = visits.concat();
    if row_ids.is_empty() {
        return x.zeros_like().map_err(failed);
    }
    let gate_ids =
        visits.iter().enumerate().flat_map(|(e, rows)| rows.iter().map(move |row| row * n_experts as u32 + e as u32));
    let ids = |ids: Vec<u32>| Tensor::new(ids, &Device::Cpu).map_err(failed);
    let (gate_ids, row_ids) = (ids(gate_ids.collect())?, ids(row_ids)?);

    let sorted = x.index_select(&row_ids, 0).map_err(failed)?;
    let (mut begin, mut outputs) = (0, Vec::new());
    for (e, rows) in visits.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
        let mine = sorted.narrow(0, begin, rows.len()).and_then(|rows| rows.contiguous()).map_err(failed)?;
        outputs.push(expert(e, &mine)?);
        begin += rows.len();
    }
    let weighted = || {
        let weights = gates.reshape(n_rows * n_experts)?.index_select(&gate_ids, 0)?.unsqueeze(1)?;
        let outputs = Tensor::cat(&outputs, 0)?.broadcast_mul(&weights)?;
        x.zeros_like()?.index_add(&row_ids, &outputs, 0)
    };
    weighted().map_err(failed)
}

/// The rows that each expert is to see.
fn visits(gates: &[f32], n_experts: usize) -> Vec<Vec<u32>> {
    let mut visits = vec![Vec::new(); n_experts];
    for (row, gates) in gates.chunks_exact(n_experts).enumerate() {
        for (expert, gate) in gates.iter().enumerate() {
            if *gate != 0.0 {
                visits[expert].push(row as u32);
            }
        }
    }
    visits
}

/// The loss that keeps experts in use (arXiv 2101.03961, eq. 4), averaged over layers: E · Σ_e f_e · P_e with f_e the share
/// of the choices that fell on expert e, and P_e its mean probability. It is 1 where both are even, and the gradient
/// goes through P alone. `router` holds the logits and the gates of each layer, `[T, E]` both.
pub(super) fn balance(router: &[(Tensor, Tensor)]) -> candle_core::Result<Option<Tensor>> {
    let mut sum: Option<Tensor> = None;
    for (logits, gates) in router {
        let (_, n_experts) = logits.dims2()?;
        let counts = with_values(gates, |gates| visits(gates, n_experts).iter().map(Vec::len).collect::<Vec<_>>())?;
        let total = counts.iter().sum::<usize>().max(1) as f32;
        let shares: Vec<f32> = counts.iter().map(|n| *n as f32 / total).collect();
        let shares = Tensor::from_vec(shares, n_experts, &Device::Cpu)?;
        let mean = candle_nn::ops::softmax(logits, D::Minus1)?.mean(0)?;
        let layer = ((mean * shares)?.sum_all()? * n_experts as f64)?;
        sum = Some(match sum {
            Some(sum) => (sum + layer)?,
            None => layer,
        });
    }
    sum.map(|sum| sum / router.len() as f64).transpose()
}
