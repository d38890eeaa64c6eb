//! Time zones by their IANA names, spelt as EventBridge Scheduler takes them.
//!
//! Owns the spelling. jiff knows a zone by any case; the schedules of a stack, and so of its parameter `TimeZone`, are
//! EventBridge Scheduler's, of which no page says that it does. What only the function reads, such as a zone in a hold
//! tag, may be written in any case.

use jiff::tz::TimeZone;

/// The zone of this name.
///
/// # Errors
/// With what to write instead, as it stands behind a colon.
pub(crate) fn named(name: &str) -> Result<TimeZone, String> {
    // jiff's own name for "nobody knows where" behaves as UTC.
    let zone = TimeZone::get(name).ok().filter(|zone| !zone.is_unknown());
    let zone = zone.ok_or_else(|| "write an IANA time zone, as in Europe/Madrid".to_owned())?;
    match zone.iana_name() {
        Some(known) if known != name => Err(format!("capitals and small letters count: write {known}")),
        _ => Ok(zone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_taken_as_the_iana_spells_it() {
        for name in ["UTC", "Etc/UTC", "Etc/GMT+3", "Europe/Madrid", "Asia/Calcutta", "Asia/Kolkata", "EST"] {
            assert_eq!(named(name).expect(name).iana_name(), Some(name));
        }
    }

    #[test]
    fn another_spelling_is_refused_with_the_right_one() {
        for (written, right) in [
            ("europe/madrid", "Europe/Madrid"),
            ("EUROPE/MADRID", "Europe/Madrid"),
            ("utc", "UTC"),
            ("Etc/gmt+3", "Etc/GMT+3"),
        ] {
            let refused = named(written).expect_err(written);
            assert_eq!(refused, format!("capitals and small letters count: write {right}"), "{written}");
        }
    }

    #[test]
    fn what_is_no_zone_is_refused_with_an_example() {
        for name in ["", "Middle/Earth", "Europe/Madrid ", "CET-1CEST", "Etc/Unknown"] {
            assert!(named(name).expect_err(name).contains("as in Europe/Madrid"), "{name}");
        }
    }
}
