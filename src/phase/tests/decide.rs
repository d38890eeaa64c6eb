//! The decision by itself, at the edges of its times: what is seen, what is remembered, what follows.

use std::rc::Rc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::model::{Action, Check, Instance, InstanceState, StatusChecks};
use crate::phase::decide::{LAG, Rules, decide};
use crate::phase::plan::{Plan, Request, Standing, Step};
use crate::phase::progress::{Progress, Remembered};
use crate::phase::run::Task;
use crate::phase::seen::Seen;
use crate::servers::file::{Readiness, ServerList};
use crate::testkit::small_ec2::{World, codes, invoke, list, running, seven, stopped, task};

fn after(seconds: i64) -> Timestamp {
    seven() + SignedDuration::from_secs(seconds)
}

/// The instance, with checks that pass.
fn seen(instance: &Instance) -> Seen {
    let good = || Check::Ok;
    let passing = StatusChecks {
        is_running: true,
        instance: good(),
        system: good(),
        attached_ebs: good(),
        application: good(),
    };
    let (elsewhere, checks) = (Vec::new(), [(instance.id.clone(), passing)].into());
    Seen { at: seven(), instances: vec![Rc::new(instance.clone())], elsewhere, checks }
}

/// How the one server of a list stands, that is remembered so.
fn standing(list: &ServerList, instance: &Instance, memory: Remembered, now: Timestamp) -> Standing {
    let mut progress = Progress::new(list.number, Action::Start, 1, seven());
    let seen = seen(instance);
    progress.take_in(&seen, now);
    progress.servers.insert(instance.id.clone(), memory);
    let zone = TimeZone::UTC;
    let rules = Rules { list, action: Action::Start, now, zone: &zone };
    decide(&seen, &progress, rules).servers.remove(0).standing
}

fn is_asked(standing: &Standing) -> bool {
    matches!(standing, Standing::UnderWay(Step::Ask(Request::Start, _)))
}

fn waits(standing: &Standing) -> bool {
    matches!(standing, Standing::UnderWay(Step::Wait(_)))
}

#[test]
fn a_start_that_ec2_does_not_show_is_asked_again_when_the_lag_is_over_and_not_before() {
    let (list, instance) = (list(&["test2"]), stopped("test2").instance);
    let asked = || Remembered {
        asked_at: Some(seven()),
        taken: true,
        launch_before: instance.launch_time,
        reason_before: instance.state_reason.as_ref().map(|reason| reason.code.clone()),
        ..Remembered::default()
    };
    let last = LAG.as_secs() - 1;
    assert!(waits(&standing(&list, &instance, asked(), after(last))));
    assert!(is_asked(&standing(&list, &instance, asked(), after(last + 1))));
}

#[test]
fn a_refused_server_is_asked_again_at_its_time_and_not_before() {
    let (list, instance) = (list(&["test2"]), stopped("test2").instance);
    let refused = || Remembered { again_at: Some(after(15)), ..Remembered::default() };
    assert!(waits(&standing(&list, &instance, refused(), after(14))));
    assert!(is_asked(&standing(&list, &instance, refused(), after(15))));
}

#[test]
fn a_starting_server_boots_only_where_its_checks_are_waited_for() {
    let mut list = list(&["test2"]);
    let instance = stopped("test2").change(|one| one.instance.state = InstanceState::Pending).instance;
    let boots = |list: &ServerList| {
        matches!(standing(list, &instance, Remembered::default(), seven()), Standing::UnderWay(Step::Boot(_)))
    };
    assert!(boots(&list));
    list.ready = Readiness::Running;
    assert!(!boots(&list));
}

#[test]
fn where_running_is_enough_no_second_look_is_waited_for() {
    let mut list = list(&["test2"]);
    list.ready = Readiness::Running;
    let asked = Remembered { asked_at: Some(seven()), wavered: true, ..Remembered::default() };
    assert_eq!(standing(&list, &running("test2").instance, asked, after(60)), Standing::Ready);
}

/// A stopped server that was asked to start at seven, with the launch and stop that EC2 showed then.
fn asked_before(instance: &Instance) -> Remembered {
    Remembered {
        asked_at: Some(seven()),
        taken: true,
        launch_before: instance.launch_time,
        reason_before: instance.state_reason.as_ref().map(|reason| reason.code.clone()),
        ..Remembered::default()
    }
}

fn fell_back(standing: &Standing) -> bool {
    matches!(standing, Standing::UnderWay(Step::Doubt(_) | Step::AskLater(_)) | Standing::Failed(_))
}

#[test]
fn a_new_launch_time_alone_shows_that_a_start_fell_back() {
    let list = list(&["test2"]);
    let before = stopped("test2").instance;
    let same = standing(&list, &before, asked_before(&before), after(30));
    assert!(waits(&same), "{same:?}");
    let launched = Instance { launch_time: Some(after(1)), ..before.clone() };
    assert!(fell_back(&standing(&list, &launched, asked_before(&before), after(30))));
    // EC2 showed no launch time before: a time says nothing of this start.
    let unknown = Remembered { launch_before: None, ..asked_before(&before) };
    assert!(waits(&standing(&list, &launched, unknown, after(30))));
    // An older time than the one from before is a describe that lags.
    let older = Instance {
        launch_time: before.launch_time.map(|at| at - SignedDuration::from_hours(1)),
        ..before.clone()
    };
    assert!(waits(&standing(&list, &older, asked_before(&before), after(30))));
}

#[test]
fn the_same_reason_is_new_only_where_the_server_was_stopped_after_it_was_asked() {
    let list = list(&["test2"]);
    let before = stopped("test2").instance;
    for (stopped_at, is_new) in [(after(-1), false), (after(0), false), (after(1), true)] {
        let instance = Instance { stopped_at: Some(stopped_at), ..before.clone() };
        let standing = standing(&list, &instance, asked_before(&before), after(30));
        assert_eq!(fell_back(&standing), is_new, "{stopped_at}: {standing:?}");
    }
}

#[test]
fn what_tags_select_is_sure_three_seconds_after_the_last_new_server() {
    let mut list = list(&[]);
    list.tags = [("Tier".to_owned(), "db".to_owned())].into();
    let seen = seen(&running("test2").instance);
    let mut progress = Progress::new(list.number, Action::Start, 1, seven());
    progress.take_in(&seen, seven());
    let zone = TimeZone::UTC;
    let plan = |now| -> Plan {
        decide(&seen, &progress, Rules { list: &list, action: Action::Start, now, zone: &zone })
    };
    assert!(plan(after(2)).membership_unsure && plan(after(2)).is_in_doubt());
    assert!(!plan(after(3)).membership_unsure);
}

#[test]
fn one_look_that_misses_a_server_leaves_the_plan_in_doubt_and_says_so() {
    let list = list(&["test2"]);
    let progress = Progress::new(list.number, Action::Start, 1, seven());
    let nothing = Seen { instances: Vec::new(), ..seen(&stopped("test2").instance) };
    let zone = TimeZone::UTC;
    let plan =
        decide(&nothing, &progress, Rules { list: &list, action: Action::Start, now: seven(), zone: &zone });
    assert!(plan.is_in_doubt() && plan.only_doubts() && !plan.is_decided());
    let Standing::UnderWay(step) = &plan.servers[0].standing else { panic!("{plan:?}") };
    assert_eq!(step.words(), "EC2 does not show it; one more look to be sure");
}

#[test]
fn a_dry_run_calls_nothing_missing_by_one_look() {
    let world = World::new([stopped("test2")]);
    world.show(1..=1, Vec::clear);
    let listed = list(&["test2"]);
    let task = Task { dry_run: true, ..task(&world, &listed, Action::Start) };
    let answer = invoke(&world, &task, None).unwrap();
    assert_eq!(codes(&answer), std::collections::BTreeMap::new());
}

#[test]
fn checks_that_pass_for_the_first_time_are_no_proof_of_a_server_that_was_asked_or_was_not_ready() {
    let (list, instance) = (list(&["test2"]), running("test2").instance);
    let standing = |memory| standing(&list, &instance, memory, after(60));
    let confirm = Standing::UnderWay(Step::Confirm);
    let asked = || Remembered { asked_at: Some(seven()), ..Remembered::default() };
    assert_eq!(standing(Remembered::default()), Standing::Ready);
    assert_eq!(standing(asked()), confirm);
    assert_eq!(standing(Remembered { wavered: true, ..Remembered::default() }), confirm);
    assert_eq!(standing(Remembered { passes: 1, ..asked() }), Standing::Ready);
    // Nor is a look that follows at once.
    let passed = |seconds| Remembered { passes: 1, ready_at: Some(after(seconds)), ..asked() };
    assert_eq!((standing(passed(60)), standing(passed(59))), (confirm, Standing::Ready));
}
