//! The event's detail, put together. Pure.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::change::StatusChange;
use super::chat;
use super::links::Links;
use super::story::{CheckCounts, Counts, Mailed, Scheduled, Story, Told};
use super::trouble::Trouble;
use super::verdict::Verdict;
use super::words;
use crate::model::Action;
use crate::report::Place;

/// The version of the event's form: a field may be added, none is taken away or changes its meaning.
const FORM: &str = "1";
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
    check: Option<bool>,
    environments: Option<Vec<String>>,
    verdict: Option<&'static str>,
    counts: Option<Counts>,
    check_counts: Option<CheckCounts>,
    scheduled: Option<Scheduled>,
    problems: Vec<Told>,
    more_problems: u64,
    remarks: Vec<String>,
    mail_error: Option<Trouble>,
    error: Option<Trouble>,
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
        // Of a run whose answer tells more, Step Functions' own words are none.
        let error = Trouble::of_execution(change).filter(|_| story.verdict.is_none());
        let chat = chat::message(change, &story, &title, &links, place);
        Self {
            version: FORM,
            stack: place.stack.clone(),
            run: change.run.clone(),
            execution_arn: change.execution.clone(),
            status: change.status.word(),
            redrives: change.redrives,
            action: story.action,
            dry_run: story.dry_run,
            check: story.check,
            environments: story.environments,
            verdict: story.verdict.map(Verdict::word),
            counts: story.counts,
            check_counts: story.check_counts,
            scheduled: story.scheduled,
            problems: story.problems,
            more_problems: story.more_problems,
            remarks: story.remarks,
            mail_error: match story.mail {
                Mailed::Failed(trouble) => Some(trouble),
                Mailed::Not | Mailed::Sent => None,
            },
            error,
            began_at: change.began_at,
            ended_at: change.ended_at,
            links,
            title,
            chat,
        }
    }
}
