//! Refuses a bad servers.toml before anything is built of it.

#[allow(dead_code, unreachable_pub, reason = "the build only parses what the crate uses and exports")]
#[path = "src/servers/file.rs"]
mod servers;

fn main() {
    println!("cargo::rerun-if-changed=servers.toml");
    println!("cargo::rerun-if-changed=src/servers/file.rs");
    match std::fs::read_to_string("servers.toml") {
        Err(error) => println!("cargo::error=servers.toml: {error}"),
        Ok(text) => {
            if let Err(error) = servers::ServerLists::parse(&text) {
                for line in error.to_string().lines() {
                    println!("cargo::error={line}");
                }
            }
        }
    }
}
