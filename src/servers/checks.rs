//! What the values of a servers.toml must be to one another: within a list, and among the lists.
//!
//! Owns the checks that no value fails by itself. A value that is already known to be bad is not judged again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;

use super::environment;
use super::file::Minimum;
use super::keys::{
    ACCEPTS_DATA_LOSS, FORCE_STOP_AFTER, Key, LONGEST_MINUTES, MINIMUM_AFTER, MOST_ENVIRONMENTS,
};
use super::mistake::{Given, Mistakes};
use super::raw::{RawFile, RawList};
use super::schedule;

/// The tiers of a file that names none.
pub(super) fn default_tiers() -> Vec<String> {
    vec!["db".to_owned(), "app".to_owned()]
}

/// Notes all that does not fit together.
pub(super) fn check(file: &RawFile, mistakes: &mut Mistakes<'_>) {
    tiers(file, mistakes);
    for list in &file.lists {
        selection(list, mistakes);
        minimum_after(list, mistakes);
        force_stop(list, file, mistakes);
    }
    numbers(file, mistakes);
    environments(file, mistakes);
    one_list_a_tier(file, mistakes);
    names(file, mistakes);
    days(file, mistakes);
    let known: Option<BTreeSet<&str>> =
        file.lists.iter().map(|list| list.environment.value().map(String::as_str)).collect();
    environment::check(&file.environments, known.as_ref(), mistakes);
    schedule::check(&file.schedules, known.as_ref(), mistakes);
}

/// State names write db as DB: tiers that differ only so would be one state.
fn tiers(file: &RawFile, mistakes: &mut Mistakes<'_>) {
    if let Some(tiers) = file.tiers.good() {
        let distinct: BTreeSet<String> = tiers.get_ref().iter().map(|tier| tier.to_lowercase()).collect();
        mistakes.ensure(distinct.len() == tiers.get_ref().len(), &tiers.span(), || {
            "tiers names a tier twice (db and DB are one): write each once".to_owned()
        });
    }
    let Some(known) = known_tiers(file) else { return };
    for tier in file.lists.iter().filter_map(|list| list.tier.good()) {
        let name = tier.get_ref();
        mistakes.ensure(known.contains(name), &tier.span(), || {
            format!("tier = \"{name}\": write one of tiers, which are {}", known.join(", "))
        });
    }
}

/// Nothing, if tiers cannot be read.
fn known_tiers(file: &RawFile) -> Option<Vec<String>> {
    match &file.tiers {
        Given::Absent => Some(default_tiers()),
        Given::Bad => None,
        Given::Good(tiers) => Some(tiers.get_ref().clone()),
    }
}

fn selection(list: &RawList, mistakes: &mut Mistakes<'_>) {
    let Some(servers) = list.servers.good() else { return };
    let listed = servers.get_ref().len();
    mistakes.ensure(listed > 0 || list.tags.is_absent(), &servers.span(), || {
        "servers = [] beside tags: take servers away, to select by the tags alone".to_owned()
    });
    let Some(minimum) = list.minimum.good() else { return };
    let Minimum::AtLeast(number) = *minimum.get_ref() else { return };
    let has_enough = number <= listed || (listed == 0 && !list.tags.is_absent());
    mistakes.ensure(has_enough, &minimum.span(), || match listed {
        0 => format!("minimum = {number}, but servers is empty: take the minimum away, or list servers"),
        _ => {
            format!("minimum = {number}, but the list has only {listed}: write at most {listed}, or \"all\"")
        }
    });
}

/// What comes before the list's time is up.
fn is_in_time(minutes: &Spanned<u64>, key: &Key, list: &RawList, mistakes: &mut Mistakes<'_>) {
    let Some(timeout) = list.timeout_minutes.value() else { return };
    mistakes.ensure(minutes.get_ref() < timeout, &minutes.span(), || {
        format!(
            "{} = {}: write a number less than timeout_minutes, which is {timeout}",
            key.name,
            minutes.get_ref()
        )
    });
}

fn minimum_after(list: &RawList, mistakes: &mut Mistakes<'_>) {
    let Some(minutes) = list.minimum_after_minutes.good() else { return };
    let is_number = matches!(list.minimum.value(), Some(Minimum::AtLeast(_)));
    mistakes.ensure(is_number || matches!(list.minimum, Given::Bad), &minutes.span(), || {
        "minimum_after_minutes needs a minimum that is a number: write one too, as in minimum = 2".to_owned()
    });
    is_in_time(minutes, &MINIMUM_AFTER, list, mistakes);
}

/// What starts before something else may hold its data: every list but those of the last tier.
fn force_stop(list: &RawList, file: &RawFile, mistakes: &mut Mistakes<'_>) {
    if let (Given::Absent, Some(accepts)) = (&list.force_stop_after_minutes, list.force_stop_accepts.good()) {
        let what =
            "force_stop_accepts has nothing to accept: write force_stop_after_minutes too, or take it away";
        mistakes.note(&accepts.span(), what);
    }
    let Some(minutes) = list.force_stop_after_minutes.good() else { return };
    is_in_time(minutes, &FORCE_STOP_AFTER, list, mistakes);
    let (Some(known), Some(tier)) = (known_tiers(file), list.tier.value()) else { return };
    let is_last = known.len() > 1 && known.last() == Some(tier);
    mistakes.ensure(is_last || !list.force_stop_accepts.is_absent(), &minutes.span(), || {
        format!(
            "a forced stop can destroy data of the tier \"{tier}\": \
             if you accept that, write force_stop_accepts = \"{ACCEPTS_DATA_LOSS}\""
        )
    });
}

fn numbers(file: &RawFile, mistakes: &mut Mistakes<'_>) {
    let numbers = || file.lists.iter().filter_map(|list| list.number.good());
    let free = numbers().map(|number| *number.get_ref()).max().and_then(|most| most.checked_add(1));
    let mut seen: BTreeMap<u32, Range<usize>> = BTreeMap::new();
    for number in numbers() {
        let Some(before) = seen.insert(*number.get_ref(), number.span()) else { continue };
        let line = mistakes.line(&before);
        let free = free.map_or_else(String::new, |free| format!(", such as {free}"));
        let what = format!(
            "number = {}: the list of line {line} has it too; write one that no list has{free}",
            number.get_ref()
        );
        mistakes.note(&number.span(), what);
    }
}

/// Tiers of one environment wait for each other; those of two that only look like one would not.
fn environments(file: &RawFile, mistakes: &mut Mistakes<'_>) {
    let like = |name: &str| name.to_lowercase().replace('_', "-");
    let mut first: BTreeMap<String, &Spanned<String>> = BTreeMap::new();
    for name in file.lists.iter().filter_map(|list| list.environment.good()) {
        let before = *first.entry(like(name.get_ref())).or_insert(name);
        let (other, line) = (before.get_ref(), mistakes.line(&before.span()));
        mistakes.ensure(other == name.get_ref(), &name.span(), || {
            format!(
                "environment = \"{}\" differs only by case, - or _ from \"{other}\" in line {line}, \
                 and its tiers would not wait for each other: write \"{other}\"",
                name.get_ref()
            )
        });
    }
    let count = first.len();
    if let Some(list) = file.lists.last() {
        mistakes.ensure(count <= MOST_ENVIRONMENTS, &list.at, || {
            format!(
                "{count} environments: write at most {MOST_ENVIRONMENTS}, which is what a state machine holds"
            )
        });
    }
}

fn one_list_a_tier(file: &RawFile, mistakes: &mut Mistakes<'_>) {
    let mut seen: BTreeMap<(&str, &str), Range<usize>> = BTreeMap::new();
    for list in &file.lists {
        let (Some(environment), Some(tier)) = (list.environment.value(), list.tier.good()) else { continue };
        let Some(before) = seen.insert((environment, tier.get_ref()), tier.span()) else { continue };
        let line = mistakes.line(&before);
        let what = format!(
            "environment \"{environment}\" has two lists for the tier \"{}\", here and in line {line}: \
             join them, or write another tier",
            tier.get_ref()
        );
        mistakes.note(&tier.span(), what);
    }
}

/// No server is in two lists, or twice in one.
fn names(file: &RawFile, mistakes: &mut Mistakes<'_>) {
    let mut seen: BTreeMap<&str, Range<usize>> = BTreeMap::new();
    for name in file.lists.iter().filter_map(|list| list.servers.value()).flatten() {
        let Some(before) = seen.insert(name.get_ref(), name.span()) else { continue };
        let line = mistakes.line(&before);
        let what = format!("server \"{}\" is already listed in line {line}: write it once", name.get_ref());
        mistakes.note(&name.span(), what);
    }
}

/// One environment's lists run one after the other, within the state machine's time-out (machine.rs).
fn days(file: &RawFile, mistakes: &mut Mistakes<'_>) {
    let mut seconds: BTreeMap<&str, (u64, Range<usize>)> = BTreeMap::new();
    for list in &file.lists {
        let (Some(environment), Some(timeout)) = (list.environment.value(), list.timeout_minutes.good())
        else {
            continue;
        };
        let settle = list.settle_seconds.value().copied().unwrap_or_default();
        let entry = seconds.entry(environment).or_insert((0, timeout.span()));
        *entry = (entry.0 + timeout.get_ref() * 60 + settle, timeout.span());
    }
    for (environment, (seconds, last)) in seconds {
        let minutes = seconds.div_ceil(60);
        mistakes.ensure(minutes <= LONGEST_MINUTES, &last, || {
            format!(
                "environment \"{environment}\": timeout_minutes and settle_seconds of its lists come to \
                 {minutes} minutes together: write at most {LONGEST_MINUTES}, a day"
            )
        });
    }
}
