//! Reading and changing the configurations that manifests carry.

use super::PlatformError;
use crate::model::{Edit, InterfaceMapping, Manifest};

/// Changes configurations that no zone of this host has yet.
#[async_trait::async_trait]
pub trait ConfigEditor: Send + Sync {
    /// A configuration with these changes to its interfaces, and no others.
    fn map_interfaces(&self, config: &str, mappings: &[InterfaceMapping]) -> Result<String, PlatformError>;

    /// The configuration of a manifest with these changes, in the order in which they stand.
    fn edit(&self, manifest: &Manifest, edits: &[Edit]) -> Result<String, PlatformError>;

    /// The storage of the original to which a copy of it would write by its configuration. What the copy says that it shares
    /// does not count.
    fn writes_over(&self, copy: &Manifest, original: &Manifest) -> Result<Vec<String>, PlatformError>;

    /// A manifest with this configuration in place of its own, and with all that the configuration says: name, UUID,
    /// brand, memory, processors, disks, networks, interfaces, obstacles. The rest stays, and so does what stands against
    /// its moving that its own configuration did not say.
    fn reread(&self, manifest: &Manifest, config: String) -> Result<Manifest, PlatformError>;

    /// What would have to change about a zone that does not run so that it fits here: nothing if it does, or if no change
    /// would help.
    async fn updates(&self, manifest: &Manifest) -> Result<Vec<Edit>, PlatformError>;
}
