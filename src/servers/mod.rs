//! The user's lists: the file, the hold tag, and the state machine that is rendered from it.

pub mod file;
pub mod hold;
pub mod machine;
