//! A layer of experts on the graphics processor, without a word back to the host.
//!
//! The host does not know which experts the router chose, so it launches all of them. A first kernel lists, for each
//! expert, the positions that are sent to it; an expert's products walk along its list, and where the list is empty their
//! workgroups return at once. What is read of the weights and multiplied is thus only what was chosen; what the others
//! cost is their launches.

use super::backend::{Tensor, WgpuBackend};
use super::check::{axes, shape_error};
use super::kernel::Kernel;
use super::launch::flat;
use super::product::{Product, Sent};
use super::weight::Weight;
use crate::model::{Activation, Backend, Expert, Result};

impl WgpuBackend {
    /// Σ over the experts of gates\[:, e\] · expert_e(x), for x `[T, d]` and gates `[T, E]`.
    pub(super) fn sparse_experts(
        &self,
        x: &Tensor,
        gates: &Tensor,
        experts: &[Expert<'_, Weight>],
        activation: Activation,
    ) -> Result<Tensor> {
        let ([n_tokens, _], [_, n_experts]) = (axes("experts", x)?, axes("experts", gates)?);
        if n_experts != experts.len() || n_experts == 0 || gates.shape[0] != n_tokens {
            let detail = format!("x {:?}, gates {:?} and {} experts", x.shape, gates.shape, experts.len());
            return Err(shape_error("experts", detail));
        }
        let lists = self.positions(gates)?;
        let share = self.run.top_k.get().min(n_experts) as f64 / n_experts as f64;
        let sum = self.new_tensor(x.shape.clone())?;
        for (i, expert) in experts.iter().enumerate() {
            let sent = Sent { lists: &lists.data, at: i * (1 + n_tokens), share };
            let (gate, up) = (self.product_of(x, expert.gate, sent)?, self.product_of(x, expert.up, sent)?);
            // Rows that nobody sent here hold what was in the buffer before; they stay unread.
            let hidden = self.gated(&gate, &up, activation)?;
            let out = self.product_of(&hidden, expert.down, sent)?;
            self.scale_rows_into(&out, gates, i, &sum, i > 0)?;
        }
        Ok(sum)
    }

    /// How many positions each expert has, and which: `[E, 1 + T]` whole numbers.
    fn positions(&self, gates: &Tensor) -> Result<Tensor> {
        let [n_tokens, n_experts] = axes("expert_positions", gates)?;
        let lists = self.new_tensor(vec![n_experts, 1 + n_tokens])?;
        let params = [n_tokens as u32, n_experts as u32];
        let (kernel, wide, n) = (Kernel::ExpertPositions, self.run.wide(), flat(n_experts));
        self.run.launch_work(kernel, wide, &[], &[&gates.data], &lists.data, &params, n, gates.len() as f64)?;
        Ok(lists)
    }

    /// The rows of x·Wᵀ that are sent to an expert.
    fn product_of(&self, x: &Tensor, weight: &Weight, sent: Sent<'_>) -> Result<Tensor> {
        let (d_out, d_in) = weight.matrix()?;
        let [n_tokens, width] = axes("experts", x)?;
        if width != d_in {
            return Err(shape_error("experts", format!("x {:?} and a matrix [{d_out}, {d_in}]", x.shape)));
        }
        let y = self.new_tensor(vec![n_tokens, d_out])?;
        let (x, sent) = (&*x.data, Some(sent));
        self.run.product(&Product { x, n_tokens, weight, shape: (d_out, d_in), bias: None, sent, y: &y.data })?;
        Ok(y)
    }

    /// y = gates\[:, column\] · x, row by row; with `add`, y += that.
    pub(super) fn scale_rows_into(
        &self,
        x: &Tensor,
        gates: &Tensor,
        column: usize,
        y: &Tensor,
        add: bool,
    ) -> Result<()> {
        let ([n_rows, width], [n_gates, n_columns]) = (axes("scale_rows", x)?, axes("scale_rows", gates)?);
        if n_rows != n_gates || column >= n_columns || y.shape != x.shape {
            let detail = format!("x {:?} and column {column} of {:?}", x.shape, gates.shape);
            return Err(shape_error("scale_rows", detail));
        }
        let constants = [("ADD", f64::from(u8::from(add)))];
        let params = [x.len(), width, n_columns, column].map(|n| n as u32);
        let inputs = [&*gates.data, &*x.data];
        self.run.launch(Kernel::ScaleRows, self.run.wide(), &constants, &inputs, &y.data, &params, flat(x.len()))
    }
}
