//! What opening a model reports: counts, bytes, whether it fits, what was left out.

mod support;

use glassbox::engine::loader::{self, Fit, LoadReport};
use glassbox::model::Part;
use support::{data, open, smollm2};

/// Numbers in a model's tensors, by the report's list of them.
fn listed(report: &LoadReport) -> u64 {
    let used = report.tensors.iter().filter(|tensor| !tensor.params.is_empty());
    used.map(|tensor| tensor.shape.iter().map(|n| *n as u64).product::<u64>()).sum()
}

#[test]
fn parts_sum_to_the_tensors() {
    for name in
        ["llama", "gpt2", "qwen2", "mistral", "mixtral", "llama/Q4_0.gguf", "gpt2/Q8_0.gguf", "llama_k256/Q4_K.gguf"]
    {
        let report = open(&data(&format!("conformance/{name}"))).report;
        assert_eq!(report.n_params, listed(&report), "{name}");
        assert_eq!(report.n_params, report.config.n_params(), "{name}");
        assert_eq!(report.parts.iter().map(|part| part.n_params).sum::<u64>(), report.n_params, "{name}");
        let bytes: u64 = report.tensors.iter().filter(|t| !t.params.is_empty()).map(|t| t.bytes).sum();
        assert_eq!(report.bytes_in_memory, bytes, "{name}");
        assert!(report.bytes_on_disk > bytes, "{name}");
        assert_eq!(report.encodings.values().map(|(n, _)| n).sum::<usize>(), report.tensors.len(), "{name}");
        assert_eq!(report.warnings, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn smollm2_in_numbers() {
    let Some(path) = smollm2() else { return };
    let report = open(&path).report;
    // 49152·576 + 30·(2·576² + 2·192·576 + 3·1536·576 + 2·576) + 576
    assert_eq!(report.n_params, 134_515_008);
    assert_eq!(report.bytes_on_disk, 98_362_432);
    assert_eq!(report.tensors.len(), 272);
    let of = |name: &str| report.encodings[name];
    assert_eq!((of("Q4_1"), of("Q8_0").0, of("F32").0), ((210, 66_355_200), 1, 61));
    // 2 · 30 layers · 3 heads · 64 · 4 bytes
    assert_eq!(report.kv_bytes_per_token, 46_080);
    assert_eq!(report.kv_bytes_full, 46_080 * 8192);
    assert!(report.ignored_tensors.is_empty());
}

#[test]
fn mixtral_in_numbers() {
    let report = open(&data("conformance/mixtral")).report;
    // Of 3 layers with 4 experts of 3·32·32 each, a token uses 2 experts in each layer.
    assert_eq!((report.n_params, report.n_active_params), (69_280, 69_280 - 3 * 2 * 3 * 32 * 32));
    let of = |part: Part| report.parts.iter().find(|p| p.part == part).map(|p| p.n_params);
    assert_eq!((of(Part::Experts), of(Part::Router), of(Part::Mlp)), (Some(36_864), Some(3 * 4 * 32), None));
    let text = report.to_string();
    for line in ["4 of width 32, SiLU; 2 for each token", "active per token         50\u{202f}848 parameters"] {
        assert!(text.contains(line), "{text}");
    }
    assert!(!text.contains("d_mlp"), "no layer has a plain MLP");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["n_active_params"], 50_848);

    let dense = open(&data("conformance/llama")).report;
    assert_eq!(dense.n_active_params, dense.n_params);
    assert!(!dense.to_string().contains("active"));
}

#[test]
fn what_fits() {
    let report = open(&data("conformance/llama/Q4_0.gguf")).report;
    let (weights, token) = (report.bytes_in_memory, report.kv_bytes_per_token);
    assert_eq!(report.fits(weights - 1), Fit::No(1));
    assert_eq!(report.fits(weights), Fit::Context(0));
    assert_eq!(report.fits(weights + 10 * token), Fit::Context(10));
    assert_eq!(report.fits(weights + report.kv_bytes_full), Fit::Whole);
}

#[test]
fn the_text_names_every_tensor() {
    let report = open(&data("conformance/gpt2")).report;
    let text = report.to_string();
    for title in ["File", "Architecture", "Parameters", "Encodings", "Memory", "Tensors"] {
        assert!(text.lines().any(|line| line == title), "{title}");
    }
    for tensor in &report.tensors {
        assert!(text.contains(&tensor.name), "{}", tensor.name);
    }
    assert!(text.contains(&loader::grouped(report.n_params)));
    assert_eq!(
        (loader::grouped(134_515_008), loader::bytes(999)),
        ("134\u{202f}515\u{202f}008".into(), "999 B".into())
    );
}
