//! `[[schedule]]`: which expressions are read, when they fire, and what is told of them.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;

use crate::servers::file::ServerLists;
use crate::servers::read::ServersFile;
use crate::servers::schedule::Expression;

const LISTS: &str = include_str!("../../../tests/servers.toml");

fn told(expression: &str, zone: &str, now: &str) -> String {
    let zone = TimeZone::get(zone).unwrap();
    Expression::read(expression).expect(expression).in_words(now.parse().unwrap(), &zone)
}

/// The next times of a cron in UTC after the begin of 2026, a Thursday.
fn fires(fields: &str) -> String {
    told(&format!("cron({fields})"), "UTC", "2026-01-01T00:00:00Z")
}

fn refused(expression: &str) -> String {
    Expression::read(expression).expect_err(expression)
}

#[test]
fn a_file_without_schedules_says_nothing_of_them() {
    assert_eq!(ServersFile::read(LISTS.as_bytes()).unwrap().schedules, []);
}

#[test]
fn weekdays_fire_on_weekdays_by_the_zones_clock() {
    assert_eq!(
        told("cron(0 7 ? * MON-FRI *)", "Europe/Madrid", "2026-11-27T06:00:00Z"),
        "next Mon 2026-11-30 07:00 CET, Tue 2026-12-01 07:00 CET, Wed 2026-12-02 07:00 CET"
    );
}

#[test]
fn lists_ranges_steps_and_names_are_read_as_documented() {
    for (fields, first) in [
        (
            "1/10 * * * ? *",
            "next Thu 2026-01-01 00:01 UTC, Thu 2026-01-01 00:11 UTC, Thu 2026-01-01 00:21 UTC",
        ),
        (
            "0 8-10/2 ? JAN,MAR 2 *",
            "next Mon 2026-01-05 08:00 UTC, Mon 2026-01-05 10:00 UTC, Mon 2026-01-12 08:00 UTC",
        ),
        (
            "*/30 12 ? 2 SUN 2026-2027",
            "next Sun 2026-02-01 12:00 UTC, Sun 2026-02-01 12:30 UTC, Sun 2026-02-08 12:00 UTC",
        ),
        ("0 0 29 2 ? *", "next Tue 2028-02-29 00:00 UTC, Sun 2032-02-29 00:00 UTC, Fri 2036-02-29 00:00 UTC"),
        (
            "0 0 1 1 ? 2026/2",
            "next Sat 2028-01-01 00:00 UTC, Tue 2030-01-01 00:00 UTC, Thu 2032-01-01 00:00 UTC",
        ),
    ] {
        assert_eq!(fires(fields), first, "{fields}");
    }
}

#[test]
fn l_w_and_hash_find_their_day_in_each_month() {
    for (fields, first) in [
        ("0 7 L * ? *", "next Sat 2026-01-31 07:00 UTC, Sat 2026-02-28 07:00 UTC, Tue 2026-03-31 07:00 UTC"),
        // The third is a Saturday in January; the first, of August, may not leave its month.
        ("0 7 3W * ? *", "next Fri 2026-01-02 07:00 UTC, Tue 2026-02-03 07:00 UTC, Tue 2026-03-03 07:00 UTC"),
        ("0 7 1W 8,11 ? 2026", "next Mon 2026-08-03 07:00 UTC, Mon 2026-11-02 07:00 UTC"),
        // A Sunday at the month's end goes back; April has no 31st.
        ("0 7 31W 4,5 ? 2026-2027", "next Fri 2026-05-29 07:00 UTC, Mon 2027-05-31 07:00 UTC"),
        ("0 7 ? * L *", "next Sat 2026-01-03 07:00 UTC, Sat 2026-01-10 07:00 UTC, Sat 2026-01-17 07:00 UTC"),
        ("0 7 ? * 6L *", "next Fri 2026-01-30 07:00 UTC, Fri 2026-02-27 07:00 UTC, Fri 2026-03-27 07:00 UTC"),
        (
            "0 7 ? * 3#2 *",
            "next Tue 2026-01-13 07:00 UTC, Tue 2026-02-10 07:00 UTC, Tue 2026-03-10 07:00 UTC",
        ),
        (
            "0 7 ? * FRI#5 *",
            "next Fri 2026-01-30 07:00 UTC, Fri 2026-05-29 07:00 UTC, Fri 2026-07-31 07:00 UTC",
        ),
    ] {
        assert_eq!(fires(fields), first, "{fields}");
    }
}

#[test]
fn what_spring_leaves_out_is_skipped_and_what_autumn_repeats_fires_once() {
    assert_eq!(
        told("cron(30 2 * * ? *)", "Europe/Madrid", "2026-03-28T12:00:00Z"),
        "next Mon 2026-03-30 02:30 CEST, Tue 2026-03-31 02:30 CEST, Wed 2026-04-01 02:30 CEST"
    );
    assert_eq!(
        told("cron(30 2 * * ? *)", "Europe/Madrid", "2026-10-24T12:00:00Z"),
        "next Sun 2026-10-25 02:30 CEST, Mon 2026-10-26 02:30 CET, Tue 2026-10-27 02:30 CET"
    );
    // Between the first half past two and the second.
    assert!(
        told("cron(30 2 * * ? *)", "Europe/Madrid", "2026-10-25T01:00:00Z")
            .starts_with("next Mon 2026-10-26 02:30 CET")
    );
}

#[test]
fn a_time_that_is_over_is_never_again() {
    assert_eq!(told("at(2026-12-24T18:00:00)", "Europe/Madrid", "2026-12-24T17:00:00Z"), "never again");
    assert_eq!(
        told("at(2026-12-24T18:00:00)", "Europe/Madrid", "2026-12-24T16:59:59Z"),
        "next Thu 2026-12-24 18:00 CET"
    );
    assert_eq!(fires("0 7 * * ? 2025"), "never again");
}

#[test]
fn a_rate_counts_from_a_time_that_only_eventbridge_knows() {
    for (rate, every) in [
        ("1 minute", "1 minute"),
        ("12 hours", "12 hours"),
        // As EventBridge Scheduler's guide writes one day, and as no page refuses.
        ("1 days", "1 day"),
        ("2 day", "2 days"),
    ] {
        let told = told(&format!("rate({rate})"), "UTC", "2026-01-01T00:00:00Z");
        assert_eq!(told, format!("every {every} since EventBridge Scheduler began with it"));
    }
}

#[test]
fn what_is_no_expression_is_refused_with_the_field_and_what_to_write() {
    for (expression, says) in [
        ("", "write cron(…), rate(…) or at(…)"),
        ("0 7 * * ? *", "write cron(…), rate(…) or at(…)"),
        ("cron(0 7 * * ? *", "write cron(…), rate(…) or at(…)"),
        ("CRON(0 7 * * ? *)", "write cron(…), rate(…) or at(…)"),
        ("cron(0 7 ? * MON-FRI\n*)", "write it in one line, with a blank and no tab between the fields"),
        ("cron(0 7\t? * MON-FRI *)", "write it in one line"),
        ("rate(12 hours\r)", "write it in one line"),
        ("at(2026-12-24T18:00:00)\n", "write it in one line"),
        ("cron(0  7 ? * MON-FRI *)", "write one blank between two fields, and none before or behind them"),
        ("cron( 0 7 ? * MON-FRI *)", "write one blank"),
        ("cron(0 7 ? * MON-FRI * )", "write one blank"),
        ("cron()", "write one blank"),
        ("cron(0 7\u{a0}? * MON-FRI *)", "5 fields"),
        ("cron(0 7 * * *)", "5 fields: write 6, which are minutes, hours, day-of-month, month"),
        ("cron(0 7 * * * *)", "day-of-month and day-of-week: one of them must be ?"),
        ("cron(0 7 1 * MON *)", "day-of-month and day-of-week: one of them must be ?"),
        ("cron(0 7 ? * ? *)", "day-of-month and day-of-week are both ?: write * in one of them"),
        ("cron(60 7 * * ? *)", "minutes: \"60\" is not understood: write 0 to 59"),
        ("cron(0 24 * * ? *)", "hours: \"24\" is not understood: write 0 to 23"),
        ("cron(? 7 * * ? *)", "minutes: \"?\" is not understood"),
        ("cron(+1 7 * * ? *)", "minutes: \"+1\" is not understood"),
        ("cron(0 7 0 * ? *)", "day-of-month: \"0\" is not understood: write 1 to 31"),
        ("cron(0 7 * 13 ? *)", "month: \"13\" is not understood: write 1 to 12, or JAN to DEC"),
        ("cron(0 7 ? * 0 *)", "day-of-week: \"0\" is not understood: write 1 to 7, or SUN to SAT"),
        ("cron(0 7 ? * mon *)", "day-of-week: \"mon\" is not understood"),
        ("cron(0 7 ? * MON-FRI 1969)", "year: \"1969\" is not understood: write 1970 to 2199"),
        ("cron(0 7 ? * FRI-MON *)", "day-of-week: FRI-MON ends before it begins"),
        ("cron(0 7, * * ? *)", "hours: \"\" is not understood"),
        ("cron(/5 7 * * ? *)", "minutes: \"\" is not understood"),
        ("cron(*/0 7 * * ? *)", "minutes: behind / stands 0: write a whole number from 1 to 59"),
        ("cron(*/+5 7 * * ? *)", "minutes: behind / stands +5"),
        ("cron(0/5/5 7 * * ? *)", "minutes: behind / stands 5/5"),
        ("cron(0 7 LW * ? *)", "day-of-month: \"L\" is not understood"),
        ("cron(0 7 L-3 * ? *)", "day-of-month: \"L\" is not understood"),
        ("cron(0 7 32W * ? *)", "day-of-month: \"32\" is not understood"),
        ("cron(0 7 ? * 3#6 *)", "day-of-week: behind # stands 6: write one number from 1 to 5, and no list"),
        ("cron(0 7 ? * 3#1,6#3 *)", "day-of-week: behind # stands 1,6#3"),
        ("cron(0 7 31 2,4 ? *)", "there is no such day in any of its years"),
        ("cron(0 7 29 2 ? 2026-2027)", "there is no such day in any of its years"),
        ("rate(0 days)", "write a whole number from 1 and minutes, hours or days"),
        ("rate(5)", "write a whole number from 1"),
        ("rate(5 weeks)", "write a whole number from 1"),
        ("rate(1.5 hours)", "write a whole number from 1"),
        ("rate(+5 hours)", "write a whole number from 1"),
        ("at(2026-12-24)", "write a day and a time that there are, as in at(2026-12-24T18:00:00)"),
        ("at(2026-12-24T18:00)", "write a day and a time"),
        ("at(2026-02-30T18:00:00)", "write a day and a time"),
        ("at(2026-12-24T18:00:00+01:00)", "write a day and a time"),
        ("at(2026-12-24T18:00:00Z)", "write a day and a time"),
    ] {
        assert!(refused(expression).starts_with(says), "{expression}: {}", refused(expression));
    }
}

#[test]
fn check_says_of_each_schedule_what_it_does_and_when_next() {
    let text = format!(
        "{LISTS}
[[schedule]]
name = \"mornings\"
action = \"start\"
environments = [\"dev\", \"test\"]
expression = \"cron(0 7 ? * MON-FRI *)\"
time_zone = \"Asia/Seoul\"
enabled = true
calendar = \"holidays\"

[[schedule]]
name = \"once\"
action = \"check\"
expression = \"at(2026-12-24T18:00:00)\"
"
    );
    let file = ServersFile::read(text.as_bytes()).unwrap();
    let now: Timestamp = "2026-12-24T12:00:00Z".parse().unwrap();
    let told: Vec<String> = file.schedules.iter().map(|schedule| schedule.understood(now)).collect();
    assert_eq!(
        told,
        [
            "mornings starts dev, test if holidays is open: cron(0 7 ? * MON-FRI *), Asia/Seoul; \
             next Fri 2026-12-25 07:00 KST, Mon 2026-12-28 07:00 KST, Tue 2026-12-29 07:00 KST",
            "once checks all environments: at(2026-12-24T18:00:00), the stack's TimeZone (here as if UTC); \
             DISABLED, else next Thu 2026-12-24 18:00 UTC",
        ]
    );
}

/// What is told behind the next times of a cron in Europe/Madrid.
fn told_of_the_clocks(cron: &str, now: &str) -> String {
    let schedule = format!(
        "[[schedule]]\nname = \"a\"\naction = \"stop\"\nexpression = \"cron({cron})\"\n\
         time_zone = \"Europe/Madrid\"\nenabled = true\n"
    );
    let file = ServersFile::read(format!("{LISTS}\n{schedule}").as_bytes()).unwrap();
    let told = file.schedules[0].understood(now.parse().unwrap());
    told.splitn(3, "; ").nth(2).unwrap_or_default().to_owned()
}

#[test]
fn check_says_which_night_the_clocks_leave_out_or_repeat() {
    let of = |cron| told_of_the_clocks(cron, "2026-12-01T00:00:00Z");
    let all = "on Sun 2027-03-28, 02:30 is left out by the clocks: it does not fire; \
               on Sun 2027-10-31, 02:30 comes twice: it fires once";
    for quiet in ["0 7 ? * MON-FRI *", "30 2 ? * MON-FRI *", "0 2 * 4-9 ? *", "0 4 * * ? *", "30 * * * ? *"] {
        assert_eq!(of(quiet), "", "{quiet}");
    }
    for told in ["30 2 * * ? *", "30 2,14 * * ? *", "30 2 ? * SUN *"] {
        assert_eq!(of(told), all, "{told}");
    }
    // The autumn's comes first.
    let told = told_of_the_clocks("30 2 * * ? *", "2026-06-01T00:00:00Z");
    assert!(told.starts_with("on Sun 2026-10-25, 02:30 comes twice"), "{told}");
}

#[test]
fn the_function_reads_the_lists_whatever_the_schedules_say() {
    let text = format!("{LISTS}\n[[schedule]]\nname = 5\n");
    assert_eq!(ServerLists::parse(&text), ServerLists::parse(LISTS));
    assert!(ServersFile::read(text.as_bytes()).is_err());
}

#[test]
fn the_function_knows_the_calendars_of_the_schedules_that_fire_each_once() {
    let schedule = |name: &str, more: &str| {
        format!(
            "[[schedule]]\nname = \"{name}\"\naction = \"start\"\nexpression = \"rate(1 hours)\"\n{more}\n"
        )
    };
    let calendars =
        |tables: &[String]| ServerLists::parse(&format!("{LISTS}\n{}", tables.concat())).unwrap().calendars;
    assert_eq!(calendars(&[]), [""; 0]);
    assert_eq!(calendars(&[schedule("a", "calendar = \"off\""), schedule("b", "enabled = true")]), [""; 0]);
    let fires =
        |name: &str, calendar: &str| schedule(name, &format!("enabled = true\ncalendar = \"{calendar}\""));
    let tables = [fires("a", "team"), fires("b", "holidays"), fires("c", "team"), fires("d", "no calendar")];
    assert_eq!(calendars(&tables), ["team", "holidays"]);
}

/// A set of numbers as a cron field, and the set.
fn field(range: std::ops::RangeInclusive<i8>) -> impl Strategy<Value = (String, BTreeSet<i8>)> {
    prop::collection::btree_set(range, 1..4).prop_map(|numbers| {
        let text: Vec<String> = numbers.iter().map(i8::to_string).collect();
        (text.join(","), numbers)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    /// Around the changes of the clocks: counted minute by minute, a repeated one once.
    #[test]
    fn a_cron_fires_at_each_minute_that_its_fields_name_and_at_no_other(
        (minutes, in_minutes) in field(0..=59),
        (hours, in_hours) in field(0..=4),
        zone in prop::sample::select(vec!["Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "UTC"]),
        day in prop::sample::select(vec!["2026-03-28", "2026-10-24", "2026-03-07", "2026-10-31", "2026-04-04", "2026-10-03"]),
    ) {
        let tz = TimeZone::get(zone).unwrap();
        let now: Timestamp = format!("{day}T00:00:00Z").parse().unwrap();
        let mut expected = Vec::new();
        // Four days: one of them may lack the hour.
        for minute in 1..(4 * 24 * 60) {
            let at = (now + minute.minutes()).to_zoned(tz.clone());
            let is_named = in_minutes.contains(&at.minute()) && in_hours.contains(&at.hour());
            if is_named && tz.to_ambiguous_zoned(at.datetime()).earlier().unwrap() == at {
                expected.push(at.strftime("%a %Y-%m-%d %H:%M %Z").to_string());
            }
        }
        expected.truncate(3);
        prop_assert_eq!(
            told(&format!("cron({minutes} {hours} ? * * *)"), zone, &now.to_string()),
            format!("next {}", expected.join(", "))
        );
    }

    #[test]
    fn whatever_is_written_is_read_or_refused_in_words(text in "(cron|rate|at)?\\(?[0-9A-Z*?/#, LW-]{0,30}\\)?") {
        if let Err(why) = Expression::read(&text) {
            prop_assert!(!why.is_empty());
        }
    }
}
