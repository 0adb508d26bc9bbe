//! Which of two versions is the newer one, in each packaging system.

use super::*;
use proptest::prelude::*;

fn sign(order: Ordering) -> char {
    match order {
        Ordering::Less => '<',
        Ordering::Equal => '=',
        Ordering::Greater => '>',
    }
}

/// Checks lines with a version, a sign and another version.
fn all_hold(system: System, lines: &str) {
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [one, wanted, other] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let forth = order(system, one, other).map_or('?', sign);
        assert_eq!(forth.to_string(), wanted, "{line}");
        let back = order(system, other, one).map_or('?', |order| sign(order.reverse()));
        assert_eq!(back.to_string(), wanted, "{line}, backwards");
    }
}

#[test]
fn debian_versions_stand_in_the_order_of_deb_version_7() {
    all_hold(
        System::Dpkg,
        "2.36-9+deb12u10 > 2.36-9+deb12u9
         1.0 < 1.0-1
         1.0 = 1.0-0
         1.0~rc1-1 < 1.0-1
         1.0~~ < 1.0~
         1:0.1 > 9.9
         0:1.0 = 1.0
         1.0+b1 > 1.0
         1.0a < 1.0+
         1.010 = 1.10
         1.2.3 > 1.2
         7.2+dfsg-7+deb12u12 < 1:8.0-1
         2025b-0+deb12u1 > 2025a-1",
    );
}

/// The result of dpkg itself.
fn dpkg_says(one: &str, other: &str) -> Option<char> {
    let holds = |relation: &str| {
        let mut dpkg = std::process::Command::new("dpkg");
        dpkg.args(["--compare-versions", one, relation, other]).stderr(std::process::Stdio::null());
        dpkg.status().expect("dpkg is there").success()
    };
    [("lt", '<'), ("eq", '='), ("gt", '>')]
        .into_iter()
        .find(|(relation, _)| holds(relation))
        .map(|(_, sign)| sign)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn debian_versions_stand_in_the_order_that_dpkg_gives_them(
        one in "([0-2]:)?[0-9][0-9a-b.+~]{0,5}(-[0-9a-b.+~]{1,3})?",
        other in "([0-2]:)?[0-9][0-9a-b.+~]{0,5}(-[0-9a-b.+~]{1,3})?",
    ) {
        prop_assert_eq!(Some(sign(dpkg(&one, &other))), dpkg_says(&one, &other), "{} {}", one, other);
    }

    #[test]
    fn rpm_versions_stand_in_the_order_that_rpm_gives_them(
        one in "([0-2]:)?[0-9ab][0-9ab.+~^]{0,5}(-[0-9ab.+~^]{1,3})?",
        other in "([0-2]:)?[0-9ab][0-9ab.+~^]{0,5}(-[0-9ab.+~^]{1,3})?",
    ) {
        prop_assert_eq!(Some(sign(rpm(&one, &other))), rpm_says(&one, &other), "{} {}", one, other);
    }

    #[test]
    fn every_order_is_one(
        system in prop::sample::select(System::ALL),
        one in "[0-9ab.~^:,-]{0,6}", two in "[0-9ab.~^:,-]{0,6}", three in "[0-9ab.~^:,-]{0,6}",
    ) {
        let known = |a: &str, b: &str| order(system, a, b);
        prop_assert_eq!(known(&one, &two), known(&two, &one).map(Ordering::reverse));
        if let (Some(first), Some(second), Some(third)) =
            (known(&one, &two), known(&two, &three), known(&one, &three))
            && first == second
        {
            prop_assert_eq!(third, first, "{} {} {}", one, two, three);
        }
    }
}

/// The result of rpm itself.
fn rpm_says(one: &str, other: &str) -> Option<char> {
    let expression = format!("%{{lua:print(rpm.vercmp(\"{one}\", \"{other}\"))}}");
    let output = std::process::Command::new("rpm").args(["--eval", &expression]).output();
    let said = String::from_utf8(output.expect("rpm is there").stdout).expect("a number");
    [("-1", '<'), ("0", '='), ("1", '>')]
        .into_iter()
        .find(|(word, _)| *word == said.trim())
        .map(|(_, sign)| sign)
}

#[test]
fn rpm_versions_stand_in_the_order_of_rpm_version_7() {
    all_hold(
        System::Rpm,
        "1.0-1 < 1.0-2
         1.0-1 > 1.0
         2:1.0-1 > 9.0-1
         1.0~rc1-1 < 1.0-1
         1.0^git1-1 > 1.0-1
         1.0^git1-1 < 1.0.1-1
         1.0^git1-1 < 1.01-1
         1.0~rc1^git1-1 > 1.0~rc1-1
         1.10-1 > 1.9-1
         1.a-1 < 1.1-1
         1.0a-1 > 1.0-1
         2_0 = 2.0
         4.999.9 < 5.0
         10xyz < 10.1xyz
         5.16.0-1.fc35 < 5.16.0-10.fc35",
    );
    assert_eq!(order(System::Rpm, "6.1-1, 6.2-1", "6.2-1"), None);
}

#[test]
fn image_packages_stand_in_the_order_of_pkg_5() {
    all_hold(
        System::Ips,
        "1.0.6-11.4.0.0.1.14.0:20180814T153143Z < 1.0.8-11.4.0.0.1.14.0:20180814T153143Z
         0.5.11-2020.0.1.20752:20211031T013102Z > 0.5.11-2020.0.1.1053:20210907T210638Z
         1.26,5.11-0.175.1.0.0.24.0:20120904T170545Z = 1.26,5.11-0.175.1.0.0.24.0:20120904T170545Z
         1.26,5.11-0.175.1:20120904T170545Z = 1.26,5.12-0.175.1:20120904T170545Z
         1.26-0.175.1:20120904T170545Z < 1.26-0.175.1:20120904T170546Z
         1.26-0.175.1 < 1.26-0.175.1.1
         1.26 < 1.26-0.175
         1.x ? 1.2",
    );
}

#[test]
fn what_has_no_rule_goes_by_its_numbers() {
    all_hold(
        System::Svr4,
        "11.10.0,REV=2005.01.08.01.09 < 11.10.0,REV=2005.01.21.16.34
         11.10.0,REV=2005.01.21.16.34 < 11.11,REV=2004.01.01
         1.0.26,REV=2011.01.28.12.22 = 1.0.26,REV=2011.01.28.12.22",
    );
    assert_eq!(revisions("09", "10"), Ordering::Less);
    assert_eq!(revisions("8", "08"), Ordering::Equal);
}

#[test]
fn a_release_is_two_numbers() {
    for (version, wanted) in [
        ("8.2.2", Some([8, 2])),
        ("10.0.0-rc1", Some([10, 0])),
        ("9", Some([9, 0])),
        ("v9", None),
        ("", None),
        ("99999999999999999999.1", None),
    ] {
        assert_eq!(release(version), wanted, "{version}");
    }
}
