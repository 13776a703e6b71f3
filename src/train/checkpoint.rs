//! A training run on disk: weights, the optimiser's moments, and where the text stood, in one safetensors file that is
//! replaced as a whole, so that a run cut off at any moment goes on from its last checkpoint.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::stream::Position;
use super::{AdamW, CurvePoint, Parameters, Result, TrainError};
use crate::model::TensorId;

/// What the file says beside its tensors.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct State {
    /// The recipe's name: a checkpoint belongs to one.
    pub recipe: String,
    /// The run's seed.
    pub seed: u64,
    /// Steps taken.
    pub step: usize,
    /// Documents begun.
    pub documents: u64,
    /// Tokens left of the last.
    pub left: usize,
    /// Seconds of training so far.
    pub seconds: f64,
    /// The losses so far.
    pub curve: Vec<CurvePoint>,
}

impl State {
    pub fn position(&self) -> Position {
        Position { documents: self.documents, left: self.left }
    }
}

/// The key of the metadata that holds the state.
const STATE: &str = "glassbox.training";

fn sentence(path: &Path, what: &str) -> TrainError {
    TrainError::File(format!("{} {what}", path.display()))
}

/// Writes a checkpoint.
pub(super) fn save(path: &Path, state: &State, parameters: &Parameters, optimizer: &AdamW) -> Result<()> {
    let mut tensors: Vec<(String, Vec<f32>)> = Vec::new();
    for (&id, _) in parameters.iter() {
        tensors.push((format!("w.{id}"), parameters.values(id)?));
        if let Some((m, v)) = optimizer.moments.get(&id) {
            tensors.push((format!("m.{id}"), m.clone()));
            tensors.push((format!("v.{id}"), v.clone()));
        }
    }
    let fail = |e: &dyn std::fmt::Display| sentence(path, &format!("could not be written ({e}): check the disk."));
    let views = tensors
        .iter()
        .map(|(name, values)| {
            TensorView::new(Dtype::F32, vec![values.len()], bytemuck::cast_slice(values)).map(|view| (name, view))
        })
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|e| fail(&e))?;
    let state = serde_json::to_string(state).map_err(|e| fail(&e))?;
    let metadata = Some(HashMap::from([(STATE.to_string(), state)]));
    let part = path.with_extension("part");
    safetensors::serialize_to_file(views, metadata, &part).map_err(|e| fail(&e))?;
    std::fs::rename(&part, path).map_err(|e| fail(&e))
}

/// Reads a checkpoint into the parameters and an optimiser.
pub(super) fn load(path: &Path, parameters: &Parameters, optimizer: &mut AdamW) -> Result<State> {
    let damaged = |e: &dyn std::fmt::Display| {
        sentence(path, &format!("is no checkpoint that can be gone on from ({e}): remove it to start again."))
    };
    let bytes = std::fs::read(path).map_err(|e| damaged(&e))?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(&e))?;
    let state = header.metadata().as_ref().and_then(|m| m.get(STATE)).ok_or_else(|| damaged(&"it has no state"))?;
    let state: State = serde_json::from_str(state).map_err(|e| damaged(&e))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| damaged(&e))?;
    let values = |name: String, len: usize| -> Result<Vec<f32>> {
        let tensor = file.tensor(&name).map_err(|e| damaged(&e))?;
        if tensor.dtype() != Dtype::F32 || tensor.data().len() != 4 * len {
            return Err(damaged(&format!("{name} has another size")));
        }
        let (numbers, _) = tensor.data().as_chunks::<4>();
        Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    };
    let ids: Vec<(TensorId, usize)> = parameters.iter().map(|(id, var)| (*id, var.elem_count())).collect();
    for (id, len) in ids {
        parameters.set(id, values(format!("w.{id}"), len)?)?;
        if file.tensor(&format!("m.{id}")).is_ok() {
            optimizer.moments.insert(id, (values(format!("m.{id}"), len)?, values(format!("v.{id}"), len)?));
        }
    }
    optimizer.steps = state.step;
    Ok(state)
}
