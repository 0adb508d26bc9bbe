//! `evacuate -n`: it asks everything and changes nothing.

use crate::harness::{Lab, assert_same, dump};

/// A host that serves others has a database from the first time on. So all of them are asked once.
fn greet(lab: &Lab) {
    for host in ["ssh://root@h2", "rads://h3"] {
        lab.host("h1").sysadm(&["host", "check", host]).ends(0);
    }
}

#[test]
fn a_dry_run_prints_the_plan_and_changes_nothing_anywhere() {
    let lab = Lab::with_default_target(&["h1", "h2", "h3"], "rads://h3");
    let h1 = lab.host("h1");
    lab.host("h3").agent();
    lab.certificates();
    h1.run_kvm(&["web"], &[]);
    h1.define_kvm(&["old"], &[]);
    h1.define_lxc("box");
    h1.sysadm(&["target", "set", "web", "ssh://root@h2"]).ends(0);
    greet(&lab);
    // With and without the lock.
    for step in 0..2 {
        let before = dump(&lab);
        let plan = h1.sysadm(&["evacuate", "-na"]).ends(0);
        assert_same(&before, &dump(&lab));
        let plan = plan.says(&["ZONENAME", "BRAND", "METHOD", "DEST", "SIZE", "TIME", "dry-run succeeded"]);
        let line = |zone: &str| plan.stdout.lines().find(|line| line.starts_with(zone)).unwrap().to_owned();
        let fields = |zone: &str| line(zone).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(fields("web")[1..5], ["kvm", "live", "ssh://root@h2", "96M"]);
        assert_eq!(fields("old")[1..4], ["kvm", "cold", "rads://h3"]);
        assert_eq!(fields("box")[1..4], ["lxc", "cold", "rads://h3"]);
        let document = h1.sysadm(&["evacuate", "-na", "--json"]).ends(0).json();
        assert_eq!(document["zones"].as_array().unwrap().len(), 3);
        assert_same(&before, &dump(&lab));
        if step == 0 {
            h1.maintain();
        }
    }
}

#[test]
fn a_dry_run_names_every_blocker_and_changes_nothing_anywhere() {
    let lab = Lab::with_default_target(&["h1", "h2", "h3"], "ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    lab.host("h3").agent();
    lab.certificates();
    h1.run(&["ip", "link", "add", "br7", "type", "bridge"]).ends(0);
    h1.run_kvm(&["web"], &["--disk", "/srv/local/web.img"]);
    h1.define_kvm(&["net"], &["--net", "br7", "--disk", "/srv/local/net.img"]);
    h1.run_kvm(&["fine"], &[]);
    h1.define_lxc("box");
    h1.start(&["box"]);
    h1.define_kvm(&["twin"], &[]);
    h2.define_kvm(&["twin"], &[]);
    h1.sysadm(&["target", "set", "web", "ssh://root@h2", "ssh://root@h2:2", "rads://h3"]).ends(0);
    h1.maintain();
    greet(&lab);
    let before = dump(&lab);
    let plan = h1.sysadm(&["evacuate", "-na"]).ends(3);
    assert_same(&before, &dump(&lab));
    let plan = plan.complains(&[
        "web: ssh://root@h2: ",
        "web: ssh://root@h2:2: ",
        "web: rads://h3: ",
        "/srv/local/web.img",
        "net: ssh://root@h2: no bridge br7",
        "/srv/local/net.img",
        "box: skipped: ",
        "twin: ssh://root@h2: another zone is called twin there",
        "dry-run failed: 4 of 5 zone(s) cannot move",
    ]);
    plan.says(&["fine"]);
}

#[test]
fn a_dry_run_of_a_return_changes_nothing_either() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.run_kvm(&["web", "db"], &[]);
    h1.maintain();
    h1.sysadm(&["evacuate"]).ends(0);
    h1.sysadm(&["maintain", "-e"]).ends(0);
    h2.virsh(&["destroy", "db"]).ends(0);
    let before = dump(&lab);
    h1.sysadm(&["evacuate", "-rn"]).ends(3).says(&["web"]).complains(&["db: skipped: ", "-ra"]);
    h1.sysadm(&["evacuate", "-rna"]).ends(0).says(&["live", "cold", "dry-run succeeded"]);
    assert_same(&before, &dump(&lab));
}
