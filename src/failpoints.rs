//! Failpoints: places at which a test makes a step fail or the process end, such as `source.before.transfer`.
//!
//! ```text
//!   journal.before.S ─► source.before.S ─► (the host acts) ─► source.after.S ─► journal.after.S
//!    intent is durable   destination.before.S …                                  outcome is durable
//! ```
//!
//! Only debug builds have them: in a release build [`Failpoints`] is empty and [`Failpoints::hit`] does nothing.
//!
//! A test in the same process gives a host a hook ([`Failpoints::hooked`]). Another process reads the file
//! `failpoint` in its state folder, which has one line: `source.before.transfer kill`, or `fail`, or `wait`. When
//! it comes to that point it renames the file to `failpoint.hit`; `wait` lasts until that file is removed.
//!
//! The file `unheld` in the same folder disables the hold of an incoming zone ([`holds_incoming`]), so that tests
//! can show that they would notice a zone that runs twice.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Step, words};

words! {
    /// Who carries out the step.
    Actor, "actor" {
        /// The host that controls the move, when it writes its journal.
        Journal = "journal",
        Source = "source",
        Destination = "destination",
    }
}

words! {
    /// Before or after the step is carried out.
    Timing, "timing" {
        /// Nothing is done yet.
        Before = "before",
        /// The step is done, but only its host knows.
        After = "after",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Failpoint {
    pub actor: Actor,
    pub timing: Timing,
    pub step: Step,
}

/// Who carries out a step, besides writing the journal.
const fn actors(step: Step) -> &'static [Actor] {
    match step {
        Step::Reserve | Step::Switch | Step::Attach | Step::Boot => &[Actor::Destination],
        Step::Transfer | Step::Detach | Step::Shutdown | Step::Save => &[Actor::Source],
        Step::Prepare | Step::Settle => &[Actor::Source, Actor::Destination],
    }
}

impl Failpoint {
    pub fn all() -> impl Iterator<Item = Self> {
        Step::ALL.iter().flat_map(|&step| {
            let acting = std::iter::once(Actor::Journal).chain(actors(step).iter().copied());
            acting.flat_map(move |actor| Timing::ALL.iter().map(move |&timing| Self { actor, timing, step }))
        })
    }
}

impl fmt::Display for Failpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.actor, self.timing, self.step)
    }
}

/// There is no such failpoint.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such failpoint: {0:?}")]
pub struct FailpointError(String);

impl FromStr for Failpoint {
    type Err = FailpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::all().find(|point| point.to_string() == text);
        found.ok_or_else(|| FailpointError(text.to_owned()))
    }
}

/// Whether an incoming zone is held until its source has ended: always in a release build, and otherwise unless the
/// file `unheld` is in that folder.
pub fn holds_incoming(state_folder: &Path) -> bool {
    !cfg!(debug_assertions) || !state_folder.join("unheld").exists()
}

type Hook = Arc<dyn Fn(Failpoint) -> Result<(), String> + Send + Sync>;

/// The hook that is called at each failpoint; none in a release build.
#[derive(Clone)]
pub struct Failpoints(Option<Hook>);

impl fmt::Debug for Failpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Failpoints")
    }
}

impl Failpoints {
    /// Follows the file `failpoint` in that folder.
    pub fn of_state_folder(folder: &Path) -> Self {
        let order = folder.join("failpoint");
        Self(cfg!(debug_assertions).then(|| Arc::new(move |point| obey(&order, point)) as Hook))
    }

    /// Calls a hook of a test; the step fails if the hook does.
    #[cfg(debug_assertions)]
    pub fn hooked(hook: impl Fn(Failpoint) -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }

    /// Must be called when a step comes to this failpoint.
    ///
    /// # Errors
    /// If a test makes the step fail here.
    pub fn hit(&self, actor: Actor, timing: Timing, step: Step) -> Result<(), String> {
        self.0.as_ref().map_or(Ok(()), |hook| hook(Failpoint { actor, timing, step }))
    }
}

fn obey(order: &Path, point: Failpoint) -> Result<(), String> {
    let Ok(text) = std::fs::read_to_string(order) else { return Ok(()) };
    let Some((wanted, what)) = text.trim().split_once(' ') else { return Ok(()) };
    let hit = order.with_extension("hit");
    // Only the first of several threads or processes.
    if wanted != point.to_string() || std::fs::rename(order, &hit).is_err() {
        return Ok(());
    }
    match what {
        "kill" => {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            Err("killed".to_owned())
        }
        "wait" => {
            while hit.exists() {
                #[expect(clippy::disallowed_methods, reason = "a hang is what was ordered")]
                std::thread::sleep(Duration::from_millis(10));
            }
            Ok(())
        }
        _ => Err(format!("{point} was told to fail")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_step_has_failpoints_in_the_journal_and_at_a_host() {
        let names: BTreeSet<_> = Failpoint::all().map(|point| point.to_string()).collect();
        assert_eq!(names.len(), Failpoint::all().count(), "each has a name of its own");
        for step in Step::ALL {
            for when in Timing::ALL {
                assert!(names.contains(&format!("journal.{when}.{step}")));
                let at_hosts = ["source", "destination"].map(|actor| format!("{actor}.{when}.{step}"));
                assert!(at_hosts.iter().any(|name| names.contains(name)), "{when} {step}");
            }
        }
        for name in names {
            assert_eq!(name.parse::<Failpoint>().unwrap().to_string(), name);
        }
        assert!("source.before.lunch".parse::<Failpoint>().is_err());
    }

    #[test]
    fn an_incoming_zone_is_held_unless_that_is_disabled() {
        let folder = tempfile::tempdir().unwrap();
        assert!(holds_incoming(folder.path()));
        std::fs::write(folder.path().join("unheld"), "").unwrap();
        assert!(!holds_incoming(folder.path()));
    }

    #[test]
    fn an_order_in_the_state_folder_is_carried_out_once() {
        let folder = tempfile::tempdir().unwrap();
        let points = Failpoints::of_state_folder(folder.path());
        let hit = || points.hit(Actor::Source, Timing::Before, Step::Transfer);
        assert_eq!(hit(), Ok(()));
        std::fs::write(folder.path().join("failpoint"), "source.after.transfer fail\n").unwrap();
        assert_eq!(hit(), Ok(()));
        std::fs::write(folder.path().join("failpoint"), "source.before.transfer fail\n").unwrap();
        assert_eq!(hit(), Err("source.before.transfer was told to fail".to_owned()));
        assert_eq!(hit(), Ok(()));
    }
}
