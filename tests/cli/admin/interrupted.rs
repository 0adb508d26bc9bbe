//! What an interruption leaves behind, and how it continues.

use insta::assert_snapshot;
use sysadm::testing::platform::sim::{Effect, Fault, Operation};
use sysadm::testing::store::Store;

use super::site;
use crate::environment::Environment;

#[test]
fn a_zone_whose_detach_fails_is_as_it_was() {
    let site = site();
    let at = Operation::Undefine;
    let fail = Effect::Fail { at, reason: "not today".into() };
    site.set_faults("h1", &[Fault { effect: fail, zone: None, times: Some(1) }]);
    assert_snapshot!(site.run("h1", "zone detach box1"), @r"
    ------- stderr -------
    sysadm: h1: not today
    [exit status 1]
    ");
    assert_eq!(site.location("box1"), "h1 installed");
    assert!(!site.at("nfs/box1/SUNWdetached.xml").exists());
    // It was done, but the answer was lost.
    let lost = Effect::FailAfter { at, reason: "no answer".into() };
    site.set_faults("h1", &[Fault { effect: lost, zone: None, times: Some(1) }]);
    assert_snapshot!(site.run("h1", "zone detach box1"), @"[done]");
    assert!(site.at("nfs/box1/SUNWdetached.xml").exists());
    assert_snapshot!(site.run("h1", "zone list -cn"), @r"
    box1
    web1
    [done]
    ");
    site.done("h1", "zone attach box1");
}

#[test]
fn a_zone_that_was_attached_before_something_failed_is_attached_and_that_is_said() {
    let site = site();
    site.done("h1", "zone detach web1");
    let lost = Effect::FailAfter { at: Operation::Define, reason: "no answer".into() };
    let fail = Effect::Fail { at: Operation::SetAutostart, reason: "not today".into() };
    let once = |effect| Fault { effect, zone: None, times: Some(1) };
    site.set_faults("h1", &[once(lost), once(fail)]);
    assert_snapshot!(site.run("h1", "zone attach web1"), @r"
    ------- stderr -------
    sysadm: warning: zone 'web1' is attached; h1: no answer
    sysadm: warning: zone 'web1' is attached; it is no longer booted with this host: h1: not today
    [done]
    ");
    assert_eq!(site.location("web1"), "h1 installed");
    assert_eq!(rows(&site, "h1"), 0);
}

/// Makes a host die at that point of a move.
fn die(site: &Environment, host: &str, moment: &str) {
    std::fs::write(site.paths(host).state_dir().join("failpoint"), format!("{moment} kill\n")).unwrap();
}

fn rows(site: &Environment, host: &str) -> usize {
    Store::open(&site.paths(host).database()).unwrap().configured().unwrap().len()
}

#[test]
fn a_zone_whose_detach_was_killed_before_libvirt_forgot_it_is_attached_and_the_next_detach_goes_on() {
    let site = site();
    die(&site, "h1", "source.before.detach");
    assert_eq!(site.run("h1", "zone detach box1").status, None);
    assert_eq!((site.location("box1").as_str(), rows(&site, "h1")), ("h1 installed", 1));
    assert_snapshot!(site.run("h1", "zone list -cn"), @r"
    box1
    web1
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone attach box1"), @r"
    ------- stderr -------
    sysadm: zone 'box1' is installed, and only configured zones can be attached
    [exit status 1]
    ");
    // h1 may boot it: no other host can have it.
    let create = format!("zone create box1 -a {}", site.at("nfs/box1").display());
    assert_snapshot!(site.run("h2", &create), @r"
    ------- stderr -------
    sysadm: failed to read /SITE/nfs/box1/SUNWdetached.xml: No such file or directory
    [exit status 1]
    ");
    site.done("h1", "zone detach box1");
    assert_snapshot!(site.run("h1", "zone list -cnv"), @r"
      ID NAME             STATUS      PATH                 BRAND      IP
       - box1             configured  /SITE/nfs/box1 lxc        excl
       - web1             installed   -                    kvm        excl
    [done]
    ");
    site.done("h2", &create);
}

#[test]
fn a_zone_whose_detach_was_killed_at_its_end_is_configured_and_the_next_detach_hands_its_manifest_over() {
    let site = site();
    die(&site, "h1", "source.after.detach");
    assert_eq!(site.run("h1", "zone detach box1").status, None);
    let manifest = site.at("nfs/box1/SUNWdetached.xml");
    assert!(!manifest.exists());
    site.done("h1", "zone detach box1");
    assert!(manifest.exists());
    site.done("h1", "zone attach box1");
    die(&site, "h1", "source.after.detach");
    assert_eq!(site.run("h1", "zone detach box1").status, None);
    assert_snapshot!(site.run("h1", "zone list -cnv"), @r"
      ID NAME             STATUS      PATH                 BRAND      IP
       - box1             configured  /SITE/nfs/box1 lxc        excl
       - web1             installed   -                    kvm        excl
    [done]
    ");
    site.done("h1", "zone attach box1");
    assert_eq!(rows(&site, "h1"), 0);
}

#[test]
fn a_zone_whose_attach_was_killed_is_attached_once_whoever_goes_on() {
    for (moment, before) in [("destination.before.attach", ""), ("destination.after.attach", "h1 installed")]
    {
        let site = site();
        site.done("h1", "zone detach box1");
        site.done("h2", &format!("zone create box1 -a {}", site.at("nfs/box1").display()));
        die(&site, "h1", moment);
        assert_eq!(site.run("h1", "zone attach box1").status, None);
        assert_eq!(site.location("box1"), before, "{moment}");
        // h1 holds the manifest.
        assert_eq!(site.run("h2", "zone attach box1").status, Some(1), "{moment}");
        let again = site.run("h1", "zone attach box1");
        assert_eq!(again.status, Some(i32::from(!before.is_empty())), "{moment}: {again}");
        assert_eq!(site.location("box1"), "h1 installed", "{moment}");
    }
}

#[test]
fn a_zone_that_leaves_is_no_longer_detached_here() {
    let mut site = site();
    site.start_agents(&["h1", "h2"]);
    site.done("h1", "target set --default rads://h2");
    // An interruption has left a record.
    die(&site, "h1", "source.before.detach");
    assert_eq!(site.run("h1", "zone detach web1").status, None);
    assert_eq!(rows(&site, "h1"), 1);
    site.done("h1", "maintain -s");
    site.done("h1", "evacuate -qa web1");
    assert_eq!(rows(&site, "h1"), 0, "it has left");
    assert_snapshot!(site.run("h1", "zone attach web1"), @r"
    ------- stderr -------
    sysadm: zone 'web1' is away at rads://h2
    hint: bring it back: sysadm evacuate -r web1
    hint: if it exists nowhere else, 'sysadm evacuate --forget web1' makes it configured here
    [exit status 1]
    ");
}

#[test]
fn a_zone_that_arrives_is_no_longer_detached_here() {
    for runs in [false, true] {
        let mut site = site();
        site.start_agents(&["h1", "h2"]);
        site.done("h1", "target set --default rads://h2");
        // It was configured on h2 from its manifest, but is attached to h1 after all.
        let file = site.at("web1.xml").display().to_string();
        site.done("h1", &format!("zone detach web1 --manifest {file}"));
        site.done("h2", &format!("zone create web1 -a {file}"));
        site.done("h1", "zone attach web1");
        if runs {
            site.done("h1", "sim start web1");
        }
        assert_eq!(rows(&site, "h2"), 1);
        site.done("h1", "maintain -s");
        site.done("h1", "evacuate -qa web1");
        assert_eq!(rows(&site, "h2"), 0, "it has arrived: {runs}");
    }
}
