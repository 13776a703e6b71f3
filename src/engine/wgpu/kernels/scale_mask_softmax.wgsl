// Scale, mask and softmax in one visit.
//
// equation   y = softmax(mask(factor · x)) over the last axis; a row with no visible key becomes zeros
// shapes     x, y [head, query, key]
// work       one workgroup per row; it visits the visible keys only, and fills the rest with zeros
// CPU twin   scale, then mask, then softmax

override WG: u32 = 64u;

struct Params { n_rows: u32, n_queries: u32, n_keys: u32, start: u32, causal: u32, window: u32, factor: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

var<workgroup> maxima: array<f32, WG>;
var<workgroup> sums: array<f32, WG>;

const LOWEST: f32 = -3.4028234e38;

// The keys that the query at a position may attend to are a run first .. end.
fn visible(position: u32) -> vec2<u32> {
    let first = select(0u, position + 1u - params.window, position + 1u > params.window);
    let end = min(select(position + params.window, position + 1u, params.causal == 1u), params.n_keys);
    return vec2<u32>(first, end);
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) n_groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i_row = group.y * n_groups.x + group.x;
    if (i_row >= params.n_rows) { return; }
    let row = i_row * params.n_keys;
    let run = visible(params.start + i_row % params.n_queries);

    var largest = LOWEST;
    for (var s = run.x + lane; s < run.y; s += WG) { largest = max(largest, params.factor * x[row + s]); }
    maxima[lane] = largest;
    workgroupBarrier();
    for (var i = 0u; i < WG; i++) { largest = max(largest, maxima[i]); }

    var sum = 0.0;
    for (var s = run.x + lane; s < run.y; s += WG) { sum += exp(params.factor * x[row + s] - largest); }
    sums[lane] = sum;
    workgroupBarrier();
    var total = 0.0;
    for (var i = 0u; i < WG; i++) { total += sums[i]; }

    for (var s = lane; s < params.n_keys; s += WG) {
        var value = 0.0;
        if (s >= run.x && s < run.y) { value = exp(params.factor * x[row + s] - largest) / total; }
        y[row + s] = value;
    }
}
