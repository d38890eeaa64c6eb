//! Alarm muting: the decision by itself, and in the phase loop against hand-written fakes.

use std::collections::BTreeSet;

use crate::lambda::payload::Request;
use crate::model::{Action, InstanceState, Outcome, PhaseAnswer};
use crate::muting;
use crate::muting::{Changes, Hearing, Muting, watcher};
use crate::phase::run::Task;
use crate::ports::{Alarm, Clock, MuteRule};
use crate::report::Report;
use crate::servers::file::{ServerList, ServerLists};
use crate::testkit::small_ec2::*;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;

const FAMILY: &str = "nights.dev.db.";

fn nights() -> Muting {
    Muting { stack: "nights".to_owned(), window: SignedDuration::from_hours(64) }
}

fn mute(world: &World, list: &ServerList, action: Action) -> PhaseAnswer {
    let muting = nights();
    let task = Task { ..task(world, list, action) };
    invoke_muting(world, &task, Some(&muting), None).unwrap()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn rule(name: &str, alarms: &[&str], hours: i64) -> MuteRule {
    let begins = seven() - SignedDuration::from_hours(12);
    MuteRule {
        name: name.to_owned(),
        alarms: set(alarms),
        begins,
        ends: begins + SignedDuration::from_hours(hours),
    }
}

fn in_hours(hours: i64) -> Timestamp {
    seven() + SignedDuration::from_hours(hours)
}

fn cloudwatch_calls(world: &World) -> usize {
    world.calls.borrow().iter().filter(|call| call.operation.contains("Alarm")).count()
}

#[test]
fn a_phase_that_is_not_told_to_mute_calls_cloudwatch_never() {
    let world = World::new([running("test2")]);
    world.alarm("cpu", &["test2"]);
    run(&world, &list(&["test2"]), Action::Stop);
    assert_eq!(cloudwatch_calls(&world), 0);
}

#[test]
fn a_start_of_running_servers_mutes_nothing_and_only_looks_for_rules_of_its_own() {
    let world = World::new([running("test2")]);
    world.alarm("cpu", &["test2"]);
    let answer = mute(&world, &list(&["test2"]), Action::Start);
    assert_eq!((answer.outcome, answer.mute_error), (Outcome::Ready, None));
    assert_eq!(cloudwatch_calls(&world), 1);
    assert_eq!(world.calls_of("ListAlarmMuteRules").len(), 1);
}

#[test]
fn a_stop_mutes_before_ec2_is_asked_and_until_the_planned_window_ends() {
    let world = World::new([running("test2"), running("test7")]);
    world.alarm("cpu of test2", &["test2"]);
    world.alarm("ratio of both", &["test2", "test7"]);
    let answer = mute(&world, &list(&["test2", "test7"]), Action::Stop);
    assert_eq!(answer.outcome, Outcome::Ready);
    assert_eq!(world.muted(), ["cpu of test2", "ratio of both"]);
    let (put, stop) = (world.calls_of("PutAlarmMuteRule"), world.calls_of("StopInstances"));
    assert!(put[0].at < stop[0].at);
    assert_eq!(put.len(), 1, "a rule that is right is not put again");
    let rules = world.mute_rules.borrow();
    let rule = &rules["nights.dev.db.1"];
    assert!(rule.begins > put[0].at && rule.begins <= seven() + SignedDuration::from_mins(2));
    assert_eq!(rule.begins.as_second() % 60, 0, "a window begins with a whole minute");
    assert!(rule.ends.duration_since(in_hours(64)).as_secs().abs() <= 60);
    let log = world.log.borrow();
    assert!(log.iter().any(|line| line.contains("2 alarms muted until 2026-11-25 22:0")), "{log:?}");
}

#[test]
fn servers_that_were_stopped_before_are_muted_too_for_as_long_as_the_others() {
    let world = World::new([running("test2"), stopped("test7")]);
    world.alarm("cpu of test7", &["test7"]);
    mute(&world, &list(&["test2", "test7"]), Action::Stop);
    assert_eq!(world.muted(), ["cpu of test7"]);
}

#[test]
fn a_start_keeps_alarms_muted_while_servers_boot_and_unmutes_them_after_readiness() {
    let world = World::new([running("test2")]);
    world.alarm("cpu", &["test2"]);
    let phase = list(&["test2"]);
    mute(&world, &phase, Action::Stop);
    let before = world.mute_rules.borrow().clone();
    world.pass_time(std::time::Duration::from_secs(12 * 3600));
    assert_eq!(mute(&world, &phase, Action::Start).outcome, Outcome::Ready);
    assert!(world.muted().is_empty());
    let (deleted, checks) = (world.calls_of("DeleteAlarmMuteRule"), world.calls_of("DescribeInstanceStatus"));
    assert!(deleted[0].at > checks.last().unwrap().at);
    assert_eq!(before.len(), 1);
    assert_eq!(world.calls_of("PutAlarmMuteRule").len(), 1, "the stop's rule still muted them");
    assert!(world.log.borrow().iter().any(|line| line.contains("1 alarm heard again: cpu")));
}

#[test]
fn a_start_whose_window_is_over_mutes_while_the_list_has_patience() {
    let world = World::new([stopped("test2")]);
    world.alarm("cpu", &["test2"]);
    let muting = nights();
    let phase = list(&["test2"]);
    let task =
        Task { deadline: world.now() + SignedDuration::from_secs(60), ..task(&world, &phase, Action::Start) };
    assert_eq!(invoke_muting(&world, &task, Some(&muting), None).unwrap().outcome, Outcome::InProgress);
    let rules = world.mute_rules.borrow();
    let ends = rules["nights.dev.db.1"].ends;
    let patience = seven() + SignedDuration::from_mins(15);
    assert!(ends.duration_since(patience).as_secs().abs() <= 60, "{ends}");
}

#[test]
fn a_failed_stop_unmutes_at_once_what_watches_the_server_that_still_runs() {
    let world = World::new([running("test2"), running("test7").with(Habit::Refuses("UnsupportedOperation"))]);
    for (alarm, servers) in [("off", &["test2"][..]), ("on", &["test7"]), ("both", &["test2", "test7"])] {
        world.alarm(alarm, servers);
    }
    let answer = mute(&world, &list(&["test2", "test7"]), Action::Stop);
    assert_eq!(answer.outcome, Outcome::Failed);
    assert_eq!(world.muted(), ["off"]);
    assert!(world.log.borrow().iter().any(|line| line.contains("2 alarms heard again: both, on")));
}

#[test]
fn a_server_that_cannot_be_stopped_is_heard_at_once_while_others_still_stop() {
    let slow = running("test7").change(|server| server.stop = SignedDuration::from_mins(9));
    let world = World::new([running("test2").with(Habit::Refuses("UnsupportedOperation")), slow]);
    world.alarm("on", &["test2"]);
    world.alarm("off", &["test7"]);
    let (muting, phase) = (nights(), list(&["test2", "test7"]));
    let deadline = world.now() + SignedDuration::from_secs(60);
    let task = Task { deadline, ..task(&world, &phase, Action::Stop) };
    assert_eq!(invoke_muting(&world, &task, Some(&muting), None).unwrap().outcome, Outcome::InProgress);
    assert_eq!(world.muted(), ["off"]);
}

#[test]
fn a_failed_start_unmutes_at_once_also_what_watches_the_server_that_is_off() {
    let world = World::new([stopped("test2").with(Habit::Bounces("Client.InternalError"))]);
    world.alarm("cpu", &["test2"]);
    world.mute_rules.borrow_mut().insert(format!("{FAMILY}1"), rule("nights.dev.db.1", &["cpu"], 64));
    let answer = mute(&world, &list(&["test2"]), Action::Start);
    assert_eq!(answer.outcome, Outcome::Failed);
    assert!(world.muted().is_empty());
}

#[test]
fn a_server_that_a_person_holds_off_stays_muted_through_a_start() {
    let held = stopped("test2").change(|server| server.instance.hold = Some("forever".to_owned()));
    let world = World::new([held, stopped("test7")]);
    world.alarm("held", &["test2"]);
    world.alarm("started", &["test7"]);
    world
        .mute_rules
        .borrow_mut()
        .insert(format!("{FAMILY}1"), rule("nights.dev.db.1", &["held", "started"], 200));
    mute(&world, &list(&["test2", "test7"]), Action::Start);
    assert_eq!(world.muted(), ["held"]);
    assert_eq!(world.calls_of("PutAlarmMuteRule").len(), 1, "it was muted all the time");
}

#[test]
fn a_running_server_that_is_not_ready_is_heard_while_others_start() {
    let sick = running("test2").with(Habit::Impaired("system"));
    let world = World::new([sick, stopped("test7")]);
    world.alarm("sick", &["test2"]);
    world.alarm("booting", &["test7"]);
    mute(&world, &list(&["test2", "test7"]), Action::Start);
    let put: Vec<_> = world.calls_of("PutAlarmMuteRule");
    assert_eq!(put.len(), 1);
    assert!(
        world.log.borrow().iter().any(|line| line.contains("1 alarm muted") && line.ends_with("booting"))
    );
}

#[test]
fn rules_of_others_are_never_touched() {
    let world = World::new([running("test2")]);
    world.alarm("cpu", &["test2"]);
    let others = ["maintenance", "nights.dev.db.", "nights.dev.db.x", "nights.dev.dbs.1", "nights2.dev.db.1"];
    for name in others {
        world.mute_rules.borrow_mut().insert(name.to_owned(), rule(name, &["cpu"], 400));
    }
    let phase = list(&["test2"]);
    mute(&world, &phase, Action::Stop);
    mute(&world, &phase, Action::Start);
    assert!(others.iter().all(|name| world.mute_rules.borrow().contains_key(*name)));
    assert_eq!(world.mute_rules.borrow().len(), others.len());
}

#[test]
fn cloudwatch_refusing_fails_no_phase_and_the_answer_names_the_permission() {
    for operation in ["DescribeAlarms", "ListAlarmMuteRules", "PutAlarmMuteRule"] {
        let world = World::new([running("test2")]);
        world.alarm("cpu", &["test2"]);
        world.fail_next(operation, "AccessDenied", 9);
        let answer = mute(&world, &list(&["test2"]), Action::Stop);
        assert_eq!((answer.outcome, answer.problems.len()), (Outcome::Ready, 0), "{operation}");
        let error = answer.mute_error.unwrap();
        assert!(error.contains(&format!("cloudwatch:{operation}")), "{error}");
        // Nothing is muted.
        assert!(error.starts_with("they may ring "), "{error}");
        assert!(error.contains("HubStackName"), "{error}");
        assert!(world.log.borrow().iter().any(|line| line.contains("alarms: ") && line.contains(operation)));
    }
}

#[test]
fn a_rule_that_cannot_lose_an_alarm_is_deleted_so_that_the_alarm_is_heard() {
    let world = World::new([running("test2"), running("test7").with(Habit::Refuses("UnsupportedOperation"))]);
    world.alarm("off", &["test2"]);
    world.alarm("on", &["test7"]);
    let rules = BTreeSet::from(["off", "on"]);
    world
        .mute_rules
        .borrow_mut()
        .insert(format!("{FAMILY}1"), rule("nights.dev.db.1", &rules.into_iter().collect::<Vec<_>>(), 200));
    world.fail_next("PutAlarmMuteRule", "InternalServiceFault", 9);
    let answer = mute(&world, &list(&["test2", "test7"]), Action::Stop);
    assert!(answer.mute_error.is_some());
    assert!(world.muted().is_empty());
}

#[test]
fn alarms_that_cannot_be_read_at_the_end_are_all_heard() {
    let world = World::new([running("test2")]);
    world.alarm("cpu", &["test2"]);
    world.mute_rules.borrow_mut().insert(format!("{FAMILY}1"), rule("nights.dev.db.1", &["cpu"], 200));
    world.fail_next("DescribeAlarms", "InternalServiceFault", 9);
    let answer = mute(&world, &list(&["test2"]), Action::Stop);
    assert!(answer.mute_error.is_some());
    assert!(world.muted().is_empty());
}

#[test]
fn a_phase_in_many_invocations_mutes_once() {
    let world = World::new([running("test2").change(|server| server.stop = SignedDuration::from_mins(9))]);
    world.alarm("cpu", &["test2"]);
    let (muting, phase) = (nights(), list(&["test2"]));
    let mut resume = None;
    for _ in 0..40 {
        let deadline = world.now() + SignedDuration::from_secs(60);
        let task = Task { deadline, ..task(&world, &phase, Action::Stop) };
        let answer = invoke_muting(&world, &task, Some(&muting), resume).unwrap();
        let Some(handed_on) = answer.resume else { break };
        assert_eq!(world.muted(), ["cpu"]);
        resume = Some(serde_json::from_value(handed_on).unwrap());
    }
    assert_eq!(world.state("test2"), InstanceState::Stopped);
    assert_eq!(world.calls_of("PutAlarmMuteRule").len(), 1);
    assert_eq!(world.muted(), ["cpu"]);
}

#[test]
fn a_dry_run_says_what_a_stop_would_mute_and_mutes_nothing() {
    let world = World::new([running("test2")]);
    world.alarm("cpu", &["test2"]);
    let (muting, phase) = (nights(), list(&["test2"]));
    let dry = Task { dry_run: true, ..task(&world, &phase, Action::Stop) };
    invoke_muting(&world, &dry, Some(&muting), None).unwrap();
    assert!(world.mute_rules.borrow().is_empty());
    assert!(world.log.borrow().iter().any(|line| line.contains("1 alarm would be muted: cpu")));
}

/// A report of these results, with every listed server in this state.
fn report(action: &str, results: &serde_json::Value, state: InstanceState) -> Report {
    let lists = ServerLists::parse(include_str!("../../tests/servers.toml")).unwrap();
    let payload = json!({ "send_mail": true, "action": action, "results": results });
    let Request::Report(request) = Request::parse(payload).unwrap() else { panic!("no report") };
    let instances =
        |list: &ServerList| list.servers.iter().map(|name| server(name, state).instance).collect();
    let seen = lists.lists.iter().map(|phase| (phase.number, Ok(instances(phase)))).collect();
    Report::build(&request, &lists, &seen, seven())
}

fn answered(environment: &str, phases: &[u32]) -> serde_json::Value {
    let phases: Vec<_> =
        phases.iter().map(|number| json!({ "phase_number": number, "outcome": "failed" })).collect();
    json!({ "environment": environment, "phases": phases })
}

#[test]
fn after_a_start_the_tiers_that_gave_no_answer_are_unmuted() {
    let results = json!([answered("dev", &[3, 0]), answered("test", &[4]), answered("preprod", &[])]);
    let report = report("start", &results, InstanceState::Stopped);
    assert_eq!(muting::unsettled(&report), [("test", "app"), ("preprod", "db"), ("preprod", "app")]);
    let world = World::new([]);
    for name in ["nights.test.app.1", "nights.test.db.1", "nights.preprod.db.2", "maintenance"] {
        world.mute_rules.borrow_mut().insert(name.to_owned(), rule(name, &["cpu"], 64));
    }
    let muting = nights();
    let work = watcher::unmute_unsettled(&world, &muting, &report, "run", in_hours(1));
    assert_eq!(at_once(work), Vec::<String>::new());
    assert!(world.mute_rules.borrow().keys().eq(["maintenance", "nights.test.db.1"]));
}

#[test]
fn after_a_stop_a_tier_that_gave_no_answer_is_unmuted_unless_all_of_it_is_off() {
    let results = json!([answered("dev", &[3, 0]), answered("test", &[1, 4]), answered("preprod", &[2])]);
    assert_eq!(muting::unsettled(&report("stop", &results, InstanceState::Stopped)), []);
    let running = report("stop", &results, InstanceState::Running);
    assert_eq!(muting::unsettled(&running), [("preprod", "db")]);
}

#[test]
fn a_report_that_cannot_unmute_says_so_and_is_still_made() {
    let report = report("start", &json!([]), InstanceState::Stopped);
    let world = World::new([]);
    world.fail_next("ListAlarmMuteRules", "AccessDenied", 99);
    let muting = nights();
    let remarks = at_once(watcher::unmute_unsettled(&world, &muting, &report, "run", in_hours(1)));
    assert_eq!(remarks.len(), 6);
    assert!(remarks[0].contains("cloudwatch:ListAlarmMuteRules"), "{}", remarks[0]);
}

#[test]
fn a_rule_takes_a_hundred_alarms_and_the_rest_go_into_the_next() {
    let names: BTreeSet<String> = (0..250).map(|number| format!("alarm {number}")).collect();
    let changes = muting::changes(FAMILY, &[], &names, seven(), in_hours(64));
    let sizes: Vec<usize> = changes.put.iter().map(|rule| rule.alarms.len()).collect();
    assert_eq!(sizes, [100, 100, 50]);
    let rules: Vec<&str> = changes.put.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(rules, ["nights.dev.db.1", "nights.dev.db.2", "nights.dev.db.3"]);
}

#[test]
fn a_rule_that_is_right_is_left_as_it_is() {
    let existing = [rule("nights.dev.db.1", &["a", "b"], 100)];
    let changes = muting::changes(FAMILY, &existing, &set(&["a", "b"]), seven(), in_hours(64));
    assert_eq!(changes, Changes::default());
}

#[test]
fn a_rule_that_ends_too_early_is_prolonged_without_a_gap_and_never_beyond_fifteen_days() {
    let soon = [rule("nights.dev.db.1", &["a"], 24)];
    let changes = muting::changes(FAMILY, &soon, &set(&["a"]), seven(), in_hours(64));
    assert_eq!((changes.put[0].begins, changes.put[0].ends), (soon[0].begins, in_hours(64)));
    let mut old = soon[0].clone();
    old.begins = seven() - SignedDuration::from_hours(14 * 24);
    let changes = muting::changes(FAMILY, &[old], &set(&["a"]), seven(), in_hours(64));
    assert!(changes.put[0].begins > seven());
}

#[test]
fn an_expired_rule_mutes_nothing_and_gives_its_name_back() {
    let over = [rule("nights.dev.db.1", &["a"], 6)];
    let changes = muting::changes(FAMILY, &over, &set(&["a"]), seven(), in_hours(64));
    assert_eq!((changes.delete.len(), changes.put[0].name.as_str()), (0, "nights.dev.db.1"));
    assert_eq!(changes.muted, set(&["a"]));
    let changes = muting::changes(FAMILY, &over, &set(&[]), seven(), in_hours(64));
    assert_eq!((changes.delete, changes.unmuted), (vec!["nights.dev.db.1".to_owned()], set(&[])));
}

#[test]
fn an_id_that_is_part_of_another_is_not_that_other() {
    let alarm = |name: &str, id: &str| Alarm { name: name.to_owned(), instance_ids: set(&[id]) };
    let alarms = [alarm("exact", "i-0aa"), alarm("longer", "i-0aab"), alarm("i-0aa in its name", "i-0bb")];
    let hearing = Hearing { quiet: set(&["i-0aa"]), loud: set(&[]) };
    assert_eq!(hearing.muted(&alarms), set(&["exact"]));
}

/// Ids that begin and end alike.
fn ids(most: usize) -> impl Strategy<Value = BTreeSet<String>> {
    prop::collection::btree_set("i-[ab]{1,3}", 0..most)
}

fn rules() -> impl Strategy<Value = Vec<MuteRule>> {
    let name = prop_oneof![
        3 => (1_u32..5).prop_map(|number| format!("{FAMILY}{number}")),
        1 => Just("somebody's".to_owned()),
        1 => Just("nights.dev.dbx.1".to_owned()),
        1 => Just(format!("{FAMILY}1x")),
    ];
    let rule = (name, prop::collection::btree_set("[a-f]", 1..5), 0_i64..361);
    prop::collection::vec(rule, 0..6).prop_map(|rules| {
        let rules: std::collections::BTreeMap<String, MuteRule> = rules
            .into_iter()
            .map(|(name, alarms, hours)| {
                let alarms: Vec<&str> = alarms.iter().map(String::as_str).collect();
                (name.clone(), self::rule(&name, &alarms, hours))
            })
            .collect();
        rules.into_values().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_alarms_that_watch_a_quiet_server_and_no_loud_one_are_muted(
        quiet in ids(4),
        loud in ids(4),
        watched in prop::collection::vec(ids(3), 0..8),
    ) {
        let quiet: BTreeSet<String> = quiet.difference(&loud).cloned().collect();
        let alarms: Vec<Alarm> = watched
            .into_iter()
            .enumerate()
            .map(|(number, instance_ids)| Alarm { name: format!("{number}"), instance_ids })
            .collect();
        let hearing = Hearing { quiet: quiet.clone(), loud: loud.clone() };
        let muted = hearing.muted(&alarms);
        for alarm in &alarms {
            let names_quiet = alarm.instance_ids.iter().any(|id| quiet.contains(id));
            let names_loud = alarm.instance_ids.iter().any(|id| loud.contains(id));
            prop_assert_eq!(muted.contains(&alarm.name), names_quiet && !names_loud);
        }
    }

    #[test]
    fn after_the_changes_our_rules_mute_exactly_what_is_wanted_and_nobody_elses_rule_was_touched(
        existing in rules(),
        wanted in prop::collection::btree_set("[a-h]", 0..8),
    ) {
        let changes = muting::changes(FAMILY, &existing, &wanted, seven(), in_hours(64));
        let mut after: std::collections::BTreeMap<String, MuteRule> =
            existing.iter().map(|rule| (rule.name.clone(), rule.clone())).collect();
        for rule in &changes.put {
            prop_assert!(!rule.alarms.is_empty(), "a rule without alarms mutes every alarm");
            prop_assert!(rule.begins < rule.ends);
            prop_assert!(rule.ends.duration_since(rule.begins) <= muting::LONGEST_WINDOW);
            prop_assert!(MuteRule::number(FAMILY, &rule.name).is_some());
            after.insert(rule.name.clone(), rule.clone());
        }
        for name in &changes.delete {
            prop_assert!(MuteRule::number(FAMILY, name).is_some());
            prop_assert!(after.remove(name).is_some());
        }
        let ours = |rule: &&MuteRule| MuteRule::number(FAMILY, &rule.name).is_some() && rule.ends > seven();
        let muted: BTreeSet<String> = after.values().filter(ours).flat_map(|rule| rule.alarms.clone()).collect();
        prop_assert_eq!(&muted, &wanted);
        let before: BTreeSet<String> = existing.iter().filter(ours).flat_map(|rule| rule.alarms.clone()).collect();
        prop_assert_eq!(&changes.unmuted, &before.difference(&wanted).cloned().collect());
        prop_assert_eq!(&changes.muted, &wanted.difference(&before).cloned().collect());
        let again: Vec<MuteRule> = after.into_values().collect();
        let again = muting::changes(FAMILY, &again, &wanted, seven(), in_hours(64));
        prop_assert_eq!(again, Changes::default());
    }
}
