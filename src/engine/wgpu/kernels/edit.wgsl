// A copy of a tensor with a box rewritten: how an intervention acts on the device.
//
// equation   y = x outside the box;  inside, at the box's i-th value: x · factor, values[i], or x + values[i]
// shapes     x, y [a, b, c], values [n_values], repeated until the box is full
// work       one invocation per value of y
// CPU twin   model::Edit::apply over model::Slab::indices

override WG: u32 = 64u;
override KIND: u32 = 0u;

const SCALE: u32 = 0u;
const SET: u32 = 1u;
const ADD: u32 = 2u;

struct Params {
    n: u32, n_b: u32, n_c: u32, n_values: u32,
    start_a: u32, start_b: u32, start_c: u32, factor: f32,
    len_a: u32, len_b: u32, len_c: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
    let i = id.y * n.x * WG + id.x;
    if (i >= params.n) { return; }
    let start = vec3<u32>(params.start_a, params.start_b, params.start_c);
    let len = vec3<u32>(params.len_a, params.len_b, params.len_c);
    let at = vec3<u32>(i / (params.n_b * params.n_c), (i / params.n_c) % params.n_b, i % params.n_c);
    if (any(at < start) || any(at >= start + len)) {
        y[i] = x[i];
        return;
    }
    let inside = at - start;
    let j = ((inside.x * len.y + inside.y) * len.z + inside.z) % params.n_values;
    if (KIND == SCALE) {
        y[i] = x[i] * params.factor;
    } else if (KIND == SET) {
        y[i] = values[j];
    } else {
        y[i] = x[i] + values[j];
    }
}
