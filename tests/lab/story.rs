//! The main story, from the first command to the last.

use std::time::Duration;

use crate::harness::{Host, Lab, Observer};

/// What must be the same wherever a zone is: its whole configuration except for what libvirt chooses on each host.
fn identity(host: Host<'_>, guest: &str) -> Vec<String> {
    let xml = host.xml(guest);
    let wanted =
        ["<name>", "<uuid>", "<title>", "<description>", "<lab:", "<memory", "<vcpu", "<source file"];
    let lines = xml.lines().map(str::trim).filter(|line| wanted.iter().any(|word| line.starts_with(word)));
    let info = host.virsh(&["dominfo", guest]).ends(0).stdout;
    let info = info.lines().filter(|line| line.starts_with("Autostart") || line.starts_with("Persistent"));
    lines.chain(info).map(str::to_owned).collect()
}

#[test]
fn a_host_is_emptied_over_ssh_and_rads_and_filled_again() {
    let lab = Lab::new(&["h1", "h2", "h3"]);
    let [h1, h2, h3] = ["h1", "h2", "h3"].map(|name| lab.host(name));
    h3.agent();
    h1.agent();
    h1.set_up();
    h1.run_kvm(&["evac1", "evac2", "evac3"], &[]);
    h1.define_kvm(&["evac4"], &[]);
    h1.define_lxc("tzone1");
    h1.virsh(&["autostart", "evac2"]).ends(0);
    h2.run_kvm(&["guest"], &[]);
    let before: Vec<_> = ["evac1", "evac2", "evac3", "evac4"].map(|zone| identity(h1, zone)).into();
    assert!(before[0].iter().any(|line| line.contains("Ada &amp; Grace")), "{before:?}");

    h1.sysadm(&["target", "set", "evac1", "evac2", "tzone1", "ssh://root@h2"]).ends(0);
    // Nothing listens on that port of h2.
    h1.sysadm(&["target", "set", "evac3", "ssh://root@h2:2", "rads://h3"]).ends(0);
    h1.sysadm(&["target", "set", "--default", "rads://h3"]).ends(0);
    let targets = h1.sysadm(&["target", "list", "-p", "-o", "all"]).ends(0);
    let targets = targets.says(&["evac3:zone:ssh\\://root@h2\\:2 rads\\://h3", "evac4:default:rads\\://h3"]);
    targets.complains_of_nothing();

    h1.sysadm(&["maintain", "-s", "-m", "updating to new build"]).ends(0);
    let held = h1.sysadm(&["maintain", "-l"]).ends(0);
    let held = held.says(&["TYPE", "USER", "DATE", "MESSAGE", "admin", "root", "updating to new build"]);
    assert_eq!(held.stdout.lines().count(), 2);
    let fields = h1.sysadm(&["maintain", "-l", "-p", "-o", "TYPE,USER,MESSAGE"]).ends(0).stdout;
    assert_eq!(fields, "admin:root:updating to new build\n");

    // Maintenance is enforced below the tool.
    let refusal = "prevented due to system maintenance: see sysadm(8)";
    h1.virsh(&["start", "evac4"]).ends(1).complains(&["evac4", refusal]);
    h1.virsh_lxc(&["start", "tzone1"]).ends(1).complains(&["tzone1", refusal]);
    let migrate = ["migrate", "--live", "--p2p", "guest", "qemu+tcp://h1/system"];
    h2.virsh(&migrate).ends(1).complains(&["guest", refusal]);
    lab.guests_are(&[
        "h1: evac1 running, evac2 running, evac3 running, evac4 shut off, tzone1 (lxc) shut off",
        "h2: guest running",
        "h3:",
    ]);

    // Now, because libvirt writes a resource group into the configuration of a domain that it failed to start.
    let lxc = h1.virsh_lxc(&["dumpxml", "tzone1"]).ends(0).stdout;

    let observer = Observer::start(&lab, &["evac1", "evac2", "evac3", "guest"]);
    let evacuated = h1.sysadm(&["evacuate", "-va"]).ends(0).complains_of_nothing();
    for line in [
        "sysadm: preparing 5 zone(s) for evacuation ...",
        "sysadm: initializing migration of evac1 to h2 ...",
        "sysadm: initializing migration of evac3 to h3 ...",
        "sysadm: initializing migration of tzone1 to h2 ...",
        "sysadm: evacuating 5 zone(s) ...",
        "sysadm: migrating evac1 to h2 ...",
        "sysadm: migrating evac2 to h2 ...",
        "sysadm: migrating evac3 to h3 ...",
        "sysadm: migrating evac4 to h3 ...",
        "sysadm: migrating tzone1 to h2 ...",
        "sysadm: evacuation completed successfully.",
        "sysadm: evac1: evacuated to ssh://root@h2",
        "sysadm: evac2: evacuated to ssh://root@h2",
        "sysadm: evac3: evacuated to rads://h3",
        "sysadm: evac4: evacuated to rads://h3",
        "sysadm: tzone1: evacuated to ssh://root@h2",
    ] {
        assert!(evacuated.stdout.lines().any(|said| said == line), "{line:?} in\n{}", evacuated.stdout);
    }
    let watched = observer.finds_nothing_wrong_or_unreported();
    lab.guests_are(&[
        "h1:",
        "h2: evac1 running, evac2 running, guest running, tzone1 (lxc) shut off",
        "h3: evac3 running, evac4 shut off",
    ]);

    for (zone, (host, before)) in
        ["evac1", "evac2", "evac3", "evac4"].iter().zip([h2, h2, h3, h3].into_iter().zip(&before))
    {
        assert_eq!(identity(host, zone), *before, "{zone} after the evacuation");
    }
    assert_eq!(h2.virsh_lxc(&["dumpxml", "tzone1"]).ends(0).stdout, lxc);

    // The list, in all its formats.
    let list = h1.sysadm(&["evacuate", "-l"]).ends(0).says(&["empty, safe to reboot"]);
    assert!(list.stdout.starts_with("ZONENAME"), "{}", list.stdout);
    assert_eq!(list.stdout.matches("EVACUATED").count(), 5, "{}", list.stdout);
    let parsable =
        h1.sysadm(&["evacuate", "-l", "-p", "-o", "ZONENAME,STATE,DEST,ERROR,METHOD"]).ends(0).stdout;
    assert_eq!(
        parsable,
        "evac1:EVACUATED:ssh\\://root@h2::live\nevac2:EVACUATED:ssh\\://root@h2::live\n\
         evac3:EVACUATED:rads\\://h3::live\nevac4:EVACUATED:rads\\://h3::cold\n\
         tzone1:EVACUATED:ssh\\://root@h2::cold\n"
    );
    let document = h1.sysadm(&["evacuate", "-l", "--json"]).ends(0).json();
    assert_eq!(document["safe_to_reboot"], true);
    assert_eq!(document["zones"].as_array().unwrap().len(), 5);
    downtimes_are_true(&document, &watched);

    let zones = h1.sysadm(&["zone", "list", "-cv"]).ends(0).stdout;
    assert_eq!(zones.matches(" configured ").count(), 5, "{zones}");
    let uuid = h2.virsh(&["domuuid", "evac1"]).ends(0).stdout;
    let uuid = uuid.trim();
    let parsable = h1.sysadm(&["zone", "list", "-cp"]).ends(0).stdout;
    assert!(parsable.contains(&format!("-:evac1:configured::{uuid}:kvm:excl:-::\n")), "{parsable}");
    assert_eq!(h1.sysadm(&["zone", "list"]).ends(0).stdout, "global\n");
    h2.sysadm(&["zone", "list", "-cp"]).ends(0).says(&[":evac1:running:", ":tzone1:installed:"]);

    // And back.
    h1.sysadm(&["evacuate", "-ra"]).ends(4);
    h1.sysadm(&["maintain", "-e"]).ends(0).complains_of_nothing();
    let observer = Observer::start(&lab, &["evac1", "evac2", "evac3"]);
    let returned = h1.sysadm(&["evacuate", "-ra"]).ends(0).complains_of_nothing();
    returned.says(&[
        "sysadm: preparing zones for return ... 5/5\n",
        "sysadm: returning zones ... 5/5\n",
        "sysadm: return completed successfully.\n",
    ]);
    observer.finds_nothing_wrong_or_unreported();
    lab.guests_are(&[
        "h1: evac1 running, evac2 running, evac3 running, evac4 shut off, tzone1 (lxc) shut off",
        "h2: guest running",
        "h3:",
    ]);
    let after: Vec<_> = ["evac1", "evac2", "evac3", "evac4"].map(|zone| identity(h1, zone)).into();
    assert_eq!(after, before);
    assert_eq!(h1.virsh_lxc(&["dumpxml", "tzone1"]).ends(0).stdout, lxc);
    h1.sysadm(&["evacuate", "-l"]).ends(0).says(&["sysadm: no active evacuation\n", "not in maintenance"]);
}

/// The downtimes in the list are those that the observer has compared with what it saw.
fn downtimes_are_true(document: &serde_json::Value, watched: &crate::harness::Report) {
    const TOO_MUCH: Duration = Duration::from_secs(1);
    for zone in ["evac1", "evac2", "evac3"] {
        let rows = document["zones"].as_array().unwrap();
        let row = rows.iter().find(|row| row["zone"] == zone).unwrap();
        let reported = Duration::from_millis(row["downtime_ms"].as_u64().unwrap());
        assert_eq!(watched.reported[zone], [reported], "{zone}");
        let seen = watched.guests[zone].gaps[0];
        assert!(reported <= seen + TOO_MUCH, "{zone}: {reported:?} reported, {seen:?} seen");
    }
}

#[test]
fn a_lone_zone_goes_and_comes_over_rads_in_the_plain_and_the_quiet_form() {
    let lab = Lab::with_default_target(&["h1", "h2"], "rads://h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h2.agent();
    lab.certificates();
    h1.run_kvm(&["web"], &[]);
    h1.maintain();
    let observer = Observer::start(&lab, &["web"]);
    let plain = h1.sysadm(&["evacuate"]).ends(0).complains_of_nothing().stdout;
    assert_eq!(
        plain,
        "sysadm: preparing zones for evacuation ... 1/1\nsysadm: evacuating zones ... 1/1\n\
         sysadm: evacuation completed successfully.\n"
    );
    lab.guests_are(&["h1:", "h2: web running"]);
    let again = h1.sysadm(&["evacuate"]).ends(0);
    assert!(again.stdout.contains("nothing to evacuate"), "{}", again.stdout);
    h1.sysadm(&["maintain", "-e"]).ends(0);
    let quiet = h1.sysadm(&["evacuate", "-rq"]).ends(0).complains_of_nothing();
    assert_eq!(quiet.stdout, "");
    lab.guests_are(&["h1: web running", "h2:"]);
    observer.finds_nothing_wrong_or_unreported();
}

#[test]
fn a_named_zone_goes_alone() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let h1 = lab.host("h1");
    h1.run_kvm(&["web", "db"], &[]);
    h1.define_kvm(&["old", "older"], &[]);
    h1.maintain();
    h1.sysadm(&["evacuate", "web", "old"]).ends(0);
    lab.guests_are(&["h1: db running, older shut off", "h2: old shut off, web running"]);
    h1.sysadm(&["evacuate", "-l"]).ends(0).says(&["1 zone(s) still running here: db"]);
}
