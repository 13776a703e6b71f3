//! The only place that starts threads.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::job::{Event, Job, Kind};
use super::session::Session;
use crate::model::Cancel;

/// Runs `f` on a named thread of its own and hands back what it returns. For waits of the system, such as a file dialog.
pub fn background<T: Send + 'static>(name: &str, f: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = channel();
    // A thread that cannot start drops the sender, which the receiver reads as "nothing came of it".
    let _ = Builder::new().name(name.into()).spawn(move || {
        let _ = sender.send(f());
    });
    receiver
}

/// The thread that owns the open model, seen from outside.
pub struct EngineThread {
    mailbox: Arc<Mailbox>,
    thread: Option<JoinHandle<()>>,
}

/// Jobs going down and events coming up. Holds at most one waiting job of each kind: a newer one takes its place.
pub struct Mailbox {
    state: Mutex<State>,
    changed: Condvar,
    waker: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Job>,
    running: Option<(Kind, Cancel)>,
    events: VecDeque<Event>,
    closing: bool,
    /// Whether the session has work left that it does when nothing waits.
    background: bool,
}

impl EngineThread {
    /// Starts the thread. `waker` is called, from that thread, whenever an event is ready.
    pub fn start(waker: impl Fn() + Send + Sync + 'static) -> Self {
        let mailbox = Arc::new(Mailbox::new(waker));
        let inside = mailbox.clone();
        let thread = Builder::new().name("engine".into()).spawn(move || serve(&inside)).ok();
        Self { mailbox, thread }
    }

    /// Leaves a job. One of the same kind that has not begun is replaced.
    pub fn send(&self, job: Job) {
        let mut state = self.mailbox.lock();
        state.waiting.retain(|waiting| waiting.kind() != job.kind());
        state.waiting.push(job);
        // Work in the background steps aside at once; the step that it was at is made again.
        if let Some((Kind::Background, cancel)) = &state.running {
            cancel.cancel();
        }
        self.mailbox.changed.notify_all();
    }

    /// Stops what runs, if it is of one of these kinds, and forgets what waits of them.
    pub fn cancel(&self, kinds: &[Kind]) {
        let mut state = self.mailbox.lock();
        state.waiting.retain(|job| !kinds.contains(&job.kind()));
        if let Some((kind, cancel)) = &state.running
            && kinds.contains(kind)
        {
            cancel.cancel();
        }
    }

    /// The events since the last call, in order.
    pub fn events(&self) -> Vec<Event> {
        self.mailbox.collect()
    }

    /// Whether nothing runs, waits or is left to be collected.
    pub fn is_idle(&self) -> bool {
        let state = self.mailbox.lock();
        state.running.is_none() && state.waiting.is_empty() && state.events.is_empty() && !state.background
    }

    /// Waits until an event can be collected or nothing is left to do.
    pub fn wait(&self) {
        let mut state = self.mailbox.lock();
        while state.events.is_empty() && (state.running.is_some() || !state.waiting.is_empty() || state.background) {
            state = self.mailbox.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for EngineThread {
    fn drop(&mut self) {
        let mut state = self.mailbox.lock();
        state.closing = true;
        state.waiting.clear();
        if let Some((_, cancel)) = &state.running {
            cancel.cancel();
        }
        self.mailbox.changed.notify_all();
        drop(state);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Mailbox {
    /// An empty mailbox.
    pub fn new(waker: impl Fn() + Send + Sync + 'static) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), waker: Box::new(waker) }
    }

    /// The events that were posted and not collected.
    pub fn collect(&self) -> Vec<Event> {
        self.lock().events.drain(..).collect()
    }

    /// Hands an event to whoever polls. Progress, of a job or of a study, that was not
    /// collected yet is replaced.
    pub fn post(&self, event: Event) {
        let mut state = self.lock();
        let is_newer = match (&event, state.events.back()) {
            (Event::Progress { .. }, Some(Event::Progress { .. })) => true,
            (Event::Study { id, .. }, Some(Event::Study { id: older, .. })) => id == older,
            _ => false,
        };
        if is_newer {
            state.events.pop_back();
        }
        state.events.push_back(event);
        self.changed.notify_all();
        drop(state);
        (self.waker)();
    }

    /// Whether a job waits, so that background work should stand back.
    pub fn has_waiting(&self) -> bool {
        let state = self.lock();
        state.closing || !state.waiting.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job with its stop flag. No job means: nothing waits, do background work. `None`: close.
    fn next(&self, has_background: bool) -> Option<(Option<Job>, Cancel)> {
        let mut state = self.lock();
        state.running = None;
        state.background = has_background;
        self.changed.notify_all();
        loop {
            if state.closing {
                return None;
            }
            // Kinds are ordered by urgency: a model is opened before it is run.
            if let Some(i) = (0..state.waiting.len()).min_by_key(|&i| state.waiting[i].kind()) {
                let (job, cancel) = (state.waiting.remove(i), Cancel::new());
                state.running = Some((job.kind(), cancel.clone()));
                return Some((Some(job), cancel));
            }
            if has_background {
                let cancel = Cancel::new();
                state.running = Some((Kind::Background, cancel.clone()));
                return Some((None, cancel));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The life of the engine thread. A job that panics costs the open model, which the session opens again, and no more.
fn serve(mailbox: &Mailbox) {
    let mut session = Session::new();
    while let Some((job, cancel)) = mailbox.next(session.has_background_work()) {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match job {
            Some(job) => session.run(job, cancel, mailbox),
            None => session.background_work(cancel, mailbox),
        }));
        if outcome.is_err() {
            session.after_panic(mailbox);
        }
    }
}
