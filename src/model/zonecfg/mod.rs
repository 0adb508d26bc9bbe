//! A zone's configuration in the format of zonecfg(8) export.
//!
//! ```text
//!   create -b                      always the first line
//!   set zonepath=/zones/web1       a property of the zone: never in quotes in illumos, not even with spaces in it
//!   add fs                         a resource, up to its `end`
//!   set dir=/opt
//!   add options ro                 one of a list
//!   add options "size=1G"
//!   end
//!   add rctl
//!   set name=zone.cpu-cap
//!   add value (priv=privileged,limit=150,action=deny)
//!   end
//! ```
//!
//! What is exported parses and prints as the same text, and every configuration prints and parses as the same
//! one. So no resource or property is known by name here: fs, net, anet, device, capped-memory, rctl, attr,
//! dataset, dedicated-cpu, admin, virtual-cpu, suspend, security-flags and those of future systems are kept
//! alike, in their order. An export contains neither the zone's name, nor capped-cpu and the swap of
//! capped-memory: these appear as the rctls `zone.cpu-cap` and `zone.max-swap`.

mod parse;

use std::fmt;
use std::str::FromStr;

pub use parse::ZonecfgError;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zonecfg {
    pub items: Vec<Item>,
}

/// A statement about a zone or one of its resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A property's value.
    Set(Name, Value),
    /// One more value of a property with several values.
    Add(Name, Value),
    /// One more value of a property with several values, each of which has several parts.
    AddParts(Name, Vec<(Name, Value)>),
    /// A resource: its kind and its contents.
    Resource(Name, Vec<Item>),
}

/// The name of a resource or property: ASCII letters, digits, `-`, `_` and `.`, starting with a letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

/// A value: text without double quotes and control characters, which zonecfg does not allow.
#[derive(Clone, Debug)]
pub struct Value {
    text: String,
    /// Written in quotes. An export may write the same value with quotes in one place and without in another.
    quoted: bool,
}

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(is_allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("{text:?} is not the name of a resource or property"))
    }
}

impl Value {
    /// The value without quotes.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn new(text: &str, quoted: bool) -> Result<Self, String> {
        match text.chars().find(|c| *c == '"' || c.is_control()) {
            Some(odd) => Err(format!("{odd:?} is in the value {text:?}, which zonecfg has in none")),
            None => Ok(Self { text: text.to_owned(), quoted }),
        }
    }

    /// The value as it is printed: in quotes if it was, or if it would change its meaning without.
    fn shown(&self, needs_quotes: impl Fn(&str) -> bool) -> String {
        let text = &self.text;
        if self.quoted || needs_quotes(text) { format!("\"{text}\"") } else { text.clone() }
    }
}

impl FromStr for Value {
    type Err = String;

    /// In quotes if zonecfg would otherwise interpret a character in it.
    fn from_str(text: &str) -> Result<Self, String> {
        Self::new(text, text.contains([' ', ';', '=', '[', ']', '(', ')']))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Value {}

impl Zonecfg {
    /// The value of a property of the zone.
    pub fn get(&self, name: &str) -> Option<&str> {
        get(&self.items, name)
    }

    /// The contents of each resource of that kind.
    pub fn resources<'a>(&'a self, kind: &str) -> impl Iterator<Item = &'a [Item]> {
        self.items.iter().filter_map(move |item| match item {
            Item::Resource(name, items) if name.0 == kind => Some(items.as_slice()),
            _ => None,
        })
    }
}

/// The value of a property.
pub fn get<'a>(items: &'a [Item], name: &str) -> Option<&'a str> {
    items.iter().find_map(|item| match item {
        Item::Set(property, value) if property.0 == name => Some(value.as_str()),
        _ => None,
    })
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Zonecfg {
    /// The export, each line with its line end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("create -b\n")?;
        self.items.iter().try_for_each(|item| item.fmt(f))
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(name, value) => writeln!(f, "set {name}={}", value.shown(|_| false)),
            Self::Add(name, value) => {
                let is_else = |text: &str| text.is_empty() || text.starts_with([' ', '(']);
                writeln!(f, "add {name} {}", value.shown(is_else))
            }
            Self::AddParts(name, parts) => {
                let is_else = |text: &str| text.starts_with(' ') || text.contains([',', ')']);
                let shown = parts.iter().map(|(name, value)| format!("{name}={}", value.shown(is_else)));
                writeln!(f, "add {name} ({})", shown.collect::<Vec<_>>().join(","))
            }
            Self::Resource(kind, items) => {
                writeln!(f, "add {kind}")?;
                items.iter().try_for_each(|item| item.fmt(f))?;
                f.write_str("end\n")
            }
        }
    }
}

#[cfg(test)]
mod tests;
