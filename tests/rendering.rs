//! The rendered state machine, for the shipped file and for random lists.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

use std::collections::BTreeSet;

use ec2_start_stop::servers::ServerLists;
use ec2_start_stop::statemachine;
use proptest::prelude::*;
use serde_json::{Map, Value};

fn rendered(text: &str) -> Value {
    serde_json::from_str(&statemachine::render(&ServerLists::parse(text).unwrap())).unwrap()
}

#[test]
fn the_committed_machine_is_the_rendering_of_the_shipped_servers_file() {
    let lists = ServerLists::parse(include_str!("../servers.toml")).unwrap();
    assert!(
        statemachine::render(&lists) == include_str!("../statemachine.asl.json"),
        "statemachine.asl.json is stale: run make statemachine"
    );
}

/// A file with this many environments and tiers.
fn file(environments: usize, tiers: usize, settle: u64) -> String {
    let names: Vec<String> = (0..tiers).map(|tier| format!("tier{tier}")).collect();
    let mut text = format!("tiers = {names:?}\n");
    for environment in 0..environments {
        for (place, tier) in names.iter().enumerate() {
            text += &format!(
                "[[phase]]\nnumber = {}\nenvironment = \"env{environment}\"\ntier = \"{tier}\"\nname = \"it's \\\\ odd\"\n\
                 servers = []\nready = \"running\"\ntimeout_minutes = 5\nsettle_seconds = {settle}\n",
                environment * tiers + place
            );
        }
    }
    text
}

/// Every map of states, with where it starts.
fn scopes(machine: &Value) -> Vec<(&str, &Map<String, Value>)> {
    let states = machine["States"].as_object().unwrap();
    let mut found = vec![(machine["StartAt"].as_str().unwrap(), states)];
    for branch in states.values().filter_map(|state| state["Branches"].as_array()).flatten() {
        found.extend(scopes(branch));
    }
    found
}

fn nexts(state: &Value) -> Vec<&str> {
    let ways = [state["Choices"].as_array(), state["Catch"].as_array()];
    let ways = ways.into_iter().flatten().flatten().filter_map(|way| way["Next"].as_str());
    ways.chain(state["Next"].as_str()).chain(state["Default"].as_str()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_machine_is_whole(environments in 1_usize..=20, tiers in 1_usize..=6, settle in 0_u64..2) {
        let machine = rendered(&file(environments, tiers, settle));
        let mut names = BTreeSet::new();
        for (start, states) in scopes(&machine) {
            let mut reached = BTreeSet::from([start]);
            let mut waiting = vec![start];
            while let Some(name) = waiting.pop() {
                let state = states.get(name);
                prop_assert!(state.is_some(), "there is no state {name}");
                waiting.extend(nexts(state.unwrap()).into_iter().filter(|next| reached.insert(next)));
            }
            prop_assert_eq!(reached.len(), states.len(), "a state is never reached");
            for (name, state) in states {
                prop_assert!(name.chars().count() <= 80, "{name}");
                prop_assert!(names.insert(name.clone()), "{name} is there twice");
                if state["Type"] == "Task" {
                    for field in ["TimeoutSeconds", "Retry", "Catch", "Output"] {
                        prop_assert!(!state[field].is_null(), "{name} has no {field}");
                    }
                }
                if state["Type"] == "Parallel" {
                    prop_assert!(!state["Catch"].is_null(), "{name} has no Catch");
                }
            }
        }
        let tasks = names.iter().filter(|name| name.ends_with(" servers")).count();
        prop_assert_eq!(tasks, 2 * environments * tiers);
    }

    #[test]
    fn a_stop_runs_the_tiers_of_a_start_in_reverse(environments in 1_usize..=5, tiers in 1_usize..=6) {
        let machine = rendered(&file(environments, tiers, 0));
        let order = |action: &str| -> Vec<Value> {
            let branch = &machine["States"][format!("{action} environments")]["Branches"][0];
            let states = branch["States"].as_object().unwrap().values();
            states.filter(|state| state["Type"] == "Task").map(|state| state["Arguments"]["Payload"].clone()).collect()
        };
        let number = |payload: &Value| {
            let text = payload.as_str().unwrap().to_owned();
            text.split("'phase_number': ").nth(1).unwrap().split(',').next().unwrap().to_owned()
        };
        let start: Vec<String> = order("Start").iter().map(number).collect();
        let mut stop: Vec<String> = order("Stop").iter().map(number).collect();
        stop.reverse();
        prop_assert_eq!(start, stop);
    }
}
