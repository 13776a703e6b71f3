//! Recording kernels and handing them to the device.
//!
//! Operations only *record*: a dispatch joins an open command encoder, its parameters a slot of a uniform buffer that is
//! written once per submit. A submit is kept short (about [`TARGET`]), and at most [`IN_FLIGHT`] of them are on their
//! way, so that a cancelled run leaves the device within some 50 ms. How much work fits in a submit is learnt from how
//! long the last ones took. Pipelines and bind groups are built once and kept.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::device::Gpu;
use super::kernel::Kernel;
use super::pool::{Allocation, Pool};
use super::profile::Profiler;
use crate::model::{Cancel, Result};

/// How long one submit should take.
const TARGET: Duration = Duration::from_millis(15);
/// Submits that may be on their way at once: one that runs and one that waits.
const IN_FLIGHT: usize = 2;
/// A device that is silent for so long is given up.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// Parameter slots: dispatches per submit.
const SLOTS: usize = 512;
/// Bytes of the largest parameter block.
const PARAM_BYTES: u64 = 64;
const MAX_BIND_GROUPS: usize = 8192;

/// One kernel launch.
pub(super) struct Dispatch<'a> {
    pub kernel: Kernel,
    /// Invocations per workgroup.
    pub wg: u32,
    /// Its other `override` constants.
    pub constants: &'a [(&'static str, f64)],
    pub inputs: &'a [&'a Allocation],
    pub output: &'a Allocation,
    pub params: &'a [u32],
    /// Workgroups on each axis.
    pub groups: [u32; 3],
    /// Multiplications and additions, roughly.
    pub work: f64,
}

/// The open command encoder and what it draws on.
pub(super) struct Stream {
    encoder: Option<wgpu::CommandEncoder>,
    pass: Option<wgpu::ComputePass<'static>>,
    params: Vec<u8>,
    params_buffer: wgpu::Buffer,
    slot_bytes: usize,
    /// By number of inputs.
    layouts: Vec<(wgpu::BindGroupLayout, wgpu::PipelineLayout)>,
    modules: HashMap<Kernel, wgpu::ShaderModule>,
    pipelines: HashMap<(Kernel, u32, Vec<u64>), wgpu::ComputePipeline>,
    bind_groups: HashMap<[u64; 5], wgpu::BindGroup>,
    retired: u64,
    work: f64,
    budget: f64,
    max_budget: f64,
    in_flight: VecDeque<wgpu::SubmissionIndex>,
    last_done: Instant,
    /// Times every dispatch, while it is there.
    pub profiler: Option<Profiler>,
}

impl Stream {
    pub(super) fn new(gpu: &Gpu) -> Result<Self> {
        let slot_bytes = (gpu.limits.min_uniform_buffer_offset_alignment as usize).max(PARAM_BYTES as usize);
        let params_buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("parameters"),
            size: (SLOTS * slot_bytes) as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let most = Kernel::ALL.iter().map(|k| k.info().n_inputs).max().unwrap_or(0);
        let layouts = (0..=most).map(|n_inputs| layout(&gpu.device, n_inputs)).collect();
        gpu.check()?;
        Ok(Self {
            encoder: None,
            pass: None,
            params: Vec::with_capacity(SLOTS * slot_bytes),
            params_buffer,
            slot_bytes,
            layouts,
            modules: HashMap::new(),
            pipelines: HashMap::new(),
            bind_groups: HashMap::new(),
            retired: 0,
            work: 0.0,
            // A cautious start; it adapts within a few submits.
            budget: if gpu.is_software { 2e7 } else { 5e8 },
            max_budget: 1e12,
            in_flight: VecDeque::new(),
            last_done: Instant::now(),
            profiler: None,
        })
    }

    /// How much work one dispatch should hold at most; larger operations are split.
    pub(super) fn budget(&self) -> f64 {
        self.budget
    }

    /// Lowers the most work that a submit holds.
    pub(super) fn limit_work(&mut self, work: f64) {
        self.max_budget = work;
        self.budget = self.budget.min(work);
    }

    /// Records a launch, and submits what was recorded once that is enough work.
    pub(super) fn dispatch(&mut self, gpu: &Gpu, pool: &Pool, cancel: &Cancel, launch: &Dispatch<'_>) -> Result<()> {
        if launch.groups.contains(&0) {
            return Ok(());
        }
        let pipeline = self.pipeline(gpu, launch)?;
        let offset = self.params.len() as u32;
        self.params.extend(launch.params.iter().flat_map(|word| word.to_le_bytes()));
        self.params.resize(offset as usize + self.slot_bytes, 0);
        let bind_group = self.bind_group(gpu, pool, launch);

        if self.profiler.is_some() {
            self.end_pass();
        }
        if self.pass.is_none() {
            let encoder = self.encoder.get_or_insert_with(|| gpu.device.create_command_encoder(&Default::default()));
            let timestamp_writes = self.profiler.as_mut().and_then(|p| p.begin(launch.kernel.info().name));
            let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes };
            self.pass = Some(encoder.begin_compute_pass(&descriptor).forget_lifetime());
        }
        if let Some(pass) = &mut self.pass {
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &bind_group, &[offset]);
            let [x, y, z] = launch.groups;
            pass.dispatch_workgroups(x, y, z);
        }

        self.work += launch.work;
        let full =
            self.params.len() >= SLOTS * self.slot_bytes || self.profiler.as_ref().is_some_and(Profiler::is_full);
        if self.work >= self.budget || full {
            self.submit(gpu, pool)?;
            cancel.check()?;
        }
        Ok(())
    }

    /// The encoder, outside any pass.
    pub(super) fn encoder(&mut self, gpu: &Gpu) -> &mut wgpu::CommandEncoder {
        self.end_pass();
        self.encoder.get_or_insert_with(|| gpu.device.create_command_encoder(&Default::default()))
    }

    /// Hands everything that was recorded to the device.
    pub(super) fn submit(&mut self, gpu: &Gpu, pool: &Pool) -> Result<()> {
        self.end_pass();
        if let Some(mut encoder) = self.encoder.take() {
            if let Some(profiler) = &mut self.profiler {
                profiler.resolve(&mut encoder);
            }
            gpu.queue.write_buffer(&self.params_buffer, 0, &self.params);
            self.params.clear();
            if self.in_flight.is_empty() {
                self.last_done = Instant::now();
            }
            self.in_flight.push_back(gpu.queue.submit([encoder.finish()]));
            pool.submitted();
            if self.profiler.is_some() {
                self.wait(gpu)?;
                if let Some(profiler) = &mut self.profiler {
                    profiler.collect(gpu)?;
                }
            }
        }
        let worth_learning = self.work >= 0.5 * self.budget;
        self.work = 0.0;
        while self.in_flight.len() >= IN_FLIGHT {
            self.wait_for_oldest(gpu)?;
            if worth_learning {
                let took = self.last_done.elapsed().as_secs_f64().max(1e-5);
                let change = (TARGET.as_secs_f64() / took).clamp(0.5, 1.5);
                self.budget = (self.budget * change).clamp(1e6, 1e12).min(self.max_budget);
            }
            self.last_done = Instant::now();
        }
        gpu.check()
    }

    /// Waits until the device has done all that was submitted.
    pub(super) fn wait(&mut self, gpu: &Gpu) -> Result<()> {
        while !self.in_flight.is_empty() {
            self.wait_for_oldest(gpu)?;
        }
        gpu.check()
    }

    fn wait_for_oldest(&mut self, gpu: &Gpu) -> Result<()> {
        let submission_index = self.in_flight.pop_front();
        let wait = wgpu::PollType::Wait { submission_index, timeout: Some(PATIENCE) };
        match gpu.device.poll(wait) {
            Ok(_) => Ok(()),
            Err(error) => Err(gpu.give_up(error.to_string())),
        }
    }

    fn end_pass(&mut self) {
        self.pass = None;
    }

    fn pipeline(&mut self, gpu: &Gpu, launch: &Dispatch<'_>) -> Result<wgpu::ComputePipeline> {
        let values = launch.constants.iter().map(|(_, value)| value.to_bits()).collect();
        let key = (launch.kernel, launch.wg, values);
        if let Some(pipeline) = self.pipelines.get(&key) {
            return Ok(pipeline.clone());
        }
        let info = launch.kernel.info();
        let module = self.modules.entry(launch.kernel).or_insert_with(|| {
            gpu.device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(info.name),
                source: wgpu::ShaderSource::Wgsl(info.source.into()),
            })
        });
        let mut constants = vec![("WG", f64::from(launch.wg))];
        constants.extend(launch.constants);
        let pipeline = gpu.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(info.name),
            layout: Some(&self.layouts[info.n_inputs].1),
            module,
            entry_point: Some("main"),
            // Every kernel writes workgroup memory before it reads it.
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        gpu.check()?;
        self.pipelines.insert(key, pipeline.clone());
        Ok(pipeline)
    }

    fn bind_group(&mut self, gpu: &Gpu, pool: &Pool, launch: &Dispatch<'_>) -> wgpu::BindGroup {
        if self.retired != pool.retired() || self.bind_groups.len() >= MAX_BIND_GROUPS {
            self.retired = pool.retired();
            self.bind_groups.clear();
        }
        let mut key = [u64::MAX; 5];
        let buffers = launch.inputs.iter().copied().chain([launch.output]);
        for (slot, allocation) in key.iter_mut().zip(buffers.clone()) {
            *slot = allocation.id;
        }
        let (layout, params) = (&self.layouts[launch.inputs.len()].0, &self.params_buffer);
        let group = self.bind_groups.entry(key).or_insert_with(|| {
            let size = wgpu::BufferSize::new(PARAM_BYTES);
            let params = wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: params, offset: 0, size });
            let resources = std::iter::once(params).chain(buffers.map(|a| a.buffer.as_entire_binding()));
            let entries: Vec<_> =
                (0..).zip(resources).map(|(b, r)| wgpu::BindGroupEntry { binding: b, resource: r }).collect();
            gpu.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries })
        });
        group.clone()
    }
}

/// Binding 0: the parameters. Then the inputs, then the output.
fn layout(device: &wgpu::Device, n_inputs: usize) -> (wgpu::BindGroupLayout, wgpu::PipelineLayout) {
    let entry = |binding: usize, ty, has_dynamic_offset| wgpu::BindGroupLayoutEntry {
        binding: binding as u32,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset, min_binding_size: None },
        count: None,
    };
    let storage = |read_only| wgpu::BufferBindingType::Storage { read_only };
    let mut entries = vec![entry(0, wgpu::BufferBindingType::Uniform, true)];
    entries.extend((1..=n_inputs).map(|binding| entry(binding, storage(true), false)));
    entries.push(entry(n_inputs + 1, storage(false), false));
    let groups = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries });
    let pipeline = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &[Some(&groups)],
        immediate_size: 0,
    });
    (groups, pipeline)
}
