//! The far end.
