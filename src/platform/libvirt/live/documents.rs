//! The zone's XML for the destination, if it differs from that of this host, in files for virsh. They contain
//! everything that the XML contains, including passwords, so only this process's user may read them. They are
//! beside the folder of the migration, which other users may enter.

use std::path::{Path, PathBuf};

use crate::file;
use crate::model::{InterfaceMapping, Zone};
use crate::platform::PlatformError;
use crate::platform::libvirt::domain_xml::map_interfaces;
use crate::platform::libvirt::virsh::Connection;

/// The files, which are removed when this is dropped.
#[derive(Debug, Default)]
pub struct Documents {
    files: Vec<PathBuf>,
}

impl Documents {
    /// The zone's documents with these mappings; none if there are no mappings.
    pub async fn of(
        zone: &Zone,
        folder: &Path,
        mappings: &[InterfaceMapping],
    ) -> Result<Self, PlatformError> {
        let mut documents = Self::default();
        if mappings.is_empty() {
            return Ok(documents);
        }
        let xml = Connection::qemu().migratable(zone.uuid).await?;
        for (text, ending) in xml.iter().zip(["xml", "later"]) {
            if ending == "later" && !zone.persistent {
                continue;
            }
            let text = map_interfaces(text.trim_start(), mappings)
                .map_err(|what| PlatformError::Output { command: "virsh dumpxml", what })?;
            let path = folder.with_extension(ending);
            documents.files.push(path.clone());
            file::create(&path, &text, 0o600).map_err(|source| PlatformError::Io {
                what: "write",
                path,
                source,
            })?;
        }
        Ok(documents)
    }

    /// The file with the zone as it is to run at the destination.
    pub fn xml(&self) -> Option<&Path> {
        self.file("xml")
    }

    /// The file with the zone after its next boot there.
    pub fn persistent_xml(&self) -> Option<&Path> {
        self.file("later")
    }

    fn file(&self, ending: &str) -> Option<&Path> {
        let mut files = self.files.iter().map(PathBuf::as_path);
        files.find(|path| path.extension().is_some_and(|extension| extension == ending))
    }
}

impl Drop for Documents {
    fn drop(&mut self) {
        for path in &self.files {
            let _ = std::fs::remove_file(path);
        }
    }
}
