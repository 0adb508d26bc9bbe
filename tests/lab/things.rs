//! A zone that names something of its host stays where that is, or goes only where that is, too; `-n` says so
//! before. And one that is undefined while it moves is kept all the same.

use crate::failpoints::{order_to_wait, wait_until_reached};
use crate::harness::{Host, Lab};

fn lab() -> Lab {
    Lab::with_default_target(&["h1", "h2"], "ssh://root@h2")
}

/// Defines a zone of the lab with additional XML in an element.
fn define_with(host: Host<'_>, zone: &str, end: &str, more: &str) {
    host.define_kvm(&[zone], &[]);
    let xml = host.xml(zone);
    assert!(xml.contains(end), "{end} is in {xml}");
    host.define_xml(&xml.replacen(end, &format!("{more}{end}"), 1));
}

#[test]
fn what_a_zone_names_of_its_host_is_looked_for_at_its_target() {
    let lab = lab();
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    let filter = lab.folder().join("filter.xml");
    std::fs::write(&filter, "<filter name='site-rules'><rule action='accept' direction='in'/></filter>")
        .unwrap();
    h1.virsh(&["nwfilter-define", filter.to_str().unwrap()]).ends(0);
    let nic = "<interface type='bridge'><source bridge='br0'/><filterref filter='site-rules'/></interface>";
    let serial = "<serial type='file'><source path='/srv/local/logs/c.log'/></serial>";
    h1.run(&["mkdir", "/srv/local/logs"]).ends(0);
    let named = [
        ("filter", "</devices>", nic, "no network filter site-rules"),
        ("log", "</devices>", serial, "no folder /srv/local/logs"),
        (
            "rng",
            "</devices>",
            "<rng model='virtio'><backend model='random'>/dev/hwrng7</backend></rng>",
            "no /dev/hwrng7",
        ),
        ("pin", "<os>", "<cputune><vcpupin vcpu='0' cpuset='500'/></cputune>", "no processor 500"),
        (
            "pages",
            "<os>",
            "<memoryBacking><hugepages><page size='16' unit='GiB'/></hugepages></memoryBacking>",
            "no huge pages of 16G",
        ),
        ("label", "</domain>", "<seclabel type='dynamic' model='selinux'/>", "no security driver selinux"),
        ("view", "</devices>", "<graphics type='vnc' listen='192.0.2.7'/>", "no address 192.0.2.7"),
    ];
    for (zone, end, more, _) in named {
        define_with(h1, zone, end, more);
    }
    let medium = "<disk type='file' device='cdrom'><source file='/srv/local/gone.iso' startupPolicy='optional'/>\
                  <target dev='hdc' bus='ide'/></disk>";
    define_with(h1, "medium", "</devices>", medium);
    let mut found: Vec<_> =
        named.iter().map(|(zone, _, _, reason)| format!("{zone}: ssh://root@h2: {reason}")).collect();
    let note = "medium: storage /srv/local/gone.iso is missing on its own host; the zone does without it";
    found.push(note.to_owned());
    let found: Vec<_> = found.iter().map(String::as_str).collect();
    h1.sysadm(&["evacuate", "-na"]).ends(3).complains(&found);
    h2.virsh(&["nwfilter-define", filter.to_str().unwrap()]).ends(0);
    h2.run(&["mkdir", "/srv/local/logs"]).ends(0);
    h1.maintain();
    h1.sysadm(&["evacuate", "filter", "log", "medium"]).ends(0);
    h1.sysadm(&["evacuate", "-a"]).ends(1);
    lab.guests_are(&[
        "h1: label shut off, pages shut off, pin shut off, rng shut off, view shut off",
        "h2: filter shut off, log shut off, medium shut off",
    ]);
}

#[test]
fn a_zone_with_a_transient_disk_moves_only_while_it_does_not_run() {
    let lab = lab();
    let h1 = lab.host("h1");
    for zone in ["live", "cold"] {
        let image = lab.shared().join(format!("{zone}-scratch.img"));
        std::fs::write(&image, vec![0; 1 << 20]).unwrap();
        let disk = format!(
            "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{}'/>\
             <target dev='vdz' bus='virtio'/><transient/></disk>",
            image.display()
        );
        define_with(h1, zone, "</devices>", &disk);
    }
    h1.start(&["live"]);
    h1.maintain();
    h1.sysadm(&["evacuate", "-a"]).ends(3).complains(&["live: ", "disk vdz is transient"]);
    lab.guests_are(&["h1: live running", "h2: cold shut off"]);
}

#[test]
fn a_zone_that_is_undefined_where_it_arrives_is_defined_again_there_and_on_its_way_back() {
    let lab = lab();
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.run_kvm(&["web"], &[]);
    for (to, arguments) in [(h2, &["evacuate"][..]), (h1, &["evacuate", "-r"])] {
        let point = "journal.before.settle".parse().unwrap();
        if to.name == "h2" {
            h1.maintain();
        } else {
            h1.sysadm(&["maintain", "-e"]).ends(0);
        }
        let go_on = order_to_wait(h1, point);
        let run = h1.start_sysadm(arguments);
        wait_until_reached(h1, point);
        to.virsh(&["undefine", "web"]).ends(0);
        to.virsh(&["dominfo", "web"]).ends(0).says(&["Persistent:     no"]);
        go_on();
        run.wait(60).ends(0);
        to.virsh(&["dominfo", "web"]).ends(0).says(&["Persistent:     yes", "State:          running"]);
    }
    lab.guests_are(&["h1: web running", "h2:"]);
}
