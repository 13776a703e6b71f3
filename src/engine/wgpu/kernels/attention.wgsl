// Attention with no pattern kept: a softmax that is corrected as keys arrive (arXiv 1805.02867, 2205.14135).
//
// equation   z[t, head, :] = Σ_s softmax_s(scale · q[t, head]·k[s, kv_head]) · v[s, kv_head, :], over the visible keys
// shapes     q, z [query, H, d_head], k and v [key, G, d_head]
// work       one workgroup per query and head. It walks over the keys in tiles of WG: invocation i scores key i of the
//            tile, then owns every WG-th dimension of z. Two barriers per tile.
// CPU twin   scores, scale, mask, softmax and weigh, one after the other
//
// With the largest score m so far, a new tile that raises it to m' multiplies what was summed by exp(m − m').

override WG: u32 = 64u;
override D_HEAD: u32 = 64u;

struct Params {
    n_queries: u32, n_keys: u32, n_heads: u32, n_kv_heads: u32,
    start: u32, causal: u32, window: u32, scale: f32,
    query_begin: u32,  // the first query of this dispatch
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read_write> z: array<f32>;

var<workgroup> scores: array<f32, WG>;
var<workgroup> weights: array<f32, WG>;
var<workgroup> sums: array<f32, D_HEAD>;

const LOWEST: f32 = -3.4028234e38;

// The keys that the query at a position may attend to are a run first .. end.
fn visible(position: u32) -> vec2<u32> {
    let first = select(0u, position + 1u - params.window, position + 1u > params.window);
    let end = min(select(position + params.window, position + 1u, params.causal == 1u), params.n_keys);
    return vec2<u32>(first, end);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.x;
    let t = params.query_begin + group.y;
    let kv_head = head * params.n_kv_heads / params.n_heads;
    let q_at = (t * params.n_heads + head) * D_HEAD;
    let run = visible(params.start + t);
    for (var d = lane; d < D_HEAD; d += WG) { sums[d] = 0.0; }

    var largest = LOWEST;
    var total = 0.0;
    for (var tile = run.x; tile < run.y; tile += WG) {
        let n = min(WG, run.y - tile);
        var score = LOWEST;
        if (lane < n) {
            let k_at = ((tile + lane) * params.n_kv_heads + kv_head) * D_HEAD;
            var product = 0.0;
            for (var d = 0u; d < D_HEAD; d++) { product += q[q_at + d] * k[k_at + d]; }
            score = product * params.scale;
        }
        scores[lane] = score;
        workgroupBarrier();

        var raised = largest;
        for (var i = 0u; i < n; i++) { raised = max(raised, scores[i]); }
        weights[lane] = select(0.0, exp(score - raised), lane < n);
        workgroupBarrier();

        let correction = select(0.0, exp(largest - raised), tile != run.x);
        total *= correction;
        for (var i = 0u; i < n; i++) { total += weights[i]; }
        for (var d = lane; d < D_HEAD; d += WG) {
            var sum = sums[d] * correction;
            for (var i = 0u; i < n; i++) {
                sum += weights[i] * v[((tile + i) * params.n_kv_heads + kv_head) * D_HEAD + d];
            }
            sums[d] = sum;
        }
        largest = raised;
    }

    for (var d = lane; d < D_HEAD; d += WG) {
        var value = 0.0;
        if (run.x < run.y) { value = sums[d] / total; }
        z[q_at + d] = value;
    }
}
