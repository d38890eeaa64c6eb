//! `[[schedule]]` in servers.toml: when something is begun by itself, beside the template's two schedules.
//!
//! Owns the table and its checks. Only the commands read it: the function is told by EventBridge Scheduler.

mod clock_changes;
mod cron;
mod expression;
mod field;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use indexmap::IndexSet;
use jiff::tz::TimeZone;
use serde::Deserialize;
use toml::Spanned;
use toml::de::DeValue;

pub(crate) use self::expression::Expression;
use super::keys::{
    CALENDAR, ENABLED, EXPRESSION, LONGEST_SCHEDULE_NAME, MOST_SCHEDULES, OF_SCHEDULE, SCHEDULE_ACTION,
    SCHEDULE_ENVIRONMENTS, SCHEDULE_NAME, SCHEDULES, TIME_ZONE,
};
use super::mistake::{Given, Mistakes};
use super::table::Table;
use super::zone;

/// What a schedule begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Begins {
    /// A start.
    Start,
    /// A stop.
    Stop,
    /// A look whether the next start and stop would go well.
    Check,
}

/// One `[[schedule]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// For example `weekday-mornings`.
    pub name: String,
    /// What it begins.
    pub action: Begins,
    /// Of which environments; all, if there are none.
    pub environments: Vec<String>,
    /// As it is written.
    pub text: String,
    /// The same, read.
    pub expression: Expression,
    /// An IANA zone; the stack's, if absent.
    pub time_zone: Option<String>,
    /// Whether it fires.
    pub enabled: bool,
    /// A Change Calendar's name or ARN, which must be open.
    pub calendar: Option<String>,
}

/// A table as it stands there.
pub(super) struct RawSchedule {
    at: Range<usize>,
    name: Given<String>,
    action: Given<Begins>,
    environments: Given<Vec<Spanned<String>>>,
    expression: Given<String>,
    time_zone: Given<String>,
    enabled: Given<bool>,
    calendar: Given<String>,
}

/// Reads all of them.
pub(super) fn read(file: &Table<'_>, mistakes: &mut Mistakes<'_>) -> Vec<RawSchedule> {
    let Some(found) = file.get(&SCHEDULES) else { return Vec::new() };
    let tables = found.get_ref().as_array();
    let Some(tables) = tables.filter(|all| all.iter().all(|one| one.get_ref().is_table())) else {
        let what = match found.get_ref() {
            DeValue::Table(_) => {
                "[schedule] is a single table: write [[schedule]], in two brackets, above each"
            }
            _ => "schedule is no table: write [[schedule]], in two brackets, above each schedule",
        };
        mistakes.note(&found.span(), what);
        return Vec::new();
    };
    let tables = tables.iter().filter_map(|one| Some((one.get_ref().as_table()?, one.span())));
    tables
        .map(|(table, at)| {
            RawSchedule::read(&Table::new("this schedule".to_owned(), table, at.clone()), at, mistakes)
        })
        .collect()
}

/// The calendars of the schedules that fire, each once. What is wrong in a schedule costs only its own calendar.
pub(super) fn calendars(schedules: &[RawSchedule]) -> Vec<String> {
    let fires = schedules.iter().filter(|one| one.enabled.value() == Some(&true));
    let calendars: IndexSet<&String> = fires.filter_map(|one| one.calendar.value()).collect();
    calendars.into_iter().cloned().collect()
}

impl RawSchedule {
    fn read(table: &Table<'_>, at: Range<usize>, mistakes: &mut Mistakes<'_>) -> Self {
        table.only(&OF_SCHEDULE, |_, _| None, mistakes);
        Self {
            at,
            name: table.read_needed(&SCHEDULE_NAME, |name: &String| is_name(name), mistakes),
            action: table.read_needed(&SCHEDULE_ACTION, |_| true, mistakes),
            environments: table.read(
                &SCHEDULE_ENVIRONMENTS,
                |all: &Vec<Spanned<String>>| !all.is_empty(),
                mistakes,
            ),
            expression: table.read_needed(&EXPRESSION, |_| true, mistakes),
            time_zone: table.read(&TIME_ZONE, |_| true, mistakes),
            enabled: table.read(&ENABLED, |_| true, mistakes),
            calendar: table.read(&CALENDAR, |calendar: &String| is_calendar(calendar), mistakes),
        }
    }
}

/// Notes what is wrong in an expression or a time zone, names that are there twice, and environments that there are not.
/// `known` are those of the lists, if all can be read.
pub(super) fn check(all: &[RawSchedule], known: Option<&BTreeSet<&str>>, mistakes: &mut Mistakes<'_>) {
    let mut seen: BTreeMap<String, Range<usize>> = BTreeMap::new();
    for one in all {
        expression(one, mistakes);
        time_zone(one, mistakes);
        environments(one, known, mistakes);
        let Some(name) = one.name.good() else { continue };
        let like = name.get_ref().to_lowercase().replace(['-', '_'], "");
        let Some(before) = seen.insert(like, name.span()) else { continue };
        let line = mistakes.line(&before);
        let what = format!(
            "name = \"{}\": the schedule of line {line} has it too, but for case, - and _: write another one",
            name.get_ref()
        );
        mistakes.note(&name.span(), what);
    }
    if let Some(one) = all.get(MOST_SCHEDULES) {
        mistakes.note(&one.at, format!("{} schedules: write at most {MOST_SCHEDULES}", all.len()));
    }
}

fn expression(one: &RawSchedule, mistakes: &mut Mistakes<'_>) {
    let Some(text) = one.expression.good() else { return };
    let read = match Expression::read(text.get_ref()) {
        Ok(read) => read,
        Err(why) => {
            let found = mistakes.source(&text.span());
            return mistakes.note(&text.span(), format!("expression = {found}: {why}"));
        }
    };
    let Some(name) = one.time_zone.value() else { return };
    let is_left_out = TimeZone::get(name).is_ok_and(|zone| read.is_left_out_by(&zone));
    mistakes.ensure(!is_left_out, &text.span(), || {
        format!(
            "expression = \"{}\": the clocks of {name} leave this time out: write another one",
            text.get_ref()
        )
    });
}

fn time_zone(one: &RawSchedule, mistakes: &mut Mistakes<'_>) {
    let Some(name) = one.time_zone.good() else { return };
    let Err(why) = zone::named(name.get_ref()) else { return };
    let found = mistakes.source(&name.span());
    mistakes.note(&name.span(), format!("time_zone = {found}: {why}"));
}

fn environments(one: &RawSchedule, known: Option<&BTreeSet<&str>>, mistakes: &mut Mistakes<'_>) {
    let mut seen = BTreeSet::new();
    for name in one.environments.value().into_iter().flatten() {
        let text = name.get_ref().as_str();
        mistakes.ensure(seen.insert(text), &name.span(), || {
            format!("environment \"{text}\" is there twice: write it once")
        });
        let Some(known) = known.filter(|known| !known.contains(text)) else { continue };
        let known: Vec<&str> = known.iter().copied().collect();
        mistakes.note(
            &name.span(),
            format!("environment \"{text}\" is of no list: write one of {}", known.join(", ")),
        );
    }
}

impl RawSchedule {
    /// The schedule, if nothing is missing or bad.
    pub(super) fn into_schedule(self) -> Option<Schedule> {
        let text = self.expression.value()?.clone();
        let environments = self.environments.value().into_iter().flatten();
        Some(Schedule {
            name: self.name.value()?.clone(),
            action: *self.action.value()?,
            environments: environments.map(|name| name.get_ref().clone()).collect(),
            expression: Expression::read(&text).ok()?,
            text,
            time_zone: self.time_zone.value().cloned(),
            enabled: self.enabled.value().copied().unwrap_or_default(),
            calendar: self.calendar.value().cloned(),
        })
    }
}

/// Part of a logical id and of a description in the template.
fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=LONGEST_SCHEDULE_NAME).contains(&name.len())
        && name.bytes().all(is_plain)
        && name.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

/// A document's name, or its ARN where it is shared by another account (API: ssm:CreateDocument, `Name`:
/// `^[a-zA-Z0-9_\-.]{3,128}$`).
fn is_calendar(text: &str) -> bool {
    let name = match text.strip_prefix("arn:") {
        None => text,
        Some(rest) => match rest.split(':').collect::<Vec<_>>()[..] {
            [partition, "ssm", region, account, resource]
                if is_place(partition) && is_place(region) && is_account(account) =>
            {
                resource.strip_prefix("document/").unwrap_or_default()
            }
            _ => return false,
        },
    };
    (3..=128).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_place(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
