//! The user's lists and schedules: the file, the hold tag, and what is rendered from it: the state machine, and the
//! schedules in the template.

use std::path::PathBuf;

pub(crate) mod approve;
mod checks;
mod environment;
pub(crate) mod file;
pub(crate) mod hold;
pub(crate) mod keys;
pub(crate) mod machine;
pub(crate) mod mistake;
mod raw;
pub(crate) mod read;
pub(crate) mod schedule;
mod selection;
mod table;
pub(crate) mod template;
mod understood;
pub(crate) mod zone;

/// The file's name.
pub(crate) const FILE: &str = "servers.toml";

/// The file as it lies in the artefact: beside the binary.
pub(crate) fn beside_the_binary() -> PathBuf {
    let binary = std::env::current_exe().unwrap_or_default();
    binary.with_file_name(FILE)
}

#[cfg(test)]
mod tests;
