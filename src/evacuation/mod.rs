//! Moves all zones away from this host, or all of them back; or one away for good.
//!
//! ```text
//!   select ─► discovery ─► preflight of every zone ─► executor: N at once ─► report
//!   (pure)               (checks, reserves room)        (migration::migrate)
//!                              ▲                       │
//!                              └── those that wait ◄───┘
//!                                  for room (passes)
//! ```
//!
//! Zones that do not leave are stopped or suspended when the others have left, and are booted first on return:
//! see `stop_in_place`.
//!
//! Nothing moves before every zone has been checked once. A zone that fails stays where it was and does not hold
//! up the others. An evacuation requires this host's maintenance, a return requires that it has ended; a
//! migration requires neither.
//!
//! **A migration** (`sysadm zone migrate`) is an evacuation of one zone to one destination for good: the zone is
//! `leaving` only while it moves. Then it is `configured` here, with the host to which it went.
//!
//! # The layers
//!
//! Each file uses only files on lines below its own.
//!
//! ```text
//! status, dry_run                        what `evacuate -l` and `-n` show
//! run                                    the run
//! select                                 which zones
//! passes                                 pass after pass
//! stop_in_place, relocate                zones that stay, and in which order; zones that make room
//! executor                               all moves
//! preflight, zone_move                   checks and reserved room; one move
//! journal, record                        each step is written down; what is recorded of a move
//! move_queue                             whose turn it is
//! recover                                where a zone is after an interruption
//! return_path, outcome                   how a zone comes back; what comes of a run, and which zones are down
//! discovery                              what a run is planned on
//! placement, history                     what the planner is asked; what earlier moves took
//! run_state                              what is written down
//! engine                                 what a run works with, and tells
//! job                                    one zone of a run: operation, state, findings
//! job_state                              how far a job is, and what can happen to it
//! request, operation, refusal            plain data and pure rules
//! ```

mod discovery;
mod dry_run;
mod engine;
mod executor;
mod history;
mod job;
mod job_state;
mod journal;
mod move_queue;
mod operation;
mod outcome;
mod passes;
mod placement;
mod preflight;
mod record;
pub mod recover;
mod refusal;
mod relocate;
mod request;
mod return_path;
mod run;
mod run_state;
mod select;
mod status;
mod stop_in_place;
mod zone_move;

pub use dry_run::{DryRun, Planned};
pub use engine::{Engine, Event, EventSink};
pub use job::Job;
pub use job_state::JobState;
pub use operation::Operation;
pub use outcome::{Down, Outcome};
pub use refusal::HostRefusal;
pub use request::{Actions, EvacuationError, Request};
pub use return_path::forget;
pub use status::{Row, Status, rows};
