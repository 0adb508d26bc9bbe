//! `sysadm host inventory`: what real hosts report to the planner.

use std::time::{Duration, Instant};

use sysadm_planner::plan::{Fleet, FleetHost, FleetZone, Version};

use crate::harness::{Host, Lab};

fn inventory(host: Host<'_>, arguments: &[&str]) -> Fleet {
    let printed = host.sysadm(&[&["host", "inventory", "--json"], arguments].concat()).ends(0);
    Fleet::parse(&printed.stdout).unwrap()
}

fn zone<'a>(fleet: &'a Fleet, name: &str) -> &'a FleetZone {
    fleet
        .zones
        .iter()
        .find(|zone| zone.name.as_str() == name)
        .unwrap_or_else(|| panic!("no {name} in {fleet:?}"))
}

fn host<'a>(fleet: &'a Fleet, name: &str) -> &'a FleetHost {
    fleet
        .hosts
        .iter()
        .find(|host| host.name.is_written(name))
        .unwrap_or_else(|| panic!("no {name} in {fleet:?}"))
}

fn tag(host: Host<'_>, driver: &str, zone: &str, tags: &str) {
    let (uri, set) = (format!("{driver}:///system"), format!("<tags>{tags}</tags>"));
    let mut command = vec!["virsh", "-q", "-c", &uri, "metadata", zone, "--config"];
    command.extend(["--uri", "urn:sysadm:tags", "--key", "sysadm", "--set", &set]);
    // A running zone has a live configuration of its own.
    command.push("--live");
    host.run(&command).ends(0);
}

#[test]
fn hosts_tell_all_that_a_planner_wants_to_know_of_them_and_of_their_zones() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    for host in [h1, h2] {
        host.run(&["ip", "link", "add", "br7", "type", "bridge"]).ends(0);
    }
    h2.run_kvm(&["web"], &["--net", "br7", "--dirty", "8"]);
    h2.define_kvm(&["old"], &[]);
    h2.define_lxc("box");
    h2.start(&["box"]);
    tag(h2, "qemu", "web", "gold, db");
    tag(h2, "lxc", "box", "silver");
    h2.maintain();
    let fleet = inventory(h1, &["--measure"]);
    assert_eq!(
        fleet.hosts.iter().map(|host| host.name.to_string()).collect::<Vec<_>>(),
        ["h1", "ssh://root@h2"]
    );
    let (first, second) = (host(&fleet, "h1"), host(&fleet, "ssh://root@h2"));
    for host in [first, second] {
        assert_eq!(host.arch, std::env::consts::ARCH);
        assert!(host.hypervisor >= Some(Version(5, 0, 0)), "{host:?}");
        assert!(host.memory_free > 0 && host.memory_free < host.memory && host.cpus > 0, "{host:?}");
        assert!(host.cpu_features.is_some() && host.storage.is_some(), "{host:?}");
        assert!(host.brands.as_ref().is_some_and(|brands| brands.len() == 2), "{host:?}");
        let networks = host.networks.as_ref().unwrap();
        assert!(
            networks.contains("br7") && !networks.contains("lo") && !networks.contains("vnet0"),
            "{host:?}"
        );
    }
    assert!(
        second.maintenance.as_ref().is_some_and(|who| who.starts_with("admin"))
            && first.maintenance.is_none()
    );

    let web = zone(&fleet, "web");
    assert_eq!(
        (web.host.to_string().as_str(), web.running, web.memory, web.cpus),
        ("ssh://root@h2", true, 96 << 20, 1)
    );
    assert!(web.memory_used > 0 && web.memory_used <= web.memory, "{web:?}");
    assert_eq!(web.tags.iter().map(String::as_str).collect::<Vec<_>>(), ["db", "gold"]);
    assert_eq!(web.networks.iter().map(String::as_str).collect::<Vec<_>>(), ["br7"]);
    // It is emulated, so any CPU will do; its machine type is of this QEMU's own version.
    assert!(web.cpu_features.is_empty() && web.hypervisor.is_some() && web.hypervisor <= second.hypervisor);
    assert!(web.cpu_load > 0.0 && web.cpu_load <= f64::from(second.cpus), "{web:?}");
    let dirty = web.dirty.expect("it was measured").rate >> 20;
    assert!((1..96).contains(&dirty), "{dirty} MiB/s");

    // The folder of the shared storage is the same for both hosts.
    let sees = |host: &FleetHost, zone: &FleetZone| zone.storage.is_subset(host.storage.as_ref().unwrap());
    assert!(sees(first, web) && sees(second, web), "{web:?}");
    let (old, box_) = (zone(&fleet, "old"), zone(&fleet, "box"));
    assert_eq!((old.running, old.memory_used, old.cpu_load, old.dirty), (false, 0, 0.0, None));
    assert_eq!((box_.brand.unwrap().as_str(), box_.running), ("lxc", true));
    assert!(box_.tags.contains("silver") && box_.cpu_features.is_empty(), "{box_:?}");

    let table = h1.sysadm(&["host", "inventory"]).ends(0);
    let table = table.says(&["HOST", "HYPERVISOR", "in service", "maintenance: admin", "ssh://root@h2"]);
    let line = table.stdout.lines().find(|line| line.starts_with("ssh://root@h2")).unwrap();
    assert!(line.contains(" 2/3 "), "{line}");
}

#[test]
fn a_host_with_many_zones_tells_in_a_moment() {
    const ZONES: usize = 100;
    let lab = Lab::new(&["h1"]);
    let h1 = lab.host("h1");
    h1.define_kvm(&["z0"], &[]);
    let xml = h1.xml("z0");
    let uuid = xml.split("<uuid>").nth(1).and_then(|rest| rest.split("</uuid>").next()).unwrap().to_owned();
    let files: Vec<_> = (1..ZONES)
        .map(|number| {
            let file = lab.folder().join(format!("z{number}.xml"));
            let text = xml.replace("<name>z0</name>", &format!("<name>z{number}</name>"));
            std::fs::write(&file, text.replace(&uuid, &uuid::Uuid::new_v4().to_string())).unwrap();
            format!("define {}", file.display())
        })
        .collect();
    h1.virsh(&[&files.join("; ")]).ends(0);
    h1.start(&["z0"]);
    // So that libvirt has started and cached its answers.
    inventory(h1, &[]);
    let began = Instant::now();
    let fleet = inventory(h1, &[]);
    let time = began.elapsed();
    assert_eq!(fleet.zones.len(), ZONES);
    eprintln!("{ZONES} zones were surveyed in {} ms", time.as_millis());
    assert!(time < Duration::from_secs(5), "it took {time:?}");
}
