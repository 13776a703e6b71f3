// Hides keys that a query may not attend to.
//
// equation   y[head, t, s] = x[head, t, s] where key s is visible from position start + t, −∞ elsewhere
// shapes     x, y [head, query, key]
// work       one invocation per score
// CPU twin   model::Mask::allows
//
// WGSL lets a compiler assume that no float is infinite, so the scores travel as bits here and −∞ comes from the host.

override WG: u32 = 64u;

struct Params { n: u32, n_queries: u32, n_keys: u32, start: u32, causal: u32, window: u32, hidden: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

// The keys that the query at a position may attend to are a run first .. end.
fn visible(position: u32) -> vec2<u32> {
    let first = select(0u, position + 1u - params.window, position + 1u > params.window);
    let end = min(select(position + params.window, position + 1u, params.causal == 1u), params.n_keys);
    return vec2<u32>(first, end);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
    let i = id.y * n.x * WG + id.x;
    if (i >= params.n) { return; }
    let key = i % params.n_keys;
    let run = visible(params.start + (i / params.n_keys) % params.n_queries);
    y[i] = select(params.hidden, x[i], key >= run.x && key < run.y);
}
