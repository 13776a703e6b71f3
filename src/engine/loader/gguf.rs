//! Reading GGUF: metadata and the directory of tensors.
//!
//! The format (github.com/ggml-org/ggml, docs/gguf.md) is a header of typed key-value pairs, a list of tensors with
//! offsets, and aligned data. A file is untrusted: every count is checked against the bytes that are left, so nothing is
//! reserved that the file could not fill, and the list of tensors must describe ranges that lie inside the file and do
//! not overlap.

use std::collections::{HashMap, HashSet};

use super::error::{LoadError, Result, printable, remedy};
use super::source::Source;
use super::tensor::Entry;
use crate::model::Encoding;

/// The first four bytes of the format.
pub const MAGIC: &[u8; 4] = b"GGUF";

/// Longest key or tensor name.
const LONGEST_NAME: u64 = 64 * 1024;

/// Largest header. The largest vocabularies in use (260,000 tokens with merges) stay under 20 MB.
const LARGEST_HEADER: u64 = 256 << 20;

/// Most values in all lists together: a list of bytes grows eightfold in memory, and those vocabularies hold a million.
const MOST_LISTED: u64 = 8 << 20;

/// A metadata value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Any unsigned or signed integer.
    Int(i128),
    /// A 32- or 64-bit float.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A text.
    Text(String),
    /// A list of integers.
    Ints(Vec<i64>),
    /// A list of floats.
    Floats(Vec<f32>),
    /// A list of truth values.
    Bools(Vec<bool>),
    /// A list of texts.
    Texts(Vec<String>),
}

/// The header of a GGUF file.
#[derive(Debug)]
pub struct Header {
    /// Metadata by key.
    pub metadata: HashMap<String, Value>,
    /// The tensors, in the file's order, with ranges in the whole file.
    pub tensors: Vec<Entry>,
}

/// Reads the header.
pub fn read(source: &Source) -> Result<Header> {
    let mut reader = Reader::new(source);
    let magic = reader.array::<4>()?;
    if &magic != MAGIC {
        let problem = if &magic == b"FUGG" { "is a big-endian GGUF" } else { "does not begin like a GGUF file" };
        return Err(reader.bad(problem, remedy::NOT_A_MODEL));
    }
    let version = reader.u32()?;
    if !(2..=3).contains(&version) {
        let problem = if version.swap_bytes() <= 3 && version != 0 {
            "is a big-endian GGUF, which cannot be read".to_owned()
        } else {
            format!("is GGUF version {version}, and versions 2 and 3 are supported")
        };
        return Err(reader.bad(problem, "convert it with a current version of its tool"));
    }
    let (n_tensors, n_pairs) = (reader.u64()?, reader.u64()?);
    // A tensor takes at least 33 bytes of the header and a pair at least 14: more than that are a lie.
    reader.check_count(n_tensors, 33, "tensors")?;
    reader.check_count(n_pairs, 14, "metadata entries")?;

    let mut metadata = HashMap::new();
    for _ in 0..n_pairs {
        let key = reader.name("a metadata key")?;
        let type_id = reader.u32()?;
        let value = reader.value(type_id, &key)?;
        if metadata.insert(key.clone(), value).is_some() {
            return Err(reader.bad(format!("lists the metadata key “{}” twice", printable(&key)), remedy::DAMAGED));
        }
    }
    let mut tensors = Vec::new();
    let mut names = HashSet::new();
    for _ in 0..n_tensors {
        let entry = reader.tensor()?;
        if !names.insert(entry.name.clone()) {
            return Err(reader.bad(format!("lists the tensor “{}” twice", printable(&entry.name)), remedy::DAMAGED));
        }
        tensors.push(entry);
    }
    let alignment = alignment(&reader, &metadata)?;
    place(&reader, &mut tensors, alignment)?;
    Ok(Header { metadata, tensors })
}

/// Turns offsets in the data section into ranges of the file, and checks them.
fn place(reader: &Reader<'_>, tensors: &mut [Entry], alignment: u64) -> Result<()> {
    let data = reader.at.next_multiple_of(alignment);
    for entry in tensors.iter_mut() {
        let misplaced =
            || reader.bad(format!("ends before its tensor “{}” does", printable(&entry.name)), remedy::DAMAGED);
        if !entry.range.0.is_multiple_of(alignment) {
            return Err(reader
                .bad(format!("places the tensor “{}” off its alignment", printable(&entry.name)), remedy::DAMAGED));
        }
        let begin = entry.range.0.checked_add(data).ok_or_else(misplaced)?;
        let end = begin.checked_add(entry.range.1).ok_or_else(misplaced)?;
        if end > reader.source.len {
            return Err(misplaced());
        }
        entry.range = (begin, end);
    }
    let mut order: Vec<&Entry> = tensors.iter().collect();
    order.sort_by_key(|entry| entry.range);
    for pair in order.windows(2) {
        if pair[1].range.0 < pair[0].range.1 {
            let problem =
                format!("lets the tensors “{}” and “{}” overlap", printable(&pair[0].name), printable(&pair[1].name));
            return Err(reader.bad(problem, remedy::DAMAGED));
        }
    }
    Ok(())
}

fn alignment(reader: &Reader<'_>, metadata: &HashMap<String, Value>) -> Result<u64> {
    match metadata.get("general.alignment") {
        None => Ok(32),
        Some(Value::Int(n)) if (8..=65536).contains(n) && (*n as u64).is_power_of_two() => Ok(*n as u64),
        Some(_) => Err(reader.bad("has an alignment that makes no sense", remedy::DAMAGED)),
    }
}

/// A place in the header. Bytes are fetched in pieces, so a long file is not read for a short header.
struct Reader<'a> {
    source: &'a Source,
    buffer: Vec<u8>,
    /// Where in the file the buffer begins.
    base: u64,
    /// Where in the file the next byte is.
    at: u64,
    /// Values of lists that were read so far.
    listed: u64,
}

impl<'a> Reader<'a> {
    fn new(source: &'a Source) -> Self {
        Self { source, buffer: Vec::new(), base: 0, at: 0, listed: 0 }
    }

    fn bad(&self, problem: impl Into<String>, remedy: &'static str) -> LoadError {
        LoadError::new(&self.source.path, problem, remedy)
    }

    fn left(&self) -> u64 {
        self.source.len.min(LARGEST_HEADER).saturating_sub(self.at)
    }

    fn check_count(&self, n: u64, least_bytes: u64, what: &str) -> Result<()> {
        if n > self.left() / least_bytes {
            let problem = format!("claims {n} {what}, more than its {} bytes can hold", self.source.len);
            return Err(self.bad(problem, remedy::DAMAGED));
        }
        Ok(())
    }

    /// The next `n` bytes, where `n` was checked against `left`.
    fn bytes(&mut self, n: u64) -> Result<&[u8]> {
        const PIECE: u64 = 1 << 20;
        if n > self.left() {
            return Err(self.bad("ends inside its header", remedy::DAMAGED));
        }
        if self.at < self.base || self.at + n > self.base + self.buffer.len() as u64 {
            let end = (self.at + n.max(PIECE)).min(self.source.len);
            self.buffer = self.source.read(self.at, end)?;
            self.base = self.at;
        }
        let from = (self.at - self.base) as usize;
        self.at += n;
        self.buffer
            .get(from..from + n as usize)
            .ok_or_else(|| LoadError::new(&self.source.path, "ends inside its header", remedy::DAMAGED))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.bytes(N as u64)?);
        Ok(out)
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn text(&mut self) -> Result<String> {
        let n = self.u64()?;
        if n > self.left() {
            return Err(self.bad("holds a text that is longer than the file", remedy::DAMAGED));
        }
        // Vocabularies may hold tokens that are no valid text; the mark shows where.
        Ok(String::from_utf8_lossy(self.bytes(n)?).into_owned())
    }

    fn name(&mut self, what: &str) -> Result<String> {
        let n = self.u64()?;
        if n == 0 || n > LONGEST_NAME {
            return Err(self.bad(format!("has {what} of {n} bytes"), remedy::DAMAGED));
        }
        let problem = format!("has {what} that is not text");
        match std::str::from_utf8(self.bytes(n)?) {
            Ok(name) => Ok(name.to_owned()),
            Err(_) => Err(self.bad(problem, remedy::DAMAGED)),
        }
    }

    fn value(&mut self, type_id: u32, key: &str) -> Result<Value> {
        Ok(match type_id {
            0 | 1 | 2 | 3 | 4 | 5 | 10 | 11 => Value::Int(self.int(type_id)?),
            6 => Value::Float(f64::from(f32::from_le_bytes(self.array()?))),
            12 => Value::Float(f64::from_le_bytes(self.array()?)),
            7 => Value::Bool(self.bool(key)?),
            8 => Value::Text(self.text()?),
            9 => self.list(key)?,
            _ => {
                return Err(self.bad(format!("gives “{}” the unknown type {type_id}", printable(key)), remedy::DAMAGED));
            }
        })
    }

    fn list(&mut self, key: &str) -> Result<Value> {
        let (type_id, n) = (self.u32()?, self.u64()?);
        let width = match type_id {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10 | 11 | 12 => 8,
            _ => {
                let problem = format!("gives “{}” a list of the unsupported type {type_id}", printable(key));
                return Err(self.bad(problem, remedy::DAMAGED));
            }
        };
        self.check_count(n, width, &format!("values of “{}”", printable(key)))?;
        self.listed += n;
        if self.listed > MOST_LISTED {
            let problem = format!("lists more than {MOST_LISTED} values in its metadata, far above any vocabulary");
            return Err(self.bad(problem, remedy::DAMAGED));
        }
        Ok(match type_id {
            6 => Value::Floats((0..n).map(|_| Ok(f32::from_le_bytes(self.array()?))).collect::<Result<_>>()?),
            12 => Value::Floats((0..n).map(|_| Ok(f64::from_le_bytes(self.array()?) as f32)).collect::<Result<_>>()?),
            7 => Value::Bools((0..n).map(|_| self.bool(key)).collect::<Result<_>>()?),
            8 => Value::Texts((0..n).map(|_| self.text()).collect::<Result<_>>()?),
            _ => Value::Ints((0..n).map(|_| Ok(self.int(type_id)? as i64)).collect::<Result<_>>()?),
        })
    }

    fn int(&mut self, type_id: u32) -> Result<i128> {
        Ok(match type_id {
            0 => i128::from(self.array::<1>()?[0]),
            1 => i128::from(self.array::<1>()?[0] as i8),
            2 => i128::from(u16::from_le_bytes(self.array()?)),
            3 => i128::from(i16::from_le_bytes(self.array()?)),
            4 => i128::from(self.u32()?),
            5 => i128::from(i32::from_le_bytes(self.array()?)),
            10 => i128::from(self.u64()?),
            _ => i128::from(i64::from_le_bytes(self.array()?)),
        })
    }

    fn bool(&mut self, key: &str) -> Result<bool> {
        match self.array::<1>()?[0] {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.bad(format!("gives “{}” the truth value {other}", printable(key)), remedy::DAMAGED)),
        }
    }

    /// One tensor, its range still (offset in the data, bytes).
    fn tensor(&mut self) -> Result<Entry> {
        let name = self.name("a tensor's name")?;
        let n_dims = self.u32()?;
        if !(1..=4).contains(&n_dims) {
            return Err(self.bad(format!("gives the tensor “{}” {n_dims} axes", printable(&name)), remedy::DAMAGED));
        }
        let mut shape = Vec::new();
        let mut n_values = 1u64;
        for _ in 0..n_dims {
            let n = self.u64()?;
            n_values = n_values.checked_mul(n).filter(|&n| n > 0 && n < 1 << 48).ok_or_else(|| {
                self.bad(
                    format!("gives the tensor “{}” a shape that makes no sense", printable(&name)),
                    remedy::DAMAGED,
                )
            })?;
            shape.push(n as usize);
        }
        // The format lists the fastest axis first.
        shape.reverse();
        let type_id = self.u32()?;
        let offset = self.u64()?;
        let encoding = Encoding::from_ggml(type_id).ok_or_else(|| ggml_name(type_id));
        let n_bytes = match &encoding {
            Ok(encoding) => {
                let row = shape.last().copied().unwrap_or(1);
                let rows = n_values / row as u64;
                let bytes = encoding.row_bytes(row).and_then(|bytes| rows.checked_mul(bytes as u64));
                bytes.ok_or_else(|| {
                    let problem = format!(
                        "stores rows of {row} values of “{}” in blocks that they do not fill",
                        printable(&name)
                    );
                    self.bad(problem, remedy::DAMAGED)
                })?
            }
            Err(_) => 0,
        };
        Ok(Entry { name, shape, encoding, file: 0, range: (offset, n_bytes) })
    }
}

/// Names of GGML types that are known but not decoded here.
fn ggml_name(type_id: u32) -> String {
    let known = [
        (9, "Q8_1"),
        (10, "Q2_K"),
        (11, "Q3_K"),
        (15, "Q8_K"),
        (16, "IQ2_XXS"),
        (17, "IQ2_XS"),
        (18, "IQ3_XXS"),
        (19, "IQ1_S"),
        (20, "IQ4_NL"),
        (21, "IQ3_S"),
        (22, "IQ2_S"),
        (23, "IQ4_XS"),
        (24, "I8"),
        (25, "I16"),
        (26, "I32"),
        (27, "I64"),
        (28, "F64"),
        (29, "IQ1_M"),
        (34, "TQ1_0"),
        (35, "TQ2_0"),
        (39, "MXFP4"),
    ];
    known
        .iter()
        .find(|(id, _)| *id == type_id)
        .map_or_else(|| format!("the unknown type {type_id}"), |(_, name)| (*name).into())
}
