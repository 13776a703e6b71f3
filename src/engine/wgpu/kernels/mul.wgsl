// Product of two tensors, value by value.
//
// equation   y = a ⊙ b
// shapes     a, b, y [n]
// work       one invocation per value
// CPU twin   the equation

override WG: u32 = 64u;

struct Params { n: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
    let i = id.y * n.x * WG + id.x;
    if (i < params.n) { y[i] = a[i] * b[i]; }
}
