//! Which calendars a run asks. Pure.

use serde_json::{Map, Value};

use super::opening::Opening;
use super::{Refusal, Wish, wrong};

/// "Pattern: ^[a-zA-Z0-9_\-.:/]{3,128}$" of a document's ARN; an account's and a Region's part come on top of the
/// name's 128 (Systems Manager's API, DocumentDescription).
const CHARACTERS: std::ops::RangeInclusive<usize> = 3..=200;

/// The input's calendar.
pub(super) fn calendar(fields: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    let Some(given) = fields.get("calendar") else { return Ok(None) };
    let is_name = |name: &&str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.:/".contains(c);
        CHARACTERS.contains(&name.len()) && name.chars().all(allowed)
    };
    match given.as_str().filter(is_name) {
        Some(name) => Ok(Some(name.to_owned())),
        None => Err(wrong("calendar", "the name or the ARN of a Change Calendar", Some(given))),
    }
}

/// The input's calendar, else the stack's. A check is of the schedules' runs too, so it asks theirs besides, in the
/// same request: GetCalendarState says OPEN only if all are, and fails if one cannot be read.
pub(super) fn of(wish: &Wish, opening: &Opening, scheduled: &[String]) -> Vec<String> {
    if wish.ignore_calendar {
        return Vec::new();
    }
    let stacks = Some(&opening.calendar).filter(|name| !name.is_empty());
    let mut calendars: Vec<String> = wish.calendar.as_ref().or(stacks).into_iter().cloned().collect();
    let others = scheduled.iter().filter(|_| wish.check);
    for other in others {
        if !calendars.contains(other) {
            calendars.push(other.clone());
        }
    }
    calendars
}
