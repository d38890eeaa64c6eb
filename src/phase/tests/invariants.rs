//! What must hold for every fleet and every fault, over thousands of random ones, in virtual time.

use std::collections::BTreeSet;

use crate::model::{Action, ActionTaken, InstanceState, Outcome};
use crate::muting::Muting;
use crate::servers::file::{Minimum, Readiness};
use crate::testkit::small_ec2::*;
use jiff::SignedDuration;
use proptest::prelude::*;

fn habit() -> impl Strategy<Value = Habit> {
    let codes = prop::sample::select(vec![
        "InsufficientInstanceCapacity",
        "VcpuLimitExceeded",
        "UnauthorizedOperation",
        "UnsupportedOperation",
        "IncorrectInstanceState",
        "OperationNotPermitted",
        "AwsUnreachable",
    ]);
    let reasons = prop::sample::select(vec![
        "Client.InternalError",
        "Server.InternalError",
        "Server.InsufficientInstanceCapacity",
        "",
    ]);
    prop_oneof![
        6 => Just(Habit::Good),
        1 => codes.clone().prop_map(Habit::Refuses),
        1 => (codes, 1_u32..4).prop_map(|(code, times)| Habit::RefusesTimes(code, times)),
        1 => reasons.clone().prop_map(Habit::Bounces),
        1 => (reasons, 1_u32..3).prop_map(|(reason, times)| Habit::BouncesTimes(reason, times)),
        1 => Just(Habit::Hangs),
        1 => prop::sample::select(vec!["instance", "system", "attached_ebs"]).prop_map(Habit::Impaired),
        1 => Just(Habit::Flaps),
        1 => Just(Habit::NoChecks),
        1 => Just(Habit::Dies),
    ]
}

fn any_server(number: usize) -> impl Strategy<Value = Server> {
    let state = prop::sample::select(vec![InstanceState::Stopped, InstanceState::Running]);
    let hold = prop_oneof![
        8 => Just(None),
        1 => prop::sample::select(vec!["forever", "2026-11-01", "2099-01-01", "whenever"])
            .prop_map(|value| Some(value.to_owned())),
    ];
    (state, habit(), hold, 0_i64..40, 1_i64..200).prop_map(move |(state, habit, hold, lag, pace)| {
        server(&format!("web{number}"), state).with(habit).change(|server| {
            server.instance.hold = hold;
            server.lag = SignedDuration::from_secs(lag);
            server.boot = SignedDuration::from_secs(pace);
            server.stop = SignedDuration::from_secs(pace);
        })
    })
}

#[derive(Debug, Clone)]
struct Case {
    servers: Vec<Server>,
    missing: usize,
    action: Action,
    slice_seconds: i64,
    minimum: Minimum,
    throttles: u32,
    outages: u32,
}

fn case() -> impl Strategy<Value = Case> {
    let servers = (1_usize..9).prop_flat_map(|count| (0..count).map(any_server).collect::<Vec<_>>());
    let action = prop::sample::select(vec![Action::Start, Action::Stop]);
    let minimum = prop_oneof![Just(Minimum::All), (1_usize..4).prop_map(Minimum::AtLeast)];
    (servers, 0_usize..2, action, prop::sample::select(vec![25_i64, 60, 1000]), minimum, 0_u32..4, 0_u32..3)
        .prop_map(|(servers, missing, action, slice_seconds, minimum, throttles, outages)| Case {
            servers,
            missing,
            action,
            slice_seconds,
            minimum,
            throttles,
            outages,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_ec2_does_a_phase_ends_in_time_and_tells_the_truth(case in case()) {
        let mut names: Vec<String> = (0..case.servers.len()).map(|n| format!("web{n}")).collect();
        names.extend((0..case.missing).map(|n| format!("ghost{n}")));
        let listed: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut phase = list(&listed);
        phase.minimum = case.minimum;
        let before = case.servers.clone();
        let world = World::new(case.servers.clone());
        world.fail_next("StartInstances", "RequestLimitExceeded", case.throttles);
        world.fail_next("StopInstances", "RequestLimitExceeded", case.throttles);
        world.fail_next("DescribeInstances", "InternalError", case.outages);
        let (answer, _) = run_in_slices(&world, &phase, case.action, case.slice_seconds);

        // Each listed server is exactly one of ready, problem, held.
        let counts = answer.servers;
        prop_assert_eq!(counts.total, names.len());
        prop_assert_eq!(counts.ready + counts.failed + counts.held, counts.total);
        // What is missing holds up no stop; a minimum that held servers keep from being met is the list's own problem.
        let of_servers: Vec<_> = answer.problems.iter().filter(|problem| problem.code != "MinimumNotMet").collect();
        let problems: BTreeSet<&str> = of_servers.iter().map(|problem| problem.name.as_str()).collect();
        let absent = of_servers.iter().filter(|problem| problem.code == "ServerMissing").count();
        let absent = if case.action == Action::Stop { absent } else { 0 };
        if matches!(answer.outcome, Outcome::Failed | Outcome::Degraded) {
            prop_assert!(!answer.problems.is_empty());
        }
        let held: BTreeSet<&str> = answer.actions.iter().filter(|(_, record)| record.action == ActionTaken::Held)
            .map(|(name, _)| name.as_str()).collect();
        prop_assert_eq!(problems.len(), of_servers.len());
        prop_assert_eq!((problems.len(), held.len()), (counts.failed, counts.held));
        prop_assert!(problems.is_disjoint(&held));

        // next_phase is true only if the list's rule holds on what is.
        let ready: Vec<&String> = names.iter()
            .filter(|name| !problems.contains(name.as_str()) && !held.contains(name.as_str())).collect();
        let wanted = if case.action == Action::Start { InstanceState::Running } else { InstanceState::Stopped };
        for name in &ready {
            prop_assert_eq!(world.state(name), wanted, "{} is said to be ready", name);
        }
        let rule = match case.minimum {
            Minimum::All => counts.failed == absent,
            Minimum::AtLeast(number) => counts.ready + absent >= number,
        };
        prop_assert_eq!(answer.next_phase, rule);
        prop_assert_eq!(answer.outcome == Outcome::Failed, !rule);

        // Nothing is asked of a server that is as wanted, and the initial state is what was before.
        let operation = if case.action == Action::Start { "StartInstances" } else { "StopInstances" };
        for server in &before {
            let name = server.instance.name.as_deref().unwrap();
            prop_assert_eq!(&answer.initial_state.0[name].state, server.instance.state.name());
            if server.instance.state == wanted {
                prop_assert_eq!(world.named_in(operation, name), 0, "{} was as wanted", name);
            }
        }

        // The loop ends by the list's patience, and the published buckets are kept.
        prop_assert!(world.seconds() <= 15 * 60 + 60, "{} s", world.seconds());
        prop_assert_eq!(world.throttled.get(), 0);
    }

    #[test]
    fn a_second_run_right_after_a_good_one_changes_nothing(count in 1_usize..9, start: bool) {
        let action = if start { Action::Start } else { Action::Stop };
        let names: Vec<String> = (0..count).map(|n| format!("web{n}")).collect();
        let listed: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut phase = list(&listed);
        phase.ready = Readiness::Running;
        let world = World::new(names.iter().map(|name| if start { stopped(name) } else { running(name) }));
        prop_assert_eq!(run(&world, &phase, action).outcome, Outcome::Ready);
        let asked = |world: &World| world.calls_of("StartInstances").len() + world.calls_of("StopInstances").len();
        let before = asked(&world);
        prop_assert_eq!(run(&world, &phase, action).outcome, Outcome::Ready);
        prop_assert_eq!(asked(&world), before);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_ec2_does_only_servers_that_are_off_as_they_should_be_are_not_heard(
        case in case(),
        refusals in prop::collection::vec(0_u32..3, 4),
    ) {
        let names: Vec<String> = (0..case.servers.len()).map(|n| format!("web{n}")).collect();
        let listed: Vec<&str> = names.iter().map(String::as_str).collect();
        let world = World::new(case.servers.clone());
        for (place, name) in listed.iter().enumerate() {
            world.alarm(name, &[name]);
            let both = [*name, listed[(place + 1) % listed.len()]];
            world.alarm(&both.join("+"), &both);
        }
        let operations = ["DescribeAlarms", "ListAlarmMuteRules", "PutAlarmMuteRule", "DeleteAlarmMuteRule"];
        for (operation, times) in operations.into_iter().zip(refusals) {
            world.fail_next(operation, "InternalServiceFault", times);
        }
        let muting = Muting { stack: "nights".to_owned(), window: SignedDuration::from_hours(64) };
        let phase = list(&listed);
        let (answer, _) = mute_in_slices(&world, &phase, case.action, case.slice_seconds, Some(&muting));

        let counts = answer.servers;
        prop_assert_eq!(counts.ready + counts.failed + counts.held, counts.total);
        let failed: BTreeSet<&str> = answer.problems.iter().map(|problem| problem.name.as_str()).collect();
        let off = |name: &str| world.state(name) == InstanceState::Stopped && !failed.contains(name);
        let muted = world.muted();
        if answer.mute_error.is_none() {
            for alarm in world.alarms.borrow().iter() {
                let all_off = alarm.name.split('+').all(off);
                prop_assert_eq!(muted.contains(&alarm.name), all_off, "{}", alarm.name);
            }
        }
    }
}
