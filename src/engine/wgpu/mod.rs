//! The graphics processor as a backend, through wgpu (Vulkan, Metal, Direct3D 12, GL).
//!
//! ```text
//! device    finds and opens an adapter, keeps its errors       weight    re-lays packed weights, splits large ones
//! pool      buffers for intermediate tensors                   kernel    the table of kernels/*.wgsl
//! stream    records launches, submits in short pieces          profile   times kernels by the device's clock
//! readback  brings values to the host                          backend   the operations of model::Backend
//! launch    grids and splitting                                product   matrix products, which kernel for which shape
//! experts   layers of experts                                  inspect   questions, measurements, pretences of tests
//! ```
//!
//! An operation records a launch and returns at once; nothing is computed until the stream is full enough, a result is
//! read, or the pass ends. All arithmetic is f32; quantised weights are decoded inside the kernels. Every kernel has a
//! plain twin on the processor, and `tests/kernels.rs` holds the two against each other over awkward shapes.
//!
//! The choice between two kernels for one operation depends on measured facts about the device, not on its name: where
//! the processor emulates the device, barriers are dear and a lane should do much; on a real one, neighbouring lanes
//! should read neighbouring words.

mod backend;
mod check;
mod device;
mod experts;
mod inspect;
mod kernel;
mod launch;
mod pool;
mod product;
mod profile;
mod readback;
mod stream;
mod weight;

pub use backend::{KvBuffer, Tensor, WgpuBackend};
pub use device::{AdapterInfo, adapters};
pub use kernel::{Kernel, KernelInfo};
pub use launch::Style;
pub use profile::KernelTime;
pub use weight::Weight;
