//! Manifests written and read back, and documents that are not manifests.

mod bad;
mod whole;

use uuid::Uuid;

use super::*;
use crate::{Brand, Disk, Interface, Network, Package, Patch, Software, StorageUri, System, Zone, ZoneState};

fn written() -> Written {
    Written { host: "h1.example.org".into(), software: "0.1.0".into(), at: Millis(1_795_000_000_123) }
}

/// A container with one of everything that a container can have.
fn web1() -> Manifest {
    let mac = "52:54:00:aa:bb:01".parse().unwrap();
    let disk = |target: &str, source, readonly| Disk::new(target, source, readonly);
    Manifest {
        zone: Zone {
            name: "web1".parse().unwrap(),
            uuid: Uuid::from_u128(0x0051_1286_3319_4f84_a168_e5fc_dfb0_de45),
            brand: Brand::LXC,
            state: ZoneState::Installed,
            aux: None,
            id: None,
            autostart: true,
            persistent: true,
            ended: None,
            memory: 96 << 20,
            cpus: 2,
        },
        config: "<domain type='lxc'>\n  <name>web1</name>\n</domain>\n".into(),
        platform: "libvirt".into(),
        disks: vec![
            disk("/", StorageUri::dir("/zones/web1/root"), false),
            disk("/usr", StorageUri::dir("/usr"), true),
            disk("vdb", StorageUri::device("/dev/vg/web1"), false),
            disk(
                "vdc",
                StorageUri::network("rbd", vec!["mon1:6789".into(), "mon2".into()], "pool/web1").unwrap(),
                true,
            ),
        ],
        networks: vec![Network::Bridge("br0".into()), Network::Managed("lan".into())],
        interfaces: vec![Interface {
            mac,
            network: Network::Bridge("br0".into()),
            there: Some("br10".parse().unwrap()),
        }],
        obstacles: vec!["disk vdd: storage of type 'dir' & more".into()],
        software: Some(Software {
            system: System::Svr4,
            packages: vec![Package { name: "SUNWcsr".into(), version: "11.10.0,REV=2005.01.21".into() }],
            patches: vec![
                Patch {
                    id: "118833-36".into(),
                    obsoletes: vec!["118822-30".into()],
                    packages: vec!["SUNWcsr".into()],
                },
                Patch { id: "118855-36".into(), obsoletes: vec![], packages: vec![] },
            ],
        }),
        processor: None,
    }
}

fn text() -> String {
    write(&web1(), &written()).unwrap()
}
