//! Environments in other accounts and Regions: what is done there, and what stays at home.

use std::collections::BTreeSet;

use super::{answer, settings};
use crate::lambda::settings::Settings;
use crate::model::{Elsewhere, InstanceState};
use crate::muting::Muting;
use crate::ports::{Alarm, MuteRule};
use crate::servers::file::ServerLists;
use crate::testkit::small_ec2::{World, stopped};
use jiff::SignedDuration;
use serde_json::{Value, json};

const ROLE: &str = "arn:aws:iam::210987654321:role/member";
const DEV: [&str; 3] = ["test2", "test7", "test8"];
const PREPROD: [&str; 3] = ["test15", "test16", "test20"];

fn there() -> Elsewhere {
    Elsewhere { role: ROLE.to_owned(), external_id: None, region: Some("eu-central-1".to_owned()) }
}

/// The fixture's lists, with preprod in another account and Region.
fn spread() -> Settings {
    let text = include_str!("../../../tests/servers.toml");
    let table = format!("[environment.preprod]\nrole_arn = \"{ROLE}\"\nregion = \"eu-central-1\"\n");
    let lists = ServerLists::parse(&format!("{text}\n{table}"));
    Settings { lists: Ok(lists.unwrap()), ..settings() }
}

/// dev's databases at home, preprod's there.
fn worlds() -> World {
    let mut home = World::new(DEV.map(stopped));
    home.elsewhere.insert(there(), World::new(PREPROD.map(stopped)));
    home
}

fn phase(number: u32) -> Value {
    json!({"phase_number": number, "next_phase": true, "action": "start", "cw_log_phase": "x", "send_mail": false,
           "execution": {"id": "arn", "name": "monday", "start_time": "2026-11-23T06:00:00Z"}})
}

fn report() -> Value {
    json!({"send_mail": true, "action": "start", "results": [],
           "execution": {"id": "arn", "name": "monday", "start_time": "2026-11-23T06:00:00Z"}})
}

#[test]
fn a_list_at_home_reaches_for_nothing() {
    let home = worlds();
    answer(&home, &spread(), phase(3)).unwrap();
    assert!(home.sessions.borrow().is_empty());
    assert!(home.elsewhere[&there()].calls.borrow().is_empty());
}

#[test]
fn a_list_elsewhere_is_worked_on_there_and_only_there_in_the_runs_name() {
    let home = worlds();
    let answered = answer(&home, &spread(), phase(5)).unwrap();
    assert_eq!(answered["outcome"], "ready");
    assert!(home.calls.borrow().is_empty());
    assert_eq!(*home.sessions.borrow(), BTreeSet::from(["monday".to_owned()]));
    let servers = home.elsewhere[&there()].servers.borrow();
    assert!(servers.values().all(|server| server.instance.state == InstanceState::Running));
}

#[test]
fn a_role_that_cannot_be_assumed_is_an_error_of_that_name_and_is_not_asked_for_again() {
    for code in ["RoleNotAssumed", "RegionNotEnabled"] {
        let home = worlds();
        home.elsewhere[&there()].fail_next("DescribeInstances", code, 99);
        let error = answer(&home, &spread(), phase(5)).unwrap_err();
        assert_eq!(error.name(), code);
        assert!(error.message().contains("docs/accounts.md"), "{}", error.message());
        assert_eq!(home.elsewhere[&there()].calls.borrow().len(), 1);
    }
}

#[test]
fn the_report_looks_at_every_place_and_one_that_is_closed_costs_no_mail() {
    let home = worlds();
    home.elsewhere[&there()].fail_next("DescribeInstances", "RoleNotAssumed", 99);
    answer(&home, &spread(), report()).unwrap();
    let mails = home.mails.borrow();
    assert!(mails[0].text.contains("The end states of preproduction db servers are"), "{}", mails[0].text);
    assert!(mails[0].text.contains("db, not reached, unknown: test15, test16, test20"), "nobody has looked");
    assert!(!mails[0].text.contains("The end states of development db servers are"));
}

#[test]
fn the_mail_says_account_and_region_of_each_environment_if_one_is_elsewhere() {
    let (home, mut settings) = (worlds(), spread());
    settings.place.account = Some("123456789012".to_owned());
    answer(&home, &settings, report()).unwrap();
    let mails = home.mails.borrow();
    assert!(mails[0].text.contains("\nPREPROD (account 210987654321, eu-central-1)\n"), "{}", mails[0].text);
    assert!(mails[0].text.contains("\nDEV (account 123456789012, eu-west-1)\n"));
    assert!(mails[0].html.contains("(account\u{a0}210987654321, eu-central-1)"));
    let alone = World::new([]);
    answer(&alone, &self::settings(), report()).unwrap();
    assert!(alone.mails.borrow()[0].text.contains("\nDEV\n"));
}

#[test]
fn alarms_are_muted_and_unmuted_where_they_are() {
    let home = worlds();
    let away = &home.elsewhere[&there()];
    let ids: Vec<String> = away.servers.borrow().keys().cloned().collect();
    let watches = |id: &String| Alarm { name: format!("cpu of {id}"), instance_ids: [id.clone()].into() };
    away.alarms.borrow_mut().extend(ids.iter().map(watches));
    let muting = Muting { stack: "nights".to_owned(), window: SignedDuration::from_hours(64) };
    let settings = Settings { muting: Some(muting), ..spread() };
    answer(&home, &settings, phase(5)).unwrap();
    let called = |world: &World, operation: &str| {
        world.calls.borrow().iter().filter(|call| call.operation == operation).count()
    };
    assert_eq!((called(away, "PutAlarmMuteRule"), called(&home, "PutAlarmMuteRule")), (1, 0));
    let rule = MuteRule {
        name: "nights.preprod.app.1".to_owned(),
        alarms: ["cpu".to_owned()].into(),
        begins: jiff::Timestamp::UNIX_EPOCH,
        ends: jiff::Timestamp::MAX,
    };
    away.mute_rules.borrow_mut().insert(rule.name.clone(), rule);
    answer(&home, &settings, report()).unwrap();
    assert!(away.mute_rules.borrow().is_empty());
}
