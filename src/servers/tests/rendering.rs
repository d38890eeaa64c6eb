//! The rendered state machine, for the shipped file and for random lists.

use std::collections::{BTreeMap, BTreeSet};

use crate::servers::file::ServerLists;
use crate::servers::machine as statemachine;
use proptest::prelude::*;
use serde_json::{Map, Value};

fn rendered(text: &str) -> Value {
    serde_json::from_str(&statemachine::render(&ServerLists::parse(text).unwrap())).unwrap()
}

/// What stands between `{%` and `%}`.
fn expressions(text: &str) -> Vec<&str> {
    text.split("{%").skip(1).map(|rest| rest.split("%}").next().unwrap()).collect()
}

#[test]
fn the_machine_of_three_environments_and_two_tiers_computes_little() {
    let text =
        statemachine::render(&ServerLists::parse(include_str!("../../../tests/servers.toml")).unwrap());
    let lengths: Vec<usize> = expressions(&text).iter().map(|expression| expression.len()).collect();
    let (all, longest) = (lengths.iter().sum::<usize>(), *lengths.iter().max().unwrap());
    println!("{all} bytes of JSONata, the longest expression {longest}, {} lines", text.lines().count());
    assert!(all <= 8 * 1024, "{all} bytes of JSONata");
    assert!(longest <= 300, "an expression of {longest} bytes");
}

/// What a servers.toml can differ in: names, which tiers an environment has, whether a list settles.
#[derive(Debug, Clone)]
struct Lists {
    tiers: Vec<String>,
    environments: Vec<(String, Vec<bool>)>,
    settle: u64,
    name: String,
}

impl Lists {
    fn text(&self) -> String {
        let mut text = format!("tiers = {:?}\n", self.tiers);
        for (number, (environment, tier)) in self.pairs().into_iter().enumerate() {
            text += &format!(
                "[[list]]\nnumber = {number}\nenvironment = \"{environment}\"\ntier = \"{tier}\"\nname = {:?}\n\
                 servers = []\nready = \"running\"\ntimeout_minutes = 5\nsettle_seconds = {}\n",
                self.name, self.settle,
            );
        }
        text
    }

    /// Environments and tiers, in the order of their numbers.
    fn pairs(&self) -> Vec<(&str, &str)> {
        let mut pairs = Vec::new();
        for (environment, has) in &self.environments {
            let tiers = self.tiers.iter().zip(has).filter(|(_, has)| **has);
            pairs.extend(tiers.map(|(tier, _)| (environment.as_str(), tier.as_str())));
        }
        pairs
    }
}

/// Every kind of lists that servers.toml allows.
fn lists() -> impl Strategy<Value = Lists> {
    let tiers = prop::collection::btree_map("[a-z0-9_-]{1,24}", any::<bool>(), 1..=6).prop_map(cased);
    let environments = prop::collection::btree_set("[A-Za-z0-9_-]{1,24}", 1..=20).prop_map(told_apart);
    (tiers, environments, 0_u64..2, "[A-Za-z'$%{}() é😀\"-]{0,40}[$][{]x[}]")
        .prop_flat_map(|(tiers, environments, settle, name)| {
            let has = prop::collection::vec(any::<bool>(), tiers.len()).prop_map(at_least_one);
            let has = prop::collection::vec(has, environments.len());
            (Just((tiers, environments, settle, name)), has)
        })
        .prop_map(|((tiers, environments, settle, name), has)| Lists {
            tiers,
            environments: environments.into_iter().zip(has).collect(),
            settle,
            name,
        })
}

/// Some names in capitals: two tiers must differ in more than that.
fn cased(names: BTreeMap<String, bool>) -> Vec<String> {
    names.into_iter().map(|(name, capitals)| if capitals { name.to_uppercase() } else { name }).collect()
}

/// Environments differ in more than case, - and _.
fn told_apart(names: BTreeSet<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.into_iter().filter(|name| seen.insert(name.to_lowercase().replace('_', "-"))).collect()
}

fn at_least_one(mut has: Vec<bool>) -> Vec<bool> {
    has[0] |= !has.contains(&true);
    has
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

/// The order in which a branch's tasks follow one another, by phase number.
fn order(branch: &Value) -> Vec<u64> {
    let mut at = branch["StartAt"].as_str();
    let mut numbers = Vec::new();
    while let Some(name) = at {
        let state = &branch["States"][name];
        numbers.extend(state["Arguments"]["Payload"]["phase_number"].as_u64());
        let choices = state["Choices"].as_array().into_iter().flatten();
        let go_on = choices.clone().find(|choice| choice["Condition"] == "{% $states.input.go_on %}");
        at = go_on.unwrap_or(state)["Next"].as_str();
    }
    numbers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_machine_is_whole(lists in lists()) {
        let machine = rendered(&lists.text());
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
                // https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
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
        prop_assert_eq!(tasks, 2 * lists.pairs().len());
    }

    #[test]
    fn what_the_template_must_give_is_the_same_for_all_lists(lists in lists()) {
        let text = statemachine::render(&ServerLists::parse(&lists.text()).unwrap());
        let given: BTreeSet<&str> =
            text.split("${").skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
        let wanted = [
            "Calendar", "ClosedCalendarMail", "FunctionArn", "LaterRuns", "MissedSchedulesArn", "Partition",
            "ScheduleRoleArn", "UnreadableCalendar",
        ];
        prop_assert_eq!(given, BTreeSet::from(wanted));
    }

    #[test]
    fn nothing_but_environments_tiers_and_numbers_is_in_the_machine(lists in lists()) {
        let render = |lists: &Lists| statemachine::render(&ServerLists::parse(&lists.text()).unwrap());
        let other = Lists { settle: lists.settle + 30, name: "another name".to_owned(), ..lists.clone() };
        prop_assert_eq!(render(&lists), render(&other));
    }

    #[test]
    fn a_start_runs_the_tiers_in_the_files_order_and_a_stop_in_reverse(lists in lists()) {
        let machine = rendered(&lists.text());
        let branches = |action: &str| machine["States"][format!("{action} environments")]["Branches"].clone();
        let (start, stop) = (branches("Start"), branches("Stop"));
        let mut number = 0;
        for ((_, has), place) in lists.environments.iter().zip(0..) {
            let count = has.iter().filter(|has| **has).count() as u64;
            let mut tiers: Vec<u64> = (number..number + count).collect();
            prop_assert_eq!(order(&start[place]), tiers.clone());
            tiers.reverse();
            prop_assert_eq!(order(&stop[place]), tiers);
            number += count;
        }
    }
}
