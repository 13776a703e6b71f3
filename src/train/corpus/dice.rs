//! Random choices of the generator.
//!
//! One ChaCha8 stream per document, its 256-bit seed written out of (seed, purpose, split, index), so that a document
//! never depends on which others were asked for. Indices are drawn as `u32`, so 32-bit and 64-bit machines agree.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::Split;

/// A stream of random choices.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of one document (`purpose` keeps documents and instructions apart).
    pub(super) fn new(seed: u64, purpose: u8, split: Split, index: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&index.to_le_bytes());
        bytes[16] = purpose;
        bytes[17] = match split {
            Split::Train => 0,
            Split::HeldOut => 1,
        };
        Self(ChaCha8Rng::from_seed(bytes))
    }

    /// A number from 0 to `n` − 1; 0 where `n` is 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0.random_range(0..(n as u32).max(1)) as usize
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high + 1 - low)
    }

    /// True in `percent` of 100 cases.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One entry of a table, which must not be empty.
    pub(super) fn pick<T: Copy>(&mut self, table: &[T]) -> T {
        table[self.below(table.len())]
    }

    /// The place of one entry, drawn in proportion to the weights.
    pub(super) fn weighted(&mut self, weights: impl Iterator<Item = u32> + Clone) -> usize {
        let mut left = self.below(weights.clone().sum::<u32>() as usize) as u32;
        for (place, weight) in weights.enumerate() {
            if left < weight {
                return place;
            }
            left -= weight;
        }
        0
    }

    /// Puts a slice in random order.
    pub(super) fn shuffle<T>(&mut self, slice: &mut [T]) {
        for i in (1..slice.len()).rev() {
            slice.swap(i, self.below(i + 1));
        }
    }

    /// `n` different entries of a table, or all of them where it has fewer.
    pub(super) fn sample<T: Copy>(&mut self, table: &[T], n: usize) -> Vec<T> {
        let mut all = table.to_vec();
        self.shuffle(&mut all);
        all.truncate(n);
        all
    }

    /// A pair of entries on the wanted side of the held-out rule.
    pub(super) fn pair<T: Copy, U: Copy>(
        &mut self,
        split: Split,
        first: &[T],
        second: &[U],
        key: impl Fn(T, U) -> (&'static str, &'static str),
    ) -> (T, U) {
        loop {
            let (a, b) = (self.pick(first), self.pick(second));
            let (x, y) = key(a, b);
            if Split::of(x, y) == split {
                return (a, b);
            }
        }
    }
}
