//! Documents whose interfaces are connected to other networks, and nothing else is changed.

use proptest::prelude::*;

use super::*;
use crate::model::Mac;
use crate::platform::libvirt::domain_xml::parse;

const MACS: [Mac; 3] =
    [Mac([0x52, 0x54, 0, 0, 0, 1]), Mac([0x52, 0x54, 0, 0, 0, 2]), Mac([0x52, 0x54, 0, 0, 0, 3])];

/// As libvirt prints a running zone, with additional elements.
const ZONE: &str = r#"<domain type='kvm' id='3'>
  <name>web</name>
  <metadata><x:interface xmlns:x="urn:x"><source bridge='br0'/></x:interface></metadata>
  <description>&lt;interface type='bridge'&gt;&lt;source bridge='br0'/&gt;</description>
  <!-- <interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/></interface> -->
  <devices>
    <disk type='file' device='disk'><source file='/srv/br0' dev='br0'/></disk>
    <interface type='bridge'>
      <mac address='52:54:00:00:00:01'/>
      <source bridge = "br0"/>
      <target dev='br0'/>
      <link state='up'/>
    </interface>
    <interface type='network'>
      <mac address='52:54:00:00:00:02'/>
      <source network='br0' portgroup='blue'/>
    </interface>
    <interface type='direct'>
      <mac address='52:54:00:00:00:03'/>
      <source dev='br0' mode='bridge'/>
    </interface>
    <interface type='user'>
      <mac address='52:54:00:00:00:04'/>
      <source dev='br0'/>
    </interface>
  </devices>
</domain>
"#;

fn to(name: &str, macs: &[Mac]) -> Vec<InterfaceMapping> {
    let mapping =
        |mac: &Mac| InterfaceMapping { mac: *mac, from: "br0".parse().unwrap(), to: name.parse().unwrap() };
    macs.iter().map(mapping).collect()
}

#[test]
fn the_network_of_the_one_interface_is_changed_and_nothing_else() {
    let changed = map_interfaces(ZONE, &to("br10", &MACS[..1])).unwrap();
    assert_eq!(changed, ZONE.replace("bridge = \"br0\"", "bridge = \"br10\""));
    let changed = map_interfaces(ZONE, &to("eth7", &MACS[2..])).unwrap();
    assert_eq!(changed, ZONE.replace("dev='br0' mode", "dev='eth7' mode"));
    let changed = map_interfaces(ZONE, &to("lan", &MACS[1..2])).unwrap();
    assert_eq!(changed, ZONE.replace("network='br0' portgroup", "network='lan' portgroup"));
}

#[test]
fn an_interface_in_another_network_or_of_another_address_stays_as_it_is() {
    let unmanaged_guest = Mac([2; 6]);
    assert_eq!(map_interfaces(ZONE, &to("br10", &[unmanaged_guest])).unwrap(), ZONE);
    let mappings =
        [InterfaceMapping { mac: MACS[0], from: "br5".parse().unwrap(), to: "br10".parse().unwrap() }];
    assert_eq!(map_interfaces(ZONE, &mappings).unwrap(), ZONE);
    assert_eq!(map_interfaces(ZONE, &[]).unwrap(), ZONE);
}

#[test]
fn a_name_stays_a_value_whatever_is_in_it() {
    let odd = "'/>\"<&> ä";
    // Such a name is never accepted; if it were, it would be only a name.
    let mappings = to("x", &MACS[..1])
        .into_iter()
        .map(|one| InterfaceMapping { to: "'.>\"<&> ä".parse().unwrap(), ..one });
    let changed = map_interfaces(ZONE, &mappings.collect::<Vec<_>>()).unwrap();
    let interfaces = parse(&changed).unwrap().interfaces;
    assert_eq!(interfaces.first().unwrap().network.name(), odd.replace('/', "."));
}

#[test]
fn a_document_with_entities_is_refused() {
    let document = format!("<!DOCTYPE domain [<!ENTITY a 'b'>]>{ZONE}");
    map_interfaces(&document, &to("br10", &MACS)).unwrap_err();
}

proptest! {
    #[test]
    fn no_document_breaks_it(xml in "(<|>|/|domain|devices|interface|source| bridge='br0'|type='bridge'|\\PC){0,40}") {
        let _ = map_interfaces(&xml, &to("br10", &MACS));
    }

    #[test]
    fn what_is_changed_is_changed_back(which in prop::sample::subsequence(MACS.to_vec(), 0..=3), name in "[a-z]{1,8}") {
        let there = to(&name, &which);
        let turned = |one: &InterfaceMapping| InterfaceMapping { from: one.to.clone(), to: one.from.clone(), ..one.clone() };
        let back: Vec<_> = there.iter().map(turned).collect();
        let once = map_interfaces(ZONE, &there).unwrap();
        let home = map_interfaces(&once, &back).unwrap();
        let read = |xml: &str| parse(xml).unwrap().interfaces;
        prop_assert_eq!(read(&home), read(ZONE));
        prop_assert_eq!(read(&once).iter().filter(|one| one.network.name() == name).count(), which.len());
    }
}
