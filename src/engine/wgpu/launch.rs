//! How an operation becomes one or more launches: workgroup sizes, grids, which of two kernels, and splitting.
//!
//! Workgroup sizes follow the kind of device. Where the processor emulates it, 8 invocations run in one vector register
//! and a workgroup of 8 needs no real barrier; a graphics processor wants at least a few subgroups per workgroup.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::device::Gpu;
use super::kernel::Kernel;
use super::pool::{Allocation, Pool};
use super::profile::{KernelTime, Profiler};
use super::readback::Readback;
use super::stream::{Dispatch, Stream};
use crate::model::{Cancel, Result};

/// Lengths of a tensor's axes.
pub(super) type Shape = Vec<usize>;

/// Most workgroups on one axis of a grid.
pub(super) const MAX_GROUPS: usize = 65_535;

/// Records launches on one device.
pub(super) struct Launcher {
    pub gpu: Gpu,
    pub pool: Pool,
    pub cancel: Cancel,
    pub style: Style,
    pub(super) stream: RefCell<Stream>,
    readback: RefCell<Readback>,
    nothing: Arc<Allocation>,
    pub(super) weight_bytes_read: Cell<u64>,
    /// Experts that a token visits, as the last router said.
    pub(super) top_k: Cell<usize>,
}

/// What kind of kernel a device likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// One invocation does much and waits for nobody: for a device that the processor emulates.
    FewBarriers,
    /// Many invocations share a row, and neighbours read neighbouring words: for graphics processors.
    ManyLanes,
}

/// The sizes of one attention.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub n_queries: usize,
    pub n_keys: usize,
    pub n_heads: usize,
    pub n_kv_heads: usize,
    pub d_head: usize,
}

/// How many invocations a kernel needs that computes `n` values one by one.
pub(super) struct Flat(usize);

/// A grid for `n` values, one invocation each.
pub(super) fn flat(n: usize) -> Flat {
    Flat(n)
}

/// A grid of `n` workgroups, folded into two axes where one is too short.
fn fold(n: usize) -> [u32; 3] {
    let x = n.min(32_768);
    [x as u32, n.div_ceil(x.max(1)) as u32, 1]
}

impl Launcher {
    pub(super) fn new(gpu: Gpu, cancel: Cancel) -> Result<Self> {
        let pool = Pool::default();
        let (stream, nothing) = (Stream::new(&gpu)?, pool.own(&gpu, 256)?);
        let style = if gpu.is_software { Style::FewBarriers } else { Style::ManyLanes };
        Ok(Self {
            gpu,
            pool,
            cancel,
            style,
            stream: RefCell::new(stream),
            readback: RefCell::default(),
            nothing,
            weight_bytes_read: Cell::new(0),
            top_k: Cell::new(1),
        })
    }

    /// Workgroup size of kernels without a barrier.
    pub(super) fn wide(&self) -> u32 {
        64
    }

    /// Workgroup size of kernels that reduce a row.
    pub(super) fn reduce(&self) -> u32 {
        match self.style {
            Style::FewBarriers => 8,
            Style::ManyLanes => 64,
        }
    }

    /// What stands in for a buffer that a kernel's variant does not read.
    pub(super) fn nothing(&self) -> &Allocation {
        &self.nothing
    }

    pub(super) fn weight_bytes_read(&self) -> u64 {
        self.weight_bytes_read.get()
    }

    /// A buffer for a tensor that a kernel will write.
    pub(super) fn buffer(&self, shape: &[usize]) -> Result<Arc<Allocation>> {
        self.pool.take(&self.gpu, shape.iter().product::<usize>() as u64 * 4)
    }

    /// A buffer with these bytes in it.
    pub(super) fn host_buffer(&self, bytes: &[u8]) -> Result<Arc<Allocation>> {
        let buffer = self.pool.take_for_host(&self.gpu, bytes.len() as u64)?;
        self.gpu.queue.write_buffer(&buffer.buffer, 0, bytes);
        Ok(buffer)
    }

    /// Stops a cancelled run, and passes on what the device has reported.
    pub(super) fn checkpoint(&self) -> Result<()> {
        self.cancel.check()?;
        self.gpu.check()
    }

    pub(super) fn wait(&self) -> Result<()> {
        let mut stream = self.stream.borrow_mut();
        stream.submit(&self.gpu, &self.pool)?;
        stream.wait(&self.gpu)
    }

    pub(super) fn read(&self, tensors: &[(&Allocation, usize)]) -> Result<Vec<Vec<f32>>> {
        let stream = &mut self.stream.borrow_mut();
        self.readback.borrow_mut().read(&self.gpu, &self.pool, stream, &self.cancel, tensors)
    }

    pub(super) fn limit_work(&self, work: f64) {
        self.stream.borrow_mut().limit_work(work);
    }

    pub(super) fn start_profile(&self) -> Result<()> {
        self.wait()?;
        self.stream.borrow_mut().profiler = Profiler::new(&self.gpu);
        self.gpu.check()
    }

    pub(super) fn end_profile(&self) -> Result<Option<BTreeMap<&'static str, KernelTime>>> {
        self.wait()?;
        Ok(self.stream.borrow_mut().profiler.take().map(Profiler::times))
    }

    /// A launch with one invocation per value.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn launch(
        &self,
        kernel: Kernel,
        wg: u32,
        constants: &[(&'static str, f64)],
        inputs: &[&Allocation],
        output: &Allocation,
        params: &[u32],
        n: Flat,
    ) -> Result<()> {
        let work = n.0 as f64;
        self.launch_work(kernel, wg, constants, inputs, output, params, n, work)
    }

    /// The same, for kernels that do more than a few operations per value.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn launch_work(
        &self,
        kernel: Kernel,
        wg: u32,
        constants: &[(&'static str, f64)],
        inputs: &[&Allocation],
        output: &Allocation,
        params: &[u32],
        Flat(n): Flat,
        work: f64,
    ) -> Result<()> {
        let groups = fold(n.div_ceil(wg as usize));
        self.dispatch(&Dispatch { kernel, wg, constants, inputs, output, params, groups, work })
    }

    /// A launch with one workgroup per row.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn launch_rows(
        &self,
        kernel: Kernel,
        wg: u32,
        constants: &[(&'static str, f64)],
        inputs: &[&Allocation],
        output: &Allocation,
        params: &[u32],
        rows: usize,
    ) -> Result<()> {
        let (groups, work) = (fold(rows), output.bytes as f64);
        self.dispatch(&Dispatch { kernel, wg, constants, inputs, output, params, groups, work })
    }

    pub(super) fn dispatch(&self, launch: &Dispatch<'_>) -> Result<()> {
        self.stream.borrow_mut().dispatch(&self.gpu, &self.pool, &self.cancel, launch)
    }

    /// Copies `n` values.
    pub(super) fn copy(&self, x: &Allocation, from: usize, y: &Allocation, to: usize, n: usize) -> Result<()> {
        let params = [n as u32, from as u32, to as u32];
        self.launch(Kernel::Copy, self.wide(), &[], &[x], y, &params, flat(n))
    }

    /// A buffer that holds at least `n` values, the first `kept` of which are those of `old`.
    pub(super) fn grown(&self, old: Option<&Arc<Allocation>>, kept: usize, n: usize) -> Result<Arc<Allocation>> {
        let bytes = n as u64 * 4;
        if let Some(old) = old.filter(|old| old.bytes >= bytes) {
            return Ok(old.clone());
        }
        let doubled = bytes.next_power_of_two().max(16 << 10).min(self.gpu.max_tensor_bytes().max(bytes));
        let new = self.pool.own(&self.gpu, doubled)?;
        if let Some(old) = old {
            self.copy(old, 0, &new, 0, kept)?;
        }
        Ok(new)
    }

    /// Whether attention should write its pattern of `n` values down after all. The fused kernel saves memory, and time
    /// where lanes wait for each other cheaply; three plain kernels with tiles in registers are five times faster where
    /// they do not.
    pub(super) fn keeps_pattern(&self, n: usize) -> bool {
        self.style == Style::FewBarriers && n as u64 * 4 <= self.gpu.max_tensor_bytes() / 2
    }

    /// A kernel with one invocation per tile of 4 rows of queries, where a row is a query at one head of a group, and
    /// `n_tiles` tiles of keys or dimensions. Split by queries.
    pub(super) fn tiles(
        &self,
        kernel: Kernel,
        inputs: &[&Allocation],
        output: &Allocation,
        sizes: Sizes,
        n_tiles: usize,
    ) -> Result<()> {
        let Sizes { n_queries, n_keys, n_heads, n_kv_heads, d_head } = sizes;
        self.by_queries(sizes, 2.0, |begin, end, work| {
            let params = [n_queries, n_keys, n_heads, n_kv_heads, d_head, begin, end].map(|n| n as u32);
            let row_tiles = ((end - begin) * n_heads / n_kv_heads).div_ceil(4);
            let n = flat(n_kv_heads * row_tiles * n_tiles);
            self.launch_work(kernel, self.wide(), &[], inputs, output, &params, n, work)
        })
    }

    /// The fused attention: one workgroup per query and head. Split by queries.
    pub(super) fn attention(&self, qkv: [&Allocation; 3], z: &Allocation, sizes: Sizes, params: &[u32]) -> Result<()> {
        self.by_queries(sizes, 4.0, |begin, end, work| {
            self.dispatch(&Dispatch {
                kernel: Kernel::Attention,
                wg: self.reduce(),
                constants: &[("D_HEAD", sizes.d_head as f64)],
                inputs: &qkv,
                output: z,
                params: &[params, &[begin as u32]].concat(),
                groups: [sizes.n_heads as u32, (end - begin) as u32, 1],
                work,
            })
        })
    }

    /// Cuts attention over runs of queries so that each launch stays within the stream's budget.
    fn by_queries(
        &self,
        s: Sizes,
        operations: f64,
        mut launch: impl FnMut(usize, usize, f64) -> Result<()>,
    ) -> Result<()> {
        let work = operations * (s.n_heads * s.n_keys * s.d_head) as f64;
        let per_launch = ((self.stream.borrow().budget() / work) as usize).clamp(1, MAX_GROUPS);
        for begin in (0..s.n_queries).step_by(per_launch) {
            let end = s.n_queries.min(begin + per_launch);
            launch(begin, end, work * (end - begin) as f64)?;
        }
        Ok(())
    }

    /// Bytes per second of a copy, the best of a few rounds.
    pub(super) fn copy_bandwidth(&self) -> Result<f64> {
        let bytes = (64 << 20).min(self.gpu.max_tensor_bytes() / 2);
        let (from, to) = (self.pool.own(&self.gpu, bytes)?, self.pool.own(&self.gpu, bytes)?);
        let mut best = 0.0f64;
        for round in 0..6 {
            self.checkpoint()?;
            self.wait()?;
            let begin = Instant::now();
            self.stream.borrow_mut().encoder(&self.gpu).copy_buffer_to_buffer(&from.buffer, 0, &to.buffer, 0, bytes);
            self.wait()?;
            let rate = 2.0 * bytes as f64 / begin.elapsed().as_secs_f64();
            // The first round also pays for the pages.
            best = if round == 0 { 0.0 } else { best.max(rate) };
        }
        Ok(best)
    }
}
