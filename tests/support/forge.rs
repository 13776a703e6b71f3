//! Writes tiny models, whole or broken in one chosen way.

use std::path::{Path, PathBuf};

/// A metadata value as GGUF types it.
#[derive(Clone)]
pub enum Meta {
    U8(u8),
    U32(u32),
    I32(i32),
    U64(u64),
    F32(f32),
    F64(f64),
    Bool(u8),
    Text(Vec<u8>),
    Texts(Vec<&'static str>),
    I32s(Vec<i32>),
    F32s(Vec<f32>),
    /// A type id and bytes that need not fit it.
    Raw(u32, Vec<u8>),
}

/// A text value.
pub fn text(text: &str) -> Meta {
    Meta::Text(text.into())
}

/// A tensor of a GGUF.
#[derive(Clone)]
pub struct Tensor {
    pub name: Vec<u8>,
    /// Fastest axis first, as the file has it.
    pub dims: Vec<u64>,
    pub kind: u32,
    /// Where the file says that the data are; by default where they are.
    pub offset: Option<u64>,
    pub data: Vec<u8>,
}

/// A GGUF file to be written.
#[derive(Clone)]
pub struct Gguf {
    pub version: u32,
    pub n_tensors: Option<u64>,
    pub n_pairs: Option<u64>,
    pub pairs: Vec<(Vec<u8>, Meta)>,
    pub tensors: Vec<Tensor>,
}

/// Names and shapes, `[out, in]`, of a Llama with one layer: width 8, two heads, one key/value head, vocabulary 8.
const LLAMA: &[(&str, &str, &[u64])] = &[
    ("token_embd.weight", "model.embed_tokens.weight", &[8, 8]),
    ("output_norm.weight", "model.norm.weight", &[8]),
    ("output.weight", "lm_head.weight", &[8, 8]),
    ("blk.0.attn_norm.weight", "model.layers.0.input_layernorm.weight", &[8]),
    ("blk.0.attn_q.weight", "model.layers.0.self_attn.q_proj.weight", &[8, 8]),
    ("blk.0.attn_k.weight", "model.layers.0.self_attn.k_proj.weight", &[4, 8]),
    ("blk.0.attn_v.weight", "model.layers.0.self_attn.v_proj.weight", &[4, 8]),
    ("blk.0.attn_output.weight", "model.layers.0.self_attn.o_proj.weight", &[8, 8]),
    ("blk.0.ffn_norm.weight", "model.layers.0.post_attention_layernorm.weight", &[8]),
    ("blk.0.ffn_gate.weight", "model.layers.0.mlp.gate_proj.weight", &[12, 8]),
    ("blk.0.ffn_up.weight", "model.layers.0.mlp.up_proj.weight", &[12, 8]),
    ("blk.0.ffn_down.weight", "model.layers.0.mlp.down_proj.weight", &[8, 12]),
];

/// Small numbers around zero, the same for the same name.
pub fn values(name: &str, n: u64) -> Vec<u8> {
    let mut state = name.bytes().fold(0x9e37_79b9_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    (0..n).flat_map(|_| next().to_le_bytes()).collect()
}

impl Gguf {
    /// A whole model.
    pub fn llama() -> Self {
        let own = |key: &str, value| (format!("llama.{key}").into_bytes(), value);
        let token = |key: &str, value| (format!("tokenizer.ggml.{key}").into_bytes(), value);
        let pairs = vec![
            (b"general.architecture".to_vec(), text("llama")),
            own("block_count", Meta::U32(1)),
            own("context_length", Meta::U32(32)),
            own("embedding_length", Meta::U32(8)),
            own("feed_forward_length", Meta::U32(12)),
            own("attention.head_count", Meta::U32(2)),
            own("attention.head_count_kv", Meta::U32(1)),
            own("attention.layer_norm_rms_epsilon", Meta::F32(1e-5)),
            own("rope.freq_base", Meta::F32(10_000.0)),
            own("rope.dimension_count", Meta::U32(4)),
            token("model", text("gpt2")),
            token("pre", text("gpt-2")),
            token("tokens", Meta::Texts(vec!["<|endoftext|>", "a", "b", "ab", "c", "Ġ", "d", "e"])),
            token("token_type", Meta::I32s(vec![3, 1, 1, 1, 1, 1, 1, 1])),
            token("merges", Meta::Texts(vec!["a b"])),
            token("bos_token_id", Meta::U32(0)),
            token("eos_token_id", Meta::U32(0)),
        ];
        let tensor = |(name, _, shape): &(&str, &str, &[u64])| Tensor {
            name: name.as_bytes().to_vec(),
            dims: shape.iter().rev().copied().collect(),
            kind: 0,
            offset: None,
            data: values(name, shape.iter().product()),
        };
        Self { version: 3, n_tensors: None, n_pairs: None, pairs, tensors: LLAMA.iter().map(tensor).collect() }
    }

    /// The same with four experts in the MLP's place, of which a token visits two.
    pub fn mixtral() -> Self {
        let tensor = |name: &str, dims: &[u64]| {
            let data = values(name, dims.iter().product());
            Tensor { name: name.into(), dims: dims.to_vec(), kind: 0, offset: None, data }
        };
        let experts = [
            tensor("blk.0.ffn_gate_inp.weight", &[8, 4]),
            tensor("blk.0.ffn_gate_exps.weight", &[8, 12, 4]),
            tensor("blk.0.ffn_up_exps.weight", &[8, 12, 4]),
            tensor("blk.0.ffn_down_exps.weight", &[12, 8, 4]),
        ];
        let is_mlp = |t: &Tensor| {
            [&b"blk.0.ffn_gate."[..], b"blk.0.ffn_up.", b"blk.0.ffn_down."].iter().any(|n| t.name.starts_with(n))
        };
        Self::llama()
            .with("llama.expert_count", Meta::U32(4))
            .with("llama.expert_used_count", Meta::U32(2))
            .but(|g| g.tensors.retain(|t| !is_mlp(t)))
            .but(|g| g.tensors.extend(experts))
    }

    /// Sets a metadata key; architecture keys are given without their prefix.
    pub fn with(mut self, key: &str, value: Meta) -> Self {
        let own = format!("llama.{key}").into_bytes();
        let key = key.as_bytes().to_vec();
        match self.pairs.iter_mut().find(|(k, _)| *k == key || *k == own) {
            Some(pair) => pair.1 = value,
            None => self.pairs.push((key, value)),
        }
        self
    }

    /// Leaves a metadata key out.
    pub fn without(mut self, key: &str) -> Self {
        let own = format!("llama.{key}").into_bytes();
        self.pairs.retain(|(k, _)| *k != key.as_bytes() && *k != own);
        self
    }

    /// Changes one tensor.
    pub fn tensor(mut self, name: &str, change: impl FnOnce(&mut Tensor)) -> Self {
        change(self.tensors.iter_mut().find(|t| t.name == name.as_bytes()).expect("a tensor of the tiny model"));
        self
    }

    /// Changes anything.
    pub fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(self.version.to_le_bytes());
        out.extend(self.n_tensors.unwrap_or(self.tensors.len() as u64).to_le_bytes());
        out.extend(self.n_pairs.unwrap_or(self.pairs.len() as u64).to_le_bytes());
        for (key, value) in &self.pairs {
            put_text(&mut out, key);
            put_value(&mut out, value);
        }
        let mut data = Vec::new();
        for tensor in &self.tensors {
            put_text(&mut out, &tensor.name);
            out.extend((tensor.dims.len() as u32).to_le_bytes());
            tensor.dims.iter().for_each(|n| out.extend(n.to_le_bytes()));
            out.extend(tensor.kind.to_le_bytes());
            out.extend(tensor.offset.unwrap_or(data.len() as u64).to_le_bytes());
            data.extend(&tensor.data);
            data.resize(data.len().next_multiple_of(32), 0);
        }
        out.resize(out.len().next_multiple_of(32), 0);
        out.extend(data);
        out
    }

    /// Writes the file.
    pub fn write(&self, path: &Path) -> PathBuf {
        std::fs::write(path, self.bytes()).unwrap();
        path.to_owned()
    }
}

fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text);
}

fn put_value(out: &mut Vec<u8>, value: &Meta) {
    let mut put = |type_id: u32, bytes: &[u8]| {
        out.extend(type_id.to_le_bytes());
        out.extend(bytes);
    };
    let list = |type_id: u32, n: usize| [&type_id.to_le_bytes()[..], &(n as u64).to_le_bytes()].concat();
    match value {
        Meta::U8(n) => put(0, &[*n]),
        Meta::U32(n) => put(4, &n.to_le_bytes()),
        Meta::I32(n) => put(5, &n.to_le_bytes()),
        Meta::F32(x) => put(6, &x.to_le_bytes()),
        Meta::Bool(b) => put(7, &[*b]),
        Meta::U64(n) => put(10, &n.to_le_bytes()),
        Meta::F64(x) => put(12, &x.to_le_bytes()),
        Meta::Text(text) => {
            put(8, &[]);
            put_text(out, text);
        }
        Meta::Texts(texts) => {
            put(9, &list(8, texts.len()));
            texts.iter().for_each(|text| put_text(out, text.as_bytes()));
        }
        Meta::I32s(list_) => {
            put(9, &list(5, list_.len()));
            list_.iter().for_each(|n| out.extend(n.to_le_bytes()));
        }
        Meta::F32s(list_) => {
            put(9, &list(6, list_.len()));
            list_.iter().for_each(|x| out.extend(x.to_le_bytes()));
        }
        Meta::Raw(type_id, bytes) => put(*type_id, bytes),
    }
}

/// The config.json of the same model.
pub fn llama_config() -> serde_json::Value {
    serde_json::json!({
        "model_type": "llama", "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1,
        "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 32, "vocab_size": 8,
        "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": false,
        "bos_token_id": 0, "eos_token_id": 0,
    })
}

/// That of the model with experts.
pub fn mixtral_config() -> serde_json::Value {
    let mut config = llama_config();
    config["model_type"] = "mixtral".into();
    (config["num_local_experts"], config["num_experts_per_tok"]) = (4.into(), 2.into());
    config
}

/// The tokenizer.json of the same model.
pub fn tokenizer_json() -> serde_json::Value {
    serde_json::json!({
        "added_tokens": [{"id": 0, "content": "<|endoftext|>", "special": true}],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "decoder": {"type": "ByteLevel"},
        "model": {
            "type": "BPE", "merges": [["a", "b"]],
            "vocab": {"<|endoftext|>": 0, "a": 1, "b": 2, "ab": 3, "c": 4, "Ġ": 5, "d": 6, "e": 7},
        },
    })
}

/// A safetensors file: header rows `(name, dtype, shape, begin, end)` as JSON values, and the data.
pub struct Safetensors {
    pub header: serde_json::Map<String, serde_json::Value>,
    pub data: Vec<u8>,
}

impl Safetensors {
    /// The same model, in F32.
    pub fn llama() -> Self {
        let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
        for (name, hub, shape) in LLAMA {
            let begin = data.len();
            data.extend(values(name, shape.iter().product()));
            let row = serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [begin, data.len()]});
            header.insert((*hub).into(), row);
        }
        Self { header, data }
    }

    /// The same with four experts in the MLP's place.
    pub fn mixtral() -> Self {
        let mut model = Self::llama().only(|name| !name.contains(".mlp."));
        let moe = "model.layers.0.block_sparse_moe";
        model.add(&format!("{moe}.gate.weight"), &[4, 8]);
        for expert in 0..4 {
            for (name, shape) in [("w1", [12, 8]), ("w2", [8, 12]), ("w3", [12, 8])] {
                model.add(&format!("{moe}.experts.{expert}.{name}.weight"), &shape);
            }
        }
        model
    }

    /// One more tensor.
    pub fn add(&mut self, name: &str, shape: &[u64]) {
        let begin = self.data.len();
        self.data.extend(values(name, shape.iter().product()));
        let row = serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [begin, self.data.len()]});
        self.header.insert(name.into(), row);
    }

    /// Only the tensors that are wanted, as a shard.
    pub fn only(self, wanted: impl Fn(&str) -> bool) -> Self {
        let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
        for (name, row) in self.header.into_iter().filter(|(name, _)| wanted(name)) {
            let at = |i: usize| row["data_offsets"][i].as_u64().unwrap() as usize;
            let begin = data.len();
            data.extend(&self.data[at(0)..at(1)]);
            let row =
                serde_json::json!({"dtype": row["dtype"], "shape": row["shape"], "data_offsets": [begin, data.len()]});
            header.insert(name, row);
        }
        Self { header, data }
    }

    /// Changes one row of the header.
    pub fn row(mut self, name: &str, key: &str, value: serde_json::Value) -> Self {
        self.header[name][key] = value;
        self
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        raw_safetensors(serde_json::to_string(&self.header).unwrap().as_bytes(), &self.data)
    }
}

/// A safetensors file with any bytes as its header.
pub fn raw_safetensors(header: &[u8], data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header, data].concat()
}

/// A folder with the whole model, to be spoiled.
pub fn hub_folder(folder: &Path) {
    std::fs::write(folder.join("config.json"), llama_config().to_string()).unwrap();
    std::fs::write(folder.join("tokenizer.json"), tokenizer_json().to_string()).unwrap();
    std::fs::write(folder.join("model.safetensors"), Safetensors::llama().bytes()).unwrap();
}
