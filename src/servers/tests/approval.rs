//! `approve`: what is read, and that the rendered machine asks where the file says so and nowhere else.

use serde_json::Value;

use crate::model::Action;
use crate::servers::approve::{Approval, Silence};
use crate::servers::file::ServerLists;
use crate::servers::machine as statemachine;
use crate::servers::read::ServersFile;

/// Of dev, test and preprod.
const LISTS: &str = include_str!("../../../tests/servers.toml");

fn lists(table: &str) -> ServerLists {
    ServerLists::parse(&format!("{LISTS}\n[environment.preprod]\n{table}\n")).unwrap()
}

fn machine(lists: &ServerLists) -> Value {
    serde_json::from_str(&statemachine::render(lists)).unwrap()
}

fn branches<'a>(machine: &'a Value, action: &str) -> &'a Vec<Value> {
    machine["States"][format!("{action} environments")]["Branches"].as_array().unwrap()
}

#[test]
fn without_approve_nobody_is_asked() {
    let plain = ServerLists::parse(LISTS).unwrap();
    assert!(plain.approvals.is_empty());
    let text = statemachine::render(&plain);
    assert!(!text.contains("waitForTaskToken") && !text.contains("approval"), "{text}");
}

#[test]
fn a_table_that_asks_needs_no_role_and_waits_an_hour_where_it_does_not_say() {
    let lists = lists("approve = [\"stop\"]\napprove_silence = \"leave alone\"");
    assert!(lists.elsewhere.is_empty());
    let approval = lists.approval("preprod", Action::Stop).unwrap();
    assert_eq!((approval.minutes, approval.silence), (60, Silence::LeaveAlone));
    assert_eq!(lists.approval("preprod", Action::Start), None);
    assert_eq!(lists.approval("dev", Action::Stop), None);
}

#[test]
fn a_table_with_a_part_of_a_question_is_not_told_to_write_a_role() {
    for part in
        ["approve_minutes = 10", "approve_silence = \"go on\"", "approve = [\"stop\"]", "approve_minutes = 0"]
    {
        let text = format!("{LISTS}\n[environment.preprod]\n{part}\n");
        let told = ServersFile::read(text.as_bytes()).unwrap_err().to_string();
        assert!(told.contains("approve") && !told.contains("role_arn"), "{told}");
    }
    let told = ServersFile::read(format!("{LISTS}\n[environment.preprod]\n").as_bytes()).unwrap_err();
    assert!(told.to_string().contains("has no role_arn"), "{told}");
}

#[test]
fn a_table_may_have_both_a_role_and_a_question() {
    let role = "role_arn = \"arn:aws:iam::210987654321:role/m\"";
    let lists = lists(&format!("{role}\napprove = [\"start\", \"stop\"]\napprove_silence = \"go on\""));
    assert_eq!(lists.elsewhere["preprod"].account(), "210987654321");
    assert_eq!(lists.approvals["preprod"].actions, [Action::Start, Action::Stop]);
}

#[test]
fn what_is_understood_says_who_is_asked() {
    let lists = lists("approve = [\"start\", \"stop\"]\napprove_minutes = 5\napprove_silence = \"go on\"");
    let understood = lists.understood();
    let line = understood.lines().find(|line| line.starts_with("preprod")).unwrap();
    assert!(
        line.ends_with("; a person is asked before a start or a stop, for 5 min; silence: go on"),
        "{line}"
    );
}

#[test]
fn only_the_branch_that_is_asked_about_has_other_states() {
    let plain = machine(&ServerLists::parse(LISTS).unwrap());
    let asks =
        machine(&lists("approve = [\"stop\"]\napprove_minutes = 90\napprove_silence = \"leave alone\""));
    assert_eq!(branches(&plain, "Start"), branches(&asks, "Start"));
    let (before, after) = (branches(&plain, "Stop"), branches(&asks, "Stop"));
    assert_eq!(before[..2], after[..2]);
    let (before, after) = (&before[2]["States"], &after[2]["States"]);
    let more: Vec<&String> =
        after.as_object().unwrap().keys().filter(|name| before.get(name.as_str()).is_none()).collect();
    assert_eq!(
        more,
        ["Is preprod stop to be asked for?", "Ask whether preprod may stop", "May preprod stop?"]
    );
    for (name, state) in before.as_object().unwrap() {
        assert_eq!(state, &after[name.as_str()], "{name}");
    }
}

/// The looks for an earlier run that the machine has, and the pause between two.
fn waiting(machine: &Value) -> (u64, u64) {
    let condition = machine["States"]["May this run begin?"]["Choices"][0]["Condition"].as_str().unwrap();
    let looks = condition.trim_end_matches(" %}").rsplit(' ').next().unwrap().parse().unwrap();
    (looks, machine["States"]["Wait for the earlier run"]["Seconds"].as_u64().unwrap())
}

fn said_after_waiting(machine: &Value) -> &str {
    machine["States"]["The earlier run did not end"]["Output"]["error"]["Cause"].as_str().unwrap()
}

#[test]
fn where_nobody_is_asked_a_run_waits_an_hour_and_has_a_day_for_its_work_and_an_hour_more() {
    let plain = machine(&ServerLists::parse(LISTS).unwrap());
    assert_eq!(waiting(&plain), (60, 60));
    assert_eq!(plain["TimeoutSeconds"], 3600 + 24 * 3600 + 3600);
    assert!(said_after_waiting(&plain).contains("did not end within an hour."));
}

#[test]
fn a_run_outwaits_an_earlier_ones_unanswered_question_and_its_machine_both_and_its_own_question() {
    let mut lists = lists("approve = [\"stop\"]\napprove_silence = \"go on\"");
    let approval = lists.approvals["preprod"].clone();
    for minutes in [1, 2, 29, 30, 31, 59, 60, 61, 89, 90, 119, 120, 121, 719, 720, 1439, 1440] {
        // Both are asked at the same time: the longer question counts.
        for (name, minutes) in [("preprod", minutes), ("dev", minutes.min(30))] {
            lists.approvals.insert(name.to_owned(), Approval { minutes, ..approval.clone() });
        }
        let machine = machine(&lists);
        let (looks, pause) = waiting(&machine);
        let waits = (looks - 1) * pause;
        // As much is left for the earlier run's work as where nobody is asked.
        assert_eq!(waits, 59 * 60 + minutes * 60, "{minutes}");
        let question = minutes * 60;
        let all = machine["TimeoutSeconds"].as_u64().unwrap();
        assert!(all >= waits + question + 24 * 3600 + 3600, "{minutes}: {all} s");
        // Of 25,000 that a history may have: a look's task has five, its choice and the pause two each.
        assert!(looks * 9 < 14_000, "{minutes}: {looks} looks");
    }
}

#[test]
fn a_run_that_gives_up_says_for_how_long_it_has_waited() {
    for (minutes, said) in [("60", "2 hours"), ("1440", "25 hours"), ("30", "90 minutes")] {
        let table = "approve = [\"stop\"]\napprove_silence = \"go on\"\napprove_minutes = ";
        let machine = machine(&lists(&format!("{table}{minutes}")));
        assert!(said_after_waiting(&machine).contains(&format!("did not end within {said}.")), "{said}");
    }
}

#[test]
fn silence_is_what_the_file_says() {
    for (silence, approved) in [("leave alone", false), ("go on", true)] {
        let machine = machine(&lists(&format!("approve = [\"stop\"]\napprove_silence = \"{silence}\"")));
        let ask = &branches(&machine, "Stop")[2]["States"]["Ask whether preprod may stop"];
        assert_eq!(ask["TimeoutSeconds"], 3600);
        let catch = &ask["Catch"][0];
        assert_eq!(catch["ErrorEquals"][0], "States.Timeout");
        assert_eq!(catch["Output"]["record"]["approval"]["approved"], approved);
    }
}

#[test]
fn nothing_is_tried_again_after_which_a_mail_may_have_been_sent() {
    let machine = machine(&lists("approve = [\"stop\"]\napprove_silence = \"go on\""));
    let ask = &branches(&machine, "Stop")[2]["States"]["Ask whether preprod may stop"];
    let retried: Vec<&Value> = ask["Retry"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|retrier| retrier["ErrorEquals"].as_array().unwrap())
        .collect();
    assert_eq!(retried, ["Lambda.TooManyRequestsException", "Throttled", "AwsUnreachable"]);
}

#[test]
fn no_name_of_a_state_is_too_long() {
    let long = "an_environment-of-24-chs";
    let text = LISTS.replace("\"preprod\"", &format!("\"{long}\""));
    let table = format!("[environment.{long}]\napprove = [\"start\", \"stop\"]\napprove_silence = \"go on\"");
    let machine = machine(&ServerLists::parse(&format!("{text}\n{table}\n")).unwrap());
    for action in ["Start", "Stop"] {
        let states = branches(&machine, action)[2]["States"].as_object().unwrap();
        assert!(states.keys().all(|name| name.chars().count() <= 80));
        assert!(states.len() > 5);
    }
}
