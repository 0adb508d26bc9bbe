//! Manifests in zonepaths: who may take one, and what an interruption leaves behind.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::store::tests::sample;

fn text_of(zone: &str, uuid: u128) -> String {
    let written = document::Written::by("h1", crate::model::Millis(40));
    document::write(&sample::manifest_of(zone, uuid), &written).unwrap()
}

/// Writes a manifest into its zonepath, where every host may take it.
fn put(zonepath: &Path, text: &str) -> Result<(), ZonepathError> {
    hold(zonepath, "h0", text)?;
    give_back(zonepath, "h0")
}

#[test]
fn of_hosts_that_share_a_zonepath_only_one_takes_the_zone() {
    let folder = tempfile::tempdir().unwrap();
    let zonepath = folder.path();
    put(zonepath, &text_of("web", 1)).unwrap();
    let taken = ["h1", "h2", "h1"].map(|host| claim(zonepath, host).unwrap());
    assert_eq!(taken, [true, false, true], "who has it goes on after an interruption");
    assert_eq!(owner(zonepath).unwrap(), None);
    give_back(zonepath, "h1").unwrap();
    assert!(claim(zonepath, "h2").unwrap() && !is_claimed(zonepath, "h1"));
    clear(zonepath, Uuid::from_u128(1)).unwrap();
    assert!(!claim(zonepath, "h2").unwrap(), "it is attached, and not to be attached again");
    assert_eq!(std::fs::read_dir(zonepath).unwrap().count(), 0);
}

#[test]
fn while_a_zone_is_being_detached_no_other_host_takes_it() {
    let folder = tempfile::tempdir().unwrap();
    hold(folder.path(), "h1", &text_of("web", 1)).unwrap();
    assert!(!claim(folder.path(), "h2").unwrap());
    assert!(owner(folder.path()).unwrap().is_none() && is_claimed(folder.path(), "h1"));
    give_back(folder.path(), "h1").unwrap();
    assert!(claim(folder.path(), "h2").unwrap());
}

#[test]
fn a_claim_that_an_interruption_left_is_not_taken_for_that_of_a_later_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let zonepath = folder.path();
    for round in ["detached again", "attached elsewhere"] {
        put(zonepath, &text_of("web", 1)).unwrap();
        assert!(claim(zonepath, "h1").unwrap());
        match round {
            "detached again" => {
                put(zonepath, &text_of("web", 1)).unwrap();
                assert!(claim(zonepath, "h2").unwrap());
            }
            _ => clear(zonepath, Uuid::from_u128(1)).unwrap(),
        }
        assert!(!claim(zonepath, "h1").unwrap(), "{round}");
    }
}

#[test]
fn a_zonepath_is_occupied_by_the_zone_whose_manifest_it_holds_and_by_what_is_no_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let zonepath = folder.path();
    let [own, other] = [Uuid::from_u128(1), Uuid::from_u128(2)];
    assert_eq!(occupied(zonepath, own), None);
    assert_eq!(occupied(&zonepath.join("nowhere"), own), None);
    put(zonepath, &text_of("web", 1)).unwrap();
    assert_eq!(occupied(zonepath, own), None);
    assert!(occupied(zonepath, other).unwrap().text.contains("the manifest of another zone, 'web'"));
    clear(zonepath, other).unwrap();
    assert!(owner(zonepath).unwrap().is_some(), "another one's is not taken away");
    std::fs::write(zonepath.join(MANIFEST), "x").unwrap();
    assert!(occupied(zonepath, own).unwrap().text.contains("an invalid manifest"));
    std::fs::remove_file(zonepath.join(MANIFEST)).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", zonepath.join(MANIFEST)).unwrap();
    assert!(occupied(zonepath, own).unwrap().text.contains("it is a symbolic link"));
}

#[test]
fn a_manifest_is_written_beside_and_put_in_place_over_a_link_too() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("victim"), "as it was").unwrap();
    std::os::unix::fs::symlink(at("victim"), at(MANIFEST)).unwrap();
    put(folder.path(), "whole").unwrap();
    assert_eq!(std::fs::read_to_string(at("victim")).unwrap(), "as it was");
    assert_eq!(std::fs::read_to_string(at(MANIFEST)).unwrap(), "whole");
    let about = at(MANIFEST).symlink_metadata().unwrap();
    assert!(about.is_file() && about.permissions().mode() & 0o7777 == 0o644);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
}

#[test]
fn what_is_no_manifest_is_told_by_its_name_and_line() {
    let whole = text_of("web", 1);
    let truncated = &whole.as_bytes()[..whole.len() / 2];
    for (what, bytes) in [("truncated", truncated), ("empty", b""), ("binary", b"\x7fELF\0\xff\xfe\n")] {
        let error = read_from(bytes, "web.xml").unwrap_err().to_string();
        assert!(error.starts_with("web.xml:"), "{what}: {error}");
    }
    let endless = std::io::repeat(b' ').take(100 << 20);
    let error = read_from(endless, "web.xml").unwrap_err().to_string();
    assert!(error.contains("larger than 4M"), "{error}");
}

#[test]
fn what_would_keep_its_reader_waiting_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let mode = rustix::fs::Mode::from(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert!(crate::model::chain(&read(&pipe).unwrap_err()).contains("it is not a file"));
}

#[test]
fn a_folder_whose_name_is_no_text_is_named_and_is_no_zonepath() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let zonepath = folder.path().join(std::ffi::OsStr::from_bytes(b"box\xff"));
    std::fs::create_dir(&zonepath).unwrap();
    let manifest = sample::container("box", 1);
    let error = of(&manifest, &zonepath).unwrap_err().to_string();
    assert!(error.contains("/box\u{fffd} is not UTF-8"), "{error}");
}
