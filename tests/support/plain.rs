//! Plain definitions of what the larger kernels compute, summed in f64.

use glassbox::model::Mask;

/// y = x·Wᵀ + b.
pub fn linear(x: &[f32], w: &[f32], d_in: usize, bias: Option<&[f32]>) -> Vec<f32> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let row = |x: &[f32]| -> Vec<f32> {
        w.chunks(d_in).enumerate().map(|(r, w)| (dot(x, w) + bias.map_or(0.0, |b| f64::from(b[r]))) as f32).collect()
    };
    x.chunks(d_in).flat_map(row).collect()
}

/// (queries, keys, heads, key heads, d_head)
pub type Sizes = (usize, usize, usize, usize, usize);

/// q·k of every head, query and key.
pub fn scores(q: &[f32], k: &[f32], (t, s, h, g, d): Sizes) -> Vec<f32> {
    let mut out = Vec::with_capacity(h * t * s);
    for head in 0..h {
        for query in 0..t {
            for key in 0..s {
                let (a, b) = (&q[(query * h + head) * d..][..d], &k[(key * g + head * g / h) * d..][..d]);
                out.push(a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() as f32);
            }
        }
    }
    out
}

/// −∞ where the mask hides.
pub fn mask(scores: &[f32], mask: Mask, t: usize, s: usize, start: usize) -> Vec<f32> {
    let hidden = |i: usize| !mask.allows(start + i / s % t, i % s);
    scores.iter().enumerate().map(|(i, x)| if hidden(i) { f32::NEG_INFINITY } else { *x }).collect()
}

/// The softmax of each row.
pub fn softmax(x: &[f32], width: usize) -> Vec<f32> {
    let row = |row: &[f32]| -> Vec<f32> {
        let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if max == f32::NEG_INFINITY {
            return vec![0.0; row.len()];
        }
        let e: Vec<f64> = row.iter().map(|x| (f64::from(*x) - f64::from(max)).exp()).collect();
        let sum: f64 = e.iter().sum();
        e.iter().map(|e| (e / sum) as f32).collect()
    };
    x.chunks(width).flat_map(row).collect()
}

/// Values weighted by a pattern.
pub fn weigh(pattern: &[f32], v: &[f32], (t, s, h, g, d): Sizes) -> Vec<f32> {
    let mut z = vec![0.0; t * h * d];
    for (i, out) in z.iter_mut().enumerate() {
        let (dim, head, query) = (i % d, i / d % h, i / (d * h));
        let term = |key: usize| {
            f64::from(pattern[(head * t + query) * s + key]) * f64::from(v[(key * g + head * g / h) * d + dim])
        };
        *out = (0..s).map(term).sum::<f64>() as f32;
    }
    z
}
