//! The destination's side.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use uuid::Uuid;

use super::locked;
use crate::model::ZoneName;
use crate::platform::PlatformError;
use crate::platform::libvirt::virsh::{Code, Connection, Resumer};

/// The migrations that arrive here now. For each there is a connection that waits for the command to resume the
/// zone: to connect only then would lengthen the downtime.
#[derive(Debug, Default)]
pub struct Incoming {
    waiting: Mutex<HashMap<Uuid, Resumer>>,
    folders: Mutex<HashMap<PathBuf, Uuid>>,
}

impl Incoming {
    pub fn open(&self, uuid: Uuid, folder: &Path) -> Result<(), PlatformError> {
        locked(&self.waiting).insert(uuid, Connection::qemu().resumer()?);
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
        if let Some(resumer) = waiting
            && resumer.resume(uuid).await
        {
            return Ok(());
        }
        match Connection::qemu().resume(uuid).await {
            Err(error) if error.code != Code::Running => Err(error.failed(format!("let zone '{zone}' run"))),
            _ => Ok(()),
        }
    }
}
