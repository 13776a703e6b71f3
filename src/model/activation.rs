//! The non-linearity of the MLP.

use serde::{Deserialize, Serialize};

/// An elementwise activation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activation {
    /// x·σ(x), also called swish (Elfwing et al., arXiv 1702.03118).
    Silu,
    /// x·Φ(x) with the Gaussian error function (Hendrycks & Gimpel, arXiv 1606.08415).
    Gelu,
    /// ½x(1 + tanh(√(2/π)(x + 0.044715x³))), GPT-2's approximation of GELU.
    GeluTanh,
    /// max(0, x).
    Relu,
}

impl Activation {
    /// The function's value at `x`: the plain definition that faster versions are tested against.
    pub fn apply(self, x: f32) -> f32 {
        match self {
            Self::Silu => x / (1.0 + (-x).exp()),
            Self::Gelu => (0.5 * f64::from(x) * (1.0 + erf(f64::from(x) * std::f64::consts::FRAC_1_SQRT_2))) as f32,
            Self::GeluTanh => {
                const SQRT_2_OVER_PI: f32 = 0.797_884_6;
                0.5 * x * (1.0 + (SQRT_2_OVER_PI * (x + 0.044_715 * x * x * x)).tanh())
            }
            Self::Relu => x.max(0.0),
        }
    }

    /// The name that papers use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Silu => "SiLU",
            Self::Gelu => "GELU",
            Self::GeluTanh => "GELU (tanh)",
            Self::Relu => "ReLU",
        }
    }
}

/// The error function, by its Maclaurin series near zero and the continued fraction of erfc beyond
/// (Abramowitz & Stegun 7.1.6 and 7.1.14); absolute error under 1e-12.
fn erf(x: f64) -> f64 {
    let a = x.abs();
    let value = if a < 2.5 {
        let (mut term, mut sum, mut n) = (a, a, 0.0);
        while term.abs() > 1e-17 {
            n += 1.0;
            term *= 2.0 * a * a / (2.0 * n + 1.0);
            sum += term;
        }
        2.0 / std::f64::consts::PI.sqrt() * (-a * a).exp() * sum
    } else {
        let tail = (1..=60).rev().fold(a, |t, k| a + f64::from(k) / 2.0 / t);
        1.0 - (-a * a).exp() / (std::f64::consts::PI.sqrt() * tail)
    };
    value.copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erf_matches_published_values() {
        // Abramowitz & Stegun, table 7.1.
        for (x, want) in
            [(0.0, 0.0), (0.5, 0.520_499_877_8), (1.0, 0.842_700_792_9), (2.0, 0.995_322_265_0), (3.0, 0.999_977_909_5)]
        {
            assert!((erf(x) - want).abs() < 1e-10, "erf({x}) = {}", erf(x));
            assert!((erf(-x) + want).abs() < 1e-10);
        }
    }
}
