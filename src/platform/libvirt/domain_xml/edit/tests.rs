//! Real documents and generated ones, in which nothing else is changed than what was asked for.

use proptest::prelude::*;

use super::*;
use crate::model::document::{self, Written};
use crate::model::{Mac, Manifest, Millis, NetMap, ZoneName};
use crate::platform::libvirt::domain_xml::{map_interfaces, parse, stated};

/// As libvirt prints a running zone.
const REAL: &str = include_str!("../../survey/fixtures/domain.xml");

/// As people write them, with the same words in places where they have another meaning.
const ODD: &str = r#"<?xml version="1.0"?>
<!-- <name>web1</name> <memory>98304</memory> -->
<domain type="kvm" xmlns:q="urn:x">
  <metadata><q:name>web1</q:name><q:memory unit='KiB'>98304</q:memory><q:vcpu>2</q:vcpu></metadata>
  <name>web1</name><uuid>af10a2cc-78da-4b64-81ce-6e7aeae52845</uuid>
  <sysinfo type='smbios'><system><entry name='serial'>af10</entry>
    <entry name='uuid'>af10a2cc-78da-4b64-81ce-6e7aeae52845</entry></system></sysinfo>
  <description>&lt;name&gt;web1 <![CDATA[<vcpu>2</vcpu>]]></description>
  <memory unit = "MiB" dumpCore='off'>96</memory>
  <currentMemory>65536</currentMemory>
  <vcpu placement='static' current = "2">4</vcpu>
  <os><type machine = "pc-i440fx-7.2" arch='x86_64'>hvm</type><nvram>/srv/web1_VARS.fd</nvram></os>
  <devices>
    <interface type='bridge'><source bridge="br0"/></interface>
    <interface type='network'><mac address='52:54:00:00:00:02'/><source network='br0'/></interface>
    <interface type="direct"><source dev='br0' mode='bridge'/></interface>
    <interface type='user'><source dev='br0'/></interface>
    <disk type='block'><source dev='br0'/><target dev='vda'/></disk>
  </devices>
</domain>
"#;

fn one(xml: &str, change: Edit) -> Result<String, String> {
    let changed = edit(xml, std::slice::from_ref(&change))?;
    // Two networks may have been swapped, and would be swapped again.
    if !matches!(change, Edit::Networks(_)) {
        assert_eq!(edit(&changed, &[change]).as_ref(), Ok(&changed), "what is so already stays as it is");
    }
    Ok(changed)
}

fn network(from: &str, to: &str) -> Edit {
    networks(&[(from, to)])
}

fn networks(pairs: &[(&str, &str)]) -> Edit {
    let pairs = pairs.iter().map(|(from, to)| (from.parse().unwrap(), to.parse().unwrap()));
    Edit::Networks(NetMap::of(pairs).unwrap())
}

#[test]
fn what_is_asked_for_is_changed_and_nothing_else() {
    let other = "6b5bd03f-ed22-41e2-9128-dadfae40d005";
    let uuid = "af10a2cc-78da-4b64-81ce-6e7aeae52845";
    let mac = Mac([0x52, 0x54, 0, 0, 0, 2]).of_copy(other.parse().unwrap()).to_string();
    let cases: [(Edit, &[(&str, &str)]); 9] = [
        (Edit::Name("db".parse().unwrap()), &[("  <name>web1</name><uuid>", "  <name>db</name><uuid>")]),
        (Edit::Uuid(other.parse().unwrap()), &[(uuid, other), ("52:54:00:00:00:02", &mac)]),
        (Edit::Memory(64 << 20), &[("'off'>96<", "'off'>64<"), (">65536<", ">65536<")]),
        (Edit::Memory(3 << 30), &[("'off'>96<", "'off'>3072<"), (">65536<", ">3145728<")]),
        (
            Edit::Memory(1_025 << 10),
            &[("\"MiB\" dumpCore='off'>96<", "\"KiB\" dumpCore='off'>1025<"), (">65536<", ">1025<")],
        ),
        (Edit::Cpus(3), &[("current = \"2\"", "current = \"3\"")]),
        (Edit::Cpus(8), &[("current = \"2\">4<", "current = \"8\">8<")]),
        (Edit::Machine("pc-q35-8.0".into()), &[("pc-i440fx-7.2", "pc-q35-8.0")]),
        (
            network("br0", "lan"),
            &[
                ("bridge=\"br0\"", "bridge=\"lan\""),
                ("network='br0'", "network='lan'"),
                ("<source dev='br0' mode", "<source dev='lan' mode"),
            ],
        ),
    ];
    for (change, places) in cases {
        let expected = places.iter().fold(ODD.to_owned(), |xml, (from, to)| {
            assert!(xml.contains(from), "{from}");
            xml.replace(from, to)
        });
        assert_eq!(one(ODD, change.clone()).unwrap(), expected, "{change:?}");
    }
}

#[test]
fn networks_change_places_and_the_second_change_does_not_undo_the_first() {
    let two = ODD.replace("network='br0'", "network='br1'");
    let swapped = edit(&two, &[networks(&[("br0", "br1"), ("br1", "br0")])]).unwrap();
    let expected = two.replace("network='br1'", "network='br0'").replace("bridge=\"br0\"", "bridge=\"br1\"");
    assert_eq!(swapped, expected.replace("<source dev='br0' mode", "<source dev='br1' mode"));
}

#[test]
fn a_copy_is_known_by_nothing_that_the_original_is_known_by() {
    let uuid: Uuid = "6b5bd03f-ed22-41e2-9128-dadfae40d005".parse().unwrap();
    let old = "af10a2cc-78da-4b64-81ce-6e7aeae52845";
    let zone = ODD.replace("<memory unit", "<genid>43dc0cf8-809b-4adb-9bea-a9abb5f3d90e</genid><memory unit");
    let copy = one(&zone, Edit::Uuid(uuid)).unwrap();
    assert_eq!((copy.matches(&uuid.to_string()).count(), copy.contains("43dc0cf8")), (3, false));
    assert!(!copy.contains(old) && !copy.contains("52:54:00:00:00:02"), "{copy}");
    // With its own UUID it is not a copy; what libvirt chooses itself is left to libvirt.
    assert_eq!(one(&zone, Edit::Uuid(old.parse().unwrap())).unwrap(), zone);
    let empty = ODD.replace("<memory unit", "<genid/><memory unit");
    assert!(one(&empty, Edit::Uuid(uuid)).unwrap().contains("<genid/>"));
    let odd = ODD.replace("52:54:00:00:00:02", "52:54");
    let said = one(&odd, Edit::Uuid(uuid)).unwrap_err();
    assert_eq!(said, "\"52:54\" is not a hardware address at 15:31");
}

#[test]
fn a_zone_is_renamed_whatever_its_names_are_called() {
    let name = |name: &str| ZoneName::of_platform(name).unwrap();
    for (from, before, to, after) in [
        ("web1", "web1", "Windows 10", "Windows 10"),
        ("Windows 10", "Windows 10", "müller", "müller"),
        ("R&amp;D &lt;x&gt;", "R&D <x>", "web1", "web1"),
        ("web&#49;", "web1", "it's", "it&apos;s"),
        (" a\tb ", " a\tb ", "a&b", "a&amp;b"),
    ] {
        let xml = ODD.replace(">web1</name><", &format!(">{from}</name><"));
        assert_eq!(stated(&xml).unwrap().name, name(before));
        let renamed = one(&xml, Edit::Name(name(to))).unwrap();
        assert_eq!(renamed, ODD.replace(">web1</name><", &format!(">{after}</name><")), "{from}");
        assert_eq!(stated(&renamed).unwrap().name, name(to));
    }
}

#[test]
fn what_would_no_longer_add_up_is_refused_with_its_place() {
    let with = |cpu: &str| ODD.replace("<devices>", &format!("{cpu}\n<devices>"));
    let numa = with("<cpu><numa><cell id='0' cpus='0-1'/><cell id='1' cpus='2-3'/></numa></cpu>");
    let flat = |cpu: &str| with(cpu).replace(" current = \"2\">4<", ">4<");
    let cases = [
        (numa.clone(), Edit::Memory(64 << 20), "shared out among 2 NUMA cells at 9:3"),
        (numa, Edit::Cpus(8), "shared out among 2 NUMA cells"),
        (
            with("<maxMemory slots='2' unit='MiB'>128</maxMemory>"),
            Edit::Memory(1 << 30),
            "than its <maxMemory>",
        ),
        (ODD.replace("<disk", "<memory model='dimm'/><disk"), Edit::Memory(1 << 30), "in devices of its own"),
        (ODD.to_owned(), Edit::Memory(1000), "counted in KiB"),
        (ODD.to_owned(), Edit::Memory(0), "counted in KiB"),
        (
            flat("<cpu><topology sockets='1' cores='2' threads='2'/></cpu>"),
            Edit::Cpus(2),
            "does not describe 2",
        ),
        (flat("<vcpus><vcpu id='0'/></vcpus>"), Edit::Cpus(2), "listed one by one"),
        (with("<vcpus><vcpu id='0'/></vcpus>"), Edit::Cpus(3), "listed one by one at 13:"),
        (flat("<cputune><vcpupin vcpu='3' cpuset='0'/></cputune>"), Edit::Cpus(3), "beyond the 3"),
        (flat("<cputune><vcpusched vcpus='0-2,^1'/></cputune>"), Edit::Cpus(2), "beyond the 2"),
        (ODD.to_owned(), Edit::Cpus(0), "at least one processor"),
        (ODD.replace("machine =", "m ="), Edit::Machine("pc".into()), "it has no machine type at 12:7"),
        (
            ODD.replace(">web1</name><", "><!-- -->web1</name><"),
            Edit::Name("db".parse().unwrap()),
            "nothing but",
        ),
        (
            ODD.replace(">web1</name><", "><![CDATA[web1]]></name><"),
            Edit::Name("db".parse().unwrap()),
            "plain",
        ),
        (
            ODD.replace("<uuid>", "<uuid/><uuid>"),
            Edit::Uuid(Uuid::nil()),
            "only one <uuid> is expected at 5:27",
        ),
    ];
    for (xml, change, words) in cases {
        let said = one(&xml, change.clone()).unwrap_err();
        assert!(said.contains(words), "{change:?}: {said}");
    }
}

#[test]
fn pinning_and_topology_that_still_fit_stand_in_nobodys_way() {
    let with =
        |inner: &str| ODD.replace("<devices>", &format!("{inner}<devices>")).replace(" current = \"2\"", "");
    let pinned = with("<cputune><vcpupin vcpu='1' cpuset='7'/><emulatorpin cpuset='0-7'/></cputune>");
    assert!(one(&pinned, Edit::Cpus(2)).unwrap().contains("'static'>2</vcpu>"));
    let topology = with("<cpu><topology sockets='1' dies='1' cores='4' threads='2'/></cpu>");
    assert!(one(&topology, Edit::Cpus(8)).unwrap().contains("'static'>8</vcpu>"));
}

/// The configuration after its way to another host: in a manifest, out of it, and through both kinds of changes
/// with nothing to change.
fn travelled(config: &str) -> String {
    let manifest = serde_json::json!({
        "zone": {
            "name": "web1", "uuid": "af10a2cc-78da-4b64-81ce-6e7aeae52845", "brand": "kvm", "state": "installed",
            "autostart": false, "persistent": true, "memory": 1, "cpus": 1,
        },
        "config": config, "platform": "libvirt", "disks": [], "networks": [], "obstacles": [],
    });
    let manifest: Manifest = serde_json::from_value(manifest).unwrap();
    let text = document::write(&manifest, &Written::by("h1", Millis(0))).unwrap();
    let there = document::read(text.as_bytes(), "web1.xml").unwrap().0;
    edit(&map_interfaces(&there.config, &[]).unwrap(), &[]).unwrap()
}

#[test]
fn the_documents_of_real_hypervisors_travel_as_they_are() {
    let virsh = include_str!("../../../../model/document/fixtures/virsh.xml");
    let kvm = include_str!("../../../../../fuzz/corpus/domain/kvm.xml");
    let lxc = include_str!("../../../../../fuzz/corpus/domain/lxc.xml");
    let all = [REAL, ODD, virsh, kvm, lxc];
    for config in all.map(str::to_owned).into_iter().chain(all.map(|config| config.replace('\n', "\r\n"))) {
        assert_eq!(travelled(&config), config);
    }
    assert!(all.iter().any(|config| config.contains("<metadata>") && config.contains(" xmlns:")));
}

/// Documents with the same contents, written in different ways.
fn documents() -> impl Strategy<Value = String> {
    let comment = "(<!-- (<name>x</name>|machine='pc'|[a-z <>='/]{0,20}) -->)?";
    let blank = "[ \n]{0,3}";
    let name = "[a-z][a-z0-9._-]{0,8}";
    (name, comment, blank, any::<bool>(), 1_u64..64, 1_u32..9, "br[0-3]").prop_map(
        |(name, comment, blank, single, mib, cpus, bridge)| {
            let xml = format!(
                "{comment}<domain{blank} type='kvm'>{comment}{blank}<metadata xmlns:m='urn:m'><m:name>{name}</m:name>\
                 <m:source bridge='{bridge}'/></metadata><name>{name}</name>{comment}\
                 <uuid>af10a2cc-78da-4b64-81ce-6e7aeae52845</uuid><memory{blank} unit{blank}='MiB'>{mib}</memory>\
                 <vcpu>{cpus}</vcpu><os><type machine{blank}={blank}'pc'>hvm</type></os>\
                 <devices>{comment}<interface type='bridge'><source bridge='{bridge}'/></interface>\
                 <interface type='direct'><source mode='private' dev='br1'/></interface></devices></domain>{comment}"
            );
            if single { xml } else { xml.replace('\'', "\"") }
        },
    )
}

fn edits() -> impl Strategy<Value = Edit> {
    prop_oneof![
        "[a-z]{1,9}".prop_map(|name| Edit::Name(name.parse().unwrap())),
        any::<[u8; 16]>().prop_map(|bytes| Edit::Uuid(Uuid::from_bytes(bytes))),
        (1_u64..1 << 40).prop_map(|kib| Edit::Memory(kib << 10)),
        (1_u32..500).prop_map(Edit::Cpus),
        "[a-z0-9.-]{1,20}".prop_map(Edit::Machine),
        prop::collection::btree_map("br[0-3]", "[a-z\"'&<>]{1,8}|br[0-3]", 1..4).prop_map(|names| {
            networks(&names.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect::<Vec<_>>())
        }),
    ]
}

/// The values of everything that can be changed.
fn read_back(xml: &str) -> (super::super::DomainSettings, Option<String>, Vec<String>) {
    let (domain, document) = (parse(xml).unwrap(), read(xml).unwrap());
    let networks = interfaces(document.root_element()).filter_map(network_of);
    (stated(xml).unwrap(), domain.machine, networks.map(|(_, network)| network.name().to_owned()).collect())
}

proptest! {
    #[test]
    fn a_document_that_travels_is_the_same_to_the_byte(xml in documents()) {
        prop_assert!(xml.contains(" xmlns:m="));
        prop_assert_eq!(travelled(&xml), xml);
    }

    #[test]
    fn a_change_is_made_and_what_is_not_asked_for_stays(xml in documents(), change in edits()) {
        let changed = one(&xml, change.clone()).unwrap();
        let (mut zone, mut machine, mut networks) = read_back(&xml);
        match change {
            Edit::Name(name) => zone.name = name,
            Edit::Uuid(uuid) => zone.uuid = uuid,
            Edit::Memory(bytes) => zone.memory = bytes,
            Edit::Cpus(cpus) => zone.cpus = cpus,
            Edit::Machine(name) => machine = Some(name),
            // Not among the generated changes.
            Edit::Zonepath { .. } => {}
            Edit::Networks(names) => {
                networks.iter_mut().for_each(|name| {
                    *name = names.there(name).map_or_else(|| name.clone(), ToString::to_string);
                });
            }
        }
        prop_assert_eq!(read_back(&changed), (zone, machine, networks));
    }

    #[test]
    fn a_change_to_what_is_so_already_changes_no_byte(xml in prop_oneof![Just(REAL.to_owned()), Just(ODD.to_owned()), documents()]) {
        let (zone, machine, networks) = read_back(&xml);
        let mut same = vec![
            Edit::Name(zone.name), Edit::Uuid(zone.uuid), Edit::Memory(zone.memory), Edit::Cpus(zone.cpus),
            Edit::Machine(machine.unwrap()), network("elsewhere", "br9"),
            Edit::Zonepath { from: "/no/such/folder".into(), to: "/other".into() },
        ];
        same.extend(networks.iter().map(|name| network(name, name)));
        prop_assert_eq!(edit(&xml, &same).unwrap(), xml);
    }

    #[test]
    fn outside_of_the_places_that_change_every_byte_is_the_same(
        xml in prop_oneof![Just(REAL.to_owned()), Just(ODD.to_owned()), documents()], change in edits(),
    ) {
        let places = changes(read(&xml).unwrap().root_element(), &change).unwrap();
        let changed = edit(&xml, &[change]).unwrap();
        let (mut rest, mut end) = (changed.as_str(), 0);
        let mut places = places;
        places.sort_by_key(|(range, _)| range.start);
        for (range, value) in places {
            let kept = &xml[end..range.start];
            rest = rest.strip_prefix(kept).unwrap().strip_prefix(value.as_str()).unwrap();
            end = range.end;
        }
        prop_assert_eq!(rest, &xml[end..]);
    }

    #[test]
    fn no_document_breaks_it(
        xml in "(<domain type='kvm'>|</domain>|<name>|</name>|<memory unit='|<vcpu current='|'>|1|<cpu>|</cpu>|<interface type='bridge'>|<source bridge='br0'/>|\\PC){0,30}",
        change in edits(),
    ) {
        let _ = edit(&xml, &[change]);
    }
}

#[test]
fn what_lies_below_an_old_zonepath_follows_and_nothing_else() {
    let xml = "<domain type='lxc'><name>box</name><title>/nfs/box</title>\
        <metadata><x xmlns='urn:x' dir='/nfs/box'>/nfs/box</x></metadata>\
        <os><type>exe</type><init>/nfs/box/init</init><nvram>/nfs/box/vars.fd</nvram></os>\
        <devices><emulator>/usr/lib/libvirt/libvirt_lxc</emulator>\
        <filesystem type='mount'><source dir='/nfs/box/root'/><target dir='/'/></filesystem>\
        <filesystem type='mount'><source dir='/nfs/box//data'/><target dir='/nfs/box/data'/></filesystem>\
        <filesystem type='mount'><source dir='/nfs/box2/root'/><target dir='/two'/></filesystem>\
        <filesystem type='file'><source file=\"/nfs/box/image\"/><target dir='/image'/></filesystem>\
        <console type='pty'><log file='/nfs/box/log'/></console></devices></domain>";
    let (from, to) = ("/nfs/box".into(), "/nfs/a & b".into());
    let moved = one(xml, Edit::Zonepath { from, to }).unwrap();
    let expected = xml
        .replace("<nvram>/nfs/box/", "<nvram>/nfs/a &amp; b/")
        .replace("source dir='/nfs/box/root'", "source dir='/nfs/a &amp; b/root'")
        .replace("source dir='/nfs/box//data'", "source dir='/nfs/a &amp; b/data'")
        .replace("source file=\"/nfs/box/", "source file=\"/nfs/a &amp; b/")
        .replace("log file='/nfs/box/", "log file='/nfs/a &amp; b/");
    assert_eq!(moved, expected);
}
