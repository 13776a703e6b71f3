// Softmax over the last axis.
//
// equation   y_s = exp(x_s − max x) / Σ exp(x − max x);  a row that is wholly −∞ becomes zeros
// shapes     x, y [row, key]
// work       one workgroup per row; one barrier for the maximum and one for the sum
// CPU twin   the equation, row by row
//
// −∞ is recognised by its bits and never enters the arithmetic: WGSL lets a compiler assume that there is none.

override WG: u32 = 64u;

struct Params { n_rows: u32, n_keys: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

var<workgroup> maxima: array<f32, WG>;
var<workgroup> sums: array<f32, WG>;

const MINUS_INFINITY: u32 = 0xff800000u;
const LOWEST: f32 = -3.4028234e38;

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) n_groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i_row = group.y * n_groups.x + group.x;
    if (i_row >= params.n_rows) { return; }
    let row = i_row * params.n_keys;

    var largest = LOWEST;
    for (var s = lane; s < params.n_keys; s += WG) {
        if (x[row + s] != MINUS_INFINITY) { largest = max(largest, bitcast<f32>(x[row + s])); }
    }
    maxima[lane] = largest;
    workgroupBarrier();
    for (var i = 0u; i < WG; i++) { largest = max(largest, maxima[i]); }

    var sum = 0.0;
    for (var s = lane; s < params.n_keys; s += WG) {
        if (x[row + s] != MINUS_INFINITY) { sum += exp(bitcast<f32>(x[row + s]) - largest); }
    }
    sums[lane] = sum;
    workgroupBarrier();
    var total = 0.0;
    for (var i = 0u; i < WG; i++) { total += sums[i]; }

    for (var s = lane; s < params.n_keys; s += WG) {
        var value = 0.0;
        if (x[row + s] != MINUS_INFINITY) { value = exp(bitcast<f32>(x[row + s]) - largest) / total; }
        y[row + s] = value;
    }
}
