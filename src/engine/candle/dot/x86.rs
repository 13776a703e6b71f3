//! Kernels for x86-64: one text, compiled for two levels of features that differ in how they multiply and add.
//!
//! All of it is safe Rust: inside a function with `#[target_feature]` the intrinsics on values are safe, and loads go
//! through `bytemuck`. Patterns that take a block apart into arrays leave no bounds to check.

use std::arch::x86_64::*;

/// The kernels of one feature level.
macro_rules! kernels {
    ($name:ident, $features:literal, [$($feature:tt),*], $dot:path) => {
        #[doc = concat!("Kernels for x86-64 with ", $features, ".")]
        pub mod $name {
            use std::arch::x86_64::*;

            use super::super::QuantRow;
            use super::{fifth_bits, k_scales, pairs};
            use crate::model::Encoding;

            /// Whether this processor has the features.
            pub fn is_available() -> bool {
                $(is_x86_feature_detected!($feature))&&*
            }

            /// out\[i\] = row i · x.
            #[target_feature(enable = $features)]
            pub fn dot_rows(encoding: Encoding, rows: &[u8], x: &QuantRow, out: &mut [f32]) {
                match encoding {
                    Encoding::Q4_0 => by_pieces::<18>(rows, x, out, |block, q, scales| q4_0(block, q, scales)),
                    Encoding::Q4_1 => by_pieces::<20>(rows, x, out, |block, q, scales| q4_1(block, q, scales)),
                    Encoding::Q5_0 => by_pieces::<22>(rows, x, out, |block, q, scales| q5_0(block, q, scales)),
                    Encoding::Q5_1 => by_pieces::<24>(rows, x, out, |block, q, scales| q5_1(block, q, scales)),
                    Encoding::Q4_K => by_eights::<144>(rows, x, out, |block, q, e, sums| q4_k(block, q, e, sums)),
                    Encoding::Q5_K => by_eights::<176>(rows, x, out, |block, q, e, sums| q5_k(block, q, e, sums)),
                    Encoding::Q6_K => by_eights::<210>(rows, x, out, |block, q, e, _| q6_k(block, q, e)),
                    _ => by_pieces::<34>(rows, x, out, |block, q, scales| q8_0(block, q, scales)),
                }
            }

            /// Walks two blocks of 32 at a time, so that two chains of additions run side by side.
            #[target_feature(enable = $features)]
            fn by_pieces<const N: usize>(
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
                    let sum = total(_mm256_add_ps(even, odd));
                    *y = _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(offsets)));
                }
            }

            /// Walks blocks of 256, each with eight blocks of the activation.
            #[target_feature(enable = $features)]
            fn by_eights<const N: usize>(
                rows: &[u8],
                x: &QuantRow,
                out: &mut [f32],
                block: impl Fn(&[u8; N], &[[i16; 32]; 8], __m256, __m256) -> __m256,
            ) {
                let (blocks, _) = rows.as_chunks::<N>();
                let (q, _) = x.q.as_chunks::<8>();
                let ((steps, _), (sums, _)) = (x.steps.as_chunks::<8>(), x.sums.as_chunks::<8>());
                for (row, y) in blocks.chunks_exact(q.len()).zip(out) {
                    let mut acc = _mm256_setzero_ps();
                    for (((bytes, q), steps), sums) in row.iter().zip(q).zip(steps).zip(sums) {
                        acc = _mm256_add_ps(acc, block(bytes, q, bytemuck::cast(*steps), bytemuck::cast(*sums)));
                    }
                    *y = _mm_cvtss_f32(total(acc));
                }
            }

            /// The sum of eight lanes, in the lowest of four.
            #[inline]
            #[target_feature(enable = $features)]
            fn total(lanes: __m256) -> __m128 {
                let half = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps::<1>(lanes));
                let pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
                _mm_add_ss(pair, _mm_movehdup_ps(pair))
            }

            // Kernels of 32 weights return Σ u·q in eight lanes, and [d·e, m·e·Σq, …].

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
            fn q5_1(block: &[u8; 24], q: [__m256i; 2], scales: __m128) -> (__m256, __m128) {
                let [d0, d1, m0, m1, h0, h1, h2, h3, quants @ ..] = block;
                let dm = halves([*d0, *d1, *m0, *m1]);
                (dot_fives(quants, [*h0, *h1, *h2, *h3], q), _mm_mul_ps(dm, scales))
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn q5_0(block: &[u8; 22], q: [__m256i; 2], scales: __m128) -> (__m256, __m128) {
                let [d0, d1, h0, h1, h2, h3, quants @ ..] = block;
                let dm = _mm_mul_ps(halves([*d0, *d1, *d0, *d1]), _mm_set_ps(0.0, 0.0, -16.0, 1.0));
                (dot_fives(quants, [*h0, *h1, *h2, *h3], q), _mm_mul_ps(dm, scales))
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn q8_0(block: &[u8; 34], q: [__m256i; 2], scales: __m128) -> (__m256, __m128) {
                let [d0, d1, quants @ ..] = block;
                let [low, high] = bytemuck::cast::<[u8; 32], [__m128i; 2]>(*quants);
                let dot = $dot(_mm256_cvtepi8_epi16(low), _mm256_cvtepi8_epi16(high), q);
                (_mm256_cvtepi32_ps(dot), _mm_mul_ps(halves([*d0, *d1, 0, 0]), scales))
            }

            // Kernels of 256 weights return their part of the row's sum, spread over eight lanes.

            #[inline]
            #[target_feature(enable = $features)]
            fn q4_k(block: &[u8; 144], q: &[[i16; 32]; 8], steps: __m256, sums: __m256) -> __m256 {
                let [d0, d1, m0, m1, rest @ ..] = block;
                let (packed, quants) = rest.split_first_chunk::<12>().expect("140 bytes");
                let (factors, mut acc) = k_factors([*d0, *d1, *m0, *m1], packed, steps, sums);
                for (g, bytes) in quants.as_chunks::<32>().0.iter().enumerate() {
                    let (low, high) = nibbles(bytemuck::cast(*bytes));
                    acc = _mm256_fmadd_ps(dot_bytes(low, q[2 * g]), _mm256_set1_ps(factors[2 * g]), acc);
                    acc = _mm256_fmadd_ps(dot_bytes(high, q[2 * g + 1]), _mm256_set1_ps(factors[2 * g + 1]), acc);
                }
                acc
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn q5_k(block: &[u8; 176], q: &[[i16; 32]; 8], steps: __m256, sums: __m256) -> __m256 {
                let [d0, d1, m0, m1, rest @ ..] = block;
                let (packed, rest) = rest.split_first_chunk::<12>().expect("172 bytes");
                let (fifths, quants) = rest.split_first_chunk::<32>().expect("160 bytes");
                let fifths: __m256i = bytemuck::cast(*fifths);
                // 16 in each byte whose bit j is set.
                let fifth = |j: usize| {
                    let bit = _mm256_set1_epi8((1u8 << j) as i8);
                    _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_and_si256(fifths, bit), bit), _mm256_set1_epi8(16))
                };
                let (factors, mut acc) = k_factors([*d0, *d1, *m0, *m1], packed, steps, sums);
                for (g, bytes) in quants.as_chunks::<32>().0.iter().enumerate() {
                    let (low, high) = nibbles(bytemuck::cast(*bytes));
                    let (low, high) = (_mm256_or_si256(low, fifth(2 * g)), _mm256_or_si256(high, fifth(2 * g + 1)));
                    acc = _mm256_fmadd_ps(dot_bytes(low, q[2 * g]), _mm256_set1_ps(factors[2 * g]), acc);
                    acc = _mm256_fmadd_ps(dot_bytes(high, q[2 * g + 1]), _mm256_set1_ps(factors[2 * g + 1]), acc);
                }
                acc
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn q6_k(block: &[u8; 210], q: &[[i16; 32]; 8], steps: __m256) -> __m256 {
                let (lows, rest) = block.split_first_chunk::<128>().expect("210 bytes");
                let (highs, rest) = rest.split_first_chunk::<64>().expect("82 bytes");
                let (scales, d) = rest.split_first_chunk::<16>().expect("18 bytes");
                let d = _mm256_broadcastss_ps(halves([d[0], d[1], 0, 0]));
                let [first, second] = pairs(steps);
                let [low, high] = bytemuck::cast::<[u8; 16], [[i8; 8]; 2]>(*scales);
                let scale = |bytes: [i8; 8], steps| -> [f32; 8] {
                    let bytes = _mm_cvtsi64_si128(i64::from_le_bytes(bytemuck::cast(bytes)));
                    let scales = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
                    bytemuck::cast(_mm256_mul_ps(_mm256_mul_ps(scales, d), steps))
                };
                // d·scale·e of each half of each piece.
                let factors: [[f32; 8]; 2] = [scale(low, first), scale(high, second)];
                let mut acc = _mm256_setzero_ps();
                for (half, factors) in factors.iter().enumerate() {
                    let low: [__m256i; 2] = bytemuck::cast(lows.as_chunks::<64>().0[half]);
                    let high: __m256i = bytemuck::cast(highs.as_chunks::<32>().0[half]);
                    let mask = _mm256_set1_epi8(0x30);
                    let ((a, c), (b, e)) = (nibbles(low[0]), nibbles(low[1]));
                    let quants = [
                        _mm256_or_si256(a, _mm256_and_si256(_mm256_slli_epi16::<4>(high), mask)),
                        _mm256_or_si256(b, _mm256_and_si256(_mm256_slli_epi16::<2>(high), mask)),
                        _mm256_or_si256(c, _mm256_and_si256(high, mask)),
                        _mm256_or_si256(e, _mm256_and_si256(_mm256_srli_epi16::<2>(high), mask)),
                    ];
                    for (j, quants) in quants.into_iter().enumerate() {
                        let signed = _mm256_sub_epi8(quants, _mm256_set1_epi8(32));
                        let low = _mm256_cvtepi8_epi16(_mm256_castsi256_si128(signed));
                        let high = _mm256_cvtepi8_epi16(_mm256_extracti128_si256::<1>(signed));
                        let q: [__m256i; 2] = bytemuck::cast(q[4 * half + j]);
                        let dot = |u, q| _mm256_cvtepi32_ps(_mm256_madd_epi16(u, q));
                        acc = _mm256_fmadd_ps(dot(low, q[0]), _mm256_set1_ps(factors[2 * j]), acc);
                        acc = _mm256_fmadd_ps(dot(high, q[1]), _mm256_set1_ps(factors[2 * j + 1]), acc);
                    }
                }
                acc
            }

            /// d·scale·e of each piece of a Q4_K or Q5_K block, and the eight offsets −d_min·min·e·Σq.
            #[inline]
            #[target_feature(enable = $features)]
            fn k_factors(dm: [u8; 4], packed: &[u8; 12], steps: __m256, sums: __m256) -> ([f32; 8], __m256) {
                let dm = halves(dm);
                let (d, d_min) = (_mm256_broadcastss_ps(dm), _mm256_broadcastss_ps(_mm_movehdup_ps(dm)));
                let (scales, minima) = k_scales(packed);
                let wide = |bytes: u64| _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(bytes as i64)));
                let factors = _mm256_mul_ps(_mm256_mul_ps(wide(scales), d), steps);
                let offsets = _mm256_mul_ps(_mm256_mul_ps(wide(minima), d_min), sums);
                (bytemuck::cast(factors), _mm256_sub_ps(_mm256_setzero_ps(), offsets))
            }

            /// Two half-precision numbers in the two lowest lanes.
            #[inline]
            #[target_feature(enable = $features)]
            fn halves(bytes: [u8; 4]) -> __m128 {
                _mm_cvtph_ps(_mm_cvtsi32_si128(i32::from_le_bytes(bytes)))
            }

            /// The low and the high nibbles of 32 bytes.
            #[inline]
            #[target_feature(enable = $features)]
            fn nibbles(bytes: __m256i) -> (__m256i, __m256i) {
                let mask = _mm256_set1_epi8(15);
                (_mm256_and_si256(bytes, mask), _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), mask))
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

            /// The same with a fifth bit for each value.
            #[inline]
            #[target_feature(enable = $features)]
            fn dot_fives(quants: &[u8; 16], fifths: [u8; 4], q: [__m256i; 2]) -> __m256 {
                let packed: __m128i = bytemuck::cast(*quants);
                let (nibbles, mask) = (_mm256_cvtepu8_epi16(packed), _mm256_set1_epi16(15));
                let [low, high] = fifth_bits(fifths);
                let low = _mm256_or_si256(_mm256_and_si256(nibbles, mask), low);
                let high = _mm256_or_si256(_mm256_srli_epi16::<4>(nibbles), high);
                _mm256_cvtepi32_ps($dot(low, high, q))
            }

            /// Σ u·q for 32 bytes u.
            #[inline]
            #[target_feature(enable = $features)]
            fn dot_bytes(u: __m256i, q: [i16; 32]) -> __m256 {
                let low = _mm256_cvtepu8_epi16(_mm256_castsi256_si128(u));
                let high = _mm256_cvtepu8_epi16(_mm256_extracti128_si256::<1>(u));
                _mm256_cvtepi32_ps($dot(low, high, bytemuck::cast(q)))
            }
        }
    };
}

/// Σ u·q of 32 values, in eight lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512vnni")]
fn dot_vnni(low: __m256i, high: __m256i, q: [__m256i; 2]) -> __m256i {
    _mm256_dpwssd_epi32(_mm256_dpwssd_epi32(_mm256_setzero_si256(), low, q[0]), high, q[1])
}

/// The same with plain AVX2.
#[inline]
#[target_feature(enable = "avx2")]
fn dot_avx2(low: __m256i, high: __m256i, q: [__m256i; 2]) -> __m256i {
    _mm256_add_epi32(_mm256_madd_epi16(low, q[0]), _mm256_madd_epi16(high, q[1]))
}

/// 16 in each 16-bit lane whose bit is set; bits 0–15 in the first vector.
#[inline]
#[target_feature(enable = "avx2")]
fn fifth_bits(bits: [u8; 4]) -> [__m256i; 2] {
    let select: [i16; 16] = std::array::from_fn(|i| (1u16 << i) as i16);
    let select: __m256i = bytemuck::cast(select);
    [[bits[0], bits[1]], [bits[2], bits[3]]].map(|bits| {
        let all = _mm256_set1_epi16(i16::from_le_bytes(bits));
        _mm256_and_si256(_mm256_cmpeq_epi16(_mm256_and_si256(all, select), select), _mm256_set1_epi16(16))
    })
}

/// The eight 6-bit scales and minima of a Q4_K or Q5_K block, a byte each.
#[inline]
fn k_scales(packed: &[u8; 12]) -> (u64, u64) {
    const SIX: u32 = 0x3f3f_3f3f;
    const FOUR: u32 = 0x0f0f_0f0f;
    const TWO: u32 = 0x3030_3030;
    let [a, b, c] = bytemuck::cast::<[u8; 12], [[u8; 4]; 3]>(*packed).map(u32::from_le_bytes);
    let join = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
    (join(a & SIX, (c & FOUR) | (a >> 2 & TWO)), join(b & SIX, (c >> 4 & FOUR) | (b >> 2 & TWO)))
}

/// Eight lanes, each doubled: `[a, a, b, b, …]` and the rest.
#[inline]
#[target_feature(enable = "avx2")]
fn pairs(x: __m256) -> [__m256; 2] {
    let (first, second) = (_mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3), _mm256_setr_epi32(4, 4, 5, 5, 6, 6, 7, 7));
    [_mm256_permutevar8x32_ps(x, first), _mm256_permutevar8x32_ps(x, second)]
}

kernels!(
    vnni,
    "avx2,fma,f16c,avx512f,avx512vl,avx512vnni",
    ["avx2", "fma", "f16c", "avx512f", "avx512vl", "avx512vnni"],
    super::dot_vnni
);
kernels!(avx2, "avx2,fma,f16c", ["avx2", "fma", "f16c"], super::dot_avx2);
