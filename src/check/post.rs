//! Whether the report could be sent: what SES has verified. Pure.

use std::collections::BTreeSet;

use crate::model::failure::Kind;
use crate::model::{Failure, Problem};

use super::facts::identities;
use super::findings::Said;
use super::request::Post;

/// Whom a finding about the mail is said to be of.
const MAIL: &str = "mail";
/// Of an address's identities, those that stand first: itself and its domain.
const OWN: usize = 2;

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
    let mut said = sender(post, verified);
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

/// SES takes a sender by the nearest identity that it has verified, and IAM is asked for that one: out of the sandbox
/// the template's role names the address and its domain (SendTheReport), and no domain above.
fn sender(post: Post<'_>, verified: &BTreeSet<String>) -> Said {
    let known = identities(post.sender);
    let (own, above) = known.split_at(OWN.min(known.len()));
    let by = |identities: &[String]| identities.iter().find(|identity| verified.contains(*identity)).cloned();
    let would_fail =
        |failure| Said { problems: vec![(Problem::of(MAIL, None, &failure), true)], ..Said::default() };
    match (by(own), by(above)) {
        (None, None) => would_fail(Failure::sender_unverified(post.sender)),
        (None, Some(domain)) if !post.sandbox => {
            would_fail(Failure::sender_not_allowed(post.sender, &domain))
        }
        _ => Said {
            proved: vec![format!("SES has verified the sender, {}.", post.sender)],
            not_proved: vec![
                "whether the function's role may send as the sender: policies show only at a mail."
                    .to_owned(),
            ],
            ..Said::default()
        },
    }
}
