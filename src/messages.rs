//! A message is a fact: this test reads the sources, and fails on an error whose text says what to do. That is the
//! business of its hints (`Hinted`), which are printed on lines of their own.

use std::path::Path;

/// The beginning of a command or a hint in the text of an error.
const COMMANDS: &[&str] = &["'sysadm ", ": sysadm ", "hint: "];

/// How an instruction begins in any text, after a semicolon or a bracket.
const ORDERS: &[&str] = &[
    "add", "attach", "boot", "copy", "delete", "fence", "fetch", "free", "give", "install", "leave", "look",
    "make", "move", "name", "remove", "repeat", "run", "say", "see", "set", "start", "stop", "try", "use",
    "wait", "write",
];

/// Texts that have no place for a hint: what libvirt's hooks print is one line, which the simulated platform repeats
/// word for word; the end of a command over SSH is that of a stream.
const WITHOUT_HINTS: &[&str] =
    &["; see sysadm(8)", "; install sysadm there, or set 'agent' under [ssh] in sysadm.toml here"];

/// The lines of a source, without its tests, in which a text orders something.
fn orders(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let is_order = |line: &&str| {
        let Some((_, text)) = line.split_once('"') else { return false };
        let gives = |word: &&str| text.contains(&format!("; {word} ")) || text.contains(&format!("({word} "));
        !line.trim_start().starts_with("//")
            && (text.contains("Try ") || ORDERS.iter().any(gives))
            && !WITHOUT_HINTS.iter().any(|kept| text.contains(kept))
    };
    code.lines().filter(is_order)
}

/// The texts of `#[error("...")]` with a command in them.
fn commands(text: &str) -> impl Iterator<Item = &str> {
    text.split("#[error(").skip(1).filter_map(|rest| {
        let attribute = rest.split_once(")]\n").map_or(rest, |(attribute, _)| attribute);
        COMMANDS.iter().any(|words| attribute.contains(words)).then_some(attribute)
    })
}

fn look(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("tests") {
                look(&path, found);
            }
        } else if path.extension().is_some_and(|end| end == "rs")
            && path.file_name().is_some_and(|name| name != "messages.rs" && name != "tests.rs")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            found.extend(commands(&text).map(|one| format!("{}: {one}", path.display())));
            found.extend(orders(&text).map(|one| format!("{}: {}", path.display(), one.trim())));
        }
    }
}

#[test]
fn the_text_of_an_error_is_a_fact_and_what_to_do_is_a_hint() {
    let mut found = Vec::new();
    look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.is_empty(), "instructions in errors: {found:#?}");
}

#[test]
fn an_order_is_found_in_any_text() {
    let found = |text: &str| orders(text).count();
    assert_eq!(found("let what = format!(\"no {name}; write one\");\n"), 1);
    assert_eq!(
        found("say(\"it has none (use --edit)\");\nsay(\"it has none; the next run removes it\");\n"),
        1
    );
    assert_eq!(found("// \"it has none; write one\"\n#[cfg(test)]\nmod tests {\n\"x; write one\"\n"), 0);
}
