//! Lines of a file of a packaging system, or of what its tool prints: one at a time, whatever the size of the whole.

use std::io::{BufRead, Read};
use std::ops::ControlFlow;

use super::SoftwareError;

/// No line of a package database is longer, in bytes.
const LONGEST: u64 = 1 << 20;

/// Gives each line to `take`, without its end, until that has had enough. `file` is what it is called in errors.
///
/// # Errors
/// What `take` says is wrong, with the number of the line. A file that ends within a line is damaged: all that write
/// these files end the last line, too, and half the name of a package is a name as well.
pub(super) fn each(
    mut reader: impl BufRead,
    file: &str,
    mut take: impl FnMut(&[u8]) -> Result<ControlFlow<()>, String>,
) -> Result<(), SoftwareError> {
    let mut line = Vec::new();
    for number in 1.. {
        let damaged = |what: String| SoftwareError::Damaged { file: file.to_owned(), line: number, what };
        line.clear();
        let read = (&mut reader).take(LONGEST).read_until(b'\n', &mut line);
        let length = read.map_err(|source| SoftwareError::Read { file: file.to_owned(), source })?;
        match line.strip_suffix(b"\n") {
            Some(whole) => {
                if take(whole).map_err(damaged)?.is_break() {
                    break;
                }
            }
            None if length == 0 => break,
            None if length as u64 == LONGEST => return Err(damaged("a line of more than 1 MiB".to_owned())),
            None => return Err(damaged("the file ends within a line".to_owned())),
        }
    }
    Ok(())
}

/// A name or a version: ASCII that can be seen, and shown.
pub(super) fn word<'a>(bytes: &'a [u8], what: &str) -> Result<&'a str, String> {
    let good = !bytes.is_empty() && bytes.len() <= 512 && bytes.iter().all(u8::is_ascii_graphic);
    match std::str::from_utf8(bytes) {
        Ok(word) if good => Ok(word),
        _ => Err(format!("{} is not {what}", shown(bytes))),
    }
}

/// Some bytes of a file, for people.
pub(super) fn shown(bytes: &[u8]) -> String {
    let start = bytes.get(..60).unwrap_or(bytes);
    format!("\"{}\"{}", start.escape_ascii(), if start.len() < bytes.len() { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Result<Vec<String>, String> {
        let mut lines = Vec::new();
        let read = each(text, "f", |line| {
            lines.push(String::from_utf8_lossy(line).into_owned());
            Ok(if line == b"end" { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        });
        read.map(|()| lines).map_err(|error| error.to_string())
    }

    #[test]
    fn lines_are_given_one_by_one_until_it_is_enough() {
        assert_eq!(all(b"").unwrap(), [""; 0]);
        assert_eq!(all(b"a\n\nb c\n").unwrap(), ["a", "", "b c"]);
        assert_eq!(all(b"a\nend\nhalf a li").unwrap(), ["a", "end"]);
    }

    #[test]
    fn a_file_that_ends_within_a_line_is_damaged() {
        assert_eq!(all(b"a\nb").unwrap_err(), "f:2: the file ends within a line");
        let long = vec![b'x'; 3 << 20];
        assert_eq!(all(&long).unwrap_err(), "f:1: a line of more than 1 MiB");
    }

    #[test]
    fn what_cannot_be_shown_is_escaped() {
        assert_eq!(word(b"SUNWcsr", "a package"), Ok("SUNWcsr"));
        assert_eq!(word(b"a\x1b[31m", "a package").unwrap_err(), r#""a\x1b[31m" is not a package"#);
        assert_eq!(word("né".as_bytes(), "a package").unwrap_err(), r#""n\xc3\xa9" is not a package"#);
        assert!(word(&[b'x'; 600], "a package").unwrap_err().ends_with("x\"… is not a package"));
    }
}
