//! `zone migrate` on real hosts.

use crate::harness::{Lab, Output, assert_same, dump, wait_until};

const LIVE: [&str; 9] = [
    "Importing zone configuration.",
    "Attaching zone.",
    "Booting zone in 'migrating-in' mode.",
    "Checking migration compatibility.",
    "Starting migration.",
    "Suspending zone on source host.",
    "Waiting for migration to complete.",
    "Migration successful.",
    "Halting and detaching zone on source host.",
];

/// Prints exactly these sentences about a zone on standard error, and nothing else anywhere.
#[track_caller]
fn says(output: &Output, zone: &str, sentences: &[&str]) {
    let expected: Vec<_> = sentences.iter().map(|text| format!("sysadm: zone '{zone}': {text}")).collect();
    assert_eq!(
        (output.stdout.as_str(), output.complaints().collect::<Vec<_>>().join("\n")),
        ("", expected.join("\n"))
    );
}

#[test]
fn a_virtual_machine_migrates_live_over_ssh_and_on_over_tls_and_goes_on() {
    let lab = Lab::new(&["h1", "h2", "h3"]);
    let [h1, h2, h3] = ["h1", "h2", "h3"].map(|name| lab.host(name));
    h3.agent();
    h1.run_kvm(&["web"], &[]);
    let ticks = || std::fs::read_to_string(lab.shared().join("web.log")).unwrap();

    let dry = h1.sysadm(&["zone", "migrate", "-n", "web", "ssh://root@h2"]).ends(0);
    let would =
        ["Importing zone configuration.", "Attaching zone.", "Dry-run migration successful.", "Cleaning up."];
    says(&dry, "web", &would);
    lab.guests_are(&["h1: web running", "h2:", "h3:"]);

    let moved = h1.sysadm(&["zone", "migrate", "web", "ssh://root@h2"]).ends(0);
    says(&moved, "web", &LIVE);
    lab.guests_are(&["h1:", "h2: web running", "h3:"]);
    h1.sysadm(&["evacuate", "-r"]).ends(0).says(&["nothing to return"]);

    let moved = h2.sysadm(&["zone", "migrate", "web", "rads://h3"]).ends(0);
    says(&moved, "web", &LIVE);
    lab.guests_are(&["h1:", "h2:", "h3: web running"]);
    let before = ticks().len();
    wait_until(30, "it ticks on", || ticks().len() > before);
    assert_eq!(ticks().matches("tick 0\n").count(), 1, "it was not booted anew");
}

#[test]
fn a_container_moves_cold_or_by_a_restart() {
    let lab = Lab::new(&["h1", "h2"]);
    let h1 = lab.host("h1");
    h1.define_lxc("old");
    h1.define_lxc("box");
    h1.start(&["box"]);
    let moved = h1.sysadm(&["zone", "migrate", "old", "ssh://root@h2"]).ends(0);
    let cold = [
        "Importing zone configuration.",
        "Attaching zone.",
        "Detaching zone on source host.",
        "Migration successful.",
    ];
    says(&moved, "old", &cold);
    h1.sysadm(&["zone", "migrate", "box", "ssh://root@h2"]).ends(1).complains(&["-t cold"]);
    let moved = h1.sysadm(&["zone", "migrate", "-t", "cold", "box", "ssh://root@h2"]).ends(0);
    let restarted = [
        "Importing zone configuration.",
        "Attaching zone.",
        "Shutting down zone on source host.",
        "Booting zone on destination host.",
        "Migration successful.",
        "Detaching zone on source host.",
    ];
    says(&moved, "box", &restarted);
    lab.guests_are(&["h1:", "h2: box (lxc) running, old (lxc) shut off"]);
}

#[test]
fn a_host_in_maintenance_takes_none_and_nothing_changes() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.run_kvm(&["web"], &["--disk", "/srv/local/web.img"]);
    h1.sysadm(&["host", "check", "ssh://root@h2"]).ends(0);
    h2.maintain();
    let before = dump(&lab);
    for line in [
        ["zone", "migrate", "-n", "web", "ssh://root@h2"].as_slice(),
        &["zone", "migrate", "web", "ssh://root@h2"],
    ] {
        let refused = h1.sysadm(line).ends(4);
        // Other blockers are reported, too.
        refused.complains(&["zone 'web': ssh://root@h2: h2 is in maintenance", "/srv/local/web.img"]);
        if line.contains(&"-n") {
            assert_same(&before, &dump(&lab));
        }
    }
    lab.guests_are(&["h1: web running", "h2:"]);
}

#[test]
fn after_kill_9_the_next_run_settles_it_and_it_has_gone_for_good_or_stayed() {
    let lab = Lab::new(&["h1", "h2"]);
    let h1 = lab.host("h1");
    for (moment, home) in [("journal.before.prepare", "h1"), ("journal.after.switch", "h2")] {
        h1.run_kvm(&[home], &[]);
        h1.order(&format!("{moment} kill"));
        h1.sysadm(&["zone", "migrate", home, "ssh://root@h2"]).ends(-1);
        assert_eq!(h1.state_of(home), "UNKNOWN");
        h1.sysadm(&["evacuate", "--resume"]).ends(0).complains(&[&format!("it is on {home}")]);
        assert_eq!(h1.state_of(home), "");
        h1.sysadm(&["evacuate", "-r"]).ends(0).says(&["nothing to return"]);
    }
    lab.guests_are(&["h1: h1 running", "h2: h2 running"]);
}

#[test]
fn the_same_configuration_at_the_destination_is_used_and_another_one_is_kept_when_the_zone_stays() {
    let lab = Lab::new(&["h1", "h2"]);
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.configure("[migration]\nshutdown = 2\n");
    h1.run_kvm(&["web"], &["--ignore-shutdown"]);
    let same = h1.xml("web");
    h2.define_xml(&same.replace("<vcpu placement='static'>1<", "<vcpu placement='static'>2<"));
    let other = h2.xml("web");
    assert_ne!(other, same);
    h1.sysadm(&["zone", "migrate", "web", "ssh://root@h2"])
        .ends(1)
        .complains(&["web is already installed there", "hint: use -w of evacuate or migrate"]);
    // It ignores the request to shut down.
    let failed = h1.sysadm(&["zone", "migrate", "-w", "-t", "cold", "web", "ssh://root@h2"]).ends(1);
    failed.complains(&["the configuration that h2 had of it is kept there as configured"]);
    lab.guests_are(&["h1: web running", "h2:"]);
    h2.sysadm(&["zone", "attach", "web"]).ends(0);
    assert_eq!(h2.xml("web"), other);

    h2.define_xml(&same);
    let moved = h1.sysadm(&["zone", "migrate", "web", "ssh://root@h2"]).ends(0);
    let used = ["Using existing zone configuration on destination."];
    says(&moved, "web", &[&used[..], &LIVE[1..]].concat());
    lab.guests_are(&["h1:", "h2: web running"]);
}
