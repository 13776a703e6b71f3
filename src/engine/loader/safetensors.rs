//! Reading safetensors: the header of a file, and the index of a sharded model.
//!
//! The `safetensors` crate checks that offsets, shapes and types agree, that nothing overlaps and that no byte is left
//! over. On top of that come a cap on the header, a check for names that stand twice (JSON readers keep the last one
//! silently), and the rule that a shard is a bare file name in the same folder.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::{Component, Path, PathBuf};

use ::safetensors::tensor::{Dtype, Metadata};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::error::{LoadError, Result, printable, remedy};
use super::source::{Location, Source};
use super::tensor::Entry;
use crate::model::Encoding;

/// Largest header, as in the reference implementation.
const LARGEST_HEADER: u64 = 100_000_000;

/// Largest index of shards.
const LARGEST_INDEX: u64 = 64 << 20;

/// Whether a file could be safetensors: its header's length, then an opening brace. `named` says that its name says so:
/// then a length that is a lie is a damaged file, not another kind of file.
pub fn looks_like(head: &[u8], len: u64, named: bool) -> bool {
    let Some((size, rest)) = head.split_first_chunk::<8>() else { return named };
    let size = u64::from_le_bytes(*size);
    named || (size <= len.saturating_sub(8) && rest.first().is_some_and(|b| *b == b'{' || *b == b' '))
}

/// The tensors of one file, which is number `file` of its model.
pub fn read(source: &Source, file: usize) -> Result<Vec<Entry>> {
    let bad = |problem: String| LoadError::new(&source.path, problem, remedy::DAMAGED);
    super::refuse_pickle(source)?;
    if source.head(4)? == super::gguf::MAGIC {
        let problem = "is a GGUF file by another name, which needs no config.json";
        return Err(LoadError::new(&source.path, problem, "move it to a folder of its own and open it there"));
    }
    if source.len < 8 {
        return Err(bad("is too short for a safetensors file".into()));
    }
    let size = source.head(8)?.try_into().map(u64::from_le_bytes).map_err(|_| bad("has no header".into()))?;
    if size > LARGEST_HEADER || size > source.len - 8 {
        return Err(bad(format!("claims a header of {size} bytes, more than it holds")));
    }
    let header = source.read(8, 8 + size)?;
    let keys: Keys = serde_json::from_slice(&header)
        .map_err(|e| bad(format!("has a header that is not valid ({})", printable(&e.to_string()))))?;
    if let Some(twice) = keys.first_duplicate {
        return Err(bad(format!("lists the tensor “{}” twice", printable(&twice))));
    }
    let metadata: Metadata = serde_json::from_slice(&header)
        .map_err(|e| bad(format!("has a header that contradicts itself ({})", printable(&e.to_string()))))?;
    let base = 8 + size;
    if base.checked_add(metadata.data_len() as u64) != Some(source.len) {
        return Err(bad("does not hold as many bytes as its header says".into()));
    }
    let mut entries: Vec<Entry> = metadata
        .tensors()
        .into_iter()
        .map(|(name, info)| Entry {
            name,
            shape: info.shape.clone(),
            encoding: encoding(info.dtype),
            file,
            range: (base + info.data_offsets.0 as u64, base + info.data_offsets.1 as u64),
        })
        .collect();
    entries.sort_by_key(|entry| entry.range);
    Ok(entries)
}

/// The files that a sharded model's index names, and which tensor is in which.
pub fn read_index(path: &Path) -> Result<(Vec<PathBuf>, BTreeMap<String, usize>)> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let bytes = Location::on_disk(path).read_small(LARGEST_INDEX)?;
    let bad = |problem: String| LoadError::new(path, problem, remedy::DAMAGED);
    let index: Index = serde_json::from_slice(&bytes)
        .map_err(|e| bad(format!("is not a valid index ({})", printable(&e.to_string()))))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut names: Vec<&String> = index.weight_map.values().collect();
    names.sort();
    names.dedup();
    let mut files = Vec::new();
    for name in &names {
        let mut parts = Path::new(name).components();
        let bare = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
        if !bare || name.contains(['/', '\\', ':']) {
            let name = printable(name);
            return Err(bad(format!("names the shard “{name}”, which is not a plain file name in its folder")));
        }
        let shard = folder.join(name);
        let home = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let real = |p: &Path| p.canonicalize().map_err(|e| LoadError::io(p, &e));
        // The Hub's cache keeps the files of all snapshots in one folder beside them and links there.
        let cache = home.join("../..");
        let root = if cache.join("blobs").is_dir() { cache } else { home.to_owned() };
        if !real(&shard)?.starts_with(real(&root)?) {
            let name = printable(name);
            return Err(bad(format!("names the shard “{name}”, which is a link out of its folder")));
        }
        files.push(shard);
    }
    let place = |name: &String| names.binary_search(&name).unwrap_or(0);
    let map = index.weight_map.iter().map(|(tensor, file)| (tensor.clone(), place(file))).collect();
    Ok((files, map))
}

fn encoding(dtype: Dtype) -> std::result::Result<Encoding, String> {
    match dtype {
        Dtype::F32 => Ok(Encoding::F32),
        Dtype::F16 => Ok(Encoding::F16),
        Dtype::BF16 => Ok(Encoding::BF16),
        other => Err(format!("{other:?}")),
    }
}

/// The keys of a JSON object, with the first that stands twice.
struct Keys {
    first_duplicate: Option<String>,
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct KeysVisitor;
        impl<'de> Visitor<'de> for KeysVisitor {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Keys, A::Error> {
                let (mut seen, mut first_duplicate) = (HashSet::new(), None);
                while let Some((key, _)) = map.next_entry::<String, IgnoredAny>()? {
                    if !seen.insert(key.clone()) && first_duplicate.is_none() {
                        first_duplicate = Some(key);
                    }
                }
                Ok(Keys { first_duplicate })
            }
        }
        deserializer.deserialize_map(KeysVisitor)
    }
}
