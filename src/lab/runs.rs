//! Asking for runs and generations: which one is the newest, and what a request holds.

use std::sync::Arc;
use std::time::Duration;

use super::job::{GenerateJob, Job, Kind, Sequence, TraceJob};
use super::{Generation, Lab};
use crate::model::tweak::Tweak;

impl Lab {
    /// The text is another: what was generated after it goes, and what runs for it stops.
    pub(super) fn sequence_changed(&mut self) {
        self.engine.cancel(&[Kind::Trace, Kind::Generate]);
        self.generated.clear();
        self.generation += 1;
        self.snapshot.generation = None;
        self.request_runs();
    }

    /// Asks for new runs. A run that goes on is let finish, so that a dragged slider shows something on its way.
    pub(super) fn request_runs(&mut self) {
        if self.snapshot.model.is_none() {
            // What was sent ahead is about another text now.
            self.sent_ahead = false;
            return;
        }
        self.snapshot.stale = true;
        self.send_trace();
        self.studies_of_another_text();
    }

    pub(super) fn send_trace(&mut self) {
        self.revision += 1;
        self.engine.send(Job::Trace(self.trace_job()));
    }

    pub(super) fn trace_job(&self) -> TraceJob {
        let s = &self.snapshot;
        TraceJob {
            revision: self.revision,
            sequence: Sequence { prompt: s.prompt.clone(), chat: s.chat, generated: self.generated.clone() },
            donor: s.donor_prompt.clone(),
            tweaks: s.tweaks.clone(),
            detail_layer: s.selection.head.layer,
        }
    }

    pub(super) fn generate(&mut self, max_tokens: usize) {
        let s = &mut self.snapshot;
        if s.model.is_none() || s.generation.as_ref().is_some_and(|g| g.running) {
            return;
        }
        let before = s.generation.take().map(Arc::unwrap_or_clone).unwrap_or_default();
        s.generation = Some(Arc::new(Generation { running: true, stopped: None, step_times: Vec::new(), ..before }));
        // Each continuation draws on from where the last one stopped, not the same numbers again.
        let mut sampler = s.sampler;
        sampler.seed = sampler.seed.wrapping_add(self.generated.len() as u64);
        let use_cache = s.use_cache;
        self.generation += 1;
        let (id, from) = (self.generation, self.trace_job());
        self.engine.send(Job::Generate(GenerateJob { id, from, sampler, max_tokens, use_cache }));
    }
}

/// Adds a change or takes it back. Of the kinds that can only be in force once, the new one replaces the old.
pub(super) fn toggle(tweaks: &mut Vec<Tweak>, tweak: Tweak) {
    if let Some(i) = tweaks.iter().position(|t| *t == tweak) {
        tweaks.remove(i);
        return;
    }
    let once = matches!(tweak, Tweak::Window { .. } | Tweak::Unscaled | Tweak::Acausal);
    if once {
        tweaks.retain(|t| std::mem::discriminant(t) != std::mem::discriminant(&tweak));
    }
    tweaks.push(tweak);
}

/// Tokens per second over the last second, the prompt's own time left out.
pub(super) fn rate(step_times: &[Duration]) -> f32 {
    let mut time = Duration::ZERO;
    let recent = step_times.iter().skip(1).rev();
    let n = recent
        .take_while(|step| {
            time += **step;
            time < Duration::from_secs(1) + **step
        })
        .count();
    if time.is_zero() { 0.0 } else { n as f32 / time.as_secs_f32() }
}
