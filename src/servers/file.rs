//! What a servers.toml says: which servers there are, in which environment and tier, and when they count as ready.
//!
//! Owns the nouns that the whole program shares. How a file becomes them, `read` says.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;

use super::approve::Approval;
use crate::model::{Action, Elsewhere};

/// How far a started server must have come to count as ready. Each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Readiness {
    /// EC2 says `running`.
    Running,
    /// The instance, system and attached-EBS status checks pass.
    StatusChecks,
    /// EC2's application status passes too.
    Application,
}

/// How many servers of a list must be ready before the next tier may go ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Minimum {
    /// Every server that is not held.
    All,
    /// This many.
    AtLeast(usize),
}

/// What a running server costs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rate {
    /// Of one server, an hour.
    pub amount: f64,
    /// For example `USD`.
    pub currency: String,
}

/// One list of servers: one environment's one tier.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServerList {
    /// The `phase_number` of the payload.
    pub number: u32,
    /// For example `dev`.
    pub environment: String,
    /// For example `db`.
    pub tier: String,
    /// For people, `development db servers` for example.
    pub name: String,
    /// Name tags. With `tags` too, an instance must have both.
    pub servers: Vec<String>,
    /// Tags that an instance must carry.
    pub tags: BTreeMap<String, String>,
    /// When a started server counts as ready.
    pub ready: Readiness,
    /// How long the list may take, all invocations together.
    pub timeout: Duration,
    /// How long to wait after this list before the next tier.
    pub settle: Duration,
    /// How many must be ready.
    pub minimum: Minimum,
    /// After this a minimum that is met is enough, although others are still under way.
    pub minimum_after: Option<Duration>,
    /// After how long a graceful stop becomes a forced one; never, if absent.
    pub force_stop_after: Option<Duration>,
    /// What one of its servers costs an hour, on average: only the user knows.
    pub hourly_rate: Option<Rate>,
}

impl ServerList {
    /// Environment and tier, `dev db` for example: what people call the list.
    pub(crate) fn label(&self) -> String {
        format!("{} {}", self.environment, self.tier)
    }

    /// The field of a branch's result that holds the list's initial states, `dev_db_initial_state` for example.
    pub(crate) fn initial_state_field(&self) -> String {
        format!("{}_{}_initial_state", self.environment, self.tier)
    }
}

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ServerLists {
    /// The tiers in the order of their start; a stop reverses it.
    pub tiers: Vec<String>,
    /// The lists, in the file's order.
    pub lists: Vec<ServerList>,
    /// Where the environments are that are not in the stack's own account and Region.
    pub elsewhere: BTreeMap<String, Elsewhere>,
    /// The environments of which a person is asked.
    pub approvals: BTreeMap<String, Approval>,
    /// The calendars of the schedules that fire, each once: what the check asks beside the stack's own.
    pub calendars: Vec<String>,
}

impl ServerLists {
    /// The list of a `phase_number`.
    pub(crate) fn numbered(&self, number: u32) -> Option<&ServerList> {
        self.lists.iter().find(|list| list.number == number)
    }

    /// The environments, in the order in which the file names them first.
    pub(crate) fn environments(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        self.lists.iter().map(|list| list.environment.as_str()).filter(|name| seen.insert(*name)).collect()
    }

    /// How a person is asked before this is done to an environment, if one is.
    pub(crate) fn approval(&self, environment: &str, action: Action) -> Option<&Approval> {
        self.approvals.get(environment).filter(|approval| approval.actions.contains(&action))
    }

    /// How many environments are where this one is, itself too, and share EC2's token buckets: those are an account's
    /// and a Region's (<https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>). `home` is the
    /// stack's own account, where it is known, and Region.
    pub(crate) fn sharers(&self, environment: &str, home: (Option<&str>, &str)) -> usize {
        let place = |name: &str| match self.elsewhere.get(name) {
            Some(elsewhere) => (Some(elsewhere.account()), elsewhere.region(home.1)),
            None => home,
        };
        self.environments().into_iter().filter(|name| place(name) == place(environment)).count()
    }

    /// An environment's lists in the order of their start.
    pub(crate) fn in_start_order(&self, environment: &str) -> Vec<&ServerList> {
        let place = |list: &&ServerList| self.tiers.iter().position(|tier| *tier == list.tier);
        let mut lists: Vec<&ServerList> =
            self.lists.iter().filter(|list| list.environment == environment).collect();
        lists.sort_by_key(place);
        lists
    }
}
