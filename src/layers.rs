//! Which module may use which. The order is drawn in the documentation of `lib.rs` (and of a folder's `mod.rs`,
//! for the files in that folder), highest first. This test reads the picture and every import, and fails on an
//! import that does not point downwards. Tests may import anything.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The heading of the picture, whose lines are `name, name   what they are for`.
const HEADING: &str = "//! # The layers";

/// Each module with its line in the picture; 0 is the top.
fn picture(text: &str) -> BTreeMap<String, usize> {
    let lines = text.lines().skip_while(|line| *line != HEADING);
    let block = lines.skip_while(|line| !line.starts_with("//! ```")).skip(1);
    let mut order = BTreeMap::new();
    for (place, line) in block.take_while(|line| !line.starts_with("//! ```")).enumerate() {
        let line = line.trim_start_matches("//!").trim_start();
        let names = line.split("  ").next().unwrap_or_default();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            assert_eq!(order.insert(name.to_owned(), place), None, "{name} stands twice in the picture");
        }
    }
    order
}

/// The files of a folder, without tests, and without crates of their own, since those cannot import from here.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found = Vec::new();
    for path in entries.filter(|path| path.file_stem().is_none_or(|name| name != "tests")) {
        if path.join("Cargo.toml").exists() {
            continue;
        } else if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}

/// A file's code, without comments and tests.
fn code(text: &str) -> String {
    let inline = |(at, _): &(usize, &str)| text[*at..].lines().nth(1).is_some_and(|line| line.ends_with('{'));
    let tests = text.match_indices("#[cfg(test)]\nmod ").find(inline).map_or(text.len(), |(at, _)| at);
    let bare = |line: &str| line.split("//").next().unwrap_or_default().to_owned() + "\n";
    text[..tests].lines().map(bare).collect()
}

/// The names after each `start` (`crate::`, for example): one name, or those of a list in braces.
fn names_behind(code: &str, start: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = Vec::new();
    for (at, _) in code.match_indices(start) {
        let longer = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        let rest = &code[at + start.len()..];
        if longer {
            continue;
        } else if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut first = true;
            for (place, c) in list.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => first = true,
                    c if first && !c.is_whitespace() => {
                        names.push(word(&list[place..]));
                        first = false;
                    }
                    _ => {}
                }
            }
        } else {
            names.push(word(rest));
        }
    }
    names
}

/// The module of `folder` to which a file belongs.
fn module(folder: &Path, file: &Path) -> String {
    let below = file.strip_prefix(folder).unwrap().components().next().unwrap();
    below.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The imports in `folder` that do not point downwards in the picture of its `root`; imports of its modules begin
/// with `start`.
fn upward(folder: &str, root: &str, start: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
    let order = picture(&std::fs::read_to_string(folder.join(root)).unwrap());
    let mut found = String::new();
    for file in sources(&folder) {
        let name = module(&folder, &file);
        if [root, "main.rs", "dependencies.rs", "layers.rs", "messages.rs", "names.rs"]
            .contains(&format!("{name}.rs").as_str())
        {
            continue;
        }
        let Some(own) = order.get(&name) else {
            let _ = writeln!(found, "{name} is not in the picture");
            continue;
        };
        let text = code(&std::fs::read_to_string(&file).unwrap());
        let mut used = names_behind(&text, start);
        // In a folder, siblings are imported by `super::`, and what `mod.rs` defines is above all of them.
        if start != "crate::" && file.parent() == Some(folder.as_path()) {
            used.extend(names_behind(&text, "super::"));
        }
        for other in used.iter().filter(|other| **other != name) {
            if order.get(other).is_none_or(|place| place <= own) {
                let _ = writeln!(found, "{}: {name} uses {other}, which is not below it", file.display());
            }
        }
    }
    found
}

#[test]
fn modules_use_only_what_is_below_them() {
    let found = upward("", "lib.rs", "crate::") + &upward("planner", "lib.rs", "crate::");
    assert!(found.is_empty(), "{found}");
}

#[test]
fn files_of_a_folder_use_only_what_is_below_them() {
    let found: String = ["evacuation", "migration"]
        .map(|folder| upward(folder, "mod.rs", &format!("crate::{folder}::")))
        .concat();
    assert!(found.is_empty(), "{found}");
}

#[test]
fn an_import_is_read_in_every_form() {
    let text = "use crate::a::X;\nuse crate::{b, c::{d, e}, f::G};\nlet x = crate::h::i(); // crate::no\n mycrate::j;\n";
    assert_eq!(names_behind(&code(text), "crate::"), ["a", "b", "c", "f", "h"]);
    let cut = "use crate::a;\n#[cfg(test)]\nmod tests {\n    use crate::b;\n}\n";
    assert_eq!(names_behind(&code(cut), "crate::"), ["a"]);
}

#[test]
fn a_picture_is_read_line_by_line() {
    let text = "//! # The layers\n//!\n//! ```text\n//! cli        what is seen\n//! agent, admin   two\n//! ```\n//! no\n";
    let order: Vec<_> = picture(text).into_iter().collect();
    assert_eq!(order, [("admin".to_owned(), 1), ("agent".to_owned(), 1), ("cli".to_owned(), 0)]);
}
