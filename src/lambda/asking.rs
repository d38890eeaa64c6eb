//! Asks a person by mail whether an environment may be started or stopped.
//!
//! Owns the sending. The answer does not come here: Step Functions takes it, by the token in the mail.

use serde_json::{Value, json};

use crate::lambda::error::HandlerError;
use crate::lambda::sending;
use crate::lambda::settings::Settings;
use crate::ports::{Clock, SendMail};
use crate::report::question::Asking;
use crate::servers::file::ServerLists;

/// Sends the question.
///
/// # Errors
/// Nobody got the mail: what nobody was asked is not done.
pub(super) async fn ask<W: SendMail + Clock>(
    world: &W,
    settings: &Settings,
    asking: &Asking,
) -> Result<Value, HandlerError> {
    let addresses = settings.mail.as_ref().map_err(|wrong| HandlerError::Misconfigured(wrong.clone()))?;
    let no_lists = ServerLists::default();
    let lists = settings.lists.as_ref().unwrap_or(&no_lists);
    let mail = asking.mail(lists, &settings.zone, &settings.place, world.now());
    let sent = sending::send(world, addresses, &mail).await?;
    Ok(json!({ "asked": asking.ask.environment, "subject": mail.subject, "mail": sent }))
}
