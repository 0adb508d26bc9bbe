//! The folders of its host that a zone shares, and which files are in them.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::model::Inherited;

/// Folders, each under all names that the host has for it.
///
/// On Debian `/lib` is a symbolic link to `/usr/lib`, and packages deliver files into either: a zone that shares
/// `/usr/lib` shares them all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folders {
    names: Vec<FolderName>,
    count: usize,
}

/// One name of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FolderName {
    path: Vec<u8>,
    /// The index of the folder.
    folder: usize,
    /// Paths in the folder that the zone does not see, under all their names.
    covered: Vec<Vec<u8>>,
}

impl Folders {
    /// The names of these folders on the host below `root`.
    pub fn new(root: &Path, inherited: &[Inherited<'_>]) -> Self {
        if inherited.is_empty() { Self::default() } else { Self::with_links(inherited, &links(root)) }
    }

    /// In each pair of `links` the first is a symbolic link to the second.
    fn with_links(inherited: &[Inherited<'_>], links: &[(Vec<u8>, Vec<u8>)]) -> Self {
        let mut names = Vec::new();
        for (folder, one) in inherited.iter().enumerate() {
            let covered: Vec<_> = one.covered.iter().flat_map(|path| names_of(path, links)).collect();
            let name = |path| FolderName { path, folder, covered: covered.clone() };
            names.extend(names_of(one.folder, links).into_iter().map(name));
        }
        Self { names, count: inherited.len() }
    }

    pub const fn count(&self) -> usize {
        self.count
    }

    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether a path is in one of the folders.
    pub fn hold(&self, path: &[u8]) -> bool {
        self.holding(path).next().is_some()
    }

    /// The folders that contain a path. A folder does not contain itself: that a package delivers it makes no
    /// difference.
    pub fn holding(&self, path: &[u8]) -> impl Iterator<Item = usize> {
        let holds = |name: &&FolderName| {
            path.len() > name.path.len()
                && is_in(path, &name.path)
                && !name.covered.iter().any(|covered| is_in(path, covered))
        };
        self.names.iter().filter(holds).map(|name| name.folder)
    }
}

/// All names of a folder.
fn names_of(folder: &Path, links: &[(Vec<u8>, Vec<u8>)]) -> Vec<Vec<u8>> {
    let mut folder = trimmed(folder.as_os_str().as_bytes()).to_vec();
    if let Some((link, target)) = links.iter().find(|(link, _)| is_in(&folder, link)) {
        folder = [target, folder.get(link.len()..).unwrap_or_default()].concat();
    }
    let mut names = Vec::new();
    for (link, target) in links {
        if let Some(rest) = folder.strip_prefix(&target[..]).filter(|_| is_in(&folder, target)) {
            names.push([link, rest].concat());
        } else if is_in(target, &folder) {
            names.push(link.clone());
        }
    }
    names.push(folder);
    names.sort();
    names.dedup();
    names
}

/// Whether a path is the folder or in it.
fn is_in(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// Removes trailing slashes: `/` becomes the empty text.
fn trimmed(mut path: &[u8]) -> &[u8] {
    while let Some(shorter) = path.strip_suffix(b"/") {
        path = shorter;
    }
    path
}

/// The symbolic links in the root folder, and their targets. A link that cannot be read is ignored.
fn links(root: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let link = |entry: std::fs::DirEntry| {
        let target = std::fs::read_link(entry.path()).ok()?;
        let target = target.as_os_str().as_bytes();
        let target = target.strip_prefix(b"./").unwrap_or(target);
        let target = target.strip_prefix(b"/").unwrap_or(target);
        // Links with `..` in them are not worth following.
        let plain = !target.is_empty() && target.split(|byte| *byte == b'/').all(|name| name != b"..");
        plain.then(|| ([b"/", entry.file_name().as_bytes()].concat(), [b"/", trimmed(target)].concat()))
    };
    let mut links: Vec<_> = entries.filter_map(link).collect();
    links.sort();
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    fn debian(inherited: &[&str]) -> Folders {
        let pair = |link: &str, target: &str| (link.as_bytes().to_vec(), target.as_bytes().to_vec());
        let links = [pair("/bin", "/usr/bin"), pair("/lib", "/usr/lib"), pair("/lib64", "/usr/lib64")];
        let inherited: Vec<_> = inherited.iter().map(|folder| Path::new(*folder).into()).collect();
        Folders::with_links(&inherited, &links)
    }

    #[test]
    fn a_folder_holds_what_lies_in_it_and_not_itself() {
        for (folder, path, holds) in [
            ("/usr", "/usr/bin/ls", true),
            ("/usr/", "/usr/bin/ls", true),
            ("/usr", "/usr", false),
            ("/usr", "/usr2/bin/ls", false),
            ("/usr", "/etc/passwd", false),
            ("/", "/etc/passwd", true),
            ("/usr", "/lib/libc.so.6", true),
            ("/usr", "/lib64/ld.so", true),
            ("/usr", "/lib", false),
            ("/usr/lib", "/lib/libc.so.6", true),
            ("/usr/lib", "/lib64/ld.so", false),
            ("/usr/lib/modules", "/lib/modules/6/ext4.ko", true),
            ("/usr/lib/modules", "/lib/libc.so.6", false),
            ("/lib/modules", "/usr/lib/modules/6/ext4.ko", true),
            ("/lib/modules", "/lib/modules/6/ext4.ko", true),
            ("/srv", "/srv/www/index.html", true),
        ] {
            assert_eq!(debian(&[folder]).hold(path.as_bytes()), holds, "{folder} {path}");
        }
        assert!(!debian(&[]).hold(b"/usr/bin/ls"));
        assert!(debian(&["/opt", "/usr"]).hold(b"/usr/bin/ls"));
    }

    #[test]
    fn what_lies_under_something_else_is_in_no_folder_and_may_be_in_another() {
        let path = |path: &str| std::path::PathBuf::from(path);
        let usr =
            Inherited { folder: Path::new("/usr"), covered: vec![path("/usr/local"), path("/usr/lib/x")] };
        let links = [(b"/lib".to_vec(), b"/usr/lib".to_vec())];
        let folders = Folders::with_links(&[usr, Path::new("/usr/local/share").into()], &links);
        let holding = |path: &str| folders.holding(path.as_bytes()).collect::<Vec<_>>();
        assert_eq!(holding("/usr/bin/ls"), [0]);
        assert_eq!(holding("/usr/local/bin/tool"), [0; 0]);
        assert_eq!(holding("/usr/local/share/tool"), [1]);
        assert_eq!((holding("/lib/x/y"), holding("/lib/y")), (vec![], vec![0]));
    }

    #[test]
    fn links_of_the_root_are_followed() {
        let root = tempfile::tempdir().unwrap();
        for (name, target) in [("lib", "usr/lib"), ("bin", "./usr/bin"), ("up", "../x"), ("abs", "/usr/abs")]
        {
            std::os::unix::fs::symlink(target, root.path().join(name)).unwrap();
        }
        let folders = Folders::new(root.path(), &[Path::new("/usr").into()]);
        for path in ["/lib/a", "/bin/a", "/abs/a", "/usr/a"] {
            assert!(folders.hold(path.as_bytes()), "{path}");
        }
        assert!(!folders.hold(b"/up/a"));
        assert!(Folders::new(Path::new("/no/such/root"), &[]).is_empty());
    }
}
