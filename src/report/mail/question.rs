//! The mail that asks for a person's yes: what waits, until when, how to answer, and what silence means.
//!
//! No link in it answers: programs that look through mail follow links.

use askama::Template;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

use super::next::USUAL_STACK;
use super::tally::verbs;
use super::text::Lines;
use crate::ports::Mail;
use crate::report::place::Place;
use crate::report::question::Asking;
use crate::report::subject;
use crate::servers::approve::Silence;
use crate::servers::file::{ServerList, ServerLists};

/// What the function needed to be invoked: the time that is told is not later than the machine's own.
const START_SECONDS: i64 = 15;
/// Whoever is asked all the same should know that a yes leads to nothing.
const NO_SERVERS: &str = "its servers are not known: servers.toml cannot be used (InvalidServersFile)";

#[derive(Template)]
#[template(path = "question.html")]
struct View {
    title: String,
    meaning: String,
    silence: String,
    /// What it is about: a line a tier.
    servers: Vec<String>,
    /// Words and the command behind them.
    commands: Vec<(&'static str, String)>,
    console: Option<String>,
    run: String,
    place: Vec<String>,
}

impl Asking {
    /// The mail, sent `now`, with times in `zone`.
    pub(crate) fn mail(&self, lists: &ServerLists, zone: &TimeZone, place: &Place, now: Timestamp) -> Mail {
        let until = now + SignedDuration::from_mins(self.ask.minutes.into());
        let until = (until - SignedDuration::from_secs(START_SECONDS)).to_zoned(zone.clone());
        let today = until.date() == now.to_zoned(zone.clone()).date();
        let short = until.strftime(if today { "%H:%M" } else { "%Y-%m-%d %H:%M" });
        let (environment, action) = (&self.ask.environment, self.ask.action.word());
        let words = format!("{} OF {environment}: YOUR YES IS NEEDED UNTIL {short}", action.to_uppercase());
        let follows = match self.ask.silence {
            Silence::LeaveAlone => {
                format!("{environment} is left as it is, and the report says that nobody answered")
            }
            Silence::GoOn => format!("the {action} goes on, as after a yes"),
        };
        let servers: Vec<String> = lists.in_start_order(environment).into_iter().map(tier).collect();
        let view = View {
            title: format!("May {environment} be {}", verbs(self.ask.action).started),
            meaning: format!(
                "A run waits for your yes or no until {}. The first answer counts; a later one, and one after the \
                 run has ended or has asked anew, is refused by AWS (TaskTimedOut).",
                hour(&until)
            ),
            silence: format!("If nobody answers by then, {follows}."),
            servers: if servers.is_empty() { vec![NO_SERVERS.to_owned()] } else { servers },
            commands: self.commands(place),
            console: place.execution(&self.execution.id),
            run: format!("Execution {}.", self.execution.name),
            place: place.words(),
        };
        let subject = subject::one_short_line(&format!("{words} · {}", place.stack));
        let html = view.render().unwrap_or_else(|error| format!("{} ({error})", view.meaning));
        Mail { subject, text: text(&view), html }
    }

    fn commands(&self, place: &Place) -> Vec<(&'static str, String)> {
        let (run, environment) = (quoted(&self.execution.name), &self.ask.environment);
        let stack = match place.stack.as_str() {
            USUAL_STACK => String::new(),
            stack => format!(" STACK={stack}"),
        };
        let make = |answer: &str| format!("make approve RUN={run} ENV={environment} ANSWER={answer}{stack}");
        let aws = |approved: bool| {
            format!(
                "aws stepfunctions send-task-success --region {} \
                 --task-output '{{\"approved\":{approved},\"by\":\"YOUR NAME\"}}' --task-token {}",
                place.region,
                quoted(&self.ask.token)
            )
        };
        vec![
            ("Yes", make("yes")),
            ("No", make("no")),
            ("Yes, without a clone of the project", aws(true)),
            ("No, without a clone of the project", aws(false)),
        ]
    }
}

/// With the clock's own name, which tells the hour apart that is there twice, and the zone's where that is another.
fn hour(at: &Zoned) -> String {
    let (hour, zone) = (at.strftime("%Y-%m-%d %H:%M %Z"), at.time_zone().iana_name().unwrap_or("UTC"));
    if zone == "UTC" { hour.to_string() } else { format!("{hour} ({zone})") }
}

/// As a shell takes it for one word.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match text.bytes().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// `db: web1, web2`, and the tags that select besides.
fn tier(list: &ServerList) -> String {
    let tags = list.tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
    let tags = (!tags.is_empty()).then(|| format!("tags {}", tags.join(" and ")));
    let named = list.servers.iter().cloned().chain(tags).collect::<Vec<_>>();
    let named = if named.is_empty() { "no servers".to_owned() } else { named.join(", ") };
    format!("{}: {named}", list.tier)
}

fn text(view: &View) -> String {
    let mut text = Lines::default();
    text.say(0, &format!("{}?", view.title));
    text.say(0, &view.meaning);
    text.say(0, &view.silence);
    for (words, command) in &view.commands {
        text.blank();
        text.say(0, &format!("{words}:"));
        text.whole(&format!("  {command}"));
    }
    text.heading("WHAT IT IS ABOUT");
    view.servers.iter().for_each(|tier| text.item(2, "", tier));
    text.blank();
    view.console.iter().for_each(|link| text.whole(&format!("The run: {link}")));
    text.say(0, &view.run);
    text.whole("-- ");
    text.say(0, &format!("Sent by ec2-start-stop: {}.", view.place.join(", ")));
    text.0
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;

    fn asking(silence: Silence) -> Asking {
        let json = serde_json::json!({
            "ask": {"token": "AQ+/=", "environment": "preprod", "action": "stop", "minutes": 60, "silence": silence.words()},
            "execution": {
                "id": "arn:aws:states:eu-west-1:123456789012:execution:m:run-1",
                "name": "run-1", "start_time": "2026-11-23T18:00:00Z"
            }
        });
        serde_json::from_value(json).unwrap()
    }

    fn lists() -> ServerLists {
        ServerLists::parse(include_str!("../../../tests/servers.toml")).unwrap()
    }

    fn sent(asking: &Asking, zone: &str, now: &str) -> Mail {
        let zone = TimeZone::get(zone).unwrap();
        asking.mail(&lists(), &zone, &Place::new("eu-west-1", "prod"), now.parse().unwrap())
    }

    fn mail(silence: Silence, stack: &str) -> Mail {
        let now = "2026-11-23T18:30:40Z".parse().unwrap();
        asking(silence).mail(&lists(), &TimeZone::UTC, &Place::new("eu-west-1", stack), now)
    }

    #[test]
    fn a_question_names_its_hour_its_servers_and_the_exact_commands() {
        let mail = mail(Silence::LeaveAlone, "prod");
        assert_eq!(mail.subject, "STOP OF preprod: YOUR YES IS NEEDED UNTIL 19:30 · prod");
        for body in [&mail.text, &mail.html] {
            for part in [
                "make approve RUN=run-1 ENV=preprod ANSWER=yes STACK=prod",
                "ANSWER=no STACK=prod",
                "aws stepfunctions send-task-success --region eu-west-1",
                "AQ+/=",
                "until 2026-11-23 19:30 UTC.",
                "test13",
                "TaskTimedOut",
            ] {
                assert!(body.contains(part), "{part} in {body}");
            }
        }
    }

    #[test]
    fn the_hour_is_that_of_the_templates_zone_and_one_of_another_day_has_its_date() {
        let mut asking = asking(Silence::GoOn);
        let mail = sent(&asking, "Europe/Madrid", "2026-11-23T18:30:40Z");
        assert!(mail.subject.ends_with("YOUR YES IS NEEDED UNTIL 20:30 · prod"), "{}", mail.subject);
        assert!(mail.text.contains("until 2026-11-23 20:30 CET (Europe/Madrid)."), "{}", mail.text);
        asking.ask.minutes = 360;
        let mail = sent(&asking, "Europe/Madrid", "2026-11-23T18:30:40Z");
        assert!(mail.subject.contains("NEEDED UNTIL 2026-11-24 01:30 · "), "{}", mail.subject);
        // The hour that Europe has twice: the first of both, then the second.
        asking.ask.minutes = 60;
        for (now, clock) in [("2026-10-24T23:40:00Z", "02:39 CEST"), ("2026-10-25T00:40:00Z", "02:39 CET")] {
            let mail = sent(&asking, "Europe/Madrid", now);
            assert!(mail.html.contains(&format!("until 2026-10-25 {clock} (Europe/Madrid).")), "{now}");
        }
    }

    #[test]
    fn each_environment_has_a_mail_of_its_own_that_names_no_others_servers() {
        let mut asking = asking(Silence::LeaveAlone);
        asking.ask.environment = "dev".to_owned();
        let mail = sent(&asking, "UTC", "2026-11-23T18:30:40Z");
        assert!(mail.subject.starts_with("STOP OF dev: ") && mail.text.contains("ENV=dev ANSWER=yes"));
        assert!(mail.text.contains("test19") && !mail.text.contains("test13"), "{}", mail.text);
    }

    #[test]
    fn a_servers_file_that_cannot_be_used_is_told() {
        let now = "2026-11-23T18:30:40Z".parse().unwrap();
        let place = Place::new("eu-west-1", "prod");
        let mail = asking(Silence::GoOn).mail(&ServerLists::default(), &TimeZone::UTC, &place, now);
        assert!(mail.text.contains("InvalidServersFile") && mail.html.contains("InvalidServersFile"));
    }

    #[test]
    fn what_silence_means_is_told() {
        assert!(mail(Silence::LeaveAlone, "s").text.contains("preprod is left as it is"));
        assert!(mail(Silence::GoOn, "s").text.contains("the stop goes on, as after a yes"));
    }

    #[test]
    fn no_link_answers() {
        let mail = mail(Silence::GoOn, "s");
        for link in mail.html.split("href=\"").skip(1) {
            assert!(link.starts_with("https://eu-west-1.console.aws.amazon.com/"), "{link}");
        }
        assert_eq!(mail.html.matches("href=").count(), 1);
        assert_eq!(mail.text.matches("https://").count(), 1);
    }

    #[test]
    fn a_runs_name_is_one_word_to_a_shell() {
        assert_eq!(quoted("run-1_a.b"), "run-1_a.b");
        assert_eq!(quoted("it's; rm"), "'it'\\''s; rm'");
    }
}
