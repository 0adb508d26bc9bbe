//! Changes to the configurations of simulated zones.

use super::Sim;
use super::settings::ZoneConfig;
use crate::model::{Disk, Edit, InterfaceMapping, Manifest, Zone};
use crate::platform::{ConfigEditor, PlatformError};

#[async_trait::async_trait]
impl ConfigEditor for Sim {
    fn map_interfaces(&self, config: &str, mappings: &[InterfaceMapping]) -> Result<String, PlatformError> {
        let odd = |error: serde_json::Error| PlatformError::Simulated(error.to_string());
        let mut config: ZoneConfig = serde_json::from_str(config).map_err(odd)?;
        config.map_interfaces(mappings);
        serde_json::to_string_pretty(&config).map_err(odd)
    }

    fn edit(&self, manifest: &Manifest, edits: &[Edit]) -> Result<String, PlatformError> {
        let odd = |error: serde_json::Error| PlatformError::Simulated(error.to_string());
        let mut config: ZoneConfig = serde_json::from_str(&manifest.config).map_err(odd)?;
        for edit in edits {
            config.edit(edit).map_err(|what| PlatformError::State { zone: config.name.clone(), what })?;
        }
        serde_json::to_string_pretty(&config).map_err(odd)
    }

    fn reread(&self, manifest: &Manifest, text: String) -> Result<Manifest, PlatformError> {
        let odd = |error: serde_json::Error| PlatformError::Simulated(error.to_string());
        let config: ZoneConfig = serde_json::from_str(&text).map_err(odd)?;
        let zone = Zone {
            name: config.name.clone(),
            uuid: config.uuid,
            brand: config.brand,
            memory: config.memory,
            cpus: config.cpus,
            ..manifest.zone.clone()
        };
        let before = serde_json::from_str::<ZoneConfig>(&manifest.config);
        let before = before.map(|config| config.obstacles).unwrap_or_default();
        let mut read = config.manifest(zone, text);
        read.obstacles.extend(manifest.obstacles_beside(&before));
        Ok(Manifest { software: manifest.software.clone(), ..read })
    }

    fn writes_over(&self, copy: &Manifest, original: &Manifest) -> Result<Vec<String>, PlatformError> {
        let has = |disk: &Disk| original.disks.iter().any(|other| other.source == disk.source);
        let shared = copy.disks.iter().filter(|disk| !disk.readonly && has(disk));
        Ok(shared.map(|disk| disk.source.label()).collect())
    }

    async fn updates(&self, _manifest: &Manifest) -> Result<Vec<Edit>, PlatformError> {
        Ok(Vec::new())
    }
}
