//! The training loop: text in, one step of the optimiser out, until the recipe's tokens are spent.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use candle_core::Tensor;
use candle_core::backprop::GradStore;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::backend::failed;
use super::checkpoint::{self, State};
use super::corpus::Split;
use super::experts;
use super::ops::{CrossEntropy, with_values};
use super::optimizer::Gradients;
use super::tokenizer::END_ID;
use super::{AdamW, Parameters, Recipe, Result, Schedule, TokenStream, TrainBackend, TrainError};
use crate::engine::tokenizer::Tokenizer;
use crate::model::{
    Capture, HookPoint, Interventions, KvCache, LogitsWanted, Model, ModelConfig, Probe, Site, forward,
};

/// The learning rate's warm-up, as a share of the run.
const WARMUP: f64 = 0.02;
/// What is left of the learning rate at the end.
const FLOOR: f64 = 0.05;
/// Rows of held-out text that a loss is measured on.
const HELD_OUT_ROWS: usize = 32;

/// One step, as it is plotted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Steps taken, this one included.
    pub step: usize,
    /// Loss on the batch before the step, in nats per token.
    pub loss: f64,
    /// The balancing loss of a mixture of experts; 1 is perfect balance.
    pub balance: Option<f64>,
    /// Norm of the gradient before it was clipped.
    pub norm: f64,
    /// Learning rate.
    pub rate: f64,
}

/// A training run.
pub struct Trainer {
    recipe: Recipe,
    seed: u64,
    schedule: Schedule,
    model: Model<TrainBackend>,
    parameters: Parameters,
    optimizer: AdamW,
    stream: TokenStream,
    held_out: (Vec<u32>, Vec<u32>),
    curve: Vec<CurvePoint>,
    /// Seconds of earlier sittings.
    seconds: f64,
    started: Instant,
}

/// The loss of one shard and its gradients.
struct Shard {
    loss: f64,
    balance: Option<f64>,
    gradients: Gradients,
}

impl Trainer {
    /// A run from its beginning. `steps` is how many it is to have: the learning rate falls over them.
    pub fn new(recipe: &Recipe, seed: u64, steps: usize, tokenizer: Arc<Tokenizer>, d_vocab: usize) -> Result<Self> {
        let config = recipe.config(d_vocab);
        let parameters = Parameters::init(&config, seed)?;
        let stream = |split| TokenStream::new(seed, split, tokenizer.clone(), END_ID, d_vocab);
        let held_out = stream(Split::HeldOut).batch(HELD_OUT_ROWS, recipe.sequence_len);
        let warmup = ((steps as f64 * WARMUP) as usize).max(1);
        Ok(Self {
            recipe: *recipe,
            seed,
            schedule: Schedule { peak: recipe.peak_rate, warmup, total: steps, floor: FLOOR },
            model: Model { config, weights: parameters.weights() },
            parameters,
            optimizer: AdamW::new(recipe.weight_decay),
            stream: stream(Split::Train),
            held_out,
            curve: Vec::new(),
            seconds: 0.0,
            started: Instant::now(),
        })
    }

    /// Steps taken.
    pub fn steps(&self) -> usize {
        self.optimizer.steps
    }

    /// Steps of the whole run.
    pub fn total_steps(&self) -> usize {
        self.schedule.total
    }

    /// Tokens of one step.
    pub fn tokens_per_step(&self) -> usize {
        self.recipe.batch * self.recipe.sequence_len
    }

    /// Seconds of training, those before a resumption included.
    pub fn seconds(&self) -> f64 {
        self.seconds + self.started.elapsed().as_secs_f64()
    }

    /// The losses so far.
    pub fn curve(&self) -> &[CurvePoint] {
        &self.curve
    }

    /// The architecture.
    pub fn config(&self) -> &ModelConfig {
        &self.model.config
    }

    /// The weights.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// One step on the next batch.
    pub fn step(&mut self) -> Result<CurvePoint> {
        let len = self.recipe.sequence_len;
        let (inputs, targets) = self.stream.batch(self.recipe.batch, len);
        let part = self.recipe.batch.div_ceil(self.recipe.shards) * len;
        let parts: Vec<_> = inputs.chunks(part).zip(targets.chunks(part)).collect();
        let shards: Vec<Shard> =
            parts.par_iter().map(|(inputs, targets)| self.shard(inputs, targets)).collect::<Result<_>>()?;

        let share = |tokens: usize| tokens as f64 / inputs.len() as f64;
        let shares: Vec<f64> = parts.iter().map(|(inputs, _)| share(inputs.len())).collect();
        let loss = shards.iter().zip(&shares).map(|(shard, share)| shard.loss * share).sum();
        let balances: Option<Vec<f64>> = shards.iter().map(|shard| shard.balance).collect();
        let balance = balances.map(|b| b.iter().zip(&shares).map(|(b, share)| b * share).sum());
        let gradients = sum(shards, &shares);
        let rate = self.schedule.rate(self.steps());
        let norm = self.optimizer.step(&self.parameters, &gradients, rate)?;
        let point = CurvePoint { step: self.steps(), loss, balance, norm, rate };
        self.curve.push(point);
        Ok(point)
    }

    /// The loss on held-out text, in nats per token.
    pub fn held_out_loss(&self) -> Result<f64> {
        let len = self.recipe.sequence_len;
        let rows: Vec<_> = self.held_out.0.chunks(8 * len).zip(self.held_out.1.chunks(8 * len)).collect();
        let losses: Vec<f64> = rows
            .par_iter()
            .map(|(inputs, targets)| {
                let (loss, _) = self.loss(inputs, targets)?;
                Ok(scalar(&loss)? * inputs.len() as f64)
            })
            .collect::<Result<_>>()?;
        Ok(losses.iter().sum::<f64>() / self.held_out.0.len() as f64)
    }

    /// Writes a checkpoint.
    pub fn save(&self, path: &Path) -> Result<()> {
        let position = self.stream.position();
        let state = State {
            recipe: self.recipe.id.into(),
            seed: self.seed,
            step: self.steps(),
            documents: position.documents,
            left: position.left,
            seconds: self.seconds(),
            curve: self.curve.clone(),
        };
        checkpoint::save(path, &state, &self.parameters, &self.optimizer)
    }

    /// Goes on from a checkpoint of the same recipe and seed.
    pub fn resume(&mut self, path: &Path) -> Result<()> {
        let state = checkpoint::load(path, &self.parameters, &mut self.optimizer)?;
        if (state.recipe.as_str(), state.seed) != (self.recipe.id, self.seed) {
            let problem = "is of another model or seed: name another folder, or remove it.";
            return Err(TrainError::File(format!("{} {problem}", path.display())));
        }
        self.stream.seek(state.position());
        self.curve = state.curve;
        self.seconds = state.seconds;
        self.started = Instant::now();
        Ok(())
    }

    /// The mean loss of some rows, and the balancing loss where there are experts.
    fn loss(&self, inputs: &[u32], targets: &[u32]) -> Result<(Tensor, Option<Tensor>)> {
        let backend = TrainBackend::new(self.recipe.sequence_len);
        let mut cache = KvCache::new(&backend, &self.model.config)?;
        let (config, interventions) = (&self.model.config, Interventions::default());
        let capture = Capture::none().with_site(Site::RouterLogits, config).with_site(Site::ExpertWeights, config);
        let mut probe = Probe::new(&capture, &interventions);
        let logits = forward(&backend, &self.model, inputs, &mut cache, &mut probe, LogitsWanted::All)?;
        let loss = logits.apply_op1(CrossEntropy::new(targets.into())).map_err(failed)?;
        let mut recorded: HashMap<HookPoint, Tensor> = probe.into_tensors().into_iter().collect();
        let mut take = |layer, site| recorded.remove(&HookPoint::layer(layer, site));
        let router: Vec<_> = config
            .moe_layers()
            .filter_map(|layer| take(layer, Site::RouterLogits).zip(take(layer, Site::ExpertWeights)))
            .collect();
        Ok((loss, experts::balance(&router).map_err(failed)?))
    }

    /// Loss and gradients of a part of a batch.
    fn shard(&self, inputs: &[u32], targets: &[u32]) -> Result<Shard> {
        let (loss, balance) = self.loss(inputs, targets)?;
        let total = match &balance {
            Some(balance) => (&loss + (balance * self.recipe.balance).map_err(failed)?).map_err(failed)?,
            None => loss.clone(),
        };
        let store = total.backward().map_err(failed)?;
        Ok(Shard {
            loss: scalar(&loss)?,
            balance: balance.as_ref().map(scalar).transpose()?,
            gradients: self.gradients(&store)?,
        })
    }

    /// The gradient of every parameter that the loss depends on; an expert that nobody chose has none.
    fn gradients(&self, store: &GradStore) -> Result<Gradients> {
        let reached = self.parameters.iter().filter_map(|(id, var)| store.get(var.as_tensor()).map(|grad| (*id, grad)));
        reached
            .map(|(id, grad)| Ok((id, with_values(grad, <[f32]>::to_vec).map_err(failed)?)))
            .collect::<Result<Gradients>>()
    }
}

fn scalar(x: &Tensor) -> Result<f64> {
    Ok(f64::from(with_values(x, |x| x[0]).map_err(failed)?))
}

/// The gradient of the whole batch: its parts' by their share, in their order.
fn sum(shards: Vec<Shard>, shares: &[f64]) -> Gradients {
    let mut sum = Gradients::new();
    for (shard, share) in shards.into_iter().zip(shares) {
        for (id, gradient) in shard.gradients {
            let share = *share as f32;
            match sum.entry(id) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(gradient.into_iter().map(|g| g * share).collect());
                }
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    entry.get_mut().iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g * share);
                }
            }
        }
    }
    sum
}
