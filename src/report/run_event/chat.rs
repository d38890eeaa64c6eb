//! The event as Amazon Q Developer in chat applications takes it for Slack and Teams. Pure.
//!
//! The form: <https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html>. Where the page names no limit,
//! the limits are Slack's for a block of text, with room to spare (tests/chat.schema.json holds both).

use serde_json::{Value, json};

use super::change::StatusChange;
use super::description::{NAME, description};
use super::links::Links;
use super::one_line::{plain, shortened};
use super::story::Story;
use super::verdict::Verdict;
use crate::ports::EVENT_SOURCE;
use crate::report::Place;

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
                "verdict": story.verdict.map_or("none", Verdict::word) },
        },
    })
}

fn next_steps(links: &Links) -> Vec<String> {
    let execution = links.execution.iter().map(|url| format!("Look at the execution: {url}"));
    let log = links.phase_log.iter().map(|url| format!("Read what was done, step by step: {url}"));
    execution.chain(log).collect()
}

fn keywords(change: &StatusChange, story: &Story, place: &Place) -> Vec<String> {
    let outcome = story.verdict.map_or(change.status.word(), Verdict::word);
    let words = [&place.stack, outcome].map(|word| shortened(&plain(word), NAME));
    let ours = [EVENT_SOURCE.to_owned()].into_iter().filter(|ours| *ours != words[0]);
    ours.chain(words.clone()).collect()
}
