//! Bringing values back to the host.
//!
//! All tensors that a run asked for are copied into one staging buffer and mapped once; what does not fit takes another
//! round. Reading waits for everything that was recorded before.

use super::device::Gpu;
use super::pool::{Allocation, Pool};
use super::stream::Stream;
use crate::model::{Cancel, Result};

/// Bytes of the staging buffer.
const STAGING_BYTES: u64 = 32 << 20;

/// The staging buffer, made at its first use.
#[derive(Default)]
pub(super) struct Readback {
    staging: Option<wgpu::Buffer>,
}

/// A run of bytes that one round copies.
struct Piece {
    tensor: usize,
    from: u64,
    bytes: u64,
    at: u64,
}

impl Readback {
    /// The first `len` values of each buffer.
    pub(super) fn read(
        &mut self,
        gpu: &Gpu,
        pool: &Pool,
        stream: &mut Stream,
        cancel: &Cancel,
        tensors: &[(&Allocation, usize)],
    ) -> Result<Vec<Vec<f32>>> {
        let mut values: Vec<Vec<f32>> = tensors.iter().map(|(_, len)| Vec::with_capacity(*len)).collect();
        for round in rounds(tensors) {
            cancel.check()?;
            let staging = self.staging(gpu, round.iter().map(|p| p.at + p.bytes).max().unwrap_or(0))?;
            let encoder = stream.encoder(gpu);
            for piece in &round {
                let source = &tensors[piece.tensor].0.buffer;
                encoder.copy_buffer_to_buffer(source, piece.from, &staging, piece.at, piece.bytes);
            }
            stream.submit(gpu, pool)?;
            let end = round.last().map_or(0, |p| p.at + p.bytes);
            let slice = staging.slice(..end);
            let (send, receive) = std::sync::mpsc::channel();
            slice.map_async(wgpu::MapMode::Read, move |result| {
                // The receiver is gone only where waiting failed, and then that failure is reported.
                let _ = send.send(result);
            });
            stream.wait(gpu)?;
            // The callback runs in the poll that finds the submit done; one more poll covers a map that came later.
            gpu.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|e| gpu.error(e.to_string()))?;
            match receive.try_recv() {
                Ok(Ok(())) => {}
                _ => {
                    gpu.check()?;
                    return Err(gpu.error("results could not be read back."));
                }
            }
            {
                let view = slice.get_mapped_range().map_err(|e| gpu.error(e.to_string()))?;
                for piece in &round {
                    let bytes = &view[piece.at as usize..(piece.at + piece.bytes) as usize];
                    let floats = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b));
                    values[piece.tensor].extend(floats);
                }
            }
            staging.unmap();
        }
        Ok(values)
    }

    fn staging(&mut self, gpu: &Gpu, bytes: u64) -> Result<wgpu::Buffer> {
        if let Some(staging) = self.staging.as_ref().filter(|s| s.size() >= bytes) {
            return Ok(staging.clone());
        }
        let staging = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("readback"),
            size: bytes.next_power_of_two().max(64 << 10),
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        gpu.check()?;
        self.staging = Some(staging.clone());
        Ok(staging)
    }
}

/// Fills rounds of at most [`STAGING_BYTES`] with pieces of the tensors.
fn rounds(tensors: &[(&Allocation, usize)]) -> Vec<Vec<Piece>> {
    let mut rounds = vec![Vec::new()];
    let mut at = 0;
    for (tensor, (_, len)) in tensors.iter().enumerate() {
        let (mut from, total) = (0, *len as u64 * 4);
        while from < total {
            if at == STAGING_BYTES {
                rounds.push(Vec::new());
                at = 0;
            }
            let bytes = (total - from).min(STAGING_BYTES - at);
            if let Some(round) = rounds.last_mut() {
                round.push(Piece { tensor, from, bytes, at });
            }
            (from, at) = (from + bytes, at + bytes);
        }
    }
    rounds.retain(|round| !round.is_empty());
    rounds
}
