//! Why a zone was not detached, attached, created or deleted.

use std::path::PathBuf;

use uuid::Uuid;

use crate::failover::ownership::OwnedElsewhere;
use crate::host::HostError;
use crate::model::document::DocumentError;
use crate::model::{Blocker, HostUri, NetworkName, UnmanagedGuest, ZoneName, ZoneState};
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
    #[error("zone '{0}': it runs; shut it down first, or move it as it is: 'sysadm zone migrate {0} URI'")]
    Runs(ZoneName),
    /// The zone is suspended: its memory is on this host.
    #[error(
        "zone '{0}': it is suspended, and its memory is saved on this host; boot it first, or discard the saved memory"
    )]
    Suspended(ZoneName),
    /// It was put to rest.
    #[error(
        "zone '{0}': it rests here; 'sysadm evacuate -r {0}' boots it again, 'sysadm evacuate --forget {0}' gives that up"
    )]
    StoppedHere(ZoneName),
    /// The zone is away.
    #[error(
        "zone '{0}': it is away at {1}; 'sysadm evacuate -r {0}' brings it back; if it is nowhere any more, 'sysadm evacuate --forget {0}' makes it configured here"
    )]
    Away(ZoneName, HostUri),
    /// It is not known where the zone is.
    #[error("zone '{0}': its move to {1} was interrupted; 'sysadm evacuate --resume' finds out where it is")]
    Unsettled(ZoneName, HostUri),
    /// The zone is in another state.
    #[error("zone '{0}': it is {1}, and only {2} zones can be {3}")]
    State(ZoneName, ZoneState, ZoneState, &'static str),
    /// The zone has obstacles.
    #[error("zone '{0}': it cannot leave: {why}", why = .1.join("; "))]
    Held(ZoneName, Vec<String>),
    /// The configuration of another zone with this name would be lost.
    #[error(
        "zone '{0}': another zone of this name is configured here ({1}), and this may be all that there is of it; give one of them another name, or give the other one up: 'sysadm zone delete {0}'"
    )]
    NameTaken(ZoneName, Uuid),
    /// Another host has the zone, or may have it.
    #[error("zone '{0}': {1}")]
    Elsewhere(ZoneName, OwnedElsewhere),
    /// The zone was migrated to another host.
    #[error("zone '{0}': it was migrated to {1}, and is attached there; move it from there")]
    MovedTo(ZoneName, HostUri),
    /// The zone is only configured.
    #[error("zone '{0}': it is configured; attach it first: sysadm zone attach {0}")]
    NotAttached(ZoneName),
    /// Its host has left no replica here.
    #[error("zone '{0}': no other host has left its manifest here; 'sysadm zone standby -l' lists what is")]
    NoReplica(ZoneName),
    /// Several hosts have left replicas of a zone with that name.
    #[error("zone '{0}': these hosts have left a zone of this name: {all}; say which with --origin", all = .1.join(", "))]
    SeveralReplicas(ZoneName, Vec<String>),
    /// Its host may not be lost.
    #[error("zone '{0}': {1}")]
    NotTakenOver(ZoneName, crate::failover::TakeoverRefusal),
    /// Another zone has that name.
    #[error("zone '{0}': there is a zone of this name here, {1}")]
    Name(ZoneName, ZoneState),
    /// Another zone has that UUID.
    #[error("zone '{0}': zone '{1}' here has its UUID, {2}; --set uuid=new makes it a copy")]
    Identity(ZoneName, ZoneName, Uuid),
    /// The zone is of another platform.
    #[error("zone '{0}': it is a zone of {1}, this host runs {2}")]
    Platform(ZoneName, String, &'static str),
    /// The zone is not connected to that network.
    #[error("zone '{0}': it has no network {1}; it has: {all}", all = .2.join(", "))]
    NoSuchNetwork(ZoneName, NetworkName, Vec<String>),
    /// The manifest and the configuration in it are of different zones.
    #[error(
        "zone '{0}': its manifest is of '{one}' ({one_id}), and the configuration in it of '{other}' ({other_id}); take it as 'sysadm zone detach' has written it",
        one = .1.0, one_id = .1.1, other = .2.0, other_id = .2.1
    )]
    TwoZones(ZoneName, (ZoneName, Uuid), (ZoneName, Uuid)),
    /// The editor has changed the name.
    #[error(
        "zone '{0}': its name was changed to '{1}' in its configuration; say that on the command line: create {1}"
    )]
    Renamed(ZoneName, ZoneName),
    /// The editor has changed the UUID.
    #[error(
        "zone '{0}': its UUID was changed to {1} in its configuration; say that on the command line: --set uuid={1}"
    )]
    Reidentified(ZoneName, Uuid),
    /// Another zone's manifest is in its zonepath.
    #[error("zone '{0}': {1}")]
    Occupied(ZoneName, String),
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// It is not allowed.
    #[error(transparent)]
    Refused(#[from] AdminRefusal),
    /// The zone does not fit here.
    #[error("zone '{zone}' does not fit on {host}: {why}", why = join(.findings))]
    Unfit { zone: ZoneName, host: String, findings: Vec<Blocker> },
    /// The configuration is invalid after it was edited.
    #[error("zone '{zone}': its configuration cannot be read any more")]
    Unreadable {
        zone: ZoneName,
        #[source]
        error: Box<PlatformError>,
    },
    /// A file that is to be written exists already.
    #[error("{0} is there already; nothing was changed")]
    InTheWay(PathBuf),
    /// What was begun could not be undone.
    #[error("{cause}; what was written of it could not be taken away: {also}")]
    NotUndone {
        /// Why it had to be undone.
        cause: Box<Self>,
        /// Why that failed.
        also: String,
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

fn join(findings: &[Blocker]) -> String {
    findings.iter().map(|finding| finding.reason.as_str()).collect::<Vec<_>>().join("; ")
}
