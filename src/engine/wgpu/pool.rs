//! Buffers for intermediate tensors, used again and again.
//!
//! A pass makes some hundred short-lived tensors; asking the driver for each would cost more than computing them. A
//! dropped tensor's buffer goes back to a shelf of its size class (eight classes per power of two, so that at most an
//! eighth is wasted), and the next tensor of that class takes it. Commands run in the order in which they were recorded,
//! so a kernel may overwrite a buffer whose last reader was recorded before it. The host may not: its writes overtake
//! what is recorded but not submitted, so it takes only buffers that were idle since the last submit.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::device::{Gpu, lock};
use crate::model::Result;

/// Idle bytes above which buffers are given back to the driver.
const MAX_IDLE_BYTES: u64 = 512 << 20;
/// Submits for which a buffer may lie idle before it is given back.
const MAX_IDLE_SUBMITS: u64 = 256;
const SMALLEST: u64 = 256;

/// A buffer on the device. Dropping it returns it to its pool.
pub(super) struct Allocation {
    pub buffer: wgpu::Buffer,
    /// Names the buffer in the cache of bind groups.
    pub id: u64,
    pub bytes: u64,
    home: Arc<Shared>,
    pooled: bool,
}

/// The shelves of one device.
#[derive(Clone, Default)]
pub(super) struct Pool(Arc<Shared>);

#[derive(Default)]
struct Shared {
    shelves: Mutex<Shelves>,
    /// Counts submits: what was dropped before the current count is no longer part of unsubmitted commands.
    epoch: AtomicU64,
    /// Counts buffers that left for good, so that bind groups which hold them can be dropped too.
    retired: AtomicU64,
    next_id: AtomicU64,
    allocated: AtomicU64,
}

#[derive(Default)]
struct Shelves {
    idle: BTreeMap<u64, Vec<Idle>>,
    idle_bytes: u64,
}

struct Idle {
    buffer: wgpu::Buffer,
    id: u64,
    since: u64,
}

impl Pool {
    /// A buffer of at least `bytes` for a kernel to write.
    pub(super) fn take(&self, gpu: &Gpu, bytes: u64) -> Result<Arc<Allocation>> {
        self.take_idle(gpu, bytes, u64::MAX)
    }

    /// A buffer that the host may write now.
    pub(super) fn take_for_host(&self, gpu: &Gpu, bytes: u64) -> Result<Arc<Allocation>> {
        self.take_idle(gpu, bytes, self.0.epoch.load(Ordering::Relaxed))
    }

    /// A buffer of its own, which is given back to the driver when it is dropped.
    pub(super) fn own(&self, gpu: &Gpu, bytes: u64) -> Result<Arc<Allocation>> {
        self.create(gpu, bytes.max(SMALLEST).next_multiple_of(16), false)
    }

    fn take_idle(&self, gpu: &Gpu, bytes: u64, before: u64) -> Result<Arc<Allocation>> {
        let class = class_of(bytes).min(gpu.max_tensor_bytes().max(bytes));
        {
            let mut shelves = lock(&self.0.shelves);
            if let Some(shelf) = shelves.idle.get_mut(&class)
                && let Some(at) = shelf.iter().rposition(|idle| idle.since < before)
            {
                let Idle { buffer, id, .. } = shelf.remove(at);
                shelves.idle_bytes -= class;
                return Ok(Arc::new(Allocation { buffer, id, bytes: class, home: self.0.clone(), pooled: true }));
            }
        }
        self.trim();
        self.create(gpu, class, true)
    }

    /// Gives back what nobody used for long: a growing context leaves ever new size classes behind.
    fn trim(&self) {
        let oldest = self.0.epoch.load(Ordering::Relaxed).saturating_sub(MAX_IDLE_SUBMITS);
        let mut shelves = lock(&self.0.shelves);
        let mut freed = 0;
        shelves.idle.retain(|class, shelf| {
            let before = shelf.len();
            shelf.retain(|idle| idle.since >= oldest);
            freed += (before - shelf.len()) as u64 * class;
            !shelf.is_empty()
        });
        if freed > 0 {
            shelves.idle_bytes -= freed;
            self.0.allocated.fetch_sub(freed, Ordering::Relaxed);
            self.0.retired.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn create(&self, gpu: &Gpu, bytes: u64, pooled: bool) -> Result<Arc<Allocation>> {
        if bytes > gpu.max_tensor_bytes() {
            return Err(gpu.error(format!(
                "one tensor of this run needs {} MiB, and the device takes at most {} MiB at once; use a shorter prompt \
                 or the CPU.",
                bytes >> 20,
                gpu.max_tensor_bytes() >> 20
            )));
        }
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let descriptor = wgpu::BufferDescriptor { label: None, size: bytes, usage, mapped_at_creation: false };
        let buffer = gpu.device.create_buffer(&descriptor);
        gpu.check()?;
        self.0.allocated.fetch_add(bytes, Ordering::Relaxed);
        let id = self.0.next_id.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(Allocation { buffer, id, bytes, home: self.0.clone(), pooled }))
    }

    /// Everything recorded so far was submitted.
    pub(super) fn submitted(&self) {
        self.0.epoch.fetch_add(1, Ordering::Relaxed);
    }

    /// How many buffers left for good.
    pub(super) fn retired(&self) -> u64 {
        self.0.retired.load(Ordering::Relaxed)
    }

    /// Bytes of all living buffers, idle ones included.
    pub(super) fn allocated_bytes(&self) -> u64 {
        self.0.allocated.load(Ordering::Relaxed)
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        let mut shelves = lock(&self.home.shelves);
        if self.pooled && shelves.idle_bytes + self.bytes <= MAX_IDLE_BYTES {
            let since = self.home.epoch.load(Ordering::Relaxed);
            let idle = Idle { buffer: self.buffer.clone(), id: self.id, since };
            shelves.idle.entry(self.bytes).or_default().push(idle);
            shelves.idle_bytes += self.bytes;
        } else {
            self.home.retired.fetch_add(1, Ordering::Relaxed);
            self.home.allocated.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

/// The size class of a request: eight steps per power of two.
fn class_of(bytes: u64) -> u64 {
    let bytes = bytes.max(SMALLEST);
    let step = (bytes.next_power_of_two() / 16).max(SMALLEST);
    bytes.next_multiple_of(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_what_is_asked_for_and_waste_little() {
        for bytes in [0, 1, 255, 256, 257, 4095, 4097, 1 << 20, (1 << 20) + 1, 100_000_007] {
            let class = class_of(bytes);
            assert!(class >= bytes && class.is_multiple_of(SMALLEST));
            assert!(class - bytes <= (bytes / 8).max(SMALLEST), "{bytes} bytes lie in a buffer of {class}");
        }
    }
}
