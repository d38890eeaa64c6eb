//! One event → one answer.
//!
//! Owns the way from a payload to the phase or the report.

use futures::FutureExt;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::lambda::error::HandlerError;
use crate::lambda::metrics::{self, Source};
use crate::lambda::payload::{PayloadError, PhaseRequest, Request};
use crate::lambda::settings::Settings;
use crate::lambda::watchers::Watchers;
use crate::lambda::{asked, asking, branch, checking, judging, reference, sending, telling};
use crate::model::{Execution, Failure, Instance, PhaseAnswer};
use crate::muting::watcher::{self, Muter, unmute_unsettled};
use crate::phase::in_time::in_time;
use crate::phase::look::{instances, patiently};
use crate::phase::run as phase;
use crate::phase::run::{MARGIN, Task};
use crate::phase_log::{self, Narrator};
use crate::ports::{
    MuteAlarms, PhaseLog, PutEvents, Reach, ReadIdentities, ReadInstances, ReadKeys, SendMail, Trail, World,
};
use crate::report::branches::{self, EnvironmentResult};
use crate::report::request::ReportRequest;
use crate::report::{Report, Seen};
use crate::servers::file::{ServerList, ServerLists};

/// The report looks at all servers for this long at most (DESIGN: end states are a nicety, the mail is not).
const LONGEST_LOOK: SignedDuration = SignedDuration::from_mins(2);

/// All that an invocation needs of the world.
pub(crate) trait Services:
    World + MuteAlarms + PhaseLog + PutEvents + SendMail + ReadIdentities + ReadKeys + Trail + Reach
{
}

impl<T: World + MuteAlarms + PhaseLog + PutEvents + SendMail + ReadIdentities + ReadKeys + Trail + Reach>
    Services for T
{
}

/// One invocation, as Lambda tells of it.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    /// When Lambda cuts it off.
    pub deadline: Timestamp,
    /// Lambda's request id: names the phase log's stream where no execution does.
    pub request_id: String,
}

impl Invocation {
    /// The run's name.
    fn run<'a>(&'a self, execution: Option<&'a Execution>) -> &'a str {
        execution.map_or(&self.request_id, |execution| &execution.name)
    }
}

/// Answers one event.
///
/// # Errors
/// Only what no retry of the same phase could judge; a server that will not start is part of an answer.
pub(crate) async fn answer<W: Services>(
    world: &W,
    settings: &Settings,
    invocation: &Invocation,
    payload: Value,
) -> Result<Value, HandlerError> {
    // What an invocation before this one asked, and could not tell, is not this one's.
    let _ = world.calls();
    // Each boxed: the compiler would put all of them into one function, whose 90 kB of stack every phase then has.
    let answer = match Request::parse(payload)? {
        Request::Skip(None) => reference::with_status_code(serde_json::to_value(PhaseAnswer::skipped())?),
        Request::Skip(Some(request)) => {
            asked(settings, &request, world.now())?;
            carried_on(settings, request, PhaseAnswer::skipped())?
        }
        Request::Phase(request) => {
            let answer = run_phase(world, settings, invocation, &request).boxed_local().await?;
            carried_on(settings, request, answer)?
        }
        Request::Check(request) => {
            let run = invocation.run(request.execution.as_ref()).to_owned();
            checking::check(world, settings, &run, invocation.deadline, request).boxed_local().await?
        }
        Request::Input(opening) => {
            let scheduled = settings.lists.as_ref().map_or(&[][..], |lists| &lists.calendars);
            serde_json::to_value(asked::read(&opening, scheduled, world.now())?)?
        }
        Request::Ask(asking) => asking::ask(world, settings, &asking).boxed_local().await?,
        Request::Report(request) => send_report(world, settings, invocation, *request).boxed_local().await?,
        Request::StatusChange(change) => telling::tell(world, settings, &change).boxed_local().await?,
    };
    Ok(answer)
}

/// A phase's answer: with the branch's record in it, if the payload brought one.
fn carried_on(
    settings: &Settings,
    request: PhaseRequest,
    answer: PhaseAnswer,
) -> Result<Value, HandlerError> {
    let lists = settings.lists.as_ref().map_err(Clone::clone)?;
    let list = match &request.branch {
        Some(_) => list_of(lists, &request)?,
        None => return Ok(reference::with_status_code(serde_json::to_value(answer)?)),
    };
    let record = request.branch.unwrap_or_default();
    Ok(serde_json::to_value(branch::answer(lists, list, request.dry_run, record, answer))?)
}

fn list_of<'a>(lists: &'a ServerLists, request: &PhaseRequest) -> Result<&'a ServerList, PayloadError> {
    lists.numbered(request.phase_number).ok_or_else(|| {
        let numbers: Vec<String> = lists.lists.iter().map(|list| list.number.to_string()).collect();
        PayloadError::Field {
            field: "phase_number".to_owned(),
            expected: format!("one of {} (servers.toml)", numbers.join(", ")),
            found: request.phase_number.to_string(),
        }
    })
}

/// The list that a request is about, among all.
///
/// # Errors
/// The file cannot be used, no list has that number, or the `resume` is none of this phase's.
fn asked<'a>(
    settings: &'a Settings,
    request: &PhaseRequest,
    now: Timestamp,
) -> Result<(&'a ServerLists, &'a ServerList), HandlerError> {
    let lists = settings.lists.as_ref().map_err(Clone::clone)?;
    let list = list_of(lists, request)?;
    if let Some(resume) = &request.resume
        && let Some(expected) = resume.refusal(list.number, request.action, now)
    {
        let found = format!("one of phase {}, {:?}", resume.phase_number, resume.action).to_lowercase();
        let expected = format!("the resume of the answer before, unchanged: {expected}");
        return Err(PayloadError::Field { field: "resume".to_owned(), expected, found }.into());
    }
    Ok((lists, list))
}

async fn run_phase<W: Services>(
    world: &W,
    settings: &Settings,
    invocation: &Invocation,
    request: &PhaseRequest,
) -> Result<PhaseAnswer, HandlerError> {
    let (lists, list) = asked(settings, request, world.now())?;
    let execution = request.execution.as_ref();
    let run = invocation.run(execution);
    let task = Task {
        list,
        action: request.action,
        dry_run: request.dry_run,
        run_began_at: execution.map_or_else(|| world.now(), |execution| execution.start_time),
        deadline: invocation.deadline,
        zone: settings.zone.clone(),
        environments: lists.sharers(&list.environment, settings.place.home()),
        // Whoever names no execution is taken for a machine that does not know of `resume`.
        goes_on: execution.is_some() || request.resume.is_some() || request.branch.is_some(),
    };
    let there = world.reach(lists.elsewhere.get(&list.environment), run).await;
    let about = phase_log::About {
        heading: &request.heading,
        stream: run,
        list: &list.label(),
        action: task.action,
        dry_run: task.dry_run,
        resumed: request.resume.is_some(),
        deadline: task.deadline,
    };
    let muter = settings.muting.as_ref().map(|muting| {
        let zone = task.zone.clone();
        let about = watcher::About { list, action: task.action, deadline: task.deadline, zone };
        Muter::new(&*there, muting, about)
    });
    let mut log = Narrator::new(&*there, about);
    log.add(remarks(request, &task, world.now()));
    let mut watchers = Watchers { muter, log };
    let answer = phase::run(&*there, &task, request.resume.clone(), &mut watchers).await?;
    let source = Source::now(world, settings, run);
    for record in metrics::of_phase(source, list, task.action, task.dry_run, &answer) {
        world.record(&record);
    }
    Ok(answer)
}

/// What the phase log says of the payload, before anything is done.
fn remarks(request: &PhaseRequest, task: &Task<'_>, now: Timestamp) -> Vec<String> {
    let left = task.deadline.duration_since(now) - MARGIN;
    let cut = !task.goes_on && task.list.timeout > left.unsigned_abs();
    let minutes = left.as_secs() / 60;
    let cut = cut.then(|| {
        format!("the payload names no execution: the phase ends with this invocation, in {minutes} min")
    });
    request.remark.map(str::to_owned).into_iter().chain(cut).collect()
}

async fn send_report<W: Services>(
    world: &W,
    settings: &Settings,
    invocation: &Invocation,
    mut request: ReportRequest,
) -> Result<Value, HandlerError> {
    let addresses = settings.mail.as_ref().map_err(|wrong| HandlerError::Misconfigured(wrong.clone()))?;
    let no_lists = ServerLists::default();
    let lists = settings.lists.as_ref().unwrap_or(&no_lists);
    let run = invocation.run(request.execution.as_ref());
    if request.claim.is_some() {
        // A slow EC2 must not cost the mail.
        let deadline = invocation.deadline.min(world.now() + LONGEST_LOOK + MARGIN);
        request.results = judging::judged(world, settings, run, deadline, &request).await;
    }
    let (told, _) = branches::read(&request.results);
    let seen = see_all(world, lists, run, &told, invocation.deadline).await;
    let mut report = Report::build(&request, lists, &seen, world.now());
    if let Err(error) = &settings.lists {
        report.abort_for(&error.to_string());
    }
    if let Some(muting) = &settings.muting {
        let remarks = unmute_unsettled(world, muting, &report, run, invocation.deadline).await;
        report.remarks.extend(remarks);
    }
    let mail = report.mail(&settings.zone, &settings.place);
    let sent = match request.silent && report.is_closed() {
        true => Ok(None),
        false => sending::send(world, addresses, &mail).await.map(Some),
    };
    let source = Source::now(world, settings, run);
    world.record(&metrics::of_run(source, &report));
    let answer = serde_json::to_value(report.answer(&mail, sent?))?;
    Ok(if request.claim.is_some() { reference::with_status_code(answer) } else { answer })
}

/// What every server of every list is now, or why that is not known. All lists at the same time: a slow EC2 must not
/// cost the mail.
async fn see_all<W: Services>(
    world: &W,
    lists: &ServerLists,
    run: &str,
    told: &[EnvironmentResult],
    deadline: Timestamp,
) -> Seen {
    let until = (world.now() + LONGEST_LOOK).min(deadline - MARGIN);
    let looks = lists.lists.iter().map(|list| async move {
        let there = world.reach(lists.elsewhere.get(&list.environment), run).await;
        let read = patiently(world, until, async || see(&*there, list, told).await);
        (list.number, in_time(world, until, "DescribeInstances", read).await)
    });
    join_all(looks).await
}

/// The servers of one list, and by their ids those that its phase told of and that the list does not show any more:
/// a server that lost its Name is not gone.
async fn see<W: ReadInstances>(
    world: &W,
    list: &ServerList,
    told: &[EnvironmentResult],
) -> Result<Vec<Instance>, Failure> {
    let mut seen = instances(world, list).await?;
    let told = told.iter().find(|result| result.environment == list.environment);
    let mut absent = told.map(|result| result.ids(list)).unwrap_or_default();
    absent.retain(|id| !seen.iter().any(|instance| instance.id == *id));
    if !absent.is_empty() {
        let found = world.instances_by_id(&absent.into_iter().collect::<Vec<_>>()).await?;
        seen.extend(found.into_iter().filter(|instance| !instance.is_gone()));
    }
    Ok(seen)
}
