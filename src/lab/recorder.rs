//! The learner's record beside the lab.
//!
//! An answer is safe once the disk has it, which takes milliseconds, or seconds while another window writes. So the store
//! lives on a thread of its own: what is asked goes down in order and nothing is ever dropped, and where the student
//! stands comes back up. The snapshot shows only what is on disk. Whoever closes the window waits for what was answered
//! last.
//!
//! The same thread computes the hash of the open model's weights when an answer depends on it, and writes exports: both
//! read or write files, and both belong beside the answers in order.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::learner::{Bench, LearnerCommand, OpenModel};
use super::standing::{Newest, Plan, Sitting, Standing};
use super::{course, report, worker};
use crate::engine::open_checkpoint;
use crate::lesson::{Concepts, Lesson, Library, QuestionKind};
use crate::progress::{Act, ActKind, Error, Graded, Moment, Opened, Profile, Store};

/// What the first profile of a record is called until somebody names it.
const FIRST_ALIAS: &str = "Student";

/// What the thread is asked.
enum Ask {
    /// To grade and keep an answer; the model is the one that was open.
    Answer(Box<Act>, Option<OpenModel>),
    /// Something else, with what stood on the bench.
    Learner(LearnerCommand, Box<Bench>),
}

/// What the thread says.
pub(super) enum Told {
    /// Something was written, or the record was opened.
    Standing(Box<Standing>),
    /// Something has to be said: a damaged record, a full disk.
    Problem(String),
    /// There is no record in this sitting, and why.
    Unavailable(String),
    /// Something worked that cannot be seen otherwise.
    Saved(String),
    /// One request, the opening included, is dealt with.
    Done,
}

/// The thread that owns the record, seen from outside.
pub(super) struct Recorder {
    asks: Option<Sender<Ask>>,
    told: Receiver<Told>,
    /// What was waited for and is not collected yet.
    waiting: VecDeque<Told>,
    /// Requests that are not dealt with yet.
    pending: usize,
    finished: Receiver<()>,
}

impl Recorder {
    /// Opens the record on a thread of its own, as the profile with this account if there is one. `waker` is called,
    /// there, whenever there is something to collect.
    pub fn start(path: PathBuf, account: Option<String>, waker: impl Fn() + Send + 'static) -> Self {
        let ((asks, asked), (tell, told)) = (channel(), channel());
        let finished = worker::background("record", move || {
            serve(path, account.as_deref(), &asked, &|what| {
                // Nobody listens any more when the window closes: what was answered is written all the same.
                let _ = tell.send(what);
                waker();
            });
        });
        Self { asks: Some(asks), told, waiting: VecDeque::new(), pending: 1, finished }
    }

    /// Leaves an answer to be graded and kept.
    pub fn record(&mut self, act: Act, model: Option<OpenModel>) {
        self.ask(Ask::Answer(Box::new(act), model));
    }

    /// Leaves another request.
    pub fn learner(&mut self, command: LearnerCommand, bench: Bench) {
        self.ask(Ask::Learner(command, Box::new(bench)));
    }

    fn ask(&mut self, ask: Ask) {
        if self.asks.as_ref().is_some_and(|asks| asks.send(ask).is_ok()) {
            self.pending += 1;
        }
    }

    /// What was said since the last call.
    pub fn collect(&mut self) -> Vec<Told> {
        let all: Vec<Told> = self.waiting.drain(..).chain(self.told.try_iter()).collect();
        self.pending = self.pending.saturating_sub(all.iter().filter(|told| matches!(told, Told::Done)).count());
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
        self.asks = None;
        let _ = self.finished.recv();
    }
}

fn serve(path: PathBuf, account: Option<&str>, asks: &Receiver<Ask>, tell: &dyn Fn(Told)) {
    match Keeper::open(path, account) {
        Ok(mut keeper) => {
            keeper.stand(tell);
            tell(Told::Done);
            for ask in asks {
                keeper.answer(ask, tell);
                tell(Told::Done);
            }
        }
        Err(error) => {
            tell(Told::Unavailable(format!("{error} Answers of this sitting are not kept.")));
            tell(Told::Done);
            asks.iter().for_each(|_| tell(Told::Done));
        }
    }
}

/// Who has the record open.
struct Keeper {
    path: PathBuf,
    /// None only while a new record takes the old one's place, or where that did not work.
    store: Option<Store>,
    own: Profile,
    plan: Plan,
    newest: Option<Newest>,
    recovery: Option<String>,
    /// The last model whose hash was computed, and the hash; none where it could not be.
    hash: Option<(OpenModel, Option<String>)>,
}

impl Keeper {
    fn open(path: PathBuf, account: Option<&str>) -> Result<Self, Error> {
        let Opened { mut store, notice } = Store::open(&path, Moment::now())?;
        let own = chosen(&mut store, account)?;
        let (library, concepts) = (Library::embedded(), Concepts::embedded());
        let (course, prerequisites) = (course::course(&library), course::prerequisites(&library, &concepts));
        let plan = Plan { library, course, prerequisites };
        Ok(Self { path, store: Some(store), own, plan, newest: None, recovery: notice, hash: None })
    }

    fn answer(&mut self, ask: Ask, tell: &dyn Fn(Told)) {
        let outcome = match ask {
            Ask::Answer(act, model) => self.keep(*act, model).map(|()| None),
            Ask::Learner(command, bench) => self.carry_out(command, &bench),
        };
        match outcome {
            Ok(said) => said.into_iter().for_each(|said| tell(Told::Saved(said))),
            Err(problem) => tell(Told::Problem(problem)),
        }
        self.stand(tell);
    }

    /// The open store.
    fn store(&mut self) -> Result<&mut Store, String> {
        let path = self.path.display();
        self.store.as_mut().ok_or_else(|| format!("{path}: the record is not open; start Glassbox again."))
    }

    fn keep(&mut self, mut act: Act, model: Option<OpenModel>) -> Result<(), String> {
        if depends_on_model(&self.plan.library, &act) && act.model.is_none() {
            act.model = model.and_then(|model| self.hash_of(model));
        }
        let own = self.own.id;
        let graded = self.store()?.answer(own, &act, Moment::now()).map_err(|e| e.to_string())?;
        self.earned(graded);
        Ok(())
    }

    fn earned(&mut self, graded: Graded) {
        let number = self.newest.as_ref().map_or(1, |newest| newest.number + 1);
        self.newest = Some(Newest { number, graded });
    }

    /// Carries out a request; returns what has to be said although it cannot be seen.
    fn carry_out(&mut self, command: LearnerCommand, bench: &Bench) -> Result<Option<String>, String> {
        let said = |e: Error| e.to_string();
        match command {
            LearnerCommand::Refresh => {}
            LearnerCommand::AddProfile(alias) => {
                let profile = self.store()?.add_profile(&alias).map_err(said)?;
                self.become_(profile);
            }
            LearnerCommand::SwitchProfile(id) => {
                let profiles = self.store()?.profiles().map_err(said)?;
                let profile = profiles.into_iter().find(|profile| profile.id == id);
                self.become_(profile.ok_or("This profile is no longer there: choose another one.")?);
            }
            LearnerCommand::ChangeProfile(profile) => self.store()?.change_profile(&profile).map_err(said)?,
            LearnerCommand::RemoveProfile(id) => {
                let own = self.own.id;
                let store = self.store()?;
                store.remove_profile(id).map_err(said)?;
                if id == own {
                    let next = chosen(store, None).map_err(said)?;
                    self.become_(next);
                }
            }
            LearnerCommand::Export { what, to, changes } => {
                let hash = bench.model.clone().and_then(|model| self.hash_of(model));
                let own = self.own.clone();
                let everyone = self.store()?.everyone().map_err(said)?;
                let (Some(store), course) = (&self.store, &self.plan.course) else { return Ok(None) };
                let bench = (bench, hash.as_deref(), changes.as_slice());
                let text = report::text(what, store, &everyone, &own, course, bench, Moment::now())?;
                report::write(&to, &text)?;
                return Ok(Some(format!("Saved as {}.", to.display())));
            }
            LearnerCommand::KeepRestored => self.recovery = None,
            LearnerCommand::StartAfresh => return self.start_afresh().map(Some),
        }
        Ok(None)
    }

    fn become_(&mut self, profile: Profile) {
        self.own = profile;
        self.newest = None;
    }

    /// Begins a new record, and says where the old one is.
    fn start_afresh(&mut self) -> Result<String, String> {
        self.store = None;
        let now = Moment::now();
        let (store, kept, problem) = match Store::start_afresh(&self.path, now) {
            Ok((store, kept)) => (store, kept, None),
            // Whatever stood in the way, the record that was open is still there.
            Err(error) => (Store::open(&self.path, now).map_err(|e| e.to_string())?.store, None, Some(error)),
        };
        let own = chosen(self.store.insert(store), None).map_err(|e| e.to_string())?;
        self.become_(own);
        if let Some(error) = problem {
            return Err(error.to_string());
        }
        self.recovery = None;
        let kept = kept.map(|kept| format!(" The old one is kept as {}.", kept.display())).unwrap_or_default();
        Ok(format!("A new record begins.{kept}"))
    }

    /// The hash of a model's weights. A file is read once for each time that it is opened.
    fn hash_of(&mut self, model: OpenModel) -> Option<String> {
        if let Some((known, hash)) = &self.hash
            && *known == model
        {
            return hash.clone();
        }
        let checkpoint = open_checkpoint(&model.source, &model.folders).ok();
        let hash = checkpoint.and_then(|checkpoint| checkpoint.digest().ok());
        self.hash = Some((model, hash.clone()));
        hash
    }

    /// Says where the student stands.
    fn stand(&mut self, tell: &dyn Fn(Told)) {
        let everyone = match self.store.as_mut().map(Store::everyone) {
            Some(Ok(everyone)) => everyone,
            Some(Err(error)) => return tell(Told::Problem(error.to_string())),
            None => return,
        };
        let (path, recovery) = (self.path.clone(), self.recovery.clone());
        let sitting = Sitting { newest: self.newest.clone(), path, recovery };
        match Standing::of(&self.own, &everyone, &self.plan, sitting, Moment::now()) {
            Some(standing) => tell(Told::Standing(Box::new(standing))),
            // Another window has removed the profile.
            None => match self.store.as_mut().map(|store| chosen(store, None)) {
                Some(Ok(own)) => {
                    self.become_(own);
                    self.stand(tell);
                }
                Some(Err(error)) => tell(Told::Problem(error.to_string())),
                None => {}
            },
        }
    }
}

/// The profile with an account, else the oldest one, else a new one.
fn chosen(store: &mut Store, account: Option<&str>) -> Result<Profile, Error> {
    let profiles = store.profiles()?;
    let named = profiles.iter().find(|profile| Some(profile.account.as_str()) == account);
    match named.or(profiles.first()) {
        Some(profile) => Ok(profile.clone()),
        None => store.add_profile(FIRST_ALIAS),
    }
}

/// Whether an answer depends on the open model: predictions, tasks and live questions are settled by it, and so is what was
/// answered while something was changed in it.
fn depends_on_model(library: &Library, act: &Act) -> bool {
    let questions = library.lessons.iter().filter(|l| l.meta.id == act.lesson).flat_map(Lesson::questions);
    let mut live = questions.filter(|q| matches!(q.kind, QuestionKind::Live { .. }));
    act.kind != ActKind::Question || !act.tweaks.is_empty() || live.any(|q| q.id == act.item)
}
