//! Who watches a phase: the phase log, and alarm muting where the function is told to mute. What muting did is told in
//! the phase log.

use crate::model::{Failure, PhaseAnswer};
use crate::muting::watcher::Muter;
use crate::phase::plan::Plan;
use crate::phase::progress::Progress;
use crate::phase::watch::Watcher;
use crate::phase_log::Narrator;
use crate::ports::{Clock, MuteAlarms, PhaseLog};

/// Both watchers of a phase.
#[derive(Debug)]
pub(crate) struct Watchers<'a, W> {
    /// Mutes alarms, if the function is told to.
    pub muter: Option<Muter<'a, W>>,
    /// Tells the phase's story.
    pub log: Narrator<'a, W>,
}

impl<W: PhaseLog + Clock> Watchers<'_, W> {
    fn tell_of_muting(&mut self) {
        if let Some(muter) = &mut self.muter {
            self.log.add(muter.take_lines());
        }
    }
}

impl<W: MuteAlarms + PhaseLog + Clock> Watcher for Watchers<'_, W> {
    async fn before_asking(&mut self, plan: &Plan, progress: &Progress) {
        if let Some(muter) = &mut self.muter {
            muter.before_asking(plan, progress).await;
        }
        self.tell_of_muting();
    }

    async fn after_asking(&mut self, plan: &Plan, progress: &Progress) {
        self.log.after_asking(plan, progress).await;
    }

    async fn before_waiting(&mut self) {
        self.log.before_waiting().await;
    }

    async fn decided(&mut self, plan: &Plan, progress: &Progress) {
        if let Some(muter) = &mut self.muter {
            muter.decided(plan, progress).await;
        }
    }

    async fn dry_run(&mut self, plan: &Plan, progress: &Progress) {
        if let Some(muter) = &mut self.muter {
            muter.dry_run(plan, progress).await;
        }
    }

    async fn ends(&mut self, answer: &mut PhaseAnswer) {
        self.tell_of_muting();
        if let Some(muter) = &mut self.muter {
            muter.ends(answer).await;
        }
        self.log.ends(answer).await;
    }

    async fn breaks_off(&mut self, failure: &Failure) {
        self.tell_of_muting();
        self.log.breaks_off(failure).await;
    }
}
