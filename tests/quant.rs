//! Decoding of quantised blocks: against blocks built by hand, and against another implementation.
//!
//! The conformance models hold only some of the encodings, so each one is decoded here from random blocks as well and
//! compared with candle's decoder, which was written independently.

use candle_core::Device;
use candle_core::quantized::GgmlDType;
use candle_core::quantized::ggml_file::qtensor_from_ggml;
use glassbox::model::{Encoding, WeightData};
use half::f16;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The same encoding under candle's name.
fn candle_type(encoding: Encoding) -> GgmlDType {
    match encoding {
        Encoding::F32 => GgmlDType::F32,
        Encoding::F16 => GgmlDType::F16,
        Encoding::BF16 => GgmlDType::BF16,
        Encoding::Q4_0 => GgmlDType::Q4_0,
        Encoding::Q4_1 => GgmlDType::Q4_1,
        Encoding::Q5_0 => GgmlDType::Q5_0,
        Encoding::Q5_1 => GgmlDType::Q5_1,
        Encoding::Q8_0 => GgmlDType::Q8_0,
        Encoding::Q4_K => GgmlDType::Q4K,
        Encoding::Q5_K => GgmlDType::Q5K,
        Encoding::Q6_K => GgmlDType::Q6K,
    }
}

/// Where a block keeps its f16 scales, in bytes.
fn scales_at(encoding: Encoding) -> &'static [usize] {
    match encoding {
        Encoding::F32 | Encoding::F16 | Encoding::BF16 => &[],
        Encoding::Q4_0 | Encoding::Q5_0 | Encoding::Q8_0 => &[0],
        Encoding::Q4_1 | Encoding::Q5_1 | Encoding::Q4_K | Encoding::Q5_K => &[0, 2],
        Encoding::Q6_K => &[208],
    }
}

/// Random blocks. Every bit pattern is legal except where it would make a number NaN, which equals nothing.
fn random_blocks(encoding: Encoding, n_blocks: usize, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = vec![0; n_blocks * encoding.block_bytes()];
    rng.fill_bytes(&mut bytes);
    for block in bytes.chunks_exact_mut(encoding.block_bytes()) {
        let number = (rng.next_u32() as f32 / u32::MAX as f32 - 0.5) * 4.0;
        match encoding {
            Encoding::F32 => block.copy_from_slice(&number.to_le_bytes()),
            Encoding::F16 => block.copy_from_slice(&f16::from_f32(number).to_le_bytes()),
            Encoding::BF16 => block.copy_from_slice(&half::bf16::from_f32(number).to_le_bytes()),
            _ => {
                for at in scales_at(encoding) {
                    let scale = (rng.next_u32() as f32 / u32::MAX as f32 - 0.5) * 2.0;
                    block[*at..at + 2].copy_from_slice(&f16::from_f32(scale).to_le_bytes());
                }
            }
        }
    }
    bytes
}

#[test]
fn every_encoding_decodes_as_candle_does() {
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for encoding in Encoding::ALL {
        let (rows, row_len) = (5, 512);
        let bytes = random_blocks(encoding, rows * row_len / encoding.block_len(), &mut rng);
        let theirs = qtensor_from_ggml(candle_type(encoding), &bytes, vec![rows, row_len], &Device::Cpu).unwrap();
        let theirs: Vec<f32> = theirs.dequantize(&Device::Cpu).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        let ours = WeightData { encoding, shape: vec![rows, row_len], bytes: bytes.into() }.decode();
        for (i, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            // To the bit: both follow ggml's order of operations. Only a zero's sign is free.
            assert!(ours == theirs, "{} weight {i}: {ours} and {theirs}", encoding.name());
        }
    }
}

#[test]
fn blocks_built_by_hand() {
    let d = f16::from_f32(0.5).to_le_bytes();
    let m = f16::from_f32(-3.0).to_le_bytes();
    let decode = |encoding: Encoding, block: &[u8]| {
        assert_eq!(block.len(), encoding.block_bytes(), "{}", encoding.name());
        let mut out = vec![f32::NAN; encoding.block_len()];
        encoding.decode_row(block, &mut out);
        out
    };
    // Byte i holds weight i (low nibble) and weight i + 16 (high nibble).
    let nibbles: Vec<u8> = (0..16).map(|i| i | (15 - i) << 4).collect();
    let low = |i: usize| if i < 16 { i as f32 } else { 31.0 - i as f32 };

    let q4_0 = decode(Encoding::Q4_0, &[&d[..], &nibbles].concat());
    let q4_1 = decode(Encoding::Q4_1, &[&d[..], &m, &nibbles].concat());
    // Fifth bits of the odd weights.
    let high = 0xAAAA_AAAA_u32.to_le_bytes();
    let q5_0 = decode(Encoding::Q5_0, &[&d[..], &high, &nibbles].concat());
    let q5_1 = decode(Encoding::Q5_1, &[&d[..], &m, &high, &nibbles].concat());
    let signed: Vec<u8> = (0..32).map(|i| (i as i8 - 16) as u8).collect();
    let q8_0 = decode(Encoding::Q8_0, &[&d[..], &signed].concat());
    for i in 0..32 {
        let fifth = if i % 2 == 1 { 16.0 } else { 0.0 };
        assert_eq!(q4_0[i], (low(i) - 8.0) * 0.5, "Q4_0 {i}");
        assert_eq!(q4_1[i], low(i) * 0.5 - 3.0, "Q4_1 {i}");
        assert_eq!(q5_0[i], (low(i) + fifth - 16.0) * 0.5, "Q5_0 {i}");
        assert_eq!(q5_1[i], (low(i) + fifth) * 0.5 - 3.0, "Q5_1 {i}");
        assert_eq!(q8_0[i], (i as f32 - 16.0) * 0.5, "Q8_0 {i}");
    }
}

#[test]
fn packed_scales_of_k_blocks() {
    // Scales 1..=8 and minima 9..=16 are under 64: the first four lie in the low six bits of bytes 0-3 and 4-7, the other
    // four in nibbles of bytes 8-11, with their upper two bits atop bytes 0-3 and 4-7. Group 7 has 0b110101 and 0b101110.
    let (mut scales, mut mins) = ([1u8, 2, 3, 4, 5, 6, 7, 8], [9u8, 10, 11, 12, 13, 14, 15, 16]);
    (scales[7], mins[7]) = (0b11_0101, 0b10_1110);
    let mut packed = [0u8; 12];
    for j in 0..4 {
        packed[j] = scales[j] | (scales[j + 4] >> 4) << 6;
        packed[j + 4] = mins[j] | (mins[j + 4] >> 4) << 6;
        packed[j + 8] = scales[j + 4] & 15 | (mins[j + 4] & 15) << 4;
    }
    let (d, dmin) = (f16::from_f32(0.25), f16::from_f32(0.125));
    // Every weight is 5: groups 2g and 2g + 1 are the nibbles of the same 32 bytes.
    let mut block = [&d.to_le_bytes()[..], &dmin.to_le_bytes(), &packed].concat();
    let head = block.clone();
    block.extend([0x55; 128]);
    let mut out = [f32::NAN; 256];
    Encoding::Q4_K.decode_row(&block, &mut out);
    for (i, y) in out.iter().enumerate() {
        let (scale, min) = (f32::from(scales[i / 32]), f32::from(mins[i / 32]));
        assert_eq!(*y, 0.25 * scale * 5.0 - 0.125 * min, "Q4_K {i}");
    }
    // Fifth bits: set in group 3 only.
    let block = [&head[..], &[1 << 3; 32], &[0x55; 128]].concat();
    Encoding::Q5_K.decode_row(&block, &mut out);
    for (i, y) in out.iter().enumerate() {
        let (scale, min) = (f32::from(scales[i / 32]), f32::from(mins[i / 32]));
        let quant = if i / 32 == 3 { 21.0 } else { 5.0 };
        assert_eq!(*y, 0.25 * scale * quant - 0.125 * min, "Q5_K {i}");
    }
}

#[test]
fn rows_are_whole_blocks() {
    assert_eq!(Encoding::Q4_1.row_bytes(576), Some(360));
    assert_eq!(Encoding::Q6_K.row_bytes(512), Some(420));
    assert_eq!(Encoding::Q8_0.row_bytes(33), None);
    assert_eq!(Encoding::Q4_K.row_bytes(32), None);
    assert_eq!(Encoding::F32.row_bytes(usize::MAX), None);
    for (id, encoding) in
        [(0, Encoding::F32), (1, Encoding::F16), (3, Encoding::Q4_1), (14, Encoding::Q6_K), (30, Encoding::BF16)]
    {
        assert_eq!(Encoding::from_ggml(id), Some(encoding));
    }
    for gone in [4, 5, 9, 31, 32, 33, 1 << 31, u32::MAX] {
        assert_eq!(Encoding::from_ggml(gone), None, "{gone}");
    }
}

#[test]
fn numbers_that_are_not_finite_are_found_where_they_are() {
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for encoding in Encoding::ALL {
        let row_len = 8192;
        let bytes = random_blocks(encoding, row_len / encoding.block_len(), &mut rng);
        let data = |bytes: &[u8]| WeightData { encoding, shape: vec![1, row_len], bytes: bytes.to_vec().into() };
        assert_eq!(data(&bytes).first_non_finite(), None, "{}", encoding.name());

        let block = rng.next_u32() as usize % (row_len / encoding.block_len());
        let mut bad = bytes.clone();
        let at = block * encoding.block_bytes() + scales_at(encoding).first().copied().unwrap_or(0);
        match encoding {
            Encoding::F32 => bad[at..at + 4].copy_from_slice(&f32::NEG_INFINITY.to_le_bytes()),
            Encoding::BF16 => bad[at..at + 2].copy_from_slice(&half::bf16::NAN.to_le_bytes()),
            _ => bad[at..at + 2].copy_from_slice(&f16::NAN.to_le_bytes()),
        }
        let found = data(&bad).first_non_finite();
        assert_eq!(found, Some(block * encoding.block_len()), "{} block {block}", encoding.name());
    }
}
