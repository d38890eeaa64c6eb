//! The event as Amazon Q Developer in chat applications takes it for Slack and Teams. Pure.
//!
//! The form: <https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html>. Where the page names no limit,
//! the limits are Slack's for a block of text, with room to spare (tests/chat.schema.json holds both).

use serde_json::{Value, json};

use super::change::{RunStatus, StatusChange};
use super::links::Links;
use super::one_line::shortened;
use super::story::Story;
use crate::model::Problem;
use crate::ports::EVENT_SOURCE;
use crate::report::Place;

/// So many problems are told in a message; the event has more, the mail all.
const MOST_PROBLEMS: usize = 4;
/// Characters of a problem's sentence: EC2's text and our advice behind it.
const SENTENCE: usize = 400;
/// Characters of a name or a code.
const NAME: usize = 80;
/// Characters of a list of environments.
const ENVIRONMENTS: usize = 200;

/// The message.
pub(super) fn message(
    change: &StatusChange,
    story: &Story,
    title: &str,
    links: &Links,
    place: &Place,
) -> Value {
    let title = plain(title);
    json!({
        "version": "1.0",
        "source": "custom",
        "id": change.event_id,
        "content": {
            "textType": "client-markdown",
            "title": title,
            "description": description(change, story, place),
            "nextSteps": next_steps(links),
            "keywords": keywords(change, story, place),
        },
        "metadata": {
            "threadId": change.run,
            "summary": title,
            "eventType": change.status.detail_type(),
            "relatedResources": [change.execution],
            "additionalContext": { "stack": place.stack, "status": change.status.word(),
                "verdict": story.verdict.unwrap_or("none") },
        },
    })
}

fn description(change: &StatusChange, story: &Story, place: &Place) -> String {
    let mut lines = vec![plain(&place.words().join(", ").replace('\u{a0}', " "))];
    lines.push(match &story.environments {
        Some(names) => format!("Environments: {}", shortened(&plain(&names.join(", ")), ENVIRONMENTS)),
        None if change.input.is_some() => "Environments: all".to_owned(),
        None => "Its input did not come with the event.".to_owned(),
    });
    lines.extend(outcome(change, story));
    lines.extend(story.problems.iter().take(MOST_PROBLEMS).map(problem));
    let told = story.problems.len().min(MOST_PROBLEMS) as u64;
    let more = story.problems.len() as u64 + story.more_problems - told;
    if more > 0 {
        lines.push(format!("and {more} more: the mail has them all."));
    }
    lines.join("\n")
}

/// What came of it: the counts of its report; where there is none, what Step Functions says.
fn outcome(change: &StatusChange, story: &Story) -> Vec<String> {
    if change.status == RunStatus::Running {
        return Vec::new();
    }
    if let Some(counts) = story.counts {
        let further = [(counts.problems, "not as wanted"), (counts.held, "left alone on purpose")];
        let further = further.into_iter().chain([(counts.not_reached, "not reached")]);
        let further = further.filter(|(number, _)| *number > 0);
        let further: String = further.map(|(number, what)| format!(", {number} {what}")).collect();
        return vec![format!("{} of {} servers as wanted{further}.", counts.as_wanted, counts.servers)];
    }
    if story.verdict.is_some() {
        return Vec::new();
    }
    let error = change.error.iter().map(|error| format!("Error: {}", code(error)));
    let cause = change.cause.iter().map(|cause| shortened(&plain(cause), SENTENCE));
    let none = "No report came with its end: look at the execution before you rely on any server.".to_owned();
    error.chain(cause).chain([none]).collect()
}

fn problem(problem: &Problem) -> String {
    let sentence = shortened(&plain(&problem.message), SENTENCE);
    format!("• {} ({}): {sentence}", code(&problem.name), code(&problem.code))
}

fn next_steps(links: &Links) -> Vec<String> {
    let execution = links.execution.iter().map(|url| format!("Look at the execution: {url}"));
    let log = links.phase_log.iter().map(|url| format!("Read what was done, step by step: {url}"));
    execution.chain(log).collect()
}

fn keywords(change: &StatusChange, story: &Story, place: &Place) -> Vec<String> {
    let outcome = story.verdict.unwrap_or(change.status.word());
    let words = [&place.stack, outcome].map(|word| shortened(&plain(word), NAME));
    let ours = [EVENT_SOURCE.to_owned()].into_iter().filter(|ours| *ours != words[0]);
    ours.chain(words.clone()).collect()
}

/// As code, in which no markdown is read.
fn code(text: &str) -> String {
    format!("`{}`", shortened(&plain(text).replace('`', "'"), NAME))
}

/// A server's name must not call everybody in the channel: Slack's and Teams's mentions and links need these.
fn plain(text: &str) -> String {
    text.replace('<', "‹").replace('>', "›").replace('&', "+")
}
