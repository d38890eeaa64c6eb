//! One field of a cron expression: which numbers it allows.
//!
//! Owns `,` `-` `*` and `/`, numbers and names; `?` `L` `W` and `#`, which only the days know, `cron` reads.

use std::ops::RangeInclusive;

pub(super) const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
/// Sunday is 1, as EventBridge counts.
pub(super) const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// What a field is called, the numbers it may hold, and the names of the first of them.
pub(super) struct Kind {
    pub name: &'static str,
    pub range: RangeInclusive<i16>,
    pub names: &'static [&'static str],
}

/// The six fields, in their order
/// (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based>).
pub(super) const MINUTES: Kind = Kind { name: "minutes", range: 0..=59, names: &[] };
pub(super) const HOURS: Kind = Kind { name: "hours", range: 0..=23, names: &[] };
pub(super) const DAY_OF_MONTH: Kind = Kind { name: "day-of-month", range: 1..=31, names: &[] };
pub(super) const MONTH: Kind = Kind { name: "month", range: 1..=12, names: &MONTHS };
pub(super) const DAY_OF_WEEK: Kind = Kind { name: "day-of-week", range: 1..=7, names: &WEEKDAYS };
pub(super) const YEAR: Kind = Kind { name: "year", range: 1970..=2199, names: &[] };

/// A begin, an end and a step; all three within the field's range.
type Span = (i16, i16, i16);

/// The numbers that a field allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Numbers(Vec<Span>);

impl Numbers {
    pub(super) fn has(&self, number: i16) -> bool {
        self.0.iter().any(|(begin, end, step)| {
            (*begin..=*end).contains(&number) && (number - begin).checked_rem(*step) == Some(0)
        })
    }

    /// Those of a field, from the least on.
    pub(super) fn of(&self, kind: &Kind) -> Vec<i16> {
        kind.range.clone().filter(|number| self.has(*number)).collect()
    }
}

/// Reads a field.
///
/// # Errors
/// With a sentence that names the field.
pub(super) fn read(text: &str, kind: &Kind) -> Result<Numbers, String> {
    text.split(',').map(|item| span(item, kind)).collect::<Result<_, _>>().map(Numbers)
}

fn span(item: &str, kind: &Kind) -> Result<Span, String> {
    let (numbers, step) = match item.split_once('/') {
        Some((numbers, step)) => (numbers, Some(step)),
        None => (item, None),
    };
    let last = *kind.range.end();
    let (begin, end) = match numbers.split_once('-') {
        _ if numbers == "*" => (*kind.range.start(), last),
        Some((begin, end)) => (number(begin, kind)?, number(end, kind)?),
        None => match number(numbers, kind)? {
            begin if step.is_some() => (begin, last),
            only => (only, only),
        },
    };
    if begin > end {
        return Err(format!("{}: {numbers} ends before it begins: write two ranges with a comma", kind.name));
    }
    let Some(step) = step else { return Ok((begin, end, 1)) };
    match step.parse::<i16>() {
        Ok(step) if step >= 1 && step <= last && is_digits(item.rsplit('/').next().unwrap_or_default()) => {
            Ok((begin, end, step))
        }
        _ => Err(format!("{}: behind / stands {step}: write a whole number from 1 to {last}", kind.name)),
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number or a name of the field.
///
/// # Errors
/// With a sentence that names the field and what it may hold.
pub(super) fn number(text: &str, kind: &Kind) -> Result<i16, String> {
    let named = kind.names.iter().zip(1_i16..).find(|(name, _)| **name == text).map(|(_, number)| number);
    let read = || Some(text).filter(|text| is_digits(text)).and_then(|text| text.parse().ok());
    named.or_else(read).filter(|number| kind.range.contains(number)).ok_or_else(|| {
        let (first, last) = (kind.range.start(), kind.range.end());
        let names = match (kind.names.first(), kind.names.last()) {
            (Some(first), Some(last)) => format!(", or {first} to {last}"),
            _ => String::new(),
        };
        format!("{}: \"{text}\" is not understood: write {first} to {last}{names}", kind.name)
    })
}
