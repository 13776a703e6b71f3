//! The only place that starts threads.

use std::sync::mpsc::{Receiver, channel};
use std::thread::Builder;

/// Runs `f` on a named thread of its own and hands back what it returns. For waits of the system, such as a file dialog.
pub fn background<T: Send + 'static>(name: &str, f: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = channel();
    // A thread that cannot start drops the sender, which the receiver reads as "nothing came of it".
    let _ = Builder::new().name(name.into()).spawn(move || {
        let _ = sender.send(f());
    });
    receiver
}
