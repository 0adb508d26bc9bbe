//! Create: a manifest becomes a zone that is configured here, optionally under another name and with changes.
//! Delete: the opposite.
//!
//! A [`NewZone`] is changed until it is as requested, and recorded at the end. With another UUID it is a copy:
//! its original's obstacles do not apply to it, except that both would write to the same storage.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::{AdminError, AdminRefusal, KnownZones, ZoneAdmin};
use crate::model::document;
use crate::model::{Blocker, BlockerKind, Edit, Manifest, Message, NetMap, Obstacle, ZoneName, ZoneState};
use crate::store::{Place, ZoneRecord};
use crate::zonepath;

/// What is to differ from the manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// In bytes.
    pub memory: Option<u64>,
    pub cpus: Option<u32>,
    /// The machine type of a virtual machine.
    pub machine: Option<String>,
    pub uuid: Option<Uuid>,
    pub zonepath: Option<PathBuf>,
    /// Whether it boots with its host.
    pub autostart: Option<bool>,
    /// The present name of each network, and its new one.
    pub networks: NetMap,
}

/// A zone that is being created from a manifest. Nothing is recorded yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewZone {
    /// The zone as it will be.
    pub manifest: Manifest,
    original: Manifest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its record.
    pub record: ZoneRecord,
    /// The present blockers of attaching it.
    pub findings: Vec<Blocker>,
}

impl Overrides {
    /// The changes to the configuration.
    ///
    /// # Errors
    /// If it does not have what is to be changed.
    fn edits(&self, name: &ZoneName, manifest: &Manifest) -> Result<Vec<Edit>, AdminRefusal> {
        let mut edits = Vec::new();
        edits.extend((*name != manifest.zone.name).then(|| Edit::Name(name.clone())));
        edits.extend(self.uuid.map(Edit::Uuid));
        edits.extend(self.zonepath.as_deref().and_then(|to| elsewhere(manifest, to)));
        edits.extend(self.memory.map(Edit::Memory));
        edits.extend(self.cpus.map(Edit::Cpus));
        edits.extend(self.machine.clone().map(Edit::Machine));
        let has = |wanted: &str| manifest.networks.iter().any(|one| one.name() == wanted);
        if let Some((from, _)) = self.networks.iter().find(|(from, _)| !has(from.as_str())) {
            let all = manifest.networks.iter().map(|network| network.name().to_owned()).collect();
            return Err(AdminRefusal::NoSuchNetwork(name.clone(), from.clone(), all));
        }
        edits.extend((!self.networks.is_empty()).then(|| Edit::Networks(self.networks.clone())));
        Ok(edits)
    }
}

/// The change of a container's zonepath; none if it is the same, or the container has none.
fn elsewhere(manifest: &Manifest, to: &Path) -> Option<Edit> {
    let from = manifest.zonepath().filter(|from| *from != to)?;
    Some(Edit::Zonepath { from: from.to_owned(), to: to.to_owned() })
}

impl NewZone {
    /// Whether it is another zone than that of the manifest.
    fn is_copy(&self) -> bool {
        self.manifest.zone.uuid != self.original.zone.uuid
    }
}

impl ZoneAdmin<'_> {
    /// The zone of a manifest under that name, with these changes.
    ///
    /// # Errors
    /// If it is of another platform, contradicts itself, or cannot be changed like that.
    pub fn draft(
        &self,
        name: &ZoneName,
        manifest: Manifest,
        wishes: &Overrides,
    ) -> Result<NewZone, AdminError> {
        let platform = self.local.platform();
        if manifest.platform != platform.name() {
            return Err(AdminRefusal::Platform(name.clone(), manifest.platform, platform.name()).into());
        }
        // The platform will get the configuration, whatever else the manifest says.
        let editor = platform.needs_editor()?;
        let original = editor.reread(&manifest, manifest.config.clone())?;
        let [said, meant] = [&manifest.zone, &original.zone].map(|zone| (zone.name.clone(), zone.uuid));
        if said != meant {
            return Err(AdminRefusal::TwoZones(name.clone(), said, meant).into());
        }
        let edits = wishes.edits(name, &original)?;
        let mut draft = NewZone { manifest: original.clone(), original };
        if wishes.uuid.is_some_and(|uuid| uuid != draft.original.zone.uuid) {
            // Where the original is, and what holds it there, does not matter for the copy.
            draft.manifest.obstacles.clear();
            let zone = &mut draft.manifest.zone;
            (zone.state, zone.aux, zone.id) = (ZoneState::Configured, None, None);
        }
        if !edits.is_empty() {
            let config = editor.edit(&draft.manifest, &edits)?;
            draft.manifest = editor.reread(&draft.manifest, config)?;
        }
        let zone = &mut draft.manifest.zone;
        zone.autostart = wishes.autostart.unwrap_or(zone.autostart);
        Ok(draft)
    }

    /// The manifest with the zonepath in which it was found.
    ///
    /// # Errors
    /// If its configuration cannot be changed like that.
    pub fn found_in(&self, manifest: Manifest, zonepath: &Path) -> Result<Manifest, AdminError> {
        let Some(edit) = elsewhere(&manifest, zonepath) else { return Ok(manifest) };
        let editor = self.local.platform().needs_editor()?;
        let config = editor.edit(&manifest, &[edit])?;
        Ok(editor.reread(&manifest, config)?)
    }

    /// The zone with another configuration.
    ///
    /// # Errors
    /// If that is invalid, or is of another zone.
    pub fn edited(&self, draft: &NewZone, config: String) -> Result<NewZone, AdminError> {
        let before = &draft.manifest.zone;
        let unreadable = |error| AdminError::Unreadable { zone: before.name.clone(), error: Box::new(error) };
        let manifest =
            self.local.platform().needs_editor()?.reread(&draft.manifest, config).map_err(unreadable)?;
        let (name, uuid) = (&manifest.zone.name, manifest.zone.uuid);
        if *name != before.name {
            return Err(AdminRefusal::Renamed(before.name.clone(), name.clone()).into());
        }
        if uuid != before.uuid {
            return Err(AdminRefusal::Reidentified(before.name.clone(), uuid).into());
        }
        Ok(NewZone { manifest, ..draft.clone() })
    }

    /// Records a zone as configured. What it will need in order to be attached may still be missing.
    ///
    /// # Errors
    /// If its configuration is invalid, or another zone is in its way: nothing is recorded then.
    pub async fn create(&self, draft: NewZone) -> Result<Created, AdminError> {
        let known = self.known().await?;
        known.may_create(&draft.manifest)?;
        let Some((folder, before)) = self.hand_over(&draft)? else { return self.keep(&known, draft).await };
        let created = self.keep(&known, draft).await;
        if created.is_err() {
            zonepath::replace(&folder, &before)?;
        }
        created
    }

    /// If a copy's zonepath was copied from the original's, it contains the original's manifest: replaces that by
    /// the copy's. Returns the zonepath and the replaced manifest.
    fn hand_over(&self, draft: &NewZone) -> Result<Option<(PathBuf, String)>, AdminError> {
        let NewZone { manifest, original } = draft;
        let Some(folder) = manifest.zonepath().filter(|folder| Some(*folder) != original.zonepath()) else {
            return Ok(None);
        };
        let is_copied = zonepath::owner(folder)
            .is_ok_and(|owner| owner.is_some_and(|(_, owner)| owner == original.zone.uuid));
        if !draft.is_copy() || !is_copied {
            return Ok(None);
        }
        let before = document::write(&zonepath::read(&folder.join(zonepath::MANIFEST))?, &self.written())?;
        zonepath::replace(folder, &document::write(manifest, &self.written())?)?;
        Ok(Some((folder.to_owned(), before)))
    }

    async fn keep(&self, known: &KnownZones, draft: NewZone) -> Result<Created, AdminError> {
        // The host to which it went before is asked when it is attached.
        let is_gone =
            |record: &&ZoneRecord| record.uuid == draft.manifest.zone.uuid && record.place == Place::Migrated;
        let moved_to = known.all_configured().find(is_gone).and_then(|record| record.location.clone());
        let shared = match draft.is_copy() {
            true => self.local.platform().needs_editor()?.writes_over(&draft.manifest, &draft.original)?,
            false => Vec::new(),
        };
        let NewZone { mut manifest, original } = draft;
        manifest
            .obstacles
            .extend((!shared.is_empty()).then(|| Obstacle::from(writes_over(&original.zone.name, &shared))));
        let configured = ZoneRecord::configured(&manifest, self.written(), self.user.clone());
        let record = match moved_to {
            Some(_) => ZoneRecord { place: Place::Migrated, location: moved_to, ..configured },
            None => configured,
        };
        let mut findings = self.host_blockers(&manifest, false).await?;
        let hopeless = findings.iter().filter(|finding| is_hopeless(finding)).cloned().collect();
        self.must_be_empty(&record.zone, hopeless)?;
        findings.extend(self.zone_blockers(&manifest, false));
        self.local.store().configure(&record, &manifest)?;
        Ok(Created { record, findings })
    }

    /// Deletes the record of a configured zone, and its lost host's replica if it was taken over from that. Its
    /// data stays, and so does the manifest in its zonepath.
    ///
    /// # Errors
    /// If it is not configured here.
    pub async fn delete(&self, zone: &ZoneName) -> Result<ZoneRecord, AdminError> {
        let row = self.known().await?.may_delete(zone)?.clone();
        let store = self.local.store();
        store.delete_zone(row.uuid)?;
        if row.place != Place::Migrated {
            let taken =
                store.held_replicas()?.into_iter().filter(|one| one.uuid == row.uuid && one.taken.is_some());
            for one in taken {
                store.drop_replica(&one.origin, &one.zone)?;
            }
        }
        Ok(row)
    }
}

/// Whether the blocker is about the configuration or another zone, and so will stay whatever changes on this host.
const fn is_hopeless(finding: &Blocker) -> bool {
    matches!(finding.kind, BlockerKind::Identity | BlockerKind::Zone)
}

/// Why a copy is not attached as it is.
fn writes_over(original: &ZoneName, storage: &[String]) -> Message {
    let storage = storage.join(", ");
    Message::from(format!("the copy would write to the same storage as '{original}': {storage}"))
        .with_hint("give it storage of its own: --edit")
}
