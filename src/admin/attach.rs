//! Attach: a configured zone is checked against this host, and given to its platform.
//!
//! ```text
//!   check ─► reserve room ─► no other host has it? ─► claim the manifest in the zonepath ─► define it on the platform
//!         ─► remove record and manifest
//! ```
//!
//! Room is reserved before other hosts are asked: of two hosts that do this at once, at least one learns of the
//! other.
//!
//! After an interruption before the platform has the zone, it is still configured, and this host holds the
//! manifest.

use std::path::Path;

use uuid::Uuid;

use super::{AdminError, AdminRefusal, ZoneAdmin};
use crate::failover::ownership::{OwnershipQuery, ensure_unowned};
use crate::host::{Host, HostError};
use crate::model::{
    Blocker, BlockerKind, CheckRequest, Edit, Home, HostUri, Manifest, Message, Method, PendingLoad,
    ZoneName, ZoneState,
};
use crate::run_lock::RunLock;
use crate::software::Report;
use crate::store::targets_of;
use crate::zonepath;

/// The lease of the reservation for a zone that is being attached, in milliseconds.
const LEASE: u64 = 60_000;

/// How a zone is to be attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttachOptions {
    /// Ignore what its validation finds.
    pub force: bool,
    /// Change it so that it fits, if the platform knows how.
    pub update: bool,
}

/// A zone that was attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// All about it.
    pub manifest: Manifest,
    /// The changes made so that it fits.
    pub edits: Vec<Edit>,
    /// What failed after it was attached.
    pub warnings: Vec<String>,
}

impl ZoneAdmin<'_> {
    /// Changes a zone as its platform proposes, so that it fits here.
    pub async fn update(&self, manifest: &mut Manifest) -> Result<Vec<Edit>, AdminError> {
        // A configuration that cannot be changed either fits as it is, or not at all.
        let Some(editor) = self.local.platform().editor() else { return Ok(Vec::new()) };
        let edits = editor.updates(manifest).await?;
        if !edits.is_empty() {
            *manifest = editor.reread(manifest, editor.edit(manifest, &edits)?)?;
        }
        Ok(edits)
    }

    /// All blockers of a zone that would come here as it is: running, if it runs. Changes nothing.
    pub async fn validate(&self, manifest: &Manifest) -> Result<Vec<Blocker>, AdminError> {
        let request = CheckRequest {
            from: "another host".to_owned(),
            // That the same zone is here, not running, does not mean that it could not be here.
            overwrite: self.is_the_same_here(manifest).await,
            ..self.request(manifest.clone(), self.method_of(manifest), false)
        };
        let mut findings = self.local.validate(&request).await?;
        findings.extend(self.obstacles(manifest));
        Ok(findings)
    }

    /// Compares the software of this host with what a zone depends on. None: it depends on none.
    pub async fn software(&self, manifest: &Manifest) -> Result<Option<Report>, AdminError> {
        let request = self.request(manifest.clone(), self.method_of(manifest), false);
        Ok(self.local.compare_software(&request).await?)
    }

    /// The blockers of a zone that is configured here.
    pub(super) async fn host_blockers(
        &self,
        manifest: &Manifest,
        force: bool,
    ) -> Result<Vec<Blocker>, AdminError> {
        Ok(self.local.validate(&self.request(manifest.clone(), Method::Cold, force)).await?)
    }

    /// The method by which a zone would come here as it is.
    fn method_of(&self, manifest: &Manifest) -> Method {
        match manifest.zone.is_running() {
            false => Method::Cold,
            true if self.local.platform().able(manifest.zone.brand).live => Method::Live,
            true => Method::Restart,
        }
    }

    fn request(&self, manifest: Manifest, method: Method, force: bool) -> CheckRequest {
        let from = self.local.name().to_owned();
        let (pending, mappings) = (PendingLoad::default(), Vec::new());
        CheckRequest {
            manifest,
            method,
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

    /// Whether another host that shares the zonepath may have attached it.
    fn not_to_be_had(&self, manifest: &Manifest) -> Option<Blocker> {
        let path = manifest.zonepath()?;
        // Another zone's manifest blocks every arrival, and is reported there.
        let there = matches!(zonepath::owner(path), Ok(Some(_)) | Err(_));
        (!there && !zonepath::is_claimed(path, self.local.name())).then(|| gone(&manifest.zone.name, path))
    }

    /// Attaches a configured zone; the administrator states that it is not on the hosts of `not_on`.
    ///
    /// # Errors
    /// Why not; it is configured as before then.
    pub async fn attach(
        &self,
        zone: &ZoneName,
        terms: AttachOptions,
        not_on: &[String],
    ) -> Result<Attached, AdminError> {
        let _lock = RunLock::take(self.local.paths(), format!("attach {zone}"))?;
        let record = self.known().await?.may_attach(zone)?.clone();
        let mut manifest = self.configuration(&record)?;
        let edits = if terms.update { self.update(&mut manifest).await? } else { Vec::new() };
        let zone_blockers = self.zone_blockers(&manifest, terms.force);
        // A zone that was detached here keeps its home.
        self.admit(&manifest, terms, record.home, zone_blockers).await?;
        let attached = match self.must_be_nowhere(&manifest, record.location, not_on).await {
            Ok(()) => self.take(&manifest).await,
            Err(error) => Err(error),
        };
        let released = self.local.release(record.zone, record.uuid).await;
        let mut warnings = attached?;
        warnings.extend(released.err().map(|error| error.to_string()));
        Ok(Attached { manifest, edits, warnings })
    }

    /// Every other host that could have the zone must say that it does not. If it has a zonepath, its manifest
    /// there is enough.
    async fn must_be_nowhere(
        &self,
        manifest: &Manifest,
        location: Option<HostUri>,
        not_on: &[String],
    ) -> Result<(), AdminError> {
        let zone = &manifest.zone;
        let mut uris = Vec::from_iter(location);
        if manifest.zonepath().is_none() {
            let targets = self.local.store().targets()?;
            uris.extend(targets_of(&targets, &zone.name).0.iter().cloned());
        }
        let question = OwnershipQuery { uuid: zone.uuid, asker: self.local.name() };
        let answers = question.ask(&self.peers, uris).await;
        ensure_unowned(&answers, not_on)
            .map_err(|why| AdminRefusal::Elsewhere(zone.name.clone(), Box::new(why)).into())
    }

    /// Checks a zone that does not run, and reserves room for it. It belongs to `home`, or to this host if that
    /// is none. `findings` are blockers found before.
    pub(super) async fn admit(
        &self,
        manifest: &Manifest,
        terms: AttachOptions,
        home: Option<Home>,
        findings: Vec<Blocker>,
    ) -> Result<(), AdminError> {
        let zone = &manifest.zone.name;
        let mut all = self.host_blockers(manifest, terms.force).await?;
        all.extend(findings);
        self.must_be_empty(zone, all)?;
        let request = CheckRequest { home, ..self.request(manifest.clone(), Method::Cold, terms.force) };
        match self.local.reserve(request, LEASE).await {
            Err(HostError::Refused { blockers, .. }) => self.must_be_empty(zone, blockers),
            reserved => {
                reserved?;
                Ok(())
            }
        }
    }

    /// The obstacles that its own host has reported, except for those that are checked wherever it is attached.
    pub(super) fn obstacles(&self, manifest: &Manifest) -> impl Iterator<Item = Blocker> {
        let method = self.method_of(manifest);
        let obstacles = manifest.obstacles.clone().into_iter().filter(move |one| one.stops_by_hand(method));
        obstacles.map(|obstacle| Blocker::new(BlockerKind::Zone, obstacle.reason))
    }

    /// Whether the same zone is here with the same configuration.
    async fn is_the_same_here(&self, manifest: &Manifest) -> bool {
        let own = self.local.manifest(manifest.zone.name.clone()).await;
        own.is_ok_and(|own| own.zone.uuid == manifest.zone.uuid && own.config == manifest.config)
    }

    /// Blockers in the zone's own record.
    pub(super) fn zone_blockers(&self, manifest: &Manifest, force: bool) -> Vec<Blocker> {
        let by_itself = self.obstacles(manifest).chain(undetached(manifest));
        by_itself.filter(|_| !force).chain(self.not_to_be_had(manifest)).collect()
    }

    /// Whether the platform says that it does not have the zone. If it does not answer it may have it.
    pub(super) async fn is_known_not_to_be_here(&self, uuid: Uuid) -> bool {
        let inventory = self.local.inventory().await;
        inventory.is_ok_and(|all| !all.has(uuid))
    }

    /// Whether the platform says that it has the zone.
    pub(super) async fn is_known_to_be_here(&self, uuid: Uuid) -> bool {
        let inventory = self.local.inventory().await;
        inventory.is_ok_and(|all| all.has(uuid))
    }

    pub(super) fn must_be_empty(&self, zone: &ZoneName, findings: Vec<Blocker>) -> Result<(), AdminError> {
        if findings.is_empty() {
            return Ok(());
        }
        let (zone, host) = (zone.clone(), self.local.name().to_owned());
        Err(AdminError::Unfit { zone, host, findings })
    }

    /// Takes the zone that was checked and reserved; gives what has failed after that. Row and manifest go with it: see
    /// [`Host::attach`].
    async fn take(&self, manifest: &Manifest) -> Result<Vec<String>, AdminError> {
        let (host, zone, zonepath) = (self.local.name(), &manifest.zone, manifest.zonepath());
        if let Some(path) = zonepath
            && !zonepath::claim(path, host)?
        {
            // Another host was faster.
            self.must_be_empty(&zone.name, vec![gone(&zone.name, path)])?;
        }
        let defined = self.define(manifest).await;
        if defined.is_err()
            && let Some(path) = zonepath
            && self.is_known_not_to_be_here(zone.uuid).await
        {
            zonepath::give_back(path, host)?;
        }
        defined
    }

    /// Defines a zone on the platform, and restores its autostart; returns what failed after it was defined.
    pub(super) async fn define(&self, manifest: &Manifest) -> Result<Vec<String>, AdminError> {
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
            warnings.push(format!("it is no longer booted with this host: {error}"));
        }
        Ok(warnings)
    }
}

fn gone(zone: &ZoneName, zonepath: &Path) -> Blocker {
    let reason = format!(
        "the manifest is missing from {}; the zone may be attached on another host",
        zonepath.display()
    );
    let file = zonepath.join(zonepath::MANIFEST);
    let hint = format!("if it is not, put it there again: sysadm zone detach -n {zone} >{}", file.display());
    Blocker::new(BlockerKind::Zone, Message::from(reason).with_hint(hint))
}

/// A manifest of a zone that was not detached does not say where the zone is now.
fn undetached(manifest: &Manifest) -> Option<Blocker> {
    let state = manifest.zone.state;
    let reason = Message::from(format!("it was {state} where its manifest was written"))
        .with_hint("detach it there, or, if it is no longer there, attach it with -F");
    (state != ZoneState::Configured).then(|| Blocker::new(BlockerKind::Zone, reason))
}
