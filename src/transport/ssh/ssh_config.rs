//! The options of ssh_config(5) for one host: its files, parsed as ssh does for a connection to that host.
//!
//! If an option is set twice the first one applies; key files and certificates accumulate. `Match` blocks apply
//! if they can be evaluated here: a condition that cannot be (`exec`, `tagged`, …) is an error, since ignoring it
//! could lead to another host than the administrator meant.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::pattern;
use super::tokens::{Known, expand_path};

/// Maximum depth of included files.
const DEPTH: usize = 16;

/// Options that accumulate instead of ending with the first.
const GATHERED: [&str; 2] = ["identityfile", "certificatefile"];

/// The connection for which options are read.
#[derive(Debug)]
pub(super) struct Target<'a> {
    /// The host, as it was named.
    pub host: &'a str,
    /// The user in the URI.
    pub user: Option<&'a str>,
    /// The local user.
    pub own_user: Option<&'a str>,
    /// The folder that contains `.ssh`.
    pub home: Option<&'a Path>,
}

/// An option that was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Set {
    /// Its words, without quotes.
    pub words: Vec<String>,
    /// The file and the line.
    pub place: String,
}

/// The options for one host, by their names in lower case.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options(BTreeMap<String, Vec<Set>>);

impl Options {
    /// Reads these files; options in the first take precedence over those in the second.
    ///
    /// # Errors
    /// What cannot be read or followed, with its file and line. Missing files are skipped.
    pub(super) fn read(files: &[PathBuf], target: &Target<'_>) -> Result<Self, String> {
        let mut reader = Reader { target, options: Self::default(), is_final: false, wants_final: false };
        for file in files {
            reader.file(file, true, 0)?;
        }
        // Blocks to be read once everything else is known.
        if reader.wants_final {
            reader.is_final = true;
            for file in files {
                reader.file(file, true, 0)?;
            }
        }
        Ok(reader.options)
    }

    /// The option, as it was set first.
    pub(super) fn get(&self, name: &str) -> Option<&Set> {
        self.0.get(name)?.first()
    }

    /// Its first word.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        self.get(name)?.words.first().map(String::as_str)
    }

    /// All settings of a cumulative option.
    pub(super) fn all(&self, name: &str) -> &[Set] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    fn set(&mut self, name: String, set: Set) {
        let sets = self.0.entry(name.clone()).or_default();
        if sets.is_empty()
            || GATHERED.contains(&name.as_str()) && sets.iter().all(|one| one.words != set.words)
        {
            sets.push(set);
        }
    }
}

struct Reader<'a> {
    target: &'a Target<'a>,
    options: Options,
    /// This is the second pass.
    is_final: bool,
    /// A block asks for a second pass.
    wants_final: bool,
}

impl Reader<'_> {
    /// Reads a file, which applies if the file that includes it does.
    fn file(&mut self, file: &Path, counts: bool, depth: usize) -> Result<(), String> {
        let text = match std::fs::read(file) {
            Ok(text) => String::from_utf8_lossy(&text).into_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(format!("failed to read {}: {error}", file.display())),
        };
        let mut active = counts;
        for (number, line) in (1..).zip(text.lines()) {
            let place = format!("{}:{number}", file.display());
            let wrong = |what: String| format!("{place}: {what}");
            let Some((name, words)) = split(line).map_err(wrong)? else { continue };
            match name.as_str() {
                "host" => active = counts && pattern::among(&words, self.target.host),
                "match" => active = self.holds(&words).map_err(wrong)? && counts,
                "include" => {
                    for word in &words {
                        for included in self.included(word, file).map_err(wrong)? {
                            if depth >= DEPTH {
                                return Err(wrong("too many files include each other".to_owned()));
                            }
                            self.file(&included, active, depth + 1)?;
                        }
                    }
                }
                _ if words.is_empty() => return Err(wrong(format!("{name} has no value"))),
                _ if active => self.options.set(name, Set { words, place }),
                _ => {}
            }
        }
        Ok(())
    }

    /// The files of an `Include`, sorted by name.
    fn included(&self, word: &str, from: &Path) -> Result<Vec<PathBuf>, String> {
        let known = Known { home: self.target.home, ..Known::default() };
        let path = expand_path(word, &known)?;
        let usual = || match self.target.home {
            Some(home) if !from.starts_with("/etc/ssh") => home.join(".ssh"),
            _ => PathBuf::from("/etc/ssh"),
        };
        Ok(pattern::files(&if path.is_absolute() { path } else { usual().join(path) }))
    }

    /// Whether the conditions of a `Match` are true.
    fn holds(&mut self, words: &[String]) -> Result<bool, String> {
        let mut words = words.iter();
        let mut holds = true;
        while let Some(word) = words.next() {
            let (negated, name) = match word.strip_prefix('!') {
                Some(name) => (true, name),
                None => (false, word.as_str()),
            };
            let (name, attached) = match name.split_once('=') {
                Some((name, value)) => (name.to_ascii_lowercase(), Some(value)),
                None => (name.to_ascii_lowercase(), None),
            };
            let met = match name.as_str() {
                "all" => true,
                // Names are not canonicalized.
                "canonical" => false,
                "final" => {
                    self.wants_final = true;
                    self.is_final
                }
                _ => {
                    let value = attached.or_else(|| words.next().map(String::as_str));
                    let value = value.ok_or_else(|| format!("Match {name} has no value"))?;
                    let patterns: Vec<_> = value.split(',').map(str::to_owned).collect();
                    let subject = match name.as_str() {
                        "host" => Some(self.host_name()),
                        "originalhost" => Some(self.target.host.to_owned()),
                        "user" => self.user(),
                        "localuser" => self.target.own_user.map(str::to_owned),
                        _ if !holds => continue,
                        _ => return Err(format!("Match {name} cannot be followed")),
                    };
                    subject.is_some_and(|subject| pattern::among(&patterns, &subject))
                }
            };
            holds &= met != negated;
        }
        Ok(holds)
    }

    /// The host name to look up, as far as it is known.
    fn host_name(&self) -> String {
        let name = self.options.word("hostname").map(|name| name.replace("%h", self.target.host));
        name.unwrap_or_else(|| self.target.host.to_owned())
    }

    fn user(&self) -> Option<String> {
        let named = self.target.user.or_else(|| self.options.word("user")).or(self.target.own_user);
        named.map(str::to_owned)
    }
}

/// The name of a line's option, in lower case, and its words. None: a blank line or a comment.
///
/// ```text
/// IdentityFile = "~/my keys/id"   # a remark
/// ```
fn split(line: &str) -> Result<Option<(String, Vec<String>)>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let end = line.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    Ok(Some((name.trim_matches('"').to_ascii_lowercase(), words(rest)?)))
}

/// Words separated by blanks: quotes group them, and a backslash escapes a quote, a backslash or a blank.
fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if matches!(letters.peek(), Some('"' | '\'' | '\\'))
                || quote.is_none() && letters.peek() == Some(&' ') =>
            {
                word.get_or_insert_default().extend(letters.next());
            }
            '"' | '\'' if quote.is_none() => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            _ if Some(letter) == quote => quote = None,
            '#' if quote.is_none() && word.is_none() => break,
            _ if letter.is_whitespace() && quote.is_none() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    if quote.is_some() {
        return Err("a quote has no end".to_owned());
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests;
