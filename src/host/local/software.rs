//! The software that the zones of this host depend on, and whether zones that arrive find the same here.

use std::path::PathBuf;

use super::Local;
use crate::host::HostError;
use crate::model::{Blocker, BlockerKind, CheckRequest, Disk, LocalPath, Manifest, Method, System, ZoneName};
use crate::software::{self, Counted, Report, compare};

/// The name of the package for QEMU among those of [`System::Hypervisor`].
const QEMU: &str = "qemu";

impl Local {
    /// The manifest of a zone, and the folders that it reads and that are this host's own.
    pub(super) async fn leaving(&self, zone: &ZoneName) -> Result<(Manifest, Vec<PathBuf>), HostError> {
        let manifest = match self.platform.manifest(zone).await {
            Err(crate::platform::PlatformError::NoSuchZone(zone)) => {
                return Err(HostError::NoSuchZone { host: self.name.clone(), zone });
            }
            result => result.map_err(|error| self.failed(error))?,
        };
        let counted = self.depends(&manifest).await?;
        Ok((Manifest { software: counted.software, ..manifest }, counted.own))
    }

    /// The software of this host that a zone depends on, and which folders that the zone reads are the host's own.
    async fn count(&self, manifest: &Manifest) -> Result<Counted, HostError> {
        if self.platform.able(manifest.zone.brand).host_software {
            let inherited: Vec<_> = manifest.inherited().collect();
            let counted = software::count(self.paths.root(), &inherited).await;
            return counted.map_err(|error| self.failed(error));
        }
        // A virtual machine brings its own; the platform knows on which hypervisor it runs.
        let software = self.platform.software(manifest).await.map_err(|error| self.failed(error))?;
        Ok(Counted { software, own: Vec::new() })
    }

    /// Likewise for a zone that is to leave. If the software cannot be read, the destination decides: it accepts
    /// the zone if it is forced to.
    pub(super) async fn depends(&self, manifest: &Manifest) -> Result<Counted, HostError> {
        if !self.platform.able(manifest.zone.brand).host_software {
            return self.count(manifest).await;
        }
        let (root, inherited) = (self.paths.root(), manifest.inherited().collect::<Vec<_>>());
        let counted = match software::count(root, &inherited).await {
            Err(error) => software::uncounted(root, &inherited, &error).await,
            counted => counted,
        };
        counted.map_err(|error| self.failed(error))
    }

    /// The software that a zone depends on and that is missing or differs here. None: it depends on none, or its
    /// host is too old to send it.
    ///
    /// # Errors
    /// If the software of this host is not known.
    pub async fn compare_software(&self, request: &CheckRequest) -> Result<Option<Report>, HostError> {
        let Some(source) = &request.manifest.software else { return Ok(None) };
        let mut source = source.clone();
        if source.system == System::Hypervisor {
            // The host that booted it takes it back, whatever it has run on meanwhile.
            if self.comes_home(request)? {
                return Ok(None);
            }
            // The QEMU that ran it there does not matter to a zone that is booted here.
            source.packages.retain(|one| request.method == Method::Live || one.name != QEMU);
        }
        let here = self.count(&request.manifest).await?.software;
        Ok(Some(compare(&source, here.as_ref())))
    }

    /// Whether it was evacuated from here.
    fn comes_home(&self, request: &CheckRequest) -> Result<bool, HostError> {
        let record = self.store.zone(request.manifest.zone.uuid).map_err(|error| self.failed(error))?;
        Ok(record.is_some_and(|record| record.place.is_elsewhere()))
    }

    /// A blocker for each difference.
    pub(super) async fn software_blockers(&self, request: &CheckRequest) -> Result<Vec<Blocker>, HostError> {
        if request.force {
            return Ok(Vec::new());
        }
        let Some(report) = self.compare_software(request).await? else { return Ok(Vec::new()) };
        let from = if request.from == self.name { "its source" } else { &request.from };
        let findings = report.findings(from, &self.name).into_iter();
        Ok(findings.map(|finding| Blocker::new(BlockerKind::Software, finding)).collect())
    }
}

/// The storage of a zone that another host must see, too: all but the folders of its host's own.
pub(super) fn storage(manifest: &Manifest, own: &[PathBuf]) -> Vec<Disk> {
    let is_own = |disk: &&Disk| match disk.source.local_path() {
        Some(LocalPath::Dir(folder)) => {
            disk.readonly && disk.target != "/" && own.iter().any(|one| one == folder)
        }
        Some(LocalPath::File(_) | LocalPath::Device(_)) | None => false,
    };
    manifest.disks.iter().filter(|disk| !is_own(disk)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use super::*;
    use crate::host::Host;
    use crate::model::Brand;
    use crate::model::{Package, PendingLoad, Software, StorageUri};
    use crate::paths::Paths;
    use crate::platform::sim::{HostSettings, Scale, Sim, ZoneSpec};
    use crate::store::tests::sample;
    use crate::store::{Place, Store};

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

        /// The blockers of a zone, if it came.
        async fn findings(&self, manifest: Manifest, force: bool) -> Result<Vec<String>, HostError> {
            let request = CheckRequest {
                manifest,
                method: Method::Cold,
                from: "h1".to_owned(),
                home: None,
                overwrite: false,
                force,
                pending: PendingLoad::default(),
                disk: 0,
                mappings: vec![],
                owners: vec![],
            };
            let blockers = self.host.check(request).await?;
            let software = blockers.into_iter().filter(|blocker| blocker.kind == BlockerKind::Software);
            Ok(software.map(|blocker| blocker.reason).collect())
        }
    }

    /// The manifest of a container that shares `/usr` with its host.
    async fn sparse(host: &Site) -> Result<Manifest, HostError> {
        let usr = Disk::new("/usr", StorageUri::dir(PathBuf::from("/usr")), true);
        let manifest = Manifest { disks: vec![usr], ..whole(Brand::LXC) };
        Ok(Manifest { software: host.host.count(&manifest).await?.software, ..manifest })
    }

    /// A zone that shares nothing.
    fn whole(brand: Brand) -> Manifest {
        let zone = crate::model::Zone { brand, ..crate::store::tests::sample::zone("web") };
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
        assert_eq!(h2.findings(whole(Brand::LXC), false).await.unwrap(), [""; 0]);
    }

    #[tokio::test]
    async fn software_that_cannot_be_read_is_an_error_and_not_the_same_as_none() {
        let [h1, h2] = ["h1", "h2"].map(Site::new);
        h1.install(&[["SUNWcsu", "1"]]);
        h2.install(&[["SUNWcsu", "1"]]);
        h2.write("var/sadm/install/contents", &"/usr/bin/ls f\n".repeat(17));
        let manifest = sparse(&h1).await.unwrap();
        let error = h2.findings(manifest, false).await.unwrap_err().to_string();
        assert!(error.contains("more than 16 of its lines are odd; the first (no class"), "{error}");
        assert!(sparse(&h2).await.is_err());
    }

    #[tokio::test]
    async fn a_zone_whose_own_host_cannot_read_its_packages_leaves_it_only_by_force() {
        let [h1, h2] = ["h1", "h2"].map(Site::new);
        for site in [&h1, &h2] {
            site.install(&[["SUNWcsu", "1"]]);
        }
        h1.write("var/sadm/install/contents", &"/usr/bin/ls f\n".repeat(17));
        let spec = ZoneSpec {
            brand: Brand::LXC,
            inherit: vec![PathBuf::from("/usr")],
            ..ZoneSpec::new("web".parse().unwrap())
        };
        Sim::open(&Paths::new(h1.root.path())).create(spec).unwrap();
        let (manifest, own) = h1.host.leaving(&"web".parse().unwrap()).await.unwrap();
        assert_eq!(own, [PathBuf::from("/usr")], "nothing is written there");
        let findings = h2.findings(manifest.clone(), false).await.unwrap();
        assert_eq!(findings.len(), 1);
        assert!(findings[0].starts_with("the software of h1 is unknown: "), "{findings:?}");
        assert!(
            findings[0].contains("more than 16 of its lines are odd; the first (no class"),
            "{findings:?}"
        );
        assert_eq!(h2.findings(manifest, true).await.unwrap(), [""; 0], "forced");
    }

    #[tokio::test]
    async fn a_zone_that_comes_home_from_a_newer_hypervisor_is_taken_back() {
        let h1 = Site::new("h1");
        let newer = Package { name: "libvirt".to_owned(), version: "10.0.0".to_owned() };
        let newer = Software { system: System::Hypervisor, packages: vec![newer], patches: vec![] };
        let manifest = Manifest { software: Some(newer), ..whole(Brand::KVM) };
        let findings = h1.findings(manifest.clone(), false).await.unwrap();
        assert_eq!(findings, ["software is counted by hypervisor on its source, by nothing on h1"]);
        let row = sample::record("web", manifest.zone.uuid.as_u128(), Place::Leaving);
        h1.host.store().begin_move(&row, &manifest).unwrap();
        assert_eq!(h1.findings(manifest, false).await.unwrap(), [""; 0]);
    }

    #[tokio::test]
    async fn a_folder_of_packages_is_no_storage_that_hosts_must_share() {
        let h1 = Site::new("h1");
        h1.install(&[["SUNWcsu", "1"]]);
        let folder = |target: &str, readonly| {
            let source =
                StorageUri::dir(PathBuf::from(if target == "/" { "/zones/web/root" } else { target }));
            Disk::new(target, source, readonly)
        };
        let disks = vec![
            folder("/", false),
            folder("/usr", true),
            folder("/usr/share", false),
            folder("/data", true),
        ];
        let manifest = |brand| Manifest { disks: disks.clone(), ..whole(brand) };
        let targets = |disks: Vec<Disk>| disks.into_iter().map(|disk| disk.target).collect::<Vec<_>>();
        let container = manifest(Brand::LXC);
        let own = h1.host.depends(&container).await.unwrap().own;
        assert_eq!(
            targets(storage(&container, &own)),
            ["/", "/usr/share", "/data"],
            "what is written to is data"
        );
        let machine = manifest(Brand::KVM);
        let own = h1.host.depends(&machine).await.unwrap().own;
        assert_eq!(targets(storage(&machine, &own)).len(), 4);
    }

    #[tokio::test]
    async fn a_virtual_machine_costs_nothing() {
        let h1 = Site::new("h1");
        h1.write("var/sadm/pkg/SUNWcsu/pkginfo", "damaged\n");
        assert_eq!(h1.host.count(&whole(Brand::KVM)).await.unwrap(), Counted::default());
    }

    #[tokio::test]
    async fn a_host_tells_what_its_zones_depend_on() {
        let h1 = Site::new("h1");
        h1.write("var/sadm/pkg/SUNWcsu/pkginfo", "VERSION=1\nSUNW_PKG_ALLZONES=true\n");
        for (name, brand) in [("web", Brand::LXC), ("db", Brand::KVM)] {
            let spec = ZoneSpec { brand, ..ZoneSpec::new(name.parse().unwrap()) };
            let paths = Paths::new(Path::new(h1.root.path()));
            Sim::open(&paths).create(spec).unwrap();
        }
        let software = h1.host.manifest("web".parse().unwrap()).await.unwrap().software.unwrap();
        assert_eq!(software.packages.len(), 1);
        assert_eq!(h1.host.manifest("db".parse().unwrap()).await.unwrap().software, None);
    }
}
