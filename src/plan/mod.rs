//! Where each zone goes, and in which order: pure functions from what is known to a plan.
//!
//! ```text
//!   Fleet (hosts, zones) ──┐
//!   Rules (from a policy) ─┼─► place ─► Placement ─► schedule ─► Plan
//!   Question (who leaves) ─┘   (who goes where)      (when, how fast, how long)
//!                                                       ▲                 │
//!                                  forecast (how long a move takes)       └─► simulate (what comes of it)
//! ```
//!
//! Nothing here reads a clock, a host or chance: the same input gives the same plan. A limit on the time of a
//! search is handed in as a number of steps.

mod chance;
pub mod dispatch;
pub mod file;
pub mod fleet;
pub mod forecast;
pub mod ganeti;
pub mod homecoming;
pub mod make;
pub mod outlook;
pub mod place;
pub mod placement;
mod reasons;
pub mod rules;
pub mod schedule;
pub mod sequence;
pub mod simulate;
pub mod survey;

pub use file::{About, Change, Difference, FileMove, Left, PlanFile, PlanFileError};
pub use fleet::{Dirty, Fleet, FleetHost, FleetZone, HugePages, NumaNode, Version};
pub use forecast::{Calibration, Costs, Endless, Forecast, Observation, Trip};
pub use homecoming::{Homecoming, away_from, homecoming};
pub use make::{Experience, Made, make, timed};
pub use outlook::Ahead;
pub use place::place;
pub use placement::{Assignment, HostIx, Placement, Question, Refusal, Unplaced, ZoneIx};
pub use rules::{Action, Goal, Rules, Weights};
pub use schedule::{Blocked, Leg, Obstacle, Plan, PlannedMove, Resource, Terms, Trunk, schedule};
pub use sequence::{Ring, Sequence};
pub use simulate::{Breach, Played, simulate};
pub use survey::{Absent, Survey};
