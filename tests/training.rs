//! Training: gradients against plain arithmetic, the pass against the inference backend, and runs that repeat.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor, Var};
use glassbox::engine::candle::CandleBackend;
use glassbox::engine::loader::{self, Saved, save_hub};
use glassbox::engine::tokenizer::{HubVocabulary, Tokenizer};
use glassbox::model::{
    Backend, Capture, Encoding, Interventions, KvCache, LogitsWanted, Mask, Model, ModelConfig, Probe, WeightData,
    Weights, forward,
};
use glassbox::train::corpus::{Corpus, Split};
use glassbox::train::{Parameters, RECIPES, Recipe, TokenStream, TrainBackend, Trainer, ops, tokenizer};

#[path = "support/random_model.rs"]
#[allow(dead_code)]
mod random_model;

/// How far a gradient may lie from the one it is compared with, relative to the largest of them: both sum a few hundred
/// products in f32, in another order.
const TOLERANCE: f32 = 2e-5;

fn random(seed: u64, shape: &[usize]) -> Var {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let n: usize = shape.iter().product();
    let values: Vec<f32> = (0..n)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect();
    Var::from_vec(values, shape, &Device::Cpu).expect("a tensor")
}

fn values(x: &Tensor) -> Vec<f32> {
    x.flatten_all().and_then(|x| x.to_dtype(DType::F32)?.to_vec1()).expect("values")
}

fn close(what: &str, got: &Tensor, want: &Tensor) {
    let (got, want) = (values(got), values(want));
    assert_eq!(got.len(), want.len(), "{what}");
    let size = want.iter().fold(1e-2f32, |max, x| max.max(x.abs()));
    let worst = got.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= TOLERANCE * size, "{what}: off by {worst} of {size}");
}

/// Compares a step with the same step in candle's own differentiable arithmetic: its values, and the gradient of every
/// operand of a random weighted sum of them.
fn compare(what: &str, operands: &[&Var], got: &Tensor, want: &Tensor) {
    close(what, got, want);
    let weights = random(99, got.dims());
    let gradients = |y: &Tensor| (y * weights.as_tensor()).and_then(|y| y.sum_all()?.backward()).expect("a gradient");
    let (got, want) = (gradients(got), gradients(want));
    for (i, operand) in operands.iter().enumerate() {
        let grad = |store: &candle_core::backprop::GradStore| store.get(operand.as_tensor()).cloned();
        let (got, want) = (grad(&got).expect("ours reaches it"), grad(&want).expect("candle's reaches it"));
        close(&format!("{what}, gradient of operand {i}"), &got, &want);
    }
}

#[test]
fn rms_norm_has_candle_s_gradient() {
    for (rows, d) in [(1, 1), (3, 16), (5, 37)] {
        let (x, gain) = (random(1, &[rows, d]), random(2, &[d]));
        let got = x.apply_op2(gain.as_tensor(), ops::RmsNorm { eps: 1e-5 }).expect("ours");
        let want = candle_nn::ops::rms_norm_slow(x.as_tensor(), gain.as_tensor(), 1e-5).expect("candle's");
        compare(&format!("norm {rows} × {d}"), &[&x, &gain], &got, &want);
    }
}

#[test]
fn the_gate_has_candle_s_gradient() {
    let (a, b) = (random(1, &[7, 33]), random(2, &[7, 33]));
    let got = a.apply_op2(b.as_tensor(), ops::SiluGate).expect("ours");
    let want = (a.as_tensor().silu().expect("silu") * b.as_tensor()).expect("product");
    compare("gate", &[&a, &b], &got, &want);
}

#[test]
fn rotation_has_candle_s_gradient() {
    let x = random(1, &[6, 3, 8]);
    let angles = random(2, &[6, 4]);
    let (cos, sin) = (angles.cos().expect("cos"), angles.sin().expect("sin"));
    let op = ops::Rope { cos: values(&cos).into(), sin: values(&sin).into(), pairs: 4 };
    let got = x.apply_op1(op).expect("ours");
    // candle's layout is [batch, heads, positions, h].
    let heads_first = x.transpose(0, 1).and_then(|x| x.unsqueeze(0)?.contiguous()).expect("layout");
    let want = candle_nn::rotary_emb::rope_slow(&heads_first, &cos, &sin).expect("candle's");
    let want = want.squeeze(0).and_then(|y| y.transpose(0, 1)?.contiguous()).expect("layout");
    compare("rotation", &[&x], &got, &want);
}

#[test]
fn cross_entropy_has_candle_s_gradient() {
    let logits = random(1, &[9, 41]);
    let targets: Vec<u32> = (0..9).map(|i| i * 5 % 41).collect();
    let got = logits.apply_op1(ops::CrossEntropy::new(targets.clone().into())).expect("ours");
    let targets = Tensor::from_vec(targets, 9, &Device::Cpu).expect("targets");
    let want = candle_nn::loss::cross_entropy(logits.as_tensor(), &targets).expect("candle's");
    compare("cross-entropy", &[&logits], &got, &want);
}

#[test]
fn attention_has_the_gradient_of_its_plain_steps() {
    let masks = [
        Mask { causal: true, window: None },
        Mask { causal: true, window: Some(3) },
        Mask { causal: false, window: None },
        Mask { causal: false, window: Some(2) },
    ];
    // A block of queries is 64: lengths below, at and above it, one and two sequences, grouped heads.
    for (len, sequences, heads, kv_heads, d) in [(1, 1, 1, 1, 4), (5, 2, 4, 2, 6), (64, 1, 2, 1, 3), (70, 2, 2, 2, 5)] {
        for mask in masks {
            let n = len * sequences;
            let (q, k, v) = (random(1, &[n, heads, d]), random(2, &[n, kv_heads, d]), random(3, &[n, kv_heads, d]));
            let b = TrainBackend::new(len);
            let got = b.attention(q.as_tensor(), k.as_tensor(), v.as_tensor(), 0.7, mask, 0).expect("fused");
            let plain = || {
                let scores = b.scale(&b.scores(q.as_tensor(), k.as_tensor())?, 0.7)?;
                b.weigh(&b.softmax(&b.mask(&scores, mask, 0)?)?, v.as_tensor())
            };
            let want = plain().expect("plain");
            compare(&format!("attention {len} × {sequences}, {mask:?}"), &[&q, &k, &v], &got, &want);
        }
    }
}

/// A model's logits over a backend, every position.
fn logits<B: Backend>(backend: &B, config: &ModelConfig, weights: Weights<B::Weight>, tokens: &[u32]) -> Vec<f32> {
    let model = Model { config: config.clone(), weights };
    let mut cache = KvCache::new(backend, config).expect("a cache");
    let (capture, interventions) = (Capture::none(), Interventions::default());
    let mut probe = Probe::new(&capture, &interventions);
    let logits = forward(backend, &model, tokens, &mut cache, &mut probe, LogitsWanted::All).expect("a pass");
    backend.read(&[logits]).expect("logits").remove(0)
}

#[test]
fn the_training_pass_computes_what_inference_computes() {
    for (name, config, encoding) in random_model::models() {
        let data = random_model::random_model(&config, encoding, 7);
        let exact = CandleBackend::new(true);
        let upload = |backend: &CandleBackend, data: &WeightData| backend.upload(data).expect("an upload");
        let inference = Weights::new(data.iter().map(|(id, data)| (*id, upload(&exact, data))).collect());
        let train = TrainBackend::new(20);
        let training = data.iter().map(|(id, data)| (*id, train.upload(data).expect("an upload"))).collect();
        let tokens: Vec<u32> = (0..20).map(|i| i * 13 % config.d_vocab as u32).collect();
        let want = logits(&exact, &config, inference, &tokens);
        let got = logits(&train, &config, Weights::new(training), &tokens);
        let worst = got.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 2e-4, "{name}: logits differ by {worst}");
    }
}

#[test]
fn sequences_of_a_batch_do_not_see_each_other() {
    let config = random_model::base();
    let data = random_model::random_model(&config, Encoding::F32, 3);
    let backend = TrainBackend::new(12);
    let weights = || Weights::new(data.iter().map(|(id, data)| (*id, backend.upload(data).expect("upload"))).collect());
    let (a, b): (Vec<u32>, Vec<u32>) = ((0..12).collect(), (40..52).collect());
    let together = logits(&backend, &config, weights(), &[a.clone(), b.clone()].concat());
    let apart = [logits(&backend, &config, weights(), &a), logits(&backend, &config, weights(), &b)].concat();
    let worst = together.iter().zip(&apart).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-5, "a sequence's logits change by {worst} with a neighbour");
}

#[test]
fn a_loss_reaches_every_parameter_of_every_kind_of_model() {
    let recipes = RECIPES.iter().map(|recipe| (recipe.id.to_string(), recipe.config(101)));
    let models = random_model::models().into_iter().map(|(name, config, _)| (name, config)).chain(recipes);
    for (name, config) in models {
        let parameters = Parameters::init(&config, 5).expect("parameters");
        let backend = TrainBackend::new(24);
        let model = Model { config: config.clone(), weights: parameters.weights() };
        let mut cache = KvCache::new(&backend, &config).expect("a cache");
        let (capture, interventions) = (Capture::none(), Interventions::default());
        let mut probe = Probe::new(&capture, &interventions);
        let tokens: Vec<u32> = (0..96).map(|i| i * 37 % 101).collect();
        let logits = forward(&backend, &model, &tokens, &mut cache, &mut probe, LogitsWanted::All).expect("a pass");
        let targets: Arc<[u32]> = (0..96u32).map(|i| (i * 37 + 37) % 101).collect();
        let loss = logits.apply_op1(ops::CrossEntropy::new(targets)).expect("a loss");
        let store = loss.backward().expect("gradients");
        for (id, var) in parameters.iter() {
            let gradient = store.get(var.as_tensor()).unwrap_or_else(|| panic!("{name}: none reaches {id}"));
            assert!(values(gradient).iter().any(|g| *g != 0.0), "{name}: the gradient of {id} is zero");
        }
    }
}

#[test]
fn a_saved_model_opens_and_computes_what_training_computed() {
    for id in ["story-base-small", "story-moe"] {
        let recipe = Recipe::find(id).expect("a recipe");
        let config = Recipe { d_model: 48, d_mlp: 24, sequence_len: 64, ..*recipe }.config(101);
        let parameters = Parameters::init(&config, 3).expect("parameters");
        let values = |id| parameters.values(id).expect("values");
        let tensors: Vec<_> = config.tensors().into_iter().map(|s| (s.id, s.shape, values(s.id))).collect();
        let folder = tempfile::tempdir().expect("a folder");
        save_hub(folder.path(), &Saved { config: &config, end: 0, tensors: &tensors }).expect("it is written");

        let checkpoint = loader::open(folder.path()).unwrap_or_else(|e| panic!("{id}: {e}"));
        assert_eq!(checkpoint.config, config, "{id}");
        assert_eq!(checkpoint.report.warnings, Vec::<String>::new(), "{id}");
        let exact = CandleBackend::new(true);
        let upload = |spec| exact.upload(&checkpoint.tensor(spec).expect("a tensor")).expect("an upload");
        let weights = config.tensors().iter().map(|spec| (spec.id, upload(spec))).collect();
        let tokens: Vec<u32> = (0..30).map(|i| i * 13 % 101).collect();
        let got = logits(&exact, &config, Weights::new(weights), &tokens);
        let want = logits(&TrainBackend::new(30), &config, parameters.weights(), &tokens);
        let worst = got.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-4, "{id}: logits differ by {worst}");
    }
}

/// A recipe small enough for a test.
fn small() -> Recipe {
    Recipe { sequence_len: 64, batch: 4, tokens: 64 * 4 * 40, ..*Recipe::find("story-base-small").expect("a recipe") }
}

fn story_tokenizer() -> (Arc<Tokenizer>, usize) {
    let corpus = Corpus::new(1);
    let json = tokenizer::train((0..1600).map(|i| corpus.document(Split::Train, i))).expect("a tokenizer");
    let d_vocab = tokenizer::vocabulary_size(json.as_bytes()).expect("a vocabulary");
    let vocabulary =
        HubVocabulary { json: json.into_bytes(), eos: vec![tokenizer::END_ID], ..HubVocabulary::default() };
    (Arc::new(Tokenizer::from_hub(vocabulary, d_vocab, "tokenizer.json").expect("it loads")), d_vocab)
}

#[test]
fn a_run_repeats_resumes_and_learns() {
    let (tokenizer, d_vocab) = story_tokenizer();
    let recipe = small();
    let trainer = || Trainer::new(&recipe, 1, recipe.steps(), tokenizer.clone(), d_vocab).expect("a trainer");
    let losses = |t: &Trainer| t.curve().iter().map(|point| point.loss).collect::<Vec<_>>();

    let mut whole = trainer();
    let before = whole.held_out_loss().expect("a loss");
    for _ in 0..recipe.steps() {
        whole.step().expect("a step");
    }
    let after = whole.held_out_loss().expect("a loss");
    // Untrained, the model knows nothing: the loss is that of a uniform guess.
    assert!((before - (d_vocab as f64).ln()).abs() < 0.3, "the first loss is {before}");
    // The primer's lists come first, which teach little about other text.
    assert!(after < before - 0.8, "the loss on held-out text fell only from {before} to {after}");

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("checkpoint.safetensors");
    let mut first = trainer();
    for _ in 0..recipe.steps() / 2 {
        first.step().expect("a step");
    }
    first.save(&path).expect("a checkpoint");
    let mut second = trainer();
    second.resume(&path).expect("a resumption");
    while second.steps() < recipe.steps() {
        second.step().expect("a step");
    }
    assert_eq!(losses(&second), losses(&whole), "a resumed run has another curve");
    for (&id, _) in whole.parameters().iter() {
        let (a, b) = (whole.parameters().values(id).expect("values"), second.parameters().values(id).expect("values"));
        assert_eq!(a, b, "a resumed run has another {id}");
    }
}

#[test]
fn a_damaged_checkpoint_is_refused_with_a_sentence() {
    let (tokenizer, d_vocab) = story_tokenizer();
    let recipe = small();
    let mut trainer = Trainer::new(&recipe, 1, recipe.steps(), tokenizer.clone(), d_vocab).expect("a trainer");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("checkpoint.safetensors");
    trainer.step().expect("a step");
    trainer.save(&path).expect("a checkpoint");
    let bytes = std::fs::read(&path).expect("bytes");
    for len in [0, 7, 100, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..len]).expect("a damaged file");
        let error = trainer.resume(&path).expect_err("it is damaged").to_string();
        assert!(error.contains("checkpoint.safetensors") && error.contains("remove it"), "{error}");
    }
    std::fs::write(&path, &bytes).expect("the file");
    let mut other = Trainer::new(&recipe, 2, recipe.steps(), tokenizer, d_vocab).expect("a trainer");
    assert!(other.resume(&path).expect_err("another seed").to_string().contains("another model or seed"));
}

#[test]
fn a_stream_goes_on_where_it_stood() {
    let (tokenizer, d_vocab) = story_tokenizer();
    let stream = || TokenStream::new(4, Split::Train, tokenizer.clone(), tokenizer::END_ID, d_vocab);
    let mut whole = stream();
    let _ = whole.batch(3, 50);
    let position = whole.position();
    let want = whole.batch(5, 50);
    let mut again = stream();
    again.seek(position);
    assert_eq!(again.batch(5, 50), want);
    assert_eq!(want.0[1..50], want.1[..49], "a target is the next input");
}

#[test]
fn every_word_of_the_world_is_one_token() {
    let (tokenizer, _) = story_tokenizer();
    let corpus = Corpus::new(1);
    let (mut words, mut whole) = (0, 0);
    for index in 5_000..5_200 {
        for word in corpus.document(Split::HeldOut, index).split_whitespace() {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric());
            let ids = tokenizer.encode(word, glassbox::engine::tokenizer::Specials::AsText).expect("tokens");
            words += 1;
            whole += usize::from(ids.len() == 1);
        }
    }
    assert!(whole * 100 > words * 97, "{whole} of {words} words are one token");
}
