//! Detach: the configuration, the host's data and the software of a zone become a manifest, and the platform forgets it.
//!
//! ```text
//!   file that was asked for ─► zonepath ─► row ─► the platform forgets it
//! ```
//!
//! Until the last step the zone is attached, whatever was written: an interruption leaves it so, and the next detach
//! writes all of it again.

use std::path::Path;

use super::{AttachmentError, Desk, Refusal};
use crate::evacuation::RunLock;
use crate::host::{Host, HostError};
use crate::model::document::{self, Written};
use crate::model::{Manifest, Zone, ZoneName, ZoneState};
use crate::store::Detached;
use crate::zonepath;

/// A manifest as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The manifest.
    pub manifest: Manifest,
    /// Where and when it is written.
    pub written: Written,
    /// The same as text.
    pub text: String,
}

impl Document {
    fn of(manifest: Manifest, written: Written) -> Result<Self, AttachmentError> {
        let text = document::write(&manifest, &written)?;
        Ok(Self { manifest, written, text })
    }
}

impl Desk<'_> {
    /// What a detach would write of that zone, in whatever state it is. Changes nothing.
    ///
    /// # Errors
    /// If nothing is known of it here.
    pub async fn document(&self, zone: &ZoneName) -> Result<Document, AttachmentError> {
        match self.local.manifest(zone.clone()).await {
            Ok(manifest) => Document::of(manifest, self.written()),
            Err(HostError::NoSuchZone { .. }) => {
                let known = self.known().await?;
                let row = known.may_delete(zone)?;
                Document::of(row.manifest.clone(), row.written.clone())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Detaches a zone; `copy` is where a copy of its manifest goes, too.
    ///
    /// # Errors
    /// Why not. Nothing was changed then, or the zone is where it was and the next detach goes on.
    pub async fn detach(&self, zone: &ZoneName, copy: Option<&Path>) -> Result<Detached, AttachmentError> {
        let _lock = RunLock::take(self.local.paths(), format_args!("detach {zone}"))?;
        self.known().await?.may_detach(zone)?;
        let manifest = self.local.manifest(zone.clone()).await?;
        if !manifest.obstacles.is_empty() {
            return Err(Refusal::Held(zone.clone(), manifest.obstacles).into());
        }
        let at_rest = Zone { state: ZoneState::Configured, aux: None, id: None, ..manifest.zone };
        let document = Document::of(Manifest { zone: at_rest, ..manifest }, self.written())?;
        let Document { manifest, written, text } = document;
        let row = Detached::new(manifest, written, self.user.clone());
        if let Some(what) = row.zonepath.as_ref().and_then(|path| zonepath::occupied(path, row.uuid)) {
            return Err(Refusal::Occupied(zone.clone(), what).into());
        }
        if let Some(copy) = copy {
            if copy.symlink_metadata().is_ok() {
                return Err(AttachmentError::InTheWay(copy.to_owned()));
            }
            zonepath::write(copy, &text, 0o600)?;
        }
        if let Some(path) = &row.zonepath {
            zonepath::put(path, &text)?;
        }
        self.local.store().begin_detached(&row)?;
        if let Err(error) = self.local.undefine(zone, row.uuid).await {
            self.withdraw(&row).await?;
            return Err(error.into());
        }
        Ok(row)
    }

    /// Takes back what was written of a zone, if its platform is known to have it still.
    async fn withdraw(&self, row: &Detached) -> Result<(), AttachmentError> {
        let still_here = |zones: &[Zone]| zones.iter().any(|zone| zone.uuid == row.uuid);
        if self.local.inventory().await.is_ok_and(|inventory| still_here(&inventory.zones)) {
            self.local.store().remove_detached(row.uuid)?;
            if let Some(path) = &row.zonepath {
                zonepath::clear(path, row.uuid)?;
            }
        }
        Ok(())
    }
}
