//! What the state machines of AWS-Start-Stop-Automation send: read here, and nowhere else.
//!
//! They work with this function by its ARN alone. Owns that page's fields and their translation into our own requests;
//! the rest of the program does not know it. The page: docs/state_machine.md, docs/JSON_payload.md and
//! docs/start_stop_code.md of <https://github.com/michaelmaratita/AWS-Start-Stop-Automation>.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::model::Action;
use crate::report::Status;
use crate::report::asked::Asked;
use crate::report::request::{Claim, ReportRequest};

/// What the page's second tiers have for `next_phase`: meant as a reference to the tier before, and in JSONata a mere
/// string. Its machine comes there only after a tier that may be followed.
const SLIP: &str = "next_phase.$";
/// What the phase log says then.
pub(crate) const SLIP_REMARK: &str =
    "`next_phase` is the string \"next_phase.$\", which no state machine replaces: it is taken for true";
/// The page's short names of its six lists.
const SHORT: [(&str, &str, &str); 6] = [
    ("dap_state", "dev", "app"),
    ("tap_state", "test", "app"),
    ("pap_state", "preprod", "app"),
    ("ddb_state", "dev", "db"),
    ("tdb_state", "test", "db"),
    ("pdb_state", "preprod", "db"),
];
const SUFFIX: &str = "_initial_state";
const ALLOWED: &str = "beside `subject` only send_mail, dap_state, tap_state, pap_state, ddb_state, tdb_state, \
     pdb_state, or the same as <environment>_<tier>_initial_state";
const SUBJECT: &str =
    "one that says START or SHUTDOWN, and SUCCESS, DEGRADED or ABORTED, as \"START STATUS: SUCCESS\"";

/// A field that is not what it must be.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Its name.
    pub field: String,
    /// What it must be.
    pub expected: &'static str,
    /// What it is.
    pub found: Value,
}

/// Whether the payload is only the two flags that ask for nothing.
pub(crate) fn is_skip(fields: &Map<String, Value>) -> bool {
    Value::Object(fields.clone()) == json!({ "send_mail": false, "next_phase": false })
}

/// Puts true in place of the page's slip, and says whether it was there.
pub(crate) fn mend_next_phase(fields: &mut Map<String, Value>) -> bool {
    match fields.get_mut("next_phase") {
        Some(value) if *value == SLIP => {
            *value = Value::Bool(true);
            true
        }
        _ => false,
    }
}

/// Whether the payload is the page's mail: ours has no `subject`.
pub(crate) fn is_mail(fields: &Map<String, Value>) -> bool {
    fields.contains_key("subject")
}

/// The page's mail as a report of ours. Its states are read leniently, as ours are: a report goes out.
///
/// # Errors
/// The subject does not say what to report, or a field is none of the page's.
pub(crate) fn mail(fields: &Map<String, Value>) -> Result<ReportRequest, Refusal> {
    let (action, claim) = claim(&fields["subject"])?;
    let mut environments: IndexMap<&str, Map<String, Value>> = IndexMap::new();
    for (field, states) in fields {
        if matches!(field.as_str(), "send_mail" | "subject") {
            continue;
        }
        let (environment, tier) = list_of(field).ok_or_else(|| refused(field, ALLOWED, states))?;
        let result = environments.entry(environment).or_default();
        result.insert("environment".to_owned(), json!(environment));
        if result.insert(format!("{environment}_{tier}{SUFFIX}"), states.clone()).is_some() {
            return Err(refused(field, "each list's state once", states));
        }
    }
    Ok(ReportRequest {
        action,
        dry_run: false,
        execution: None,
        results: environments.into_values().map(Value::Object).collect(),
        waited: false,
        look_error: None,
        error: None,
        claim: Some(claim),
        skipped: false,
        calendar: None,
        asked: Asked::default(),
        silent: false,
    })
}

/// Environment and tier of a field that holds a list's initial states.
fn list_of(field: &str) -> Option<(&str, &str)> {
    let short = SHORT.iter().find(|(name, ..)| *name == field);
    let long = || field.strip_suffix(SUFFIX)?.rsplit_once('_');
    short.map(|(_, environment, tier)| (*environment, *tier)).or_else(long)
}

/// What a subject says, by its words.
fn claim(subject: &Value) -> Result<(Action, Claim), Refusal> {
    let said = subject.as_str().unwrap_or_default();
    let words: Vec<String> = said.split(|c: char| !c.is_alphanumeric()).map(str::to_uppercase).collect();
    let says = |word: &str| words.iter().any(|said| said == word);
    let action = match (says("START"), says("SHUTDOWN") || says("STOP")) {
        (true, false) => Some(Action::Start),
        (false, true) => Some(Action::Stop),
        _ => None,
    };
    // The worst word counts.
    let status = [Status::Aborted, Status::Degraded, Status::Success].into_iter().find(|s| says(s.word()));
    let (Some(action), Some(status)) = (action, status) else {
        return Err(refused("subject", SUBJECT, subject));
    };
    Ok((action, Claim { status, subject: said.chars().take(120).collect() }))
}

fn refused(field: &str, expected: &'static str, found: &Value) -> Refusal {
    Refusal { field: field.to_owned(), expected, found: found.clone() }
}

/// An answer with the page's `statusCode`, for callers that are no machine of ours.
pub(crate) fn with_status_code(mut answer: Value) -> Value {
    if let Value::Object(fields) = &mut answer {
        fields.insert("statusCode".to_owned(), json!(200));
    }
    answer
}
