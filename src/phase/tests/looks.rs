//! What looks cost: how many servers EC2 is asked about.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use jiff::SignedDuration;

use crate::model::{Action, Instance, InstanceState, Outcome, PhaseAnswer};
use crate::phase::run::{PhaseError, Task, run as phase};
use crate::phase::seen::Seen;
use crate::phase::watch::Watcher;
use crate::ports::{Clock, ReadInstances};
use crate::servers::file::{Minimum, ServerList};
use crate::testkit::small_ec2::{
    Call, HANGS, Habit, Server, World, at_once, codes, list, run, running, stopped, task,
};

/// The calls that read, of a start of a list with so many servers that run already and ten that are stopped.
fn reads(run_already: usize) -> Vec<Call> {
    let names: Vec<String> = (0..run_already + 10).map(|number| format!("test{number}")).collect();
    let server = |(number, name): (usize, &String)| -> Server {
        if number < run_already { running(name) } else { stopped(name) }
    };
    let world = World::new(names.iter().enumerate().map(server));
    let list = ServerList { servers: names.clone(), ..list(&[]) };
    let answer = run(&world, &list, Action::Start);
    assert!(answer.next_phase, "{:?}", answer.problems);
    let calls = world.calls.take();
    calls.into_iter().filter(|call| call.operation.starts_with("Describe")).collect()
}

#[test]
fn a_look_at_two_thousand_servers_with_ten_under_way_costs_what_ten_cost() {
    let asked = |call: &Call| (call.operation, call.ids.len());
    let (few, many) = (reads(0), reads(1_990));
    let is_whole = |call: &&Call| call.operation == "DescribeInstances";
    assert_eq!(many.iter().filter(is_whole).count(), 2, "the first look and the verdict's");
    // Between the two whole looks, which end with the checks of all that run.
    let between = |calls: &[Call]| -> Vec<(&'static str, usize)> {
        let first = calls.iter().position(|call| call.ids.len() == 10).expect("a look at the ten");
        let last = calls.iter().rposition(|call| is_whole(&call)).expect("the verdict's look");
        calls[first..last].iter().map(asked).collect()
    };
    assert!(between(&many).iter().all(|(_, servers)| *servers <= 10), "{:?}", between(&many));
    assert_eq!(between(&many), between(&few));
}

/// Pages that tell of the first server twice, earlier as it was.
fn on_two_pages(seen: &mut Vec<Instance>) {
    let mut before = seen[0].clone();
    (before.state, before.name) = (InstanceState::Stopped, Some("before".to_owned()));
    seen.insert(0, before);
}

#[test]
fn an_instance_that_is_on_two_pages_is_one_server_and_stands_as_the_later_page_shows_it() {
    let world = World::new([running("test2"), running("test3")]);
    world.show(1..=usize::MAX, on_two_pages);
    let list = list(&["test2", "test3"]);
    let answer = run(&world, &list, Action::Start);
    assert!(answer.next_phase, "{:?}", answer.problems);
    assert_eq!(answer.servers.total, 2);
    let keys: Vec<&String> = answer.initial_state.0.keys().collect();
    assert_eq!(keys, ["test2", "test3"]);
    assert_eq!(world.calls_of("StartInstances").len(), 0, "both run");
}

/// From the second look at the whole list on, the server that ran has stopped by itself.
fn the_first_has_stopped(seen: &mut [Instance]) {
    seen.iter_mut().filter(|instance| instance.state == InstanceState::Running).for_each(|instance| {
        instance.state = InstanceState::Stopped;
    });
}

#[test]
fn what_stopped_while_another_was_waited_for_is_not_counted_as_ready() {
    for minimum in [Minimum::AtLeast(1), Minimum::All] {
        for after in [None, Some(Duration::from_secs(240))] {
            let world = World::new([running("test2"), stopped("test3").with(Habit::Hangs)]);
            world.show(2..=usize::MAX, |seen| the_first_has_stopped(seen));
            let mut list = list(&["test2", "test3"]);
            (list.minimum, list.minimum_after) = (minimum, after);
            let answer = run(&world, &list, Action::Start);
            assert_eq!((answer.outcome, answer.servers.ready), (Outcome::Failed, 0), "{minimum:?} {after:?}");
        }
    }
}

#[test]
fn a_check_that_ec2_tells_no_more_does_not_count_twice() {
    let world = World::new([running("test2"), running("test3")]);
    let ids = [world.id("test2"), world.id("test3")];
    let checks = at_once(world.status_checks(&ids)).unwrap();
    assert_eq!(checks.len(), 2);
    let instances = at_once(world.instances_by_id(&ids)).unwrap().into_iter().map(Rc::new).collect();
    let seen = Seen { at: world.now(), instances, elsewhere: Vec::new(), checks };
    let again = seen.with(world.now(), &BTreeSet::from([ids[0].as_str()]), &[], Vec::new(), BTreeMap::new());
    assert_eq!(again.checks.keys().collect::<Vec<_>>(), [&ids[1]]);
    assert_eq!(again.instances.len(), 2);
}

#[test]
fn a_running_server_without_checks_costs_two_requests_a_look() {
    let world = World::new([stopped("test2").with(Habit::NoChecks), running("test3")]);
    run(&world, &list(&["test2", "test3"]), Action::Start);
    let calls = |operation| world.calls_of(operation).iter().filter(|call| call.ids.len() == 1).count();
    let (checks, describes) = (calls("DescribeInstanceStatus"), calls("DescribeInstances (by id)"));
    assert!(checks <= describes + 1, "{checks} for the checks, {describes} for the state");
}

/// Lets the world go its way while a phase waits.
struct Meanwhile<'a, F>(&'a World, F);

impl<F: FnMut(&World)> Watcher for Meanwhile<'_, F> {
    async fn before_waiting(&mut self) {
        let Self(world, goes_on) = self;
        goes_on(world);
    }
}

/// Of one that runs and one that hangs, where one is enough: the first is stopped by somebody after 100 s.
fn one_is_stopped(
    world: &World,
    task: &Task<'_>,
    mut then: impl FnMut(&World),
) -> Result<PhaseAnswer, PhaseError> {
    let id = world.id("test2");
    let mut is_done = false;
    let goes_on = |world: &World| {
        if world.seconds() > 100 && !is_done {
            is_done = true;
            world.servers.borrow_mut().get_mut(&id).unwrap().instance.state = InstanceState::Stopped;
            then(world);
        }
    };
    at_once(phase(world, task, None, &mut Meanwhile(world, goes_on)))
}

fn one_is_enough(after: Option<u64>) -> ServerList {
    let mut list = list(&["test2", "test3"]);
    (list.minimum, list.minimum_after) = (Minimum::AtLeast(1), after.map(Duration::from_secs));
    list.timeout = Duration::from_secs(3600);
    list
}

#[test]
fn who_was_asked_at_the_last_look_is_not_told_as_not_asked() {
    // Either nobody resumes, or enough others are ready.
    for (goes_on, minimum) in [(false, Minimum::All), (true, Minimum::AtLeast(1))] {
        let servers = [running("test1"), running("test2"), stopped("test3").with(Habit::Hangs)];
        let world = World::new(servers);
        let names = ["test1", "test2", "test3"].map(str::to_owned).to_vec();
        let list = ServerList { minimum, servers: names, ..one_is_enough(Some(120)) };
        let deadline = world.now() + SignedDuration::from_secs(300);
        let task = Task { goes_on, deadline, ..task(&world, &list, Action::Start) };
        let answer = one_is_stopped(&world, &task, |_| {}).unwrap();
        assert_eq!(world.named_in("StartInstances", "test2"), 1, "{goes_on}: {answer:?}");
        assert_eq!(codes(&answer)["test2"], "NotInTime", "{goes_on}: {:?}", answer.problems);
    }
}

#[test]
fn a_list_that_cannot_be_read_any_more_is_not_judged_by_a_look_at_a_part_of_it() {
    for code in ["RequestLimitExceeded", HANGS] {
        let world = World::new([running("test2"), stopped("test3").with(Habit::Hangs)]);
        let list = one_is_enough(None);
        let deadline = world.now() + SignedDuration::from_secs(300);
        let task = Task { goes_on: false, deadline, ..task(&world, &list, Action::Start) };
        let answer =
            one_is_stopped(&world, &task, |world| world.fail_next("DescribeInstances", code, 100_000));
        assert!(answer.is_err(), "{code}: {answer:?}");
    }
}

#[test]
fn a_look_that_fails_for_some_seconds_as_patience_ends_does_not_cost_the_verdict() {
    let world = World::new([running("test2"), stopped("test3").with(Habit::Hangs)]);
    let list = ServerList { timeout: Duration::from_secs(120), ..one_is_enough(None) };
    let task = task(&world, &list, Action::Start);
    let answer =
        one_is_stopped(&world, &task, |world| world.fail_next("DescribeInstances", "InternalError", 3));
    assert_eq!(answer.unwrap().servers.ready, 0);
}
