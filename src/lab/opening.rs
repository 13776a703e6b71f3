//! Opening models: which one, with which prompt, and in which order the work is asked for.
//!
//! The first screen is to be there at once. So the run of the prompt is sent together with the model, and the search for
//! graphics adapters, which takes longer than both for a small model, comes after them.

use std::sync::Arc;

use super::job::{Job, Kind, OpenJob};
use super::{Activity, Lab, Meaning, ModelCard, ModelSource, NoticeLevel};
use crate::builtin;

/// Recent files that are remembered.
const RECENT: usize = 8;

/// What a lab opens by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Begin {
    /// Nothing.
    #[default]
    Empty,
    /// This model.
    With(ModelSource),
    /// What was open last time; on the first start, and where that is gone, the default built-in model.
    Again,
}

impl Lab {
    /// Opens a model; one that was only `remembered` gives way to the default one if it is gone.
    pub(super) fn open(&mut self, source: ModelSource, remembered: bool) {
        self.notices_before = self.notices;
        self.opened += 1;
        self.engine.cancel(&[Kind::Open, Kind::Trace, Kind::Generate]);
        self.give_up_questions(None);
        let s = &mut self.snapshot;
        // Whoever tries another file has read what was wrong with the last one.
        s.notices.retain(|notice| notice.level != NoticeLevel::Error);
        s.activity = Some(Activity { label: format!("Opening {}", source.name()), fraction: Some(0.0) });
        let (device, exact) = (s.device_choice.clone(), s.exact);
        let first = s.model.is_none();
        // With nothing on screen yet, the prompt need not wait for the model.
        if let Some(model) = source.built_in().and_then(builtin::find).filter(|_| first) {
            self.give_prompt(&model.about().prompt);
        }
        self.engine.send(Job::Open(OpenJob { source, folders: self.folders.clone(), device, exact, remembered }));
        // Nor need the run wait for the frame that would ask for it: it lies in the mailbox until the model is open.
        self.sent_ahead = first && self.generated.is_empty() && self.snapshot.tweaks.is_empty();
        if self.sent_ahead {
            self.send_trace();
        }
    }

    /// Opens the open model again, where or how the choice now says.
    pub(super) fn reopen(&mut self) {
        if let Some(model) = &self.snapshot.model {
            self.open(model.source.clone(), false);
        }
    }

    /// Lists the places to compute, once. To look for graphics adapters takes longer than to open a built-in model and
    /// run its prompt, so that comes first.
    pub(super) fn find_devices(&mut self) {
        if !std::mem::replace(&mut self.devices_asked, true) {
            self.engine.send(Job::FindDevices);
        }
    }

    /// Replaces the prompt by that of a model, unless it is the student's own. True if it is another now.
    fn give_prompt(&mut self, prompt: &str) -> bool {
        let s = &mut self.snapshot;
        if s.prompt != self.given_prompt || s.prompt == prompt {
            return false;
        }
        s.prompt = prompt.to_owned();
        self.given_prompt.clone_from(&s.prompt);
        true
    }

    /// Takes over a model that is open now.
    pub(super) fn opened(&mut self, card: Arc<ModelCard>) {
        let prompt = card.about.as_ref().map_or_else(|| self.plain_prompt.clone(), |about| about.prompt.clone());
        let other_prompt = self.give_prompt(&prompt);
        let s = &mut self.snapshot;
        let about_record = |id: u64| self.record_notices.contains(&id);
        s.notices.retain(|n| n.level != NoticeLevel::Warning || n.id > self.notices_before || about_record(n.id));
        s.last = Some(card.source.clone());
        if let ModelSource::File(path) = &card.source {
            s.recent.retain(|recent| recent != path);
            s.recent.insert(0, path.clone());
            s.recent.truncate(RECENT);
        }
        let config = &card.config;
        let head = &mut s.selection.head;
        (head.layer, head.head) = (head.layer.min(config.n_layers - 1), head.head.min(config.n_heads - 1));
        // Token ids and tensors of another model mean nothing to this one.
        let same_model = s.model.as_ref().is_some_and(|model| model.source == card.source);
        if !same_model || other_prompt {
            self.generated.clear();
            self.generation += 1;
            (s.generation, s.tweaks) = (None, Vec::new());
            (s.clean, s.tweaked) = (None, None);
            s.chat &= card.has_chat_template;
        }
        // Another table, and tokens that mean something else.
        s.meaning = Meaning::default();
        s.model = Some(card);
        if std::mem::take(&mut self.sent_ahead) && !other_prompt {
            self.snapshot.stale = true;
        } else {
            self.request_runs();
        }
    }
}
