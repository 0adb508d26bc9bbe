//! Detach: the configuration of a zone, with its host's name and software, becomes a manifest, and the platform
//! undefines it.
//!
//! ```text
//!   write the manifest, held by this host ─► record it ─► undefine it on the platform ─► release the manifest
//! ```
//!
//! Until the platform has undefined the zone it is attached, whatever was written: after an interruption the next
//! detach writes everything again. After an interruption in the last step the next detach continues.

use std::path::Path;

use super::{AdminError, AdminRefusal, KnownZones, ZoneAdmin};
use crate::file;
use crate::host::{Host, HostError};
use crate::model::chain;
use crate::model::document::{self, Written};
use crate::model::{Blocker, Manifest, Message, ZoneName};
use crate::run_lock::RunLock;
use crate::store::ZoneRecord;
use crate::zonepath::{self, ZonepathError};

/// A manifest with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub manifest: Manifest,
    /// Where and when it is written.
    pub written: Written,
    /// The manifest as a document.
    pub text: String,
}

impl Document {
    fn of(manifest: Manifest, written: Written) -> Result<Self, AdminError> {
        let text = document::write(&manifest, &written)?;
        Ok(Self { manifest, written, text })
    }
}

/// A zone that was detached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetachedZone {
    /// Its record.
    pub record: ZoneRecord,
    /// Why there is no copy of its manifest although one was requested.
    pub no_copy: Option<String>,
}

impl ZoneAdmin<'_> {
    /// The manifest that detaching this zone would write, whatever its state. Changes nothing.
    ///
    /// # Errors
    /// If the zone is not known here.
    pub async fn document(&self, zone: &ZoneName) -> Result<Document, AdminError> {
        match self.local.manifest(zone.clone()).await {
            Ok(manifest) => Document::of(manifest, self.written()),
            Err(HostError::NoSuchZone { .. }) => {
                let known = self.known().await?;
                if let Some(row) = known.away(zone) {
                    // As it was when it left: there may be no other copy.
                    let written = Written::by(self.local.name(), row.since);
                    return Document::of(self.configuration(row)?, written);
                }
                let record = known.may_delete(zone)?;
                let written = record.written.clone().ok_or_else(|| AdminRefusal::NoSuchZone(zone.clone()))?;
                Document::of(self.configuration(record)?, written)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Detaches a zone; `copy` is the path of an additional copy of its manifest.
    ///
    /// # Errors
    /// Why not. Nothing was changed then, or the zone is where it was and the next detach continues.
    pub async fn detach(&self, zone: &ZoneName, copy: Option<&Path>) -> Result<DetachedZone, AdminError> {
        let _lock = RunLock::take(self.local.paths(), format!("detach {zone}"))?;
        let known = self.known().await?;
        if let Some(record) = self.half_detached(&known, zone)? {
            // The database has it: -n prints it.
            let no_copy = copy.map(|_| "the zone was detached by an earlier command".to_owned());
            return Ok(DetachedZone { record, no_copy });
        }
        known.may_detach(zone)?;
        let manifest = self.local.manifest(zone.clone()).await?;
        let held: Vec<_> = self.obstacles(&manifest).collect();
        if !held.is_empty() {
            return Err(AdminRefusal::Held(zone.clone(), Blocker::join(&held)).into());
        }
        let Document { manifest, written, text } = Document::of(manifest.configured(), self.written())?;
        let row = ZoneRecord::configured(&manifest, written, self.user.clone());
        if let Some(what) = row.zonepath.as_ref().and_then(|path| zonepath::occupied(path, row.uuid)) {
            return Err(AdminRefusal::Occupied(zone.clone(), what).into());
        }
        let copy = copy.map(|copy| draft(copy, &text)).transpose()?;
        if let Some(path) = &row.zonepath {
            zonepath::hold(path, self.local.name(), &text)?;
        }
        self.local.store().configure(&row, &manifest)?;
        if let Err(error) = self.local.undefine(zone, row.uuid).await
            && !self.is_known_not_to_be_here(row.uuid).await
        {
            return Err(self.withdraw(&row, error.into()).await);
        }
        if let Some(path) = &row.zonepath {
            zonepath::give_back(path, self.local.name())?;
        }
        let no_copy = copy.and_then(|copy| copy.create().err()).map(|error| chain(&error));
        Ok(DetachedZone { record: row, no_copy })
    }

    /// Completes an interrupted detach: the platform has undefined the zone, and no other host can see its manifest.
    fn half_detached(&self, known: &KnownZones, zone: &ZoneName) -> Result<Option<ZoneRecord>, AdminError> {
        let row = known.configured(zone).filter(|_| known.inventory.find(zone).is_none());
        let Some((record, path)) = row.and_then(|row| Some((row, row.zonepath.as_ref()?))) else {
            return Ok(None);
        };
        if !zonepath::is_claimed(path, self.local.name()) {
            return Ok(None);
        }
        zonepath::give_back(path, self.local.name())?;
        Ok(Some(record.clone()))
    }

    /// Removes what was written of a zone, if its platform is known to still have it.
    async fn withdraw(&self, row: &ZoneRecord, cause: AdminError) -> AdminError {
        if !self.is_known_to_be_here(row.uuid).await {
            return cause;
        }
        let cleared = row.zonepath.as_ref().map_or(Ok(()), |path| zonepath::clear(path, row.uuid));
        let cleared = cleared.map_err(Message::from);
        let removed = self.local.store().zone_is_here(row.uuid).map_err(Message::from);
        match cleared.and(removed) {
            Ok(_) => cause,
            Err(also) => AdminError::NotUndone { cause: cause.into(), also },
        }
    }
}

/// A copy of a manifest that does not have its final name yet.
fn draft(path: &Path, text: &str) -> Result<file::StagedFile, AdminError> {
    if path.symlink_metadata().is_ok() {
        return Err(AdminError::InTheWay(path.to_owned()));
    }
    let failed = |source| ZonepathError::Io { what: "write", path: path.to_owned(), source };
    Ok(file::StagedFile::write(path, text, 0o600).map_err(failed)?)
}
