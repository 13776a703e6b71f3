//! A layer of experts: many small MLPs, of which each token visits a few.
//!
//! ```text
//! logits = x · W_routerᵀ                                    [T, E]
//! gates  = the k largest of softmax(logits), else 0          [T, E]   (perhaps rescaled to sum to 1)
//! out    = Σ_e gates[:, e] · expert_e(x)                              (arXiv 2401.04088, §2.1)
//! ```
//!
//! So a model holds many parameters and a token costs few. The gates are ordinary numbers that a run can change: a column
//! set to 0 switches an expert off, and a logit raised above the others sends every token there.

use super::forward::Pass;
use super::probe::Probe;
use super::{Backend, HookPoint, MoeConfig, Param, Result, Site};

/// What the experts of `layer` add to the residual stream, for its normalised input x `[T, d_model]`.
pub(super) fn moe<B: Backend>(
    pass: &Pass<'_, B>,
    probe: &mut Probe<'_, B>,
    layer: usize,
    config: &MoeConfig,
    x: &B::Tensor,
) -> Result<B::Tensor> {
    let (b, weights) = (pass.backend, &pass.model.weights);
    let at = |site| HookPoint::layer(layer, site);

    let logits = probe.at(b, at(Site::RouterLogits), b.linear(x, weights.at(layer, Param::Router)?, None)?)?;
    let gates = probe.at(b, at(Site::ExpertWeights), b.route(&logits, config.top_k, config.normalise)?)?;
    b.experts(x, &gates, &weights.experts(layer, config.n_experts)?, pass.model.config.activation)
}

/// The weight of each expert for one token: the plain definition that devices are tested against.
///
/// The softmax runs over all experts, and the `top_k` largest keep their value; of equals the first wins. An expert whose
/// logit is −∞ is never chosen, and a row that is wholly −∞ gives zeros. A row that holds NaN or +∞ gives NaN, so that it
/// is noticed and not routed around.
pub fn route_row(logits: &[f32], top_k: usize, normalise: bool) -> Vec<f32> {
    if logits.iter().any(|x| x.is_nan() || *x == f32::INFINITY) {
        return vec![f32::NAN; logits.len()];
    }
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut order: Vec<usize> = (0..logits.len()).filter(|e| logits[*e] != f32::NEG_INFINITY).collect();
    let weight = |e: &usize| (logits[*e] - largest).exp();
    let all: f32 = order.iter().map(weight).sum();
    // The sort is stable: equals keep their order.
    order.sort_by(|a, b| logits[*b].partial_cmp(&logits[*a]).unwrap_or(std::cmp::Ordering::Equal));
    order.truncate(top_k);
    let total = if normalise { order.iter().map(weight).sum() } else { all };
    let mut gates = vec![0.0; logits.len()];
    order.iter().for_each(|e| gates[*e] = weight(e) / total);
    gates
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIDDEN: f32 = f32::NEG_INFINITY;

    #[test]
    fn the_largest_keep_their_probability() {
        assert_eq!(route_row(&[0.0, HIDDEN, -200.0, 0.0], 3, false), [0.5, 0.0, 0.0, 0.5]);
        assert_eq!(route_row(&[2.0; 4], 1, false), [0.25, 0.0, 0.0, 0.0]);
        let gate = |normalise| route_row(&[0.0, 3f32.ln(), 0.0], 1, normalise)[1];
        assert!((gate(false) - 0.6).abs() < 1e-6 && gate(true) == 1.0);
        assert_eq!(route_row(&[1.0, 0.0, 1.0], 2, true), [0.5, 0.0, 0.5]);
        assert_eq!(route_row(&[3.0, 2.0], 9, true).iter().sum::<f32>(), 1.0);
    }

    #[test]
    fn of_equals_the_first_wins() {
        assert_eq!(route_row(&[0.0; 4], 2, true), [0.5, 0.5, 0.0, 0.0]);
        assert_eq!(route_row(&[-0.0, 0.0, 1.0, 1.0], 3, true)[1], 0.0);
    }

    #[test]
    fn what_is_not_finite_is_left_out_or_noticed() {
        assert_eq!(route_row(&[HIDDEN, 2.0, HIDDEN], 2, true), [0.0, 1.0, 0.0]);
        assert_eq!(route_row(&[HIDDEN; 3], 2, true), [0.0; 3]);
        for bad in [f32::NAN, f32::INFINITY] {
            assert!(route_row(&[0.0, bad, 1.0], 1, false).iter().all(|gate| gate.is_nan()));
        }
    }
}
