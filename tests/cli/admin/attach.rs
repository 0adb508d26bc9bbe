//! Whether a zone fits, and what happens to one that does not.

use insta::assert_snapshot;

use super::{document_of, pipe, site};
use crate::environment::{Environment, terminal};

#[test]
fn whether_a_zone_would_fit_on_another_host_is_asked_through_a_pipe() {
    let site = site();
    let ask = || pipe(&site, ("h1", "zone detach -n web1"), ("h2", "zone attach -n -"));
    assert_snapshot!(ask(), @r"
    sysadm: zone 'web1' would fit on h2
    [done]
    ");
    site.done("h1", "sim start web1");
    assert_snapshot!(ask(), @r"
    sysadm: zone 'web1' would fit on h2
    [done]
    ");
    site.set_host("h2", |host| (host.memory, host.bridges, host.arch) = (1 << 30, vec![], "sparc".into()));
    assert_snapshot!(ask(), @r"
    ------- stderr -------
    sysadm: zone 'web1' does not fit on h2:
        memory: 4G of memory needed, h2 has 1G free
        platform: it needs x86_64, the host there is sparc
        network: no bridge br0
    [exit status 1]
    ");
    assert_snapshot!(pipe(&site, ("h1", "zone detach -n web1"), ("h2", "zone attach --json -n -")), @r#"
    {
      "changes": [],
      "findings": [
        {
          "kind": "platform",
          "reason": "it needs x86_64, the host there is sparc"
        },
        {
          "kind": "network",
          "reason": "no bridge br0"
        },
        {
          "kind": "memory",
          "reason": "4G of memory needed, h2 has 1G free"
        }
      ],
      "fits": false,
      "host": "h2",
      "notes": [],
      "schema_version": 1,
      "software": null,
      "zone": "web1"
    }
    [exit status 1]
    "#);
    site.done("h2", "maintain -s -m disks");
    assert_snapshot!(ask(), @r"
    ------- stderr -------
    sysadm: zone 'web1' does not fit on h2:
        maintenance: h2 is in maintenance (admin since YYYY-MM-DD HH:MM by USER: disks)
        memory: 4G of memory needed, h2 has 1G free
        platform: it needs x86_64, the host there is sparc
        network: no bridge br0
    [exit status 4]
    ");
    assert_eq!(site.location("web1"), "h1 running", "nothing was changed");
    assert!(!site.paths("h1").database().exists(), "nobody makes one to answer a question");
    assert_snapshot!(site.run("h2", "zone list -cn"), @"[done]");
}

#[test]
fn options_of_attach_that_exclude_each_other_are_wrong_usage() {
    let site = Environment::new();
    assert_snapshot!(site.run("h1", "zone attach -F -n web1.xml"), @r"
    ------- stderr -------
    sysadm: -F and -n flags are mutually exclusive
    [exit status 2]
    ");
    assert_snapshot!(site.run("h1", "zone attach"), @r"
    ------- stderr -------
    sysadm: the following required arguments were not provided:
      <ZONE>
    Usage: sysadm zone attach [OPTIONS] ZONE
           sysadm zone attach -n PATH [-u] [--json]
    [exit status 2]
    ");
}

#[test]
fn a_zone_that_does_not_fit_stays_configured_unless_it_is_forced() {
    let site = site();
    site.done("h1", "zone detach web1");
    site.set_host("h1", |host| (host.bridges, host.arch) = (vec![], "sparc".into()));
    assert_snapshot!(site.run("h1", "zone attach web1"), @r"
    ------- stderr -------
    sysadm: zone 'web1' was not attached to h1:
        platform: it needs x86_64, the host there is sparc
        network: no bridge br0
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "zone list -cn"), @r"
    box1
    web1
    [done]
    ");
    site.done("h1", "maintain -s");
    assert_snapshot!(site.run("h1", "zone attach -F web1"), @r"
    ------- stderr -------
    sysadm: zone 'web1' was not attached to h1:
        maintenance: h1 is in maintenance (admin since YYYY-MM-DD HH:MM by USER)
    [exit status 4]
    ");
    site.done("h1", "maintain -e");
    assert_snapshot!(site.run("h1", "zone attach -F web1"), @r"
    ------- stderr -------
    sysadm: zone 'web1' was attached, validation skipped (-F)
    [done]
    ");
    assert_eq!(site.location("web1"), "h1 installed");
}

#[test]
fn announced_maintenance_keeps_zones_of_other_hosts_away_and_not_those_that_are_configured_here() {
    let site = site();
    site.done("h1", "maintain --announce +2h");
    assert_snapshot!(pipe(&site, ("h1", "zone detach -n web1"), ("h1", "zone attach -n -")), @r"
    ------- stderr -------
    sysadm: zone 'web1' does not fit on h1:
        maintenance: h1 takes no more zones: its maintenance begins at YYYY-MM-DD HH:MM
    [exit status 4]
    ");
    site.done("h1", "zone detach web1");
    site.done("h1", "zone attach web1");
}

#[test]
fn force_helps_neither_against_missing_disks_nor_against_another_zone() {
    let site = site();
    site.done("h1", "zone detach web1");
    std::fs::remove_file(site.at("nfs/web1-vda.img")).unwrap();
    assert_snapshot!(site.run("h1", "zone attach -F web1"), @r"
    ------- stderr -------
    sysadm: zone 'web1' was not attached to h1:
        storage: storage /SITE/nfs/web1-vda.img is missing
    [exit status 1]
    ");
    site.make_zone("h1", "web1", |_| {});
    assert_snapshot!(site.run("h1", "zone attach -F web1"), @r"
    ------- stderr -------
    sysadm: zone 'web1' was not attached to h1:
        identity: another zone is called web1 there
    [exit status 1]
    ");
}

#[test]
fn a_zone_on_shared_storage_is_created_and_attached_on_another_host_and_then_not_here() {
    let site = site();
    site.done("h1", "zone detach box1");
    assert_snapshot!(site.run("h2", &format!("zone create box1 -a {}", site.at("nfs/box1").display())), @"[done]");
    assert_snapshot!(site.run("h2", "zone attach box1"), @"[done]");
    assert_eq!(site.location("box1"), "h2 installed");
    let refused = site.run("h1", "zone attach box1");
    assert_snapshot!(refused, @r"
    ------- stderr -------
    sysadm: zone 'box1' was not attached to h1:
        zone: the manifest is missing from /SITE/nfs/box1; the zone may be attached on another host
    hint: if it is not, put it there again: sysadm zone detach -n box1 >/SITE/nfs/box1/SUNWdetached.xml
    [exit status 1]
    ");
    assert_eq!(site.run("h1", "zone attach -F box1").to_string(), refused.to_string());
    assert_snapshot!(site.run("h1", "zone delete box1"), @r"
    ------- stderr -------
    sysadm: zone 'box1': input not from terminal and -F not specified: deletion not done
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "zone delete -F box1"), @"[done]");
    assert_snapshot!(site.run("h1", "zone delete -F box1"), @r"
    ------- stderr -------
    sysadm: no such zone: box1
    [exit status 1]
    ");
    assert_snapshot!(site.run("h2", "zone delete -F box1"), @r"
    ------- stderr -------
    sysadm: zone 'box1' is installed, and only configured zones can be deleted
    [exit status 1]
    ");
}

#[test]
fn of_two_hosts_that_attach_a_zone_at_once_one_gets_it() {
    let site = site();
    site.done("h1", "zone detach box1");
    site.done("h2", &format!("zone create box1 -a {}", site.at("nfs/box1").display()));
    for _ in 0..5 {
        let both = ["h1", "h2"].map(|host| site.start_command(host, "zone attach box1"));
        let done = both.map(|mut child| child.wait().unwrap().success());
        let there = ["h1 installed", "h2 installed"].into_iter().zip(done).filter(|(_, done)| *done);
        assert_eq!(there.map(|(host, _)| host).collect::<Vec<_>>(), [site.location("box1")]);
        site.done(if done[0] { "h1" } else { "h2" }, "zone detach box1");
    }
}

/// h1 has detached `web1`, and h2 has attached it, from a copy of the manifest.
fn two_hosts_with_one_zone() -> Environment {
    let mut site = site();
    site.start_agents(&["h1", "h2", "h3"]);
    let copy = site.at("web1.xml").display().to_string();
    site.done("h1", &format!("zone detach web1 --manifest {copy}"));
    site.done("h2", &format!("zone create web1 -a {copy}"));
    site.done("h2", "zone attach web1");
    site.done("h1", "target set web1 rads://h3 rads://h2");
    site
}

#[test]
fn a_virtual_machine_that_a_target_of_it_has_or_may_have_is_not_attached() {
    let mut site = two_hosts_with_one_zone();
    assert_snapshot!(site.run("h1", "zone attach -F web1"), @r"
    ------- stderr -------
    sysadm: zone 'web1': it is on rads://h2
    [exit status 1]
    ");
    // It has moved on.
    site.done("h2", "zone migrate web1 rads://h3");
    site.done("h1", "target set web1 rads://h2");
    assert_snapshot!(site.run("h1", "zone attach web1"), @r"
    ------- stderr -------
    sysadm: zone 'web1': it is on rads://h3
    [exit status 1]
    ");
    site.done("h3", "zone detach web1");
    site.stop_agent("h2");
    assert_snapshot!(site.run("h1", "zone attach web1"), @r"
    ------- stderr -------
    sysadm: zone 'web1': rads://h2 was a target of it and may have it: cannot connect to rads://h2: connection refused
    hint: check that 'sysadm agent --listen' is running there, on port PORT
    hint: if you know that the zone is not there, use --not-on h2
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "zone attach web1 --not-on h2"), @"[done]");
    assert_eq!(site.location("web1"), "h1 installed");
}

#[test]
fn of_two_hosts_that_attach_a_virtual_machine_at_once_one_at_most_gets_it() {
    let site = two_hosts_with_one_zone();
    site.done("h2", "zone detach web1");
    site.done("h2", "target set web1 rads://h1");
    for _ in 0..5 {
        let both = ["h1", "h2"].map(|host| site.start_command(host, "zone attach web1"));
        let done = both.map(|mut child| child.wait().unwrap().success());
        let there = ["h1 installed", "h2 installed"].into_iter().zip(done);
        let there: Vec<_> = there.filter(|(_, done)| *done).map(|(host, _)| host).collect();
        assert!(there.len() < 2 && site.location("web1") == there.join(""), "{there:?}");
        for host in there {
            site.done(&host[..2], "zone detach web1");
        }
    }
}

#[test]
fn a_zone_that_was_migrated_is_created_again_but_not_attached_while_it_is_there() {
    let mut site = site();
    site.start_agents(&["h1", "h2"]);
    let (text, _) = document_of(&site, "h1", "web1");
    std::fs::write(site.at("old.xml"), text).unwrap();
    site.done("h1", "zone migrate web1 rads://h2");
    site.done("h1", &format!("zone create web1 -a {}", site.at("old.xml").display()));
    assert_snapshot!(site.run("h1", "zone attach -F web1"), @r"
    ------- stderr -------
    sysadm: zone 'web1': it is on rads://h2
    [exit status 1]
    ");
    site.done("h2", "zone detach web1");
    site.done("h1", "zone attach -F web1");
    assert_eq!(site.location("web1"), "h1 installed");
}

#[test]
fn what_was_prepared_at_a_destination_is_overwritten_only_when_that_is_said() {
    let mut site = site();
    site.start_agents(&["h1", "h2"]);
    let (text, _) = document_of(&site, "h1", "web1");
    std::fs::write(site.at("web1.xml"), text).unwrap();
    let create = format!("zone create web1 -a {}", site.at("web1.xml").display());
    site.done("h2", &format!("{create} --set memory=8G"));
    site.done("h1", "target set --default rads://h2");
    site.done("h1", "maintain -s");
    assert_snapshot!(site.run("h1", "evacuate -na web1"), @r"
    sysadm: preparing zones for evacuation ... 1/1
    ZONENAME         BRAND  METHOD DEST             SIZE   START   TIME   DOWNTIME
    web1             kvm    -      rads://h2        -      -       -      -
    ------- stderr -------
    sysadm: web1: rads://h2: a different configuration of web1 exists there
    hint: use -w to replace it
    sysadm: dry-run failed: 1 of 1 zone(s) cannot move
    [exit status 1]
    ");
    site.done("h1", "evacuate -qaw web1");
    assert_eq!(site.location("web1"), "h2 installed");
    assert_snapshot!(site.run("h2", "zone list -cnp"), @r"
    -:web1:installed::UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU:kvm:excl:-::
    [done]
    ");
}

#[test]
fn a_zone_is_deleted_from_a_terminal_only_when_that_is_confirmed() {
    let site = site();
    site.done("h1", "zone detach box1");
    let answer = |answer: &[u8]| {
        let (keyboard, line) = terminal();
        rustix::io::write(&keyboard, answer).unwrap();
        let mut command = site.command("h1", "zone delete box1");
        command.stdin(line);
        site.finish(command)
    };
    let refused = answer(b"\n");
    assert_snapshot!(refused, @"Are you sure you want to delete zone box1 (y/[n])? [done]");
    assert!(site.run("h1", "zone list -cn").stdout.contains("box1"));
    assert_eq!(answer(b"y\n").to_string(), refused.to_string());
    assert!(!site.run("h1", "zone list -cn").stdout.contains("box1"));
}

#[test]
fn a_medium_that_may_be_missing_is_said_to_stay_behind() {
    let site = site();
    let (manifest, _) = document_of(&site, "h1", "web1");
    let iso = r#"  <device storage="file:/no/such.iso" name="sda" readonly="true" presence="optional"/>"#;
    let path = site.at("with-medium.xml");
    let write = |device: &str| {
        std::fs::write(&path, manifest.replacen("  <config", &format!("{device}\n  <config"), 1)).unwrap();
    };
    write(iso);
    assert_snapshot!(site.run("h2", &format!("zone attach -n {}", path.display())), @r"
    sysadm: zone 'web1' would fit on h2
    ------- stderr -------
    sysadm: zone 'web1': storage /no/such.iso stays behind: it is missing; the zone does without it
    [done]
    ");
    let told = site.run("h2", &format!("zone attach --json -n {}", path.display())).stdout;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["fits"], true);
    let note = "storage /no/such.iso stays behind: it is missing; the zone does without it";
    assert_eq!(told["notes"], serde_json::json!([note]));
    write(&iso.replace(" presence=\"optional\"", ""));
    assert_snapshot!(site.run("h2", &format!("zone attach -n {}", path.display())), @r"
    ------- stderr -------
    sysadm: zone 'web1' does not fit on h2:
        storage: storage /no/such.iso is missing
    [exit status 1]
    ");
}

#[test]
fn what_holds_a_zone_only_while_it_runs_does_not_hold_one_that_is_at_rest() {
    let site = site();
    let path = site.at("held.xml");
    let attach = format!("zone attach -n {}", path.display());
    let held = |against: &str| {
        let (manifest, _) = document_of(&site, "h1", "web1");
        let obstacle =
            format!("  <obstacle reason=\"disk vda is transient\" against=\"{against}\"/>\n  <config");
        std::fs::write(&path, manifest.replacen("  <config", &obstacle, 1)).unwrap();
        !site.run("h2", &attach).stdout.contains("zone 'web1' would fit on h2")
    };
    assert_eq!(["any", "moves", "live"].map(held), [true, false, false]);
    site.done("h1", "sim start web1");
    assert_eq!(["any", "moves", "live"].map(held), [true, false, true]);
}
