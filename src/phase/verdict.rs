//! What came of a phase, judged on what was last observed: pure.
//!
//! Owns what "ready" means, which of the three a server is (ready, problem, held; or still under way), and
//! whether the next tier may go ahead. Missing data is not success.

use crate::model::{Action, Check, Counts, Outcome, Problem, StatusChecks, failure};
use crate::phase::plan::Step;
use crate::servers::file::{Minimum, Readiness};

/// How one server stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// As wanted.
    Ready,
    /// Not as wanted yet; the sentence says what is waited for.
    UnderWay(String),
    /// Left alone on purpose, and not as wanted; the sentence says why.
    Held(String),
    /// Not as wanted, and waiting is of no use: a code and what happened.
    Failed(String, String),
}

/// Why a running server does not count as ready, if it does not. `None` for `checks` means that EC2 left it out.
pub fn not_ready(level: Readiness, checks: Option<&StatusChecks>) -> Option<String> {
    if level == Readiness::Running {
        return None;
    }
    let Some(checks) = checks else {
        return Some("EC2 gives no status checks for it".to_owned());
    };
    let mut wanted = vec![
        ("instance status", &checks.instance, false),
        ("system status", &checks.system, false),
        // Instance types without EBS checks say so.
        ("attached EBS status", &checks.attached_ebs, true),
    ];
    if level == Readiness::Application {
        wanted.push(("application status", &checks.application, false));
    }
    let missing: Vec<String> = wanted
        .into_iter()
        .filter_map(|(name, check, may_not_apply)| match check {
            Check::Ok => None,
            Check::NotApplicable if may_not_apply => None,
            Check::NotApplicable => Some(format!("{name}: not-applicable")),
            Check::Missing => Some(format!("{name}: missing")),
            Check::Not(word) => Some(format!("{name}: {word}")),
        })
        .collect();
    (!missing.is_empty()).then(|| missing.join(", "))
}

/// How many looks in a row must find a server ready: one for a server that nobody touched, two for one that
/// this run changed where status checks decide, because they may flap while it boots.
pub fn passes_needed(level: Readiness, changed_by_this_run: bool) -> u32 {
    if changed_by_this_run && level > Readiness::Running { 2 } else { 1 }
}

/// How a server stands, from its step and, for a start, from what keeps it from being ready.
pub fn standing(step: &Step, not_ready: Option<String>, passes: u32, passes_needed: u32) -> Standing {
    match step {
        Step::AsWanted => match not_ready {
            Some(why) => Standing::UnderWay(why),
            None if passes < passes_needed => {
                Standing::UnderWay("it is ready; one more look to be sure".to_owned())
            }
            None => Standing::Ready,
        },
        Step::Ask(_, why) | Step::Wait(why) => Standing::UnderWay(why.clone()),
        Step::LeaveAlone(why) => Standing::Held(why.clone()),
        Step::GiveUp(code, what) => Standing::Failed(code.clone(), what.clone()),
    }
}

/// The problem of a server: what happened, and what a person can do.
pub fn problem(name: &str, id: Option<&str>, code: &str, what: &str, action: Action) -> Problem {
    let advice = failure::advice(code, action);
    let message =
        if what.is_empty() { advice.to_owned() } else { format!("{}. {advice}", what.trim_end_matches('.')) };
    Problem { name: name.to_owned(), id: id.map(str::to_owned), code: code.to_owned(), message }
}

/// The outcome, from the counts of a phase in which nothing is under way any more.
pub fn outcome(counts: &Counts, minimum: Minimum) -> Outcome {
    if counts.total == 0 {
        return Outcome::Empty;
    }
    if counts.failed == 0 && minimum_met(counts, minimum) {
        return Outcome::Ready;
    }
    if minimum_met(counts, minimum) { Outcome::Degraded } else { Outcome::Failed }
}

/// Whether the list's rule holds. Held servers are not asked for, so "all" does not count them; a number counts
/// only servers that are ready.
fn minimum_met(counts: &Counts, minimum: Minimum) -> bool {
    match minimum {
        Minimum::All => counts.ready + counts.held == counts.total,
        Minimum::AtLeast(number) => counts.ready >= number,
    }
}

/// Whether the tier after this one may go ahead.
pub fn next_phase(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Ready | Outcome::Degraded | Outcome::Empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_ok() -> StatusChecks {
        StatusChecks {
            instance: Check::Ok,
            system: Check::Ok,
            attached_ebs: Check::Ok,
            application: Check::Ok,
        }
    }

    fn counts(ready: usize, failed: usize, held: usize) -> Counts {
        Counts { total: ready + failed + held, ready, changed: 0, failed, held }
    }

    #[test]
    fn a_server_whose_checks_all_pass_is_ready_at_every_level() {
        for level in [Readiness::Running, Readiness::StatusChecks, Readiness::Application] {
            assert_eq!(not_ready(level, Some(&all_ok())), None);
        }
    }

    #[test]
    fn each_check_alone_keeps_a_server_from_being_ready() {
        let bad = Check::Not("impaired".to_owned());
        for checks in [
            StatusChecks { instance: bad.clone(), ..all_ok() },
            StatusChecks { system: bad.clone(), ..all_ok() },
            StatusChecks { attached_ebs: bad.clone(), ..all_ok() },
        ] {
            assert!(not_ready(Readiness::StatusChecks, Some(&checks)).is_some(), "{checks:?}");
            assert_eq!(not_ready(Readiness::Running, Some(&checks)), None);
        }
        let checks = StatusChecks { application: bad, ..all_ok() };
        assert_eq!(not_ready(Readiness::StatusChecks, Some(&checks)), None);
        assert!(not_ready(Readiness::Application, Some(&checks)).is_some());
    }

    #[test]
    fn a_missing_status_is_not_ready() {
        assert!(not_ready(Readiness::StatusChecks, None).is_some());
        assert!(not_ready(Readiness::StatusChecks, Some(&StatusChecks::default())).is_some());
        let no_ebs = StatusChecks { attached_ebs: Check::Missing, ..all_ok() };
        assert_eq!(
            not_ready(Readiness::StatusChecks, Some(&no_ebs)).as_deref(),
            Some("attached EBS status: missing")
        );
    }

    #[test]
    fn an_instance_type_without_ebs_checks_is_not_held_back_by_them() {
        let checks = StatusChecks { attached_ebs: Check::NotApplicable, ..all_ok() };
        assert_eq!(not_ready(Readiness::StatusChecks, Some(&checks)), None);
    }

    #[test]
    fn a_server_that_this_run_changed_must_pass_twice() {
        let needed = passes_needed(Readiness::StatusChecks, true);
        assert!(matches!(standing(&Step::AsWanted, None, 1, needed), Standing::UnderWay(_)));
        assert_eq!(standing(&Step::AsWanted, None, 2, needed), Standing::Ready);
        assert_eq!(
            standing(&Step::AsWanted, None, 1, passes_needed(Readiness::StatusChecks, false)),
            Standing::Ready
        );
    }

    #[test]
    fn all_means_every_server_that_is_not_held() {
        assert_eq!(outcome(&counts(3, 0, 0), Minimum::All), Outcome::Ready);
        assert_eq!(outcome(&counts(2, 0, 1), Minimum::All), Outcome::Ready);
        assert_eq!(outcome(&counts(2, 1, 0), Minimum::All), Outcome::Failed);
    }

    #[test]
    fn a_minimum_that_is_met_without_all_is_degraded_and_goes_ahead() {
        assert_eq!(outcome(&counts(2, 1, 0), Minimum::AtLeast(2)), Outcome::Degraded);
        assert!(next_phase(Outcome::Degraded));
        assert_eq!(outcome(&counts(1, 2, 0), Minimum::AtLeast(2)), Outcome::Failed);
        assert!(!next_phase(Outcome::Failed));
    }

    #[test]
    fn an_empty_list_lets_the_next_tier_go_ahead() {
        assert_eq!(outcome(&counts(0, 0, 0), Minimum::All), Outcome::Empty);
        assert!(next_phase(Outcome::Empty));
    }
}
