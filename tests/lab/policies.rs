//! A policy is followed: to which hosts zones go, in which order, how many at the same time, how fast; and which
//! stay.
//!
//! All hosts of a lab have the same memory, so nothing here depends on how full they are.

use std::ops::Range;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::harness::{Host, Lab, wait_until};

/// Writes a policy there, which must be valid.
fn policy(host: Host<'_>, name: &str, text: &str) {
    let file = format!("etc/sysadm/policies/{name}.toml");
    std::fs::create_dir_all(host.path("etc/sysadm/policies")).unwrap();
    std::fs::write(host.path(&file), text).unwrap();
    host.sysadm(&["policy", "check", &format!("/{file}")]).ends(0);
}

/// Returns everything, and starts maintenance again.
fn back(host: Host<'_>) {
    host.sysadm(&["maintain", "-e"]).ends(0);
    host.sysadm(&["evacuate", "-ra"]).ends(0);
    host.maintain();
}

/// A zone's row in `evacuate -l`.
fn row(host: Host<'_>, zone: &str) -> Value {
    let list = host.sysadm(&["evacuate", "-l", "--json"]).ends(0).json();
    let zones = list["zones"].as_array().unwrap();
    zones.iter().find(|row| row["zone"] == zone).unwrap_or_else(|| panic!("{zone} in {list}")).clone()
}

/// Between which entries of the journal a zone was moving in the last run: until it was about to be resumed at its
/// destination, when its permit is given to the next one.
fn ways<const N: usize>(host: Host<'_>, zones: [&str; N]) -> [Range<i64>; N] {
    let journal = Connection::open_with_flags(host.database(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let place = |zone: &str, step: &str| {
        let entry = "SELECT id FROM journal WHERE run = (SELECT max(run) FROM journal) AND zone = ?1 AND step = ?2 \
                     AND mark = 'intent'";
        journal.query_row(entry, [zone, step], |row| row.get::<_, i64>(0)).unwrap()
    };
    zones.map(|zone| place(zone, "reserve")..place(zone, "switch"))
}

fn at_once(one: &Range<i64>, other: &Range<i64>) -> bool {
    one.start < other.end && other.start < one.end
}

#[test]
fn zones_go_where_pack_limits_groups_and_rules_let_them() {
    let lab = Lab::new(&["h1", "h2", "h3"]);
    let [h1, h2, h3] = ["h1", "h2", "h3"].map(|name| lab.host(name));
    h1.sysadm(&["target", "set", "--default", "ssh://root@h2", "ssh://root@h3"]).ends(0);
    h1.run_kvm(&["db1", "web1", "web2"], &[]);
    h1.define_lxc("box");
    h3.run_kvm(&["web3"], &[]);
    let tags = ["--uri", "urn:sysadm:tags", "--key", "sysadm", "--set", "<tags>gold</tags>"];
    h1.virsh(&[&["metadata", "db1", "--live", "--config"], &tags[..]].concat()).ends(0);
    h1.maintain();

    h1.sysadm(&["evacuate", "-a", "--policy", "pack"]).ends(0);
    let all = "box (lxc) shut off, db1 running, web1 running, web2 running";
    let packed = [h2.guests(), h3.guests()];
    assert!(packed[0] == all || packed[1] == format!("{all}, web3 running"), "{packed:?}");
    back(h1);

    // One of the group runs at h3 already, so one can go to h2 and the other nowhere.
    policy(
        h1,
        "mine",
        "[limits]\nmax_zones = 2\n\
         [[zones]]\nmatch = { name = \"web*\" }\napart = \"web\"\n\
         [[zones]]\nmatch = { name = \"web1\" }\npriority = 1\n\
         [[zones]]\nmatch = { tag = \"gold\" }\ntargets = [\"ssh://root@h3\"]\n\
         [[zones]]\nmatch = { brand = \"lxc\" }\ntargets = [\"ssh://root@h2\"]\n",
    );
    let partly = h1.sysadm(&["evacuate", "-a", "--retries", "0", "--policy", "mine"]).ends(3);
    let (stays, goes) = if h1.guests() == "web2 running" { ("web2", "web1") } else { ("web1", "web2") };
    partly.complains(&[&format!("{stays}: failed: "), "group web", "1 still running here"]);
    lab.guests_are(&[
        &format!("h1: {stays} running"),
        &format!("h2: box (lxc) shut off, {goes} running"),
        "h3: db1 running, web3 running",
    ]);
    back(h1);

    // h2 has room for one more zone, h3 for both.
    policy(
        h1,
        "pair",
        "[limits]\nmax_zones = 3\n[[zones]]\nmatch = { name = \"*1\" }\ntogether = \"pair\"\n",
    );
    h2.define_kvm(&["old1", "old2"], &[]);
    h1.sysadm(&["evacuate", "--policy", "pair", "db1", "web1"]).ends(0);
    lab.guests_are(&[
        "h1: box (lxc) shut off, web2 running",
        "h2: old1 shut off, old2 shut off",
        "h3: db1 running, web1 running, web3 running",
    ]);
}

#[test]
fn pinned_takes_the_first_target_that_can_be_reached_and_names_the_one_that_cannot() {
    let lab = Lab::new(&["h1", "h2", "h3"]);
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.configure("[connect]\ntimeout = 3\n[evacuation]\npolicy = \"pinned\"\n");
    h1.sysadm(&["target", "set", "--default", "ssh://root@h2", "ssh://root@h3"]).ends(0);
    h1.run_kvm(&["web"], &[]);
    h1.define_kvm(&["old", "only2"], &[]);
    h1.sysadm(&["target", "set", "only2", "ssh://root@h2"]).ends(0);
    h1.maintain();
    h2.cut();
    let unreached = "ssh://root@h2: ";
    let planned = h1.sysadm(&["evacuate", "-na"]).ends(3);
    planned.complains(&[&format!("web: {unreached}"), &format!("only2: {unreached}")]);
    let partly = h1.sysadm(&["evacuate", "-a", "--retries", "0", "web", "only2"]).ends(3);
    partly.complains(&["only2: failed: ", "h2"]);
    lab.guests_are(&["h1: old shut off, only2 shut off", "h2:", "h3: web running"]);
    h2.mend();
    h1.sysadm(&["evacuate", "-a"]).ends(0);
    lab.guests_are(&["h1:", "h2: old shut off, only2 shut off", "h3: web running"]);
}

#[test]
fn moves_keep_to_the_order_the_number_and_the_bandwidth_of_the_policy() {
    let lab = Lab::new(&["h1", "h2", "h3"]);
    let h1 = lab.host("h1");
    h1.sysadm(&["target", "set", "--default", "ssh://root@h2", "ssh://root@h3"]).ends(0);
    let zones = ["a", "b", "c", "d"];
    h1.run_kvm(&zones, &[]);
    h1.maintain();

    // a and b go to h2, c and d to h3; two at once, but never two to one host.
    policy(
        h1,
        "wide",
        "[limits]\noutbound = 2\ninbound = 1\n\
         [[zones]]\ntargets = [\"ssh://root@h2\"]\n\
         [[zones]]\nmatch = { name = \"c\" }\ntargets = [\"ssh://root@h3\"]\n\
         [[zones]]\nmatch = { name = \"d\" }\ntargets = [\"ssh://root@h3\"]\n",
    );
    h1.sysadm(&["evacuate", "--jobs", "4", "--policy", "wide"]).ends(0);
    let ways_there = ways(h1, zones);
    let [a, b, c, d] = &ways_there;
    assert!(!at_once(a, b) && !at_once(c, d), "two arrived at one host at once: {ways_there:?}");
    let pairs = [(a, c), (a, d), (b, c), (b, d)];
    assert!(pairs.iter().any(|(one, other)| at_once(one, other)), "one after the other: {ways_there:?}");
    back(h1);

    // One at a time, the highest priority first, and a after all others; none faster than 16 MiB a second.
    policy(
        h1,
        "narrow",
        "[limits]\noutbound = 1\nbandwidth = \"16MiB/s\"\n\
         [[zones]]\nmatch = { name = \"a\" }\npriority = 9\nafter = [\"*\"]\n\
         [[zones]]\nmatch = { name = \"d\" }\npriority = 5\n\
         [[zones]]\nmatch = { name = \"c\" }\npriority = 4\n",
    );
    let run = h1.start_sysadm(&["evacuate", "--jobs", "4", "--policy", "narrow"]);
    h1.wait_until_sent("d", 4);
    let asked = h1.virsh(&["qemu-monitor-command", "d", "--hmp", "info migrate_parameters"]).ends(0);
    asked.says(&[&format!("max-bandwidth: {} ", 16 << 20)]);
    run.wait(120).ends(0);
    let in_order = ways(h1, ["d", "c", "b", "a"]);
    assert!(in_order.is_sorted_by(|one, next| one.end < next.start), "d, c, b, a: {in_order:?}");
    for rate in zones.map(|zone| rate(&row(h1, zone))) {
        assert!(rate < 17.0, "{rate} MiB/s");
    }
}

/// MiB per second, on average over the move.
fn rate(row: &Value) -> f64 {
    let bytes = row["bytes"].as_f64().unwrap();
    bytes / row["duration_ms"].as_f64().unwrap().max(1.0) * 1000.0 / f64::from(1 << 20)
}

#[test]
fn without_a_location_all_zones_rest_in_order_and_come_back_in_reverse_where_they_were() {
    let lab = Lab::new(&["h1"]);
    let h1 = lab.host("h1");
    h1.set_up();
    // By name it would be the other way round.
    h1.run_kvm(&["db", "web"], &[]);
    h1.define_lxc("box");
    h1.start(&["box"]);
    let shipped = h1.sysadm(&["policy", "show", "single-host", "--toml"]).ends(0).stdout;
    let depends = "[[zones]]\nmatch = { name = \"db\" }\nafter = [\"*\"]\n\
                   [[zones]]\nmatch = { brand = \"lxc\" }\npriority = -1\n";
    policy(h1, "alone", &format!("{shipped}{depends}"));
    h1.maintain();
    let said = |output: &str, words: &[&str]| -> Vec<String> {
        let lines = output.lines().filter(|line| words.iter().any(|word| line.contains(word)));
        lines.filter_map(|line| line.split_whitespace().nth_back(1)).map(str::to_owned).collect()
    };
    let ticks = |zone: &str| std::fs::read_to_string(lab.shared().join(format!("{zone}.log"))).unwrap();
    let rested = h1.sysadm(&["evacuate", "-v", "--policy", "alone"]).ends(0).stdout;
    assert_eq!(said(&rested, &["suspending ", "stopping "]), ["web", "box", "db"]);
    lab.guests_are(&["h1: box (lxc) shut off, db shut off, web shut off"]);
    let states = h1.sysadm(&["evacuate", "-l", "-p", "-o", "ZONENAME,STATE"]).ends(0).stdout;
    assert_eq!(states, "box:STOPPED\ndb:SUSPENDED\nweb:SUSPENDED\n");
    let before = ["db", "web"].map(ticks);
    h1.sysadm(&["maintain", "-e"]).ends(0);
    let woken = h1.sysadm(&["evacuate", "-rv", "--policy", "alone"]).ends(0).stdout;
    assert_eq!(said(&woken, &["booting "]), ["db", "box", "web"]);
    lab.guests_are(&["h1: box (lxc) running, db running, web running"]);
    for (zone, before) in ["db", "web"].into_iter().zip(before) {
        wait_until(30, &format!("{zone} ticks again"), || ticks(zone).len() > before.len() + 20);
        assert_eq!(ticks(zone).matches("tick 0\n").count(), 1, "{zone} was booted anew");
    }
}
