//! Why a zone was not detached, attached, created or deleted.

use std::path::PathBuf;

use uuid::Uuid;

use crate::evacuation::forget;
use crate::failover::ownership::OwnedElsewhere;
use crate::host::HostError;
use crate::model::document::DocumentError;
use crate::model::{
    Blocker, Hinted, HostUri, Message, NetworkName, RESUME, UnmanagedGuest, ZoneName, ZoneState,
};
use crate::platform::PlatformError;
use crate::run_lock::LockError;
use crate::store::StoreError;
use crate::zonepath::ZonepathError;

/// What rules out a request without a look at the host.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdminRefusal {
    /// The zone is not known here.
    #[error("no such zone: {0}")]
    NoSuchZone(ZoneName),
    /// The guest cannot be handled.
    #[error("{0}")]
    Unhandled(UnmanagedGuest),
    /// The zone runs.
    #[error("zone '{0}' is running")]
    Runs(ZoneName),
    /// The zone is suspended: its memory is on this host.
    #[error("zone '{0}' is suspended; its memory is saved on this host")]
    Suspended(ZoneName),
    /// The zone was stopped here by an evacuation.
    #[error("zone '{0}' was stopped by an evacuation, and is booted on return")]
    StoppedHere(ZoneName),
    /// The zone is away.
    #[error("zone '{0}' is away at {1}")]
    Away(ZoneName, HostUri),
    /// It is not known where the zone is.
    #[error("zone '{0}': its move to {1} was interrupted")]
    Unsettled(ZoneName, HostUri),
    /// The zone is in another state.
    #[error("zone '{0}' is {1}, and only {2} zones can be {3}")]
    State(ZoneName, ZoneState, ZoneState, &'static str),
    /// The zone has obstacles.
    #[error("zone '{0}' cannot leave: {why}", why = .1.join("; "))]
    Held(ZoneName, Vec<String>),
    /// The configuration of another zone with this name would be lost.
    #[error("zone '{0}': another zone of this name is configured here ({1}), perhaps its only configuration")]
    NameTaken(ZoneName, Uuid),
    /// Another host has the zone, or may have it.
    #[error("zone '{0}': {1}")]
    Elsewhere(ZoneName, Box<OwnedElsewhere>),
    /// The zone was migrated to another host.
    #[error("zone '{0}' was migrated to {1}, and is attached there")]
    MovedTo(ZoneName, HostUri),
    /// The zone is only configured.
    #[error("zone '{0}' is configured, and not attached")]
    NotAttached(ZoneName),
    /// Its host has left no replica here.
    #[error("zone '{0}': no other host has copied its manifest to this host")]
    NoReplica(ZoneName),
    /// Several hosts have left replicas of a zone with that name.
    #[error("zone '{0}': more than one host has copied a manifest of this name to this host: {all}", all = .1.join(", "))]
    SeveralReplicas(ZoneName, Vec<String>),
    /// Its host may not be lost.
    #[error("zone '{0}': {1}")]
    NotTakenOver(ZoneName, Box<crate::failover::TakeoverRefusal>),
    /// Another zone has that name.
    #[error("zone '{0}': a zone of this name is {1} on this host")]
    Name(ZoneName, ZoneState),
    /// Another zone has that UUID.
    #[error("zone '{0}': zone '{1}' on this host has the same UUID, {2}")]
    Identity(ZoneName, ZoneName, Uuid),
    /// The zone is of another platform.
    #[error("zone '{0}' is a {1} zone, and this host runs {2}")]
    Platform(ZoneName, String, &'static str),
    /// The zone is not connected to that network.
    #[error("zone '{0}' has no network {1}; its networks are: {all}", all = .2.join(", "))]
    NoSuchNetwork(ZoneName, NetworkName, Vec<String>),
    /// The manifest and the configuration in it are of different zones.
    #[error(
        "zone '{0}': its manifest is for '{one}' ({one_id}), but contains the configuration of '{other}' ({other_id})",
        one = .1.0, one_id = .1.1, other = .2.0, other_id = .2.1
    )]
    TwoZones(ZoneName, (ZoneName, Uuid), (ZoneName, Uuid)),
    /// The editor has changed the name.
    #[error("zone '{0}': its name was changed to '{1}' in its configuration")]
    Renamed(ZoneName, ZoneName),
    /// The editor has changed the UUID.
    #[error("zone '{0}': its UUID was changed to {1} in its configuration")]
    Reidentified(ZoneName, Uuid),
    /// Another zone's manifest is in its zonepath.
    #[error("zone '{0}': {1}")]
    Occupied(ZoneName, Message),
}

impl Hinted for AdminRefusal {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Unhandled(unmanaged_guest) => unmanaged_guest.message().hints,
            Self::Runs(zone) => vec![
                "shut it down first".to_owned(),
                format!("or move it while it is running: sysadm zone migrate {zone} URI"),
            ],
            Self::Suspended(_) => vec!["boot it first, or discard its saved memory".to_owned()],
            Self::StoppedHere(zone) => vec![
                format!("boot it: sysadm evacuate -r {zone}"),
                format!("or keep it down: sysadm evacuate --forget {zone}"),
            ],
            Self::Away(zone, _) => vec![format!("bring it back: sysadm evacuate -r {zone}"), forget(zone)],
            Self::Unsettled(..) => vec![RESUME.to_owned()],
            Self::NameTaken(zone, _) => vec![
                "rename one of them".to_owned(),
                format!("or delete the configured one: sysadm zone delete {zone}"),
            ],
            Self::Elsewhere(_, why) => why.hints(),
            Self::NotTakenOver(_, why) => why.hints(),
            Self::MovedTo(_, uri) => vec![format!("move it from {}", uri.host)],
            Self::NotAttached(zone) => vec![format!("attach it first: sysadm zone attach {zone}")],
            Self::NoReplica(_) => {
                vec!["'sysadm zone standby -l' lists the manifests on this host".to_owned()]
            }
            Self::SeveralReplicas(..) => vec!["name one of them with --origin".to_owned()],
            Self::Identity(..) => vec!["use --set uuid=new to make it a copy".to_owned()],
            Self::TwoZones(..) => vec!["use the manifest as 'sysadm zone detach' wrote it".to_owned()],
            Self::Renamed(_, name) => vec![format!("name it on the command line: create {name}")],
            Self::Reidentified(_, uuid) => vec![format!("set it on the command line: --set uuid={uuid}")],
            Self::Occupied(_, why) => why.hints.clone(),
            Self::NoSuchZone(_)
            | Self::State(..)
            | Self::Held(..)
            | Self::Name(..)
            | Self::Platform(..)
            | Self::NoSuchNetwork(..) => Vec::new(),
        }
    }
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// It is not allowed.
    #[error(transparent)]
    Refused(#[from] AdminRefusal),
    /// The zone does not fit here.
    #[error("zone '{zone}' does not fit on {host}: {}", Blocker::join(.findings))]
    Unfit { zone: ZoneName, host: String, findings: Vec<Blocker> },
    /// The configuration is invalid after it was edited.
    #[error("zone '{zone}': the configuration is no longer valid")]
    Unreadable {
        zone: ZoneName,
        #[source]
        error: Box<PlatformError>,
    },
    /// A file that is to be written exists already.
    #[error("{0} already exists; nothing was changed")]
    InTheWay(PathBuf),
    /// What was begun could not be undone.
    #[error("{cause}; what had been written could not be removed: {also}")]
    NotUndone {
        /// Why it had to be undone.
        cause: Box<Self>,
        /// Why that failed.
        also: Message,
    },
    /// A run is in progress.
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(transparent)]
    Platform(#[from] PlatformError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A manifest could not be read or written.
    #[error(transparent)]
    Zonepath(#[from] ZonepathError),
    /// A manifest cannot be written as a document.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl Hinted for AdminError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Refused(refusal) => refusal.hints(),
            Self::Unfit { findings, .. } => Blocker::join(findings).hints,
            Self::Unreadable { error, .. } => error.hints(),
            Self::InTheWay(_) => vec!["move it away first".to_owned()],
            Self::NotUndone { cause, also } => Message::of(cause.as_ref()).and(also.clone()).hints,
            Self::Lock(error) => error.hints(),
            Self::Host(error) => error.hints(),
            Self::Platform(error) => error.hints(),
            Self::Store(error) => error.hints(),
            Self::Zonepath(error) => error.hints(),
            Self::Document(error) => error.hints(),
        }
    }
}
