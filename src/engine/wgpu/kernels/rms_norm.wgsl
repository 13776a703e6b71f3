// Root-mean-square normalisation (arXiv 1910.07467).
//
// equation   y = x / √(mean(x²) + ε) · gain
// shapes     x, y [pos, model], gain [model]
// work       one workgroup per position; each invocation sums every WG-th square, then adds up all partial sums itself,
//            which costs one barrier
// CPU twin   the equation, row by row

override WG: u32 = 64u;

struct Params { width: u32, eps: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> gain: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

var<workgroup> partial: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.x * params.width;
    var squares = 0.0;
    for (var c = lane; c < params.width; c += WG) {
        let value = x[row + c];
        squares += value * value;
    }
    partial[lane] = squares;
    workgroupBarrier();
    var sum = 0.0;
    for (var i = 0u; i < WG; i++) { sum += partial[i]; }
    let factor = 1.0 / sqrt(sum / f32(params.width) + params.eps);
    for (var c = lane; c < params.width; c += WG) {
        y[row + c] = x[row + c] * factor * gain[c];
    }
}
