//! The observer that travels through a pass: it applies the edits and records what was asked for.

use std::collections::{BTreeMap, HashSet};

use super::{Backend, HookPoint, Interventions, ModelConfig, Recorded, Result, Site, Trace};

/// Values that are read back at a time, about.
const BATCH_VALUES: usize = 16 << 20;

/// Which hook points a run records.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Capture {
    points: HashSet<HookPoint>,
}

impl Capture {
    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Every hook point of the model.
    pub fn all(config: &ModelConfig) -> Self {
        Self { points: HookPoint::all(config).into_iter().collect() }
    }

    /// One more hook point.
    pub fn with(mut self, point: HookPoint) -> Self {
        self.points.insert(point);
        self
    }

    /// A site in every layer that has it, or the one place of a site outside the blocks.
    pub fn with_site(mut self, site: Site, config: &ModelConfig) -> Self {
        self.points.extend(HookPoint::all(config).into_iter().filter(|p| p.site == site));
        self
    }

    /// Everything that either asks for.
    pub fn union(mut self, other: &Self) -> Self {
        self.points.extend(other.points.iter().copied());
        self
    }

    /// Whether a hook point is recorded.
    pub fn wants(&self, point: HookPoint) -> bool {
        self.points.contains(&point)
    }

    /// Whether everything that `other` asks for is asked for here too.
    pub fn covers(&self, other: &Self) -> bool {
        other.points.is_subset(&self.points)
    }

    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The points, in no order.
    pub fn points(&self) -> impl Iterator<Item = HookPoint> {
        self.points.iter().copied()
    }
}

impl FromIterator<HookPoint> for Capture {
    fn from_iter<I: IntoIterator<Item = HookPoint>>(points: I) -> Self {
        Self { points: points.into_iter().collect() }
    }
}

/// Carries a run's captures and interventions through the forward pass.
pub struct Probe<'a, B: Backend> {
    capture: &'a Capture,
    interventions: &'a Interventions,
    recorded: Vec<(HookPoint, B::Tensor)>,
    start: usize,
}

impl<'a, B: Backend> Probe<'a, B> {
    /// A probe that records `capture` and carries out `interventions`.
    pub fn new(capture: &'a Capture, interventions: &'a Interventions) -> Self {
        Self { capture, interventions, recorded: Vec::new(), start: 0 }
    }

    /// The changes that it carries out.
    pub fn interventions(&self) -> &'a Interventions {
        self.interventions
    }

    /// Whether any of a layer's scores or its pattern is looked at or changed.
    pub fn sees_scores(&self, layer: usize) -> bool {
        self.interventions.touch_scores(layer)
            || [Site::RawScores, Site::ScaledScores, Site::Scores, Site::Pattern]
                .iter()
                .any(|site| self.capture.wants(HookPoint::layer(layer, *site)))
    }

    /// Whether a hook point is recorded or edited.
    pub fn sees(&self, point: HookPoint) -> bool {
        self.capture.wants(point) || self.interventions.edits_at(point).next().is_some()
    }

    /// What the recorded tensors hold. They are read back many at a time, and leave the device as they are read, so that
    /// a long prompt's patterns never stand in memory twice.
    pub fn into_trace(self, backend: &B, tokens: &[u32]) -> Result<Trace> {
        let mut tensors = BTreeMap::new();
        let mut left = self.recorded.into_iter().peekable();
        while left.peek().is_some() {
            let (mut points, mut batch, mut shapes, mut values) = (Vec::new(), Vec::new(), Vec::new(), 0);
            while values < BATCH_VALUES
                && let Some((point, tensor)) = left.next()
            {
                shapes.push(backend.shape(&tensor));
                values += shapes.last().map_or(0, |shape| shape.iter().product());
                points.push(point);
                batch.push(tensor);
            }
            let read = backend.read(&batch)?;
            drop(batch);
            let recorded = shapes.into_iter().zip(read).map(|(shape, data)| Recorded { shape, data: data.into() });
            tensors.extend(points.into_iter().zip(recorded));
        }
        Ok(Trace { tokens: tokens.to_vec(), start: self.start, tensors })
    }

    /// The recorded tensors as the device holds them, in the order of the pass: training takes losses from them.
    pub fn into_tensors(self) -> Vec<(HookPoint, B::Tensor)> {
        self.recorded
    }

    /// The pass begins at this position.
    pub(super) fn begin(&mut self, start: usize) {
        self.start = start;
    }

    /// The pass stands at a hook point with tensor `x`: edits it, records it, and hands it back.
    pub(super) fn at(&mut self, backend: &B, point: HookPoint, mut x: B::Tensor) -> Result<B::Tensor> {
        for (region, edit) in self.interventions.edits_at(point) {
            if let Some(slab) = region.resolve(point, &backend.shape(&x), self.start)? {
                let values = edit.values().map_or(1, |v| v.len());
                let size: usize = slab.len.iter().product();
                if !size.is_multiple_of(values) && size > values {
                    let detail = format!("{values} values do not fill a region of {size}");
                    return Err(super::Error::Intervention { point, detail });
                }
                x = backend.edit(&x, slab, edit)?;
            }
        }
        if self.capture.wants(point) {
            self.recorded.push((point, x.clone()));
        }
        Ok(x)
    }
}
