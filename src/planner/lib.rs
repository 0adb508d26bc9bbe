//! The planner of `sysadm`: which zone goes where, when and how, as an administrator's policy wants it. Pure functions:
//! no clock, no chance, no file, no other host.
//!
//! # The layers
//!
//! ```text
//! policy     what an administrator wants, read from a text
//! plan       who goes where and when
//! model      plain data (a crate of its own: src/model)
//! ```

// Tests start what they need. See clippy.toml.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

pub mod plan;
pub mod policy;

use sysadm_model as model;

/// So that tests name the crate as the benchmarks do, which use some of their files.
#[cfg(test)]
extern crate self as sysadm_planner;

/// What takes the whole planner.
#[cfg(test)]
#[path = "../../tests"]
mod tests {
    mod plan;
    mod plan_schedule;
}
