//! What README.md, docs/, examples/ and every `--help` say of the command line is true: each command in them parses, and
//! each link leads somewhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
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

#[test]
fn every_command_in_the_documentation_parses() {
    let mut texts = pages();
    helps(Cli::command(), "sysadm".to_owned(), &mut texts);
    let mut seen = 0;
    for (page, text) in &texts {
        for command in text.lines().filter_map(typed).filter(|line| !line.contains("$(")) {
            let is_example = !command.ends_with(['.', ',', ':']) && !command.contains("COMMAND");
            if !is_example || page.extension().is_some_and(|end| end == "sh") {
                continue;
            }
            // A sentence may begin with the word.
            let first = words(command).get(1).cloned().unwrap_or_default();
            if Cli::command().find_subcommand(&first).is_none() && !first.starts_with('-') {
                continue;
            }
            seen += 1;
            assert!(
                mistake(command).is_none(),
                "{}: {command}: {}",
                page.display(),
                mistake(command).unwrap()
            );
        }
        for command in quoted(text, '`').chain(quoted(text, '\'')).filter(|line| !line.contains("COMMAND")) {
            seen += 1;
            let wrong = mistake(&command).filter(|error| {
                !matches!(
                    error.kind(),
                    ErrorKind::MissingRequiredArgument
                        | ErrorKind::MissingSubcommand
                        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                )
            });
            assert!(wrong.is_none(), "{}: {command}: {}", page.display(), wrong.unwrap());
        }
    }
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
