//! What is wrong with a servers.toml: every mistake, with its line and what to write instead.
//!
//! Owns how mistakes are collected and told. What is a mistake, `raw` and `checks` say.

use std::ops::Range;

use toml::Spanned;

use super::keys::Key;

/// So many are told in an error of the function; `ec2-start-stop check` tells them all.
const MOST_TOLD: usize = 5;
/// So much of a value is repeated.
const LONGEST_FOUND: usize = 40;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong, and what to write.
    pub what: String,
}

/// Why the file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ServersFileError {
    /// There is no such file, or it cannot be read; the text names it.
    #[error("servers.toml: {0}")]
    Unreadable(String),
    /// What it says cannot be: in the order of the lines, never empty.
    #[error("servers.toml, {}", told(.0))]
    Mistakes(Vec<Mistake>),
}

fn told(mistakes: &[Mistake]) -> String {
    let mut told: Vec<String> = mistakes
        .iter()
        .take(MOST_TOLD)
        .map(|mistake| format!("line {}: {}", mistake.line, mistake.what))
        .collect();
    if let Some(more) = mistakes.len().checked_sub(MOST_TOLD).filter(|more| *more > 0) {
        told.push(format!("and {more} more, which ec2-start-stop check tells"));
    }
    told.join("; ")
}

/// The mistakes of a text, as they are found.
pub(super) struct Mistakes<'t> {
    text: &'t str,
    found: Vec<Mistake>,
}

impl<'t> Mistakes<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self { text, found: Vec::new() }
    }

    /// Notes what is wrong at this place.
    pub(super) fn note(&mut self, at: &Range<usize>, what: impl Into<String>) {
        self.found.push(Mistake { line: self.line(at), what: what.into() });
    }

    /// Notes it unless it holds.
    pub(super) fn ensure(&mut self, holds: bool, at: &Range<usize>, what: impl FnOnce() -> String) {
        if !holds {
            self.note(at, what());
        }
    }

    /// Notes that something else was expected behind a key.
    pub(super) fn unexpected(&mut self, key: &Key, at: &Range<usize>) {
        let Key { name, expected, example } = key;
        let found = self.source(at);
        self.note(at, format!("{name} = {found}: write {expected}, as in {name} = {example}"));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The line of a place, counted from 1.
    pub(super) fn line(&self, at: &Range<usize>) -> usize {
        self.text.get(..at.start).unwrap_or_default().matches('\n').count() + 1
    }

    /// The text at a place, if it is short; else how it begins.
    pub(super) fn source(&self, at: &Range<usize>) -> String {
        let all = self.text.get(at.clone()).unwrap_or_default();
        let line = all.lines().next().unwrap_or_default();
        let begin: String = line.chars().take(LONGEST_FOUND).collect();
        if begin.len() < all.len() { format!("{begin}…") } else { begin }
    }

    /// All of them in the order of their lines; none means that the file is good.
    pub(super) fn into_error(mut self) -> Option<ServersFileError> {
        self.found.sort_by_key(|mistake| mistake.line);
        Some(self.found).filter(|found| !found.is_empty()).map(ServersFileError::Mistakes)
    }
}

/// What the file gives for a key.
#[derive(Debug)]
pub(super) enum Given<T> {
    /// Nothing.
    Absent,
    /// A value that is a mistake, already noted: nothing more is to be said of it.
    Bad,
    /// A value, and where it stands.
    Good(Spanned<T>),
}

impl<T> Given<T> {
    pub(super) fn good(&self) -> Option<&Spanned<T>> {
        match self {
            Self::Good(value) => Some(value),
            Self::Absent | Self::Bad => None,
        }
    }

    pub(super) fn value(&self) -> Option<&T> {
        self.good().map(Spanned::get_ref)
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}
