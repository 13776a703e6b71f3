//! Sampling against the plain definitions, over random logits and by counting draws.

use glassbox::model::sampler::{
    CANDIDATES, Draw, Fate, SampleError, Sampler, SamplerConfig, entropy, kl, log_softmax, softmax, top_n,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn config(temperature: f32, top_k: Option<usize>, top_p: f32, seed: u64) -> SamplerConfig {
    SamplerConfig { temperature, top_k, top_p, seed }
}

fn draw(logits: &[f32], config: SamplerConfig) -> Draw {
    Sampler::new(config).unwrap().draw(logits).unwrap()
}

/// The definition: sort everything, cut, renormalise. Ids with their probability after the cuts, and the full softmax.
fn by_definition(logits: &[f32], temperature: f64, top_k: Option<usize>, top_p: f64) -> (Vec<(usize, f64)>, Vec<f64>) {
    let max = logits.iter().copied().fold(f32::MIN, f32::max);
    let weights: Vec<f64> = logits.iter().map(|&x| ((f64::from(x) - f64::from(max)) / temperature).exp()).collect();
    let total: f64 = weights.iter().sum();
    let full: Vec<f64> = weights.iter().map(|w| w / total).collect();
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]).then(a.cmp(&b)));
    order.truncate(top_k.unwrap_or(usize::MAX));
    let mass: f64 = order.iter().map(|&i| full[i]).sum();
    let mut before = 0.0;
    let mut kept = Vec::new();
    for i in order {
        if kept.is_empty() || top_p == 1.0 || before < top_p * mass {
            kept.push(i);
        }
        before += full[i];
    }
    let mass: f64 = kept.iter().map(|&i| full[i]).sum();
    (kept.into_iter().map(|i| (i, full[i] / mass)).collect(), full)
}

#[test]
fn every_candidate_has_the_fate_and_the_probabilities_of_the_definition() {
    for seed in 0..300 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let n = rng.random_range(1..400);
        let scale = rng.random_range(0.1..8.0f32);
        // Coarse steps, so that ties occur.
        let logits: Vec<f32> = (0..n).map(|_| rng.random_range(-20..20) as f32 * scale / 10.0).collect();
        let temperature = rng.random_range(0.1..3.0f32);
        let top_k = rng.random_bool(0.5).then(|| rng.random_range(1..n + 5));
        let top_p = if rng.random_bool(0.5) { 1.0 } else { rng.random_range(0.05..0.99f32) };
        let what = format!("seed {seed}, n {n}, T {temperature}, k {top_k:?}, p {top_p}");

        let (kept, full) = by_definition(&logits, f64::from(temperature), top_k, f64::from(top_p));
        let draw = draw(&logits, config(temperature, top_k, top_p, seed));
        // The nucleus' edge compares sums of rounded weights, so that one token more or less may reach it.
        assert!(draw.kept.abs_diff(kept.len()) <= 1, "{what}: kept {} instead of {}", draw.kept, kept.len());
        let order = top_n(&logits, n);
        assert!(order[..draw.kept].iter().any(|(id, _)| *id == draw.chosen), "{what}");
        for (rank, (candidate, (id, logit))) in draw.candidates.iter().zip(order).take(CANDIDATES).enumerate() {
            assert_eq!((candidate.id, candidate.logit), (id, logit), "{what}, rank {rank}");
            let close = |a: f32, b: f64| (f64::from(a) - b).abs() < 1e-5 + 1e-5 * b;
            assert!(close(candidate.probability, full[id as usize]), "{what}, rank {rank}");
            let fate = match rank {
                _ if id == draw.chosen => Fate::Chosen,
                _ if rank < draw.kept => Fate::Kept,
                _ if rank >= top_k.unwrap_or(usize::MAX) => Fate::CutByTopK,
                _ => Fate::CutByTopP,
            };
            assert_eq!(candidate.fate, fate, "{what}, rank {rank}");
            if draw.kept == kept.len() {
                let expected = kept.get(rank).map_or(0.0, |(_, p)| *p);
                assert!(close(candidate.drawn_with, expected), "{what}, rank {rank}: {candidate:?} {expected}");
            }
        }
        let nats: f64 = -full.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>();
        assert!((f64::from(draw.entropy) - nats).abs() < 1e-3, "{what}: entropy {} for {nats}", draw.entropy);
    }
}

#[test]
fn draws_follow_the_distribution() {
    let logits = [1.0, 0.5, -0.3, 2.0, 0.0, -1.0, 1.5, -6.0];
    for (top_k, top_p) in [(None, 1.0f32), (Some(5), 1.0), (None, 0.8), (Some(6), 0.9)] {
        let (kept, _) = by_definition(&logits, 0.9, top_k, f64::from(top_p));
        let mut sampler = Sampler::new(config(0.9, top_k, top_p, 11)).unwrap();
        let mut counts = [0usize; 8];
        let draws = 20_000;
        for _ in 0..draws {
            counts[sampler.draw(&logits).unwrap().chosen as usize] += 1;
        }
        assert_eq!(counts.iter().filter(|c| **c > 0).count(), kept.len(), "top_k {top_k:?}, top_p {top_p}: {counts:?}");
        let chi_square: f64 = kept
            .iter()
            .map(|&(id, p)| {
                let expected = p * draws as f64;
                (counts[id] as f64 - expected).powi(2) / expected
            })
            .sum();
        // The 99.9 % point of χ² with 7 degrees of freedom; with fewer it is smaller. The seed is fixed.
        assert!(chi_square < 24.3, "top_k {top_k:?}, top_p {top_p}: χ² = {chi_square}, {counts:?}");
    }
}

#[test]
fn the_seed_alone_decides() {
    let logits: Vec<f32> = (0..1000).map(|i| (i as f32 * 0.37).sin() * 3.0).collect();
    let run = |seed| {
        let mut sampler = Sampler::new(config(1.0, None, 0.95, seed)).unwrap();
        (0..50).map(|_| sampler.draw(&logits).unwrap().chosen).collect::<Vec<_>>()
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn temperature_zero_takes_the_best_and_ties_go_to_the_lower_id() {
    let result = draw(&[1.0, 3.0, -2.0, 3.0, 2.9], config(0.0, None, 1.0, 5));
    assert_eq!((result.chosen, result.kept), (1, 1));
    let fates: Vec<_> = result.candidates.iter().map(|c| (c.id, c.fate, c.drawn_with)).collect();
    assert_eq!(fates[0], (1, Fate::Chosen, 1.0));
    assert_eq!(fates[1], (3, Fate::CutByGreedy, 0.0));
    assert_eq!(draw(&[0.0, -0.0], config(0.0, None, 1.0, 0)).chosen, 0);
    assert_eq!(draw(&[-0.0, 0.0], config(0.0, None, 1.0, 0)).chosen, 0);
}

#[test]
fn a_drawn_token_outside_the_best_is_still_shown() {
    let logits = vec![0.0; 5000];
    let result = draw(&logits, config(1.0, None, 1.0, 3));
    assert!(result.chosen as usize >= CANDIDATES, "the seed should draw a late token, not {}", result.chosen);
    assert_eq!(result.candidates.len(), CANDIDATES + 1);
    assert_eq!(result.candidates[CANDIDATES].id, result.chosen);
    assert_eq!(result.candidates[CANDIDATES].fate, Fate::Chosen);
    assert_eq!(result.kept, 5000);
}

#[test]
fn numbers_that_are_none_are_refused_and_infinities_decide() {
    let try_draw = |logits: &[f32]| Sampler::new(config(1.0, None, 0.9, 1)).unwrap().draw(logits);
    assert_eq!(try_draw(&[0.0, f32::NAN]), Err(SampleError::NotANumber { id: 1 }));
    assert_eq!(try_draw(&[]), Err(SampleError::NoToken));
    assert_eq!(try_draw(&[f32::NEG_INFINITY; 3]), Err(SampleError::NoToken));
    let result = try_draw(&[0.0, f32::INFINITY, 3.0, f32::NEG_INFINITY]).unwrap();
    assert_eq!((result.chosen, result.kept, result.entropy), (1, 1, 0.0));
    assert_eq!(result.candidates[0].probability, 1.0);
    let result = try_draw(&[f32::INFINITY, 0.0, f32::INFINITY]).unwrap();
    assert_eq!(result.candidates[0].probability, 0.5);
    assert_eq!(try_draw(&[f32::MAX, f32::MIN]).unwrap().chosen, 0);
    // A temperature near 0 is greedy without dividing by zero.
    assert_eq!(draw(&[1.0, 1.1, 0.9], config(f32::MIN_POSITIVE, None, 1.0, 9)).chosen, 1);
}

#[test]
fn knobs_outside_their_range_are_refused() {
    for bad in [
        config(-1.0, None, 1.0, 0),
        config(f32::NAN, None, 1.0, 0),
        config(1.0, Some(0), 1.0, 0),
        config(1.0, None, 1.5, 0),
        config(1.0, None, f32::NAN, 0),
    ] {
        assert!(matches!(Sampler::new(bad), Err(SampleError::Config(_))), "{bad:?}");
    }
    // A nucleus of 0 still keeps the best token.
    assert_eq!(draw(&[0.0, 1.0, 0.5], config(1.0, None, 0.0, 0)).kept, 1);
}

#[test]
fn the_distributions_agree_with_each_other() {
    let p = [1.0, -2.0, 0.5, 3.0, f32::NEG_INFINITY];
    let q = [0.0, 0.0, 1.0, 2.0, -1.0];
    let sum: f32 = softmax(&p).iter().sum();
    assert!((sum - 1.0).abs() < 1e-6);
    for (log_p, p) in log_softmax(&p).iter().zip(softmax(&p)) {
        assert!((log_p.exp() - p).abs() < 1e-6);
    }
    assert_eq!(kl(&p, &p), 0.0);
    let term = |(&p, q): (&f32, f32)| if p > 0.0 { f64::from(p) * (f64::from(p) / f64::from(q)).ln() } else { 0.0 };
    let by_hand: f64 = softmax(&p).iter().zip(softmax(&q)).map(term).sum();
    assert!((kl(&p, &q) - by_hand).abs() < 1e-6);
    assert_eq!(kl(&q, &p), f64::INFINITY);
    assert!(kl(&p, &q[..3]).is_nan());
    assert!((entropy(&[4.0; 8]) - 8f64.ln()).abs() < 1e-12);
    assert_eq!(top_n(&[1.0, 5.0, 5.0, f32::NEG_INFINITY, 2.0], 10), [(1, 5.0), (2, 5.0), (4, 2.0), (0, 1.0)]);
}

/// `cargo test --release --test sampler -- --ignored --nocapture` prints what one draw costs.
#[test]
#[ignore = "a measurement, meaningful in a release build"]
fn cost_of_one_draw() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let logits: Vec<f32> = (0..49_152).map(|_| rng.random_range(-10.0..10.0f32)).collect();
    for config in [config(0.0, None, 1.0, 0), config(1.0, Some(40), 0.95, 0), config(1.5, None, 0.95, 0)] {
        let mut sampler = Sampler::new(config).unwrap();
        let start = std::time::Instant::now();
        let sum: u32 = (0..200).map(|_| sampler.draw(&logits).unwrap().chosen & 1).sum();
        println!("{config:?}: {:?} per draw ({sum})", start.elapsed() / 200);
    }
}
