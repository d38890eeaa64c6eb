//! The loop of one phase: look, decide, ask, wait.
//!
//! Owns the order of things and the clock's part in it: the list's patience, the invocation's deadline, the pauses.
//! It decides nothing about a server and knows no AWS and no watcher by name. It looks at what is and asks only for
//! what is missing, so it is safe to run twice: what was asked before can be seen, or comes with `resume`.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::model::{Action, Failure, Instance, PhaseAnswer, StopKind};
use crate::ports::World;
use crate::servers::file::ServerList;

use super::ask::{Asking, Mode, Reply, ask};
use super::decide::{Rules, decide};
use super::in_time::in_time;
use super::look::{look, look_again, pause_before_reading_again};
use super::plan::{Plan, Request};
use super::progress::{Answer, Progress};
use super::seen::Seen;
use super::watch::Watcher;
use super::{answer, dry_run, keys, pace, patience};

/// A phase stops waiting this long before the invocation's deadline, so that its answer gets out.
pub(crate) const MARGIN: SignedDuration = SignedDuration::from_secs(10);

/// A look that begins when patience ends may be tried again for so long: the verdict stands on it.
const LAST_LOOK: SignedDuration = SignedDuration::from_secs(30);

/// What one invocation of a phase is to do.
#[derive(Debug, Clone)]
pub(crate) struct Task<'a> {
    /// The list.
    pub list: &'a ServerList,
    /// Start or stop.
    pub action: Action,
    /// Change nothing; say what would be done.
    pub dry_run: bool,
    /// When the execution began; now, for a phase that runs by itself.
    pub run_began_at: Timestamp,
    /// When the invocation is cut off.
    pub deadline: Timestamp,
    /// The zone of dates in hold tags.
    pub zone: TimeZone,
    /// How many environments run at the same time and share EC2's request buckets.
    pub environments: usize,
    /// Whether somebody resumes a phase that is in progress. If not, patience ends with the invocation's time.
    pub goes_on: bool,
}

/// What came of a look.
enum Looked {
    /// What was seen, and whether at the whole list.
    At(Seen, bool),
    /// The invocation's time is up before EC2 could be read; why it could not.
    TooLate(Failure),
}

/// Why a phase could not be judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PhaseError {
    /// EC2 could not be read.
    #[error(transparent)]
    Aws(#[from] Failure),
    /// The progress could not be written as JSON.
    #[error("the phase's progress could not be written: {0}")]
    Progress(#[from] serde_json::Error),
}

/// Runs a phase until it is decided, or until the invocation's time is up.
///
/// # Errors
/// [`PhaseError::Aws`] if EC2 could not be read: no retry of ours could judge the phase then.
pub(crate) async fn run<W: World>(
    world: &W,
    task: &Task<'_>,
    resume: Option<Progress>,
    watcher: &mut impl Watcher,
) -> Result<PhaseAnswer, PhaseError> {
    let progress = resume.map_or_else(
        || Progress::new(task.list.number, task.action, task.environments, world.now()),
        |progress| progress.resumed(task.environments),
    );
    match (Phase { world, task, progress }).decided(watcher).await {
        Ok(mut answer) => {
            watcher.ends(&mut answer).await;
            Ok(answer)
        }
        Err(error) => {
            if let PhaseError::Aws(failure) = &error {
                watcher.breaks_off(failure).await;
            }
            Err(error)
        }
    }
}

struct Phase<'a, W> {
    world: &'a W,
    task: &'a Task<'a>,
    progress: Progress,
}

impl<W: World> Phase<'_, W> {
    async fn decided(mut self, watcher: &mut impl Watcher) -> Result<PhaseAnswer, PhaseError> {
        let list = self.task.list;
        let mut looks = 0;
        let mut before: Option<(Seen, Plan)> = None;
        let (mut look_at_all, mut whole) = (true, true);
        loop {
            let seen;
            (seen, whole) = match self.look(before.as_ref().filter(|_| !look_at_all)).await? {
                Looked::At(seen, whole) => (seen, whole),
                Looked::TooLate(failure) => {
                    let before = before.map(|(_, plan)| plan).filter(|plan| self.may_judge(plan, whole));
                    return self.unread(before, failure, watcher).await;
                }
            };
            let mut plan = self.decide(&seen);
            let waits_no_longer = self.world.now() >= self.patience_ends() || self.is_enough(&plan);
            let ends = plan.is_decided() || waits_no_longer || (self.task.dry_run && !plan.is_in_doubt());
            // The verdict stands on a look at the whole list.
            look_at_all = ends && !whole;
            if look_at_all {
                before = Some((seen, plan));
                continue;
            }
            if self.task.dry_run && (!plan.is_in_doubt() || self.is_over(Duration::ZERO)) {
                dry_run::try_changes(self.world, &mut plan, self.asking(Mode::Try)).await;
                watcher.dry_run(&plan, &self.progress).await;
                return Ok(dry_run::answer(&plan, list, &self.progress));
            }
            let asked = !self.task.dry_run && self.act(&plan, watcher).await;
            if !plan.is_decided() && waits_no_longer {
                patience::run_out(&mut plan, &self.progress);
            }
            if plan.is_decided() {
                return Ok(self.verdict(plan, watcher).await);
            }
            looks = if asked { 0 } else { looks + 1 };
            let pause = pace::poll_pause(looks, &plan, self.world.chance());
            // A long pause that does not fit any more becomes a short one.
            let pause = if self.is_over(pause) { pause.min(pace::LONGEST_POLL) } else { pause };
            look_at_all = self.is_over(pause) && !self.task.goes_on && !whole;
            if look_at_all {
                before = Some((seen, plan));
                continue;
            }
            if self.is_over(pause) {
                return self.time_is_up(plan, watcher).await;
            }
            watcher.before_waiting().await;
            self.world.sleep(pause).await;
            before = Some((seen, plan));
        }
    }

    async fn verdict(self, mut plan: Plan, watcher: &mut impl Watcher) -> PhaseAnswer {
        keys::name_keys(self.world, &mut plan, self.cut_off()).await;
        watcher.decided(&plan, &self.progress).await;
        answer::answer(&plan, self.task.list, &self.progress)
    }

    /// The invocation's time is up: the next one goes on, or what is under way has failed.
    async fn time_is_up(self, mut plan: Plan, watcher: &mut impl Watcher) -> Result<PhaseAnswer, PhaseError> {
        if self.task.goes_on {
            return Ok(answer::in_progress(&plan, self.task.list, &self.progress)?);
        }
        patience::run_out(&mut plan, &self.progress);
        Ok(self.verdict(plan, watcher).await)
    }

    /// Whether an invocation may end by a plan of a look before. The next one begins with the whole list; without one, a
    /// look at a part may say that the list has failed, but not that the next tier may begin.
    fn may_judge(&self, plan: &Plan, whole: bool) -> bool {
        let goes_ahead = || plan.is_decided() || answer::is_enough(plan, self.task.list, &self.progress);
        self.task.goes_on || whole || !goes_ahead()
    }

    /// The same, and EC2 could not be read any more: the plan of the look before is what there is.
    async fn unread(
        self,
        before: Option<Plan>,
        failure: Failure,
        watcher: &mut impl Watcher,
    ) -> Result<PhaseAnswer, PhaseError> {
        match before {
            None if self.task.goes_on => {
                let plan = Plan::unseen(self.world.now());
                self.time_is_up(plan, watcher).await
            }
            Some(plan) if self.task.goes_on || !self.task.dry_run => self.time_is_up(plan, watcher).await,
            _ => Err(failure.into()),
        }
    }

    /// Looks, at the whole list or at those that are still under way.
    async fn look(&self, before: Option<&(Seen, Plan)>) -> Result<Looked, Failure> {
        let (list, action) = (self.task.list, self.task.action);
        let again = before.and_then(|(seen, plan)| Some((seen, plan.to_look_at_again()?)));
        let until = self.patience_ends().max(self.world.now() + LAST_LOOK);
        let mut failed = 0;
        loop {
            let read = async {
                match &again {
                    Some((seen, ids)) => look_again(self.world, list, action, seen, ids).await,
                    None => look(self.world, list, action, self.progress.ids()).await,
                }
            };
            let failure = match in_time(self.world, self.cut_off(), "DescribeInstances", read).await {
                Ok(seen) => return Ok(Looked::At(seen, again.is_none())),
                Err(failure) => failure,
            };
            failed += 1;
            let Some(pause) = pause_before_reading_again(&failure, failed, self.world.chance()) else {
                return Err(failure);
            };
            if self.world.now() + pause >= until {
                return Err(failure);
            }
            if self.is_over(pause) {
                return Ok(Looked::TooLate(failure));
            }
            self.world.sleep(pause).await;
        }
    }

    fn decide(&mut self, seen: &Seen) -> Plan {
        self.progress.take_in(seen, self.task.run_began_at);
        let rules = Rules {
            list: self.task.list,
            action: self.task.action,
            now: self.world.now(),
            zone: &self.task.zone,
        };
        let plan = decide(seen, &self.progress, rules);
        self.progress.apply(&plan, self.world.chance());
        plan
    }

    /// Asks EC2 for what the plan wants and notes what came of it. Returns whether anything was asked.
    async fn act(&mut self, plan: &Plan, watcher: &mut impl Watcher) -> bool {
        watcher.before_asking(plan, &self.progress).await;
        let requests = plan.requests();
        for (request, instances) in &requests {
            let replies = ask(self.world, *request, instances, self.asking(Mode::Change)).await;
            for instance in instances {
                if let Some(reply) = replies.get(&instance.id) {
                    self.note(instance, *request, reply);
                }
            }
        }
        watcher.after_asking(plan, &self.progress).await;
        !requests.is_empty()
    }

    fn note(&mut self, instance: &Instance, request: Request, reply: &Reply) {
        let now = self.world.now();
        let forces = request == Request::Stop(StopKind::Force);
        match reply {
            Reply::Accepted if forces => self.progress.note_forced(&instance.id),
            Reply::Accepted => self.progress.note_asked(instance, Answer::Taken, now),
            Reply::Unknown(failure) | Reply::Refused(failure) if forces => {
                self.progress.note_not_forced(&instance.id, failure.clone(), now, self.world.chance());
            }
            Reply::Unknown(failure) => self.progress.note_asked(instance, Answer::None(failure.clone()), now),
            Reply::Refused(failure) => {
                self.progress.note_refused(&instance.id, failure.clone(), now, self.world.chance());
            }
            Reply::Throttled(failure) => self.progress.note_throttled(&instance.id, failure.clone()),
        }
    }

    fn asking(&mut self, mode: Mode) -> Asking<'_> {
        let cut_off = self.cut_off();
        let until = self.patience_ends().min(cut_off);
        Asking { buckets: &mut self.progress.buckets, until, cut_off, mode }
    }

    /// Until when the list waits for its servers.
    fn patience_ends(&self) -> Timestamp {
        self.progress.began_at + self.task.list.timeout
    }

    /// Whether the list's minimum has been met for so long that the rest is not waited for.
    fn is_enough(&self, plan: &Plan) -> bool {
        let list = self.task.list;
        let due = list.minimum_after.is_some_and(|after| self.world.now() >= self.progress.began_at + after);
        due && answer::is_enough(plan, list, &self.progress)
    }

    /// No call of this invocation goes on after this.
    fn cut_off(&self) -> Timestamp {
        self.task.deadline - MARGIN
    }

    /// Whether the invocation's time is up after this pause.
    fn is_over(&self, pause: Duration) -> bool {
        self.world.now() + pause >= self.cut_off()
    }
}
