//! Prints the state machine of a servers.toml: `statemachine [servers.toml]`. `make statemachine` writes the file.

use std::io::Write;
use std::process::ExitCode;

use ec2_start_stop::servers::file::ServerLists;
use ec2_start_stop::servers::machine as statemachine;

fn main() -> ExitCode {
    let path = std::env::args().nth(1).unwrap_or_else(|| "servers.toml".to_owned());
    let rendered = std::fs::read_to_string(&path)
        .map_err(|error| format!("{path}: {error}"))
        .and_then(|text| ServerLists::parse(&text).map_err(|error| error.to_string()))
        .and_then(|lists| {
            let text = statemachine::render(&lists);
            std::io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
        });
    match rendered {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
