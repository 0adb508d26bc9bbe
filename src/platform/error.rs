//! Why a platform did not do what it was asked, and whether it may if it is asked again.

use std::io;
use std::path::PathBuf;

use crate::exec::ExecError;
use crate::model::{Brand, ZoneName};

/// Why a platform did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// No such zone here.
    #[error("no such zone: {0}")]
    NoSuchZone(ZoneName),
    /// The zone is not in a state in which that can be done.
    #[error("zone '{zone}': {what}")]
    State {
        /// The zone.
        zone: ZoneName,
        /// What stands against it.
        what: String,
    },
    /// The hypervisor's service does not answer.
    #[error("{service} does not answer; is it running? ({hint})")]
    Down {
        /// What does not answer.
        service: &'static str,
        /// How to look.
        hint: &'static str,
        /// What its client said.
        #[source]
        source: ExecError,
    },
    /// What is to be asked is not even installed. Never taken for a host without zones.
    #[error(
        "there is no {program} on this host; install libvirt's clients, or write platform = \"sim\" into sysadm.toml for \
         simulated zones"
    )]
    Absent {
        /// What is not there.
        program: &'static str,
        /// What was said when it was started.
        #[source]
        source: ExecError,
    },
    /// There may be zones of which nobody tells.
    #[error("libvirt does not answer for {brand} zones, and there may be some: {}", trace.display())]
    Unseen {
        /// Their brand.
        brand: Brand,
        /// What says that there may be some.
        trace: PathBuf,
        /// What was said when they were to be listed.
        #[source]
        source: ExecError,
    },
    /// The platform has no such ability.
    #[error("{platform} cannot {what}")]
    Unsupported {
        /// The platform.
        platform: &'static str,
        /// What it cannot do.
        what: &'static str,
    },
    /// A command failed.
    #[error("failed to {what}")]
    Command {
        /// What was tried.
        what: String,
        /// The hypervisor was busy, or its connection was lost.
        transient: bool,
        /// Why it failed.
        source: ExecError,
    },
    /// A zone that was to leave by a live migration has not.
    #[error("zone '{zone}': {what}")]
    NotSent {
        /// The zone.
        zone: ZoneName,
        /// Why.
        what: String,
        /// The hypervisor was busy, or its connection was lost.
        transient: bool,
    },
    /// A command printed something else than it should.
    #[error("failed to understand what {command} printed: {what}")]
    Output {
        /// The command.
        command: &'static str,
        /// What is odd.
        what: String,
    },
    /// A file or socket could not be used.
    #[error("failed to {what} {path}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The simulation's own failures, and those that it was told to have.
    #[error("{0}")]
    Simulated(String),
}

impl crate::model::Hinted for PlatformError {}

impl PlatformError {
    /// Whether the same request may succeed in a while: a connection was lost, the hypervisor was busy.
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

    /// A zone that was asked to shut down and still runs so many milliseconds later.
    pub(super) fn not_down(zone: &ZoneName, limit: u64) -> Self {
        let what = format!(
            "it was asked to shut down and has not within {} s; it runs on, and may yet go down",
            limit / 1000
        );
        Self::State { zone: zone.clone(), what }
    }

    /// The end of a departure is asked for of which this process knows nothing.
    pub(super) fn no_departure(zone: &ZoneName) -> Self {
        Self::State { zone: zone.clone(), what: "nothing is known of its departure".to_owned() }
    }
}

/// Whether an established connection was lost.
pub fn is_lost_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, TimedOut};
    matches!(error.kind(), BrokenPipe | ConnectionReset | TimedOut)
}

/// Why a zone did not leave: kept until somebody asks for it, for more than one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendFailure {
    /// In words, without the zone's name.
    pub what: String,
    /// The hypervisor was busy, or its connection was lost.
    pub transient: bool,
}

impl SendFailure {
    /// A failure that another attempt will meet again.
    pub fn permanent(what: impl Into<String>) -> Self {
        Self { what: what.into(), transient: false }
    }

    /// A failure that another attempt may not meet.
    pub fn transient(what: impl Into<String>) -> Self {
        Self { what: what.into(), transient: true }
    }

    /// The failure of that zone.
    pub fn of(self, zone: &ZoneName) -> PlatformError {
        PlatformError::NotSent { zone: zone.clone(), what: self.what, transient: self.transient }
    }
}
