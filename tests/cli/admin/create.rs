//! Zones that are created from manifests, and files that are not manifests.

use insta::assert_snapshot;
use sysadm_model::Network;

use super::{document_of, pipe, site};

#[test]
fn a_zone_is_created_as_it_is_wished() {
    let site = site();
    let file = site.at("web1.xml");
    site.done("h1", &format!("zone detach web1 --manifest {}", file.display()));
    let create = |wishes: &str| site.run("h2", &format!("zone create {wishes} -a {}", file.display()));
    assert_snapshot!(create("shop --set uuid=new --set memory=2G --set cpus=3 --set autostart=false --net br0=br7"), @r"
    ------- stderr -------
    sysadm: zone 'shop' is configured, but currently cannot be attached to h2:
        network: no bridge br7
        zone: it would write to the same storage as 'web1', of which it is a copy: /SITE/nfs/web1-vda.img; give it storage of its own: --edit
    [done]
    ");
    let shop = document_of(&site, "h2", "shop").1;
    assert_eq!((shop.zone.name.as_str(), shop.zone.memory, shop.zone.cpus), ("shop", 2 << 30, 3));
    assert!(!shop.zone.autostart && shop.networks[0].name() == "br7" && shop.config.contains("br7"));
    assert_snapshot!(create("shop"), @r"
    ------- stderr -------
    sysadm: zone 'shop': a zone of this name is configured on this host
    [exit status 1]
    ");
    assert_snapshot!(create("web1 --net br9=br0"), @r"
    ------- stderr -------
    sysadm: zone 'web1' has no network br9; its networks are: br0
    [exit status 1]
    ");
    assert_snapshot!(create("web1 --set machine=q35"), @r"
    ------- stderr -------
    sysadm: zone 'web1': a simulated zone has no machine type
    [exit status 1]
    ");
    assert_snapshot!(create("web1 --set cpus=0"), @r#"
    ------- stderr -------
    sysadm: invalid value 'cpus=0' for '--set <KEY=VALUE>': "0" is no number of processors
    [exit status 2]
    "#);
    assert_snapshot!(create("web1 --set colour=red"), @r"
    ------- stderr -------
    sysadm: invalid value 'colour=red' for '--set <KEY=VALUE>': there are memory, cpus, autostart, machine and uuid
    [exit status 2]
    ");
    assert_snapshot!(create("web1"), @"[done]");
    assert_snapshot!(create("web2"), @r"
    ------- stderr -------
    sysadm: zone 'web2': zone 'web1' on this host has the same UUID, UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU
    hint: use --set uuid=new to make it a copy
    [exit status 1]
    ");
    assert_snapshot!(site.run("h2", "zone list -cn"), @r"
    shop
    web1
    [done]
    ");
}

#[test]
fn networks_change_places_at_once_and_none_is_named_twice() {
    let site = site();
    site.make_zone("h1", "web2", |spec| {
        spec.networks = ["br0", "br1"].map(|name| Network::Bridge(name.into())).to_vec();
    });
    let file = site.at("web2.xml");
    site.done("h1", &format!("zone detach web2 --manifest {}", file.display()));
    let create = |wishes: &str| {
        site.run("h1", &format!("zone create shop --set uuid=new {wishes} -a {}", file.display()))
    };
    assert_snapshot!(create("--net br0=br1 --net br0=br2"), @r"
    ------- stderr -------
    sysadm: --net br0= is given twice; a network goes into one other
    [exit status 2]
    ");
    assert_eq!(create("--net br0=br1 --net br1=br0").status, Some(0));
    let manifest = document_of(&site, "h1", "shop").1;
    assert_eq!(manifest.networks.iter().map(Network::name).collect::<Vec<_>>(), ["br1", "br0"]);
}

#[test]
fn the_configuration_counts_and_not_what_the_manifest_says_beside_it() {
    let site = site();
    let (whole, _) = document_of(&site, "h1", "web1");
    let file = site.at("other.xml");
    let create = |from: &str, to: &str, line: &str| {
        assert!(whole.contains(from), "{whole}");
        std::fs::write(&file, whole.replacen(from, to, 1)).unwrap();
        site.run("h2", &format!("zone create {line} -a {}", file.display()))
    };
    let network = ("<network physical=\"br0\"", "<network physical=\"br5\"");
    assert_snapshot!(create(network.0, network.1, "web1 --net br5=br0"), @r"
    ------- stderr -------
    sysadm: zone 'web1' has no network br5; its networks are: br0
    [exit status 1]
    ");
    assert_snapshot!(create("<zone name=\"web1\"", "<zone name=\"db\"", "db"), @r"
    ------- stderr -------
    sysadm: zone 'db': its manifest is for 'db' (UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU), but contains the configuration of 'web1' (UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU)
    hint: use the manifest as 'sysadm zone detach' wrote it
    [exit status 1]
    ");
    let uuid = &whole[whole.find(" uuid=").unwrap()..][..43];
    assert_snapshot!(create(uuid, " uuid=\"00511286-3319-4f84-a168-e5fcdfb0de45", "web1"), @r"
    ------- stderr -------
    sysadm: zone 'web1': its manifest is for 'web1' (UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU), but contains the configuration of 'web1' (UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU)
    hint: use the manifest as 'sysadm zone detach' wrote it
    [exit status 1]
    ");
    assert_eq!(create(network.0, network.1, "web1 --net br0=br7").status, Some(0));
    assert_eq!(document_of(&site, "h2", "web1").1.networks, [Network::Bridge("br7".into())]);
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
    // If it is nevertheless installed there, it cannot come here, and is not detached over the record.
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
    sysadm: zone 'web1' is configured, but currently cannot be attached to h2:
        zone: it was installed where its manifest was written
    hint: detach it there, or, if it is no longer there, attach it with -F
    [done]
    ");
    assert_snapshot!(site.run("h2", "zone attach web1"), @r"
    ------- stderr -------
    sysadm: zone 'web1' was not attached to h2:
        zone: it was installed where its manifest was written
    hint: detach it there, or, if it is no longer there, attach it with -F
    [exit status 1]
    ");
    site.done("h2", "zone attach -F web1");
}

#[test]
fn a_zone_of_a_brand_that_the_host_does_not_have_is_not_attached() {
    let site = site();
    let (whole, _) = document_of(&site, "h1", "web1");
    std::fs::write(site.at("brand"), whole.replace("kvm", "solaris-kz")).unwrap();
    let path = site.at("brand").display().to_string();
    insta::assert_snapshot!(site.run("h2", &format!("zone attach -n {path}")), @r"
    ------- stderr -------
    sysadm: zone 'web1' does not fit on h2:
        zone: the simulation has no solaris-kz zones
    [exit status 1]
    ");
    insta::assert_snapshot!(site.run("h2", &format!("zone create web1 -a {path}")), @r"
    ------- stderr -------
    sysadm: zone 'web1' was not created:
        zone: the simulation has no solaris-kz zones
    [exit status 1]
    ");
}

#[test]
fn what_is_no_manifest_attaches_nothing() {
    let site = site();
    let (whole, _) = document_of(&site, "h1", "web1");
    let write = |name: &str, bytes: &[u8]| std::fs::write(site.at(name), bytes).unwrap();
    write("truncated", &whole.as_bytes()[..whole.len() / 2]);
    write("empty", b"");
    write("binary", b"\x7fELF\x02\x01\x01\0\xff\xfe\n\0\0");
    write("version", whole.replace("version=\"1\"", "version=\"9\"").as_bytes());
    // As an old editor saves it.
    let old = whole.replace("UTF-8", "ISO-8859-1").replacen("host=\"h1\"", "host=\"caf\u{1}\"", 1);
    write("encoding", &old.bytes().map(|byte| if byte == 1 { 0xe9 } else { byte }).collect::<Vec<_>>());
    std::fs::File::create(site.at("huge")).unwrap().set_len(100 << 20).unwrap();
    let half = whole[..whole.len() / 2].lines().count();
    let truncated =
        format!("{half}: the file ends too early; it may not have been written or copied completely");
    for (name, expected) in [
        ("truncated", truncated.as_str()),
        ("empty", " it is empty"),
        ("binary", "1: byte 0xff is not UTF-8, which is expected"),
        ("version", "5: cannot attach: manifest version 9, this sysadm reads version 1"),
        (
            "encoding",
            "1: the file is in ISO-8859-1, and UTF-8 is expected: convert it with iconv -f ISO-8859-1",
        ),
        ("huge", " the file is larger than 4M, which no manifest is"),
    ] {
        let path = site.at(name).display().to_string();
        for line in [format!("zone attach -n {path}"), format!("zone create web1 -a {path}")] {
            let printed = site.run("h2", &line);
            assert_eq!((printed.status, printed.stdout.as_str()), (Some(1), ""), "{line}: {printed}");
            let named = printed.stderr.starts_with(&format!("sysadm: /SITE/{name}:{expected}"));
            let facts = printed.stderr.lines().filter(|line| !line.starts_with("hint: ")).count();
            assert!(named && facts == 1, "{line}: {printed}");
        }
    }
    assert_snapshot!(site.run("h2", "zone attach -n /no/such/file"), @r"
    ------- stderr -------
    sysadm: failed to read /no/such/file: No such file or directory
    [exit status 1]
    ");
    assert_snapshot!(site.run("h2", &format!("zone attach -n {}", site.at("nfs").display())), @r"
    ------- stderr -------
    sysadm: failed to read /SITE/nfs/SUNWdetached.xml: No such file or directory
    [exit status 1]
    ");
    assert_snapshot!(site.run("h2", "zone attach -n -"), @r"
    ------- stderr -------
    sysadm: standard input: it is empty
    [exit status 1]
    ");
    assert_snapshot!(site.run("h2", "zone list -cn"), @"[done]");
}
