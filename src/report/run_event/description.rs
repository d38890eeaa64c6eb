//! The body of a chat's message: what came of the run, a line each. Pure.
//!
//! Owns what is said first, and what is left out where there is no room for it.

use super::change::{RunStatus, StatusChange};
use super::one_line::{plain, shortened};
use super::story::{Mailed, Story, Told};
use super::trouble::{Trouble, sentence};
use super::verdict::Verdict;
use super::words::did_not_begin;
use crate::report::Place;
use crate::report::times::in_utc;

/// Characters of the whole: below Slack's 3,000 for a block of text (tests/chat.schema.json).
const ALL: usize = 2_850;
/// So many problems are told in a message; the event has more.
const MOST_PROBLEMS: usize = 4;
/// So many remarks are.
const MOST_REMARKS: usize = 3;
/// Characters of a problem's sentence: EC2's text and our advice behind it.
const SENTENCE: usize = 400;
/// Characters of a name or a code.
pub(super) const NAME: usize = 80;
/// Characters of a list of environments.
const ENVIRONMENTS: usize = 200;
/// What the line of those that are left out takes.
const MORE: usize = 60;

/// The body.
pub(super) fn description(change: &StatusChange, story: &Story, place: &Place) -> String {
    let mut lines = vec![plain(&place.words().join(", ").replace('\u{a0}', " "))];
    lines.push(match &story.environments {
        Some(names) => format!("Environments: {}", shortened(&plain(&names.join(", ")), ENVIRONMENTS)),
        None if change.input.is_some() => "Environments: all".to_owned(),
        None => "Its input did not come with the event.".to_owned(),
    });
    lines.extend(outcome(change, story));
    let last: Vec<String> = not_mailed(story).into_iter().chain(of_before(change, story)).collect();
    let length = |lines: &[String]| lines.iter().map(|line| line.chars().count() + 1).sum::<usize>();
    let mut room = ALL.saturating_sub(length(&lines) + length(&last) + MORE);
    let mut fits = |line: &String| {
        let rest = room.checked_sub(line.chars().count() + 1);
        room = rest.unwrap_or(room);
        rest.is_some()
    };
    let problems = story.problems.iter().take(MOST_PROBLEMS).map(problem);
    let problems: Vec<String> = problems.take_while(&mut fits).collect();
    let more = story.problems.len() as u64 + story.more_problems - problems.len() as u64;
    lines.extend(problems);
    if more > 0 {
        let where_else =
            if story.mail == Mailed::Sent { "the mail has them all" } else { "look at the execution" };
        lines.push(format!("and {more} more: {where_else}."));
    }
    let remarks = story.remarks.iter().take(MOST_REMARKS).map(|remark| plain(remark));
    lines.extend(remarks.take_while(&mut fits));
    lines.extend(last);
    lines.join("\n")
}

/// What came of it: what its answer says; where there is none, what Step Functions says.
fn outcome(change: &StatusChange, story: &Story) -> Vec<String> {
    if change.status == RunStatus::Running {
        return Vec::new();
    }
    if let Some(scheduled) = &story.scheduled {
        let (name, at) = (code(&scheduled.schedule), in_utc(scheduled.at));
        return vec![format!("Nothing was started or stopped yet: the schedule {name} begins it at {at}.")];
    }
    match story.verdict {
        Some(Verdict::Skipped) => vec!["Nothing was started or stopped.".to_owned()],
        // A report comes of such a run only then.
        Some(_) if story.is_later => {
            vec!["Nothing was started or stopped; its schedule could not be made.".to_owned()]
        }
        Some(_) => counts(story).into_iter().collect(),
        None => without_an_answer(change, story),
    }
}

fn counts(story: &Story) -> Option<String> {
    if let Some(counts) = story.check_counts {
        let further = [(counts.would_fail, "would fail"), (counts.held, "are left alone on purpose")];
        return Some(format!(
            "EC2 would let {} of {} servers be started and {} be stopped{}.",
            counts.start_allowed,
            counts.servers,
            counts.stop_allowed,
            told(&further)
        ));
    }
    let counts = story.counts?;
    let further = [
        (counts.problems, "not as wanted"),
        (counts.held, "left alone on purpose"),
        (counts.not_reached, "not reached"),
    ];
    let (all, further) = (counts.servers, told(&further));
    Some(match story.dry_run {
        Some(true) => {
            format!("Nothing was changed: {} of {all} servers would be as wanted{further}.", counts.as_wanted)
        }
        _ => format!("{} of {all} servers as wanted{further}.", counts.as_wanted),
    })
}

fn told(further: &[(u64, &str)]) -> String {
    let further = further.iter().filter(|(number, _)| *number > 0);
    further.map(|(number, what)| format!(", {number} {what}")).collect()
}

fn without_an_answer(change: &StatusChange, story: &Story) -> Vec<String> {
    let error = change.error.iter().map(|error| format!("Error: {}", code(error)));
    let cause = change.cause.iter().map(|cause| shortened(&plain(&sentence(cause)), SENTENCE));
    let means = if did_not_begin(change) {
        "Nothing was started or stopped."
    } else if story.is_later {
        "Nothing was started or stopped. Whether a schedule was made for later is not known: look at the execution."
    } else if story.check == Some(true) {
        "No answer of the check came: nothing is known of the next start and stop. A check changes nothing."
    } else if story.dry_run == Some(true) {
        "No report came with its end. A dry run changes nothing."
    } else {
        "No report came with its end: look at the execution before you rely on any server."
    };
    error.chain(cause).chain([means.to_owned()]).collect()
}

fn problem(told: &Told) -> String {
    let problem = &told.problem;
    let text = shortened(&plain(&problem.message), SENTENCE);
    let not_known = if told.would_fail == Some(false) { "Not known: " } else { "" };
    format!("• {not_known}{} ({}): {text}", code(&problem.name), code(&problem.code))
}

/// A lost answer of SES is no proof that nobody got it.
fn not_mailed(story: &Story) -> Option<String> {
    let Mailed::Failed(Trouble { name, cause }) = &story.mail else { return None };
    let name = name.iter().map(|name| code(name));
    let cause = cause.iter().map(|cause| shortened(&plain(cause), SENTENCE));
    let why: Vec<String> = name.chain(cause).collect();
    Some(format!("As far as is known no mail went out: {}", why.join(": ")))
}

/// A redrive of a run that failed comes to the same Fail again, with the same report.
fn of_before(change: &StatusChange, story: &Story) -> Option<String> {
    let may_be = change.redrives > 0 && change.status == RunStatus::Failed && story.verdict.is_some();
    may_be.then(|| "It was redriven: what stands here may be of the time before.".to_owned())
}

/// As code, in which no markdown is read.
fn code(text: &str) -> String {
    format!("`{}`", shortened(&plain(text).replace('`', "'"), NAME))
}
