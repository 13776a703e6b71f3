// Values weighted by an attention pattern.
//
// equation   z[t, head, d] = Σ_s pattern[head, t, s] · v[s, head · G / H, d]
// shapes     pattern [H, query, key], v [key, G, d_head], z [query, H, d_head]
// work       one invocation per tile of 4 dimensions and 4 rows of queries. A row is a query at one of the heads that
//            share the tile's value head, so that what is loaded of v serves all of them.
// CPU twin   the equation, value by value

override WG: u32 = 64u;

struct Params {
    n_queries: u32, n_keys: u32, n_heads: u32, n_kv_heads: u32, d_head: u32,
    query_begin: u32, query_end: u32,  // what this dispatch computes
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pattern: array<f32>;
@group(0) @binding(2) var<storage, read> v: array<f32>;
@group(0) @binding(3) var<storage, read_write> z: array<f32>;

// One key's weight in 4 rows, and 4 dimensions of its value.
fn weights_at(at: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(pattern[at.x], pattern[at.y], pattern[at.z], pattern[at.w]);
}

fn values_at(at: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(v[at.x], v[at.y], v[at.z], v[at.w]);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
    let i = id.y * n.x * WG + id.x;
    let heads_per_kv = params.n_heads / params.n_kv_heads;
    let n_rows = (params.query_end - params.query_begin) * heads_per_kv;
    let dim_tiles = (params.d_head + 3u) / 4u;
    let row_tiles = (n_rows + 3u) / 4u;
    let dim = 4u * (i % dim_tiles);
    let row = 4u * ((i / dim_tiles) % row_tiles);
    let kv_head = i / (dim_tiles * row_tiles);
    if (kv_head >= params.n_kv_heads) { return; }

    // Dimensions and rows past the end repeat the last one; their sums are not written.
    let four = vec4<u32>(0u, 1u, 2u, 3u);
    let dims = min(dim + four, vec4<u32>(params.d_head - 1u));
    let rows = min(row + four, vec4<u32>(n_rows - 1u));
    let heads = kv_head * heads_per_kv + rows % heads_per_kv;
    let queries = params.query_begin + rows / heads_per_kv;
    let pattern_at = (heads * params.n_queries + queries) * params.n_keys;
    let v_at = kv_head * params.d_head + dims;

    var a = vec4<f32>(0.0);
    var b = vec4<f32>(0.0);
    var c = vec4<f32>(0.0);
    var e = vec4<f32>(0.0);
    for (var s = 0u; s < params.n_keys; s++) {
        let weights = weights_at(pattern_at + s);
        let value = values_at(v_at + s * params.n_kv_heads * params.d_head);
        a += weights.x * value;
        b += weights.y * value;
        c += weights.z * value;
        e += weights.w * value;
    }

    var sums = array<vec4<f32>, 4>(a, b, c, e);
    for (var r = 0u; r < 4u && row + r < n_rows; r++) {
        let z_row = (queries[r] * params.n_heads + heads[r]) * params.d_head;
        for (var d = 0u; d < 4u && dim + d < params.d_head; d++) { z[z_row + dim + d] = sums[r][d]; }
    }
}
