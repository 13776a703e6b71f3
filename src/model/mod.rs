//! What a transformer *is*.
//!
//! This room holds the one definition of the model: its sizes ([`ModelConfig`]), the table of its parameters
//! ([`TensorSpec`]), the operations that it asks of a device ([`Backend`]), and [`forward`], the only forward pass in the
//! project. CPU inference, GPU inference and training are three backends under the same pass.
//!
//! A run can be *seen* and *changed* at named [`HookPoint`]s: a [`Probe`] records what a [`Capture`] asks for, and
//! applies [`Intervention`]s on the device, in the same visit. What is not asked for is not computed twice, not kept and
//! not read back.
//!
//! Nothing in here knows candle, wgpu, a file or a thread; `tests/architecture.rs` keeps it so.

mod activation;
mod attention;
mod backend;
mod cancel;
mod config;
mod distribution;
mod error;
mod forward;
mod hook;
mod intervention;
mod kv_cache;
mod mlp;
mod moe;
mod params;
mod probe;
pub mod quant;
mod rope;
pub mod sampler;
mod trace;
pub mod tweak;
mod weights;

pub use activation::Activation;
pub use backend::{Backend, DeviceInfo, DeviceKind, Expert, Mask, Slab, every_expert};
pub use cancel::Cancel;
pub use config::{ModelConfig, MoeConfig, NormKind, Positions, QkNorm, RopeScaling, RotaryConfig};
pub use error::{Error, Result};
pub use forward::{LogitsWanted, Model, forward, unembed};
pub use hook::{Axis, HookPoint, Site};
pub use intervention::{Edit, Intervention, Interventions, Region};
pub use kv_cache::KvCache;
pub use moe::route_row;
pub use params::{Param, Part, TensorId, TensorSpec};
pub use probe::{Capture, Probe};
pub use rope::Rotary;
pub use trace::{Recorded, Trace};
pub use weights::{Encoding, WeightData, Weights};
