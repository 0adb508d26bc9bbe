//! `rads://` from end to end on loopback: who gets in, who does not, and what each side says about it.

#![allow(clippy::panic, clippy::unwrap_used)]

mod dialling;
mod fake;
mod impostors;
mod listening;
mod malice;
mod memory;
mod raw;
mod site;
