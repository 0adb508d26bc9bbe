//! Zones whose names are arbitrary text, and guests that cannot be handled.

use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;
use sysadm_model::UnmanagedGuest;

use crate::environment::Environment;

/// h1 has zones with these platform names, and h2 accepts them.
fn site(names: &[&str]) -> Environment {
    let mut site = Environment::new();
    site.start_agents(&["h1", "h2"]);
    for name in names {
        site.done("h1", &format!("sim create '{name}' --disk nfs"));
    }
    site.done("h1", "target set --default rads://h2");
    site
}

#[test]
fn a_zone_of_any_name_is_listed_planned_and_moved_there_and_back() {
    let site = site(&["Windows 10", "müller", "web1"]);
    site.done("h1", "sim start 'Windows 10'");
    assert_snapshot!(site.run("h1", "zone list -ip"), @r"
    0:global:running:/::linux:shared:-::
    1:Windows%2010:running::UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU:kvm:excl:-::
    -:m%C3%BCller:installed::UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU:kvm:excl:-::
    -:web1:installed::UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU:kvm:excl:-::
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -na"), @r"
    sysadm: preparing zones for evacuation ... 3/3
    ZONENAME         BRAND  METHOD DEST             SIZE   START   TIME   DOWNTIME
    Windows%2010     kvm    live   rads://h2        4G     +TIME   ~4.2s  ~50ms
    m%C3%BCller      kvm    cold   rads://h2        NNNB   +TIME   ~1.0s  -
    web1             kvm    cold   rads://h2        NNNB   +TIME   ~1.0s  -
    sysadm: dry-run succeeded
    [done]
    ");
    assert_snapshot!(site.run("h1", "plan --drain rads://h1 --to rads://h2 -a"), @r"
    START   ZONENAME         ACTION   FROM             TO               TIME    DOWNTIME RATE
    +TIME   Windows%2010     live     rads://h1        rads://h2        ~4.2s   ~50ms    1G/s
    +TIME   m%C3%BCller      cold     rads://h1        rads://h2        ~1.0s   ~0ms     1G/s
    +TIME   web1             cold     rads://h1        rads://h2        ~1.0s   ~0ms     1G/s
    sysadm: 3 move(s) to 1 host(s), policy spread: estimated duration TIME (at most TIME; theoretical minimum TIME)
    [done]
    ");
    site.done("h1", "maintain -s");
    site.done("h1", "evacuate -a");
    assert_eq!(site.location("Windows%2010"), "h2 running");
    assert_eq!(site.location("m%C3%BCller"), "h2 installed");
    assert_snapshot!(site.run("h1", "evacuate -l -p -o ZONENAME,STATE,DEST"), @r"
    Windows%2010:EVACUATED:rads\://h2
    m%C3%BCller:EVACUATED:rads\://h2
    web1:EVACUATED:rads\://h2
    [done]
    ");
    site.done("h1", "maintain -e");
    site.done("h1", "evacuate -ra");
    assert_eq!(site.location("Windows%2010"), "h1 running");
    assert_eq!(site.location("m%C3%BCller"), "h1 installed");
}

/// The UUID of a zone, as a host lists it.
fn uuid(site: &Environment, host: &str, zone: &str) -> String {
    let output = site.command(host, "zone list -cp").output().unwrap();
    let list = String::from_utf8(output.stdout).unwrap();
    let found = list.lines().find(|line| line.split(':').nth(1) == Some(zone));
    found.unwrap().split(':').nth(4).unwrap().to_owned()
}

#[test]
fn a_zone_is_named_as_it_is_listed_as_its_platform_calls_it_or_by_its_uuid() {
    let site = site(&["Windows 10", "web1"]);
    let uuid = uuid(&site, "h1", "Windows%2010");
    for zone in ["Windows%2010", "'Windows 10'", &uuid] {
        for command in [
            "evacuate -n ZONE",
            "target set ZONE rads://h2",
            "target unset ZONE",
            "zone migrate -n ZONE rads://h2",
            "zone detach -n ZONE",
            "zone standby ZONE",
            "sim start ZONE",
            "sim fault refuse --zone ZONE",
            "sim fault clear",
            "sim stop ZONE",
            "zone detach ZONE",
            "zone attach ZONE",
            "maintain -s",
            "evacuate ZONE",
            "maintain -e",
            "evacuate -r ZONE",
            "zone migrate ZONE rads://h2",
            "zone delete -F ZONE",
        ] {
            site.done("h1", &command.replace("ZONE", zone));
        }
        assert_eq!(site.location("Windows%2010"), "h2 installed");
        site.done("h2", &format!("zone migrate {zone} rads://h1"));
        site.done("h2", &format!("zone delete -F {zone}"));
    }
    site.done("h1", "maintain -s");
    site.done("h1", &format!("evacuate {uuid}"));
    assert_snapshot!(site.run("h1", &format!("evacuate --forget {uuid}")), @r"
    sysadm: Windows%2010: record discarded; it was last on rads://h2 and is now configured here
    ------- stderr -------
    hint: if no other host has it: sysadm zone attach Windows%2010
    hint: to delete its configuration: sysadm zone delete Windows%2010
    [done]
    ");
}

#[test]
fn what_is_typed_is_no_other_zone() {
    let site = site(&["web1", "Windows 10"]);
    // A zone with another one's UUID as its name.
    let uuid = uuid(&site, "h1", "web1");
    site.done("h1", &format!("sim create {uuid}"));
    let printed = site.command("h1", &format!("zone detach -n {uuid}")).output().unwrap();
    let manifest = String::from_utf8(printed.stdout).unwrap();
    assert!(manifest.contains(&format!("name=\"{uuid}\"")), "{manifest}");
    for (typed, told) in [
        ("'Windows 11'", "no such zone: Windows%2011"),
        ("windows%2010", "no such zone: windows%2010"),
        ("%77eb1", "no such zone: %2577eb1"),
        ("00000000-0000-0000-0000-000000000001", "no such zone: "),
        ("' web1'", "no such zone: %20web1"),
    ] {
        let printed = site.run("h1", &format!("evacuate -n {typed}"));
        assert!(printed.status == Some(1) && printed.stderr.contains(told), "{typed}: {printed}");
    }
    for typed in ["../x", "global", "''", "a/b"] {
        let printed = site.run("h1", &format!("evacuate -n {typed}"));
        assert_eq!(printed.status, Some(2), "{typed}: {printed}");
    }
}

#[test]
fn a_guest_that_cannot_be_handled_is_told_of_wherever_all_are_meant() {
    let site = site(&["web1"]);
    let unmanaged_guest = |running| UnmanagedGuest {
        name: if running { "twin".into() } else { "a\nb".into() },
        uuid: None,
        reason: "it was told to be odd".into(),
        hint: None,
        running,
    };
    site.set_host("h1", |host| host.unmanaged = vec![unmanaged_guest(false)]);
    assert_snapshot!(site.run("h1", "evacuate -n"), @r"
    sysadm: nothing to evacuate
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -na"), @r#"
    sysadm: preparing zones for evacuation ... 1/1
    ZONENAME         BRAND  METHOD DEST             SIZE   START   TIME   DOWNTIME
    web1             kvm    cold   rads://h2        NNNB   +TIME   ~1.0s  -
    ------- stderr -------
    sysadm: "a\nb" does not run and cannot be handled: it was told to be odd
    sysadm: dry-run failed: 1 of 2 zone(s) cannot move
    [exit status 3]
    "#);
    assert_snapshot!(site.run("h1", "host inventory"), @r#"
    HOST                     FREE   MEMORY CPUS LOAD ZONES HYPERVISOR STATE
    h1                       64G    64G    16   0.0  0/2   0.1.0      in service
    rads://h2                64G    64G    16   0.0  0/0   0.1.0      in service
    ------- stderr -------
    sysadm: h1: "a\nb" does not run and cannot be handled: it was told to be odd
    [done]
    "#);
    assert!(site.run("h1", "host inventory --json").stdout.contains("\"name\": \"a\\nb\""));
    assert_snapshot!(site.run("h1", "plan --drain rads://h1 --to rads://h2 -a"), @r#"
    START   ZONENAME         ACTION   FROM             TO               TIME    DOWNTIME RATE
    +TIME   web1             cold     rads://h1        rads://h2        ~1.0s   ~0ms     1G/s
    sysadm: 1 move(s) to 1 host(s), policy spread: estimated duration TIME (at most TIME; theoretical minimum TIME); 1 zone(s) could not be placed
    ------- stderr -------
    sysadm: "a\nb" stays on rads://h1: it cannot be handled: it was told to be odd
    [exit status 3]
    "#);
    assert_snapshot!(site.run("h1", "plan --drain rads://h1 --to rads://h2"), @r"
    sysadm: 0 move(s) to 0 host(s), policy spread: estimated duration TIME (at most TIME; theoretical minimum TIME)
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone standby"), @r#"
    sysadm: copied the manifests of 1 zone(s) to 1 host(s)
    ------- stderr -------
    sysadm: not copied: "a\nb" does not run and cannot be handled: it was told to be odd
    [exit status 3]
    "#);
    assert_snapshot!(site.run("h1", "zone list -i"), @r#"
    global
    web1
    ------- stderr -------
    sysadm: not listed: "a\nb" does not run and cannot be handled: it was told to be odd
    [done]
    "#);
    site.done("h1", "maintain -s");
    assert_snapshot!(site.run("h1", "evacuate -a"), @r#"
    sysadm: preparing zones for evacuation ... 1/1
    sysadm: evacuating zones ... 1/1
    ------- stderr -------
    sysadm: evacuation not complete: 1 of 2 zone(s) moved, 1 cannot be handled.
    sysadm: "a\nb" does not run and cannot be handled: it was told to be odd
    [exit status 3]
    "#);
    assert_snapshot!(site.run("h1", "evacuate -l"), @r#"
    ZONENAME         STATE     DEST                                     ERROR
    web1             EVACUATED rads://h2                                -
    sysadm: in maintenance; no zone is running here, safe to reboot; 1 installed zone(s) left: "a\nb"
    ------- stderr -------
    sysadm: "a\nb" does not run and cannot be handled: it was told to be odd
    [done]
    "#);
    site.set_host("h1", |host| host.unmanaged = vec![unmanaged_guest(true)]);
    assert_snapshot!(site.run("h1", "evacuate"), @r"
    ------- stderr -------
    sysadm: evacuation not complete: 0 of 1 zone(s) moved, 1 cannot be handled, 1 still running here.
    sysadm: twin runs and cannot be handled: it was told to be odd
    [exit status 3]
    ");
    assert_snapshot!(site.run("h1", "evacuate twin"), @r"
    ------- stderr -------
    sysadm: twin runs and cannot be handled: it was told to be odd
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    ZONENAME         STATE     DEST                                     ERROR
    web1             EVACUATED rads://h2                                -
    sysadm: in maintenance; 1 zone(s) still running here: twin
    ------- stderr -------
    sysadm: twin runs and cannot be handled: it was told to be odd
    [done]
    ");
}

#[test]
fn a_zone_of_which_its_location_does_not_tell_is_neither_gone_nor_given_up() {
    let site = site(&["web1"]);
    let uuid = uuid(&site, "h1", "web1").parse().unwrap();
    site.done("h1", "maintain -s");
    site.done("h1", "evacuate -a");
    site.done("h1", "maintain -e");
    let (name, reason) = ("web1".to_owned(), "it was told to be odd".to_owned());
    let unmanaged_guest = UnmanagedGuest { name, uuid: Some(uuid), reason, hint: None, running: false };
    site.set_host("h2", |host| host.unmanaged = vec![unmanaged_guest]);
    assert_snapshot!(site.run("h1", "evacuate -ra"), @r"
    sysadm: preparing zones for return ... 1/1
    ------- stderr -------
    sysadm: return not complete: 0 of 1 zone(s) moved, 1 failed.
    sysadm: web1: failed: on h2: web1 does not run and cannot be handled: it was told to be odd
    [exit status 1]
    ");
    // Nor is it attached here besides that.
    assert_snapshot!(site.run("h1", "evacuate -l -p -o ZONENAME,STATE"), @r"
    web1:FAILED
    [done]
    ");
    site.set_host("h2", |_| {});
    site.done("h1", "evacuate -ra");
    assert_eq!(site.location("web1"), "h1 installed");
}

#[test]
fn a_move_is_not_settled_while_its_destination_does_not_tell_of_the_zone() {
    let site = site(&["web1"]);
    let uuid = uuid(&site, "h1", "web1").parse().unwrap();
    site.done("h1", "maintain -s");
    std::fs::write(site.paths("h1").state_dir().join("failpoint"), "source.after.detach kill\n").unwrap();
    let struck = site.run("h1", "evacuate -a");
    assert_eq!(struck.status, None, "{struck}");
    let (name, reason) = ("web1".to_owned(), "it was told to be odd".to_owned());
    let unmanaged_guest = UnmanagedGuest { name, uuid: Some(uuid), reason, hint: None, running: false };
    site.set_host("h2", |host| host.unmanaged = vec![unmanaged_guest]);
    assert_snapshot!(site.run("h1", "evacuate --resume"), @r"
    ------- stderr -------
    sysadm: web1: its location is unknown: it is not on h1, h2 does not answer
    hint: when both h1 and h2 answer, run 'sysadm evacuate --resume'
    [exit status 5]
    ");
    site.set_host("h2", |_| {});
    site.done("h1", "evacuate --resume");
    assert_eq!(site.location("web1"), "h2 installed");
}

/// A virsh that lists three domains: one is complete, one has a name of two lines, and one cannot be described.
const VIRSH: &str = r#"#!/bin/sh
tells=00511286-3319-4f84-a168-e5fcdfb0de45 silent=6b5bd03f-ed22-41e2-9128-dadfae40d005
case "$*" in
    *" list "*) printf '%s - %s\n' $tells ' Windows 10 ' 7a3de1f4-0000-4000-8000-000000000001 'two
lines' $silent silent; exit ;;
    *" dominfo $silent") echo "error: internal error: it is broken" >&2; exit 1 ;;
esac
for script; do :; done
printf '%s\n' "$script" | tr ';' '\n' | while read -r command first second; do
    case "$command $first" in
        "echo --str") echo "$second" ;;
        "dominfo $tells") printf '%s\n' 'Id:             -' 'Name:            Windows 10 ' "UUID:           $tells" \
            'State:          shut off' 'CPU(s):         1' 'Max memory:     1024 KiB' ;;
        "domstate --reason") echo 'shut off (unknown)' ;;
        "hostname ") echo h1 ;;
    esac
done
"#;

#[test]
fn a_domain_that_libvirt_does_not_tell_of_is_not_left_out() {
    let site = Environment::new();
    std::fs::write(site.paths("h1").config(), "host = \"h1\"\nplatform = \"libvirt\"\n").unwrap();
    std::fs::create_dir_all(site.at("bin")).unwrap();
    std::fs::write(site.at("bin/virsh"), VIRSH).unwrap();
    std::fs::set_permissions(site.at("bin/virsh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = |line: &str| {
        let mut command = site.command("h1", line);
        command.env("PATH", format!("{}:/usr/bin:/bin", site.at("bin").display()));
        site.finish(command)
    };
    assert_snapshot!(run("zone list -ip"), @r#"
    0:global:running:/::linux:shared:-::
    -:%20Windows%2010%20:installed::UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU:kvm:excl:-::
    ------- stderr -------
    sysadm: not listed: "two\nlines" does not run and cannot be handled: zone name "two\nlines": '\n' is not allowed in a zone name
    hint: when it is down, rename it: virsh domrename UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU NAME
    sysadm: not listed: silent does not run and cannot be handled: virsh dominfo UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU failed (exit status: 1): internal error: it is broken
    [done]
    "#);
    assert_snapshot!(run("evacuate -l"), @r#"
    sysadm: no active evacuation
    sysadm: not in maintenance; no zone is running here, 3 installed
    ------- stderr -------
    sysadm: "two\nlines" does not run and cannot be handled: zone name "two\nlines": '\n' is not allowed in a zone name
    hint: when it is down, rename it: virsh domrename UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU NAME
    sysadm: silent does not run and cannot be handled: virsh dominfo UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU failed (exit status: 1): internal error: it is broken
    [done]
    "#);
}
