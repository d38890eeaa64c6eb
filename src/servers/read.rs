//! Reads a servers.toml: TOML, then each value, then what they are to one another, then the lists.
//!
//! Owns the order of these steps. All mistakes are told at once, but for a text that is no TOML.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeTable;

use super::checks;
use super::environment::RawEnvironment;
use super::file::{Minimum, ServerList, ServerLists};
use super::keys::{IN_TWO_BRACKETS, OF_LIST, SCHEDULES};
use super::mistake::{Mistake, Mistakes, ServersFileError};
use super::raw::{Depth, RawFile, RawList};
use super::schedule::{RawSchedule, Schedule};

/// All that a servers.toml says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServersFile {
    /// The lists of servers.
    pub lists: ServerLists,
    /// The schedules, in the file's order.
    pub schedules: Vec<Schedule>,
}

/// How toml says that a table or a key is there twice.
const TWICE: &str = "duplicate key";

impl ServerLists {
    /// Reads the lists, and no schedules: what the function needs.
    ///
    /// # Errors
    /// With every mistake and its line; nothing of a bad file is used.
    pub(crate) fn read(file: &[u8]) -> Result<Self, ServersFileError> {
        Self::parse(text(file)?)
    }

    /// Reads the file's text in the same way.
    ///
    /// # Errors
    /// With every mistake and its line; nothing of a bad file is used.
    pub(crate) fn parse(text: &str) -> Result<Self, ServersFileError> {
        parse(text, Depth::Lists).map(|file| file.lists)
    }
}

impl ServersFile {
    /// Reads the whole file.
    ///
    /// # Errors
    /// With every mistake and its line.
    pub(crate) fn read(file: &[u8]) -> Result<Self, ServersFileError> {
        parse(text(file)?, Depth::Whole)
    }
}

fn text(file: &[u8]) -> Result<&str, ServersFileError> {
    let broken = match std::str::from_utf8(file) {
        Ok(text) => return Ok(text),
        Err(error) => error.valid_up_to(),
    };
    let line = file.iter().take(broken).filter(|byte| **byte == b'\n').count() + 1;
    let what = match file {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "the file is saved as UTF-16: write it as UTF-8",
        _ => "this is no UTF-8 text, as TOML must be: write the file as UTF-8",
    };
    Err(ServersFileError::Mistakes(vec![Mistake { line, what: what.to_owned() }]))
}

fn parse(text: &str, depth: Depth) -> Result<ServersFile, ServersFileError> {
    let mut mistakes = Mistakes::of(text);
    let file = match DeTable::parse(text) {
        Ok(file) => {
            let raw = RawFile::read(file.get_ref(), depth, &mut mistakes);
            checks::check(&raw, &mut mistakes);
            raw.into_file()
        }
        Err(error) => {
            let at = error.span().unwrap_or_default();
            let what = no_toml(text, &at, error.message());
            mistakes.note(&at, what);
            None
        }
    };
    match (file, mistakes.into_error()) {
        (_, Some(error)) => Err(error),
        (Some(file), None) => Ok(file),
        (None, None) => Err(ServersFileError::Unreadable("a value was lost: please report it".to_owned())),
    }
}

/// What is wrong with a text that is no TOML.
fn no_toml(text: &str, at: &Range<usize>, message: &str) -> String {
    if message == TWICE {
        return twice(text, at);
    }
    // What toml expects helps where it is a sign; else it is a word of toml's grammar.
    let what = match message.split_once(", expected ") {
        Some((what, expected)) if !expected.starts_with('`') => what,
        _ => message,
    };
    format!("this is not TOML: {what}")
}

fn twice(text: &str, at: &Range<usize>) -> String {
    let key = text.get(at.clone()).unwrap_or_default();
    let before = text.get(..at.start).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
    let is_header = before.trim_start().starts_with('[');
    if is_header && !OF_LIST.iter().any(|known| known.name == key) {
        let brackets = if key == SCHEDULES.name {
            "write [[schedule]], in two brackets, above each schedule"
        } else {
            IN_TWO_BRACKETS
        };
        format!("[{key}] is there twice: {brackets}")
    } else {
        format!("{key} is there twice in one table: write it once")
    }
}

impl RawFile {
    fn into_file(self) -> Option<ServersFile> {
        let tiers = self.tiers.good().map_or_else(checks::default_tiers, |tiers| tiers.get_ref().clone());
        let lists: Option<Vec<ServerList>> = self.lists.into_iter().map(RawList::into_list).collect();
        let approvals = self.environments.iter().filter_map(RawEnvironment::approval).collect();
        let elsewhere = self.environments.into_iter().filter_map(RawEnvironment::into_elsewhere).collect();
        let schedules: Option<Vec<_>> = self.schedules.into_iter().map(RawSchedule::into_schedule).collect();
        let lists = ServerLists { tiers, lists: lists?, elsewhere, approvals, calendars: self.calendars };
        Some(ServersFile { lists, schedules: schedules? })
    }
}

impl RawList {
    /// The list, if nothing that it needs is missing or bad.
    fn into_list(self) -> Option<ServerList> {
        let minutes = |minutes: &u64| Duration::from_secs(minutes * 60);
        let servers = self.servers.value().into_iter().flatten();
        Some(ServerList {
            number: *self.number.value()?,
            environment: self.environment.value()?.clone(),
            tier: self.tier.value()?.clone(),
            name: self.name.value()?.clone(),
            servers: servers.map(Spanned::get_ref).cloned().collect(),
            tags: self.tags.value().cloned().unwrap_or_default(),
            ready: *self.ready.value()?,
            timeout: minutes(self.timeout_minutes.value()?),
            settle: Duration::from_secs(self.settle_seconds.value().copied().unwrap_or_default()),
            minimum: self.minimum.value().copied().unwrap_or(Minimum::All),
            minimum_after: self.minimum_after_minutes.value().map(minutes),
            force_stop_after: self.force_stop_after_minutes.value().map(minutes),
            hourly_rate: self.hourly_rate.value().cloned(),
        })
    }
}
