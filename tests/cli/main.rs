//! The command line: every command on simulated hosts, its output and its exit status.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::print_stdout)]

mod actions;
mod admin;
mod bars;
mod blind;
mod cert;
mod config;
mod damage;
mod database;
mod demo;
mod down;
mod environment;
mod evacuate;
mod folders;
mod give_up;
mod help;
mod homecoming;
mod hosts;
mod identity;
mod listing;
mod maintain;
mod migrate;
mod migrate_in_vain;
mod names;
mod output;
mod pipes;
mod plan;
mod planned;
mod policy;
#[path = "../rads/mod.rs"]
mod rads;
mod return_home;
mod secrets;
mod sim;
mod standby;
mod stop;
mod store;
mod target;
#[path = "../fixtures/tokens.rs"]
mod tokens;
mod two_runs;
mod written;
mod zone;
