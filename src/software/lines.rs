//! Reads files and output of packaging systems line by line, whatever their size.

use std::io::{BufRead, Read};
use std::ops::ControlFlow;

use ring::digest::{SHA256, digest};

use super::SoftwareError;
use crate::model::{Package, unknown_version};

/// Maximum length of a line, in bytes.
const LONGEST: u64 = 1 << 20;

/// Maximum number of invalid lines in a file; with more it is not taken for a package database.
const MOST: usize = 16;

/// A line without its end; or the beginning of an invalid one, and what is wrong with it.
pub(super) type Line<'a> = Result<&'a [u8], (&'a [u8], String)>;

/// Calls `take` for each line, until that stops. `file` is the file's name in errors. A last line without a line
/// end is invalid: every program that writes these files ends it, and half the name of a package is a name as
/// well.
///
/// # Errors
/// If the file cannot be read.
pub(super) fn each(
    mut reader: impl BufRead,
    file: &str,
    mut take: impl FnMut(Line<'_>) -> ControlFlow<()>,
) -> Result<(), SoftwareError> {
    let mut line = Vec::new();
    loop {
        let failed = |source| SoftwareError::Read { file: file.to_owned(), source };
        line.clear();
        let length = (&mut reader).take(LONGEST).read_until(b'\n', &mut line).map_err(failed)?;
        let given = match line.strip_suffix(b"\n") {
            Some(whole) => Ok(whole),
            None if length == 0 => return Ok(()),
            None if length as u64 == LONGEST => {
                reader.skip_until(b'\n').map_err(failed)?;
                Err((&line[..], "a line of more than 1 MiB".to_owned()))
            }
            None => Err((&line[..], "the file ends within a line".to_owned())),
        };
        if take(given).is_break() {
            return Ok(());
        }
    }
}

/// The invalid lines of a file about many packages. Each becomes a package of unknown version, for what it may
/// have said.
#[derive(Debug, Default)]
pub(super) struct OddLines(Vec<Package>);

impl OddLines {
    pub(super) fn add(&mut self, line: &[u8], what: &str) {
        if self.0.len() <= MOST {
            let name = format!("({what})");
            self.0.push(Package { name, version: unknown_version("an odd line", &fingerprint(line)) });
        }
    }

    /// All of them, without duplicates.
    ///
    /// # Errors
    /// If there are too many.
    pub(super) fn packages(mut self, file: &str) -> Result<Vec<Package>, SoftwareError> {
        if self.0.len() > MOST {
            let first = self.0.first().map_or("", |one| one.name.as_str());
            return Err(SoftwareError::Damaged {
                file: file.to_owned(),
                what: format!("more than {MOST} of its lines are odd; the first {first}"),
            });
        }
        self.0.sort();
        self.0.dedup();
        Ok(self.0)
    }
}

/// A short hash that identifies some bytes.
pub(super) fn fingerprint(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// A version to be stored: any text, with unprintable characters escaped. Text that cannot be a version is an error.
pub(super) fn version(value: &[u8]) -> Result<String, String> {
    match value {
        b"" => Err("an empty version".to_owned()),
        // No real version begins like this, but the substitute for an unknown one does.
        [b'(', ..] => Err(format!("{} is not a version", shown(value))),
        value if value.len() > 512 => Err("a version of more than 512 bytes".to_owned()),
        value => Ok(value
            .escape_ascii()
            .to_string()
            .replace("\\\"", "\"")
            .replace("\\'", "'")
            .replace("\\\\", "\\")),
    }
}

/// A name: printable ASCII.
pub(super) fn word<'a>(bytes: &'a [u8], what: &str) -> Result<&'a str, String> {
    let good = !bytes.is_empty() && bytes.len() <= 512 && bytes.iter().all(u8::is_ascii_graphic);
    match std::str::from_utf8(bytes) {
        Ok(word) if good => Ok(word),
        _ => Err(format!("{} is not {what}", shown(bytes))),
    }
}

/// Bytes of a file, escaped to be shown.
pub(super) fn shown(bytes: &[u8]) -> String {
    let start = bytes.get(..60).unwrap_or(bytes);
    format!("\"{}\"{}", start.escape_ascii(), if start.len() < bytes.len() { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        let read = each(text, "f", |line| {
            let (text, what) =
                line.map_or_else(|(start, what)| (start, format!(" ({what})")), |text| (text, String::new()));
            lines.push(format!("{:.9}{what}", String::from_utf8_lossy(text)));
            if text == b"end" { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        read.unwrap();
        lines
    }

    #[test]
    fn lines_are_given_one_by_one_until_it_is_enough() {
        assert_eq!(all(b""), [""; 0]);
        assert_eq!(all(b"a\n\nb c\n"), ["a", "", "b c"]);
        assert_eq!(all(b"a\nend\nhalf a li"), ["a", "end"]);
    }

    #[test]
    fn a_line_that_is_odd_hides_no_other() {
        assert_eq!(all(b"a\nb"), ["a", "b (the file ends within a line)"]);
        let mut text = vec![b'x'; 3 << 20];
        text.extend_from_slice(b"\nb\n");
        assert_eq!(all(&text), ["xxxxxxxxx (a line of more than 1 MiB)", "b"]);
    }

    #[test]
    fn any_text_may_be_a_version() {
        for (value, kept) in [
            ("release 1.0", "release 1.0"),
            ("11.9.0,REV=2002", "11.9.0,REV=2002"),
            ("1.0 \"beta\" it's", "1.0 \"beta\" it's"),
            ("C:\\1", "C:\\1"),
            ("n\u{e9}", "n\\xc3\\xa9"),
            ("a\x1b[31m", "a\\x1b[31m"),
        ] {
            assert_eq!(version(value.as_bytes()).as_deref(), Ok(kept));
        }
        assert!(version(b"").is_err() && version(b"(1").is_err() && version(&[b'x'; 513]).is_err());
    }

    #[test]
    fn what_cannot_be_shown_is_escaped() {
        assert_eq!(word(b"SUNWcsr", "a package"), Ok("SUNWcsr"));
        assert_eq!(word(b"a\x1b[31m", "a package").unwrap_err(), r#""a\x1b[31m" is not a package"#);
        assert_eq!(word("né".as_bytes(), "a package").unwrap_err(), r#""n\xc3\xa9" is not a package"#);
        assert!(word(&[b'x'; 600], "a package").unwrap_err().ends_with("x\"… is not a package"));
    }
}
