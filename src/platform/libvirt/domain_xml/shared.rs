//! Storage that two domains would use at the same time; if one of them writes to it, data is lost.

use std::collections::BTreeSet;

use roxmltree::Node;

use super::{child, read, source_of, text_of};

/// The original's storage to which a copy with the first document would write, too. Storage marked as shared in
/// the copy does not count.
///
/// # Errors
/// What is wrong with a document.
pub fn writes_over(copy: &str, original: &str) -> Result<Vec<String>, String> {
    let (copy, original) = (read(copy)?, read(original)?);
    let mut used: BTreeSet<_> = uses(original.root_element()).into_iter().map(|one| one.place).collect();
    // Each is reported once.
    let mut is_shared = |one: &StorageUse| one.is_written && used.remove(&one.place);
    let shared = uses(copy.root_element()).into_iter().filter(|one| is_shared(one));
    Ok(shared.map(|one| one.place).collect())
}

struct StorageUse {
    /// The path, or everything that identifies the storage.
    place: String,
    /// The domain writes to it, and does not share it.
    is_written: bool,
}

fn uses(root: Node<'_, '_>) -> Vec<StorageUse> {
    let mut found = Vec::new();
    for part in root.children().filter(Node::is_element).flat_map(|section| section.children()) {
        match part.tag_name().name() {
            "nvram" | "varstore" => {
                let path = || part.attribute("path").map(str::to_owned);
                let place = text_of(part).or_else(path).or_else(|| place(part));
                found.extend(place.map(|place| StorageUse { place, is_written: true }));
            }
            "memory" => {
                let path = child(part, "source").and_then(|source| child(source, "path")).and_then(text_of);
                let is_written = child(part, "target").is_none_or(|node| child(node, "readonly").is_none());
                found.extend(path.map(|place| StorageUse { place, is_written }));
            }
            "pstore" => {
                let path = child(part, "path").and_then(text_of);
                found.extend(path.map(|place| StorageUse { place, is_written: true }));
            }
            "disk" => disk(part, &mut found),
            // A folder of the container's own.
            "filesystem" if part.attribute("type") == Some("bind") => {}
            "filesystem" => {
                let place = child(part, "source").and_then(folder);
                let is_written = child(part, "readonly").is_none();
                found.extend(place.map(|place| StorageUse { place, is_written }));
            }
            _ => {}
        }
    }
    found
}

/// A disk and its backing stores.
fn disk(device: Node<'_, '_>, found: &mut Vec<StorageUse>) {
    let is_kept = ["readonly", "shareable"].iter().any(|word| child(device, word).is_some());
    let is_written = !is_kept && !matches!(device.attribute("device"), Some("cdrom"));
    found.extend(place(device).map(|place| StorageUse { place, is_written }));
    let data = child(device, "source").and_then(|source| child(source, "dataStore")).and_then(place);
    found.extend(data.map(|place| StorageUse { place, is_written }));
    let mut backing = child(device, "backingStore");
    while let Some(store) = backing {
        found.extend(place(store).map(|place| StorageUse { place, is_written: false }));
        backing = child(store, "backingStore");
    }
}

/// The location of a disk, or of something that is described like one.
fn place(disk: Node<'_, '_>) -> Option<String> {
    let source = child(disk, "source")?;
    match source_of(disk) {
        Ok(found) => found.map(|source| source.label()),
        // For example a volume of a pool: the names of both.
        Err(_) => {
            let told = source.descendants().flat_map(|node| node.attributes()).map(|part| part.value());
            Some(told.collect::<Vec<_>>().join("/"))
        }
    }
}

/// The location of a container's folder; none if it is created anew at each boot.
fn folder(source: Node<'_, '_>) -> Option<String> {
    ["dir", "file", "dev"].iter().find_map(|name| source.attribute(*name)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISK: &str = "<disk type='file'><source file='/s/a.img'/><target dev='vda'/></disk>";

    fn domain(devices: &str) -> String {
        format!("<domain type='kvm'><os><nvram>/n/a.fd</nvram></os><devices>{devices}</devices></domain>")
    }

    /// What a domain with these devices would write to although one with those uses it.
    fn shared(devices: &str, others: &str) -> Vec<String> {
        let copy = domain(devices).replace("/n/a.fd", "/n/b.fd");
        writes_over(&copy, &domain(others)).unwrap()
    }

    #[test]
    fn a_copy_writes_over_every_disk_that_it_has_kept_and_over_its_nvram() {
        let block = "<disk type='block'><source dev='/dev/vg/a'/></disk>";
        let rbd = "<disk type='network'><source protocol='rbd' name='p/a'><host name='m'/></source></disk>";
        let volume = "<disk type='volume'><source pool='p' volume='v'/></disk>";
        let folder = "<filesystem type='mount'><source dir='/z/root'/><target dir='/'/></filesystem>";
        let memory = "<memory model='nvdimm'><source><path>/n/a.img</path></source><target/></memory>";
        let data = "<disk type='file'><source file='/q/a.qcow2'><dataStore type='file'><source file='/q/a.raw'/>\
                    </dataStore></source></disk>";
        let store = "<pstore><path>/p/a</path></pstore>";
        let all = [DISK, block, rbd, volume, folder, memory, data, store].concat();
        let expected = [
            "/s/a.img",
            "/dev/vg/a",
            "rbd://m/p/a",
            "p/v",
            "/z/root",
            "/n/a.img",
            "/q/a.qcow2",
            "/q/a.raw",
            "/p/a",
        ];
        assert_eq!(shared(&all, &all), expected);
        assert_eq!(writes_over(&domain(""), &domain("")).unwrap(), ["/n/a.fd"]);
        let newer = domain("").replace("<nvram>/n/a.fd<", "<nvram type='file'><source file='/n/a.fd'/><");
        assert_eq!(writes_over(&newer, &domain("")).unwrap(), ["/n/a.fd"]);
        let others = all.replace("/a", "/b").replace("'v'", "'w'").replace("/z/", "/y/");
        assert!(shared(&others, &all).is_empty(), "{others}");
    }

    #[test]
    fn what_is_read_shared_on_purpose_or_made_anew_is_in_nobodys_way() {
        for (from, to) in [
            ("<target", "<readonly/><target"),
            ("<target", "<shareable/><target"),
            ("<disk ", "<disk device='cdrom' "),
        ] {
            assert!(shared(&DISK.replace(from, to), DISK).is_empty(), "{to}");
        }
        let memory = "<filesystem type='ram'><source usage='1024'/><target dir='/tmp'/></filesystem>";
        assert!(shared(memory, memory).is_empty());
        let bind = "<filesystem type='bind'><source dir='/inside'/><target dir='/i'/></filesystem>";
        assert!(shared(bind, bind).is_empty());
        // Neither the original's own marks count, nor its names for the device.
        assert_eq!(shared(DISK, &DISK.replace("<target", "<shareable/><target")), ["/s/a.img"]);
        let backing = "<backingStore type='file'><source file='/s/a.img'/></backingStore>";
        let above = DISK.replace("/a.img", "/b.img").replace("<target", &format!("{backing}<target"));
        assert_eq!(shared(DISK, &above), ["/s/a.img"]);
        assert!(shared(&above, DISK).is_empty(), "it reads what is below its own");
    }
}
