//! What is remembered of one server, from look to look and from request to request.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::{Action, Failure, Instance};
use crate::phase::plan::{Plan, Server, Standing, Step};
use crate::phase::progress::{Answer, Progress, Remembered};
use crate::phase::seen::Seen;
use crate::testkit::small_ec2::{running, seven, stopped};

fn after(seconds: i64) -> Timestamp {
    seven() + SignedDuration::from_secs(seconds)
}

fn progress(action: Action) -> Progress {
    Progress::new(3, action, 1, seven())
}

fn instance() -> Instance {
    stopped("test2").instance
}

fn failed(code: &str) -> Failure {
    Failure::of_aws("StartInstances", code, "said EC2", None)
}

/// A look after so many seconds at a server that stands so.
fn look(progress: &mut Progress, seconds: i64, standing: Standing) {
    let instance = instance();
    let server = Server {
        key: "test2".to_owned(),
        id: Some(instance.id.clone()),
        instance: Some(instance.into()),
        standing,
    };
    let plan = Plan { at: after(seconds), servers: vec![server], ..Plan::unseen(after(seconds)) };
    progress.apply(&plan, 1.0);
}

fn remembered(progress: &Progress) -> Remembered {
    progress.of(&instance().id)
}

#[test]
fn a_server_that_was_ready_all_along_leaves_no_memory() {
    let mut progress = progress(Action::Start);
    look(&mut progress, 0, Standing::Ready);
    assert!(progress.servers.is_empty() && progress.doubts.is_empty());
}

#[test]
fn passes_are_counted_from_the_first_one_and_anew_after_a_look_that_did_not_pass() {
    let mut progress = progress(Action::Start);
    let waits = || Standing::UnderWay(Step::Wait("it is starting".to_owned()));
    look(&mut progress, 0, waits());
    assert!(remembered(&progress).wavered);
    for (seconds, standing, passes, ready_at) in [
        (1, Standing::UnderWay(Step::Confirm), 1, Some(after(1))),
        (2, Standing::Ready, 2, Some(after(1))),
        (3, waits(), 0, None),
        (4, Standing::Ready, 1, Some(after(4))),
        (5, Standing::Failed(failed("UnauthorizedOperation")), 0, None),
        (6, Standing::Ready, 1, Some(after(6))),
        (7, Standing::Held("a person holds it".to_owned()), 0, None),
    ] {
        look(&mut progress, seconds, standing);
        let memory = remembered(&progress);
        assert_eq!((memory.passes, memory.ready_at), (passes, ready_at), "after {seconds} s");
        assert!(memory.wavered);
    }
}

#[test]
fn a_doubt_is_as_old_as_the_first_of_the_looks_that_say_the_same() {
    let doubt = |code: &str| Standing::UnderWay(Step::Doubt(failed(code)));
    let mut progress = progress(Action::Start);
    for (seconds, standing, since) in [
        (0, doubt("ServerMissing"), Some(0)),
        (5, doubt("ServerMissing"), Some(0)),
        (10, Standing::Failed(failed("ServerMissing")), Some(0)),
        (15, Standing::Failed(failed("StartBounced")), None),
        (20, doubt("ServerMissing"), Some(20)),
        (25, doubt("StartBounced"), Some(25)),
        (30, Standing::UnderWay(Step::Confirm), None),
        (35, doubt("StartBounced"), Some(35)),
        (40, Standing::Ready, None),
    ] {
        look(&mut progress, seconds, standing);
        let found = progress.doubts.get("test2").map(|doubt| doubt.since);
        assert_eq!(found, since.map(after), "after {seconds} s");
    }
}

#[test]
fn to_a_stop_a_server_that_is_gone_stays_proved() {
    let mut progress = progress(Action::Stop);
    look(&mut progress, 0, Standing::UnderWay(Step::Doubt(failed("ServerTerminated"))));
    look(&mut progress, 30, Standing::Ready);
    assert_eq!(progress.doubts["test2"].since, after(0));
}

#[test]
fn a_new_request_keeps_what_was_before_the_first_one_and_forgets_the_rest() {
    let (mut progress, first) = (progress(Action::Start), instance());
    let id = first.id.clone();
    progress.note_asked(&first, Answer::Taken, after(1));
    progress.note_refused(&id, failed("InsufficientInstanceCapacity"), after(2), 1.0);
    let later = Instance { stopped_at: Some(after(3)), launch_time: Some(after(2)), ..first.clone() };
    progress.note_asked(&later, Answer::None(failed("InternalError")), after(20));
    let expected = Remembered {
        asked_at: Some(after(20)),
        taken: true,
        unanswered: Some(failed("InternalError")),
        launch_before: Some(after(2)),
        reason_before: first.state_reason.map(|reason| reason.code),
        stopped_before: first.stopped_at,
        refusals: 1,
        ..Remembered::default()
    };
    assert_eq!(remembered(&progress), expected);
}

#[test]
fn a_request_without_an_answer_is_taken_only_once_a_look_shows_its_effect() {
    for (action, before, moves) in [
        (Action::Start, stopped("test2"), running("test2")),
        (Action::Stop, running("test2"), stopped("test2")),
    ] {
        let mut progress = progress(action);
        let seen = |instance: Instance| Seen {
            at: after(5),
            instances: vec![instance.into()],
            elsewhere: Vec::new(),
            checks: BTreeMap::new(),
        };
        progress.take_in(&seen(before.instance.clone()), seven());
        progress.note_asked(&before.instance, Answer::None(failed("InternalError")), after(1));
        progress.take_in(&seen(before.instance), seven());
        let memory = remembered(&progress);
        assert!(!memory.taken && !memory.moved && memory.unanswered.is_some(), "{action:?}");
        progress.take_in(&seen(moves.instance), seven());
        let memory = remembered(&progress);
        assert!(memory.taken && memory.moved && memory.unanswered.is_none(), "{action:?}");
    }
}

#[test]
fn only_a_refusal_that_may_pass_is_counted_and_put_off_and_longer_each_time() {
    for (code, first, second) in [
        ("InsufficientInstanceCapacity", Some(15), Some(24)),
        ("IncorrectInstanceState", Some(1), Some(2)),
        ("UnauthorizedOperation", None, None),
    ] {
        let (mut progress, instance) = (progress(Action::Start), instance());
        progress.note_asked(&instance, Answer::Taken, after(0));
        for (times, pause) in [(1, first), (2, second)] {
            progress.note_refused(&instance.id, failed(code), after(100), 1.0);
            let memory = remembered(&progress);
            let until = pause.map(|seconds| after(100) + Duration::from_secs(seconds));
            assert_eq!((memory.again_at, memory.asked_at), (until, None), "{code}");
            assert_eq!(memory.refusals, if pause.is_some() { times } else { 0 }, "{code}");
            assert_eq!(memory.refusal, Some(failed(code)));
        }
    }
}

#[test]
fn a_request_that_was_not_sent_leaves_why_and_nothing_else() {
    let mut progress = progress(Action::Start);
    progress.note_throttled("i-1", failed("RequestLimitExceeded"));
    let expected = Remembered { refusal: Some(failed("RequestLimitExceeded")), ..Remembered::default() };
    assert_eq!(progress.of("i-1"), expected);
}

#[test]
fn a_forced_stop_leaves_the_graceful_one_as_it_was_and_once_taken_no_refusal() {
    let (mut progress, instance) = (progress(Action::Stop), running("test2").instance);
    progress.note_asked(&instance, Answer::Taken, after(0));
    let graceful = progress.of(&instance.id);
    for (code, is_over, again_at) in
        [("InternalError", false, Some(after(301))), ("UnauthorizedOperation", true, Some(after(301)))]
    {
        progress.note_not_forced(&instance.id, failed(code), after(300), 1.0);
        let memory = progress.of(&instance.id);
        assert_eq!((memory.forced, memory.again_at, memory.asked_at), (is_over, again_at, Some(after(0))));
        assert_eq!((memory.taken, memory.refusal), (true, Some(failed(code))));
    }
    progress.note_forced(&instance.id);
    let expected = Remembered { forced: true, refusals: 1, ..graceful };
    assert_eq!(progress.of(&instance.id), expected);
}
