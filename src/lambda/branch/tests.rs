//! The record of a branch: it grows by every phase, and never over its budget.

#![allow(clippy::unwrap_used, reason = "a test may")]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::{ActionRecord, ActionTaken, HoursOff, InitialState, Problem};

fn lists(environments: usize, tiers: &[&str], settle: u64) -> ServerLists {
    let mut text = format!("tiers = {tiers:?}\n");
    for (environment, place) in (0..environments).zip((0..).step_by(tiers.len())) {
        for (number, tier) in (place..).zip(tiers) {
            text += &format!(
                "[[list]]\nnumber = {number}\nenvironment = \"env{environment}\"\ntier = \"{tier}\"\nname = \"x\"\n\
                 servers = []\nready = \"running\"\ntimeout_minutes = 5\nsettle_seconds = {settle}\n"
            );
        }
    }
    ServerLists::parse(&text).unwrap()
}

/// What a phase of so many servers answers, of which so many have a problem.
fn phase_of(servers: usize, failed: usize, outcome: Outcome, text: &str) -> PhaseAnswer {
    let state = InitialState {
        instance_id: "i-0bad14933fffa49b9".to_owned(),
        state: "stopped".to_owned(),
        is_running: false,
    };
    let name = |n: usize| format!("server-{n:04}-é");
    let done = ActionRecord { action: ActionTaken::Started, seconds: Some(97), why: None };
    let problem = |n: usize| Problem {
        name: name(n),
        id: Some(state.instance_id.clone()),
        code: "NotInTime".to_owned(),
        message: text.to_owned(),
    };
    PhaseAnswer {
        next_phase: matches!(outcome, Outcome::Ready | Outcome::Degraded | Outcome::Empty),
        initial_state: InitialStates((0..servers).map(|n| (name(n), state.clone())).collect()),
        outcome,
        servers: Counts { total: servers, ready: servers - failed, changed: servers, failed, held: 0 },
        problems: (0..failed).map(problem).collect(),
        actions: (0..servers).map(|n| (name(n), done.clone())).collect(),
        off: HoursOff::default(),
        resume: (outcome == Outcome::InProgress).then(|| json!({ "known": "x".repeat(240 * servers) })),
        log_error: Some(text.to_owned()),
        mute_error: None,
    }
}

#[test]
fn a_phase_that_is_done_hands_on_its_record_and_the_way_to_the_next_tier() {
    let lists = lists(1, &["db", "app"], 0);
    let mut ready = phase_of(1, 0, Outcome::Ready, "");
    ready.log_error = None;
    let answer = answer(&lists, &lists.lists[0], false, Record::default(), ready);
    assert_eq!(
        serde_json::to_value(answer).unwrap(),
        serde_json::from_str::<Value>(include_str!("../../../tests/state_machine/branch_answer.json"))
            .unwrap()
    );
}

#[test]
fn only_what_goes_on_settles_and_a_dry_run_never_does() {
    let lists = lists(1, &["db", "app"], 30);
    let settles = |outcome: Outcome, dry_run: bool| {
        let answered = phase_of(1, 0, outcome, "");
        let step = answer(&lists, &lists.lists[0], dry_run, Record::default(), answered).branch;
        (step.settle, step.settle_seconds)
    };
    assert_eq!(settles(Outcome::Ready, false), (true, 30));
    assert_eq!(settles(Outcome::Ready, true), (false, 30));
    assert_eq!(settles(Outcome::Failed, false), (false, 30));
    assert_eq!(settles(Outcome::InProgress, false), (false, 30));
}

#[test]
fn a_dry_run_judges_every_tier_whatever_the_one_before_says() {
    let lists = lists(1, &["db", "app"], 0);
    let goes_on = |outcome: Outcome, dry_run: bool| {
        let answered = phase_of(1, 0, outcome, "");
        answer(&lists, &lists.lists[0], dry_run, Record::default(), answered).branch.go_on
    };
    assert!(goes_on(Outcome::Failed, true) && !goes_on(Outcome::Failed, false));
    assert!(!goes_on(Outcome::InProgress, true), "the same task goes on first");
}

#[test]
fn a_phase_in_progress_is_in_the_record_until_its_next_answer_takes_its_place() {
    let lists = lists(1, &["db", "app"], 0);
    let first = phase_of(2, 0, Outcome::InProgress, "");
    let first = answer(&lists, &lists.lists[0], false, Record::default(), first).branch;
    assert!(first.in_progress && first.resume.is_some() && !first.record.ok);
    assert_eq!((first.record.phases.len(), first.record.phases[0].actions.len()), (1, 2));
    let second = phase_of(2, 0, Outcome::Ready, "");
    let second = answer(&lists, &lists.lists[0], false, first.record, second).branch;
    assert_eq!(second.record.phases.len(), 1);
    assert_eq!(second.record.phases[0].outcome, Outcome::Ready);
    assert!(second.record.ok);
}

#[test]
fn a_thousand_servers_in_one_list_go_on_with_their_resume() {
    let lists = lists(1, &["db"], 0);
    let first =
        answer(&lists, &lists.lists[0], false, Record::default(), phase_of(1000, 0, Outcome::InProgress, ""));
    assert!(bytes(&first) <= STEP_BYTES + 1_000, "{}", bytes(&first));
    assert!(first.branch.resume.is_some() && first.branch.record.shortened);
    // The answer that decides has what the one before could not carry.
    let done =
        answer(&lists, &lists.lists[0], false, first.branch.record, phase_of(1000, 0, Outcome::Ready, ""));
    assert!(!done.branch.record.shortened);
    assert_eq!(done.branch.record.phases[0].actions.len(), 1000);
}

#[test]
fn what_a_phase_in_progress_says_is_shortened_before_what_is_decided() {
    let lists = lists(1, &["db", "app"], 0);
    let done =
        answer(&lists, &lists.lists[0], false, Record::default(), phase_of(300, 0, Outcome::Ready, ""));
    let app = phase_of(800, 0, Outcome::InProgress, "");
    let record = answer(&lists, &lists.lists[1], false, done.branch.record, app).branch.record;
    assert_eq!((record.phases[0].actions.len(), record.phases[1].actions.len()), (300, 0));
    assert!(record.shortened);
}

#[test]
fn a_server_takes_less_than_150_bytes_of_the_record() {
    let lists = lists(1, &["db"], 0);
    let of = |servers: usize| {
        let ready = phase_of(servers, 0, Outcome::Ready, "");
        bytes(&answer(&lists, &lists.lists[0], false, Record::default(), ready).branch.record)
    };
    assert!((of(200) - of(100)) / 100 < 150, "{}", (of(200) - of(100)) / 100);
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Ready),
        Just(Outcome::Degraded),
        Just(Outcome::Failed),
        Just(Outcome::InProgress)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_record_exceeds_its_budget_and_every_phase_is_in_it_once(
        environments in 1_usize..=20,
        phases in prop::collection::vec((0_usize..500, 0_usize..200, outcome(), 0_usize..1_000), 1..=6),
    ) {
        let tiers = ["a", "b", "c", "d", "e", "f"];
        let lists = lists(environments, &tiers, 0);
        let mut record = Record::default();
        for (place, (servers, failed, outcome, length)) in phases.iter().enumerate() {
            let answered = phase_of(*servers, (*failed).min(*servers), *outcome, &"é".repeat(*length));
            let given = answer(&lists, &lists.lists[place], false, record, answered);
            prop_assert!(bytes(&given) <= STEP_BYTES + 1_000);
            record = given.branch.record;
            prop_assert!(bytes(&record) <= RESULTS_BYTES / environments, "{}", bytes(&record));
            let numbers: Vec<u32> = record.phases.iter().map(|phase| phase.phase_number).collect();
            prop_assert_eq!(numbers, (0..).take(place + 1).collect::<Vec<u32>>());
            let read: Record = serde_json::from_value(serde_json::to_value(&record).unwrap()).unwrap();
            prop_assert_eq!(&read, &record);
        }
    }
}
