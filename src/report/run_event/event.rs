//! The event's detail, put together. Pure.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::change::StatusChange;
use super::chat;
use super::links::Links;
use super::one_line::shortened;
use super::story::{Counts, Story};
use super::words;
use crate::model::{Action, Problem};
use crate::report::Place;

/// The version of the event's form: a field may be added, none is taken away or changes its meaning.
const FORM: &str = "1";
/// Characters of an error's name.
const ERROR: usize = 256;
/// Characters of a cause that is no report.
const CAUSE: usize = 1_000;

/// Why a run without a report ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Error {
    name: Option<String>,
    cause: Option<String>,
}

/// The event's detail.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RunEvent {
    version: &'static str,
    stack: String,
    run: String,
    execution_arn: String,
    status: &'static str,
    redrives: u64,
    action: Option<Action>,
    dry_run: Option<bool>,
    environments: Option<Vec<String>>,
    verdict: Option<&'static str>,
    counts: Option<Counts>,
    problems: Vec<Problem>,
    more_problems: u64,
    error: Option<Error>,
    began_at: Timestamp,
    ended_at: Option<Timestamp>,
    links: Links,
    title: String,
    chat: Value,
}

impl RunEvent {
    /// What is told of a change of status.
    pub(crate) fn of(change: &StatusChange, place: &Place) -> Self {
        let story = Story::of(change);
        let title = words::title(change, &story, &place.stack);
        let links = Links::of(change, place);
        Self {
            version: FORM,
            stack: place.stack.clone(),
            run: change.run.clone(),
            execution_arn: change.execution.clone(),
            status: change.status.word(),
            redrives: change.redrives,
            action: story.action,
            dry_run: story.dry_run,
            environments: story.environments.clone(),
            verdict: story.verdict,
            counts: story.counts,
            problems: story.problems.clone(),
            more_problems: story.more_problems,
            error: error(change, &story),
            began_at: change.began_at,
            ended_at: change.ended_at,
            chat: chat::message(change, &story, &title, &links, place),
            links,
            title,
        }
    }
}

/// Of a run whose report tells more, nothing.
fn error(change: &StatusChange, story: &Story) -> Option<Error> {
    if story.verdict.is_some() || (change.error.is_none() && change.cause.is_none()) {
        return None;
    }
    let bounded = |text: &Option<String>, characters| text.as_deref().map(|text| shortened(text, characters));
    Some(Error { name: bounded(&change.error, ERROR), cause: bounded(&change.cause, CAUSE) })
}
