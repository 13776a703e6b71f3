//! What was found in the files: the load report.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::Serialize;

use super::error::{file_name, printable};
use super::source::Source;
use super::tensor::Entry;
use crate::builtin::About;
use crate::model::{ModelConfig, MoeConfig, Part, TensorId};

/// Everything that opening a model has found out.
#[derive(Debug, Clone, Serialize)]
pub struct LoadReport {
    /// Where the model was opened from: a path, or "built in: " and its id.
    pub origin: String,
    /// The container: GGUF or safetensors.
    pub container: &'static str,
    /// The files, with their lengths.
    pub files: Vec<(String, u64)>,
    /// The model's own name.
    pub name: Option<String>,
    /// The licence that the file states.
    pub license: Option<String>,
    /// What the model says about itself and how it was made.
    pub about: Option<About>,
    /// The architecture.
    pub config: ModelConfig,
    /// Parameters by part of the model.
    pub parts: Vec<PartCount>,
    /// Parameters in all.
    pub n_params: u64,
    /// Parameters that one token uses: fewer where there are experts.
    pub n_active_params: u64,
    /// Every tensor of the files.
    pub tensors: Vec<TensorRow>,
    /// Encodings: tensors and bytes of each.
    pub encodings: BTreeMap<String, (usize, u64)>,
    /// Bytes on disk.
    pub bytes_on_disk: u64,
    /// Bytes that the parameters take in memory, still encoded.
    pub bytes_in_memory: u64,
    /// Bytes of K and V that a token adds, at 4 bytes a value.
    pub kv_bytes_per_token: u64,
    /// Bytes of a cache for the full context.
    pub kv_bytes_full: u64,
    /// Tensors that were not used.
    pub ignored_tensors: Vec<String>,
    /// Keys of the config that were not understood.
    pub ignored_keys: Vec<String>,
    /// Why another copy was opened than the one that should have been.
    pub fallback: Option<String>,
    /// What else the student should know, a sentence each.
    pub warnings: Vec<String>,
}

/// Parameters of one part.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct PartCount {
    /// The part.
    pub part: Part,
    /// Numbers in it.
    pub n_params: u64,
    /// Bytes in the file.
    pub bytes: u64,
}

/// One tensor of the files.
#[derive(Debug, Clone, Serialize)]
pub struct TensorRow {
    /// Its name in the file.
    pub name: String,
    /// Its axes, slowest first.
    pub shape: Vec<usize>,
    /// Its encoding.
    pub encoding: String,
    /// Its bytes.
    pub bytes: u64,
    /// The parameters that come out of it; none if it is ignored.
    pub params: Vec<TensorId>,
}

/// Whether a model fits into some memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// With a cache for the whole context.
    Whole,
    /// With a cache for this many tokens.
    Context(usize),
    /// Not at all; this many bytes are missing.
    No(u64),
}

impl LoadReport {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn new(
        container: &'static str,
        config: &ModelConfig,
        (name, license): (Option<String>, Option<String>),
        sources: &[Source],
        entries: &[Entry],
        places: &HashMap<TensorId, usize>,
        (ignored_tensors, ignored_keys): (Vec<String>, Vec<String>),
        notes: Vec<String>,
    ) -> Self {
        let mut params: HashMap<usize, Vec<TensorId>> = HashMap::new();
        for (id, entry) in places {
            params.entry(*entry).or_default().push(*id);
        }
        let row = |(i, entry): (usize, &Entry)| {
            let mut params = params.remove(&i).unwrap_or_default();
            params.sort();
            let encoding = entry.encoding.as_ref().map_or_else(Clone::clone, |e| e.name().to_owned());
            TensorRow { name: entry.name.clone(), shape: entry.shape.clone(), encoding, bytes: entry.n_bytes(), params }
        };
        let tensors: Vec<TensorRow> = entries.iter().enumerate().map(row).collect();
        let mut encodings: BTreeMap<String, (usize, u64)> = BTreeMap::new();
        for tensor in &tensors {
            let (n, bytes) = encodings.entry(tensor.encoding.clone()).or_default();
            (*n, *bytes) = (*n + 1, *bytes + tensor.bytes);
        }
        let table = config.tensors();
        let bytes_of = |id: &TensorId, len: u64| {
            let entry = places.get(id).map(|i| &entries[*i])?;
            let all: u64 = entry.shape.iter().map(|n| *n as u64).product();
            Some((u128::from(entry.n_bytes()) * u128::from(len) / u128::from(all.max(1))) as u64)
        };
        let count = |part: Part| {
            let of = table.iter().filter(move |spec| spec.part == part);
            PartCount {
                part,
                n_params: of.clone().map(|spec| spec.len()).sum(),
                bytes: of.filter_map(|spec| bytes_of(&spec.id, spec.len())).sum(),
            }
        };
        let parts: Vec<PartCount> = Part::ALL.into_iter().map(count).filter(|p| p.n_params > 0).collect();
        let kv_bytes_per_token = config.kv_bytes_per_token(4);
        let mut warnings = notes;
        if !ignored_tensors.is_empty() {
            let list = some(&ignored_tensors);
            warnings.push(match ignored_tensors.len() {
                1 => format!("1 tensor of the file is not used: {list}."),
                n => format!("{n} tensors of the file are not used: {list}."),
            });
        }
        if !ignored_keys.is_empty() {
            warnings.push(format!("Some keys of the config were not understood: {}.", some(&ignored_keys)));
        }
        let files = sources.iter().map(|s| (file_name(&s.path), s.len));
        Self {
            origin: String::new(),
            container,
            files: files.collect(),
            name: name.as_deref().map(printable),
            license: license.as_deref().map(printable),
            about: None,
            config: config.clone(),
            n_params: parts.iter().map(|p| p.n_params).sum(),
            n_active_params: config.n_active_params(),
            bytes_on_disk: sources.iter().map(|s| s.len).sum(),
            bytes_in_memory: parts.iter().map(|p| p.bytes).sum(),
            parts,
            tensors,
            encodings,
            kv_bytes_per_token,
            kv_bytes_full: kv_bytes_per_token.saturating_mul(config.n_ctx as u64),
            ignored_tensors,
            ignored_keys,
            fallback: None,
            warnings,
        }
    }

    /// Bytes of the embedding tables, which a run looks up instead of reading through.
    pub fn embedding_bytes(&self) -> u64 {
        self.parts.iter().filter(|p| p.part == Part::Embedding).map(|p| p.bytes).sum()
    }

    /// Bytes of the experts that one token is not sent to.
    pub fn idle_bytes(&self) -> u64 {
        let experts: u64 = self.parts.iter().filter(|p| p.part == Part::Experts).map(|p| p.bytes).sum();
        let unused = |moe: MoeConfig| experts / moe.n_experts as u64 * (moe.n_experts - moe.top_k) as u64;
        self.config.moe.map_or(0, unused)
    }

    /// Whether the model fits into `budget` bytes.
    pub fn fits(&self, budget: u64) -> Fit {
        match budget.checked_sub(self.bytes_in_memory) {
            None => Fit::No(self.bytes_in_memory - budget),
            Some(left) if left >= self.kv_bytes_full => Fit::Whole,
            Some(left) => Fit::Context((left / self.kv_bytes_per_token.max(1)) as usize),
        }
    }

    /// The report as sections of names and values, for a table on screen or in a terminal.
    pub fn sections(&self) -> Vec<(&'static str, Vec<(String, String)>)> {
        let c = &self.config;
        let row = |name: &str, value: String| (name.to_owned(), value);
        let mut file = vec![row("opened from", printable(&self.origin)), row("container", self.container.into())];
        file.extend(self.files.iter().map(|(name, len)| row("file", format!("{name}, {}", bytes(*len)))));
        file.extend(self.name.iter().map(|name| row("name", name.clone())));
        file.extend(self.license.iter().map(|license| row("licence", license.clone())));

        let gated = if c.gated_mlp { ", gated" } else { "" };
        let mut architecture = vec![
            row("family", c.family.clone()),
            row("layers", c.n_layers.to_string()),
            row("d_model", c.d_model.to_string()),
            row("heads", format!("{} query, {} key/value, of width {}", c.n_heads, c.n_kv_heads, c.d_head)),
            row("vocabulary", c.d_vocab.to_string()),
            row("context", c.n_ctx.to_string()),
            row("positions", positions(c)),
            row("norm", format!("{:?}, ε = {:e}", c.norm, c.norm_eps)),
            row("embeddings", if c.tied_embeddings { "tied to the output" } else { "separate from the output" }.into()),
        ];

        // Where the MLP stands in the list, or the experts, or both.
        let at = architecture.iter().position(|(name, _)| name == "vocabulary").unwrap_or(0);
        if let Some(moe) = &c.moe {
            architecture.insert(at, row("experts", experts(c, moe)));
        }
        if c.moe_layers().count() < c.n_layers {
            architecture.insert(at, row("d_mlp", format!("{}, {}{gated}", c.d_mlp, c.activation.name())));
        }

        let mut parts: Vec<_> = self
            .parts
            .iter()
            .map(|p| row(p.part.name(), format!("{} parameters, {}", grouped(p.n_params), bytes(p.bytes))))
            .collect();
        parts.push(row("together", format!("{} parameters, {}", grouped(self.n_params), bytes(self.bytes_in_memory))));
        if c.moe.is_some() {
            parts.push(row("active per token", format!("{} parameters", grouped(self.n_active_params))));
        }

        let encodings =
            self.encodings.iter().map(|(name, (n, size))| row(name, format!("{n} tensors, {}", bytes(*size))));
        let memory = vec![
            row("on disk", bytes(self.bytes_on_disk)),
            row("parameters in memory", bytes(self.bytes_in_memory)),
            row("KV cache per token", bytes(self.kv_bytes_per_token)),
            row("KV cache, full context", bytes(self.kv_bytes_full)),
        ];
        let mut sections = vec![
            ("File", file),
            ("Architecture", architecture),
            ("Parameters", parts),
            ("Encodings", encodings.collect()),
            ("Memory", memory),
        ];
        if let Some(about) = &self.about {
            sections.insert(1, ("How it was made", how_made(about)));
        }
        sections
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, rows) in self.sections() {
            writeln!(f, "{title}")?;
            for (name, value) in rows {
                writeln!(f, "  {name:<24} {value}")?;
            }
        }
        writeln!(f, "Tensors")?;
        for t in &self.tensors {
            let shape = t.shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
            let note = if t.params.is_empty() { "  (not used)" } else { "" };
            let name = printable(&t.name);
            writeln!(f, "  {name:<44} {shape:<18} {:<6} {}{note}", t.encoding, bytes(t.bytes))?;
        }
        self.fallback.iter().chain(&self.warnings).try_for_each(|note| writeln!(f, "Note: {note}"))
    }
}

/// A model's own account of its making, in words.
fn how_made(about: &About) -> Vec<(String, String)> {
    let row = |name: &str, value: String| (name.to_owned(), value);
    let About { description, command, seed, commit, tokens, minutes, train_loss, held_out_loss, .. } = about;
    let time = match *minutes {
        m if m < 1.0 => "less than a minute".into(),
        m if m < 90.0 => format!("{m:.0} minutes"),
        m => format!("{:.1} hours", m / 60.0),
    };
    let perplexity = held_out_loss.exp();
    vec![
        row("what it is", description.clone()),
        row("command", command.clone()),
        row("training", format!("{} tokens in {time}, from the random seed {seed}", grouped(*tokens))),
        row("program", format!("commit {commit}")),
        row("loss on its own text", format!("{train_loss:.3} nats per token")),
        row(
            "loss on unseen text",
            format!("{held_out_loss:.3} nats per token, as if it chose among {perplexity:.1} tokens"),
        ),
    ]
}

fn positions(config: &ModelConfig) -> String {
    use crate::model::{Positions, RopeScaling};
    match &config.positions {
        Positions::Learned => "learned".into(),
        Positions::Rotary(r) => {
            let scaling = match &r.scaling {
                RopeScaling::None => String::new(),
                RopeScaling::Linear { factor } => format!(", linear × {factor}"),
                RopeScaling::Llama3 { factor, .. } => format!(", llama3 × {factor}"),
                RopeScaling::Dynamic { factor, .. } => format!(", dynamic × {factor}"),
                RopeScaling::Yarn { factor, .. } => format!(", YaRN × {factor}"),
                RopeScaling::Divisors(_) => ", one divisor per frequency".into(),
            };
            format!("rotary, base {}, {} dimensions{scaling}", r.theta, r.d_rotary)
        }
    }
}

/// The experts of a model in a line: how many, where, and how they are chosen.
fn experts(config: &ModelConfig, moe: &MoeConfig) -> String {
    let layers: Vec<usize> = config.moe_layers().collect();
    let place = match layers.len() {
        n if n == config.n_layers => String::new(),
        0 => " in no layer".into(),
        n => format!(" in {n} layers from layer {} on", layers[0]),
    };
    let weights = if moe.normalise { "their weights rescaled to sum to 1" } else { "their weights as they are" };
    let MoeConfig { n_experts, top_k, d_expert, .. } = moe;
    format!("{n_experts} of width {d_expert}, {}{place}; {top_k} for each token, {weights}", config.activation.name())
}

/// The first few of a list.
fn some(list: &[String]) -> String {
    const FEW: usize = 4;
    let mut text = list.iter().take(FEW).map(|s| printable(s)).collect::<Vec<_>>().join(", ");
    if list.len() > FEW {
        text.push_str(", …");
    }
    text
}

/// A number with its digits in groups of three.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A size in bytes with a unit of 1000.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let (mut value, mut unit) = (n as f64, 0);
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        (value, unit) = (value / 1000.0, unit + 1);
    }
    if unit == 0 { format!("{n} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}
