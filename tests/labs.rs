//! The figures that the labs plot, against golden data that `tests/data/reference/labs.py` computes with numpy alone. If a
//! model's weights changed, run the script again: its head says how.

mod support;

use std::path::{Path, PathBuf};

use glassbox::insight::analogy::{Measure, Neighbour, Space};
use glassbox::insight::heads::{HeadKind, HeadMaps, RepeatLoss};
use glassbox::insight::loss::token_losses;
use glassbox::insight::pca::principal;
use glassbox::model::{Capture, HookPoint, LogitsWanted, Param, Site, TensorId};
use serde_json::Value;
use support::{assert_close, data, on_cpu, open, run, smollm2};

/// Of attention, losses and cosines: f32 against float64. The reference engines of `tests/data/README.md` differ by 2.4e-6
/// in attention; scores are means of it.
const CLOSE: f32 = 1e-4;
/// Of logits, which are sums over a few hundred products of numbers up to 50.
const LOGIT: f32 = 2e-3;

/// The models with golden data that are here.
fn models() -> Vec<(PathBuf, Value)> {
    let story = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/story-dense");
    let known = [(Some(story), "labs_story-dense.json"), (smollm2(), "labs_smollm2.json")];
    let read = |file: &str| serde_json::from_str(&std::fs::read_to_string(data("reference").join(file)).unwrap());
    known.into_iter().filter_map(|(path, file)| Some((path?, read(file).unwrap()))).collect()
}

fn number(json: &Value) -> f32 {
    json.as_f64().unwrap() as f32
}

fn numbers(json: &Value) -> Vec<f32> {
    json.as_array().unwrap().iter().map(number).collect()
}

fn ids(json: &Value) -> Vec<u32> {
    json.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

/// Compares a list of tokens with values, best first. Tokens whose values lie closer than `close` may change places.
fn assert_list(name: &str, got: &[Neighbour], want: &Value, close: f32) {
    let want: Vec<Neighbour> = want.as_array().unwrap().iter().map(entry).collect();
    assert!(got.len() >= want.len(), "{name}: {} and {}", got.len(), want.len());
    for (got, wanted) in got.iter().zip(&want) {
        assert!((got.value - wanted.value).abs() < close, "{name}: {got:?}, want {wanted:?}");
        let tied = want.iter().any(|other| other.id == got.id && (other.value - wanted.value).abs() < 2.0 * close);
        let last = want.last().is_some_and(|last| (last.value - got.value).abs() < 2.0 * close);
        assert!(tied || last, "{name}: {got:?}, want {wanted:?}");
    }
}

fn entry(pair: &Value) -> Neighbour {
    Neighbour { id: pair[0].as_u64().unwrap() as u32, value: number(&pair[1]) }
}

#[test]
fn head_scores_losses_and_lens_agree_with_numpy() {
    for (path, golden) in models() {
        let mut engine = on_cpu(&path, true);
        let config = engine.config().clone();
        let tokens = ids(&golden["tokens"]);
        let copy = golden["copy"].as_u64().unwrap() as usize;
        let capture = Capture::none()
            .with_site(Site::Pattern, &config)
            .with_site(Site::ResidPost, &config)
            .with(HookPoint::layer(0, Site::ResidPre));
        let output = run(engine.as_mut(), &tokens, &capture, LogitsWanted::All);

        let mut maps = HeadMaps::new(config.n_layers, config.n_heads);
        assert!(maps.add(&output.trace));
        for kind in HeadKind::ALL {
            let key = serde_json::to_value(kind).unwrap();
            let rows = golden["heads"][key.as_str().unwrap()].as_array().unwrap().iter();
            let want: Vec<f32> = rows.flat_map(numbers).collect();
            assert_close(kind.name(), &maps.map(kind).unwrap().scores, &want, CLOSE, 0.0);
        }
        let losses = RepeatLoss::new(&token_losses(&output.logits, config.d_vocab, &tokens), copy).unwrap();
        for (got, key) in [(losses.first, "first"), (losses.later, "second")] {
            assert!((got as f32 - number(&golden["loss"][key])).abs() < LOGIT, "{key} copy: {got} {}", golden["loss"]);
        }

        for (row, want) in golden["lens"].as_array().unwrap().iter().enumerate() {
            let point = match row {
                0 => HookPoint::layer(0, Site::ResidPre),
                after => HookPoint::layer(after - 1, Site::ResidPost),
            };
            for (at, want) in golden["lens_positions"].as_array().unwrap().iter().zip(want.as_array().unwrap()) {
                let at = at.as_u64().unwrap() as usize;
                let resid = output.trace.get(point).unwrap().row(at).unwrap().to_vec();
                let top = engine.lens(&resid, 3).unwrap().remove(0);
                let top: Vec<Neighbour> = top.iter().map(|one| Neighbour { id: one.id, value: one.logit }).collect();
                assert_list(&format!("lens row {row}, position {at}"), &top, want, LOGIT);
            }
        }
    }
}

#[test]
fn components_neighbours_and_analogies_agree_with_numpy() {
    for (path, golden) in models() {
        let golden = &golden["table"];
        let mut checkpoint = open(&path);
        let tokenizer = glassbox::engine::open_tokenizer(&mut checkpoint).unwrap();
        let d = checkpoint.config.d_model;
        let id = TensorId::global(Param::Embed);
        let spec = checkpoint.config.tensors().into_iter().find(|spec| spec.id == id).unwrap();
        let table = checkpoint.tensor(&spec).unwrap().decode();

        let found = principal(&table, d, 3, &mut |_| true).unwrap();
        let shares = numbers(&golden["shares"]);
        for axis in 0..3 {
            assert!((found.share(axis) as f32 / shares[axis] - 1.0).abs() < 1e-3, "share {axis}: {shares:?}");
        }
        for (token, place) in golden["places"].as_object().unwrap() {
            let token: usize = token.parse().unwrap();
            let (got, want) = (found.project(&table[token * d..][..d]), numbers(place));
            for axis in 0..3 {
                // Axes of nearly equal shares may turn into each other: each is as good as the other.
                let next =
                    shares[axis + 1].max(if axis > 0 { shares[axis] / shares[axis - 1] * shares[axis] } else { 0.0 });
                if next < 0.9 * shares[axis] {
                    assert!((got[axis] - want[axis]).abs() < 5e-3, "token {token}, axis {axis}: {got:?} {want:?}");
                }
            }
        }

        for (name, centred) in [("raw", false), ("centred", true)] {
            for (measure, key) in [(Measure::Cosine, "cosine"), (Measure::Dot, "dot"), (Measure::Euclid, "distance")] {
                let space = Space::new(&table, d, measure, centred);
                for (token, want) in golden["near"].as_object().unwrap() {
                    let token: u32 = token.parse().unwrap();
                    let near = space.nearest(space.vector(token).unwrap(), &[token], 5);
                    assert_list(&format!("{name} {key} of {token}"), &near, &want[name][key], 5.0 * CLOSE);
                }
            }
            let space = Space::new(&table, d, Measure::Cosine, centred);
            let words: Vec<u32> = golden["words"]
                .as_array()
                .unwrap()
                .iter()
                .map(|word| {
                    let text = format!(" {}", word.as_str().unwrap());
                    tokenizer.encode(&text, glassbox::engine::tokenizer::Specials::AsText).unwrap()[0]
                })
                .collect();
            let got = space.analogy([words[0], words[1], words[2], words[3]], 5).unwrap();
            let want = &golden["analogy"][name];
            assert!((got.value - number(&want["value"])).abs() < CLOSE);
            assert_eq!(got.rank as u64, want["rank"].as_u64().unwrap(), "{name}");
            assert_eq!(got.rank_among_all as u64, want["rank_among_all"].as_u64().unwrap(), "{name}");
            assert_list(&format!("{name} analogy"), &got.nearest, &want["nearest"], CLOSE);
            assert_list(&format!("{name} analogy, all"), &got.nearest_of_all, &want["nearest_of_all"], CLOSE);
        }
    }
}
