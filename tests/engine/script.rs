//! What happens at the crash points of the simulation, and what is seen at each of them.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sysadm::failpoints::{Actor, Failpoint, Failpoints};
use sysadm::model::ZoneName;
use sysadm::paths::Paths;
use sysadm::platform::sim::{CrashHook, CrashPoint, Effect, Fault, Operation, Sim};
use tokio::sync::Notify;

use super::lines::Lines;

pub const HOSTS: [&str; 3] = ["h1", "h2", "h3"];

/// One operation of one host: the first, the second, … of its method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub host: &'static str,
    pub operation: Operation,
    pub number: usize,
}

/// What is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The operation is not carried out, and fails.
    Fail(Moment),
    /// The operation is carried out, and fails.
    FailAfter(Moment),
    /// At the moment with that number everything stops, as after a power failure.
    Crash(usize),
    /// At that failpoint of a move between these two hosts.
    At(Failpoint, Blow, (&'static str, &'static str)),
}

/// What happens to a host or its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    SourceKilled,
    DestinationKilled,
    /// The origin of a zone that goes from one location to another. Otherwise the origin is one of the two hosts.
    OriginKilled,
    LineCutFor5s,
    LineCutForGood,
    DaemonRestartedAtSource,
    DaemonRestartedAtDestination,
    StepFails,
    /// The run that controls the move is killed; its host continues.
    RunKilled,
}

impl Blow {
    pub const ALL: [Self; 8] = [
        Self::SourceKilled,
        Self::DestinationKilled,
        Self::LineCutFor5s,
        Self::LineCutForGood,
        Self::DaemonRestartedAtSource,
        Self::DaemonRestartedAtDestination,
        Self::StepFails,
        Self::RunKilled,
    ];
}

#[derive(Default)]
struct State {
    plan: Option<Plan>,
    counts: HashMap<(&'static str, Operation), usize>,
    moments: Vec<Moment>,
    points: usize,
    crashed: bool,
    watched: Vec<ZoneName>,
    wrong: Vec<String>,
    /// Failpoints that were hit, and whether the blow has fallen.
    reached: Vec<Failpoint>,
    /// Where watched zones ran at each of them.
    running: Vec<(Failpoint, Vec<&'static str>)>,
    struck: bool,
}

/// The script of a world; clones are the same one.
#[derive(Clone)]
pub struct Script {
    state: Arc<Mutex<State>>,
    crash: Arc<Notify>,
    lines: Lines,
    /// The simulations that the hosts use.
    sims: Arc<Mutex<HashMap<&'static str, Sim>>>,
    /// Separate simulations for observing, with connections of their own.
    eyes: Arc<BTreeMap<&'static str, Sim>>,
}

impl Script {
    pub fn new(lines: Lines, root: impl Fn(&str) -> PathBuf) -> Self {
        let eyes = HOSTS.map(|host| (host, Sim::open(&Paths::new(root(host)))));
        Self {
            state: Arc::default(),
            crash: Arc::default(),
            lines,
            sims: Arc::default(),
            eyes: Arc::new(eyes.into()),
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on that is to happen, and moments are counted from zero.
    pub fn begin(&self, plan: Option<Plan>) {
        let mut state = self.locked();
        let watched = std::mem::take(&mut state.watched);
        *state = State { plan, watched, ..State::default() };
        drop(state);
        if let Some(Plan::Fail(Moment { host, operation, number: 0 })) = plan {
            self.fail(host, operation);
        }
    }

    /// At every moment the zone must run on at most one host, and be on at least one.
    pub fn watch(&self, zone: &ZoneName) {
        self.locked().watched.push(zone.clone());
    }

    /// A zone may be nowhere for a while.
    pub fn watch_nothing(&self) {
        self.locked().watched.clear();
    }

    /// Violations that were seen.
    pub fn wrong(&self) -> Vec<String> {
        self.locked().wrong.clone()
    }

    /// Every operation since the beginning.
    pub fn moments(&self) -> Vec<Moment> {
        self.locked().moments.clone()
    }

    /// The number of moments.
    pub fn points(&self) -> usize {
        self.locked().points
    }

    /// Waits for the power failure.
    pub async fn crash(&self) {
        self.crash.notified().await;
    }

    /// The crash hook for the simulation of `host`.
    pub fn hook(&self, host: &'static str) -> CrashHook {
        let script = self.clone();
        Arc::new(move |point, _| script.reached(host, point))
    }

    /// The simulation that a host uses from now on.
    pub fn works_with(&self, host: &'static str, sim: &Sim) {
        self.sims.lock().unwrap().insert(host, sim.clone());
    }

    /// The simulations refer to the script, too: without this neither would ever be freed.
    pub fn let_go(&self) {
        self.sims.lock().unwrap().clear();
    }

    /// The failpoints that were hit.
    pub fn failpoints_hit(&self) -> Vec<Failpoint> {
        self.locked().reached.clone()
    }

    /// Likewise, and where a watched zone ran then.
    pub fn running_at(&self) -> Vec<(Failpoint, Vec<&'static str>)> {
        self.locked().running.clone()
    }

    /// The hosts on which a watched zone runs.
    fn running(&self) -> Vec<&'static str> {
        let watched = self.locked().watched.clone();
        let runs = |host: &&'static str| {
            let goes_on = |zone| self.eyes[*host].zone_counter(zone).is_ok_and(|counter| counter.goes_on);
            watched.iter().any(goes_on)
        };
        HOSTS.into_iter().filter(runs).collect()
    }

    /// The failpoint hook for a host's moves.
    pub fn failpoints_of(&self, host: &'static str) -> Failpoints {
        let script = self.clone();
        Failpoints::hooked(move |point| script.point(host, point))
    }

    fn point(&self, host: &'static str, point: Failpoint) -> Result<(), String> {
        let running = self.running();
        let plan = {
            let mut state = self.locked();
            state.reached.push(point);
            state.running.push((point, running));
            state.plan
        };
        let (wanted, blow, (source, destination)) = match plan {
            Some(Plan::At(wanted, blow, ends)) => (wanted, blow, ends),
            _ => return Ok(()),
        };
        let acts = match point.actor {
            Actor::Journal => "h1",
            Actor::Source => source,
            Actor::Destination => destination,
        };
        if wanted != point || acts != host || std::mem::replace(&mut self.locked().struck, true) {
            return Ok(());
        }
        match blow {
            Blow::SourceKilled => self.kill(source),
            Blow::DestinationKilled => self.kill(destination),
            Blow::OriginKilled => self.kill("h1"),
            Blow::LineCutFor5s => self.lines.halt(Duration::from_secs(5)),
            Blow::LineCutForGood => self.lines.cut(),
            Blow::DaemonRestartedAtSource => self.works(source).restart_daemon().unwrap(),
            Blow::DaemonRestartedAtDestination => self.works(destination).restart_daemon().unwrap(),
            Blow::RunKilled => self.end_run(),
            Blow::StepFails => return Err(format!("{point} was told to fail")),
        }
        Ok(())
    }

    fn works(&self, host: &str) -> Sim {
        self.sims.lock().unwrap()[host].clone()
    }

    /// A host loses its power. If the run is on it, that ends with it.
    fn kill(&self, victim: &str) {
        self.works(victim).lose_power().unwrap();
        self.lines.cut();
        if victim == "h1" {
            self.end_run();
        }
    }

    /// The run of this process does nothing more.
    fn end_run(&self) {
        self.locked().crashed = true;
        self.crash.notify_one();
        std::panic::resume_unwind(Box::new("power loss"));
    }

    fn reached(&self, host: &'static str, point: CrashPoint) {
        self.look(host, point);
        let plan = {
            let mut state = self.locked();
            state.points += 1;
            state.plan
        };
        match (plan, point) {
            (Some(Plan::Crash(at)), _) if self.locked().points > at => {
                self.end_run();
            }
            (_, CrashPoint::Before(operation)) => {
                let number = self.locked().counts.get(&(host, operation)).copied().unwrap_or(0);
                self.locked().moments.push(Moment { host, operation, number });
                if plan == Some(Plan::FailAfter(Moment { host, operation, number })) {
                    self.eyes[host].add_fault(&Fault::once(after(operation))).unwrap();
                }
            }
            (_, CrashPoint::After(operation)) => {
                let number = *self
                    .locked()
                    .counts
                    .entry((host, operation))
                    .and_modify(|number| *number += 1)
                    .or_insert(1);
                if plan == Some(Plan::Fail(Moment { host, operation, number })) {
                    self.fail(host, operation);
                }
            }
            _ => {}
        }
    }

    fn fail(&self, host: &str, at: Operation) {
        let effect = Effect::Fail { at, reason: format!("{at} was told to fail") };
        self.eyes[host].add_fault(&Fault::once(effect)).unwrap();
    }

    fn look(&self, host: &str, point: CrashPoint) {
        let watched = self.locked().watched.clone();
        for zone in watched {
            let counters: Vec<_> = HOSTS
                .iter()
                .filter_map(|host| Some((host, self.eyes[host].zone_counter(&zone).ok()?)))
                .collect();
            if counters.iter().filter(|(_, counter)| counter.goes_on).count() > 1 {
                self.locked()
                    .wrong
                    .push(format!("at {point:?} on {host} {zone} goes on twice: {counters:?}"));
            }
            if counters.is_empty() {
                self.locked().wrong.push(format!("at {point:?} on {host} {zone} is nowhere"));
            }
        }
    }
}

fn after(at: Operation) -> Effect {
    Effect::FailAfter { at, reason: format!("{at} was told to fail after it was done") }
}
