//! Dot products of quantised rows with an activation in 16 bits: what decoding spends its time on.
//!
//! A piece of 32 weights is `w = d·u + m` with small whole quants u; 32 activations are `x = e·q` with signed 16-bit q. So
//!
//! ```text
//! Σ w·x = d·e·Σ u·q + m·(e·Σ q)
//! ```
//!
//! and the sum Σ u·q runs in integers, exactly: 32 products in two instructions. Q4_1 and Q5_1 store d and m; Q4_0 has
//! m = −8d, Q5_0 −16d, Q8_0 and Q6_K (whose quants are signed) m = 0. The K formats hold eight such pieces in a block of
//! 256, with d and m as small multiples of the block's own two scales; Q6_K has a d for each half of a piece.
//!
//! The activation's rounding is the only price: at most 1/65534 of a block's largest value. With 8 bits, as other engines
//! do it, a step is 258 times coarser: that is enough to change the most probable token of a real prompt, and hardly
//! faster.

pub mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "x86_64")]
pub use x86::{avx2, vnni};

/// An activation in 16 bits, block by block.
#[derive(Debug, Default)]
pub struct QuantRow {
    /// The quants.
    q: Vec<[i16; 32]>,
    /// Per block: the step e, e·Σq, and two zeros that fill a register.
    scales: Vec<[f32; 4]>,
    /// The steps alone, for kernels that take eight blocks at once.
    steps: Vec<f32>,
    /// The sums e·Σq alone.
    sums: Vec<f32>,
}

impl QuantRow {
    /// Rounds a row whose length is a multiple of 32.
    pub fn new(x: &[f32]) -> Self {
        let (blocks, _) = x.as_chunks::<32>();
        let n = blocks.len();
        let (q, scales) = (Vec::with_capacity(n), Vec::with_capacity(n));
        let mut row = Self { q, scales, steps: Vec::with_capacity(n), sums: Vec::with_capacity(n) };
        for block in blocks {
            let max = block.iter().fold(0.0f32, |max, x| max.max(x.abs()));
            // The maximum skips NaN, and NaN rounds to 0: this sum is NaN where any value is, else 0, and keeps it visible.
            let poison: f32 = block.iter().map(|x| x * 0.0).sum();
            let step = max / 32767.0 + poison;
            let inverse = if step > 0.0 { 1.0 / step } else { 0.0 };
            // Adding and taking away 1.5·2²³ rounds to the nearest whole number, ties to even, in two plain additions.
            const ROUND: f32 = 12_582_912.0;
            let q = block.map(|x| ((x * inverse + ROUND) - ROUND) as i32 as i16);
            let sum = step * q.iter().map(|&q| i32::from(q)).sum::<i32>() as f32;
            row.q.push(q);
            row.scales.push([step, sum, 0.0, 0.0]);
            row.steps.push(step);
            row.sums.push(sum);
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::model::{Encoding, WeightData};

    /// Every kernel that this processor can run against the plain one, and that against decoded f32 arithmetic.
    #[test]
    fn kernels_agree() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        for encoding in Encoding::ALL.into_iter().filter(|e| e.block_len() > 1) {
            let n_blocks: &[usize] = if encoding.block_len() == 32 { &[1, 2, 3, 18, 47] } else { &[1, 2, 3, 6] };
            for &n_blocks in n_blocks {
                let (n_rows, n_in) = (5, encoding.block_len() * n_blocks);
                let mut bytes = vec![0u8; n_rows * n_blocks * encoding.block_bytes()];
                rng.fill_bytes(&mut bytes);
                for block in bytes.chunks_exact_mut(encoding.block_bytes()) {
                    set_scales(encoding, block);
                }
                let x: Vec<f32> = (0..n_in).map(|_| (rng.next_u32() as f32 / u32::MAX as f32 - 0.5) * 8.0).collect();
                let (row, mut plain) = (QuantRow::new(&x), vec![0.0; n_rows]);
                portable::dot_rows(encoding, &bytes, &row, &mut plain);

                let weights = WeightData { encoding, shape: vec![n_rows, n_in], bytes: bytes.clone().into() }.decode();
                let largest = weights.iter().fold(0.0f32, |max, w| max.max(w.abs()));
                // Each activation is off by half a step of 4/32767 at most; f32 sums add theirs.
                let bound = largest * (0.5 * 4.0 / 32767.0 * (n_in as f32).sqrt() * 4.0 + 1e-5 * (n_in as f32).sqrt());
                for (y, w) in plain.iter().zip(weights.chunks_exact(n_in)) {
                    let exact = w.iter().zip(&x).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum::<f64>() as f32;
                    assert!((y - exact).abs() < bound, "{encoding:?} {n_blocks}: {y} and {exact}, {bound}");
                }
                for (name, kernel) in super::super::raw::dot_kernels() {
                    let mut fast = vec![0.0; n_rows];
                    kernel(encoding, &bytes, &row, &mut fast);
                    for (a, b) in fast.iter().zip(&plain) {
                        assert!((a - b).abs() <= 0.1 * bound, "{name} {encoding:?} {n_blocks}: {a} and {b}, {bound}");
                    }
                }
            }
        }
    }

    /// Scales near those of real models, in place of random ones that could be infinite.
    fn set_scales(encoding: Encoding, block: &mut [u8]) {
        let mut set = |at: usize, x: f32| block[at..at + 2].copy_from_slice(&half::f16::from_f32(x).to_le_bytes());
        match encoding {
            Encoding::Q4_1 | Encoding::Q5_1 => (set(0, 0.01), set(2, -0.07)),
            Encoding::Q4_K | Encoding::Q5_K => (set(0, 0.001), set(2, 0.002)),
            Encoding::Q6_K => (set(208, -0.001), ()),
            _ => (set(0, 0.01), ()),
        };
    }
}
