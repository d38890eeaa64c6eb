//! `make bench`'s simulated rows: whole starts in virtual time, ours and the baseline's on the same fleets.
//!
//! Gives one JSON object: `fleets` (dead time, critical path), `sizes` (requests and throttles, with bad
//! servers), `growth` (requests, seconds and bytes up to 10,000 servers). `bench/simulated.py` reads it.

mod account;
mod baseline;
mod fleet;
mod whole_start;

use std::collections::BTreeMap;

use crate::model::PhaseAnswer;
use crate::servers::file::{ServerList, ServerLists};
use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Value, json};

use whole_start::{Starter, WholeStart};

const FLEETS: u64 = 200;
/// Samples of each size: other boot times, other jitter.
const SAMPLES: u64 = 7;
const SIZES: [usize; 4] = [20, 200, 1_000, 2_000];
const GROWTH: [usize; 10] = [10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];
/// EC2's bucket of requests that read, filtered or paginated
/// (<https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>).
const READ_TOKENS: f64 = 100.0;
const READ_TOKENS_PER_SECOND: f64 = 20.0;

/// Simulates, and gives the figures.
pub fn figures() -> Value {
    let sizes: Vec<Value> = SIZES.iter().flat_map(|size| with_bad_servers(*size)).collect();
    let growth: Vec<Value> = GROWTH.iter().map(|size| grown(*size)).collect();
    json!({ "fleets": fleets(), "sizes": sizes, "growth": growth })
}

/// The shipped lists with random boot times.
fn fleets() -> Value {
    let lists = fleet::lists(None);
    let (mut ours, mut baseline) = (Vec::new(), Vec::new());
    for seed in 0..FLEETS {
        let servers = fleet::servers(&lists.lists, 0, &mut Rng::with_seed(seed));
        let critical_path = whole_start::critical_path(&lists, &servers);
        for (starter, told) in [(Starter::Ours, &mut ours), (Starter::Baseline, &mut baseline)] {
            let start = whole_start::start(&lists, &servers, starter);
            told.push(json!({
                "seconds": start.seconds,
                "critical_path": critical_path,
                "dead_seconds": dead_seconds(&lists, &start),
            }));
        }
    }
    json!({ "ours": ours, "baseline": baseline })
}

/// Of each environment; null where the next tier was not reached.
fn dead_seconds(lists: &ServerLists, start: &WholeStart) -> Vec<Option<f64>> {
    let of = |environment: &str| -> Vec<Option<f64>> {
        let phases: Vec<&ServerList> = lists.in_start_order(environment);
        phases.windows(2).map(|pair| whole_start::dead_seconds(start, pair[0], pair[1])).collect()
    };
    lists.environments().into_iter().flat_map(of).collect()
}

/// No bad server, one, and one in a hundred.
fn with_bad_servers(size: usize) -> Vec<Value> {
    let mut bad = vec![0, 1, size / 100];
    bad.sort_unstable();
    bad.dedup();
    bad.into_iter().map(|bad| sized(size, bad)).collect()
}

fn sized(size: usize, bad: usize) -> Value {
    let lists = fleet::lists(Some(size));
    let samples = |starter: Starter| -> Vec<Value> {
        let one = |seed: u64| {
            let servers = fleet::servers(&lists.lists, bad, &mut Rng::with_seed(seed));
            calls(&whole_start::start(&lists, &servers, starter))
        };
        (0..SAMPLES).map(one).collect()
    };
    json!({
        "servers": size,
        "bad": bad,
        "ours": samples(Starter::Ours),
        "baseline": samples(Starter::Baseline),
    })
}

fn calls(start: &WholeStart) -> Value {
    json!({
        "requests": start.account.requests(),
        "start_requests": start.account.world.calls_of("StartInstances").len(),
        "throttles": start.account.world.throttled.get() as usize + throttled_reads(&start.account.reads.borrow()),
        "seconds": start.seconds,
        "running": whole_start::running(start),
    })
}

/// How many of these requests EC2's bucket would not have held.
fn throttled_reads(reads: &[(Timestamp, usize)]) -> usize {
    let mut tokens = READ_TOKENS;
    let mut last = Timestamp::MAX;
    let mut throttled = 0;
    for (at, requests) in reads {
        let seconds = at.duration_since(last).as_secs_f64().max(0.0);
        tokens = (tokens + seconds * READ_TOKENS_PER_SECOND).min(READ_TOKENS);
        last = *at;
        let taken = (*requests).min(tokens as usize);
        throttled += requests - taken;
        tokens -= taken as f64;
    }
    throttled
}

/// A good fleet of this size: what grows with it.
fn grown(size: usize) -> Value {
    let lists = fleet::lists(Some(size));
    let servers = fleet::servers(&lists.lists, 0, &mut Rng::with_seed(7));
    let start = whole_start::start(&lists, &servers, Starter::Ours);
    let mut told = calls(&start);
    told["servers"] = json!(size);
    told["critical_path"] = json!(whole_start::critical_path(&lists, &servers));
    told["largest_answer_bytes"] = json!(start.answers.iter().map(bytes).max());
    told["all_answers_bytes"] = json!(start.answers.iter().map(bytes).sum::<usize>());
    told["busiest_second_reads"] = json!(busiest_second(&start.account.reads.borrow()));
    told
}

/// The answers that the state machine keeps are a phase's whole ones, with two names more.
fn bytes(answer: &PhaseAnswer) -> usize {
    serde_json::to_string(answer).expect("plain values").len()
}

/// The most requests that read within one second.
fn busiest_second(reads: &[(Timestamp, usize)]) -> usize {
    let mut seconds: BTreeMap<i64, usize> = BTreeMap::new();
    for (at, requests) in reads {
        *seconds.entry(at.as_second()).or_default() += requests;
    }
    seconds.into_values().max().unwrap_or_default()
}
