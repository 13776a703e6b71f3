//! The learner's record beside the lab.
//!
//! An answer is safe once the disk has it, which takes milliseconds, or seconds while another window writes. So the store
//! lives on a thread of its own: answers go down in order and none is ever dropped, and where the student stands comes
//! back up. The snapshot shows only what is on disk. Whoever closes the window waits for what was answered last.

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::worker;
use crate::progress::{Act, ActKind, Error, Graded, Level, Moment, Opened, ProfileId, Record, Store};

/// What the first profile of a record is called until somebody names it.
const FIRST_ALIAS: &str = "Student";

/// Where the student stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// What the profile calls itself.
    pub alias: String,
    /// What was earned in all.
    pub xp: u64,
    /// The level that this makes.
    pub level: Level,
    /// Concepts whose review is due.
    pub due: usize,
    /// What is done, as (lesson, item): questions answered right and predictions made.
    pub done: BTreeSet<(String, String)>,
    /// What came of the newest answer of this sitting.
    pub newest: Option<Graded>,
}

/// What the thread says.
pub(super) enum Told {
    /// An answer is on disk, or the record was opened.
    Standing(Standing),
    /// Something has to be said: a damaged record, a full disk.
    Notice(String),
    /// One request, the opening included, is dealt with.
    Done,
}

/// The thread that owns the record, seen from outside.
pub(super) struct Recorder {
    acts: Option<Sender<Act>>,
    told: Receiver<Told>,
    /// What was waited for and is not collected yet.
    waiting: VecDeque<Told>,
    /// Requests that are not dealt with yet.
    pending: usize,
    finished: Receiver<()>,
}

impl Recorder {
    /// Opens the record on a thread of its own. `waker` is called, there, whenever there is something to collect.
    pub fn start(path: PathBuf, waker: impl Fn() + Send + 'static) -> Self {
        let ((acts, asked), (tell, told)) = (channel(), channel());
        let finished = worker::background("record", move || {
            serve(path, &asked, |what| {
                // Nobody listens any more when the window closes: what was answered is written all the same.
                let _ = tell.send(what);
                waker();
            });
        });
        Self { acts: Some(acts), told, waiting: VecDeque::new(), pending: 1, finished }
    }

    /// Leaves an answer to be graded and kept.
    pub fn record(&mut self, act: Act) {
        if self.acts.as_ref().is_some_and(|acts| acts.send(act).is_ok()) {
            self.pending += 1;
        }
    }

    /// What was said since the last call.
    pub fn collect(&mut self) -> Vec<Told> {
        let all: Vec<Told> = self.waiting.drain(..).chain(self.told.try_iter()).collect();
        self.pending -= all.iter().filter(|told| matches!(told, Told::Done)).count();
        all
    }

    /// Whether nothing is to be written or collected.
    pub fn is_idle(&self) -> bool {
        self.pending == 0 && self.waiting.is_empty()
    }

    /// Waits until something can be collected.
    pub fn wait(&mut self) {
        match self.told.recv() {
            Ok(told) => self.waiting.push_back(told),
            // The thread is gone, and with it what it had to do.
            Err(_) => self.pending = 0,
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // Without a sender the thread ends after the last answer.
        self.acts = None;
        let _ = self.finished.recv();
    }
}

fn serve(path: PathBuf, acts: &Receiver<Act>, tell: impl Fn(Told)) {
    let opened = open(&path);
    match opened {
        Ok((mut store, profile, alias, notice)) => {
            notice.into_iter().for_each(|notice| tell(Told::Notice(notice)));
            standing(&mut store, profile, &alias, None, &tell);
            tell(Told::Done);
            for act in acts {
                match store.answer(profile, &act, Moment::now()) {
                    Ok(graded) => standing(&mut store, profile, &alias, Some(graded), &tell),
                    Err(error) => tell(Told::Notice(error.to_string())),
                }
                tell(Told::Done);
            }
        }
        Err(error) => {
            tell(Told::Notice(format!("{error} Answers of this sitting are not kept.")));
            tell(Told::Done);
            acts.iter().for_each(|_| tell(Told::Done));
        }
    }
}

type Found = (Store, ProfileId, String, Option<String>);

fn open(path: &std::path::Path) -> Result<Found, Error> {
    let Opened { mut store, notice } = Store::open(path, Moment::now())?;
    let first = store.profiles()?.into_iter().next();
    let profile = match first {
        Some(profile) => profile,
        None => store.add_profile(FIRST_ALIAS)?,
    };
    Ok((store, profile.id, profile.alias, notice))
}

fn standing(store: &mut Store, profile: ProfileId, alias: &str, newest: Option<Graded>, tell: &impl Fn(Told)) {
    match store.record(profile) {
        Ok(record) => tell(Told::Standing(Standing::of(record, alias, newest))),
        Err(error) => tell(Told::Notice(error.to_string())),
    }
}

impl Standing {
    fn of(record: &Record, alias: &str, newest: Option<Graded>) -> Self {
        let done = record.items().filter(|(_, _, item)| item.kind == ActKind::Prediction || item.best.is_right());
        Self {
            alias: alias.to_owned(),
            xp: record.xp(),
            level: record.level(),
            due: record.due(Moment::now().day()).len(),
            done: done.map(|(lesson, item, _)| (lesson.to_owned(), item.to_owned())).collect(),
            newest,
        }
    }
}
