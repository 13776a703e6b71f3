//! `glassbox eval` on a random model whose vocabulary is that of the story world: every figure is there and finite, it
//! fails what only training can give, and the report survives its two forms.

#[path = "support/random_model.rs"]
#[allow(dead_code)]
mod random_model;

use std::collections::{BTreeMap, BTreeSet};

use glassbox::engine::candle::CandleBackend;
use glassbox::engine::tokenizer::{HubVocabulary, Tokenizer};
use glassbox::engine::{Engine, Runner};
use glassbox::insight::heads::{HeadKind, HeadMap};
use glassbox::model::{Backend, Encoding, ModelConfig, MoeConfig, Param, TensorId, Weights};
use glassbox::train::corpus::{Corpus, Split, probes};
use glassbox::train::eval::{Options, Report, Subject, evaluate, is_of_the_world, render};
use random_model::{base, random_model};
use serde_json::json;

/// A byte-level tokenizer in which every given word is one token with its space. The merges walk down the tree of all
/// prefixes: only the first of them matches at a space, so each word ends at its own node.
fn tokenizer_of(words: &BTreeSet<String>) -> Tokenizer {
    let mut vocab: Vec<String> = vec!["<|endoftext|>".into()];
    vocab.extend(('!'..='~').chain(['Ġ', 'Ċ']).map(String::from));
    let mut merges = Vec::new();
    let mut known = BTreeSet::new();
    for word in words {
        for end in 1..=word.len() {
            let (left, letter) = (format!("Ġ{}", &word[..end - 1]), &word[end - 1..end]);
            if known.insert(word[..end].to_owned()) {
                vocab.push(format!("{left}{letter}"));
                merges.push(json!([left, letter]));
            }
        }
    }
    let vocab: BTreeMap<String, usize> = vocab.into_iter().zip(0..).collect();
    let json = json!({
        "version": "1.0",
        "added_tokens": [{"id": 0, "content": "<|endoftext|>", "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true}],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "vocab": vocab, "merges": merges},
    });
    let vocabulary = HubVocabulary { json: json.to_string().into_bytes(), ..Default::default() };
    Tokenizer::from_hub(vocabulary, 1 << 16, "tokenizer.json").unwrap_or_else(|e| panic!("{e}"))
}

/// Words of the corpus and of its probes.
fn words() -> BTreeSet<String> {
    let corpus = Corpus::new(0);
    let documents = [Split::Train, Split::HeldOut].map(|split| (0..200).map(move |i| (split, i)));
    let documents = documents.into_iter().flatten().map(|(split, i)| corpus.document(split, i));
    let classes = probes::word_classes().into_iter().flat_map(|class| class.words).map(String::from);
    let analogies = probes::analogies().into_iter().flat_map(|a| [a.a, a.b, a.c, a.d]).map(String::from);
    let text = documents.chain(classes).chain(analogies).collect::<Vec<_>>().join(" ");
    let word = |word: &str| word.chars().filter(char::is_ascii_lowercase).collect::<String>();
    text.split_whitespace().map(word).filter(|word| !word.is_empty()).collect()
}

fn options() -> Options {
    Options {
        prompts: 2,
        held_out_tokens: 600,
        counted_tokens: 3000,
        samples: 2,
        sample_tokens: 20,
        ..Options::default()
    }
}

fn random(config: &ModelConfig) -> (Box<dyn Engine>, Vec<f32>) {
    let data = random_model(config, Encoding::F32, 5);
    let embeddings = data[&TensorId::global(Param::Embed)].decode();
    let backend = CandleBackend::new(true);
    let table = data.iter().map(|(id, data)| (*id, backend.upload(data).unwrap())).collect();
    (Box::new(Runner::new(backend, config.clone(), Weights::new(table)).unwrap()), embeddings)
}

fn measured(moe: Option<MoeConfig>) -> Report {
    let tokenizer = tokenizer_of(&words());
    assert!(is_of_the_world(&tokenizer));
    let config = ModelConfig { d_vocab: tokenizer.len(), tied_embeddings: true, moe, ..base() };
    let (mut engine, embeddings) = random(&config);
    let mut subject =
        Subject { name: "random".into(), engine: engine.as_mut(), tokenizer: &tokenizer, embeddings: &embeddings };
    evaluate(&mut subject, None, &options(), &|_| {}).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn two_models_are_compared_on_the_same_tokens() {
    let tokenizer = tokenizer_of(&words());
    let config = ModelConfig { d_vocab: tokenizer.len(), tied_embeddings: true, ..base() };
    let beside = |other: &ModelConfig| {
        let ((mut engine, embeddings), (mut other, others)) = (random(&config), random(other));
        let mut subject =
            Subject { name: "one".into(), engine: engine.as_mut(), tokenizer: &tokenizer, embeddings: &embeddings };
        let mut other =
            Subject { name: "other".into(), engine: other.as_mut(), tokenizer: &tokenizer, embeddings: &others };
        evaluate(&mut subject, Some(&mut other), &options(), &|_| {})
    };
    let held_out = |report: Report| report.world.unwrap().held_out;
    let same = held_out(beside(&config).unwrap());
    let itself = same.beside.unwrap();
    assert_eq!((itself.loss, itself.difference.nats), (same.model, 0.0));
    // Without the last block it is another model, and the difference is that of the means.
    let report = beside(&ModelConfig { n_layers: config.n_layers - 1, ..config.clone() }).unwrap();
    assert!(report.checks().iter().any(|check| check.figure.contains("minus that of other")));
    let (one, other) = (held_out(report.clone()).model, held_out(report).beside.unwrap());
    assert!(other.difference.nats != 0.0 && other.difference.error < one.error);
    assert!((other.difference.nats - (one.nats - other.loss.nats)).abs() < 1e-9);
    let error = beside(&ModelConfig { n_ctx: 32, ..config.clone() }).unwrap_err();
    assert!(error.to_string().contains("“other” cannot read the same text"), "{error}");
}

#[test]
fn a_random_model_is_measured_and_fails() {
    let report = measured(None);
    let world = report.world.as_ref().unwrap();
    let held_out = &world.held_out;
    assert_eq!((held_out.window, held_out.counted), (128, 3000));
    assert_eq!(held_out.n_tokens, 600 - 5, "one token of each of five windows has no context");
    assert!(held_out.model.nats > 0.9 * (report.model.d_vocab as f64).ln() && held_out.trigram.nats > 0.0);
    assert!((held_out.difference.nats - (held_out.model.nats - held_out.trigram.nats)).abs() < 1e-9);
    assert_eq!(
        (world.analogies.len(), world.senses.len()),
        (probes::analogies().len(), probes::ambiguous_words().len())
    );
    let layers = base().n_layers + 1;
    for sense in &world.senses {
        assert_eq!(sense.layers.len(), layers, "{}: {:?}", sense.word, sense.n_sentences);
        assert!(sense.layers.iter().all(|layer| layer.gap.is_finite() && layer.gap.abs() <= 2.0), "{sense:?}");
        // Before the first block the word is one vector, whatever stands around it.
        assert_eq!(sense.layers[0].gap, 0.0, "{}", sense.word);
    }
    assert!(world.facts.iter().all(|fact| fact.probability > 0.0 && fact.probability < 1.0 && !fact.said.is_empty()));
    assert_eq!((world.samples.len(), &world.experts), (2, &None));
    assert!(world.samples.iter().all(|sample| sample.n_tokens <= 20 && !sample.opening.is_empty()));
    for kind in [HeadKind::Induction, HeadKind::PreviousToken] {
        let best = report.heads.map(kind).unwrap().best().unwrap().0;
        assert_eq!(report.heads.without(kind).unwrap().head, best);
    }

    let checks = report.checks();
    assert!(checks.iter().all(|check| !check.value.contains("NaN")), "{checks:?}");
    let failed: Vec<&str> = checks.iter().filter(|c| c.passed == Some(false)).map(|c| c.figure.as_str()).collect();
    println!("{failed:#?}");
    assert!(!report.passed() && failed.contains(&"Held-out loss, nats per token"));
    assert!(failed.iter().any(|figure| figure.ends_with("induction")));
    let (again, first) = (format!("{:#?}", measured(None)), format!("{report:#?}"));
    let other = again.lines().zip(first.lines()).find(|(a, b)| a != b);
    assert_eq!(other, None, "a second measurement gives the same");

    // Numbers come back from JSON with their last digit perhaps another, so the pages are compared.
    let (text, page) = (serde_json::to_string(&report).unwrap(), report.page());
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap().page(), page);
    for text in [render::terminal(&page), render::markdown(&page, 4)] {
        for part in ["random", "missed", "Held-out loss", "[once there was", "queen", "L0H"] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
    }
}

#[test]
fn figures_are_held_against_their_limits() {
    let mut report = measured(None);
    let failed = |report: &Report| {
        let checks = report.checks().into_iter();
        checks.filter(|c| c.passed == Some(false)).map(|c| c.figure).collect::<Vec<_>>()
    };
    let before = failed(&report);
    let scores = |score: f32| {
        let mut scores = vec![0.1; report.heads.kinds[0].map.scores.len()];
        scores[..2].fill(score);
        HeadMap { n_heads: report.model.n_heads, scores }
    };
    let (previous, induction) = (scores(0.6), scores(0.5));
    for kind in &mut report.heads.kinds {
        match kind.kind {
            HeadKind::PreviousToken => kind.map = previous.clone(),
            HeadKind::Induction => kind.map = induction.clone(),
            _ => {}
        }
    }
    report.heads.repeats.plain.later = 2.0;
    report.heads.repeats.without[0].loss.later = 3.0;
    let world = report.world.as_mut().unwrap();
    world.held_out.model.nats = world.held_out.trigram.nats - 0.001;
    for analogy in world.analogies.iter_mut().take(20).chain([&mut world.king_queen]) {
        analogy.centred.as_mut().unwrap().rank = 1;
    }
    for sense in world.senses.iter_mut().take(4) {
        sense.widest = Some(1);
        (sense.layers[1].gap, sense.layers[1].chance) = (0.1, 0.01);
    }
    assert_eq!(failed(&report), Vec::<String>::new(), "just on the right side of every limit");
    assert!(report.passed() && !before.is_empty());
    report.heads.repeats.without[0].loss.later = 2.9;
    assert_eq!(failed(&report).len(), 1);
}

#[test]
fn experts_are_counted() {
    let moe = MoeConfig { n_experts: 4, top_k: 2, d_expert: 16, normalise: true, first_layer: 1, every: 1 };
    let report = measured(Some(moe));
    let world = report.world.as_ref().unwrap();
    let [layer] = &world.experts.as_ref().unwrap()[..] else { panic!("one layer of experts") };
    let routing = &layer.routing;
    assert_eq!(
        (layer.layer, layer.classes.len(), routing.classes.len()),
        (1, probes::word_classes().len(), layer.classes.len())
    );
    assert!(
        (routing.load.iter().sum::<f64>() - 4.0).abs() < 1e-9
            && (routing.weight.iter().sum::<f64>() - 4.0).abs() < 1e-6
    );
    assert!(routing.gate_entropy > 0.0 && routing.gate_entropy <= 2f64.ln() + 1e-6, "two experts for each token");
    let seen: usize = routing.classes.iter().map(|class| class.n_tokens).sum();
    assert!(seen > 200 && seen <= 600, "{seen}");
    // A class takes at most half its places from one expert, and what it tells stays below what there is to tell.
    assert!(routing.classes.iter().all(|class| class.lean <= 2.0 + 1e-9));
    let i = routing.information;
    assert!(0.0 < i.shuffled_tokens && i.shuffled_tokens < i.measured && i.measured <= i.limit, "{i:?}");
    assert!(report.model.n_active_params < report.model.n_params);
    let checks = report.checks();
    assert!(checks.iter().any(|check| check.figure.starts_with("Load of the least used expert")));
    let page = render::markdown(&report.page(), 4);
    assert!(page.contains("#### Experts") && page.contains(&format!("{:.2}", routing.least_load())));
}
