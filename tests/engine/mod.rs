//! The engine on simulated hosts, in one process and without a network: whatever goes wrong, and whenever, every
//! zone is complete on one host, and the records of its home say on which.

#![allow(clippy::panic, clippy::unwrap_used)]

mod announced;
mod asides;
mod cancel;
mod crashes;
mod expectations;
mod faults;
mod forced;
mod hangs;
mod homecoming;
mod journeys;
mod keep;
mod lines;
mod migrations;
mod movers;
mod neighbours;
mod networks;
mod older;
mod passes;
mod promises;
mod resting;
mod retries;
mod schedules;
mod script;
mod software;
mod stalls;
mod steps;
mod survey;
mod window;
mod world;
