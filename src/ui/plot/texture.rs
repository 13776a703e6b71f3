//! Matrices as textures.
//!
//! A pattern of 256 tokens has 65 536 cells. Drawn as rectangles they would cost the window its frame rate; as a texture
//! they cost one quad. [`Cached`] keeps what was derived from a run until its key changes, and [`Later`] derives it on a
//! thread of its own, showing the older one meanwhile.

use std::sync::mpsc::{Receiver, TryRecvError};

use egui::{Color32, ColorImage, Context};

use super::Ramp;
use crate::lab::worker;

/// One derived value, kept as long as its key stays the same.
#[derive(Debug)]
pub struct Cached<K, V> {
    entry: Option<(K, V)>,
}

impl<K, V> Default for Cached<K, V> {
    fn default() -> Self {
        Self { entry: None }
    }
}

impl<K: PartialEq, V> Cached<K, V> {
    /// The value for a key, made anew if the key is another than last time.
    pub fn get(&mut self, key: K, make: impl FnOnce() -> V) -> &V {
        if self.entry.as_ref().is_none_or(|(old, _)| *old != key) {
            self.entry = None;
        }
        &self.entry.get_or_insert_with(|| (key, make())).1
    }
}

/// A derived value that takes longer than a frame, made on a thread of its own.
#[derive(Debug)]
pub struct Later<K, V> {
    ready: Option<(K, V)>,
    pending: Option<(K, Receiver<V>)>,
}

impl<K, V> Default for Later<K, V> {
    fn default() -> Self {
        Self { ready: None, pending: None }
    }
}

impl<K: PartialEq + Clone, V: Send + 'static> Later<K, V> {
    /// The newest value there is, which may still be that of an older key. `Some(true)` in the second place means that
    /// it has just arrived.
    pub fn get(&mut self, ctx: &Context, key: &K, make: impl FnOnce() -> V + Send + 'static) -> Option<(&K, &V, bool)> {
        let mut arrived = false;
        match self.pending.as_ref().map(|(_, receiver)| receiver.try_recv()) {
            Some(Ok(value)) => {
                self.ready = self.pending.take().map(|(key, _)| (key, value));
                arrived = true;
            }
            Some(Err(TryRecvError::Disconnected)) => self.pending = None,
            Some(Err(TryRecvError::Empty)) | None => {}
        }
        let is_ready = self.ready.as_ref().is_some_and(|(k, _)| k == key);
        // One thread at a time: while a slider is dragged, only the newest picture is worth making.
        if !is_ready && self.pending.is_none() {
            let waker = ctx.clone();
            let receiver = worker::background("picture", move || {
                let value = make();
                waker.request_repaint();
                value
            });
            self.pending = Some((key.clone(), receiver));
        }
        if self.pending.is_some() {
            // The waker fires before the value is in the channel; a later look makes sure that it is seen.
            ctx.request_repaint_after(std::time::Duration::from_millis(20));
        }
        self.ready.as_ref().map(|(key, value)| (key, value, arrived))
    }

    /// Whether the value for the newest key is still being made.
    pub fn is_pending(&self) -> bool {
        self.pending.is_some()
    }
}

/// A picture of a row-major matrix `[rows, cols]`, one pixel per value; `position` maps a value to 0..=1 of the colour map.
/// −∞ and NaN are drawn as `blank`.
pub fn matrix_image(
    data: &[f32],
    cols: usize,
    ramp: &Ramp,
    blank: Color32,
    position: impl Fn(usize, f32) -> f32,
) -> ColorImage {
    let cols = cols.max(1);
    let rows = data.len() / cols;
    let pixels = data[..rows * cols].iter().enumerate();
    let pixels = pixels.map(|(i, &x)| if x.is_finite() { ramp.at(position(i, x)) } else { blank }).collect();
    ColorImage::new([cols, rows], pixels)
}
