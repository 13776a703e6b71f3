//! The weights of a model in training, and how they begin.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor, Var};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::backend::failed;
use super::ops::with_values;
use crate::model::{Error, ModelConfig, Param, Part, Result, TensorId, TensorSpec, Weights};

/// Every parameter of a model as a `Var`, in the order of its table.
pub struct Parameters {
    vars: BTreeMap<TensorId, Var>,
}

impl Parameters {
    /// Random beginnings, a function of the seed: gains at 1, biases at 0, matrices normal with a standard deviation of
    /// 1/√in, those that write into the residual stream smaller by √(2·layers) so that the stream does not grow with depth
    /// (the scheme of GPT-2).
    pub fn init(config: &ModelConfig, seed: u64) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let vars = config.tensors().into_iter().map(|spec| {
            let values = initial(&spec, config, &mut rng);
            let var = Var::from_vec(values, spec.shape.as_slice(), &Device::Cpu).map_err(failed)?;
            Ok((spec.id, var))
        });
        Ok(Self { vars: vars.collect::<Result<_>>()? })
    }

    /// The parameters as the forward pass takes them. They stay the same tensors while training changes their values.
    pub fn weights(&self) -> Weights<Tensor> {
        Weights::new(self.vars.iter().map(|(id, var)| (*id, var.as_tensor().clone())).collect())
    }

    /// Every parameter.
    pub fn iter(&self) -> impl Iterator<Item = (&TensorId, &Var)> {
        self.vars.iter()
    }

    /// The values of one parameter.
    pub fn values(&self, id: TensorId) -> Result<Vec<f32>> {
        with_values(self.var(id)?.as_tensor(), <[f32]>::to_vec).map_err(failed)
    }

    /// Replaces the values of one parameter.
    pub fn set(&self, id: TensorId, values: Vec<f32>) -> Result<()> {
        let var = self.var(id)?;
        let new = Tensor::from_vec(values, var.shape(), &Device::Cpu);
        new.and_then(|new| var.set(&new)).map_err(failed)
    }

    /// Changes the values of one parameter in place.
    pub fn update(&self, id: TensorId, change: impl FnOnce(&mut [f32])) -> Result<()> {
        let mut values = self.values(id)?;
        change(&mut values);
        self.set(id, values)
    }

    fn var(&self, id: TensorId) -> Result<&Var> {
        self.vars.get(&id).ok_or(Error::MissingTensor(id))
    }
}

fn initial(spec: &TensorSpec, config: &ModelConfig, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let n = spec.len() as usize;
    let [_, d_in] = spec.shape[..] else {
        let is_gain = spec.part == Part::Norm
            && !matches!(spec.id.param, Param::Norm1Bias | Param::Norm2Bias | Param::FinalNormBias);
        return vec![if is_gain { 1.0 } else { 0.0 }; n];
    };
    let deviation = match spec.id.param {
        // Small, so that the first predictions of a tied table are nearly uniform.
        Param::Embed | Param::PosEmbed | Param::Unembed => 0.05,
        Param::O | Param::Down => 1.0 / (d_in as f64 * 2.0 * config.n_layers as f64).sqrt(),
        _ => 1.0 / (d_in as f64).sqrt(),
    };
    (0..n).map(|_| (deviation * normal(rng)) as f32).collect()
}

/// A draw from the standard normal distribution (Box and Muller, 1958).
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (a, b): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}
