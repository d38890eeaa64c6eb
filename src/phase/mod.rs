//! One phase: the loop that looks at what is and asks only for what is missing.

pub mod ask;
pub mod dry_run;
pub mod encryption;
pub mod judgement;
pub mod memory;
pub mod pace;
pub mod plan;
pub mod progress;
pub mod retry;
pub mod run;
pub mod verdict;
