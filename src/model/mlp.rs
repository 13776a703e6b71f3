//! The feed-forward layer: the same small network applied to every position alone.
//!
//! ```text
//! plain:  down(act(up·x))            gated:  down(act(gate·x) ⊙ up·x)        (arXiv 2002.05202)
//! ```

use super::forward::Pass;
use super::probe::Probe;
use super::{Backend, HookPoint, Param, Result, Site};

/// What the MLP in `layer` adds to the residual stream, for its normalised input x `[T, d_model]`.
pub(super) fn mlp<B: Backend>(
    pass: &Pass<'_, B>,
    probe: &mut Probe<'_, B>,
    layer: usize,
    x: &B::Tensor,
) -> Result<B::Tensor> {
    let (b, config, weights) = (pass.backend, &pass.model.config, &pass.model.weights);
    let at = |site| HookPoint::layer(layer, site);
    let up = weights.linear(layer, Param::Up, Param::UpBias)?;
    let (w_down, b_down) = weights.linear(layer, Param::Down, Param::DownBias)?;

    let hidden = if config.gated_mlp {
        let gate = weights.linear(layer, Param::Gate, Param::GateBias)?;
        let mut outputs = b.linears(x, &[gate, up])?.into_iter();
        let mut next = || outputs.next().expect("one output per projection");
        let gate = probe.at(b, at(Site::MlpPre), next())?;
        let up = probe.at(b, at(Site::MlpPreLinear), next())?;
        b.gated(&gate, &up, config.activation)?
    } else {
        let pre = probe.at(b, at(Site::MlpPre), b.linear(x, up.0, up.1)?)?;
        b.activate(&pre, config.activation)?
    };
    let hidden = probe.at(b, at(Site::MlpPost), hidden)?;
    b.linear(&hidden, w_down, b_down)
}
