//! The phase loop in a hostile world: what one look shows is no proof, and a refusal is told as it was.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;

use crate::model::Action;
use crate::model::{ActionTaken, Failure, InstanceState, Outcome};
use crate::phase::run::Task;
use crate::ports::Clock;
use crate::servers::file::{Minimum, Readiness};
use crate::testkit::small_ec2::*;

const ALWAYS: u32 = 1_000_000;

fn two() -> [&'static str; 2] {
    ["test2", "test7"]
}

// One look is not proof.

#[test]
fn a_server_that_one_describe_leaves_out_is_neither_missing_nor_terminated() {
    for describes in [1..=1, 2..=2] {
        let world = World::new([stopped("test2")]);
        world.show(describes, |seen| seen.clear());
        let answer = run(&world, &list(&["test2"]), Action::Start);
        assert_eq!((answer.outcome, answer.problems.len()), (Outcome::Ready, 0));
        assert_eq!(world.state("test2"), InstanceState::Running);
    }
}

#[test]
fn a_list_by_tags_that_one_describe_shows_short_is_not_ready_before_two_agree() {
    let world = World::new([running("test2"), stopped("test7")]);
    world.show(1..=1, |seen| seen.retain(|instance| instance.state == InstanceState::Running));
    let mut list = list(&[]);
    list.tags = BTreeMap::from([("Tier".to_owned(), "db".to_owned())]);
    let answer = run(&world, &list, Action::Start);
    assert_eq!((answer.outcome, answer.servers.total), (Outcome::Ready, 2));
    assert_eq!(world.state("test7"), InstanceState::Running);
}

#[test]
fn one_stale_stopped_after_pending_is_no_bounce() {
    let world = World::new([stopped("test2")]);
    world.show_by_id(2..=2, |seen| {
        seen.iter_mut().for_each(|instance| instance.state = InstanceState::Stopped)
    });
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert_eq!((answer.outcome, answer.problems.len()), (Outcome::Ready, 0));
    assert_eq!(world.calls_of("StartInstances").len(), 1);
}

#[test]
fn one_stale_running_after_stopping_did_not_go_back() {
    let world = World::new([running("test2")]);
    world.show_by_id(2..=2, |seen| {
        seen.iter_mut().for_each(|instance| instance.state = InstanceState::Running)
    });
    let answer = run(&world, &list(&["test2"]), Action::Stop);
    assert_eq!((answer.outcome, answer.problems.len()), (Outcome::Ready, 0));
    assert_eq!(world.calls_of("StopInstances").len(), 1);
}

#[test]
fn a_terminated_server_is_called_so_only_when_its_id_says_so_twice() {
    let world = World::new([stopped("test2").with(Habit::Dies)]);
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert_eq!(codes(&answer)["test2"], "ServerTerminated");
    assert!(world.calls_of("DescribeInstances (by id)").len() >= 2);
}

#[test]
fn a_server_whose_tag_was_taken_off_no_longer_matches_and_is_not_called_terminated() {
    let world = World::new([stopped("test2")]);
    world.show(2..=1000, |seen| seen.clear());
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert_eq!(codes(&answer)["test2"], "ServerNoLongerListed");
    assert!(answer.problems[0].message.contains("no longer matches the list"));
}

#[test]
fn one_id_that_describe_instance_status_does_not_know_does_not_spoil_the_others() {
    let world = World::new(two().map(stopped));
    world.no_status_of.borrow_mut().insert(world.id("test7"));
    let answer = run(&world, &list(&two()), Action::Start);
    assert_eq!(answer.outcome, Outcome::Failed);
    assert_eq!(codes(&answer).keys().collect::<Vec<_>>(), ["test7"]);
    assert!(answer.problems[0].message.contains("no status checks"), "{:?}", answer.problems);
}

// A refusal is told as it was.

#[test]
fn a_start_that_is_throttled_until_patience_ends_says_so_and_that_nothing_was_asked() {
    let world = World::new([stopped("test2")]);
    world.fail_next("StartInstances", "RequestLimitExceeded", ALWAYS);
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert_eq!((codes(&answer)["test2"].as_str(), answer.servers.changed), ("RequestLimitExceeded", 0));
    assert!(!answer.problems[0].message.contains("accepted"), "{:?}", answer.problems);
}

#[test]
fn a_stop_that_ec2_never_took_is_not_told_to_be_forced() {
    for code in ["InternalError", "AwsUnreachable"] {
        let world = World::new([running("test2")]);
        world.fail_next("StopInstances", code, ALWAYS);
        let answer = run(&world, &list(&["test2"]), Action::Stop);
        assert_eq!((codes(&answer)["test2"].as_str(), answer.servers.changed), (code, 0));
        assert!(!answer.problems[0].message.contains("force"), "{:?}", answer.problems);
    }
}

#[test]
fn a_server_that_ran_before_and_never_gets_ready_was_not_asked_and_is_not_told_so() {
    let world = World::new([running("test2").with(Habit::Impaired("system"))]);
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert_eq!(codes(&answer)["test2"], "NotInTime");
    assert!(answer.problems[0].message.contains("did not have to start it"), "{:?}", answer.problems);
}

#[test]
fn one_error_of_awss_own_is_looked_at_again_whatever_its_code() {
    for code in ["ServerInternal", "RequestTimeout", "InternalError", "ThrottledException", "SlowDown"] {
        let world = World::new([stopped("test2")]);
        world.fail_next("StartInstances", code, 1);
        let answer = run(&world, &list(&["test2"]), Action::Start);
        assert_eq!((answer.outcome, answer.servers.changed), (Outcome::Ready, 1), "{code}");
    }
}

#[test]
fn all_of_ec2_throttled_for_eight_minutes_fails_nobody_while_patience_lasts() {
    let world = World::new([stopped("test2")]);
    // A read a look, 20 s apart at most.
    world.fail_next("DescribeInstances", "RequestLimitExceeded", 28);
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert_eq!(answer.outcome, Outcome::Ready);
    assert!(world.seconds() > 8 * 60, "{} s", world.seconds());
}

#[test]
fn a_describe_that_never_answers_hands_on_before_the_deadline() {
    let world = World::new([stopped("test2")]);
    world.fail_next("DescribeInstances", HANGS, ALWAYS);
    let list = list(&["test2"]);
    let task = Task { deadline: world.now() + Duration::from_secs(60), ..task(&world, &list, Action::Start) };
    let answer = invoke(&world, &task, None).unwrap();
    assert_eq!(answer.outcome, Outcome::InProgress);
    assert!(world.seconds() <= 50, "{} s", world.seconds());
}

#[test]
fn a_start_that_is_not_permitted_is_a_problem_and_holds_up_the_next_tier() {
    let world = World::new([stopped("test2").with(Habit::Refuses("OperationNotPermitted"))]);
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert_eq!((answer.outcome, answer.next_phase), (Outcome::Failed, false));
    assert_eq!(codes(&answer)["test2"], "OperationNotPermitted");
}

#[test]
fn a_start_that_falls_back_for_ec2s_own_error_is_asked_again_a_few_times() {
    let once = World::new([stopped("test2").with(Habit::BouncesTimes("Server.InternalError", 1))]);
    assert_eq!(run(&once, &list(&["test2"]), Action::Start).outcome, Outcome::Ready);
    let ever = World::new([stopped("test2").with(Habit::Bounces("Server.InternalError"))]);
    let answer = run(&ever, &list(&["test2"]), Action::Start);
    assert_eq!(codes(&answer)["test2"], "Server.InternalError");
    assert_eq!(ever.calls_of("StartInstances").len(), 4);
    assert_eq!(answer.servers.changed, 1, "EC2 took it");
}

#[test]
fn a_start_that_falls_back_for_a_missing_grant_is_asked_once() {
    let world = World::new([stopped("test2").with(Habit::Bounces("Client.InternalError"))]);
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert_eq!(codes(&answer)["test2"], "Client.InternalError");
    assert_eq!(world.calls_of("StartInstances").len(), 1);
    assert!(answer.problems[0].message.contains(KEY));
}

#[test]
fn two_hundred_denied_servers_cost_few_requests_and_a_small_answer() {
    let names: Vec<String> = (0..200).map(|number| format!("web{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world =
        World::new(names.iter().map(|name| stopped(name).with(Habit::Refuses("UnauthorizedOperation"))));
    let answer = run(&world, &list(&names), Action::Start);
    assert_eq!((answer.outcome, answer.problems.len()), (Outcome::Failed, 200));
    let requests = world.calls_of("StartInstances").len();
    assert!(requests <= 40, "{requests} requests");
    let bytes = serde_json::to_string(&answer).unwrap().len();
    assert!(bytes < 150_000, "{bytes} bytes");
}

#[test]
fn one_denied_server_among_good_ones_is_found_however_many_there_are() {
    let names: Vec<String> = (0..60).map(|number| format!("web{number}")).collect();
    let listed: Vec<&str> = names.iter().map(String::as_str).collect();
    let habit = |name: &str| match name {
        "web7" => stopped(name).with(Habit::Refuses("UnauthorizedOperation")),
        _ => stopped(name),
    };
    let world = World::new(listed.iter().map(|name| habit(name)));
    let answer = run(&world, &list(&listed), Action::Start);
    assert_eq!((codes(&answer).len(), answer.servers.ready), (1, 59));
}

#[test]
fn a_list_by_tags_that_loses_a_server_is_decided_as_soon_as_the_loss_is_proved() {
    let world = World::new([stopped("a"), stopped("b").with(Habit::Dies)]);
    let mut by_tags = list(&[]);
    by_tags.tags = BTreeMap::from([("Tier".to_owned(), "db".to_owned())]);
    let answer = run(&world, &by_tags, Action::Start);
    assert_eq!(codes(&answer), BTreeMap::from([("b".to_owned(), "ServerTerminated".to_owned())]));
    assert!(world.seconds() < 300, "{} s", world.seconds());
}

// What is true is said.

#[test]
fn tags_that_nothing_carries_are_a_problem_and_an_empty_list_is_none() {
    let world = World::new([]);
    let mut by_tags = list(&[]);
    by_tags.tags = BTreeMap::from([("Tier".to_owned(), "db".to_owned())]);
    for minimum in [Minimum::All, Minimum::AtLeast(2)] {
        by_tags.minimum = minimum;
        let answer = run(&world, &by_tags, Action::Start);
        assert_eq!((answer.outcome, answer.next_phase), (Outcome::Failed, false));
        assert_eq!(
            (answer.problems[0].name.as_str(), answer.problems[0].code.as_str()),
            ("dev db", "NothingSelected")
        );
        assert!(answer.problems[0].message.contains("Tier=db"));
    }
    assert_eq!(run(&world, &list(&[]), Action::Start).outcome, Outcome::Empty);
}

#[test]
fn a_minimum_that_held_servers_keep_from_being_met_says_so() {
    let held = stopped("test8").change(|server| server.instance.hold = Some("forever".to_owned()));
    let world = World::new([stopped("test2"), stopped("test7"), held]);
    let mut list = list(&["test2", "test7", "test8"]);
    list.minimum = Minimum::AtLeast(3);
    let answer = run(&world, &list, Action::Start);
    assert_eq!((answer.outcome, answer.problems.len()), (Outcome::Failed, 1));
    assert!(answer.problems[0].message.contains("it needs 3 ready, 2 are, 1 held"), "{:?}", answer.problems);
}

#[test]
fn to_a_stop_what_is_terminated_is_down_and_what_is_missing_holds_nothing_up() {
    let dying = server("test7", InstanceState::Stopping).with(Habit::Hangs);
    let terminated = World::new([running("test2"), dying]);
    terminated.servers.borrow_mut().values_mut().for_each(|server| server.instance.stopped_at = None);
    terminated.show(2..=1000, |seen| seen.retain(|instance| instance.name.as_deref() == Some("test2")));
    terminated.show_by_id(1..=1000, |seen| {
        for instance in seen.iter_mut().filter(|instance| instance.name.as_deref() == Some("test7")) {
            instance.state = InstanceState::Terminated;
        }
    });
    let answer = run(&terminated, &list(&two()), Action::Stop);
    assert_eq!((answer.outcome, answer.next_phase), (Outcome::Ready, true));
    let gone = &answer.actions["test7"];
    assert_eq!(
        (gone.action, gone.why.as_deref()),
        (ActionTaken::Nothing, Some("it was terminated: it counts as down"))
    );

    let missing = World::new([running("test2")]);
    let answer = run(&missing, &list(&two()), Action::Stop);
    assert_eq!((answer.outcome, answer.next_phase), (Outcome::Degraded, true));
    assert_eq!(codes(&answer)["test7"], "ServerMissing");
    assert_eq!(missing.state("test2"), InstanceState::Stopped);
    let (missing, mut both) = (World::new([running("test2")]), list(&two()));
    both.minimum = Minimum::AtLeast(2);
    assert_eq!(run(&missing, &both, Action::Stop).outcome, Outcome::Degraded);
}

#[test]
fn a_phase_in_progress_lets_no_tier_go_ahead_and_blames_nobody_yet() {
    let world = World::new([running("test2"), stopped("test7").with(Habit::Hangs)]);
    for minimum in [Minimum::AtLeast(1), Minimum::AtLeast(2), Minimum::All] {
        let mut list = list(&two());
        list.minimum = minimum;
        let deadline = world.now() + Duration::from_secs(40);
        let answer = invoke(&world, &Task { deadline, ..task(&world, &list, Action::Start) }, None).unwrap();
        assert_eq!((answer.outcome, answer.next_phase), (Outcome::InProgress, false));
        assert!(answer.problems.is_empty() && answer.resume.is_some(), "{:?}", answer.problems);
    }
}

#[test]
fn a_server_to_which_nothing_was_done_has_no_action() {
    for (world, action) in
        [(World::new(two().map(running)), Action::Start), (World::new(two().map(stopped)), Action::Stop)]
    {
        assert!(run(&world, &list(&two()), action).actions.is_empty());
    }
}

#[test]
fn a_stop_that_somebody_else_began_and_that_hangs_is_forced_too() {
    let hanging = server("test2", InstanceState::Stopping).with(Habit::Hangs);
    let world = World::new([hanging.change(|server| server.instance.stopped_at = Some(seven()))]);
    let mut list = list(&["test2"]);
    list.force_stop_after = Some(Duration::from_secs(300));
    let answer = run(&world, &list, Action::Stop);
    assert_eq!(answer.outcome, Outcome::Ready);
    let forced = &world.calls_of("StopInstances (force)")[0];
    let after = forced.at.duration_since(seven()).as_secs();
    assert!((300..320).contains(&after), "{after} s");
}

#[test]
fn a_server_that_a_person_started_and_stopped_since_the_run_began_is_started() {
    let touched = stopped("test2").change(|server| {
        server.instance.launch_time = Some(seven() + SignedDuration::from_secs(10));
        server.instance.stopped_at = Some(seven() + SignedDuration::from_secs(40));
        server.instance.state_reason =
            Some(Failure::of_state_reason("Client.UserInitiatedShutdown", "by a user"));
    });
    let world = World::new([touched]);
    world.pass_time(Duration::from_secs(60));
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert_eq!((answer.outcome, answer.servers.changed), (Outcome::Ready, 1));
    assert_eq!(answer.initial_state.0["test2"].state, "stopped");
}

#[test]
fn a_person_who_stops_a_server_while_it_starts_is_told_of() {
    let world = World::new([stopped("test2").with(Habit::Bounces("Client.UserInitiatedShutdown"))]);
    world.servers.borrow_mut().values_mut().for_each(|server| server.instance.state_reason = None);
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert_eq!(codes(&answer)["test2"], "Client.UserInitiatedShutdown");
    assert!(answer.problems[0].message.contains("CloudTrail"));
}

#[test]
fn a_dry_run_leaves_alone_what_the_run_would_leave_alone() {
    for dry_run in [false, true] {
        let world =
            World::new([running("test2").with(Habit::Refuses("OperationNotPermitted")), running("test7")]);
        let list = list(&["test2", "test7"]);
        let task = Task { dry_run, ..task(&world, &list, Action::Stop) };
        let answer = invoke(&world, &task, None).unwrap();
        assert_eq!((answer.outcome, answer.servers.held), (Outcome::Ready, 1), "{:?}", answer.problems);
        let held = &answer.actions["test2"];
        assert_eq!((held.action, held.why.as_deref()), (ActionTaken::Held, Some("stop protection is on")));
    }
}

#[test]
fn a_dry_run_whose_question_is_not_answered_is_a_problem() {
    let world = World::new([stopped("test2")]);
    world.fail_next("StartInstances (dry run)", "RequestLimitExceeded", ALWAYS);
    let list = list(&["test2"]);
    let task = Task { dry_run: true, ..task(&world, &list, Action::Start) };
    let answer = invoke(&world, &task, None).unwrap();
    assert_eq!((answer.outcome, answer.next_phase), (Outcome::Failed, false));
    assert_eq!(codes(&answer)["test2"], "RequestLimitExceeded");
    assert_eq!(answer.actions["test2"].action, ActionTaken::Nothing);
}

#[test]
fn a_state_that_nobody_knows_is_said_and_not_taken_for_a_missing_server() {
    let odd = stopped("test2").change(|server| {
        server.instance.state = InstanceState::Unknown;
        server.instance.unknown_state = Some("hovering".to_owned());
    });
    let answer = run(&World::new([odd]), &list(&["test2"]), Action::Start);
    assert_eq!(codes(&answer)["test2"], "NotInTime");
    assert!(answer.problems[0].message.contains("hovering"), "{:?}", answer.problems);
}

#[test]
fn a_second_namesake_never_takes_another_servers_key() {
    let named = |id: &str, name: &str, state| {
        let (id, name) = (id.to_owned(), name.to_owned());
        server("web", state).change(|server| (server.instance.id, server.instance.name) = (id, Some(name)))
    };
    let world = World::new([
        named("i-1", "web", InstanceState::Running),
        named("i-2", "web", InstanceState::Running),
        named("i-3", "web (i-2)", InstanceState::Stopped),
    ]);
    let mut list = list(&["web (i-2)", "web"]);
    list.ready = Readiness::Running;
    let answer = run(&world, &list, Action::Start);
    assert_eq!((answer.outcome, answer.servers.total, answer.servers.changed), (Outcome::Ready, 3, 1));
}

#[test]
fn a_minimum_that_is_met_is_enough_after_its_time_and_not_before() {
    let short = || {
        [
            running("test2"),
            running("test7"),
            stopped("test8").with(Habit::Refuses("InsufficientInstanceCapacity")),
        ]
    };
    let mut list = list(&["test2", "test7", "test8"]);
    list.minimum = Minimum::AtLeast(2);
    let world = World::new(short());
    assert_eq!(run(&world, &list, Action::Start).outcome, Outcome::Degraded);
    assert!(world.seconds() >= 15 * 60, "without a time of its own it waits for all: {} s", world.seconds());
    list.minimum_after = Some(Duration::from_secs(120));
    let world = World::new(short());
    let answer = run(&world, &list, Action::Start);
    assert_eq!(
        (answer.outcome, codes(&answer)["test8"].as_str()),
        (Outcome::Degraded, "InsufficientInstanceCapacity")
    );
    assert!((120..160).contains(&world.seconds()), "{} s", world.seconds());
    // One that is not met waits for all its patience, and so does one of all.
    for minimum in [Minimum::AtLeast(3), Minimum::All] {
        list.minimum = minimum;
        let world = World::new(short());
        assert_eq!(run(&world, &list, Action::Start).outcome, Outcome::Failed);
        assert!(world.seconds() >= 15 * 60, "{minimum:?}: {} s", world.seconds());
    }
}

#[test]
fn a_plain_start_takes_few_requests() {
    let world = World::new(["test2", "test7", "test8"].map(stopped));
    assert_eq!(run(&world, &list(&["test2", "test7", "test8"]), Action::Start).outcome, Outcome::Ready);
    let calls = |operation: &str| world.calls_of(operation).len();
    assert_eq!((calls("StartInstances"), calls("DescribeInstances")), (1, 2), "the list before and after");
    assert!(calls("DescribeInstances (by id)") <= 4, "while nothing can be ready");
    assert!((2..=16).contains(&calls("DescribeInstanceStatus")), "{}", calls("DescribeInstanceStatus"));
}

#[test]
fn a_list_that_needs_no_checks_is_ready_at_the_look_that_shows_it_running() {
    let world = World::new([stopped("test2")]);
    let mut list = list(&["test2"]);
    list.ready = Readiness::Running;
    assert_eq!(run(&world, &list, Action::Start).outcome, Outcome::Ready);
    assert!(world.calls_of("DescribeInstanceStatus").is_empty());
    let calls = world.calls.borrow();
    let [.., before, last] = &calls[..] else { panic!("no two looks") };
    assert_eq!(last.operation, "DescribeInstances");
    assert!(last.at.duration_since(before.at).as_secs() < 1, "no pause before the verdict");
}

#[test]
fn a_dry_run_too_looks_twice_before_it_calls_a_server_missing() {
    let world = World::new([stopped("test2")]);
    world.show(1..=1, |seen| seen.clear());
    let list = list(&["test2"]);
    let answer = invoke(&world, &Task { dry_run: true, ..task(&world, &list, Action::Start) }, None).unwrap();
    assert_eq!(answer.actions["test2"].action, ActionTaken::WouldStart);
    assert!(answer.problems.is_empty());
}

#[test]
fn to_a_stop_a_server_that_ec2_does_not_know_any_more_is_down_after_half_a_minute() {
    let world = World::new([running("test2"), server("test7", InstanceState::Stopping).with(Habit::Hangs)]);
    world.show(2..=1000, |seen| seen.retain(|instance| instance.name.as_deref() == Some("test2")));
    world.show_by_id(1..=1000, |seen| seen.retain(|instance| instance.name.as_deref() == Some("test2")));
    let answer = run(&world, &list(&two()), Action::Stop);
    assert_eq!((answer.outcome, answer.servers.ready), (Outcome::Ready, 2));
    assert!(world.seconds() >= 30, "{} s", world.seconds());
    let started = World::new([running("test7"), stopped("test2")]);
    started.show(2..=1000, |seen| seen.retain(|instance| instance.name.as_deref() == Some("test2")));
    started.show_by_id(1..=1000, |seen| seen.retain(|instance| instance.name.as_deref() == Some("test2")));
    assert_eq!(codes(&run(&started, &list(&two()), Action::Start))["test7"], "ServerTerminated");
}

#[test]
fn six_hundred_servers_of_one_list_go_on_in_the_next_invocation() {
    let names: Vec<String> = (0..600).map(|number| format!("application-{number:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = World::new(names.iter().map(|name| stopped(name)));
    let list = list(&names);
    let deadline = world.now() + Duration::from_secs(80);
    let answer = invoke(&world, &Task { deadline, ..task(&world, &list, Action::Start) }, None).unwrap();
    assert_eq!(answer.outcome, Outcome::InProgress);
    // A state's payload has at most 262,144 bytes; the record takes what the resume leaves.
    let bytes = serde_json::to_string(&answer.resume).unwrap().len();
    assert!(bytes < 250_000, "{bytes} bytes: {} a server", bytes / 600);
}
