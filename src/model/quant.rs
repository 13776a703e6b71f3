//! The encodings of weights, and their exact decoding.
//!
//! Block formats are GGML's: a run of 32 or 256 weights of a row shares scales, and each weight is a few bits. Every
//! formula stands beside its decoder; the arithmetic is f32 in the order of the reference implementation (the `gguf`
//! Python package), so decoded values are equal to the bit. Kernels on other devices are tested against these.
//!
//! Decoding a whole model is what a prompt costs before its matrix products, so the inner loops run over arrays of fixed
//! size that the compiler can turn into vector code.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::{Encoding, WeightData};

impl Encoding {
    /// Every encoding.
    pub const ALL: [Self; 11] = [
        Self::F32,
        Self::F16,
        Self::BF16,
        Self::Q4_0,
        Self::Q4_1,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q8_0,
        Self::Q4_K,
        Self::Q5_K,
        Self::Q6_K,
    ];

    /// Weights per block.
    pub const fn block_len(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => 1,
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 => 32,
            Self::Q4_K | Self::Q5_K | Self::Q6_K => 256,
        }
    }

    /// Bytes per block.
    pub const fn block_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Q4_0 => 18,
            Self::Q4_1 => 20,
            Self::Q5_0 => 22,
            Self::Q5_1 => 24,
            Self::Q8_0 => 34,
            Self::Q4_K => 144,
            Self::Q5_K => 176,
            Self::Q6_K => 210,
        }
    }

    /// The name that GGUF tools print.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::BF16 => "BF16",
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q8_0 => "Q8_0",
            Self::Q4_K => "Q4_K",
            Self::Q5_K => "Q5_K",
            Self::Q6_K => "Q6_K",
        }
    }

    /// The encoding of a GGML type id.
    pub const fn from_ggml(type_id: u32) -> Option<Self> {
        Some(match type_id {
            0 => Self::F32,
            1 => Self::F16,
            2 => Self::Q4_0,
            3 => Self::Q4_1,
            6 => Self::Q5_0,
            7 => Self::Q5_1,
            8 => Self::Q8_0,
            12 => Self::Q4_K,
            13 => Self::Q5_K,
            14 => Self::Q6_K,
            30 => Self::BF16,
            _ => return None,
        })
    }

    /// Bytes of a row of `n` weights. `None` where `n` is not a whole number of blocks, or the count overflows.
    pub const fn row_bytes(self, n: usize) -> Option<usize> {
        if n.is_multiple_of(self.block_len()) { (n / self.block_len()).checked_mul(self.block_bytes()) } else { None }
    }

    /// Bits per weight.
    pub fn bits_per_weight(self) -> f32 {
        8.0 * self.block_bytes() as f32 / self.block_len() as f32
    }

    /// Decodes a row into f32. `out` has one place for each weight; surplus bytes or places are left alone.
    pub fn decode_row(self, bytes: &[u8], out: &mut [f32]) {
        match self {
            Self::F32 => blocks(bytes, out, |b: &[u8; 4], y: &mut [f32; 1]| y[0] = f32::from_le_bytes(*b)),
            Self::F16 => f16s(bytes, out),
            Self::BF16 => blocks(bytes, out, |b: &[u8; 2], y: &mut [f32; 1]| y[0] = bf16::from_le_bytes(*b).to_f32()),
            Self::Q4_0 => blocks(bytes, out, q4_0),
            Self::Q4_1 => blocks(bytes, out, q4_1),
            Self::Q5_0 => blocks(bytes, out, q5_0),
            Self::Q5_1 => blocks(bytes, out, q5_1),
            Self::Q8_0 => blocks(bytes, out, q8_0),
            Self::Q4_K => blocks(bytes, out, q4_k),
            Self::Q5_K => blocks(bytes, out, q5_k),
            Self::Q6_K => blocks(bytes, out, q6_k),
        }
    }
}

impl WeightData {
    /// Every number of the tensor, decoded.
    pub fn decode(&self) -> Vec<f32> {
        let mut out = vec![0.0; self.shape.iter().product()];
        self.encoding.decode_row(&self.bytes, &mut out);
        out
    }

    /// The place of the first number that is NaN or infinite. In block formats a weight can only be so through its
    /// block's scales, so only those are looked at; the place is then the block's first weight.
    pub fn first_non_finite(&self) -> Option<usize> {
        let (len, size) = (self.encoding.block_len(), self.encoding.block_bytes());
        let half = |b: &[u8], at: usize| f16::from_le_bytes([b[at], b[at + 1]]).is_finite();
        let is_bad = |b: &[u8]| match self.encoding {
            Encoding::F32 => !f32::from_le_bytes([b[0], b[1], b[2], b[3]]).is_finite(),
            Encoding::BF16 => !bf16::from_le_bytes([b[0], b[1]]).is_finite(),
            Encoding::F16 | Encoding::Q4_0 | Encoding::Q5_0 | Encoding::Q8_0 => !half(b, 0),
            Encoding::Q4_1 | Encoding::Q5_1 | Encoding::Q4_K | Encoding::Q5_K => !(half(b, 0) && half(b, 2)),
            Encoding::Q6_K => !half(b, 208),
        };
        self.bytes.chunks_exact(size).position(is_bad).map(|block| block * len)
    }
}

/// Decodes half-precision floats, many at a time, since the processor may have an instruction for eight.
#[inline(always)]
fn f16s(bytes: &[u8], out: &mut [f32]) {
    let n = (bytes.len() / 64).min(out.len() / 32);
    let ((many, rest), (wide, wide_rest)) = (bytes.split_at(64 * n), out.split_at_mut(32 * n));
    for (b, y) in many.as_chunks::<64>().0.iter().zip(wide.as_chunks_mut::<32>().0) {
        let halves: [f16; 32] = std::array::from_fn(|i| f16::from_le_bytes([b[2 * i], b[2 * i + 1]]));
        halves.convert_to_f32_slice(y);
    }
    blocks(rest, wide_rest, |b: &[u8; 2], y: &mut [f32; 1]| y[0] = f16::from_le_bytes(*b).to_f32());
}

/// Decodes block after block.
#[inline(always)]
fn blocks<const B: usize, const N: usize>(bytes: &[u8], out: &mut [f32], decode: impl Fn(&[u8; B], &mut [f32; N])) {
    for (block, y) in bytes.as_chunks::<B>().0.iter().zip(out.as_chunks_mut::<N>().0) {
        decode(block, y);
    }
}

#[inline(always)]
fn half_at<const B: usize>(block: &[u8; B], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

/// `d: f16, q: 16 bytes`. Weight i is (q_i − 8)·d; q's low nibbles are weights 0–15, its high ones 16–31.
#[inline(always)]
fn q4_0(b: &[u8; 18], y: &mut [f32; 32]) {
    let d = half_at(b, 0);
    for i in 0..16 {
        y[i] = (f32::from(b[2 + i] & 15) - 8.0) * d;
        y[i + 16] = (f32::from(b[2 + i] >> 4) - 8.0) * d;
    }
}

/// `d: f16, m: f16, q: 16 bytes`. Weight i is q_i·d + m.
#[inline(always)]
fn q4_1(b: &[u8; 20], y: &mut [f32; 32]) {
    let (d, m) = (half_at(b, 0), half_at(b, 2));
    for i in 0..16 {
        y[i] = f32::from(b[4 + i] & 15) * d + m;
        y[i + 16] = f32::from(b[4 + i] >> 4) * d + m;
    }
}

/// The five-bit quants of a block: nibbles at `q`, fifth bits at `h`.
#[inline(always)]
fn five_bits<const B: usize>(b: &[u8; B], h: usize, q: usize) -> [f32; 32] {
    let high = u32::from_le_bytes([b[h], b[h + 1], b[h + 2], b[h + 3]]);
    // Masks instead of shifts: a vector unit shifts all lanes by the same count.
    let fifth = |i: usize| if high & (1 << i) != 0 { 16u32 } else { 0 };
    let mut x = [0.0; 32];
    for i in 0..16 {
        x[i] = (u32::from(b[q + i] & 15) | fifth(i)) as f32;
        x[i + 16] = (u32::from(b[q + i] >> 4) | fifth(i + 16)) as f32;
    }
    x
}

/// `d: f16, fifth bits: u32, q: 16 bytes`. Weight i is (q_i − 16)·d.
#[inline(always)]
fn q5_0(b: &[u8; 22], y: &mut [f32; 32]) {
    let d = half_at(b, 0);
    *y = five_bits(b, 2, 6).map(|x| (x - 16.0) * d);
}

/// `d: f16, m: f16, fifth bits: u32, q: 16 bytes`. Weight i is q_i·d + m.
#[inline(always)]
fn q5_1(b: &[u8; 24], y: &mut [f32; 32]) {
    let (d, m) = (half_at(b, 0), half_at(b, 2));
    *y = five_bits(b, 4, 8).map(|x| x * d + m);
}

/// `d: f16, q: 32 signed bytes`. Weight i is q_i·d.
#[inline(always)]
fn q8_0(b: &[u8; 34], y: &mut [f32; 32]) {
    let d = half_at(b, 0);
    for i in 0..32 {
        y[i] = f32::from(b[2 + i] as i8) * d;
    }
}

/// The six-bit scale and minimum of group `j` of eight, packed in 12 bytes.
#[inline(always)]
fn scale_min(packed: &[u8; 12], j: usize) -> (f32, f32) {
    let (scale, min) = if j < 4 {
        (packed[j] & 63, packed[j + 4] & 63)
    } else {
        (packed[j + 4] & 15 | (packed[j - 4] >> 6) << 4, packed[j + 4] >> 4 | (packed[j] >> 6) << 4)
    };
    (f32::from(scale), f32::from(min))
}

#[inline(always)]
fn scales(b: &[u8]) -> [u8; 12] {
    std::array::from_fn(|i| b[i])
}

/// `d: f16, dmin: f16, scales: 12 bytes, q: 128 bytes`. Eight groups of 32: weight i of group j is
/// (d·scale_j)·q_i − dmin·min_j. Groups 2g and 2g+1 are the low and high nibbles of the same 32 bytes.
#[inline(always)]
fn q4_k(b: &[u8; 144], y: &mut [f32; 256]) {
    let (d, dmin, packed) = (half_at(b, 0), half_at(b, 2), scales(&b[4..16]));
    for (g, y) in y.as_chunks_mut::<64>().0.iter_mut().enumerate() {
        let q: &[u8; 32] = &std::array::from_fn(|i| b[16 + 32 * g + i]);
        let ((s0, m0), (s1, m1)) = (scale_min(&packed, 2 * g), scale_min(&packed, 2 * g + 1));
        let (d0, m0, d1, m1) = (d * s0, dmin * m0, d * s1, dmin * m1);
        for i in 0..32 {
            y[i] = d0 * f32::from(q[i] & 15) - m0;
            y[i + 32] = d1 * f32::from(q[i] >> 4) - m1;
        }
    }
}

/// As Q4_K, with fifth bits in 32 bytes between scales and nibbles: bit j of byte i belongs to weight i of group j.
#[inline(always)]
fn q5_k(b: &[u8; 176], y: &mut [f32; 256]) {
    let (d, dmin, packed) = (half_at(b, 0), half_at(b, 2), scales(&b[4..16]));
    let high: &[u8; 32] = &std::array::from_fn(|i| b[16 + i]);
    for (g, y) in y.as_chunks_mut::<64>().0.iter_mut().enumerate() {
        let q: &[u8; 32] = &std::array::from_fn(|i| b[48 + 32 * g + i]);
        let ((s0, m0), (s1, m1)) = (scale_min(&packed, 2 * g), scale_min(&packed, 2 * g + 1));
        let (d0, m0, d1, m1) = (d * s0, dmin * m0, d * s1, dmin * m1);
        for i in 0..32 {
            y[i] = d0 * f32::from(q[i] & 15 | (high[i] >> (2 * g) & 1) << 4) - m0;
            y[i + 32] = d1 * f32::from(q[i] >> 4 | (high[i] >> (2 * g + 1) & 1) << 4) - m1;
        }
    }
}

/// `low nibbles: 128 bytes, upper two bits: 64 bytes, scales: 16 signed bytes, d: f16`. Sixteen groups of 16: weight i of
/// group j is (d·scale_j)·(q_i − 32).
#[inline(always)]
fn q6_k(b: &[u8; 210], y: &mut [f32; 256]) {
    let d = half_at(b, 208);
    for (half, y) in y.as_chunks_mut::<128>().0.iter_mut().enumerate() {
        let low: &[u8; 64] = &std::array::from_fn(|i| b[64 * half + i]);
        let high: &[u8; 32] = &std::array::from_fn(|i| b[128 + 32 * half + i]);
        let scale: [f32; 8] = std::array::from_fn(|j| d * f32::from(b[192 + 8 * half + j] as i8));
        for i in 0..32 {
            let quant = |nibble: u8, shift: u32| f32::from((nibble | (high[i] >> shift & 3) << 4) as i8 - 32);
            y[i] = scale[i / 16] * quant(low[i] & 15, 0);
            y[i + 32] = scale[2 + i / 16] * quant(low[i + 32] & 15, 2);
            y[i + 64] = scale[4 + i / 16] * quant(low[i] >> 4, 4);
            y[i + 96] = scale[6 + i / 16] * quant(low[i + 32] >> 4, 6);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1.0, 2.0 and -0.5 as f16.
    const ONE: [u8; 2] = [0x00, 0x3c];
    const TWO: [u8; 2] = [0x00, 0x40];
    const MINUS_HALF: [u8; 2] = [0x00, 0xb8];

    fn decode(encoding: Encoding, parts: &[&[u8]]) -> Vec<f32> {
        let bytes = parts.concat();
        assert_eq!(bytes.len(), encoding.block_bytes(), "{}", encoding.name());
        let mut out = vec![f32::NAN; encoding.block_len()];
        encoding.decode_row(&bytes, &mut out);
        out
    }

    #[test]
    fn plain_numbers() {
        assert_eq!(decode(Encoding::F32, &[&[0x00, 0x00, 0x80, 0xbf]]), [-1.0]);
        assert_eq!(decode(Encoding::F16, &[&MINUS_HALF]), [-0.5]);
        assert_eq!(decode(Encoding::BF16, &[&[0x40, 0x40]]), [3.0]);
    }

    #[test]
    fn blocks_of_32() {
        // Byte i holds the nibbles i and 15 − i: weights 0–15 ascend, weights 16–31 descend.
        let nibbles: [u8; 16] = std::array::from_fn(|i| i as u8 | (15 - i as u8) << 4);
        let quant = |i: usize| if i < 16 { i as f32 } else { (31 - i) as f32 };
        let want = |f: &dyn Fn(f32, usize) -> f32| (0..32).map(|i| f(quant(i), i)).collect::<Vec<_>>();
        assert_eq!(decode(Encoding::Q4_0, &[&TWO, &nibbles]), want(&|q, _| 2.0 * (q - 8.0)));
        assert_eq!(decode(Encoding::Q4_1, &[&TWO, &MINUS_HALF, &nibbles]), want(&|q, _| 2.0 * q - 0.5));
        // The fifth bit of weights 0 and 31 is set.
        let high = [1, 0, 0, 0x80];
        let fifth = |i: usize| if i == 0 || i == 31 { 16.0 } else { 0.0 };
        assert_eq!(decode(Encoding::Q5_0, &[&TWO, &high, &nibbles]), want(&|q, i| 2.0 * (q + fifth(i) - 16.0)));
        assert_eq!(
            decode(Encoding::Q5_1, &[&TWO, &MINUS_HALF, &high, &nibbles]),
            want(&|q, i| 2.0 * (q + fifth(i)) - 0.5)
        );
        let signed: [u8; 32] = std::array::from_fn(|i| (i as i8 - 16) as u8);
        assert_eq!(decode(Encoding::Q8_0, &[&MINUS_HALF, &signed]), want(&|_, i| -0.5 * (i as f32 - 16.0)));
    }

    #[test]
    fn blocks_of_256() {
        // Scales 1–8 and minima 8–1 of the eight groups all fit four bits, so the packing is easy to write by hand:
        // four scales, four minima, then the low nibbles of the other four scales with those minima above them.
        let packed = [1, 2, 3, 4, 8, 7, 6, 5, 5 | 4 << 4, 6 | 3 << 4, 7 | 2 << 4, 8 | 1 << 4];
        // Every low nibble is 3, every high one 9.
        let nibbles = [0x93; 128];
        let group = |i: usize| i / 32;
        let nibble = |i: usize| if group(i).is_multiple_of(2) { 3.0 } else { 9.0 };
        let (scale, min) = (|i: usize| (group(i) + 1) as f32, |i: usize| (8 - group(i)) as f32);
        let q4: Vec<f32> = (0..256).map(|i| scale(i) * nibble(i) - 2.0 * min(i)).collect();
        assert_eq!(decode(Encoding::Q4_K, &[&ONE, &TWO, &packed, &nibbles]), q4);
        // Bit 5 of byte 7: the fifth bit of weight 7 of group 5.
        let mut high = [0; 32];
        high[7] = 1 << 5;
        let q5: Vec<f32> = (0..256).map(|i| q4[i] + if i == 5 * 32 + 7 { 16.0 * scale(i) } else { 0.0 }).collect();
        assert_eq!(decode(Encoding::Q5_K, &[&ONE, &TWO, &packed, &high, &nibbles]), q5);
    }

    #[test]
    fn six_bits() {
        // Group j of 16 weights has scale j − 8. Nibbles are 2 (low) and 5 (high); byte 3 of the first half's upper bits
        // is 0b11_10_01_00, which gives weights 3, 35, 67 and 99 the upper bits 0 to 3.
        let scales: [u8; 16] = std::array::from_fn(|j| (j as i8 - 8) as u8);
        let mut high = [0; 64];
        high[3] = 0b1110_0100;
        let quant = |i: usize| {
            let nibble = if i % 128 < 64 { 2 } else { 5 };
            let upper = if i < 128 && i % 32 == 3 { i / 32 } else { 0 };
            (nibble + 16 * upper) as f32 - 32.0
        };
        let want: Vec<f32> = (0..256).map(|i| -0.5 * (i as f32 / 16.0 - 8.0).floor() * quant(i)).collect();
        assert_eq!(decode(Encoding::Q6_K, &[&[0x52; 128], &high, &scales, &MINUS_HALF]), want);
    }

    #[test]
    fn equal_to_the_bit_with_the_reference() {
        let golden: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/data/quant/golden.json")).unwrap();
        let bytes = |text: &serde_json::Value| -> Vec<u8> {
            let text = text.as_str().unwrap().as_bytes().as_chunks::<2>().0;
            text.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
        };
        for encoding in Encoding::ALL.into_iter().filter(|e| *e != Encoding::F32) {
            let (encoded, want) = (bytes(&golden[encoding.name()]["bytes"]), bytes(&golden[encoding.name()]["bits"]));
            let mut out = vec![0.0; want.len() / 4];
            encoding.decode_row(&encoded, &mut out);
            assert!(!out.is_empty() && encoding.row_bytes(out.len()) == Some(encoded.len()));
            let got: Vec<u8> = out.iter().flat_map(|x| x.to_le_bytes()).collect();
            assert_eq!(got, want, "{}", encoding.name());
        }
    }

    #[test]
    fn values_that_are_not_numbers_are_found() {
        let nan = f16::NAN.to_le_bytes();
        let infinity = f16::INFINITY.to_le_bytes();
        for encoding in Encoding::ALL {
            let size = encoding.block_bytes();
            let data =
                |bytes: Vec<u8>| WeightData { encoding, shape: vec![3 * encoding.block_len()], bytes: bytes.into() };
            assert_eq!(data(vec![0; 3 * size]).first_non_finite(), None, "{}", encoding.name());
            for bad in [nan, infinity] {
                let mut bytes = vec![0; 3 * size];
                let at = match encoding {
                    Encoding::F32 | Encoding::BF16 => None,
                    Encoding::Q6_K => Some(208),
                    _ => Some(0),
                };
                match at {
                    Some(at) => bytes[2 * size + at..2 * size + at + 2].copy_from_slice(&bad),
                    // The upper half of an infinite f32 is an infinite bf16.
                    None => bytes[3 * size - 2..].copy_from_slice(&[0x80, 0x7f]),
                }
                assert_eq!(data(bytes).first_non_finite(), Some(2 * encoding.block_len()), "{}", encoding.name());
            }
        }
    }

    #[test]
    fn halves_of_any_count_decode_into_any_room() {
        for (n, room) in [(0, 0), (1, 1), (1, 40), (31, 32), (33, 33), (33, 100), (70, 64), (70, 10)] {
            let bytes: Vec<u8> = (0..n).flat_map(|i| f16::from_f32(i as f32).to_le_bytes()).collect();
            let mut out = vec![-1.0; room];
            Encoding::F16.decode_row(&bytes, &mut out);
            let want: Vec<f32> = (0..room).map(|i| if i < n { i as f32 } else { -1.0 }).collect();
            assert_eq!(out, want, "{n} into {room}");
        }
    }

    #[test]
    fn rows_that_are_no_blocks_have_no_length() {
        assert_eq!(Encoding::Q8_0.row_bytes(64), Some(68));
        assert_eq!(Encoding::Q8_0.row_bytes(63), None);
        assert_eq!(Encoding::Q4_K.row_bytes(32), None);
        assert_eq!(Encoding::F32.row_bytes(usize::MAX), None);
    }
}
