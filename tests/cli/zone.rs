//! `sysadm zone list`.

use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;

use crate::environment::Environment;

#[test]
fn zones_are_listed_as_zoneadm_does_it() {
    let site = Environment::new();
    site.run_zone("h1", "web", |_| {});
    site.make_zone("h1", "old", |_| {});
    assert_snapshot!(site.run("h1", "zone list"), @r"
    global
    web
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone list -i"), @r"
    global
    old
    web
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone list -cv"), @r"
      ID NAME             STATUS      PATH                 BRAND      IP
       0 global           running     /                    linux      shared
       - old              installed   -                    kvm        excl
       1 web              running     -                    kvm        excl
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone list -inp"), @r"
    -:old:installed::UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU:kvm:excl:-::
    1:web:running::UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU:kvm:excl:-::
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone list -vp"), @r"
    ------- stderr -------
    sysadm: the argument '--verbose' cannot be used with '--parsable'
    Usage: sysadm zone list --verbose
    [exit status 2]
    ");
}

#[test]
fn evacuated_zones_are_configured() {
    let site = Environment::empty();
    assert_snapshot!(site.run("h1", "zone list -cv"), @r"
      ID NAME             STATUS      PATH                 BRAND      IP
       0 global           running     /                    linux      shared
       - evac1            configured  -                    kvm        excl
       - evac2            configured  -                    kvm        excl
       - evac3            configured  -                    kvm        excl
       - evac4            configured  -                    kvm        excl
       - tzone1           configured  -                    lxc        excl
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone list -i"), @r"
    global
    [done]
    ");
    assert_snapshot!(site.run("h2", "zone list -icv"), @r"
      ID NAME             STATUS      PATH                 BRAND      IP
       0 global           running     /                    linux      shared
       1 evac1            running     -                    kvm        excl
       2 evac2            running     -                    kvm        excl
       3 evac3            running     -                    kvm        excl
       - evac4            installed   -                    kvm        excl
       - tzone1           installed   -                    lxc        excl
    [done]
    ");
}

/// A virsh that lists two domains, of which the second is gone when it is asked for. Like the real one it
/// continues after a failed command, and ends as its last command did.
const VIRSH: &str = r#"#!/bin/sh
stays=00511286-3319-4f84-a168-e5fcdfb0de45 goes=6b5bd03f-ed22-41e2-9128-dadfae40d005
case "$*" in
    *" list "*)
        echo "$stays 1 stays"
        [ -e "$0.asked" ] || echo "$goes 2 goes"
        exit ;;
esac
: > "$0.asked"
for script; do :; done
printf '%s\n' "$script" | tr ';' '\n' | {
    while read -r command first second; do
        status=0
        case "$command $first" in
            "echo --str") echo "$second" ;;
            "dominfo $stays") printf '%s\n' 'Id: 1' 'Name: stays' "UUID: $stays" 'State: running' 'CPU(s): 1' 'Max memory: 1024 KiB' ;;
            "domstate --reason") echo 'running (booted)'; [ "$second" = $stays ] || status=1 ;;
            "dominfo $goes") status=1 ;;
            "hostname ") echo h1 ;;
        esac
    done
    [ $status = 0 ] || echo "error: failed to get domain '$goes'" >&2
    exit $status
}
"#;

#[test]
fn a_zone_that_vanishes_while_zones_are_listed_hides_no_other() {
    let site = Environment::new();
    let config = site.paths("h1").config();
    std::fs::write(&config, "host = \"h1\"\nplatform = \"libvirt\"\n").unwrap();
    let virsh = site.at("bin/virsh");
    std::fs::create_dir_all(site.at("bin")).unwrap();
    std::fs::write(&virsh, VIRSH).unwrap();
    std::fs::set_permissions(&virsh, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = site.command("h1", "zone list");
    command.env("PATH", site.at("bin"));
    assert_snapshot!(site.finish(command), @r"
    global
    stays
    [done]
    ");
}
