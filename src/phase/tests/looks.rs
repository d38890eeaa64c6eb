//! What looks cost: how many servers EC2 is asked about.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use crate::model::{Action, Instance, InstanceState, Outcome};
use crate::phase::seen::Seen;
use crate::ports::{Clock, ReadInstances};
use crate::servers::file::{Minimum, ServerList};
use crate::testkit::small_ec2::{Call, Habit, Server, World, at_once, list, run, running, stopped};

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
