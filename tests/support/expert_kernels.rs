//! The kernels of a layer of experts: choosing, listing, computing only what was chosen, and adding it up.

use glassbox::engine::wgpu::WgpuBackend;
use glassbox::model::{Activation, Backend, Encoding, Expert, every_expert, route_row};

use crate::{EXACT, Random, TRANSCENDENTAL, assert_close, plain, read};

pub fn scale_rows(gpu: &WgpuBackend, random: &mut Random) {
    for (rows, width, columns) in [(1, 1, 1), (1, 576, 8), (7, 33, 3), (65, 64, 4)] {
        let ((mut x, _), (mut gates, _)) = (random.tensor(gpu, &[rows, width]), random.tensor(gpu, &[rows, columns]));
        let column = columns - 1;
        // A row that counts for nothing may hold anything.
        gates[(rows - 1) * columns + column] = 0.0;
        x[(rows - 1) * width] = f32::NAN;
        let factor = |i: usize| gates[i / width * columns + column];
        let want: Vec<f32> =
            x.iter().enumerate().map(|(i, x)| if factor(i) == 0.0 { 0.0 } else { x * factor(i) }).collect();
        let (x, gates) = (gpu.tensor(&x, &[rows, width]).unwrap(), gpu.tensor(&gates, &[rows, columns]).unwrap());
        let got = read(gpu, &gpu.scale_rows(&x, &gates, column).unwrap());
        assert_close(&format!("scale_rows [{rows}, {width}]"), &got, &want, EXACT);
    }
}

pub fn route(gpu: &WgpuBackend, random: &mut Random) {
    for (rows, n_experts, top_k) in [(1, 1, 1), (1, 8, 2), (5, 4, 4), (33, 65, 6), (3, 128, 8), (2, 3, 9), (70, 512, 1)]
    {
        for normalise in [false, true] {
            let mut logits: Vec<f32> = (0..rows * n_experts).map(|_| random.unit() * 6.0).collect();
            // Equals, experts that must not be chosen, a row of those, and numbers as large as a float holds.
            let last = &mut logits[(rows - 1) * n_experts..];
            last.iter_mut().step_by(2).for_each(|x| *x = 1.5);
            last.iter_mut().skip(1).step_by(3).for_each(|x| *x = f32::NEG_INFINITY);
            if rows > 2 {
                logits[n_experts..2 * n_experts].fill(f32::NEG_INFINITY);
                logits[2 * n_experts] = 3e38;
            }
            let row = |row: &[f32]| route_row(row, top_k, normalise);
            let want: Vec<f32> = logits.chunks(n_experts).flat_map(row).collect();
            let x = gpu.tensor(&logits, &[rows, n_experts]).unwrap();
            let got = read(gpu, &gpu.route(&x, top_k, normalise).unwrap());
            let what = format!("route [{rows}, {n_experts}], top {top_k}, normalise {normalise}");
            assert_close(&what, &got, &want, TRANSCENDENTAL);
            let chosen = |gates: &[f32]| gates.iter().map(|gate| *gate != 0.0).collect::<Vec<_>>();
            assert_eq!(chosen(&got), chosen(&want), "{what}: who is chosen");
        }
    }
    // What is not a number neither hangs nor is routed around: its row becomes NaN, and the next is as it was.
    for bad in [f32::NAN, -f32::NAN, f32::INFINITY] {
        let x = gpu.tensor(&[1.0, bad, 0.0, 2.0, 1.0, 0.0], &[2, 3]).unwrap();
        let got = read(gpu, &gpu.route(&x, 1, true).unwrap());
        assert!(got[..3].iter().all(|gate| gate.is_nan()), "{got:?}");
        assert_eq!(got[3..], [1.0, 0.0, 0.0]);
    }
}

/// An expert's matrices, decoded.
type Matrices = [Vec<f32>; 3];

/// Σ_e gates\[:, e\] · expert_e(x), where only rows with a gate are computed.
fn plain_experts(x: &[f32], gates: &[f32], experts: &[Matrices], d: usize, activation: Activation) -> Vec<f32> {
    let row = |(x, gates): (&[f32], &[f32])| -> Vec<f32> {
        let mut sum = vec![0.0f64; d];
        for ([gate, up, down], weight) in experts.iter().zip(gates).filter(|(_, weight)| **weight != 0.0) {
            let (gate, up) = (plain::linear(x, gate, d, None), plain::linear(x, up, d, None));
            let hidden: Vec<f32> = gate.iter().zip(&up).map(|(g, u)| activation.apply(*g) * u).collect();
            let out = plain::linear(&hidden, down, hidden.len(), None);
            sum.iter_mut().zip(&out).for_each(|(sum, y)| *sum += f64::from(*weight) * f64::from(*y));
        }
        sum.into_iter().map(|sum| sum as f32).collect()
    };
    x.chunks(d).zip(gates.chunks(experts.len())).flat_map(row).collect()
}

pub fn experts(gpu: &WgpuBackend, random: &mut Random) {
    for (encoding, d, d_expert, n_experts) in [
        (Encoding::F32, 8, 24, 3),
        (Encoding::F32, 7, 5, 1),
        (Encoding::BF16, 64, 16, 8),
        (Encoding::Q4_0, 96, 32, 4),
        (Encoding::Q6_K, 256, 256, 2),
    ] {
        let shapes = [[d_expert, d], [d_expert, d], [d, d_expert]];
        let all: Vec<_> = (0..n_experts).map(|_| shapes.map(|shape| random.weight(gpu, encoding, &shape))).collect();
        let decoded: Vec<Matrices> = all.iter().map(|expert| std::array::from_fn(|i| expert[i].0.clone())).collect();
        let experts: Vec<_> =
            all.iter().map(|[gate, up, down]| Expert { gate: &gate.1, up: &up.1, down: &down.1 }).collect();
        for n_tokens in [1, 2, 3, 8, 9, 33, 70] {
            // What a buffer held before must not show.
            for width in [d, d_expert] {
                drop(gpu.tensor(&vec![f32::NAN; n_tokens * width], &[n_tokens, width]).unwrap());
            }
            for (how, choose) in GATES {
                let gates: Vec<f32> = (0..n_tokens * n_experts)
                    .map(|i| if choose(i / n_experts, i % n_experts) { random.unit() } else { 0.0 })
                    .collect();
                let (x, x_gpu) = random.tensor(gpu, &[n_tokens, d]);
                let gates_gpu = gpu.tensor(&gates, &[n_tokens, n_experts]).unwrap();
                let activation = Activation::Silu;
                let want = plain_experts(&x, &gates, &decoded, d, activation);
                let got = read(gpu, &gpu.experts(&x_gpu, &gates_gpu, &experts, activation).unwrap());
                let what = format!("{n_experts} experts {encoding:?} [{n_tokens}, {d}], hidden {d_expert}, {how}");
                // The products of two sums of large values: each loses as much as a sum does.
                assert_close(&what, &got, &want, 1e-10);
                let defined = read(gpu, &every_expert(gpu, &x_gpu, &gates_gpu, &experts, activation).unwrap());
                assert_close(&format!("{what}, by the definition"), &defined, &want, 1e-10);
            }
        }
        // A gate that is not a number spoils its own row and no other.
        let (_, x) = random.tensor(gpu, &[2, d]);
        let mut gates = vec![1.0; 2 * n_experts];
        gates[0] = f32::NAN;
        let gates = gpu.tensor(&gates, &[2, n_experts]).unwrap();
        let got = read(gpu, &gpu.experts(&x, &gates, &experts, Activation::Gelu).unwrap());
        assert!(got[..d].iter().all(|y| y.is_nan()) && got[d..].iter().all(|y| y.is_finite()));
    }
}

/// Which token goes to which expert.
type Choice = (&'static str, fn(usize, usize) -> bool);

const GATES: [Choice; 5] = [
    ("each to one", |t, e| e == t % 3),
    ("all on one", |_, e| e == 1),
    ("to nobody", |_, _| false),
    ("everyone to everyone", |_, _| true),
    ("a few tokens", |t, e| t % 5 == 2 && e != 1),
];
