//! Renders the Step Functions state machine of a servers.toml: pure.
//!
//! Owns the machine's shape; its opening, a branch, the question whether it may begin, the tasks and the layout have
//! files of their own. The machine passes values on and computes nothing that the function could: what a branch
//! carries, counts, shortens or tells is made in `lambda/branch.rs` and `report/`. It depends on environments, tiers,
//! phase numbers and on who is asked for a yes; everything else of the file comes with the answers, so editing it needs
//! no rendering. Two rules keep the machine from going silent: what can fail stands in the `Output` of a Task or a
//! Parallel, where an error can be caught, and a Choice compares values that are there; a branch that fails becomes a
//! result, so the other environments go on.
//!
//! Runs never overlap (`machine/earlier_run.rs`). So a schedule that fires twice finds nothing left to do the second
//! time, and a stop cannot fight a start. It is the simplest mechanism that holds: it needs no store of its own and no
//! lock that could be left behind, only `states:ListExecutions`. Two runs that begin within Step Functions' own lag may
//! miss each other; then the lists, which are safe to run twice, are what remains. If the look itself fails, the run
//! goes on.
//!
//! Variables: `$action`, `$dry_run`, `$wanted` (the environments to run), `$looks` (for earlier runs), `$look_error`
//! and `$execution` (this run, whose own work begins after the last look: what an earlier run changed is not its doing),
//! `$asked` (what the function made of an input that is not plain, else null) and `$calendar` (what the calendar said,
//! if it was asked).
//! Between the states of a branch flows what the function answered as `branch`; its `record` becomes the result.
//!
//! Only one engine's behaviour is used: no `$base64encode`, no division, no transform operator, no `$number`
//! (they differ between JSONata's engines).

mod approval;
mod branch;
mod earlier_run;
mod layout;
mod mail;
mod opening;
mod stop_later;
mod task;

use serde_json::{Map, Value, json};

use self::branch::branch;
use self::mail::{AGREES, FAILURE_MAIL, START_ALL, STOP_ALL, mail};
use self::task::{broke_off, caught, choice, jsonata, verb};
use crate::model::Action;
use crate::servers::file::ServerLists;

const UNTOLD: &str = "Nobody was told";
/// The first twenty problems of the branches. Without the brackets around the path they are of each phase, and a cause
/// holds 32,768 characters (API: HistoryEvent, ExecutionFailedEventDetails). A problem's text is bounded
/// (model/failure.rs).
const PROBLEMS: &str = "[($states.input.results.phases.problems)[[0..19]]]";

/// What an environment's lists may take together (checks.rs), and an hour for retries and the mail.
const RUN_SECONDS: u64 = 24 * 3600 + 3600;

/// The machine as the text of statemachine.asl.json.
pub(crate) fn render(lists: &ServerLists) -> String {
    let mut text = String::new();
    layout::write(&mut text, &machine(lists), 0);
    text + "\n"
}

fn machine(lists: &ServerLists) -> Value {
    let mut states = opening::states(lists);
    states.extend(earlier_run::states(lists));
    states.extend(stop_later::states(lists));
    states.extend(run_states(lists));
    json!({
        "Comment": "Rendered from servers.toml by `make statemachine`: edit that file, not this one.",
        "QueryLanguage": "JSONata",
        "StartAt": opening::START,
        "TimeoutSeconds": earlier_run::seconds(lists) + approval::longest_seconds(lists) + RUN_SECONDS,
        "States": states
    })
}

/// The states of a run that does something.
fn run_states(lists: &ServerLists) -> Map<String, Value> {
    // That all went well may stay unsaid; servers that are missing, or were not started, may not.
    let nobody_was_told = "$states.input.untold = true \
        or $states.input.status = 'DEGRADED' and $exists($states.input.mail_error)";
    let states = json!({
        START_ALL: environments(lists, Action::Start),
        "Did all servers start?": did_all(),
        STOP_ALL: environments(lists, Action::Stop),
        "Did all servers stop?": did_all(),
        "Send success mail": send_success_mail(lists),
        AGREES: choice(
            &[
                (nobody_was_told, UNTOLD),
                ("$states.input.status in ['SUCCESS', 'DEGRADED']", "All servers are as wanted"),
                ("$states.input.status = 'SKIPPED'", opening::NOTHING_DONE),
            ],
            "Servers are not as wanted",
        ),
        "All servers are as wanted": { "Type": "Succeed" },
        UNTOLD: nobody_told(),
        FAILURE_MAIL: send_failure_mail(),
        "Servers are not as wanted": {
            "Type": "Fail",
            "Error": "ServersNotAsWanted",
            "Cause": jsonata("$states.input.cause")
        }
    });
    states.as_object().cloned().unwrap_or_default()
}

fn environments(lists: &ServerLists, action: Action) -> Value {
    let branches: Vec<Value> =
        lists.environments().into_iter().map(|name| branch(lists, name, action)).collect();
    json!({
        "Type": "Parallel",
        "Arguments": { "record": {}, "resume": null },
        "Branches": branches,
        "Output": {
            "ok": jsonata("$not(false in $states.result.ok)"),
            "results": jsonata("$states.result"),
            "error": null
        },
        "Catch": caught(&broke_off(), FAILURE_MAIL),
        "Next": format!("Did all servers {}?", verb(action))
    })
}

fn did_all() -> Value {
    choice(&[("$states.input.ok", "Send success mail")], FAILURE_MAIL)
}

/// The execution's output is the report. Without one, the branches say how it ended.
fn send_success_mail(lists: &ServerLists) -> Value {
    let degraded = "'degraded' in $states.input.results.phases.outcome";
    let degraded = format!("{degraded}{}", approval::or_left_in_silence(lists));
    let not_sent = json!({
        "status": jsonata(&format!("{degraded} ? 'DEGRADED' : 'SUCCESS'")),
        "mail_error": jsonata("$states.errorOutput"),
        "results": jsonata("$states.input.results")
    });
    mail(&jsonata("$states.result.Payload"), &not_sent, AGREES)
}

/// What the people should know and no mail says: the execution's failure says it, to whoever watches for that.
fn nobody_told() -> Value {
    let cause = format!(
        "$string({{'status': $states.input.status, 'mail_error': $states.input.mail_error, \
         'calendar': $calendar, 'problems': {PROBLEMS}, \
         'remarks': ['docs/troubleshooting.md, NobodyTold, says what to do.']}})"
    );
    json!({ "Type": "Fail", "Error": "NobodyTold", "Cause": jsonata(&cause) })
}

fn send_failure_mail() -> Value {
    let cause = format!(
        "$string({{'status': 'ABORTED', 'mail_error': $states.errorOutput, 'problems': {PROBLEMS}}})"
    );
    let sent = json!({ "cause": jsonata("$states.result.Payload.cause") });
    mail(&sent, &json!({ "cause": jsonata(&cause) }), "Servers are not as wanted")
}
