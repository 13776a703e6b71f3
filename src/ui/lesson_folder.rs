//! A teacher's own folder of lessons, read again whenever a file in it changes.
//!
//! A disk can be slow, so nothing is read on the thread of the window: once a second a thread looks whether names, sizes or
//! times of the files are others, and only then reads them.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use egui::Context;

use crate::lab::worker;
use crate::lesson::{Library, Stamp};

/// Seconds between two looks at the folder.
const EVERY: f64 = 1.0;

/// The folder that is open.
pub struct LessonFolder {
    path: PathBuf,
    /// What the folder looked like when it was last read.
    stamp: Stamp,
    reading: Option<Receiver<Option<(Library, Stamp)>>>,
    /// When it was last looked at, in the window's seconds.
    looked: Option<f64>,
    was_read: bool,
}

impl LessonFolder {
    /// A folder that was not read yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path, stamp: Stamp::default(), reading: None, looked: None, was_read: false }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is being read for the first time.
    pub fn is_pending(&self) -> bool {
        !self.was_read
    }

    /// Its lessons, if they are new. Looks at the folder again when it is time.
    pub fn poll(&mut self, ctx: &Context) -> Option<Library> {
        let now = ctx.input(|input| input.time);
        let mut fresh = None;
        if let Some(reading) = &self.reading {
            match reading.try_recv() {
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => self.reading = None,
                Ok(found) => {
                    (self.reading, self.was_read) = (None, true);
                    if let Some((library, stamp)) = found {
                        self.stamp = stamp;
                        fresh = Some(library);
                    }
                }
            }
        }
        let due = self.looked.is_none_or(|looked| now - looked >= EVERY);
        if self.reading.is_none() && due {
            self.looked = Some(now);
            let (path, before, waker) = (self.path.clone(), self.stamp.clone(), ctx.clone());
            self.reading = Some(worker::background("lesson folder", move || {
                let found = Library::open_if_changed(&path, &before);
                if found.is_some() {
                    waker.request_repaint();
                }
                found
            }));
        }
        ctx.request_repaint_after(Duration::from_secs_f64(if self.was_read { EVERY } else { 0.02 }));
        fresh
    }
}
