//! Callers that are no machine of ours: the payloads of AWS-Start-Stop-Automation's page, and phases that nobody
//! resumes.

use serde_json::{Value, json};

use super::{answer, settings};
use crate::lambda::payload::Request;
use crate::model::{Action, InstanceState};
use crate::report::Status;
use crate::servers::file::ServerLists;
use crate::testkit::small_ec2::{HANGS, Habit, Server, World, running, stopped};

const SHORT: [&str; 6] = ["dap_state", "tap_state", "pap_state", "ddb_state", "tdb_state", "pdb_state"];
const LISTS: [&str; 6] = ["dev_app", "test_app", "preprod_app", "dev_db", "test_db", "preprod_db"];

fn lists() -> ServerLists {
    settings().lists.unwrap()
}

fn everyone(server: fn(&str) -> Server) -> Vec<Server> {
    lists().lists.iter().flat_map(|list| &list.servers).map(|name| server(name)).collect()
}

/// What a list's phase answered as its initial states.
fn initial(world: &World, list: &str, state: &str) -> Value {
    let lists = lists();
    let list = lists.lists.iter().find(|other| other.label().replace(' ', "_") == list).unwrap();
    let states = list.servers.iter().map(|name| {
        let id = world.id(name);
        (name.clone(), json!({"InstanceId": id, "State": state, "is_running": state == "running"}))
    });
    Value::Object(states.collect())
}

/// The page's mail after a run of servers that all had this state before.
fn mail(world: &World, subject: &str, before: &str) -> Value {
    let mut payload = json!({"send_mail": true, "subject": subject});
    for (field, list) in SHORT.into_iter().zip(LISTS) {
        payload[field] = initial(world, list, before);
    }
    payload
}

fn phase(next_phase: Value) -> Value {
    json!({"phase_number": 3, "next_phase": next_phase, "action": "start",
           "cw_log_phase": "starting development db servers", "send_mail": false})
}

fn parsed(payload: &Value) -> Result<Request, String> {
    Request::parse(payload.clone()).map_err(|error| error.to_string())
}

fn status(answer: &Value) -> &str {
    answer["status"].as_str().unwrap()
}

#[test]
fn the_pages_slip_counts_as_true_and_the_phase_log_says_so() {
    let world = World::new(["test2", "test7", "test8"].map(stopped));
    let answered = answer(&world, &settings(), phase(json!("next_phase.$"))).unwrap();
    assert_eq!((&answered["next_phase"], &answered["statusCode"]), (&json!(true), &json!(200)));
    let log = world.log.borrow().join("\n");
    assert!(log.contains("it is taken for true"), "{log}");
}

#[test]
fn a_boolean_leaves_no_remark_and_any_other_string_is_refused() {
    let Ok(Request::Phase(request)) = parsed(&phase(json!(true))) else { panic!("no phase") };
    assert_eq!(request.remark, None);
    for value in
        [json!("true"), json!("next_phase"), json!("$.next_phase"), json!(1), json!(["next_phase.$"])]
    {
        assert!(parsed(&phase(value)).unwrap_err().contains("`next_phase`"));
    }
}

#[test]
fn the_two_flags_alone_are_a_skip_and_ask_nothing() {
    let world = World::new([]);
    let answered = answer(&world, &settings(), json!({"send_mail": false, "next_phase": false})).unwrap();
    assert_eq!(
        answered,
        json!({"next_phase": false, "initial_state": {"empty": true}, "outcome": "skipped", "problems": [],
               "servers": {"total": 0, "ready": 0, "changed": 0, "failed": 0}, "statusCode": 200})
    );
    assert!(world.calls.borrow().is_empty());
    for more in [json!({"phase_number": 3}), json!({"extra": 1})] {
        let mut payload = json!({"send_mail": false, "next_phase": false});
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert!(parsed(&payload).is_err(), "{payload}");
    }
    assert!(parsed(&json!({"send_mail": false, "next_phase": true})).unwrap_err().contains("phase_number"));
}

#[test]
fn a_subjects_words_say_what_to_report_and_any_other_is_refused_by_name() {
    for (subject, action, status) in [
        ("START STATUS: SUCCESS", Action::Start, Status::Success),
        ("START STATUS: ABORTED", Action::Start, Status::Aborted),
        ("SHUTDOWN STATUS: SUCCESS", Action::Stop, Status::Success),
        ("shutdown status: aborted", Action::Stop, Status::Aborted),
        ("Stop: degraded", Action::Stop, Status::Degraded),
        ("START: SUCCESS or ABORTED", Action::Start, Status::Aborted),
    ] {
        let request = parsed(&json!({"send_mail": true, "subject": subject})).unwrap();
        let Request::Report(request) = request else { panic!("no report") };
        assert_eq!((request.action, request.claim.unwrap().status), (action, status), "{subject}");
    }
    for subject in [
        json!("START STATUS"),
        json!("STATUS: SUCCESS"),
        json!("RESTART STATUS: SUCCESS"),
        json!("START AND SHUTDOWN: SUCCESS"),
        json!("START STATUS: UNSUCCESSFUL"),
        json!(""),
        json!(null),
        json!(3),
    ] {
        let refusal = parsed(&json!({"send_mail": true, "subject": subject})).unwrap_err();
        assert!(refusal.contains("`subject`") && refusal.contains("SHUTDOWN"), "{refusal}");
    }
}

#[test]
fn what_is_none_of_its_fields_or_says_a_list_twice_is_refused_by_name() {
    let world = World::new(everyone(running));
    for (field, value) in [
        ("extra", json!(1)),
        ("action", json!("start")),
        ("phase_number", json!(3)),
        ("xap_state", json!({"empty": true})),
        ("dev_app_initial_state", json!({"empty": true})),
    ] {
        let mut payload = mail(&world, "START STATUS: SUCCESS", "stopped");
        payload[field] = value;
        let refusal = parsed(&payload).unwrap_err();
        assert!(refusal.contains(&format!("`{field}`")) || refusal.contains("`dap_state`"), "{refusal}");
    }
}

#[test]
fn both_spellings_of_the_six_states_are_one_report() {
    let world = World::new(everyone(running));
    let short = mail(&world, "START STATUS: SUCCESS", "stopped");
    let mut long = json!({"send_mail": true, "subject": "START STATUS: SUCCESS"});
    for (field, list) in SHORT.into_iter().zip(LISTS) {
        long[format!("{list}_initial_state")] = short[field].clone();
    }
    let answers = [short, long].map(|payload| answer(&world, &settings(), payload).unwrap());
    assert_eq!(answers[0]["servers"], answers[1]["servers"]);
    assert_eq!((status(&answers[0]), status(&answers[1])), ("SUCCESS", "SUCCESS"));
}

#[test]
fn a_start_that_went_well_is_told_with_what_each_server_was_and_nothing_is_changed() {
    let world = World::new(everyone(running));
    let answered = answer(&world, &settings(), mail(&world, "START STATUS: SUCCESS", "stopped")).unwrap();
    assert_eq!((status(&answered), &answered["statusCode"]), ("SUCCESS", &json!(200)));
    assert_eq!(answered["counts"]["changed"], 20);
    let rows = answered["servers"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["action"] == "started" && row["initial_state"] == "stopped"));
    assert_eq!(world.calls_of("StartInstances").len(), 0);
    assert_eq!(world.mails.borrow().len(), 1);
}

#[test]
fn servers_that_were_up_before_are_not_told_to_be_started() {
    let world = World::new(everyone(running));
    let answered = answer(&world, &settings(), mail(&world, "START STATUS: SUCCESS", "running")).unwrap();
    assert_eq!((status(&answered), &answered["counts"]["changed"]), ("SUCCESS", &json!(0)));
}

#[test]
fn a_stop_that_went_well_is_told_so() {
    let world = World::new(everyone(stopped));
    let answered = answer(&world, &settings(), mail(&world, "SHUTDOWN STATUS: SUCCESS", "running")).unwrap();
    assert_eq!((status(&answered), &answered["counts"]["changed"]), ("SUCCESS", &json!(20)));
    assert!(world.mails.borrow()[0].subject.starts_with("SHUTDOWN STATUS: SUCCESS"));
}

#[test]
fn success_is_never_said_of_a_server_that_is_not_as_wanted() {
    for one in
        [stopped("test4"), running("test4").change(|server| server.instance.state = InstanceState::Pending)]
    {
        let mut servers = everyone(running);
        servers.retain(|server| server.instance.name.as_deref() != Some("test4"));
        servers.push(one);
        let world = World::new(servers);
        let answered = answer(&world, &settings(), mail(&world, "START STATUS: SUCCESS", "stopped")).unwrap();
        assert_eq!(status(&answered), "ABORTED");
        let problems = answered["problems"].to_string();
        assert!(problems.contains("test4"), "{problems}");
        assert!(answered["remarks"].to_string().contains("what EC2 shows now"), "{}", answered["remarks"]);
        assert!(!world.mails.borrow()[0].subject.contains("SUCCESS"));
    }
}

#[test]
fn aborted_stays_aborted_although_all_are_up_by_now_and_the_reader_is_told() {
    let world = World::new(everyone(running));
    let answered = answer(&world, &settings(), mail(&world, "START STATUS: ABORTED", "stopped")).unwrap();
    assert_eq!(status(&answered), "ABORTED");
    assert!(answered["remarks"].to_string().contains("START STATUS: ABORTED"), "{}", answered["remarks"]);
}

#[test]
fn a_refusal_that_the_machine_dropped_is_found_by_a_dry_run_and_the_tier_after_it_was_not_reached() {
    let mut servers = everyone(running);
    let dev = ["test2", "test1", "test4", "test5", "test19"];
    servers.retain(|server| !dev.contains(&server.instance.name.as_deref().unwrap()));
    servers.extend(dev.map(stopped));
    let world = World::new(servers);
    world.servers.borrow_mut().values_mut().for_each(|server| {
        if server.instance.name.as_deref() == Some("test2") {
            server.habit = Habit::Refuses("UnauthorizedOperation");
        }
    });
    let mut payload = mail(&world, "START STATUS: ABORTED", "stopped");
    payload["dap_state"] = json!({"empty": true});
    let answered = answer(&world, &settings(), payload).unwrap();
    assert_eq!(status(&answered), "ABORTED");
    assert_eq!(answered["problems"].as_array().unwrap().len(), 1, "{}", answered["problems"]);
    assert_eq!(
        (&answered["problems"][0]["name"], &answered["problems"][0]["code"]),
        (&json!("test2"), &json!("UnauthorizedOperation"))
    );
    assert_eq!(answered["counts"]["not_reached"], 4);
    assert_eq!(world.calls_of("StartInstances").len(), 0);
}

#[test]
fn a_server_that_is_still_down_for_a_reason_that_nobody_kept_is_told_so() {
    let mut servers = everyone(running);
    servers.retain(|server| server.instance.name.as_deref() != Some("test4"));
    servers.push(stopped("test4"));
    let world = World::new(servers);
    let answered = answer(&world, &settings(), mail(&world, "START STATUS: ABORTED", "stopped")).unwrap();
    assert_eq!(answered["problems"][0]["code"], "NotAsWanted");
    assert!(answered["problems"][0]["message"].as_str().unwrap().starts_with("it is stopped"));
}

#[test]
fn a_list_that_the_mail_does_not_mention_is_not_called_a_success() {
    let world = World::new(everyone(running));
    let mut payload = mail(&world, "START STATUS: SUCCESS", "stopped");
    payload.as_object_mut().unwrap().retain(|field, _| !field.starts_with('p'));
    assert_eq!(status(&answer(&world, &settings(), payload).unwrap()), "ABORTED");
}

#[test]
fn states_of_any_shape_do_not_cost_the_mail() {
    let world = World::new(everyone(running));
    for state in [json!(null), json!("x"), json!([1]), json!({"test1": 3}), json!({"empty": true})] {
        let mut payload = json!({"send_mail": true, "subject": "START STATUS: ABORTED"});
        SHORT.into_iter().for_each(|field| payload[field] = state.clone());
        assert_eq!(status(&answer(&world, &settings(), payload).unwrap()), "ABORTED");
    }
    assert_eq!(world.mails.borrow().len(), 5);
}

#[test]
fn a_silent_ec2_costs_its_report_minutes_and_not_its_mail() {
    let world = World::new(everyone(running));
    let payload = mail(&world, "START STATUS: SUCCESS", "stopped");
    world.fail_next("DescribeInstances", HANGS, 1_000_000);
    let answered = answer(&world, &settings(), payload).unwrap();
    assert_eq!((status(&answered), world.mails.borrow().len()), ("ABORTED", 1));
    assert!(world.seconds() <= 250, "{} s", world.seconds());
}

fn never_ready() -> World {
    World::new(
        ["test2", "test7", "test8"].map(|name| {
            stopped(name).change(|server| server.checks_after = jiff::SignedDuration::from_hours(2))
        }),
    )
}

#[test]
fn a_phase_that_nobody_resumes_ends_with_its_invocation_and_names_who_is_not_ready() {
    let world = never_ready();
    let answered = answer(&world, &settings(), phase(json!(true))).unwrap();
    assert_eq!((&answered["outcome"], &answered["next_phase"]), (&json!("failed"), &json!(false)));
    assert!(answered.get("resume").is_none());
    let problems = answered["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 3);
    assert!(problems.iter().all(|problem| problem["code"] == "NotInTime"), "{problems:?}");
    assert!(world.seconds() < 900, "{} s", world.seconds());
    let log = world.log.borrow().join("\n");
    assert!(log.contains("names no execution: the phase ends with this invocation"), "{log}");
}

#[test]
fn an_execution_a_resume_or_a_branch_is_a_sign_of_somebody_who_resumes() {
    let mut patient = settings();
    patient.lists.as_mut().unwrap().lists.iter_mut().for_each(|list| {
        list.timeout = std::time::Duration::from_secs(3600);
    });
    let mut payload = phase(json!(true));
    payload["execution"] = json!({"id": "arn", "name": "x", "start_time": "2026-11-23T06:00:00Z"});
    let world = never_ready();
    let first = answer(&world, &patient, payload.clone()).unwrap();
    assert_eq!(first["outcome"], "in_progress");
    payload.as_object_mut().unwrap().remove("execution");
    payload["resume"] = first["resume"].clone();
    assert_eq!(answer(&world, &patient, payload.clone()).unwrap()["outcome"], "in_progress");
    payload.as_object_mut().unwrap().remove("resume");
    payload["branch"] = json!({});
    let answered = answer(&never_ready(), &patient, payload).unwrap();
    assert_eq!(answered["outcome"], "in_progress");
    assert!(answered.get("statusCode").is_none());
}

#[test]
fn where_ec2_cannot_be_read_at_the_end_the_look_before_says_who_is_not_ready() {
    let mut patient = settings();
    patient.lists.as_mut().unwrap().lists.iter_mut().for_each(|list| {
        list.timeout = std::time::Duration::from_secs(3600);
    });
    let world = never_ready();
    world.fail_next("DescribeInstanceStatus", "InternalError", 1_000_000);
    let answered = answer(&world, &patient, phase(json!(true))).unwrap();
    assert_eq!((&answered["outcome"], &answered["servers"]["failed"]), (&json!("failed"), &json!(3)));
    assert!(world.seconds() < 900, "{} s", world.seconds());
}

#[test]
fn a_state_that_cannot_be_read_is_told_without_a_word_of_rust() {
    for state in [json!("x"), json!(null), json!([]), json!({"test2": {"State": "stopped"}})] {
        let world = World::new(everyone(running));
        let payload = json!({"send_mail": true, "subject": "START STATUS: SUCCESS", "ddb_state": state});
        answer(&world, &settings(), payload).unwrap();
        let text = world.mails.borrow()[0].text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("dev_db_initial_state could not be read: expected each server's"), "{text}");
        for word in ["untagged", "variant", "enum", "InitialStates"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }
}
