//! All zones away from this host, and all back to it; or one away for good.
//!
//! ```text
//!   select ─► discovery ─► preflight of every zone ─► executor: N at once ─► report
//!   (pure)               (checks, books room)        (migration::migrate)
//!                              ▲                       │
//!                              └── those that wait ◄───┘
//!                                  for room (passes)
//! ```
//!
//! Zones that do not leave are stopped or suspended when the others have left, and are the first to run again on return:
//! see `rest`.
//!
//! Nothing moves before every zone has been prepared once. A zone that fails stays where it was and stops no other.
//! An evacuation needs this host's maintenance lock, a return needs it gone; a migration does not mind.
//!
//! **A migration** (`sysadm zone migrate`) is an evacuation of one zone to one destination, and with no way back: its row is
//! in the away list only while it moves. Then the zone is `configured` here, with the host to which it went.
//!
//! # The files, each using only those above it
//!
//! ```text
//!   cancel  wait  actions  request  error        plain data and pure rules
//!   job  events                                  one zone of a run; what a run tells
//!   control_socket  peers  engine                how a run is cancelled; other hosts; what a run works with
//!   run_state  history  placement  survey        what is written down and learnt; what the planner is asked
//!   discovery  outcome                           what a run is planned on; what comes of it
//!   record  rest  recover  down  return_path     where a zone is, after an interruption too
//!   preflight  move_queue  one  executor         checks and booked room; whose turn it is; one move; all moves
//!   resting  relocate  passes                    zones that stay; zones that make room; pass after pass
//!   select  stop_order  run  dry_run  status     which zones, in which order; the run; what `evacuate -l` shows
//! ```

pub mod cancel;
pub mod control_socket;
mod discovery;
mod down;
mod dry_run;
mod engine;
mod error;
mod events;
mod executor;
mod history;
mod job;
mod job_state;
mod move_queue;
mod one;
mod operation;
mod outcome;
mod passes;
mod peers;
mod placement;
mod preflight;
mod record;
pub mod recover;
mod refusal;
mod relocate;
mod request;
mod rest;
mod resting;
mod return_path;
mod run;
mod run_state;
mod select;
mod status;
mod stop_order;
pub mod survey;

pub use cancel::{Cancel, CancelReason, Stage};
pub use dry_run::{DryRun, Planned};
pub use engine::Engine;
pub use error::EvacuationError;
pub use events::{Event, EventSink};
pub use job::{Figures, Job};
pub use job_state::{Ending, IllegalTransition, JobEvent, JobState};
pub use operation::Operation;
pub use outcome::{Down, Outcome};
pub use peers::{Connected, Connector, Dialled, NoPeer, Peers, Reached};
pub use refusal::{Finding, Wait};
pub use request::{Actions, Request};
pub use status::{Row, Status, rows};
pub use survey::{Surveyed, survey};
