//! Other users of a host, who can see the names of the migrations' folders in the lists of processes and sockets:
//! a name does not let them in, and a migration's token is not visible.

use std::collections::BTreeSet;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::failpoints::{order_to_wait, wait_until_reached};
use crate::harness::{Host, Lab};
use crate::tokens::tokens_in;

/// The user that QEMU runs as outside of labs.
const QEMU: &str = "libvirt-qemu";

/// Connects, looks around, and tries to listen there instead.
const STRANGER: &str = r#"use IO::Socket::UNIX;
    for my $socket ("ctl", "mem") {
        IO::Socket::UNIX->new(Peer => "$ARGV[0]/$socket") and print "connected to $socket\n";
    }
    opendir(my $list, $ARGV[0]) and print "may list\n";
    IO::Socket::UNIX->new(Local => "$ARGV[0]/other", Listen => 1) and print "may listen\n";
    print "done\n";"#;

/// Two hosts whose QEMUs do not run as root.
fn lab() -> Lab {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    std::fs::set_permissions(lab.folder(), std::fs::Permissions::from_mode(0o711)).unwrap();
    for host in lab.hosts() {
        let settings = host.path("etc/libvirt/qemu.conf");
        let text = std::fs::read_to_string(&settings).unwrap();
        let text = text
            .replace("user = \"root\"\ngroup = \"root\"", &format!("user = \"{QEMU}\"\ngroup = \"{QEMU}\""));
        assert!(text.contains(QEMU), "{text}");
        // The kernel is shared with other labs, where QEMU is root: so former owners are not recorded.
        std::fs::write(&settings, text + "remember_owner = 0\n").unwrap();
        host.libvirtd("restart");
    }
    lab
}

fn uid_of(user: &str) -> u32 {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = passwd.lines().find_map(|line| line.strip_prefix(user)?.strip_prefix(":x:")).unwrap();
    line.split(':').next().unwrap().parse().unwrap()
}

/// Owner and mode, in octal.
fn access(path: &Path) -> (u32, String) {
    let about = std::fs::symlink_metadata(path).unwrap();
    (about.uid(), format!("{:o}", about.mode() & 0o7777))
}

/// The folders of the host's migrations in progress.
fn folders(host: Host<'_>) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(host.path("run/sysadm")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect()
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap().to_str().unwrap().to_owned()
}

/// Arguments and environment of every process of the machine, and the sockets of the hosts.
fn shown(lab: &Lab) -> Vec<u8> {
    let processes = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let files = processes.flat_map(|process| ["cmdline", "environ"].map(|file| process.join(file)));
    let mut text = files.flat_map(|file| std::fs::read(file).unwrap_or_default()).collect::<Vec<_>>();
    for host in lab.hosts() {
        text.extend(host.run(&["cat", "/proc/net/unix"]).ends(0).stdout.into_bytes());
    }
    text
}

/// Everything that sysadm, libvirt and QEMU have written: logs, states, the database.
fn written(folder: &Path, text: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            written(&entry.path(), text);
        } else if kind.is_file() {
            text.extend(std::fs::read(entry.path()).unwrap_or_default());
        } else {
            assert!(kind.is_symlink() || kind.is_socket() || kind.is_fifo(), "{entry:?}");
        }
    }
}

/// What user nobody can do with the name of a folder.
fn unmanaged_guest(host: Host<'_>, folder: &Path) -> String {
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let folder = format!("/run/sysadm/{}", name(folder));
    host.run(&[&nobody[..], &["perl", "-e", STRANGER, &folder]].concat()).ends(0).stdout
}

#[test]
fn a_live_migration_shows_no_token_and_lets_in_nobody_but_root_and_qemu() {
    let lab = lab();
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.configure("[libvirt]\nbandwidth = 2\n");
    h1.run_kvm(&["web"], &[]);
    h1.maintain();

    // When its arrival is prepared and nothing has connected yet.
    let point = "destination.after.prepare".parse().unwrap();
    let go_on = order_to_wait(h2, point);
    let run = h1.start_sysadm(&["evacuate", "-v"]);
    wait_until_reached(h2, point);
    let [there] = <[PathBuf; 1]>::try_from(folders(h2)).unwrap();
    let names = BTreeSet::from([name(&there)]);
    let mark = there.with_extension("expected");
    assert_eq!(access(&there), (uid_of(QEMU), "700".to_owned()));
    assert_eq!(access(&mark), (0, "600".to_owned()));
    assert_eq!(unmanaged_guest(h2, &there), "done\n");
    let mut seen = shown(&lab);

    // While its memory is sent.
    go_on();
    h1.wait_until_sent("web", 3);
    let [here] = <[PathBuf; 1]>::try_from(folders(h1)).unwrap();
    assert_eq!(name(&here), name(&there));
    for path in [here.clone(), here.join("ctl"), here.join("mem")] {
        let is_socket = std::fs::symlink_metadata(&path).unwrap().file_type().is_socket();
        let mode = if is_socket { "600" } else { "700" };
        assert_eq!(access(&path), (0, mode.to_owned()), "{}", path.display());
    }
    assert_eq!(access(&there), (uid_of(QEMU), "700".to_owned()));
    assert_eq!(access(&there.join("mem")).0, uid_of(QEMU));
    for (host, folder) in [(h1, &here), (h2, &there)] {
        assert_eq!(unmanaged_guest(host, folder), "done\n", "{}", host.name);
    }
    let now = shown(&lab);
    let text = String::from_utf8_lossy(&now).replace('\0', " ");
    // The search covers the places where a token would be.
    assert!(text.contains(&format!("unix:///run/sysadm/{}/mem", name(&here))), "no virsh is seen");
    assert!(text.contains(&format!("/run/sysadm/{}/ctl", name(&here))), "no socket is seen");
    assert!(text.contains("-incoming defer"), "the arriving QEMU is told where it listens by its monitor");
    seen.extend(now);

    let ended = run.wait(180).ends(0);
    lab.guests_are(&["h1:", "h2: web running"]);
    assert!(folders(h1).is_empty() && folders(h2).is_empty() && !mark.exists());
    seen.extend(ended.stdout.into_bytes());
    seen.extend(ended.stderr.into_bytes());
    for host in lab.hosts() {
        written(&host.path(""), &mut seen);
    }
    assert_eq!(tokens_in(&seen, &names), [""; 0]);
}

#[test]
fn a_zone_that_names_its_own_user_arrives_in_a_folder_of_that_user() {
    let lab = lab();
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.define_kvm(&["web"], &[]);
    let label =
        "<seclabel type='static' model='dac' relabel='yes'><label>root:root</label></seclabel></domain>";
    h1.define_xml(&h1.xml("web").replace("</domain>", label));
    h1.start(&["web"]);
    h1.maintain();
    let point = "destination.after.prepare".parse().unwrap();
    let go_on = order_to_wait(h2, point);
    let run = h1.start_sysadm(&["evacuate"]);
    wait_until_reached(h2, point);
    let [there] = <[PathBuf; 1]>::try_from(folders(h2)).unwrap();
    assert_eq!(access(&there), (0, "700".to_owned()));
    go_on();
    run.wait(120).ends(0);
    lab.guests_are(&["h1:", "h2: web running"]);
}
