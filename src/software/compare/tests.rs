//! The differences between two hosts, and how they are reported.

use super::*;
use crate::model::Package;
use proptest::prelude::*;

fn software(system: System, packages: &[(&str, &str)], patches: &[(&str, &[&str])]) -> Software {
    let package =
        |(name, version): &(&str, &str)| Package { name: (*name).into(), version: (*version).into() };
    let patch = |(id, obsoletes): &(&str, &[&str])| Patch {
        id: (*id).into(),
        obsoletes: obsoletes.iter().map(|id| (*id).to_owned()).collect(),
        packages: vec![],
    };
    Software {
        system,
        packages: packages.iter().map(package).collect(),
        patches: patches.iter().map(patch).collect(),
    }
}

fn svr4(packages: &[(&str, &str)], patches: &[(&str, &[&str])]) -> Software {
    software(System::Svr4, packages, patches)
}

#[test]
fn a_report_prints_as_zoneadm_attach_prints_it() {
    let source = svr4(
        &[("SUNWcsr", "11.10.0,REV=1"), ("SUNWgone", "1.0"), ("SUNWsame", "2")],
        &[("118666-18", &[]), ("119397-09", &[]), ("120000-01", &[])],
    );
    let local = svr4(
        &[("SUNWcsr", "11.11.0"), ("SUNWi15cs", "2.0,REV=2004.08.23.14.43"), ("SUNWsame", "2")],
        &[("118666-20", &[]), ("119788-09", &[]), ("120000-01", &[])],
    );
    let report = compare(&source, Some(&local));
    insta::assert_snapshot!(report.to_string().replace('\t', "⇥"), @r"
    These packages installed on the source system are inconsistent with this system:
    ⇥SUNWcsr: version mismatch
    ⇥⇥(11.10.0,REV=1)
    ⇥⇥(11.11.0)
    ⇥SUNWgone (1.0) is not installed
    These packages installed on this system were not installed on the source system:
    ⇥SUNWi15cs (2.0,REV=2004.08.23.14.43) was not installed
    These patches installed on the source system are inconsistent with this system:
    ⇥118666: version mismatch
    ⇥⇥(18) (20)
    ⇥119397-09 is not installed
    These patches installed on this system were not installed on the source system:
    ⇥119788-09 was not installed
    ");
    insta::assert_snapshot!(report.findings("h1", "h2").join("\n"), @r"
    SUNWcsr: version mismatch (11.10.0,REV=1 on h1, 11.11.0 on h2)
    SUNWgone: not installed on h2 (1.0 on h1)
    SUNWi15cs: not installed on h1 (2.0,REV=2004.08.23.14.43 on h2)
    patch 118666: version mismatch (18 on h1, 20 on h2)
    patch 119397: not installed on h2 (09 on h1)
    patch 119788: not installed on h1 (09 on h2)
    ");
    assert!(!report.is_empty());
}

/// The proposal's example; the mismatches are those of an attach on a Solaris 10 host in 2009, with some lines
/// left out.
#[test]
fn a_report_prints_the_words_of_the_proposal() {
    let source = svr4(
        &[("SUNWcsu", "11.10.0,REV=2005.01.21.15.53"), ("SUNWradpu320", "11.10.0,REV=2004.10.13.22.55")],
        &[("118666-18", &[]), ("118683-02", &[]), ("120081-03", &[]), ("FOO", &[])],
    );
    let local = svr4(
        &[("SUNWcsu", "11.11.0"), ("SUNWukspfw", "11.10.0,REV=2004.12.06.02.10")],
        &[("118666-20", &[]), ("118683-03", &[]), ("119397-09", &[])],
    );
    let wanted = "\
These packages installed on the source system are inconsistent with this system:
	SUNWcsu: version mismatch
		(11.10.0,REV=2005.01.21.15.53)
		(11.11.0)
	SUNWradpu320 (11.10.0,REV=2004.10.13.22.55) is not installed
These packages installed on this system were not installed on the source system:
	SUNWukspfw (11.10.0,REV=2004.12.06.02.10) was not installed
These patches installed on the source system are inconsistent with this system:
	118666: version mismatch
		(18) (20)
	118683: version mismatch
		(02) (03)
	120081-03 is not installed
	FOO is not installed
These patches installed on this system were not installed on the source system:
	119397-09 was not installed
";
    assert_eq!(compare(&source, Some(&local)).to_string(), wanted);
}

#[test]
fn a_patch_counts_as_present_where_another_one_holds_it() {
    let newer: (&str, &[&str]) = ("113964-08", &["113153-01", "112914-04"]);
    for (there, here, differ) in [
        // Installed one by one there, in one patch here.
        (&[("113153-01", &[][..]), newer][..], &[newer][..], &[][..]),
        (&[newer], &[("113153-01", &[][..]), newer], &[]),
        (&[("112914-03", &[][..]), newer], &[newer], &[]),
        // Whatever its revision.
        (&[("112914-05", &[][..])], &[newer], &["113964"]),
        // A patch contained in another one at the source is not required, even if no patch here contains it.
        (&[("112914-05", &[][..]), newer], &[("113964-08", &[][..])], &[]),
        (&[("113964-08", &[][..])], &[("112914-05", &[][..]), newer], &[]),
        // Unless the contained one is an earlier revision of the same patch.
        (&[("113964-08", &["113964-07"][..])], &[], &["113964"]),
        // Of several revisions the newest one counts.
        (&[("112914-05", &[][..]), ("112914-06", &[])], &[("112914-06", &[][..])], &[]),
        (&[("112914-06", &[][..])], &[("112914-05", &[][..])], &["112914"]),
        (&[], &[newer], &["113964"]),
    ] {
        let report = compare(&svr4(&[], there), Some(&svr4(&[], here)));
        let found: Vec<_> = report.patches.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(found, differ, "{there:?} {here:?}");
    }
}

#[test]
fn different_packaging_systems_are_one_finding() {
    let source = software(System::Dpkg, &[("libc6:amd64", "2.36-9")], &[]);
    let other = software(System::Rpm, &[("glibc.x86_64", "2.38-1")], &[]);
    let findings = |local: Option<&Software>| compare(&source, local).findings("h1", "h2");
    assert_eq!(findings(Some(&other)), ["software is counted by dpkg on h1, by rpm on h2"]);
    assert_eq!(findings(None), ["software is counted by dpkg on h1, by nothing on h2"]);
    assert_eq!(
        compare(&source, Some(&other)).to_string(),
        "Software is counted by dpkg on the source system, by rpm on this system.\n"
    );
    assert!(!compare(&source, None).is_empty());
}

#[test]
fn who_counts_makes_no_difference_where_nothing_counts() {
    let [dpkg, rpm] = [System::Dpkg, System::Rpm].map(|system| software(system, &[], &[]));
    for local in [Some(&rpm), None] {
        let report = compare(&dpkg, local);
        assert!(report.is_empty() && report.findings("h1", "h2").is_empty(), "{report}");
    }
    let glibc = software(System::Rpm, &[("glibc.x86_64", "2.38-1")], &[]);
    let findings = compare(&dpkg, Some(&glibc)).findings("h1", "h2");
    assert_eq!(findings, ["software is counted by dpkg on h1, by rpm on h2"]);
}

#[test]
fn what_the_source_could_not_read_is_a_finding_of_its_own() {
    let source = Software::unknown(System::Dpkg, "/var/lib/dpkg/status:1: \u{1b}[31m".to_owned());
    let local = software(System::Dpkg, &[("libc6:amd64", "2.36-9")], &[]);
    let why = "the software of h1 is unknown: /var/lib/dpkg/status:1:  [31m";
    for local in [Some(&local), None] {
        assert_eq!(compare(&source, local).findings("h1", "h2"), [why]);
    }
    let report = compare(&source, Some(&local));
    assert!(!report.is_empty() && report.update().is_err());
    insta::assert_snapshot!(serde_json::to_string(&report).unwrap(), @r#"{"source":"dpkg","local":"dpkg","incomparable":{"unknown":"/var/lib/dpkg/status:1:  [31m"},"packages":[],"patches":[]}"#);
}

#[test]
fn a_hypervisor_may_be_newer_and_not_older() {
    for (there, here, fits) in [
        ("8.2.2", "8.2.2", true),
        ("8.2.2", "8.2.1", true),
        ("8.2.2", "9.0.0", true),
        ("8.2.2", "10.0", true),
        ("8.2.2", "8.1.9", false),
        ("8.2.2", "7.9", false),
        ("8.2", "unknown", false),
        ("unknown", "unknown", true),
    ] {
        let source = software(System::Hypervisor, &[("qemu", there)], &[]);
        let local = software(System::Hypervisor, &[("extra", "1.0"), ("qemu", here)], &[]);
        assert_eq!(compare(&source, Some(&local)).is_empty(), fits, "{there} {here}");
    }
    let source = software(System::Hypervisor, &[("libvirt", "9.0.0"), ("qemu", "8.2.2")], &[]);
    let local = software(System::Hypervisor, &[("qemu", "7.2.0")], &[]);
    assert_eq!(
        compare(&source, Some(&local)).findings("h1", "h2"),
        ["libvirt: not installed on h2 (9.0.0 on h1)", "qemu: too old (8.2.2 on h1, 7.2.0 on h2)"]
    );
}

#[test]
fn nothing_that_a_source_says_steers_a_terminal() {
    let source = svr4(&[("a\x1b[31m\nb", "1\r")], &[("1\x07-\x1b]0;x", &[])]);
    let report = compare(&source, Some(&svr4(&[], &[])));
    assert_eq!(report.to_string().matches(|c: char| c.is_control() && c != '\t' && c != '\n').count(), 0);
    assert!(report.findings("h1", "h2").iter().all(|line| !line.contains(char::is_control)));
}

#[test]
fn a_report_is_json_too() {
    let report = compare(&svr4(&[("SUNWcsr", "1")], &[]), Some(&svr4(&[], &[("118666-18", &[])])));
    insta::assert_snapshot!(serde_json::to_string(&report).unwrap(), @r#"{"source":"svr4","local":"svr4","packages":[{"name":"SUNWcsr","source":"1","local":null}],"patches":[{"name":"118666","source":null,"local":"18"}]}"#);
}

fn any_software() -> impl Strategy<Value = Software> {
    let packages = prop::collection::btree_map("[a-c]", "[12]", 0..3);
    let patches =
        prop::collection::btree_map("[1-3]-0[1-3]", prop::collection::vec("[1-3]-0[1-3]", 0..2), 0..3);
    (packages, patches).prop_map(|(packages, patches)| Software {
        system: System::Svr4,
        packages: packages.into_iter().map(|(name, version)| Package { name, version }).collect(),
        patches: patches
            .into_iter()
            .map(|(id, obsoletes)| Patch { id, obsoletes, packages: vec![] })
            .collect(),
    })
}

proptest! {
    #[test]
    fn a_system_is_like_itself(software in any_software()) {
        prop_assert!(compare(&software, Some(&software)).is_empty());
    }

    #[test]
    fn a_report_prints_something_exactly_if_it_has_findings(one in any_software(), other in any_software()) {
        let report = compare(&one, Some(&other));
        prop_assert_eq!(report.is_empty(), report.to_string().is_empty());
        prop_assert_eq!(report.is_empty(), report.findings("h1", "h2").is_empty());
    }

    #[test]
    fn packages_differ_from_both_sides(one in any_software(), other in any_software()) {
        let names = |report: Report| report.packages.into_iter().map(|one| one.name).collect::<Vec<_>>();
        prop_assert_eq!(names(compare(&one, Some(&other))), names(compare(&other, Some(&one))));
    }
}
