//! The phase loop against a small EC2 written by hand, with virtual time.

use std::time::Duration;

use crate::model::{Action, ActionTaken, InstanceState, Outcome};
use crate::phase::run::Task;
use crate::ports::Clock;
use crate::servers::file::{Minimum, Readiness};
use crate::testkit::small_ec2::*;
use jiff::SignedDuration;

const ALL: [&str; 3] = ["test2", "test7", "test8"];

fn three(server: impl Fn(&str) -> Server) -> World {
    World::new(ALL.map(server))
}

#[test]
fn a_start_of_running_servers_changes_nothing_and_costs_two_calls() {
    let world = three(running);
    let answer = run(&world, &list(&ALL), Action::Start);
    assert_eq!((answer.outcome, answer.next_phase), (Outcome::Ready, true));
    assert_eq!((answer.servers.ready, answer.servers.changed), (3, 0));
    let calls: Vec<_> = world.calls.borrow().iter().map(|call| call.operation).collect();
    assert_eq!(calls, ["DescribeInstances", "DescribeInstanceStatus"]);
    assert_eq!(world.seconds(), 0, "a no-op does not sleep");
}

#[test]
fn a_stop_of_stopped_servers_changes_nothing_and_costs_one_call() {
    let world = three(stopped);
    let answer = run(&world, &list(&ALL), Action::Stop);
    assert_eq!((answer.outcome, answer.servers.changed), (Outcome::Ready, 0));
    assert_eq!(world.calls.borrow().len(), 1);
}

#[test]
fn an_empty_list_calls_nothing_and_lets_the_next_tier_go_ahead() {
    let world = three(stopped);
    let answer = run(&world, &list(&[]), Action::Start);
    assert_eq!((answer.outcome, answer.next_phase), (Outcome::Empty, true));
    assert!(world.calls.borrow().is_empty());
}

#[test]
fn stopped_servers_are_asked_once_together_and_are_ready_when_their_checks_have_passed_twice() {
    let world = three(stopped);
    let answer = run(&world, &list(&ALL), Action::Start);
    assert_eq!((answer.outcome, answer.next_phase), (Outcome::Ready, true));
    assert_eq!((answer.servers.ready, answer.servers.changed), (3, 3));
    assert_eq!(world.calls_of("StartInstances").len(), 1);
    assert!(world.seconds() >= 110, "boot and checks take 110 s");
    let initial = &answer.initial_state.0["test2"];
    assert_eq!((initial.state.as_str(), initial.is_running), ("stopped", false));
    assert_eq!(answer.actions["test2"].action, ActionTaken::Started);
    assert!(answer.actions["test2"].seconds.is_some_and(|seconds| (110..130).contains(&seconds)));
}

#[test]
fn running_servers_are_stopped_and_the_answer_waits_until_they_are_down() {
    let world = three(running);
    let answer = run(&world, &list(&ALL), Action::Stop);
    assert_eq!((answer.outcome, answer.servers.changed), (Outcome::Ready, 3));
    assert_eq!(world.state("test2"), InstanceState::Stopped);
    assert_eq!(world.calls_of("StopInstances").len(), 1);
}

#[test]
fn a_stop_slower_than_a_minute_is_no_failure() {
    let world = three(|name| running(name).change(|server| server.stop = SignedDuration::from_mins(9)));
    assert_eq!(run(&world, &list(&ALL), Action::Stop).outcome, Outcome::Ready);
}

#[test]
fn a_listed_name_that_no_instance_has_is_a_problem_and_the_others_are_started() {
    let world = World::new([stopped("test2"), stopped("test7")]);
    let answer = run(&world, &list(&ALL), Action::Start);
    assert_eq!((answer.outcome, answer.next_phase), (Outcome::Failed, false));
    assert_eq!(codes(&answer)["test8"], "ServerMissing");
    let log = world.log.borrow();
    assert!(log.iter().any(|line| line.ends_with("test8: failed: ServerMissing")), "{log:?}");
    assert!(log.iter().all(|line| !line.trim_end().ends_with(':')), "{log:?}");
    assert_eq!((answer.servers.total, answer.servers.ready, answer.servers.failed), (3, 2, 1));
    assert_eq!(world.state("test2"), InstanceState::Running);
}

#[test]
fn a_list_that_matches_nothing_is_all_problems_and_no_crash() {
    let answer = run(&World::new([]), &list(&ALL), Action::Start);
    assert_eq!((answer.outcome, answer.problems.len()), (Outcome::Failed, 3));
    assert!(answer.initial_state.0.is_empty());
}

#[test]
fn two_live_instances_with_one_name_are_two_entries_and_both_are_started() {
    let twin = stopped("test2").change(|server| server.instance.id = "i-0ffffffffffffffff".to_owned());
    let world = World::new([stopped("test2"), twin]);
    let answer = run(&world, &list(&["test2"]), Action::Start);
    let keys: Vec<_> = answer.initial_state.0.keys().map(String::as_str).collect();
    assert_eq!(keys, ["test2", "test2 (i-0ffffffffffffffff)"]);
    assert_eq!((answer.servers.total, answer.servers.ready), (2, 2));
}

#[test]
fn a_terminated_namesake_is_not_seen() {
    let dead = server("test2", InstanceState::Terminated).change(|s| s.instance.id = "i-0dead".to_owned());
    let world = World::new([stopped("test2"), dead]);
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert_eq!((answer.outcome, answer.servers.total), (Outcome::Ready, 1));
}

#[test]
fn each_impaired_check_fails_the_list_when_patience_ends() {
    for check in ["instance", "system", "attached_ebs"] {
        let world = World::new([stopped("test2").with(Habit::Impaired(check))]);
        let answer = run(&world, &list(&["test2"]), Action::Start);
        assert_eq!(answer.outcome, Outcome::Failed, "{check}");
        assert_eq!(codes(&answer)["test2"], "NotInTime");
        assert!(answer.problems[0].message.contains("impaired"), "{}", answer.problems[0].message);
    }
}

#[test]
fn the_application_status_counts_only_where_the_list_asks_for_it() {
    let world = || World::new([stopped("test2").with(Habit::Impaired("application"))]);
    assert_eq!(run(&world(), &list(&["test2"]), Action::Start).outcome, Outcome::Ready);
    let mut phase = list(&["test2"]);
    phase.ready = Readiness::Application;
    assert_eq!(run(&world(), &phase, Action::Start).outcome, Outcome::Failed);
}

#[test]
fn a_list_that_asks_for_running_reads_no_status_checks() {
    let world = three(|name| stopped(name).with(Habit::NoChecks));
    let mut phase = list(&ALL);
    phase.ready = Readiness::Running;
    assert_eq!(run(&world, &phase, Action::Start).outcome, Outcome::Ready);
    assert!(world.calls_of("DescribeInstanceStatus").is_empty());
}

#[test]
fn a_server_without_a_status_is_not_ready() {
    let world = three(|name| running(name).with(Habit::NoChecks));
    let answer = run(&world, &list(&ALL), Action::Start);
    assert_eq!((answer.outcome, answer.problems.len()), (Outcome::Failed, 3));
}

#[test]
fn a_check_that_flaps_must_pass_twice_in_a_row() {
    let world = World::new([stopped("test2").with(Habit::Flaps)]);
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert_eq!(answer.outcome, Outcome::Ready);
    let looks = world.servers.borrow().len() + world.calls_of("DescribeInstanceStatus").len();
    assert!(looks > 4, "pass, fail, pass, pass");
}

#[test]
fn a_start_that_bounces_fails_at_once_with_its_state_reason_and_says_what_to_do() {
    let world = three(|name| {
        stopped(name).with(if name == "test7" { Habit::Bounces("Client.InternalError") } else { Habit::Good })
    });
    let answer = run(&world, &list(&ALL), Action::Start);
    assert_eq!(codes(&answer)["test7"], "Client.InternalError");
    let message = &answer.problems[0].message;
    assert!(message.contains(&format!("Grant kms:CreateGrant on {KEY}")), "{message}");
    assert_eq!((answer.servers.ready, answer.servers.failed), (2, 1));
    assert_eq!(world.named_in("StartInstances", "test7"), 1, "no use in asking again");
    assert!(world.seconds() < 200, "nobody waits for patience to end");
}

#[test]
fn keys_that_cannot_be_read_still_leave_a_sentence_with_the_grant() {
    let world = World::new([stopped("test2").with(Habit::Bounces("Client.InternalError"))]);
    world.fail_next("DescribeVolumes", "UnauthorizedOperation", 1);
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert!(answer.problems[0].message.contains("needs kms:CreateGrant"), "{}", answer.problems[0].message);
}

#[test]
fn a_bounce_without_a_reason_is_still_a_failure() {
    let world = World::new([stopped("test2").with(Habit::Bounces(""))]);
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert_eq!(codes(&answer)["test2"], "StartBounced");
    assert!(world.seconds() < 60);
}

#[test]
fn a_lingering_state_reason_is_not_taken_for_a_new_one() {
    let lagging = stopped("test2").change(|server| {
        server.instance.state_reason.as_mut().unwrap().code = "Client.InternalError".to_owned();
        server.lag = SignedDuration::from_secs(30);
    });
    let answer = run(&World::new([lagging]), &list(&["test2"]), Action::Start);
    assert_eq!(answer.outcome, Outcome::Ready);
}

#[test]
fn a_describe_that_lags_is_no_failure_and_nothing_is_asked_twice() {
    let world = three(|name| stopped(name).change(|server| server.lag = SignedDuration::from_secs(15)));
    let answer = run(&world, &list(&ALL), Action::Start);
    assert_eq!(answer.outcome, Outcome::Ready);
    assert_eq!(world.calls_of("StartInstances").len(), 1);
}

#[test]
fn a_server_without_capacity_is_asked_again_until_it_has_some() {
    let habit = Habit::RefusesTimes("InsufficientInstanceCapacity", 3);
    let world = three(|name| stopped(name).with(if name == "test2" { habit.clone() } else { Habit::Good }));
    let answer = run(&world, &list(&ALL), Action::Start);
    assert_eq!(answer.outcome, Outcome::Ready);
    let asked: Vec<_> = world.calls_of("StartInstances").iter().map(|call| call.ids.len()).collect();
    assert!(asked.iter().filter(|n| **n == 1).count() >= 4, "{asked:?}");
}

#[test]
fn a_server_without_capacity_until_patience_ends_is_a_problem_with_that_code_and_the_others_run() {
    let habit = Habit::Refuses("InsufficientInstanceCapacity");
    let world = three(|name| stopped(name).with(if name == "test2" { habit.clone() } else { Habit::Good }));
    let answer = run(&world, &list(&ALL), Action::Start);
    assert_eq!((answer.outcome, answer.next_phase), (Outcome::Failed, false));
    assert_eq!(codes(&answer)["test2"], "InsufficientInstanceCapacity");
    assert_eq!(answer.servers.ready, 2);
    assert!(world.seconds() >= 15 * 60, "asked until patience ended");
    assert!(world.named_in("StartInstances", "test2") < 20, "with growing pauses");
}

#[test]
fn capacity_that_is_missing_after_the_start_was_accepted_is_asked_for_again_too() {
    let habit = Habit::BouncesTimes("Server.InsufficientInstanceCapacity", 2);
    let world = World::new([stopped("test2").with(habit)]);
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert_eq!(answer.outcome, Outcome::Ready, "{:?}", answer.problems);
    assert_eq!(world.named_in("StartInstances", "test2"), 3);
}

#[test]
fn a_minimum_that_is_met_is_degraded_and_goes_ahead() {
    let habit = Habit::Refuses("InsufficientInstanceCapacity");
    let world = three(|name| stopped(name).with(if name == "test2" { habit.clone() } else { Habit::Good }));
    let mut phase = list(&ALL);
    phase.minimum = Minimum::AtLeast(2);
    let answer = run(&world, &phase, Action::Start);
    assert_eq!((answer.outcome, answer.next_phase), (Outcome::Degraded, true));
    assert_eq!(codes(&answer)["test2"], "InsufficientInstanceCapacity");
}

#[test]
fn one_bad_server_does_not_cost_the_others_their_start() {
    for code in [
        "InvalidInstanceID.Malformed",
        "VcpuLimitExceeded",
        "InstanceLimitExceeded",
        "InsufficientHostCapacity",
        "IncorrectSpotRequestState",
        "UnsupportedOperation",
        "UnauthorizedOperation",
    ] {
        let world = three(|name| {
            stopped(name).with(if name == "test8" { Habit::Refuses(code) } else { Habit::Good })
        });
        let answer = run(&world, &list(&ALL), Action::Start);
        assert_eq!(codes(&answer)["test8"], code);
        assert_eq!((answer.servers.ready, answer.servers.failed), (2, 1), "{code}");
    }
}

#[test]
fn a_bad_server_among_many_is_found_with_few_calls() {
    let names: Vec<String> = (0..50).map(|n| format!("web{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let habit = Habit::Refuses("UnsupportedOperation");
    let servers =
        names.iter().map(|n| stopped(n).with(if *n == "web33" { habit.clone() } else { Habit::Good }));
    let world = World::new(servers);
    let answer = run(&world, &list(&names), Action::Start);
    assert_eq!((answer.servers.ready, answer.servers.failed), (49, 1));
    let calls = world.calls_of("StartInstances").len();
    assert!(calls <= 13, "1 + 2 × log2(50) calls, not {calls}");
}

#[test]
fn throttling_slows_down_and_never_fails_a_server() {
    let world = three(stopped);
    world.fail_next("StartInstances", "RequestLimitExceeded", 4);
    let answer = run(&world, &list(&ALL), Action::Start);
    assert_eq!((answer.outcome, answer.problems.len()), (Outcome::Ready, 0));
    assert!(world.calls_of("StartInstances").iter().all(|call| call.ids.len() == 3), "the batch stays whole");
}

#[test]
fn a_thousand_servers_start_within_the_published_buckets_without_one_throttle() {
    let names: Vec<String> = (0..1000).map(|n| format!("web{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = World::new(names.iter().map(|name| stopped(name)));
    let answer = run(&world, &list(&names), Action::Start);
    assert_eq!((answer.outcome, answer.servers.ready), (Outcome::Ready, 1000));
    assert_eq!(world.throttled.get(), 0);
    assert_eq!(world.calls_of("StartInstances").len(), 20);
}

#[test]
fn bad_servers_among_a_thousand_cost_few_calls_each_and_no_throttle() {
    let names: Vec<String> = (0..1000).map(|n| format!("web{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for bad in [0, 1, 10] {
        let habit = |n: usize| {
            if n % 100 == 7 && n / 100 < bad { Habit::Refuses("UnsupportedOperation") } else { Habit::Good }
        };
        let world = World::new(names.iter().enumerate().map(|(n, name)| stopped(name).with(habit(n))));
        let answer = run(&world, &list(&names), Action::Start);
        assert_eq!((answer.servers.ready, answer.servers.failed), (1000 - bad, bad));
        let starts = world.calls_of("StartInstances").len();
        let all = world.calls.borrow().len();
        println!("{bad} bad of 1,000: {starts} StartInstances, {all} calls in all, {} s", world.seconds());
        // 20 batches, and 2 × log2(50) requests to find one bad server in its batch.
        assert!(starts <= 20 + bad * 12, "{starts}");
        assert_eq!(world.throttled.get(), 0);
    }
}

#[test]
fn a_request_that_nobody_knows_the_fate_of_is_looked_at_before_it_is_sent_again() {
    let world = three(stopped);
    world.fail_next("StartInstances", "AwsUnreachable", 1);
    let answer = run(&world, &list(&ALL), Action::Start);
    assert_eq!(answer.outcome, Outcome::Ready);
    let calls = world.calls_of("StartInstances");
    assert_eq!(calls.len(), 2);
    assert!(calls[1].at.duration_since(calls[0].at) >= SignedDuration::from_mins(2));
}

#[test]
fn a_server_that_is_stopping_is_waited_for_and_then_started() {
    let stopping = running("test2").change(|server| {
        server.instance.state = InstanceState::Running;
    });
    let world = World::new([stopping]);
    futures_free(&world);
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert_eq!(answer.outcome, Outcome::Ready);
    assert_eq!(answer.initial_state.0["test2"].state, "stopping");
    assert_eq!(world.named_in("StartInstances", "test2"), 1);
}

/// Somebody stops test2 just before the phase begins.
fn futures_free(world: &World) {
    let phase = list(&["test2"]);
    let task = Task {
        deadline: world.now() + SignedDuration::from_secs(11),
        run_began_at: world.now() - SignedDuration::from_hours(1),
        ..task(world, &phase, Action::Stop)
    };
    let answer = invoke(world, &task, None).unwrap();
    assert_eq!(answer.outcome, Outcome::InProgress);
}

#[test]
fn a_server_that_is_starting_is_waited_for_and_then_stopped() {
    let world = World::new([stopped("test2")]);
    let phase = list(&["test2"]);
    let soon =
        Task { deadline: world.now() + SignedDuration::from_secs(11), ..task(&world, &phase, Action::Start) };
    invoke(&world, &soon, None).unwrap();
    let answer = run(&world, &phase, Action::Stop);
    assert_eq!((answer.outcome, answer.initial_state.0["test2"].state.as_str()), (Outcome::Ready, "pending"));
    assert_eq!(world.state("test2"), InstanceState::Stopped);
}

#[test]
fn servers_that_are_not_ours_to_change_are_held_and_said_so() {
    type Change = fn(&mut Server);
    let cases: [(&str, Action, Change); 7] = [
        ("Auto Scaling group", Action::Start, |s| s.instance.auto_scaling_group = Some("web".to_owned())),
        ("managed by", Action::Start, |s| s.instance.operator = Some("eks.amazonaws.com".to_owned())),
        ("one-time Spot", Action::Stop, |s| s.instance.one_time_spot = true),
        ("instance store", Action::Stop, |s| s.instance.instance_store_root = true),
        ("forever", Action::Stop, |s| s.instance.hold = Some("forever".to_owned())),
        ("2026-12-25 00:00 (UTC)", Action::Start, |s| s.instance.hold = Some("until 2026-12-24".to_owned())),
        ("stop protection", Action::Stop, |s| s.habit = Habit::Refuses("OperationNotPermitted")),
    ];
    for (why, action, change) in cases {
        let fresh = if action == Action::Start { stopped("test2") } else { running("test2") };
        let before = fresh.instance.state;
        let world = World::new([fresh.change(change)]);
        let answer = run(&world, &list(&["test2"]), action);
        assert_eq!((answer.servers.held, answer.servers.failed), (1, 0), "{why}");
        let record = &answer.actions["test2"];
        assert_eq!(record.action, ActionTaken::Held);
        assert!(record.why.as_ref().is_some_and(|text| text.contains(why)), "{record:?}");
        assert_eq!(world.state("test2"), before);
    }
}

#[test]
fn a_hold_that_is_over_holds_no_more_and_one_that_cannot_be_read_is_a_problem_and_holds() {
    let held =
        |value: &str| World::new([stopped("test2").change(|s| s.instance.hold = Some(value.to_owned()))]);
    assert_eq!(run(&held("2026-11-22"), &list(&["test2"]), Action::Start).outcome, Outcome::Ready);
    let world = held("next week");
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert_eq!(codes(&answer)["test2"], "HoldTagUnreadable");
    assert!(world.calls_of("StartInstances").is_empty());
}

#[test]
fn a_held_server_that_is_as_wanted_is_just_ready() {
    let world = World::new([running("test2").change(|s| s.instance.hold = Some("forever".to_owned()))]);
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert_eq!((answer.servers.ready, answer.servers.held), (1, 0));
}

#[test]
fn a_server_that_hangs_while_stopping_is_a_problem_when_patience_ends() {
    let world = World::new([running("test2").with(Habit::Hangs)]);
    let answer = run(&world, &list(&["test2"]), Action::Stop);
    assert_eq!(codes(&answer)["test2"], "NotInTime");
    assert!(world.calls_of("StopInstances (force)").is_empty());
}

#[test]
fn a_stop_is_forced_only_after_the_time_that_the_list_says() {
    let world = World::new([running("test2").with(Habit::Hangs)]);
    let mut phase = list(&["test2"]);
    phase.force_stop_after = Some(Duration::from_secs(300));
    assert_eq!(run(&world, &phase, Action::Stop).outcome, Outcome::Ready);
    let forced = world.calls_of("StopInstances (force)");
    assert_eq!(forced.len(), 1);
    assert!(forced[0].at.duration_since(seven()) >= SignedDuration::from_secs(300));
}

#[test]
fn a_server_that_dies_meanwhile_is_a_problem() {
    let world = World::new([stopped("test2").with(Habit::Dies), stopped("test7")]);
    let answer = run(&world, &list(&["test2", "test7"]), Action::Start);
    assert_eq!(codes(&answer)["test2"], "ServerTerminated");
    assert_eq!(answer.servers.total, 2);
}

#[test]
fn a_phase_longer_than_an_invocation_goes_on_and_forgets_and_repeats_nothing() {
    let world = three(stopped);
    let (answer, invocations) = run_in_slices(&world, &list(&ALL), Action::Start, 30);
    assert!(invocations > 3);
    assert_eq!((answer.outcome, answer.servers.changed), (Outcome::Ready, 3));
    assert!(answer.initial_state.0.values().all(|state| state.state == "stopped"));
    assert_eq!(world.calls_of("StartInstances").len(), 1);
}

#[test]
fn patience_spans_invocations() {
    let world = World::new([stopped("test2").with(Habit::Hangs)]);
    let (answer, _) = run_in_slices(&world, &list(&["test2"]), Action::Start, 60);
    assert_eq!(codes(&answer)["test2"], "NotInTime");
    assert!((900..960).contains(&world.seconds()), "{}", world.seconds());
}

#[test]
fn a_crash_between_acting_and_answering_asks_nothing_twice_and_keeps_the_initial_state() {
    for (action, fresh) in [(Action::Start, stopped as fn(&str) -> Server), (Action::Stop, running)] {
        let world = three(fresh);
        let phase = list(&ALL);
        let cut =
            Task { deadline: world.now() + SignedDuration::from_secs(15), ..task(&world, &phase, action) };
        invoke(&world, &cut, None).unwrap(); // its answer is lost
        let answer = run(&world, &phase, action);
        assert_eq!((answer.outcome, answer.servers.changed), (Outcome::Ready, 3));
        let before = if action == Action::Start { "stopped" } else { "running" };
        assert!(
            answer.initial_state.0.values().all(|state| state.state == before),
            "{:?}",
            answer.initial_state
        );
        let asked = if action == Action::Start { "StartInstances" } else { "StopInstances" };
        assert_eq!(world.calls_of(asked).len(), 1);
    }
}

#[test]
fn a_bounce_that_nobody_saw_is_still_told_after_a_crash() {
    let world = World::new([stopped("test2").with(Habit::Bounces("Client.InternalError"))]);
    let phase = list(&["test2"]);
    let cut =
        Task { deadline: world.now() + SignedDuration::from_secs(11), ..task(&world, &phase, Action::Start) };
    invoke(&world, &cut, None).unwrap();
    world.pass_time(Duration::from_secs(60));
    let answer = run(&world, &phase, Action::Start);
    assert_eq!(codes(&answer)["test2"], "Client.InternalError");
    assert_eq!(world.named_in("StartInstances", "test2"), 1);
}

#[test]
fn a_describe_that_fails_is_tried_again_and_one_that_keeps_failing_is_an_error() {
    let world = three(running);
    world.fail_next("DescribeInstances", "RequestLimitExceeded", 2);
    assert_eq!(run(&world, &list(&ALL), Action::Start).outcome, Outcome::Ready);
    let world = three(running);
    world.fail_next("DescribeInstances", "InternalError", 99);
    let phase = list(&ALL);
    assert!(invoke(&world, &task(&world, &phase, Action::Start), None).is_err());
}

#[test]
fn no_permission_to_describe_is_an_error_at_once() {
    let world = three(stopped);
    world.fail_next("DescribeInstances", "UnauthorizedOperation", 1);
    let phase = list(&ALL);
    assert!(invoke(&world, &task(&world, &phase, Action::Start), None).is_err());
    assert_eq!(world.calls.borrow().len(), 1);
}

#[test]
fn a_dry_run_lists_every_server_with_a_reason_and_changes_nothing() {
    let world = World::new([
        stopped("test2"),
        running("test7"),
        stopped("test8").with(Habit::Refuses("UnauthorizedOperation")),
    ]);
    let phase = list(&ALL);
    let dry = Task { dry_run: true, ..task(&world, &phase, Action::Start) };
    let answer = invoke(&world, &dry, None).unwrap();
    assert_eq!(answer.actions["test2"].action, ActionTaken::WouldStart);
    assert_eq!(answer.actions["test7"].action, ActionTaken::Nothing);
    assert!(answer.actions.values().all(|record| record.why.is_some()));
    assert_eq!(codes(&answer)["test8"], "UnauthorizedOperation");
    assert_eq!((answer.actions.len(), answer.servers.changed), (3, 0));
    assert!(world.calls_of("StartInstances").is_empty());
    assert_eq!(world.state("test2"), InstanceState::Stopped);
}

#[test]
fn a_phase_log_that_cannot_be_written_fails_nothing_and_the_answer_says_so() {
    let world = three(stopped);
    world.log_fails.set(true);
    let answer = run(&world, &list(&ALL), Action::Start);
    assert_eq!(answer.outcome, Outcome::Ready);
    assert!(answer.log_error.is_some_and(|error| error.contains("PutLogEvents")));
}

#[test]
fn the_phase_log_has_the_heading_in_capitals_and_a_line_a_step() {
    let world = World::new([stopped("test2")]);
    run(&world, &list(&["test2"]), Action::Start);
    let log = world.log.borrow();
    assert_eq!(log[0], "[dev db] STARTING DEVELOPMENT DB SERVERS");
    for step in ["asked to start", "it is starting", "initializing", "ready after", "READY: 1 of 1"] {
        assert!(log.iter().any(|line| line.contains(step)), "no {step} in {log:#?}");
    }
}

#[test]
fn the_phase_log_of_a_stop_closes_with_what_is_stopped() {
    let (world, list) = (World::new([running("test2")]), list(&["test2"]));
    invoke(&world, &Task { dry_run: true, ..task(&world, &list, Action::Stop) }, None).unwrap();
    let would = "[dev db] WOULD BE STOPPED: 0 of 1 servers stopped now, 0 would fail, 0 held";
    assert_eq!(world.log.borrow().last().unwrap(), would);
    invoke(&world, &task(&world, &list, Action::Stop), None).unwrap();
    let stopped = "[dev db] STOPPED: 1 of 1 servers stopped, 1 changed, 0 failed, 0 held";
    assert_eq!(world.log.borrow().last().unwrap(), stopped);
}

#[test]
fn the_phase_log_of_a_dry_run_does_not_close_with_what_only_would_be() {
    for (habit, verdict) in [
        (Habit::Good, "WOULD BE READY: 0 of 1 servers ready now, 0 would fail, 0 held"),
        (
            Habit::Refuses("UnauthorizedOperation"),
            "WOULD FAIL: 0 of 1 servers ready now, 1 would fail, 0 held",
        ),
    ] {
        let (world, list) = (World::new([stopped("test2").with(habit)]), list(&["test2"]));
        invoke(&world, &Task { dry_run: true, ..task(&world, &list, Action::Start) }, None).unwrap();
        assert_eq!(world.log.borrow().last().unwrap(), &format!("[dev db] {verdict}"));
    }
}

#[test]
fn a_start_tells_for_how_long_its_servers_had_been_off_by_ec2s_own_times() {
    let world = three(stopped);
    let off = run(&world, &list(&ALL), Action::Start).off;
    assert_eq!(off.servers, 3);
    assert_eq!(off.seconds / 3600, 3 * 12, "the small EC2 stopped them twelve hours before");
}

#[test]
fn servers_that_were_not_started_or_whose_stop_ec2_does_not_date_count_no_hours_off() {
    let world = three(|name| match name {
        "test2" => running(name),
        "test7" => stopped(name).change(|server| server.instance.stopped_at = None),
        _ => stopped(name),
    });
    assert_eq!(run(&world, &list(&ALL), Action::Start).off.servers, 1);
    let stop = run(&three(running), &list(&ALL), Action::Stop);
    assert_eq!(stop.off.servers, 0);
}

#[test]
fn hours_off_are_the_same_whether_a_phase_takes_one_invocation_or_many() {
    let once = run(&three(stopped), &list(&ALL), Action::Start).off;
    let (answer, invocations) = run_in_slices(&three(stopped), &list(&ALL), Action::Start, 45);
    assert!(invocations > 1);
    assert_eq!(answer.off, once);
}

#[test]
fn a_start_that_bounced_counts_the_hours_since_the_stop_and_not_since_the_bounce() {
    let world =
        World::new([stopped("test2").with(Habit::BouncesTimes("Server.InsufficientInstanceCapacity", 2))]);
    let off = run(&world, &list(&["test2"]), Action::Start).off;
    assert_eq!((off.servers, off.seconds / 3600), (1, 12));
}

#[test]
fn a_server_that_fell_back_is_off_still_and_counts_no_hours() {
    let world = three(|name| match name {
        "test2" => stopped(name).with(Habit::Bounces("Client.InternalError")),
        "test7" => stopped(name).with(Habit::Impaired("system")),
        _ => stopped(name),
    });
    let answer = run(&world, &list(&ALL), Action::Start);
    assert_eq!((answer.servers.failed, answer.servers.changed), (2, 3));
    assert_eq!((answer.off.servers, answer.off.seconds / 3600), (2, 24), "test7 runs, though not as wanted");
}

#[test]
fn servers_are_told_in_the_order_of_their_list() {
    let names = ["zebra", "ant", "test10", "test2"];
    let world = World::new(names.map(stopped));
    let answer = run(&world, &list(&names), Action::Start);
    assert_eq!(answer.initial_state.0.keys().collect::<Vec<_>>(), names);
}
