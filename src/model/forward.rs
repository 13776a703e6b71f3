//! The forward pass: the only transformer in the project.
//!
//! ```text
//! x = embed(tokens) (+ positions)
//! for each block:   x += attention(norm₁(x));   x += mlp(norm₂(x))        (or a layer of experts for the MLP)
//! logits = unembed(norm(x))
//! ```
//!
//! The residual stream `x` is `[T, d_model]` for the T tokens of this call; tokens of earlier calls are seen through the
//! KV cache. At every named place the [`Probe`] may look at the tensor and change it.

use super::attention::attention;
use super::mlp::mlp;
use super::moe::moe;
use super::probe::Probe;
use super::{
    Backend, Error, HookPoint, KvCache, ModelConfig, NormKind, Param, Positions, Result, Rotary, Site, TensorId,
    Weights,
};

/// A model on a backend.
pub struct Model<B: Backend> {
    /// Its architecture.
    pub config: ModelConfig,
    /// Its parameters.
    pub weights: Weights<B::Weight>,
}

/// Which positions get logits. Each costs a product with the whole vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogitsWanted {
    /// Only the last: `[1, d_vocab]`.
    Last,
    /// Every position of this call: `[T, d_vocab]`.
    All,
}

/// What the steps of one pass share.
pub(super) struct Pass<'a, B: Backend> {
    pub backend: &'a B,
    pub model: &'a Model<B>,
    pub cache: &'a mut KvCache<B>,
    /// cos and sin of the rotary angles, `[T, d_rotary / 2]` each.
    pub rotary: Option<(B::Tensor, B::Tensor)>,
    pub start: usize,
    pub n_tokens: usize,
}

/// Runs the model over `tokens`, which follow those in the cache, and returns logits.
///
/// On an error the cache is cut back to what it held, so that the next call may follow.
pub fn forward<B: Backend>(
    backend: &B,
    model: &Model<B>,
    tokens: &[u32],
    cache: &mut KvCache<B>,
    probe: &mut Probe<'_, B>,
    wanted: LogitsWanted,
) -> Result<B::Tensor> {
    let start = cache.len();
    check_tokens(&model.config, tokens, start, backend.sequence_len(tokens.len()))?;
    probe.interventions().check(&model.config)?;
    probe.begin(start);
    let result = run(backend, model, tokens, cache, probe, wanted);
    match &result {
        Ok(_) => cache.grew_by(tokens.len()),
        Err(_) => cache.truncate(backend, start),
    }
    result
}

fn run<B: Backend>(
    b: &B,
    model: &Model<B>,
    tokens: &[u32],
    cache: &mut KvCache<B>,
    probe: &mut Probe<'_, B>,
    wanted: LogitsWanted,
) -> Result<B::Tensor> {
    let config = &model.config;
    let (start, n_tokens) = (cache.len(), tokens.len());
    let rotary = match &config.positions {
        Positions::Rotary(rotary) => {
            let (len, shape) = (b.sequence_len(n_tokens), [n_tokens, rotary.d_rotary / 2]);
            let table = Rotary::new(rotary, start, len);
            let repeated = |x: Vec<f32>| b.tensor(&x.repeat(n_tokens / len), &shape);
            Some((repeated(table.cos)?, repeated(table.sin)?))
        }
        Positions::Learned => None,
    };
    let mut pass = Pass { backend: b, model, cache, rotary, start, n_tokens };

    let mut x = embed(&pass, probe, tokens)?;
    for layer in 0..config.n_layers {
        b.checkpoint()?;
        x = block(&mut pass, probe, layer, x)?;
    }
    let x = match wanted {
        // The last position is all that the final norm has to see, unless somebody looks at the others.
        LogitsWanted::Last if !probe.sees(HookPoint::global(Site::FinalNorm)) => b.rows(&x, n_tokens - 1, n_tokens)?,
        _ => x,
    };
    let x = final_norm(b, model, &x)?;
    let x = probe.at(b, HookPoint::global(Site::FinalNorm), x)?;
    let n_rows = b.shape(&x)[0];
    let x = if wanted == LogitsWanted::Last { b.rows(&x, n_rows - 1, n_rows)? } else { x };
    b.checkpoint()?;
    let logits = project_to_vocabulary(b, model, &x)?;
    probe.at(b, HookPoint::global(Site::Logits), logits)
}

/// Tokens to vectors, with learned positions added where the model has them.
fn embed<B: Backend>(pass: &Pass<'_, B>, probe: &mut Probe<'_, B>, tokens: &[u32]) -> Result<B::Tensor> {
    let (b, weights) = (pass.backend, &pass.model.weights);
    let x = b.embed(weights.global(Param::Embed)?, tokens)?;
    let x = probe.at(b, HookPoint::global(Site::Embed), x)?;
    if pass.model.config.positions != Positions::Learned {
        return Ok(x);
    }
    let len = b.sequence_len(pass.n_tokens);
    let positions: Vec<u32> = (0..pass.n_tokens).map(|i| (pass.start + i % len) as u32).collect();
    let p = b.embed(weights.global(Param::PosEmbed)?, &positions)?;
    let p = probe.at(b, HookPoint::global(Site::PosEmbed), p)?;
    b.add(&x, &p)
}

/// One block: attention, then the MLP or the experts, each reading a normalised copy of the stream and adding to it.
fn block<B: Backend>(
    pass: &mut Pass<'_, B>,
    probe: &mut Probe<'_, B>,
    layer: usize,
    x: B::Tensor,
) -> Result<B::Tensor> {
    let (b, model) = (pass.backend, pass.model);
    let at = |site| HookPoint::layer(layer, site);

    let x = probe.at(b, at(Site::ResidPre), x)?;
    let normed = probe.at(b, at(Site::Norm1), norm(b, model, &x, Some(layer), Param::Norm1, Param::Norm1Bias)?)?;
    let out = attention(pass, probe, layer, &normed)?;
    let out = probe.at(b, at(Site::AttnOut), out)?;
    let x = probe.at(b, at(Site::ResidMid), b.add(&x, &out)?)?;

    b.checkpoint()?;
    let normed = probe.at(b, at(Site::Norm2), norm(b, model, &x, Some(layer), Param::Norm2, Param::Norm2Bias)?)?;
    let out = match model.config.moe_in(layer) {
        None => mlp(pass, probe, layer, &normed)?,
        Some(config) => moe(pass, probe, layer, config, &normed)?,
    };
    let out = probe.at(b, at(Site::MlpOut), out)?;
    probe.at(b, at(Site::ResidPost), b.add(&x, &out)?)
}

/// Reads rows of the residual stream `[T, d_model]` as logits `[T, d_vocab]`: the final norm and the unembedding. On the
/// last layer's output this is the model's prediction; on an earlier layer's it is the logit lens.
pub fn unembed<B: Backend>(b: &B, model: &Model<B>, resid: &B::Tensor) -> Result<B::Tensor> {
    project_to_vocabulary(b, model, &final_norm(b, model, resid)?)
}

fn final_norm<B: Backend>(b: &B, model: &Model<B>, x: &B::Tensor) -> Result<B::Tensor> {
    norm(b, model, x, None, Param::FinalNorm, Param::FinalNormBias)
}

fn project_to_vocabulary<B: Backend>(b: &B, model: &Model<B>, x: &B::Tensor) -> Result<B::Tensor> {
    let table = if model.config.tied_embeddings { Param::Embed } else { Param::Unembed };
    b.linear(x, model.weights.global(table)?, None)
}

fn norm<B: Backend>(
    b: &B,
    model: &Model<B>,
    x: &B::Tensor,
    layer: Option<usize>,
    gain: Param,
    bias: Param,
) -> Result<B::Tensor> {
    let (config, weights) = (&model.config, &model.weights);
    let id = |param| TensorId { layer, expert: None, param };
    let gain = weights.get(id(gain))?;
    match config.norm {
        NormKind::Rms => b.rms_norm(x, gain, config.norm_eps),
        NormKind::Layer => b.layer_norm(x, gain, weights.optional(id(bias)), config.norm_eps),
    }
}

fn check_tokens(config: &ModelConfig, tokens: &[u32], start: usize, sequence_len: usize) -> Result<()> {
    if tokens.is_empty() {
        return Err(Error::EmptyPrompt);
    }
    if start + sequence_len > config.n_ctx {
        return Err(Error::ContextOverflow { tokens: start + sequence_len, n_ctx: config.n_ctx });
    }
    if !tokens.len().is_multiple_of(sequence_len) {
        let detail = format!("{} tokens are no whole number of sequences of {sequence_len}", tokens.len());
        return Err(Error::Shape { op: "forward", detail });
    }
    match tokens.iter().find(|&&id| id as usize >= config.d_vocab) {
        Some(&id) => Err(Error::TokenOutOfRange { id, d_vocab: config.d_vocab }),
        None => Ok(()),
    }
}
