//! The packages that count, read from the files of hosts.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

mod odd;
mod own;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/software");

async fn read(root: impl AsRef<Path>, inherited: &[&str]) -> Result<Option<Software>, String> {
    let folders: Vec<_> = inherited.iter().map(|folder| Path::new(*folder).into()).collect();
    let counted = count(root.as_ref(), &folders).await;
    counted.map(|counted| counted.software).map_err(|error| chain(&error))
}

fn shown(software: &Software) -> Vec<String> {
    software.packages.iter().map(|Package { name, version }| format!("{name} {version}")).collect()
}

/// A host with these files below its root.
fn host(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = root.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    root
}

fn fixture(path: &str) -> String {
    fs::read_to_string(PathBuf::from(FIXTURES).join(path)).unwrap()
}

#[tokio::test]
async fn a_debian_counts_the_packages_with_files_in_a_shared_folder() {
    let root = format!("{FIXTURES}/dpkg");
    for (folder, wanted) in [
        ("/usr/share/zoneinfo", &["tzdata 2025b-0+deb12u2"][..]),
        ("/lib", &["libc6:amd64 2.36-9+deb12u14", "zlib1g:amd64 1:1.2.13.dfsg-1"]),
        ("/bin", &["bzip2 1.0.8-5+b1"]),
        ("/srv", &[]),
    ] {
        let found = read(&root, &[folder]).await.unwrap().unwrap();
        assert_eq!(
            (found.system, shown(&found)),
            (System::Dpkg, wanted.iter().map(|s| s.to_string()).collect()),
            "{folder}"
        );
    }
    assert_eq!(shown(&read(&root, &["/"]).await.unwrap().unwrap()).len(), 5);
}

#[tokio::test]
async fn a_debian_knows_its_folders_by_both_names() {
    let root = host(&[
        ("var/lib/dpkg/status", &fixture("dpkg/var/lib/dpkg/status")),
        ("var/lib/dpkg/info/zlib1g:amd64.list", "/lib/x86_64-linux-gnu/libz.so.1\n"),
        ("var/lib/dpkg/info/libc6:amd64.list", "/usr/lib/x86_64-linux-gnu/gconv/IBM1143.so\n"),
        ("var/lib/dpkg/info/bzip2:amd64.list", "/bin/bzip2\n"),
        ("var/lib/dpkg/info/tzdata.list", "/usr/share/zoneinfo/UTC\n"),
        ("var/lib/dpkg/info/base-files.list", "/etc/issue\n"),
    ]);
    std::os::unix::fs::symlink("usr/lib", root.path().join("lib")).unwrap();
    let found = read(&root, &["/usr/lib"]).await.unwrap().unwrap();
    assert_eq!(shown(&found), ["libc6:amd64 2.36-9+deb12u14", "zlib1g:amd64 1:1.2.13.dfsg-1"]);
}

#[tokio::test]
async fn a_package_that_was_removed_does_not_count() {
    let stanza = |name: &str, state: &str| {
        format!("Package: {name}\nStatus: install ok {state}\nArchitecture: all\nVersion: 1\n\n")
    };
    let all = ["installed", "unpacked", "triggers-pending", "config-files", "not-installed"];
    let status: String = all.iter().map(|state| stanza(state, state)).collect();
    let lists = all.map(|state| (format!("var/lib/dpkg/info/{state}.list"), "/usr/bin/x\n"));
    let mut files = vec![("var/lib/dpkg/status", status.as_str())];
    files.extend(lists.iter().map(|(name, text)| (name.as_str(), *text)));
    let found = read(host(&files), &["/usr"]).await.unwrap().unwrap();
    assert_eq!(shown(&found), ["installed 1", "triggers-pending 1", "unpacked 1"]);
}

#[tokio::test]
async fn a_solaris_10_counts_what_all_zones_have_and_what_lies_in_inherited_folders() {
    let root = format!("{FIXTURES}/svr4");
    let found = read(&root, &[]).await.unwrap().unwrap();
    assert_eq!(
        (found.system, shown(&found)),
        (System::Svr4, vec!["ISTest 1.0.26,REV=2011.01.28.12.22".to_owned()])
    );
    let patches: Vec<_> = found.patches.iter().map(|patch| patch.id.as_str()).collect();
    assert_eq!(patches, ["113000-07", "121805-03"]);
    // A package in the list of files without a pkginfo is not installed.
    assert_eq!(shown(&read(&root, &["/usr"]).await.unwrap().unwrap()).len(), 1);
}

#[tokio::test]
async fn a_package_of_the_host_alone_never_counts() {
    let contents = "/usr/bin/a f none 0555 root bin 1 1 1 SUNWa SUNWb SUNWc\n/opt/d/d f none 0555 root bin 1 1 1 SUNWd\n";
    let root = host(&[
        ("var/sadm/install/contents", contents),
        ("var/sadm/pkg/SUNWa/pkginfo", "VERSION=1\nSUNW_PKG_THISZONE=true\nSUNW_PKG_ALLZONES=true\n"),
        ("var/sadm/pkg/SUNWb/pkginfo", "VERSION=1\nSUNW_PKG_THISZONE=false\n"),
        ("var/sadm/pkg/SUNWc/pkginfo", "VERSION=1\nSUNW_PKG_HOLLOW=true\n"),
        ("var/sadm/pkg/SUNWd/pkginfo", "VERSION=1\n"),
        ("var/sadm/pkg/SUNWe/pkginfo", "VERSION=1\nSUNW_PKG_ALLZONES=true\nSUNW_PKG_HOLLOW=true\n"),
        ("var/sadm/pkg/SUNWgone/save/old", ""),
    ]);
    assert_eq!(shown(&read(&root, &["/usr"]).await.unwrap().unwrap()), ["SUNWb 1", "SUNWc 1", "SUNWe 1"]);
    assert_eq!(shown(&read(&root, &[]).await.unwrap().unwrap()), ["SUNWe 1"]);
}

#[tokio::test]
async fn a_zone_that_shares_nothing_reads_nothing() {
    let root = host(&[
        ("var/lib/dpkg/status/x", ""),
        ("var/sadm/pkg/SUNWe/pkginfo", "VERSION=1\nSUNW_PKG_ALLZONES=true\n"),
    ]);
    assert_eq!(read(&root, &[]).await, Ok(None));
    assert!(read(&root, &["/usr"]).await.unwrap_err().contains("failed to read"));
    let solaris =
        host(&[("var/sadm/pkg/SUNWe/pkginfo", "VERSION=1\n"), ("var/sadm/install/contents", "damaged\n")]);
    assert_eq!(shown(&read(&solaris, &[]).await.unwrap().unwrap()), [""; 0]);
    assert_eq!(read(host(&[]), &["/usr"]).await, Ok(None));
}

#[tokio::test]
async fn a_package_that_the_zone_does_not_see_does_not_count() {
    let contents =
        "/usr/bin/a f none 0555 root bin 1 1 1 SUNWa\n/usr/local/b f none 0555 root bin 1 1 1 CSWb\n";
    let info = "VERSION=1\n";
    let root = host(&[
        ("var/sadm/install/contents", contents),
        ("var/sadm/pkg/SUNWa/pkginfo", info),
        ("var/sadm/pkg/CSWb/pkginfo", info),
    ]);
    let usr = Inherited { folder: Path::new("/usr"), covered: vec!["/usr/local".into()] };
    let counted = count(root.path(), &[usr]).await.unwrap();
    assert_eq!(shown(&counted.software.unwrap()), ["SUNWa 1"]);
}

#[tokio::test]
async fn an_installation_that_was_interrupted_counts_as_far_as_it_went() {
    let stanza = |name: &str, state: &str, version: &str| {
        format!("Package: {name}\nStatus: install reinstreq {state}\nArchitecture: all\n{version}\n")
    };
    let status = [
        stanza("begun", "half-installed", ""),
        stanza("unlisted", "half-installed", "Version: 1\n"),
        stanza("listed", "half-installed", "Version: 1\n"),
    ];
    let root =
        host(&[("var/lib/dpkg/status", &status.concat()), ("var/lib/dpkg/info/listed.list", "/usr/bin/x\n")]);
    assert_eq!(shown(&read(&root, &["/usr"]).await.unwrap().unwrap()), ["listed 1"]);
}

#[tokio::test]
async fn a_package_that_does_not_count_may_be_damaged() {
    let root = host(&[
        ("var/sadm/install/contents", "/usr/bin/a f none 0555 root bin 1 1 1 SUNWa\n"),
        ("var/sadm/pkg/SUNWa/pkginfo", "VERSION=1\nPATCHLIST=FOO\nPATCH_INFO_FOO=Obsoletes: none\n"),
        ("var/sadm/pkg/CSWb/pkginfo", "VERSION=1\nPATCHLIST=?\n"),
        ("var/sadm/pkg/CSWc/pkginfo", "NAME=no version\n"),
    ]);
    let found = read(&root, &["/usr"]).await.unwrap().unwrap();
    assert_eq!(shown(&found), ["SUNWa 1"]);
    assert_eq!(found.patches.iter().map(|patch| patch.id.as_str()).collect::<Vec<_>>(), ["FOO"]);
}

#[tokio::test]
async fn a_patch_tells_which_packages_have_it() {
    let info = "VERSION=1\nSUNW_PKG_ALLZONES=true\nPATCHLIST=118666-18\n";
    let root = host(&[("var/sadm/pkg/SUNWa/pkginfo", info), ("var/sadm/pkg/SUNWb/pkginfo", info)]);
    let found = read(&root, &[]).await.unwrap().unwrap();
    assert_eq!(found.patches[0].packages, ["SUNWa", "SUNWb"]);
}

#[tokio::test]
async fn a_database_that_cannot_be_looked_at_is_not_taken_for_none() {
    let root = host(&[("var/sadm/pkg/SUNWa/pkginfo", "VERSION=1\nSUNW_PKG_ALLZONES=true\n")]);
    fs::create_dir_all(root.path().join("var/lib")).unwrap();
    std::os::unix::fs::symlink("dpkg", root.path().join("var/lib/dpkg")).unwrap();
    let error = read(&root, &["/usr"]).await.unwrap_err();
    assert!(error.contains("var/lib/dpkg/status"), "{error}");
    let why = SoftwareError::Damaged { file: "status".into(), what: "torn".into() };
    let uncounted = uncounted(root.path(), &[Path::new("/usr").into()], &why).await.unwrap();
    let software = uncounted.software.unwrap();
    assert_eq!((software.system, software.why_unknown()), (System::Dpkg, Some("status: torn")));
    assert_eq!(uncounted.own, [PathBuf::from("/usr")]);
}

#[tokio::test]
async fn an_empty_database_does_not_count() {
    let solaris = ("var/sadm/pkg/SUNWe/pkginfo", "VERSION=1\nSUNW_PKG_ALLZONES=true\n");
    for status in ["", "Package: a\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: all\n\n"] {
        let root = host(&[("var/lib/dpkg/status", status), solaris, ("var/sadm/install/contents", "")]);
        let found = read(&root, &["/usr"]).await.unwrap().unwrap();
        assert_eq!((found.system, shown(&found)), (System::Svr4, vec!["SUNWe 1".to_owned()]));
    }
}

#[test]
fn what_rpm_prints_is_read() {
    let output = fixture("rpm/qa.txt");
    let of = |folder: &str| {
        let folders = Folders::new(Path::new("/nonexistent"), &[Path::new(folder).into()]);
        rpm::parse(&output, &folders).unwrap().map(|found| shown(&found.software))
    };
    assert_eq!(of("/usr").unwrap(), ["tiny.noarch 2:1.0~rc1-3"]);
    assert_eq!(of("/etc").unwrap(), ["other.noarch 2:5-1", "tiny.noarch 2:1.0~rc1-3"]);
    assert_eq!(of("/opt").unwrap(), [""; 0]);
    let folders = Folders::new(Path::new("/nonexistent"), &[Path::new("/boot").into()]);
    let parse = |output: &str| rpm::parse(output, &folders);
    let two = ">kernel.x86_64 6.2-1\n-rw------- /boot/b\n>kernel.x86_64 6.1-1\n-rw------- /boot/a\n-rw------- /boot/c\n";
    assert_eq!(shown(&parse(two).unwrap().unwrap().software), ["kernel.x86_64 6.1-1, 6.2-1"]);
    assert!(parse("").unwrap().is_none());
}

#[tokio::test]
async fn a_real_database_of_rpm_is_asked() {
    let root = host(&[("tiny.spec", include_str!("../../tests/fixtures/software/rpm/tiny.spec"))]);
    let run = |program: &str, args: &[&str]| {
        let output = std::process::Command::new(program).args(args).current_dir(root.path()).output();
        let output = output.expect("the package rpm is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let top = format!("_topdir {}/build", root.path().display());
    run("rpmbuild", &["--define", &top, "-bb", "tiny.spec"]);
    assert_eq!(read(&root, &["/usr"]).await, Ok(None), "no database, and none was made");
    assert!(!root.path().join("var/lib/rpm").exists());
    fs::create_dir_all(root.path().join("var/lib/rpm")).unwrap();
    let database = root.path().join("var/lib/rpm").display().to_string();
    run("rpm", &["--dbpath", &database, "--initdb"]);
    assert_eq!(read(&root, &["/usr"]).await, Ok(None), "an empty one does not count");
    let package = "build/RPMS/noarch/tiny-1.0~rc1-3.noarch.rpm";
    run("rpm", &["--dbpath", &database, "-i", "--justdb", "--nodeps", "--noscripts", package]);
    let found = read(&root, &["/usr"]).await.unwrap().unwrap();
    assert_eq!((found.system, shown(&found)), (System::Rpm, vec!["tiny.noarch 2:1.0~rc1-3".to_owned()]));
    assert_eq!(shown(&read(&root, &["/opt"]).await.unwrap().unwrap()), [""; 0]);
}

#[test]
fn what_pkg_prints_is_read() {
    let (packages, odd) = ips::list(&fixture("ips/list.txt"));
    assert_eq!(odd, "");
    let names: Vec<_> =
        packages.iter().map(|package| format!("{}@{}", package.name, package.version)).collect();
    assert_eq!(
        names,
        [
            "SUNWcs@0.5.11-1.0.999999:20201204T223805Z",
            "archiver/gnu-tar@1.26,5.11-0.175.1.0.0.24.0:20120904T170545Z",
            "compress/bzip2@1.0.6-11.4.0.0.1.14.0:20180814T153143Z",
            "compress/gzip@1.8-11.4.0.0.1.14.0:20180814T153144Z",
            "compress/p7zip@16.2.3-11.4.0.0.1.14.0:20180814T153145Z",
            "compress/pbzip2@1.1.13-11.4.0.0.1.14.0:20180814T153147Z",
            "compress/unzip@6.0.3.23-11.4.0.0.1.14.0:20180814T153150Z",
        ]
    );
    assert_eq!(ips::list("pkg://solaris/x@1-1:20180814T153143Z ---\n").0, []);
    for damaged in
        ["x@1 i--", "pkg://solaris/x i--", "pkg://solaris/x@1", "pkg://solaris/x@1 i-- x", "pkg:/x@1 ?"]
    {
        assert_eq!(ips::list(damaged), (vec![], format!("{damaged}\n")));
    }
    let of = |folder: &str| {
        let folders = Folders::new(Path::new("/nonexistent"), &[Path::new(folder).into()]);
        let contents = fixture("ips/contents.txt");
        ips::packages_in(&contents, &folders).unwrap().0[0]
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("/lib"), ["system/library"]);
    assert_eq!(of("/etc/svc"), ["system/core-os"]);
    assert_eq!(of("/"), ["system/core-os", "system/library"]);
    assert_eq!(of("/usr"), [""; 0]);
}

/// One of each kind.
const FILES: [&str; 7] = [
    "svr4/var/sadm/install/contents",
    "svr4/var/sadm/pkg/ISTest/pkginfo",
    "ips/list.txt",
    "ips/contents.txt",
    "dpkg/var/lib/dpkg/status",
    "dpkg/var/lib/dpkg/info/tzdata.list",
    "rpm/qa.txt",
];

proptest! {
    #[test]
    fn no_damage_makes_a_reader_panic_or_steer_a_terminal(
        system in prop::sample::select(System::ALL),
        file in prop::sample::select(&FILES[..]),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..40_usize, any::<Vec<u8>>()), 0..4),
    ) {
        let mut bytes = fixture(file).into_bytes();
        for (at, length, instead) in cuts {
            let start = at.index(bytes.len() + 1);
            let end = (start + length).min(bytes.len());
            bytes.splice(start..end, instead);
        }
        read_anything(system, &bytes);
    }
}
