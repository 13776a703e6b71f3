// Rotary position embedding (arXiv 2104.09864), half-split layout.
//
// equation   y[i]         = x[i] · cos[t, i] − x[i + d/2] · sin[t, i]
//            y[i + d/2]   = x[i + d/2] · cos[t, i] + x[i] · sin[t, i]        for i < d/2; dimensions from d on stay
// shapes     x, y [pos, heads, d_head], cos and sin [pos, d/2]
// work       one invocation per value of y
// CPU twin   the equation, value by value

override WG: u32 = 64u;

struct Params { n: u32, n_heads: u32, d_head: u32, half: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> cosines: array<f32>;
@group(0) @binding(3) var<storage, read> sines: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
    let i = id.y * n.x * WG + id.x;
    if (i >= params.n) { return; }
    let dim = i % params.d_head;
    let t = i / (params.d_head * params.n_heads);
    if (dim >= 2u * params.half) {
        y[i] = x[i];
    } else if (dim < params.half) {
        let angle = t * params.half + dim;
        y[i] = x[i] * cosines[angle] - x[i + params.half] * sines[angle];
    } else {
        let angle = t * params.half + dim - params.half;
        y[i] = x[i] * cosines[angle] + x[i - params.half] * sines[angle];
    }
}
