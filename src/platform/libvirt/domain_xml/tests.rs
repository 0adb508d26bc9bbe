//! Real configurations, and broken ones.

mod needs;
mod schema;

use super::*;
use proptest::prelude::*;

fn with_devices(virt: &str, devices: &str) -> Domain {
    parse(&format!("<domain type='{virt}'><devices>{devices}</devices></domain>")).unwrap()
}

/// The obstacles, as `live: REASON`.
fn obstacles(domain: &Domain) -> Vec<String> {
    domain.obstacles.iter().map(|one| format!("{}: {one}", one.against)).collect()
}

#[test]
fn disks_of_every_kind_are_found() {
    let domain = with_devices(
        "kvm",
        "<disk type='file' device='disk'><source file='/s/a.qcow2'/>
           <backingStore type='file'><source file='/s/base.qcow2'/><backingStore/></backingStore>
           <target dev='vda'/></disk>
         <disk type='file' device='cdrom'><source file='/iso/x.iso'/><target dev='sda'/></disk>
         <disk type='file' device='cdrom'><target dev='sdb'/></disk>
         <disk type='block' device='disk'><source dev='/dev/vg/lv'/><target dev='vdb'/></disk>
         <disk type='network' device='disk'><source protocol='rbd' name='p/i'>
           <host name='mon1' port='6789'/><host name='mon2'/></source><target dev='vdc'/></disk>
         <disk type='vhostuser' device='disk'><source type='unix' path='/x'/><target dev='vdd'/></disk>",
    );
    let found: Vec<_> = domain
        .disks
        .iter()
        .map(|disk| format!("{} {} {}", disk.target, disk.source.label(), disk.readonly))
        .collect();
    assert_eq!(
        found,
        [
            "vda /s/a.qcow2 false",
            "vda (backing) /s/base.qcow2 true",
            "sda /iso/x.iso true",
            "vdb /dev/vg/lv false",
            "vdc rbd://mon1:6789,mon2/p/i false"
        ]
    );
    assert_eq!(
        obstacles(&domain),
        ["moves: disk vdd: storage of type 'vhostuser' cannot be checked at a destination"]
    );
}

#[test]
fn what_cannot_move_is_named() {
    let domain = with_devices(
        "kvm",
        "<hostdev mode='subsystem' type='pci'><source><address domain='0x0000' bus='0x3b'/></source></hostdev>
         <tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>
         <filesystem type='mount'><source dir='/home'/><target dir='home'/></filesystem>",
    );
    assert_eq!(
        obstacles(&domain),
        [
            "moves: host device passed through (pci 0x0000:0x3b)",
            "any: emulated TPM: its state lies on this host only",
            "live: folder of this host shared into the zone (home)"
        ]
    );
}

#[test]
fn the_nvram_file_counts_as_storage_that_is_written() {
    let domain = parse(
        "<domain type='kvm'><os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
         <loader readonly='yes'>/usr/share/OVMF/CODE.fd</loader><nvram>/var/lib/x_VARS.fd</nvram></os>
         <cpu mode='custom'><model>Skylake-Server</model></cpu></domain>",
    )
    .unwrap();
    assert_eq!((domain.arch.as_str(), domain.machine.as_deref()), ("x86_64", Some("pc-q35-7.2")));
    assert_eq!(domain.cpu_model.as_deref(), Some("Skylake-Server"));
    assert!(domain.disks[0].readonly && !domain.disks[1].readonly);
}

#[test]
fn an_nvram_is_found_in_each_of_its_forms() {
    let nvram = |element: &str| {
        let domain = parse(&format!("<domain type='kvm'><os>{element}</os></domain>")).unwrap();
        let disks = domain
            .disks
            .iter()
            .map(|disk| format!("{} {} {}", disk.target, disk.source.label(), disk.readonly));
        disks.chain(domain.obstacles.iter().map(ToString::to_string)).collect::<Vec<_>>()
    };
    for (element, expected) in [
        ("<nvram>\n /x_VARS.fd\n</nvram>", "nvram /x_VARS.fd false"),
        ("<nvram type='file'>\n <source file='/x_VARS.fd'/>\n</nvram>", "nvram /x_VARS.fd false"),
        ("<nvram type='block'><source dev='/dev/vg/vars'/></nvram>", "nvram /dev/vg/vars false"),
        (
            "<nvram type='network'><source protocol='iscsi' name='i/0'><host name='s' port='6000'/></source></nvram>",
            "nvram iscsi://s:6000/i/0 false",
        ),
        (
            "<nvram type='volume'><source pool='p' volume='v'/></nvram>",
            "nvram: storage of type 'volume' cannot be checked at a destination",
        ),
    ] {
        assert_eq!(nvram(element), [expected]);
    }
    for none in ["<nvram/>", "<nvram type='file'/>", "<loader type='pflash'/>"] {
        assert!(nvram(none).is_empty(), "{none}");
    }
}

#[test]
fn a_zone_in_a_managed_network_does_not_need_the_bridge_behind_it_anywhere_else() {
    // As libvirt 9.0 shows it while the zone runs; the network forwards to a bridge.
    let xml = "<domain type='kvm'><devices><interface type='bridge'><mac address='52:54:00:e0:f1:32'/>
        <source network='lan' portid='a8b6e0f8-20b3-4b93-81fb-96fc9668df45' bridge='br0'/></interface>
        </devices></domain>";
    let lan = Network::Managed("lan".into());
    let domain = parse(xml).unwrap();
    assert_eq!(domain.interfaces, [Interface::new("52:54:00:e0:f1:32".parse().unwrap(), lan.clone())]);
    assert_eq!(domain.networks, [lan]);
}

#[test]
fn a_containers_root_is_its_storage_and_each_network_is_listed_once() {
    let domain = with_devices(
        "lxc",
        "<filesystem type='mount'><source dir='/srv/root'/><target dir='/'/></filesystem>
         <interface type='bridge'><source bridge='br0'/></interface>
         <interface type='bridge'><source bridge='br0'/></interface>
         <interface type='network'><source network='default'/></interface>",
    );
    assert_eq!(domain.disks[0].source, StorageUri::dir("/srv/root"));
    assert_eq!(domain.networks, [Network::Bridge("br0".into()), Network::Managed("default".into())]);
}

const UUID: &str = "00511286-3319-4f84-a168-e5fcdfb0de45";

fn zone() -> Zone {
    let value = serde_json::json!({
        "name": "web1", "uuid": UUID, "brand": "kvm", "state": "installed", "autostart": false,
        "persistent": true, "memory": 1, "cpus": 1,
    });
    serde_json::from_value(value).unwrap()
}

#[test]
fn documents_with_entities_of_any_kind_are_refused() {
    let laughs: String =
        (1..10).map(|n| format!("<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10))).collect();
    let declarations = [
        "<!ENTITY a 'x'><!ENTITY b '&a;&a;'>".to_owned(),
        format!("<!ENTITY l0 'lol'>{laughs}"),
        "<!ENTITY b SYSTEM 'file:///etc/shadow'>".to_owned(),
        "<!ENTITY % p SYSTEM 'http://127.0.0.1/x.dtd'> %p;".to_owned(),
    ];
    for declaration in declarations {
        let bomb = format!(
            "<!DOCTYPE d [{declaration}]><domain type='kvm'><name>web1</name><uuid>{UUID}</uuid>&b;</domain>"
        );
        assert!(parse(&bomb).unwrap_err().contains("DTD"), "{:?}", parse(&bomb));
        assert!(must_be(&bomb, &zone()).unwrap_err().contains("DTD"), "{bomb}");
    }
    assert!(parse("<domain type='kvm'>&b;</domain>").unwrap_err().contains("entity"));
    assert!(parse("<!DOCTYPE d SYSTEM 'file:///etc/passwd'><domain/>").unwrap_err().contains("DTD"));
    assert!(parse("<network/>").is_err());
    assert!(parse("").is_err());
}

#[test]
fn a_document_that_is_deep_or_wide_without_end_is_an_error_or_read_in_time() {
    assert!(parse(&"<domain>".repeat(100_000)).is_err());
    let attributes: String = (0..300_000).map(|n| format!(" a{n}='x'")).collect();
    let wide = parse(&format!("<domain{attributes}/>"));
    assert_eq!(wide, Err("an element has more than 1000 attributes, at line 1".to_owned()));
    let spaces: String = (0..20_000).map(|n| format!("<x xmlns:a{n}='{n}'>")).collect();
    let spaced = parse(&format!("<domain>\n{spaces}{}</domain>", "</x>".repeat(20_000)));
    assert_eq!(spaced, Err("more than 500 namespaces are declared, at line 2".to_owned()));
    let stores = 2_000;
    let (open, close) = ("<backingStore type='file'>".repeat(stores), "</backingStore>".repeat(stores));
    let disk = format!("<disk type='file'>{open}{close}</disk>");
    let _ = parse(&format!("<domain><devices>{disk}</devices></domain>"));
}

#[test]
fn a_document_with_many_devices_is_read_in_time_and_each_thing_is_named_once() {
    let many = |one: &dyn Fn(usize) -> String| (0..15_000).map(one).collect::<String>();
    let inputs = many(&|n| format!("<input type='evdev'><source dev='/dev/input/e{n}'/></input>"));
    let domain = with_devices("kvm", &inputs.repeat(2));
    assert_eq!((domain.needs.len(), domain.obstacles.len()), (15_000, 15_000));
    let cards = many(&|n| format!("<interface type='bridge'><source bridge='b{n}'/></interface>"));
    assert_eq!(with_devices("kvm", &cards.repeat(2)).networks.len(), 15_000);
    let pins = many(&|_| "<vcpupin vcpu='0' cpuset='0-16383,^7'/>".to_owned());
    let odd = (0..8_000).map(|n| format!(",^{}", 2 * n)).collect::<String>();
    let tune = format!("<cputune>{pins}<emulatorpin cpuset='0-16383{odd}'/></cputune>");
    let pinned =
        parse(&format!("<domain type='kvm'>{tune}{}</domain>", "<cpu migratable='off'/>".repeat(40_000)));
    let said: Vec<_> = pinned.unwrap().needs.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["no processor 0, nor 1-16383"]);
}

#[test]
fn only_the_document_of_the_zone_itself_is_taken() {
    let check = |inner: &str| must_be(&format!("<domain type='kvm'>{inner}</domain>"), &zone());
    let uuid = format!("<uuid>{UUID}</uuid>");
    assert_eq!(check(&format!("<name>web1</name>{uuid}")), Ok(()));
    // A <name> deeper down, of a snapshot or an application, does not matter.
    assert_eq!(check(&format!("<name>web1</name>{uuid}<metadata><name>x</name></metadata>")), Ok(()));
    for (inner, words) in [
        (format!("<name>db1</name>{uuid}"), "the configuration is of \"db1\", not of zone 'web1'"),
        (format!("<name>web1 </name>{uuid}"), "the configuration is of \"web1 \""),
        (format!("<name>wеb1</name>{uuid}"), "not of zone 'web1'"),
        (uuid.clone(), "one <name>"),
        (format!("<name>web1</name><name>db1</name>{uuid}"), "one <name>"),
        (format!("<x:name xmlns:x='u'>web1</x:name><name>db1</name>{uuid}"), "one <name>"),
        (format!("<name>web1<!-- -->x</name>{uuid}"), "nothing but text"),
        (format!("<name>web1<b/></name>{uuid}"), "nothing but text"),
        (format!("<name/>{uuid}"), "nothing but text"),
        (format!("<name><!--web1--></name>{uuid}"), "nothing but text"),
        ("<name>web1</name>".to_owned(), "one <uuid>"),
        ("<name>web1</name><uuid>1</uuid>".to_owned(), "its UUID is \"1\""),
        (
            "<name>web1</name><uuid>6b5bd03f-ed22-41e2-9128-dadfae40d005</uuid>".to_owned(),
            "its UUID is \"6b5bd03f-ed22-41e2-9128-dadfae40d005\", not 0051",
        ),
    ] {
        let said = check(&inner).unwrap_err();
        assert!(said.contains(words), "{inner}: {said}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(xml in "(<domain>|</domain>|<disk type='file'>|<devices>|<source file='|'/>|\\PC){0,30}") {
        let _ = parse(&xml);
    }
}
