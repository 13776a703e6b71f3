//! Sums, maxima and exponentials of slices, in sixteen lanes so that the compiler can use SIMD registers.

const LANES: usize = 16;

/// Σ a·b.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            lanes[i] += a[i] * b[i];
        }
    }
    lanes.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// The largest value, −∞ for an empty slice.
pub fn max(x: &[f32]) -> f32 {
    let (chunks, rest) = x.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for chunk in chunks {
        for i in 0..LANES {
            lanes[i] = if chunk[i] > lanes[i] { chunk[i] } else { lanes[i] };
        }
    }
    lanes.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max)
}

/// Replaces x by e^(x − shift) and returns the sum.
pub fn exp_and_sum(x: &mut [f32], shift: f32) -> f32 {
    let (chunks, rest) = x.as_chunks_mut::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in chunks {
        for i in 0..LANES {
            chunk[i] = exp(chunk[i] - shift);
            lanes[i] += chunk[i];
        }
    }
    let mut sum = lanes.iter().sum::<f32>();
    for x in rest {
        *x = exp(*x - shift);
        sum += *x;
    }
    sum
}

/// softmax in place; the row must hold a finite value.
pub fn softmax(row: &mut [f32]) {
    let shift = max(row);
    let inverse = 1.0 / exp_and_sum(row, shift);
    row.iter_mut().for_each(|x| *x *= inverse);
}

/// 1 / (1 + e^(−x)).
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// e^x within 2·10⁻⁷ relative, without a branch or a call: x = n·ln 2 + r, a Taylor polynomial for e^r with |r| ≤ ½ ln 2,
/// and 2ⁿ put together from its bits. Below −87 the result is about 10⁻³⁸, which stands for 0.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    /// Adding this rounds to the nearest whole number, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first with few bits so that n · LN_2_HIGH is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    let tail = 1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0));
    let y = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * tail))));
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127);
    y * f32::from_bits(exponent << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_close_to_the_library_s() {
        let worst = (-8700..8800)
            .map(|i| i as f32 / 100.0)
            .map(|x| ((f64::from(exp(x)) - f64::from(x).exp()) / f64::from(x).exp()).abs())
            .fold(0.0, f64::max);
        assert!(worst < 3e-7, "relative error {worst}");
        assert!(exp(-1e30) < 1e-37 && exp(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn lanes_and_rest_agree_with_plain_loops() {
        for n in [1, 15, 16, 17, 50] {
            let a: Vec<f32> = (0..n).map(|i| (i * 7 % 11) as f32 - 5.0).collect();
            assert_eq!(dot(&a, &a), a.iter().map(|x| x * x).sum::<f32>());
            assert_eq!(max(&a), a.iter().copied().fold(f32::MIN, f32::max));
            let mut row = a.clone();
            softmax(&mut row);
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}
