//! One attempt to move a zone: the state that its acts share.

use std::time::Instant;

use tokio::sync::watch::Receiver;

use super::insist::{SHORT, insist};
use super::log::Log;
use super::streams::Streams;
use super::task::{Moved, Task};
use crate::host::HostError;
use crate::model::{MoveLimits, Sent, Token};

/// One attempt to move a zone.
pub struct Attempt<'a> {
    pub(super) task: &'a Task,
    pub(super) log: &'a dyn Log,
    pub(super) limits: MoveLimits,
    pub(super) abort: Receiver<bool>,
    /// The destination has a configuration of the zone already, and accepts that it is replaced.
    pub(super) replaces_config: bool,
    /// The configuration may have been given to the destination.
    pub(super) is_attached: bool,
    /// The secret of the streams of a live migration.
    pub(super) token: Token,
    /// The streams, once they are set up.
    pub(super) streams: Option<Streams>,
    /// The memory may have been sent.
    pub(super) is_sent: bool,
    /// The transfer was given up here, and did not fail by itself.
    pub(super) is_given_up: bool,
    /// The source's answer at the end of the transfer, and when it came.
    pub(super) sent: Option<(Sent, Instant)>,
    /// When the zone was asked to shut down.
    pub(super) shutdown: Option<tokio::time::Instant>,
    pub(super) moved: Moved,
}

impl<'a> Attempt<'a> {
    pub fn new(task: &'a Task, log: &'a dyn Log, limits: MoveLimits, abort: Receiver<bool>) -> Self {
        Self {
            task,
            log,
            limits,
            abort,
            replaces_config: false,
            is_attached: false,
            token: Token::random(),
            streams: None,
            is_sent: false,
            is_given_up: false,
            sent: None,
            shutdown: None,
            moved: Moved { bytes: task.request.manifest.config.len() as u64, downtime: None },
        }
    }
}

/// Switches autostart off at the source while the zone leaves. If the source lost its power just after the zone
/// was resumed at its destination, it would otherwise boot the zone a second time.
pub(super) async fn set_autostart_at_source(task: &Task, autostart: bool) -> Result<(), HostError> {
    let zone = &task.zone;
    if !zone.autostart || !zone.persistent {
        return Ok(());
    }
    insist(SHORT, || task.from.set_autostart(task.name(), autostart)).await
}
