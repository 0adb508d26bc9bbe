//! A zonepath that was moved or copied: the zonepath is the folder that is given.

use std::path::Path;

use sysadm_model::StorageUri;

use super::*;

/// h1 has detached a container with a folder of data below its zonepath; both hosts can access the storage.
fn detached() -> Environment {
    let site = site();
    site.done("h1", "zone detach box1");
    site
}

/// The zonepath that `zone list` shows.
fn zonepath(site: &Environment, host: &str, zone: &str) -> String {
    let list = site.run(host, "zone list -cvn").stdout;
    let line =
        list.lines().find(|line| line.split_whitespace().nth(1) == Some(zone)).expect("a line").to_owned();
    line.split_whitespace().nth(3).unwrap().to_owned()
}

fn manifest_is_in(site: &Environment, folder: &str) -> bool {
    site.at(folder).join("SUNWdetached.xml").exists()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_zonepath_that_was_moved_is_the_one_that_is_given() {
    let site = detached();
    std::fs::create_dir(site.at("nfs/export")).unwrap();
    std::fs::rename(site.at("nfs/box1"), site.at("nfs/export/box1")).unwrap();
    let moved = site.at("nfs/export/box1");
    assert_eq!(site.run("h2", &format!("zone attach -n {}", moved.display())).status, Some(0));
    site.done("h2", &format!("zone create box1 -a {}", moved.display()));
    assert_eq!(zonepath(&site, "h2", "box1"), "/SITE/nfs/export/box1");
    let root = document_of(&site, "h2", "box1").1.disks.into_iter().find(|disk| disk.target == "/").unwrap();
    assert_eq!(root.source, StorageUri::dir(moved.join("root")));
    site.done("h2", "zone attach box1");
    assert_eq!(zonepath(&site, "h2", "box1"), "/SITE/nfs/export/box1");
    assert!(!manifest_is_in(&site, "nfs/export/box1"), "it is consumed");
    // And moves on from there.
    site.done("h2", "zone detach box1");
    assert!(manifest_is_in(&site, "nfs/export/box1") && !site.at("nfs/box1").exists());
}

#[test]
fn of_two_copies_the_one_that_is_given_is_attached() {
    let site = detached();
    copy(&site.at("nfs/box1"), &site.at("nfs/box1.copy"));
    site.done("h2", &format!("zone create box1 -a {}", site.at("nfs/box1.copy").display()));
    site.done("h2", "zone attach box1");
    assert_eq!(zonepath(&site, "h2", "box1"), "/SITE/nfs/box1.copy");
    assert!(manifest_is_in(&site, "nfs/box1") && !manifest_is_in(&site, "nfs/box1.copy"));
    // On the host that has both: as another zone besides the original.
    copy(&site.at("nfs/box1"), &site.at("nfs/second"));
    site.done("h1", "zone attach box1");
    site.done("h1", &format!("zone create box2 --set uuid=new -a {}", site.at("nfs/second").display()));
    site.done("h1", "zone attach box2");
    assert_eq!(zonepath(&site, "h1", "box1"), "/SITE/nfs/box1");
    assert_eq!(zonepath(&site, "h1", "box2"), "/SITE/nfs/second");
    assert!(!manifest_is_in(&site, "nfs/second") && !manifest_is_in(&site, "nfs/box1"));
}

#[test]
fn a_copy_that_is_not_created_leaves_the_manifest_as_it_was() {
    let site = detached();
    copy(&site.at("nfs/box1"), &site.at("nfs/second"));
    let before = manifest_of(&site, "nfs/second/SUNWdetached.xml");
    // The name is taken.
    let taken = format!("zone create box1 --set uuid=new -a {}", site.at("nfs/second").display());
    assert_eq!(site.run("h1", &taken).status, Some(1));
    assert_eq!(manifest_of(&site, "nfs/second/SUNWdetached.xml"), before);
}

#[test]
fn a_folder_is_the_same_however_it_is_named() {
    let site = detached();
    std::os::unix::fs::symlink(site.at("nfs"), site.at("link")).unwrap();
    std::fs::create_dir(site.at("nfs/a b")).unwrap();
    let original = site.at("nfs/box1");
    for (name, shown) in [
        ("nfs/box1", "/SITE/nfs/box1"),
        ("nfs/box1/", "/SITE/nfs/box1"),
        ("nfs/./box1//", "/SITE/nfs/box1"),
        ("nfs/../nfs/box1", "/SITE/nfs/box1"),
        ("link/box1", "/SITE/nfs/box1"),
        ("nfs/box1/SUNWdetached.xml", "/SITE/nfs/box1"),
    ] {
        site.done("h2", &format!("zone create box1 -a {}", site.at(name).display()));
        assert_eq!(zonepath(&site, "h2", "box1"), shown, "{name}");
        site.done("h2", "zone delete -F box1");
    }
    std::fs::rename(&original, site.at("nfs/moved")).unwrap();
    for (name, shown) in [
        ("nfs/moved/", "/SITE/nfs/moved"),
        ("nfs/a b/../moved", "/SITE/nfs/moved"),
        ("link/moved", "/SITE/nfs/moved"),
        ("nfs/moved/SUNWdetached.xml", "/SITE/nfs/moved"),
    ] {
        site.done("h2", &format!("zone create box1 -a '{}'", site.at(name).display()));
        assert_eq!(zonepath(&site, "h2", "box1"), shown, "{name}");
        site.done("h2", "zone delete -F box1");
    }
    // From the current folder.
    let mut command = site.command("h2", "zone create box1 -a .");
    command.current_dir(site.at("nfs/moved"));
    assert_eq!(site.finish(command).status, Some(0));
    assert_eq!(zonepath(&site, "h2", "box1"), "/SITE/nfs/moved");
    site.done("h2", "zone delete -F box1");
    // With a symbolic link at the old path.
    std::os::unix::fs::symlink(site.at("nfs/moved"), &original).unwrap();
    site.done("h2", &format!("zone create box1 -a {}", site.at("nfs/moved").display()));
    assert_eq!(zonepath(&site, "h2", "box1"), "/SITE/nfs/moved");
    site.done("h2", "zone delete -F box1");
    // With blanks.
    std::fs::rename(site.at("nfs/moved"), site.at("nfs/a b/box 1")).unwrap();
    site.done("h2", &format!("zone create box1 -a '{}'", site.at("nfs/a b/box 1").display()));
    site.done("h2", "zone attach box1");
    assert!(site.run("h2", "zone list -cpn").stdout.contains(":/SITE/nfs/a b/box 1:"));
}

#[test]
fn a_manifest_that_lies_elsewhere_says_itself_where_the_zone_is() {
    let site = detached();
    std::fs::create_dir(site.at("kept")).unwrap();
    for name in ["kept/SUNWdetached.xml", "kept/box.xml"] {
        std::fs::copy(site.at("nfs/box1/SUNWdetached.xml"), site.at(name)).unwrap();
        site.done("h2", &format!("zone create box1 -a {}", site.at(name).display()));
        assert_eq!(zonepath(&site, "h2", "box1"), "/SITE/nfs/box1", "{name}");
        site.done("h2", "zone delete -F box1");
    }
}
