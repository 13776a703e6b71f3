//! A layer of experts on the CPU: each expert computes only the rows that are sent to it.
//!
//! With the usual 2 of 8 experts that is a quarter of the work of the definition, and a token that is generated alone
//! reads a quarter of the weights. Rows are gathered, go through the expert as one small matrix, and are added back where
//! they came from, expert by expert in their order, as the definition sums.

use candle_core::Tensor;

use super::{CandleBackend, CpuWeight, tensor, with_slice};
use crate::model::{Activation, Backend, Expert, Result};

/// Σ over the experts of gates\[:, e\] · expert_e(x), for x `[T, d]` and gates `[T, E]`.
pub fn gathered(
    backend: &CandleBackend,
    x: &Tensor,
    gates: &Tensor,
    experts: &[Expert<'_, CpuWeight>],
    activation: Activation,
) -> Result<Tensor> {
    let (n_tokens, d, n_experts) = (x.dims()[0], x.dims()[1], gates.dims()[1]);
    let (x, gates) = (with_slice(x, <[f32]>::to_vec), with_slice(gates, <[f32]>::to_vec));
    let mut out = vec![0.0; n_tokens * d];
    for (i, expert) in experts.iter().enumerate() {
        // A gate that is not a number is not zero either: it must spoil the sum, as it does in the definition.
        let sent: Vec<usize> = (0..n_tokens).filter(|t| gates[t * n_experts + i] != 0.0).collect();
        if sent.is_empty() {
            continue;
        }
        backend.checkpoint()?;
        let rows: Vec<f32> = sent.iter().flat_map(|t| &x[t * d..(t + 1) * d]).copied().collect();
        let rows = tensor(rows, &[sent.len(), d])?;
        let halves = backend.linears(&rows, &[(expert.gate, None), (expert.up, None)])?;
        let hidden = backend.gated(&halves[0], &halves[1], activation)?;
        with_slice(&backend.linear(&hidden, expert.down, None)?, |y| {
            for (t, y) in sent.iter().zip(y.chunks_exact(d)) {
                let gate = gates[t * n_experts + i];
                out[t * d..(t + 1) * d].iter_mut().zip(y).for_each(|(out, y)| *out += gate * y);
            }
        });
    }
    tensor(out, &[n_tokens, d])
}
