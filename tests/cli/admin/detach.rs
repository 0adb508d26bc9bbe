//! What detaching does, and for which zones it is refused.

use insta::assert_snapshot;

use super::{document_of, manifest_of, pipe, site};
use crate::environment::Environment;

#[test]
fn a_detached_zone_is_configured_with_its_zonepath_until_it_is_attached_again() {
    let site = site();
    assert_snapshot!(site.run("h1", "zone detach web1"), @"[done]");
    assert_snapshot!(site.run("h1", "zone detach box1"), @"[done]");
    assert_snapshot!(site.run("h1", "zone list -cv"), @r"
      ID NAME             STATUS      PATH                 BRAND      IP
       0 global           running     /                    linux      shared
       - box1             configured  /SITE/nfs/box1 lxc        excl
       - web1             configured  -                    kvm        excl
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone list -cnp"), @r"
    -:box1:configured:/SITE/nfs/box1:UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU:lxc:excl:-::
    -:web1:configured::UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU:kvm:excl:-::
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone list -i"), @r"
    global
    [done]
    ");
    let manifest = manifest_of(&site, "nfs/box1/SUNWdetached.xml");
    assert_eq!(manifest.zone.name.as_str(), "box1");
    assert_snapshot!(site.run("h1", "zone detach box1"), @r"
    ------- stderr -------
    sysadm: zone 'box1' is configured, and only installed zones can be detached
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "zone attach -u web1"), @"[done]");
    assert_snapshot!(site.run("h1", "zone attach box1"), @"[done]");
    assert!(!site.at("nfs/box1/SUNWdetached.xml").exists());
    assert_eq!(std::fs::read_dir(site.at("nfs/box1")).unwrap().count(), 1, "only its root is left");
    assert_snapshot!(site.run("h1", "zone list -cv"), @r"
      ID NAME             STATUS      PATH                 BRAND      IP
       0 global           running     /                    linux      shared
       - box1             installed   /SITE/nfs/box1 lxc        excl
       - web1             installed   -                    kvm        excl
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone attach box1"), @r"
    ------- stderr -------
    sysadm: zone 'box1' is installed, and only configured zones can be attached
    [exit status 1]
    ");
    assert!(document_of(&site, "h1", "web1").1.zone.autostart, "it boots with its host as before");
}

#[test]
fn a_zonepath_is_escaped_for_programs() {
    let site = Environment::new();
    site.done("h1", &format!("sim create box1 --zonepath {}", site.at("nfs/a:b").display()));
    assert_snapshot!(site.run("h1", "zone list -cnp"), @r"
    -:box1:installed:/SITE/nfs/a\:b:UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU:lxc:excl:-::
    [done]
    ");
}

#[test]
fn a_zone_that_does_not_rest_where_it_is_is_not_detached() {
    let site = Environment::story();
    assert_snapshot!(site.run("h1", "zone detach evac1"), @r"
    ------- stderr -------
    sysadm: zone 'evac1' is running
    hint: shut it down first
    hint: or move it while it is running: sysadm zone migrate evac1 URI
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "zone detach nobody"), @r"
    ------- stderr -------
    sysadm: no such zone: nobody
    [exit status 1]
    ");
    site.done("h1", "maintain -s");
    site.done("h1", "evacuate -q --action suspend evac1");
    site.done("h1", "evacuate -q evac2");
    assert_snapshot!(site.run("h1", "zone detach evac1"), @r"
    ------- stderr -------
    sysadm: zone 'evac1' was stopped by an evacuation, and is booted on return
    hint: boot it: sysadm evacuate -r evac1
    hint: or keep it down: sysadm evacuate --forget evac1
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "zone detach evac2"), @r"
    ------- stderr -------
    sysadm: zone 'evac2' is away at rads://h2
    hint: bring it back: sysadm evacuate -r evac2
    hint: if it exists nowhere else, 'sysadm evacuate --forget evac2' makes it configured here
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "zone attach evac2"), @r"
    ------- stderr -------
    sysadm: zone 'evac2' is away at rads://h2
    hint: bring it back: sysadm evacuate -r evac2
    hint: if it exists nowhere else, 'sysadm evacuate --forget evac2' makes it configured here
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "zone detach evac4"), @"[done]");
    assert_snapshot!(site.run("h1", "zone attach evac4"), @r"
    ------- stderr -------
    sysadm: zone 'evac4' was not attached to h1:
        maintenance: h1 is in maintenance (admin since YYYY-MM-DD HH:MM by USER)
    [exit status 4]
    ");
    assert_snapshot!(site.run("h1", "zone detach evac3 -n --manifest x"), @r"
    ------- stderr -------
    sysadm: the argument '--print' cannot be used with '--manifest <FILE>'
    Usage: sysadm zone detach --print <ZONE>
    [exit status 2]
    ");
}

#[test]
fn a_zone_whose_host_says_that_it_cannot_leave_is_not_detached() {
    let site = Environment::new();
    site.make_zone("h1", "web1", |spec| {
        spec.obstacles = vec!["it holds a device".into(), "a snapshot".into()]
    });
    assert_snapshot!(site.run("h1", "zone detach web1"), @r"
    ------- stderr -------
    sysadm: zone 'web1' cannot leave: it holds a device; a snapshot
    [exit status 1]
    ");
    assert_snapshot!(pipe(&site, ("h1", "zone detach -n web1"), ("h2", "zone attach -n -")), @r"
    ------- stderr -------
    sysadm: zone 'web1' does not fit on h2:
        zone: it holds a device
        zone: a snapshot
    [exit status 1]
    ");
}

#[test]
fn a_zone_never_takes_the_place_of_one_of_its_name_that_is_configured() {
    let mut site = site();
    site.start_agents(&["h1", "h2"]);
    site.done("h1", "zone detach web1");
    site.make_zone("h2", "web1", |_| {});
    // It does not arrive where another zone's only configuration may be,
    site.done("h2", "target set --default rads://h1");
    site.done("h2", "maintain -s");
    assert_snapshot!(site.run("h2", "evacuate -na"), @r"
    sysadm: preparing zones for evacuation ... 1/1
    ZONENAME         BRAND  METHOD DEST             SIZE   START   TIME   DOWNTIME
    web1             kvm    -      rads://h1        -      -       -      -
    ------- stderr -------
    sysadm: web1: rads://h1: another zone called web1 is configured there
    sysadm: dry-run failed: 1 of 1 zone(s) cannot move
    [exit status 1]
    ");
    // and one that was defined in libvirt directly is not detached there.
    site.make_zone("h1", "web1", |_| {});
    assert_snapshot!(site.run("h1", "zone detach web1"), @r"
    ------- stderr -------
    sysadm: zone 'web1': another zone of this name is configured here (UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU), perhaps its only configuration
    hint: rename one of them
    hint: or delete the configured one: sysadm zone delete web1
    [exit status 1]
    ");
    site.done("h1", "zone delete -F web1");
    site.done("h1", "zone detach web1");
}

#[test]
fn a_copy_of_the_manifest_is_for_its_owner_only_and_replaces_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let site = site();
    let copy = site.at("web1.xml");
    let line = format!("zone detach web1 --manifest {}", copy.display());
    std::fs::write(&copy, "mine").unwrap();
    assert_snapshot!(site.run("h1", &line), @r"
    ------- stderr -------
    sysadm: /SITE/web1.xml already exists; nothing was changed
    hint: move it away first
    [exit status 1]
    ");
    assert_eq!(site.location("web1"), "h1 installed");
    std::fs::remove_file(&copy).unwrap();
    site.done("h1", &line);
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(manifest_of(&site, "web1.xml").zone.name.as_str(), "web1");
}

#[test]
fn what_is_done_with_a_zone_is_in_the_system_log() {
    let site = site();
    let log = site.system_log("h1");
    let zonepath = site.at("nfs/box1").display().to_string();
    for (line, expected) in [
        ("zone detach box1".to_owned(), "zone 'box1' detached by "),
        ("zone delete -F box1".to_owned(), ") deleted by "),
        (format!("zone create box1 -a {zonepath}"), ") created by "),
        ("zone attach -F box1".to_owned(), ", validation skipped (-F)"),
    ] {
        site.done("h1", &line);
        let text = log();
        assert!(text.contains(expected), "{line}: {text}");
    }
}

#[test]
fn zones_are_neither_detached_nor_attached_while_zones_move() {
    let site = site();
    site.done("h1", "zone detach box1");
    let _run = sysadm::testing::run_lock::RunLock::take(
        &site.paths("h1"),
        sysadm::testing::store::Direction::Evacuate,
    )
    .unwrap();
    assert_snapshot!(site.run("h1", "zone detach web1"), @r"
    ------- stderr -------
    sysadm: another evacuation, return or migration is in progress (evacuate, pid PID)
    hint: 'sysadm evacuate -l' shows its progress
    [exit status 4]
    ");
    assert_snapshot!(site.run("h1", "zone attach box1"), @r"
    ------- stderr -------
    sysadm: another evacuation, return or migration is in progress (evacuate, pid PID)
    hint: 'sysadm evacuate -l' shows its progress
    [exit status 4]
    ");
}
