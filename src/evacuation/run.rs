//! A run from its beginning to its end.

use std::sync::Arc;

use super::engine::{Engine, Event};
use super::outcome::{Down, Outcome};
use super::placement::PlanningView;
use super::recover::Unsettled;
use super::request::{EvacuationError, Request};
use super::run_state::RunState;
use super::select::Candidates;
use super::stop_in_place::order_stops;
use super::{recover, select};
use crate::cancel;
use crate::cancel::CancelReason;
use crate::cancel::socket::ControlServer;
use crate::host::HostError;
use crate::model::{Inventory, Message, Zone, ZoneName};
use crate::plan::Action;
use crate::policy::describe_cycle;
use crate::run_lock::RunLock;
use crate::store::Direction;

/// The input of a run: the request with the policy's additions, the view, and the zones.
type RunInput = (Request, PlanningView, Candidates);

impl Engine {
    /// Moves zones away, back, or away for good.
    ///
    /// # Errors
    /// If nothing was begun.
    pub async fn run(&self, direction: Direction, request: &Request) -> Result<Outcome, EvacuationError> {
        let _lock = RunLock::take(self.local.paths(), direction)?;
        let _ear = self.listen(direction);
        if let Err(refusal) = self.check_lock_state(direction) {
            self.names_are_known(direction, request).await?;
            return Err(refusal);
        }
        let (down, (request, view, candidates)) = self.look(direction, request).await?;
        let run = self.store.begin_run(direction, &request.user, std::process::id(), Self::now())?;
        let (store, events) = (Arc::clone(&self.store), Arc::clone(&self.events));
        let run_state = RunState::begin(direction, store, events, run, candidates.list)?;
        self.in_passes(view, &request, &run_state).await;
        // A request to cancel when everything was as good as done has had no effect.
        let stopped = self.cancel.reason().filter(|_| run_state.is_cut_short());
        let moves = run_state.moves();
        let (running, unmanaged) = match direction {
            Direction::Evacuate if request.zones.is_empty() => match self.still_here().await {
                Some(here) => {
                    let unmanaged = here.unhandled(request.all).cloned().collect();
                    let running = here.zones.into_iter().filter(Zone::is_running);
                    (Some(running.map(|zone| zone.name).collect()), unmanaged)
                }
                None => (None, candidates.unmanaged),
            },
            _ => (Some(Vec::new()), candidates.unmanaged),
        };
        let (left_alone, left_running) = match running.map(|running| left_alone(running, &request)) {
            Some((alone, others)) => (alone, Some(others)),
            None => (Vec::new(), None),
        };
        let is_asked = |zone: &ZoneName| request.zones.is_empty() || request.zones.contains(zone);
        let mut down = self.still_down(down, &moves);
        down.retain(|one| is_asked(&one.zone));
        let word = if stopped.is_some() { "stopped" } else { "ended" };
        let recorded = self.store.end_run(run, word, Self::now());
        // What was done is done, and must be reported in any case.
        if let Err(error) = &recorded {
            self.events
                .emit(&Event::Warning(Message::of(error).about("the end of this run is not recorded")));
        }
        let recorded = recorded.is_ok();
        Ok(Outcome { direction, down, moves, unmanaged, left_running, left_alone, stopped, recorded })
    }

    /// Lets another terminal cancel this run. If that fails, signals still can.
    fn listen(&self, direction: Direction) -> Option<ControlServer> {
        let events = Arc::clone(&self.events);
        let tell = move |text: &str| events.emit(&Event::Warning(text.into()));
        let server = ControlServer::open(self.local.paths(), direction, self.cancel.clone(), tell);
        let warn = |error: &std::io::Error| {
            let why = Message::of(error).about("this run cannot be cancelled from another terminal");
            self.events.emit(&Event::Warning(why.with_hint("press Ctrl-C, or send it SIGINT, to cancel it")));
        };
        server.inspect_err(warn).ok()
    }

    /// Settles what earlier runs have left open, and selects the zones of this run.
    async fn look(
        &self,
        direction: Direction,
        request: &Request,
    ) -> Result<(Vec<Down>, RunInput), EvacuationError> {
        let looking = async {
            let settled = recover::settle_all(self).await?;
            Ok((settled.down, self.see(direction, &settled.open, request).await?))
        };
        let found = self.cancel.bound(cancel::QUESTIONS, looking).await;
        found.unwrap_or_else(|| {
            Err(EvacuationError::GivenUp(self.cancel.reason().unwrap_or(CancelReason::Operator)))
        })
    }

    /// A misspelt name is reported before a refusal that would hide it. A host that does not answer hides nothing.
    async fn names_are_known(&self, direction: Direction, request: &Request) -> Result<(), EvacuationError> {
        if request.zones.is_empty() {
            return Ok(());
        }
        let Ok(inventory) = self.local.inventory().await else { return Ok(()) };
        let records = self.store.zones()?;
        match direction {
            Direction::Evacuate | Direction::Migrate => select::known(&inventory, &records, &[], request),
            Direction::Return => {
                let home = select::at_home(&inventory, &records);
                select::returning(self.store.away()?, &self.store.stopped()?, &[], &home, request).map(|_| ())
            }
        }
    }

    /// Selects the zones of a run, and applies the policy.
    pub(super) async fn see(
        &self,
        direction: Direction,
        open: &[Unsettled],
        request: &Request,
    ) -> Result<RunInput, EvacuationError> {
        match direction {
            Direction::Evacuate | Direction::Migrate => {
                let inventory = self.local.inventory().await?;
                // Before other hosts are asked in vain.
                let away = match direction {
                    Direction::Evacuate => self.store.away()?,
                    _ => Vec::new(),
                };
                select::known(&inventory, &away, open, request)?;
                for row in select::gone_already(&inventory, &away, open, request) {
                    if let Some(location) = &row.location {
                        self.events.emit(&Event::AlreadyAway(&row.zone, location));
                    }
                }
                let view = self.view(direction, request).await?;
                let request = view.resolved(request)?;
                let mut found = select::leaving(
                    &inventory,
                    &view.targets(),
                    &self.store.away()?,
                    open,
                    &request,
                    |brand| self.local.able(brand),
                )?;
                let for_good = direction == Direction::Migrate;
                select::apply_records(&mut found, &self.store.zones()?, &inventory, &request, for_good);
                order_stops(&mut found.list, view.here(), &request.zones);
                self.tell_of(&view);
                Ok((request, view, found))
            }
            Direction::Return => {
                // Before other hosts are asked in vain.
                let home = match request.zones.as_slice() {
                    [] => Vec::new(),
                    _ => select::at_home(&self.local.inventory().await?, &self.store.zones()?),
                };
                let returning = |request: &Request| {
                    select::returning(self.store.away()?, &self.store.stopped()?, open, &home, request)
                };
                let found = returning(request)?;
                let moves = |zone: &&ZoneName| found.list.iter().any(|one| one.zone == **zone);
                for zone in request.zones.iter().filter(|zone| !moves(zone)) {
                    self.events.emit(&Event::AlreadyHome(zone));
                }
                let view = self.view(direction, request).await?;
                let request = view.resolved(request)?;
                let found = returning(&request)?;
                self.tell_of(&view);
                Ok((request, view, found))
            }
        }
    }

    /// Reports URIs that are not those of other hosts of their own, and an order that cannot be satisfied.
    fn tell_of(&self, view: &PlanningView) {
        // If the only destination of a migration is invalid, that is its error.
        if view.direction != Direction::Migrate {
            let remarks = view.connected.remarks();
            remarks.iter().for_each(|text| self.events.emit(&Event::Warning(text.into())));
        }
        let [cycle, others @ ..] = view.cycles.as_slice() else { return };
        let more = if others.is_empty() { String::new() } else { format!(" ({} more)", others.len()) };
        let (first, cycle) = (cycle.first().map_or("", ZoneName::as_str), describe_cycle(cycle));
        let text =
            format!("circular dependency in the policy: {cycle}{more}; {first} does not wait for the others");
        self.events.emit(&Event::Warning(text.into()));
    }

    /// What has moved has moved: it must be reported even if this host does not answer now.
    async fn still_here(&self) -> Option<Inventory> {
        let inventory = self.cancel.bound(cancel::BOUND, self.local.inventory()).await;
        let no_answer = || HostError::NoAnswer {
            host: self.local.name().to_owned(),
            reason: "no answer before the run was cancelled".into(),
        };
        match inventory.unwrap_or_else(|| Err(no_answer())) {
            Ok(inventory) => Some(inventory),
            Err(error) => {
                let why = Message::from(error).about("which zones still run here is unknown");
                self.events.emit(&Event::Warning(why));
                None
            }
        }
    }
}

/// Which of these zones the policy leaves running, and which not; zones that the run is about are not left.
fn left_alone(running: Vec<ZoneName>, request: &Request) -> (Vec<ZoneName>, Vec<ZoneName>) {
    running.into_iter().partition(|zone| request.actions.of(zone) == Action::Leave)
}
