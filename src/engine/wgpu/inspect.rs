//! What may be asked of an open device besides computing: who it is, what it holds, how fast it is. And what a test may
//! pretend about it, so that every kernel and every way of splitting is reached on any device.

use std::collections::BTreeMap;

use super::backend::WgpuBackend;
use super::device::AdapterInfo;
use super::launch::Style;
use super::profile::KernelTime;
use crate::model::Result;

impl WgpuBackend {
    /// The adapter that was opened.
    pub fn adapter(&self) -> &AdapterInfo {
        &self.run.gpu.info
    }

    /// Whether the device went away. Everything on it is gone; a new backend has to be opened.
    pub fn is_lost(&self) -> bool {
        self.run.gpu.is_lost()
    }

    /// Chooses kernels for another kind of device than the one at hand, so that a test can reach them all.
    pub fn set_style(&mut self, style: Style) {
        self.run.style = style;
    }

    /// Pretends that the device binds at most so many bytes at once, so that a test need not make huge tensors.
    pub fn limit_tensors(&mut self, bytes: u64) {
        self.run.gpu.limit_tensors(bytes);
    }

    /// Pretends that a submit holds at most so many multiplications and additions, so that a test sees large operations
    /// split.
    pub fn limit_work(&mut self, work: f64) {
        self.run.limit_work(work);
    }

    /// Bytes of packed weights that matrix products have needed so far, each once per product. Divided by the time and by
    /// [`copy_bandwidth`](Self::copy_bandwidth), this says how near a run is to the device's memory.
    pub fn weight_bytes_read(&self) -> u64 {
        self.run.weight_bytes_read()
    }

    /// Bytes of all buffers on the device: weights, caches, intermediate tensors and idle buffers.
    pub fn allocated_bytes(&self) -> u64 {
        self.run.pool.allocated_bytes()
    }

    /// From here on every kernel is timed by the device's clock. Timed runs are slower than normal ones.
    pub fn start_profile(&self) -> Result<()> {
        self.run.start_profile()
    }

    /// Ends the timing: what each kernel took, by its name. `None` on a device without such a clock.
    pub fn end_profile(&self) -> Result<Option<BTreeMap<&'static str, KernelTime>>> {
        self.run.end_profile()
    }

    /// Waits until everything that was recorded is done.
    pub fn wait(&self) -> Result<()> {
        self.run.wait()
    }

    /// Destroys the device, as a driver's failure would. For tests of what follows.
    pub fn lose_device(&self) {
        self.run.gpu.device.destroy();
    }
}
