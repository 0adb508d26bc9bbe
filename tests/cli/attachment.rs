//! `sysadm zone detach`, `attach`, `create` and `delete`.

use std::process::Stdio;

use insta::assert_snapshot;
use sysadm::model::{Manifest, document};
use sysadm::platform::sim::{Effect, Fault, Operation};
use sysadm::store::Store;

use crate::environment::Environment;
use crate::output::Printed;

/// h1 has a virtual machine and a container, h2 has nothing; both see the storage `nfs`.
fn site() -> Environment {
    let site = Environment::new();
    site.make_zone("h1", "web1", |spec| spec.autostart = true);
    std::fs::create_dir_all(site.at("usr")).unwrap();
    let (zonepath, usr) = (site.at("nfs/box1"), site.at("usr"));
    site.done(
        "h1",
        &format!("sim create box1 --zonepath {} --inherit {}", zonepath.display(), usr.display()),
    );
    site
}

/// Runs `from` on one host into `to` on another one, as a shell does.
fn pipe(site: &Environment, from: (&str, &str), to: (&str, &str)) -> Printed {
    let mut first = site.command(from.0, from.1).stdout(Stdio::piped()).spawn().unwrap();
    let mut second = site.command(to.0, to.1);
    second.stdin(first.stdout.take().unwrap());
    let printed = site.finish(second);
    assert!(first.wait().unwrap().success());
    printed
}

/// The document of a zone as it is, and the manifest in it.
fn document_of(site: &Environment, host: &str, zone: &str) -> (String, Manifest) {
    let output = site.command(host, &format!("zone detach -n {zone}")).output().unwrap();
    let manifest = document::read(&output.stdout, zone).unwrap();
    (String::from_utf8(output.stdout).unwrap(), manifest)
}

fn manifest_of(site: &Environment, path: &str) -> Manifest {
    document::read(&std::fs::read(site.at(path)).unwrap(), path).unwrap()
}

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
    sysadm: zone 'box1': it is configured, and only installed zones can be detached
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
    sysadm: zone 'box1': it is installed, and only configured zones can be attached
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
    sysadm: zone 'evac1': it runs; shut it down first, or move it as it is: 'sysadm zone migrate evac1 URI'
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
    sysadm: zone 'evac1': it rests here; 'sysadm evacuate -r evac1' boots it again, 'sysadm evacuate --forget evac1' gives that up
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "zone detach evac2"), @r"
    ------- stderr -------
    sysadm: zone 'evac2': it is away at rads://h2; 'sysadm evacuate -r evac2' brings it back
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "zone attach evac2"), @r"
    ------- stderr -------
    sysadm: zone 'evac2': it is away at rads://h2; 'sysadm evacuate -r evac2' brings it back
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
    error: the argument '-n' cannot be used with '--manifest <FILE>'

    Usage: sysadm zone detach -n <ZONE>

    For more information, try '--help'.
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
    sysadm: zone 'web1': it cannot leave: it holds a device; a snapshot
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
fn a_copy_of_the_manifest_is_for_its_owner_only_and_replaces_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let site = site();
    let copy = site.at("web1.xml");
    let line = format!("zone detach web1 --manifest {}", copy.display());
    std::fs::write(&copy, "mine").unwrap();
    assert_snapshot!(site.run("h1", &line), @r"
    ------- stderr -------
    sysadm: /SITE/web1.xml is there already; nothing was changed
    [exit status 1]
    ");
    assert_eq!(site.whereabouts("web1"), "h1 installed");
    std::fs::remove_file(&copy).unwrap();
    site.done("h1", &line);
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(manifest_of(&site, "web1.xml").zone.name.as_str(), "web1");
}

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
        network: no bridge br0 there
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
          "reason": "no bridge br0 there"
        },
        {
          "kind": "memory",
          "reason": "4G of memory needed, h2 has 1G free"
        }
      ],
      "fits": false,
      "host": "h2",
      "schema_version": 1,
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
        network: no bridge br0 there
    [exit status 4]
    ");
    assert_eq!(site.whereabouts("web1"), "h1 running", "nothing was changed");
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
    error: the following required arguments were not provided:
      <ZONE>

    Usage: sysadm zone attach <ZONE>

    For more information, try '--help'.
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
        network: no bridge br0 there
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
    assert_eq!(site.whereabouts("web1"), "h1 installed");
}

#[test]
fn what_is_done_with_a_zone_is_in_the_system_log() {
    let site = site();
    std::fs::create_dir(site.at("h1/dev")).unwrap();
    let log = std::os::unix::net::UnixDatagram::bind(site.at("h1/dev/log")).unwrap();
    log.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    let zonepath = site.at("nfs/box1").display().to_string();
    for (line, expected) in [
        ("zone detach box1".to_owned(), "zone 'box1' detached by "),
        ("zone delete -F box1".to_owned(), ") deleted by "),
        (format!("zone create box1 -a {zonepath}"), ") created by "),
        ("zone attach -F box1".to_owned(), ", validation skipped (-F)"),
    ] {
        site.done("h1", &line);
        let mut bytes = [0; 1000];
        let length = log.recv(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
        assert!(text.contains(expected), "{line}: {text}");
    }
}

#[test]
fn zones_are_neither_detached_nor_attached_while_zones_move() {
    let site = site();
    site.done("h1", "zone detach box1");
    let _run = sysadm::evacuation::RunLock::take(&site.paths("h1"), "evacuate").unwrap();
    assert_snapshot!(site.run("h1", "zone detach web1"), @r"
    ------- stderr -------
    sysadm: another evacuation or return is in progress (evacuate, pid PID); 'sysadm evacuate -l' shows it
    [exit status 4]
    ");
    assert_snapshot!(site.run("h1", "zone attach box1"), @r"
    ------- stderr -------
    sysadm: another evacuation or return is in progress (evacuate, pid PID); 'sysadm evacuate -l' shows it
    [exit status 4]
    ");
}

#[test]
fn announced_maintenance_keeps_zones_of_other_hosts_away_and_not_those_that_are_configured_here() {
    let site = site();
    site.done("h1", "maintain --announce +2h");
    assert_snapshot!(pipe(&site, ("h1", "zone detach -n web1"), ("h1", "zone attach -n -")), @r"
    ------- stderr -------
    sysadm: zone 'web1' does not fit on h1:
        maintenance: h1 takes no more zones: its maintenance begins at YYYY-MM-DD HH:MM
        identity: web1 is configured there already; -w overwrites that
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
        storage: storage /SITE/nfs/web1-vda.img is not there
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
    assert_eq!(site.whereabouts("box1"), "h2 installed");
    let refused = site.run("h1", "zone attach box1");
    assert_snapshot!(refused, @r"
    ------- stderr -------
    sysadm: zone 'box1' was not attached to h1:
        zone: its manifest is gone from /SITE/nfs/box1: it may be attached on another host; if it is not, put it there again: sysadm zone detach -n box1 >/SITE/nfs/box1/SUNWdetached.xml
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
    sysadm: zone 'box1': it is installed, and only configured zones can be deleted
    [exit status 1]
    ");
}

#[test]
fn of_two_hosts_that_attach_a_zone_at_once_one_gets_it() {
    let site = site();
    site.done("h1", "zone detach box1");
    site.done("h2", &format!("zone create box1 -a {}", site.at("nfs/box1").display()));
    for _ in 0..5 {
        let both = ["h1", "h2"].map(|host| site.command(host, "zone attach box1").spawn().unwrap());
        let done = both.map(|mut child| child.wait().unwrap().success());
        let there = ["h1 installed", "h2 installed"].into_iter().zip(done).filter(|(_, done)| *done);
        assert_eq!(there.map(|(host, _)| host).collect::<Vec<_>>(), [site.whereabouts("box1")]);
        site.done(if done[0] { "h1" } else { "h2" }, "zone detach box1");
    }
}

#[test]
fn a_zone_is_created_as_it_is_wished() {
    let site = site();
    let file = site.at("web1.xml");
    site.done("h1", &format!("zone detach web1 --manifest {}", file.display()));
    let create = |wishes: &str| site.run("h2", &format!("zone create {wishes} -a {}", file.display()));
    assert_snapshot!(create("shop --set uuid=new --set memory=2G --set cpus=3 --set autostart=false --net br0=br7"), @r"
    ------- stderr -------
    sysadm: zone 'shop' is configured; as things are it cannot be attached to h2:
        network: no bridge br7 there
    [done]
    ");
    let shop = document_of(&site, "h2", "shop").1;
    assert_eq!((shop.zone.name.as_str(), shop.zone.memory, shop.zone.cpus), ("shop", 2 << 30, 3));
    assert!(!shop.zone.autostart && shop.networks[0].name() == "br7" && shop.config.contains("br7"));
    assert_snapshot!(create("shop"), @r"
    ------- stderr -------
    sysadm: zone 'shop': there is a zone of this name here, configured
    [exit status 1]
    ");
    assert_snapshot!(create("web1 --net br9=br0"), @r"
    ------- stderr -------
    sysadm: zone 'web1': it has no network br9; it has: br0
    [exit status 1]
    ");
    assert_snapshot!(create("web1 --set machine=q35"), @r"
    ------- stderr -------
    sysadm: zone 'web1': a simulated zone has no machine type
    [exit status 1]
    ");
    assert_snapshot!(create("web1 --set cpus=0"), @r#"
    ------- stderr -------
    error: invalid value 'cpus=0' for '--set <KEY=VALUE>': "0" is no number of processors

    For more information, try '--help'.
    [exit status 2]
    "#);
    assert_snapshot!(create("web1 --set colour=red"), @r"
    ------- stderr -------
    error: invalid value 'colour=red' for '--set <KEY=VALUE>': there are memory, cpus, autostart, machine and uuid

    For more information, try '--help'.
    [exit status 2]
    ");
    assert_snapshot!(create("web1"), @"[done]");
    assert_snapshot!(create("web2"), @r"
    ------- stderr -------
    sysadm: zone 'web2': zone 'web1' here has its UUID, UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU; --set uuid=new makes it a copy
    [exit status 1]
    ");
    assert_snapshot!(site.run("h2", "zone list -cn"), @r"
    shop
    web1
    [done]
    ");
}

#[test]
fn a_configuration_is_edited_and_what_makes_no_sense_is_not_kept() {
    let site = site();
    let file = site.at("web1.xml");
    site.done("h1", &format!("zone detach web1 --manifest {}", file.display()));
    let edit = |editor: &str| {
        let mut command = site.command("h2", &format!("zone create web1 --edit -a {}", file.display()));
        command.env("PATH", "/usr/bin:/bin").env("VISUAL", editor);
        site.finish(command)
    };
    assert_snapshot!(edit("sed -i s/\"cpus\":.1/nonsense/"), @r"
    ------- stderr -------
    sysadm: zone 'web1': its configuration cannot be read any more and is not kept: key must be a string at line 7 column 3
    [exit status 1]
    ");
    assert_snapshot!(edit("false"), @r"
    ------- stderr -------
    sysadm: false has not ended well (exit status: 1); nothing was created
    [exit status 1]
    ");
    assert_snapshot!(edit("no-such-editor -x"), @r"
    ------- stderr -------
    sysadm: failed to start no-such-editor: No such file or directory (os error 2)
    [exit status 1]
    ");
    assert_snapshot!(site.run("h2", "zone list -cn"), @"[done]");
    assert_snapshot!(edit("sed -i s/\"cpus\":.1/\"cpus\":5/"), @"[done]");
    assert_eq!(document_of(&site, "h2", "web1").1.zone.cpus, 5);
    assert_eq!(std::fs::read_dir(site.paths("h2").run_dir()).unwrap().count(), 0, "no draft is left");
}

#[test]
fn a_zonepath_that_holds_a_manifest_is_no_other_zones() {
    let site = site();
    let zonepath = site.at("nfs/box1").display().to_string();
    site.done("h1", "zone detach box1");
    assert_snapshot!(site.run("h2", &format!("sim create box2 --zonepath {zonepath}")), @r"
    ------- stderr -------
    sysadm: zone 'box2': its zonepath /SITE/nfs/box1 holds the manifest of another zone, 'box1', which is detached
    [exit status 1]
    ");
    assert_snapshot!(site.run("h2", &format!("zone create box2 --set uuid=new -a {zonepath}")), @r"
    ------- stderr -------
    sysadm: zone 'box2' was not created:
        identity: its zonepath /SITE/nfs/box1 holds the manifest of another zone, 'box1', which is detached
    [exit status 1]
    ");
    // One that is installed there all the same does not come here, and is not detached over it.
    std::fs::rename(site.at("nfs/box1/SUNWdetached.xml"), site.at("aside")).unwrap();
    site.done("h2", &format!("sim create box2 --zonepath {zonepath}"));
    std::fs::rename(site.at("aside"), site.at("nfs/box1/SUNWdetached.xml")).unwrap();
    assert_snapshot!(pipe(&site, ("h2", "zone detach -n box2"), ("h1", "zone attach -n -")), @r"
    ------- stderr -------
    sysadm: zone 'box2' does not fit on h1:
        identity: its zonepath /SITE/nfs/box1 holds the manifest of another zone, 'box1', which is detached
    [exit status 1]
    ");
    assert_snapshot!(site.run("h2", "zone detach box2"), @r"
    ------- stderr -------
    sysadm: zone 'box2': its zonepath /SITE/nfs/box1 holds the manifest of another zone, 'box1', which is detached
    [exit status 1]
    ");
}

#[test]
fn a_manifest_of_a_zone_that_was_not_detached_is_attached_only_by_force() {
    let site = site();
    assert_snapshot!(pipe(&site, ("h1", "zone detach -n web1"), ("h2", "zone create web1 -a -")), @r"
    ------- stderr -------
    sysadm: zone 'web1' is configured; as things are it cannot be attached to h2:
        zone: it was installed where its manifest was written; detach it there, or, if it is there no more, attach it with -F
    [done]
    ");
    assert_snapshot!(site.run("h2", "zone attach web1"), @r"
    ------- stderr -------
    sysadm: zone 'web1' was not attached to h2:
        zone: it was installed where its manifest was written; detach it there, or, if it is there no more, attach it with -F
    [exit status 1]
    ");
    site.done("h2", "zone attach -F web1");
}

#[test]
fn what_is_no_manifest_attaches_nothing() {
    let site = site();
    let (whole, _) = document_of(&site, "h1", "web1");
    let write = |name: &str, bytes: &[u8]| std::fs::write(site.at(name), bytes).unwrap();
    write("truncated", &whole.as_bytes()[..whole.len() / 2]);
    write("empty", b"");
    write("binary", b"\x7fELF\x02\x01\x01\0\xff\xfe\n\0\0");
    write("brand", whole.replace("kvm", "solaris-kz").as_bytes());
    std::fs::File::create(site.at("huge")).unwrap().set_len(100 << 20).unwrap();
    for name in ["truncated", "empty", "binary", "brand", "huge"] {
        let path = site.at(name).display().to_string();
        for line in [format!("zone attach -n {path}"), format!("zone create web1 -a {path}")] {
            let printed = site.run("h2", &line);
            assert_eq!((printed.status, printed.stdout.as_str()), (Some(1), ""), "{line}: {printed}");
            let named = printed.stderr.starts_with(&format!("sysadm: /SITE/{name}:"));
            assert!(named && printed.stderr.lines().count() == 1, "{line}: {printed}");
        }
    }
    assert_snapshot!(site.run("h2", "zone attach -n /no/such/file"), @r"
    ------- stderr -------
    sysadm: failed to read /no/such/file: No such file or directory (os error 2)
    [exit status 1]
    ");
    assert_snapshot!(site.run("h2", &format!("zone attach -n {}", site.at("nfs").display())), @r"
    ------- stderr -------
    sysadm: failed to read /SITE/nfs/SUNWdetached.xml: No such file or directory (os error 2)
    [exit status 1]
    ");
    assert_snapshot!(site.run("h2", "zone attach -n -"), @r"
    ------- stderr -------
    sysadm: standard input:1: EOF while parsing a value at line 1 column 0
    [exit status 1]
    ");
    assert_snapshot!(site.run("h2", "zone list -cn"), @"[done]");
}

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
    assert_eq!(site.whereabouts("box1"), "h1 installed");
    assert!(!site.at("nfs/box1/SUNWdetached.xml").exists());
    // It was done, and nobody heard of it.
    let lost = Effect::FailAfter { at, reason: "no answer".into() };
    site.set_faults("h1", &[Fault { effect: lost, zone: None, times: Some(1) }]);
    assert_eq!(site.run("h1", "zone detach box1").status, Some(1));
    assert_snapshot!(site.run("h1", "zone list -cn"), @r"
    box1
    web1
    [done]
    ");
    site.done("h1", "zone attach box1");
}

/// Tells a host to be killed at that moment of a move.
fn die(site: &Environment, host: &str, moment: &str) {
    std::fs::write(site.paths(host).state_dir().join("point"), format!("{moment} kill\n")).unwrap();
}

fn rows(site: &Environment, host: &str) -> usize {
    Store::open(&site.paths(host).database()).unwrap().detached().unwrap().len()
}

#[test]
fn a_zone_whose_detach_was_killed_before_libvirt_forgot_it_is_attached_and_the_next_detach_goes_on() {
    let site = site();
    die(&site, "h1", "source.before.detach");
    assert_eq!(site.run("h1", "zone detach box1").status, None);
    assert_eq!((site.whereabouts("box1").as_str(), rows(&site, "h1")), ("h1 installed", 1));
    assert_snapshot!(site.run("h1", "zone list -cn"), @r"
    box1
    web1
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone attach box1"), @r"
    ------- stderr -------
    sysadm: zone 'box1': it is installed, and only configured zones can be attached
    [exit status 1]
    ");
    site.done("h1", "zone detach box1");
    assert_snapshot!(site.run("h1", "zone list -cnv"), @r"
      ID NAME             STATUS      PATH                 BRAND      IP
       - box1             configured  /SITE/nfs/box1 lxc        excl
       - web1             installed   -                    kvm        excl
    [done]
    ");
}

#[test]
fn a_zone_whose_detach_was_killed_at_its_end_is_configured() {
    let site = site();
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
        assert_eq!(site.whereabouts("box1"), before, "{moment}");
        // The manifest is in the hands of h1.
        assert_eq!(site.run("h2", "zone attach box1").status, Some(1), "{moment}");
        let again = site.run("h1", "zone attach box1");
        assert_eq!(again.status, Some(i32::from(!before.is_empty())), "{moment}: {again}");
        assert_eq!(site.whereabouts("box1"), "h1 installed", "{moment}");
    }
}

#[test]
fn a_zone_that_arrives_is_no_longer_detached_here() {
    let mut site = site();
    site.start_agents(&["h1", "h2"]);
    site.done("h1", "target set --default rads://h2");
    // An interruption has left a row on each of them.
    for host in ["h1", "h2"] {
        die(&site, host, "source.before.detach");
        if host == "h2" {
            site.done("h2", "sim create other");
            assert_eq!(site.run("h2", "zone detach other").status, None);
        } else {
            assert_eq!(site.run("h1", "zone detach web1").status, None);
        }
        assert_eq!(rows(&site, host), 1);
    }
    site.done("h1", "maintain -s");
    site.done("h1", "evacuate -qa web1");
    assert_eq!(rows(&site, "h1"), 0, "it has left");
    assert_snapshot!(site.run("h1", "zone attach web1"), @r"
    ------- stderr -------
    sysadm: zone 'web1': it is away at rads://h2; 'sysadm evacuate -r web1' brings it back
    [exit status 1]
    ");
}
