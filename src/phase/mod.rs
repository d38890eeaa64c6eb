//! One phase: look, decide, ask, wait, until every server of the list stands as it should or cannot.
//!
//! Read `run` first; it is the loop. `look` sees what is, `decide` says how each server stands (`plan`),
//! `ask` sends what the plan wants, `progress` holds what cannot be seen (`resume` takes it over), `pace` knows EC2's
//! limits. Others may `watch`; the loop does not know them.

pub(crate) mod afterwards;
pub(crate) mod answer;
pub(crate) mod ask;
pub(crate) mod decide;
pub(crate) mod dry_run;
pub(crate) mod in_time;
pub(crate) mod keys;
pub(crate) mod look;
pub(crate) mod pace;
pub(crate) mod patience;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod seen;
pub(crate) mod watch;

pub(crate) use run::run;

#[cfg(test)]
mod tests;
