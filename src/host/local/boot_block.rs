//! Zones that were shut down here in order to run on another host: they cannot be booted here meanwhile, by any
//! means.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use super::Local;
use crate::boot_lock::BootBlock;
use crate::host::HostError;

/// The blocks of this process.
#[derive(Debug, Default)]
pub(super) struct BootBlocks(Mutex<HashMap<Uuid, BootBlock>>);

impl Local {
    /// The zone cannot be booted here until it is unblocked or this process ends.
    pub(super) fn block_boot(&self, uuid: Uuid) -> Result<(), HostError> {
        let mut boot_blocks = self.boot_blocks.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Not twice: a block that is dropped removes its file.
        if let Entry::Vacant(place) = boot_blocks.entry(uuid) {
            place.insert(BootBlock::new(&self.paths, uuid).map_err(|error| self.failed(error))?);
        }
        Ok(())
    }

    /// The zone runs on another host, or is to run here again.
    pub(super) fn unblock_boot(&self, uuid: Uuid) {
        self.boot_blocks.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&uuid);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::host::Host;
    use crate::paths::Paths;
    use crate::platform::sim::{HostSettings, Scale, Sim, ZoneSpec};
    use crate::store::Store;

    /// A host with one zone that runs.
    struct Site {
        _root: tempfile::TempDir,
        sim: Sim,
        host: Local,
        uuid: Uuid,
    }

    impl Site {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            let paths = Paths::new(root.path());
            let store = Arc::new(Store::open(&paths.database()).unwrap());
            let sim = Sim::open(&paths);
            sim.set_host(&HostSettings { scale: Scale::Instant, ..HostSettings::default() }).unwrap();
            let uuid = Uuid::from_u128(7);
            sim.create(ZoneSpec { uuid: Some(uuid), ..ZoneSpec::new("web".parse().unwrap()) }).unwrap();
            sim.start(&"web".parse().unwrap()).unwrap();
            let host = Local::new("h1".to_owned(), Arc::new(Sim::open(&paths)), store, paths);
            Self { _root: root, sim, host, uuid }
        }

        async fn shut_down(&self) {
            self.host.shutdown("web".parse().unwrap(), self.uuid, 60_000).await.unwrap();
        }

        fn owner_boots(&self) -> Result<(), String> {
            self.sim.start(&"web".parse().unwrap()).map_err(|error| error.to_string())
        }
    }

    #[tokio::test]
    async fn a_zone_that_was_shut_down_to_run_elsewhere_is_booted_here_by_nobody_else() {
        let site = Site::new();
        site.shut_down().await;
        let refusal = site.owner_boots().unwrap_err();
        assert!(refusal.contains("it is on its way to another host"), "{refusal}");
        // Asked again, as after an answer that was lost.
        site.shut_down().await;
        assert!(site.owner_boots().is_err());
        assert!(site.host.boot("web".parse().unwrap(), site.uuid).await.unwrap());
        site.sim.stop(&"web".parse().unwrap()).unwrap();
        assert_eq!(site.owner_boots(), Ok(()));
    }

    #[tokio::test]
    async fn a_zone_that_has_gone_is_not_held_when_it_comes_again() {
        let site = Site::new();
        site.shut_down().await;
        site.host.detach("web".parse().unwrap(), site.uuid, true).await.unwrap();
        let spec = ZoneSpec { uuid: Some(site.uuid), ..ZoneSpec::new("web".parse().unwrap()) };
        site.sim.create(spec).unwrap();
        assert_eq!(site.owner_boots(), Ok(()));
    }

    #[tokio::test]
    async fn nobody_holds_a_zone_after_the_end_of_the_process_that_did() {
        let site = Site::new();
        site.shut_down().await;
        let Site { host, sim, .. } = site;
        drop(host);
        assert!(sim.start(&"web".parse().unwrap()).is_ok());
    }
}
