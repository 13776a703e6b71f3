//! Generation on the CPU, token by token: the kernels that multiply encoded blocks stand in for decoded f32 arithmetic,
//! whatever the encoding, and the device says truthfully which of the two computes.

#[path = "support/random_model.rs"]
mod random_model;

use glassbox::engine::candle::CandleBackend;
use glassbox::engine::{Engine, Request, Runner};
use glassbox::model::{Backend, Capture, Encoding, Interventions, LogitsWanted, Weights};
use random_model::{models, random_model};

/// By how much of their size rounded activations may move the logits: 1.4e-4 was seen with these narrow random models, and
/// with 8 bits instead of 16 it would be two orders more.
const ROUNDING: f64 = 1e-3;

#[test]
fn every_encoding_generates_as_exact_arithmetic_does() {
    for (seed, (name, config, encoding)) in (100..).zip(models()) {
        let data = random_model(&config, encoding, seed);
        let engine = |exact: bool| {
            let backend = CandleBackend::new(exact);
            let table = data.iter().map(|(id, data)| (*id, backend.upload(data).unwrap())).collect();
            Runner::new(backend, config.clone(), Weights::new(table)).unwrap()
        };
        let (mut exact, mut fast) = (engine(true), engine(false));
        let (capture, interventions) = (Capture::none(), Interventions::none());
        for step in 0..12u32 {
            let tokens = [(step * 37 + 11) % 101];
            let request = Request {
                tokens: &tokens,
                capture: &capture,
                interventions: &interventions,
                logits: LogitsWanted::Last,
            };
            let (want, got) = (exact.run(request).unwrap().logits, fast.run(request).unwrap().logits);
            let power = |x: &mut dyn Iterator<Item = f32>| x.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt();
            let off = power(&mut want.iter().zip(&got).map(|(a, b)| a - b)) / power(&mut want.iter().copied());
            assert!(off < ROUNDING, "{name}, token {step}: off by {off:e} of the logits' size");
        }
        assert_eq!(exact.device().arithmetic, "exact f32", "{name}");
        let rounds = fast.device().arithmetic.contains("16-bit activations");
        match encoding {
            // Nothing is rounded where no weight was quantised.
            _ if encoding.block_len() == 1 => assert!(!rounds, "{name}"),
            Encoding::Q4_0 | Encoding::Q4_1 | Encoding::Q8_0 => assert!(rounds, "{name}"),
            // Kernels for the others depend on the processor.
            _ => {}
        }
    }
}
