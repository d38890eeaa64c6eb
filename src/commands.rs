//! The commands: check and render a servers.toml, say when a schedule fires and what a hold tag means, and what things
//! are called. No AWS.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::lambda::error::HandlerError;
use crate::model::failure;
use crate::servers::hold::{self, Hold};
use crate::servers::mistake::ServersFileError;
use crate::servers::read::ServersFile;
use crate::servers::schedule::Expression;
use crate::servers::{self, keys, machine, template};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

/// The commands in a line.
const USAGE: &str = "Commands: check [FILE], render [FILE], render-template FILE TEMPLATE, next EXPRESSION ZONE [FROM], \
    hold ZONE VALUE…, names, --version, --help";

const HELP: &str = "ec2-start-stop: the function, and its commands

  check [FILE]    says all that is wrong in a servers.toml, line by line, or what it means
  render [FILE]   prints the state machine of a servers.toml
  render-template FILE TEMPLATE
                  prints template.yaml with the schedules of a servers.toml in it
  next EXPRESSION ZONE [FROM]
                  says when a schedule expression fires next, by the clocks of a time zone
  hold ZONE VALUE…
                  says what values of the hold tag mean, as JSON; what names no zone is in this one
  names           prints the names of errors, of problems and of the keys of servers.toml, as JSON
  --version       prints the version, and what was left out of this build

Without FILE it is servers.toml in this folder, or beside this binary. Without arguments, and in Lambda, it is the function.
";

/// No command, and not in Lambda: says what there is, and 2.
pub fn none() -> ExitCode {
    eprint!("{HELP}");
    ExitCode::from(2)
}

/// Runs a command: 0 if all is well, 1 for a bad file, 2 for an unknown command.
pub fn run(command: &str, arguments: &[String]) -> ExitCode {
    match (command, arguments) {
        ("check", [] | [_]) => with_file(arguments.first(), |path, file| {
            print(&format!("{}: good.\n{}\n", path.display(), understood(file, Timestamp::now())))
        }),
        ("render", [] | [_]) => with_file(arguments.first(), |_, file| print(&machine::render(&file.lists))),
        ("render-template", [servers, template]) => {
            with_file(Some(servers), |_, file| render_template(Path::new(template), file))
        }
        ("next", [expression, zone]) => next(expression, zone, Ok(Timestamp::now())),
        ("next", [expression, zone, from]) => next(expression, zone, moment(from)),
        ("hold", [zone, values @ ..]) if !values.is_empty() => hold(zone, values, Timestamp::now()),
        ("names", []) => print(&format!("{:#}\n", names())),
        ("--version" | "-V", []) => print(&version()),
        ("--help" | "-h" | "help", []) => print(HELP),
        _ => {
            eprintln!("ec2-start-stop: {command} is not understood here. {USAGE}");
            ExitCode::from(2)
        }
    }
}

/// The version, and the Cargo features that were left out: what packs this build offers no more than it can do.
fn version() -> String {
    let features = [
        ("aws", cfg!(feature = "aws")),
        ("events", cfg!(feature = "events")),
        ("kms", cfg!(feature = "kms")),
        ("muting", cfg!(feature = "muting")),
    ];
    let left_out: Vec<&str> =
        features.into_iter().filter_map(|(name, is_in)| (!is_in).then_some(name)).collect();
    let without =
        if left_out.is_empty() { String::new() } else { format!(" without {}", left_out.join(", ")) };
    format!("ec2-start-stop {}{without}\n", env!("CARGO_PKG_VERSION"))
}

fn with_file(given: Option<&String>, then: impl FnOnce(&Path, &ServersFile) -> ExitCode) -> ExitCode {
    let path = given.map_or_else(default_file, PathBuf::from);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => return failed(&path, &error),
    };
    match ServersFile::read(&bytes) {
        Ok(file) => then(&path, &file),
        Err(error) => {
            eprint!("{}", told(&path, &error));
            ExitCode::FAILURE
        }
    }
}

fn failed(path: &Path, why: &impl std::fmt::Display) -> ExitCode {
    eprintln!("{}: {why}", path.display());
    ExitCode::FAILURE
}

/// A line an environment, then a line a schedule.
fn understood(file: &ServersFile, now: Timestamp) -> String {
    let schedules = file.schedules.iter().map(|schedule| format!("\nschedule {}", schedule.understood(now)));
    file.lists.understood() + &schedules.collect::<String>()
}

fn render_template(path: &Path, file: &ServersFile) -> ExitCode {
    let template = match std::fs::read_to_string(path) {
        Ok(template) => template,
        Err(error) => return failed(path, &error),
    };
    match template::render(&template, &file.schedules) {
        Ok(rendered) => print(&rendered),
        Err(why) => failed(path, &why),
    }
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name)
        .map_err(|_| format!("{name}: an IANA time zone is expected, Europe/Madrid for example"))
}

fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| format!("{text}: a moment is expected, 2026-12-24T18:00:00Z for example"))
}

fn next(expression: &str, zone_name: &str, from: Result<Timestamp, String>) -> ExitCode {
    let read = Expression::read(expression).map_err(|why| format!("{expression}: {why}"));
    match zone(zone_name).and_then(|zone| Ok(read?.in_words(from?, &zone))) {
        Ok(words) => print(&format!("{words}\n")),
        Err(why) => {
            eprintln!("ec2-start-stop: {why}");
            ExitCode::FAILURE
        }
    }
}

/// For each value: whether it still holds (`held`, `over`, `unreadable`), and its end, if it has one.
fn hold(zone_name: &str, values: &[String], now: Timestamp) -> ExitCode {
    let zone = match zone(zone_name) {
        Ok(zone) => zone,
        Err(why) => {
            eprintln!("ec2-start-stop: {why}");
            return ExitCode::FAILURE;
        }
    };
    let read = |value: &String| {
        let standing = match hold::read(value, now, &zone) {
            Hold::Over => "over",
            Hold::Held(_) => "held",
            Hold::Unreadable => "unreadable",
        };
        json!({ "value": value, "standing": standing, "end": hold::end(value, &zone) })
    };
    print(&format!("{}\n", json!(values.iter().map(read).collect::<Vec<_>>())))
}

/// A mistake a line, in the form from which editors and terminals jump to the place.
fn told(path: &Path, error: &ServersFileError) -> String {
    let ServersFileError::Mistakes(mistakes) = error else { return format!("{error}\n") };
    let path = path.display();
    let mut told: String =
        mistakes.iter().map(|mistake| format!("{path}:{}: {}\n", mistake.line, mistake.what)).collect();
    match mistakes.len() {
        1 => told.push_str("One mistake.\n"),
        count => told.push_str(&format!("{count} mistakes.\n")),
    }
    told
}

fn default_file() -> PathBuf {
    let here = PathBuf::from(servers::FILE);
    if here.exists() { here } else { servers::beside_the_binary() }
}

fn names() -> serde_json::Value {
    let codes: Vec<&str> = failure::codes().collect();
    json!({ "errors": HandlerError::NAMES, "codes": codes, "keys": keys::names() })
}

/// A reader who has seen enough is no error.
fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("ec2-start-stop: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}
