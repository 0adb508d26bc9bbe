//! The planner of `sysadm`: which zone goes where, when and how, according to an administrator's policy. Pure
//! functions: no clock, no randomness without a seed, no files, no other hosts.
//!
//! # The layers
//!
//! ```text
//! policy     what an administrator wants, parsed from a text
//! plan       which zone goes where, and when
//! model      plain data (a crate of its own: src/model)
//! ```

// Tests start the programs they need: see clippy.toml.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

pub mod plan;
pub mod policy;

use sysadm_model as model;

/// So that tests name the crate as the benchmarks do, which use some of their files.
#[cfg(test)]
extern crate self as sysadm_planner;

/// Tests of the planner as a whole.
#[cfg(test)]
#[path = "../../tests"]
mod tests {
    mod plan;
    mod plan_schedule;
}
