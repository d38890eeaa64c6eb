//! What an invocation takes over from the one before, at its edges.

use jiff::{SignedDuration, Timestamp};

use crate::model::Action;
use crate::phase::progress::Progress;
use crate::testkit::small_ec2::{World, codes, list, run, seven, stopped};

const PHASE: u32 = 3;

/// A progress whose times are all `began_at`, as the next invocation reads it.
fn handed_on(began_at: Timestamp) -> Progress {
    let wire = serde_json::to_string(&Progress::new(PHASE, Action::Start, 1, began_at)).unwrap();
    serde_json::from_str(&wire).unwrap()
}

#[test]
fn a_resume_is_refused_before_its_last_month_and_more_than_an_hour_ahead() {
    let (month, hour) = (SignedDuration::from_hours(31 * 24), SignedDuration::from_hours(1));
    let second = SignedDuration::from_secs(1);
    for (began_at, is_taken) in [
        (seven(), true),
        (seven() - month, true),
        (seven() - month - second, false),
        (seven() + hour, true),
        (seven() + hour + second, false),
    ] {
        let refusal = handed_on(began_at).refusal(PHASE, Action::Start, seven());
        assert_eq!(refusal.is_none(), is_taken, "{began_at}: {refusal:?}");
    }
}

#[test]
fn the_next_invocation_waits_for_tokens_as_the_one_before_would_have() {
    let mut before = Progress::new(PHASE, Action::Start, 1, seven());
    let mut after = handed_on(seven()).resumed(1);
    for _ in 0..5 {
        before.buckets.take(50, seven());
        after.buckets.take(50, seven());
    }
    let wait = before.buckets.wait_for(50, seven());
    assert!(!wait.is_zero());
    assert_eq!(after.buckets.wait_for(50, seven()), wait);
    assert_eq!(after.buckets, before.buckets);
}

#[test]
fn a_start_that_fell_back_before_a_lost_answer_is_told_as_this_runs_and_not_asked_again() {
    let fell_back = stopped("test2").change(|server| {
        server.instance.launch_time = Some(seven() + SignedDuration::from_secs(1));
        server.instance.state_reason = None;
    });
    let world = World::new([fell_back]);
    world.pass_time(std::time::Duration::from_secs(60));
    let answer = run(&world, &list(&["test2"]), Action::Start);
    assert_eq!(codes(&answer)["test2"], "StartBounced");
    assert_eq!((answer.servers.changed, world.calls_of("StartInstances").len()), (1, 0));
}
