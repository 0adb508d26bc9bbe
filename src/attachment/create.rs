//! Create: a manifest becomes a zone that is configured here, under another name and changed if that is wanted. Delete:
//! the opposite.

use uuid::Uuid;

use super::{AttachmentError, Desk, Refusal};
use crate::model::{Blocker, BlockerKind, Edit, Manifest, NetworkName, ZoneName, ZoneState};
use crate::store::Detached;

/// What is to be another than a manifest says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Memory in bytes.
    pub memory: Option<u64>,
    /// Virtual processors.
    pub cpus: Option<u32>,
    /// The machine type of a virtual machine.
    pub machine: Option<String>,
    /// Its identity.
    pub uuid: Option<Uuid>,
    /// Whether it boots with its host.
    pub autostart: Option<bool>,
    /// Networks, by the name of today and the name that they get.
    pub networks: Vec<(NetworkName, NetworkName)>,
}

/// A zone that was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// What is kept of it.
    pub row: Detached,
    /// What will stand against attaching it as things are.
    pub findings: Vec<Blocker>,
}

impl Wishes {
    /// The changes to a configuration that come to that.
    ///
    /// # Errors
    /// If it has not what is to be changed.
    fn edits(&self, name: &ZoneName, manifest: &Manifest) -> Result<Vec<Edit>, Refusal> {
        let mut edits = Vec::new();
        edits.extend((*name != manifest.zone.name).then(|| Edit::Name(name.clone())));
        edits.extend(self.uuid.map(Edit::Uuid));
        edits.extend(self.memory.map(Edit::Memory));
        edits.extend(self.cpus.map(Edit::Cpus));
        edits.extend(self.machine.clone().map(Edit::Machine));
        let has = |wanted: &NetworkName| manifest.networks.iter().any(|one| one.name() == wanted.as_str());
        for (from, to) in &self.networks {
            if !has(from) {
                let all = manifest.networks.iter().map(|network| network.name().to_owned()).collect();
                return Err(Refusal::NoSuchNetwork(name.clone(), from.clone(), all));
            }
            edits.push(Edit::Network { from: from.clone(), to: to.clone() });
        }
        Ok(edits)
    }
}

impl Desk<'_> {
    /// The zone of a manifest under that name, with these wishes fulfilled. Nothing is kept yet.
    ///
    /// # Errors
    /// If it is none of this platform, or cannot be changed so.
    pub fn changed(
        &self,
        name: &ZoneName,
        manifest: Manifest,
        wishes: &Wishes,
    ) -> Result<Manifest, AttachmentError> {
        let platform = self.local.platform();
        if manifest.platform != platform.name() {
            return Err(Refusal::Platform(name.clone(), manifest.platform, platform.name()).into());
        }
        let edits = wishes.edits(name, &manifest)?;
        let config = match edits.is_empty() {
            true => manifest.config.clone(),
            false => platform.edit(&manifest, &edits)?,
        };
        // The configuration is what the platform will get, whatever else the manifest says.
        let mut changed = platform.reread(&manifest, config)?;
        if wishes.uuid.is_some() {
            // A copy: where the original is does not matter any more.
            let zone = &mut changed.zone;
            (zone.state, zone.aux, zone.id) = (ZoneState::Configured, None, None);
        }
        changed.zone.autostart = wishes.autostart.unwrap_or(changed.zone.autostart);
        Ok(changed)
    }

    /// Keeps a zone as configured. What it will need in order to be attached may still be missing.
    ///
    /// # Errors
    /// If its configuration makes no sense, or another zone is in its way: nothing is kept then.
    pub async fn create(&self, manifest: Manifest) -> Result<Created, AttachmentError> {
        let known = self.known().await?;
        known.may_create(&manifest)?;
        // Where it went to before is asked when it is attached.
        let before = known.configured.iter().find(|row| row.uuid == manifest.zone.uuid);
        let moved_to = before.and_then(|row| row.moved_to.clone());
        let row = Detached { moved_to, ..Detached::new(manifest, self.written(), self.user.clone()) };
        let mut findings = self.against(&row, false).await?;
        let hopeless = findings.iter().filter(|finding| is_hopeless(finding)).cloned().collect();
        self.must_be_empty(&row.zone, hopeless)?;
        findings.extend(self.circumstances(&row, false));
        self.local.store().begin_detached(&row)?;
        Ok(Created { row, findings })
    }

    /// Forgets a configured zone. Its data stay, and so does the manifest in its zonepath.
    ///
    /// # Errors
    /// If it is not configured here.
    pub async fn delete(&self, zone: &ZoneName) -> Result<Detached, AttachmentError> {
        let known = self.known().await?;
        let row = known.may_delete(zone)?;
        self.local.store().remove_detached(row.uuid)?;
        Ok(row.clone())
    }
}

/// Whether it is for its configuration or another zone, whatever becomes of this host.
const fn is_hopeless(finding: &Blocker) -> bool {
    matches!(finding.kind, BlockerKind::Identity | BlockerKind::Zone)
}
