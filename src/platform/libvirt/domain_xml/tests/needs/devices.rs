//! Devices, interfaces, character devices, displays.

use super::*;

#[test]
fn a_stream_of_characters_names_where_it_comes_from_and_goes_to() {
    let bound = ["no /dev/ttyS7", "moves: device of this host (/dev/ttyS7)"];
    for (kind, source, expected) in [
        ("dev", "<source path='/dev/ttyS7'/>", &bound[..]),
        ("file", "<source path='/srv/log/c.log'/>", &["no folder /srv/log"]),
        ("file", "<source path='/var/log/libvirt/c.log'/>", &[]),
        ("pipe", "<source path='/srv/p'/>", &["no pipe /srv/p"]),
        ("unix", "<source mode='connect' path='/srv/s'/>", &["no socket /srv/s"]),
        ("unix", "<source mode='bind' path='/srv/x/s'/>", &["no folder /srv/x"]),
        ("unix", "<source mode='bind' path='/var/lib/libvirt/qemu/channel/target/x'/>", &[]),
        ("unix", "", &[]),
        (
            "tcp",
            "<source mode='bind' host='192.0.2.7' service='7'/>",
            &["no address 192.0.2.7", "port 7 of 192.0.2.7 is in use"],
        ),
        ("tcp", "<source mode='connect' host='192.0.2.7' service='7'/>", &[]),
        (
            "udp",
            "<source mode='bind' host='192.0.2.7' service='7'/><source mode='connect' host='h' service='8'/>",
            &["no address 192.0.2.7"],
        ),
        ("pty", "<source path='/dev/pts/3'/>", &[]),
        ("null", "<log file='/srv/l/a.log'/>", &["no folder /srv/l"]),
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
        device(inner, &[&format!("no {path}"), &format!("moves: {what} of this host ({path})")]);
    }
    device("<smartcard mode='host'/>", &["any: smart card of this host"]);
    device(
        "<smartcard mode='host-certificates'><certificate>a</certificate><database>/srv/db</database></smartcard>",
        &["no folder /srv/db", "moves: certificates of this host (/srv/db)"],
    );
    let state = "any: emulated TPM: its state lies on this host only";
    let secret = "c2177883-f1bb-47f0-914d-32a22e3a8804";
    device("<tpm><backend type='emulator'/></tpm>", &[state]);
    device(
        &format!("<tpm><backend type='emulator'><encryption secret='{secret}'/></backend></tpm>"),
        &[&format!("no secret {secret}"), state],
    );
    let state = "moves: emulated TPM with its state in a place of its own";
    for (kind, path) in [("dir", "/srv/tpm"), ("file", "/srv/tpm.img")] {
        let source = format!("<source type='{kind}' path='{path}'/>");
        device(
            &format!("<tpm><backend type='emulator'>{source}</backend></tpm>"),
            &[state, &format!("writes tpm: {path}")],
        );
    }
    device(
        "<tpm><backend type='external'><source type='unix' mode='connect' path='/run/t'/></backend></tpm>",
        &["no socket /run/t"],
    );
}

#[test]
fn a_device_that_is_passed_through_is_looked_for_by_its_address_or_its_kind() {
    let uuid = "c2177883-f1bb-47f0-914d-32a22e3a8804";
    let pci = "<address domain='0x0000' bus='0x3b' slot='0x00' function='0x1'/>";
    let through = |kind: &str| format!("moves: host device passed through ({kind})");
    for (kind, source, need, what) in [
        ("pci", format!("<source>{pci}</source>"), "no PCI device 0000:3b:00.1", "pci 0x0000:0x3b:0x00:0x1"),
        ("pci", "<source><address bus='../..'/></source>".into(), "", "pci ../.."),
        (
            "usb",
            "<source><vendor id='0x046d'/><product id='0xc52b'/></source>".into(),
            "no USB device 046d:c52b",
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
            "no /dev/bus/usb/001/005",
            "usb 1:5",
        ),
        (
            "mdev",
            format!("<source><address uuid='{uuid}'/></source>"),
            &format!("no mediated device {uuid}"),
            &format!("mdev {uuid}"),
        ),
        (
            "scsi",
            "<source><adapter name='scsi_host2'/><address bus='0' target='1' unit='0'/></source>".into(),
            "no SCSI device 0:1:0 of scsi_host2",
            "scsi 0:1:0",
        ),
        (
            "scsi_host",
            "<source protocol='vhost' wwpn='naa.5'/>".into(),
            "no /sys/kernel/config/target/vhost/naa.5",
            "scsi_host",
        ),
        ("storage", "<source><block>/dev/sdz</block></source>".into(), "no /dev/sdz", "storage /dev/sdz"),
        ("misc", "<source><char>/dev/rtc9</char></source>".into(), "no /dev/rtc9", "misc /dev/rtc9"),
        ("net", "<source><interface>eth9</interface></source>".into(), "no network device eth9", "net eth9"),
    ] {
        let obstacle = through(what);
        let all: Vec<_> = [need, &obstacle].into_iter().filter(|text| !text.is_empty()).collect();
        device(&format!("<hostdev type='{kind}'>{source}</hostdev>"), &all);
    }
    device(
        "<hostdev type='scsi'><source protocol='iscsi' name='iqn'><host name='s' port='3260'/></source></hostdev>",
        &["moves: host device passed through (scsi)", "writes hostdev: iscsi://s:3260/iqn"],
    );
    device(
        &format!("<hostdev type='pci'><driver name='vfio' iommufd='yes'/><source>{pci}</source></hostdev>"),
        &["no /dev/iommu", "no PCI device 0000:3b:00.1", &through("pci 0x0000:0x3b:0x00:0x1")],
    );
    device(
        &format!("<interface type='hostdev'><source>{pci}</source></interface>"),
        &["no PCI device 0000:3b:00.1", "moves: network device of this host passed through"],
    );
}

#[test]
fn each_kind_of_interface_names_what_it_is_made_of() {
    for (kind, inner, expected) in [
        ("ethernet", "<filterref filter='clean'/>", &["no network filter clean"][..]),
        ("ethernet", "<script path='/srv/up.sh'/>", &["no program /srv/up.sh"]),
        ("ethernet", "<target dev='tap7' managed='no'/>", &["no network device tap7"]),
        ("ethernet", "<target dev='tap7'/>", &[]),
        ("ethernet", "<backend tap='/dev/t' vhost='/dev/v'/>", &["no /dev/t", "no /dev/v"]),
        ("bridge", "<source bridge='br0'/><driver name='vhost'/>", &["no /dev/vhost-net"]),
        ("bridge", "<source bridge='b'/><virtualport type='openvswitch'/>", &["no program ovs-vsctl"]),
        ("bridge", "<source bridge='b'/><virtualport type='midonet'/>", &["no program mm-ctl"]),
        ("direct", "<source dev='e'/><virtualport type='802.1Qbg'/>", &["no program lldpad"]),
        ("network", "<source network='lan' portgroup='blue'/>", &["no port group blue of network lan"]),
        ("vhostuser", "<source type='unix' path='/run/x/s' mode='client'/>", &["no socket /run/x/s"]),
        ("vhostuser", "<source type='unix' path='/run/x/s' mode='server'/>", &["no folder /run/x"]),
        (
            "vhostuser",
            "<source dev='eth7'/><backend type='passt'/>",
            &["no network device eth7", "no program passt"],
        ),
        (
            "hostdev",
            "<source><address type='usb' bus='1' device='5'/></source>",
            &["no /dev/bus/usb/001/005", "moves: network device of this host passed through"],
        ),
        ("server", "<source address='192.0.2.7' port='7'/>", &["no address 192.0.2.7"]),
        ("client", "<source address='192.0.2.7' port='7'/>", &[]),
        ("mcast", "<source address='230.0.0.1' port='7'/>", &[]),
        (
            "udp",
            "<source address='192.0.2.8' port='7'><local address='192.0.2.7' port='8'/></source>",
            &["no address 192.0.2.7"],
        ),
        (
            "user",
            "<source dev='eth7'/><backend type='passt' logFile='/srv/l/p.log'/>\
             <portForward proto='tcp' address='192.0.2.7'/>",
            &["no network device eth7", "no folder /srv/l", "no program passt", "no address 192.0.2.7"],
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
            &["no address 192.0.2.7"][..],
        ),
        ("<graphics type='rdp' listen='::7'/>", &["no address ::7"]),
        (
            "<graphics type='spice' listen='1.2.3.4'><listen type='network' network='m' address='1.2.3.4'/></graphics>",
            &["no active network m"],
        ),
        ("<graphics type='vnc'><listen type='socket' socket='/srv/v/s'/></graphics>", &["no folder /srv/v"]),
        ("<graphics type='vnc'><listen type='socket'/></graphics>", &[]),
        ("<graphics type='spice'><listen type='none'/><gl enable='no'/></graphics>", &[]),
        (
            "<graphics type='spice'><gl enable='yes' rendernode='/dev/dri/renderD129'/></graphics>",
            &["no /dev/dri/renderD129"],
        ),
        ("<graphics type='egl-headless'/>", &["no render node in /dev/dri"]),
        (
            "<graphics type='sdl' display=':0' xauth='/root/.x'/>",
            &["no /root/.x", "moves: window on a screen of this host (sdl)"],
        ),
        ("<graphics type='dbus' address='unix:path=/run/d'/>", &["no socket /run/d"]),
        (
            "<video><model type='virtio'><acceleration accel3d='yes'/></model></video>",
            &["live: its display draws in 3D (virgl), which QEMU does not move"],
        ),
        (
            "<video><driver name='vhostuser'/><model type='virtio'><acceleration accel3d='yes' rendernode='/dev/r'/>\
             </model></video>",
            &["no /dev/r", "no vhost-user program of type gpu"],
        ),
        ("<graphics type='vnc' port='-1' autoport='yes'/>", &[]),
        ("<graphics type='vnc' port='5907' autoport='no'/>", &["port 5907 of 127.0.0.1 is in use"]),
        (
            "<graphics type='spice' port='5907' tlsPort='5908' listen='::1'/>",
            &["port 5907 of ::1 is in use", "port 5908 of ::1 is in use", "no address ::1"],
        ),
        (
            "<vsock><cid auto='no' address='7'/></vsock>",
            &["no /dev/vhost-vsock", "another zone has the number 7 (vsock)"],
        ),
        ("<audio type='file' path='/srv/a/a.wav'/>", &["no folder /srv/a"]),
        (
            "<audio type='oss'><input dev='/dev/dsp0'/><output dev='/dev/dsp1'/></audio>",
            &["no /dev/dsp0", "no /dev/dsp1"],
        ),
        ("<audio type='none'/><sound model='ich9'/>", &[]),
        ("<rng><backend model='random'>/dev/hwrng7</backend></rng>", &["no /dev/hwrng7"]),
        ("<rng><backend model='random'/></rng>", &["no /dev/urandom"]),
        ("<rng><backend model='builtin'/></rng>", &[]),
        ("<vsock><cid auto='yes'/></vsock>", &["no /dev/vhost-vsock"]),
        ("<vsock><cid auto='yes' address='7'/></vsock>", &["no /dev/vhost-vsock"]),
        ("<audio type='pipewire' runtimeDir='/run/user/7'/>", &["no folder /run/user/7"]),
        ("<interface type='null'><rom file='/srv/r.bin'/></interface>", &["reads rom: /srv/r.bin"]),
        (
            "<panic model='isa'/><iommu model='intel'/><watchdog model='itco'/><memballoon model='virtio'/>",
            &[],
        ),
        (
            "<shmem name='x'><server path='/run/s'/></shmem>",
            &["no socket /run/s", "any: memory shared with other processes of this host (shmem)"],
        ),
    ] {
        device(inner, expected);
    }
}
