//! Before anything moves: each zone is offered to its targets, in order, until one has nothing against it.

use std::sync::Arc;

use futures::StreamExt;

use super::connect::Connected;
use super::select::{Candidate, Intent};
use super::{Board, Engine, Event, Options, short};
use crate::host::{Host, HostError, Offer};
use crate::migration::{LEASE, Task};
use crate::model::{Arrival, Blocker, BlockerKind, Brand, HostUri, Kind, ZoneName};
use crate::store::{Away, Direction, Move, MoveState};

/// How many zones are prepared at once.
const WIDTH: usize = 4;

/// Whether room is booked at the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Only look: a dry run.
    Look,
    /// Book room, too.
    Book,
}

/// What one target had against a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The target.
    pub target: HostUri,
    /// All that it had against it.
    pub blockers: Vec<Blocker>,
}

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
    /// No attempt will be made.
    Skipped(String),
    /// No destination takes it, or it could not even be asked for.
    Failed(String),
}

impl std::fmt::Debug for Readiness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ready(task) => write!(f, "Ready({})", task.arrival.kind),
            Self::Skipped(reason) => write!(f, "Skipped({reason:?})"),
            Self::Failed(reason) => write!(f, "Failed({reason:?})"),
        }
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:?} {:?}", self.zone, self.readiness, self.findings)
    }
}

impl Engine {
    /// Prepares all candidates; several at once, results in the order of the candidates.
    pub(super) async fn prepare_all(
        &self,
        direction: Direction,
        candidates: &[Candidate],
        options: &Options,
        mode: Mode,
        board: &Board,
    ) -> Vec<Prepared> {
        self.watcher.event(&Event::Preparing(candidates.len()));
        let peers = candidates.iter().flat_map(|candidate| match &candidate.intent {
            Intent::Leave { targets, .. } => targets.clone(),
            Intent::Return(away) => vec![away.refuge.clone()],
            Intent::Skip(_) => Vec::new(),
        });
        let connected = self.peers.connect(peers).await;
        let connected = &connected;
        let preparing = candidates.iter().map(|candidate| async move {
            let prepared = match self.cancel.stage() {
                super::Stage::Running => self.prepare(direction, candidate, options, mode, connected).await,
                _ => unprepared(candidate, Readiness::Skipped("cancelled before its turn".to_owned())),
            };
            // A board that cannot be written is found out by the first move's journal, before the move.
            let _ = board.change(&prepared.zone, |a_move| note(a_move, &prepared));
            self.watcher.event(&Event::Prepared);
            prepared
        });
        futures::stream::iter(preparing).buffered(WIDTH).collect().await
    }

    async fn prepare(
        &self,
        direction: Direction,
        candidate: &Candidate,
        options: &Options,
        mode: Mode,
        connected: &Connected,
    ) -> Prepared {
        match &candidate.intent {
            Intent::Skip(reason) => unprepared(candidate, Readiness::Skipped(reason.clone())),
            Intent::Leave { kind, targets } => {
                self.prepare_leaving(direction, candidate, *kind, targets, options, mode, connected).await
            }
            Intent::Return(away) => self.prepare_return(candidate, away, options, mode, connected).await,
        }
    }

    #[allow(clippy::too_many_arguments)]
    async fn prepare_leaving(
        &self,
        _direction: Direction,
        candidate: &Candidate,
        kind: Kind,
        targets: &[HostUri],
        options: &Options,
        mode: Mode,
        connected: &Connected,
    ) -> Prepared {
        let mut prepared = unprepared(candidate, Readiness::Failed(String::new()));
        let offer = match self.local.offer(candidate.zone.clone()).await {
            Ok(offer) => offer,
            Err(error) => return Prepared { readiness: Readiness::Failed(error.to_string()), ..prepared },
        };
        if offer.manifest.obstacles.is_empty() {
            for target in targets {
                self.watcher.event(&Event::Initializing(&candidate.zone, short(target)));
                prepared.peer = Some(target.clone());
                let ask =
                    Ask { offer: &offer, kind, from: self.local.name(), overwrite: options.overwrite, mode };
                match connected.get(target) {
                    Some(Ok(host)) => match ask.ask(host.as_ref()).await {
                        Ok(arrival) => {
                            let task = Task { arrival, from: self.local.clone(), to: Arc::clone(host) };
                            prepared.readiness = Readiness::Ready(Box::new(task));
                            break;
                        }
                        Err(blockers) => prepared.findings.push(Finding { target: target.clone(), blockers }),
                    },
                    Some(Err(reason)) => prepared.findings.push(unreachable(target, reason)),
                    None => prepared.findings.push(unreachable(target, "not connected")),
                }
            }
            if !matches!(prepared.readiness, Readiness::Ready(_)) {
                prepared.readiness = Readiness::Failed(describe(&prepared.findings));
            }
        } else {
            prepared.readiness = Readiness::Skipped(offer.manifest.obstacles.join("; "));
        }
        let _ = self.local.unmark(offer.ticket).await;
        prepared
    }

    async fn prepare_return(
        &self,
        candidate: &Candidate,
        away: &Away,
        options: &Options,
        mode: Mode,
        connected: &Connected,
    ) -> Prepared {
        self.watcher.event(&Event::Initializing(&candidate.zone, short(&away.refuge)));
        let blank = Prepared {
            peer: Some(away.refuge.clone()),
            away: Some(Box::new(away.clone())),
            ..unprepared(candidate, Readiness::Failed(String::new()))
        };
        let failed = |reason: String| Prepared { readiness: Readiness::Failed(reason), ..blank.clone() };
        let refuge = match connected.get(&away.refuge) {
            Some(Ok(host)) => host,
            Some(Err(reason)) => return failed(reason.clone()),
            None => return failed("not connected".to_owned()),
        };
        let kind = match way_back(away, refuge.as_ref(), options).await {
            Ok(kind) => kind,
            Err(readiness) => return Prepared { readiness, ..blank },
        };
        let offer = match refuge.offer(away.zone.clone()).await {
            Ok(offer) => offer,
            Err(error) => return failed(error.to_string()),
        };
        let mut prepared = blank;
        prepared.readiness = if offer.manifest.obstacles.is_empty() {
            let ask = Ask { offer: &offer, kind, from: refuge.name(), overwrite: options.overwrite, mode };
            match ask.ask(self.local.as_ref()).await {
                Ok(arrival) => {
                    let task = Task { arrival, from: Arc::clone(refuge), to: self.local.clone() };
                    Readiness::Ready(Box::new(task))
                }
                Err(blockers) => {
                    let reasons: Vec<_> = blockers.iter().map(|blocker| blocker.reason.clone()).collect();
                    Readiness::Failed(reasons.join("; "))
                }
            }
        } else {
            Readiness::Skipped(offer.manifest.obstacles.join("; "))
        };
        let _ = refuge.unmark(offer.ticket).await;
        prepared
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
            Some(uri) => format!("{name} has evacuated it to {uri}; return it there first"),
            None => format!(
                "it is no longer on {name}: moved on or removed there; find it, or give it up: sysadm evacuate --forget {}",
                away.zone
            ),
        }));
    };
    if zone.name != away.zone {
        return Err(failed(format!("it is called {} on {name} now; rename it there first", zone.name)));
    }
    match (zone.is_running(), zone.brand) {
        (true, Brand::Kvm) => Ok(Kind::Live),
        (true, Brand::Lxc) => Err(Readiness::Skipped(format!(
            "a running lxc zone cannot be migrated live; shut it down on {name}, then return it with -ra"
        ))),
        (false, _) if options.all || options.zones.contains(&away.zone) => Ok(Kind::Cold),
        (false, _) => Err(Readiness::Skipped(format!("it does not run on {name}; -ra returns it too"))),
    }
}

/// A question to one destination.
struct Ask<'a> {
    offer: &'a Offer,
    kind: Kind,
    from: &'a str,
    overwrite: bool,
    mode: Mode,
}

impl Ask<'_> {
    /// Asks for everything that could stand against the zone, storage included.
    async fn ask(&self, host: &dyn Host) -> Result<Arrival, Vec<Blocker>> {
        let arrival = Arrival {
            manifest: self.offer.manifest.clone(),
            kind: self.kind,
            from: self.from.to_owned(),
            overwrite: self.overwrite,
        };
        let (answer, views) =
            futures::future::join(self.room(host, &arrival), host.look(self.offer.ticket.clone())).await;
        let mut blockers = match answer {
            Ok(blockers) => blockers,
            Err(error) => return Err(vec![Blocker::new(BlockerKind::Host, error.to_string())]),
        };
        match views {
            Ok(views) => blockers.extend(views.into_iter().filter_map(|view| {
                let problem = view.problem?;
                Some(Blocker::new(BlockerKind::Storage, format!("storage {} {problem}", view.source)))
            })),
            Err(error) => blockers.push(Blocker::new(BlockerKind::Host, error.to_string())),
        }
        if blockers.is_empty() {
            return Ok(arrival);
        }
        if self.mode == Mode::Book {
            let _ = host.release(arrival.manifest.zone.name).await;
        }
        Err(blockers)
    }

    async fn room(&self, host: &dyn Host, arrival: &Arrival) -> Result<Vec<Blocker>, HostError> {
        match self.mode {
            Mode::Look => host.check(arrival.clone()).await,
            Mode::Book => match host.reserve(arrival.clone(), LEASE).await {
                Ok(()) => Ok(Vec::new()),
                Err(HostError::Refused { blockers, .. }) => Ok(blockers),
                Err(error) => Err(error),
            },
        }
    }
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

fn unreachable(target: &HostUri, reason: &str) -> Finding {
    Finding { target: target.clone(), blockers: vec![Blocker::new(BlockerKind::Host, reason)] }
}

/// All findings on one line.
fn describe(findings: &[Finding]) -> String {
    let one = |finding: &Finding| {
        let reasons: Vec<_> = finding.blockers.iter().map(|blocker| blocker.reason.as_str()).collect();
        format!("{}: {}", short(&finding.target), reasons.join("; "))
    };
    findings.iter().map(one).collect::<Vec<_>>().join(" | ")
}

/// Writes a preparation's result into the zone's row.
fn note(a_move: &mut Move, prepared: &Prepared) {
    a_move.dest.clone_from(&prepared.peer);
    match &prepared.readiness {
        Readiness::Ready(task) => {
            a_move.state = MoveState::Ready;
            a_move.kind = Some(task.arrival.kind);
            a_move.total = task.arrival.manifest.zone.memory;
        }
        Readiness::Skipped(reason) => {
            a_move.state = MoveState::Skipped;
            a_move.error = Some(reason.clone());
        }
        Readiness::Failed(reason) => {
            a_move.state = MoveState::Failed;
            a_move.error = Some(reason.clone());
        }
    }
}
