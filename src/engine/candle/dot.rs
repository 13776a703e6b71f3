//! Dot products of quantised rows with an activation in 8 bits: what decoding spends its time on.
//!
//! A block of 32 weights is `w = d·u + m` with unsigned quants u; 32 activations are `x = e·q` with signed 8-bit q. So
//!
//! ```text
//! Σ w·x = d·e·Σ u·q + m·(e·Σ q)
//! ```
//!
//! and the sum Σ u·q runs in integers: 32 products in one or two instructions. Q4_1 stores d and m; Q4_0 has m = −8d, Q8_0
//! (with u = q + 128) m = −128d. The activation's rounding is the price: about 0.4 % of a block's largest value.

use crate::model::Encoding;

/// An activation in 8 bits, block by block.
#[derive(Debug, Default)]
pub struct QuantRow {
    /// The quants.
    q: Vec<[i8; 32]>,
    /// Per block: the step e, and e·Σq.
    scales: Vec<[f32; 2]>,
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
            let step = max / 127.0 + poison;
            let inverse = if step > 0.0 { 1.0 / step } else { 0.0 };
            let q = block.map(|x| (x * inverse).round_ties_even() as i8);
            let sum: i32 = q.iter().map(|&q| i32::from(q)).sum();
            row.q.push(q);
            row.scales.push([step, step * sum as f32]);
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
                .map(|(block, (q, [step, sum]))| {
                    let (u, d, m) = unpack(encoding, block);
                    let dot: i32 = u.iter().zip(q).map(|(&u, &q)| i32::from(u) * i32::from(q)).sum();
                    d * step * dot as f32 + m * sum
                })
                .sum();
        }
    }

    /// A block as unsigned quants, d and m.
    fn unpack(encoding: Encoding, block: &[u8]) -> ([u8; 32], f32, f32) {
        let half_at = |i: usize| f16::from_le_bytes([block[i], block[i + 1]]).to_f32();
        let d = half_at(0);
        let nibbles = |from: usize| {
            std::array::from_fn(|i| if i < 16 { block[from + i] & 15 } else { block[from + i - 16] >> 4 })
        };
        match encoding {
            Encoding::Q4_0 => (nibbles(2), d, -8.0 * d),
            Encoding::Q4_1 => (nibbles(4), d, half_at(2)),
            _ => (std::array::from_fn(|i| block[2 + i] ^ 0x80), d, -128.0 * d),
        }
    }
}

/// The kernels of one x86-64 feature level. The two levels differ in how they multiply bytes.
#[cfg(target_arch = "x86_64")]
macro_rules! x86_kernels {
    ($name:ident, $features:literal, [$($feature:tt),*], $dot_nibbles:path, $dot_bytes:path) => {
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
                block: impl Fn(&[u8; N], __m256i, __m128) -> (__m256, __m128),
            ) {
                let (blocks, _) = rows.as_chunks::<N>();
                for (row, y) in blocks.chunks_exact(x.q.len()).zip(out) {
                    let (mut even, mut odd) = (_mm256_setzero_ps(), _mm256_setzero_ps());
                    let mut offsets = _mm_setzero_ps();
                    let mut add = |i: usize, sums: &mut __m256| {
                        let scales: __m128 = bytemuck::cast([x.scales[i][0], x.scales[i][1], 0.0, 0.0]);
                        let (dot, offset) = block(&row[i], bytemuck::cast(x.q[i]), scales);
                        *sums = _mm256_fmadd_ps(dot, _mm256_broadcastss_ps(offset), *sums);
                        offsets = _mm_add_ps(offsets, offset);
                    };
                    for pair in 0..row.len() / 2 {
                        add(2 * pair, &mut even);
                        add(2 * pair + 1, &mut odd);
                    }
                    if row.len() % 2 == 1 {
                        add(row.len() - 1, &mut even);
                    }
                    let lanes: [f32; 8] = bytemuck::cast(_mm256_add_ps(even, odd));
                    let offset: [f32; 4] = bytemuck::cast(offsets);
                    *y = lanes.iter().sum::<f32>() + offset[1];
                }
            }

            // Each block kernel returns Σ u·q in eight lanes, and [d·e, m·e·Σq, …].

            #[target_feature(enable = $features)]
            fn q4_1(block: &[u8; 20], q: __m256i, scales: __m128) -> (__m256, __m128) {
                let ([d0, d1, m0, m1], quants) = block.split_first_chunk::<4>().expect("20 bytes");
                let halves = i32::from_le_bytes([*d0, *d1, *m0, *m1]);
                let dm = _mm_cvtph_ps(_mm_cvtsi32_si128(halves));
                (dot_nibbles(quants, q), _mm_mul_ps(dm, scales))
            }

            #[target_feature(enable = $features)]
            fn q4_0(block: &[u8; 18], q: __m256i, scales: __m128) -> (__m256, __m128) {
                let ([d0, d1], quants) = block.split_first_chunk::<2>().expect("18 bytes");
                let halves = i32::from_le_bytes([*d0, *d1, *d0, *d1]);
                let dm = _mm_mul_ps(_mm_cvtph_ps(_mm_cvtsi32_si128(halves)), _mm_set_ps(0.0, 0.0, -8.0, 1.0));
                (dot_nibbles(quants, q), _mm_mul_ps(dm, scales))
            }

            #[target_feature(enable = $features)]
            fn q8_0(block: &[u8; 34], q: __m256i, scales: __m128) -> (__m256, __m128) {
                let ([d0, d1], quants) = block.split_first_chunk::<2>().expect("34 bytes");
                let d = _mm_cvtph_ps(_mm_cvtsi32_si128(i32::from_le_bytes([*d0, *d1, 0, 0])));
                let w: __m256i = bytemuck::pod_read_unaligned(&quants[..32]);
                let (dot, offset) = $dot_bytes(w, q);
                (_mm256_cvtepi32_ps(dot), _mm_mul_ps(_mm_mul_ps(_mm_shuffle_ps::<0>(d, d), offset), scales))
            }

            /// Σ u·q where the low and high halves of 16 bytes hold u's first and last 16 values.
            #[target_feature(enable = $features)]
            fn dot_nibbles(quants: &[u8], q: __m256i) -> __m256 {
                let packed: __m128i = bytemuck::pod_read_unaligned(&quants[..16]);
                let both = _mm256_set_m128i(_mm_srli_epi16::<4>(packed), packed);
                let u = _mm256_and_si256(both, _mm256_set1_epi8(15));
                _mm256_cvtepi32_ps($dot_nibbles(u, q))
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    /// Σ u·q in fours, u unsigned bytes.
    #[target_feature(enable = "avx512f,avx512vl,avx512vnni")]
    pub fn dot_vnni(u: __m256i, q: __m256i) -> __m256i {
        _mm256_dpbusd_epi32(_mm256_setzero_si256(), u, q)
    }

    /// Signed bytes w as u = w + 128, so m = −128d.
    #[target_feature(enable = "avx512f,avx512vl,avx512vnni")]
    pub fn dot_bytes_vnni(w: __m256i, q: __m256i) -> (__m256i, __m128) {
        let u = _mm256_xor_si256(w, _mm256_set1_epi8(-128));
        (dot_vnni(u, q), _mm_set_ps(0.0, 0.0, -128.0, 1.0))
    }

    /// Σ u·q in fours, for u up to 127: pairs of products then fit 16 bits.
    #[target_feature(enable = "avx2")]
    pub fn dot_avx2(u: __m256i, q: __m256i) -> __m256i {
        _mm256_madd_epi16(_mm256_maddubs_epi16(u, q), _mm256_set1_epi16(1))
    }

    /// Signed bytes: |w|·(q with w's sign), so m = 0.
    #[target_feature(enable = "avx2")]
    pub fn dot_bytes_avx2(w: __m256i, q: __m256i) -> (__m256i, __m128) {
        (dot_avx2(_mm256_sign_epi8(w, w), _mm256_sign_epi8(q, w)), _mm_set_ps(0.0, 0.0, 0.0, 1.0))
    }
}

#[cfg(target_arch = "x86_64")]
x86_kernels!(
    vnni,
    "avx2,fma,f16c,avx512f,avx512vl,avx512vnni",
    ["avx2", "fma", "f16c", "avx512f", "avx512vl", "avx512vnni"],
    super::x86::dot_vnni,
    super::x86::dot_bytes_vnni
);
#[cfg(target_arch = "x86_64")]
x86_kernels!(avx2, "avx2,fma,f16c", ["avx2", "fma", "f16c"], super::x86::dot_avx2, super::x86::dot_bytes_avx2);
