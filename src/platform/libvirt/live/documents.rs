//! What a zone is told to be at its destination, where that is not what it is here: its XML, changed, in files that
//! virsh reads. They hold what the XML holds, passwords too, so they are this process's user's alone, and lie beside the
//! folder of the migration, into which others may get.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::file;
use crate::model::{InterfaceMapping, Zone};
use crate::platform::PlatformError;
use crate::platform::libvirt::domain_xml::map_interfaces;
use crate::platform::libvirt::virsh::Driver;

/// virsh's options with their files, which are gone when this is dropped.
#[derive(Debug, Default)]
pub struct Documents {
    files: Vec<(&'static str, PathBuf)>,
}

impl Documents {
    /// The zone's documents with these changes; none if there are no changes.
    pub async fn of(
        zone: &Zone,
        folder: &Path,
        mappings: &[InterfaceMapping],
    ) -> Result<Self, PlatformError> {
        let mut documents = Self::default();
        if mappings.is_empty() {
            return Ok(documents);
        }
        let xml = texts(zone.uuid).await?;
        for (text, (option, ending)) in xml.iter().zip([("--xml", "xml"), ("--persistent-xml", "later")]) {
            if ending == "later" && !zone.persistent {
                continue;
            }
            let text = map_interfaces(text.trim_start(), mappings)
                .map_err(|what| PlatformError::Output { command: "virsh dumpxml", what })?;
            let path = folder.with_extension(ending);
            documents.files.push((option, path.clone()));
            file::create(&path, &text, 0o600).map_err(|source| PlatformError::Io {
                what: "write",
                path,
                source,
            })?;
        }
        Ok(documents)
    }

    /// Words for virsh.
    pub fn words(&self) -> impl Iterator<Item = String> {
        self.files.iter().flat_map(|(option, path)| [(*option).to_owned(), path.display().to_string()])
    }
}

impl Drop for Documents {
    fn drop(&mut self) {
        for (_, path) in &self.files {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// What the zone is now, as another host may read it, and what it is after its next boot.
async fn texts(uuid: Uuid) -> Result<Vec<String>, PlatformError> {
    let commands = [
        format!("dumpxml --migratable --security-info {uuid}"),
        format!("dumpxml --inactive --security-info {uuid}"),
    ];
    Driver::Qemu.batch(&commands).await
}
