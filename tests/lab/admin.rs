//! Zones that are detached, created and attached by hand.

use crate::harness::{Host, Lab};

/// A container whose root file system is a folder in its zonepath, on storage that all hosts share.
fn container(lab: &Lab, host: Host<'_>) {
    host.define_lxc("box");
    let [flat, zonepath] = ["box.root", "box"].map(|name| lab.shared().join(name));
    std::fs::create_dir(&zonepath).unwrap();
    std::fs::rename(&flat, zonepath.join("rootfs")).unwrap();
    // Where the lab looks for its ticks.
    std::os::unix::fs::symlink("box/rootfs", &flat).unwrap();
    host.redefine_lxc("box", "/box.root'", "/box/rootfs'");
}

#[test]
fn a_container_and_a_virtual_machine_are_detached_here_and_attached_and_booted_there() {
    let lab = Lab::new(&["h1", "h2"]);
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.define_kvm(&["web"], &[]);
    h1.virsh(&["autostart", "web"]).ends(0);
    container(&lab, h1);
    let (zonepath, file) = (lab.shared().join("box"), lab.shared().join("web.xml"));
    let [zonepath, file] = [&zonepath, &file].map(|path| path.to_str().unwrap());
    let password = "<graphics type='vnc' port='-1' autoport='yes' passwd='geheim7'/>";
    h1.define_xml(&h1.xml("web").replace("</devices>", &format!("{password}</devices>")));
    let before = h1.xml("web");
    assert!(before.contains("passwd='geheim7'"), "{before}");
    h1.sysadm(&["zone", "list", "-cnp"]).ends(0).says(&[&format!("-:box:installed:{zonepath}:")]);

    h1.sysadm(&["zone", "detach", "web", "--manifest", file]).ends(0);
    h1.sysadm(&["zone", "detach", "box"]).ends(0);
    lab.guests_are(&["h1:", "h2:"]);
    let list = h1.sysadm(&["zone", "list", "-cnp"]).ends(0);
    list.says(&["-:web:configured::", &format!("-:box:configured:{zonepath}:")]);

    h2.sysadm(&["zone", "create", "web", "-a", file]).ends(0);
    h2.sysadm(&["zone", "create", "box", "-a", zonepath]).ends(0);
    for zone in ["web", "box"] {
        h2.sysadm(&["zone", "attach", zone]).ends(0);
    }
    lab.guests_are(&["h1:", "h2: box (lxc) shut off, web shut off"]);
    assert_eq!(h2.xml("web"), before, "its configuration is as it was, with its password");
    h2.virsh(&["dominfo", "web"]).ends(0).says(&["Autostart:      enable"]);
    h2.start(&["web", "box"]);
    lab.guests_are(&["h1:", "h2: box (lxc) running, web running"]);
    h1.sysadm(&["zone", "attach", "box"]).ends(1).complains(&["zone: the manifest is missing from"]);
    h2.sysadm(&["zone", "detach", "web"])
        .ends(1)
        .complains(&["zone 'web' is running", "hint: shut it down first"]);
}

#[test]
fn a_zone_of_one_host_is_checked_against_another_one_through_a_pipe() {
    let lab = Lab::new(&["h1", "h2"]);
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.run(&["ip", "link", "add", "br7", "type", "bridge"]).ends(0);
    h1.run_kvm(&["web1"], &[]);
    h1.define_kvm(&["web2"], &["--net", "br7", "--disk", "/srv/local/web2.img"]);
    let ask = |zone: &str| {
        let line = format!("sysadm zone detach -n {zone} | ssh h2 sysadm zone attach -n -");
        h1.run(&["sh", "-c", &line])
    };
    ask("web1").ends(0).says(&["sysadm: zone 'web1' would fit on h2"]);
    let refused = ask("web2").ends(1);
    refused.complains(&[
        "sysadm: zone 'web2' does not fit on h2:",
        "network: no bridge br7",
        "storage: storage /srv/local/web2.img is missing",
    ]);
    h2.maintain();
    ask("web1").ends(4).complains(&["maintenance: h2 is in maintenance"]);
    lab.guests_are(&["h1: web1 running, web2 shut off", "h2:"]);
}

#[test]
fn a_zone_whose_memory_lies_here_is_not_detached() {
    let lab = Lab::new(&["h1"]);
    let h1 = lab.host("h1");
    h1.run_kvm(&["web"], &[]);
    h1.virsh(&["managedsave", "web"]).ends(0);
    h1.sysadm(&["zone", "detach", "web"])
        .ends(1)
        .complains(&["is suspended; its memory is saved on this host"]);
    lab.guests_are(&["h1: web shut off"]);
}

#[test]
fn a_container_whose_detach_is_killed_is_attached_and_can_be_detached_again() {
    let lab = Lab::new(&["h1"]);
    let h1 = lab.host("h1");
    container(&lab, h1);
    h1.order("source.before.detach kill");
    h1.sysadm(&["zone", "detach", "box"]).ends(-1);
    let exists = |name: &str| lab.shared().join("box").join(name).exists();
    assert!(exists("SUNWdetached.xml.h1") && !exists("SUNWdetached.xml"), "no other host can attach it");
    lab.guests_are(&["h1: box (lxc) shut off"]);
    h1.sysadm(&["zone", "list", "-cnp"]).ends(0).says(&[":box:installed:"]);
    h1.sysadm(&["zone", "detach", "box"]).ends(0);
    assert!(exists("SUNWdetached.xml") && !exists("SUNWdetached.xml.h1"));
    h1.sysadm(&["zone", "attach", "box"]).ends(0);
    h1.start(&["box"]);
    lab.guests_are(&["h1: box (lxc) running"]);
}

#[test]
fn a_zone_is_configured_with_changes_that_libvirt_takes() {
    let lab = Lab::new(&["h1", "h2"]);
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    for (host, bridge) in [(h1, "br6"), (h2, "br7")] {
        host.run(&["ip", "link", "add", bridge, "type", "bridge"]).ends(0);
    }
    h1.define_kvm(&["web"], &["--net", "br6"]);
    let file = lab.shared().join("web.xml");
    let file = file.to_str().unwrap();
    h1.sysadm(&["zone", "detach", "web", "--manifest", file]).ends(0);
    let create = ["zone", "create", "shop", "-a", file, "--set", "uuid=new"];
    let changes = ["--set", "memory=128M", "--set", "cpus=2", "--set", "autostart=true", "--net", "br6=br7"];
    let shared = "the copy would write to the same storage as 'web': ";
    h2.sysadm(&[&create[..], &changes].concat()).ends(0).complains(&[
        shared,
        "/web.img",
        "hint: give it storage of its own",
    ]);
    h2.sysadm(&["zone", "attach", "shop"]).ends(1).complains(&[shared]);
    h2.sysadm(&["zone", "delete", "-F", "shop"]).ends(0);
    let own = lab.shared().join("shop.img");
    std::fs::copy(lab.shared().join("web.img"), &own).unwrap();
    let editor = "EDITOR=sed -i s,/web.img,/shop.img,";
    let line = [&["env", editor, "sysadm"][..], &create, &changes, &["--edit"]].concat();
    h2.run(&line).ends(0).complains_of_nothing();
    h2.sysadm(&["zone", "attach", "shop"]).ends(0);
    let xml = h2.xml("shop");
    for part in ["<name>shop</name>", "<memory unit='KiB'>131072</memory>", ">2</vcpu>", "bridge='br7'"] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
    let address =
        |xml: &str| xml.split_once("<mac address='").unwrap().1.split_once('\'').unwrap().0.to_owned();
    assert_ne!(
        address(&xml),
        address(&std::fs::read_to_string(file).unwrap()),
        "it is another one in its network"
    );
    h2.virsh(&["dominfo", "shop"]).ends(0).says(&["Autostart:      enable"]);
    h2.virsh(&["start", "shop"]).ends(0);
    lab.guests_are(&["h1:", "h2: shop running"]);

    // The other one, with an editor.
    let edit = |command: &str| {
        let editor = format!("EDITOR=sed -i {command}");
        h2.run(&["env", &editor, "sysadm", "zone", "create", "web", "-a", file, "--edit"])
    };
    let refused = edit("s,</domain>,,").ends(1);
    refused.complains(&["zone 'web': the configuration is no longer valid", "is kept in /run/sysadm/edit-"]);
    edit("s,br6,br99,").ends(0).complains(&["but currently cannot be attached", "network: no bridge br99"]);
    h2.sysadm(&["zone", "attach", "web"]).ends(1).complains(&["network: no bridge br99"]);
    h2.sysadm(&["zone", "delete", "-F", "web"]).ends(0);
    edit("s,br6,br7,").ends(0).complains_of_nothing();
    h2.sysadm(&["zone", "attach", "web"]).ends(0);
    lab.guests_are(&["h1:", "h2: shop running, web shut off"]);
}

#[test]
fn a_zone_whose_machine_is_too_old_for_a_host_is_updated_if_that_is_wanted() {
    let lab = Lab::new(&["h1", "h2"]);
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.define_kvm(&["web"], &[]);
    let file = lab.shared().join("web.xml");
    h1.sysadm(&["zone", "detach", "web", "--manifest", file.to_str().unwrap()]).ends(0);
    let machine = |machine: &str| {
        let text = std::fs::read_to_string(&file).unwrap();
        let (before, rest) = text.split_once("machine='").unwrap();
        let (_, after) = rest.split_once('\'').unwrap();
        std::fs::write(&file, format!("{before}machine='{machine}'{after}")).unwrap();
    };
    let file = file.to_str().unwrap();
    // QEMU dropped it years ago.
    machine("pc-i440fx-1.1");
    h2.sysadm(&["zone", "attach", "-n", file]).ends(1).complains(&["no machine x86_64 pc-i440fx-1.1"]);
    let would = h2.sysadm(&["zone", "attach", "-u", "-n", file]).ends(0);
    would.says(&["zone 'web' would be changed: machine type pc-i440fx-", "zone 'web' would fit on h2"]);
    h2.sysadm(&["zone", "create", "web", "-a", file]).ends(0).complains(&["pc-i440fx-1.1"]);
    h2.sysadm(&["zone", "attach", "web"]).ends(1).complains(&["no machine x86_64 pc-i440fx-1.1"]);
    h2.sysadm(&["zone", "attach", "-u", "web"]).ends(0).says(&["zone 'web' was changed: machine"]);
    assert!(!h2.xml("web").contains("pc-i440fx-1.1"));
    h2.start(&["web"]);
    // Never an older one.
    machine("pc-i440fx-99.0");
    h1.sysadm(&["zone", "attach", "-u", "-n", file]).ends(1).complains(&["no machine x86_64 pc-i440fx-99.0"]);
}

#[test]
fn a_virtual_machine_that_its_target_has_or_may_have_is_not_attached() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.configure("[connect]\ntimeout = 3\n");
    h1.define_kvm(&["db"], &[]);
    let file = lab.shared().join("db.xml");
    let file = file.to_str().unwrap();
    h1.sysadm(&["zone", "detach", "db", "--manifest", file]).ends(0);
    h2.sysadm(&["zone", "create", "db", "-a", file]).ends(0);
    h2.sysadm(&["zone", "attach", "db"]).ends(0);
    h1.sysadm(&["zone", "attach", "-F", "db"]).ends(1).complains(&["it is on ssh://root@h2"]);
    h2.kill();
    h1.sysadm(&["zone", "attach", "db"])
        .ends(1)
        .complains(&["was a target of it and may have it", "--not-on h2"]);
    assert_eq!(h1.guests(), "");
    h1.sysadm(&["zone", "attach", "db", "--not-on", "h2"]).ends(0);
    assert_eq!(h1.guests(), "db shut off");
}

#[test]
fn a_machine_that_names_things_of_its_host_is_detached_and_attached_where_these_are() {
    let lab = Lab::new(&["h1", "h2"]);
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.define_kvm(&["db"], &[]);
    let volume = "<disk type='volume' device='disk'><source pool='fast' volume='db.img'/><target dev='vdz' bus='virtio'/></disk></devices>";
    h1.define_xml(&h1.xml("db").replace("</devices>", volume));
    let file = lab.shared().join("db.xml");
    let file = file.to_str().unwrap();
    h1.sysadm(&["zone", "detach", "db", "--manifest", file]).ends(0);
    h2.sysadm(&["zone", "attach", "-n", file]).ends(1).complains(&["no volume db.img of pool fast"]);
    for arguments in [
        &["pool-define-as", "fast", "dir", "--target", "/srv/local"][..],
        &["pool-start", "fast"],
        &["vol-create-as", "fast", "db.img", "1M"],
    ] {
        h2.virsh(arguments).ends(0);
    }
    h2.sysadm(&["zone", "attach", "-n", file]).ends(0);
    h2.sysadm(&["zone", "create", "db", "-a", file]).ends(0);
    h2.sysadm(&["zone", "attach", "db"]).ends(0);
    lab.guests_are(&["h1:", "h2: db shut off"]);
}
