//! Parameters: as a file holds them ([`WeightData`]) and as a backend holds them ([`Weights`]).

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Error, Expert, Param, Result, TensorId};

/// How the numbers of a tensor are stored. Block formats are those of GGML; `quant` decodes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(non_camel_case_types, missing_docs)]
pub enum Encoding {
    F32,
    F16,
    BF16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q4_K,
    Q5_K,
    Q6_K,
}

/// A tensor as the file holds it: bytes that are still encoded.
#[derive(Debug, Clone)]
pub struct WeightData {
    /// How `bytes` are to be read.
    pub encoding: Encoding,
    /// `[out, in]`, row-major; blocks run along `in`.
    pub shape: Vec<usize>,
    /// The encoded rows, one after the other, little-endian.
    pub bytes: Arc<Vec<u8>>,
}

/// The parameters of a model on a backend, by their place in the config's table.
#[derive(Debug)]
pub struct Weights<W> {
    table: HashMap<TensorId, W>,
}

impl<W> Weights<W> {
    /// Weights from their table.
    pub fn new(table: HashMap<TensorId, W>) -> Self {
        Self { table }
    }

    /// A parameter that must be there.
    pub fn get(&self, id: TensorId) -> Result<&W> {
        self.table.get(&id).ok_or(Error::MissingTensor(id))
    }

    /// A parameter outside the blocks.
    pub fn global(&self, param: Param) -> Result<&W> {
        self.get(TensorId::global(param))
    }

    /// A parameter of a block.
    pub fn at(&self, layer: usize, param: Param) -> Result<&W> {
        self.get(TensorId::layer(layer, param))
    }

    /// A parameter that some families lack.
    pub fn optional(&self, id: TensorId) -> Option<&W> {
        self.table.get(&id)
    }

    /// A matrix of a block with its bias, if it has one.
    pub fn linear(&self, layer: usize, weight: Param, bias: Param) -> Result<(&W, Option<&W>)> {
        Ok((self.at(layer, weight)?, self.optional(TensorId::layer(layer, bias))))
    }

    /// The experts of a block.
    pub fn experts(&self, layer: usize, n_experts: usize) -> Result<Vec<Expert<'_, W>>> {
        let expert = |expert: usize| {
            let get = |param| self.get(TensorId::expert(layer, expert, param));
            Ok(Expert { gate: get(Param::Gate)?, up: get(Param::Up)?, down: get(Param::Down)? })
        };
        (0..n_experts).map(expert).collect()
    }

    /// Every parameter.
    pub fn iter(&self) -> impl Iterator<Item = (&TensorId, &W)> {
        self.table.iter()
    }
}
