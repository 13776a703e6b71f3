//! What a router does: does it share the load, and does it send the same kind of word to the same expert?
//!
//! In a mixture of experts each token goes to k of E experts, with weights g (its gates; 0 for the others). Over T tokens:
//!
//! ```text
//! load of expert e  = share of the T·k places that e takes, times E        (1: its fair share)
//! lean of class c   = largest share of c's places that one expert takes, times E
//! I(class; expert)  = Σ p(c, e) ln[ p(c, e) / (p(c) p(e)) ]                in nats
//! ```
//!
//! A lean says little where its expert takes most of everything; so beside it stands the *lift*, the same share over that
//! expert's share of all places.
//!
//! Mutual information estimated by counting is never 0, even for a router that ignores the class: with finite counts
//! chance alone makes some pairs more frequent. So it comes with two baselines, each the mean over several shuffles:
//! *tokens* shuffles the classes of the occurrences (the bias of counting); *words* shuffles which words make up a class and
//! leaves the router's view of each word alone. A router that knows words but nothing of their kinds reaches the second,
//! too: only what lies above it is about kinds of word.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::random::{generator, shuffle_first};

/// Shuffles behind a baseline.
const SHUFFLES: u32 = 20;

/// What the router of one layer does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Routing {
    /// The load of each expert over its fair share, `[E]`.
    pub load: Vec<f64>,
    /// Each expert's share of the gates' weight over its fair share, `[E]`.
    pub weight: Vec<f64>,
    /// Entropy of the load, in nats; ln E where all experts take the same.
    pub load_entropy: f64,
    /// Mean entropy of a token's gates, in nats: 0 for one expert, ln k for k that count the same.
    pub gate_entropy: f64,
    /// What happens to each class, `[C]`.
    pub classes: Vec<ClassRouting>,
    /// How much the class tells of the expert.
    pub information: Information,
}

/// Where the words of one class go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassRouting {
    /// Occurrences of its words.
    pub n_tokens: usize,
    /// The share of their places that each expert takes, `[E]`; zeros where there is no occurrence.
    pub shares: Vec<f64>,
    /// The expert that takes most.
    pub expert: usize,
    /// That expert's share over the fair share 1/E.
    pub lean: f64,
    /// That share over the expert's share of all places.
    pub lift: f64,
    /// Entropy of the shares, in nats.
    pub entropy: f64,
}

/// Mutual information between class and expert, in nats, over the tokens that have a class.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Information {
    /// As counted.
    pub measured: f64,
    /// With the classes of the occurrences shuffled.
    pub shuffled_tokens: f64,
    /// With the words of the classes shuffled.
    pub shuffled_words: f64,
    /// The entropy of the expert, which none of them can exceed.
    pub limit: f64,
}

impl Routing {
    /// From gates `[T, E]` (0 where an expert was not chosen), the tokens `[T]`, and the class (below `n_classes`) of those
    /// tokens that have one. `None` where the gates are not T rows of `n_experts`, or nothing was routed.
    pub fn new(
        gates: &[f32],
        n_experts: usize,
        tokens: &[u32],
        class_of: &BTreeMap<u32, usize>,
        n_classes: usize,
        seed: u64,
    ) -> Option<Self> {
        if n_experts == 0 || gates.len() != tokens.len() * n_experts {
            return None;
        }
        let rows = || gates.chunks_exact(n_experts);
        let places: Vec<Vec<f64>> = rows().map(places).collect();
        let load = shares(places.iter().map(Vec::as_slice), n_experts)?;
        let weights: Vec<Vec<f64>> = rows().map(|row| row.iter().map(|g| f64::from(*g)).collect()).collect();
        let weight = shares(weights.iter().map(Vec::as_slice), n_experts)?;
        let gate_entropies: Vec<f64> = weights.iter().filter_map(|row| Some(entropy(&normalised(row)?))).collect();

        let classes: Vec<Option<usize>> =
            tokens.iter().map(|id| class_of.get(id).copied().filter(|c| *c < n_classes)).collect();
        let class = |c: usize| {
            let own =
                places.iter().zip(&classes).filter(|(_, class)| **class == Some(c)).map(|(row, _)| row.as_slice());
            ClassRouting::new(own, &load)
        };
        let fair = n_experts as f64;
        Some(Self {
            load_entropy: entropy(&load),
            gate_entropy: gate_entropies.iter().sum::<f64>() / gate_entropies.len() as f64,
            classes: (0..n_classes).map(class).collect(),
            information: Information::new(&places, tokens, class_of, &classes, n_classes, seed),
            load: load.into_iter().map(|share| share * fair).collect(),
            weight: weight.into_iter().map(|share| share * fair).collect(),
        })
    }

    /// The load of the least used expert, over its fair share.
    pub fn least_load(&self) -> f64 {
        self.load.iter().copied().fold(f64::INFINITY, f64::min)
    }
}

impl ClassRouting {
    /// From the places of its occurrences, and every expert's share of all places.
    fn new<'a>(places: impl Iterator<Item = &'a [f64]> + Clone, load: &[f64]) -> Self {
        let shares = shares(places.clone(), load.len()).unwrap_or_else(|| vec![0.0; load.len()]);
        let most = shares.iter().copied().fold(0.0, f64::max);
        let expert = shares.iter().position(|share| *share == most).unwrap_or_default();
        Self {
            n_tokens: places.count(),
            expert,
            lean: most * load.len() as f64,
            lift: if load[expert] > 0.0 { most / load[expert] } else { 0.0 },
            entropy: entropy(&shares),
            shares,
        }
    }
}

impl Information {
    fn new(
        places: &[Vec<f64>],
        tokens: &[u32],
        class_of: &BTreeMap<u32, usize>,
        classes: &[Option<usize>],
        n_classes: usize,
        seed: u64,
    ) -> Self {
        // Only tokens that have a class, with their places and ids.
        let known: Vec<(usize, &[f64], u32)> = classes
            .iter()
            .zip(places)
            .zip(tokens)
            .filter_map(|((class, places), id)| Some(((*class)?, places.as_slice(), *id)))
            .collect();
        let of = |classes: &[usize]| {
            let pairs = classes.iter().zip(&known).map(|(class, (_, places, _))| (*class, *places));
            mutual_information(pairs, n_classes)
        };
        let mut own: Vec<usize> = known.iter().map(|(class, ..)| *class).collect();
        let measured = of(&own);

        let mut rng = generator(seed);
        let n = own.len();
        let mut shuffled_tokens = 0.0;
        for _ in 0..SHUFFLES {
            shuffle_first(&mut rng, &mut own, n);
            shuffled_tokens += of(&own) / f64::from(SHUFFLES);
        }
        let (words, mut word_classes): (Vec<u32>, Vec<usize>) =
            class_of.iter().map(|(id, class)| (*id, *class)).unzip();
        let (n, mut shuffled_words) = (words.len(), 0.0);
        for _ in 0..SHUFFLES {
            shuffle_first(&mut rng, &mut word_classes, n);
            let class_of: BTreeMap<u32, usize> = words.iter().copied().zip(word_classes.iter().copied()).collect();
            let classes: Vec<usize> = known.iter().map(|(.., id)| class_of[id]).collect();
            shuffled_words += of(&classes) / f64::from(SHUFFLES);
        }
        let n_experts = places.first().map_or(0, Vec::len);
        let limit = shares(known.iter().map(|(_, places, _)| *places), n_experts).map_or(0.0, |load| entropy(&load));
        Self { measured, shuffled_tokens, shuffled_words, limit }
    }
}

/// I(class; expert) in nats, from the places of each occurrence.
fn mutual_information<'a>(pairs: impl Iterator<Item = (usize, &'a [f64])>, n_classes: usize) -> f64 {
    let mut joint: Vec<Vec<f64>> = vec![Vec::new(); n_classes];
    let mut n = 0.0;
    for (class, places) in pairs {
        let row = &mut joint[class];
        row.resize(places.len(), 0.0);
        row.iter_mut().zip(places).for_each(|(sum, place)| *sum += place);
        n += places.iter().sum::<f64>();
    }
    let class_sums: Vec<f64> = joint.iter().map(|row| row.iter().sum()).collect();
    let n_experts = joint.iter().map(Vec::len).max().unwrap_or(0);
    let expert_sum = |e: usize| joint.iter().filter_map(|row| row.get(e)).sum::<f64>();
    let expert_sums: Vec<f64> = (0..n_experts).map(expert_sum).collect();
    let mut information = 0.0;
    for (row, class_sum) in joint.iter().zip(&class_sums) {
        for (count, expert_sum) in row.iter().zip(&expert_sums).filter(|(count, _)| **count > 0.0) {
            information += count / n * (count * n / (class_sum * expert_sum)).ln();
        }
    }
    information
}

/// The places of a token: 1 for every expert that it was sent to.
fn places(gates: &[f32]) -> Vec<f64> {
    gates.iter().map(|gate| if *gate > 0.0 { 1.0 } else { 0.0 }).collect()
}

/// The share of each column in the sum of all rows; `None` where that is not above 0.
fn shares<'a>(rows: impl Iterator<Item = &'a [f64]>, n: usize) -> Option<Vec<f64>> {
    let mut sums = vec![0.0; n];
    rows.for_each(|row| sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x));
    normalised(&sums)
}

fn normalised(values: &[f64]) -> Option<Vec<f64>> {
    let sum: f64 = values.iter().sum();
    (sum > 0.0).then(|| values.iter().map(|x| x / sum).collect())
}

/// −Σ p ln p, in nats.
fn entropy(p: &[f64]) -> f64 {
    p.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four experts, one place per token: words 0 and 1 (class 0) go to expert 0, words 2 and 3 (class 1) to 1 and 2.
    fn specialised() -> (Vec<f32>, Vec<u32>, BTreeMap<u32, usize>) {
        let tokens: Vec<u32> = (0..400).map(|i| i % 4).collect();
        let expert = |id: &u32| [0, 0, 1, 2][*id as usize];
        let gates = tokens.iter().flat_map(|id| (0..4).map(move |e| if e == expert(id) { 1.0 } else { 0.0 })).collect();
        (gates, tokens, BTreeMap::from([(0, 0), (1, 0), (2, 1), (3, 1)]))
    }

    #[test]
    fn specialists_by_hand() {
        let (gates, tokens, class_of) = specialised();
        let r = Routing::new(&gates, 4, &tokens, &class_of, 2, 1).unwrap();
        assert_eq!((&r.load, &r.weight), (&vec![2.0, 1.0, 1.0, 0.0], &vec![2.0, 1.0, 1.0, 0.0]));
        assert_eq!((r.least_load(), r.gate_entropy), (0.0, 0.0));
        assert!((r.load_entropy - 1.5 * 2f64.ln()).abs() < 1e-12);
        let [a, b] = &r.classes[..] else { panic!("two classes") };
        assert_eq!((a.n_tokens, a.expert, a.lean, a.lift), (200, 0, 4.0, 2.0));
        assert_eq!((b.n_tokens, b.expert, b.lean, b.lift), (200, 1, 2.0, 2.0));
        assert!((a.entropy - 0.0).abs() < 1e-12 && (b.entropy - 2f64.ln()).abs() < 1e-12);
        // The class is known from the expert: all of its ln 2.
        let i = r.information;
        assert!((i.measured - 2f64.ln()).abs() < 1e-12 && (i.limit - 1.5 * 2f64.ln()).abs() < 1e-12, "{i:?}");
        assert!(i.shuffled_tokens < 0.02, "{i:?}");
        // Of the three ways to pair four words, one keeps the classes and two give ½ ln 2 and the like.
        assert!(i.shuffled_tokens < i.shuffled_words && i.shuffled_words < i.measured, "{i:?}");
    }

    #[test]
    fn a_router_that_looks_at_nothing_tells_nothing() {
        let tokens: Vec<u32> = (0..64).map(|i| i % 2).collect();
        let gates = [0.5, 0.5, 0.0, 0.5, 0.0, 0.5].repeat(32);
        // Two places per token, of three experts, alternating with the token.
        let r = Routing::new(&gates, 3, &tokens, &BTreeMap::from([(0, 0), (1, 0), (7, 1)]), 2, 1).unwrap();
        assert_eq!(r.load, vec![1.5, 0.75, 0.75]);
        assert!((r.gate_entropy - 2f64.ln()).abs() < 1e-6);
        assert_eq!(r.information.measured, 0.0, "one class occurs");
        assert_eq!((r.classes[1].n_tokens, r.classes[1].lean), (0, 0.0));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let none = BTreeMap::new();
        assert_eq!(Routing::new(&[1.0; 5], 2, &[0, 1], &none, 0, 0), None);
        assert_eq!(Routing::new(&[0.0; 4], 2, &[0, 1], &none, 0, 0), None, "nothing was routed");
        assert_eq!(Routing::new(&[], 0, &[], &none, 0, 0), None);
        assert_eq!(Routing::new(&[1.0, 0.0], 2, &[5], &none, 0, 0).unwrap().information, Information::default());
    }
}
