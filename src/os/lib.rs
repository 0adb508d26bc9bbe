//! What `sysadm` needs of the operating system: programs, whole files and folders. Each has one place, so that
//! its promises hold everywhere.

// Tests start the programs they need: see clippy.toml.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

pub mod exec;
pub mod file;
pub mod folder;
