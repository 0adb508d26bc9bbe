//! The words of the project. A type name means one thing: a test reads the sources, and fails if two types have the
//! same name (types of tests are exempt). A thing has one word, which docs/glossary.md explains: another test fails on
//! words that are not used any more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Every subcommand has its own arguments.
const MANY: [&str; 1] = ["Args"];

/// Words that are not used any more, and what is said instead. docs/glossary.md has the others.
#[rustfmt::skip]
const RETIRED: &[(&str, &str)] = &[
    ("bed", "stop plan"), ("bedtime", "stop order"), ("booked", "reserved"), ("booking", "reservation"),
    ("deed", "access"), ("desk", "admin"), ("errand", "job"), ("heed", "obey, reconcile"),
    ("homecoming", "return plan"), ("knock", "connect"), ("lookout", "discovery"), ("plugged", "connected"), ("refuge", "location"),
    ("stranger", "unmanaged guest"), ("whereabouts", "location"),
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
    found.retain(|_, files| files.len() > 1);
    let stale: Vec<_> = MANY.iter().filter(|name| !found.contains_key(**name)).collect();
    assert!(stale.is_empty(), "no longer names of several types: {stale:?}");
    found.retain(|name, _| !MANY.contains(&name.as_str()));
    assert!(found.is_empty(), "names of several types: {found:#?}");
}

/// The words of a text, in small letters; `OneName` and `one_name` are two words each.
fn words(text: &str) -> BTreeSet<String> {
    let (mut found, mut word, mut before) = (BTreeSet::new(), String::new(), ' ');
    for c in text.chars().chain([' ']) {
        if !word.is_empty()
            && (!c.is_ascii_alphabetic() || (c.is_ascii_uppercase() && before.is_ascii_lowercase()))
        {
            found.insert(std::mem::take(&mut word));
        }
        if c.is_ascii_alphabetic() {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    found
}

/// Collects the retired words in a file, or in all files of a folder, with the file.
fn retired(path: &Path, found: &mut BTreeSet<(String, String)>) {
    if path.is_dir() {
        std::fs::read_dir(path).unwrap().for_each(|entry| retired(&entry.unwrap().path(), found));
    } else if let Ok(text) = std::fs::read_to_string(path).map(|text| format!("{text} {}", path.display())) {
        let all = words(&text);
        let used =
            RETIRED.iter().filter(|(word, _)| all.contains(*word) || all.contains(&format!("{word}s")));
        found.extend(
            used.map(|(word, instead)| (path.display().to_string(), format!("{word}: say {instead}"))),
        );
    }
}

#[test]
fn retired_words_are_not_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeSet::new();
    for part in ["README.md", "benches", "docs", "examples", "policies", "src"] {
        retired(&root.join(part), &mut found);
    }
    found.retain(|(path, _)| !path.ends_with(file!()));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn words_are_told_apart() {
    let all = ["a", "book", "booked", "room", "text"].map(str::to_owned);
    assert_eq!(words("Book_room BookedRoom, a text"), BTreeSet::from(all));
}

#[test]
fn types_are_found_whoever_may_use_them() {
    let text = "struct A;\npub enum B {}\npub(super) trait C {}\npub(in crate::d) type E<'a> = ();\n    type No = u8;\n\
                #[cfg(test)]\nmod tests {\nstruct Not;\n}\n";
    assert_eq!(types(text).collect::<Vec<_>>(), ["A", "B", "C", "E"]);
}
