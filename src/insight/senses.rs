//! Where two meanings of one word part.
//!
//! "The bank of the river" and "the bank lends money" enter the model as the same vector. Layer by layer the residual
//! stream at that word takes in its neighbours, and if the model tells the meanings apart, occurrences of one meaning come
//! to lie closer to each other than to those of the other. Per layer, over all pairs of occurrences:
//!
//! ```text
//! gap = mean cosine of pairs with the same meaning − mean cosine of pairs with different meanings
//! ```
//!
//! Cosines are taken after subtracting the mean over all given occurrences of that layer. Vectors of a layer share a large
//! common part: it says "a word, this word, at this depth", fills a few huge dimensions, and lifts every cosine towards 1
//! (Ethayarajh 2019, arXiv 1909.00512). Being shared, it cannot tell meanings apart, but it would shrink every gap to
//! nothing and differently so in each layer. Without it the cosines of n unrelated vectors average −1/(n − 1), so the gap
//! compares with 0 and layers compare with each other.
//!
//! The gap alone can be lifted by a few occurrences, so two more figures stand beside it: the share of occurrences that are
//! closer, on average, to the others of their own meaning than to those of the other; and how often dealing the same
//! meanings out to the occurrences at random gives a gap as wide.

use serde::{Deserialize, Serialize};

use super::random::{generator, shuffle_first};

/// Random deals behind a chance.
const DEALS: u32 = 2000;
/// Gaps this close are the same: sums in another order differ by as much.
const ROUNDING: f64 = 1e-9;
/// A vector is taken for no direction if centring leaves less than this share of its length: the same word in the first
/// residual stream is the same vector, and what is left is rounding.
const LEAST_LENGTH: f64 = 1e-5;

/// How far the meanings lie apart at one layer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Separation {
    /// Mean cosine of pairs with the same meaning.
    pub within: f64,
    /// Mean cosine of pairs with different meanings.
    pub across: f64,
    /// `within − across`.
    pub gap: f64,
    /// The share of occurrences that lie closer to their own meaning.
    pub sorted: f64,
    /// How often meanings dealt out at random give a gap as wide, for this layer taken by itself: whoever picks the widest
    /// of many layers has tried as many times.
    pub chance: f64,
}

/// Compares occurrences of a word at one layer: vectors `[n, d]` of the residual stream, row-major, and which of the
/// meanings each has, `[n]`. `None` without at least two occurrences of each of two meanings, or where the vectors are not
/// n rows.
pub fn separation(vectors: &[f32], senses: &[usize]) -> Option<Separation> {
    let n = senses.len();
    let d = vectors.len().checked_div(n).filter(|d| *d > 0 && d * n == vectors.len())?;
    let has = |i: usize, same: bool| (0..n).any(|j| j != i && (senses[i] == senses[j]) == same);
    if !(0..n).all(|i| has(i, true) && has(i, false)) {
        return None;
    }
    let units = centred_units(vectors, d);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let cosines: Vec<Vec<f64>> = units.iter().map(|a| units.iter().map(|b| dot(a, b)).collect()).collect();
    let sorted = (0..n).filter(|i| {
        let [within, across] = means(&cosines, senses, *i..i + 1);
        within > across
    });
    let sorted = sorted.count();
    let [within, across] = means(&cosines, senses, 0..n);
    let gap = within - across;

    let (mut rng, mut dealt, mut as_wide) = (generator(0), senses.to_vec(), 0);
    for _ in 0..DEALS {
        shuffle_first(&mut rng, &mut dealt, n);
        let [within, across] = means(&cosines, &dealt, 0..n);
        as_wide += u32::from(within - across >= gap - ROUNDING);
    }
    // The deal that was measured counts as one more.
    let chance = f64::from(as_wide + 1) / f64::from(DEALS + 1);
    Some(Separation { within, across, gap, sorted: sorted as f64 / n as f64, chance })
}

/// The mean cosine of the occurrences `of` with the others of their meaning, and with those of the other meanings.
fn means(cosines: &[Vec<f64>], senses: &[usize], of: std::ops::Range<usize>) -> [f64; 2] {
    let (mut sums, mut pairs) = ([0.0; 2], [0u32; 2]);
    for i in of {
        for j in (0..senses.len()).filter(|j| *j != i) {
            let side = usize::from(senses[i] != senses[j]);
            sums[side] += cosines[i][j];
            pairs[side] += 1;
        }
    }
    [sums[0] / f64::from(pairs[0]), sums[1] / f64::from(pairs[1])]
}

/// The layer with the widest gap, as its place in the list; the earliest of equals.
pub fn widest(layers: &[Separation]) -> Option<usize> {
    let best = layers.iter().map(|layer| layer.gap).fold(f64::NEG_INFINITY, f64::max);
    layers.iter().position(|layer| layer.gap == best)
}

/// Rows minus their mean, at unit length; zeros where nothing is left.
fn centred_units(vectors: &[f32], d: usize) -> Vec<Vec<f64>> {
    let rows = || vectors.chunks_exact(d);
    let n = rows().len() as f64;
    let mean: Vec<f64> = (0..d).map(|i| rows().map(|row| f64::from(row[i])).sum::<f64>() / n).collect();
    let length = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>().sqrt();
    let unit = |row: &[f32]| {
        let row: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
        let centred: Vec<f64> = row.iter().zip(&mean).map(|(x, m)| x - m).collect();
        let left = length(&centred);
        let scale = if left > LEAST_LENGTH * length(&row) { 1.0 / left } else { 0.0 };
        centred.into_iter().map(|x| x * scale).collect()
    };
    rows().map(unit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opposite_directions_separate() {
        // Two meanings on one axis, lifted by a common part: raw cosines are near 1, centred ones are ±1.
        let vectors = [100.0, 1.0, 100.0, 2.0, 100.0, -1.0, 100.0, -2.0];
        let s = separation(&vectors, &[0, 0, 1, 1]).unwrap();
        assert!((s.within - 1.0).abs() < 1e-9 && (s.across + 1.0).abs() < 1e-9 && (s.gap - 2.0).abs() < 1e-9, "{s:?}");
        assert_eq!(s.sorted, 1.0);
        // Four occurrences are two and two in three ways, and one of them is this.
        assert!((s.chance - 1.0 / 3.0).abs() < 0.05, "{s:?}");
    }

    #[test]
    fn a_straggler_keeps_them_together() {
        let vectors = [1.0, 0.0, 1.0, 0.1, -1.0, 0.0, -1.0, 0.0, -1.0, 0.1, 1.0, 0.0];
        let s = separation(&vectors, &[0, 0, 0, 1, 1, 1]).unwrap();
        assert!((s.sorted - 4.0 / 6.0).abs() < 1e-9, "{s:?}");
    }

    #[test]
    fn equal_vectors_have_no_gap() {
        let s = separation(&[0.1f32; 12], &[0, 0, 1, 1]).unwrap();
        assert_eq!((s.within, s.across, s.chance), (0.0, 0.0, 1.0));
    }

    #[test]
    fn too_little_is_refused() {
        assert_eq!(separation(&[1.0, 2.0, 3.0], &[0, 0, 1]), None, "one occurrence of the second meaning");
        assert_eq!(separation(&[1.0, 2.0, 3.0, 4.0], &[0, 0, 0, 0]), None, "one meaning");
        assert_eq!(separation(&[1.0; 7], &[0, 0, 1, 1]), None, "not whole rows");
        assert_eq!(separation(&[], &[]), None);
    }
}
