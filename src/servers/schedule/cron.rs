//! EventBridge Scheduler's cron expressions, and the next times at which one fires: pure.
//!
//! Owns the six fields together (minutes, hours, day-of-month, month, day-of-week, year) and what `?` `L` `W` and `#`
//! mean. Only what EventBridge Scheduler documents is read
//! (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>): names in capitals, and no `LW`,
//! `L-3` or range that ends before it begins, of which other dialects know.
//!
//! Summer time, from the same page: a time that the spring leaves out is skipped, and one that the autumn repeats fires
//! once. Which of the two it is, the page does not say: here the first, as of all who say "once".

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, Zoned};

use super::field::{self, DAY_OF_MONTH, DAY_OF_WEEK, HOURS, MINUTES, MONTH, Numbers, WEEKDAYS, YEAR, number};

/// A cron expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cron {
    minutes: Numbers,
    hours: Numbers,
    days: Days,
    months: Numbers,
    years: Numbers,
}

/// Which days of a month: by exactly one of the two fields of days.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Days {
    /// Numbers of the month.
    OfMonth(Numbers),
    /// `L`: the month's last.
    Last,
    /// `3W`: the weekday nearest to the third, in the same month.
    NearestWeekday(i8),
    /// Days of the week; Sunday is 1.
    OfWeek(Numbers),
    /// `6L`: the month's last Friday.
    LastOfWeek(i16),
    /// `3#2`: the month's second Tuesday.
    NthOfWeek(i16, i8),
}

impl Cron {
    /// Reads what stands between `cron(` and `)`.
    ///
    /// # Errors
    /// With a sentence that names the field.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split(' ').collect();
        // The template's own parameters take no more than one either.
        if fields.contains(&"") {
            return Err("write one blank between two fields, and none before or behind them".to_owned());
        }
        let [minutes, hours, of_month, month, of_week, year] = fields[..] else {
            return Err(format!(
                "{} fields: write 6, which are minutes, hours, day-of-month, month, day-of-week and year",
                fields.len()
            ));
        };
        let read = Self {
            minutes: field::read(minutes, &MINUTES)?,
            hours: field::read(hours, &HOURS)?,
            days: days(of_month, of_week)?,
            months: field::read(month, &MONTH)?,
            years: field::read(year, &YEAR)?,
        };
        match read.fires_ever() {
            true => Ok(read),
            false => Err("there is no such day in any of its years: write one that there is".to_owned()),
        }
    }

    /// The next so many times after `now`; fewer if there are no more.
    pub(super) fn next(&self, now: Timestamp, zone: &TimeZone, count: usize) -> Vec<Zoned> {
        let today = now.to_zoned(zone.clone()).date();
        let times = self.times();
        let last = *YEAR.range.end();
        let days = today.series(jiff::Span::new().days(1)).take_while(|day| day.year() <= last);
        days.filter(|day| self.is_day(*day))
            .flat_map(|day| times.iter().map(move |time| day.to_datetime(*time)))
            .filter_map(|at| first_of(at, zone))
            .filter(|at| at.timestamp() > now)
            .take(count)
            .collect()
    }

    /// The times of a day at which it fires, from the earliest on.
    pub(super) fn times(&self) -> Vec<Time> {
        let (minutes, hours) = (self.minutes.of(&MINUTES), self.hours.of(&HOURS));
        let times = hours.iter().flat_map(|hour| minutes.iter().map(move |minute| (*hour, *minute)));
        times.filter_map(|(hour, minute)| Time::new(hour as i8, minute as i8, 0, 0).ok()).collect()
    }

    /// In so many hours of a day it fires.
    pub(super) fn hours_a_day(&self) -> usize {
        self.hours.of(&HOURS).len()
    }

    fn fires_ever(&self) -> bool {
        let years = self.years.of(&YEAR).into_iter();
        let mut months =
            years.flat_map(|year| self.months.of(&MONTH).into_iter().map(move |month| (year, month)));
        months.any(|(year, month)| {
            let first = Date::new(year, month as i8, 1).ok();
            first.is_some_and(|first| {
                first
                    .series(jiff::Span::new().days(1))
                    .take(first.days_in_month() as usize)
                    .any(|day| self.is_day(day))
            })
        })
    }

    pub(super) fn is_day(&self, day: Date) -> bool {
        self.years.has(day.year()) && self.months.has(day.month().into()) && self.days.has(day)
    }
}

/// The moment of a wall clock's time: none if the spring leaves it out, the first if the autumn repeats it.
pub(super) fn first_of(at: DateTime, zone: &TimeZone) -> Option<Zoned> {
    let at = zone.to_ambiguous_zoned(at);
    match at.offset() {
        AmbiguousOffset::Gap { .. } => None,
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => at.earlier().ok(),
    }
}

fn days(of_month: &str, of_week: &str) -> Result<Days, String> {
    match (of_month, of_week) {
        ("?", "?") => Err("day-of-month and day-of-week are both ?: write * in one of them".to_owned()),
        ("?", of_week) => days_of_week(of_week),
        (of_month, "?") => days_of_month(of_month),
        _ => Err("day-of-month and day-of-week: one of them must be ?: write ? in that one".to_owned()),
    }
}

fn days_of_month(text: &str) -> Result<Days, String> {
    if text == "L" {
        return Ok(Days::Last);
    }
    match text.strip_suffix('W') {
        Some(day) => Ok(Days::NearestWeekday(number(day, &DAY_OF_MONTH)? as i8)),
        None => Ok(Days::OfMonth(field::read(text, &DAY_OF_MONTH)?)),
    }
}

fn days_of_week(text: &str) -> Result<Days, String> {
    if let Some((day, times)) = text.split_once('#') {
        let day = number(day, &DAY_OF_WEEK)?;
        return match times {
            "1" | "2" | "3" | "4" | "5" => Ok(Days::NthOfWeek(day, times.parse().unwrap_or_default())),
            _ => Err(format!(
                "day-of-week: behind # stands {times}: write one number from 1 to 5, and no list"
            )),
        };
    }
    match text.strip_suffix('L') {
        // The week's last day.
        Some("") => Ok(Days::OfWeek(field::read("SAT", &DAY_OF_WEEK)?)),
        Some(day) => Ok(Days::LastOfWeek(number(day, &DAY_OF_WEEK)?)),
        None => Ok(Days::OfWeek(field::read(text, &DAY_OF_WEEK)?)),
    }
}

impl Days {
    fn has(&self, day: Date) -> bool {
        let (of_month, of_week) = (day.day(), i16::from(day.weekday().to_sunday_one_offset()));
        match self {
            Self::OfMonth(numbers) => numbers.has(of_month.into()),
            Self::Last => of_month == day.days_in_month(),
            Self::NearestWeekday(wanted) => nearest_weekday(*wanted, day) == Some(of_month),
            Self::OfWeek(numbers) => numbers.has(of_week),
            Self::LastOfWeek(wanted) => of_week == *wanted && of_month > day.days_in_month() - WEEK,
            Self::NthOfWeek(wanted, times) => of_week == *wanted && (of_month - 1) / WEEK + 1 == *times,
        }
    }
}

const WEEK: i8 = WEEKDAYS.len() as i8;

/// The day of the month that is nearest to this one and no Saturday or Sunday; none if the month has no such day.
fn nearest_weekday(wanted: i8, in_month_of: Date) -> Option<i8> {
    let last = in_month_of.days_in_month();
    let on = Date::new(in_month_of.year(), in_month_of.month(), wanted).ok()?;
    Some(match on.weekday() {
        Weekday::Saturday if wanted == 1 => 3,
        Weekday::Saturday => wanted - 1,
        Weekday::Sunday if wanted == last => wanted - 2,
        Weekday::Sunday => wanted + 1,
        _ => wanted,
    })
}
