//! Faults injected into a simulated host. They are stored in its database, so another process can set them.

use std::fmt;

use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};

use super::Sim;
use super::database::SimTransaction;
use crate::model::{BlockerKind, ZoneName, words};
use crate::platform::PlatformError;

words! {
    /// An operation of a platform.
    Operation, "operation" {
        Facts = "facts",
        Inventory = "inventory",
        Survey = "survey",
        Manifest = "manifest",
        Check = "check",
        Define = "define",
        Undefine = "undefine",
        SetAutostart = "set_autostart",
        Shutdown = "shutdown",
        Boot = "boot",
        Save = "save",
        OpenIncoming = "open_incoming",
        CloseIncoming = "close_incoming",
        Send = "send",
        Progress = "progress",
        Abort = "abort",
        WaitSent = "wait_sent",
        Resume = "resume",
        DestroyIncoming = "destroy_incoming",
    }
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// `check()` reports this blocker.
    Refuse { kind: BlockerKind, reason: String },
    /// An operation fails without having done anything.
    Fail { at: Operation, reason: String },
    /// An operation is carried out but nevertheless returns an error.
    FailAfter { at: Operation, reason: String },
    /// An operation does not begin before this fault is removed.
    Hang { at: Operation },
    /// A migration from here fails after that many rounds; 0: before the first.
    FailSend { rounds: u32, reason: String },
    /// A migration from here stalls after that many rounds until it is aborted; 0: before the first.
    Stall { rounds: u32 },
    /// The connection of a migration from here breaks after that many rounds; 0: before the first.
    Cut { rounds: u32 },
    /// The connection of a migration to here breaks when the zone is complete here, before the source is told.
    LoseAnswer,
    /// A migration from here reports success without the destination's confirmation. This removes the guard
    /// against zones that run twice, so that tests can show that they would notice one.
    Unguarded,
    /// The definition of a zone is removed as soon as it runs here, after a boot or a migration: it runs on, and
    /// vanishes at its end unless it is defined again.
    Undefine,
    /// A zone that is asked to shut down does not.
    IgnoreShutdown,
    /// Nothing here answers.
    Down,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse { reason, .. } => write!(f, "refuse: {reason}"),
            Self::Fail { at, reason } => write!(f, "fail {at}: {reason}"),
            Self::FailAfter { at, reason } => write!(f, "fail-after {at}: {reason}"),
            Self::Hang { at } => write!(f, "hang {at}"),
            Self::FailSend { rounds, reason } => write!(f, "fail-send after {rounds} round(s): {reason}"),
            Self::Stall { rounds } => write!(f, "stall after {rounds} round(s)"),
            Self::Cut { rounds } => write!(f, "cut after {rounds} round(s)"),
            Self::LoseAnswer => f.write_str("lose-answer"),
            Self::Unguarded => f.write_str("unguarded"),
            Self::Undefine => f.write_str("undefine"),
            Self::IgnoreShutdown => f.write_str("ignore-shutdown"),
            Self::Down => f.write_str("down"),
        }
    }
}

/// A fault, where and how often it occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub effect: Effect,
    /// Only for this zone.
    #[serde(default)]
    pub zone: Option<ZoneName>,
    /// Only for the next so many times. A hang that is used up continues for the operations that already hang.
    #[serde(default)]
    pub times: Option<u32>,
}

impl Fault {
    /// It always occurs.
    pub const fn always(effect: Effect) -> Self {
        Self { effect, zone: None, times: None }
    }

    /// It occurs once.
    pub const fn once(effect: Effect) -> Self {
        Self { effect, zone: None, times: Some(1) }
    }
}

/// A moment at which a test may end the process, or look around.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CrashPoint {
    /// An operation is about to begin.
    Before(Operation),
    /// An operation is done, but its caller does not know yet.
    After(Operation),
    /// Source: the zone was stopped in order to move; the destination does not know yet.
    Stopped,
    /// Destination: the zone is complete and held; the source does not know yet.
    Whole,
    /// Source: the destination has confirmed, and the zone is stopped for good.
    Acknowledged,
}

impl SimTransaction<'_> {
    pub fn put_faults(&self, faults: &[Fault]) -> Result<(), PlatformError> {
        self.sql("forget faults", |connection| connection.execute("DELETE FROM fault", []))?;
        faults.iter().try_for_each(|fault| self.put_fault(fault))
    }

    pub fn put_fault(&self, fault: &Fault) -> Result<(), PlatformError> {
        let text = self.json(fault)?;
        self.sql("set a fault", |connection| {
            connection.execute("INSERT INTO fault (fault, left) VALUES (?1, ?2)", (text, fault.times))
        })?;
        Ok(())
    }

    /// The faults that can still occur, oldest first, with their numbers; `times` is how often they still can.
    pub fn faults(&self) -> Result<Vec<(i64, Fault)>, PlatformError> {
        let rows: Vec<(i64, String, Option<u32>)> = self.sql("read faults", |connection| {
            connection
                .prepare_cached(
                    "SELECT id, fault, left FROM fault WHERE left IS NULL OR left > 0 ORDER BY id",
                )?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect()
        })?;
        let fault = |(id, text, left): (i64, String, Option<u32>)| {
            Ok((id, Fault { times: left, ..self.parsed(&text)? }))
        };
        rows.into_iter().map(fault).collect()
    }

    fn find_fault(
        &self,
        zone: Option<&ZoneName>,
        wanted: &impl Fn(&Effect) -> bool,
    ) -> Result<Option<(i64, Effect)>, PlatformError> {
        let fits =
            |fault: &Fault| (fault.zone.is_none() || fault.zone.as_ref() == zone) && wanted(&fault.effect);
        let found = self.faults()?.into_iter().find(|(_, fault)| fits(fault));
        Ok(found.map(|(id, fault)| (id, fault.effect)))
    }

    fn spend_fault(&self, id: i64) -> Result<(), PlatformError> {
        self.sql("count a fault", |connection| {
            connection.execute("UPDATE fault SET left = left - 1 WHERE id = ?1 AND left > 0", [id])
        })?;
        Ok(())
    }

    fn fault_is_there(&self, id: i64) -> Result<bool, PlatformError> {
        self.sql("look for a fault", |connection| {
            connection.query_row("SELECT 1 FROM fault WHERE id = ?1", [id], |_| Ok(())).optional()
        })
        .map(|found| found.is_some())
    }
}

impl Sim {
    /// The first fault that applies; it is counted as having occurred.
    pub(super) fn fault(
        &self,
        zone: Option<&ZoneName>,
        wanted: impl Fn(&Effect) -> bool,
    ) -> Result<Option<(i64, Effect)>, PlatformError> {
        // There is hardly ever a fault: then nothing is written.
        if self.read(|session| session.find_fault(zone, &wanted))?.is_none() {
            return Ok(None);
        }
        self.change(|session| {
            let found = session.find_fault(zone, &wanted)?;
            if let Some((id, _)) = &found {
                session.spend_fault(*id)?;
            }
            Ok(found)
        })
    }

    /// Does `work`, with the faults that apply before and after it.
    pub(super) async fn gated<T>(
        &self,
        at: Operation,
        zone: Option<&ZoneName>,
        work: impl Future<Output = Result<T, PlatformError>>,
    ) -> Result<T, PlatformError> {
        let before = |effect: &Effect| match effect {
            Effect::Down => true,
            Effect::Fail { at: named, .. } | Effect::Hang { at: named } => *named == at,
            _ => false,
        };
        match self.fault(zone, before)? {
            Some((_, Effect::Fail { reason, .. })) => return Err(PlatformError::Simulated(reason)),
            Some((id, Effect::Hang { .. })) => self.hang(id).await?,
            Some(_) => {
                let what = "the simulated hypervisor does not answer".to_owned();
                return Err(PlatformError::Simulated(what));
            }
            None => {}
        }
        self.put_in_order()?;
        self.reached(CrashPoint::Before(at), zone);
        let value = work.await?;
        self.reached(CrashPoint::After(at), zone);
        let after = |effect: &Effect| matches!(effect, Effect::FailAfter { at: named, .. } if *named == at);
        match self.fault(zone, after)? {
            Some((_, Effect::FailAfter { reason, .. })) => Err(PlatformError::Simulated(reason)),
            _ => Ok(value),
        }
    }

    /// Whether a fault removes the definition of that zone now.
    pub(super) fn loses_definition(&self, zone: &ZoneName) -> Result<bool, PlatformError> {
        Ok(self.fault(Some(zone), |effect| matches!(effect, Effect::Undefine))?.is_some())
    }

    async fn hang(&self, id: i64) -> Result<(), PlatformError> {
        while self.read(|session| session.fault_is_there(id))? {
            super::pause().await;
        }
        Ok(())
    }
}
