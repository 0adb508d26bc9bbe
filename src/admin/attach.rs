//! Attach: a configured zone is checked against this host, and given to its platform.
//!
//! ```text
//!   check ─► book room ─► nobody else has it? ─► take the manifest from the zonepath ─► the platform has it
//!         ─► row and manifest go
//! ```
//!
//! Room is booked before others are asked: of two hosts that do this at once, one at least hears of the other.
//!
//! An interruption before the platform has it leaves the zone configured, and the manifest in this host's hands.

use std::path::Path;

use uuid::Uuid;

use super::{AdminRefusal, AttachmentError, ZoneAdmin};
use crate::failover::ownership::{Question, nowhere};
use crate::host::{Host, HostError};
use crate::model::{
    Arrival, Blocker, BlockerKind, Edit, Home, Kind, Manifest, PendingLoad, ZoneName, ZoneState,
};
use crate::run_lock::RunLock;
use crate::software::Report;
use crate::store::{Detached, targets_of};
use crate::zonepath;

/// For how long room is booked for a zone that is being attached, in milliseconds.
const LEASE: u64 = 60_000;

/// How a zone is to be attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttachOptions {
    /// Whatever its validation finds.
    pub force: bool,
    /// Changed so that it fits, where the platform knows how.
    pub update: bool,
}

/// A zone that was attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// What was known of it before.
    pub row: Detached,
    /// What was changed so that it fits.
    pub edits: Vec<Edit>,
    /// What has failed after that.
    pub warnings: Vec<String>,
}

impl ZoneAdmin<'_> {
    /// Changes a zone as its platform says, so that it fits here.
    ///
    /// # Errors
    /// If it cannot be changed so.
    pub async fn update(&self, manifest: &mut Manifest) -> Result<Vec<Edit>, AttachmentError> {
        // What cannot be changed fits as it is, or not at all.
        let Some(editor) = self.local.platform().editor() else { return Ok(Vec::new()) };
        let edits = editor.updates(manifest).await?;
        if !edits.is_empty() {
            *manifest = editor.reread(manifest, editor.edit(manifest, &edits)?)?;
        }
        Ok(edits)
    }

    /// All that stands against a zone that would come here as it is: running, if it runs. Changes nothing.
    ///
    /// # Errors
    /// If that cannot be found out.
    pub async fn judge(&self, manifest: &Manifest) -> Result<Vec<Blocker>, AttachmentError> {
        let arrival = Arrival {
            from: "another host".to_owned(),
            // That the very same is here, down, is no reason why it could not be here.
            overwrite: self.is_the_same_here(manifest).await,
            ..self.arrival(manifest.clone(), self.kind_of(manifest), false)
        };
        let mut findings = self.local.validate(&arrival).await?;
        findings.extend(self.obstacles(manifest));
        Ok(findings)
    }

    /// What this host has and has not of the software that a zone depends on. None: it depends on none.
    ///
    /// # Errors
    /// If that cannot be found out.
    pub async fn software(&self, manifest: &Manifest) -> Result<Option<Report>, AttachmentError> {
        let arrival = self.arrival(manifest.clone(), self.kind_of(manifest), false);
        Ok(self.local.compare_software(&arrival).await?)
    }

    /// What this host has against a zone that is configured here.
    pub(super) async fn against(&self, row: &Detached, force: bool) -> Result<Vec<Blocker>, AttachmentError> {
        Ok(self.local.validate(&self.arrival(row.manifest.clone(), Kind::Cold, force)).await?)
    }

    /// How a zone would come here as it is.
    fn kind_of(&self, manifest: &Manifest) -> Kind {
        match manifest.zone.is_running() {
            false => Kind::Cold,
            true if self.local.platform().able(manifest.zone.brand).live => Kind::Live,
            true => Kind::Restart,
        }
    }

    fn arrival(&self, manifest: Manifest, kind: Kind, force: bool) -> Arrival {
        let from = self.local.name().to_owned();
        let (pending, mappings) = (PendingLoad::default(), Vec::new());
        Arrival {
            manifest,
            kind,
            from,
            home: None,
            owners: Vec::new(),
            overwrite: false,
            force,
            pending,
            disk: 0,
            mappings,
        }
    }

    /// Whoever shares its zonepath may have attached it.
    fn not_to_be_had(&self, row: &Detached) -> Option<Blocker> {
        let path = row.zonepath.as_ref()?;
        // Another zone's manifest is in the way of every arrival: that is found already.
        let there = matches!(zonepath::owner(path), Ok(Some(_)) | Err(_));
        (!there && !zonepath::is_claimed(path, self.local.name())).then(|| gone(&row.zone, path))
    }

    /// Attaches a configured zone, which is stated not to be on the hosts of `not_on`.
    ///
    /// # Errors
    /// Why not; it is configured as before then.
    pub async fn attach(
        &self,
        zone: &ZoneName,
        terms: AttachOptions,
        not_on: &[String],
    ) -> Result<Attached, AttachmentError> {
        let _lock = RunLock::take(self.local.paths(), format!("attach {zone}"))?;
        let mut row = self.configuration(self.known().await?.may_attach(zone)?)?;
        let edits = if terms.update { self.update(&mut row.manifest).await? } else { Vec::new() };
        // One that was detached here is whose it was.
        let home = self.local.store().zone(row.uuid)?.and_then(|record| record.home);
        self.admit(&row, terms, home, self.circumstances(&row, terms.force)).await?;
        let attached = match self.must_be_nowhere(&row, not_on).await {
            Ok(()) => self.take(&row).await,
            Err(error) => Err(error),
        };
        let released = self.local.release(row.zone.clone(), row.uuid).await;
        let mut warnings = attached?;
        warnings.extend(released.err().map(|error| error.to_string()));
        Ok(Attached { row, edits, warnings })
    }

    /// Whoever else could have a zone must say that it has not. Of one with a zonepath its manifest tells.
    async fn must_be_nowhere(&self, row: &Detached, not_on: &[String]) -> Result<(), AttachmentError> {
        let mut uris: Vec<_> = row.moved_to.iter().chain(&row.last_at).cloned().collect();
        if row.zonepath.is_none() {
            let targets = self.local.store().targets()?;
            uris.extend(targets_of(&targets, &row.zone).0.iter().cloned());
        }
        let question = Question { uuid: row.uuid, asker: self.local.name() };
        let answers = question.ask(&self.peers, uris).await;
        nowhere(&answers, not_on).map_err(|why| AdminRefusal::Elsewhere(row.zone.clone(), why).into())
    }

    /// Checks a zone that does not run and belongs to `home`, if not to this host, and books room for it. `findings`
    /// stand against it already.
    pub(super) async fn admit(
        &self,
        row: &Detached,
        terms: AttachOptions,
        home: Option<Home>,
        findings: Vec<Blocker>,
    ) -> Result<(), AttachmentError> {
        let mut all = self.against(row, terms.force).await?;
        all.extend(findings);
        self.must_be_empty(&row.zone, all)?;
        let arrival = Arrival { home, ..self.arrival(row.manifest.clone(), Kind::Cold, terms.force) };
        match self.local.reserve(arrival, LEASE).await {
            Err(HostError::Refused { blockers, .. }) => self.must_be_empty(&row.zone, blockers),
            booked => {
                booked?;
                Ok(())
            }
        }
    }

    /// What its own host has said against its leaving, but for what is looked for wherever it is attached.
    pub(super) fn obstacles(&self, manifest: &Manifest) -> impl Iterator<Item = Blocker> {
        let kind = self.kind_of(manifest);
        let obstacles = manifest.obstacles.clone().into_iter().filter(move |one| one.stops_by_hand(kind));
        obstacles.map(|obstacle| Blocker::new(BlockerKind::Zone, obstacle.reason))
    }

    /// Whether that very zone is here, with that very configuration.
    async fn is_the_same_here(&self, manifest: &Manifest) -> bool {
        let own = self.local.manifest(manifest.zone.name.clone()).await;
        own.is_ok_and(|own| own.zone.uuid == manifest.zone.uuid && own.config == manifest.config)
    }

    /// What is known of the zone itself that stands against attaching it.
    pub(super) fn circumstances(&self, row: &Detached, force: bool) -> Vec<Blocker> {
        let by_itself = self.obstacles(&row.manifest).chain(undetached(&row.manifest));
        by_itself.filter(|_| !force).chain(self.not_to_be_had(row)).collect()
    }

    /// Whether the platform says that it has no zone of that identity. If it does not answer it may have one.
    pub(super) async fn is_known_not_to_be_here(&self, uuid: Uuid) -> bool {
        let inventory = self.local.inventory().await;
        inventory.is_ok_and(|all| !all.has(uuid))
    }

    /// Whether the platform says that it has the zone of that identity.
    pub(super) async fn is_known_to_be_here(&self, uuid: Uuid) -> bool {
        let inventory = self.local.inventory().await;
        inventory.is_ok_and(|all| all.has(uuid))
    }

    pub(super) fn must_be_empty(
        &self,
        zone: &ZoneName,
        findings: Vec<Blocker>,
    ) -> Result<(), AttachmentError> {
        if findings.is_empty() {
            return Ok(());
        }
        let (zone, host) = (zone.clone(), self.local.name().to_owned());
        Err(AttachmentError::Unfit { zone, host, findings })
    }

    /// Takes the zone that was checked and booked; gives what has failed after that. Row and manifest go with it: see
    /// [`Host::attach`].
    async fn take(&self, row: &Detached) -> Result<Vec<String>, AttachmentError> {
        let (host, zonepath) = (self.local.name(), row.zonepath.as_deref());
        if let Some(path) = zonepath
            && !zonepath::claim(path, host)?
        {
            // Another host was quicker.
            self.must_be_empty(&row.zone, vec![gone(&row.zone, path)])?;
        }
        let defined = self.define(&row.manifest).await;
        if defined.is_err()
            && let Some(path) = zonepath
            && self.is_known_not_to_be_here(row.uuid).await
        {
            zonepath::give_back(path, host)?;
        }
        defined
    }

    /// Gives a zone to the platform, and lets it boot with this host if it did; gives what has failed after the platform had
    /// it.
    pub(super) async fn define(&self, manifest: &Manifest) -> Result<Vec<String>, AttachmentError> {
        let zone = &manifest.zone;
        let mut warnings = Vec::new();
        if let Err(error) = self.local.attach(manifest.clone()).await {
            if !self.is_known_to_be_here(zone.uuid).await {
                return Err(error.into());
            }
            warnings.push(error.to_string());
        }
        if zone.autostart
            && let Err(error) = self.local.set_autostart(zone.name.clone(), true).await
        {
            warnings.push(format!("it does not boot with this host as it did: {error}"));
        }
        Ok(warnings)
    }
}

fn gone(zone: &ZoneName, zonepath: &Path) -> Blocker {
    let reason = format!(
        "its manifest is gone from {}: it may be attached on another host; if it is not, put it there again: sysadm zone detach -n {zone} >{}",
        zonepath.display(),
        zonepath.join(zonepath::MANIFEST).display()
    );
    Blocker::new(BlockerKind::Zone, reason)
}

/// A manifest of a zone that was not detached says nothing of where the zone is now.
fn undetached(manifest: &Manifest) -> Option<Blocker> {
    let state = manifest.zone.state;
    let reason = format!(
        "it was {state} where its manifest was written; detach it there, or, if it is there no more, attach it with -F"
    );
    (state != ZoneState::Configured).then(|| Blocker::new(BlockerKind::Zone, reason))
}
