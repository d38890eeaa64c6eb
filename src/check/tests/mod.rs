//! The check: what is pure, and all of it against the small EC2.
