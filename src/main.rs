//! The one binary: without arguments, in Lambda, the function; else a command for people. Decides nothing.

use std::process::ExitCode;

use ec2_start_stop::commands;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first() {
        Some(command) => commands::run(command, &arguments[1..]),
        // Lambda sets it, and so do its emulators; lambda_runtime cannot do without.
        None if std::env::var_os("AWS_LAMBDA_FUNCTION_NAME").is_none() => commands::none(),
        None => serve(),
    }
}

#[cfg(feature = "aws")]
fn serve() -> ExitCode {
    match ec2_start_stop::function::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ec2-start-stop: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(feature = "aws"))]
fn serve() -> ExitCode {
    eprintln!("ec2-start-stop: this build has only the commands, not the function.");
    commands::none()
}
