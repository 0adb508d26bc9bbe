//! The planner from outside: what it must never do, and how far it is from the best that there is.

mod checker;
mod ganeti;
mod optimum;
mod pack;
mod placement;
mod samples;
mod whole;
#[allow(clippy::expect_used, reason = "a test ends at the first surprise")]
#[path = "../plan_schedule/world.rs"]
mod world;
