//! The one module that may say `unsafe`: the call into gemm, the dispatch to kernels for the processor at hand, and one
//! setting of candle's.
//!
//! Measured on two AVX-512 cores with a Q4_1 model of 135 M parameters, candle's own quantised product decodes 56 tokens
//! per second and prefills 92; these two paths are what makes the difference. The kernels themselves
//! are safe Rust: inside a function with `#[target_feature]` the intrinsics on values are safe, and loads go through
//! `bytemuck`. What is unsafe is only to *call* such a function, which the feature check before it makes sound.

#![allow(unsafe_code)]

use super::dot::{QuantRow, portable};
use crate::model::Encoding;

/// A strided view of a matrix inside a slice: element (i, j) at `offset + i·row + j·col`.
#[derive(Debug, Clone, Copy)]
pub struct Strides {
    /// Where element (0, 0) is.
    pub offset: usize,
    /// From one row to the next.
    pub row: usize,
    /// From one column to the next.
    pub col: usize,
}

impl Strides {
    /// Rows of `width` one after the other.
    pub fn rows(width: usize) -> Self {
        Self { offset: 0, row: width, col: 1 }
    }

    /// The transpose of rows of `width`.
    pub fn transposed(width: usize) -> Self {
        Self { offset: 0, row: 1, col: width }
    }

    /// The same matrix further into the slice.
    pub fn at(self, offset: usize) -> Self {
        Self { offset, ..self }
    }

    /// Asserts that an m × n matrix of these strides lies inside `len` elements.
    fn check(self, m: usize, n: usize, len: usize) {
        let last = self.offset + (m - 1) * self.row + (n - 1) * self.col;
        assert!(last < len, "a {m} × {n} matrix ends at {last}, outside {len} elements");
    }
}

/// dst `[m, n]` = scale · a `[m, k]` · b `[k, n]`, on `threads` threads.
#[allow(clippy::too_many_arguments)]
pub fn gemm(
    (m, n, k): (usize, usize, usize),
    dst: &mut [f32],
    dst_strides: Strides,
    a: &[f32],
    a_strides: Strides,
    b: &[f32],
    b_strides: Strides,
    scale: f32,
    threads: usize,
) {
    if m == 0 || n == 0 || k == 0 {
        return;
    }
    dst_strides.check(m, n, dst.len());
    a_strides.check(m, k, a.len());
    b_strides.check(k, n, b.len());
    assert!(dst_strides.col == 1 && dst_strides.row >= n, "the destination's elements must be distinct");
    let parallelism = if threads > 1 { gemm::Parallelism::Rayon(threads) } else { gemm::Parallelism::None };
    // SAFETY: the three checks above place every element that gemm may touch inside its slice; `dst` is borrowed
    // mutably, so it overlaps neither `a` nor `b`, and its elements are distinct.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            dst.as_mut_ptr().add(dst_strides.offset),
            dst_strides.col as isize,
            dst_strides.row as isize,
            false,
            a.as_ptr().add(a_strides.offset),
            a_strides.col as isize,
            a_strides.row as isize,
            b.as_ptr().add(b_strides.offset),
            b_strides.col as isize,
            b_strides.row as isize,
            0.0f32,
            scale,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// Keeps candle's elementwise operations on the thread that calls them, unless the user has said otherwise.
///
/// Its own threads spin while they wait for one another: with anything else on the machine (a window, a second run, two
/// halves of a batch) they took half of the processor, and a training step twice the time. The setting is an environment
/// variable that candle reads at its first use, so this belongs at the start of `main`.
pub fn calm_candle() {
    const SETTING: &str = "CANDLE_NUM_THREADS";
    if std::env::var_os(SETTING).is_none() && environment_is_ours() {
        // SAFETY: changing the environment is unsound only while another thread may read it, and there is none, or the
        // system guards it.
        unsafe { std::env::set_var(SETTING, "1") };
    }
}

/// Whether no other thread can be reading the environment: always so on Windows (`std::env::set_var`), and where the system
/// says that this process has one thread (`proc(5)`).
fn environment_is_ours() -> bool {
    let alone = || std::fs::read_to_string("/proc/self/status").is_ok_and(|status| status.contains("\nThreads:\t1\n"));
    cfg!(windows) || alone()
}

/// Kernels that need more than any processor of the architecture has, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    #[cfg(target_arch = "x86_64")]
    Vnni,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl Level {
    /// The best that this processor has.
    fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if super::dot::vnni::is_available() {
                return Self::Vnni;
            }
            if super::dot::avx2::is_available() {
                return Self::Avx2;
            }
        }
        Self::Portable
    }
}

/// Whether an encoding has a kernel for activations in 16 bits that is faster than decoding.
pub fn has_dot(encoding: Encoding) -> bool {
    match encoding {
        Encoding::F32 | Encoding::F16 | Encoding::BF16 => false,
        Encoding::Q4_0 | Encoding::Q4_1 | Encoding::Q8_0 => true,
        _ => Level::best() != Level::Portable,
    }
}

/// out\[i\] = row i of `rows` (encoded) · x, with x in 16 bits, for encodings that `has_dot`.
pub fn dot_rows(encoding: Encoding, rows: &[u8], x: &QuantRow, out: &mut [f32]) {
    match Level::best() {
        // SAFETY: `best` has just found every feature that `vnni::dot_rows` enables.
        #[cfg(target_arch = "x86_64")]
        Level::Vnni => unsafe { super::dot::vnni::dot_rows(encoding, rows, x, out) },
        // SAFETY: as above, for `avx2::dot_rows`.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { super::dot::avx2::dot_rows(encoding, rows, x, out) },
        Level::Portable => portable::dot_rows(encoding, rows, x, out),
    }
}

/// Whether rows of 16-bit floats have a kernel that is faster than decoding.
pub fn has_half_dot() -> bool {
    Level::best() != Level::Portable
}

/// out\[i\] = row i of `rows` (F16 or BF16) · x, where `has_half_dot`.
pub fn half_dot_rows(encoding: Encoding, rows: &[u8], x: &[f32], out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if has_half_dot() {
        // SAFETY: every level above the portable one has AVX2, FMA and F16C, which is all that this enables.
        return unsafe { super::halves::dot_rows(encoding, rows, x, out) };
    }
    unreachable!(
        "{encoding:?} rows of {} bytes for {} values and {} sums have no kernel here",
        rows.len(),
        x.len(),
        out.len()
    );
}

/// Every kernel for activations in 16 bits that this processor can run.
#[cfg(test)]
#[allow(clippy::type_complexity)]
pub fn dot_kernels() -> Vec<(&'static str, fn(Encoding, &[u8], &QuantRow, &mut [f32]))> {
    let mut list: Vec<(&'static str, fn(Encoding, &[u8], &QuantRow, &mut [f32]))> = vec![("best", dot_rows)];
    #[cfg(target_arch = "x86_64")]
    if super::dot::avx2::is_available() {
        // SAFETY: `is_available` has just found every feature that it enables.
        list.push(("AVX2", |encoding, rows, x, out| unsafe { super::dot::avx2::dot_rows(encoding, rows, x, out) }));
    }
    list
}
