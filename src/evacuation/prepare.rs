//! Before anything moves: each zone is offered to its targets, in order, until one has nothing against it.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;

use super::actions::{Way, way};
use super::ask::{Ask, Finding, Mode, describe, join};
use super::cancel::{QUESTIONS, Stage};
use super::connect::Connected;
use super::passes::Wait;
use super::rest::Bed;
use super::scene::{Place, Scene};
use super::select::{Candidate, Intent};
use super::{Board, Engine, Event, Options, short};
use crate::host::{Host, Offer};
use crate::migration::Task;
use crate::model::{Arrival, Beside, Blocker, BlockerKind, Brand, HostUri, Kind, ZoneName};
use crate::plan::Action;
use crate::store::{Away, Move, MoveState, Rest};

/// How many zones are prepared at once.
const WIDTH: usize = 4;

/// A zone after its preparation.
#[derive(Clone)]
pub struct Prepared {
    /// The zone.
    pub zone: ZoneName,
    /// Its brand.
    pub brand: Brand,
    /// The other host: its destination, or the last that was tried; for a return, its refuge.
    pub peer: Option<HostUri>,
    /// What it came to.
    pub readiness: Readiness,
    /// What was found at the targets that did not take it.
    pub findings: Vec<Finding>,
    /// For a return: its record.
    pub away: Option<Box<Away>>,
}

/// What a preparation came to.
#[derive(Clone)]
pub enum Readiness {
    /// It can move.
    Ready(Box<Task>),
    /// It can be put to rest here.
    Rest(Bed),
    /// It can be booted here again.
    Wake(Box<Rest>),
    /// No attempt will be made.
    Skipped(String),
    /// A destination would take it if it had more room.
    Waits(Wait),
    /// No destination takes it, or it could not even be asked for.
    Failed(String),
    /// Where it is must be settled first.
    Unsettled,
}

/// Why nothing is done with a zone whose last move is open.
pub const UNSETTLED: &str = "where it is must be settled first: sysadm evacuate --resume";

impl std::fmt::Debug for Readiness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ready(task) => write!(f, "Ready({})", task.arrival.kind),
            Self::Rest(bed) => write!(f, "Rest({})", bed.way),
            Self::Wake(_) => f.write_str("Wake"),
            Self::Skipped(reason) => write!(f, "Skipped({reason:?})"),
            Self::Waits(wait) => write!(f, "Waits({wait})"),
            Self::Failed(reason) => write!(f, "Failed({reason:?})"),
            Self::Unsettled => f.write_str("Unsettled"),
        }
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:?} {:?}", self.zone, self.readiness, self.findings)
    }
}

/// What the preparations of one run have in common.
struct Round<'a> {
    engine: &'a Engine,
    options: &'a Options,
    mode: Mode,
    connected: Connected,
    /// What a dry run has sent to each host, by name.
    planned: Mutex<BTreeMap<String, Beside>>,
}

impl Engine {
    /// Prepares all candidates; results in their order. Where there is a scene, the planner says to which target each
    /// zone is offered; those that are refused there are placed again, among the targets that are left.
    pub(super) async fn prepare_all(
        &self,
        candidates: &[Candidate],
        scene: Option<&Scene>,
        options: &Options,
        mode: Mode,
        board: &Board,
    ) -> Vec<Prepared> {
        self.watcher.event(&Event::Preparing(candidates.len()));
        let connected = match scene {
            Some(scene) => scene.connected.clone(),
            None => {
                let peers = candidates.iter().flat_map(|candidate| match &candidate.intent {
                    Intent::Leave { targets, .. } => targets.clone(),
                    Intent::Return(away) => vec![away.refuge.clone()],
                    Intent::Rest(_) | Intent::Wake(_) | Intent::Skip(_) | Intent::Unsettled => Vec::new(),
                });
                self.cancel.bound(QUESTIONS, self.peers.connect(peers)).await.unwrap_or_default()
            }
        };
        let round = &Round { engine: self, options, mode, connected, planned: Mutex::default() };
        let (mut open, mut tries) = (candidates.to_vec(), Tries::default());
        while !open.is_empty() {
            let mut again = Vec::new();
            {
                let places = scene.map(|scene| scene.place(&open, &tries.settled())).unwrap_or_default();
                let places = &places;
                let preparing = open.iter().map(|candidate| async move {
                    (candidate, self.prepare_one(round, candidate, places.get(&candidate.zone)).await)
                });
                // What a dry run has planned is known one zone after the other.
                let width = if mode == Mode::Book { WIDTH } else { 1 };
                let mut prepared = pin!(futures::stream::iter(preparing).buffered(width));
                while let Some((candidate, prepared)) = prepared.next().await {
                    match tries.note(candidate, prepared) {
                        Err(candidate) => again.push(candidate),
                        Ok(ended) => {
                            // A board that cannot be written is found out by the first move's journal, before the move.
                            let _ = board.change(&ended.zone, |a_move| note(a_move, ended));
                            self.watcher.event(&Event::Prepared);
                        }
                    }
                }
            }
            open = again;
        }
        tries.into_list(candidates)
    }

    async fn prepare_one(&self, round: &Round<'_>, candidate: &Candidate, place: Option<&Place>) -> Prepared {
        let prepared = match self.cancel.stage() {
            Stage::Running => self.cancel.bound(QUESTIONS, round.prepare(candidate, place)).await,
            Stage::Finishing | Stage::Aborting => None,
        };
        // Room that was booked for it by a question without an answer is free again when the lease ends.
        prepared.unwrap_or_else(|| {
            unprepared(candidate, Readiness::Skipped("cancelled before its turn".to_owned()))
        })
    }
}

/// What was found out so far, zone by zone.
#[derive(Default)]
struct Tries {
    ended: BTreeMap<ZoneName, Prepared>,
    /// What targets have said to zones that are offered to another one now.
    findings: BTreeMap<ZoneName, Vec<Finding>>,
}

impl Tries {
    /// Notes an answer. Gives the zone with the targets that are left instead, if it is to be placed again.
    fn note(&mut self, candidate: &Candidate, mut prepared: Prepared) -> Result<&Prepared, Candidate> {
        let mut findings = self.findings.remove(&candidate.zone).unwrap_or_default();
        findings.append(&mut prepared.findings);
        let turned_down = matches!(prepared.readiness, Readiness::Failed(_) | Readiness::Waits(_));
        if let Intent::Leave { kind, targets } = &candidate.intent
            && turned_down
            && !findings.is_empty()
        {
            let asked = |target: &HostUri| findings.iter().any(|finding| finding.target == *target);
            let left: Vec<_> = targets.iter().filter(|target| !asked(target)).cloned().collect();
            if !left.is_empty() {
                self.findings.insert(candidate.zone.clone(), findings);
                let intent = Intent::Leave { kind: *kind, targets: left };
                return Err(Candidate { intent, ..candidate.clone() });
            }
            let answers = findings.iter().map(|one| (short(&one.target), one.blockers.as_slice()));
            prepared.readiness = refused(answers, describe(&findings));
        }
        prepared.findings = findings;
        Ok(self.ended.entry(candidate.zone.clone()).insert_entry(prepared).into_mut())
    }

    /// Zones that have found a target, and which.
    fn settled(&self) -> Vec<(ZoneName, HostUri)> {
        let ready = self.ended.values().filter(|one| matches!(one.readiness, Readiness::Ready(_)));
        ready.filter_map(|one| Some((one.zone.clone(), one.peer.clone()?))).collect()
    }

    fn into_list(mut self, candidates: &[Candidate]) -> Vec<Prepared> {
        candidates.iter().filter_map(|candidate| self.ended.remove(&candidate.zone)).collect()
    }
}

impl Round<'_> {
    async fn prepare(&self, candidate: &Candidate, place: Option<&Place>) -> Prepared {
        match &candidate.intent {
            Intent::Skip(reason) => unprepared(candidate, Readiness::Skipped(reason.clone())),
            Intent::Unsettled => unprepared(candidate, Readiness::Unsettled),
            Intent::Leave { kind, targets } => match place {
                Some(Place::At(target)) => self.leave(candidate, *kind, std::slice::from_ref(target)).await,
                Some(Place::Nowhere(refusals)) => self.stay(candidate, *kind, targets, refusals).await,
                None => self.leave(candidate, *kind, targets).await,
            },
            Intent::Return(away) => self.come_back(candidate, away).await,
            Intent::Rest(bed) => unprepared(candidate, Readiness::Rest(bed.clone())),
            Intent::Wake(rest) => unprepared(candidate, Readiness::Wake(rest.clone())),
        }
    }

    fn host(&self, uri: &HostUri) -> Result<Arc<dyn Host>, String> {
        self.connected.get(uri).cloned().unwrap_or_else(|| Err("not connected".to_owned()))
    }

    fn ask<'a>(&self, offer: &'a Offer, kind: Kind, from: &'a str) -> Ask<'a> {
        Ask { offer, kind, from, overwrite: self.options.overwrite, mode: self.mode }
    }

    /// Asks, in a dry run as if what it has planned for that host were there.
    async fn put(&self, ask: &Ask<'_>, host: &dyn Host) -> Result<Arrival, Vec<Blocker>> {
        if self.mode == Mode::Book {
            return ask.ask(host, Beside::default()).await;
        }
        let arrival = self.look(ask, host).await?;
        if arrival.kind != Kind::Cold {
            let zone = &arrival.manifest.zone;
            let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
            let beside = planned.entry(host.name().to_owned()).or_default();
            beside.memory = beside.memory.saturating_add(zone.memory);
            beside.cpus = beside.cpus.saturating_add(zone.cpus);
        }
        Ok(arrival)
    }

    /// Only asks, as if what was planned for that host were there.
    async fn look(&self, ask: &Ask<'_>, host: &dyn Host) -> Result<Arrival, Vec<Blocker>> {
        let beside = {
            let planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
            planned.get(host.name()).copied().unwrap_or_default()
        };
        ask.ask(host, beside).await
    }

    /// Offers the zone to its targets, in order.
    async fn leave(&self, candidate: &Candidate, kind: Kind, targets: &[HostUri]) -> Prepared {
        let local = &self.engine.local;
        let blank = unprepared(candidate, Readiness::Failed(String::new()));
        let offer = match local.offer(candidate.zone.clone()).await {
            Ok(offer) => offer,
            Err(error) => return Prepared { readiness: Readiness::Failed(error.to_string()), ..blank },
        };
        let prepared = if offer.manifest.obstacles.is_empty() {
            self.first_taker(blank, &self.ask(&offer, kind, local.name()), targets).await
        } else {
            Prepared { readiness: Readiness::Skipped(offer.manifest.obstacles.join("; ")), ..blank }
        };
        let _ = local.unmark(offer.ticket).await;
        prepared
    }

    /// Asks all targets of a zone for which the planner has no place what they have against it. One that has nothing
    /// is left out for the planner's own reasons.
    async fn stay(
        &self,
        candidate: &Candidate,
        kind: Kind,
        targets: &[HostUri],
        refusals: &BTreeMap<HostUri, Vec<Blocker>>,
    ) -> Prepared {
        let local = &self.engine.local;
        let blank = unprepared(candidate, Readiness::Failed(String::new()));
        let offer = match local.offer(candidate.zone.clone()).await {
            Ok(offer) => offer,
            Err(error) => return Prepared { readiness: Readiness::Failed(error.to_string()), ..blank },
        };
        let mut prepared = blank;
        if offer.manifest.obstacles.is_empty() {
            let ask = Ask { mode: Mode::Look, ..self.ask(&offer, kind, local.name()) };
            for target in targets {
                self.engine.watcher.event(&Event::Initializing(&prepared.zone, short(target)));
                let answer = match self.host(target) {
                    Ok(host) => self.look(&ask, host.as_ref()).await,
                    Err(reason) => Err(vec![Blocker::new(BlockerKind::Host, reason)]),
                };
                let blockers = answer
                    .err()
                    .or_else(|| refusals.get(target).cloned())
                    .unwrap_or_else(|| vec![Blocker::new(BlockerKind::Host, "it has not said how it is")]);
                prepared.peer = Some(target.clone());
                prepared.findings.push(Finding { target: target.clone(), blockers });
            }
            let answers = prepared.findings.iter().map(|one| (short(&one.target), one.blockers.as_slice()));
            prepared.readiness = refused(answers, describe(&prepared.findings));
        } else {
            prepared.readiness = Readiness::Skipped(offer.manifest.obstacles.join("; "));
        }
        let _ = local.unmark(offer.ticket).await;
        prepared
    }

    async fn first_taker(&self, mut prepared: Prepared, ask: &Ask<'_>, targets: &[HostUri]) -> Prepared {
        for target in targets {
            self.engine.watcher.event(&Event::Initializing(&prepared.zone, short(target)));
            prepared.peer = Some(target.clone());
            let answer = match self.host(target) {
                Ok(host) => self.put(ask, host.as_ref()).await.map(|arrival| (arrival, host)),
                Err(reason) => Err(vec![Blocker::new(BlockerKind::Host, reason)]),
            };
            match answer {
                Ok((arrival, to)) => {
                    let task = Task { arrival, from: self.engine.local.clone(), to };
                    return Prepared { readiness: Readiness::Ready(Box::new(task)), ..prepared };
                }
                Err(blockers) => prepared.findings.push(Finding { target: target.clone(), blockers }),
            }
        }
        let answers = prepared.findings.iter().map(|one| (short(&one.target), one.blockers.as_slice()));
        let readiness = refused(answers, describe(&prepared.findings));
        Prepared { readiness, ..prepared }
    }

    /// Finds the zone at its refuge, and asks this host to take it.
    async fn come_back(&self, candidate: &Candidate, away: &Away) -> Prepared {
        self.engine.watcher.event(&Event::Initializing(&candidate.zone, short(&away.refuge)));
        let readiness = match self.host(&away.refuge) {
            Ok(refuge) => self.fetch(away, refuge).await.unwrap_or_else(|readiness| readiness),
            Err(reason) => Readiness::Failed(reason),
        };
        Prepared {
            peer: Some(away.refuge.clone()),
            away: Some(Box::new(away.clone())),
            ..unprepared(candidate, readiness)
        }
    }

    async fn fetch(&self, away: &Away, refuge: Arc<dyn Host>) -> Result<Readiness, Readiness> {
        let failed = |reason: String| Readiness::Failed(reason);
        let kind = way_back(away, refuge.as_ref(), self.options).await?;
        let offer = refuge.offer(away.zone.clone()).await.map_err(|error| failed(error.to_string()))?;
        let readiness = if offer.manifest.obstacles.is_empty() {
            match self.put(&self.ask(&offer, kind, refuge.name()), self.engine.local.as_ref()).await {
                Ok(arrival) => {
                    let task = Task { arrival, from: Arc::clone(&refuge), to: self.engine.local.clone() };
                    Readiness::Ready(Box::new(task))
                }
                Err(blockers) => refused([(self.engine.local.name(), blockers.as_slice())], join(&blockers)),
            }
        } else {
            Readiness::Skipped(offer.manifest.obstacles.join("; "))
        };
        let _ = refuge.unmark(offer.ticket).await;
        Ok(readiness)
    }
}

/// How a zone can come back from its refuge, found out there.
async fn way_back(away: &Away, refuge: &dyn Host, options: &Options) -> Result<Kind, Readiness> {
    let failed = |reason: String| Readiness::Failed(reason);
    let inventory = refuge.inventory().await.map_err(|error| failed(error.to_string()))?;
    let name = refuge.name();
    let Some(zone) = inventory.zones.iter().find(|zone| zone.uuid == away.uuid) else {
        let moved = refuge.moved_on(away.zone.clone()).await.ok().flatten();
        return Err(failed(match moved {
            Some(uri) => format!(
                "{name} has evacuated it to {uri}; first return it to {name}: run 'sysadm evacuate -r {}' there",
                away.zone
            ),
            None => format!(
                "it is no longer on {name}: moved on or removed there; find it, or give it up: sysadm evacuate --forget {}",
                away.zone
            ),
        }));
    };
    if zone.name != away.zone {
        return Err(failed(format!("it is called {} on {name} now; rename it there first", zone.name)));
    }
    // A zone comes back as it went.
    let restarts = away.kind == Kind::Restart || options.actions.of(&away.zone) == Action::Restart;
    match (zone.is_running(), zone.brand) {
        (true, _) if restarts => match way(zone, Action::Restart) {
            Ok(Way::Move(kind)) => Ok(kind),
            Ok(Way::Rest(_) | Way::Stay) => Err(Readiness::Skipped("it cannot be restarted".to_owned())),
            Err(reason) => Err(Readiness::Skipped(format!("on {name}: {reason}"))),
        },
        (true, Brand::Kvm) => Ok(Kind::Live),
        (true, Brand::Lxc) => Err(Readiness::Skipped(format!(
            "a running lxc zone cannot be migrated live; return it with --action restart, or shut it down on {name} and use -ra"
        ))),
        (false, _) if options.all || options.zones.contains(&away.zone) => Ok(Kind::Cold),
        (false, _) => Err(Readiness::Skipped(format!("it does not run on {name}; -ra returns it too"))),
    }
}

/// What becomes of a zone that none of these takes.
fn refused<'a>(answers: impl IntoIterator<Item = (&'a str, &'a [Blocker])>, reason: String) -> Readiness {
    Wait::of(answers, &reason).map_or(Readiness::Failed(reason), Readiness::Waits)
}

fn unprepared(candidate: &Candidate, readiness: Readiness) -> Prepared {
    Prepared {
        zone: candidate.zone.clone(),
        brand: candidate.brand,
        peer: None,
        readiness,
        findings: Vec::new(),
        away: None,
    }
}

/// Writes a preparation's result into the zone's row.
fn note(a_move: &mut Move, prepared: &Prepared) {
    a_move.dest.clone_from(&prepared.peer);
    match &prepared.readiness {
        Readiness::Ready(task) => {
            a_move.state = MoveState::Ready;
            a_move.error = None;
            a_move.kind = Some(task.arrival.kind);
            a_move.total = task.arrival.manifest.zone.memory;
        }
        Readiness::Waits(wait) => {
            a_move.state = MoveState::Ready;
            a_move.error = Some(wait.to_string());
        }
        Readiness::Rest(_) | Readiness::Wake(_) => a_move.state = MoveState::Ready,
        Readiness::Skipped(reason) => {
            a_move.state = MoveState::Skipped;
            a_move.error = Some(reason.clone());
        }
        Readiness::Failed(reason) => {
            a_move.state = MoveState::Failed;
            a_move.error = Some(reason.clone());
        }
        Readiness::Unsettled => {
            a_move.state = MoveState::Unknown;
            a_move.error = Some(UNSETTLED.to_owned());
        }
    }
}
