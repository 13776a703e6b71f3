// From a router's logits to the weight of each expert.
//
// equation   p = softmax(x);  y_e = p_e for the top_k largest, else 0;  with NORMALISE, y / Σ y
// shapes     x, y [pos, expert]
// work       one workgroup per position. An expert is chosen if fewer than top_k experts come before it, so that no
//            invocation has to wait for another's choice; one barrier for the maximum and one for the sum
// CPU twin   model::route_row
//
// Of equals the first wins. −∞ is never chosen; a row that holds NaN or +∞ becomes NaN. All three are recognised by their
// bits and never enter the arithmetic: WGSL lets a compiler assume that there are none.

override WG: u32 = 64u;
override NORMALISE: bool = false;

struct Params { n_rows: u32, n_experts: u32, top_k: u32, not_a_number: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

var<workgroup> maxima: array<f32, WG>;
var<workgroup> bad: array<u32, WG>;
var<workgroup> sums: array<f32, WG>;

const MINUS_INFINITY: u32 = 0xff800000u;
const PLUS_INFINITY: u32 = 0x7f800000u;
const LOWEST: f32 = -3.4028234e38;

fn is_bad(bits: u32) -> bool {
    return (bits & PLUS_INFINITY) == PLUS_INFINITY && bits != MINUS_INFINITY;
}

// How many experts of the row that begins at `row` come before expert `e`.
fn rank(row: u32, e: u32) -> u32 {
    let own = bitcast<f32>(x[row + e]);
    var n = 0u;
    for (var i = 0u; i < params.n_experts; i++) {
        if (x[row + i] == MINUS_INFINITY) { continue; }
        let other = bitcast<f32>(x[row + i]);
        if (other > own || (other == own && i < e)) { n++; }
    }
    return n;
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) n_groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i_row = group.y * n_groups.x + group.x;
    if (i_row >= params.n_rows) { return; }
    let row = i_row * params.n_experts;

    var largest = LOWEST;
    var any_bad = 0u;
    for (var e = lane; e < params.n_experts; e += WG) {
        let bits = x[row + e];
        if (is_bad(bits)) {
            any_bad = 1u;
        } else if (bits != MINUS_INFINITY) {
            largest = max(largest, bitcast<f32>(bits));
        }
    }
    maxima[lane] = largest;
    bad[lane] = any_bad;
    workgroupBarrier();
    for (var i = 0u; i < WG; i++) {
        largest = max(largest, maxima[i]);
        any_bad |= bad[i];
    }

    // Each invocation keeps its own experts' values in y until their sum is known.
    var sum = 0.0;
    for (var e = lane; e < params.n_experts; e += WG) {
        var value = 0.0;
        if (any_bad == 0u && x[row + e] != MINUS_INFINITY) {
            value = exp(bitcast<f32>(x[row + e]) - largest);
            let chosen = rank(row, e) < params.top_k;
            if (chosen || !NORMALISE) { sum += value; }
            if (!chosen) { value = 0.0; }
        }
        y[row + e] = bitcast<u32>(value);
    }
    sums[lane] = sum;
    workgroupBarrier();
    var total = 0.0;
    for (var i = 0u; i < WG; i++) { total += sums[i]; }

    for (var e = lane; e < params.n_experts; e += WG) {
        if (any_bad != 0u) {
            y[row + e] = params.not_a_number;
        } else if (y[row + e] != 0u) {
            y[row + e] = bitcast<u32>(bitcast<f32>(y[row + e]) / total);
        }
    }
}
