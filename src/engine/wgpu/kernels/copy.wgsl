// Copies a run of values: rows of a tensor, or new keys and values to the end of the KV cache.
//
// equation   y[to + i] = x[from + i]
// shapes     x, y flat
// work       one invocation per value
// CPU twin   copy_from_slice

override WG: u32 = 64u;

struct Params { n: u32, origin: u32, target_at: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
    let i = id.y * n.x * WG + id.x;
    if (i < params.n) { y[params.target_at + i] = x[params.origin + i]; }
}
