//! One phase: describe → plan → act → describe … → verdict, as a loop that looks at what is and asks only for
//! what is still missing.
//!
//! Owns the order of things and the clock's part in it: the list's patience, the invocation's deadline, the
//! pauses. It decides nothing about a server (that is `plan` and `verdict`) and knows no AWS (that is the ports).
//! It is safe to run twice: what was asked before can be seen, or comes with `resume`.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::model::{Action, Instance, InstanceState, PhaseAnswer, StatusChecks, StopKind, failure};
use crate::muting::Muting;
use crate::muting::watcher::Muter;
use crate::phase::ask::Reply;
use crate::phase::judgement::Judgement;
use crate::phase::memory::Refusal;
use crate::phase::plan::{Request, Rules};
use crate::phase::progress::Progress;
use crate::phase::{ask as acting, dry_run, encryption, judgement, pace, retry as reading};
use crate::phase_log::Narration;
use crate::ports::{AwsError, ReadInstances, World};
use crate::servers::file::{Readiness, ServerList};

/// A phase stops waiting this long before the invocation's deadline, so that its answer gets out.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);

/// What one invocation of a phase is told.
#[derive(Debug, Clone)]
pub struct Task<'a> {
    /// The list.
    pub list: &'a ServerList,
    /// Start or stop.
    pub action: Action,
    /// The heading of what this phase writes to the phase log.
    pub heading: &'a str,
    /// The phase log's stream.
    pub log_stream: &'a str,
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
    /// How alarms are muted, if they are.
    pub muting: Option<&'a Muting>,
}

/// Why a phase could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum PhaseError {
    /// EC2 could not be read several times in a row.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The progress could not be written as JSON.
    #[error("the phase's progress could not be written: {0}")]
    Progress(#[from] serde_json::Error),
}

/// Runs a phase until it is decided, or until the invocation's time is up.
///
/// # Errors
/// [`PhaseError::Aws`] if EC2 could not be read: no retry of ours could judge the phase then.
pub async fn run<W: World>(
    world: &W,
    task: &Task<'_>,
    resume: Option<Progress>,
) -> Result<PhaseAnswer, PhaseError> {
    let mut narration = Narration::new(task, resume.is_some());
    let mut muter = Muter::new(task);
    let mut progress = resume.map_or_else(
        || Progress::new(world.now(), task.action, task.environments),
        |progress| progress.resumed(task.action, task.environments),
    );
    let patience_ends = progress.began_at + task.list.timeout;
    let mut looks = 0;
    loop {
        let mut judgement = look(world, task, &mut progress).await?;
        if task.dry_run {
            muter.dry_run(world, &judgement, &progress).await;
            let answer = dry_run::answer(world, task, progress, judgement, task.deadline - MARGIN).await;
            return Ok(end(world, narration, muter, answer).await);
        }
        muter.keep_up(world, &judgement, &progress).await;
        narration.add(muter.take_lines());
        let asked = act(world, task, &mut progress, &judgement, patience_ends).await;
        narration.note(&judgement, &progress);
        if !judgement.is_decided() && world.now() >= patience_ends {
            judgement.run_out(&progress);
        }
        if judgement.is_decided() {
            let mut answer = judgement.answer(task.list, task.action, &progress);
            encryption::name_keys(world, &mut answer.problems).await;
            muter.when_decided(world, &judgement, &progress).await;
            return Ok(end(world, narration, muter, answer).await);
        }
        looks = if asked { 0 } else { looks + 1 };
        let pause = pace::poll_pause(looks, judgement.only_confirms(&progress), world.chance());
        if world.now() + pause >= task.deadline - MARGIN {
            let answer = judgement.in_progress(task.list, task.action, &progress)?;
            return Ok(end(world, narration, muter, answer).await);
        }
        narration.write(world).await;
        world.sleep(pause).await;
    }
}

/// Ends the phase log and says in the answer what went wrong with the alarms.
async fn end<W: World>(
    world: &W,
    mut narration: Narration<'_>,
    mut muter: Muter<'_>,
    answer: PhaseAnswer,
) -> PhaseAnswer {
    narration.add(muter.take_lines());
    narration.end(world, PhaseAnswer { mute_error: muter.into_error(), ..answer }).await
}

/// Looks, and judges what it sees.
async fn look<W: World>(world: &W, task: &Task<'_>, progress: &mut Progress) -> Result<Judgement, AwsError> {
    let until = task.deadline - MARGIN;
    let (instances, checks) = reading::patiently(world, until, async || observe(world, task).await).await?;
    progress.take_in(&instances, task.action, task.run_began_at);
    let rules = task.rules(world.now());
    Ok(judgement::judge(task.list, &rules, progress, instances, &checks, world.chance()))
}

/// The list's instances in the list's own order, and the status checks of those that need some.
async fn observe<W: ReadInstances>(
    world: &W,
    task: &Task<'_>,
) -> Result<(Vec<Instance>, BTreeMap<String, StatusChecks>), AwsError> {
    let mut instances = reading::instances(world, task.list).await?;
    let place: BTreeMap<&String, usize> = task.list.servers.iter().zip(0..).collect();
    let place = |instance: &Instance| instance.name.as_ref().and_then(|name| place.get(name));
    instances.sort_by(|a, b| (place(a), &a.name, &a.id).cmp(&(place(b), &b.name, &b.id)));
    let to_check: Vec<String> = instances
        .iter()
        .filter(|instance| task.checks_status() && instance.state == InstanceState::Running)
        .map(|instance| instance.id.clone())
        .collect();
    let checks = if to_check.is_empty() { BTreeMap::new() } else { world.status_checks(&to_check).await? };
    Ok((instances, checks))
}

/// Asks EC2 for what is missing and notes what came of it. Returns whether anything was asked.
async fn act<W: World>(
    world: &W,
    task: &Task<'_>,
    progress: &mut Progress,
    judgement: &Judgement,
    patience_ends: Timestamp,
) -> bool {
    let until = patience_ends.min(task.deadline - MARGIN);
    let requests = judgement.requests();
    for (request, instances) in &requests {
        let replies = acting::ask(world, *request, instances, &mut progress.buckets, until, false).await;
        for instance in instances {
            if let Some(reply) = replies.get(&instance.id) {
                note(progress, instance, *request, reply, world.now(), world.chance());
            }
        }
    }
    !requests.is_empty()
}

fn note(
    progress: &mut Progress,
    instance: &Instance,
    request: Request,
    reply: &Reply,
    now: Timestamp,
    chance: f64,
) {
    let forced = request == Request::Stop(StopKind::Force);
    match reply {
        Reply::Accepted | Reply::Unknown(_) => progress.note_asked(instance, forced, now),
        // The graceful stop is still under way; it is forced once or not at all.
        Reply::Refused(_) if forced => progress.note_asked(instance, forced, now),
        Reply::Refused(Refusal { code, message }) => {
            let refusal = Refusal { code: code.clone(), message: message.clone() };
            progress.note_refused(&instance.id, refusal, now, |refusals| match failure::cause(code) {
                failure::Cause::Capacity => pace::capacity_pause(refusals, chance),
                _ => pace::throttle_pause(refusals, chance),
            });
        }
    }
}

impl Task<'_> {
    fn checks_status(&self) -> bool {
        self.action == Action::Start && self.list.ready > Readiness::Running
    }

    fn rules(&self, now: Timestamp) -> Rules {
        Rules {
            action: self.action,
            now,
            zone: self.zone.clone(),
            force_stop_after: self.list.force_stop_after,
        }
    }
}
