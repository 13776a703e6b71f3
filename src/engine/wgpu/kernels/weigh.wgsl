// Values weighted by an attention pattern.
//
// equation   z[t, head, d] = Σ_s pattern[head, t, s] · v[s, head · G / H, d]
// shapes     pattern [H, query, key], v [key, G, d_head], z [query, H, d_head]
// work       one invocation per value of z
// CPU twin   the equation, value by value

override WG: u32 = 64u;

struct Params { n_queries: u32, n_keys: u32, n_heads: u32, n_kv_heads: u32, d_head: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pattern: array<f32>;
@group(0) @binding(2) var<storage, read> v: array<f32>;
@group(0) @binding(3) var<storage, read_write> z: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
    let i = id.y * n.x * WG + id.x;
    let d = i % params.d_head;
    let head = (i / params.d_head) % params.n_heads;
    let t = i / (params.d_head * params.n_heads);
    if (t >= params.n_queries) { return; }
    let kv_head = head * params.n_kv_heads / params.n_heads;
    let row = (head * params.n_queries + t) * params.n_keys;
    var sum = 0.0;
    for (var s = 0u; s < params.n_keys; s++) {
        sum += pattern[row + s] * v[(s * params.n_kv_heads + kv_head) * params.d_head + d];
    }
    z[i] = sum;
}
