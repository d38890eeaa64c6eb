//! The words of an event: a title of one line. Pure.

use super::change::{RunStatus, StatusChange};
use super::one_line::shortened;
use super::story::Story;
use crate::model::Action;

/// Characters of a title: as long as a mail's subject may be.
const TITLE: usize = 120;

/// What happened to the run, in one line.
pub(super) fn title(change: &StatusChange, story: &Story, stack: &str) -> String {
    let line = match (&story.subject, change.status) {
        (Some(subject), _) => subject.clone(),
        (None, RunStatus::Running) => parts([&began(change, story), stack, &about(story)]),
        (None, status) => {
            let error = change.error.as_deref().unwrap_or_default();
            parts([&ended(story, status), stack, error])
        }
    };
    shortened(&line, TITLE)
}

fn began(change: &StatusChange, story: &Story) -> String {
    let again = if change.redrives > 0 { " AGAIN, redriven" } else { "" };
    format!("{} BEGAN{again}", what(story))
}

/// Of a run without a report; of one with a report its subject tells.
fn ended(story: &Story, status: RunStatus) -> String {
    let what = what(story);
    if let Some(verdict) = story.verdict {
        return format!("{what} STATUS: {verdict}");
    }
    match status {
        RunStatus::TimedOut => format!("{what} TIMED OUT without a report"),
        RunStatus::Aborted => format!("{what} ENDED BY SOMEBODY without a report"),
        RunStatus::Failed => format!("{what} FAILED without a report"),
        RunStatus::Running | RunStatus::Succeeded => format!("{what} ENDED without a report"),
    }
}

/// The mail's own words (`report::subject`), so that filters know them.
fn what(story: &Story) -> String {
    let what = match story.action {
        _ if story.is_check => "CHECK",
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
