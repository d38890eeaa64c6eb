//! Which calendars a run asks, and what may be the name of one. Pure.

use indexmap::IndexSet;

/// "Pattern: ^[a-zA-Z0-9_\-.:/]{3,128}$" of a document's ARN; an account's and a Region's part come on top of the
/// name's 128 (Systems Manager's API, DocumentDescription).
const CHARACTERS: std::ops::RangeInclusive<usize> = 3..=200;

/// Whether this can be a Change Calendar's name or ARN.
pub(super) fn is_calendar(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.:/".contains(c);
    CHARACTERS.contains(&name.len()) && name.chars().all(allowed)
}

/// The input's own, else the stack's (empty if it has none); and `others` besides, each once. They are asked in one
/// request: GetCalendarState says OPEN only if all are, and fails if one cannot be read.
pub(super) fn of(own: Option<String>, stacks: &str, others: &[String]) -> Vec<String> {
    let stacks = Some(stacks.to_owned()).filter(|name| !name.is_empty());
    let calendars: IndexSet<String> = own.or(stacks).into_iter().chain(others.iter().cloned()).collect();
    calendars.into_iter().collect()
}
