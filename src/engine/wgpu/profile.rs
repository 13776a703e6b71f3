//! Measuring where the time goes, with the device's own clock.
//!
//! While a profiler is installed, every dispatch runs in a pass of its own between two timestamps. That costs some
//! overlap, so profiling is off in normal runs.

use std::collections::BTreeMap;
use std::time::Duration;

use super::device::Gpu;
use crate::model::Result;

/// Dispatches that one submit may time: a query set holds at most 4096 timestamps.
const MAX_DISPATCHES: u32 = 1024;

/// What one kernel took, over all its dispatches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KernelTime {
    /// How often it ran.
    pub dispatches: u64,
    /// Its time on the device.
    pub total: Duration,
}

/// Times dispatches.
pub(super) struct Profiler {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    host: wgpu::Buffer,
    pending: Vec<&'static str>,
    n_resolved: usize,
    times: BTreeMap<&'static str, KernelTime>,
}

impl Profiler {
    /// `None` on a device without timestamps.
    pub(super) fn new(gpu: &Gpu) -> Option<Self> {
        if !gpu.features.contains(wgpu::Features::TIMESTAMP_QUERY) {
            return None;
        }
        let bytes = u64::from(2 * MAX_DISPATCHES) * 8;
        let buffer = |usage| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: bytes,
                usage,
                mapped_at_creation: false,
            })
        };
        Some(Self {
            queries: gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count: 2 * MAX_DISPATCHES,
            }),
            resolved: buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC),
            host: buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST),
            pending: Vec::new(),
            n_resolved: 0,
            times: BTreeMap::new(),
        })
    }

    /// Where the next pass, which runs kernel `name`, writes its timestamps.
    pub(super) fn begin(&mut self, name: &'static str) -> Option<wgpu::ComputePassTimestampWrites<'_>> {
        let at = 2 * self.pending.len() as u32;
        self.pending.push(name);
        Some(wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(at),
            end_of_pass_write_index: Some(at + 1),
        })
    }

    pub(super) fn is_full(&self) -> bool {
        self.pending.len() as u32 >= MAX_DISPATCHES
    }

    /// Copies the timestamps to where the host can read them.
    pub(super) fn resolve(&mut self, encoder: &mut wgpu::CommandEncoder) {
        let n = 2 * self.pending.len() as u32;
        self.n_resolved = self.pending.len();
        if n > 0 {
            encoder.resolve_query_set(&self.queries, 0..n, &self.resolved, 0);
            encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.host, 0, u64::from(n) * 8);
        }
    }

    /// Adds up the times of a submit that is done.
    pub(super) fn collect(&mut self, gpu: &Gpu) -> Result<()> {
        if self.n_resolved == 0 {
            return Ok(());
        }
        let slice = self.host.slice(..self.n_resolved as u64 * 16);
        slice.map_async(wgpu::MapMode::Read, |_| {});
        gpu.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|e| gpu.error(e.to_string()))?;
        {
            let view = slice.get_mapped_range().map_err(|e| gpu.error(e.to_string()))?;
            let period = f64::from(gpu.queue.get_timestamp_period());
            for (name, pair) in self.pending.drain(..).zip(view.chunks_exact(16)) {
                let tick = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
                let ticks = tick(&pair[8..]).saturating_sub(tick(&pair[..8]));
                let entry = self.times.entry(name).or_default();
                entry.dispatches += 1;
                entry.total += Duration::from_nanos((ticks as f64 * period) as u64);
            }
        }
        self.host.unmap();
        self.n_resolved = 0;
        Ok(())
    }

    /// The times so far, by kernel.
    pub(super) fn times(self) -> BTreeMap<&'static str, KernelTime> {
        self.times
    }
}
