//! Sends the report, and keeps one recipient's trouble from costing the others their mail.

use crate::lambda::error::HandlerError;
use crate::lambda::settings::Addresses;
use crate::model::Failure;
use crate::model::failure::Kind;
use crate::ports::{Mail, SendMail};
use crate::report::{RefusedRecipient, Sent};

/// Sends one mail to all; if SES refuses it, one to each.
///
/// # Errors
/// A transient one if SES may take the mail later; [`HandlerError::MailRejected`] if nobody got it, or if nobody
/// knows: a lost answer is not asked for again, because the mail may have gone out.
pub(super) async fn send<W: SendMail>(
    world: &W,
    addresses: &Addresses,
    mail: &Mail,
) -> Result<Sent, HandlerError> {
    let Addresses { sender, recipients } = addresses;
    let sent = |message_id, to: &[String], refused| Sent {
        message_id,
        from: sender.clone(),
        to: to.to_vec(),
        refused,
    };
    let failure = match world.send(sender, recipients, mail).await {
        Ok(message_id) => return Ok(sent(message_id, recipients, Vec::new())),
        Err(failure) => failure,
    };
    if failure.is_unanswered() || recipients.len() == 1 || may_pass(&failure) {
        return Err(undelivered(failure, recipients));
    }
    let (mut reached, mut refused, mut last) = (Vec::new(), Vec::new(), None);
    for recipient in recipients {
        match world.send(sender, std::slice::from_ref(recipient), mail).await {
            Ok(message_id) => {
                reached.push(recipient.clone());
                last = Some(message_id);
            }
            Err(failure) => {
                refused.push(RefusedRecipient { to: recipient.clone(), error: failure.to_string() });
            }
        }
    }
    match last {
        Some(message_id) => Ok(sent(message_id, &reached, refused)),
        None => Err(undelivered(failure, recipients)),
    }
}

fn may_pass(failure: &Failure) -> bool {
    matches!(failure.kind, Kind::Throttled | Kind::Outage)
}

/// A mail that SES may take later is no rejected one.
fn undelivered(failure: Failure, to: &[String]) -> HandlerError {
    if may_pass(&failure) && !failure.is_unanswered() {
        return failure.into();
    }
    HandlerError::MailRejected { to: to.join(", "), error: Box::new(failure) }
}
