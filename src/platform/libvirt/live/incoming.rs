//! The destination's side.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use uuid::Uuid;

use super::locked;
use crate::exec::{Command, Waiting};
use crate::model::ZoneName;
use crate::platform::PlatformError;
use crate::platform::libvirt::virsh::{Driver, failed};

/// The migrations that arrive here now. For each a virsh waits, connected, for the one word that lets the zone
/// run: starting one only then would lengthen the downtime.
#[derive(Debug, Default)]
pub struct Incoming {
    waiting: Mutex<HashMap<Uuid, Waiting>>,
    folders: Mutex<HashMap<PathBuf, Uuid>>,
}

impl Incoming {
    pub fn open(&self, uuid: Uuid, folder: &Path) -> Result<(), PlatformError> {
        let virsh = Command::new("virsh").args(["-c", Driver::Qemu.uri()]);
        let virsh = virsh.spawn_waiting().map_err(|error| failed("wait for an arrival", error))?;
        locked(&self.waiting).insert(uuid, virsh);
        locked(&self.folders).insert(folder.to_owned(), uuid);
        Ok(())
    }

    pub fn close(&self, folder: &Path) -> Result<(), PlatformError> {
        if let Some(uuid) = locked(&self.folders).remove(folder) {
            locked(&self.waiting).remove(&uuid);
        }
        Ok(())
    }

    pub async fn resume(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError> {
        let waiting = locked(&self.waiting).remove(&uuid);
        if let Some(virsh) = waiting
            && virsh.tell(&format!("resume {uuid}"), "resumed").await
        {
            return Ok(());
        }
        let command = Driver::Qemu.virsh().args(["resume", &uuid.to_string()]);
        match command.run().await {
            Err(error) if !error.stderr().contains("already running") => {
                Err(failed(format!("let zone '{zone}' run"), error))
            }
            _ => Ok(()),
        }
    }
}
