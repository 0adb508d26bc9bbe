//! All zones away from this host, and all back to it; or one away for good.
//!
//! ```text
//!   select ─► connect ─► prepare every zone ─► move, N at once ─► report
//!   (pure)               (checks, books room)   (migration::migrate)
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

mod actions;
mod aside;
mod ask;
mod bedtime;
mod run_state;
mod bound;
pub mod cancel;
mod connect;
pub mod control;
mod down;
mod dry_run;
mod error;
mod experience;
mod here;
mod lookout;
mod maintenance;
mod offering;
mod outcome;
mod passes;
mod prepare;
mod prepared;
mod record;
pub mod recover;
mod rest;
mod resting;
mod run;
mod view;
mod select;
mod status;
pub mod survey;
mod wait;
mod way_back;
mod queue;
mod zone_move;

use std::sync::Arc;

pub use actions::{Actions, Way, way};
pub use ask::Finding;
pub use run_state::RunState;
pub use cancel::{Cancel, Reason, Stage};
pub use connect::{Connected, Dialled, Network, NoPeer, Peers, Reached};
pub use down::Down;
pub use dry_run::{DryRun, Planned};
pub use error::EvacuationError;
pub use outcome::Outcome;
pub use prepared::{Prepared, Readiness};
pub use status::{Row, Status, rows};
pub use survey::{Surveyed, survey};
pub use wait::Wait;

use crate::config::Maps;
use crate::host::{Host, HostError, Local};
use crate::model::{HostUri, Inventory, Kind, Millis, MoveLimits, Step, Zone, ZoneName};
use crate::plan::PlanFile;
use crate::policy::describe_ring;
use crate::run_lock::RunLock;
use crate::store::{Direction, Mark, Move, RestWay, Store, configured};

/// What an operator asks for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Zones that do not run, too.
    pub all: bool,
    /// Only these; none named means all that the rest says.
    pub zones: Vec<ZoneName>,
    /// What is done with each of them.
    pub actions: Actions,
    /// Only those that move in this way, if there is one.
    pub only: Option<Kind>,
    /// The only host to which they go; none: the targets of each say where.
    pub destination: Option<HostUri>,
    /// Overwrite configurations of the same zones at the destinations.
    pub overwrite: bool,
    /// What destinations have against the software, platform and networks of the zones does not count.
    pub force: bool,
    /// How many zones move at once.
    pub jobs: usize,
    /// How often a move is tried again that failed for a reason that may pass.
    pub retries: u32,
    /// Where zones may go, what a good placement is, which limits hold.
    pub policy: crate::policy::Policy,
    /// Exactly this is to be done, in place of what a planner would find.
    pub plan: Option<PlanFile>,
    /// Who asks.
    pub user: String,
}

/// Everything that an evacuation or return works with.
pub struct Engine {
    /// This host.
    pub local: Arc<Local>,
    /// Its store.
    pub store: Arc<Store>,
    /// How other hosts are reached.
    pub peers: Peers,
    /// Where progress is told.
    pub events: Arc<dyn EventSink>,
    /// How it is given up.
    pub cancel: Cancel,
    /// When a single move is.
    pub policy: MoveLimits,
    /// What other hosts call otherwise.
    pub maps: Maps,
}

/// What happens, as it happens.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// So many zones are about to be prepared.
    Preparing(usize),
    /// This zone is prepared for this host.
    Checking(&'a ZoneName, &'a str),
    /// One more has been prepared, or found impossible.
    Prepared(&'a Prepared),
    /// So many zones are about to move.
    Moving(usize),
    /// This zone moves now.
    Migrating(&'a ZoneName, &'a str),
    /// This zone goes from its refuge to this other host now, because there is no room for it here yet.
    Relocating(&'a ZoneName, &'a str),
    /// This zone is stopped or suspended here now.
    Resting(&'a ZoneName, RestWay),
    /// This zone that rested here is booted now.
    Booting(&'a ZoneName),
    /// A zone's move failed and is tried again after a while; why, and when.
    Retrying(&'a ZoneName, &'a str),
    /// A zone waits for room; how much and for what.
    Waiting(&'a ZoneName, &'a str),
    /// A step of a zone's move is about to be done, or was done. That of a switch is told when it was done alone: the
    /// zone stands still for it.
    Step {
        /// The zone.
        zone: &'a ZoneName,
        /// How it moves.
        kind: Kind,
        /// The step.
        step: Step,
        /// What is so with it.
        mark: Mark,
    },
    /// There is nothing to be done with this zone: it is away already, at that host.
    AlreadyAway(&'a ZoneName, &'a HostUri),
    /// There is nothing to be done with this zone: it is home already.
    AlreadyHome(&'a ZoneName),
    /// The destination of this zone has the same configuration of it already.
    Found(&'a ZoneName),
    /// How far a zone is.
    Progress(&'a Move),
    /// A zone's move has ended, well or not.
    Ended(&'a Move),
    /// When all is expected to have moved, and by how many ms it may be later; told anew after each move.
    Estimate {
        /// The time.
        end: Millis,
        /// In 19 of 20 cases.
        margin: u64,
    },
    /// Something that the operator should know.
    Warning(&'a str),
}

/// Who is told what happens.
pub trait EventSink: Send + Sync {
    /// Something happened.
    fn emit(&self, event: &Event<'_>);
}

/// What a run is about: what was asked, with what the policy adds to it, what is planned on, and the zones.
type Seen = (Request, view::PlanningView, select::Candidates);

impl Engine {
    fn now() -> Millis {
        Millis::now()
    }

    /// Moves zones away, back, or away for good.
    ///
    /// # Errors
    /// If nothing was begun.
    pub async fn run(&self, direction: Direction, request: &Request) -> Result<Outcome, EvacuationError> {
        let _lock = RunLock::take(self.local.paths(), direction)?;
        let _ear = self.listen(direction);
        self.check_lock_state(direction)?;
        let (down, (request, view, candidates)) = self.look(direction, request).await?;
        let request = &request;
        let run = self.store.begin_run(direction, &request.user, std::process::id(), Self::now())?;
        let run_state = RunState::new(Arc::clone(&self.store), run, &candidates.list);
        run_state.save_all()?;
        let stopped = self.in_passes(direction, candidates.list, view, request, &run_state).await;
        // Whoever asked it to stop when all was as good as done has stopped nothing.
        let stopped = stopped.filter(|_| run_state.is_cut_short());
        let moves = run_state.moves();
        let (running, strangers) = match direction {
            Direction::Evacuate if request.zones.is_empty() => match self.still_here().await {
                Some(here) => {
                    let strangers = here.unhandled(request.all).cloned().collect();
                    let running = here.zones.into_iter().filter(Zone::is_running);
                    (Some(running.map(|zone| zone.name).collect()), strangers)
                }
                None => (None, candidates.strangers),
            },
            _ => (Some(Vec::new()), candidates.strangers),
        };
        let (left_alone, left_running) = match running.map(|running| rest::left_alone(running, request)) {
            Some((alone, others)) => (alone, Some(others)),
            None => (Vec::new(), None),
        };
        let is_asked = |zone: &ZoneName| request.zones.is_empty() || request.zones.contains(zone);
        let mut down = self.still_down(down, &moves);
        down.retain(|one| is_asked(&one.zone));
        let word = if stopped.is_some() { "stopped" } else { "ended" };
        let recorded = self.store.end_run(run, word, Self::now());
        // What was done is done, and must be told whatever happens now.
        if let Err(error) = &recorded {
            self.events.emit(&Event::Warning(&format!("the end of this run is not recorded: {error}")));
        }
        let recorded = recorded.is_ok();
        Ok(Outcome { direction, down, moves, strangers, left_running, left_alone, stopped, recorded })
    }

    /// Lets another terminal give this run up. One that cannot be reached so can still be by its signals.
    fn listen(&self, direction: Direction) -> Option<control::ControlServer> {
        let (cancel, events) = (self.cancel.clone(), Arc::clone(&self.events));
        let ear = control::ControlServer::open(self.local.paths(), direction, cancel, events);
        let warn = |error: &std::io::Error| {
            let text = format!("'sysadm evacuate --cancel' will not reach this run: {error}");
            self.events.emit(&Event::Warning(&text));
        };
        ear.inspect_err(warn).ok()
    }

    /// Settles what is open from earlier runs, and finds the zones that this one is about.
    async fn look(
        &self,
        direction: Direction,
        request: &Request,
    ) -> Result<(Vec<Down>, Seen), EvacuationError> {
        let looking = async {
            let settled = recover::settle_all(self).await?;
            Ok((settled.down, self.see(direction, &settled.open, request).await?))
        };
        let found = self.cancel.bound(cancel::QUESTIONS, looking).await;
        found.unwrap_or_else(|| {
            Err(EvacuationError::GivenUp(self.cancel.reason().unwrap_or(Reason::Operator)))
        })
    }

    /// Finds the zones that a run is about, and what the policy says of them.
    async fn see(
        &self,
        direction: Direction,
        open: &[recover::Open],
        request: &Request,
    ) -> Result<Seen, EvacuationError> {
        let mut request = request.clone();
        match direction {
            Direction::Evacuate | Direction::Migrate => {
                let inventory = self.local.inventory().await?;
                // Before other hosts are asked for nothing.
                let away = match direction {
                    Direction::Evacuate => self.store.away()?,
                    _ => Vec::new(),
                };
                select::known(&inventory, &away, open, &request)?;
                for row in select::gone_already(&inventory, &away, open, &request) {
                    self.events.emit(&Event::AlreadyAway(&row.zone, &row.refuge));
                }
                let view = self.view(direction, &request).await?;
                if let Some(plan) = &request.plan {
                    request.zones = view.zones_of(plan)?;
                }
                if request.actions == Actions::default() {
                    request.actions.zones = view.actions();
                }
                let mut found =
                    select::leaving(&inventory, &view.targets(), &self.store.away()?, open, &request)?;
                select::keep_out(&mut found, &self.store.rests()?, &request);
                if direction == Direction::Migrate {
                    let configured = configured(self.store.detached()?, &inventory);
                    select::keep_namesakes(&mut found, &configured, &inventory);
                }
                bedtime::order_stops(&mut found.list, view.here(), &request.zones);
                self.tell_of(&view);
                Ok((request, view, found))
            }
            Direction::Return => {
                // Before other hosts are asked for nothing.
                let home = match request.zones.as_slice() {
                    [] => Vec::new(),
                    _ => select::at_home(&self.local.inventory().await?, &self.store.guests()?),
                };
                let returning = |request: &Request| {
                    select::returning(self.store.away()?, &self.store.rests()?, open, &home, request)
                };
                let found = returning(&request)?;
                let moves = |zone: &&ZoneName| found.list.iter().any(|one| one.zone == **zone);
                for zone in request.zones.iter().filter(|zone| !moves(zone)) {
                    self.events.emit(&Event::AlreadyHome(zone));
                }
                let view = self.view(direction, &request).await?;
                if let Some(plan) = &request.plan {
                    request.zones = view.zones_of(plan)?;
                }
                let found = returning(&request)?;
                self.tell_of(&view);
                Ok((request, view, found))
            }
        }
    }

    /// Names that are not those of other hosts of their own, and an order that cannot be kept to.
    fn tell_of(&self, view: &view::PlanningView) {
        // What is said of the one destination of a migration is the answer to it.
        if view.direction != Direction::Migrate {
            let remarks = view.connected.remarks();
            remarks.iter().for_each(|text| self.events.emit(&Event::Warning(text)));
        }
        let [ring, others @ ..] = view.rings.as_slice() else { return };
        let more = if others.is_empty() { String::new() } else { format!(" ({} more)", others.len()) };
        let (first, ring) = (ring.first().map_or("", String::as_str), describe_ring(ring));
        let text = format!("the policy wants {ring}, in a ring{more}: {first} waits for none of them");
        self.events.emit(&Event::Warning(&text));
    }

    /// What has moved has moved: that this host does not tell now is no reason to keep quiet about it.
    async fn still_here(&self) -> Option<Inventory> {
        let inventory = self.cancel.bound(cancel::BOUND, self.local.inventory()).await;
        let no_answer = || HostError::NoAnswer {
            host: self.local.name().to_owned(),
            reason: "it was not waited for any longer".to_owned(),
        };
        match inventory.unwrap_or_else(|| Err(no_answer())) {
            Ok(inventory) => Some(inventory),
            Err(error) => {
                let text = format!("what still runs here is not known: {error}");
                self.events.emit(&Event::Warning(&text));
                None
            }
        }
    }
}

/// How a host is shown in messages: the host part of its URI.
pub fn short(uri: &HostUri) -> &str {
    &uri.host
}
