//! The baseline's phase: the same fixed waits as `bench/baseline/function.py`, in virtual time.

use std::time::Duration;

use crate::model::{Check, Instance, InstanceState};
use crate::ports::{ChangeInstances, Clock, ReadInstances, Selection};
use crate::servers::file::ServerList;

use super::account::Account;

const STATE_LOOKS: usize = 4;
const STATE_WAIT: Duration = Duration::from_secs(15);
const STATUS_LOOKS: usize = 6;
const STATUS_WAIT: Duration = Duration::from_secs(45);
/// The Wait state between the tiers.
pub(crate) const BETWEEN_TIERS: Duration = Duration::from_secs(60);
/// EC2 refuses more values in a filter.
const VALUES_PER_FILTER: usize = 200;

/// Whether the next tier may go ahead.
pub(crate) async fn start(account: &Account, list: &ServerList) -> bool {
    if list.servers.len() > VALUES_PER_FILTER {
        return false;
    }
    let Some(stopped) = describe(account, list).await else { return false };
    let ids: Vec<String> = stopped.into_iter().map(|instance| instance.id).collect();
    account.start(&ids).await.is_ok()
        && all_running(account, list).await
        && all_checks_passed(account, &ids).await
}

async fn describe(account: &Account, list: &ServerList) -> Option<Vec<Instance>> {
    let selection = Selection { names: &list.servers, tags: &list.tags };
    account.in_one_request(selection).await.ok()
}

async fn all_running(account: &Account, list: &ServerList) -> bool {
    for _ in 0..STATE_LOOKS {
        account.sleep(STATE_WAIT).await;
        let seen = describe(account, list).await.unwrap_or_default();
        if seen.iter().all(|instance| instance.state == InstanceState::Running) {
            return true;
        }
    }
    false
}

async fn all_checks_passed(account: &Account, ids: &[String]) -> bool {
    for _ in 0..STATUS_LOOKS {
        account.sleep(STATUS_WAIT).await;
        let seen = account.status_checks(ids).await.unwrap_or_default();
        if seen.values().all(|checks| checks.instance == Check::Ok && checks.system == Check::Ok) {
            return true;
        }
    }
    false
}
