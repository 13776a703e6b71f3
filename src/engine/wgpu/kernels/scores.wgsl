// Attention scores.
//
// equation   out[head, t, s] = Σ_d q[t, head, d] · k[s, head · G / H, d]
// shapes     q [query, H, d_head], k [key, G, d_head], out [H, query, key]
// work       one invocation per score
// CPU twin   the equation, value by value

override WG: u32 = 64u;

struct Params { n_queries: u32, n_keys: u32, n_heads: u32, n_kv_heads: u32, d_head: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
    let i = id.y * n.x * WG + id.x;
    let s = i % params.n_keys;
    let t = (i / params.n_keys) % params.n_queries;
    let head = i / (params.n_keys * params.n_queries);
    if (head >= params.n_heads) { return; }
    let kv_head = head * params.n_kv_heads / params.n_heads;
    let q_at = (t * params.n_heads + head) * params.d_head;
    let k_at = (s * params.n_kv_heads + kv_head) * params.d_head;
    var sum = 0.0;
    for (var d = 0u; d < params.d_head; d++) { sum += q[q_at + d] * k[k_at + d]; }
    out[i] = sum;
}
