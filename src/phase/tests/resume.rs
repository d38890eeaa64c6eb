//! What an invocation takes over from the one before, at its edges.

use jiff::{SignedDuration, Timestamp};

use crate::model::{Action, Failure};
use crate::phase::progress::{Doubt, Progress, Remembered};
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

/// What is remembered of one server is changed.
fn refusal_with(change: impl FnOnce(&mut Remembered)) -> Option<&'static str> {
    let mut progress = handed_on(seven());
    change(progress.servers.entry("i-1".to_owned()).or_default());
    progress.refusal(PHASE, Action::Start, seven())
}

#[test]
fn a_resume_with_a_time_of_a_server_that_cannot_be_is_refused_wherever_it_stands() {
    let second = SignedDuration::from_secs(1);
    let ours: [fn(&mut Remembered) -> &mut Option<Timestamp>; 3] =
        [|memory| &mut memory.asked_at, |memory| &mut memory.again_at, |memory| &mut memory.ready_at];
    let theirs: [fn(&mut Remembered) -> &mut Option<Timestamp>; 2] =
        [|memory| &mut memory.launch_before, |memory| &mut memory.stopped_before];
    let (month, hour) = (SignedDuration::from_hours(31 * 24), SignedDuration::from_hours(1));
    let ec2_began: Timestamp = "2006-08-25T00:00:00Z".parse().unwrap();
    for (field, earliest) in
        ours.map(|of| (of, seven() - month)).into_iter().chain(theirs.map(|of| (of, ec2_began)))
    {
        let refusal = |at| refusal_with(|memory| *field(memory) = Some(at));
        for at in [earliest, seven(), seven() + hour] {
            assert_eq!(refusal(at), None, "{at}");
        }
        for at in [Timestamp::MIN, earliest - second, seven() + hour + second, Timestamp::MAX] {
            assert!(refusal(at).is_some_and(|why| why.starts_with("with times of")), "{at}");
        }
    }
}

#[test]
fn a_resume_with_a_doubt_or_counts_that_cannot_be_is_refused() {
    let mut progress = handed_on(seven());
    let doubt = |since| Doubt { code: "ServerMissing".to_owned(), since };
    for (since, is_taken) in [(seven(), true), (Timestamp::MIN, false), (Timestamp::MAX, false)] {
        progress.doubts.insert("test2".to_owned(), doubt(since));
        assert_eq!(progress.refusal(PHASE, Action::Start, seven()).is_none(), is_taken, "{since}");
    }
    for (count, is_taken) in [(57_600, true), (100_001, false), (u32::MAX, false)] {
        assert_eq!(refusal_with(|memory| memory.passes = count).is_none(), is_taken, "{count} passes");
        assert_eq!(refusal_with(|memory| memory.refusals = count).is_none(), is_taken, "{count} refusals");
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

#[test]
fn every_memory_of_a_server_reaches_the_next_invocation() {
    let mut progress = Progress::new(PHASE, Action::Start, 1, seven());
    let at = |seconds| Some(seven() + SignedDuration::from_secs(seconds));
    let memory = Remembered {
        asked_at: at(1),
        taken: true,
        unanswered: Some(Failure::of_aws("StartInstances", "InternalError", "said EC2", None)),
        launch_before: at(-3),
        reason_before: Some("Client.UserInitiatedShutdown".to_owned()),
        stopped_before: at(-2),
        moved: true,
        forced: true,
        refusals: 2,
        again_at: at(4),
        refusal: Some(Failure::of_aws("StartInstances", "InsufficientInstanceCapacity", "said EC2", None)),
        wavered: true,
        passes: 1,
        ready_at: at(5),
    };
    progress.servers.insert("i-1".to_owned(), memory);
    let wire = serde_json::to_value(&progress).unwrap();
    let fields = wire["servers"]["i-1"].as_object().unwrap();
    assert_eq!(fields.len(), 14, "{fields:?}");
    let read: Progress = serde_json::from_value(wire.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), wire);
}
