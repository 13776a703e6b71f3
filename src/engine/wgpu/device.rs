//! Finding a graphics processor and opening it.
//!
//! The engine makes its own instance and device and never uses the window's: a long submit on the window's device would
//! freeze the window, and resizing it during a computation would fail. Errors that wgpu reports on the side (out of
//! memory, a kernel that does not compile, a device that went away) are kept in a slot and come out as
//! [`Error::Device`](crate::model::Error::Device) at the next step; nothing panics.

use std::sync::{Arc, Mutex, PoisonError};

use wgpu::{Features, InstanceDescriptor, InstanceFlags};

use crate::engine::DeviceChoice;
use crate::model::{DeviceInfo, DeviceKind, Error, Result};

/// A graphics interface that the system offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterInfo {
    /// The name that its driver gives it.
    pub name: String,
    /// The interface that reaches it: `Vulkan`, `Metal`, `Dx12` or `Gl`.
    pub api: String,
    /// The driver and its version.
    pub driver: String,
    /// Whether it is a graphics processor or one that the processor emulates (llvmpipe, WARP).
    pub kind: DeviceKind,
    /// Largest buffer, in bytes.
    pub max_buffer_bytes: u64,
    /// Largest part of a buffer that a kernel sees at once, in bytes. Larger tensors are split.
    pub max_binding_bytes: u64,
}

/// Every adapter of this system, the best first.
pub fn adapters() -> Vec<AdapterInfo> {
    enumerate(&instance()).iter().map(describe).collect()
}

/// An open device, and what is known about it.
pub(super) struct Gpu {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub info: AdapterInfo,
    /// A kernel may be written for few barriers or for many lanes; this decides which runs.
    pub is_software: bool,
    pub features: Features,
    pub limits: wgpu::Limits,
    max_tensor_bytes: u64,
    faults: Arc<Mutex<Faults>>,
}

/// What wgpu reported on the side.
#[derive(Default)]
struct Faults {
    first: Option<String>,
    lost: Option<String>,
}

impl Gpu {
    /// Opens an adapter with its own limits and the optional features that it has.
    pub(super) fn open(choice: &DeviceChoice) -> Result<Self> {
        let adapter = pick(choice)?;
        let info = describe(&adapter);
        let fail = |detail: String| Error::Device { device: info.name.clone(), detail };
        let features = adapter.features() & Features::TIMESTAMP_QUERY;
        let limits = adapter.limits();
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("engine"),
            required_features: features,
            required_limits: limits.clone(),
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .map_err(|e| fail(format!("it could not be opened ({e}).")))?;

        let faults = Arc::new(Mutex::new(Faults::default()));
        let slot = faults.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let text = match error {
                wgpu::Error::OutOfMemory { .. } => "its memory is full; choose a smaller model or the CPU.".to_string(),
                other => first_lines(&other.to_string()),
            };
            lock(&slot).first.get_or_insert(text);
        }));
        let slot = faults.clone();
        device.set_device_lost_callback(move |_, message| {
            lock(&slot).lost.get_or_insert(first_lines(&message));
        });
        let is_software = info.kind == DeviceKind::SoftwareGpu;
        let max_tensor_bytes = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size) / 256 * 256;
        Ok(Self { device, queue, info, is_software, features, limits, max_tensor_bytes, faults })
    }

    /// The largest tensor that a kernel can see at once.
    pub(super) fn max_tensor_bytes(&self) -> u64 {
        self.max_tensor_bytes
    }

    /// Lowers that size.
    pub(super) fn limit_tensors(&mut self, bytes: u64) {
        self.max_tensor_bytes = self.max_tensor_bytes.min(bytes / 256 * 256);
    }

    /// A failure of this device.
    pub(super) fn error(&self, detail: impl Into<String>) -> Error {
        Error::Device { device: self.info.name.clone(), detail: detail.into() }
    }

    /// The first thing that went wrong since the last look. A lost device stays lost.
    pub(super) fn check(&self) -> Result<()> {
        let fault = lock(&self.faults).first.take();
        if fault.is_some() {
            // A device that was just lost says so when it is polled; that explains the fault better.
            let _ = self.device.poll(wgpu::PollType::Poll);
        }
        if let Some(message) = &lock(&self.faults).lost {
            let reason =
                if message.is_empty() { String::new() } else { format!(" ({})", message.trim_end_matches('.')) };
            return Err(self.error(format!("the connection to it was lost{reason}; load the model again.")));
        }
        fault.map_or(Ok(()), |text| Err(self.error(text)))
    }

    /// Counts the device as lost: it did not answer.
    pub(super) fn give_up(&self, reason: String) -> Error {
        let _ = self.device.poll(wgpu::PollType::Poll);
        lock(&self.faults).lost.get_or_insert(first_lines(&reason));
        self.check().err().unwrap_or_else(|| self.error(reason))
    }

    /// Whether the device went away and has to be opened anew.
    pub(super) fn is_lost(&self) -> bool {
        lock(&self.faults).lost.is_some()
    }

    /// How the device introduces itself to the student.
    pub(super) fn device_info(&self) -> DeviceInfo {
        DeviceInfo { kind: self.info.kind, name: self.info.name.clone(), arithmetic: "f32".into() }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn first_lines(text: &str) -> String {
    let joined = text.lines().map(str::trim).filter(|l| !l.is_empty()).take(4).collect::<Vec<_>>().join(" ");
    joined.chars().take(400).collect()
}

fn instance() -> wgpu::Instance {
    let mut descriptor = InstanceDescriptor::new_without_display_handle();
    descriptor.flags = InstanceFlags::empty();
    wgpu::Instance::new(descriptor)
}

fn enumerate(instance: &wgpu::Instance) -> Vec<wgpu::Adapter> {
    let mut found = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    // GL often shows a second time what another interface shows, and with tighter limits.
    found.sort_by_key(|adapter| {
        let info = adapter.get_info();
        let kind = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => 0,
            wgpu::DeviceType::IntegratedGpu => 1,
            wgpu::DeviceType::VirtualGpu => 2,
            wgpu::DeviceType::Other => 3,
            wgpu::DeviceType::Cpu => 4,
        };
        (is_software(&info), kind, info.backend == wgpu::Backend::Gl)
    });
    found
}

fn pick(choice: &DeviceChoice) -> Result<wgpu::Adapter> {
    let all = enumerate(&instance());
    let wanted = match choice {
        DeviceChoice::Gpu(name) if name.to_lowercase() != "gpu" => Some(name),
        _ => None,
    };
    let fits = |adapter: &wgpu::Adapter| {
        wanted.is_none_or(|name| adapter.get_info().name.to_lowercase().contains(&name.to_lowercase()))
    };
    all.into_iter().find(fits).ok_or_else(|| Error::Device {
        device: "system".into(),
        detail: match wanted {
            None => {
                "it offers no graphics processor that can compute; on Linux, install mesa-vulkan-drivers, or choose \
                     the CPU."
                    .into()
            }
            Some(name) => format!("it has no graphics processor called “{name}”; choose another device."),
        },
    })
}

fn describe(adapter: &wgpu::Adapter) -> AdapterInfo {
    let (info, limits) = (adapter.get_info(), adapter.limits());
    AdapterInfo {
        kind: if is_software(&info) { DeviceKind::SoftwareGpu } else { DeviceKind::Gpu },
        api: format!("{:?}", info.backend),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_string(),
        max_buffer_bytes: limits.max_buffer_size,
        max_binding_bytes: limits.max_storage_buffer_binding_size,
        name: info.name,
    }
}

/// Mesa's GL driver does not always say that it runs on the processor; its name does.
fn is_software(info: &wgpu::AdapterInfo) -> bool {
    let name = info.name.to_lowercase();
    info.device_type == wgpu::DeviceType::Cpu
        || ["llvmpipe", "softpipe", "swiftshader", "lavapipe"].iter().any(|known| name.contains(known))
}
