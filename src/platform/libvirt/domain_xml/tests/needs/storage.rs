//! Disks, folders, memory in files, and boot files.

use super::*;

#[test]
fn storage_of_every_kind_is_found_with_what_it_needs_beside_itself() {
    let disk = |kind: &str, inner: &str| format!("<disk type='{kind}'>{inner}<target dev='vda'/></disk>");
    let odd =
        |kind: &str| format!("moves: disk vda: storage of type '{kind}' cannot be checked at a destination");
    for (kind, inner, expected) in [
        (
            "file",
            "<source file='/a'/><transient/>",
            vec![
                "live: disk vda is transient: libvirt moves no such disk while the zone runs".into(),
                "writes vda: /a".into(),
            ],
        ),
        (
            "file",
            "<source file='/a'/><mirror type='file'/>",
            vec!["live: disk vda is being copied (a block job)".into(), "writes vda: /a".into()],
        ),
        (
            "dir",
            "<source dir='/d'/>",
            vec![
                "live: disk vda is a folder that the zone writes to as a disk".into(),
                "writes vda: /d".into(),
            ],
        ),
        (
            "file",
            "<source file='/a'><dataStore type='file'><source file='/raw'/></dataStore></source>\
             <backingStore type='nvme'><source type='pci'><address bus='1'/></source></backingStore>",
            vec![
                "no PCI device 0000:01:00.0".into(),
                "writes vda: /a".into(),
                "writes vda (data): /raw".into(),
            ],
        ),
        (
            "block",
            "<source dev='/dev/x'><reservations managed='no'><source type='unix' path='/run/pr' mode='client'/>\
             </reservations></source>",
            vec!["no socket /run/pr".into(), "writes vda: /dev/x".into()],
        ),
        (
            "block",
            "<source dev='/dev/x'><reservations managed='yes'/></source>",
            vec!["no program qemu-pr-helper".into(), "writes vda: /dev/x".into()],
        ),
        (
            "nvme",
            "<source type='pci'><address bus='0x01'/></source>",
            vec!["no PCI device 0000:01:00.0".into(), odd("nvme")],
        ),
        (
            "vhostuser",
            "<source type='unix' path='/run/b'/>",
            vec!["no socket /run/b".into(), odd("vhostuser")],
        ),
        (
            "vhostvdpa",
            "<source dev='/dev/vhost-vdpa-1'/>",
            vec!["no /dev/vhost-vdpa-1".into(), odd("vhostvdpa")],
        ),
        ("volume", "<source pool='p' volume='v'/>", vec!["no volume v of pool p".into(), odd("volume")]),
        ("network", "<source protocol='rbd' name='p/v'/>", vec!["writes vda: rbd:p/v".into()]),
        (
            "network",
            "<source protocol='rbd' name='p/v'><config file='/etc/ceph/b.conf'/></source>",
            vec!["writes vda: rbd://conf:%2Fetc%2Fceph%2Fb.conf/p/v".into()],
        ),
        (
            "network",
            "<source protocol='rbd' name='p/v'><host name='::1' port='6789'/><host name='m'/><config file='/c'/></source>",
            vec!["no /c".into(), "writes vda: rbd://[::1]:6789,m/p/v".into()],
        ),
        (
            "network",
            "<source protocol='nbd'><host transport='unix' socket='/run/n'/></source>",
            vec!["writes vda: nbd://unix:%2Frun%2Fn".into()],
        ),
        (
            "network",
            "<source protocol='gluster'><host name='g' port='24008' transport='rdma'/></source>",
            vec!["writes vda: gluster://rdma:g:24008".into()],
        ),
        (
            "network",
            "<source protocol='nfs'><host name='s'/><identity user='qemu' group='+7'/></source>",
            vec!["no user qemu".into(), "writes vda: nfs://s".into()],
        ),
        (
            "network",
            "<source protocol='ssh'><host name='s'/><identity username='u' keyfile='/root/k' agentsock='/run/a'/>\
             <knownHosts path='/root/h'/></source>",
            vec![
                "no socket /run/a".into(),
                "no /root/k".into(),
                "no /root/h".into(),
                "writes vda: ssh://s".into(),
            ],
        ),
    ] {
        device(&disk(kind, inner), &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
    device(
        "<memory model='nvdimm'><source><path>/srv/n.img</path></source><target/></memory>",
        &["writes memory: /srv/n.img"],
    );
    device(
        "<memory model='nvdimm'><source><path>/srv/n.img</path></source><target><readonly/></target></memory>",
        &["reads memory: /srv/n.img"],
    );
    device(
        "<memory model='dimm'><source><pagesize unit='KiB'>2048</pagesize><nodemask>1-2</nodemask></source></memory>",
        &["no memory node 1, nor 2", "no huge pages of 2M"],
    );
    device("<memory model='dimm'><source><pagesize unit='KiB'>4</pagesize></source></memory>", &[]);
    device("<memory model='sgx-epc'/>", &["no /dev/sgx_vepc"]);
    device("<pstore backend='acpi-erst'><path>/srv/p</path></pstore>", &["writes pstore: /srv/p (made)"]);
    device("<lease><target path='/srv/l'/></lease>", &["writes lease: /srv/l"]);
}

#[test]
fn folders_of_the_host_are_storage_of_containers_and_of_machines() {
    let folder = "<devices><filesystem type='mount'><binary path='/usr/libexec/virtiofsd'/><source dir='/srv/f'/>\
                  <target dir='/f'/></filesystem></devices>";
    let shared = "live: folder of this host shared into the zone (/f)";
    let program = "no program /usr/libexec/virtiofsd";
    names("kvm", folder, &[program, shared, "writes filesystem /f: /srv/f"]);
    names("lxc", folder, &[program, "writes /f: /srv/f"]);
    device(
        "<filesystem><source socket='/run/v'/><target dir='t'/><readonly/></filesystem>",
        &[
            "no socket /run/v",
            "live: folder of this host shared into the zone (t)",
            "moves: folder served by a process of this host (t)",
        ],
    );
    let chosen = "<filesystem><driver type='virtiofs'/><source dir='/srv/f'/><target dir='/f'/></filesystem>";
    device(chosen, &["no vhost-user program of type fs", shared, "writes filesystem /f: /srv/f"]);
    let image = |driver: &str| {
        format!(
            "<devices><filesystem type='file'><driver type='{driver}' format='qcow2'/><source file='/srv/i'/>\
             <target dir='/'/></filesystem></devices>"
        )
    };
    names("lxc", &image("nbd"), &["no program qemu-nbd", "writes /: /srv/i"]);
    names("lxc", &image("loop"), &["writes /: /srv/i"]);
    names(
        "lxc",
        "<devices><filesystem type='volume'><source pool='p' volume='v'/><target dir='/f'/></filesystem>\
         <filesystem type='ram'><source usage='1'/><target dir='/t'/></filesystem>\
         <filesystem type='bind'><source dir='/inside'/><target dir='/i'/></filesystem></devices>",
        &[
            "no volume v of pool p",
            "moves: folder /f: storage of type 'volume' cannot be checked at a destination",
        ],
    );
}

#[test]
fn media_that_may_be_missing_are_told_from_those_that_may_not() {
    let presence = |root: &str, device: &str, policy: &str| {
        let disk = format!(
            "<domain type='kvm' {root}><devices><disk type='file' device='{device}'>\
             <source file='/x' startupPolicy='{policy}'/></disk></devices></domain>"
        );
        parse(&disk).unwrap().disks[0].presence.as_str()
    };
    for (device, policy, at_rest, running) in [
        ("cdrom", "optional", "optional", "optional"),
        ("floppy", "optional", "optional", "optional"),
        ("disk", "optional", "optional", "needed"),
        ("cdrom", "requisite", "needed", "optional"),
        ("cdrom", "mandatory", "needed", "needed"),
        ("cdrom", "", "needed", "needed"),
    ] {
        assert_eq!(presence("", device, policy), at_rest, "{device} {policy}");
        assert_eq!(presence("id='3'", device, policy), running, "{device} {policy}");
    }
}

#[test]
fn what_a_zone_boots_from_is_read_and_its_nvram_may_be_made() {
    for (inner, expected) in [
        (
            "<os><loader>/c.fd</loader><nvram template='/t.fd'>/v.fd</nvram></os>",
            &["reads loader: /c.fd", "writes nvram: /v.fd (made)", "reads nvram template: /t.fd"][..],
        ),
        ("<os firmware='efi'><nvram>/v.fd</nvram></os>", &["writes nvram: /v.fd (made)"]),
        ("<os><nvram>/v.fd</nvram></os>", &["writes nvram: /v.fd"]),
        (
            "<os><loader readonly='yes' type='pflash'>/c.fd</loader><nvram>/v.fd</nvram></os>",
            &["reads loader: /c.fd", "writes nvram: /v.fd (made)"],
        ),
        (
            "<os><loader type='rom'>/c.fd</loader><nvram>/v.fd</nvram></os>",
            &["reads loader: /c.fd", "writes nvram: /v.fd"],
        ),
        (
            "<os><varstore template='/t.json' path='/v.json'/></os>",
            &["writes varstore: /v.json (made)", "reads varstore template: /t.json"],
        ),
        (
            "<os><kernel>/k</kernel><initrd>/i</initrd><dtb>/d</dtb><shim>/s</shim><cmdline>x=/y</cmdline></os>",
            &["reads kernel: /k", "reads initrd: /i", "reads dtb: /d", "reads shim: /s"],
        ),
        ("<os><acpi><table type='slic'>/s.dat</table></acpi></os>", &["reads acpi table: /s.dat"]),
        (
            "<os><nvram type='volume'><source pool='p' volume='v'/></nvram></os>",
            &[
                "no volume v of pool p",
                "moves: nvram: storage of type 'volume' cannot be checked at a destination",
            ],
        ),
        ("<sysinfo type='fwcfg'><entry name='opt/x' file='/f'/></sysinfo>", &["reads fwcfg: /f"]),
        ("<bootloader>/usr/bin/pygrub</bootloader>", &["no program /usr/bin/pygrub"]),
    ] {
        names("kvm", inner, expected);
    }
}
