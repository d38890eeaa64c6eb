//! The words of an event: a title of one line. Pure.

use super::change::{RunStatus, StatusChange};
use super::one_line::shortened;
use super::story::{Mailed, Story};
use crate::model::Action;
use crate::report::times::in_utc;

/// Characters of a title: as long as a mail's subject may be.
const TITLE: usize = 120;
/// What `make status` says of it too.
const NOT_MAILED: &str = ", mail not sent";
/// The ends of an execution whose input was refused, or not read: it came to nothing that touches a server
/// (`servers/machine/opening.rs`).
const REFUSED: &str = "InvalidInput";
const NOT_READ: &str = "InputNotRead";

/// What happened to the run, in one line.
pub(super) fn title(change: &StatusChange, story: &Story, stack: &str) -> String {
    let line = match (&story.subject, change.status) {
        (Some(subject), _) => subject.clone(),
        (None, RunStatus::Running) => parts([&began(change, story), stack, &about(story)]),
        (None, _) if story.scheduled.is_some() => parts([&ended(change, story), stack, &about(story)]),
        (None, _) => {
            let error = change.error.as_deref().filter(|_| story.verdict.is_none());
            parts([&ended(change, story), stack, error.unwrap_or_default()])
        }
    };
    match story.mail {
        Mailed::Failed(_) => format!("{}{NOT_MAILED}", shortened(&line, TITLE - NOT_MAILED.len())),
        Mailed::Not | Mailed::Sent => shortened(&line, TITLE),
    }
}

/// Whether the execution ended before it could touch any server.
pub(super) fn did_not_begin(change: &StatusChange) -> bool {
    change.status == RunStatus::Failed && matches!(change.error.as_deref(), Some(REFUSED | NOT_READ))
}

fn began(change: &StatusChange, story: &Story) -> String {
    let again = if change.redrives > 0 { " AGAIN, redriven" } else { "" };
    let verb = if story.is_later { "ASKED FOR LATER" } else { "BEGAN" };
    format!("{} {verb}{again}", what(story))
}

/// Of an execution whose answer has no subject.
fn ended(change: &StatusChange, story: &Story) -> String {
    let what = what(story);
    if let Some(scheduled) = &story.scheduled {
        return format!("{what} SCHEDULED for {}", in_utc(scheduled.at));
    }
    if let Some(verdict) = story.verdict {
        return format!("{what} STATUS: {}", verdict.word());
    }
    match change.status {
        RunStatus::TimedOut => format!("{what} TIMED OUT without a report"),
        RunStatus::Aborted => format!("{what} ENDED BY SOMEBODY without a report"),
        RunStatus::Failed if change.error.as_deref() == Some(REFUSED) => format!("{what} REFUSED"),
        RunStatus::Failed if did_not_begin(change) => format!("{what} DID NOT BEGIN"),
        RunStatus::Failed => format!("{what} FAILED without a report"),
        RunStatus::Running | RunStatus::Succeeded => format!("{what} ENDED without a report"),
    }
}

/// The mail's own words (`report::subject`), so that filters know them.
fn what(story: &Story) -> String {
    let what = match story.action {
        _ if story.check == Some(true) => "CHECK",
        Some(Action::Start) => "START",
        Some(Action::Stop) => "SHUTDOWN",
        None => "A RUN",
    };
    let dry_run = if story.dry_run == Some(true) { "DRY RUN: " } else { "" };
    format!("{dry_run}{what}")
}

fn about(story: &Story) -> String {
    story.environments.as_deref().unwrap_or_default().join(", ")
}

fn parts(parts: [&str; 3]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}
