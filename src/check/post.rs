//! Whether the report could be sent: what SES has verified. Pure.

use std::collections::BTreeSet;

use crate::model::failure::Kind;
use crate::model::{Failure, Problem};

use super::facts::identities;
use super::findings::Said;
use super::request::Post;

/// Whom a finding about the mail is said to be of.
const MAIL: &str = "mail";

pub(super) fn judge(post: Post<'_>, verified: &Result<BTreeSet<String>, Failure>) -> Said {
    let verified = match verified {
        Ok(verified) => verified,
        Err(failure) if failure.kind == Kind::Denied => {
            let what = format!(
                "whether SES has verified the addresses: the function may not ask ({}).",
                failure.code
            );
            return Said { not_proved: vec![what], ..Said::default() };
        }
        Err(failure) => {
            return Said { problems: vec![(Problem::of(MAIL, None, failure), false)], ..Said::default() };
        }
    };
    let is_verified = |address: &str| identities(address).iter().any(|identity| verified.contains(identity));
    let mut said = Said::default();
    if is_verified(post.sender) {
        said.proved.push(format!("SES has verified the sender, {}.", post.sender));
    } else {
        said.problems.push((Problem::of(MAIL, None, &Failure::sender_unverified(post.sender)), true));
    }
    if !post.sandbox {
        said.not_proved
            .push("whether the recipients exist: out of its sandbox SES takes any address.".to_owned());
        return said;
    }
    let (known, unknown): (Vec<&String>, Vec<&String>) =
        post.recipients.iter().partition(|address| is_verified(address));
    if !known.is_empty() {
        said.proved.push(format!(
            "SES has verified {} of {} recipients.",
            known.len(),
            post.recipients.len()
        ));
    }
    let refused = unknown.into_iter().map(|address| Failure::recipient_unverified(address));
    said.problems.extend(refused.map(|failure| (Problem::of(MAIL, None, &failure), true)));
    said
}
