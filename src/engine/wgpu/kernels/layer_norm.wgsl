// Layer normalisation (arXiv 1607.06450).
//
// equation   y = (x − mean(x)) / √(var(x) + ε) · gain + bias
// shapes     x, y [pos, model], gain and bias [model]
// work       one workgroup per position; two sums, each with one barrier. The variance is summed from the differences
//            to the mean: mean(x²) − mean(x)² would cancel.
// CPU twin   the equation, row by row

override WG: u32 = 64u;
override HAS_BIAS: bool = true;

struct Params { width: u32, eps: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> gain: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

var<workgroup> sums: array<f32, WG>;
var<workgroup> squares: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.x * params.width;
    var sum = 0.0;
    for (var c = lane; c < params.width; c += WG) { sum += x[row + c]; }
    sums[lane] = sum;
    workgroupBarrier();
    var total = 0.0;
    for (var i = 0u; i < WG; i++) { total += sums[i]; }
    let mean = total / f32(params.width);

    var square = 0.0;
    for (var c = lane; c < params.width; c += WG) {
        let difference = x[row + c] - mean;
        square += difference * difference;
    }
    squares[lane] = square;
    workgroupBarrier();
    var spread = 0.0;
    for (var i = 0u; i < WG; i++) { spread += squares[i]; }
    let factor = 1.0 / sqrt(spread / f32(params.width) + params.eps);

    for (var c = lane; c < params.width; c += WG) {
        var value = (x[row + c] - mean) * factor * gain[c];
        if (HAS_BIAS) { value += bias[c]; }
        y[row + c] = value;
    }
}
