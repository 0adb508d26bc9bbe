//! What software the zones of this host depend on, and whether those that arrive find the same here.

use super::Local;
use crate::host::HostError;
use crate::model::{
    Arrival, Blocker, BlockerKind, Brand, Disk, DiskSource, Kind, Manifest, Software, System,
};
use crate::software::{self, Report, compare};

/// What [`System::Hypervisor`] calls the part that runs a virtual machine.
const QEMU: &str = "qemu";

impl Local {
    /// What this host has of the software that this zone depends on. None: it depends on none that is known here.
    pub(super) async fn software(&self, manifest: &Manifest) -> Result<Option<Software>, HostError> {
        match manifest.zone.brand {
            Brand::Lxc => {
                let inherited: Vec<_> = manifest.inherited().collect();
                software::of(self.paths.root(), &inherited).await.map_err(|error| self.failed(error))
            }
            // A virtual machine brings its own; on what hypervisor it runs is for the platform to say.
            Brand::Kvm => self.platform.software(manifest).await.map_err(|error| self.failed(error)),
        }
    }

    /// Its storage, which another host must see, too. The folders that it only reads, and that packages of its host
    /// deliver, are none: each host has its own, and the packages say whether they are the same.
    pub(super) async fn storage(&self, manifest: &Manifest) -> Result<Vec<Disk>, HostError> {
        let mut storage = Vec::new();
        for disk in &manifest.disks {
            let is_read = manifest.zone.brand == Brand::Lxc && disk.readonly && disk.target != "/";
            let is_own = match &disk.source {
                DiskSource::Dir(folder) if is_read => {
                    let delivered = software::is_delivered(self.paths.root(), folder).await;
                    delivered.map_err(|error| self.failed(error))?
                }
                _ => false,
            };
            storage.extend((!is_own).then(|| disk.clone()));
        }
        Ok(storage)
    }

    /// What of the software that a zone depends on is missing here, or another version. None: it depends on none, or its
    /// host is too old to tell.
    ///
    /// # Errors
    /// If it is not known what is here.
    pub async fn compare_software(&self, arrival: &Arrival) -> Result<Option<Report>, HostError> {
        let Some(source) = &arrival.manifest.software else { return Ok(None) };
        let mut source = source.clone();
        if source.system == System::Hypervisor && arrival.kind != Kind::Live {
            // What has brought up its memory there does not matter to one that is booted here.
            source.packages.retain(|one| one.name != QEMU);
        }
        let here = self.software(&arrival.manifest).await?;
        Ok(Some(compare(&source, here.as_ref())))
    }

    /// A blocker for each finding of that.
    pub(super) async fn software_blockers(&self, arrival: &Arrival) -> Result<Vec<Blocker>, HostError> {
        if arrival.force {
            return Ok(Vec::new());
        }
        let Some(report) = self.compare_software(arrival).await? else { return Ok(Vec::new()) };
        let from = if arrival.from == self.name { "its source" } else { &arrival.from };
        let findings = report.findings(from, &self.name).into_iter();
        Ok(findings.map(|finding| Blocker::new(BlockerKind::Software, finding)).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use super::*;
    use crate::host::Host;
    use crate::model::Beside;
    use crate::paths::Paths;
    use crate::platform::sim::{HostSettings, Scale, Sim, ZoneSpec};
    use crate::store::Store;

    /// A simulated Solaris 10 host with one zone.
    struct Site {
        root: tempfile::TempDir,
        host: Local,
    }

    impl Site {
        fn new(name: &str) -> Self {
            let root = tempfile::tempdir().unwrap();
            let paths = Paths::new(root.path());
            let store = Arc::new(Store::open(&paths.database()).unwrap());
            let sim = Sim::open(&paths);
            let settings =
                HostSettings { name: name.to_owned(), scale: Scale::Instant, ..HostSettings::default() };
            sim.set_host(&settings).unwrap();
            let host = Local::new(name.to_owned(), Arc::new(sim), store, paths);
            Self { root, host }
        }

        fn write(&self, file: &str, text: &str) {
            let file = self.root.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }

        /// Installs packages with one file each.
        fn install(&self, packages: &[[&str; 2]]) {
            let mut contents = String::new();
            for [name, version] in packages {
                self.write(&format!("var/sadm/pkg/{name}/pkginfo"), &format!("VERSION={version}\n"));
                contents += &format!("/usr/lib/{name} f none 0755 root bin 1 1 1 {name}\n");
            }
            self.write("var/sadm/install/contents", &contents);
        }

        /// The findings against a zone, if it came.
        async fn findings(&self, manifest: Manifest, force: bool) -> Result<Vec<String>, HostError> {
            let arrival = Arrival {
                manifest,
                kind: Kind::Cold,
                from: "h1".to_owned(),
                overwrite: false,
                force,
                beside: Beside::default(),
                plugs: vec![],
            };
            let blockers = self.host.check(arrival).await?;
            let software = blockers.into_iter().filter(|blocker| blocker.kind == BlockerKind::Software);
            Ok(software.map(|blocker| blocker.reason).collect())
        }
    }

    /// A container that shares `/usr` with its host, as that host tells of it.
    async fn sparse(host: &Site) -> Result<Manifest, HostError> {
        let usr = Disk {
            target: "/usr".to_owned(),
            source: DiskSource::Dir(PathBuf::from("/usr")),
            readonly: true,
        };
        let manifest = Manifest { disks: vec![usr], ..whole(Brand::Lxc) };
        Ok(Manifest { software: host.host.software(&manifest).await?, ..manifest })
    }

    /// A zone that shares nothing.
    fn whole(brand: Brand) -> Manifest {
        let zone = crate::model::Zone { brand, ..crate::store::tests::sample_zone("web") };
        Manifest {
            zone,
            config: String::new(),
            platform: "sim".to_owned(),
            disks: vec![],
            networks: vec![],
            interfaces: vec![],
            obstacles: vec![],
            software: None,
            processor: None,
        }
    }

    #[tokio::test]
    async fn a_zone_goes_only_where_the_software_that_it_shares_is_the_same() {
        let [h1, h2] = ["h1", "h2"].map(Site::new);
        h1.install(&[["SUNWcsu", "11.10.0,REV=1"], ["SUNWold", "1.0"]]);
        h2.install(&[["SUNWcsu", "11.11.0"], ["SUNWnew", "1.0"]]);
        let manifest = sparse(&h1).await.unwrap();
        assert_eq!(
            h2.findings(manifest.clone(), false).await.unwrap(),
            [
                "SUNWcsu: version mismatch (11.10.0,REV=1 on h1, 11.11.0 on h2)",
                "SUNWnew: not installed on h1 (1.0 on h2)",
                "SUNWold: not installed on h2 (1.0 on h1)",
            ]
        );
        assert_eq!(h2.findings(manifest.clone(), true).await.unwrap(), [""; 0], "forced");
        assert_eq!(h1.findings(manifest, false).await.unwrap(), [""; 0]);
    }

    #[tokio::test]
    async fn a_zone_of_an_older_host_that_does_not_tell_is_taken() {
        let h2 = Site::new("h2");
        h2.write("var/sadm/pkg/SUNWcsu/pkginfo", "damaged\n");
        assert_eq!(h2.findings(whole(Brand::Lxc), false).await.unwrap(), [""; 0]);
    }

    #[tokio::test]
    async fn software_that_cannot_be_read_is_an_error_and_not_the_same_as_none() {
        let [h1, h2] = ["h1", "h2"].map(Site::new);
        h1.install(&[["SUNWcsu", "1"]]);
        h2.install(&[["SUNWcsu", "1"]]);
        h2.write("var/sadm/install/contents", "/usr/bin/ls f\n");
        let manifest = sparse(&h1).await.unwrap();
        let error = h2.findings(manifest, false).await.unwrap_err().to_string();
        assert!(error.contains("var/sadm/install/contents:1: no class"), "{error}");
        assert!(sparse(&h2).await.is_err());
    }

    #[tokio::test]
    async fn a_folder_of_packages_is_no_storage_that_hosts_must_share() {
        let h1 = Site::new("h1");
        h1.install(&[["SUNWcsu", "1"]]);
        let folder = |target: &str, readonly| {
            let source =
                DiskSource::Dir(PathBuf::from(if target == "/" { "/zones/web/root" } else { target }));
            Disk { target: target.to_owned(), source, readonly }
        };
        let disks =
            vec![folder("/", false), folder("/usr", true), folder("/usr/lib", false), folder("/data", true)];
        let manifest = |brand| Manifest { disks: disks.clone(), ..whole(brand) };
        let targets = |disks: Vec<Disk>| disks.into_iter().map(|disk| disk.target).collect::<Vec<_>>();
        let container = h1.host.storage(&manifest(Brand::Lxc)).await.unwrap();
        assert_eq!(targets(container), ["/", "/usr/lib", "/data"], "what is written to is data");
        let machine = h1.host.storage(&manifest(Brand::Kvm)).await.unwrap();
        assert_eq!(targets(machine).len(), 4);
    }

    #[tokio::test]
    async fn a_virtual_machine_costs_nothing() {
        let h1 = Site::new("h1");
        h1.write("var/sadm/pkg/SUNWcsu/pkginfo", "damaged\n");
        assert_eq!(h1.host.software(&whole(Brand::Kvm)).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_host_tells_what_its_zones_depend_on() {
        let h1 = Site::new("h1");
        h1.write("var/sadm/pkg/SUNWcsu/pkginfo", "VERSION=1\nSUNW_PKG_ALLZONES=true\n");
        for (name, brand) in [("web", Brand::Lxc), ("db", Brand::Kvm)] {
            let spec = ZoneSpec { brand, ..ZoneSpec::new(name.parse().unwrap()) };
            let paths = Paths::new(Path::new(h1.root.path()));
            Sim::open(&paths).create(spec).unwrap();
        }
        let software = h1.host.manifest("web".parse().unwrap()).await.unwrap().software.unwrap();
        assert_eq!(software.packages.len(), 1);
        assert_eq!(h1.host.manifest("db".parse().unwrap()).await.unwrap().software, None);
    }
}
