//! Which System V packages and patches count, and which damage is reported.

use super::contents::{entry, package_name};
use super::*;

#[test]
fn each_line_of_a_real_list_of_files_is_read() {
    let contents = include_str!("../../../tests/fixtures/software/svr4/var/sadm/install/contents");
    let read = |line: &str| {
        let entry = entry(line.as_bytes()).unwrap().unwrap();
        let path = String::from_utf8_lossy(entry.path).into_owned();
        let packages = entry.packages().collect::<Result<Vec<_>, _>>().unwrap();
        format!("{path}{} {}", if entry.is_folder { "/" } else { "" }, packages.join(" "))
    };
    let lines: Vec<_> = contents.lines().map(read).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    /bin SUNWcsr
    /boot/grub/bin/grub SUNWgrub
    /boot/x86.miniroot-safe SUNWcsd
    /dev/ SUNWcsr SUNWcsd
    /dev/allkmem SUNWcsd
    /devices/pseudo/arp@0:arp SUNWcsd
    /etc/acct/holidays SUNWaccr
    /etc/crypto/certs/SUNWObjectCA SUNWcsr
    /etc/ftpd/ftpusers SUNWftpr
    /etc/passwd SUNWcsr
    /etc/scn/scn_aa_read SUNWscn-agentfacade-r
    /lib/libc.so.1 SUNWcslr
    /lib/libm.so.1 SUNWlibmsr
    /lib/libpthread.so.1 SUNWcslr
    /opt/csw/apache2/lib/libapr-1.so.0 CSWapache2rt
    /opt/csw/gcc3/lib/gcc/sparc-sun-solaris2.8/3.4.6/include/ CSWgcc3g77 CSWgcc3core
    /opt/csw/include/mozilla/accessibility/nsAccessNode.h CSWmozilla
    /opt/csw/sbin/ CSWfping CSWbonobo2 CSWkrb5libdev CSWsasl CSWschilybase CSWschilyutils CSWstar CSWcommon CSWcacertificates CSWfacter
    /usr/lib/libCrun.so.1 SUNWlibC
    /usr/lib/libc.so.1 SUNWcsl
    /usr/lib/libjpeg.so.62 SUNWjpg
    /usr/lib/libm.so.1 SUNWlibms
    /usr/lib/libp/libc.so.1 SUNWdpl
    /usr/lib/libpthread.so.1 SUNWcsl
    /usr/lib/sparcv9/libCrun.so.1 SUNWlibC
    ");
}

#[test]
fn packages_are_found_by_their_files_and_not_by_their_folders() {
    let contents = include_bytes!("../../../tests/fixtures/software/svr4/var/sadm/install/contents");
    let of = |folders: &[&str]| {
        let folders: Vec<_> = folders.iter().map(|folder| Path::new(*folder).into()).collect();
        let folders = Folders::new(Path::new("/nonexistent"), &folders);
        let found = packages_in(&contents[..], "contents", &folders).unwrap().0;
        Vec::from_iter(found.into_iter().flat_map(BTreeMap::into_keys).collect::<BTreeSet<_>>())
    };
    assert_eq!(of(&["/usr/lib/sparcv9"]), ["SUNWlibC"]);
    assert_eq!(
        of(&["/lib", "/usr"]),
        ["SUNWcsl", "SUNWcslr", "SUNWdpl", "SUNWjpg", "SUNWlibC", "SUNWlibms", "SUNWlibmsr"]
    );
    assert_eq!(of(&["/opt/csw/sbin", "/opt/csw/gcc3", "/dev"]), ["SUNWcsd"]);
    assert_eq!(of(&["/sbin"]), [""; 0]);
}

#[test]
fn remarks_are_passed_over() {
    assert_eq!(entry(b"# Last modified by pkgadd for SUNWbash package"), Ok(None));
    assert_eq!(entry(b""), Ok(None));
}

#[test]
fn marks_around_a_name_are_not_part_of_it() {
    for (marked, name) in [
        ("SUNWcsr", "SUNWcsr"),
        ("*SUNWlibC", "SUNWlibC"),
        ("!CSWmozilla", "CSWmozilla"),
        ("+SUNWcsr", "SUNWcsr"),
        ("-SUNWcsr", "SUNWcsr"),
        ("SUNWcsr:renamenew", "SUNWcsr"),
        ("SUNWcsr\\", "SUNWcsr"),
        ("SUNWcakr.v", "SUNWcakr.v"),
        ("SUNWgtk2-l10n", "SUNWgtk2-l10n"),
    ] {
        assert_eq!(package_name(marked.as_bytes()), Ok(name));
    }
    for bad in ["", "*", "1", "**SUNWcsr", "SUNW/csr", "../etc", "SUNW\u{7}csr", ":none"] {
        assert!(package_name(bad.as_bytes()).unwrap_err().contains("is not the name of a package"), "{bad}");
    }
}

#[test]
fn a_package_tells_its_patches_and_what_they_hold() {
    let info = "VERSION=11.9.0,REV=2002.04.06.15.27\nPATCHLIST=113964-08 112960-01\n\
        PATCH_INFO_113964-08=Svr4Package: Fri Jun 13 14:26:30 PDT 2003 From: fern Obsoletes: 113153-01 112914-04 \
        Requires: 112903-03 112911-02 115016-01 Incompatibles: 114543-09\n\
        PATCH_INFO_999999-01=Svr4Package: long ago Obsoletes: 1-1 Requires:\n";
    let said = pkginfo::read(info.as_bytes(), "pkginfo").unwrap();
    let patch = |id: &str, obsoletes: &[&str]| Patch {
        id: id.to_owned(),
        obsoletes: obsoletes.iter().map(|id| (*id).to_owned()).collect(),
        packages: vec![],
    };
    let patches = vec![patch("113964-08", &["113153-01", "112914-04"]), patch("112960-01", &[])];
    assert_eq!((said.version.as_deref(), said.patches), (Ok("11.9.0,REV=2002.04.06.15.27"), patches));
}

#[test]
fn a_line_goes_on_after_a_backslash() {
    let info = "VERSION=1\nPATCHLIST=121454-02\nPATCH_INFO_121454-02=Installed: Thu Mar 13 2008 From: sol \\\n\
        \tObsoletes: 119254-11 \\\n\t119255-12 Requires:\nSUNW_PKG_ALLZONES=tr\\\nue\nDESC=ends \\\n";
    let said = pkginfo::read(info.as_bytes(), "pkginfo").unwrap();
    assert!(said.all_zones);
    assert_eq!(said.patches[0].obsoletes, ["119254-11", "119255-12"]);
    let endless = format!("VERSION=1\n{}", format!("{}\\\n", "x".repeat(1 << 19)).repeat(3));
    let said = pkginfo::read(endless.as_bytes(), "pkginfo").unwrap();
    assert_eq!(said.version.unwrap_err(), "a line that is too long");
}

#[test]
fn quotes_are_not_part_of_a_value() {
    let info = include_bytes!("../../../tests/fixtures/software/svr4/var/sadm/pkg/EISnrpe/pkginfo");
    let said = pkginfo::read(&info[..], "pkginfo").unwrap();
    assert_eq!((said.all_zones, said.this_zone), (false, true));
    assert_eq!(said.version.unwrap(), "2.14");
}

#[test]
fn a_pipe_instead_of_a_file_keeps_nobody_waiting_and_makes_its_package_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("SUNWpipe/pkginfo");
    std::fs::create_dir(pipe.parent().unwrap()).unwrap();
    let mode = rustix::fs::Mode::from(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    std::fs::create_dir(folder.path().join("SUNWgood")).unwrap();
    std::fs::write(folder.path().join("SUNWgood/pkginfo"), "VERSION=1.0\n").unwrap();
    let packages = installed(folder.path()).unwrap();
    assert_eq!(packages["SUNWgood"].version, "1.0");
    let unknown = &packages["SUNWpipe"].version;
    assert!(unknown.starts_with("(unknown ") && unknown.contains("it is not a file"), "{unknown}");
}
