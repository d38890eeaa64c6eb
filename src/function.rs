//! Wires the function: tracing, settings, clients, Lambda's runtime. Decides nothing.

use std::panic::AssertUnwindSafe;

use crate::aws::{Aws, LambdaClock, Variable, trust};
use crate::lambda::error::HandlerError;
use crate::lambda::handler::{self, Invocation};
use crate::lambda::json;
use crate::lambda::settings::{self, Settings};
use futures::FutureExt;
use jiff::Timestamp;
use lambda_runtime::tower::util::MapRequestLayer;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, LambdaInvocation, Runtime, service_fn};
use serde_json::Value;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Serves invocations until Lambda ends the process.
///
/// # Errors
/// If the Runtime API cannot be reached, or `LOCAL_CLOCK` cannot be read.
#[tokio::main(flavor = "current_thread")]
pub async fn run() -> Result<(), Error> {
    let variable: Variable = |name| std::env::var(name).ok();
    // Not EnvFilter: filters on spans' fields bring a regex engine along, 0.3 MB of the artefact.
    let wanted = variable("RUST_LOG").and_then(|wanted| wanted.parse().ok());
    let targets: Targets = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false);
    tracing_subscriber::registry().with(lines).with(targets).init();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "ec2-start-stop");
    let clock = LambdaClock::from_setting(variable("LOCAL_CLOCK").as_deref())?;
    let ready = make_ready(variable, clock);
    let service = service_fn(|event| answer(&ready, event));
    Runtime::new(service).layer(MapRequestLayer::new(as_text)).run().await
}

/// AWS and the settings, or what is wrong with them: every invocation says it. Not inlined: the loop that serves would
/// keep the stack that this takes once.
#[inline(never)]
fn make_ready(variable: Variable, clock: LambdaClock) -> Result<(Aws, Settings), HandlerError> {
    let settings = settings::read(variable)?;
    let trusted = trust(variable).map_err(HandlerError::Misconfigured)?;
    let aws = Aws::connect(variable, trusted, clock);
    Ok((aws.map_err(|error| HandlerError::Misconfigured(error.to_string()))?, settings))
}

/// The payload reaches us as its text: what is no JSON is then refused by a name of ours.
fn as_text(invocation: LambdaInvocation) -> LambdaInvocation {
    let text = Value::String(String::from_utf8_lossy(&invocation.body).into_owned());
    LambdaInvocation { body: text.to_string().into(), ..invocation }
}

async fn answer(
    ready: &Result<(Aws, Settings), HandlerError>,
    event: LambdaEvent<String>,
) -> Result<Value, Diagnostic> {
    let invocation = Invocation {
        deadline: i64::try_from(event.context.deadline)
            .ok()
            .and_then(|deadline| Timestamp::from_millisecond(deadline).ok())
            .unwrap_or(Timestamp::MAX),
        request_id: event.context.request_id,
    };
    let (aws, settings) = ready.as_ref().map_err(diagnostic)?;
    let payload = json::parse(&event.payload).map_err(|error| diagnostic(&error.into()))?;
    // Boxed: the SDK's nested futures are deeper than the compiler's layout queries go.
    let answer = Box::pin(handler::answer(aws, settings, &invocation, payload));
    match AssertUnwindSafe(answer).catch_unwind().await {
        Ok(answer) => answer.map_err(|error| diagnostic(&error)),
        Err(panic) => Err(diagnostic(&HandlerError::Panicked(message(panic.as_ref())))),
    }
}

fn diagnostic(error: &HandlerError) -> Diagnostic {
    tracing::error!(name = error.name(), "{error}");
    Diagnostic { error_type: error.name().to_owned(), error_message: error.message() }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}
