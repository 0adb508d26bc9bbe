//! `rads://` from end to end on loopback: which peers are admitted, which are not, and what each side says about it.

#![allow(clippy::panic, clippy::unwrap_used)]

mod dialling;
mod fake;
mod impostors;
mod listening;
mod malice;
mod memory;
mod raw;
mod site;
