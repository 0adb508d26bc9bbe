//! What `sysadm` asks of the operating system: programs, whole files and folders. Each has one place, so that its
//! promises hold everywhere.

// Tests start what they need. See clippy.toml.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

pub mod exec;
pub mod file;
pub mod folder;
