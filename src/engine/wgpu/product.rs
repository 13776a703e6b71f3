//! Matrix products: y = x·Wᵀ + b, over all positions or over those that are sent to an expert.
//!
//! One invocation's share differs by kernel: with one or a few positions a product is bound by reading W once, with many
//! by arithmetic on tiles. An expert's product takes the same kernels; a list on the device says which positions it has,
//! and the workgroups beyond the list's end return before they read any of W. So nobody waits for the router's answer.

use std::sync::Arc;

use super::kernel::Kernel;
use super::launch::{Launcher, MAX_GROUPS, Style};
use super::pool::Allocation;
use super::stream::Dispatch;
use super::weight::{Part, Weight};
use crate::model::Result;

/// One product, y `[n_tokens, out]` of x `[n_tokens, in]` and a matrix `[out, in]`.
pub(super) struct Product<'a> {
    pub x: &'a Allocation,
    pub n_tokens: usize,
    pub weight: &'a Weight,
    /// (out, in)
    pub shape: (usize, usize),
    pub bias: Option<&'a Allocation>,
    /// The positions to compute, where it is not all of them; then there is no bias. Other rows of y stay as they are.
    pub sent: Option<Sent<'a>>,
    pub y: &'a Allocation,
}

/// The positions that are sent to one expert, as `expert_positions.wgsl` lists them.
#[derive(Clone, Copy)]
pub(super) struct Sent<'a> {
    pub lists: &'a Allocation,
    /// Where this expert's list begins, in words.
    pub at: usize,
    /// Which part of all positions is probably in it. The lists stay on the device, and a guess is enough to tell how much
    /// work a launch is.
    pub share: f64,
}

impl Launcher {
    /// Large products are split by rows of W, so that each launch stays within the stream's budget.
    pub(super) fn product(&self, product: &Product<'_>) -> Result<()> {
        let Product { x, n_tokens, weight, shape: (d_out, d_in), bias, sent, y } = *product;
        if n_tokens > MAX_GROUPS {
            return Err(self.gpu.error("a pass takes at most 65535 tokens on it; run the text in several passes."));
        }
        let share = sent.map_or(1.0, |sent| sent.share);
        let bytes = (weight.bytes as f64 * (n_tokens as f64 * share).min(1.0)) as u64;
        self.weight_bytes_read.set(self.weight_bytes_read.get() + bytes);
        // Kernels read x in groups of 8 columns.
        let padded = if d_in.is_multiple_of(8) { None } else { Some(self.padded(x, n_tokens, d_in)?) };
        let x = padded.as_deref().unwrap_or(x);
        let flag = |on: bool| f64::from(u8::from(on));
        let constants = [
            ("FORMAT", f64::from(weight.layout.format)),
            ("HAS_BIAS", flag(bias.is_some())),
            ("EXPERT", flag(sent.is_some())),
        ];
        // Experts have no bias, so that the list may take its place.
        let extra = sent.map(|sent| sent.lists).or(bias).unwrap_or(self.nothing());
        let (kernel, wg, rows_per_group, tokens_per_group) = self.product_kernel(n_tokens);
        for part in &weight.parts {
            let row_work = 2.0 * (n_tokens * d_in) as f64;
            // All positions may be sent to one expert: a launch must not become too long then.
            let budget_rows = (self.stream.borrow().budget() / row_work) as usize;
            let rows_per_launch = (budget_rows / 64 * 64).clamp(64, MAX_GROUPS * rows_per_group);
            for begin in (0..part.n_rows).step_by(rows_per_launch) {
                let end = part.n_rows.min(begin + rows_per_launch);
                let groups = [(end - begin).div_ceil(rows_per_group), n_tokens.div_ceil(tokens_per_group), 1];
                self.dispatch(&Dispatch {
                    kernel,
                    wg,
                    constants: &constants,
                    inputs: &[x, &part.buffer, extra],
                    output: y,
                    params: &params(product, part, begin, end, d_out),
                    groups: groups.map(|n| n as u32),
                    work: row_work * (end - begin) as f64 * share,
                })?;
            }
        }
        Ok(())
    }

    /// Kernel, workgroup size, and the rows and tokens that one workgroup computes.
    fn product_kernel(&self, n_tokens: usize) -> (Kernel, u32, usize, usize) {
        match (self.style, n_tokens) {
            (Style::FewBarriers, ..3) => (Kernel::MatVec, 8, 64, 1),
            (Style::FewBarriers, _) => (Kernel::MatMul, 8, 64, 4),
            (Style::ManyLanes, ..9) => (Kernel::MatVecWide, 64, 4, 1),
            (Style::ManyLanes, _) => (Kernel::MatMulTiled, 64, 32, 32),
        }
    }

    /// x with zeros after each row, up to a multiple of 8 columns.
    fn padded(&self, x: &Allocation, n_tokens: usize, d_in: usize) -> Result<Arc<Allocation>> {
        let width = d_in.next_multiple_of(8);
        let padded = self.pool.take(&self.gpu, (n_tokens * width * 4) as u64)?;
        let mut stream = self.stream.borrow_mut();
        let encoder = stream.encoder(&self.gpu);
        encoder.clear_buffer(&padded.buffer, 0, None);
        for t in 0..n_tokens {
            let (from, to) = ((t * d_in * 4) as u64, (t * width * 4) as u64);
            encoder.copy_buffer_to_buffer(&x.buffer, from, &padded.buffer, to, d_in as u64 * 4);
        }
        Ok(padded)
    }
}

/// The parameters of the kernels.
fn params(product: &Product<'_>, part: &Part, begin: usize, end: usize, d_out: usize) -> Vec<u32> {
    let mut params = vec![product.n_tokens as u32];
    params.extend(product.weight.layout.params());
    let sent_at = product.sent.map_or(0, |sent| sent.at);
    params.extend([begin, end, part.row_begin, d_out, sent_at].map(|n| n as u32));
    params
}
