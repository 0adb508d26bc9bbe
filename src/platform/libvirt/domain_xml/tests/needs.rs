//! What each element names of its host, one line for each kind of source of each device.

use super::*;

/// All that a domain names: what is said if it is missing, what stands against its moving, its storage.
fn named(domain: &Domain) -> Vec<String> {
    let disks = domain.disks.iter().map(|disk| {
        let mode = if disk.readonly { "reads" } else { "writes" };
        let presence =
            if disk.presence.is_needed() { String::new() } else { format!(" ({})", disk.presence) };
        format!("{mode} {}: {}{presence}", disk.target, disk.source)
    });
    domain.needs.iter().map(ToString::to_string).chain(obstacles(domain)).chain(disks).collect()
}

#[track_caller]
fn names(virt: &str, inner: &str, expected: &[&str]) {
    let domain = parse(&format!("<domain type='{virt}'>{inner}</domain>")).unwrap();
    assert_eq!(named(&domain), expected, "{inner}");
}

#[track_caller]
fn device(inner: &str, expected: &[&str]) {
    names("kvm", &format!("<devices>{inner}</devices>"), expected);
}

#[test]
fn a_stream_of_characters_names_where_it_comes_from_and_goes_to() {
    let bound = ["no /dev/ttyS7 there", "moves: device of this host (/dev/ttyS7)"];
    for (kind, source, expected) in [
        ("dev", "<source path='/dev/ttyS7'/>", &bound[..]),
        ("file", "<source path='/srv/log/c.log'/>", &["no folder /srv/log there"]),
        ("file", "<source path='/var/log/libvirt/c.log'/>", &[]),
        ("pipe", "<source path='/srv/p'/>", &["no pipe /srv/p there"]),
        ("unix", "<source mode='connect' path='/srv/s'/>", &["no socket /srv/s there"]),
        ("unix", "<source mode='bind' path='/srv/x/s'/>", &["no folder /srv/x there"]),
        ("unix", "<source mode='bind' path='/var/lib/libvirt/qemu/channel/target/x'/>", &[]),
        ("unix", "", &[]),
        (
            "tcp",
            "<source mode='bind' host='192.0.2.7' service='7'/>",
            &["no address 192.0.2.7 there", "port 7 of 192.0.2.7 is in use there"],
        ),
        ("tcp", "<source mode='connect' host='192.0.2.7' service='7'/>", &[]),
        (
            "udp",
            "<source mode='bind' host='192.0.2.7' service='7'/><source mode='connect' host='h' service='8'/>",
            &["no address 192.0.2.7 there"],
        ),
        ("pty", "<source path='/dev/pts/3'/>", &[]),
        ("null", "<log file='/srv/l/a.log'/>", &["no folder /srv/l there"]),
        ("spicevmc", "", &[]),
        ("stdio", "", &[]),
        ("vc", "", &[]),
    ] {
        for element in ["serial", "parallel", "console", "channel", "redirdev"] {
            device(&format!("<{element} type='{kind}'>{source}</{element}>"), expected);
        }
        if kind != "null" {
            device(&format!("<smartcard mode='passthrough' type='{kind}'>{source}</smartcard>"), expected);
            device(&format!("<rng><backend model='egd' type='{kind}'>{source}</backend></rng>"), expected);
        }
    }
}

#[test]
fn devices_of_the_host_are_looked_for_and_hold_the_zone() {
    for (inner, expected) in [
        ("<tpm><backend type='passthrough'><device path='/dev/tpm7'/></backend></tpm>", "/dev/tpm7 TPM"),
        ("<tpm><backend type='passthrough'/></tpm>", "/dev/tpm0 TPM"),
        ("<input type='evdev'><source dev='/dev/input/event7'/></input>", "/dev/input/event7 input device"),
        ("<input type='passthrough'><source evdev='/dev/input/e'/></input>", "/dev/input/e input device"),
        (
            "<interface type='vdpa'><source dev='/dev/vhost-vdpa-7'/></interface>",
            "/dev/vhost-vdpa-7 vDPA device",
        ),
        (
            "<memory model='nvdimm'><source><path>/dev/dax0.0</path></source></memory>",
            "/dev/dax0.0 memory device",
        ),
    ] {
        let (path, what) = expected.split_once(' ').unwrap();
        device(inner, &[&format!("no {path} there"), &format!("moves: {what} of this host ({path})")]);
    }
    device("<smartcard mode='host'/>", &["any: smart card of this host"]);
    device(
        "<smartcard mode='host-certificates'><certificate>a</certificate><database>/srv/db</database></smartcard>",
        &["no folder /srv/db there", "moves: certificates of this host (/srv/db)"],
    );
    let state = "any: emulated TPM: its state lies on this host only";
    let secret = "c2177883-f1bb-47f0-914d-32a22e3a8804";
    device("<tpm><backend type='emulator'/></tpm>", &[state]);
    device(
        &format!("<tpm><backend type='emulator'><encryption secret='{secret}'/></backend></tpm>"),
        &[&format!("no secret {secret} there"), state],
    );
    device(
        "<tpm><backend type='external'><source type='unix' mode='connect' path='/run/t'/></backend></tpm>",
        &["no socket /run/t there"],
    );
}

#[test]
fn a_device_that_is_passed_through_is_looked_for_by_its_address_or_its_kind() {
    let uuid = "c2177883-f1bb-47f0-914d-32a22e3a8804";
    let pci = "<address domain='0x0000' bus='0x3b' slot='0x00' function='0x1'/>";
    let through = |kind: &str| format!("moves: host device passed through ({kind})");
    for (kind, source, need, what) in [
        (
            "pci",
            format!("<source>{pci}</source>"),
            "no PCI device 0000:3b:00.1 there",
            "pci 0x0000:0x3b:0x00:0x1",
        ),
        ("pci", "<source><address bus='../..'/></source>".into(), "", "pci ../.."),
        (
            "usb",
            "<source><vendor id='0x046d'/><product id='0xc52b'/></source>".into(),
            "no USB device 046d:c52b there",
            "usb",
        ),
        (
            "usb",
            "<source startupPolicy='optional'><vendor id='0x046d'/><product id='0xc52b'/></source>".into(),
            "",
            "usb",
        ),
        (
            "usb",
            "<source><address bus='1' device='5'/></source>".into(),
            "no /dev/bus/usb/001/005 there",
            "usb 1:5",
        ),
        (
            "mdev",
            format!("<source><address uuid='{uuid}'/></source>"),
            &format!("no mediated device {uuid} there"),
            &format!("mdev {uuid}"),
        ),
        (
            "scsi",
            "<source><adapter name='scsi_host2'/><address bus='0' target='1' unit='0'/></source>".into(),
            "no SCSI device 0:1:0 of scsi_host2 there",
            "scsi 0:1:0",
        ),
        (
            "scsi_host",
            "<source protocol='vhost' wwpn='naa.5'/>".into(),
            "no /sys/kernel/config/target/vhost/naa.5 there",
            "scsi_host",
        ),
        (
            "storage",
            "<source><block>/dev/sdz</block></source>".into(),
            "no /dev/sdz there",
            "storage /dev/sdz",
        ),
        ("misc", "<source><char>/dev/rtc9</char></source>".into(), "no /dev/rtc9 there", "misc /dev/rtc9"),
        (
            "net",
            "<source><interface>eth9</interface></source>".into(),
            "no network device eth9 there",
            "net eth9",
        ),
    ] {
        let obstacle = through(what);
        let all: Vec<_> = [need, &obstacle].into_iter().filter(|text| !text.is_empty()).collect();
        device(&format!("<hostdev type='{kind}'>{source}</hostdev>"), &all);
    }
    device(
        "<hostdev type='scsi'><source protocol='iscsi' name='iqn'><host name='s' port='3260'/></source></hostdev>",
        &["moves: host device passed through (scsi)", "writes hostdev: iscsi://s:3260"],
    );
    device(
        &format!("<interface type='hostdev'><source>{pci}</source></interface>"),
        &["no PCI device 0000:3b:00.1 there", "moves: network device of this host passed through"],
    );
}

#[test]
fn each_kind_of_interface_names_what_it_is_made_of() {
    for (kind, inner, expected) in [
        ("ethernet", "<filterref filter='clean'/>", &["no network filter clean there"][..]),
        ("ethernet", "<script path='/srv/up.sh'/>", &["no program /srv/up.sh there"]),
        ("ethernet", "<target dev='tap7' managed='no'/>", &["no network device tap7 there"]),
        ("ethernet", "<target dev='tap7'/>", &[]),
        ("ethernet", "<backend tap='/dev/t' vhost='/dev/v'/>", &["no /dev/t there", "no /dev/v there"]),
        ("bridge", "<source bridge='br0'/><driver name='vhost'/>", &["no /dev/vhost-net there"]),
        ("bridge", "<source bridge='b'/><virtualport type='openvswitch'/>", &["no program ovs-vsctl there"]),
        ("bridge", "<source bridge='b'/><virtualport type='midonet'/>", &["no program mm-ctl there"]),
        ("direct", "<source dev='e'/><virtualport type='802.1Qbg'/>", &["no program lldpad there"]),
        ("network", "<source network='lan' portgroup='blue'/>", &["no port group blue of network lan there"]),
        ("vhostuser", "<source type='unix' path='/run/x/s' mode='client'/>", &["no socket /run/x/s there"]),
        ("vhostuser", "<source type='unix' path='/run/x/s' mode='server'/>", &["no folder /run/x there"]),
        ("server", "<source address='192.0.2.7' port='7'/>", &["no address 192.0.2.7 there"]),
        ("client", "<source address='192.0.2.7' port='7'/>", &[]),
        ("mcast", "<source address='230.0.0.1' port='7'/>", &[]),
        (
            "udp",
            "<source address='192.0.2.8' port='7'><local address='192.0.2.7' port='8'/></source>",
            &["no address 192.0.2.7 there"],
        ),
        (
            "user",
            "<source dev='eth7'/><backend type='passt' logFile='/srv/l/p.log'/>\
             <portForward proto='tcp' address='192.0.2.7'/>",
            &["no network device eth7 there", "no folder /srv/l there", "no address 192.0.2.7 there"],
        ),
        ("null", "", &[]),
        ("internal", "<source name='x'/>", &[]),
    ] {
        device(&format!("<interface type='{kind}'>{inner}</interface>"), expected);
    }
}

#[test]
fn displays_sounds_and_numbers_name_what_they_come_from() {
    for (inner, expected) in [
        (
            "<graphics type='vnc' listen='192.0.2.7'><listen type='address' address='192.0.2.7'/></graphics>",
            &["no address 192.0.2.7 there"][..],
        ),
        ("<graphics type='rdp' listen='::7'/>", &["no address ::7 there"]),
        (
            "<graphics type='spice' listen='1.2.3.4'><listen type='network' network='m' address='1.2.3.4'/></graphics>",
            &["no active network m there"],
        ),
        (
            "<graphics type='vnc'><listen type='socket' socket='/srv/v/s'/></graphics>",
            &["no folder /srv/v there"],
        ),
        ("<graphics type='vnc'><listen type='socket'/></graphics>", &[]),
        ("<graphics type='spice'><listen type='none'/><gl enable='no'/></graphics>", &[]),
        (
            "<graphics type='spice'><gl enable='yes' rendernode='/dev/dri/renderD129'/></graphics>",
            &["no /dev/dri/renderD129 there"],
        ),
        ("<graphics type='egl-headless'/>", &["no render node in /dev/dri there"]),
        (
            "<graphics type='sdl' display=':0' xauth='/root/.x'/>",
            &["no /root/.x there", "moves: window on a screen of this host (sdl)"],
        ),
        ("<graphics type='dbus' address='unix:path=/run/d'/>", &["no socket /run/d there"]),
        (
            "<video><model type='virtio'><acceleration accel3d='yes'/></model></video>",
            &["live: its display draws in 3D (virgl), which QEMU does not move"],
        ),
        (
            "<video><driver name='vhostuser'/><model type='virtio'><acceleration accel3d='yes' rendernode='/dev/r'/>\
             </model></video>",
            &["no /dev/r there"],
        ),
        ("<graphics type='vnc' port='-1' autoport='yes'/>", &[]),
        ("<graphics type='vnc' port='5907' autoport='no'/>", &["port 5907 of 127.0.0.1 is in use there"]),
        (
            "<graphics type='spice' port='5907' tlsPort='5908' listen='::1'/>",
            &["port 5907 of ::1 is in use there", "port 5908 of ::1 is in use there", "no address ::1 there"],
        ),
        (
            "<vsock><cid auto='no' address='7'/></vsock>",
            &["no /dev/vhost-vsock there", "another zone has the number 7 (vsock) there"],
        ),
        ("<audio type='file' path='/srv/a/a.wav'/>", &["no folder /srv/a there"]),
        (
            "<audio type='oss'><input dev='/dev/dsp0'/><output dev='/dev/dsp1'/></audio>",
            &["no /dev/dsp0 there", "no /dev/dsp1 there"],
        ),
        ("<audio type='none'/><sound model='ich9'/>", &[]),
        ("<rng><backend model='random'>/dev/hwrng7</backend></rng>", &["no /dev/hwrng7 there"]),
        ("<rng><backend model='random'/></rng>", &["no /dev/urandom there"]),
        ("<rng><backend model='builtin'/></rng>", &[]),
        ("<vsock><cid auto='yes'/></vsock>", &["no /dev/vhost-vsock there"]),
        ("<interface type='null'><rom file='/srv/r.bin'/></interface>", &["reads rom: /srv/r.bin"]),
        (
            "<panic model='isa'/><iommu model='intel'/><watchdog model='itco'/><memballoon model='virtio'/>",
            &[],
        ),
        (
            "<shmem name='x'><server path='/run/s'/></shmem>",
            &["no socket /run/s there", "any: memory shared with other processes of this host (shmem)"],
        ),
    ] {
        device(inner, expected);
    }
}

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
                "no PCI device 0000:01:00.0 there".into(),
                "writes vda: /a".into(),
                "writes vda (data): /raw".into(),
            ],
        ),
        (
            "block",
            "<source dev='/dev/x'><reservations managed='no'><source type='unix' path='/run/pr' mode='client'/>\
             </reservations></source>",
            vec!["no socket /run/pr there".into(), "writes vda: /dev/x".into()],
        ),
        (
            "block",
            "<source dev='/dev/x'><reservations managed='yes'/></source>",
            vec!["no program qemu-pr-helper there".into(), "writes vda: /dev/x".into()],
        ),
        (
            "nvme",
            "<source type='pci'><address bus='0x01'/></source>",
            vec!["no PCI device 0000:01:00.0 there".into(), odd("nvme")],
        ),
        (
            "vhostuser",
            "<source type='unix' path='/run/b'/>",
            vec!["no socket /run/b there".into(), odd("vhostuser")],
        ),
        (
            "vhostvdpa",
            "<source dev='/dev/vhost-vdpa-1'/>",
            vec!["no /dev/vhost-vdpa-1 there".into(), odd("vhostvdpa")],
        ),
        (
            "volume",
            "<source pool='p' volume='v'/>",
            vec!["no volume v of pool p there".into(), odd("volume")],
        ),
        ("network", "<source protocol='rbd' name='p/v'/>", vec!["writes vda: rbd://".into()]),
        (
            "network",
            "<source protocol='rbd' name='p/v'><config file='/etc/ceph/b.conf'/></source>",
            vec!["writes vda: rbd://conf:/etc/ceph/b.conf".into()],
        ),
        (
            "network",
            "<source protocol='rbd' name='p/v'><host name='::1' port='6789'/><host name='m'/><config file='/c'/></source>",
            vec!["no /c there".into(), "writes vda: rbd://[::1]:6789,m".into()],
        ),
        (
            "network",
            "<source protocol='nbd'><host transport='unix' socket='/run/n'/></source>",
            vec!["writes vda: nbd://unix:/run/n".into()],
        ),
        (
            "network",
            "<source protocol='gluster'><host name='g' port='24008' transport='rdma'/></source>",
            vec!["writes vda: gluster://rdma:g:24008".into()],
        ),
        (
            "network",
            "<source protocol='ssh'><host name='s'/><identity username='u' keyfile='/root/k' agentsock='/run/a'/>\
             <knownHosts path='/root/h'/></source>",
            vec![
                "no socket /run/a there".into(),
                "no /root/k there".into(),
                "no /root/h there".into(),
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
        &["no memory node 1 there, nor 2", "no huge pages of 2M there"],
    );
    device("<memory model='dimm'><source><pagesize unit='KiB'>4</pagesize></source></memory>", &[]);
    device("<memory model='sgx-epc'/>", &["no /dev/sgx_vepc there"]);
    device("<pstore backend='acpi-erst'><path>/srv/p</path></pstore>", &["writes pstore: /srv/p (made)"]);
    device("<lease><target path='/srv/l'/></lease>", &["writes lease: /srv/l"]);
}

#[test]
fn folders_of_the_host_are_storage_of_containers_and_of_machines() {
    let folder = "<devices><filesystem type='mount'><binary path='/usr/libexec/virtiofsd'/><source dir='/srv/f'/>\
                  <target dir='/f'/></filesystem></devices>";
    let shared = "live: folder of this host shared into the zone (/f)";
    let program = "no program /usr/libexec/virtiofsd there";
    names("kvm", folder, &[program, shared, "writes filesystem /f: /srv/f"]);
    names("lxc", folder, &[program, "writes /f: /srv/f"]);
    device(
        "<filesystem><source socket='/run/v'/><target dir='t'/><readonly/></filesystem>",
        &[
            "no socket /run/v there",
            "live: folder of this host shared into the zone (t)",
            "moves: folder served by a process of this host (t)",
        ],
    );
    names(
        "lxc",
        "<devices><filesystem type='volume'><source pool='p' volume='v'/><target dir='/f'/></filesystem>\
         <filesystem type='ram'><source usage='1'/><target dir='/t'/></filesystem></devices>",
        &[
            "no volume v of pool p there",
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
                "no volume v of pool p there",
                "moves: nvram: storage of type 'volume' cannot be checked at a destination",
            ],
        ),
        ("<sysinfo type='fwcfg'><entry name='opt/x' file='/f'/></sysinfo>", &["reads fwcfg: /f"]),
        ("<bootloader>/usr/bin/pygrub</bootloader>", &["no program /usr/bin/pygrub there"]),
    ] {
        names("kvm", inner, expected);
    }
}

#[test]
fn processors_memory_and_their_tuning_name_what_their_host_must_have() {
    let invtsc = "live: its processor must have an invariant time stamp counter (invtsc) and no frequency is stated for that";
    let require = "<cpu mode='host-passthrough'><feature policy='require' name='invtsc'/></cpu>";
    for (inner, expected) in [
        ("<vcpu cpuset='500-503'>1</vcpu>", &["no processor 500 there, nor 501-503"][..]),
        ("<vcpu placement='auto'>1</vcpu>", &["no program numad there"]),
        (
            "<cputune><vcpupin vcpu='0' cpuset='500'/><emulatorpin cpuset='7'/><iothreadpin cpuset='9'/></cputune>",
            &["no processor 7 there, nor 9,500"],
        ),
        ("<cputune><shares>5</shares><quota>7</quota></cputune>", &["no control groups of cpu there"]),
        ("<cputune><vcpusched vcpus='0' scheduler='fifo'/></cputune>", &[]),
        ("<cputune><cachetune vcpus='0'/><memorytune/></cputune>", &["no /sys/fs/resctrl/info there"]),
        ("<memtune><hard_limit>5</hard_limit></memtune>", &["no control groups of memory there"]),
        ("<memtune/><blkiotune/>", &[]),
        (
            "<blkiotune><weight>5</weight><device><path>/dev/sdz</path></device></blkiotune>",
            &["no control groups of io there", "no /dev/sdz there"],
        ),
        (
            "<numatune><memory mode='strict' nodeset='0,7'/><memnode nodeset='8'/></numatune>",
            &["no memory node 0 there, nor 7-8"],
        ),
        ("<numatune><memory placement='auto'/></numatune>", &["no program numad there"]),
        ("<memoryBacking><hugepages/></memoryBacking>", &["no huge pages there"]),
        (
            "<memoryBacking><hugepages><page size='1' unit='G'/><page size='2048' nodeset='1'/></hugepages></memoryBacking>",
            &["no huge pages of 1G there", "no huge pages of 2M there"],
        ),
        (require, &[invtsc]),
        ("<cpu mode='custom'><model>EPYC</model><feature name='invtsc'/></cpu>", &[invtsc]),
        ("<cpu><feature policy='disable' name='invtsc'/></cpu>", &[]),
        ("<cpu mode='host-passthrough' migratable='on'/>", &[]),
        (
            "<cpu mode='host-passthrough' migratable='off'/>",
            &["live: its processor must have all of its host's and no frequency is stated for that"],
        ),
        (
            &format!("{require}<clock><timer name='tsc' frequency='2000000000'/></clock>"),
            &["no time stamp counter of 2000000000 Hz there"],
        ),
        ("<perf><event name='cmt' enabled='yes'/></perf>", &["no /sys/devices/intel_cqm/type there"]),
        ("<perf><event name='cpu_cycles' enabled='yes'/><event name='cmt' enabled='no'/></perf>", &[]),
        (
            "<resource><partition>/machine/a</partition><fibrechannel appid='x'/></resource>",
            &["no /sys/class/fc/fc_udev_device/appid_store there"],
        ),
    ] {
        names("kvm", inner, expected);
    }
}

#[test]
fn guards_and_the_words_of_others_name_things_of_the_host_too() {
    for (virt, inner, expected) in [
        ("kvm", "<seclabel type='dynamic' model='selinux'/>", &["no security driver selinux there"][..]),
        ("kvm", "<seclabel type='none'/>", &[]),
        (
            "kvm",
            "<seclabel type='static' model='dac'><label>qemu:kvm</label></seclabel>",
            &["no security driver dac there", "no user qemu there"],
        ),
        (
            "kvm",
            "<seclabel type='static' model='dac'><label>+107:+107</label></seclabel>",
            &["no security driver dac there"],
        ),
        (
            "kvm",
            "<devices><disk type='file'><source file='/x'><seclabel model='apparmor' relabel='no'/></source></disk></devices>",
            &["no security driver apparmor there", "writes : /x"],
        ),
        (
            "kvm",
            "<launchSecurity type='sev'><policy>1</policy></launchSecurity>",
            &["live: its memory is guarded from its host (sev)"],
        ),
        (
            "kvm",
            "<launchSecurity type='tdx'><quoteGenerationService path='/run/qgs'/></launchSecurity>",
            &["no socket /run/qgs there", "live: its memory is guarded from its host (tdx)"],
        ),
        (
            "kvm",
            "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:arg value='-drive'/>\
             <q:arg value='file=/srv/d/x.img,id=x'/><q:arg value='vfio-pci,sysfsdev=/sys/bus/x'/>\
             <q:env name='A' value='/dev/snd'/><q:arg value='a/b'/></q:commandline>",
            &["no folder /srv/d there", "no /sys/bus/x there", "no /dev/snd there"],
        ),
        (
            "lxc",
            "<l:namespace xmlns:l='http://libvirt.org/schemas/domain/lxc/1.0'><l:sharenet type='netns' value='red'/>\
             <l:shareipc type='pid' value='7'/><l:shareuts type='name' value='box'/></l:namespace>",
            &[
                "no /run/netns/red there",
                "any: its ipc is that of the process 7 of this host",
                "any: its uts is that of the container box of this host",
            ],
        ),
        (
            "lxc",
            "<devices><emulator>/usr/lib/libvirt/libvirt_lxc</emulator></devices>",
            &["no program /usr/lib/libvirt/libvirt_lxc there"],
        ),
        ("kvm", "<devices><emulator>/usr/bin/q</emulator></devices>", &[]),
        (
            "kvm",
            "<metadata><x><seclabel model='selinux'/><secret uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></x></metadata>",
            &[],
        ),
    ] {
        names(virt, inner, expected);
    }
}
