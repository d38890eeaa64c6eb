//! Brings CloudWatch's mute rules to what [`super`] decided.
//!
//! Owns the order (mute before a server is asked, unmute once it failed or the phase is decided) and the limits. What
//! goes wrong is said in the phase log and in the answer, and never fails a phase.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Changes, Hearing, Muting, by_name, changes, named, unsettled};
use crate::model::{Action, failure};
use crate::phase::judgement::Judgement;
use crate::phase::progress::Progress;
use crate::phase::run::Task;
use crate::ports::{AwsError, Clock, MuteAlarms, MuteRule};
use crate::report::Report;

/// A slow CloudWatch must not eat the list's patience, 15 minutes by default, before any server is asked; nor the
/// report's time before its mail is sent.
const SLOWEST: SignedDuration = SignedDuration::from_mins(5);
/// The answer gets out in this time at the end of an invocation. The phase itself stops ten seconds before it.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);

/// Mutes and unmutes for one invocation of a phase.
#[derive(Debug)]
pub struct Muter<'a> {
    task: &'a Task<'a>,
    quiet: BTreeSet<String>,
    failed: BTreeSet<String>,
    lines: Vec<String>,
    error: Option<String>,
}

impl<'a> Muter<'a> {
    /// Does nothing at all unless the function is told to mute.
    pub fn new(task: &'a Task<'a>) -> Self {
        Self { task, quiet: BTreeSet::new(), failed: BTreeSet::new(), lines: Vec::new(), error: None }
    }

    /// Mutes, before EC2 is asked, what the phase is about to make ring, once for the same servers; and unmutes at
    /// once what watches a server that has failed, while others are still under way.
    pub async fn keep_up<W: MuteAlarms + Clock>(
        &mut self,
        world: &W,
        judgement: &Judgement,
        progress: &Progress,
    ) {
        let Some(muting) = self.task.muting else { return };
        let hearing = Hearing::during(judgement, self.task.action, progress);
        let failed = super::failed(judgement);
        let to_mute = !judgement.requests().is_empty() && !hearing.quiet.is_subset(&self.quiet);
        let to_unmute = !judgement.is_decided() && !failed.is_subset(&self.failed);
        if !to_mute && !to_unmute {
            return;
        }
        self.quiet.clone_from(&hearing.quiet);
        self.failed = failed;
        let ends = muting.ends(self.task.list, self.task.action, progress.began_at);
        let until = (world.now() + SLOWEST).min(self.task.deadline - MARGIN);
        let work = async {
            let wanted = hearing.muted(&world.alarms().await?);
            let done = settle(world, &self.family(muting), &wanted, ends).await?;
            Ok((wanted, done))
        };
        match in_time(world, until, work).await {
            Ok((wanted, _)) if wanted.is_empty() && to_mute => {
                self.lines.push("no alarm that can be muted names one of these servers".to_owned());
            }
            Ok((_, done)) => self.tell(&done, ends),
            Err(error) => self.fail(&error),
        }
    }

    /// Unmutes, once the phase is decided, all but what is off on purpose.
    pub async fn when_decided<W: MuteAlarms + Clock>(
        &mut self,
        world: &W,
        judgement: &Judgement,
        progress: &Progress,
    ) {
        let Some(muting) = self.task.muting else { return };
        let hearing = Hearing::decided(judgement);
        let ends = progress.began_at + muting.window;
        let mut unread = None;
        let work = async {
            let wanted = match watched(world, &hearing).await {
                Ok(wanted) => wanted,
                // Which alarms may stay muted is not known: all are heard.
                Err(error) => {
                    unread = Some(error);
                    BTreeSet::new()
                }
            };
            settle(world, &self.family(muting), &wanted, ends).await
        };
        let told = in_time(world, self.task.deadline - MARGIN, work).await;
        match told {
            Ok(done) => self.tell(&done, ends),
            Err(error) => self.fail(&error),
        }
        if let Some(error) = unread {
            self.fail(&error);
        }
    }

    /// What a stop would mute.
    pub async fn dry_run<W: MuteAlarms + Clock>(
        &mut self,
        world: &W,
        judgement: &Judgement,
        progress: &Progress,
    ) {
        if self.task.muting.is_none() || self.task.action == Action::Start {
            return;
        }
        let hearing = Hearing::during(judgement, self.task.action, progress);
        match in_time(world, self.task.deadline - MARGIN, watched(world, &hearing)).await {
            Ok(wanted) if wanted.is_empty() => self.lines.push("no alarm would be muted".to_owned()),
            Ok(wanted) => self.lines.push(format!("{} would be muted: {}", count(&wanted), named(&wanted))),
            Err(error) => self.fail(&error),
        }
    }

    /// What is new for the phase log.
    pub fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// What went wrong first, for the answer.
    pub fn into_error(self) -> Option<String> {
        self.error
    }

    fn family(&self, muting: &Muting) -> String {
        muting.family(&self.task.list.environment, &self.task.list.tier)
    }

    fn tell(&mut self, done: &Settled, ends: Timestamp) {
        if let Some(error) = &done.error {
            return self.fail(error);
        }
        let Changes { muted, unmuted, .. } = &done.changes;
        if !muted.is_empty() {
            let ends = clock_time(ends, &self.task.zone);
            self.lines.push(format!("{} muted until {ends} at the latest: {}", count(muted), named(muted)));
        }
        if !unmuted.is_empty() {
            self.lines.push(format!("{} heard again: {}", count(unmuted), named(unmuted)));
        }
    }

    fn fail(&mut self, error: &AwsError) {
        let sentence = sentence(error);
        self.lines.push(format!("alarms: {sentence}"));
        self.error.get_or_insert(sentence);
    }
}

/// Lets every alarm be heard whose phase broke off or was not reached; returns what could not be done.
pub async fn unmute_unsettled<W: MuteAlarms + Clock>(
    world: &W,
    muting: &Muting,
    report: &Report,
    deadline: Timestamp,
) -> Vec<String> {
    let until = (world.now() + SLOWEST).min(deadline - MARGIN * 2);
    let mut remarks = Vec::new();
    for (environment, tier) in unsettled(report) {
        let family = muting.family(environment, tier);
        let nothing = BTreeSet::new();
        let work = settle(world, &family, &nothing, world.now());
        let error = match in_time(world, until, work).await {
            Ok(settled) => settled.error,
            Err(error) => Some(error),
        };
        if let Some(error) = error {
            remarks.push(format!("Alarms of {environment} {tier} may still be muted: {}.", sentence(&error)));
        }
    }
    remarks
}

/// What was changed, and what went wrong on the way.
struct Settled {
    changes: Changes,
    error: Option<AwsError>,
}

/// Makes a family of rules mute exactly these alarms. New rules come before old ones go. A rule that should lose
/// alarms and cannot be put is deleted: in doubt an alarm is heard.
async fn settle<W: MuteAlarms + Clock>(
    world: &W,
    family: &str,
    wanted: &BTreeSet<String>,
    ends: Timestamp,
) -> Result<Settled, AwsError> {
    let existing = world.mute_rules(family).await?;
    let changes = changes(family, &existing, wanted, world.now(), ends);
    let mut error = None;
    let before = by_name(&existing);
    let mut delete: Vec<&str> = changes.delete.iter().map(String::as_str).collect();
    for rule in &changes.put {
        if let Err(refused) = world.put_mute_rule(rule).await {
            error.get_or_insert(refused);
            if before.get(rule.name.as_str()).is_some_and(|before| loses_alarms(before, rule)) {
                delete.push(&rule.name);
            }
        }
    }
    for name in delete {
        if let Err(refused) = world.delete_mute_rule(name).await {
            error.get_or_insert(refused);
        }
    }
    Ok(Settled { changes, error })
}

fn loses_alarms(before: &MuteRule, after: &MuteRule) -> bool {
    !before.alarms.is_subset(&after.alarms)
}

/// The alarms that watch quiet servers. No quiet server, no call.
async fn watched<W: MuteAlarms>(world: &W, hearing: &Hearing) -> Result<BTreeSet<String>, AwsError> {
    if hearing.quiet.is_empty() {
        return Ok(BTreeSet::new());
    }
    Ok(hearing.muted(&world.alarms().await?))
}

/// What `work` gives, if it is done in time.
async fn in_time<W: Clock, T>(
    world: &W,
    until: Timestamp,
    work: impl Future<Output = Result<T, AwsError>>,
) -> Result<T, AwsError> {
    let left = Duration::try_from(until.duration_since(world.now())).unwrap_or_default();
    match select(pin!(work), pin!(world.sleep(left))).await {
        Either::Left((done, _)) => done,
        Either::Right(_) => Err(AwsError {
            operation: "alarm muting",
            code: AwsError::UNREACHABLE.to_owned(),
            message: "CloudWatch was too slow".to_owned(),
        }),
    }
}

/// What went wrong, with the permission to add where one is missing.
fn sentence(error: &AwsError) -> String {
    if failure::is_denied(&error.code) {
        return format!(
            "{error}. The function's role needs cloudwatch:{} (the template grants it with MuteAlarms on)",
            error.operation
        );
    }
    error.to_string()
}

fn count(alarms: &BTreeSet<String>) -> String {
    match alarms.len() {
        1 => "1 alarm".to_owned(),
        number => format!("{number} alarms"),
    }
}

fn clock_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}
