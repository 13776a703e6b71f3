//! Dot products of quantised rows with an activation in 16 bits: what decoding spends its time on.
//!
//! A block of 32 weights is `w = d·u + m` with small whole quants u; 32 activations are `x = e·q` with signed 16-bit q. So
//!
//! ```text
//! Σ w·x = d·e·Σ u·q + m·(e·Σ q)
//! ```
//!
//! and the sum Σ u·q runs in integers, exactly: 32 products in two instructions. Q4_1 stores d and m; Q4_0 has m = −8d,
//! Q8_0 (whose quants are signed) m = 0. The activation's rounding is the only price: at most 1/65534 of a block's largest
//! value. With 8 bits, as other engines do it, a step is 258 times coarser: that is enough to change the most
//! probable token of a real prompt, and hardly faster.

use crate::model::Encoding;

/// An activation in 16 bits, block by block.
#[derive(Debug, Default)]
pub struct QuantRow {
    /// The quants.
    q: Vec<[i16; 32]>,
    /// Per block: the step e, e·Σq, and two zeros that fill a register.
    scales: Vec<[f32; 4]>,
}

impl QuantRow {
    /// Rounds a row whose length is a multiple of 32.
    pub fn new(x: &[f32]) -> Self {
        let (blocks, _) = x.as_chunks::<32>();
        let mut row = Self { q: Vec::with_capacity(blocks.len()), scales: Vec::with_capacity(blocks.len()) };
        for block in blocks {
            let max = block.iter().fold(0.0f32, |max, x| max.max(x.abs()));
            // The maximum skips NaN, and NaN rounds to 0: this sum is NaN where any value is, else 0, and keeps it visible.
            let poison: f32 = block.iter().map(|x| x * 0.0).sum();
            let step = max / 32767.0 + poison;
            let inverse = if step > 0.0 { 1.0 / step } else { 0.0 };
            // Adding and taking away 1.5·2²³ rounds to the nearest whole number, ties to even, in two plain additions.
            const ROUND: f32 = 12_582_912.0;
            let q = block.map(|x| ((x * inverse + ROUND) - ROUND) as i32 as i16);
            let sum: i32 = q.iter().map(|&q| i32::from(q)).sum();
            row.q.push(q);
            row.scales.push([step, step * sum as f32, 0.0, 0.0]);
        }
        row
    }
}

/// Bytes of a block of 32 weights, for the encodings that have a kernel here.
const fn block_bytes(encoding: Encoding) -> usize {
    match encoding {
        Encoding::Q4_0 => 18,
        Encoding::Q4_1 => 20,
        _ => 34,
    }
}

/// Plain Rust, for every processor; the definition that the other two are tested against.
pub mod portable {
    use half::f16;

    use super::{Encoding, QuantRow, block_bytes};

    /// out\[i\] = row i · x.
    pub fn dot_rows(encoding: Encoding, rows: &[u8], x: &QuantRow, out: &mut [f32]) {
        let size = block_bytes(encoding);
        for (row, y) in rows.chunks_exact(size * x.q.len()).zip(out) {
            *y = row
                .chunks_exact(size)
                .zip(x.q.iter().zip(&x.scales))
                .map(|(block, (q, [step, sum, ..]))| {
                    let (u, d, m) = unpack(encoding, block);
                    let dot: i32 = u.iter().zip(q).map(|(&u, &q)| i32::from(u) * i32::from(q)).sum();
                    d * step * dot as f32 + m * sum
                })
                .sum();
        }
    }

    /// A block as quants, d and m.
    fn unpack(encoding: Encoding, block: &[u8]) -> ([i16; 32], f32, f32) {
        let half_at = |i: usize| f16::from_le_bytes([block[i], block[i + 1]]).to_f32();
        let d = half_at(0);
        let nibbles = |from: usize| {
            std::array::from_fn(|i| i16::from(if i < 16 { block[from + i] & 15 } else { block[from + i - 16] >> 4 }))
        };
        match encoding {
            Encoding::Q4_0 => (nibbles(2), d, -8.0 * d),
            Encoding::Q4_1 => (nibbles(4), d, half_at(2)),
            _ => (std::array::from_fn(|i| i16::from(block[2 + i] as i8)), d, 0.0),
        }
    }
}

/// The kernels of one x86-64 feature level. The two levels differ in how they multiply and add.
#[cfg(target_arch = "x86_64")]
macro_rules! x86_kernels {
    ($name:ident, $features:literal, [$($feature:tt),*], $dot:path) => {
        #[doc = concat!("Kernels for x86-64 with ", $features, ".")]
        pub mod $name {
            use std::arch::x86_64::*;

            use super::{Encoding, QuantRow};

            /// Whether this processor has the features.
            pub fn is_available() -> bool {
                $(is_x86_feature_detected!($feature))&&*
            }

            /// out\[i\] = row i · x.
            #[target_feature(enable = $features)]
            pub fn dot_rows(encoding: Encoding, rows: &[u8], x: &QuantRow, out: &mut [f32]) {
                match encoding {
                    Encoding::Q4_0 => each_row::<18>(rows, x, out, |block, q, scales| q4_0(block, q, scales)),
                    Encoding::Q4_1 => each_row::<20>(rows, x, out, |block, q, scales| q4_1(block, q, scales)),
                    _ => each_row::<34>(rows, x, out, |block, q, scales| q8_0(block, q, scales)),
                }
            }

            /// Walks two blocks at a time, so that two chains of additions run side by side.
            #[target_feature(enable = $features)]
            fn each_row<const N: usize>(
                rows: &[u8],
                x: &QuantRow,
                out: &mut [f32],
                block: impl Fn(&[u8; N], [__m256i; 2], __m128) -> (__m256, __m128),
            ) {
                let (blocks, _) = rows.as_chunks::<N>();
                let ((q, q_last), (scales, scales_last)) = (x.q.as_chunks::<2>(), x.scales.as_chunks::<2>());
                for (row, y) in blocks.chunks_exact(x.q.len()).zip(out) {
                    let (row, row_last) = row.as_chunks::<2>();
                    let (mut even, mut odd) = (_mm256_setzero_ps(), _mm256_setzero_ps());
                    let mut offsets = _mm_setzero_ps();
                    for ((bytes, q), scales) in row.iter().zip(q).zip(scales) {
                        let (dot, offset) = block(&bytes[0], bytemuck::cast(q[0]), bytemuck::cast(scales[0]));
                        even = _mm256_fmadd_ps(dot, _mm256_broadcastss_ps(offset), even);
                        offsets = _mm_add_ps(offsets, offset);
                        let (dot, offset) = block(&bytes[1], bytemuck::cast(q[1]), bytemuck::cast(scales[1]));
                        odd = _mm256_fmadd_ps(dot, _mm256_broadcastss_ps(offset), odd);
                        offsets = _mm_add_ps(offsets, offset);
                    }
                    for ((bytes, q), scales) in row_last.iter().zip(q_last).zip(scales_last) {
                        let (dot, offset) = block(bytes, bytemuck::cast(*q), bytemuck::cast(*scales));
                        even = _mm256_fmadd_ps(dot, _mm256_broadcastss_ps(offset), even);
                        offsets = _mm_add_ps(offsets, offset);
                    }
                    let sums = _mm256_add_ps(even, odd);
                    let half = _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps::<1>(sums));
                    let pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
                    let sum = _mm_add_ss(pair, _mm_movehdup_ps(pair));
                    *y = _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(offsets)));
                }
            }

            // Each block kernel returns Σ u·q in eight lanes, and [d·e, m·e·Σq, …].

            // Patterns that take a block apart into arrays leave no bounds to check.

            #[inline]
            #[target_feature(enable = $features)]
            fn q4_1(block: &[u8; 20], q: [__m256i; 2], scales: __m128) -> (__m256, __m128) {
                let [d0, d1, m0, m1, quants @ ..] = block;
                let dm = halves([*d0, *d1, *m0, *m1]);
                (dot_nibbles(quants, q), _mm_mul_ps(dm, scales))
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn q4_0(block: &[u8; 18], q: [__m256i; 2], scales: __m128) -> (__m256, __m128) {
                let [d0, d1, quants @ ..] = block;
                let dm = _mm_mul_ps(halves([*d0, *d1, *d0, *d1]), _mm_set_ps(0.0, 0.0, -8.0, 1.0));
                (dot_nibbles(quants, q), _mm_mul_ps(dm, scales))
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn q8_0(block: &[u8; 34], q: [__m256i; 2], scales: __m128) -> (__m256, __m128) {
                let [d0, d1, quants @ ..] = block;
                let [low, high] = bytemuck::cast::<[u8; 32], [__m128i; 2]>(*quants);
                let dot = $dot(_mm256_cvtepi8_epi16(low), _mm256_cvtepi8_epi16(high), q);
                (_mm256_cvtepi32_ps(dot), _mm_mul_ps(halves([*d0, *d1, 0, 0]), scales))
            }

            /// Two half-precision numbers in the two lowest lanes.
            #[inline]
            #[target_feature(enable = $features)]
            fn halves(bytes: [u8; 4]) -> __m128 {
                _mm_cvtph_ps(_mm_cvtsi32_si128(i32::from_le_bytes(bytes)))
            }

            /// Σ u·q where the low and high nibbles of 16 bytes hold u's first and last 16 values.
            #[inline]
            #[target_feature(enable = $features)]
            fn dot_nibbles(quants: &[u8; 16], q: [__m256i; 2]) -> __m256 {
                let packed: __m128i = bytemuck::cast(*quants);
                let (nibbles, mask) = (_mm256_cvtepu8_epi16(packed), _mm256_set1_epi16(15));
                let dot = $dot(_mm256_and_si256(nibbles, mask), _mm256_srli_epi16::<4>(nibbles), q);
                _mm256_cvtepi32_ps(dot)
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    /// Σ u·q of 32 values, in eight lanes.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx512vnni")]
    pub fn dot_vnni(low: __m256i, high: __m256i, q: [__m256i; 2]) -> __m256i {
        _mm256_dpwssd_epi32(_mm256_dpwssd_epi32(_mm256_setzero_si256(), low, q[0]), high, q[1])
    }

    /// The same with plain AVX2.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn dot_avx2(low: __m256i, high: __m256i, q: [__m256i; 2]) -> __m256i {
        _mm256_add_epi32(_mm256_madd_epi16(low, q[0]), _mm256_madd_epi16(high, q[1]))
    }
}

#[cfg(target_arch = "x86_64")]
x86_kernels!(
    vnni,
    "avx2,fma,f16c,avx512f,avx512vl,avx512vnni",
    ["avx2", "fma", "f16c", "avx512f", "avx512vl", "avx512vnni"],
    super::x86::dot_vnni
);
#[cfg(target_arch = "x86_64")]
x86_kernels!(avx2, "avx2,fma,f16c", ["avx2", "fma", "f16c"], super::x86::dot_avx2);

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::model::WeightData;

    /// Every kernel that this processor can run against the plain one, and that against decoded f32 arithmetic.
    #[test]
    fn kernels_agree() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        for encoding in [Encoding::Q4_0, Encoding::Q4_1, Encoding::Q8_0] {
            for n_blocks in [1, 2, 3, 18, 47] {
                let (n_rows, n_in) = (5, 32 * n_blocks);
                let mut bytes = vec![0u8; n_rows * n_blocks * encoding.block_bytes()];
                rng.fill_bytes(&mut bytes);
                for block in bytes.chunks_exact_mut(encoding.block_bytes()) {
                    block[..2].copy_from_slice(&half::f16::from_f32(0.01).to_le_bytes());
                    if encoding == Encoding::Q4_1 {
                        block[2..4].copy_from_slice(&half::f16::from_f32(-0.07).to_le_bytes());
                    }
                }
                let x: Vec<f32> = (0..n_in).map(|_| (rng.next_u32() as f32 / u32::MAX as f32 - 0.5) * 8.0).collect();
                let (row, mut plain) = (QuantRow::new(&x), vec![0.0; n_rows]);
                portable::dot_rows(encoding, &bytes, &row, &mut plain);

                let weights = WeightData { encoding, shape: vec![n_rows, n_in], bytes: bytes.clone().into() }.decode();
                for (y, w) in plain.iter().zip(weights.chunks_exact(n_in)) {
                    let exact: f32 = w.iter().zip(&x).map(|(w, x)| w * x).sum();
                    // Each activation is off by half a step of 4/32767 at most, each weight is below 1.3; f32 sums add theirs.
                    let bound = 1.3 * 0.5 * 4.0 / 32767.0 * (n_in as f32).sqrt() * 4.0 + 1e-5 * n_in as f32;
                    assert!((y - exact).abs() < bound, "{encoding:?} {n_blocks}: {y} and {exact}");
                }
                let mut fast = vec![0.0; n_rows];
                super::super::raw::dot_rows(encoding, &bytes, &row, &mut fast);
                for (a, b) in fast.iter().zip(&plain) {
                    assert!((a - b).abs() <= 1e-4 * b.abs().max(1.0), "{encoding:?} {n_blocks}: {a} and {b}");
                }
            }
        }
    }
}
