//! What a run recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Axis, HookPoint};

/// The recorded tensors of one run, on the host.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    /// The tokens that the run computed.
    pub tokens: Vec<u32>,
    /// Position of the first of them.
    pub start: usize,
    /// The tensors, by hook point.
    pub tensors: BTreeMap<HookPoint, Recorded>,
}

/// One recorded tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Lengths of its axes, slowest first; which axes they are, the hook point's site says.
    pub shape: Vec<usize>,
    /// The values, row-major.
    pub data: Arc<[f32]>,
}

impl Trace {
    /// What was recorded at a hook point.
    pub fn get(&self, point: HookPoint) -> Option<&Recorded> {
        self.tensors.get(&point)
    }

    /// Bytes that the recorded values take.
    pub fn n_bytes(&self) -> usize {
        self.tensors.values().map(|t| t.data.len() * size_of::<f32>()).sum()
    }

    /// The first hook point, in the order of the pass, that holds NaN or +∞. (−∞ is how masked scores read.)
    pub fn first_not_finite(&self) -> Option<HookPoint> {
        let mut points: Vec<_> = self.tensors.keys().copied().collect();
        points
            .sort_by_key(|p| (p.layer.unwrap_or(if p.site < super::Site::ResidPre { 0 } else { usize::MAX }), p.site));
        points.into_iter().find(|p| self.tensors[p].data.iter().any(|x| x.is_nan() || *x == f32::INFINITY))
    }
}

impl Recorded {
    /// The values at one index of the slowest axis.
    pub fn row(&self, index: usize) -> Option<&[f32]> {
        let len: usize = self.shape.iter().skip(1).product();
        self.data.get(index.checked_mul(len)?..(index + 1).checked_mul(len)?)
    }

    /// One head's `[query, key]` matrix of a tensor with axes `[head, query, key]`.
    pub fn head(&self, head: usize) -> Option<&[f32]> {
        self.row(head)
    }

    /// Pairs each axis of a site with its length here.
    pub fn named(&self, axes: &[Axis]) -> Vec<(Axis, usize)> {
        axes.iter().copied().zip(self.shape.iter().copied()).collect()
    }
}
