//! The commands: check and render a servers.toml, and say what things are called. No AWS.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::lambda::error::HandlerError;
use crate::model::failure;
use crate::servers::file::ServerLists;
use crate::servers::mistake::ServersFileError;
use crate::servers::{self, keys, machine};
use serde_json::json;

/// The commands in a line.
const USAGE: &str = "Commands: check [FILE], render [FILE], names, --version, --help";

const HELP: &str = "ec2-start-stop: the function, and its commands

  check [FILE]    says all that is wrong in a servers.toml, line by line, or what it means
  render [FILE]   prints the state machine of a servers.toml
  names           prints the names of errors, of problems and of the keys of servers.toml, as JSON
  --version       prints the version

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
        ("check", [] | [_]) => with_lists(arguments, |path, lists| {
            print(&format!("{}: good.\n{}\n", path.display(), lists.understood()))
        }),
        ("render", [] | [_]) => with_lists(arguments, |_, lists| print(&machine::render(lists))),
        ("names", []) => print(&format!("{:#}\n", names())),
        ("--version" | "-V", []) => print(&format!("ec2-start-stop {}\n", env!("CARGO_PKG_VERSION"))),
        ("--help" | "-h" | "help", []) => print(HELP),
        _ => {
            eprintln!("ec2-start-stop: {command} is not understood here. {USAGE}");
            ExitCode::from(2)
        }
    }
}

fn with_lists(arguments: &[String], then: impl FnOnce(&Path, &ServerLists) -> ExitCode) -> ExitCode {
    let path = arguments.first().map_or_else(default_file, PathBuf::from);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    };
    match ServerLists::read(&bytes) {
        Ok(lists) => then(&path, &lists),
        Err(error) => {
            eprint!("{}", told(&path, &error));
            ExitCode::FAILURE
        }
    }
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
