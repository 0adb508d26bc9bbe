//! Why a zone was not detached, attached, created or deleted.

use std::path::PathBuf;

use uuid::Uuid;

use crate::evacuation::forget;
use crate::failover::ownership::Elsewhere;
use crate::host::HostError;
use crate::model::document::DocumentError;
use crate::model::{
    Blocker, Hinted, HostUri, Message, NetworkName, RESUME, UnmanagedGuest, ZoneName, ZoneState,
};
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
    #[error("zone '{0}': it is running")]
    Runs(ZoneName),
    /// Its memory lies here.
    #[error("zone '{0}': it is suspended; its memory is saved on this host")]
    Suspended(ZoneName, String),
    /// It was put to rest.
    #[error("zone '{0}': it was stopped by an evacuation, and is booted on return")]
    Rests(ZoneName),
    /// It is at its refuge.
    #[error("zone '{0}': it is away at {1}")]
    Away(ZoneName, HostUri),
    /// Nobody knows where it is.
    #[error("zone '{0}': its move to {1} was interrupted")]
    Unsettled(ZoneName, HostUri),
    /// It is in another state.
    #[error("zone '{0}': it is {1}, and only {2} zones can be {3}")]
    State(ZoneName, ZoneState, ZoneState, &'static str),
    /// Its host says that it cannot leave.
    #[error("zone '{0}': it cannot leave: {why}", why = .1.join("; "))]
    Held(ZoneName, Vec<String>),
    /// Another zone of its name would lose its configuration.
    #[error("zone '{0}': another zone of this name is configured here ({1}), perhaps its only configuration")]
    NameTaken(ZoneName, Uuid),
    /// Another host has it, or may have it.
    #[error("zone '{0}': {1}")]
    Elsewhere(ZoneName, Elsewhere),
    /// It lives elsewhere now.
    #[error("zone '{0}': it was migrated to {1}, and is attached there")]
    MovedTo(ZoneName, HostUri),
    /// It is configured, and nothing more.
    #[error("zone '{0}': it is configured, and not attached")]
    NotAttached(ZoneName),
    /// Its host has left nothing of it.
    #[error("zone '{0}': no other host has copied its manifest to this host")]
    NotLeft(ZoneName),
    /// More than one host has a zone of that name.
    #[error("zone '{0}': more than one host has copied a manifest of this name to this host: {all}", all = .1.join(", "))]
    LeftBySeveral(ZoneName, Vec<String>),
    /// Its host may be there.
    #[error("zone '{0}': {1}")]
    NotLost(ZoneName, crate::failover::Refused),
    /// Somebody has that name.
    #[error("zone '{0}': a zone of this name is {1} on this host")]
    Name(ZoneName, ZoneState),
    /// Somebody has that identity.
    #[error("zone '{0}': zone '{1}' on this host has the same UUID, {2}")]
    Identity(ZoneName, ZoneName, Uuid),
    /// It is of something else than runs here.
    #[error("zone '{0}': it is a {1} zone, and this host runs {2}")]
    Platform(ZoneName, String, &'static str),
    /// It is not connected to that.
    #[error("zone '{0}': it has no network {1}; its networks are: {all}", all = .2.join(", "))]
    NoSuchNetwork(ZoneName, NetworkName, Vec<String>),
    /// Its manifest says one thing, and the configuration in it another.
    #[error(
        "zone '{0}': its manifest is for '{one}' ({one_id}), but contains the configuration of '{other}' ({other_id})",
        one = .1.0, one_id = .1.1, other = .2.0, other_id = .2.1
    )]
    TwoZones(ZoneName, (ZoneName, Uuid), (ZoneName, Uuid)),
    /// The editor has given it another name.
    #[error("zone '{0}': its name was changed to '{1}' in its configuration")]
    Renamed(ZoneName, ZoneName),
    /// The editor has given it another identity.
    #[error("zone '{0}': its UUID was changed to {1} in its configuration")]
    Reidentified(ZoneName, Uuid),
    /// Another zone's manifest lies where its own belongs.
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
            Self::Suspended(_, domain) => vec![
                "boot it".to_owned(),
                format!("or discard its saved memory: virsh managedsave-remove {domain}"),
            ],
            Self::Rests(zone) => vec![
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
            Self::NotLost(_, why) => why.hints(),
            Self::MovedTo(_, uri) => vec![format!("move it from {}", uri.host)],
            Self::NotAttached(zone) => vec![format!("attach it first: sysadm zone attach {zone}")],
            Self::NotLeft(_) => vec!["'sysadm zone standby -l' lists the manifests on this host".to_owned()],
            Self::LeftBySeveral(..) => vec!["name one of them with --origin".to_owned()],
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
pub enum AttachmentError {
    /// It may not be done.
    #[error(transparent)]
    Refused(#[from] AdminRefusal),
    /// It does not fit here.
    #[error("zone '{zone}' does not fit on {host}: {}", Blocker::join(.findings))]
    Unfit {
        /// The zone.
        zone: ZoneName,
        /// This host.
        host: String,
        /// All that stands against it.
        findings: Vec<Blocker>,
    },
    /// Its configuration was edited, and is none now.
    #[error("zone '{zone}': its configuration is no longer valid")]
    Unreadable {
        /// The zone.
        zone: ZoneName,
        /// What is wrong with it.
        #[source]
        error: Box<PlatformError>,
    },
    /// A file that is to be written is there.
    #[error("{0} already exists; nothing was changed")]
    InTheWay(PathBuf),
    /// What was begun could not be taken back.
    #[error("{cause}; what was written of it could not be removed: {also}")]
    NotUndone {
        /// Why it was to be taken back.
        cause: Box<Self>,
        /// Why that failed.
        also: Message,
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

impl Hinted for AttachmentError {
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
