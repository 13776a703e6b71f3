//! The maths on traces and weights: against figures that an independent implementation made of SmolLM2 (its origin is in
//! `tests/data/README.md`), and against hand-made patterns, tables and streams whose answer is known.

mod support;

use glassbox::insight::analogy::{Measure, Space};
use glassbox::insight::heads::{HeadKind, HeadMap, HeadMaps, RepeatLoss, label, repeated_random, scores};
use glassbox::insight::loss::token_losses;
use glassbox::insight::ngram::NGram;
use glassbox::insight::senses::{Separation, separation, widest};
use glassbox::model::tweak::{Ablation, HeadRef, Sources, Tweak, compile};
use glassbox::model::{Capture, HookPoint, Interventions, LogitsWanted, Param, Site, TensorId};
use glassbox::train::corpus::probes::ambiguous_words;
use serde_json::Value;
use support::{assert_close, data, on_cpu, open, run, smollm2};

/// The reference prints four digits of a head's score; the engine's patterns agree to 1e-4.
const SCORE: f32 = 3e-4;
/// Of the scores on random tokens: theirs and ours are other draws.
const DRAWS: f32 = 0.05;
/// The reference prints three digits of a cosine.
const COSINE: f32 = 1e-3;

fn reference(file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(data("reference").join(file)).unwrap()).unwrap()
}

fn matrix(json: &Value) -> Vec<f32> {
    let rows = json["matrix"].as_array().unwrap().iter();
    rows.flat_map(|row| row.as_array().unwrap()).map(|x| x.as_f64().unwrap() as f32).collect()
}

fn head(layer: usize, head: usize) -> HeadRef {
    HeadRef { layer, head }
}

#[test]
fn heads_of_smollm2_on_text() {
    let Some(model) = smollm2() else { return };
    let (mut engine, json) = (on_cpu(&model, true), reference("embeddings_heads.json"));
    let ids = &reference("reference.json")["prompts"]["c_paragraph"]["token_ids"];
    let ids: Vec<u32> = ids.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect();
    let config = engine.config().clone();
    let capture = Capture::none().with_site(Site::Pattern, &config);
    let trace = run(engine.as_mut(), &ids, &capture, LogitsWanted::Last).trace;
    let mut maps = HeadMaps::new(config.n_layers, config.n_heads);
    assert!(maps.add(&trace));
    let previous = maps.map(HeadKind::PreviousToken).unwrap().scores;
    assert_close("previous token", &previous, &matrix(&json["prev_text"]), SCORE, 0.0);
    // For the sink the reference leaves out the first five rows, which have few other places to look at.
    const FROM: usize = 5;
    let sink = |layer| {
        let pattern = trace.get(HookPoint::layer(layer, Site::Pattern)).unwrap();
        let heads = pattern.data.chunks(ids.len() * ids.len());
        let rows: Vec<f32> = heads.flat_map(|head| head[FROM * ids.len()..].to_vec()).collect();
        scores(HeadKind::FirstToken, &rows, config.n_heads, &ids).unwrap()
    };
    let sinks: Vec<f32> = (0..config.n_layers).flat_map(sink).collect();
    assert_close("first token", &sinks, &matrix(&json["first_token_sink_text"]), SCORE, 0.0);
}

#[test]
fn heads_of_smollm2_on_repeated_tokens() {
    const LENGTH: usize = 64;
    let Some(model) = smollm2() else { return };
    let (mut engine, json) = (on_cpu(&model, true), reference("embeddings_heads.json"));
    let config = engine.config().clone();
    let capture = Capture::none().with_site(Site::Pattern, &config);
    // The first ids are control tokens.
    let allowed: Vec<u32> = (100..config.d_vocab as u32).collect();
    let prompts: Vec<Vec<u32>> = (0..16).map(|seed| repeated_random(seed, &allowed, LENGTH, 2)).collect();
    let mut maps = HeadMaps::new(config.n_layers, config.n_heads);
    let mut plain = Vec::new();
    for (n, prompt) in prompts.iter().enumerate() {
        // Logits cost as much as all layers, and four prompts are enough for a loss.
        let wanted = if n < 4 { LogitsWanted::All } else { LogitsWanted::Last };
        let output = run(engine.as_mut(), prompt, &capture, wanted);
        assert!(maps.add(&output.trace));
        plain.extend(RepeatLoss::new(&token_losses(&output.logits, config.d_vocab, prompt), LENGTH));
    }
    assert_eq!(plain.len(), 4);
    let named = [
        (HeadKind::PreviousToken, "prev_random", vec![head(16, 0), head(11, 1), head(2, 1), head(19, 3), head(1, 2)]),
        (HeadKind::Induction, "induction", vec![head(18, 6), head(17, 3), head(17, 4), head(18, 7), head(17, 5)]),
        (HeadKind::DuplicateToken, "duplicate_token", vec![head(14, 3), head(8, 0), head(15, 6), head(5, 6)]),
        (HeadKind::CurrentToken, "self", vec![head(11, 6), head(29, 1), head(29, 4)]),
    ];
    for (kind, key, heads) in named {
        let want = HeadMap { n_heads: config.n_heads, scores: matrix(&json[key]) };
        let got = maps.map(kind).unwrap();
        for head in heads {
            let (got, want) = (got.get(head).unwrap(), want.get(head).unwrap());
            println!("{key} {}: {got:.3}, reference {want:.3}", label(head));
            assert!((got - want).abs() < DRAWS, "{key} {}: {got}, want {want}", label(head));
        }
        let tied = got.tied(DRAWS);
        assert!(tied.contains(&want.best().unwrap().0), "{key}: best are {tied:?}");
    }

    let mean =
        |losses: &[RepeatLoss], of: fn(&RepeatLoss) -> f64| losses.iter().map(of).sum::<f64>() / losses.len() as f64;
    let (first, later) = (mean(&plain, |l| l.first), mean(&plain, |l| l.later));
    println!("loss on the first copy {first:.2}, on the second {later:.2} (reference 14.11, 2.70)");
    assert!((first - 14.11).abs() < 0.5 && (later - 2.7).abs() < 0.5, "{first} {later}");

    // One head less, on four prompts: the reference has 4.81 without L18H6 and 9.08 without L16H0.
    let mut without = |head: HeadRef| {
        let tweak = Tweak::AblateHeads { heads: vec![head], with: Ablation::Zero };
        let changed: Interventions = compile(&[tweak], &config, Sources::default()).unwrap();
        let losses: Vec<RepeatLoss> = prompts[..4]
            .iter()
            .map(|prompt| {
                engine.truncate(0);
                let nothing = Capture::none();
                let request = glassbox::engine::Request {
                    tokens: prompt,
                    capture: &nothing,
                    interventions: &changed,
                    logits: LogitsWanted::All,
                };
                RepeatLoss::new(&token_losses(&engine.run(request).unwrap().logits, config.d_vocab, prompt), LENGTH)
                    .unwrap()
            })
            .collect();
        mean(&losses, |l| l.later)
    };
    let (induction, previous) = (without(head(18, 6)), without(head(16, 0)));
    println!("second copy without L18H6 {induction:.2} (4.81), without L16H0 {previous:.2} (9.08)");
    assert!((induction - 4.81).abs() < 1.0 && (previous - 9.08).abs() < 1.0, "{induction} {previous}");
}

#[test]
fn analogies_of_smollm2() {
    let Some(model) = smollm2() else { return };
    let mut checkpoint = open(&model);
    let tokenizer = glassbox::engine::open_tokenizer(&mut checkpoint).unwrap();
    let d = checkpoint.config.d_model;
    let embed = TensorId::global(Param::Embed);
    let spec = checkpoint.config.tensors().into_iter().find(|spec| spec.id == embed).unwrap();
    let table = checkpoint.tensor(&spec).unwrap().decode();
    let id = |word: &str| {
        let ids = tokenizer.encode(&format!(" {word}"), glassbox::engine::tokenizer::Specials::AsText).unwrap();
        assert_eq!(ids.len(), 1, "“{word}”");
        ids[0]
    };
    let text = |id: u32| String::from_utf8_lossy(&tokenizer.bytes(&[id])).replace(' ', "Ġ");
    let json = reference("embeddings_heads.json");
    let analogies = json["analogies"].as_object().unwrap();
    assert_eq!(analogies.len(), 12);
    for (key, centred) in [("raw", false), ("centred", true)] {
        let space = Space::new(&table, d, Measure::Cosine, centred);
        for (name, want) in analogies {
            // "b - a + c = d"
            let words: Vec<&str> = name.split([' ', '-', '+', '=']).filter(|w| !w.is_empty()).collect();
            let [b, a, c, answer] = words[..] else { panic!("{name}") };
            let begun = std::time::Instant::now();
            let got = space.analogy([id(a), id(b), id(c), id(answer)], 5).unwrap();
            println!("{name}, {key}: rank {}, {:.3}, {:?}", got.rank, got.value, begun.elapsed());
            let want = &want[key];
            assert_eq!(got.rank as u64, want["rank_of_expected"].as_u64().unwrap(), "{name}, {key}: rank");
            for (got, want) in got.nearest.iter().zip(want["top5"].as_array().unwrap()) {
                assert_eq!(text(got.id), want[0].as_str().unwrap(), "{name}, {key}");
                assert!((got.value - want[1].as_f64().unwrap() as f32).abs() < COSINE, "{name}, {key}: {got:?} {want}");
            }
            let of_all: Vec<String> = got.nearest_of_all.iter().take(2).map(|n| text(n.id)).collect();
            assert_eq!(
                of_all,
                serde_json::from_value::<Vec<String>>(want["without_excluding_inputs_top2"].clone()).unwrap()
            );
            let found = got.nearest.iter().position(|n| n.id == id(answer));
            assert!(found.is_none_or(|at| at + 1 == got.rank && got.nearest[at].value == got.value));
        }
    }
}

#[test]
fn senses_in_smollm2() {
    let Some(model) = smollm2() else { return };
    let mut checkpoint = open(&model);
    let tokenizer = glassbox::engine::open_tokenizer(&mut checkpoint).unwrap();
    let mut engine = on_cpu(&model, true);
    let config = engine.config().clone();
    let points: Vec<HookPoint> = std::iter::once(HookPoint::layer(0, Site::ResidPre))
        .chain((0..config.n_layers).map(|layer| HookPoint::layer(layer, Site::ResidPost)))
        .collect();
    let capture: Capture = points.iter().copied().collect();
    let chosen = ["bank", "bark"];
    for word in ambiguous_words().into_iter().filter(|word| chosen.contains(&word.word)) {
        let mut vectors = vec![Vec::new(); points.len()];
        let mut senses = Vec::new();
        for (sense, text) in word.senses.iter().enumerate().flat_map(|(i, s)| s.sentences.iter().map(move |t| (i, t))) {
            // The words before it decide, so the sentence is cut after the word.
            let end = text.rfind(word.word).unwrap() + word.word.len();
            let ids = tokenizer.encode_prompt(&text[..end]).unwrap();
            let trace = run(engine.as_mut(), &ids, &capture, LogitsWanted::Last).trace;
            for (vectors, point) in vectors.iter_mut().zip(&points) {
                vectors.extend_from_slice(trace.get(*point).unwrap().row(ids.len() - 1).unwrap());
            }
            senses.push(sense);
        }
        let layers: Vec<Separation> = vectors.iter().map(|layer| separation(layer, &senses).unwrap()).collect();
        let at = widest(&layers).unwrap();
        println!("{}: widest after {at} of {} layers, {:?}", word.word, config.n_layers, layers[at]);
        assert_eq!(layers[0].gap, 0.0, "{}: one vector goes in", word.word);
        assert!(layers[at].gap > 1.0 && layers[at].chance < 0.01, "{}: {:?}", word.word, layers[at]);
        assert!((6..=14).contains(&at), "{}: widest after {at} layers", word.word);
    }
}

#[test]
fn scores_of_hand_made_patterns() {
    // Tokens a b c a b c: each head puts all its attention where its habit says.
    let tokens = [7, 8, 9, 7, 8, 9];
    let n = tokens.len();
    let habit = |place: fn(usize) -> usize| {
        (0..n).flat_map(move |q| (0..n).map(move |k| if k == place(q) { 1.0f32 } else { 0.0 })).collect::<Vec<_>>()
    };
    let previous = habit(|q| q.saturating_sub(1));
    let induction = habit(|q| if q >= 3 { q - 2 } else { 0 });
    let duplicate = habit(|q| if q >= 3 { q - 3 } else { q });
    let pattern = [previous, induction, duplicate].concat();
    let want = [
        (HeadKind::PreviousToken, [1.0, 1.0 / 5.0, 0.0]),
        (HeadKind::Induction, [0.0, 1.0, 0.0]),
        (HeadKind::DuplicateToken, [0.0, 0.0, 1.0]),
        (HeadKind::FirstToken, [0.2, 0.4, 0.2]),
        (HeadKind::CurrentToken, [0.0, 0.0, 0.4]),
    ];
    for (kind, want) in want {
        assert_close(kind.name(), &scores(kind, &pattern, 3, &tokens).unwrap(), &want, 1e-6, 0.0);
    }
    // The last two rows alone, as a run on top of a cache records them.
    let rows: Vec<f32> = pattern.chunks(n * n).flat_map(|head| head[4 * n..].to_vec()).collect();
    assert_eq!(scores(HeadKind::Induction, &rows, 3, &tokens).unwrap(), [0.0, 1.0, 0.0]);
    // Attention is summed over all earlier copies.
    let uniform = [1.0, 0.0, 0.0, 0.5, 0.5, 0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0];
    assert_close(
        "copies",
        &scores(HeadKind::DuplicateToken, &uniform, 1, &[5, 5, 5]).unwrap(),
        &[7.0 / 12.0],
        1e-6,
        0.0,
    );
}

#[test]
fn scores_without_a_place_do_not_exist() {
    assert_eq!(scores(HeadKind::Induction, &[0.5; 9], 1, &[1, 2, 3]), None, "nothing repeats");
    assert_eq!(scores(HeadKind::PreviousToken, &[1.0], 1, &[1]), None, "one token");
    assert_eq!(scores(HeadKind::PreviousToken, &[1.0; 5], 1, &[1, 2]), None, "not whole rows");
    assert_eq!(scores(HeadKind::PreviousToken, &[], 0, &[]), None);
    let mut maps = HeadMaps::new(1, 1);
    assert!(maps.add_patterns(&[&[1.0, 0.0, 0.25, 0.75]], &[1, 2]));
    assert!(maps.add_patterns(&[&[1.0, 0.0, 0.75, 0.25]], &[3, 4]));
    assert!(!maps.add_patterns(&[&[1.0; 3]], &[1, 2]) && !maps.add_patterns(&[], &[1, 2]));
    assert_eq!((maps.map(HeadKind::PreviousToken).unwrap().scores, maps.map(HeadKind::Induction)), (vec![0.5], None));
}

#[test]
fn ties_and_ranks() {
    let map = HeadMap { n_heads: 2, scores: vec![0.1, 0.84, 0.8, 0.9] };
    assert_eq!(map.best(), Some((head(1, 1), 0.9)));
    assert_eq!(map.tied(0.07), [head(1, 1), head(0, 1)]);
    assert_eq!((map.count(0.8), map.get(head(1, 0)), map.get(head(0, 2))), (3, Some(0.8), None));
}

#[test]
fn repeated_prompts() {
    let allowed: Vec<u32> = (10..40).collect();
    let prompt = repeated_random(3, &allowed, 20, 3);
    assert_eq!((prompt.len(), &prompt[..20]), (60, &prompt[40..]));
    let mut once = prompt[..20].to_vec();
    once.sort_unstable();
    once.dedup();
    assert!(once.len() == 20 && once.iter().all(|id| allowed.contains(id)), "no token twice");
    assert_eq!(prompt, repeated_random(3, &allowed, 20, 3));
    assert_ne!(prompt, repeated_random(4, &allowed, 20, 3));
    assert_eq!(repeated_random(3, &allowed, 50, 1).len(), 50, "more than there are tokens: with repeats");
    assert!(repeated_random(3, &[], 5, 2).is_empty());
}

#[test]
fn losses_of_copies() {
    // Copies of three tokens: losses at t = 1, 2 | 3 | 4, 5 | 6 …; the one at 3 counts nowhere.
    let losses = [4.0, 6.0, 100.0, 1.0, 2.0, 3.0, 4.0, 5.0];
    assert_eq!(RepeatLoss::new(&losses, 3), Some(RepeatLoss { first: 5.0, later: 3.0 }));
    assert_eq!(
        (RepeatLoss::new(&losses[..3], 3), RepeatLoss::new(&losses, 0), RepeatLoss::new(&losses, 9)),
        (None, None, None)
    );
}

#[test]
fn ngrams_sum_to_one() {
    let seed = 11;
    println!("seed {seed}");
    // A skewed stream: products of two draws.
    let draws = repeated_random(seed, &(0..8).collect::<Vec<_>>(), 4000, 1);
    let stream: Vec<u32> = draws.windows(2).map(|pair| pair[0] * pair[1] / 4).collect();
    let d_vocab = 20;
    for order in 1..=4 {
        let mut model = NGram::new(order, d_vocab);
        let unseen = model.distribution(&[1, 2, 3]);
        assert!(unseen.iter().all(|p| (p - 0.05).abs() < 1e-12), "uniform before counting");
        stream.chunks(500).for_each(|part| model.count(part));
        assert_eq!((model.n_tokens(), model.order()), (stream.len() as u64, order));
        for context in [&[][..], &[3], &[0, 0], &[2, 4, 6], &[19, 0], &[0, 19], &[99, 1], &stream[..5]] {
            let p = model.distribution(context);
            let sum: f64 = p.iter().sum();
            assert!((sum - 1.0).abs() < 1e-9, "order {order} after {context:?}: {sum}");
            assert!(p.iter().all(|p| *p > 0.0), "order {order} after {context:?}: something is impossible");
            for (token, p) in p.iter().enumerate() {
                assert!((model.log_prob(context, token as u32) - p.ln()).abs() < 1e-9);
            }
        }
        assert_eq!(model.log_prob(&[], d_vocab as u32), f64::NEG_INFINITY);
    }
}

#[test]
fn a_bigram_model_by_hand() {
    // Stream a b a b a c, vocabulary of four. Bigrams: ab 2, ba 2, ac 1. Left neighbours: a: {start, b}, b: {a}, c: {a}.
    let mut model = NGram::new(2, 4);
    model.count(&[0, 1, 0, 1, 0, 2]);
    assert_eq!(model.n_distinct(), 6);
    // Of single tokens two have count 1, one has count 2, none 3 or 4: Y = 2/(2 + 2·1) = ½, D₁ = 1 − 2·½·½ = ½, and D₂ and
    // D₃₊ fall back to ½. Their counts sum to 4, three tokens were seen: γ = ½·3/4.
    let one = |count: f64| (count - 0.5f64).max(0.0) / 4.0 + 0.375 * 0.25;
    for (token, count) in [(0, 2.0), (1, 1.0), (2, 1.0), (3, 0.0)] {
        assert!((model.log_prob(&[], token).exp() - one(count)).abs() < 1e-12, "token {token}");
    }
    // Of bigrams one has count 1 and two have count 2: Y = 1/5, D₁ = 1 − 2·⅕·2 = ⅕, D₂ falls back to ½ (none has 3).
    // After a: b twice, c once; γ = (⅕ + ½)/3.
    let after_a = [0.0, (2.0 - 0.5) / 3.0, (1.0 - 0.2) / 3.0, 0.0];
    for (token, (share, count)) in after_a.into_iter().zip([2.0, 1.0, 1.0, 0.0]).enumerate() {
        let want = share + 0.7 / 3.0 * one(count);
        assert!((model.log_prob(&[0], token as u32).exp() - want).abs() < 1e-12, "token {token} after a");
    }
    // After d, which was never seen, a single token's probability is all there is.
    assert_eq!(model.log_prob(&[3], 0), model.log_prob(&[], 0));
    let losses = model.losses(&[0, 1, 3]);
    assert!((losses[0] + model.log_prob(&[0], 1)).abs() < 1e-12 && (losses[1] + model.log_prob(&[1], 3)).abs() < 1e-12);
}

#[test]
fn longer_contexts_know_more() {
    // A cycle of seven with a choice at one place: a trigram model nearly knows it, single tokens do not.
    let stream: Vec<u32> = (0..7000).map(|i| if i % 7 == 6 { 6 + (i / 7 % 2) } else { i % 7 }).collect();
    let loss = |order| {
        let mut model = NGram::new(order, 10);
        model.count(&stream);
        let losses = model.losses(&stream[..700]);
        losses.iter().sum::<f64>() / losses.len() as f64
    };
    let (one, three) = (loss(1), loss(3));
    // Kneser–Ney's single tokens are counted by their neighbours, so they are near ln 8, not below it.
    assert!(one > 1.8 && three < 2f64.ln() / 7.0 + 0.02, "{one} {three}");
}

#[test]
fn neighbours_by_hand() {
    let table = [1.0, 0.0, 3.0, 0.1, 0.0, 2.0, -1.0, 0.0, 0.0, 0.0f32];
    let order = |measure, centred| {
        let space = Space::new(&table, 2, measure, centred);
        space.nearest(&[1.0, 0.0], &[0], 5).iter().map(|n| n.id).collect::<Vec<_>>()
    };
    assert_eq!(order(Measure::Cosine, false), [1, 2, 4, 3], "a vector without length has cosine 0; ties by id");
    assert_eq!(order(Measure::Dot, false), [1, 2, 4, 3]);
    assert_eq!(order(Measure::Euclid, false), [4, 3, 1, 2]);
    assert_eq!(order(Measure::Euclid, true), [4, 3, 1, 2], "distances do not move with the origin");
    let space = Space::new(&table, 2, Measure::Cosine, true);
    let values = space.values(&[1.0, 0.0]);
    let between: Vec<f32> = (0..5).map(|id| space.between(0, id).unwrap()).collect();
    assert_close("between", &values, &between, 1e-6, 0.0);
    assert!((values[0] - 1.0).abs() < 1e-6 && space.between(0, 5).is_none() && space.len() == 5);
}

#[test]
fn an_analogy_by_hand() {
    // man, woman, king, queen, apple on axes of sex, rank and fruit; king − man + woman = queen but for a little.
    let table = [1.0, 0.1, 0.0, -1.0, 0.1, 0.0, 1.0, 3.0, 0.0, -1.0, 2.9, 0.2, 0.0, 0.0, 5.0f32];
    let space = Space::new(&table, 3, Measure::Cosine, false);
    let result = space.analogy([0, 2, 1, 3], 2).unwrap();
    assert_eq!((result.rank, result.rank_among_all), (1, 1));
    assert_eq!((result.nearest[0].id, result.nearest_of_all[1].id), (3, 2), "king comes next if it may");
    assert!((result.value - 9.7 / (10f32.sqrt() * 9.45f32.sqrt())).abs() < 1e-6, "{}", result.value);
    // An answer that is one of the inputs is still ranked.
    assert_eq!(space.analogy([0, 2, 1, 2], 1).unwrap().rank, 2);
    assert!(space.analogy([0, 2, 1, 9], 1).is_none());
}
