//! A command's output, without what differs between runs. Columns keep their width.

use std::fmt;
use std::process::Output;

/// A command's outputs and exit status.
pub struct Printed {
    pub stdout: String,
    pub stderr: String,
    pub status: Option<i32>,
}

impl Printed {
    pub fn new(output: &Output, folder: &str) -> Self {
        let text = |bytes: &[u8]| redact(&String::from_utf8_lossy(bytes), folder);
        Self { stdout: text(&output.stdout), stderr: text(&output.stderr), status: output.status.code() }
    }
}

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stdout)?;
        if !self.stderr.is_empty() {
            write!(f, "------- stderr -------\n{}", self.stderr)?;
        }
        match self.status {
            Some(0) => f.write_str("[done]"),
            Some(code) => write!(f, "[exit status {code}]"),
            None => f.write_str("[killed]"),
        }
    }
}

/// Replaces folders, users, process ids, ports, dates, spans and UUIDs. The zones of a return are named in their
/// order: which of their hosts answers first is not certain.
pub fn redact(text: &str, folder: &str) -> String {
    let user = user();
    let text = text.replace(folder, "/SITE").replace(&format!("by {user}"), "by USER");
    let text = text.replace(&format!(" {user:<8} "), " USER     ").replace(&format!("{user:?}"), "\"USER\"");
    let mut lines: Vec<_> = text.split_inclusive('\n').map(redact_line).collect();
    let is_return = |line: &String| line.starts_with("sysadm: initializing return of ");
    lines
        .chunk_by_mut(|one, next| is_return(one) && is_return(next))
        .filter(|run| run.len() > 1)
        .for_each(<[_]>::sort);
    lines.concat()
}

fn user() -> String {
    let uid = rustix::process::getuid().as_raw().to_string();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let of = |line: &str| {
        let fields: Vec<_> = line.split(':').collect();
        (fields.get(2) == Some(&uid.as_str())).then(|| fields[0].to_owned())
    };
    passwd.lines().find_map(of).unwrap_or(uid)
}

fn redact_line(line: &str) -> String {
    let mut result = String::new();
    let mut rest = line;
    while !rest.is_empty() {
        let start = rest.find(|c: char| c.is_ascii_hexdigit()).unwrap_or(rest.len());
        let (before, from) = rest.split_at(start);
        result.push_str(before);
        let (length, word) = match result.chars().last() {
            // Within a word nothing is replaced.
            Some(c) if c.is_ascii_alphanumeric() || c == '.' || c == '~' => (0, String::new()),
            _ => replacement(&result, from),
        };
        if length == 0 {
            let skip = from.chars().next().map_or(0, char::len_utf8);
            result.push_str(&from[..skip]);
            rest = &from[skip..];
        } else {
            result.push_str(&word);
            rest = &from[length..];
        }
    }
    result
}

/// How much at the beginning of `text` is to be replaced, and by what.
fn replacement(before: &str, text: &str) -> (usize, String) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if shape(text, "dddd-dd-dd dd:dd") {
        return (16, "YYYY-MM-DD HH:MM".to_owned());
    }
    if before.ends_with(' ') && shape(text, "dd:dd ") {
        return (5, "HH:MM".to_owned());
    }
    if shape(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") {
        return (36, "UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU".to_owned());
    }
    if shape(text, "xx:xx:xx:xx:xx:") {
        let length = text.bytes().take_while(|b| b.is_ascii_hexdigit() || *b == b':').count();
        return (length, "FINGERPRINT".to_owned());
    }
    if digits == 0 {
        return (0, String::new());
    }
    if before.ends_with("127.0.0.1:") || before.ends_with("on port ") {
        return (digits, "PORT".to_owned());
    }
    if before.ends_with("pid ") {
        return (digits, "PID".to_owned());
    }
    if ["_ms\": ", "_ms\":", "\"since\": ", "\"size\": "].iter().any(|key| before.ends_with(key)) {
        return (digits, "MS".to_owned());
    }
    if digits > 1 && text[digits..].starts_with('B') && !text[digits + 1..].starts_with(char::is_alphanumeric)
    {
        // The size of a configuration depends on the names of the folders in it.
        return (digits, "N".repeat(digits));
    }
    span(text, digits)
}

/// `240ms` or `3.2s` as a word of its own, with the blanks after it up to the next column.
fn span(text: &str, digits: usize) -> (usize, String) {
    let after = &text[digits..];
    let length = if after.starts_with("ms") {
        digits + 2
    } else if after.starts_with('.') && after[1..].starts_with(|c: char| c.is_ascii_digit()) {
        if !after[2..].starts_with('s') {
            return (0, String::new());
        }
        digits + 3
    } else {
        return (0, String::new());
    };
    if text[length..].starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return (0, String::new());
    }
    let blanks = text[length..].bytes().take_while(|b| *b == b' ').count();
    let word = if blanks > 1 { format!("{:<1$}", "TIME", length + blanks) } else { "TIME".to_owned() };
    (length + if blanks > 1 { blanks } else { 0 }, word)
}

/// Whether the text begins with that pattern: `d` is a digit, `x` a hexadecimal digit, the rest literal.
fn shape(text: &str, pattern: &str) -> bool {
    text.len() >= pattern.len()
        && pattern.bytes().zip(text.bytes()).all(|(wanted, found)| match wanted {
            b'd' => found.is_ascii_digit(),
            b'x' => found.is_ascii_hexdigit(),
            other => found == other,
        })
}

#[test]
fn what_differs_is_replaced_and_columns_stay() {
    let text = "admin  root  2026-11-21 08:49   x\nevac1  73ms     4G\nevac1  126ms    4G\n127.0.0.1:4711\n";
    assert_eq!(
        redact(text, "/tmp/x"),
        "admin  root  YYYY-MM-DD HH:MM   x\nevac1  TIME     4G\nevac1  TIME     4G\n127.0.0.1:PORT\n"
    );
    assert_eq!(redact("0.1.0 4.4G h2 410B ~36.7s\n", "/x"), "0.1.0 4.4G h2 NNNB ~36.7s\n");
    assert_eq!(redact("completion 14:32 (±4m) 14:32:05\n", "/x"), "completion HH:MM (±4m) 14:32:05\n");
}
