//! Changes to a running model.
//!
//! There are two primitives. [`Intervention::Edit`] rewrites a region of the tensor at a hook point: ablation, scaling,
//! steering, patching and hand-edited rows are all edits. [`Intervention::Mask`] replaces what a layer's tokens may see.
//! Both act on the device while the pass runs; nothing is read back for them. The student's vocabulary
//! ([`Tweak`](super::tweak::Tweak)) compiles to these.

use std::ops::Range;
use std::sync::Arc;

use super::{Axis, Error, HookPoint, Mask, ModelConfig, Result, Slab};

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub enum Intervention {
    /// Rewrites part of what is at a hook point.
    Edit {
        /// Where.
        at: HookPoint,
        /// Which part.
        region: Region,
        /// What becomes of it.
        edit: Edit,
    },
    /// Replaces the attention mask.
    Mask {
        /// In this layer, or in every layer.
        layer: Option<usize>,
        /// The mask that replaces the model's own.
        mask: Mask,
    },
}

/// What an edit does to its region.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Multiplies every value.
    Scale(f32),
    /// Replaces the values. The list is laid out over the region, row-major; a shorter list whose length divides the
    /// region's is repeated along the leading axes.
    Set(Arc<[f32]>),
    /// Adds values, laid out as in `Set`.
    Add(Arc<[f32]>),
}

impl Edit {
    /// The list of values, for the edits that have one.
    pub fn values(&self) -> Option<&Arc<[f32]>> {
        match self {
            Self::Scale(_) => None,
            Self::Set(values) | Self::Add(values) => Some(values),
        }
    }

    /// The edit of one value, where `i` counts the region's values in row-major order: the plain definition that
    /// device versions are tested against.
    pub fn apply(&self, x: f32, i: usize) -> f32 {
        match self {
            Self::Scale(factor) => x * factor,
            Self::Set(values) => values[i % values.len()],
            Self::Add(values) => x + values[i % values.len()],
        }
    }
}

/// A box in a tensor: a range on some axes, everything on the others. Positions are absolute, cached tokens included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Region(Vec<(Axis, Range<usize>)>);

impl Region {
    /// The whole tensor.
    pub fn whole() -> Self {
        Self::default()
    }

    /// Narrows one axis to a range.
    pub fn range(mut self, axis: Axis, range: Range<usize>) -> Self {
        self.0.push((axis, range));
        self
    }

    /// Narrows one axis to a single index.
    pub fn index(self, axis: Axis, index: usize) -> Self {
        self.range(axis, index..index + 1)
    }

    /// Lays the region over a tensor of the given axes and shape whose new positions begin at `start`. `None` where the
    /// region lies wholly outside the positions of this run; an error where it lies outside the model.
    pub fn resolve(&self, at: HookPoint, shape: &[usize], start: usize) -> Result<Option<Slab>> {
        let axes = at.site.axes();
        let fail = |detail: String| Error::Intervention { point: at, detail };
        let mut slab = Slab::whole(shape);
        for (axis, range) in &self.0 {
            let Some(dim) = axes.iter().position(|a| a == axis) else {
                return Err(fail(format!("it has no {axis:?} axis")));
            };
            let len = shape[dim];
            let (begin, end) = if axis.is_new_positions() {
                (range.start.max(start).saturating_sub(start).min(len), range.end.saturating_sub(start).min(len))
            } else if *axis == Axis::KeyPos {
                (range.start.min(len), range.end.min(len))
            } else if range.end > len {
                return Err(fail(format!("{axis:?} {} is asked for, and there are {len}", range.end - 1)));
            } else {
                (range.start, range.end)
            };
            if begin >= end {
                return Ok(None);
            }
            slab.narrow(shape.len(), dim, begin, end);
        }
        Ok(Some(slab))
    }
}

/// The changes that a run carries out, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Interventions(pub Vec<Intervention>);

impl Interventions {
    /// No change.
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The edits at one hook point, in order.
    pub fn edits_at(&self, point: HookPoint) -> impl Iterator<Item = (&Region, &Edit)> {
        self.0.iter().filter_map(move |i| match i {
            Intervention::Edit { at, region, edit } if *at == point => Some((region, edit)),
            _ => None,
        })
    }

    /// The mask of a layer: the last replacement that names it, or the model's own.
    pub fn mask(&self, config: &ModelConfig, layer: usize) -> Mask {
        let own = Mask { causal: true, window: config.sliding_window };
        self.0.iter().fold(own, |mask, i| match i {
            Intervention::Mask { layer: l, mask: replaced } if l.is_none_or(|l| l == layer) => *replaced,
            _ => mask,
        })
    }

    /// Whether tokens never see later ones, so that K and V of the past stay valid and a cache may be used.
    pub fn are_causal(&self) -> bool {
        !self.0.iter().any(|i| matches!(i, Intervention::Mask { mask, .. } if !mask.causal))
    }

    /// Whether a layer's scores or pattern are edited, so that they must be materialised.
    pub fn touch_scores(&self, layer: usize) -> bool {
        self.0
            .iter()
            .any(|i| matches!(i, Intervention::Edit { at, .. } if at.layer == Some(layer) && at.site.is_score()))
    }

    /// Refuses edits at hook points that the model does not have.
    pub fn check(&self, config: &ModelConfig) -> Result<()> {
        for i in &self.0 {
            let Intervention::Edit { at, edit, .. } = i else { continue };
            let fail = |detail: &str| Err(Error::Intervention { point: *at, detail: detail.into() });
            if !at.exists_in(config) {
                return fail("this model has no such place");
            }
            if edit.values().is_some_and(|v| v.is_empty()) {
                return fail("the list of new values is empty");
            }
        }
        Ok(())
    }
}
