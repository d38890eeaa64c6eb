//! One event → one answer; the names of errors.
//!
//! Owns the way from a payload to the phase or the report, and the stable names that the state machine matches.

use futures::future::join_all;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::lambda::metrics::{self, Source};
use crate::lambda::payload::{PayloadError, PhaseRequest, ReportRequest, Request};
use crate::lambda::watchers::Watchers;
use crate::model::failure::Kind;
use crate::model::{Failure, PhaseAnswer};
use crate::muting::Muting;
use crate::muting::watcher::{self, Muter, unmute_unsettled};
use crate::phase::in_time::in_time;
use crate::phase::look::{instances, patiently};
use crate::phase::run as phase;
use crate::phase::run::{MARGIN, PhaseError, Task};
use crate::phase_log::{self, Narrator};
use crate::ports::{MuteAlarms, PhaseLog, SendMail, Trail, World};
use crate::report::{self, Place, Report, Seen};
use crate::servers::file::{ServerLists, ServersFileError};

/// The report looks at all servers for this long at most (DESIGN: end states are a nicety, the mail is not).
const LONGEST_LOOK: SignedDuration = SignedDuration::from_mins(2);

/// All that an invocation needs of the world.
pub trait Services: World + MuteAlarms + PhaseLog + SendMail + Trail {}

impl<T: World + MuteAlarms + PhaseLog + SendMail + Trail> Services for T {}

/// What the function is set up with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// servers.toml.
    pub lists: ServerLists,
    /// The zone of dates in hold tags and of times in mails.
    pub zone: TimeZone,
    /// The Region, for links into the console.
    pub region: String,
    /// The stack's name, a dimension of the metrics.
    pub stack: String,
    /// Who sends the report.
    pub sender: Option<String>,
    /// Who gets it.
    pub recipients: Vec<String>,
    /// How alarms are muted, if they are.
    pub muting: Option<Muting>,
}

/// One invocation, as Lambda tells of it.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// When Lambda cuts it off.
    pub deadline: Timestamp,
    /// Lambda's request id: names the phase log's stream where no execution does.
    pub request_id: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// The payload cannot be used; nothing was started or stopped.
    #[error(transparent)]
    InvalidPayload(#[from] PayloadError),
    /// The file of `SERVERS_FILE` cannot be used.
    #[error(transparent)]
    InvalidServersFile(#[from] ServersFileError),
    /// A setting of the function is missing or wrong.
    #[error("{0}")]
    Misconfigured(String),
    /// AWS says that the function may not.
    #[error("{0}. Give the function's role that permission, or correct its credentials")]
    AccessDenied(Failure),
    /// AWS asks for fewer requests, again and again. Transient.
    #[error("{0}. This goes away by itself; if not, ask for higher API limits")]
    Throttled(Failure),
    /// AWS does not answer, or has an internal error. Transient.
    #[error("{0}. If it stays, look at AWS Health and at the function's network")]
    AwsUnreachable(Failure),
    /// AWS answered something that is none of these.
    #[error("{0}")]
    AwsFailure(Failure),
    /// SES did not take the report.
    #[error("the report could not be sent to {to}: {error}")]
    MailRejected {
        /// The recipients.
        to: String,
        /// What SES said.
        error: Failure,
    },
    /// The program has a defect.
    #[error("the function panicked: {0}. This is a defect: please report it")]
    Panicked(String),
    /// Our own answer could not be written as JSON.
    #[error("the answer could not be written: {0}")]
    Unwritable(#[from] serde_json::Error),
}

impl HandlerError {
    /// The stable name that the state machine matches in `ErrorEquals`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::InvalidPayload(_) => "InvalidPayload",
            Self::InvalidServersFile(_) => "InvalidServersFile",
            Self::Misconfigured(_) => "Misconfigured",
            Self::AccessDenied(_) => "AccessDenied",
            Self::Throttled(_) => "Throttled",
            Self::AwsUnreachable(_) => "AwsUnreachable",
            Self::AwsFailure(_) => "AwsFailure",
            Self::MailRejected { .. } => "MailRejected",
            Self::Panicked(_) | Self::Unwritable(_) => "Panicked",
        }
    }
}

impl From<Failure> for HandlerError {
    fn from(error: Failure) -> Self {
        match error.kind {
            Kind::Denied => Self::AccessDenied(error),
            Kind::Throttled => Self::Throttled(error),
            Kind::Outage => Self::AwsUnreachable(error),
            _ => Self::AwsFailure(error),
        }
    }
}

impl From<PhaseError> for HandlerError {
    fn from(error: PhaseError) -> Self {
        match error {
            PhaseError::Aws(error) => error.into(),
            PhaseError::Progress(error) => error.into(),
        }
    }
}

/// Answers one event.
///
/// # Errors
/// Only what no retry of the same phase could judge; a server that will not start is part of an answer.
pub async fn answer<W: Services>(
    world: &W,
    settings: &Settings,
    invocation: &Invocation,
    payload: Value,
) -> Result<Value, HandlerError> {
    // What an invocation before this one asked, and could not tell, is not this one's.
    let _ = world.calls();
    let answer = match Request::parse(payload)? {
        Request::Skip => serde_json::to_value(PhaseAnswer::skipped())?,
        Request::Phase(request) => {
            serde_json::to_value(run_phase(world, settings, invocation, request).await?)?
        }
        Request::Report(request) => send_report(world, settings, invocation, request).await?,
    };
    Ok(answer)
}

async fn run_phase<W: Services>(
    world: &W,
    settings: &Settings,
    invocation: &Invocation,
    request: PhaseRequest,
) -> Result<PhaseAnswer, HandlerError> {
    let list = settings.lists.numbered(request.phase_number).ok_or_else(|| {
        let numbers: Vec<String> = settings.lists.lists.iter().map(|list| list.number.to_string()).collect();
        PayloadError::Field {
            field: "phase_number".to_owned(),
            expected: format!("one of {} (servers.toml)", numbers.join(", ")),
            found: request.phase_number.to_string(),
        }
    })?;
    let execution = request.execution.as_ref();
    let run = execution.map_or(&invocation.request_id, |execution| &execution.name);
    let task = Task {
        list,
        action: request.action,
        dry_run: request.dry_run,
        run_began_at: execution.map_or_else(|| world.now(), |execution| execution.start_time),
        deadline: invocation.deadline,
        zone: settings.zone.clone(),
        environments: settings.lists.environments().len(),
    };
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
        Muter::new(world, muting, about)
    });
    let mut watchers = Watchers { muter, log: Narrator::new(world, about) };
    let answer = phase::run(world, &task, request.resume, &mut watchers).await?;
    let source = Source { stack: &settings.stack, run, at: world.now(), calls: world.calls() };
    for record in metrics::of_phase(source, list, task.action, task.dry_run, &answer) {
        world.record(&record);
    }
    Ok(answer)
}

async fn send_report<W: Services>(
    world: &W,
    settings: &Settings,
    invocation: &Invocation,
    request: ReportRequest,
) -> Result<Value, HandlerError> {
    let sender = settings
        .sender
        .as_deref()
        .ok_or_else(|| HandlerError::Misconfigured("MAIL_SENDER is not set".to_owned()))?;
    if settings.recipients.is_empty() {
        return Err(HandlerError::Misconfigured("MAIL_RECIPIENTS is not set".to_owned()));
    }
    let seen = see_all(world, settings, invocation.deadline).await;
    let mut report = Report::build(&request, &settings.lists, &seen, world.now());
    if let Some(muting) = &settings.muting {
        let remarks = unmute_unsettled(world, muting, &report, invocation.deadline).await;
        report.remarks.extend(remarks);
    }
    let mail = report.mail(&settings.zone, &Place::new(&settings.region, &settings.stack));
    let sent = world.send(sender, &settings.recipients, &mail).await;
    let run = request.execution.as_ref().map_or(&invocation.request_id, |execution| &execution.name);
    let source = Source { stack: &settings.stack, run, at: world.now(), calls: world.calls() };
    world.record(&metrics::of_run(source, &report));
    let message_id = sent.map_err(|error| undelivered(error, &settings.recipients))?;
    let sent = report::Sent { message_id, from: sender.to_owned(), to: settings.recipients.clone() };
    Ok(serde_json::to_value(report.answer(&mail, sent))?)
}

/// A mail that SES may take later is no rejected one.
fn undelivered(error: Failure, to: &[String]) -> HandlerError {
    match HandlerError::from(error.clone()) {
        transient @ (HandlerError::Throttled(_) | HandlerError::AwsUnreachable(_)) => transient,
        _ => HandlerError::MailRejected { to: to.join(", "), error },
    }
}

/// What every server of every list is now, or why that is not known. All lists at the same time: a slow EC2 must not
/// cost the mail.
async fn see_all<W: Services>(world: &W, settings: &Settings, deadline: Timestamp) -> Seen {
    let until = (world.now() + LONGEST_LOOK).min(deadline - MARGIN);
    let looks = settings.lists.lists.iter().map(|list| async move {
        let read = patiently(world, until, async || instances(world, list).await);
        (list.number, in_time(world, until, "DescribeInstances", read).await)
    });
    join_all(looks).await
}
