//! Dot products of rows of 16-bit floats with an f32 activation: what decoding spends its time on where a model was not
//! quantised.
//!
//! Widening eight weights is one instruction on x86-64, so the sums run in f32 at the speed of the memory, nothing is
//! rounded, and exact arithmetic may use them too. Four sums run side by side, since an addition takes longer than its
//! turn.

#![cfg(target_arch = "x86_64")]

use std::arch::x86_64::*;

use crate::model::Encoding;

/// Weights that one step takes.
const STEP: usize = 32;

/// out\[i\] = row i · x, for F16 and BF16.
#[target_feature(enable = "avx2,fma,f16c")]
pub fn dot_rows(encoding: Encoding, rows: &[u8], x: &[f32], out: &mut [f32]) {
    match encoding {
        Encoding::F16 => each_row(encoding, rows, x, out, |eight| _mm256_cvtph_ps(eight)),
        _ => each_row(encoding, rows, x, out, |eight| {
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(eight)))
        }),
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
fn each_row(encoding: Encoding, rows: &[u8], x: &[f32], out: &mut [f32], widen: impl Fn(__m128i) -> __m256) {
    let (steps, last) = x.as_chunks::<STEP>();
    for (row, y) in rows.chunks_exact(2 * x.len()).zip(out) {
        let (blocks, row_last) = row.as_chunks::<{ 2 * STEP }>();
        let mut sums = [_mm256_setzero_ps(); 4];
        for (bytes, x) in blocks.iter().zip(steps) {
            let (bytes, x): ([__m128i; 4], [__m256; 4]) = (bytemuck::cast(*bytes), bytemuck::cast(*x));
            for i in 0..4 {
                sums[i] = _mm256_fmadd_ps(widen(bytes[i]), x[i], sums[i]);
            }
        }
        let sum = _mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3]));
        let lanes: [f32; 8] = bytemuck::cast(sum);
        // A width that is no multiple of the step leaves a few weights over.
        let mut wide = [0.0; STEP];
        encoding.decode_row(row_last, &mut wide);
        *y = lanes.iter().sum::<f32>() + wide.iter().zip(last).map(|(w, x)| w * x).sum::<f32>();
    }
}

#[cfg(test)]
mod tests {
    use super::super::raw;
    use super::*;
    use crate::model::WeightData;

    #[test]
    fn equal_to_decoded_arithmetic() {
        if !raw::has_half_dot() {
            return;
        }
        for encoding in [Encoding::F16, Encoding::BF16] {
            for n_in in [1, 7, 31, 32, 33, 96, 577] {
                let n_rows = 3;
                let weight = |i: usize| (i as f32 * 0.37).sin();
                let bytes: Vec<u8> = (0..n_rows * n_in)
                    .flat_map(|i| match encoding {
                        Encoding::F16 => half::f16::from_f32(weight(i)).to_le_bytes(),
                        _ => half::bf16::from_f32(weight(i)).to_le_bytes(),
                    })
                    .collect();
                let x: Vec<f32> = (0..n_in).map(|i| (i as f32 * 0.61).cos() * 3.0).collect();
                let mut got = vec![0.0; n_rows];
                raw::half_dot_rows(encoding, &bytes, &x, &mut got);
                let weights = WeightData { encoding, shape: vec![n_rows, n_in], bytes: bytes.into() }.decode();
                for (y, w) in got.iter().zip(weights.chunks_exact(n_in)) {
                    let want: f64 = w.iter().zip(&x).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
                    // f32 sums of up to 577 products below 3.
                    assert!((f64::from(*y) - want).abs() < 1e-4, "{encoding:?} {n_in}: {y} and {want}");
                }
            }
        }
    }
}
