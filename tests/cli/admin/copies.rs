//! Zones that are created from another zone's manifest, and the obstacles of the original.

use insta::assert_snapshot;

use super::{document_of, pipe, site};
use crate::environment::Environment;

/// h1 has detached web1; its manifest.
fn detached() -> (Environment, String) {
    let site = site();
    let file = site.at("web1.xml").display().to_string();
    site.done("h1", &format!("zone detach web1 --manifest {file}"));
    (site, file)
}

#[test]
fn a_copy_that_would_write_to_the_storage_of_its_original_is_not_attached_before_it_has_its_own() {
    let (site, file) = detached();
    assert_snapshot!(site.run("h1", &format!("zone create web2 --set uuid=new -a {file}")), @r"
    ------- stderr -------
    sysadm: zone 'web2' is configured, but currently cannot be attached to h1:
        zone: the copy would write to the same storage as 'web1': /SITE/nfs/web1-vda.img
    hint: give it storage of its own: --edit
    [done]
    ");
    let refused = site.run("h1", "zone attach web2");
    assert_snapshot!(refused, @r"
    ------- stderr -------
    sysadm: zone 'web2' was not attached to h1:
        zone: the copy would write to the same storage as 'web1': /SITE/nfs/web1-vda.img
    hint: give it storage of its own: --edit
    [exit status 1]
    ");
    assert_eq!(site.run("h1", "zone attach -u web2").to_string(), refused.to_string());
    let asked = pipe(&site, ("h1", "zone detach -n web2"), ("h2", "zone attach -n -"));
    assert!(asked.stderr.contains("the copy would write to the same storage"), "{asked}");
    site.done("h1", "zone delete -F web2");

    std::fs::copy(site.at("nfs/web1-vda.img"), site.at("nfs/web2-vda.img")).unwrap();
    let mut create = site.command("h1", &format!("zone create web2 --set uuid=new --edit -a {file}"));
    create.env("PATH", "/usr/bin:/bin").env("VISUAL", "sed -i s,/web1-vda,/web2-vda,");
    assert_snapshot!(site.finish(create), @"[done]");
    site.done("h1", "zone attach web2");
    site.done("h1", "zone attach web1");
}

#[test]
fn whoever_is_sure_of_it_attaches_a_copy_by_force() {
    let (site, file) = detached();
    site.done("h1", &format!("zone create web2 --set uuid=new -a {file}"));
    site.done("h1", "zone attach -F web2");
}

#[test]
fn a_zone_with_its_own_uuid_is_no_copy() {
    let site = site();
    let (whole, manifest) = document_of(&site, "h1", "web1");
    std::fs::write(site.at("web1.xml"), whole).unwrap();
    let (uuid, file) = (manifest.zone.uuid, site.at("web1.xml").display().to_string());
    assert_snapshot!(site.run("h2", &format!("zone create web1 --set uuid={uuid} -a {file}")), @r"
    ------- stderr -------
    sysadm: zone 'web1' is configured, but currently cannot be attached to h2:
        zone: it was installed where its manifest was written
    hint: detach it there, or, if it is no longer there, attach it with -F
    [done]
    ");
    assert_eq!(document_of(&site, "h2", "web1").1.zone.state, manifest.zone.state);
}

#[test]
fn what_its_host_has_said_against_its_leaving_is_kept_and_is_no_matter_of_a_copy() {
    let (site, file) = detached();
    let said = "<obstacle reason=\"2 snapshot(s); delete them, or leave the zone here\"/>\n  <config ";
    let whole = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, whole.replacen("<config ", said, 1)).unwrap();
    let create = |line: &str| site.run("h2", &format!("zone create {line} -a {file}"));
    assert_snapshot!(create("web1 --set memory=2G"), @r"
    ------- stderr -------
    sysadm: zone 'web1' is configured, but currently cannot be attached to h2:
        zone: 2 snapshot(s); delete them, or leave the zone here
    [done]
    ");
    assert_snapshot!(site.run("h2", "zone attach -u web1"), @r"
    ------- stderr -------
    sysadm: zone 'web1' was not attached to h2:
        zone: 2 snapshot(s); delete them, or leave the zone here
    [exit status 1]
    ");
    let copy = create("web2 --set uuid=new");
    assert!(
        !copy.stderr.contains("snapshot") && copy.stderr.contains("the copy would write to the same storage"),
        "{copy}"
    );
}
