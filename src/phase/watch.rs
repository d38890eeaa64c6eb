//! Who may watch a phase: the phase log, alarm muting. The loop does not know them.

use crate::model::{Failure, PhaseAnswer};

use super::plan::Plan;
use super::progress::Progress;

/// Sees what a phase sees. Whatever goes wrong with a watcher never fails a phase: it says so in the answer.
#[allow(unused_variables, reason = "a watcher says only what it wants to see")]
pub(crate) trait Watcher {
    /// A look was judged; EC2 is asked for what the plan wants after this.
    async fn before_asking(&mut self, plan: &Plan, progress: &Progress) {}
    /// EC2 was asked, and what it answered is in `progress`.
    async fn after_asking(&mut self, plan: &Plan, progress: &Progress) {}
    /// The phase waits for its next look.
    async fn before_waiting(&mut self) {}
    /// Nothing is under way any more.
    async fn decided(&mut self, plan: &Plan, progress: &Progress) {}
    /// A dry run was judged: what would be done.
    async fn dry_run(&mut self, plan: &Plan, progress: &Progress) {}
    /// The invocation ends with this answer.
    async fn ends(&mut self, answer: &mut PhaseAnswer) {}
    /// The phase breaks off.
    async fn breaks_off(&mut self, failure: &Failure) {}
}
