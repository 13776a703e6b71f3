// Matrix times vector, for graphics processors.
//
// equation   y[t, r] = Σ_c W[r, c] · x[t, c] + b[r]
// shapes     W [out, in] packed, x [pos, in], b [out], y [pos, out]; with EXPERT, only the positions in a list
// work       one workgroup per position and 4 rows of W; neighbouring invocations read neighbouring words, so that
//            loads of W coalesce; the partial sums meet in workgroup memory
// CPU twin   Σ_c decode(W)[r, c] · x[t, c] + b[r]

override WG: u32 = 64u;
override FORMAT: u32 = 4u;
override HAS_BIAS: bool = false;
override EXPERT: bool = false;

struct Params {
    n_tokens: u32,
    groups: u32,     // of 8 columns
    row_words: u32,  // words from one row of W to the next
    high_at: u32,    // planes within a row
    scales_at: u32,
    deltas_at: u32,
    row_begin: u32,  // the rows of this buffer that this dispatch computes
    row_end: u32,
    out_begin: u32,  // output of the buffer's row 0
    d_out: u32,
    sent_at: u32,    // where the list of positions begins
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> words: array<u32>;
// The bias, or with EXPERT the list of positions: some devices bind no more than four buffers.
@group(0) @binding(3) var<storage, read> extra: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

var<workgroup> partial: array<vec4<f32>, WG>;

// <dequantise> The same text in every kernel that reads packed weights; weights.rs lays the rows out.
// A row is a run of words: a plane of quants (8 columns to a group), a plane of high bits, then the scales.
//     weight = scale · quant + offset
const F32: u32 = 0u;
const F16: u32 = 1u;
const BF16: u32 = 2u;
const Q4_0: u32 = 3u;
const Q4_1: u32 = 4u;
const Q5_0: u32 = 5u;
const Q5_1: u32 = 6u;
const Q8_0: u32 = 7u;
const Q4_K: u32 = 8u;
const Q5_K: u32 = 9u;
const Q6_K: u32 = 10u;

struct Eight { lo: vec4<f32>, hi: vec4<f32> }

// One of two f16 numbers that share a word.
fn half_at(word: u32, i: u32) -> f32 {
    let pair = unpack2x16float(word);
    return select(pair.x, pair.y, (i & 1u) == 1u);
}

// The four bytes of a word.
fn bytes(word: u32) -> vec4<f32> {
    return vec4<f32>(unpack4xU8(word));
}

// Groups of 8 columns that share one scale.
fn groups_per_scale() -> u32 {
    return select(4u, 2u, FORMAT == Q6_K);
}

// (scale, offset) of the 8 columns of group g, in the row that begins at word `row`.
fn scale_of(row: u32, g: u32) -> vec2<f32> {
    let at = row + params.scales_at;
    let block = g / 4u;
    if (FORMAT == Q4_0 || FORMAT == Q5_0 || FORMAT == Q8_0) {
        return vec2<f32>(half_at(words[at + block / 2u], block), 0.0);
    }
    if (FORMAT == Q4_1 || FORMAT == Q5_1) {
        return unpack2x16float(words[at + block]);
    }
    if (FORMAT == Q4_K || FORMAT == Q5_K) {
        // Five words for 256 columns: d and d_min, eight scales of a byte, eight minima of a byte.
        let base = at + 5u * (block / 8u);
        let sub = block % 8u;
        let d = unpack2x16float(words[base]);
        let scale = extractBits(words[base + 1u + sub / 4u], 8u * (sub % 4u), 8u);
        let minimum = extractBits(words[base + 3u + sub / 4u], 8u * (sub % 4u), 8u);
        return vec2<f32>(d.x * f32(scale), -(d.y * f32(minimum)));
    }
    if (FORMAT == Q6_K) {
        // Sixteen signed bytes for 256 columns, and one d, which stands in a plane of its own.
        let sub = g / 2u;
        let scale = extractBits(bitcast<i32>(words[at + sub / 4u]), 8u * (sub % 4u), 8u);
        let d = half_at(words[row + params.deltas_at + g / 64u], g / 32u);
        return vec2<f32>(d * f32(scale), 0.0);
    }
    return vec2<f32>(1.0, 0.0);
}

// The 8 quants of group g. In a word of nibbles, byte i holds column i below and column 4 + i above.
fn quants_of(row: u32, g: u32) -> Eight {
    if (FORMAT == F32) {
        let at = row + 8u * g;
        return Eight(
            bitcast<vec4<f32>>(vec4<u32>(words[at], words[at + 1u], words[at + 2u], words[at + 3u])),
            bitcast<vec4<f32>>(vec4<u32>(words[at + 4u], words[at + 5u], words[at + 6u], words[at + 7u])),
        );
    }
    if (FORMAT == F16) {
        let at = row + 4u * g;
        return Eight(
            vec4<f32>(unpack2x16float(words[at]), unpack2x16float(words[at + 1u])),
            vec4<f32>(unpack2x16float(words[at + 2u]), unpack2x16float(words[at + 3u])),
        );
    }
    if (FORMAT == BF16) {
        // The upper half of an f32.
        let at = row + 4u * g;
        let w = vec4<u32>(words[at], words[at + 1u], words[at + 2u], words[at + 3u]);
        let even = bitcast<vec4<f32>>(w << vec4<u32>(16u));
        let odd = bitcast<vec4<f32>>(w & vec4<u32>(0xffff0000u));
        return Eight(vec4<f32>(even.x, odd.x, even.y, odd.y), vec4<f32>(even.z, odd.z, even.w, odd.w));
    }
    if (FORMAT == Q8_0) {
        let at = row + 2u * g;
        return Eight(vec4<f32>(unpack4xI8(words[at])), vec4<f32>(unpack4xI8(words[at + 1u])));
    }
    let w = words[row + g];
    var lo = w & 0x0f0f0f0fu;
    var hi = (w >> 4u) & 0x0f0f0f0fu;
    if (FORMAT == Q5_0 || FORMAT == Q5_1 || FORMAT == Q5_K) {
        let bits = words[row + params.high_at + g / 4u] >> (2u * (g % 4u));
        lo |= (bits & 0x01010101u) << 4u;
        hi |= ((bits >> 1u) & 0x01010101u) << 4u;
    }
    if (FORMAT == Q6_K) {
        let bits = words[row + params.high_at + g / 2u] >> (4u * (g % 2u));
        lo |= (bits & 0x03030303u) << 4u;
        hi |= ((bits >> 2u) & 0x03030303u) << 4u;
    }
    // Formats with an offset store unsigned quants; the others are centred on zero here.
    var centre = 0.0;
    if (FORMAT == Q4_0) { centre = 8.0; }
    if (FORMAT == Q5_0) { centre = 16.0; }
    if (FORMAT == Q6_K) { centre = 32.0; }
    return Eight(bytes(lo) - centre, bytes(hi) - centre);
}
// </dequantise>

// <positions> The same text in every matrix product. An expert computes the positions that stand in its list.
fn n_positions() -> u32 {
    if (EXPERT) { return extra[params.sent_at]; }
    return params.n_tokens;
}

// The position that is the i-th to be computed.
fn position(i: u32) -> u32 {
    if (EXPERT) { return extra[params.sent_at + 1u + i]; }
    return i;
}
// </positions>

// Σ over 8 columns of (scale · quant + offset) · x, with Σ x given.
fn dot8(row: u32, g: u32, x: Eight, x_sum: f32) -> f32 {
    let s = scale_of(row, g);
    let q = quants_of(row, g);
    return s.x * (dot(q.lo, x.lo) + dot(q.hi, x.hi)) + s.y * x_sum;
}

@compute @workgroup_size(WG)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) n_groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let first = params.row_begin + 4u * (group.z * n_groups.x + group.x);
    if (first >= params.row_end || group.y >= n_positions()) { return; }
    let t = position(group.y);
    let last = params.row_end - 1u;
    let row = min(vec4<u32>(first, first + 1u, first + 2u, first + 3u), vec4<u32>(last)) * params.row_words;
    let x_row = t * params.groups * 2u;

    var sum = vec4<f32>(0.0);
    for (var g = lane; g < params.groups; g += WG) {
        let v = Eight(x[x_row + 2u * g], x[x_row + 2u * g + 1u]);
        let v_sum = dot(v.lo + v.hi, vec4<f32>(1.0));
        sum += vec4<f32>(
            dot8(row.x, g, v, v_sum),
            dot8(row.y, g, v, v_sum),
            dot8(row.z, g, v, v_sum),
            dot8(row.w, g, v, v_sum),
        );
    }
    partial[lane] = sum;
    // Halve the number of partial sums until one is left.
    for (var half = WG / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) { partial[lane] += partial[lane + half]; }
    }
    workgroupBarrier();

    if (lane < 4u && first + lane < params.row_end) {
        let o = params.out_begin + first + lane;
        var value = partial[0][lane];
        if (HAS_BIAS) { value += bitcast<f32>(extra[o]); }
        y[t * params.d_out + o] = value;
    }
}
