//! How fast: EC2's published token buckets, and the pauses between polls. Pure: time is an argument.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::Action;

use super::plan::{Plan, Server, Standing, Step};

/// The most instances that one StartInstances or StopInstances names. A request fails whole, so a
/// smaller batch loses less; StartInstances' bucket refills by two requests a second.
pub(crate) const BATCH: usize = 50;

/// The first look after asking.
const FIRST_POLL: Duration = Duration::from_secs(2);
/// The longest pause between polls: what the next tier waits at most for nothing.
pub(crate) const LONGEST_POLL: Duration = Duration::from_secs(5);
/// The longest pause while no status check can have passed yet.
const BOOT_POLL: Duration = Duration::from_secs(30);
/// No status check passes before this: they are made every minute
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html>), and the first
/// ones after a boot say `initializing`.
const FIRST_CHECKS: SignedDuration = SignedDuration::from_secs(60);
/// The pause before the second look at servers that have passed once.
const CONFIRM: Duration = Duration::from_secs(2);
/// The pause before the second look at a failure that one look has shown.
const DOUBT: Duration = Duration::from_secs(5);
/// The pause before asking again where EC2 had no capacity: it grows to the longest.
const CAPACITY_FIRST: Duration = Duration::from_secs(15);
const CAPACITY_LONGEST: Duration = Duration::from_secs(120);
/// The pause after `RequestLimitExceeded`: it grows to the longest.
const THROTTLE_FIRST: Duration = Duration::from_secs(1);
const THROTTLE_LONGEST: Duration = Duration::from_secs(20);

/// A token bucket: so many tokens at once, so many a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenBucket {
    tokens: f64,
    at: Timestamp,
    #[serde(skip)]
    size: f64,
    #[serde(skip)]
    per_second: f64,
}

impl TokenBucket {
    fn full(size: f64, per_second: f64, now: Timestamp) -> Self {
        Self { tokens: size, at: now, size, per_second }
    }

    fn refill(&mut self, now: Timestamp) {
        let seconds = now.duration_since(self.at).as_secs_f64().max(0.0);
        self.tokens = (self.tokens + seconds * self.per_second).min(self.size);
        self.at = now;
    }

    fn wait_for(&self, wanted: f64) -> Duration {
        let missing = wanted.min(self.size) - self.tokens;
        Duration::from_secs_f64((missing / self.per_second).max(0.0))
    }
}

/// The two buckets that a StartInstances or StopInstances takes from: one token a request, one an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Buckets {
    requests: TokenBucket,
    instances: TokenBucket,
}

impl Buckets {
    /// Full buckets for `action`. The account's request bucket is shared out among `sharers`, the
    /// environments that run at the same time. The instances' bucket is not: all lists together seldom need its
    /// 1,000, and a share would let each wait for what the others do not take. Where they do need more, EC2
    /// throttles, which slows down and fails nobody (docs/performance.md). Sizes:
    /// <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>.
    pub(crate) fn full(action: Action, sharers: usize, now: Timestamp) -> Self {
        let share = sharers.max(1) as f64;
        let (requests, requests_per_second, instances, instances_per_second) = match action {
            Action::Start => (5.0, 2.0, 1000.0, 2.0),
            Action::Stop => (50.0, 5.0, 1000.0, 20.0),
        };
        Self {
            requests: TokenBucket::full(f64::max(requests / share, 1.0), requests_per_second / share, now),
            instances: TokenBucket::full(instances, instances_per_second, now),
        }
    }

    /// Buckets that were handed on by the invocation before, with the sizes that are not.
    pub(crate) fn resumed(self, action: Action, sharers: usize) -> Self {
        let mut buckets = Self::full(action, sharers, self.requests.at);
        buckets.requests.tokens = self.requests.tokens.min(buckets.requests.size);
        buckets.instances.tokens = self.instances.tokens.min(buckets.instances.size);
        buckets.instances.at = self.instances.at;
        buckets
    }

    /// When the requests' bucket was last counted.
    pub(crate) fn requests_at(&self) -> Timestamp {
        self.requests.at
    }

    /// When the instances' bucket was last counted.
    pub(crate) fn instances_at(&self) -> Timestamp {
        self.instances.at
    }

    /// Whether these can be the tokens of a bucket: a phase takes at most one batch more than there are.
    pub(crate) fn are_possible(&self) -> bool {
        let possible = |tokens: f64| (-1000.0..=1000.0).contains(&tokens);
        possible(self.requests.tokens) && possible(self.instances.tokens)
    }

    /// How long to wait until a request for `instances` instances is within both buckets.
    pub(crate) fn wait_for(&mut self, instances: usize, now: Timestamp) -> Duration {
        self.requests.refill(now);
        self.instances.refill(now);
        self.requests.wait_for(1.0).max(self.instances.wait_for(instances as f64))
    }

    /// Takes the tokens of one request.
    pub(crate) fn take(&mut self, instances: usize, now: Timestamp) {
        self.requests.refill(now);
        self.instances.refill(now);
        self.requests.tokens -= 1.0;
        self.instances.tokens -= instances as f64;
    }
}

/// The pause before the next look. `looks` is how many there were since the last change; `chance` 0.0 ..= 1.0.
pub(crate) fn poll_pause(looks: u32, plan: &Plan, chance: f64) -> Duration {
    if plan.only_doubts() {
        return jittered(DOUBT, chance);
    }
    if plan.only_confirms() {
        return jittered(CONFIRM, chance);
    }
    let under_way = plan.servers.iter().filter(|server| matches!(server.standing, Standing::UnderWay(_)));
    let quiet = under_way.map(|server| quiet_for(server, plan.at)).min().unwrap_or_default();
    if quiet > LONGEST_POLL { jittered(quiet.min(BOOT_POLL), chance) } else { growing_pause(looks, chance) }
}

/// For how long a look at this server cannot show it ready: it boots, and its first checks are not made yet.
fn quiet_for(server: &Server, now: Timestamp) -> Duration {
    let boots = matches!(server.standing, Standing::UnderWay(Step::Boot(_)));
    let launched_at = server.instance.as_ref().and_then(|instance| instance.launch_time);
    let left = launched_at.filter(|_| boots).map(|at| FIRST_CHECKS - now.duration_since(at));
    left.and_then(|left| Duration::try_from(left).ok()).unwrap_or_default()
}

fn growing_pause(looks: u32, chance: f64) -> Duration {
    jittered(grown(FIRST_POLL, LONGEST_POLL, 1.3, looks), chance)
}

/// The pause before asking again for capacity after `refusals` refusals.
pub(crate) fn capacity_pause(refusals: u32, chance: f64) -> Duration {
    jittered(grown(CAPACITY_FIRST, CAPACITY_LONGEST, 1.6, refusals.saturating_sub(1)), chance)
}

/// The pause after `throttles` throttled requests in a row.
pub(crate) fn throttle_pause(throttles: u32, chance: f64) -> Duration {
    jittered(grown(THROTTLE_FIRST, THROTTLE_LONGEST, 2.0, throttles.saturating_sub(1)), chance)
}

fn grown(first: Duration, longest: Duration, factor: f64, times: u32) -> Duration {
    first.mul_f64(factor.powi(times.min(64) as i32)).min(longest)
}

/// Three quarters to all of a pause, so that environments that began together do not poll together.
fn jittered(pause: Duration, chance: f64) -> Duration {
    pause.mul_f64(0.75 + 0.25 * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_full_bucket_lets_a_request_go_at_once() {
        assert_eq!(Buckets::full(Action::Start, 1, NOW).wait_for(BATCH, NOW), Duration::ZERO);
    }

    #[test]
    fn the_sixth_start_request_waits_for_a_refill() {
        let mut buckets = Buckets::full(Action::Start, 1, NOW);
        for _ in 0..5 {
            assert_eq!(buckets.wait_for(1, NOW), Duration::ZERO);
            buckets.take(1, NOW);
        }
        assert_eq!(buckets.wait_for(1, NOW), Duration::from_millis(500));
        assert_eq!(buckets.wait_for(1, NOW + Duration::from_millis(500)), Duration::ZERO);
    }

    #[test]
    fn after_a_thousand_instances_starts_trickle() {
        let mut buckets = Buckets::full(Action::Start, 1, NOW);
        buckets.take(1000, NOW);
        assert_eq!(buckets.wait_for(50, NOW), Duration::from_secs(25));
    }

    #[test]
    fn environments_that_run_together_share_the_requests() {
        let mut buckets = Buckets::full(Action::Start, 3, NOW);
        buckets.take(1, NOW);
        buckets.take(1, NOW);
        assert!(buckets.wait_for(1, NOW) > Duration::from_millis(500));
    }

    #[test]
    fn a_resumed_bucket_is_as_empty_as_it_was() {
        let mut buckets = Buckets::full(Action::Start, 1, NOW);
        buckets.take(1000, NOW);
        let wire = serde_json::to_string(&buckets).expect("plain numbers");
        let read: Buckets = serde_json::from_str(&wire).expect("what was written");
        assert_eq!(read.resumed(Action::Start, 1), buckets);
    }

    #[test]
    fn pauses_grow_to_their_longest_and_jitter_within_a_quarter() {
        assert!(growing_pause(0, 1.0) < growing_pause(2, 1.0));
        assert_eq!(growing_pause(1000, 1.0), LONGEST_POLL);
        assert_eq!(growing_pause(1000, 0.0), LONGEST_POLL.mul_f64(0.75));
        assert_eq!(capacity_pause(1, 1.0), CAPACITY_FIRST);
        assert_eq!(capacity_pause(99, 1.0), CAPACITY_LONGEST);
    }
}
