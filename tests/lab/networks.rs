//! Networks with other names on another host.

use crate::harness::{Host, Lab, Observer};

/// A bridge, and a network of libvirt's on it.
fn network(host: Host<'_>, network: &str, bridge: &str) {
    let xml =
        format!("<network><name>{network}</name><forward mode='bridge'/><bridge name='{bridge}'/></network>");
    let file = host.path("run/network.xml");
    std::fs::write(&file, xml).unwrap();
    host.run(&["virsh", "-q", "-c", "qemu:///system", "net-define", file.to_str().unwrap()]).ends(0);
    host.virsh(&["net-start", network]).ends(0);
}

fn bridge(host: Host<'_>, name: &str) {
    host.run(&["ip", "link", "add", name, "type", "bridge", "forward_delay", "0"]).ends(0);
    host.run(&["ip", "link", "set", name, "up"]).ends(0);
}

/// Hosts h1 with bridges br0 and br1 and network lan, and h2 with bridge br10 and network prod. Zone `web` of h1
/// runs and `db` does not; both are connected to all three.
fn lab() -> Lab {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    bridge(h1, "br1");
    network(h1, "lan", "br0");
    bridge(h2, "br10");
    network(h2, "prod", "br10");
    h1.define_kvm(&["db", "web"], &["--net", "br0"]);
    for zone in ["db", "web"] {
        let more = "<interface type='bridge'><source bridge='br1'/><model type='e1000'/></interface>\
                    <interface type='network'><source network='lan'/><model type='e1000'/></interface></devices>";
        h1.define_xml(&h1.xml(zone).replace("</devices>", more));
    }
    h1.start(&["web"]);
    lab
}

/// A zone's interfaces, in its configuration and, if it runs, as they are now.
fn interfaces(host: Host<'_>, zone: &str) -> String {
    let dump = |option: &str| host.virsh(&["dumpxml", option, zone]).ends(0).stdout;
    let mut found = String::new();
    for xml in ["--inactive", "--migratable"].map(dump) {
        for part in xml.split("<interface ").skip(1) {
            found.push_str(part.split("</interface>").next().unwrap());
        }
    }
    found
}

/// The interfaces with the names of h2.
fn there(interfaces: &str) -> String {
    interfaces
        .replace("bridge='br0'", "bridge='br10'")
        .replace("bridge='br1'", "bridge='br10'")
        .replace("network='lan'", "network='prod'")
}

#[test]
fn a_zone_is_plugged_into_what_the_target_calls_its_networks_and_comes_home_as_it_left() {
    let lab = lab();
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.configure("[map.\"h2\".net]\nbr0 = \"br10\"\nbr1 = \"br10\"\nlan = \"prod\"\n");
    let before = ["db", "web"].map(|zone| interfaces(h1, zone));
    let configurations = ["db", "web"].map(|zone| h1.xml(zone).replace(' ', ""));
    let observer = Observer::start(&lab, &["web"]);
    h1.maintain();
    h1.sysadm(&["evacuate", "-an"]).ends(0);
    h1.sysadm(&["evacuate", "-a"]).ends(0);
    lab.guests_are(&["h1:", "h2: db shut off, web running"]);
    assert_eq!(["db", "web"].map(|zone| interfaces(h2, zone)), before.each_ref().map(|one| there(one)));
    // The files for virsh are removed at the end of the move.
    assert_eq!(h1.run(&["ls", "/run/sysadm"]).ends(0).stdout, "");

    h1.configure("");
    h1.sysadm(&["maintain", "-e"]).ends(0);
    h1.sysadm(&["evacuate", "-ra"]).ends(0);
    lab.guests_are(&["h1: db shut off, web running", "h2:"]);
    assert_eq!(["db", "web"].map(|zone| interfaces(h1, zone)), before);
    assert_eq!(["db", "web"].map(|zone| h1.xml(zone).replace(' ', "")), configurations);
    assert_eq!(h2.run(&["ls", "/run/sysadm"]).ends(0).stdout, "");
    observer.finds_nothing_wrong();
}

#[test]
fn a_network_that_the_target_does_not_have_is_named_as_it_would_be_called_there() {
    let lab = lab();
    let h1 = lab.host("h1");
    let before = interfaces(h1, "web");
    h1.configure("[map.\"h2\".net]\nbr0 = \"br11\"\nbr1 = \"br10\"\nlan = \"office\"\n");
    h1.maintain();
    let refused = h1.sysadm(&["evacuate", "-n"]).ends(1);
    refused.complains(&["web: ", "no bridge br11 (for br0)", "no active network office (for lan)"]);
    h1.sysadm(&["evacuate"]).ends(1);
    lab.guests_are(&["h1: db shut off, web running", "h2:"]);
    assert_eq!(interfaces(h1, "web"), before);
}
