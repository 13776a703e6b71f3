//! Parameters on the CPU, in the encoding of their file.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use crate::model::{Encoding, Error, Result, WeightData};

/// A parameter. Vectors and F32 matrices are candle tensors; everything else stays encoded.
pub enum CpuWeight {
    /// Plain numbers.
    Dense(Tensor),
    /// A matrix of encoded rows.
    Encoded(EncodedMatrix),
}

/// A matrix `[out, in]` whose rows are encoded blocks.
pub struct EncodedMatrix {
    /// How the bytes read.
    pub encoding: Encoding,
    /// Rows.
    pub n_out: usize,
    /// Columns.
    pub n_in: usize,
    /// Bytes of one row.
    pub row_bytes: usize,
    /// The rows.
    pub bytes: Arc<Vec<u8>>,
}

impl CpuWeight {
    /// Takes a parameter as it was read. Vectors become f32, since they are small and used elementwise.
    pub fn new(data: &WeightData) -> Result<Self> {
        let (n_out, n_in) = match data.shape[..] {
            [n] => (1, n),
            [n_out, n_in] => (n_out, n_in),
            _ => return Err(shape_error(format!("a parameter of {} axes", data.shape.len()))),
        };
        let row_bytes =
            data.encoding.row_bytes(n_in).filter(|bytes| bytes.checked_mul(n_out) == Some(data.bytes.len()));
        let Some(row_bytes) = row_bytes else {
            return Err(shape_error(format!(
                "{} bytes for {:?} {}",
                data.bytes.len(),
                data.shape,
                data.encoding.name()
            )));
        };
        if data.shape.len() == 2 && data.encoding != Encoding::F32 {
            let bytes = data.bytes.clone();
            return Ok(Self::Encoded(EncodedMatrix { encoding: data.encoding, n_out, n_in, row_bytes, bytes }));
        }
        let mut values = vec![0.0; n_out * n_in];
        for (row, out) in data.bytes.chunks_exact(row_bytes).zip(values.chunks_exact_mut(n_in)) {
            data.encoding.decode_row(row, out);
        }
        Ok(Self::Dense(Tensor::from_vec(values, data.shape.as_slice(), &Device::Cpu).map_err(super::failed)?))
    }

    /// Bytes held.
    pub fn n_bytes(&self) -> u64 {
        match self {
            Self::Dense(x) => 4 * x.elem_count() as u64,
            Self::Encoded(m) => m.bytes.len() as u64,
        }
    }

    /// A vector, or an error for a matrix that is not plain.
    pub fn dense(&self) -> Result<&Tensor> {
        match self {
            Self::Dense(x) => Ok(x),
            Self::Encoded(_) => Err(shape_error("a matrix where a vector is needed".into())),
        }
    }
}

impl EncodedMatrix {
    /// The bytes of rows `begin..end`.
    pub fn rows(&self, begin: usize, end: usize) -> &[u8] {
        &self.bytes[begin * self.row_bytes..end * self.row_bytes]
    }

    /// Decodes rows from `begin` on into `out`, as many as fit.
    pub fn decode(&self, begin: usize, out: &mut [f32]) {
        let n = out.len() / self.n_in;
        for (row, out) in self.rows(begin, begin + n).chunks_exact(self.row_bytes).zip(out.chunks_exact_mut(self.n_in))
        {
            self.encoding.decode_row(row, out);
        }
    }
}

fn shape_error(detail: String) -> Error {
    Error::Shape { op: "upload", detail }
}
