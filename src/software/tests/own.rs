//! Which folders are the host's own, and which are data.

use super::*;

/// Those of these folders that are the host's own.
async fn own(root: &Path, folders: &[&str]) -> Vec<String> {
    let folders: Vec<_> = folders.iter().map(|folder| Path::new(*folder).into()).collect();
    let own = count(root, &folders).await.unwrap().own;
    own.iter().map(|folder| folder.display().to_string()).collect()
}

#[tokio::test]
async fn a_folder_of_packages_is_told_from_one_of_data() {
    let everywhere = "VERSION=1\nSUNW_PKG_ALLZONES=true\n";
    let contents = "/opt/a d none 0755 root bin SUNWa\n/opt/b/log v none 0644 root bin 1 1 1 SUNWa\n\
        /opt/c/conf e none 0644 root bin 1 1 1 SUNWa\n/opt/d/sub d none 0755 root bin SUNWa\n\
        /opt/e/conf e none 0644 root bin 1 1 1 SUNWa\n/opt/e/x f none 0555 root bin 1 1 1 SUNWa\n\
        /sbin/b f none 0555 root bin 1 1 1 SUNWb\n/usr/bin/a f none 0555 root bin 1 1 1 SUNWa\n";
    let solaris = host(&[
        ("var/sadm/pkg/SUNWa/pkginfo", everywhere),
        ("var/sadm/pkg/SUNWb/pkginfo", "VERSION=1\nSUNW_PKG_THISZONE=true\n"),
        ("var/sadm/install/contents", contents),
    ]);
    let folders = ["/usr", "/sbin", "/opt/a", "/opt/b", "/opt/c", "/opt/d", "/opt/e", "/export", "/usr/lib"];
    assert_eq!(own(solaris.path(), &folders).await, ["/usr", "/opt/e"]);
    let debian = PathBuf::from(format!("{FIXTURES}/dpkg"));
    assert_eq!(own(&debian, &["/usr/share", "/usr/local", "/srv/data", "/etc"]).await, ["/usr/share"]);
}

#[tokio::test]
async fn a_folder_into_which_dpkg_delivers_no_more_than_folders_is_data() {
    let stanza = "Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n";
    let list = "/.\n/opt\n/opt/a\n/opt/a/spool\n/opt/b\n/opt/b/x\n";
    let root = host(&[("var/lib/dpkg/status", stanza), ("var/lib/dpkg/info/a.list", list), ("opt/b/x", "")]);
    fs::create_dir_all(root.path().join("opt/a/spool")).unwrap();
    assert_eq!(own(root.path(), &["/opt/a", "/opt/b"]).await, ["/opt/b"]);
    assert_eq!(shown(&read(&root, &["/opt/a"]).await.unwrap().unwrap()), ["a 1"]);
}

/// The output of rpm 4.18 for a package with `%dir`, `%doc`, `%config(noreplace)` and `%ghost`.
#[test]
fn a_folder_into_which_rpm_delivers_no_more_than_settings_is_data() {
    let output = ">t2.noarch 1-1\ndrwxr-xr-x /opt/t2\n-rw-r--r--d /opt/t2/doc/README\ndrwxr-xr-x /opt/t2/bin\n\
        lrwxrwxrwx /opt/t2/lib/link\n-rw-r--r--cn /opt/t2/etc/t2.conf\n-rw-r--r--g /opt/t2/log/t2.log\n";
    let folders = ["/opt/t2/doc", "/opt/t2/lib", "/opt/t2/etc", "/opt/t2/log", "/opt/t2", "/opt/t2/bin"];
    let folders = Folders::new(Path::new("/nonexistent"), &folders.map(|folder| Path::new(folder).into()));
    let found = rpm::parse(output, &folders).unwrap().unwrap();
    assert_eq!(found.delivers, [true, true, false, false, true, false]);
    assert_eq!(shown(&found.software), ["t2.noarch 1-1"]);
}
