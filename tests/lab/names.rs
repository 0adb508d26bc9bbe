//! Zones with names that are valid only for libvirt.

use crate::harness::{Host, Lab, Observer, wait_until};

/// Renames a guest that does not run, and its log.
fn rename(host: Host<'_>, driver: &str, from: &str, to: &str) {
    let uri = format!("{driver}:///system");
    let virsh = |words: &[&str]| host.run(&[&["virsh", "-q", "-c", &uri], words].concat()).ends(0).stdout;
    let xml = virsh(&["dumpxml", "--inactive", from]);
    virsh(&["undefine", from]);
    let xml = xml.replace(&format!("<name>{from}<"), &format!("<name>{to}<"));
    let log = |name: &str| format!("/{}.log'", name.replace('\'', "&apos;"));
    let xml = xml.replace(&log(from), &log(to));
    let file = host.path("renamed.xml");
    std::fs::write(&file, xml).unwrap();
    virsh(&["define", file.to_str().unwrap()]);
}

/// Two hosts whose libvirts enforce maintenance.
fn lab() -> Lab {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    lab.hosts().for_each(|host| host.set_up());
    lab
}

fn uuid(host: Host<'_>, guest: &str) -> String {
    host.virsh(&["domuuid", guest]).ends(0).stdout.trim().to_owned()
}

#[test]
fn a_zone_with_a_blank_in_its_name_leaves_live_and_comes_home_live() {
    let lab = lab();
    let h1 = lab.host("h1");
    let disk = lab.shared().join("Windows 10.img");
    h1.define_kvm(&["win"], &["--disk", disk.to_str().unwrap()]);
    rename(h1, "qemu", "win", "Windows 10");
    h1.start(&["Windows 10"]);
    h1.maintain();
    let observer = Observer::start(&lab, &["Windows 10"]);
    h1.sysadm(&["evacuate", "-v"]).ends(0).says(&["Windows%2010: evacuated to ssh://root@h2"]);
    lab.guests_are(&["h1:", "h2: Windows 10 running"]);
    let fields = ["evacuate", "-l", "-p", "-o", "ZONENAME,STATE,METHOD,DOWNTIME"];
    let listed = h1.sysadm(&fields).ends(0).stdout;
    let downtime = listed.strip_prefix("Windows%2010:EVACUATED:live:").unwrap().trim();
    assert!(!downtime.is_empty() && downtime != "0", "its stop was seen: {listed}");
    h1.sysadm(&["evacuate", "-l"]).ends(0).says(&["in maintenance; empty, safe to reboot"]);
    h1.sysadm(&["maintain", "-e"]).ends(0);
    h1.sysadm(&["evacuate", "-r", "Windows 10"]).ends(0);
    lab.guests_are(&["h1: Windows 10 running", "h2:"]);
    observer.finds_nothing_wrong();
    // By either name.
    let uuid = uuid(h1, "Windows 10");
    for name in ["Windows%2010", "Windows 10", &uuid] {
        h1.sysadm(&["zone", "migrate", "-n", name, "ssh://root@h2"]).ends(0);
    }
}

#[test]
fn zones_with_awkward_names_are_held_by_the_lock_and_move_cold() {
    let lab = lab();
    let h1 = lab.host("h1");
    let names = ["müller", "-rf", "7", "it's 100% R&amp;D"];
    for (number, name) in names.into_iter().enumerate() {
        let guest = format!("cold{number}");
        h1.define_kvm(&[&guest], &[]);
        rename(h1, "qemu", &guest, name);
    }
    let listed = |host: &str| {
        let names = lab.host(host).virsh(&["list", "--all", "--name"]).ends(0).stdout;
        let mut names: Vec<_> = names.lines().filter(|name| !name.is_empty()).map(str::to_owned).collect();
        names.sort();
        names
    };
    let all = ["-rf", "7", "it's 100% R&D", "müller"];
    assert_eq!(listed("h1"), all);
    h1.maintain();
    for name in ["müller", "it's 100% R&D"] {
        let refused = h1.virsh(&["start", name]).ends(1);
        refused.complains(&[&format!("zone '{name}': boot prevented due to system maintenance")]);
    }
    h1.sysadm(&["evacuate", "-a"]).ends(0);
    assert_eq!((listed("h1"), listed("h2")), (vec![], all.map(str::to_owned).to_vec()));
    h1.sysadm(&["maintain", "-e"]).ends(0);
    h1.sysadm(&["evacuate", "-ra"]).ends(0);
    assert_eq!((listed("h1"), listed("h2")), (all.map(str::to_owned).to_vec(), vec![]));
}

#[test]
fn a_container_with_an_umlaut_in_its_name_is_restarted_there_and_back_past_the_lock() {
    let lab = lab();
    let h1 = lab.host("h1");
    h1.define_lxc("box");
    rename(h1, "lxc", "box", "müller &amp; co");
    h1.virsh_lxc(&["start", "müller & co"]).ends(0);
    let log = lab.shared().join("box.root/tick.log");
    wait_until(90, "the container ticks", || {
        std::fs::read_to_string(&log).is_ok_and(|log| log.contains("tick 0"))
    });
    h1.maintain();
    h1.sysadm(&["evacuate", "-n"])
        .ends(3)
        .complains(&["m%C3%BCller%20%26%20co: skipped: a running lxc zone"]);
    h1.sysadm(&["evacuate", "--action", "restart", "müller & co"]).ends(0);
    let state = |host: &str| {
        let state = lab.host(host).virsh_lxc(&["domstate", "müller & co"]);
        (state.code == 0).then(|| state.stdout.trim().to_owned())
    };
    assert_eq!((state("h1"), state("h2").as_deref()), (None, Some("running")));
    let ended = std::fs::read_to_string(&log).unwrap();
    assert!(ended.contains("poweroff"), "it has ended in order: {ended}");
    h1.sysadm(&["maintain", "-e"]).ends(0);
    h1.sysadm(&["evacuate", "-r"]).ends(0);
    assert_eq!((state("h1").as_deref(), state("h2")), (Some("running"), None));
}
