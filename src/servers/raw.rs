//! servers.toml as it stands there: each value typed, with its place, whatever else is wrong.
//!
//! Owns what a value may be by itself; what values must be to one another, `checks` says.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environment::{self, RawEnvironment};
use super::file::{Minimum, Rate, Readiness};
use super::keys::{self, IN_TWO_BRACKETS, Key, LONGEST_MINUTES, LONGEST_NAME, MOST_TIERS};
use super::mistake::{Given, Mistakes};
use super::schedule::{self, RawSchedule};
use super::selection;
use super::table::{Table, typed};

/// How much of the file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// What a run needs: EventBridge Scheduler has the schedules by itself, whatever is wrong in them here.
    Lists,
    /// The schedules too.
    Whole,
}

/// The whole file.
pub(super) struct RawFile {
    pub tiers: Given<Vec<String>>,
    pub lists: Vec<RawList>,
    pub environments: Vec<RawEnvironment>,
    pub schedules: Vec<RawSchedule>,
    pub calendars: Vec<String>,
}

/// One `[[list]]`.
pub(super) struct RawList {
    pub at: Range<usize>,
    pub number: Given<u32>,
    pub environment: Given<String>,
    pub tier: Given<String>,
    pub name: Given<String>,
    pub servers: Given<Vec<Spanned<String>>>,
    pub tags: Given<BTreeMap<String, String>>,
    pub ready: Given<Readiness>,
    pub timeout_minutes: Given<u64>,
    pub settle_seconds: Given<u64>,
    pub minimum: Given<Minimum>,
    pub minimum_after_minutes: Given<u64>,
    pub force_stop_after_minutes: Given<u64>,
    pub force_stop_accepts: Given<String>,
    pub hourly_rate: Given<Rate>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum AllOrNumber {
    Word(String),
    Number(usize),
}

impl RawFile {
    pub(super) fn read(file: &DeTable<'_>, depth: Depth, mistakes: &mut Mistakes<'_>) -> Self {
        let table = Table::new("servers.toml".to_owned(), file, 0..0);
        table.only(&keys::OF_FILE, misplaced_in_file, mistakes);
        let fits = |tiers: &Vec<String>| {
            (1..=MOST_TIERS).contains(&tiers.len()) && tiers.iter().all(|tier| is_state_name(tier))
        };
        let tiers = table.read(&keys::TIERS, fits, mistakes);
        let lists = lists(&table, mistakes);
        let environments = environment::read(&table, mistakes);
        let mut schedules = match depth {
            Depth::Lists => schedule::read(&table, &mut Mistakes::of("")),
            Depth::Whole => schedule::read(&table, mistakes),
        };
        let calendars = schedule::calendars(&schedules);
        if depth == Depth::Lists {
            schedules.clear();
        }
        Self { tiers, lists, environments, schedules, calendars }
    }
}

fn misplaced_in_file(name: &str, value: &DeValue<'_>) -> Option<String> {
    let of_list = keys::OF_LIST.iter().any(|key| key.name == name);
    let is_table = value.is_table()
        || value.as_array().is_some_and(|all| all.iter().any(|one| one.get_ref().is_table()));
    match (of_list, is_table) {
        (true, _) => Some("it belongs to a list: write [[list]] above it".to_owned()),
        (false, true) => Some("write [[list]] above each list".to_owned()),
        (false, false) => None,
    }
}

fn misplaced_in_list(name: &str, _: &DeValue<'_>) -> Option<String> {
    (name == keys::TIERS.name).then(|| "write it above the first [[list]]".to_owned())
}

fn lists(file: &Table<'_>, mistakes: &mut Mistakes<'_>) -> Vec<RawList> {
    let Some(found) = file.get(&keys::LISTS) else {
        // A table of another name was told already.
        if mistakes.is_empty() {
            mistakes.note(&(0..0), "there is no list: write [[list]] above each list");
        }
        return Vec::new();
    };
    match found.get_ref() {
        // Written as [list]: told, and read all the same for what else is wrong.
        DeValue::Table(one) => {
            mistakes.note(&found.span(), format!("[list] is a single table: {IN_TWO_BRACKETS}"));
            vec![RawList::read(one, found.span(), mistakes)]
        }
        DeValue::Array(all) if !all.is_empty() => {
            let mut lists = Vec::new();
            for one in all {
                match one.get_ref() {
                    DeValue::Table(table) => lists.push(RawList::read(table, one.span(), mistakes)),
                    _ => mistakes.note(
                        &one.span(),
                        format!("{} is no list: {IN_TWO_BRACKETS}", mistakes.source(&one.span())),
                    ),
                }
            }
            lists
        }
        _ => {
            mistakes
                .note(&found.span(), format!("list = {}: {IN_TWO_BRACKETS}", mistakes.source(&found.span())));
            Vec::new()
        }
    }
}

impl RawList {
    fn read(list: &DeTable<'_>, at: Range<usize>, mistakes: &mut Mistakes<'_>) -> Self {
        let number = list.get(keys::NUMBER.name).and_then(typed::<u32>);
        let called =
            number.map_or_else(|| "this list".to_owned(), |number| format!("list {}", number.get_ref()));
        let table = Table::new(called.clone(), list, at.clone());
        table.only(&keys::OF_LIST, misplaced_in_list, mistakes);
        if table.get(&keys::SERVERS).is_none() && table.get(&keys::TAGS).is_none() {
            let Key { example, .. } = keys::TAGS;
            let what = format!(
                "{called} has neither servers nor tags: write servers = [\"web1\"], or tags = {example}; servers = [] is an empty list"
            );
            mistakes.note(&at, what);
        }
        let anything = |_: &u32| true;
        let is_minutes = |minutes: &u64| (1..=LONGEST_MINUTES).contains(minutes);
        Self {
            at,
            number: table.read_needed(&keys::NUMBER, anything, mistakes),
            environment: table.read_needed(&keys::ENVIRONMENT, |name: &String| is_state_name(name), mistakes),
            tier: table.read_needed(&keys::TIER, |_| true, mistakes),
            name: table.read_needed(&keys::NAME, |name: &String| is_line(name), mistakes),
            servers: selection::servers(&table, mistakes),
            tags: selection::tags(&table, mistakes),
            ready: table.read_needed(&keys::READY, |_| true, mistakes),
            timeout_minutes: table.read_needed(&keys::TIMEOUT, is_minutes, mistakes),
            settle_seconds: table.read(&keys::SETTLE, |seconds| *seconds <= LONGEST_MINUTES * 60, mistakes),
            minimum: minimum(&table, mistakes),
            minimum_after_minutes: table.read(&keys::MINIMUM_AFTER, is_minutes, mistakes),
            force_stop_after_minutes: table.read(&keys::FORCE_STOP_AFTER, is_minutes, mistakes),
            force_stop_accepts: table.read(
                &keys::FORCE_STOP_ACCEPTS,
                |words: &String| words == keys::ACCEPTS_DATA_LOSS,
                mistakes,
            ),
            hourly_rate: rate(&table, mistakes),
        }
    }
}

/// Environments and tiers stand in the names of states and of report fields.
fn is_state_name(name: &str) -> bool {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    plain && (1..=LONGEST_NAME).contains(&name.len())
}

fn is_line(name: &str) -> bool {
    !name.trim().is_empty() && !name.contains(|c: char| c.is_control() || keys::is_invisible(c))
}

fn minimum(list: &Table<'_>, mistakes: &mut Mistakes<'_>) -> Given<Minimum> {
    let fits = |minimum: &AllOrNumber| match minimum {
        AllOrNumber::Word(word) => word == "all",
        AllOrNumber::Number(number) => *number >= 1,
    };
    match list.read(&keys::MINIMUM, fits, mistakes) {
        Given::Absent => Given::Absent,
        Given::Bad => Given::Bad,
        Given::Good(found) => {
            let minimum = match found.get_ref() {
                AllOrNumber::Word(_) => Minimum::All,
                AllOrNumber::Number(number) => Minimum::AtLeast(*number),
            };
            Given::Good(Spanned::new(found.span(), minimum))
        }
    }
}

fn rate(list: &Table<'_>, mistakes: &mut Mistakes<'_>) -> Given<Rate> {
    let Some(found) = list.get(&keys::RATE) else { return Given::Absent };
    let Some(items) = found.get_ref().as_table() else {
        mistakes.unexpected(&keys::RATE, &found.span());
        return Given::Bad;
    };
    let table = Table::new("hourly_rate".to_owned(), items, found.span());
    table.only(&keys::OF_RATE, |_, _| None, mistakes);
    let is_currency =
        |currency: &String| currency.len() == 3 && currency.chars().all(|c| c.is_ascii_uppercase());
    let amount = table.read_needed(
        &keys::AMOUNT,
        |amount: &f64| *amount > 0.0 && *amount <= keys::HIGHEST_AMOUNT,
        mistakes,
    );
    let currency = table.read_needed(&keys::CURRENCY, is_currency, mistakes);
    match (amount.value(), currency.value()) {
        (Some(amount), Some(currency)) => {
            let rate = Rate { amount: *amount, currency: currency.clone() };
            Given::Good(Spanned::new(found.span(), rate))
        }
        _ => Given::Bad,
    }
}
