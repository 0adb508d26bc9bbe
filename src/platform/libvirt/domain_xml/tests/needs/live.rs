//! What QEMU cannot migrate live, by the words of `qemu -only-migratable` and its migration blockers.

use super::*;

#[test]
fn a_device_that_qemu_has_no_stream_for_holds_the_zone_while_it_runs() {
    for (inner, name) in [
        ("<crypto model='virtio' type='qemu'><backend model='builtin'/></crypto>", "crypto device"),
        ("<iommu model='amd'/>", "IOMMU amd"),
        ("<controller type='nvme' index='0'><serial>x</serial></controller>", "controller nvme"),
        ("<interface type='user'><model type='usb-net'/></interface>", "network card usb-net"),
        ("<serial type='pty'><target type='usb-serial' port='0'/></serial>", "serial port on USB"),
        ("<sound model='usb'/><sound model='usb'/>", "sound card usb"),
        ("<sound model='virtio' streams='2'/>", "sound card virtio"),
    ] {
        device(inner, &[&format!("live: QEMU does not move a {name} while the zone runs")]);
    }
    for inner in [
        "<iommu model='intel'/><iommu model='virtio'/><iommu model='smmuv3'/>",
        "<controller type='usb' model='qemu-xhci'/><controller type='scsi' model='virtio-scsi'/>",
        "<interface type='user'><model type='e1000'/></interface><sound model='ich9'/><sound/>",
        "<serial type='pty'><target type='isa-serial' port='0'/></serial>",
    ] {
        device(inner, &[]);
    }
}

#[test]
fn a_disk_in_a_format_that_qemu_does_not_move_holds_the_zone_while_it_runs() {
    let disk = |format: &str, below: &str| {
        let store = format!(
            "<backingStore type='file'><format type='{below}'/><source file='/b'/><backingStore/></backingStore>"
        );
        format!(
            "<disk type='file'><driver name='qemu' type='{format}'/><source file='/a'/>{store}<target dev='vda'/></disk>"
        )
    };
    let stored = ["writes vda: /a", "reads vda (backing): /b"];
    for format in ["ploop", "qcow", "vdi", "vhd", "vmdk", "vpc"] {
        let said = format!("live: disk vda has format {format}, which QEMU does not move");
        device(&disk(format, "raw"), &[&said, stored[0], stored[1]]);
        device(&disk("qcow2", format), &[&said, stored[0], stored[1]]);
    }
    for format in ["raw", "qcow2", "qed", "luks", "iso"] {
        device(&disk(format, format), &stored);
    }
}

#[test]
fn all_that_the_host_can_do_for_windows_does_not_move_while_the_zone_runs() {
    let said = "live: all Hyper-V features of the host are passed through, which QEMU does not migrate";
    names("kvm", "<features><acpi/><hyperv mode='passthrough'/></features>", &[said]);
    names("kvm", "<features><hyperv mode='custom'><relaxed state='on'/></hyperv></features>", &[]);
    names("kvm", "<features><hyperv mode='host-model'/></features>", &[]);
}
