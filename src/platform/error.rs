//! Why a platform failed to do something, and whether another attempt may succeed.

use std::io;
use std::path::PathBuf;

use crate::exec::ExecError;
use crate::model::{Brand, Hinted, ZoneName};

/// Why a platform failed to do something.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    #[error("no such zone: {0}")]
    NoSuchZone(ZoneName),
    /// The zone is in the wrong state.
    #[error("zone '{zone}': {what}")]
    State {
        zone: ZoneName,
        /// What the state is.
        what: String,
    },
    /// The hypervisor's daemon does not answer.
    #[error("{service} does not answer")]
    Down {
        service: &'static str,
        /// A command that shows why.
        hint: &'static str,
        /// The error of its client.
        #[source]
        source: ExecError,
    },
    /// The hypervisor's client is not installed. This never means that the host has no zones.
    #[error("{program} is not installed on this host")]
    Absent {
        program: &'static str,
        /// How to get it, or to do without it.
        remedy: &'static str,
        /// The error of starting it.
        #[source]
        source: ExecError,
    },
    /// There may be zones that cannot be listed.
    #[error("{service} does not answer, and this host may have {brand} zones: {}", trace.display())]
    Unseen {
        service: &'static str,
        brand: Brand,
        /// The path whose existence shows that there may be zones.
        trace: PathBuf,
        /// The error of listing them.
        #[source]
        source: ExecError,
    },
    /// The platform does not have this ability.
    #[error("{platform} cannot {what}")]
    Unsupported {
        platform: &'static str,
        /// What it cannot do.
        what: &'static str,
    },
    #[error("failed to {what}")]
    Command {
        /// What was tried.
        what: String,
        /// The hypervisor was busy, or the connection was lost.
        transient: bool,
        source: ExecError,
    },
    /// A live migration failed at the source.
    #[error("zone '{zone}': {what}")]
    NotSent {
        zone: ZoneName,
        what: String,
        /// The hypervisor was busy, or the connection was lost.
        transient: bool,
    },
    /// A command printed something unexpected.
    #[error("failed to understand what {command} printed: {what}")]
    Output {
        command: &'static str,
        /// What is unexpected.
        what: String,
    },
    /// A file or socket could not be used.
    #[error("failed to {what} {path}")]
    Io {
        /// What was tried.
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// An error of the simulation, real or injected by a fault.
    #[error("{0}")]
    Simulated(String),
}

impl Hinted for PlatformError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Down { service, hint, .. } => vec![format!("check that {service} is running: {hint}")],
            Self::Absent { remedy, .. } => vec![(*remedy).to_owned()],
            Self::NoSuchZone(_)
            | Self::State { .. }
            | Self::Unseen { .. }
            | Self::Unsupported { .. }
            | Self::Command { .. }
            | Self::NotSent { .. }
            | Self::Output { .. }
            | Self::Io { .. }
            | Self::Simulated(_) => Vec::new(),
        }
    }
}

impl PlatformError {
    /// Whether the same request may succeed later: the connection was lost, or the hypervisor was busy.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Command { transient, .. } | Self::NotSent { transient, .. } => *transient,
            Self::Io { source, .. } => is_lost_connection(source),
            Self::NoSuchZone(_)
            | Self::State { .. }
            | Self::Unsupported { .. }
            | Self::Down { .. }
            | Self::Absent { .. }
            | Self::Unseen { .. }
            | Self::Output { .. }
            | Self::Simulated(_) => false,
        }
    }

    /// The zone was asked to shut down, and still runs after that many milliseconds.
    pub(super) fn not_down(zone: &ZoneName, limit: u64) -> Self {
        let what = format!(
            "did not shut down within {} s; left running (it may still shut down later)",
            limit / 1000
        );
        Self::State { zone: zone.clone(), what }
    }

    /// This process did not start the migration whose end is awaited.
    pub(super) fn no_departure(zone: &ZoneName) -> Self {
        Self::State { zone: zone.clone(), what: "nothing is known of its departure".to_owned() }
    }
}

/// Whether an established connection was lost.
pub fn is_lost_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, TimedOut};
    matches!(error.kind(), BrokenPipe | ConnectionReset | TimedOut)
}

/// Why a live migration failed at the source. It is kept, because several callers may ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendFailure {
    /// Without the zone's name.
    pub what: String,
    /// The hypervisor was busy, or the connection was lost.
    pub transient: bool,
}

impl SendFailure {
    /// Another attempt would fail for the same reason.
    pub fn permanent(what: impl Into<String>) -> Self {
        Self { what: what.into(), transient: false }
    }

    /// Another attempt may succeed.
    pub fn transient(what: impl Into<String>) -> Self {
        Self { what: what.into(), transient: true }
    }

    pub fn of(self, zone: &ZoneName) -> PlatformError {
        PlatformError::NotSent { zone: zone.clone(), what: self.what, transient: self.transient }
    }
}
