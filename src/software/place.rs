//! Whether a folder is the host's own, or leads to storage that is mounted among the host's programs.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::SoftwareError;
use crate::model::is_static;
use crate::platform::linux::mount_table;

pub(super) fn are_own(root: &Path, folders: &[&Path]) -> Result<Vec<bool>, SoftwareError> {
    let failed = |error| SoftwareError::read(root, error);
    let root = root.canonicalize().map_err(failed)?;
    let mounts = mount_table().map_err(|error| SoftwareError::read(Path::new("the mount table"), error))?;
    let mounts = mount_points(&mounts);
    folders.iter().map(|folder| is_own(&root, folder, &mounts)).collect()
}

fn is_own(root: &Path, folder: &Path, mounts: &HashSet<&[u8]>) -> Result<bool, SoftwareError> {
    let path = root.join(folder.strip_prefix("/").unwrap_or(folder));
    let path = match path.canonicalize() {
        Ok(path) => path,
        Err(error) if error.kind() == ErrorKind::NotFound => path,
        Err(error) => return Err(SoftwareError::read(&path, error)),
    };
    // The target of symbolic links, relative to the root.
    let Ok(inside) = path.strip_prefix(root) else { return Ok(false) };
    let inside = Path::new("/").join(inside);
    // `/usr` itself may be a file system of its own.
    let is_below = |place: &&Path| is_static(place) && place.components().count() > 2;
    let mut places = inside.ancestors().filter(is_below);
    let is_mounted = |place: &Path| {
        let place = root.join(place.strip_prefix("/").unwrap_or(place));
        mounts.contains(&escaped(place.as_os_str().as_bytes())[..])
    };
    Ok(is_static(&inside) && !places.any(is_mounted))
}

// 77 45 254:0 /lab/h1/local /srv/local rw,relatime - ext4 /dev/vda rw,discard
fn mount_points(text: &[u8]) -> HashSet<&[u8]> {
    let lines = text.split(|byte| *byte == b'\n');
    lines.filter_map(|line| line.split(|byte| *byte == b' ').nth(4)).collect()
}

/// A path with the kernel's escapes.
fn escaped(path: &[u8]) -> Vec<u8> {
    let escape = |byte: &u8| match byte {
        b' ' | b'\t' | b'\n' | b'\\' => format!("\\{byte:03o}").into_bytes(),
        byte => vec![*byte],
    };
    path.iter().flat_map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_its_hosts_own_unless_something_is_mounted_there_or_it_leads_elsewhere() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        for folder in ["usr/share/a b", "usr/lib", "opt/tool/lib", "srv/nfs", "etc"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        for (link, target) in [("lib", "usr/lib"), ("opt/other", "../srv/nfs"), ("usr/conf", "/etc")] {
            std::os::unix::fs::symlink(target, root.join(link)).unwrap();
        }
        let line = |place: &str| format!("77 45 0:40 / {}{place} rw - nfs4 srv:/x rw\n", root.display());
        let own = |mounted: &[&str], folder: &str| {
            let text: String = mounted.iter().map(|place| line(place)).collect();
            is_own(&root, Path::new(folder), &mount_points(text.as_bytes())).unwrap()
        };
        for folder in
            ["/usr", "/usr/share/a b", "/lib", "/usr/lib", "/opt/tool", "/opt/tool/lib", "/usr/gone"]
        {
            assert!(own(&[], folder), "{folder}");
            assert!(
                own(&["", "/usr", "/opt", "/srv/nfs"], folder),
                "{folder}: the system may have several file systems"
            );
        }
        for folder in ["/opt/other", "/usr/conf", "/etc", "/srv/nfs"] {
            assert!(!own(&[], folder), "{folder}");
        }
        assert!(!own(&["/usr/share"], "/usr/share/a b"));
        assert!(!own(&["/usr/share/a\\040b"], "/usr/share/a b"));
        assert!(!own(&["/usr/lib"], "/lib"));
        assert!(!own(&["/opt/tool"], "/opt/tool/lib"));
    }

    #[test]
    fn the_mounts_of_this_system_are_asked() {
        assert_eq!(are_own(Path::new("/"), &[Path::new("/usr"), Path::new("/etc")]).unwrap(), [true, false]);
        assert!(mount_points(&mount_table().unwrap()).contains(&b"/"[..]));
    }
}
