// An activation of every value.
//
// equation   y = f(x);  f is SiLU, GELU, GELU by tanh or ReLU
// shapes     x, y [n]
// work       one invocation per value
// CPU twin   model::Activation::apply

override WG: u32 = 64u;
override FUNCTION: u32 = 0u;

struct Params { n: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

// <activation> The same text in activate.wgsl and gated.wgsl.
const SILU: u32 = 0u;
const GELU: u32 = 1u;
const GELU_TANH: u32 = 2u;
const RELU: u32 = 3u;

// erfc(z) for z ≥ 0 by a Chebyshev fit with a relative error of 1.2e-7 (Press et al., Numerical Recipes, §6.2).
fn erfc_positive(z: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.5 * z);
    let p = -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806
        + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
    return t * exp(p - z * z);
}

// Arguments of exp are bounded: some drivers turn an overflow into NaN.
fn activation(x: f32) -> f32 {
    if (FUNCTION == SILU) {
        return x / (1.0 + exp(min(-x, 80.0)));
    }
    if (FUNCTION == GELU) {
        let tail = 0.5 * erfc_positive(min(abs(x) * 0.70710678, 9.0));
        return x * select(tail, 1.0 - tail, x >= 0.0);
    }
    if (FUNCTION == GELU_TANH) {
        // ½(1 + tanh u) = 1 / (1 + exp(−2u))
        let u = 0.7978846 * (x + 0.044715 * x * x * x);
        return x / (1.0 + exp(clamp(-2.0 * u, -80.0, 80.0)));
    }
    return max(x, 0.0);
}
// </activation>

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
    let i = id.y * n.x * WG + id.x;
    if (i < params.n) { y[i] = activation(x[i]); }
}
