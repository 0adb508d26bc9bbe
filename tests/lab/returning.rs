//! What may have happened to zones while they were away.

use crate::harness::{Lab, Observer};

/// Zones `web` and `db` have run on h1 and are on h2 now; maintenance has ended.
fn away(hosts: &[&str]) -> Lab {
    let lab = Lab::with_default_target(hosts, "ssh://root@h2");
    let h1 = lab.host("h1");
    h1.run_kvm(&["web", "db"], &[]);
    h1.maintain();
    h1.sysadm(&["evacuate"]).ends(0);
    h1.sysadm(&["maintain", "-e"]).ends(0);
    lab
}

#[test]
fn a_zone_that_was_removed_at_the_location_is_reported_until_it_is_given_up() {
    let lab = away(&["h1", "h2"]);
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h2.virsh(&["destroy", "db"]).ends(0);
    h2.virsh(&["undefine", "db"]).ends(0);
    let partly = h1.sysadm(&["evacuate", "-ra"]).ends(3);
    partly.complains(&["db: failed: no longer on h2", "sysadm evacuate --forget db"]);
    lab.guests_are(&["h1: web running", "h2:"]);
    let list = h1.sysadm(&["evacuate", "-l", "-p", "-o", "ZONENAME,STATE,DEST"]).ends(0).stdout;
    assert!(list.starts_with("db:") && list.lines().count() == 1, "{list}");
    h1.sysadm(&["evacuate", "--forget", "web"]).ends(1).complains_in_one_line(&["web is not away"]);
    h1.sysadm(&["evacuate", "--forget", "db"]).ends(0).says(&["db", "ssh://root@h2"]);
    h1.sysadm(&["evacuate", "-l"]).ends(0).says(&["no active evacuation"]);
    h1.sysadm(&["evacuate", "-ra"]).ends(0).says(&["nothing to return"]);
}

#[test]
fn a_zone_that_its_location_has_evacuated_in_turn_comes_home_from_where_it_is() {
    let lab = away(&["h1", "h2", "h3"]);
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h2.sysadm(&["target", "set", "db", "ssh://root@h3"]).ends(0);
    h2.maintain();
    h2.sysadm(&["evacuate", "db"]).ends(0);
    h1.sysadm(&["evacuate", "-r"]).ends(0).complains(&["db: h2 has", "ssh://root@h3"]);
    lab.guests_are(&["h1: db running, web running", "h2:", "h3:"]);
    // It was a guest there: no host fetches it back.
    h2.sysadm(&["maintain", "-e"]).ends(0);
    h2.sysadm(&["evacuate", "-ra"]).ends(0);
    lab.guests_are(&["h1: db running, web running", "h2:", "h3:"]);
}

#[test]
fn a_zone_that_its_owner_has_stopped_meanwhile_stays_stopped() {
    let lab = away(&["h1", "h2"]);
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h2.virsh(&["destroy", "db"]).ends(0);
    let partly = h1.sysadm(&["evacuate", "-r"]).ends(3);
    partly.complains(&["db: skipped: it was running when it left, and is not running on h2", "-ra"]);
    lab.guests_are(&["h1: web running", "h2: db shut off"]);
    h1.sysadm(&["evacuate", "-ra"]).ends(0);
    lab.guests_are(&["h1: db shut off, web running", "h2:"]);
}

#[test]
fn a_zone_that_was_started_meanwhile_comes_back_running() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.define_kvm(&["old"], &[]);
    h1.maintain();
    h1.sysadm(&["evacuate", "-a"]).ends(0);
    h1.sysadm(&["maintain", "-e"]).ends(0);
    h2.start(&["old"]);
    let observer = Observer::start(&lab, &["old"]);
    h1.sysadm(&["evacuate", "-ra"]).ends(0);
    lab.guests_are(&["h1: old running", "h2:"]);
    observer.finds_nothing_wrong();
}

#[test]
fn a_zone_whose_location_cannot_be_reached_stays_listed_and_comes_back_later() {
    let lab = away(&["h1", "h2"]);
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.configure("[connect]\ntimeout = 2\n");
    h2.cut();
    let failed = h1.sysadm(&["evacuate", "-r"]).ends(1);
    failed.complains(&["db: failed: ", "web: failed: ", "ssh://root@h2"]);
    lab.guests_are(&["h1:", "h2: db running, web running"]);
    h1.sysadm(&["evacuate", "-l", "-p", "-o", "ZONENAME,DEST"]).ends(0).says(&["db:ssh", "web:ssh"]);
    h2.mend();
    h1.sysadm(&["evacuate", "-r"]).ends(0);
    lab.guests_are(&["h1: db running, web running", "h2:"]);
}

#[test]
fn a_zone_of_the_same_name_that_was_made_here_meanwhile_is_not_replaced() {
    let lab = away(&["h1", "h2"]);
    let h1 = lab.host("h1");
    h1.define_kvm(&["db"], &["--disk", lab.shared().join("other.img").to_str().unwrap()]);
    h1.sysadm(&["evacuate", "-r"]).ends(3).complains(&["db: ", "another zone is called db"]);
    lab.guests_are(&["h1: db shut off, web running", "h2: db running"]);
    assert!(h1.xml("db").contains("other.img"));
}

#[test]
fn a_second_maintenance_does_not_forget_who_is_away() {
    let lab = away(&["h1", "h2"]);
    let h1 = lab.host("h1");
    h1.run_kvm(&["late"], &[]);
    h1.maintain();
    h1.sysadm(&["evacuate"]).ends(0);
    let list = h1.sysadm(&["evacuate", "-l", "-p", "-o", "ZONENAME,STATE"]).ends(0).stdout;
    assert_eq!(list, "db:EVACUATED\nlate:EVACUATED\nweb:EVACUATED\n");
    h1.sysadm(&["maintain", "-e"]).ends(0);
    // One by name, then the rest.
    h1.sysadm(&["evacuate", "-r", "late"]).ends(0);
    lab.guests_are(&["h1: late running", "h2: db running, web running"]);
    h1.sysadm(&["evacuate", "-r", "nobody"]).ends(1).complains_in_one_line(&["nobody"]);
    h1.sysadm(&["evacuate", "-r"]).ends(0);
    lab.guests_are(&["h1: db running, late running, web running", "h2:"]);
}

/// Each of h1 and h2 has as many virtual CPUs as its own limit allows, one zone of the other one among them.
#[test]
fn of_two_full_hosts_with_a_zone_of_each_other_one_zone_steps_aside_to_a_third_host() {
    let lab = Lab::with_default_target(&["h1", "h2", "h3"], "ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    for (host, zone) in [(h1, "web"), (h2, "db")] {
        host.define_kvm(&[zone], &[]);
        let cpus = std::thread::available_parallelism().unwrap();
        host.define_xml(&host.xml(zone).replace(">1</vcpu>", &format!(">{cpus}</vcpu>")));
        host.start(&[zone]);
    }
    h2.sysadm(&["target", "set", "--default", "ssh://root@h1"]).ends(0);
    let before = [h1.xml("web"), h2.xml("db")];
    let observer = Observer::start(&lab, &["web", "db"]);
    for (host, zone) in [(h1, "web"), (h2, "db")] {
        host.maintain();
        host.sysadm(&["evacuate", zone]).ends(0);
        host.sysadm(&["maintain", "-e"]).ends(0);
    }
    lab.guests_are(&["h1: db running", "h2: web running", "h3:"]);
    for host in [h1, h2] {
        host.configure("[limits]\nvcpus_per_cpu = 1\n");
    }
    h1.sysadm(&["target", "set", "web", "ssh://root@h2", "ssh://root@h3"]).ends(0);

    let hint = "db of h2 must leave first: run 'sysadm evacuate -r db' on h2";
    h1.sysadm(&["evacuate", "-rn"]).ends(1).complains(&["web: waits for room", "it can go to h3", hint]);
    lab.guests_are(&["h1: db running", "h2: web running", "h3:"]);
    let waits = h1.sysadm(&["evacuate", "-r", "--retries", "0"]).ends(1);
    waits.says(&["web: moving to h3 until there is room for it here"]).complains(&[hint]);
    lab.guests_are(&["h1: db running", "h2:", "h3: web running"]);
    h2.sysadm(&["evacuate", "-r"]).ends(0);
    h1.sysadm(&["evacuate", "-r"]).ends(0);
    lab.guests_are(&["h1: web running", "h2: db running", "h3:"]);
    observer.finds_nothing_wrong();
    for (before, after) in before.iter().zip([h1.xml("web"), h2.xml("db")]) {
        assert_eq!(networks(before), networks(&after));
    }
}

fn networks(xml: &str) -> Vec<&str> {
    xml.lines().filter(|line| line.contains("<source bridge") || line.contains("<mac ")).collect()
}
