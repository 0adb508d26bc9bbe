//! Reads and changes the configurations in manifests.

use super::PlatformError;
use crate::model::{Edit, InterfaceMapping, Manifest};

/// Changes configurations that are not yet defined on this host.
#[async_trait::async_trait]
pub trait ConfigEditor: Send + Sync {
    /// The configuration with these interfaces mapped to other networks, and otherwise unchanged.
    fn map_interfaces(&self, config: &str, mappings: &[InterfaceMapping]) -> Result<String, PlatformError>;

    /// The configuration of a manifest with these changes applied in order.
    fn edit(&self, manifest: &Manifest, edits: &[Edit]) -> Result<String, PlatformError>;

    /// The storage of the original that a copy of it would write to, too, according to its configuration. Storage
    /// that the copy marks as shared does not count.
    fn writes_over(&self, copy: &Manifest, original: &Manifest) -> Result<Vec<String>, PlatformError>;

    /// The manifest with another configuration, and with everything that follows from that: name, UUID, brand,
    /// memory, CPUs, disks, networks, interfaces, obstacles. The rest is kept, including obstacles that did not
    /// follow from the old configuration.
    fn reread(&self, manifest: &Manifest, config: String) -> Result<Manifest, PlatformError>;

    /// The changes that a zone which does not run needs in order to run on this host; empty if it needs none, or
    /// if no change would help.
    async fn updates(&self, manifest: &Manifest) -> Result<Vec<Edit>, PlatformError>;
}
