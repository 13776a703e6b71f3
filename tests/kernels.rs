//! Every kernel against its plain definition on the processor, over awkward shapes and large values.
//!
//! The error of a result is its NMSE: Σ(got − want)² / Σ want². Each limit says why it is what it is. The suite walks over
//! [`Kernel::ALL`]: a kernel without a test does not compile here.

#[path = "support/expert_kernels.rs"]
mod expert_kernels;
#[path = "support/plain.rs"]
mod plain;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use glassbox::engine::DeviceChoice;
use glassbox::engine::wgpu::{Kernel, Style, Tensor, Weight, WgpuBackend};
use glassbox::model::{Activation, Backend, Cancel, Edit, Encoding, Mask, Slab, WeightData};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Sums of f32 products in another order than the twin's, which sums in f64.
const SUM: f64 = 1e-11;
/// exp, 1/√x and division may be off by a few units in the last place on a device.
const TRANSCENDENTAL: f64 = 1e-11;
/// One multiplication or addition per value: correctly rounded everywhere.
const EXACT: f64 = 0.0;

/// The device under test, shared by the tests of this file.
fn gpu() -> MutexGuard<'static, WgpuBackend> {
    static GPU: OnceLock<Mutex<WgpuBackend>> = OnceLock::new();
    let open = || match WgpuBackend::open(&DeviceChoice::Auto, Cancel::new()) {
        Ok(gpu) => Mutex::new(gpu),
        Err(error) => panic!("no adapter to test the kernels on; install mesa-vulkan-drivers ({error})"),
    };
    GPU.get_or_init(open).lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Random numbers; the seed is printed, and a failing test shows it.
struct Random(ChaCha8Rng);

impl Random {
    fn new(seed: u64) -> Self {
        println!("seed {seed}");
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn below(&mut self, n: usize) -> usize {
        self.0.next_u32() as usize % n
    }

    /// Uniform in −1..1.
    fn unit(&mut self) -> f32 {
        (self.0.next_u32() as f64 / f64::from(u32::MAX) * 2.0 - 1.0) as f32
    }

    /// Mostly of the size of activations, now and then a hundred times larger.
    fn values(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|i| self.unit() * if i % 97 == 13 { 300.0 } else { 3.0 }).collect()
    }

    fn tensor(&mut self, gpu: &WgpuBackend, shape: &[usize]) -> (Vec<f32>, Tensor) {
        let values = self.values(shape.iter().product());
        let tensor = gpu.tensor(&values, shape).unwrap();
        (values, tensor)
    }

    /// A parameter in an encoding, uploaded, and its decoded values.
    fn weight(&mut self, gpu: &WgpuBackend, encoding: Encoding, shape: &[usize]) -> (Vec<f32>, Weight) {
        let data = self.weight_data(encoding, shape);
        (data.decode(), gpu.upload(&data).unwrap())
    }

    fn weight_data(&mut self, encoding: Encoding, shape: &[usize]) -> WeightData {
        let n: usize = shape.iter().product();
        let half = |x: f32| half::f16::from_f32(x).to_le_bytes();
        let mut bytes = vec![0u8; encoding.row_bytes(n).unwrap()];
        for b in bytes.chunks_exact_mut(encoding.block_bytes()) {
            match encoding {
                Encoding::F32 => b.copy_from_slice(&self.unit().to_le_bytes()),
                Encoding::F16 => b.copy_from_slice(&half(self.unit())),
                Encoding::BF16 => b.copy_from_slice(&half::bf16::from_f32(self.unit()).to_le_bytes()),
                _ => {
                    self.0.fill_bytes(b);
                    for &at in scales_of(encoding) {
                        b[at..at + 2].copy_from_slice(&half(self.unit() * 0.02));
                    }
                }
            }
        }
        WeightData { encoding, shape: shape.to_vec(), bytes: bytes.into() }
    }
}

/// Where the f16 numbers of a block are.
fn scales_of(encoding: Encoding) -> &'static [usize] {
    match encoding {
        Encoding::Q4_0 | Encoding::Q5_0 | Encoding::Q8_0 => &[0],
        Encoding::Q4_1 | Encoding::Q5_1 | Encoding::Q4_K | Encoding::Q5_K => &[0, 2],
        Encoding::Q6_K => &[208],
        _ => &[],
    }
}

fn nmse(got: &[f32], want: &[f32]) -> f64 {
    let error: f64 = got.iter().zip(want).map(|(g, w)| (f64::from(*g) - f64::from(*w)).powi(2)).sum();
    let power: f64 = want.iter().map(|w| f64::from(*w).powi(2)).sum();
    if error == 0.0 { 0.0 } else { error / power }
}

fn assert_close(what: &str, got: &[f32], want: &[f32], limit: f64) {
    assert_eq!(got.len(), want.len(), "{what}: number of values");
    let infinite = got.iter().zip(want).position(|(g, w)| g.is_finite() != w.is_finite() || !w.is_finite() && g != w);
    assert_eq!(infinite, None, "{what}: an infinity or NaN at this index");
    let finite = |x: &[f32]| x.iter().copied().filter(|x| x.is_finite()).collect::<Vec<_>>();
    let error = nmse(&finite(got), &finite(want));
    assert!(error <= limit, "{what}: NMSE {error:.2e}, the limit is {limit:.0e}");
}

fn read(gpu: &WgpuBackend, x: &Tensor) -> Vec<f32> {
    gpu.read(std::slice::from_ref(x)).unwrap().remove(0)
}

type Test = fn(&WgpuBackend, &mut Random);

#[test]
fn every_kernel_agrees_with_its_plain_definition() {
    let mut gpu = gpu();
    for (seed, &kernel) in (100..).zip(Kernel::ALL) {
        println!("{}", kernel.info().name);
        let test: Test = match kernel {
            Kernel::Embed => embed,
            Kernel::MatVec | Kernel::MatVecWide => matvec,
            Kernel::MatMul | Kernel::MatMulTiled => matmul,
            Kernel::RmsNorm => rms_norm,
            Kernel::LayerNorm => layer_norm,
            Kernel::Rope => rope,
            Kernel::Scores => scores,
            Kernel::Scale => scale,
            Kernel::Mask => mask,
            Kernel::Softmax => softmax,
            Kernel::ScaleMaskSoftmax => scale_mask_softmax,
            Kernel::Weigh => weigh,
            Kernel::Attention => attention,
            Kernel::Add | Kernel::Mul => add_and_mul,
            Kernel::Activate | Kernel::Gated => activations,
            Kernel::ScaleRows => expert_kernels::scale_rows,
            Kernel::Route => expert_kernels::route,
            Kernel::ExpertPositions => expert_kernels::experts,
            Kernel::Edit => edit,
            Kernel::Copy => copy,
        };
        for style in [Style::FewBarriers, Style::ManyLanes] {
            gpu.set_style(style);
            test(&gpu, &mut Random::new(seed));
        }
    }
}

fn embed(gpu: &WgpuBackend, random: &mut Random) {
    for encoding in Encoding::ALL {
        let widths: &[usize] = match encoding.block_len() {
            1 => &[1, 7, 64],
            32 => &[32, 96, 576],
            _ => &[256, 768],
        };
        for &width in widths {
            let (values, table) = random.weight(gpu, encoding, &[37, width]);
            let ids: Vec<u32> = [36, 0, 5, 5, 17].to_vec();
            let want: Vec<f32> =
                ids.iter().flat_map(|&id| values[id as usize * width..][..width].iter().copied()).collect();
            // One multiplication and one addition, which a device may fuse.
            let got = read(gpu, &gpu.embed(&table, &ids).unwrap());
            assert_close(&format!("embed {encoding:?} [37, {width}]"), &got, &want, 1e-13);
        }
    }
}

fn matvec(gpu: &WgpuBackend, random: &mut Random) {
    linear(gpu, random, &[1, 2]);
}

fn matmul(gpu: &WgpuBackend, random: &mut Random) {
    linear(gpu, random, &[3, 9, 16, 33]);
}

fn linear(gpu: &WgpuBackend, random: &mut Random, token_counts: &[usize]) {
    for encoding in Encoding::ALL {
        let shapes: &[[usize; 2]] = match encoding.block_len() {
            1 => &[[1, 1], [5, 7], [67, 64], [3, 100]],
            32 => &[[1, 32], [5, 96], [67, 576], [192, 64]],
            _ => &[[1, 256], [67, 512], [6, 768]],
        };
        for &[d_out, d_in] in shapes {
            let (w, weight) = random.weight(gpu, encoding, &[d_out, d_in]);
            let (b, bias) = random.weight(gpu, Encoding::F32, &[d_out]);
            for &n_tokens in token_counts {
                let (x, x_gpu) = random.tensor(gpu, &[n_tokens, d_in]);
                let y = plain::linear(&x, &w, d_in, None);
                let what = format!("linear {encoding:?} [{n_tokens}, {d_in}] · [{d_out}, {d_in}]ᵀ");
                assert_close(&what, &read(gpu, &gpu.linear(&x_gpu, &weight, None).unwrap()), &y, SUM);
                let y = plain::linear(&x, &w, d_in, Some(&b));
                assert_close(&what, &read(gpu, &gpu.linear(&x_gpu, &weight, Some(&bias)).unwrap()), &y, SUM);
            }
        }
    }
}

fn rms_norm(gpu: &WgpuBackend, random: &mut Random) {
    for (rows, width) in [(1, 1), (1, 576), (3, 7), (17, 33), (2, 1000)] {
        let (x, x_gpu) = random.tensor(gpu, &[rows, width]);
        let (gain, gain_gpu) = random.weight(gpu, Encoding::F32, &[width]);
        let normed = |row: &[f32]| {
            let mean = row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / width as f64;
            row.iter().zip(&gain).map(|(x, g)| (f64::from(*x) / (mean + 1e-5).sqrt() * f64::from(*g)) as f32).collect()
        };
        let want: Vec<f32> = x.chunks(width).flat_map::<Vec<f32>, _>(normed).collect();
        let got = read(gpu, &gpu.rms_norm(&x_gpu, &gain_gpu, 1e-5).unwrap());
        assert_close(&format!("rms_norm [{rows}, {width}]"), &got, &want, TRANSCENDENTAL);
    }
}

fn layer_norm(gpu: &WgpuBackend, random: &mut Random) {
    for (rows, width) in [(1, 5), (1, 768), (3, 7), (17, 33)] {
        // A large common offset: a variance from mean(x²) − mean(x)² would lose it.
        let x: Vec<f32> = random.values(rows * width).iter().map(|x| x + 500.0).collect();
        let x_gpu = gpu.tensor(&x, &[rows, width]).unwrap();
        let (gain, gain_gpu) = random.weight(gpu, Encoding::F16, &[width]);
        let (bias, bias_gpu) = random.weight(gpu, Encoding::BF16, &[width]);
        for with_bias in [true, false] {
            let normed = |row: &[f32]| -> Vec<f32> {
                let n = width as f64;
                let mean = row.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
                let var = row.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n;
                let value = |i: usize| (f64::from(row[i]) - mean) / (var + 1e-5).sqrt() * f64::from(gain[i]);
                (0..width).map(|i| (value(i) + if with_bias { f64::from(bias[i]) } else { 0.0 }) as f32).collect()
            };
            let want: Vec<f32> = x.chunks(width).flat_map(normed).collect();
            let got = gpu.layer_norm(&x_gpu, &gain_gpu, with_bias.then_some(&bias_gpu), 1e-5).unwrap();
            // The mean of values near 500 is rounded to 2⁻¹⁵; the spread is about 2.
            assert_close(&format!("layer_norm [{rows}, {width}]"), &read(gpu, &got), &want, 1e-8);
        }
    }
}

fn rope(gpu: &WgpuBackend, random: &mut Random) {
    for (n, heads, d_head, half) in [(1, 1, 2, 1), (3, 5, 8, 4), (7, 2, 64, 16), (2, 3, 96, 48), (5, 4, 10, 3)] {
        let (x, x_gpu) = random.tensor(gpu, &[n, heads, d_head]);
        let angles: Vec<f32> = (0..n * half).map(|_| random.unit() * 3.0).collect();
        let (cos, sin): (Vec<f32>, Vec<f32>) = angles.iter().map(|a| (a.cos(), a.sin())).unzip();
        let table = |values: &[f32]| gpu.tensor(values, &[n, half]).unwrap();
        let mut want = x.clone();
        for t in 0..n {
            for head in 0..heads {
                let at = (t * heads + head) * d_head;
                for i in 0..half {
                    let (c, s) = (cos[t * half + i], sin[t * half + i]);
                    want[at + i] = x[at + i] * c - x[at + i + half] * s;
                    want[at + i + half] = x[at + i + half] * c + x[at + i] * s;
                }
            }
        }
        let got = read(gpu, &gpu.rope(&x_gpu, &table(&cos), &table(&sin)).unwrap());
        assert_close(&format!("rope [{n}, {heads}, {d_head}], half {half}"), &got, &want, SUM);
    }
}

/// (queries, keys, heads, key heads, d_head)
const ATTENTION_SHAPES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 1, 1, 1, 8),
    (1, 300, 3, 1, 64),
    (5, 5, 4, 2, 8),
    (3, 70, 6, 3, 96),
    (9, 17, 2, 2, 128),
    (33, 33, 3, 1, 6),
    (2, 65, 1, 1, 1),
];
const MASKS: [Mask; 5] = [
    Mask { causal: true, window: None },
    Mask { causal: false, window: None },
    Mask { causal: true, window: Some(4) },
    Mask { causal: false, window: Some(2) },
    // Hides everything: every row becomes zeros.
    Mask { causal: true, window: Some(0) },
];

fn scores(gpu: &WgpuBackend, random: &mut Random) {
    for shape @ (t, s, h, g, d) in ATTENTION_SHAPES {
        let ((q, q_gpu), (k, k_gpu)) = (random.tensor(gpu, &[t, h, d]), random.tensor(gpu, &[s, g, d]));
        let got = read(gpu, &gpu.scores(&q_gpu, &k_gpu).unwrap());
        assert_close(&format!("scores {shape:?}"), &got, &plain::scores(&q, &k, shape), SUM);
    }
}

fn scale(gpu: &WgpuBackend, random: &mut Random) {
    for n in [1, 63, 64, 65, 1000] {
        let (x, x_gpu) = random.tensor(gpu, &[n]);
        let want: Vec<f32> = x.iter().map(|x| x * 0.37).collect();
        assert_close("scale", &read(gpu, &gpu.scale(&x_gpu, 0.37).unwrap()), &want, EXACT);
    }
}

fn mask(gpu: &WgpuBackend, random: &mut Random) {
    for (t, s, h, ..) in ATTENTION_SHAPES {
        for mask in MASKS {
            let (x, x_gpu) = random.tensor(gpu, &[h, t, s]);
            let got = read(gpu, &gpu.mask(&x_gpu, mask, s - t.min(s)).unwrap());
            assert_close(&format!("{mask:?}"), &got, &plain::mask(&x, mask, t, s, s - t.min(s)), EXACT);
        }
    }
}

fn softmax(gpu: &WgpuBackend, random: &mut Random) {
    for (rows, width) in [(1, 1), (1, 300), (7, 5), (33, 64), (3, 65)] {
        let (mut x, _) = random.tensor(gpu, &[rows, width]);
        // Hidden entries, one row that is hidden altogether, and scores as large as a float holds.
        x.iter_mut().skip(1).step_by(3).for_each(|x| *x = f32::NEG_INFINITY);
        x[..width].fill(if rows > 1 { f32::NEG_INFINITY } else { -1e30 });
        x[rows * width - 1] = 3e38;
        let got = read(gpu, &gpu.softmax(&gpu.tensor(&x, &[rows, width]).unwrap()).unwrap());
        assert_close(&format!("softmax [{rows}, {width}]"), &got, &plain::softmax(&x, width), TRANSCENDENTAL);
        let (x, x_gpu) = random.tensor(gpu, &[rows, width]);
        let got = read(gpu, &gpu.softmax(&x_gpu).unwrap());
        assert_close(&format!("softmax [{rows}, {width}]"), &got, &plain::softmax(&x, width), TRANSCENDENTAL);
    }
}

fn scale_mask_softmax(gpu: &WgpuBackend, random: &mut Random) {
    for (t, s, h, ..) in ATTENTION_SHAPES {
        for mask in MASKS {
            let (x, x_gpu) = random.tensor(gpu, &[h, t, s]);
            let scaled: Vec<f32> = x.iter().map(|x| x * 0.25).collect();
            let want = plain::softmax(&plain::mask(&scaled, mask, t, s, s - t), s);
            let got = read(gpu, &gpu.scale_mask_softmax(&x_gpu, 0.25, mask, s - t).unwrap());
            assert_close(&format!("scale_mask_softmax [{h}, {t}, {s}] {mask:?}"), &got, &want, TRANSCENDENTAL);
        }
    }
}

fn weigh(gpu: &WgpuBackend, random: &mut Random) {
    for shape @ (t, s, h, g, d) in ATTENTION_SHAPES {
        let ((p, p_gpu), (v, v_gpu)) = (random.tensor(gpu, &[h, t, s]), random.tensor(gpu, &[s, g, d]));
        let got = read(gpu, &gpu.weigh(&p_gpu, &v_gpu).unwrap());
        assert_close(&format!("weigh {shape:?}"), &got, &plain::weigh(&p, &v, shape), SUM);
    }
}

fn attention(gpu: &WgpuBackend, random: &mut Random) {
    for shape @ (t, s, h, g, d) in ATTENTION_SHAPES {
        for mask in MASKS {
            let (q, q_gpu) = random.tensor(gpu, &[t, h, d]);
            let ((k, k_gpu), (v, v_gpu)) = (random.tensor(gpu, &[s, g, d]), random.tensor(gpu, &[s, g, d]));
            let scale = 0.1 / (d as f32).sqrt();
            let scaled: Vec<f32> = plain::scores(&q, &k, shape).iter().map(|x| x * scale).collect();
            let pattern = plain::softmax(&plain::mask(&scaled, mask, t, s, s - t), s);
            let want = plain::weigh(&pattern, &v, shape);
            let got = read(gpu, &gpu.attention(&q_gpu, &k_gpu, &v_gpu, scale, mask, s - t).unwrap());
            // Scores reach some hundreds, where a float's last place is 2e-5, and exp passes that on.
            assert_close(&format!("attention {shape:?} {mask:?}"), &got, &want, 1e-9);
        }
    }
}

fn add_and_mul(gpu: &WgpuBackend, random: &mut Random) {
    for n in [1, 64, 65, 5000] {
        let ((a, a_gpu), (b, b_gpu)) = (random.tensor(gpu, &[n]), random.tensor(gpu, &[n]));
        let sum: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
        let product: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a * b).collect();
        assert_close("add", &read(gpu, &gpu.add(&a_gpu, &b_gpu).unwrap()), &sum, EXACT);
        assert_close("mul", &read(gpu, &gpu.mul(&a_gpu, &b_gpu).unwrap()), &product, EXACT);
    }
}

fn activations(gpu: &WgpuBackend, random: &mut Random) {
    for activation in [Activation::Silu, Activation::Gelu, Activation::GeluTanh, Activation::Relu] {
        let mut x = random.values(2000);
        // exp and tanh of these overflow where nobody takes care.
        x.extend([-1e4, 1e4, -88.5, 88.5, -89.0, 0.0, -0.0, 1e-6, -1e30, 1e30]);
        let (up, up_gpu) = random.tensor(gpu, &[x.len()]);
        let x_gpu = gpu.tensor(&x, &[x.len()]).unwrap();
        let want: Vec<f32> = x.iter().map(|x| activation.apply(*x)).collect();
        let gated: Vec<f32> = want.iter().zip(&up).map(|(a, b)| a * b).collect();
        let got = read(gpu, &gpu.activate(&x_gpu, activation).unwrap());
        assert_close(activation.name(), &got[..2000], &want[..2000], TRANSCENDENTAL);
        for ((x, got), want) in x.iter().zip(&got).zip(&want) {
            assert!((got - want).abs() <= 1e-6 * x.abs().max(1.0), "{} of {x}: {got}, not {want}", activation.name());
        }
        let got = read(gpu, &gpu.gated(&x_gpu, &up_gpu, activation).unwrap());
        assert_close(activation.name(), &got[..2000], &gated[..2000], TRANSCENDENTAL);
    }
}

fn edit(gpu: &WgpuBackend, random: &mut Random) {
    for shape in [[1, 1, 1], [1, 3, 5], [4, 7, 9], [2, 33, 64]] {
        for _ in 0..6 {
            let n: usize = shape.iter().product();
            let (x, x_gpu) = random.tensor(gpu, &shape);
            let start = shape.map(|len| random.below(len));
            let len = std::array::from_fn(|i| 1 + random.below(shape[i] - start[i]));
            let slab = Slab { shape, start, len };
            let size: usize = len.iter().product();
            let n_values = [size, len[2], 1][random.below(3)];
            let list: Arc<[f32]> = random.values(n_values).into();
            for edit in [Edit::Scale(0.0), Edit::Scale(-2.5), Edit::Set(list.clone()), Edit::Add(list)] {
                let mut want = x.clone();
                for (i, at) in slab.indices().enumerate() {
                    want[at] = edit.apply(want[at], i);
                }
                assert!(want.len() == n);
                let got = read(gpu, &gpu.edit(&x_gpu, slab, &edit).unwrap());
                assert_close(&format!("{edit:?} in {slab:?}"), &got, &want, EXACT);
            }
        }
    }
    let hidden = Edit::Set([f32::NEG_INFINITY].into());
    let x = gpu.tensor(&[1.0, 2.0], &[2]).unwrap();
    let slab = Slab { shape: [1, 1, 2], start: [0, 0, 1], len: [1, 1, 1] };
    assert_eq!(read(gpu, &gpu.edit(&x, slab, &hidden).unwrap()), [1.0, f32::NEG_INFINITY]);
}

fn copy(gpu: &WgpuBackend, random: &mut Random) {
    let (x, x_gpu) = random.tensor(gpu, &[7, 33]);
    for (begin, end) in [(0, 7), (0, 1), (6, 7), (2, 5)] {
        assert_eq!(read(gpu, &gpu.rows(&x_gpu, begin, end).unwrap()), x[begin * 33..end * 33]);
    }
    let mut buffer = gpu.kv_buffer(3, 5).unwrap();
    let mut want: Vec<f32> = Vec::new();
    for n in [1, 7, 300, 1, 2000, 1] {
        let (x, x_gpu) = random.tensor(gpu, &[n, 3, 5]);
        want.extend(x);
        let all = gpu.kv_append(&mut buffer, &x_gpu).unwrap();
        assert_eq!(gpu.shape(&all), [want.len() / 15, 3, 5]);
        assert_eq!(read(gpu, &all), want);
        assert!(gpu.kv_bytes(&buffer) >= want.len() as u64 * 4);
    }
    gpu.kv_truncate(&mut buffer, 9);
    let (x, x_gpu) = random.tensor(gpu, &[2, 3, 5]);
    want.truncate(9 * 15);
    want.extend(x);
    assert_eq!(read(gpu, &gpu.kv_append(&mut buffer, &x_gpu).unwrap()), want);
}

/// The same on a device whose bindings and submits are so small that everything is split.
#[test]
fn split_operations_agree_with_their_plain_definition() {
    let mut gpu = WgpuBackend::open(&DeviceChoice::Auto, Cancel::new()).unwrap();
    gpu.limit_work(2e4);
    let few: Test = |gpu, random| linear(gpu, random, &[1, 3]);
    let many: Test = |gpu, random| linear(gpu, random, &[9]);
    // In KiB: room for the inputs and outputs of each test, but not for all of its weights.
    let tests = [
        (100, attention as Test),
        (100, scores),
        (100, weigh),
        (100, expert_kernels::experts),
        (28, many),
        (16, few),
        (16, embed),
    ];
    for (seed, (limit, test)) in (200..).zip(tests) {
        gpu.limit_tensors(limit << 10);
        for style in [Style::FewBarriers, Style::ManyLanes] {
            gpu.set_style(style);
            test(&gpu, &mut Random::new(seed));
        }
    }
}

#[test]
fn every_kernel_is_valid_wgsl_on_its_own_in_every_variant() {
    // Unpacking f16 pairs is part of WebGPU's core.
    let capabilities = naga::valid::Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    for kernel in Kernel::ALL {
        let info = kernel.info();
        let module = naga::front::wgsl::parse_str(info.source)
            .unwrap_or_else(|e| panic!("{}.wgsl: {}", info.name, e.emit_to_string(info.source)));
        let mut validator = naga::valid::Validator::new(Default::default(), capabilities);
        let facts = validator.validate(&module).unwrap_or_else(|e| panic!("{}.wgsl: {e:?}", info.name));
        for variant in variants(info.overrides) {
            for wg in [8.0, 64.0] {
                let mut constants: naga::back::PipelineConstants = Default::default();
                constants.insert("WG".into(), wg);
                constants.extend(variant.iter().map(|(name, value)| (name.to_string(), *value)));
                let entry = Some((naga::ShaderStage::Compute, "main"));
                let result = naga::back::pipeline_constants::process_overrides(&module, &facts, entry, &constants);
                let (module, _) = result.unwrap_or_else(|e| panic!("{} {variant:?}: {e:?}", info.name));
                validator.validate(&module).unwrap_or_else(|e| panic!("{} {variant:?}: {e:?}", info.name));
            }
        }
    }
}

/// Every combination of the values of a kernel's constants.
fn variants(overrides: &[(&'static str, &[f64])]) -> Vec<Vec<(&'static str, f64)>> {
    overrides.iter().fold(vec![Vec::new()], |all, (name, values)| {
        let with = |variant: &Vec<_>, value| [variant.clone(), vec![(*name, value)]].concat();
        all.iter().flat_map(|variant| values.iter().map(move |value| with(variant, *value))).collect()
    })
}

/// Passages between `// <name>` and `// </name>` are meant to be the same in every file.
#[test]
fn shared_passages_are_the_same_text() {
    for name in ["dequantise", "activation", "positions"] {
        let (open, close) = (format!("// <{name}>"), format!("// </{name}>"));
        let passage = |source: &'static str| Some(source.split_once(&open)?.1.split_once(&close)?.0);
        let passages: Vec<_> =
            Kernel::ALL.iter().filter_map(|k| Some((k.info().name, passage(k.info().source)?))).collect();
        assert!(passages.len() > 1, "no passage called {name}");
        for (kernel, text) in &passages {
            let same = text.split_once('\n').map(|t| t.1) == passages[0].1.split_once('\n').map(|t| t.1);
            assert!(same, "{name} in {kernel}.wgsl differs from {}.wgsl", passages[0].0);
        }
    }
}

#[test]
fn every_kernel_says_what_it_computes() {
    for kernel in Kernel::ALL {
        let info = kernel.info();
        for line in ["// equation ", "// shapes ", "// work ", "// CPU twin "] {
            assert!(info.source.contains(line), "{}.wgsl lacks the line “{line}”", info.name);
        }
    }
}
