//! The rules for dependencies in deny.toml. This test asks cargo for all of them, and fails on a licence that is
//! not allowed, an unknown registry, a second version of a crate that must have only one, and an unspecified
//! version. `cargo deny check` reads the same file and also finds published vulnerabilities, for which it needs
//! GitHub.

use std::process::Command;

use serde_json::Value;
use spdx::{Expression, LicenseReq, ParseMode};

/// All packages of the build, as `cargo metadata` describes them.
fn packages() -> Vec<Value> {
    let arguments = ["metadata", "--locked", "--all-features", "--format-version", "1"];
    let output =
        Command::new(env!("CARGO")).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn deny() -> toml::Table {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml")).unwrap().parse().unwrap()
}

fn words(list: &toml::Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// Whether this licence, an SPDX expression, can be met with the allowed licences.
fn is_met(licence: &str, allowed: &[String]) -> bool {
    let is_allowed = |one: &LicenseReq| allowed.contains(&one.to_string());
    Expression::parse_mode(licence, ParseMode::LAX).is_ok_and(|expression| expression.evaluate(is_allowed))
}

#[test]
fn dependencies_are_what_they_may_be() {
    let (packages, deny) = (packages(), deny());
    let (licences, registries) =
        (words(&deny["licenses"]["allow"]), words(&deny["sources"]["allow-registry"]));
    let single: Vec<_> = deny["bans"]["deny"].as_array().unwrap().iter().map(|ban| &ban["crate"]).collect();
    let mut wrong = Vec::new();
    for package in &packages {
        let name = package["name"].as_str().unwrap();
        let mut fails = |what: String| wrong.push(format!("{name} {}: {what}", package["version"]));
        let licence = package["license"].as_str().unwrap_or_default();
        if !is_met(licence, &licences) {
            fails(format!("the licence {licence:?} is not allowed"));
        }
        let source = package["source"].as_str();
        let known = |registry: &String| source == Some(&format!("registry+{registry}"));
        if source.is_some() && !registries.iter().any(known) {
            fails(format!("{source:?} is an unknown registry"));
        }
        let versions = packages.iter().filter(|other| other["name"] == name).count();
        if versions > 1 && single.iter().any(|one| one.as_str() == Some(name)) {
            fails(format!("there are {versions} versions of it"));
        }
        let open = |one: &&Value| one["req"] == "*" && one["path"].is_null();
        for open in
            package["dependencies"].as_array().unwrap().iter().filter(|_| source.is_none()).filter(open)
        {
            fails(format!("any version of {} would do", open["name"]));
        }
    }
    assert!(packages.len() > 100 && wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_licence_is_met_by_any_of_its_alternatives_and_all_of_its_parts() {
    let allowed = ["MIT".to_owned(), "ISC".to_owned(), "Unicode-3.0".to_owned()];
    for (licence, met) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("", false),
        ("GPL-3.0 OR MIT", true),
        ("MIT/Apache-2.0", true),
        ("MIT AND GPL-3.0", false),
        ("GPL-3.0 AND ISC OR MIT", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(GPL-3.0 OR Apache-2.0) AND MIT", false),
        ("MIT WITH LLVM-exception", false),
        ("(MIT", false),
        ("MIT)", false),
    ] {
        assert_eq!(is_met(licence, &allowed), met, "{licence:?}");
    }
}
