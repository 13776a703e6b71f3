// Attention scores.
//
// equation   out[head, t, s] = Σ_d q[t, head, d] · k[s, head · G / H, d]
// shapes     q [query, H, d_head], k [key, G, d_head], out [H, query, key]
// work       one invocation per tile of 4 keys and 4 rows of queries. A row is a query at one of the heads that share the
//            tile's key head, so that what is loaded of k serves all heads of the group even for a single query.
// CPU twin   the equation, value by value

override WG: u32 = 64u;

struct Params {
    n_queries: u32, n_keys: u32, n_heads: u32, n_kv_heads: u32, d_head: u32,
    query_begin: u32, query_end: u32,  // what this dispatch computes
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

// One dimension of 4 keys, and of 4 rows of queries.
fn keys_at(at: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(k[at.x], k[at.y], k[at.z], k[at.w]);
}

fn queries_at(at: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(q[at.x], q[at.y], q[at.z], q[at.w]);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
    let i = id.y * n.x * WG + id.x;
    let heads_per_kv = params.n_heads / params.n_kv_heads;
    let n_rows = (params.query_end - params.query_begin) * heads_per_kv;
    let key_tiles = (params.n_keys + 3u) / 4u;
    let row_tiles = (n_rows + 3u) / 4u;
    let key = 4u * (i % key_tiles);
    let row = 4u * ((i / key_tiles) % row_tiles);
    let kv_head = i / (key_tiles * row_tiles);
    if (kv_head >= params.n_kv_heads) { return; }

    // Keys and rows past the end repeat the last one; their scores are not written.
    let four = vec4<u32>(0u, 1u, 2u, 3u);
    let keys = min(key + four, vec4<u32>(params.n_keys - 1u));
    let rows = min(row + four, vec4<u32>(n_rows - 1u));
    let heads = kv_head * heads_per_kv + rows % heads_per_kv;
    let queries = params.query_begin + rows / heads_per_kv;
    let k_at = (keys * params.n_kv_heads + kv_head) * params.d_head;
    let q_at = (queries * params.n_heads + heads) * params.d_head;

    var a = vec4<f32>(0.0);
    var b = vec4<f32>(0.0);
    var c = vec4<f32>(0.0);
    var e = vec4<f32>(0.0);
    for (var d = 0u; d < params.d_head; d++) {
        let four_keys = keys_at(k_at + d);
        let four_queries = queries_at(q_at + d);
        a += four_queries.x * four_keys;
        b += four_queries.y * four_keys;
        c += four_queries.z * four_keys;
        e += four_queries.w * four_keys;
    }

    var sums = array<vec4<f32>, 4>(a, b, c, e);
    for (var r = 0u; r < 4u && row + r < n_rows; r++) {
        let out_row = (heads[r] * params.n_queries + queries[r]) * params.n_keys;
        for (var s = 0u; s < 4u && key + s < params.n_keys; s++) { out[out_row + key + s] = sums[r][s]; }
    }
}
