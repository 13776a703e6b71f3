//! The geometry of an embedding table: what is near a vector, and arithmetic with words.
//!
//! A [`Space`] looks at a table `[V, d]` under one of three measures. Trained tables have a large mean: every vector
//! shares it, so unrelated tokens have a cosine far above 0 (0.44 in SmolLM2), and the shared part hides what sets words
//! apart. Subtracting the mean first ("centring") puts unrelated tokens near 0; whether it is done is for the caller to
//! say and for the screen to show.
//!
//! An analogy a : b = c : d asks whether b − a + c lies near d (Mikolov et al. 2013, arXiv 1301.3781). The nearest vector of
//! all is very often one of the three that went in, and tools that "find" the answer leave those out without a word; so
//! [`Space::analogy`] gives the answer's rank both ways. Vectors are added as they stand in the table, not at unit length.
//!
//! One query is one pass over the table: V dot products of length d.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// Numbers that a dot product sums side by side.
const LANES: usize = 16;

/// How near two vectors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// x·y / (|x||y|), from −1 to 1; larger is nearer. 0 where a vector has no length.
    Cosine,
    /// x·y; larger is nearer, and long vectors are near to much.
    Dot,
    /// |x − y|; smaller is nearer.
    Euclid,
}

impl Measure {
    /// Orders two values of the measure, the nearer one first.
    pub fn nearer(self, a: f32, b: f32) -> Ordering {
        match self {
            Self::Cosine | Self::Dot => b.total_cmp(&a),
            Self::Euclid => a.total_cmp(&b),
        }
    }
}

/// An embedding table, and how nearness is measured in it.
#[derive(Debug, Clone)]
pub struct Space<'a> {
    table: &'a [f32],
    d: usize,
    measure: Measure,
    /// What is subtracted from every vector: the table's mean `[d]`, or zeros.
    origin: Vec<f32>,
    /// |x − origin|² of every row, `[V]`.
    squares: Vec<f32>,
}

/// A token and how near it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Neighbour {
    /// The token.
    pub id: u32,
    /// The measure's value.
    pub value: f32,
}

/// Where the answer of an analogy stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalogyResult {
    /// The measure between b − a + c and d.
    pub value: f32,
    /// The rank of d, from 1, when a, b and c are left out.
    pub rank: usize,
    /// The rank of d among all tokens.
    pub rank_among_all: usize,
    /// The nearest tokens when a, b and c are left out, the nearest first.
    pub nearest: Vec<Neighbour>,
    /// The nearest tokens of all.
    pub nearest_of_all: Vec<Neighbour>,
}

impl<'a> Space<'a> {
    /// A space over a table `[V, d]`, row-major. `centred` subtracts the table's mean from every vector. Values after the
    /// last whole row are left alone.
    pub fn new(table: &'a [f32], d: usize, measure: Measure, centred: bool) -> Self {
        let rows = || table.chunks_exact(d.max(1));
        let mut origin = vec![0.0f32; d];
        if centred && rows().len() > 0 {
            let mut sums = vec![0.0f64; d];
            rows().for_each(|row| sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x)));
            origin = sums.into_iter().map(|sum| (sum / rows().len() as f64) as f32).collect();
        }
        let square = |row: &[f32]| {
            let centred: Vec<f32> = row.iter().zip(&origin).map(|(x, o)| x - o).collect();
            dot(&centred, &centred)
        };
        let squares = rows().map(square).collect();
        Self { table, d, measure, origin, squares }
    }

    /// Tokens in the table.
    pub fn len(&self) -> usize {
        self.squares.len()
    }

    /// Whether the table has no row.
    pub fn is_empty(&self) -> bool {
        self.squares.is_empty()
    }

    /// A token's vector as it stands in the table, `[d]`.
    pub fn vector(&self, id: u32) -> Option<&'a [f32]> {
        let start = (id as usize).checked_mul(self.d)?;
        self.table.get(start..start + self.d).filter(|row| !row.is_empty())
    }

    /// The measure between a point and every token, `[V]`. The point is given like a row of the table: where the space is
    /// centred, the mean is subtracted here.
    pub fn values(&self, point: &[f32]) -> Vec<f32> {
        let point: Vec<f32> = point.iter().zip(&self.origin).map(|(x, o)| x - o).collect();
        // (x − o)·p = x·p − o·p, so the table itself need not be moved.
        let (offset, square) = (dot(&self.origin, &point), dot(&point, &point));
        let value = |(row, row_square): (&[f32], &f32)| {
            let product = dot(row, &point) - offset;
            match self.measure {
                Measure::Dot => product,
                Measure::Cosine => cosine(product, *row_square, square),
                Measure::Euclid => (row_square + square - 2.0 * product).max(0.0).sqrt(),
            }
        };
        self.table.chunks_exact(self.d.max(1)).zip(&self.squares).map(value).collect()
    }

    /// The measure between two tokens; `None` where one is not in the table.
    pub fn between(&self, a: u32, b: u32) -> Option<f32> {
        let centred = |id| Some(self.vector(id)?.iter().zip(&self.origin).map(|(x, o)| x - o).collect::<Vec<f32>>());
        let (a, b) = (centred(a)?, centred(b)?);
        Some(match self.measure {
            Measure::Dot => dot(&a, &b),
            Measure::Cosine => cosine(dot(&a, &b), dot(&a, &a), dot(&b, &b)),
            Measure::Euclid => a.iter().zip(&b).map(|(x, y)| (x - y).powi(2)).sum::<f32>().sqrt(),
        })
    }

    /// The `n` tokens nearest to a point, leaving out those of `excluded`; the nearest first, ties by the lower id.
    pub fn nearest(&self, point: &[f32], excluded: &[u32], n: usize) -> Vec<Neighbour> {
        self.best(&self.values(point), excluded, n)
    }

    /// The measure between all pairs of a list, `[n, n]`; `None` where one is not in the table.
    pub fn matrix(&self, ids: &[u32]) -> Option<Vec<f32>> {
        ids.iter().flat_map(|a| ids.iter().map(|b| self.between(*a, *b))).collect()
    }

    /// Whether b − a + c lies near d, with the `n` nearest tokens. `None` where one of the four is not in the table.
    pub fn analogy(&self, [a, b, c, d]: [u32; 4], n: usize) -> Option<AnalogyResult> {
        let (va, vb, vc) = (self.vector(a)?, self.vector(b)?, self.vector(c)?);
        self.vector(d)?;
        let point: Vec<f32> = va.iter().zip(vb).zip(vc).map(|((a, b), c)| b - a + c).collect();
        let values = self.values(&point);
        Some(AnalogyResult {
            value: values[d as usize],
            rank: self.rank(&values, d, &[a, b, c]),
            rank_among_all: self.rank(&values, d, &[]),
            nearest: self.best(&values, &[a, b, c], n),
            nearest_of_all: self.best(&values, &[], n),
        })
    }

    /// The rank of a token, from 1, among all that are not excluded. An excluded answer is ranked as if it were not.
    fn rank(&self, values: &[f32], id: u32, excluded: &[u32]) -> usize {
        let is_before = |other: u32| self.order(values, other, id) == Ordering::Less && !excluded.contains(&other);
        1 + (0..values.len() as u32).filter(|other| is_before(*other)).count()
    }

    fn best(&self, values: &[f32], excluded: &[u32], n: usize) -> Vec<Neighbour> {
        let mut ids: Vec<u32> = (0..values.len() as u32).filter(|id| !excluded.contains(id)).collect();
        let n = n.min(ids.len());
        if 0 < n && n < ids.len() {
            ids.select_nth_unstable_by(n - 1, |a, b| self.order(values, *a, *b));
        }
        ids.truncate(n);
        ids.sort_unstable_by(|a, b| self.order(values, *a, *b));
        ids.into_iter().map(|id| Neighbour { id, value: values[id as usize] }).collect()
    }

    fn order(&self, values: &[f32], a: u32, b: u32) -> Ordering {
        self.measure.nearer(values[a as usize], values[b as usize]).then(a.cmp(&b))
    }
}

fn cosine(product: f32, square_a: f32, square_b: f32) -> f32 {
    let lengths = square_a.sqrt() * square_b.sqrt();
    if lengths > 0.0 { product / lengths } else { 0.0 }
}

/// Σ xᵢyᵢ, summed in lanes, so that it becomes vector code and long sums lose no digits.
pub(super) fn dot(x: &[f32], y: &[f32]) -> f32 {
    let ((xs, x_rest), (ys, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    let mut lanes = [0.0f32; LANES];
    for (x, y) in xs.iter().zip(ys) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += x * y;
        }
    }
    let rest: f32 = x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum();
    lanes.iter().sum::<f32>() + rest
}
