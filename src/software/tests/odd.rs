//! An invalid line makes one package unknown, and no other. A host always matches itself.

use super::*;
use crate::model::is_unknown_version;
use crate::software::update::UpdateError;

/// The packages of a host with these files. Another host with the same files must have the same ones, and match.
async fn packages<const N: usize>(files: [(&str, &str); N]) -> Vec<String> {
    packages_of(&files).await
}

async fn packages_of(files: &[(&str, &str)]) -> Vec<String> {
    let [one, other] = [host(files), host(files)];
    let [one, other] = [read(&one, &["/usr"]).await.unwrap(), read(&other, &["/usr"]).await.unwrap()];
    let (one, other) = (one.unwrap(), other.unwrap());
    assert!(compare(&one, Some(&one)).is_empty(), "{one:?}");
    assert_eq!(one, other);
    shown(&one)
}

/// A package without its fingerprint.
fn bare(package: &str) -> String {
    let Some((start, rest)) = package.split_once("(unknown ") else { return package.to_owned() };
    let (fingerprint, what) = rest.split_once(": ").unwrap();
    assert!(fingerprint.len() == 12 && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()), "{package}");
    format!("{start}({what}")
}

const GOOD: &str =
    "/usr/bin/a f none 0555 root bin 1 1 1 SUNWa\n/usr/bin/b f none 0555 root bin 1 1 1 SUNWb\n";

#[tokio::test]
async fn an_odd_pkginfo_makes_its_package_unknown() {
    let huge = format!("VERSION=1\nDESC={}\n", "x".repeat(2 << 20));
    let long = format!("VERSION={}\n", "x".repeat(600));
    for (info, wanted) in [
        ("VERSION=release 1.0\n", "release 1.0"),
        ("VERSION=\"release 1.0\"\n", "release 1.0"),
        ("VERSION=1\u{e9}\n", "1\\xc3\\xa9"),
        ("VERSION=1\x1b[31m\n", "1\\x1b[31m"),
        ("VERSION=1\nVERSION=1\n", "1"),
        ("VERSION=1\nVERSION=2\n", "(two VERSIONs)"),
        ("PKG=a\n", "(no VERSION)"),
        ("", "(no VERSION)"),
        ("VERSION=\n", "(an empty version)"),
        ("VERSION=(1)\n", "(\"(1)\" is not a version)"),
        (&long, "(a version of more than 512 bytes)"),
        ("VERSION=1\nhello\n", "(no PARAMETER=value: \"hello\")"),
        ("VERSION=1\nDESC=a \\\n  b\nhel\\\nlo\n", "(no PARAMETER=value: \"hello\")"),
        ("VERSION=1\nPATCHLIST=1-1 \\\n ?\n", "(\"?\" is not a patch)"),
        ("VERSION=1\nPATCHLIST=1-", "(the file ends within a line)"),
        ("VERSION=1\n\u{0}\u{1}\n", "(no PARAMETER=value: \"\\x00\\x01\")"),
        (&huge, "(a line of more than 1 MiB)"),
    ] {
        let all = packages([
            ("var/sadm/install/contents", GOOD),
            ("var/sadm/pkg/SUNWa/pkginfo", info),
            ("var/sadm/pkg/SUNWb/pkginfo", "VERSION=2\n"),
        ])
        .await;
        let all: Vec<_> = all.iter().map(|package| bare(package)).collect();
        assert_eq!(all, [format!("SUNWa {wanted}"), "SUNWb 2".to_owned()], "{info:.80}");
    }
}

#[tokio::test]
async fn a_package_of_which_it_is_not_known_whether_all_zones_have_it_counts() {
    let info = |text: &str| {
        host(&[
            ("var/sadm/pkg/SUNWa/pkginfo", text),
            ("var/sadm/pkg/SUNWb/pkginfo", "VERSION=1\nSUNW_PKG_ALLZONES=true\n"),
        ])
    };
    let count = async |text: &str| read(info(text), &[]).await.unwrap().unwrap().packages.len();
    assert_eq!(count("VERSION=1\nhello\n").await, 1);
    assert_eq!(count("VERSION=1\nSUNW_PKG_ALLZONES true\n").await, 2);
    assert_eq!(count("VERSION=1\nSUNW_PKG_ALLZONES=tr").await, 2);
    // A path that cannot be opened as a file.
    let root = info("VERSION=1\n");
    fs::create_dir_all(root.path().join("var/sadm/pkg/SUNWc/pkginfo")).unwrap();
    let found = read(&root, &[]).await.unwrap().unwrap();
    let odd = found.packages.iter().find(|package| package.name == "SUNWc").unwrap();
    assert!(is_unknown_version(&odd.version) && odd.version.contains("directory"), "{odd:?}");
}

#[tokio::test]
async fn a_folder_with_an_odd_name_is_a_package_of_that_name() {
    let all = packages([
        ("var/sadm/install/contents", GOOD),
        ("var/sadm/pkg/a b/pkginfo", "VERSION=1\nSUNW_PKG_ALLZONES=true\n"),
        ("var/sadm/pkg/1\u{7}/pkginfo", "VERSION=1\nSUNW_PKG_ALLZONES=true\n"),
    ])
    .await;
    assert_eq!(all, ["1\\x07 1", "a b 1"]);
}

#[tokio::test]
async fn an_odd_line_of_the_list_of_files_stands_for_itself() {
    let line = |line: &str| format!("{GOOD}{line}\n{}", GOOD.replace("/usr/bin", "/usr/sbin"));
    for (contents, wanted) in [
        (line("/usr/bin/c f none 0555"), "(no package: \"/usr/bin/c f none 0555\")"),
        (
            line("/usr/bin/c f none 0555 root bin 1 1 SUNWc"),
            "(no package: \"/usr/bin/c f none 0555 root bin 1 1 SUNWc\")",
        ),
        (line("/usr/bin/c Z none 0555 root bin 1 1 1 SUNWc"), "(an unknown type: "),
        (line("usr/bin/c f none 0555 root bin 1 1 1 SUNWc"), "(no path: "),
        (line("/usr/bin/c s none SUNWc"), "(a link without a target: "),
        (line("/usr/bin/c f none 0555 root bin 1 1 1 \u{e9}t\u{e9}"), "(\"\\xc3\\xa9t\\xc3\\xa9\" is not"),
        (line("\u{0}\u{1}\u{1b}[31m"), "(no type: \"\\x00\\x01\\x1b[31m\")"),
        (line("/usr/bin/a"), "(no type: "),
        (line(&"x".repeat(2 << 20)), "(a line of more than 1 MiB: \"xxx"),
        (
            format!("{GOOD}/usr/bin/c f none 0555 root bin 1 1 1 SUNW"),
            "(the file ends within a line: \"/usr/bin/c",
        ),
    ] {
        let all = packages([
            ("var/sadm/install/contents", &contents),
            ("var/sadm/pkg/SUNWa/pkginfo", "VERSION=1\n"),
            ("var/sadm/pkg/SUNWb/pkginfo", "VERSION=2\n"),
        ])
        .await;
        assert_eq!(all[..2], ["SUNWa 1", "SUNWb 2"], "{wanted}");
        assert!(all.len() == 3 && all[2].starts_with(wanted), "{all:?}");
        assert!(bare(&all[2]).ends_with(" (an odd line)"), "{all:?}");
    }
    // Lines about other folders do not matter.
    let all = packages([
        ("var/sadm/install/contents", &line("/etc/c Z none")),
        ("var/sadm/pkg/SUNWa/pkginfo", "VERSION=1\n"),
    ])
    .await;
    assert_eq!(all, ["SUNWa 1"]);
}

#[tokio::test]
async fn a_file_of_which_nothing_can_be_read_is_not_what_it_should_be() {
    let utf16: String = GOOD.repeat(20).chars().flat_map(|c| [c, '\0']).collect();
    let root = host(&[("var/sadm/install/contents", &utf16), ("var/sadm/pkg/SUNWa/pkginfo", "VERSION=1\n")]);
    let error = read(&root, &["/usr"]).await.unwrap_err();
    assert!(
        error.contains("var/sadm/install/contents: more than 16 of its lines are odd; the first ("),
        "{error}"
    );
    let root = host(&[("var/sadm/pkg/SUNWa/pkginfo", "VERSION=1\n")]);
    let error = read(&root, &["/usr"]).await.unwrap_err();
    assert!(error.contains("failed to read") && error.contains("var/sadm/install/contents"), "{error}");
    assert!(error.contains("No such file"), "{error}");
    let root = host(&[("var/lib/dpkg/status", ""), ("var/lib/dpkg/info/a.list", "/usr/x\n")]);
    let error = read(&root, &["/usr"]).await.unwrap_err();
    assert!(error.contains("status: it is empty, and there are lists of the files of packages"), "{error}");
}

#[tokio::test]
async fn an_odd_stanza_makes_its_package_unknown() {
    let stanza = |name: &str| {
        format!("Package: {name}\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n")
    };
    let a = stanza("a");
    for (odd, wanted) in [
        (a.replace("Version: 1", "Version: release 1"), vec!["a release 1"]),
        (a.replace("Version: 1", "Version: 1\u{e9}"), vec!["a 1\\xc3\\xa9"]),
        (a.replace("Version: 1\n", ""), vec!["a (no Version)"]),
        (a.replace("Version: 1\n", "Version:\n"), vec!["a (an empty version)"]),
        (a.replace("Architecture: all\n", ""), vec!["a (no Architecture)"]),
        (a.replace("ok installed", "ok so-so"), vec!["a (an unknown Status)"]),
        (a.replace("Status: install ok installed\n", ""), vec!["a (an unknown Status)"]),
        (a.replace("\n\n", "\n?\n\n"), vec!["a (no Field: value: \"?\")"]),
        (a.replace("\n\n", "\nVersion: 1\n\n"), vec!["a 1"]),
        (a.replace("\n\n", "\nVersion: 2\n\n"), vec!["a (Version is there twice)"]),
        (
            a.replace("\n\n", &format!("\nX: {}\n\n", "x".repeat(2 << 20))),
            vec!["a (a line of more than 1 MiB)"],
        ),
        (
            a.replace("Package: a\n", ""),
            vec!["(a package without a name: \"Status: install ok installed\") (an odd line)"],
        ),
        (
            a.replace("Package: a\n", "Package: \u{e9}\n"),
            vec!["(a package without a name: \"Package: \\xc3\\xa9\") (an odd line)"],
        ),
        (
            a.replace("\n\n", "\n") + &stanza("c"),
            vec!["a (the line before the next package is not there)", "c (the line before it is not there)"],
        ),
    ] {
        let all = packages([
            ("var/lib/dpkg/status", &format!("{}{odd}{}", stanza("0"), stanza("z"))),
            ("var/lib/dpkg/info/0.list", "/usr/0\n"),
            ("var/lib/dpkg/info/a.list", "/usr/x\n"),
            ("var/lib/dpkg/info/c.list", "/usr/c\n"),
            ("var/lib/dpkg/info/z.list", "/usr/z\n"),
        ])
        .await;
        let mut all: Vec<_> = all.iter().map(|package| bare(package)).collect();
        for other in ["0 1", "z 1"] {
            let at = all.iter().position(|package| package == other).expect(other);
            all.remove(at);
        }
        assert_eq!(all, wanted, "{odd:.200}");
    }
    let ends = format!("{}{}", stanza("0"), a.trim_end());
    let all = packages([
        ("var/lib/dpkg/status", &ends),
        ("var/lib/dpkg/info/0.list", "/usr/0\n"),
        ("var/lib/dpkg/info/a.list", "/usr/x\n"),
    ])
    .await;
    assert_eq!(bare(&all[1]), "a (the file ends within a line)");
}

#[tokio::test]
async fn an_odd_list_of_files_makes_its_package_unknown() {
    let stanza = |name: &str| {
        format!("Package: {name}\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n")
    };
    let status = stanza("a") + &stanza("b");
    for (list, wanted) in [
        (Some("usr/x\n"), Some("a (1, in its list of files no path: \"usr/x\")")),
        (Some("/etc/x\n/us"), Some("a (1, in its list of files the file ends within a line)")),
        (Some("/etc/x\n\n"), Some("a (1, in its list of files no path: \"\")")),
        // The package is known to count all the same.
        (Some("/usr/x\n\n"), Some("a 1")),
        (Some("/etc/x\n"), None),
        (None, Some("a (1, in its list of files No such file or directory (os error 2))")),
    ] {
        let mut files =
            vec![("var/lib/dpkg/status", status.as_str()), ("var/lib/dpkg/info/b.list", "/usr/b\n")];
        files.extend(list.map(|list| ("var/lib/dpkg/info/a.list", list)));
        let all: Vec<_> = packages_of(&files).await.iter().map(|package| bare(package)).collect();
        let wanted: Vec<_> = wanted.into_iter().chain(["b 1"]).collect();
        assert_eq!(all, wanted, "{list:?}");
    }
}

#[test]
fn an_odd_line_of_rpm_makes_its_package_unknown() {
    let folders = Folders::new(Path::new("/nonexistent"), &[Path::new("/usr").into()]);
    let parse = |output: &str| {
        let found = rpm::parse(output, &folders).unwrap().unwrap();
        assert!(compare(&found.software, Some(&found.software)).is_empty());
        shown(&found.software).iter().map(|package| bare(package)).collect::<Vec<_>>()
    };
    let file = "-rwxr-xr-x /usr/bin/x\n";
    for (odd, wanted) in [
        (format!(">a.all release 1\n{file}"), "a.all release 1"),
        (format!(">a.all\n{file}"), "a.all (an empty version)"),
        (format!(">a.all \n{file}"), "a.all (an empty version)"),
        (format!(">a\u{e9}.all 1\n{file}"), "a\\xc3\\xa9.all 1"),
        (">a.all 1\n-rwxr-xr-x /etc/odd\nname\n".to_owned(), "a.all (1, with \"name\")"),
        (format!(">a.all 1\n{file}odd\n"), "a.all (1, with \"odd\")"),
        (">a.all 1\n\n".to_owned(), "a.all (1, with \"\")"),
        (format!(">a.all 1\n{file}>a.all 2\n{file}"), "a.all 1, 2"),
    ] {
        assert_eq!(parse(&format!(">0.all 1\n{file}{odd}>z.all 1\n{file}")), ["0.all 1", wanted, "z.all 1"]);
    }
    assert_eq!(
        parse(&format!("warning: old\n>a.all 1\n{file}")),
        ["a.all 1", "(neither a package nor its file: \"warning: old\") (an odd line)"]
    );
}

#[test]
fn an_odd_line_of_pkg_makes_its_package_unknown() {
    let folders = Folders::new(Path::new("/nonexistent"), &[Path::new("/usr").into()]);
    let counted = |list: &str, contents: &str| {
        let ((listed, odd), (delivered, odd_files)) =
            (ips::list(list), ips::packages_in(contents, &folders).unwrap());
        let mut packages = ips::counted(listed, &odd, &delivered);
        packages.extend(odd_files);
        packages.iter().map(|one| bare(&format!("{} {}", one.name, one.version))).collect::<Vec<_>>()
    };
    let good = "pkg://solaris/b@2 i--\n";
    let contents = "usr/a\ta\nusr/b\tb\netc/c\tc\n";
    for odd in [
        "pkg://solaris/a@ i--",
        "pkg://solaris/a i--",
        "a@1 i--",
        "pkg://solaris/a@1",
        "pkg://solaris/a@1 i-- x",
        "",
    ] {
        assert_eq!(counted(&format!("{odd}\n{good}"), contents), ["a (it is not listed)", "b 2"], "{odd}");
    }
    assert_eq!(counted(&format!("pkg://solaris/a@1\u{e9} i--\n{good}"), contents), ["a 1\\xc3\\xa9", "b 2"]);
    let odd = counted(&format!("pkg://solaris/a@1 i--\n{good}"), &format!("usr/x x\n{contents}"));
    assert_eq!(odd, ["a 1", "b 2", "(no path and package: \"usr/x x\") (an odd line)"]);
}

#[test]
fn what_is_unknown_is_the_same_only_where_the_very_same_is_there() {
    let software = |version: &str| Software {
        system: System::Svr4,
        packages: vec![Package { name: "SUNWa".to_owned(), version: version.to_owned() }],
        patches: Vec::new(),
    };
    let unknown = |bytes: &[u8]| crate::model::unknown_version("no VERSION", &lines::fingerprint(bytes));
    let (one, other) = (unknown(b"one"), unknown(b"other"));
    assert!(compare(&software(&one), Some(&software(&one))).is_empty());
    for (there, here) in [(&one, &other), (&one, &"1".to_owned()), (&"1".to_owned(), &one)] {
        let report = compare(&software(there), Some(&software(here)));
        assert_eq!(report.packages.len(), 1);
        // It is not known which is newer: nothing is updated.
        assert!(matches!(report.update(), Err(UpdateError::Unordered { .. })), "{there} {here}");
    }
}
