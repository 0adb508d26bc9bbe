//! What each element names of its host, one line for each kind of source of each device.

mod devices;
mod live;
mod storage;

use super::*;

/// All that a domain names: messages if it is missing, obstacles, storage.
fn named(domain: &Domain) -> Vec<String> {
    let disks = domain.disks.iter().map(|disk| {
        let mode = if disk.readonly { "reads" } else { "writes" };
        let presence =
            if disk.presence.is_needed() { String::new() } else { format!(" ({})", disk.presence) };
        format!("{mode} {}: {}{presence}", disk.target, disk.source.label())
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
fn processors_memory_and_their_tuning_name_what_their_host_must_have() {
    let invtsc =
        "live: its processor has an invariant time stamp counter (invtsc), and no frequency (tsc) is stated";
    let require = "<cpu mode='host-passthrough'><feature policy='require' name='invtsc'/></cpu>";
    for (inner, expected) in [
        ("<vcpu cpuset='500-503'>1</vcpu>", &["no processor 500, nor 501-503"][..]),
        ("<vcpu placement='auto'>1</vcpu>", &["no program numad"]),
        (
            "<cputune><vcpupin vcpu='0' cpuset='500'/><emulatorpin cpuset='7'/><iothreadpin cpuset='9'/></cputune>",
            &["no processor 7, nor 9,500"],
        ),
        ("<cputune><shares>5</shares><quota>7</quota></cputune>", &["no control groups of cpu"]),
        ("<cputune><vcpusched vcpus='0' scheduler='fifo'/></cputune>", &[]),
        ("<cputune><cachetune vcpus='0'/><memorytune/></cputune>", &["no /sys/fs/resctrl/info"]),
        ("<memtune><hard_limit>5</hard_limit></memtune>", &["no control groups of memory"]),
        (
            "<cputune><global_quota>7</global_quota><iothread_period>9</iothread_period></cputune>",
            &["no control groups of cpu"],
        ),
        ("<cputune><energytune vcpus='0-1'/></cputune>", &["no /sys/fs/resctrl/info"]),
        ("<cputune><sometune/></cputune>", &[]),
        ("<memtune/><blkiotune/>", &[]),
        (
            "<blkiotune><weight>5</weight><device><path>/dev/sdz</path></device></blkiotune>",
            &["no control groups of io", "no /dev/sdz"],
        ),
        (
            "<numatune><memory mode='strict' nodeset='0,7'/><memnode nodeset='8'/></numatune>",
            &["no memory node 0, nor 7-8"],
        ),
        ("<numatune><memory placement='auto'/></numatune>", &["no program numad"]),
        ("<memoryBacking><hugepages/></memoryBacking>", &["no huge pages"]),
        (
            "<memoryBacking><hugepages><page size='1' unit='G'/><page size='2048' nodeset='1'/></hugepages></memoryBacking>",
            &["no huge pages of 1G", "no huge pages of 2M"],
        ),
        (require, &[invtsc]),
        ("<cpu mode='custom'><model>EPYC</model><feature name='invtsc'/></cpu>", &[invtsc]),
        ("<cpu><feature policy='disable' name='invtsc'/></cpu>", &[]),
        ("<cpu mode='host-passthrough' migratable='on'/>", &[]),
        (
            "<cpu mode='host-passthrough' migratable='off'/>",
            &["live: its processor has every feature of its host's, and no frequency (tsc) is stated"],
        ),
        (
            &format!("{require}<clock><timer name='tsc' frequency='2000000000'/></clock>"),
            &["no time stamp counter of 2000000000 Hz"],
        ),
        ("<perf><event name='cmt' enabled='yes'/></perf>", &["no /sys/devices/intel_cqm/type"]),
        ("<perf><event name='cpu_cycles' enabled='yes'/><event name='cmt' enabled='no'/></perf>", &[]),
        (
            "<resource><partition>/machine/a</partition><fibrechannel appid='x'/></resource>",
            &["no /sys/class/fc/fc_udev_device/appid_store"],
        ),
    ] {
        names("kvm", inner, expected);
    }
}

#[test]
fn guards_and_the_words_of_others_name_things_of_the_host_too() {
    for (virt, inner, expected) in [
        ("kvm", "<seclabel type='dynamic' model='selinux'/>", &["no security driver selinux"][..]),
        ("kvm", "<seclabel type='none'/>", &[]),
        (
            "kvm",
            "<seclabel type='static' model='dac'><label>qemu:kvm</label></seclabel>",
            &["no security driver dac", "no user qemu", "no group kvm"],
        ),
        (
            "kvm",
            "<seclabel type='static' model='dac'><label>+107:+107</label></seclabel>",
            &["no security driver dac"],
        ),
        (
            "kvm",
            "<devices><disk type='file'><source file='/x'><seclabel model='apparmor' relabel='no'/></source></disk></devices>",
            &["no security driver apparmor", "writes : /x"],
        ),
        (
            "kvm",
            "<launchSecurity type='sev'><policy>1</policy></launchSecurity>",
            &["live: its memory is guarded from its host (sev)"],
        ),
        (
            "kvm",
            "<launchSecurity type='tdx'><quoteGenerationService path='/run/qgs'/></launchSecurity>",
            &["no socket /run/qgs", "live: its memory is guarded from its host (tdx)"],
        ),
        (
            "kvm",
            "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:arg value='-object'/>\
             <q:arg value='{\"qom-type\":\"memory-backend-file\",\"mem-path\":\"/dev/kvmfr7\",\"share\":true}'/>\
             <q:arg value='memory-backend-file,mem-path=/dev/shm/looking-glass'/>\
             <q:arg value='{\"driver\":\"vfio-user-pci\",\"socket\":{\"path\":\"/srv/u/s\"}}'/>\
             <q:arg value='file=https://example.org/x.iso'/><q:arg value='-append'/>\
             <q:arg value='root=/dev/vda1 init=/srv/i/x'/><q:arg value='/'/></q:commandline>",
            &["no /dev/kvmfr7", "no folder /dev/shm", "no folder /srv/u"],
        ),
        ("kvm", "<iommufd enabled='yes'/>", &["no /dev/iommu"]),
        ("kvm", "<iommufd enabled='no'/>", &[]),
        (
            "kvm",
            "<iommufd enabled='yes' fdgroup='x'/>",
            &["any: /dev/iommu passed as a file descriptor when the zone was started (fdgroup)"],
        ),
        (
            "kvm",
            "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:arg value='-drive'/>\
             <q:arg value='file=/srv/d/x.img,id=x'/><q:arg value='vfio-pci,sysfsdev=/sys/bus/x'/>\
             <q:env name='A' value='/dev/snd'/><q:arg value='a/b'/></q:commandline>",
            &["no folder /srv/d", "no /sys/bus/x", "no /dev/snd"],
        ),
        (
            "lxc",
            "<l:namespace xmlns:l='http://libvirt.org/schemas/domain/lxc/1.0'><l:sharenet type='netns' value='red'/>\
             <l:shareipc type='pid' value='7'/><l:shareuts type='name' value='box'/></l:namespace>",
            &[
                "no /run/netns/red",
                "any: its ipc is that of the process 7 of this host",
                "any: its uts is that of the container box of this host",
            ],
        ),
        (
            "lxc",
            "<devices><emulator>/usr/lib/libvirt/libvirt_lxc</emulator></devices>",
            &["no program /usr/lib/libvirt/libvirt_lxc"],
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
