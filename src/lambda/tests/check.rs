//! The evening check, whole: against the small EC2, with the mail that it sends or does not.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{answer, settings};
use crate::lambda::settings::Settings;
use crate::model::{Elsewhere, InstanceState};
use crate::servers::file::ServerLists;
use crate::servers::mistake::ServersFileError;
use crate::testkit::small_ec2::{Habit, Server, World, running, server, stopped};

fn names() -> Vec<String> {
    let lists = settings().lists.unwrap();
    lists.lists.iter().flat_map(|list| list.servers.clone()).collect()
}

/// All servers of the fixture, half of them up.
pub(super) fn world() -> World {
    let one = |(number, name): (usize, &String)| if number % 2 == 0 { running(name) } else { stopped(name) };
    World::new(names().iter().enumerate().map(one))
}

pub(super) fn changed(world: &World, name: &str, change: impl FnOnce(&mut Server)) {
    let id = world.id(name);
    change(world.servers.borrow_mut().get_mut(&id).unwrap());
}

fn payload() -> Value {
    json!({"check": true, "calendar": null, "environments": ["dev", "test", "preprod"],
           "execution": {"id": "arn:aws:states:eu-west-1:123456789012:execution:start-stop:monday", "name": "monday",
                         "start_time": "2026-11-23T06:00:00Z"}})
}

pub(super) fn check(world: &World) -> Value {
    answer(world, &settings(), payload()).unwrap()
}

/// Each finding's name and code.
fn findings(answer: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = answer["findings"].as_array().unwrap();
    all.iter().map(|finding| (text(&finding["name"]), text(&finding["code"]))).collect()
}

fn found(name: &str, code: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), code.to_owned())]
}

fn says(answer: &Value, field: &str, part: &str) -> bool {
    answer[field].as_array().unwrap().iter().any(|said| said.as_str().unwrap().contains(part))
}

#[test]
fn where_nothing_is_wrong_no_mail_goes_out_and_the_answer_says_what_was_proved() {
    let world = world();
    let answer = check(&world);
    assert_eq!((&answer["ok"], &answer["status"]), (&json!(true), &json!("READY")), "{answer:#}");
    assert!(world.mails.borrow().is_empty());
    assert_eq!((answer["findings"].clone(), answer["mail"].clone()), (json!([]), Value::Null));
    let counts = &answer["counts"];
    assert_eq!(counts["servers"], 20);
    assert_eq!((&counts["start_allowed"], &counts["stop_allowed"]), (&json!(20), &json!(20)));
    assert!(says(&answer, "proved", "SES has verified the sender"));
    assert!(says(&answer, "not_proved", "grants"), "{answer:#}");
    assert_eq!(answer["cause"], Value::Null);
}

#[test]
fn every_server_is_asked_for_its_start_and_its_stop_whatever_its_state_and_nothing_is_changed() {
    let world = world();
    let before: BTreeMap<String, InstanceState> =
        names().into_iter().map(|name| (name.clone(), world.state(&name))).collect();
    check(&world);
    for (name, state) in before {
        assert_eq!(world.named_in("StartInstances (dry run)", &name), 1, "{name}, which is {state:?}");
        assert_eq!(world.named_in("StopInstances (dry run)", &name), 1, "{name}, which is {state:?}");
        assert_eq!(world.state(&name), state);
    }
    assert!(world.calls_of("StartInstances").is_empty() && world.calls_of("StopInstances").is_empty());
}

#[test]
fn a_missing_and_a_denied_server_are_mailed_with_awss_code_and_what_to_do() {
    let world = world();
    let id = world.id("test8");
    world.servers.borrow_mut().remove(&id);
    changed(&world, "test13", |server| server.habit = Habit::Refuses("UnauthorizedOperation"));
    let answer = check(&world);
    assert_eq!((&answer["ok"], &answer["status"]), (&json!(false), &json!("WOULD FAIL")));
    let mut all = found("test8", "ServerMissing");
    all.extend(found("test13", "UnauthorizedOperation"));
    let mut seen = findings(&answer);
    seen.sort();
    all.sort();
    assert_eq!(seen, all, "each once, though both dry runs say so");
    let mails = world.mails.borrow();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert_eq!(mail.subject, "CHECK STATUS: WOULD FAIL · start-stop · preprod app: test13; dev db: test8");
    for part in [
        "2 of 20 servers would fail",
        "WHAT WOULD GO WRONG",
        "UnauthorizedOperation",
        "give the server the tag",
        "ServerMissing",
    ] {
        assert!(mail.text.contains(part), "no {part} in {}", mail.text);
        assert!(part == "WHAT WOULD GO WRONG" || mail.html.contains(part), "no {part} in the HTML");
    }
    assert!(mail.text.contains("\n  make check-account STACK=start-stop\n"), "{}", mail.text);
    let cause: Value = serde_json::from_str(answer["cause"].as_str().unwrap()).unwrap();
    assert_eq!(cause["findings"], answer["findings"]);
    assert!(world.log.borrow().iter().any(|line| line.contains("CHECK STATUS: WOULD FAIL")));
}

#[test]
fn a_sender_that_ses_has_not_verified_is_found_although_the_mail_cannot_say_so() {
    let world = world();
    world.unverified.borrow_mut().extend(["start-stop@example.com", "example.com"].map(str::to_owned));
    world.refused_recipients.borrow_mut().insert("platform@example.com".to_owned());
    let answer = check(&world);
    let codes: Vec<String> = findings(&answer).into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, ["SenderUnverified"], "the recipient's own address is verified");
    assert!(answer["mail_error"].as_str().unwrap().starts_with("MailRejected"), "{answer:#}");
    assert!(answer["cause"].as_str().unwrap().contains("SenderUnverified"));
}

#[test]
fn a_domain_above_the_senders_is_one_that_the_role_may_send_by_in_the_sandbox_only() {
    let world = world();
    let with = |sandbox| {
        let mut settings = Settings { ses_sandbox: sandbox, ..settings() };
        settings.mail.as_mut().unwrap().sender = "noreply@mail.example.com".to_owned();
        answer(&world, &settings, payload()).unwrap()
    };
    let may_send = "whether the function's role may send as the sender";
    // The address, its domain, and the domain above.
    let outside = with(false);
    assert_eq!(outside["ok"], true, "{outside:#}");
    assert!(says(&outside, "not_proved", may_send));
    world.unverified.borrow_mut().insert("noreply@mail.example.com".to_owned());
    assert_eq!(with(false)["ok"], true, "its very domain");
    world.unverified.borrow_mut().insert("mail.example.com".to_owned());
    assert_eq!(with(true)["ok"], true, "in the sandbox the role may send by every identity");
    let outside = with(false);
    assert_eq!(findings(&outside), found("mail", "SenderNotAllowed"));
    let message = outside["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("only example.com"), "{message}");
    assert!(!says(&outside, "not_proved", may_send) && !says(&outside, "proved", "the sender"));
    world.unverified.borrow_mut().insert("example.com".to_owned());
    assert_eq!(findings(&with(false)), found("mail", "SenderUnverified"));
}

#[test]
fn a_recipient_that_ses_has_not_verified_is_found_in_the_sandbox_and_only_there() {
    let world = world();
    let elsewhere = |sandbox| {
        let mut settings = Settings { ses_sandbox: sandbox, ..settings() };
        settings.mail.as_mut().unwrap().recipients = vec!["oncall@mail.example.org".to_owned()];
        settings
    };
    let unverified = ["oncall@mail.example.org", "mail.example.org", "example.org"];
    world.unverified.borrow_mut().extend(unverified.map(str::to_owned));
    let inside = answer(&world, &elsewhere(true), payload()).unwrap();
    assert_eq!(findings(&inside), found("mail", "RecipientUnverified"));
    let outside = answer(&world, &elsewhere(false), payload()).unwrap();
    assert_eq!(outside["ok"], true, "{outside:#}");
    world.unverified.borrow_mut().remove("example.org");
    assert_eq!(
        answer(&world, &elsewhere(true), payload()).unwrap()["ok"],
        true,
        "a domain covers those below"
    );
}

#[test]
fn a_key_that_is_not_enabled_fails_each_server_whose_volume_it_encrypts() {
    for state in ["Disabled", "PendingDeletion"] {
        let world = world();
        world.key_state.set(state);
        let answer = check(&world);
        let all = findings(&answer);
        assert_eq!(all.len(), 20);
        assert!(all.iter().all(|(_, code)| code == "KeyNotUsable"), "{all:?}");
        assert!(answer["findings"][0]["message"].as_str().unwrap().contains(state));
        assert_eq!(world.calls_of("DescribeVolumes").len(), 3, "one an environment");
    }
}

#[test]
fn a_key_that_may_not_be_looked_at_is_said_and_no_reason_for_a_mail() {
    let world = world();
    world.fail_next("DescribeKey", "AccessDeniedException", 99);
    let answer = check(&world);
    assert_eq!(answer["ok"], true);
    assert!(says(&answer, "not_proved", "KmsKeyArns"), "{answer:#}");
    assert!(!says(&answer, "proved", "KMS"));
}

#[test]
fn what_could_not_be_asked_is_not_proved_and_mailed_as_that() {
    let world = world();
    world.fail_next("DescribeVolumes", "InternalError", 9_999);
    let answer = check(&world);
    assert_eq!((&answer["ok"], &answer["status"]), (&json!(false), &json!("NOT PROVED")), "{answer:#}");
    let mails = world.mails.borrow();
    assert!(mails[0].subject.starts_with("CHECK STATUS: NOT PROVED"), "{}", mails[0].subject);
    assert!(mails[0].text.contains("WHAT COULD NOT BE CHECKED"));
}

#[test]
fn a_check_that_hangs_ends_in_time_for_its_mail() {
    let world = world();
    world.fail_next("DescribeInstances", crate::testkit::small_ec2::HANGS, 9_999);
    let answer = check(&world);
    assert_eq!(answer["status"], "NOT PROVED", "{answer:#}");
    assert_eq!(world.mails.borrow().len(), 1);
    assert!(world.seconds() < 15 * 60, "{}", world.seconds());
}

#[test]
fn a_role_that_cannot_be_assumed_is_one_finding_of_its_environment() {
    let role = "arn:aws:iam::210987654321:role/member";
    let text = include_str!("../../../tests/servers.toml");
    let lists = ServerLists::parse(&format!("{text}\n[environment.preprod]\nrole_arn = \"{role}\"\n"));
    let settings = Settings { lists: Ok(lists.unwrap()), ..settings() };
    let mut home = world();
    let place = Elsewhere { role: role.to_owned(), external_id: None, region: None };
    let preprod = ["test12", "test13", "test14", "test15", "test16", "test20"];
    home.elsewhere.insert(place.clone(), World::new(preprod.map(stopped)));
    let good = answer(&home, &settings, payload()).unwrap();
    assert_eq!(good["ok"], true, "{good:#}");
    assert!(says(&good, "proved", role));
    home.elsewhere[&place].fail_next("DescribeInstances", "RoleNotAssumed", 99);
    let bad = answer(&home, &settings, payload()).unwrap();
    assert_eq!(findings(&bad), found("preprod", "RoleNotAssumed"), "two lists, two actions, one finding");
    assert_eq!(bad["findings"][0]["environment"], "preprod");
    assert!(
        home.mails.borrow()[0].text.contains("✗ preprod: 6 of 6 would fail"),
        "{}",
        home.mails.borrow()[0].text
    );
}

#[test]
fn a_name_that_two_instances_have_is_said_and_no_reason_for_a_mail() {
    let world = world();
    let mut second = server("test2-again", InstanceState::Stopped);
    second.instance.name = Some("test2".to_owned());
    world.servers.borrow_mut().insert(second.instance.id.clone(), second);
    let answer = check(&world);
    assert_eq!(answer["ok"], true, "{answer:#}");
    assert_eq!(answer["counts"]["servers"], 21);
    assert!(says(&answer, "not_proved", "test2 (dev db)"), "{answer:#}");
}

#[test]
fn a_server_in_two_lists_is_a_finding() {
    let text = include_str!("../../../tests/servers.toml")
        .replace("servers = [\"test2\", \"test7\", \"test8\"]", "tags = { Tier = \"db\" }");
    let settings = Settings { lists: Ok(ServerLists::parse(&text).unwrap()), ..settings() };
    // To the small EC2 every instance carries every tag.
    let only = json!({"check": true, "environments": ["dev"]});
    let world = world();
    let answered = answer(&world, &settings, only).unwrap();
    let codes: Vec<String> = findings(&answered).into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, ["ServerInTwoLists"; 4], "{answered:#}");
    let again = "\n  make check-account ENV=dev STACK=start-stop\n";
    assert!(world.mails.borrow()[0].text.contains(again), "a check of one environment is repeated as one");
}

#[test]
fn a_hold_that_ends_before_the_next_run_is_over_then_and_a_longer_one_is_not() {
    let world = world();
    changed(&world, "test2", |server| server.instance.hold = Some("2026-11-23".to_owned()));
    changed(&world, "test7", |server| server.instance.hold = Some("2026-12-24".to_owned()));
    changed(&world, "test8", |server| server.instance.hold = Some("forever".to_owned()));
    let answer = check(&world);
    assert_eq!(answer["ok"], true);
    assert_eq!(world.named_in("StartInstances (dry run)", "test2"), 1);
    for name in ["test7", "test8"] {
        assert_eq!(world.named_in("StartInstances (dry run)", name), 0);
        assert!(says(&answer, "not_proved", name));
    }
    assert_eq!(answer["counts"]["held"], 2);
}

#[test]
fn a_hold_tag_that_nobody_can_read_is_a_finding() {
    let world = world();
    changed(&world, "test2", |server| server.instance.hold = Some("soon".to_owned()));
    assert_eq!(findings(&check(&world)), found("test2", "HoldTagUnreadable"));
}

#[test]
fn a_state_that_ec2_looks_at_after_all_is_said_and_no_reason_for_a_mail() {
    let world = world();
    changed(&world, "test2", |server| server.habit = Habit::Refuses("IncorrectInstanceState"));
    let answer = check(&world);
    assert_eq!(answer["ok"], true, "{answer:#}");
    assert!(says(&answer, "not_proved", "test2"));
    assert_eq!(answer["counts"]["start_allowed"], 19);
}

#[test]
fn a_calendar_that_cannot_be_read_is_a_finding_with_awss_code_and_one_that_can_is_proved() {
    let with = |calendar: Value| {
        let mut payload = payload();
        payload["calendars"] = json!(["holidays"]);
        payload["calendar"] = calendar;
        answer(&world(), &settings(), payload).unwrap()
    };
    let bad = with(json!({"Error": "Ssm.InvalidDocumentException", "Cause": "said SSM"}));
    assert_eq!(findings(&bad), found("calendar", "CalendarUnreadable"));
    assert!(
        bad["findings"][0]["message"].as_str().unwrap().contains("Ssm.InvalidDocumentException: said SSM")
    );
    let closed = with(json!({"State": "CLOSED", "NextTransitionTime": "2026-12-27T00:00:00Z"}));
    assert_eq!(closed["ok"], true);
    assert!(
        says(&closed, "proved", "calendar holidays can be read; it is CLOSED now until 2026-12-27T00:00:00Z"),
        "{closed:#}"
    );
}

#[test]
fn of_several_calendars_it_is_said_that_one_of_them_is_closed_or_cannot_be_read() {
    let with = |calendar: Value| {
        let mut payload = payload();
        payload["calendars"] = json!(["holidays", "team"]);
        payload["calendar"] = calendar;
        answer(&world(), &settings(), payload).unwrap()
    };
    let open = with(json!({"State": "OPEN"}));
    assert!(says(&open, "proved", "The calendars holidays, team can be read; all are OPEN now."), "{open:#}");
    assert!(says(&with(json!({"State": "CLOSED"})), "proved", "at least one is CLOSED now."));
    let bad = with(json!({"Error": "Ssm.InvalidDocumentException", "Cause": "said SSM"}));
    assert_eq!(findings(&bad), found("calendar", "CalendarUnreadable"));
    let message = bad["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("at least one of the calendars holidays, team could not be read"), "{message}");
}

#[test]
fn the_input_of_a_check_is_answered_with_the_calendars_of_servers_toml_if_that_can_be_read() {
    let mut lists = settings().lists.unwrap();
    lists.calendars = vec!["team".to_owned()];
    let opening = json!({
        "context": {
            "Execution": {
                "Id": "arn:run", "Name": "run", "StartTime": "2026-11-23T21:00:00Z", "Input": {"check": true}
            },
            "StateMachine": {"Id": "arn:machine"}
        },
        "environments": ["dev", "test", "preprod"],
        "calendar": "holidays",
        "schedules": {"group": "later-runs", "role": "arn:role", "dead_letters": "arn:queue"}
    });
    let calendars = |lists| {
        let settings = Settings { lists, ..settings() };
        answer(&world(), &settings, opening.clone()).unwrap()["calendars"].clone()
    };
    assert_eq!(calendars(Ok(lists)), json!(["holidays", "team"]));
    let unreadable = Err(ServersFileError::Unreadable("servers.toml: said the disk".to_owned()));
    assert_eq!(calendars(unreadable), json!(["holidays"]));
}

#[test]
fn a_function_that_may_not_read_ec2_is_told_as_that_and_no_servers_tag_is_asked_for() {
    let world = world();
    world.fail_next("DescribeInstances", "UnauthorizedOperation", 1_000);
    let answer = check(&world);
    let findings = findings(&answer);
    assert!(!findings.is_empty() && findings.iter().all(|(_, code)| code == "AccessDenied"), "{findings:?}");
    let message = answer["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("UnauthorizedOperation") && message.contains("may not read EC2"), "{message}");
    assert_eq!((&answer["status"], &answer["counts"]["would_fail"]), (&json!("WOULD FAIL"), &json!(20)));
    let mails = world.mails.borrow();
    let text = &mails[0].text;
    for said in ["20 of 20 servers would fail.", "dev: 7 of 7 would fail", "See AccessDenied in"] {
        assert!(text.contains(said), "no {said} in {text}");
    }
    assert!(!text.contains("tag ec2-start-stop"), "{text}");
}

#[test]
fn the_mail_asks_the_same_check_again() {
    let with = |input: Value| {
        let world = world();
        let mut payload = payload();
        payload["asked"] = json!({ "calendars": ["holidays"], "input": input });
        payload["calendar"] = json!({ "Error": "Ssm.InvalidDocumentException", "Cause": "said SSM" });
        payload["environments"] = json!(["dev"]);
        let answer = answer(&world, &settings(), payload).unwrap();
        assert!(answer["cause"].as_str().unwrap().contains("calendar holidays"), "{answer:#}");
        let text = world.mails.borrow()[0].text.clone();
        let (_, again) = text.split_once("--input '").unwrap();
        (again.split_once('\'').unwrap().0.to_owned(), text.contains("  make check-account ENV=dev"))
    };
    // Make has no variable for the calendar: rather no command than one that does not ask it.
    for (given, by_make) in
        [("", true), (r#","calendar":"team""#, false), (r#","ignore_calendar":true"#, false)]
    {
        let input = format!(r#"{{"check":true,"environments":["dev"]{given}}}"#);
        assert_eq!(with(serde_json::from_str(&input).unwrap()), (input.clone(), by_make));
    }
}

#[test]
fn a_calendar_of_a_schedule_that_was_not_asked_is_said_and_no_reason_for_a_mail() {
    let mut lists = settings().lists.unwrap();
    lists.calendars = vec!["team".to_owned()];
    let settings = Settings { lists: Ok(lists), ..settings() };
    let with = |calendars: Value, calendar: Value| {
        let mut payload = payload();
        payload["calendars"] = calendars;
        payload["calendar"] = calendar;
        answer(&world(), &settings, payload).unwrap()
    };
    let unasked = "calendars of schedules can be read, which were not asked: team.";
    let silent = with(json!([]), Value::Null);
    assert_eq!(silent["ok"], true, "{silent:#}");
    assert!(says(&silent, "not_proved", unasked), "{silent:#}");
    assert!(says(&with(json!(["holidays"]), json!({"State": "OPEN"})), "not_proved", unasked));
    assert!(!says(&with(json!(["holidays", "team"]), json!({"State": "OPEN"})), "not_proved", unasked));
}

#[test]
fn a_bad_servers_file_is_mailed() {
    let lists = Err(ServersFileError::Unreadable("servers.toml: said the disk".to_owned()));
    let world = world();
    let answered = answer(&world, &Settings { lists, ..settings() }, payload()).unwrap();
    assert_eq!(findings(&answered), found("servers.toml", "InvalidServersFile"));
    assert!(world.mails.borrow()[0].text.contains("said the disk"));
}

#[test]
fn addresses_that_cannot_be_used_are_a_finding_and_cost_no_other_one() {
    let world = world();
    changed(&world, "test2", |server| server.habit = Habit::Refuses("UnauthorizedOperation"));
    let bad = Settings { mail: Err("MAIL_SENDER is not set".to_owned()), ..settings() };
    let answered = answer(&world, &bad, payload()).unwrap();
    let codes: Vec<String> = findings(&answered).into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, ["Misconfigured", "UnauthorizedOperation"]);
    assert_eq!(answered["mail_error"], "MAIL_SENDER is not set");
}

#[test]
fn only_the_environments_that_are_named_are_checked_and_an_unknown_one_is_refused() {
    let world = world();
    let only = answer(&world, &settings(), json!({"check": true, "environments": ["dev"]})).unwrap();
    assert_eq!(only["counts"]["servers"], 7);
    assert_eq!(world.named_in("StartInstances (dry run)", "test13"), 0);
    let refused = answer(&world, &settings(), json!({"check": true, "environments": ["live"]})).unwrap_err();
    assert_eq!(refused.name(), "InvalidPayload");
    assert!(refused.message().contains("live") && refused.message().contains("dev, test, preprod"));
}

#[test]
fn a_check_takes_no_field_that_it_does_not_know() {
    let refused = answer(&world(), &settings(), json!({"check": true, "action": "start"})).unwrap_err();
    assert!(refused.message().contains("`action` is unknown"), "{}", refused.message());
    let wrong = answer(&world(), &settings(), json!({"check": "yes"})).unwrap_err();
    assert!(wrong.message().contains("`check`"), "{}", wrong.message());
}

#[test]
fn ec2s_buckets_are_kept_although_all_lists_are_asked_at_once() {
    let world = world();
    for name in names() {
        changed(&world, &name, |server| server.habit = Habit::Refuses("UnauthorizedOperation"));
    }
    let answer = check(&world);
    assert_eq!(answer["counts"]["would_fail"], 20);
    assert_eq!(world.throttled.get(), 0);
    assert!(
        world
            .records
            .borrow()
            .iter()
            .any(|record| record["record"] == "check" && record["ApiThrottles"] == 0)
    );
}

#[test]
fn the_answer_has_room_for_two_thousand_servers_that_would_all_fail() {
    let names: Vec<String> = (0..2000).map(|number| format!("web-{number:04}")).collect();
    let file = format!(
        "[[list]]\nnumber = 0\nenvironment = \"prod\"\ntier = \"app\"\nname = \"web\"\nservers = {names:?}\n\
         ready = \"running\"\ntimeout_minutes = 15\n"
    );
    let settings = Settings { lists: Ok(ServerLists::parse(&file).unwrap()), ..settings() };
    let answered = answer(&World::new([]), &settings, json!({"check": true})).unwrap();
    assert_eq!(answered["findings_in_all"], 2000);
    assert!(answered.to_string().len() < 262_144 - 100_000, "{}", answered.to_string().len());
    let cause = answered["cause"].as_str().unwrap();
    assert!(cause.len() < 32_768);
    serde_json::from_str::<Value>(cause).unwrap();
}
