//! Network names, and interfaces mapped to other networks and back.

use proptest::prelude::*;

use super::*;
use crate::{Zone, ZoneState};

fn name(text: &str) -> NetworkName {
    text.parse().unwrap()
}

fn names(pairs: &[(&str, &str)]) -> NetMap {
    NetMap(pairs.iter().map(|(here, there)| (name(here), name(there))).collect())
}

fn interface(number: u8, network: &str) -> Interface {
    Interface::new(Mac([2, 0, 0, 0, 0, number]), Network::Bridge(network.to_owned()))
}

fn zone(interfaces: Vec<Interface>) -> Manifest {
    let mut networks = Vec::new();
    for one in &interfaces {
        if !networks.contains(&one.network) {
            networks.push(one.network.clone());
        }
    }
    Manifest {
        zone: Zone {
            name: "web".parse().unwrap(),
            uuid: uuid::Uuid::from_u128(1),
            brand: crate::Brand::KVM,
            state: ZoneState::Running,
            aux: None,
            id: None,
            autostart: false,
            persistent: true,
            ended: None,
            memory: 1,
            cpus: 1,
        },
        config: String::new(),
        platform: "sim".to_owned(),
        disks: vec![],
        networks,
        interfaces,
        obstacles: vec![],
        software: None,
        processor: None,
    }
}

/// The manifest at the other host.
fn brought(left: &Manifest) -> Manifest {
    let mut there = left.with_mapping(&left.mappings(), String::new());
    there.interfaces.iter_mut().for_each(|one| one.there = None);
    there
}

/// The networks of the zone's interfaces.
fn seen(zone: &Manifest) -> Vec<&str> {
    zone.interfaces.iter().map(|one| one.network.name()).collect()
}

#[test]
fn two_networks_that_become_one_are_two_again_on_the_way_back() {
    let here = zone(vec![interface(1, "br0"), interface(2, "br1"), interface(3, "br2")]);
    let left = here.clone().bound_for(&names(&[("br0", "br10"), ("br1", "br10")])).unwrap();
    let there = brought(&left);
    assert_eq!(seen(&there), ["br10", "br10", "br2"]);
    let labels: Vec<_> = there.networks.iter().map(Network::label).collect();
    assert_eq!(labels, ["br10", "br2"]);
    let back = left.reverse_mapping(&there).unwrap();
    let home = there.with_mapping(&back, String::new());
    assert_eq!((&home.interfaces, &home.networks), (&here.interfaces, &here.networks));
}

#[test]
fn what_somebody_has_done_meanwhile_stays_as_it_is() {
    let left = zone(vec![interface(1, "br0"), interface(2, "br0")]);
    let left = left.bound_for(&names(&[("br0", "br10")])).unwrap();
    let mut there = brought(&left);
    there.interfaces[1].network = Network::Bridge("br77".to_owned());
    there.interfaces.push(interface(9, "br10"));
    there.networks = vec![Network::Bridge("br10".to_owned()), Network::Bridge("br77".to_owned())];
    let home = there.with_mapping(&left.reverse_mapping(&there).unwrap(), String::new());
    assert_eq!(seen(&home), ["br0", "br77", "br10"]);
    let labels: Vec<_> = home.networks.iter().map(Network::label).collect();
    assert_eq!(labels, ["br0", "br10", "br77"]);
}

#[test]
fn what_could_not_be_undone_is_refused() {
    let mut later = interface(1, "br1");
    let merged = |later: &Interface, pairs: &[(&str, &str)]| {
        let both = zone(vec![interface(1, "br0"), later.clone()]);
        both.bound_for(&names(pairs)).map(|_| ()).map_err(|error| error.to_string())
    };
    merged(&later, &[("br0", "br10")]).unwrap();
    merged(&later, &[("br0", "br1"), ("br1", "br0")]).unwrap();
    let error = merged(&later, &[("br0", "br10"), ("br1", "br10")]).unwrap_err();
    let expected = "its interface 02:00:00:00:00:01 is in br0 now and in br1 after its next boot, and both are called br10 there";
    assert_eq!(error, expected);
    later.network = Network::Bridge("br10".to_owned());
    merged(&later, &[("br0", "br10")]).unwrap_err();
}

#[test]
fn a_location_that_does_not_tell_interfaces_is_not_believed_to_have_none() {
    let left = zone(vec![interface(1, "br0")]).bound_for(&names(&[("br0", "br10")])).unwrap();
    let silent = Manifest { interfaces: vec![], ..brought(&left) };
    let error = left.reverse_mapping(&silent).unwrap_err().to_string();
    assert_eq!(error, "the sysadm there is too old to restore its networks here (br0)");
    let disconnected = Manifest { networks: vec![], ..silent.clone() };
    assert_eq!(left.reverse_mapping(&disconnected), Ok(vec![]));
    let unmapped = zone(vec![interface(1, "br0")]);
    assert_eq!(unmapped.reverse_mapping(&silent), Ok(vec![]));
}

#[test]
fn managed_networks_are_found_by_their_names_as_bridges_are() {
    let map = names(&[("default", "lan"), ("br0", "br0")]);
    assert_eq!(map.label_there("network:default").as_deref(), Some("network:lan"));
    assert_eq!(map.label_there("default").as_deref(), Some("lan"));
    assert_eq!((map.label_there("br0"), map.label_there("network:br1")), (None, None));
}

#[test]
fn names_and_hardware_addresses_are_checked() {
    for bad in ["", ".", "..", "a/b", "a:b", "a\nb", " a", "a ", "\0", &"x".repeat(64)] {
        assert!(bad.parse::<NetworkName>().is_err(), "{bad:?} was taken");
    }
    assert_eq!("Guest LAN 2".parse::<NetworkName>().unwrap().as_str(), "Guest LAN 2");
    assert_eq!("52:54:00:AB:cd:ef".parse::<Mac>().unwrap().to_string(), "52:54:00:ab:cd:ef");
    for bad in ["", "52:54:00:ab:cd", "52:54:00:ab:cd:ef:00", "52:54:00:ab:cd:+f", "52:54:00:ab:cd:e"] {
        assert!(bad.parse::<Mac>().is_err(), "{bad:?} was taken");
    }
}

#[test]
fn a_record_of_older_software_says_of_no_interface_that_it_was_changed() {
    let record = zone(vec![]);
    let text = serde_json::to_string(&record).unwrap();
    assert!(!text.contains("interfaces"), "{text}");
    assert_eq!(serde_json::from_str::<Manifest>(&text).unwrap(), record);
    let noted = zone(vec![interface(1, "br0")]).bound_for(&names(&[("br0", "br10")])).unwrap();
    let text = serde_json::to_string(&noted).unwrap();
    assert_eq!(serde_json::from_str::<Manifest>(&text).unwrap(), noted);
}

#[test]
fn two_interfaces_with_one_address_come_back_as_they_were() {
    let here = zone(vec![interface(2, "br3"), interface(0, "br2"), interface(0, "br1")]);
    let Ok(left) = here.clone().bound_for(&names(&[("br3", "br1")])) else { return };
    let there = brought(&left);
    let home = there.with_mapping(&left.reverse_mapping(&there).unwrap(), String::new());
    assert_eq!(home.interfaces, here.interfaces);
}

proptest! {
    #[test]
    fn whatever_is_mapped_comes_back_as_it_was(
        interfaces in prop::collection::vec((0_u8..4, "br[0-4]"), 0..6),
        pairs in prop::collection::btree_map("br[0-4]", "br[0-6]", 0..5),
    ) {
        let mut interfaces: Vec<_> = interfaces.iter().map(|(number, net)| interface(*number, net)).collect();
        interfaces.dedup();
        let here = zone(interfaces);
        let pairs: Vec<_> = pairs.iter().map(|(here, there)| (here.as_str(), there.as_str())).collect();
        let Ok(left) = here.clone().bound_for(&names(&pairs)) else { return Ok(()) };
        let there = brought(&left);
        let home = there.with_mapping(&left.reverse_mapping(&there).unwrap(), String::new());
        prop_assert_eq!(&home.interfaces, &here.interfaces);
        let sorted = |zone: &Manifest| {
            let mut labels: Vec<_> = zone.networks.iter().map(Network::label).collect();
            labels.sort();
            labels
        };
        prop_assert_eq!(sorted(&home), sorted(&here));
    }

    #[test]
    fn whatever_is_mapped_twice_comes_back_as_it_was(
        interfaces in prop::collection::vec((0_u8..4, "br[0-4]"), 0..6),
        first in prop::collection::btree_map("br[0-4]", "br[0-6]", 0..5),
        second in prop::collection::btree_map("br[0-6]", "br[0-8]", 0..5),
    ) {
        let mut interfaces: Vec<_> = interfaces.iter().map(|(number, net)| interface(*number, net)).collect();
        interfaces.dedup();
        let here = zone(interfaces);
        let pairs = |names: &BTreeMap<String, String>| {
            self::names(&names.iter().map(|(here, there)| (here.as_str(), there.as_str())).collect::<Vec<_>>())
        };
        let Ok(left) = here.clone().bound_for(&pairs(&first)) else { return Ok(()) };
        let Ok(on) = brought(&left).bound_for(&pairs(&second)) else { return Ok(()) };
        let there = brought(&on);
        let home = there.with_mapping(&left.noted_at(&there).reverse_mapping(&there).unwrap(), String::new());
        prop_assert_eq!(&home.interfaces, &here.interfaces);
    }
}

#[test]
fn of_an_interface_that_will_be_elsewhere_after_a_boot_the_place_after_that_counts_once_it_was_booted() {
    let left = zone(vec![interface(1, "br0"), interface(1, "br1"), interface(2, "br2")]);
    let back = |now: Vec<Interface>| {
        let now = zone(now);
        now.with_mapping(&left.clone().noted_at(&now).reverse_mapping(&now).unwrap(), String::new())
            .interfaces
    };
    assert_eq!(
        back(vec![interface(1, "br21"), interface(2, "br2")]),
        [interface(1, "br1"), interface(2, "br2")]
    );
    // An interface of another kind was connected elsewhere by hand; a new one is not in the record.
    let managed = Interface::new(interface(2, "x").mac, Network::Managed("lan".into()));
    assert_eq!(back(vec![managed.clone(), interface(3, "br9")]), [managed, interface(3, "br9")]);
}
