//! Where a zone is that may have gone on from its location, and how it can come back from there.

use std::sync::Arc;

use uuid::Uuid;

use super::engine::{Engine, Event};
use super::job_state::JobEvent;
use super::operation::Operation;
use super::request::Request;
use crate::host::{Host, HostError};
use crate::migration::settle::{ReachedHost, Trace};
use crate::migration::steps::Side;
use crate::model::{Location, Message, Method, ZoneName};
use crate::peers::NoPeer;
use crate::plan::Action;
use crate::store::ZoneRecord;

/// Maximum number of hosts that may have passed a zone on, one after another.
const FOLLOWED: usize = 8;

/// Where a zone was found that had moved on.
pub(super) struct Trail {
    /// The last host: as far as is known, the zone has not moved on from there.
    pub location: ReachedHost,
    /// What that host says of the zone; none if it is too old to be asked.
    pub known: Option<Location>,
    /// Which host has passed it on, and to which.
    pub hops: Vec<String>,
}

impl Engine {
    /// Follows a zone from host to host: its location may have passed it on, and so on.
    pub(super) async fn follow(&self, uuid: Uuid, mut location: ReachedHost) -> Result<Trail, NoPeer> {
        let mut hops = Vec::new();
        loop {
            let known = told(location.host.location(uuid).await.map(Some)).map_err(NoPeer::Silent)?;
            let (did, next) = match &known {
                Some(Location::Migrated(next)) => ("migrated", next),
                Some(Location::Evacuated(next)) => ("evacuated", next),
                _ => return Ok(Trail { location, known, hops }),
            };
            let moved = format!("{} has {did} it to {next}", location.host.name());
            if hops.len() == FOLLOWED {
                return Err(NoPeer::Silent(
                    format!("{moved}; gave up after following the zone through many hosts").into(),
                ));
            }
            let host = self.peers.reach(next).await.map_err(|why| match why {
                NoPeer::Itself => NoPeer::Itself,
                NoPeer::Silent(why) => NoPeer::Silent(why.about(&moved)),
            })?;
            location = ReachedHost { uri: next.clone(), host };
            hops.push(moved);
        }
    }

    /// Looks for a zone that cannot be found by following it from its location: on one of the hosts to which zones
    /// of this host go, if that host has it and says that it does not belong there.
    pub(super) async fn search(&self, away: &ZoneRecord) -> Option<ReachedHost> {
        let targets = self.store.targets().inspect_err(|error| {
            let why = Message::of(error).about(format!("{}: other targets are not asked for it", away.zone));
            self.events.emit(&Event::Warning(why));
        });
        let connected = self.peers.connect(targets.ok()?.into_values().flatten()).await;
        for (uri, host) in connected.reached() {
            if let Ok(Location::Guest(_)) = host.location(away.uuid).await {
                return Some(ReachedHost { uri: uri.clone(), host: Arc::clone(host) });
            }
        }
        None
    }

    /// How the zone can come back, according to its location.
    pub(super) async fn return_method(
        &self,
        away: &ZoneRecord,
        location: &dyn Host,
        request: &Request,
    ) -> Result<Method, JobEvent> {
        let home = self.local.as_ref();
        let boot = home.boot_command(&away.zone, away.uuid, away.brand);
        let failed = |reason: Message| JobEvent::Fail(None, reason);
        let inventory = location.inventory().await.map_err(|error| failed(error.into()))?;
        let name = location.name();
        let found = inventory
            .identified(away.uuid)
            .map_err(|unmanaged_guest| failed(unmanaged_guest.message().about(format!("on {name}"))))?;
        let Some(zone) = found else {
            let known = told(location.location(away.uuid).await.map(Some)).map_err(failed)?;
            return Err(failed(match known {
                Some(Location::Configured) => Message::from(format!("detached on {name}"))
                    .with_hint(format!("attach it on {name}: sysadm zone attach {}", away.zone))
                    .with_hint(forget(&away.zone)),
                _ => Message::from(format!("no longer on {name}: moved on or removed there"))
                    .with_hint("find out where it is, and bring it back there")
                    .with_hint(forget(&away.zone)),
            }));
        };
        if zone.name != away.zone {
            let renamed = Message::from(format!("renamed to '{}' on {name}", zone.name));
            return Err(failed(renamed.with_hint(format!("rename it to '{}' on {name}", away.zone))));
        }
        // A zone comes back by the method by which it left.
        let departures = self.store.departures().map_err(|error| failed(error.into()))?;
        let departure = departures.iter().find(|departure| departure.zone == away.zone);
        let restarts = departure.is_some_and(|departure| departure.method == Some(Method::Restart))
            || request.actions.of(&away.zone) == Action::Restart;
        let able = home.able(zone.brand);
        match zone.is_running() {
            true if restarts => match Operation::of(zone, able, Action::Restart) {
                Ok(Operation::Migrate { method, .. }) => Ok(method),
                Ok(_) => Err(JobEvent::Skip("it cannot be restarted".into())),
                Err(reason) => Err(JobEvent::Skip(reason.about(format!("on {name}")))),
            },
            true if able.live => Ok(Method::Live),
            true => {
                let text = format!("a running {} zone cannot be migrated live", zone.brand);
                Err(JobEvent::Skip(Message::from(text).with_hints([
                    "use --action restart to shut it down and boot it here".to_owned(),
                    format!("or shut it down on {name} and return it with -ra"),
                ])))
            }
            false if request.all || request.zones.contains(&away.zone) => Ok(Method::Cold),
            false if away.was_running => {
                let text = format!("it was running when it left, and is not running on {name}");
                Err(JobEvent::Skip(Message::from(text).with_hints([
                    format!("boot it on {name}: {boot}"),
                    "or return it as it is with -ra".to_owned(),
                ])))
            }
            false => {
                let text = format!("it is not running on {name}");
                Err(JobEvent::Skip(
                    Message::from(text).with_hint("use -ra to return zones that are not running, too"),
                ))
            }
        }
    }
}

/// The answer of the host it was evacuated to: where a zone has gone. A host that does not support the request has not moved the zone;
/// an answer that did not arrive is an error.
fn told<T>(answer: Result<Option<T>, HostError>) -> Result<Option<T>, Message> {
    match answer {
        Err(HostError::Unsupported { .. }) => Ok(None),
        answer => answer.map_err(|error| Message::from(error).about("its location could not be asked")),
    }
}

/// One of the two hosts of a move.
pub(super) enum End {
    /// This one.
    Here(Arc<dyn Host>),
    /// Another one.
    There(ReachedHost),
}

impl End {
    pub(super) fn host(&self) -> &dyn Host {
        match self {
            Self::Here(host) | Self::There(ReachedHost { host, .. }) => host.as_ref(),
        }
    }
}

/// Looks for the zone of a record where it may have gone on to from the ends of its move.
pub(super) struct RecoveryTrace<'a> {
    pub engine: &'a Engine,
    pub row: &'a ZoneRecord,
    pub ends: &'a [End; 2],
}

#[async_trait::async_trait]
impl Trace for RecoveryTrace<'_> {
    async fn went_on(&self, from: Side) -> Result<Option<ReachedHost>, Message> {
        let [source, destination] = self.ends;
        let end = if from == Side::Source { source } else { destination };
        let End::There(location) = end else { return Ok(None) };
        let trail = match self.engine.follow(self.row.uuid, location.clone()).await {
            Ok(trail) if trail.hops.is_empty() => return Ok(None),
            // A zone that went home is where the other host says.
            Err(NoPeer::Itself) => return Ok(None),
            Err(NoPeer::Silent(why)) => return Err(why),
            Ok(trail) => trail,
        };
        let has_it = matches!(trail.known, Some(Location::Here | Location::Guest(_)));
        Ok(has_it.then_some(trail.location))
    }

    async fn search(&self) -> Option<ReachedHost> {
        self.engine.search(self.row).await
    }
}

/// What discards the record of a zone that is away.
pub fn forget(zone: &ZoneName) -> String {
    format!("if it exists nowhere else, 'sysadm evacuate --forget {zone}' makes it configured here")
}
