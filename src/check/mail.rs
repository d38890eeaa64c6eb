//! The check's mail: only of a check that is not READY. Its parts are the report's.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::ports::Mail;
use crate::report::{Notice, Place, Told};

use super::findings::{Checked, EnvironmentTally, Status};

impl Checked {
    /// The mail, with times in `zone` and links into the console of `place`.
    pub(crate) fn mail(&self, zone: &TimeZone, place: &Place) -> Mail {
        self.notice().mail(zone, place)
    }

    fn notice(&self) -> Notice {
        let status = self.status();
        let problems = self.findings.iter().map(|finding| Told {
            problem: finding.problem.clone(),
            list: match (&finding.environment, &finding.tier) {
                (Some(environment), Some(tier)) if finding.of_server => Some(format!("{environment} {tier}")),
                _ => None,
            },
            elsewhere: finding.elsewhere.clone(),
        });
        let proved = self.proved.iter().cloned();
        let not_proved = self.not_proved.iter().map(|what| format!("Not proved: {what}"));
        Notice {
            status: self.status_words(),
            title: self.title(),
            meaning: "This was the dry run of the next start and of the next stop, of every listed server whatever its \
                      state is now. Nothing was changed."
                .to_owned(),
            environments: self.environments.iter().map(line).collect(),
            heading: if status == Status::WouldFail { "What would go wrong" } else { "What could not be checked" },
            problems: problems.collect(),
            remarks: proved.chain(not_proved).collect(),
            next: ("To check again once this is fixed", self.command(), self.input()),
            execution: self.execution.clone(),
            at: self.at,
        }
    }

    /// With make; `None`: it has no variable for the calendar that was asked, or was not.
    fn command(&self) -> Option<String> {
        if self.asked.calendar.is_some() || self.asked.ignore_calendar {
            return None;
        }
        let limit = self.asked.environments.as_ref().map(|names| format!(" ENV={}", names.join(",")));
        Some(format!("make check-account{}", limit.unwrap_or_default()))
    }

    /// The execution's input that asks the same.
    fn input(&self) -> Value {
        let mut input = json!({ "check": true });
        if let Some(names) = &self.asked.environments {
            input["environments"] = json!(names);
        }
        match (self.asked.ignore_calendar, &self.asked.calendar) {
            (true, _) => input["ignore_calendar"] = true.into(),
            (false, Some(name)) => input["calendar"] = json!(name),
            (false, None) => {}
        }
        input
    }

    /// The subject's fixed words: `CHECK STATUS: WOULD FAIL`.
    pub(crate) fn status_words(&self) -> String {
        format!("CHECK STATUS: {}", self.status().word())
    }

    fn title(&self) -> String {
        let tally = self.tally();
        let failing = tally.would_fail > 0;
        match self.status() {
            Status::Ready => "The next start and stop can go ahead".to_owned(),
            Status::NotProved => "Not everything could be asked".to_owned(),
            Status::WouldFail if failing && tally.servers == 1 => "The server would fail".to_owned(),
            Status::WouldFail if failing => {
                format!("{} of {} servers would fail", tally.would_fail, tally.servers)
            }
            Status::WouldFail => "The next run would not go as wanted".to_owned(),
        }
    }
}

fn line(environment: &EnvironmentTally) -> (String, bool, String) {
    let tally = environment.tally;
    let held = if tally.held > 0 { format!(", {} left alone", tally.held) } else { String::new() };
    let words = match (tally.would_fail, environment.others) {
        (0, 0) if tally.servers == 0 => "no servers".to_owned(),
        (0, 0) => format!("may be started and stopped{held}"),
        (0, _) => "see below".to_owned(),
        (some, _) => format!("{some} of {} would fail{held}", tally.servers),
    };
    (environment.name.clone(), tally.would_fail + environment.others == 0, words)
}
