//! Where in the files each parameter is, and how its bytes come out.
//!
//! Files differ from the model's own layout in four ways: q, k and v may stand in one tensor, a GGUF may stack the
//! experts of a layer in one, GPT-2 stores its matrices `[in, out]`, and a Llama GGUF stores the rows of q and k so that
//! neighbouring dimensions rotate together. All four are undone on encoded bytes, so nothing is rounded.

use std::collections::HashMap;

use super::error::{printable, remedy};
use super::families::Family;
use super::places::{self, Held, Place};
use super::switches;
use super::tensor::Entry;
use crate::model::{Encoding, ModelConfig, Param, Positions, TensorId, TensorSpec};

/// How a parameter comes out of a tensor of the file.
#[derive(Debug, Clone, Copy)]
pub struct Fetch {
    /// Which tensor.
    pub entry: usize,
    /// Outputs `begin..end` of it.
    rows: (usize, usize),
    /// Outputs that it has.
    n_rows: usize,
    order: Order,
}

/// How the outputs of a tensor lie in the file.
#[derive(Debug, Clone, Copy)]
enum Order {
    /// One after the other.
    Rows,
    /// As columns: the file holds `[in, out]`.
    Columns,
    /// The rows of each head alternate between the halves of its rotated part.
    Alternating { d_head: usize, d_rotary: usize },
}

/// Why a parameter cannot be had.
#[derive(Debug)]
pub struct Problem {
    /// What is wrong, as the end of a sentence that begins with the file.
    pub what: String,
    /// What to do.
    pub remedy: &'static str,
    /// The tensor that is wrong, if there is one.
    pub entry: Option<usize>,
}

impl Fetch {
    /// The bytes of the file to read.
    pub fn bytes(&self, entry: &Entry) -> (u64, u64) {
        let (begin, end) = self.rows;
        if matches!(self.order, Order::Columns) || (begin, end) == (0, self.n_rows) {
            return entry.range;
        }
        // Outputs lie one after the other, each a whole number of blocks.
        let row = entry.n_bytes() / self.n_rows as u64;
        (entry.range.0 + begin as u64 * row, entry.range.0 + end as u64 * row)
    }

    /// The parameter's rows, from those bytes.
    pub fn reorder(&self, bytes: Vec<u8>, entry: &Entry, encoding: Encoding) -> Vec<u8> {
        match self.order {
            Order::Rows => bytes,
            Order::Columns => transpose(&bytes, entry.shape[0], self.n_rows, self.rows, encoding.block_bytes()),
            Order::Alternating { d_head, d_rotary } => {
                let row = bytes.len() / (self.rows.1 - self.rows.0);
                unpermute(&bytes, d_head * row, d_rotary, row)
            }
        }
    }
}

/// The tensors of a model's files, with what its family and config say about them.
pub struct Directory<'a> {
    family: &'static Family,
    config: &'a ModelConfig,
    is_gguf: bool,
    entries: &'a [Entry],
    names: HashMap<&'a str, usize>,
}

impl<'a> Directory<'a> {
    /// A directory by name.
    pub fn new(family: &'static Family, config: &'a ModelConfig, is_gguf: bool, entries: &'a [Entry]) -> Self {
        let names = entries.iter().enumerate().map(|(i, e)| (e.name.as_str(), i)).collect();
        Self { family, config, is_gguf, entries, names }
    }

    /// Finds the tensor of the file that holds a parameter, and checks its shape and encoding.
    pub fn find(&self, spec: &TensorSpec) -> Result<Fetch, Problem> {
        let Some(place) = self.family.place(spec.id) else {
            let what = format!("asks for {}, which models of its family do not have", spec.id);
            return Err(Problem { what, remedy: remedy::UNSUPPORTED, entry: None });
        };
        let (entry, is_stack) = self.locate(place, spec.id)?;
        let found = &self.entries[entry];
        let name = printable(&found.name);
        let bad = |what: String, remedy| Err(Problem { what, remedy, entry: Some(entry) });
        let encoding = match &found.encoding {
            Ok(encoding) => *encoding,
            Err(kind) => return bad(format!("stores “{name}” as {kind}, which cannot be read"), remedy::CONVERT),
        };

        let order = self.order(spec);
        let mut wanted = spec.shape.clone();
        let (n_rows, rows) = match (place.held, spec.id.expert, self.config.moe) {
            (Held::OfExpert { .. }, Some(expert), Some(moe)) if is_stack => {
                wanted.insert(0, moe.n_experts);
                let n = spec.shape[0];
                (moe.n_experts * n, (expert * n, (expert + 1) * n))
            }
            (Held::FusedQkv, ..) => {
                wanted[0] = fused_rows(self.config);
                (wanted[0], part_of_fused(place, self.config))
            }
            _ => (spec.shape[0], (0, spec.shape[0])),
        };
        if matches!(order, Order::Columns) {
            wanted.reverse();
        }
        // Some tools write a vector as one row.
        let as_row = || spec.shape.len() == 1 && found.shape.len() == 2 && found.shape == [1, n_rows];
        if found.shape != wanted && !as_row() {
            let what = format!("holds “{name}” with shape {:?}, and its config asks for {wanted:?}", found.shape);
            return bad(what, self.mismatch());
        }
        let fetch = Fetch { entry, rows, n_rows, order };
        let is_whole = fetch.rows == (0, n_rows) && matches!(order, Order::Rows);
        if spec.shape.len() == 1 && encoding.block_len() > 1 && !is_whole {
            return bad(
                format!("stores the vector “{name}” as {}, which cannot be taken apart", encoding.name()),
                remedy::CONVERT,
            );
        }
        Ok(fetch)
    }

    /// The tensor by its name in this kind of file, with or without the family's prefix, and whether it is a stack of all
    /// experts.
    fn locate(&self, place: &Place, id: TensorId) -> Result<(usize, bool), Problem> {
        let fill = |name: &str| places::fill(name, id.layer, id.expert).unwrap_or_default();
        let find = |name: &str| self.names.get(name).copied();
        let name = fill(if self.is_gguf { place.gguf } else { place.hub });
        let found = match place.held {
            Held::OfExpert { stack } if self.is_gguf => {
                find(&fill(stack)).map(|entry| (entry, true)).or_else(|| Some((find(&name)?, false)))
            }
            _ if self.is_gguf => find(&name).map(|entry| (entry, false)),
            _ => {
                let other = || match name.strip_prefix(self.family.hub_prefix) {
                    Some(bare) => bare.to_owned(),
                    None => format!("{}{name}", self.family.hub_prefix),
                };
                find(&name).or_else(|| find(&other())).map(|entry| (entry, false))
            }
        };
        found.ok_or_else(|| {
            let (what, remedy) = match self.entries {
                [] => ("holds no tensors".to_owned(), remedy::DAMAGED),
                _ => (format!("lacks the tensor “{name}”, which its config asks for"), self.mismatch()),
            };
            Problem { what, remedy, entry: None }
        })
    }

    /// Why a tensor that no parameter uses cannot be left out: it would take part in the computation of the model that the
    /// file holds, so the config describes another one. None for what is truly extra.
    pub fn contradiction(&self, entry: &Entry) -> Option<Problem> {
        let shown = printable(&entry.name);
        let problem = |what: String, remedy| Some(Problem { what, remedy, entry: None });
        let bare = self.without_prefix(&entry.name);
        for place in self.family.places() {
            let own = self.without_prefix(if self.is_gguf { place.gguf } else { place.hub });
            let stack = match place.held {
                Held::OfExpert { stack } if self.is_gguf => Some(stack),
                _ => None,
            };
            let Some(numbers) = [Some(own), stack].into_iter().flatten().find_map(|name| places::read(name, bare))
            else {
                continue;
            };
            let Some(what) = self.not_asked_for(numbers, bare) else {
                // A tied model's own copy of its table says nothing new.
                if place.param == Param::Unembed {
                    continue;
                }
                return problem(format!("holds “{shown}” and the same part under another name"), self.mismatch());
            };
            return problem(format!("holds “{shown}”, and its config {what}"), self.mismatch());
        }
        // A number behind the name of the list of blocks.
        let in_block = ["blk.", "layers.", "h."].iter().any(|list| {
            let rest = bare.strip_prefix(list).unwrap_or_default();
            rest.split_once('.').is_some_and(|(layer, _)| layer.parse::<usize>().is_ok())
        });
        let outside = ["lm_head.", "output.", "output_norm.", "norm.", "ln_f.", "rope_factors_"];
        let takes_part = in_block || outside.iter().any(|start| bare.starts_with(start));
        let is_unknown = switches::TENSORS.iter().any(|ending| bare.ends_with(ending))
            || switches::TENSORS_OF_EXPERTS.iter().any(|part| bare.contains(part));
        if takes_part && is_unknown {
            let what = format!("holds “{shown}”, which supported models of its family do not have");
            return problem(what, remedy::UNSUPPORTED);
        }
        None
    }

    /// What a config says against a tensor of a block that no parameter uses: that of a layer and perhaps an expert. None
    /// for a tensor outside the blocks.
    fn not_asked_for(&self, (layer, expert): (Option<usize>, Option<usize>), name: &str) -> Option<String> {
        let layer = layer?;
        let n_experts = self.config.moe.map_or(0, |moe| moe.n_experts);
        Some(match self.config.n_layers {
            1 if layer >= 1 => "says that there is 1 layer".into(),
            n if layer >= n => format!("says that there are {n} layers"),
            _ if expert.is_some_and(|expert| expert >= n_experts) => format!("says that there are {n_experts} experts"),
            _ if name.ends_with("bias") => "says that there is no such bias".into(),
            _ => "does not ask for it".to_owned(),
        })
    }

    /// A name without the prefix that names in a safetensors file may have or lack.
    fn without_prefix<'n>(&self, name: &'n str) -> &'n str {
        name.strip_prefix(self.family.hub_prefix).filter(|_| !self.is_gguf).unwrap_or(name)
    }

    fn order(&self, spec: &TensorSpec) -> Order {
        // Only the matrices of the blocks are stored the other way round, not the embedding tables.
        if !self.is_gguf && self.family.hub_transposed && spec.id.layer.is_some() && spec.shape.len() == 2 {
            return Order::Columns;
        }
        match (&self.config.positions, spec.id.param) {
            (Positions::Rotary(rotary), Param::Q | Param::QBias | Param::K | Param::KBias)
                if self.is_gguf && self.family.gguf_permuted =>
            {
                Order::Alternating { d_head: self.config.d_head, d_rotary: rotary.d_rotary }
            }
            _ => Order::Rows,
        }
    }

    /// What to do where config and tensors disagree: a GGUF carries its own config.
    fn mismatch(&self) -> &'static str {
        if self.is_gguf { remedy::DAMAGED } else { remedy::MISMATCH }
    }
}

fn fused_rows(config: &ModelConfig) -> usize {
    (config.n_heads + 2 * config.n_kv_heads) * config.d_head
}

/// The outputs of a fused tensor that belong to q, k or v.
fn part_of_fused(place: &Place, config: &ModelConfig) -> (usize, usize) {
    let (q, kv) = (config.n_heads * config.d_head, config.n_kv_heads * config.d_head);
    match place.param {
        Param::Q | Param::QBias => (0, q),
        Param::K | Param::KBias => (q, q + kv),
        _ => (q + kv, q + 2 * kv),
    }
}

/// Columns `begin..end` of a matrix `[n_in, n_out]` as rows, for values of `size` bytes.
fn transpose(bytes: &[u8], n_in: usize, n_out: usize, (begin, end): (usize, usize), size: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity((end - begin) * n_in * size);
    for column in begin..end {
        for row in 0..n_in {
            let at = (row * n_out + column) * size;
            out.extend_from_slice(&bytes[at..at + size]);
        }
    }
    out
}

/// Brings rows that alternate between the halves of a head's rotated part back into halves: row 2i + j becomes row
/// i + j·d_rotary/2; rows that are not rotated stay. Whole rows move, so it works on encoded blocks.
fn unpermute(bytes: &[u8], head_bytes: usize, d_rotary: usize, row: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for head in bytes.chunks_exact(head_bytes) {
        let (rotated, rest) = head.split_at(d_rotary * row);
        for half in 0..2 {
            for pair in rotated.chunks_exact(2 * row) {
                out.extend_from_slice(&pair[half * row..(half + 1) * row]);
            }
        }
        out.extend_from_slice(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_rows() {
        // [2, 3] of two-byte values; columns 1 and 2.
        let bytes = [10, 11, 20, 21, 30, 31, 40, 41, 50, 51, 60, 61];
        assert_eq!(transpose(&bytes, 2, 3, (1, 3), 2), [20, 21, 50, 51, 30, 31, 60, 61]);
    }

    #[test]
    fn alternating_rows_become_halves() {
        // Two heads of 5 rows of one byte, of which 4 are rotated.
        let bytes = [0, 2, 1, 3, 4, 10, 12, 11, 13, 14];
        assert_eq!(unpermute(&bytes, 5, 4, 1), [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]);
    }
}
