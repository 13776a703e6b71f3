//! Parameters on the device.
//!
//! A matrix keeps its encoding; only the order of its bytes changes, so that a kernel's 32-bit loads are aligned and one
//! scheme serves all formats. Each row becomes a run of words:
//!
//! ```text
//! quants    8 columns to a group; nibble formats: one word, byte i = column i | column (4 + i) << 4
//! high bits 5-bit formats: one word for 32 columns, 6-bit formats: one for 16, spread over the bytes like the nibbles
//! scales    f16 (Q4_0, Q5_0, Q8_0), f16 pair (Q4_1, Q5_1), d, d_min and 16 bytes (Q4_K, Q5_K), 16 bytes (Q6_K)
//! deltas    f16 (Q6_K)
//! ```
//!
//! Nothing is lost or rounded. Rows of Q4_K and Q5_K grow by 3 % (their 6-bit scales get a byte each), others by less.
//! A tensor that is larger than the device binds at once is split by rows. Vectors (gains and biases) become f32.

use std::sync::Arc;

use super::device::Gpu;
use super::pool::{Allocation, Pool};
use super::stream::PATIENCE;
use crate::model::{Cancel, Encoding, Error, Result, WeightData};

/// Bytes that are handed to the driver at a time.
const UPLOAD_CHUNK: usize = 16 << 20;

/// A parameter on the device.
pub struct Weight {
    pub(super) shape: Vec<usize>,
    pub(super) layout: RowLayout,
    pub(super) parts: Vec<Part>,
    pub(super) bytes: u64,
}

/// Some rows of a matrix, in one buffer.
pub(super) struct Part {
    pub row_begin: usize,
    pub n_rows: usize,
    pub buffer: Arc<Allocation>,
}

/// Where the planes of a row begin, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowLayout {
    pub format: u32,
    /// Groups of 8 columns.
    pub groups: usize,
    pub high_at: usize,
    pub scales_at: usize,
    pub deltas_at: usize,
    pub row_words: usize,
}

/// The number that kernels know an encoding by: its place in [`Encoding::ALL`].
fn format_of(encoding: Encoding) -> u32 {
    Encoding::ALL.iter().zip(0..).find(|(e, _)| **e == encoding).map_or(0, |(_, id)| id)
}

impl RowLayout {
    /// The layout of rows of `n` columns.
    fn new(encoding: Encoding, n: usize) -> Self {
        let groups = n.div_ceil(8);
        let (quants, high, scales, deltas) = match encoding {
            Encoding::F32 => (8 * groups, 0, 0, 0),
            Encoding::F16 | Encoding::BF16 => (4 * groups, 0, 0, 0),
            Encoding::Q4_0 => (groups, 0, n.div_ceil(64), 0),
            Encoding::Q4_1 => (groups, 0, n / 32, 0),
            Encoding::Q5_0 => (groups, n / 32, n.div_ceil(64), 0),
            Encoding::Q5_1 => (groups, n / 32, n / 32, 0),
            Encoding::Q8_0 => (2 * groups, 0, n.div_ceil(64), 0),
            Encoding::Q4_K => (groups, 0, 5 * (n / 256), 0),
            Encoding::Q5_K => (groups, n / 32, 5 * (n / 256), 0),
            Encoding::Q6_K => (groups, n / 16, 4 * (n / 256), n.div_ceil(512)),
        };
        let (high_at, scales_at) = (quants, quants + high);
        let deltas_at = scales_at + scales;
        Self { format: format_of(encoding), groups, high_at, scales_at, deltas_at, row_words: deltas_at + deltas }
    }

    /// The planes, as kernels take them.
    pub(super) fn params(&self) -> [u32; 5] {
        [self.groups, self.row_words, self.high_at, self.scales_at, self.deltas_at].map(|n| n as u32)
    }
}

impl Weight {
    /// Moves a parameter to the device.
    pub(super) fn upload(gpu: &Gpu, pool: &Pool, cancel: &Cancel, data: &WeightData) -> Result<Self> {
        let (n_rows, n_columns) = match *data.shape.as_slice() {
            [n] => (1, n),
            [rows, columns] => (rows, columns),
            _ => return Err(shape_error(format!("a parameter of {} axes", data.shape.len()))),
        };
        let row_bytes = data.encoding.row_bytes(n_columns).unwrap_or(0);
        if row_bytes == 0 || n_rows == 0 || row_bytes.checked_mul(n_rows) != Some(data.bytes.len()) {
            let (len, shape) = (data.bytes.len(), &data.shape);
            return Err(shape_error(format!("{len} bytes of {:?} for {shape:?}", data.encoding)));
        }
        if data.shape.len() == 1 {
            return Self::upload_vector(gpu, pool, data);
        }

        let layout = RowLayout::new(data.encoding, n_columns);
        let words = layout.row_words;
        let rows_per_part = (gpu.max_tensor_bytes() as usize / (4 * words)).max(1);
        let mut parts = Vec::new();
        let mut bytes = 0;
        for row_begin in (0..n_rows).step_by(rows_per_part) {
            let rows = rows_per_part.min(n_rows - row_begin);
            let buffer = pool.own(gpu, (rows * words * 4) as u64)?;
            bytes += buffer.bytes;
            let rows_per_chunk = (UPLOAD_CHUNK / (4 * words)).max(1);
            for begin in (0..rows).step_by(rows_per_chunk) {
                cancel.check()?;
                let n = rows_per_chunk.min(rows - begin);
                let from = (row_begin + begin) * row_bytes;
                let mut packed = vec![0u32; n * words];
                for (row, out) in
                    data.bytes[from..from + n * row_bytes].chunks_exact(row_bytes).zip(packed.chunks_exact_mut(words))
                {
                    pack_row(data.encoding, &layout, row, out);
                }
                write(gpu, &buffer, (begin * words * 4) as u64, &packed)?;
            }
            parts.push(Part { row_begin, n_rows: rows, buffer });
        }
        Ok(Self { shape: data.shape.clone(), layout, parts, bytes })
    }

    fn upload_vector(gpu: &Gpu, pool: &Pool, data: &WeightData) -> Result<Self> {
        let words: Vec<u32> = data.decode().into_iter().map(f32::to_bits).collect();
        let layout = RowLayout::new(Encoding::F32, words.len());
        let buffer = pool.own(gpu, (layout.row_words * 4) as u64)?;
        write(gpu, &buffer, 0, &words)?;
        let bytes = buffer.bytes;
        Ok(Self { shape: data.shape.clone(), layout, parts: vec![Part { row_begin: 0, n_rows: 1, buffer }], bytes })
    }

    /// The buffer of a vector of `n` values.
    pub(super) fn vector(&self, n: usize) -> Result<&Allocation> {
        match self.parts.as_slice() {
            [part] if self.shape == [n] => Ok(&part.buffer),
            _ => Err(shape_error(format!("a vector of {n} values is needed, {:?} came", self.shape))),
        }
    }

    /// (rows, columns) of a matrix.
    pub(super) fn matrix(&self) -> Result<(usize, usize)> {
        match *self.shape.as_slice() {
            [rows, columns] => Ok((rows, columns)),
            _ => Err(shape_error(format!("a matrix is needed, {:?} came", self.shape))),
        }
    }
}

fn shape_error(detail: String) -> Error {
    Error::Shape { op: "upload", detail }
}

/// Writes words, and submits so that the driver's staging memory is free again.
fn write(gpu: &Gpu, buffer: &Allocation, at: u64, words: &[u32]) -> Result<()> {
    gpu.queue.write_buffer(&buffer.buffer, at, bytemuck::cast_slice(words));
    if words.len() * 4 >= UPLOAD_CHUNK / 2 {
        let submission_index = Some(gpu.queue.submit([]));
        let wait = wgpu::PollType::Wait { submission_index, timeout: Some(PATIENCE) };
        gpu.device.poll(wait).map_err(|e| gpu.give_up(e.to_string()))?;
    }
    gpu.check()
}

/// Lays one row out in planes.
fn pack_row(encoding: Encoding, layout: &RowLayout, row: &[u8], out: &mut [u32]) {
    let half = |b: &[u8]| u32::from(u16::from_le_bytes([b[0], b[1]]));
    let word = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    let (block, block_bytes) = (encoding.block_len(), encoding.block_bytes());
    match encoding {
        Encoding::F32 => out.iter_mut().zip(row.chunks_exact(4)).for_each(|(w, b)| *w = word(b)),
        Encoding::F16 | Encoding::BF16 => {
            for (w, b) in out.iter_mut().zip(row.chunks(4)) {
                *w = half(b) | b.get(2..4).map_or(0, half) << 16;
            }
        }
        _ => {}
    }
    if block == 1 {
        return;
    }
    let mut quants = [0u8; 256];
    for (i, b) in row.chunks_exact(block_bytes).enumerate() {
        let (scales, deltas) = (layout.scales_at, layout.deltas_at);
        match encoding {
            Encoding::Q4_0 | Encoding::Q5_0 | Encoding::Q8_0 => out[scales + i / 2] |= half(b) << (16 * (i % 2)),
            Encoding::Q4_1 | Encoding::Q5_1 => out[scales + i] = word(b),
            Encoding::Q4_K | Encoding::Q5_K => pack_k_scales(b, &mut out[scales + 5 * i..scales + 5 * i + 5]),
            _ => {
                (0..4).for_each(|k| out[scales + 4 * i + k] = word(&b[192 + 4 * k..]));
                out[deltas + i / 2] |= half(&b[208..]) << (16 * (i % 2));
            }
        }
        if encoding == Encoding::Q8_0 {
            (0..8).for_each(|k| out[8 * i + k] = word(&b[2 + 4 * k..]));
            continue;
        }
        unpack_quants(encoding, b, &mut quants);
        for (g, q) in quants[..block].chunks_exact(8).enumerate() {
            pack_group(encoding, layout, i * block / 8 + g, q, out);
        }
    }
}

/// d and d_min, eight scales of a byte, eight minima of a byte; in the file the latter take 6 bits each.
fn pack_k_scales(b: &[u8], out: &mut [u32]) {
    let six = &b[4..16];
    out[0] = u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    for j in 0..8 {
        let (scale, minimum) = if j < 4 {
            (six[j] & 63, six[j + 4] & 63)
        } else {
            ((six[j + 4] & 15) | (six[j - 4] >> 6) << 4, (six[j + 4] >> 4) | (six[j] >> 6) << 4)
        };
        out[1 + j / 4] |= u32::from(scale) << (8 * (j % 4));
        out[3 + j / 4] |= u32::from(minimum) << (8 * (j % 4));
    }
}

/// A block's quants, unsigned, in the order of the columns.
fn unpack_quants(encoding: Encoding, b: &[u8], out: &mut [u8; 256]) {
    match encoding {
        Encoding::Q4_0 | Encoding::Q4_1 | Encoding::Q5_0 | Encoding::Q5_1 => {
            let (low, high) = match encoding {
                Encoding::Q4_0 => (&b[2..], 0),
                Encoding::Q4_1 => (&b[4..], 0),
                Encoding::Q5_0 => (&b[6..], u32::from_le_bytes([b[2], b[3], b[4], b[5]])),
                _ => (&b[8..], u32::from_le_bytes([b[4], b[5], b[6], b[7]])),
            };
            for j in 0..16 {
                let bit = |at: usize| ((high >> at & 1) << 4) as u8;
                out[j] = low[j] & 15 | bit(j);
                out[j + 16] = low[j] >> 4 | bit(j + 16);
            }
        }
        Encoding::Q4_K | Encoding::Q5_K => {
            let (high, low) = if encoding == Encoding::Q5_K { (Some(&b[16..48]), &b[48..]) } else { (None, &b[16..]) };
            for (i, q) in out.iter_mut().enumerate() {
                let (chunk, upper, l) = (i / 64, i / 32 % 2, i % 32);
                let bit = high.map_or(0, |h| (h[l] >> (2 * chunk + upper) & 1) << 4);
                *q = low[32 * chunk + l] >> (4 * upper) & 15 | bit;
            }
        }
        _ => {
            for (i, q) in out.iter_mut().enumerate() {
                let (chunk, quarter, l) = (i / 128, i / 32 % 4, i % 32);
                let low = b[64 * chunk + 32 * (quarter % 2) + l] >> (4 * (quarter / 2)) & 15;
                *q = low | (b[128 + 32 * chunk + l] >> (2 * quarter) & 3) << 4;
            }
        }
    }
}

/// Eight quants into the nibble plane, and what stands above the nibbles into the plane of high bits.
fn pack_group(encoding: Encoding, layout: &RowLayout, g: usize, q: &[u8], out: &mut [u32]) {
    let word = |value: &dyn Fn(usize) -> u8| u32::from_le_bytes([value(0), value(1), value(2), value(3)]);
    out[g] = word(&|i| q[i] & 15 | (q[4 + i] & 15) << 4);
    match encoding {
        Encoding::Q5_0 | Encoding::Q5_1 | Encoding::Q5_K => {
            out[layout.high_at + g / 4] |= word(&|i| (q[i] >> 4 | (q[4 + i] >> 4) << 1) << (2 * (g % 4)));
        }
        Encoding::Q6_K => {
            out[layout.high_at + g / 2] |= word(&|i| (q[i] >> 4 | (q[4 + i] >> 4) << 2) << (4 * (g % 2)));
        }
        _ => {}
    }
}
