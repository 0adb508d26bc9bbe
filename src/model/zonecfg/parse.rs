//! Parses an export of zonecfg(8), line by line.

use std::str::FromStr;

use super::{Item, Name, Value, Zonecfg};
use crate::plain;

/// Maximum depth of nested resources: an `anet` contains a `mac`, and that is all in practice.
const DEPTH: usize = 8;

/// Why an export is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {what}")]
pub struct ZonecfgError {
    /// From 1.
    pub line: usize,
    /// One line.
    pub what: String,
}

impl crate::Hinted for ZonecfgError {}

impl FromStr for Zonecfg {
    type Err = ZonecfgError;

    /// Parses an export. Blank lines, indentation and comments (`#`) are allowed.
    fn from_str(text: &str) -> Result<Self, ZonecfgError> {
        let wrong =
            |line: usize, what: &str| ZonecfgError { line, what: plain(what).chars().take(200).collect() };
        let mut open = ParseState::default();
        for (number, line) in (1..).zip(text.split('\n')) {
            let line = line.trim_start_matches([' ', '\t']);
            if !line.is_empty() && !line.starts_with('#') {
                open.take(line).map_err(|what| wrong(number, &what))?;
            }
        }
        let last = text.lines().count().max(1);
        match (open.created, open.within.last()) {
            (false, _) => Err(wrong(last, NO_CREATE)),
            (true, Some((kind, _))) => Err(wrong(last, &format!("'add {kind}' has no 'end'"))),
            (true, None) => Ok(Self { items: open.items }),
        }
    }
}

const NO_CREATE: &str = "'create -b' is expected first, as 'zonecfg -z ZONE export' prints it";

/// The state of the parser.
#[derive(Default)]
struct ParseState {
    created: bool,
    items: Vec<Item>,
    /// The resources that are still open, outermost first.
    within: Vec<(Name, Vec<Item>)>,
}

impl ParseState {
    fn take(&mut self, line: &str) -> Result<(), String> {
        if line.ends_with('\r') {
            return Err("the file has DOS line endings (CR LF); convert it with dos2unix".to_owned());
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (verb, rest.trim_end()) {
            ("create", "-b") if !self.created => self.created = true,
            _ if !self.created => return Err(NO_CREATE.to_owned()),
            ("set", _) => {
                let (name, value) = rest.split_once('=').ok_or("'set' wants PROPERTY=VALUE")?;
                self.add(Item::Set(name.parse()?, value_of(value)?));
            }
            ("add", _) => self.begin(rest)?,
            ("end", "") => {
                let (kind, items) = self.within.pop().ok_or("this end belongs to no resource")?;
                self.add(Item::Resource(kind, items));
            }
            _ => return Err(format!("{verb:?} is not expected in an export: it has set, add and end")),
        }
        Ok(())
    }

    /// Begins a resource, or adds one of several values.
    fn begin(&mut self, rest: &str) -> Result<(), String> {
        let Some((name, value)) = rest.split_once(' ').filter(|(_, value)| !value.trim_end().is_empty())
        else {
            if self.within.len() >= DEPTH {
                return Err(format!("more than {DEPTH} resources are within each other"));
            }
            self.within.push((rest.trim_end().parse()?, Vec::new()));
            return Ok(());
        };
        let name = name.parse()?;
        match value.strip_prefix('(') {
            Some(parts) => self.add(Item::AddParts(name, parts_of(parts)?)),
            None => self.add(Item::Add(name, value_of(value)?)),
        }
        Ok(())
    }

    fn add(&mut self, item: Item) {
        self.within.last_mut().map_or(&mut self.items, |(_, items)| items).push(item);
    }
}

/// The value at the end of a line.
fn value_of(text: &str) -> Result<Value, String> {
    match text.strip_prefix('"') {
        None => Value::new(text, false),
        Some(quoted) => {
            let text = quoted.trim_end().strip_suffix('"').ok_or("a quote is not closed")?;
            Value::new(text, true)
        }
    }
}

/// The parts of a value up to the closing parenthesis: `priv=privileged,limit=150,action=deny)`.
fn parts_of(text: &str) -> Result<Vec<(Name, Value)>, String> {
    let mut rest = text.trim_end();
    let mut parts = Vec::new();
    if rest == ")" {
        return Ok(parts);
    }
    loop {
        let (name, value) = rest.trim_start().split_once('=').ok_or("(NAME=VALUE,...) is expected")?;
        let (value, more) = match value.strip_prefix('"') {
            Some(quoted) => {
                let (text, more) = quoted.split_once('"').ok_or("a quote is not closed")?;
                (Value::new(text, true)?, more)
            }
            None => {
                let end = value.find([',', ')']).ok_or("')' is missing")?;
                let (text, more) = value.split_at(end);
                (Value::new(text, false)?, more)
            }
        };
        parts.push((name.parse()?, value));
        match more.strip_prefix(',') {
            Some(more) => rest = more,
            None if more == ")" => return Ok(parts),
            None => return Err("',' or ')' is expected after a value".to_owned()),
        }
    }
}
