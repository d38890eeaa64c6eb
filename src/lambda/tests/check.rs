//! The evening check, whole.
