//! The hold tag: a person's override, with an end.
//!
//! Owns the grammar of `ec2-start-stop:hold`: `forever`, a date, or a date and time; `until` may
//! stand before it, and behind it an offset or a time zone's IANA name.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// The tag's key.
pub(crate) const TAG: &str = "ec2-start-stop:hold";

/// What a hold tag says at a given time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Nothing any more: its end is past.
    Over,
    /// The server is held; the sentence says until when.
    Held(String),
    /// It cannot be read. To be safe the server is held, and it is a problem.
    Unreadable,
}

/// Reads the tag's value. What names no zone is in `zone`; a date holds until that day has ended.
pub(crate) fn read(value: &str, now: Timestamp, zone: &TimeZone) -> Hold {
    let value = value.trim();
    if value.eq_ignore_ascii_case("forever") {
        return Hold::Held("held by its tag forever".to_owned());
    }
    let value = value.strip_prefix("until ").unwrap_or(value).trim();
    let Some(end) = end_of_hold(value, zone) else {
        return Hold::Unreadable;
    };
    if now >= end.timestamp() {
        return Hold::Over;
    }
    let zone = end.time_zone().iana_name().unwrap_or("UTC offset as in the tag");
    Hold::Held(format!("held by its tag until {} ({zone})", end.strftime("%Y-%m-%d %H:%M")))
}

/// The end as a moment with its offset, `2026-12-24T18:00:00+01:00`; none if there is none or it cannot be read.
pub(crate) fn end(value: &str, zone: &TimeZone) -> Option<String> {
    let value = value.trim();
    let end = end_of_hold(value.strip_prefix("until ").unwrap_or(value).trim(), zone)?;
    Some(end.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}

fn end_of_hold(value: &str, zone: &TimeZone) -> Option<Zoned> {
    if let Ok(moment) = value.parse::<Timestamp>() {
        return Some(moment.to_zoned(zone.clone()));
    }
    let (date, zone) = match value.split_once(' ') {
        Some((date, name)) => (date, TimeZone::get(name.trim()).ok()?),
        None => (value, zone.clone()),
    };
    match date.contains('T') {
        true => date.parse::<DateTime>().ok()?.to_zoned(zone).ok(),
        false => date.parse::<Date>().ok()?.tomorrow().ok()?.to_zoned(zone).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_at(value: &str, now: &str) -> Hold {
        let zone = TimeZone::get("Europe/Madrid").expect("a zone that is compiled in");
        read(value, now.parse().expect("a timestamp"), &zone)
    }

    #[test]
    fn a_date_holds_until_that_day_has_ended_in_its_zone_and_the_sentence_says_the_zone() {
        let held = Hold::Held("held by its tag until 2026-12-25 00:00 (Europe/Madrid)".to_owned());
        assert_eq!(read_at("2026-12-24", "2026-12-24T22:59:59Z"), held);
        assert_eq!(read_at("until 2026-12-24", "2026-12-24T22:59:59Z"), held);
        assert_eq!(read_at("2026-12-24", "2026-12-24T23:00:00Z"), Hold::Over);
    }

    #[test]
    fn a_date_may_name_its_own_zone() {
        assert_eq!(read_at("2026-12-24 Asia/Seoul", "2026-12-24T15:00:00Z"), Hold::Over);
        assert!(matches!(read_at("2026-12-24 Asia/Seoul", "2026-12-24T14:59:59Z"), Hold::Held(_)));
    }

    #[test]
    fn a_zones_capitals_do_not_matter_here_and_are_told_as_they_are() {
        let held = Hold::Held("held by its tag until 2026-12-25 00:00 (Asia/Seoul)".to_owned());
        assert_eq!(read_at("2026-12-24 asia/seoul", "2026-12-24T14:59:59Z"), held);
    }

    #[test]
    fn a_moment_with_its_offset_holds_until_that_moment() {
        assert_eq!(read_at("2026-12-24T18:00:00+01:00", "2026-12-24T17:00:00Z"), Hold::Over);
        assert_eq!(
            read_at("2026-12-24T18:00:00+01:00", "2026-12-24T16:00:00Z"),
            Hold::Held("held by its tag until 2026-12-24 18:00 (Europe/Madrid)".to_owned())
        );
    }

    #[test]
    fn forever_holds_without_end() {
        assert!(matches!(read_at(" Forever ", "2999-01-01T00:00:00Z"), Hold::Held(_)));
    }

    #[test]
    fn what_is_no_date_is_unreadable() {
        for value in ["", "soon", "24.12.2026", "2026-13-01", "2026-12-24 Nowhere/Land", "Tuesday"] {
            assert_eq!(read_at(value, "2026-01-01T00:00:00Z"), Hold::Unreadable, "{value}");
        }
    }
}
