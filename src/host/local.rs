//! This host.

/// This host.
pub struct Local;
/// Locked.
pub struct Locked;
