//! The evening check, from its request to its answer: asks, judges, and sends a mail only if something is wrong.
//!
//! Owns the check's part of the invocation's time, and that a mail that cannot be sent does not cost the findings: the
//! answer has them, and the execution that fails by it tells of itself.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::check::facts::ask;
use crate::check::{CheckRequest, Checked, Delivery, Post, Scope, Status, judge};
use crate::lambda::error::HandlerError;
use crate::lambda::metrics::{self, Source};
use crate::lambda::payload::PayloadError;
use crate::lambda::sending;
use crate::lambda::settings::Settings;
use crate::model::Problem;
use crate::ports::{LogLine, Mail, PhaseLog, Reach, ReadIdentities, ReadKeys, SendMail, Trail, World};
use crate::servers::file::ServerLists;

/// What the mail, its recipients one by one at worst, and the answer take of an invocation's time.
const FOR_THE_MAIL: SignedDuration = SignedDuration::from_secs(60);
/// What the phase log's lines are said to be of.
const CHECK: &str = "check";

/// All that a check needs of the world. It mutes nothing.
pub(super) trait Checks:
    World + PhaseLog + SendMail + ReadIdentities + ReadKeys + Trail + Reach
{
}

impl<T: World + PhaseLog + SendMail + ReadIdentities + ReadKeys + Trail + Reach> Checks for T {}

/// Answers a check of the run, before the invocation's `deadline`.
///
/// # Errors
/// Of a payload that names an unknown environment; what would fail is part of the answer.
pub(super) async fn check<W: Checks>(
    world: &W,
    settings: &Settings,
    run: &str,
    deadline: Timestamp,
    request: CheckRequest,
) -> Result<Value, HandlerError> {
    let no_lists = ServerLists::default();
    let lists = settings.lists.as_ref().unwrap_or(&no_lists);
    if settings.lists.is_ok() {
        known(lists, &request)?;
    }
    let scope = Scope {
        lists,
        environments: request.asked.environments.as_deref(),
        zone: &settings.zone,
        run,
        until: deadline - FOR_THE_MAIL,
    };
    let addresses = settings.mail.as_ref();
    let post = addresses.ok().map(|addresses| Post {
        sender: &addresses.sender,
        recipients: &addresses.recipients,
        sandbox: settings.ses_sandbox,
    });
    let facts = ask(world, &scope, post).await?;
    let mut checked = judge(&request, &scope, &facts, post, world.now());
    of_settings(settings, &mut checked);
    let mail = checked.mail(&settings.zone, &settings.place);
    let delivery = deliver(world, settings, &checked, &mail).await;
    // Without its lines in the phase log the check says all the same, in its answer.
    let _ = world.write(run, &lines(&checked, world.now())).await;
    let source = Source::now(world, settings, run);
    world.record(&metrics::of_check(source, &checked));
    Ok(checked.answer(&mail.subject, &delivery)?)
}

/// An environment that servers.toml does not have would be checked by asking nothing.
fn known(lists: &ServerLists, request: &CheckRequest) -> Result<(), PayloadError> {
    let known = lists.environments();
    let mut wanted = request.asked.environments.iter().flatten();
    match wanted.find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(unknown) => Err(PayloadError::Field {
            field: "environments".to_owned(),
            expected: format!("some of {} (servers.toml)", known.join(", ")),
            found: unknown.clone(),
        }),
    }
}

/// What the function's own settings would let fail.
fn of_settings(settings: &Settings, checked: &mut Checked) {
    let mut add = |name: &str, code: &str, message: String| {
        checked.add(Problem { name: name.to_owned(), id: None, code: code.to_owned(), message });
    };
    if let Err(wrong) = &settings.mail {
        add("mail", HandlerError::Misconfigured(wrong.clone()).name(), wrong.clone());
    }
    if let Err(error) = &settings.lists {
        let name = HandlerError::InvalidServersFile(error.clone()).name();
        add("servers.toml", name, error.to_string());
    }
}

async fn deliver<W: Checks>(world: &W, settings: &Settings, checked: &Checked, mail: &Mail) -> Delivery {
    if checked.status() == Status::Ready {
        return Delivery::NoMail;
    }
    match &settings.mail {
        Err(wrong) => Delivery::Failed(wrong.clone()),
        Ok(addresses) => match sending::send(world, addresses, mail).await {
            Ok(sent) => Delivery::Sent(sent),
            Err(error) => Delivery::Failed(format!("{}: {}", error.name(), error.message())),
        },
    }
}

fn lines(checked: &Checked, at: Timestamp) -> Vec<LogLine> {
    let of = |server: Option<&String>, text: String| LogLine {
        at,
        phase: CHECK.to_owned(),
        server: server.cloned(),
        text: format!("[{CHECK}] {text}"),
    };
    let heading = of(None, checked.status_words());
    let findings = checked.findings.iter().map(|finding| {
        let Problem { name, code, message, .. } = &finding.problem;
        of(Some(name), format!("{name}: {code}: {message}"))
    });
    let proved = checked.proved.iter().map(|what| of(None, what.clone()));
    let not_proved = checked.not_proved.iter().map(|what| of(None, format!("Not proved: {what}")));
    [heading].into_iter().chain(findings).chain(proved).chain(not_proved).collect()
}
