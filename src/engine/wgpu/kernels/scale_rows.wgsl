// A factor on every row: how much an expert's output counts at each position.
//
// equation   y[t, c] = gates[t, column] · x[t, c];  with ADD, y[t, c] += that
// shapes     gates [pos, expert], x, y [pos, d]
// work       one invocation per value
// CPU twin   the equation
//
// Where the factor is 0 the row of x is not looked at: nobody may have computed it. What is not a number is not 0.

override WG: u32 = 64u;
override ADD: bool = false;

struct Params { n: u32, width: u32, n_columns: u32, column: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gates: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
    let i = id.y * n.x * WG + id.x;
    if (i >= params.n) { return; }
    let gate = gates[i / params.width * params.n_columns + params.column];
    if ((gate & 0x7fffffffu) == 0u) {
        if (!ADD) { y[i] = 0.0; }
        return;
    }
    let value = bitcast<f32>(gate) * x[i];
    if (ADD) { y[i] += value; } else { y[i] = value; }
}
