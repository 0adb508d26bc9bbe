//! Where each zone goes, and in which order: pure functions from what is known to a plan.
//!
//! ```text
//!   Fleet (hosts, zones) ──┐
//!   Rules (from a policy) ─┼─► place ─► Placement ─► schedule ─► Plan
//!   PlacementRequest (who leaves) ─┘   (who goes where)      (when, how fast, how long)
//!                                                       ▲                 │
//!                                  forecast (how long a move takes)       └─► simulate (what comes of it)
//! ```
//!
//! Nothing here reads a clock, asks a host or is random: the same input gives the same plan. The time limit of a
//! search is given as a number of steps.

pub mod build;
pub mod dispatch;
pub mod eta;
pub mod file;
pub mod fleet;
pub mod forecast;
pub mod ganeti;
mod key;
pub mod order;
pub mod place;
pub mod placement;
mod reasons;
pub mod return_plan;
mod rng;
pub mod rules;
pub mod schedule;
pub mod simulate;
pub mod survey;

pub use build::{BuiltPlan, History, build, timed};
pub use eta::MoveEta;
pub use file::{About, FileMove, PlanChange, PlanFile, PlanFileError, UnplacedZone, ZoneDifference};
pub use fleet::{Dirty, Fleet, FleetHost, FleetZone, HugePages, NumaNode, Version};
pub use forecast::{Calibration, Costs, Forecast, NeverConverges, Observation, Trip};
pub use key::{HostKey, HostKeyError};
pub use order::{Cycle, DependencyGraph};
pub use place::place;
pub use placement::{Assignment, HostIx, Placement, PlacementRequest, Refusal, Unplaced, ZoneIx};
pub use return_plan::{ReturnPlan, away_from, return_plan};
pub use rules::{Action, Goal, Rules, Weights};
pub use schedule::{Blocked, BlockedReason, Leg, Plan, PlannedMove, Resource, Terms, Trunk, schedule};
pub use simulate::{Breach, Played, simulate};
pub use survey::{Absent, Survey};
