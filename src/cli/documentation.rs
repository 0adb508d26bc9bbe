//! What README.md, docs/, examples/ and every `--help` say of the command line is true: each command in them parses, and
//! each link leads somewhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};

use super::Cli;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<(PathBuf, String)> {
    let folder =
        |name: &str| std::fs::read_dir(root().join(name)).unwrap().map(|entry| entry.unwrap().path());
    let pages = [root().join("README.md")].into_iter().chain(folder("docs")).chain(folder("examples"));
    pages.map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// The long help of a command and of those below it.
fn helps(command: clap::Command, name: String, found: &mut Vec<(PathBuf, String)>) {
    for below in command.get_subcommands() {
        helps(below.clone(), format!("{name} {}", below.get_name()), found);
    }
    let text = command.clone().term_width(0).render_long_help().to_string();
    found.push((PathBuf::from(name), text));
}

/// A command as it is typed, without the prompt before it and the comment or pipe behind it.
fn typed(line: &str) -> Option<&str> {
    let line = line.trim();
    let command = line.find("sysadm ").map(|start| (&line[..start], &line[start..]));
    let (before, command) = command?;
    let is_prompt = before.is_empty() || (before.ends_with("# ") && !before.trim().contains(' '));
    let ends = ["  ", " #", " |", " >", " &&", " \\"].iter().filter_map(|end| command.find(end));
    is_prompt.then(|| &command[..ends.min().unwrap_or(command.len())])
}

/// Commands between two of these marks within a sentence.
fn quoted(text: &str, mark: char) -> impl Iterator<Item = String> {
    let between = text.split(mark).filter(|part| part.starts_with("sysadm "));
    between.map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The words of a command, as a shell would split them.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (Some(mark), c) if c == mark => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn mistake(command: &str) -> Option<clap::Error> {
    let is_fine =
        |error: &clap::Error| matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    Cli::try_parse_from(words(command)).err().filter(|error| !is_fine(error))
}

/// Lines that are commands: a line may also be a sentence that begins with the word.
fn examples(text: &str) -> impl Iterator<Item = &str> {
    let is_command = |line: &&str| {
        let first = words(line).get(1).cloned().unwrap_or_default();
        Cli::command().find_subcommand(&first).is_some() || first.starts_with('-')
    };
    let is_variable = |line: &&str| {
        line.contains("$(")
            || line.contains(" [")
            || line.contains("COMMAND")
            || line.ends_with(['.', ',', ':'])
    };
    text.lines().filter_map(typed).filter(is_command).filter(move |line| !is_variable(line))
}

/// Commands that a sentence names, which need not be whole.
fn named(text: &str) -> impl Iterator<Item = String> {
    let all = quoted(text, '`').chain(quoted(text, '\''));
    all.filter(|line| !line.contains("COMMAND")).map(|line| typed(&line).unwrap_or_default().to_owned())
}

/// Whether nothing is wrong but that something is still to come: an argument, a subcommand, the value of an option.
fn is_incomplete(error: &clap::Error) -> bool {
    let is_missing = |value: &ContextValue| matches!(value, ContextValue::String(text) if text.is_empty());
    match error.kind() {
        ErrorKind::InvalidValue => error.get(ContextKind::InvalidValue).is_some_and(is_missing),
        kind => matches!(
            kind,
            ErrorKind::MissingRequiredArgument
                | ErrorKind::MissingSubcommand
                | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        ),
    }
}

#[test]
fn every_command_in_the_documentation_parses() {
    let mut texts = pages();
    helps(Cli::command(), "sysadm".to_owned(), &mut texts);
    let (mut seen, mut mistakes) = (0, Vec::new());
    for (page, text) in texts.iter().filter(|(page, _)| page.extension().is_none_or(|end| end != "sh")) {
        let examples = examples(text).map(|line| (mistake(line), line.to_owned()));
        let named = named(text).map(|line| (mistake(&line), line));
        let named = named.map(|(wrong, line)| (wrong.filter(|error| !is_incomplete(error)), line));
        for (wrong, line) in examples.chain(named) {
            seen += 1;
            mistakes.extend(wrong.map(|error| format!("{}: {line}: {error}", page.display())));
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
    assert!(seen > 150, "{seen}");
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let slug = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(slug).collect()
}

#[test]
fn every_link_in_the_documentation_leads_somewhere() {
    for (page, text) in pages() {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let there = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(there.exists(), "{}: {link}", page.display());
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(there).unwrap();
                assert!(anchors(&text).contains(anchor), "{}: {link}", page.display());
            }
        }
    }
}
