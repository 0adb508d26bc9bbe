//! The folders of libvirt's storage pools, where the data of zones that come is put.

use std::path::{Path, PathBuf};

use crate::paths::Paths;

/// Where images lie if no pool says otherwise.
const IMAGES: &str = "var/lib/libvirt/images";

/// The folders of the pools that are defined. Each has a file; asking libvirt for each would take two processes.
pub(super) fn folders(paths: &Paths) -> Vec<PathBuf> {
    let files = std::fs::read_dir(paths.libvirt_config().join("storage")).into_iter().flatten().flatten();
    let pools = files.filter_map(|file| target(&std::fs::read_to_string(file.path()).ok()?));
    pools.chain([paths.root().join(IMAGES)]).collect()
}

/// The folder of a pool; none if it consists of devices.
fn target(xml: &str) -> Option<PathBuf> {
    let document = roxmltree::Document::parse(xml).ok()?;
    let child = |node: roxmltree::Node<'_, '_>, name: &str| {
        node.children().find(|child| child.has_tag_name(name)).map(|child| child.id())
    };
    let target = document.get_node(child(document.root_element(), "target")?)?;
    let path = document.get_node(child(target, "path")?)?.text()?.trim();
    Some(PathBuf::from(path)).filter(|path| path.is_absolute() && !path.starts_with(Path::new("/dev")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_of_pools_are_found_and_devices_are_none() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::new(root.path());
        let images = root.path().join(IMAGES);
        assert_eq!(folders(&paths), [images.as_path()]);
        let storage = paths.libvirt_config().join("storage");
        std::fs::create_dir_all(&storage).unwrap();
        let pool = |kind: &str, path: &str| {
            format!(
                "<!-- made by libvirt -->\n<pool type='{kind}'><name>{kind}</name><target><path>{path}</path></target></pool>"
            )
        };
        for (file, text) in [
            ("dir.xml", pool("dir", "/srv/zones")),
            ("logical.xml", pool("logical", "/dev/vg")),
            ("rbd.xml", "<pool type='rbd'><name>rbd</name></pool>".to_owned()),
            ("torn.xml", "<pool".to_owned()),
        ] {
            std::fs::write(storage.join(file), text).unwrap();
        }
        assert_eq!(folders(&paths), [Path::new("/srv/zones"), images.as_path()]);
    }
}
