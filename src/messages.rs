//! A message is a fact: this test reads the sources, and fails on an error whose text says what to do. That is the
//! business of its hints (`Hinted`), which are printed on lines of their own.

use std::path::Path;

/// How an instruction in a text would begin.
const INSTRUCTIONS: &[&str] = &[
    "'sysadm ",
    ": sysadm ",
    "; run ",
    "; use ",
    "; see ",
    "; set ",
    "; say ",
    "; give ",
    "; move ",
    "; name ",
    "; free ",
    "; look ",
    "; attach ",
    "; try again",
    "hint: ",
];

/// The texts of `#[error("...")]` that say what to do.
fn instructions(text: &str) -> impl Iterator<Item = &str> {
    text.split("#[error(").skip(1).filter_map(|rest| {
        let attribute = rest.split_once(")]\n").map_or(rest, |(attribute, _)| attribute);
        INSTRUCTIONS.iter().any(|words| attribute.contains(words)).then_some(attribute)
    })
}

fn look(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            look(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs")
            && path.file_name().is_some_and(|name| name != "messages.rs")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            found.extend(instructions(&text).map(|one| format!("{}: {one}", path.display())));
        }
    }
}

#[test]
fn the_text_of_an_error_is_a_fact_and_what_to_do_is_a_hint() {
    let mut found = Vec::new();
    look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.is_empty(), "instructions in errors: {found:#?}");
}
