//! Plain Rust, for every processor; the definition that the other kernels are tested against.

use half::f16;

use super::QuantRow;
use crate::model::Encoding;

/// out\[i\] = row i · x.
pub fn dot_rows(encoding: Encoding, rows: &[u8], x: &QuantRow, out: &mut [f32]) {
    match encoding {
        Encoding::Q4_0 => {
            each_row(rows, x, out, |b: &[u8; 18]| [Piece::even(nibbles(b, 2), half(b, 0), -8.0 * half(b, 0))])
        }
        Encoding::Q4_1 => each_row(rows, x, out, |b: &[u8; 20]| [Piece::even(nibbles(b, 4), half(b, 0), half(b, 2))]),
        Encoding::Q5_0 => {
            each_row(rows, x, out, |b: &[u8; 22]| [Piece::even(fives(b, 2, 6), half(b, 0), -16.0 * half(b, 0))])
        }
        Encoding::Q5_1 => each_row(rows, x, out, |b: &[u8; 24]| [Piece::even(fives(b, 4, 8), half(b, 0), half(b, 2))]),
        Encoding::Q4_K => each_row(rows, x, out, q4_k),
        Encoding::Q5_K => each_row(rows, x, out, q5_k),
        Encoding::Q6_K => each_row(rows, x, out, q6_k),
        _ => each_row(rows, x, out, |b: &[u8; 34]| {
            [Piece::even(std::array::from_fn(|i| i16::from(b[2 + i] as i8)), half(b, 0), 0.0)]
        }),
    }
}

/// Walks rows of blocks of `B` bytes, each of which is `P` pieces.
#[inline(always)]
fn each_row<const B: usize, const P: usize>(
    rows: &[u8],
    x: &QuantRow,
    out: &mut [f32],
    unpack: impl Fn(&[u8; B]) -> [Piece; P],
) {
    let (q, scales) = (x.q.as_chunks::<P>().0, x.scales.as_chunks::<P>().0);
    for (row, y) in rows.as_chunks::<B>().0.chunks_exact(q.len()).zip(out) {
        let mut sum = 0.0;
        for ((block, q), scales) in row.iter().zip(q).zip(scales) {
            let pieces = unpack(block);
            for j in 0..P {
                sum += pieces[j].dot(&q[j], scales[j]);
            }
        }
        *y = sum;
    }
}

/// 32 weights: `d·u + m`, with a d for each half.
struct Piece {
    u: [i16; 32],
    d: [f32; 2],
    m: f32,
}

impl Piece {
    #[inline(always)]
    fn even(u: [i16; 32], d: f32, m: f32) -> Self {
        Self { u, d: [d; 2], m }
    }

    #[inline(always)]
    fn dot(&self, q: &[i16; 32], [step, sum, ..]: [f32; 4]) -> f32 {
        let (u, q) = (self.u.as_chunks::<16>().0, q.as_chunks::<16>().0);
        let halves = [0, 1]
            .map(|half| -> i32 { u[half].iter().zip(&q[half]).map(|(&u, &q)| i32::from(u) * i32::from(q)).sum() });
        step * (self.d[0] * halves[0] as f32 + self.d[1] * halves[1] as f32) + self.m * sum
    }
}

#[inline(always)]
fn half<const B: usize>(b: &[u8; B], at: usize) -> f32 {
    f16::from_le_bytes([b[at], b[at + 1]]).to_f32()
}

/// The low nibbles of 16 bytes, then the high ones.
#[inline(always)]
fn nibbles<const B: usize>(b: &[u8; B], at: usize) -> [i16; 32] {
    let mut u = [0; 32];
    for i in 0..16 {
        u[i] = i16::from(b[at + i] & 15);
        u[i + 16] = i16::from(b[at + i] >> 4);
    }
    u
}

/// The same with fifth bits from `high`.
#[inline(always)]
fn fives<const B: usize>(b: &[u8; B], high: usize, at: usize) -> [i16; 32] {
    let mut u = nibbles(b, at);
    for half in 0..2 {
        let bits = i16::from_le_bytes([b[high + 2 * half], b[high + 2 * half + 1]]);
        for i in 0..16 {
            u[16 * half + i] |= if bits & (1 << i) != 0 { 16 } else { 0 };
        }
    }
    u
}

/// Piece 2g has the low nibbles of group g's 32 bytes, piece 2g + 1 the high ones.
#[inline(always)]
fn q4_k(b: &[u8; 144]) -> [Piece; 8] {
    k_pieces(b, 16, |_, _| 0)
}

/// As Q4_K, with a plane of fifth bits: bit j of byte i belongs to weight i of piece j.
#[inline(always)]
fn q5_k(b: &[u8; 176]) -> [Piece; 8] {
    k_pieces(b, 48, |j, i| if b[16 + i] & (1 << j) != 0 { 16 } else { 0 })
}

#[inline(always)]
fn k_pieces<const B: usize>(b: &[u8; B], at: usize, fifth: impl Fn(usize, usize) -> u8) -> [Piece; 8] {
    let mut u = [[0i16; 32]; 8];
    for g in 0..4 {
        for i in 0..32 {
            let byte = b[at + 32 * g + i];
            u[2 * g][i] = i16::from(byte & 15 | fifth(2 * g, i));
            u[2 * g + 1][i] = i16::from(byte >> 4 | fifth(2 * g + 1, i));
        }
    }
    std::array::from_fn(|j| {
        let (d, m) = k_scales(b, j);
        Piece::even(u[j], d, m)
    })
}

/// Two halves of 128 weights, each of four pieces.
#[inline(always)]
fn q6_k(b: &[u8; 210]) -> [Piece; 8] {
    let mut u = [[0i16; 32]; 8];
    for (half, u) in u.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        for i in 0..32 {
            let (low, next, high) = (b[64 * half + i], b[64 * half + 32 + i], b[128 + 32 * half + i]);
            u[0][i] = i16::from(low & 15 | (high & 3) << 4) - 32;
            u[1][i] = i16::from(next & 15 | (high >> 2 & 3) << 4) - 32;
            u[2][i] = i16::from(low >> 4 | (high >> 4 & 3) << 4) - 32;
            u[3][i] = i16::from(next >> 4 | (high >> 6) << 4) - 32;
        }
    }
    std::array::from_fn(|j| {
        let d = |k: usize| half(b, 208) * f32::from(b[192 + 2 * j + k] as i8);
        Piece { u: u[j], d: [d(0), d(1)], m: 0.0 }
    })
}

/// d and m of piece `j`, from two scales of the block and 6 bits each for the piece.
#[inline(always)]
fn k_scales<const B: usize>(b: &[u8; B], j: usize) -> (f32, f32) {
    let packed = |i: usize| b[4 + i];
    let (scale, min) = match j {
        ..4 => (packed(j) & 63, packed(j + 4) & 63),
        _ => (packed(j + 4) & 15 | packed(j - 4) >> 6 << 4, packed(j + 4) >> 4 | packed(j) >> 6 << 4),
    };
    (half(b, 0) * f32::from(scale), -half(b, 2) * f32::from(min))
}
