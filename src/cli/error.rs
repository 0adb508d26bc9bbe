//! How a command ends: exit statuses, and errors as one line with their causes.

use std::process::ExitCode;

use crate::admin::AdminError;
use crate::cancel::CancelReason;
use crate::evacuation::EvacuationError;
use crate::host::HostError;
use crate::maintenance::MaintenanceError;
use crate::model::{Blocker, BlockerKind, Message};
use crate::run_lock::LockError;

/// The exit statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything that was asked is done.
    Done,
    /// An error; nothing was changed.
    Error,
    /// Wrong usage.
    Usage,
    /// Some zones moved, others did not or still run here.
    Partly,
    /// Maintenance is held, or not held although it must be, or another run is in progress.
    Refused,
    /// The operator must find out where a zone is.
    Stuck,
    /// Cancelled by the operator.
    Cancelled,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Error => 1,
            Exit::Usage => 2,
            Exit::Partly => 3,
            Exit::Refused => 4,
            Exit::Stuck => 5,
            Exit::Cancelled => 130,
        })
    }
}

impl Exit {
    /// The exit status if a zone is refused for these reasons.
    pub fn of(findings: &[Blocker]) -> Self {
        let locked = findings.iter().any(|finding| finding.kind == BlockerKind::Maintenance);
        if locked { Self::Refused } else { Self::Error }
    }
}

/// Why a command did nothing.
#[derive(Debug)]
pub struct CliError {
    pub exit: Exit,
    message: Message,
}

impl CliError {
    pub fn new(exit: Exit, error: impl Into<Message>) -> Self {
        Self { exit, message: error.into() }
    }

    pub fn usage(text: impl Into<Message>) -> Self {
        Self::new(Exit::Usage, text)
    }

    /// The error with its causes, and what to do about it.
    pub const fn message(&self) -> &Message {
        &self.message
    }
}

macro_rules! plain_errors {
    ($($type:ty),+) => {
        $(impl From<$type> for CliError {
            fn from(error: $type) -> Self {
                Self::new(Exit::Error, error)
            }
        })+
    };
}

plain_errors!(
    crate::store::StoreError,
    crate::config::ConfigError,
    super::policy::files::PolicyError,
    crate::platform::PlatformError,
    crate::zonepath::ZonepathError,
    crate::transport::DialError,
    HostError,
    std::io::Error
);

impl From<MaintenanceError> for CliError {
    fn from(error: MaintenanceError) -> Self {
        let exit = match error {
            MaintenanceError::Held(_) | MaintenanceError::Needed(_) => Exit::Refused,
            MaintenanceError::NotHeld { .. }
            | MaintenanceError::Lock(_)
            | MaintenanceError::Store(_)
            | MaintenanceError::Marker { .. } => Exit::Error,
        };
        Self::new(exit, error)
    }
}

impl From<EvacuationError> for CliError {
    fn from(error: EvacuationError) -> Self {
        let exit = match error {
            EvacuationError::NotInMaintenance | EvacuationError::InMaintenance(_) => Exit::Refused,
            EvacuationError::GivenUp(CancelReason::Operator) => Exit::Cancelled,
            EvacuationError::GivenUp(CancelReason::Deadline)
            | EvacuationError::NoSuchZone(_)
            | EvacuationError::Unhandled(_)
            | EvacuationError::NotAway(_)
            | EvacuationError::Changed(_)
            | EvacuationError::NotPlanned(_)
            | EvacuationError::Host(_)
            | EvacuationError::Document(_)
            | EvacuationError::Store(_) => Exit::Error,
            EvacuationError::Lock(error) => return error.into(),
        };
        Self::new(exit, error)
    }
}

impl From<LockError> for CliError {
    fn from(error: LockError) -> Self {
        let exit = match error {
            LockError::Busy(_) => Exit::Refused,
            LockError::Failed { .. } => Exit::Error,
        };
        Self::new(exit, error)
    }
}

impl From<AdminError> for CliError {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Lock(error) => error.into(),
            AdminError::Unfit { ref findings, .. } => Self::new(Exit::of(findings), error),
            AdminError::NotUndone { .. } => Self::new(Exit::Partly, error),
            AdminError::Refused(_)
            | AdminError::InTheWay(_)
            | AdminError::Unreadable { .. }
            | AdminError::Host(_)
            | AdminError::Platform(_)
            | AdminError::Store(_)
            | AdminError::Zonepath(_)
            | AdminError::Document(_) => Self::new(Exit::Error, error),
        }
    }
}
