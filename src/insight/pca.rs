//! Principal components: the few directions in which the rows of a table differ most.
//!
//! A map of an embedding table has to leave out nearly all of its d dimensions. Principal component analysis (Pearson
//! 1901) keeps the k orthogonal directions that keep the most variance, and says how much that is; where the share is
//! small, what looks close on the map may be far apart in the table.
//!
//! The directions are the leading eigenvectors of the covariance C = (1/V) Σ (x − mean)(x − mean)ᵀ. C is built in full, in
//! blocks of rows, which is the one costly step (V·d²/2 products) and reports progress. Its first eigenvectors then come
//! from orthogonal iteration (Golub and Van Loan, Matrix Computations, 8.2): multiply by C, make orthogonal, repeat, with
//! some spare directions for speed. A linear algebra crate would bring a whole eigensolver for three vectors of a d × d
//! matrix; this is shorter than its glue, and a test compares it with Jacobi's method.

use super::analogy::dot;

/// Rows whose products are summed in f32 before they join the sum in f64.
const BLOCK: usize = 256;
/// Directions iterated beside those asked for: the error falls by λ(k + SPARE + 1)/λ(k) each time.
const SPARE: usize = 6;
/// The most iterations. Directions of nearly equal variance may not settle, and need not: each is as good as the other.
const ITERATIONS: usize = 600;
/// A direction that turns less than this (1 − |cos|) has settled.
const SETTLED: f64 = 1e-13;

/// The directions that were found.
#[derive(Debug, Clone, PartialEq)]
pub struct Components {
    /// The mean of the rows, `[d]`.
    pub mean: Vec<f32>,
    /// Directions of unit length, `[k][d]`, the one of most variance first. The largest entry of each is positive.
    pub axes: Vec<Vec<f32>>,
    /// The variance along each.
    pub variances: Vec<f64>,
    /// The variance of the table: the sum over all its dimensions.
    pub total: f64,
}

impl Components {
    /// The share of the variance that a direction keeps, 0 to 1.
    pub fn share(&self, axis: usize) -> f64 {
        let variance = self.variances.get(axis).copied().unwrap_or(0.0);
        if self.total > 0.0 { variance / self.total } else { 0.0 }
    }

    /// A row's place along each direction: (x − mean)·axis.
    pub fn project(&self, row: &[f32]) -> Vec<f32> {
        let centred: Vec<f32> = row.iter().zip(&self.mean).map(|(x, m)| x - m).collect();
        self.axes.iter().map(|axis| dot(&centred, axis)).collect()
    }
}

/// The first `k` components of a table `[V, d]`. `go_on` hears how far the work is, from 0 to 1, and may end it by saying
/// false; then, and for a table without rows, there is no result.
pub fn principal(table: &[f32], d: usize, k: usize, go_on: &mut dyn FnMut(f32) -> bool) -> Option<Components> {
    let n = table.len().checked_div(d).filter(|n| *n > 0)?;
    let table = &table[..n * d];
    let mean = mean_of(table, d);
    let covariance = covariance(table, d, &mean, go_on)?;
    let total = (0..d).map(|i| covariance[i * d + i]).sum();
    let (axes, variances) = leading(&covariance, d, k.min(d), go_on)?;
    Some(Components { mean, axes, variances, total })
}

fn mean_of(table: &[f32], d: usize) -> Vec<f32> {
    let mut sums = vec![0.0f64; d];
    for row in table.chunks_exact(d) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
    }
    let n = (table.len() / d) as f64;
    sums.into_iter().map(|sum| (sum / n) as f32).collect()
}

/// `[d, d]`. Each block of rows is turned on its side first, so that an entry is one dot product of neighbours in memory.
fn covariance(table: &[f32], d: usize, mean: &[f32], go_on: &mut dyn FnMut(f32) -> bool) -> Option<Vec<f64>> {
    let n = table.len() / d;
    let mut sums = vec![0.0f64; d * d];
    let mut columns = vec![0.0f32; d * BLOCK];
    for (block, rows) in table.chunks(BLOCK * d).enumerate() {
        if !go_on(0.9 * (block * BLOCK) as f32 / n as f32) {
            return None;
        }
        columns.fill(0.0);
        for (r, row) in rows.chunks_exact(d).enumerate() {
            for (i, (x, m)) in row.iter().zip(mean).enumerate() {
                columns[i * BLOCK + r] = x - m;
            }
        }
        let column = |i: usize| &columns[i * BLOCK..(i + 1) * BLOCK];
        for i in 0..d {
            for j in i..d {
                sums[i * d + j] += f64::from(dot(column(i), column(j)));
            }
        }
    }
    for i in 0..d {
        for j in i..d {
            let value = sums[i * d + j] / n as f64;
            (sums[i * d + j], sums[j * d + i]) = (value, value);
        }
    }
    Some(sums)
}

/// The `k` leading eigenvectors of a symmetric matrix, with their eigenvalues.
fn leading(
    matrix: &[f64],
    d: usize,
    k: usize,
    go_on: &mut dyn FnMut(f32) -> bool,
) -> Option<(Vec<Vec<f32>>, Vec<f64>)> {
    let wide = (k + SPARE).min(d);
    // Any start will do that is not orthogonal to what is sought; this one is the same every time.
    let start = |a: usize| (0..d).map(|i| ((i * 7 + a * 13 + i * a) as f64 * 0.618 + 0.1).sin()).collect::<Vec<f64>>();
    let mut basis: Vec<Vec<f64>> = (0..wide).map(start).collect();
    orthogonalise(&mut basis);
    for iteration in 0..ITERATIONS {
        if !go_on(0.9 + 0.1 * iteration as f32 / ITERATIONS as f32) {
            return None;
        }
        let mut next: Vec<Vec<f64>> = basis.iter().map(|v| times(matrix, d, v)).collect();
        orthogonalise(&mut next);
        let turned = basis.iter().zip(&next).take(k).map(|(a, b)| 1.0 - dot64(a, b).abs()).fold(0.0, f64::max);
        basis = next;
        if turned < SETTLED {
            break;
        }
    }
    let mut found: Vec<(f64, Vec<f64>)> = basis.into_iter().map(|v| (dot64(&v, &times(matrix, d, &v)), v)).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.truncate(k);
    let signed = |v: Vec<f64>| {
        let largest = v.iter().copied().fold(0.0f64, |m, x| if x.abs() > m.abs() { x } else { m });
        v.into_iter().map(|x| (x * largest.signum()) as f32).collect()
    };
    Some(found.into_iter().map(|(value, v)| (signed(v), value.max(0.0))).unzip())
}

fn times(matrix: &[f64], d: usize, v: &[f64]) -> Vec<f64> {
    matrix.chunks_exact(d).map(|row| dot64(row, v)).collect()
}

fn dot64(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Gram and Schmidt's, done twice, since once leaves the rounding of nearly parallel vectors.
fn orthogonalise(basis: &mut [Vec<f64>]) {
    for i in 0..basis.len() {
        let (done, rest) = basis.split_at_mut(i);
        let v = &mut rest[0];
        for _ in 0..2 {
            for u in done.iter() {
                let along = dot64(u, v);
                v.iter_mut().zip(u).for_each(|(x, y)| *x -= along * y);
            }
        }
        let length = dot64(v, v).sqrt();
        let scale = if length > 1e-200 { 1.0 / length } else { 0.0 };
        v.iter_mut().for_each(|x| *x *= scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::random::{below, generator};

    /// Jacobi's method: turns the largest coordinates pairwise until only the diagonal is left.
    fn jacobi(mut a: Vec<Vec<f64>>) -> Vec<(f64, Vec<f64>)> {
        let d = a.len();
        let mut vectors: Vec<Vec<f64>> =
            (0..d).map(|i| (0..d).map(|j| f64::from(u8::from(i == j))).collect()).collect();
        for _ in 0..60 {
            for p in 0..d {
                for q in p + 1..d {
                    let angle = 0.5 * (2.0 * a[p][q]).atan2(a[p][p] - a[q][q]);
                    let (s, c) = angle.sin_cos();
                    for row in a.iter_mut().chain(&mut vectors) {
                        (row[p], row[q]) = (c * row[p] + s * row[q], c * row[q] - s * row[p]);
                    }
                    let (x, y) = (a[p].clone(), a[q].clone());
                    a[p] = x.iter().zip(&y).map(|(x, y)| c * x + s * y).collect();
                    a[q] = x.iter().zip(&y).map(|(x, y)| c * y - s * x).collect();
                }
            }
        }
        let mut pairs: Vec<(f64, Vec<f64>)> =
            (0..d).map(|i| (a[i][i], vectors.iter().map(|row| row[i]).collect())).collect();
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        pairs
    }

    fn table(n: usize, d: usize) -> Vec<f32> {
        let mut rng = generator(7);
        // Each dimension varies by another amount, and all share an offset.
        let value = |i: usize, x: usize| 3.0 + (x as f32 / 500.0 - 1.0) * (1.0 + (i % d) as f32);
        (0..n * d).map(|i| value(i, below(&mut rng, 1001))).collect()
    }

    #[test]
    fn components_are_the_eigenvectors_of_the_covariance() {
        let (n, d) = (700, 12);
        let table = table(n, d);
        let found = principal(&table, d, 3, &mut |_| true).unwrap();
        let mean: Vec<f64> =
            (0..d).map(|i| table.chunks_exact(d).map(|row| f64::from(row[i])).sum::<f64>() / n as f64).collect();
        let entry = |i: usize, j: usize| {
            let product = |row: &[f32]| (f64::from(row[i]) - mean[i]) * (f64::from(row[j]) - mean[j]);
            table.chunks_exact(d).map(product).sum::<f64>() / n as f64
        };
        let plain = jacobi((0..d).map(|i| (0..d).map(|j| entry(i, j)).collect()).collect());
        for (axis, (value, vector)) in plain.iter().take(3).enumerate() {
            // Rows are centred and multiplied in f32: six digits are left.
            assert!((found.variances[axis] / value - 1.0).abs() < 1e-5, "{axis}: {} {value}", found.variances[axis]);
            let cosine: f64 = vector.iter().zip(&found.axes[axis]).map(|(x, y)| x * f64::from(*y)).sum();
            assert!(cosine.abs() > 1.0 - 1e-5, "axis {axis}: {cosine}");
        }
        let total: f64 = plain.iter().map(|(value, _)| value).sum();
        assert!((found.total / total - 1.0).abs() < 1e-5);
        // The variance of the places on the map is the variance that was promised.
        let places: Vec<f64> = table.chunks_exact(d).map(|row| f64::from(found.project(row)[0])).collect();
        let variance = places.iter().map(|x| x * x).sum::<f64>() / n as f64;
        assert!((variance / found.variances[0] - 1.0).abs() < 1e-4);
    }

    #[test]
    fn a_flat_table_has_components_too() {
        // Fewer directions than were asked for, and none at all.
        let found = principal(&[1.0, 2.0, 1.0, 2.0], 2, 3, &mut |_| true).unwrap();
        assert_eq!((found.axes.len(), found.total), (2, 0.0));
        assert_eq!(found.share(0), 0.0);
        assert!(found.project(&[1.0, 2.0]).iter().all(|x| *x == 0.0));
        assert_eq!(principal(&[], 4, 2, &mut |_| true), None);
    }

    #[test]
    fn it_stops_when_told() {
        let mut calls = 0;
        let stopped = principal(&table(700, 12), 12, 2, &mut |_| {
            calls += 1;
            calls < 3
        });
        assert_eq!((stopped, calls), (None, 3));
    }
}
