//! The planner from outside: what it must never do, and how far it is from the best that there is.

mod checker;
mod ganeti;
mod optimum;
mod pack;
mod placement;
mod samples;
mod whole;
