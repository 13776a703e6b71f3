//! Small random models, one per family of switches and per encoding of weights.

use std::collections::HashMap;

use glassbox::model::{
    Activation, Encoding, ModelConfig, MoeConfig, NormKind, Positions, QkNorm, RopeScaling, RotaryConfig, TensorId,
    WeightData,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Sizes that no workgroup divides, grouped heads, a context that needs several key tiles.
pub fn base() -> ModelConfig {
    ModelConfig {
        family: "test".into(),
        n_layers: 2,
        d_model: 32,
        n_heads: 6,
        n_kv_heads: 2,
        d_head: 10,
        d_mlp: 96,
        d_vocab: 101,
        n_ctx: 128,
        norm: NormKind::Rms,
        norm_eps: 1e-5,
        positions: Positions::Rotary(RotaryConfig { theta: 1e4, d_rotary: 10, scaling: RopeScaling::None }),
        activation: Activation::Silu,
        gated_mlp: true,
        qkv_bias: false,
        attn_out_bias: false,
        mlp_bias: false,
        tied_embeddings: false,
        attn_scale: 10f32.powf(-0.5),
        scale_by_inverse_layer: false,
        sliding_window: None,
        qk_norm: None,
        moe: None,
    }
}

/// (name, config, encoding of the matrices)
pub fn models() -> Vec<(String, ModelConfig, Encoding)> {
    let gpt = ModelConfig {
        norm: NormKind::Layer,
        positions: Positions::Learned,
        activation: Activation::GeluTanh,
        gated_mlp: false,
        qkv_bias: true,
        attn_out_bias: true,
        mlp_bias: true,
        tied_embeddings: true,
        n_kv_heads: 6,
        scale_by_inverse_layer: true,
        ..base()
    };
    let half_rotary = Positions::Rotary(RotaryConfig { theta: 1e4, d_rotary: 4, scaling: RopeScaling::None });
    let windowed = ModelConfig {
        positions: half_rotary,
        sliding_window: Some(5),
        qkv_bias: true,
        activation: Activation::Gelu,
        n_kv_heads: 1,
        ..base()
    };
    let odd = ModelConfig { d_model: 27, d_mlp: 33, activation: Activation::Relu, ..base() };
    let normed = ModelConfig { qk_norm: Some(QkNorm::PerHead), ..base() };
    let mut models = vec![
        ("grouped heads, rotary, gated".to_string(), base(), Encoding::F32),
        ("learned positions, layer norm, biases, tied".into(), gpt, Encoding::F32),
        ("half rotary, window, one key head".into(), windowed, Encoding::F16),
        ("odd widths".into(), odd, Encoding::BF16),
        ("q and k normed by head".into(), normed, Encoding::F32),
    ];
    models.extend(models_of_experts());
    for encoding in Encoding::ALL.into_iter().filter(|e| e.block_len() > 1) {
        let width = encoding.block_len();
        let config = ModelConfig {
            d_model: width,
            d_mlp: 2 * width,
            n_heads: 4,
            d_head: width / 4,
            positions: Positions::Rotary(RotaryConfig { theta: 1e4, d_rotary: width / 4, scaling: RopeScaling::None }),
            ..base()
        };
        models.push((encoding.name().to_string(), config, encoding));
    }
    models
}

/// (name, config, encoding of the matrices), with experts.
pub fn models_of_experts() -> Vec<(String, ModelConfig, Encoding)> {
    let moe = MoeConfig { n_experts: 5, top_k: 2, d_expert: 24, normalise: true, first_layer: 0, every: 1 };
    let whole = Some(QkNorm::Whole);
    let odd = MoeConfig { n_experts: 3, top_k: 1, d_expert: 7, normalise: false, ..moe };
    let blocks = MoeConfig { n_experts: 9, top_k: 3, d_expert: 64, ..moe };
    let positions = Positions::Rotary(RotaryConfig { theta: 1e4, d_rotary: 16, scaling: RopeScaling::None });
    let wide = ModelConfig { d_model: 64, d_mlp: 64, n_heads: 4, d_head: 16, positions, ..base() };
    let model = |name: &str, config: ModelConfig, moe, encoding| {
        (name.to_owned(), ModelConfig { moe: Some(moe), ..config }, encoding)
    };
    let second = MoeConfig { first_layer: 1, every: 2, ..moe };
    vec![
        model("experts, rescaled", base(), moe, Encoding::F32),
        model(
            "one of three experts, odd widths, q and k normed whole",
            ModelConfig { d_model: 27, qk_norm: whole, ..base() },
            odd,
            Encoding::F16,
        ),
        model("experts in every second layer", ModelConfig { n_layers: 4, ..base() }, second, Encoding::F32),
        model("experts in blocks", wide, blocks, Encoding::Q8_0),
    ]
}

/// A random parameter: matrices of about 1/√in, gains near 1.
fn random_weight(rng: &mut ChaCha8Rng, encoding: Encoding, shape: &[usize]) -> WeightData {
    let mut unit = || (f64::from(rng.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0) as f32;
    let n: usize = shape.iter().product();
    let d_in = shape[shape.len() - 1];
    if shape.len() == 1 {
        let bytes: Vec<u8> = (0..n).flat_map(|_| (1.0 + 0.2 * unit()).to_le_bytes()).collect();
        return WeightData { encoding: Encoding::F32, shape: shape.to_vec(), bytes: bytes.into() };
    }
    let size = 1.7 / (d_in as f32).sqrt();
    let mut bytes = vec![0u8; n / encoding.block_len() * encoding.block_bytes()];
    for b in bytes.chunks_exact_mut(encoding.block_bytes()) {
        let half = |x: f32| half::f16::from_f32(x).to_le_bytes();
        match encoding {
            Encoding::F32 => b.copy_from_slice(&(size * unit()).to_le_bytes()),
            Encoding::F16 => b.copy_from_slice(&half(size * unit())),
            Encoding::BF16 => b.copy_from_slice(&half::bf16::from_f32(size * unit()).to_le_bytes()),
            _ => {
                b.iter_mut().for_each(|b| *b = (128.0 + 127.0 * unit()) as u8);
                // Scales such that the decoded weights have about the wanted size, and offsets that centre them.
                let (at, scale, offset) = match encoding {
                    Encoding::Q4_0 => (0, 1.0 / 8.0, None),
                    Encoding::Q5_0 => (0, 1.0 / 16.0, None),
                    Encoding::Q8_0 => (0, 1.0 / 127.0, None),
                    Encoding::Q4_1 => (0, 1.0 / 8.0, Some(-1.0)),
                    Encoding::Q5_1 => (0, 1.0 / 16.0, Some(-1.0)),
                    Encoding::Q4_K => (0, 1.0 / 8.0 / 120.0, Some(1.0 / 120.0)),
                    Encoding::Q5_K => (0, 1.0 / 16.0 / 120.0, Some(1.0 / 120.0)),
                    _ => (208, 1.0 / 32.0 / 70.0, None),
                };
                b[at..at + 2].copy_from_slice(&half(size * scale * (1.0 + 0.2 * unit())));
                if let Some(offset) = offset {
                    b[2..4].copy_from_slice(&half(size * offset));
                }
            }
        }
    }
    WeightData { encoding, shape: shape.to_vec(), bytes: bytes.into() }
}

/// Every parameter of a config, at random.
pub fn random_model(config: &ModelConfig, encoding: Encoding, seed: u64) -> HashMap<TensorId, WeightData> {
    println!("seed {seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    config.tensors().iter().map(|spec| (spec.id, random_weight(&mut rng, encoding, &spec.shape))).collect()
}
