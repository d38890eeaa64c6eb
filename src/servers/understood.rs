//! What a servers.toml means, for people: environment by environment, in the order of tiers.

use super::approve::Approval;
use super::file::{Minimum, Readiness, ServerList, ServerLists};

impl ServerLists {
    /// A line an environment, `dev: db (3 servers) → app (4 servers, application, minimum 2)` for example.
    pub(crate) fn understood(&self) -> String {
        self.environments().into_iter().map(|name| self.line(name)).collect::<Vec<_>>().join("\n")
    }

    fn line(&self, environment: &str) -> String {
        let lists = self.in_start_order(environment);
        let tiers: Vec<String> = lists.iter().map(|list| tier(list)).collect();
        // A letter wrong in an environment's name shows here.
        let alone = if lists.len() == 1 && self.tiers.len() > 1 { "  ! one tier only" } else { "" };
        let place = self.elsewhere.get(environment);
        let place =
            place.map(|place| format!(" ({})", place.words("the stack's Region"))).unwrap_or_default();
        let asked = self.approvals.get(environment).map(approval).unwrap_or_default();
        format!("{environment}{place}: {}{asked}{alone}", tiers.join(" → "))
    }
}

/// `; a person is asked before a stop, for 60 min; silence: leave alone`
fn approval(approval: &Approval) -> String {
    let actions: Vec<&str> = approval.actions.iter().map(|action| action.word()).collect();
    let (minutes, silence) = (approval.minutes, approval.silence.words());
    format!("; a person is asked before a {}, for {minutes} min; silence: {silence}", actions.join(" or a "))
}

fn tier(list: &ServerList) -> String {
    let mut parts = Vec::new();
    match list.servers.len() {
        0 if list.tags.is_empty() => parts.push("no servers".to_owned()),
        0 => {}
        1 => parts.push("1 server".to_owned()),
        count => parts.push(format!("{count} servers")),
    }
    if !list.tags.is_empty() {
        let tags: Vec<String> = list.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        parts.push(format!("tags {}", tags.join(" and ")));
    }
    match list.ready {
        Readiness::Running => parts.push("running".to_owned()),
        Readiness::StatusChecks => {}
        Readiness::Application => parts.push("application".to_owned()),
    }
    if let Minimum::AtLeast(number) = list.minimum {
        parts.push(format!("minimum {number}"));
    }
    if let Some(after) = list.force_stop_after {
        parts.push(format!("stopped by force after {} min", after.as_secs() / 60));
    }
    format!("{} ({})", list.tier, parts.join(", "))
}
