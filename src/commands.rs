//! The commands: check and render a servers.toml, and say what things are called. No AWS.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::lambda::error::HandlerError;
use crate::model::failure;
use crate::servers::file::ServerLists;
use crate::servers::{self, machine};
use serde_json::json;

/// The commands in a line.
pub const USAGE: &str = "Commands: check [FILE], render [FILE], names, --version, --help";

const HELP: &str = "ec2-start-stop: the function, and its commands

  check [FILE]    says what is wrong in a servers.toml, or what it means
  render [FILE]   prints the state machine of a servers.toml
  names           prints the names of errors and problems, as JSON
  --version       prints the version

Without FILE it is servers.toml in this folder, or beside this binary. Without arguments it is the Lambda function.
";

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
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    };
    match ServerLists::parse(&text) {
        Ok(lists) => then(&path, &lists),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn default_file() -> PathBuf {
    let here = PathBuf::from(servers::FILE);
    if here.exists() { here } else { servers::beside_the_binary() }
}

fn names() -> serde_json::Value {
    let codes: Vec<&str> = failure::codes().collect();
    json!({ "errors": HandlerError::NAMES, "codes": codes })
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
