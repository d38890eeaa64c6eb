//! Brings CloudWatch's mute rules to what [`super`] decided.
//!
//! Owns the order (mute before a server is asked, unmute once it failed or the phase is decided) and the limits. What
//! goes wrong is said in the phase log and in the answer, and never fails a phase.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Changes, Hearing, Muting, by_name, changes, named, unsettled};
use crate::model::failure::Kind;
use crate::model::{Action, Failure, PhaseAnswer};
use crate::phase::in_time::in_time;
use crate::phase::plan::Plan;
use crate::phase::progress::Progress;
use crate::phase::watch::Watcher;
use crate::ports::{Clock, MuteAlarms, MuteRule, Reach};
use crate::report::Report;
use crate::servers::file::ServerList;

/// What was not muted rings.
const MAY_RING: &str = "they may ring although servers are off on purpose";
const MAY_STAY_MUTED: &str = "they may stay muted although servers should be up";
const MAY_BE_EITHER: &str = "they may ring or stay muted as before this run";
/// What is said to have been too slow.
const WORK: &str = "alarm muting";
/// A slow CloudWatch must not eat the list's patience, 15 minutes by default, before any server is asked; nor the
/// report's time before its mail is sent.
const SLOWEST: SignedDuration = SignedDuration::from_mins(5);
/// The answer gets out in this time at the end of an invocation. The phase itself stops ten seconds before it.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);

/// What the watcher is told of the phase.
#[derive(Debug, Clone)]
pub(crate) struct About<'a> {
    /// The list.
    pub list: &'a ServerList,
    /// Start or stop.
    pub action: Action,
    /// When the invocation is cut off.
    pub deadline: Timestamp,
    /// The zone of times in the phase log.
    pub zone: TimeZone,
}

/// Mutes and unmutes for one invocation of a phase.
#[derive(Debug)]
pub(crate) struct Muter<'a, W> {
    world: &'a W,
    muting: &'a Muting,
    about: About<'a>,
    quiet: BTreeSet<String>,
    failed: BTreeSet<String>,
    lines: Vec<String>,
    error: Option<String>,
}

impl<W: MuteAlarms + Clock> Watcher for Muter<'_, W> {
    /// Mutes, before EC2 is asked, what the phase is about to make ring, once for the same servers; and unmutes at
    /// once what watches a server that has failed, while others are still under way.
    async fn before_asking(&mut self, plan: &Plan, progress: &Progress) {
        let hearing = Hearing::during(plan, progress);
        let failed = super::failed(plan);
        let to_mute = !plan.requests().is_empty() && !hearing.quiet.is_subset(&self.quiet);
        let to_unmute = !plan.is_decided() && !failed.is_subset(&self.failed);
        if !to_mute && !to_unmute {
            return;
        }
        self.quiet.clone_from(&hearing.quiet);
        self.failed = failed;
        let ends = self.muting.ends(self.about.list, self.about.action, progress.began_at);
        let until = (self.world.now() + SLOWEST).min(self.about.deadline - MARGIN);
        let work = async {
            let wanted = hearing.muted(&self.world.alarms().await?);
            let done = settle(self.world, &self.family(), &wanted, ends).await?;
            Ok((wanted, done))
        };
        match in_time(self.world, until, WORK, work).await {
            Ok((wanted, _)) if wanted.is_empty() && to_mute => {
                self.lines.push("no alarm that can be muted names one of these servers".to_owned());
            }
            Ok((_, done)) => self.tell(&done, ends),
            Err(failure) => self.fail(&failure, may(&failure)),
        }
    }

    /// Unmutes, once the phase is decided, all but what is off on purpose.
    async fn decided(&mut self, plan: &Plan, progress: &Progress) {
        let hearing = Hearing::decided(plan);
        let ends = progress.began_at + self.muting.window;
        let mut unread = None;
        let work = async {
            let wanted = match watched(self.world, &hearing).await {
                Ok(wanted) => wanted,
                // Which alarms may stay muted is not known: all are heard.
                Err(failure) => {
                    unread = Some(failure);
                    BTreeSet::new()
                }
            };
            settle(self.world, &self.family(), &wanted, ends).await
        };
        let settled = in_time(self.world, self.about.deadline - MARGIN, WORK, work).await;
        match settled {
            Ok(done) => self.tell(&done, ends),
            Err(failure) => self.fail(&failure, may(&failure)),
        }
        if let Some(failure) = unread {
            self.fail(&failure, MAY_RING);
        }
    }

    /// Tells what a stop would mute.
    async fn dry_run(&mut self, plan: &Plan, progress: &Progress) {
        if self.about.action == Action::Start {
            return;
        }
        let hearing = Hearing::during(plan, progress);
        match in_time(self.world, self.about.deadline - MARGIN, WORK, watched(self.world, &hearing)).await {
            Ok(wanted) if wanted.is_empty() => self.lines.push("no alarm would be muted".to_owned()),
            Ok(wanted) => self.lines.push(format!("{} would be muted: {}", count(&wanted), named(&wanted))),
            Err(failure) => self.fail(&failure, "what a stop would mute is not known"),
        }
    }

    async fn ends(&mut self, answer: &mut PhaseAnswer) {
        answer.mute_error = self.error.take();
    }
}

impl<'a, W> Muter<'a, W> {
    /// A watcher that has not muted anything yet.
    pub(crate) fn new(world: &'a W, muting: &'a Muting, about: About<'a>) -> Self {
        let (quiet, failed) = (BTreeSet::new(), BTreeSet::new());
        Self { world, muting, about, quiet, failed, lines: Vec::new(), error: None }
    }

    /// What is new for the phase log.
    pub(crate) fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    fn family(&self) -> String {
        self.muting.family(&self.about.list.environment, &self.about.list.tier)
    }

    fn tell(&mut self, done: &Settled, ends: Timestamp) {
        if let Some(error) = &done.error {
            return self.fail(error, may(error));
        }
        let Changes { muted, unmuted, .. } = &done.changes;
        if !muted.is_empty() {
            let ends = clock_time(ends, &self.about.zone);
            self.lines.push(format!("{} muted until {ends} at the latest: {}", count(muted), named(muted)));
        }
        if !unmuted.is_empty() {
            self.lines.push(format!("{} heard again: {}", count(unmuted), named(unmuted)));
        }
    }

    fn fail(&mut self, error: &Failure, may: &str) {
        let sentence = sentence(error);
        self.lines.push(format!("alarms: {sentence}"));
        self.error.get_or_insert(format!("{may}: {sentence}"));
    }
}

/// Lets every alarm be heard whose phase broke off or was not reached, where the alarms are; returns what could not be
/// done. `run` is the run's name.
pub(crate) async fn unmute_unsettled<W: MuteAlarms + Clock + Reach>(
    world: &W,
    muting: &Muting,
    report: &Report,
    run: &str,
    deadline: Timestamp,
) -> Vec<String> {
    let until = (world.now() + SLOWEST).min(deadline - MARGIN * 2);
    let mut remarks = Vec::new();
    for (environment, tier) in unsettled(report) {
        let family = muting.family(environment, tier);
        let nothing = BTreeSet::new();
        let of_it = report.environments.iter().find(|other| other.name == environment);
        let there = world.reach(of_it.and_then(|of_it| of_it.elsewhere.as_ref()), run).await;
        let work = settle(&*there, &family, &nothing, world.now());
        let error = match in_time(world, until, WORK, work).await {
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
    error: Option<Failure>,
}

/// Makes a family of rules mute exactly these alarms. New rules come before old ones go. A rule that should lose
/// alarms and cannot be put is deleted: in doubt an alarm is heard.
async fn settle<W: MuteAlarms + Clock>(
    world: &W,
    family: &str,
    wanted: &BTreeSet<String>,
    ends: Timestamp,
) -> Result<Settled, Failure> {
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
            // An alarm that stays muted is worse than one that rings.
            error = Some(refused);
        }
    }
    Ok(Settled { changes, error })
}

fn loses_alarms(before: &MuteRule, after: &MuteRule) -> bool {
    !before.alarms.is_subset(&after.alarms)
}

/// The alarms that watch quiet servers. No quiet server, no call.
async fn watched<W: MuteAlarms>(world: &W, hearing: &Hearing) -> Result<BTreeSet<String>, Failure> {
    if hearing.quiet.is_empty() {
        return Ok(BTreeSet::new());
    }
    Ok(hearing.muted(&world.alarms().await?))
}

/// What went wrong, with the permission to add where one is missing.
fn sentence(error: &Failure) -> String {
    match error.operation.filter(|_| error.kind == Kind::Denied) {
        Some(operation) => format!(
            "{error}. The function's role there needs cloudwatch:{operation} (template.yaml and member.yaml grant it with MuteAlarms on, member.yaml for the rules of the stack that HubStackName names only)"
        ),
        None => error.to_string(),
    }
}

/// What becomes of the alarms after a request that failed.
fn may(error: &Failure) -> &'static str {
    match error.operation {
        Some("PutAlarmMuteRule" | "DescribeAlarms") => MAY_RING,
        Some("DeleteAlarmMuteRule") => MAY_STAY_MUTED,
        _ => MAY_BE_EITHER,
    }
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
