//! A forced stop that EC2 does not take at once.

use std::time::Duration;

use crate::model::{Action, Outcome};
use crate::servers::file::ServerList;
use crate::testkit::small_ec2::{Habit, World, codes, list, run, run_in_slices, running};

const FORCE: &str = "StopInstances (force)";
const ALWAYS: u32 = 1_000_000;

fn forcing() -> ServerList {
    ServerList { force_stop_after: Some(Duration::from_secs(300)), ..list(&["test2"]) }
}

fn hangs() -> World {
    World::new([running("test2").with(Habit::Hangs)])
}

#[test]
fn a_forced_stop_that_is_refused_is_told_with_its_code_and_asked_once() {
    for seconds in [900, 120] {
        let world = hangs();
        world.fail_next(FORCE, "UnauthorizedOperation", ALWAYS);
        let (answer, _) = run_in_slices(&world, &forcing(), Action::Stop, seconds);
        assert_eq!(codes(&answer)["test2"], "UnauthorizedOperation");
        // The graceful stop before it was taken.
        assert_eq!((answer.servers.changed, world.calls_of(FORCE).len()), (1, 1));
        let log = world.log.borrow().join("\n");
        assert!(log.contains("force_stop_after_minutes; refused: UnauthorizedOperation"), "{log}");
    }
}

#[test]
fn a_forced_stop_without_an_answer_is_asked_again() {
    for code in ["InternalError", "AwsUnreachable"] {
        let world = hangs();
        world.fail_next(FORCE, code, 3);
        assert_eq!(run(&world, &forcing(), Action::Stop).outcome, Outcome::Ready);
        assert_eq!(world.calls_of(FORCE).len(), 4);
        let log = world.log.borrow().join("\n");
        assert!(
            log.contains(&format!("asked, without an answer: {code}")) && !log.contains("refused"),
            "{log}"
        );
    }
}

#[test]
fn a_forced_stop_that_never_gets_an_answer_is_told_with_the_last_code() {
    let world = hangs();
    world.fail_next(FORCE, "InternalError", ALWAYS);
    assert_eq!(codes(&run(&world, &forcing(), Action::Stop))["test2"], "InternalError");
}

#[test]
fn a_server_that_the_forced_stop_did_not_stop_in_time_is_not_told_to_be_forced() {
    for (seconds, forced, told) in
        [(301, 0, "then force the stop"), (315, 1, "The forced stop was accepted too")]
    {
        let world = hangs();
        let list = ServerList { timeout: Duration::from_secs(seconds), ..forcing() };
        let answer = run(&world, &list, Action::Stop);
        assert_eq!((codes(&answer)["test2"].as_str(), world.calls_of(FORCE).len()), ("NotInTime", forced));
        let message = &answer.problems[0].message;
        assert!(message.contains(told), "{message}");
    }
}

#[test]
fn a_forced_stop_that_one_invocation_could_not_send_is_sent_by_a_later_one() {
    let world = hangs();
    // An invocation of two minutes gets through about nine.
    world.fail_next(FORCE, "RequestLimitExceeded", 20);
    let (answer, invocations) = run_in_slices(&world, &forcing(), Action::Stop, 120);
    assert_eq!((answer.outcome, world.calls_of(FORCE).len()), (Outcome::Ready, 21));
    assert!(invocations > 4, "{invocations}");
}
