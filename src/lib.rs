//! `sysadm` empties a host of its zones before maintenance, and fills it again afterwards.

pub mod agent;
pub mod cli;
pub mod config;
pub mod evacuation;
pub mod exec;
pub mod hooks;
pub mod host;

pub mod maintenance;
pub mod migration;
pub mod model;
pub mod paths;
pub mod platform;
pub mod store;
pub mod transport;
