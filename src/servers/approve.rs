//! `approve` in `[environment.NAME]`: what is done to an environment only if a person says yes, and what silence means.
//!
//! Owns the three keys and their checks. The machine's states of it, `machine/approval` has.

use serde::Deserialize;

use super::keys::{APPROVE, APPROVE_MINUTES, APPROVE_SILENCE, LONGEST_MINUTES, USUAL_APPROVE_MINUTES};
use super::mistake::{Given, Mistakes};
use super::table::Table;
use crate::model::Action;

/// What follows if nobody answers in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Silence {
    /// The environment stays as it is.
    #[serde(rename = "leave alone")]
    LeaveAlone,
    /// The run goes on, as after a yes.
    #[serde(rename = "go on")]
    GoOn,
}

/// How a person is asked about an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Approval {
    /// Before which actions.
    pub actions: Vec<Action>,
    /// For how long an answer is waited for.
    pub minutes: u64,
    /// What follows if none comes.
    pub silence: Silence,
}

/// The three keys as they stand in a table.
pub(super) struct RawApproval {
    approve: Given<Vec<Action>>,
    minutes: Given<u64>,
    silence: Given<Silence>,
}

impl RawApproval {
    pub(super) fn read(table: &Table<'_>, mistakes: &mut Mistakes<'_>) -> Self {
        let fits = |actions: &Vec<Action>| match actions[..] {
            [_] => true,
            [one, other] => one != other,
            _ => false,
        };
        let approve = table.read(&APPROVE, fits, mistakes);
        if !approve.is_absent() && table.get(&APPROVE_SILENCE).is_none() {
            table.lacks(&APPROVE_SILENCE, mistakes);
        }
        let is_minutes = |minutes: &u64| (1..=LONGEST_MINUTES).contains(minutes);
        let minutes = table.read(&APPROVE_MINUTES, is_minutes, mistakes);
        let silence = table.read(&APPROVE_SILENCE, |_| true, mistakes);
        let alone = [&APPROVE_MINUTES, &APPROVE_SILENCE].into_iter().find(|key| table.get(key).is_some());
        if let Some(key) = alone.filter(|_| approve.is_absent()) {
            let at = table.get(key).map(toml::Spanned::span).unwrap_or_default();
            let what = format!("{} without approve: write approve = {} too", key.name, APPROVE.example);
            mistakes.note(&at, what);
        }
        Self { approve, minutes, silence }
    }

    /// Whether none of the three keys is there.
    pub(super) fn is_absent(&self) -> bool {
        self.approve.is_absent() && self.minutes.is_absent() && self.silence.is_absent()
    }

    /// What is asked, if anything is and nothing of it is missing or bad.
    pub(super) fn as_approval(&self) -> Option<Approval> {
        let actions = self.approve.value()?.clone();
        let minutes = self.minutes.value().copied().unwrap_or(USUAL_APPROVE_MINUTES);
        Some(Approval { actions, minutes, silence: *self.silence.value()? })
    }
}

impl Silence {
    /// As it is written.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::LeaveAlone => "leave alone",
            Self::GoOn => "go on",
        }
    }
}
