//! Why a zone was not detached, attached, created or deleted.

use std::path::PathBuf;

use uuid::Uuid;

use crate::failover::ownership::Elsewhere;
use crate::host::HostError;
use crate::model::document::DocumentError;
use crate::model::{Blocker, HostUri, NetworkName, UnmanagedGuest, ZoneName, ZoneState};
use crate::platform::PlatformError;
use crate::run_lock::LockError;
use crate::store::StoreError;
use crate::zonepath::ZonepathError;

/// What stands against it at once, without a look at the host.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdminRefusal {
    /// Nobody here knows it.
    #[error("no such zone: {0}")]
    NoSuchZone(ZoneName),
    /// It is here, and cannot be handled.
    #[error("{0}")]
    Unhandled(UnmanagedGuest),
    /// It runs.
    #[error("zone '{0}': it runs; shut it down first, or move it as it is: 'sysadm zone migrate {0} URI'")]
    Runs(ZoneName),
    /// Its memory lies here.
    #[error(
        "zone '{0}': it is suspended, its memory lies on this host; boot it, or give its memory up ('virsh managedsave-remove {1}')"
    )]
    Suspended(ZoneName, String),
    /// It was put to rest.
    #[error(
        "zone '{0}': it rests here; 'sysadm evacuate -r {0}' boots it again, 'sysadm evacuate --forget {0}' gives that up"
    )]
    Rests(ZoneName),
    /// It is at its refuge.
    #[error(
        "zone '{0}': it is away at {1}; 'sysadm evacuate -r {0}' brings it back; if it is nowhere any more, 'sysadm evacuate --forget {0}' makes it configured here"
    )]
    Away(ZoneName, HostUri),
    /// Nobody knows where it is.
    #[error("zone '{0}': its move to {1} was interrupted; 'sysadm evacuate --resume' finds out where it is")]
    Unsettled(ZoneName, HostUri),
    /// It is in another state.
    #[error("zone '{0}': it is {1}, and only {2} zones can be {3}")]
    State(ZoneName, ZoneState, ZoneState, &'static str),
    /// Its host says that it cannot leave.
    #[error("zone '{0}': it cannot leave: {why}", why = .1.join("; "))]
    Held(ZoneName, Vec<String>),
    /// Another zone of its name would lose its configuration.
    #[error(
        "zone '{0}': another zone of this name is configured here ({1}), and this may be all that there is of it; give one of them another name, or give the other one up: 'sysadm zone delete {0}'"
    )]
    NameTaken(ZoneName, Uuid),
    /// Another host has it, or may have it.
    #[error("zone '{0}': {1}")]
    Elsewhere(ZoneName, Elsewhere),
    /// It lives elsewhere now.
    #[error("zone '{0}': it was migrated to {1}, and is attached there; move it from there")]
    MovedTo(ZoneName, HostUri),
    /// It is configured, and nothing more.
    #[error("zone '{0}': it is configured; attach it first: sysadm zone attach {0}")]
    NotAttached(ZoneName),
    /// Its host has left nothing of it.
    #[error("zone '{0}': no other host has left its manifest here; 'sysadm zone standby -l' lists what is")]
    NotLeft(ZoneName),
    /// More than one host has a zone of that name.
    #[error("zone '{0}': these hosts have left a zone of this name: {all}; say which with --origin", all = .1.join(", "))]
    LeftBySeveral(ZoneName, Vec<String>),
    /// Its host may be there.
    #[error("zone '{0}': {1}")]
    NotLost(ZoneName, crate::failover::Refused),
    /// Somebody has that name.
    #[error("zone '{0}': there is a zone of this name here, {1}")]
    Name(ZoneName, ZoneState),
    /// Somebody has that identity.
    #[error("zone '{0}': zone '{1}' here has its UUID, {2}; --set uuid=new makes it a copy")]
    Identity(ZoneName, ZoneName, Uuid),
    /// It is of something else than runs here.
    #[error("zone '{0}': it is a zone of {1}, this host runs {2}")]
    Platform(ZoneName, String, &'static str),
    /// It is not connected to that.
    #[error("zone '{0}': it has no network {1}; it has: {all}", all = .2.join(", "))]
    NoSuchNetwork(ZoneName, NetworkName, Vec<String>),
    /// Its manifest says one thing, and the configuration in it another.
    #[error(
        "zone '{0}': its manifest is of '{one}' ({one_id}), and the configuration in it of '{other}' ({other_id}); take it as 'sysadm zone detach' has written it",
        one = .1.0, one_id = .1.1, other = .2.0, other_id = .2.1
    )]
    TwoZones(ZoneName, (ZoneName, Uuid), (ZoneName, Uuid)),
    /// The editor has given it another name.
    #[error(
        "zone '{0}': its name was changed to '{1}' in its configuration; say that on the command line: create {1}"
    )]
    Renamed(ZoneName, ZoneName),
    /// The editor has given it another identity.
    #[error(
        "zone '{0}': its UUID was changed to {1} in its configuration; say that on the command line: --set uuid={1}"
    )]
    Reidentified(ZoneName, Uuid),
    /// Another zone's manifest lies where its own belongs.
    #[error("zone '{0}': {1}")]
    Occupied(ZoneName, String),
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum AttachmentError {
    /// It may not be done.
    #[error(transparent)]
    Refused(#[from] AdminRefusal),
    /// It does not fit here.
    #[error("zone '{zone}' does not fit on {host}: {why}", why = join(.findings))]
    Unfit {
        /// The zone.
        zone: ZoneName,
        /// This host.
        host: String,
        /// All that stands against it.
        findings: Vec<Blocker>,
    },
    /// Its configuration was edited, and is none now.
    #[error("zone '{zone}': its configuration cannot be read any more")]
    Unreadable {
        /// The zone.
        zone: ZoneName,
        /// What is wrong with it.
        #[source]
        error: Box<PlatformError>,
    },
    /// A file that is to be written is there.
    #[error("{0} is there already; nothing was changed")]
    InTheWay(PathBuf),
    /// What was begun could not be taken back.
    #[error("{cause}; what was written of it could not be taken away: {also}")]
    NotUndone {
        /// Why it was to be taken back.
        cause: Box<Self>,
        /// Why that failed.
        also: String,
    },
    /// Zones are moving.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// This host does not answer as it should.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Its platform cannot do it.
    #[error(transparent)]
    Platform(#[from] PlatformError),
    /// Its store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A manifest could not be read or written.
    #[error(transparent)]
    Zonepath(#[from] ZonepathError),
    /// Something cannot be written in a manifest.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

fn join(findings: &[Blocker]) -> String {
    findings.iter().map(|finding| finding.reason.as_str()).collect::<Vec<_>>().join("; ")
}
