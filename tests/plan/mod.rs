//! The planner from outside: what it must never do, and how far it is from the optimum.

mod checker;
mod ganeti;
mod optimum;
mod pack;
mod placement;
mod samples;
mod whole;
