//! Creating zones, JSON, and several processes with one database.

use proptest::prelude::*;

use super::*;
use crate::model::{Brand, CheckRequest, Disk, Method, Network, Obstacle, PendingLoad, StorageUri};

#[test]
fn a_counter_goes_on_only_while_the_zone_runs() {
    let world = World::new();
    let host = HostSettings { scale: Scale::Times(20), ..settings(world.folder.path(), "a") };
    world.a.set_host(&host).unwrap();
    let web = name("web");
    world.a.create(spec("web")).unwrap();
    let counter = || world.a.zone_counter(&web).unwrap();
    assert_eq!(
        (counter(), counter()),
        (Counter { value: 0, goes_on: false }, Counter { value: 0, goes_on: false })
    );
    world.a.start(&web).unwrap();
    let (first, second) = (counter(), counter());
    // The test's clock advances by one at each reading.
    assert_eq!((second.value - first.value, first.goes_on), (20, true));
    world.a.stop(&web).unwrap();
    assert_eq!(counter(), Counter { value: 0, goes_on: false });
}

#[test]
fn a_zone_whose_name_is_too_long_for_a_file_has_disks_called_by_its_uuid() {
    let world = World::new();
    for bytes in [78, 82, 123] {
        let long = ZoneName::of_platform(&"ü".repeat(bytes)).unwrap();
        world.a.create(ZoneSpec { name: long.clone(), ..spec("web") }).unwrap();
        world.a.start(&long).unwrap();
        world.a.stop(&long).unwrap();
        world.a.remove(&long).unwrap();
    }
}

#[test]
fn looking_at_a_host_that_was_never_made_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sim = Sim::open(&paths(folder.path(), "new"));
    assert_eq!(sim.host().unwrap(), HostSettings::default());
    assert!(matches!(sim.zone_counter(&name("web")), Err(PlatformError::NoSuchZone(_))));
    assert!(!folder.path().join("new").exists());
}

#[test]
fn a_zone_comes_and_goes_with_its_disks() {
    let world = World::new();
    world.a.create(spec("web")).unwrap();
    let disk = world.folder.path().join("nfs/web-vda.img");
    assert!(disk.is_file());
    assert!(world.a.create(spec("web")).is_err());
    world.a.start(&name("web")).unwrap();
    assert!(world.a.remove(&name("web")).unwrap_err().to_string().contains("it runs"));
    world.a.stop(&name("web")).unwrap();
    world.a.remove(&name("web")).unwrap();
    assert!(!disk.exists());
}

#[test]
fn no_zone_boots_in_maintenance_or_without_its_disk() {
    let world = World::new();
    world.a.create(spec("web")).unwrap();
    let start = || world.a.start(&name("web")).map_err(|error| error.to_string());
    let marker = paths(world.folder.path(), "a").lock_marker();
    std::fs::write(&marker, "").unwrap();
    assert!(start().unwrap_err().contains("in maintenance"));
    std::fs::remove_file(&marker).unwrap();
    let disk = world.folder.path().join("nfs/web-vda.img");
    std::fs::rename(&disk, disk.with_extension("away")).unwrap();
    assert!(start().unwrap_err().contains("is not here"));
    std::fs::rename(disk.with_extension("away"), &disk).unwrap();
    start().unwrap();
}

#[tokio::test]
async fn a_check_names_everything_that_is_missing() {
    let world = World::new();
    let networks = vec![Network::Bridge("br7".into()), Network::Managed("lan".into())];
    let storages = vec!["nfs".into(), "local".into()];
    world.run(ZoneSpec { brand: Brand::LXC, networks, storages, ..spec("box") });
    let host = HostSettings { arch: "aarch64".into(), ..settings(world.folder.path(), "b") };
    world.b.set_host(&host).unwrap();
    let manifest = world.a.manifest(&name("box")).await.unwrap();
    let request = CheckRequest {
        manifest,
        method: Method::Live,
        from: "a".into(),
        home: None,
        overwrite: false,
        force: false,
        pending: PendingLoad::default(),
        disk: 0,
        mappings: vec![],
        owners: vec![],
    };
    let found = world.b.check(&request).await.unwrap();
    let folder = world.folder.path().display();
    let wanted = [
        "it needs x86_64, the host there is aarch64".to_owned(),
        "a container cannot move live".to_owned(),
        "no bridge br7".to_owned(),
        "no active network lan".to_owned(),
        format!("disk vdb ({folder}/a/srv/local/box-vdb.img) is not accessible"),
    ];
    assert_eq!(found.iter().map(|blocker| blocker.reason.clone()).collect::<Vec<_>>(), wanted);
}

#[tokio::test]
async fn a_zone_moves_cold_with_what_its_manifest_says() {
    let world = World::new();
    world.a.create(spec("cold")).unwrap();
    let manifest = world.a.manifest(&name("cold")).await.unwrap();
    world.a.undefine(&name("cold"), manifest.zone.uuid).await.unwrap();
    world.a.undefine(&name("cold"), manifest.zone.uuid).await.unwrap();
    world.b.define(&manifest).await.unwrap();
    assert_eq!(world.b.manifest(&name("cold")).await.unwrap(), manifest);
    world.b.start(&name("cold")).unwrap();
    assert_eq!(words_of(&world, "cold").await, ["-", "running"]);
    assert!(world.b.define(&manifest).await.is_err());
    assert!(world.b.undefine(&name("cold"), manifest.zone.uuid).await.is_err());
    assert_eq!(world.b.facts().await.unwrap().memory_free, 63 << 30);
}

#[test]
fn many_at_once_on_one_new_database_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let folder = folder.path();
            scope.spawn(move || {
                let sim = Sim::open(&paths(folder, "a"));
                for zone in 0..10 {
                    let zone = format!("z{thread}-{zone}");
                    sim.create(ZoneSpec::new(name(&zone))).unwrap();
                    sim.start(&name(&zone)).unwrap();
                }
            });
        }
    });
    let zones = Sim::open(&paths(folder.path(), "a")).read(|session| session.zones()).unwrap();
    let mut ids: Vec<_> = zones.iter().map(|zone| zone.id.unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=40).collect::<Vec<_>>());
}

fn any_name() -> impl Strategy<Value = ZoneName> {
    "[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}".prop_filter_map("reserved", |text| text.parse().ok())
}

fn any_network() -> impl Strategy<Value = Network> {
    let text = || "\\PC{0,12}";
    prop_oneof![
        text().prop_map(Network::Bridge),
        text().prop_map(Network::Managed),
        text().prop_map(Network::Device)
    ]
}

fn any_disk() -> impl Strategy<Value = Disk> {
    ("\\PC{0,8}", "\\PC{0,40}", any::<bool>())
        .prop_map(|(target, path, readonly)| Disk::new(target, StorageUri::file(path), readonly))
}

fn any_config() -> impl Strategy<Value = ZoneConfig> {
    let brand = prop_oneof![Just(Brand::KVM), Just(Brand::LXC)];
    let disks = prop::collection::vec(any_disk(), 0..3);
    let networks = prop::collection::vec(any_network(), 0..3);
    let numbers = any::<(u128, u64, u32, u64)>();
    let obstacles = prop::collection::vec("\\PC{0,20}".prop_map(Obstacle::from), 0..2);
    (any_name(), brand, "\\PC{0,8}", disks, networks, numbers, obstacles).prop_map(
        |(name, brand, arch, disks, networks, (uuid, memory, cpus, dirty_rate), obstacles)| {
            let uuid = Uuid::from_u128(uuid);
            let profile = Profile { load: cpus, ..Profile::default() };
            ZoneConfig {
                name,
                uuid,
                brand,
                arch,
                memory,
                cpus,
                dirty_rate,
                disks,
                networks,
                obstacles,
                profile,
            }
        },
    )
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_define_takes_manifest_gives(config in any_config()) {
        let folder = tempfile::tempdir().unwrap();
        let sim = Sim::open(&paths(folder.path(), "a"));
        let text = serde_json::to_string(&config).unwrap();
        let zone = SimZone::installed(config.clone(), text.clone(), false).zone();
        let (disks, networks, obstacles) =
            (config.disks.clone(), config.networks.clone(), config.obstacles.clone());
        let interfaces = config.interfaces();
        let given =
            Manifest { zone, config: text, platform: "sim".into(), disks, networks, interfaces, obstacles, software: None, processor: None };
        let taken = block_on(async {
            sim.define(&given).await.unwrap();
            sim.manifest(&config.name).await.unwrap()
        });
        prop_assert_eq!(serde_json::from_str::<ZoneConfig>(&taken.config).unwrap(), config);
        prop_assert_eq!(taken, given);
    }

    #[test]
    fn a_configuration_that_is_not_ours_is_refused_and_changes_nothing(text in "\\PC{0,80}") {
        let world = World::new();
        world.a.create(spec("web")).unwrap();
        let manifest = block_on(world.a.manifest(&name("web"))).unwrap();
        let bad = Manifest { config: text, ..manifest.clone() };
        prop_assert!(block_on(world.a.define(&bad)).is_err());
        prop_assert_eq!(block_on(world.a.manifest(&name("web"))).unwrap(), manifest);
    }
}
