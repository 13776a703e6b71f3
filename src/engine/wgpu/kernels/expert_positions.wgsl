// Which positions are sent to each expert.
//
// equation   y[e] = n, t₁ … tₙ: how many positions give expert e a weight other than 0, and which, in their order
// shapes     gates [pos, expert], y [expert, 1 + pos]
// work       one invocation per expert walks down its column of gates
// CPU twin   the equation

override WG: u32 = 64u;

struct Params { n_tokens: u32, n_experts: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gates: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
    let e = id.y * n.x * WG + id.x;
    if (e >= params.n_experts) { return; }
    let list = e * (1u + params.n_tokens);
    var found = 0u;
    for (var t = 0u; t < params.n_tokens; t++) {
        // By its bits, since what is not a number is not 0 either.
        if ((gates[t * params.n_experts + e] & 0x7fffffffu) != 0u) {
            found++;
            y[list + found] = t;
        }
    }
    y[list] = found;
}
