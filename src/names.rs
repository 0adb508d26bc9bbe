//! A type name means one thing in the whole project: this test reads the sources, and fails if two types have the
//! same name. Types of tests are exempt.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Every subcommand has its own arguments.
const MANY: [&str; 1] = ["Args"];

/// Names that still mean several things. A new one is a mistake; rename one of its types and take it out.
#[rustfmt::skip]
const OPEN: &[&str] = &[
    "Answer", "Attempt", "Incoming", "Name", "Paths", "Report", "Request", "Stream", "Verdict",
];

/// The names of the types that a file defines, without those of its tests.
fn types(text: &str) -> impl Iterator<Item = String> {
    let inline = |(at, _): &(usize, &str)| text[*at..].lines().nth(1).is_some_and(|line| line.ends_with('{'));
    let tests = text.match_indices("#[cfg(test)]\nmod ").find(inline).map_or(text.len(), |(at, _)| at);
    text[..tests].lines().filter_map(|line| {
        let line = line.strip_prefix("pub").map_or(line, |rest| match rest.strip_prefix('(') {
            Some(scope) => scope.split_once(") ").map_or("", |(_, rest)| rest),
            None => rest.trim_start(),
        });
        let rest = ["struct ", "enum ", "trait ", "type "].iter().find_map(|word| line.strip_prefix(word))?;
        Some(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
    })
}

/// Collects each type name with the files that define a type of that name.
fn defined(folder: &Path, found: &mut BTreeMap<String, Vec<String>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        } else if path.is_dir() {
            defined(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            for name in types(&std::fs::read_to_string(&path).unwrap()) {
                found.entry(name).or_default().push(path.display().to_string());
            }
        }
    }
}

#[test]
fn a_type_name_means_one_thing() {
    let mut found = BTreeMap::new();
    defined(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let known: BTreeSet<&str> = MANY.iter().chain(OPEN).copied().collect();
    found.retain(|_, files| files.len() > 1);
    let stale: Vec<_> = known.iter().filter(|name| !found.contains_key(**name)).collect();
    assert!(stale.is_empty(), "no longer names of several types: {stale:?}");
    found.retain(|name, _| !known.contains(name.as_str()));
    assert!(found.is_empty(), "names of several types: {found:#?}");
}

#[test]
fn types_are_found_whoever_may_use_them() {
    let text = "struct A;\npub enum B {}\npub(super) trait C {}\npub(in crate::d) type E<'a> = ();\n    type No = u8;\n\
                #[cfg(test)]\nmod tests {\nstruct Not;\n}\n";
    assert_eq!(types(text).collect::<Vec<_>>(), ["A", "B", "C", "E"]);
}
