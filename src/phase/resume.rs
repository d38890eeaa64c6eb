//! What an invocation takes over from the one before, which may have been changed by hand on the way.
//!
//! Owns which `resume` is refused, and what does not travel in it. Pure.

use jiff::{SignedDuration, Timestamp};

use crate::model::Action;

use super::progress::{Progress, Remembered};

/// A phase lasts a day at most, and an execution that waits for its turn not much longer.
const LONGEST_AGO: SignedDuration = SignedDuration::from_hours(31 * 24);
/// Clocks of two machines differ by less.
const FURTHEST_AHEAD: SignedDuration = SignedDuration::from_hours(1);
/// EC2's first day, 2006-08-25: no instance was started or stopped before
/// (<https://aws.amazon.com/blogs/aws/amazon_ec2_beta/>).
const EC2_BEGAN: Timestamp = Timestamp::constant(1_156_464_000, 0);
/// Looks are at least 1.5 s apart (pace.rs), and a list waits for a day at most: 57,600.
const MOST_TIMES: u32 = 100_000;

impl Progress {
    /// The progress as the invocation before handed it on, with what does not travel filled in.
    #[must_use]
    pub(crate) fn resumed(self, environments: usize) -> Self {
        Self { buckets: self.buckets.resumed(self.action, environments), ..self }
    }

    /// Why a phase cannot go on from this, if it cannot: it is another phase's, or its numbers are impossible.
    pub(crate) fn refusal(&self, phase_number: u32, action: Action, now: Timestamp) -> Option<&'static str> {
        let latest = now + FURTHEST_AHEAD;
        let recent = now - LONGEST_AGO..=latest;
        let (mut ours, mut theirs) = (self.times(), self.servers.values().flat_map(Remembered::times_of_ec2));
        if self.phase_number != phase_number {
            Some("of this phase_number")
        } else if self.action != action {
            Some("of this action")
        } else if !ours.all(|at| recent.contains(&at)) {
            Some("with times of the last month")
        } else if !theirs.all(|at| (EC2_BEGAN..=latest).contains(&at)) {
            Some("with times of instances since 2006")
        } else if !self.buckets.are_possible() {
            Some("with token counts that can be")
        } else if self.servers.values().any(|memory| memory.passes.max(memory.refusals) > MOST_TIMES) {
            Some("with counts that can be")
        } else {
            None
        }
    }

    /// When this phase did or saw something.
    fn times(&self) -> impl Iterator<Item = Timestamp> {
        let phase =
            [self.began_at, self.members_since, self.buckets.requests_at(), self.buckets.instances_at()];
        let doubts = self.doubts.values().map(|doubt| doubt.since);
        phase.into_iter().chain(doubts).chain(self.servers.values().flat_map(Remembered::times))
    }
}

impl Remembered {
    /// When this phase asked, is to ask again, and saw it ready.
    fn times(&self) -> impl Iterator<Item = Timestamp> {
        [self.asked_at, self.again_at, self.ready_at].into_iter().flatten()
    }

    /// What EC2 said of the time before: it may be years ago.
    fn times_of_ec2(&self) -> impl Iterator<Item = Timestamp> {
        [self.launch_before, self.stopped_before].into_iter().flatten()
    }
}
