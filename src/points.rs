//! Named moments of a move at which a test makes things go wrong: `source.before.transfer`.
//!
//! The list is made from [`Step`], so no step can be without. Only debug builds have the moments in them: in a
//! release build [`Points`] is empty and [`Points::reach`] does nothing.
//!
//! ```text
//!   journal.before.S ─► source.before.S ─► (the host acts) ─► source.after.S ─► journal.after.S
//!    intent is durable   destination.before.S …                                  outcome is durable
//! ```
//!
//! In a test of its own process a host gets a hook ([`Points::hooked`]). A program that was started takes its
//! order from the file `point` in the state folder, one line, which it renames to `point.reached` when the
//! moment has come: `source.before.transfer kill`, or `fail`, or `wait` (until that file is gone).
//!
//! Beside it, the file `unguarded` takes out the guard against running twice ([`is_guarded`]): those who watch for
//! that must be able to see it.

use std::fmt;
use std::str::FromStr;

use crate::model::{Step, words};

words! {
    /// Where something happens.
    Place, "place" {
        /// In the journal of the host that leads the move.
        Journal = "journal",
        /// At the source.
        Source = "source",
        /// At the destination.
        Destination = "destination",
    }
}

words! {
    /// Before it or after it.
    When, "moment" {
        /// Nothing of it is done yet.
        Before = "before",
        /// It is done, and nobody else knows.
        After = "after",
    }
}

/// One moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Point {
    /// Where.
    pub place: Place,
    /// Before or after.
    pub when: When,
    /// What.
    pub step: Step,
}

/// Where a step is acted on, besides the journal.
const fn actors(step: Step) -> &'static [Place] {
    match step {
        Step::Reserve | Step::Switch | Step::Attach | Step::Boot => &[Place::Destination],
        Step::Transfer | Step::Detach | Step::Shutdown | Step::Save => &[Place::Source],
        Step::Prepare | Step::Settle => &[Place::Source, Place::Destination],
    }
}

impl Point {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Step::ALL.iter().flat_map(|&step| {
            let places = std::iter::once(Place::Journal).chain(actors(step).iter().copied());
            places.flat_map(move |place| When::ALL.iter().map(move |&when| Self { place, when, step }))
        })
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.place, self.when, self.step)
    }
}

impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::all().find(|point| point.to_string() == text);
        found.ok_or_else(|| format!("there is no moment {text:?}"))
    }
}

#[cfg(debug_assertions)]
pub use in_debug_builds::{Points, is_guarded};

#[cfg(not(debug_assertions))]
pub use in_release_builds::{Points, is_guarded};

#[cfg(not(debug_assertions))]
mod in_release_builds {
    use std::path::Path;

    /// Whether zones that leave this host are held at their destination. They always are.
    pub const fn is_guarded(_: &Path) -> bool {
        true
    }

    /// Nothing.
    #[derive(Clone, Copy, Debug)]
    pub struct Points;

    impl Points {
        /// Nothing is ever ordered.
        pub const fn of_state_folder(_: &Path) -> Self {
            Self
        }

        /// Goes on.
        ///
        /// # Errors
        /// Never.
        pub const fn reach(
            self,
            _: super::Place,
            _: super::When,
            _: crate::model::Step,
        ) -> Result<(), String> {
            Ok(())
        }
    }
}

#[cfg(debug_assertions)]
mod in_debug_builds {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::time::Duration;

    use super::{Place, Point, When};
    use crate::model::Step;

    /// Whether zones that leave this host are held at their destination until they have ended here. They are, unless
    /// the file `unguarded` is in that folder.
    pub fn is_guarded(state_folder: &Path) -> bool {
        !state_folder.join("unguarded").exists()
    }

    type Hook = Arc<dyn Fn(Point) -> Result<(), String> + Send + Sync>;

    /// Who is told of each moment.
    #[derive(Clone)]
    pub struct Points(Hook);

    impl std::fmt::Debug for Points {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Points")
        }
    }

    impl Points {
        /// Orders come from the file `point` in that folder.
        pub fn of_state_folder(folder: &Path) -> Self {
            let order = folder.join("point");
            Self::hooked(move |point| obey(&order, point))
        }

        /// A test's own. What the hook answers is what becomes of the step.
        pub fn hooked(hook: impl Fn(Point) -> Result<(), String> + Send + Sync + 'static) -> Self {
            Self(Arc::new(hook))
        }

        /// This moment has come.
        ///
        /// # Errors
        /// What was ordered.
        pub fn reach(&self, place: Place, when: When, step: Step) -> Result<(), String> {
            (self.0)(Point { place, when, step })
        }
    }

    fn obey(order: &PathBuf, point: Point) -> Result<(), String> {
        let Ok(text) = std::fs::read_to_string(order) else { return Ok(()) };
        let Some((wanted, what)) = text.trim().split_once(' ') else { return Ok(()) };
        let reached = order.with_extension("reached");
        // One of several threads or processes is the first.
        if wanted != point.to_string() || std::fs::rename(order, &reached).is_err() {
            return Ok(());
        }
        match what {
            "kill" => {
                let _ =
                    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
                Err("killed".to_owned())
            }
            "wait" => {
                while reached.exists() {
                    #[expect(clippy::disallowed_methods, reason = "a hang is what was ordered")]
                    std::thread::sleep(Duration::from_millis(10));
                }
                Ok(())
            }
            _ => Err(format!("{point} was told to fail")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_step_has_moments_in_the_journal_and_at_a_host() {
        let names: BTreeSet<_> = Point::all().map(|point| point.to_string()).collect();
        assert_eq!(names.len(), Point::all().count(), "each has a name of its own");
        for step in Step::ALL {
            for when in When::ALL {
                assert!(names.contains(&format!("journal.{when}.{step}")));
                let at_hosts = ["source", "destination"].map(|place| format!("{place}.{when}.{step}"));
                assert!(at_hosts.iter().any(|name| names.contains(name)), "{when} {step}");
            }
        }
        for name in names {
            assert_eq!(name.parse::<Point>().unwrap().to_string(), name);
        }
        assert!("source.before.lunch".parse::<Point>().is_err());
    }

    #[test]
    fn the_guard_is_in_its_place_unless_it_was_taken_out() {
        let folder = tempfile::tempdir().unwrap();
        assert!(is_guarded(folder.path()));
        std::fs::write(folder.path().join("unguarded"), "").unwrap();
        assert!(!is_guarded(folder.path()));
    }

    #[test]
    fn an_order_in_the_state_folder_is_carried_out_once() {
        let folder = tempfile::tempdir().unwrap();
        let points = Points::of_state_folder(folder.path());
        let reach = || points.reach(Place::Source, When::Before, Step::Transfer);
        assert_eq!(reach(), Ok(()));
        std::fs::write(folder.path().join("point"), "source.after.transfer fail\n").unwrap();
        assert_eq!(reach(), Ok(()));
        std::fs::write(folder.path().join("point"), "source.before.transfer fail\n").unwrap();
        assert_eq!(reach(), Err("source.before.transfer was told to fail".to_owned()));
        assert_eq!(reach(), Ok(()));
    }
}
