//! A zone as the simulation stores it, and all its changes of state.
//!
//! ```text
//!                  boot           depart                freeze          left          wait_sent
//!   installed ──────────► running ──────► migrating-out ──────► frozen ──────► installed ──────► (nothing)
//!       ▲                  │   ▲                 │                 │
//!       └────── halt ──────┘   └─────────────────┴──── go_on ──────┘
//!
//!                  begin                 whole            let_run
//!   (nothing) ──────────► migrating-in ──────► paused ──────────► running
//!       ▲                       │                 │
//!       └─────── vanish ────────┴─ destroy_incoming
//!
//!              save                              restore
//!   running ──────────► installed, suspended ──────────────► running
//! ```
//!
//! The guest itself advances only while `since` is set: not while frozen, arriving or paused. A zone that was
//! `installed` before its image began to arrive is `installed` again when the image vanishes.

use uuid::Uuid;

use super::settings::ZoneConfig;
use crate::model::{Aux, Ended, Millis, Zone, ZoneState};
use crate::platform::PlatformError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SimZone {
    pub config: ZoneConfig,
    /// The configuration as it was given, byte for byte.
    pub text: String,
    pub autostart: bool,
    pub state: ZoneState,
    pub aux: Option<Aux>,
    pub id: Option<u32>,
    /// The guest's counter when it last started or stopped.
    pub counted: u64,
    /// The virtual time since which the guest runs; none while it is stopped.
    pub since: Option<Millis>,
    /// The configuration that an arriving image has replaced for now.
    pub former: Option<String>,
    /// The user that migrates the zone; see [`super::process_lock`].
    pub keeper: Option<Uuid>,
    /// The configuration remains when the zone ends.
    pub persistent: bool,
    /// How the zone ended, if it does not run.
    pub ended: Option<Ended>,
}

impl SimZone {
    /// A zone that does not run.
    pub fn installed(config: ZoneConfig, text: String, autostart: bool) -> Self {
        Self {
            config,
            text,
            autostart,
            state: ZoneState::Installed,
            aux: None,
            id: None,
            counted: 0,
            since: None,
            former: None,
            keeper: None,
            persistent: true,
            ended: None,
        }
    }

    /// An image that begins to arrive, over a zone that does not run if there is one.
    pub fn begin(
        config: ZoneConfig,
        text: String,
        id: u32,
        keeper: Uuid,
        present: Option<Self>,
    ) -> Result<Self, PlatformError> {
        if let Some(present) = &present
            && present.state != ZoneState::Installed
        {
            return Err(present.refuse("it runs here already"));
        }
        let autostart = present.as_ref().is_some_and(|present| present.autostart);
        Ok(Self {
            state: ZoneState::Running,
            aux: Some(Aux::MigratingIn),
            id: Some(id),
            former: present.map(|present| present.text),
            keeper: Some(keeper),
            ..Self::installed(config, text, autostart)
        })
    }

    /// An error about this zone.
    pub fn refuse(&self, what: impl Into<String>) -> PlatformError {
        PlatformError::State { zone: self.config.name.clone(), what: what.into() }
    }

    /// The zone as it is listed.
    pub fn zone(&self) -> Zone {
        Zone {
            name: self.config.name.clone(),
            uuid: self.config.uuid,
            brand: self.config.brand,
            state: self.state,
            aux: self.aux,
            id: self.id,
            autostart: self.autostart,
            persistent: self.persistent,
            ended: self.ended,
            memory: self.config.memory,
            cpus: self.config.cpus,
        }
    }

    /// The guest's counter, in virtual milliseconds.
    pub fn counter(&self, now: Millis) -> u64 {
        self.counted.saturating_add(self.since.map_or(0, |since| now.since(since)))
    }

    pub fn boot(&mut self, now: Millis, id: u32) -> Result<(), PlatformError> {
        if self.state != ZoneState::Installed {
            return Err(self.refuse("it runs already"));
        }
        // Saved memory is gone after a boot.
        (self.aux, self.ended) = (None, None);
        (self.state, self.id, self.counted, self.since) = (ZoneState::Running, Some(id), 0, Some(now));
        Ok(())
    }

    pub fn halt(&mut self, ended: Ended) -> Result<(), PlatformError> {
        match (self.state, self.aux) {
            (ZoneState::Installed, _) => return Err(self.refuse("it does not run")),
            (_, Some(Aux::MigratingIn)) => return Err(self.refuse("its image is arriving")),
            _ => self.put_down(),
        }
        self.ended = Some(ended);
        Ok(())
    }

    /// The zone after its host has lost power: an image that was not complete is gone.
    pub fn lose_power(mut self) -> Option<Self> {
        match (self.state, self.aux) {
            (_, Some(Aux::MigratingIn)) => self.vanish(),
            // Saved memory is on a disk.
            (ZoneState::Installed, _) => Some(self),
            _ => {
                self.put_down();
                Some(self)
            }
        }
    }

    fn put_down(&mut self) {
        let persistent = self.persistent;
        let installed = Self::installed(self.config.clone(), std::mem::take(&mut self.text), self.autostart);
        *self = Self { persistent, ..installed };
    }

    pub fn depart(&mut self, keeper: Uuid) -> Result<(), PlatformError> {
        match (self.state, self.aux) {
            (ZoneState::Running, None) => {}
            (ZoneState::Running, Some(aux)) => return Err(self.refuse(format!("it is {aux}"))),
            (state, _) => return Err(self.refuse(format!("it is {state}, not running"))),
        }
        (self.aux, self.keeper) = (Some(Aux::MigratingOut), Some(keeper));
        Ok(())
    }

    /// Whether the zone is being sent or received.
    pub fn moves(&self) -> bool {
        matches!(self.aux, Some(Aux::MigratingIn | Aux::MigratingOut))
    }

    /// Whether the migration is still the one that the zone began as number `id`.
    pub fn departs(&self, id: Option<u32>) -> Result<(), PlatformError> {
        if self.aux == Some(Aux::MigratingOut) && self.id == id {
            Ok(())
        } else {
            Err(self.refuse("it was stopped while it moved"))
        }
    }

    pub fn freeze(&mut self, now: Millis) -> u64 {
        self.counted = self.counter(now);
        self.since = None;
        self.counted
    }

    /// Runs on here after a failed migration.
    pub fn go_on(&mut self, now: Millis) {
        if self.aux == Some(Aux::MigratingOut) {
            (self.aux, self.keeper) = (None, None);
            self.since = self.since.or(Some(now));
        }
    }

    /// Is stopped for good here because it is complete at the destination.
    pub fn left(&mut self) {
        self.put_down();
    }

    pub fn whole(&mut self, counted: u64) {
        (self.aux, self.counted, self.former, self.keeper) = (Some(Aux::Paused), counted, None, None);
    }

    pub fn let_run(&mut self, now: Millis) -> Result<(), PlatformError> {
        match (self.state, self.aux) {
            (ZoneState::Running, None) => {}
            (ZoneState::Running, Some(Aux::Paused)) => (self.aux, self.since) = (None, Some(now)),
            (state, None) => return Err(self.refuse(format!("it is {state}, no image of it is held"))),
            (_, Some(aux)) => return Err(self.refuse(format!("it is {aux}, not held"))),
        }
        Ok(())
    }

    /// The zone after the image has stopped arriving.
    pub fn vanish(self) -> Option<Self> {
        let text = self.former?;
        let config = serde_json::from_str(&text).unwrap_or(self.config);
        Some(Self::installed(config, text, self.autostart))
    }
}
