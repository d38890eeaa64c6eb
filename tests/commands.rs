//! The binary as a person starts it.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::process::{Command, Output};

fn started(arguments: &[&str]) -> Output {
    let mut binary = Command::new(env!("CARGO_BIN_EXE_ec2-start-stop"));
    binary.args(arguments).env_remove("AWS_LAMBDA_FUNCTION_NAME").output().unwrap()
}

#[test]
fn outside_of_lambda_it_says_its_commands_and_asks_nobody_anything() {
    let (asked, not_asked) = (started(&["--help"]), started(&[]));
    assert_eq!((asked.status.code(), not_asked.status.code()), (Some(0), Some(2)));
    assert_eq!(asked.stdout, not_asked.stderr);
    assert!(not_asked.stdout.is_empty() && !not_asked.stderr.is_empty());
}

#[test]
#[cfg(not(feature = "aws"))]
fn the_core_says_that_it_is_not_the_function() {
    let told = String::from_utf8(started(&["--version"]).stdout).unwrap();
    assert_eq!(
        told,
        format!("ec2-start-stop {} without aws, events, kms, muting\n", env!("CARGO_PKG_VERSION"))
    );
}
