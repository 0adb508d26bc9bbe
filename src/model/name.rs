//! The names of zones.
//!
//! A platform may call a zone almost anything: `Windows 10`, `müller`, `-rf`. A [`ZoneName`] can never be taken
//! for an option, a path or markup; it is the same in every table, file and URI, and can be copied from them.
//! Each byte that is not allowed is written as `%` and two hexadecimal digits: `Windows%2010`, `m%C3%BCller`,
//! `%2Drf`. Every platform name has exactly one such form, so two names are never confused, however similar they
//! look.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::percent;

/// Maximum length of a platform's name in bytes: libvirt writes `NAME.xml.new`, and file names are limited to 255.
const LONGEST: usize = 247;

/// The name of a zone: ASCII letters, digits, `_`, `-` and `.`, starting with a letter or digit, as in
/// zonecfg(8). All other characters of the platform's name are written as `%XX`, byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ZoneName(String);

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ZoneNameError {
    #[error("a zone name cannot be empty")]
    Empty,
    /// The length in bytes.
    #[error("zone name is {0} bytes long; the maximum is {LONGEST}")]
    TooLong(usize),
    /// A character that no platform accepts or can store.
    #[error("zone name {name:?}: {character:?} is not allowed in a zone name")]
    Character {
        /// The rejected name.
        name: String,
        /// The first invalid character.
        character: char,
    },
    /// A valid name, but not in its canonical form.
    #[error("zone name {name:?} is not in its canonical form, {written}")]
    Written {
        /// The rejected text.
        name: String,
        /// The canonical form.
        written: ZoneName,
    },
    /// `global` means the host itself.
    #[error("'global' is the host itself")]
    Reserved,
}

impl crate::Hinted for ZoneNameError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Written { written, .. } => vec![format!("write {written}")],
            Self::Reserved => vec!["write a zone of that name as %67lobal".to_owned()],
            Self::Empty | Self::TooLong(_) | Self::Character { .. } => Vec::new(),
        }
    }
}

impl ZoneName {
    /// The zone name for a platform's own name.
    ///
    /// # Errors
    /// If no platform can store such a name: it contains a control character such as a line break, or a `/`, or
    /// is too long.
    pub fn of_platform(name: &str) -> Result<Self, ZoneNameError> {
        if name.is_empty() {
            return Err(ZoneNameError::Empty);
        }
        if name.len() > LONGEST {
            return Err(ZoneNameError::TooLong(name.len()));
        }
        // XML cannot contain these, or turns a carriage return into a line feed.
        let is_refused = |c: &char| (*c < ' ' && *c != '\t') || matches!(c, '/' | '\u{fffe}' | '\u{ffff}');
        if let Some(character) = name.chars().find(is_refused) {
            return Err(ZoneNameError::Character { name: name.to_owned(), character });
        }
        let is_plain = |index: usize, byte: u8| match index {
            0 => byte.is_ascii_alphanumeric() && name != "global",
            _ => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
        };
        let text = percent::encode(name.as_bytes(), is_plain);
        Ok(Self(text))
    }

    /// How a guest is shown, even if its platform's name cannot be a zone name.
    pub fn label(platform: &str) -> String {
        Self::of_platform(platform).map_or_else(|_| format!("{platform:?}"), Self::into)
    }

    /// The name that an operator typed: a zone name as it is listed, or else the platform's own name.
    ///
    /// # Errors
    /// If no zone can have that name.
    pub fn typed(text: &str) -> Result<Self, ZoneNameError> {
        match text.parse() {
            Err(ZoneNameError::Written { .. }) => Self::of_platform(text),
            parsed => parsed,
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An argument that virsh takes for this zone and no other, and that a shell does not interpret: virsh would
    /// take a number for a domain id.
    pub fn virsh_word(&self, uuid: Uuid) -> String {
        let name = self.as_str();
        let is_name = !name.contains('%') && !name.bytes().all(|byte| byte.is_ascii_digit());
        if is_name && Uuid::parse_str(name).is_err() { name.to_owned() } else { uuid.to_string() }
    }

    /// The platform's own name. It may be almost any text: do not print it, and do not use it as a file name.
    pub fn platform_name(&self) -> String {
        decoded(&self.0).unwrap_or_else(|| self.0.clone())
    }
}

/// The text with each `%XX` replaced by its byte; none if the result is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    percent::decode(text).and_then(|bytes| String::from_utf8(bytes).ok())
}

impl FromStr for ZoneName {
    type Err = ZoneNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > 3 * LONGEST {
            return Err(ZoneNameError::TooLong(text.len()));
        }
        if text == "global" {
            return Err(ZoneNameError::Reserved);
        }
        let written = match decoded(text).map(|name| Self::of_platform(&name)) {
            Some(Ok(name)) if name.0 == text => return Ok(name),
            Some(written) => written?,
            None => Self::of_platform(text)?,
        };
        Err(ZoneNameError::Written { name: text.to_owned(), written })
    }
}

impl TryFrom<String> for ZoneName {
    type Error = ZoneNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ZoneName> for String {
    fn from(name: ZoneName) -> Self {
        name.0
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_that_could_be_an_option_a_path_or_markup_is_no_name() {
        let bad = [
            "",
            "../x",
            "..",
            ".",
            "/",
            "a/b",
            "a\\b",
            ".hidden",
            "-rf",
            "--all",
            "a b",
            " a",
            "a ",
            "a;b",
            "a|b",
            "a&b",
            "a$b",
            "$(id)",
            "`id`",
            "a*",
            "a?",
            "~a",
            "a'b",
            "a\"b",
            "a#b",
            "a:b",
            "a,b",
            "a=b",
            "a%s",
            "{a,b}",
            "<x>",
            "&amp;",
            "]]>",
            "<!--",
            "a\n",
            "a\r",
            "a\0",
            "a\t",
            "\x1b[2J",
            "a\u{7f}",
            "a\u{85}",
            "zoné",
            "а",
            "web１",
            "wеb",
            "a\u{202e}b",
            "a\u{200b}",
            "\u{feff}a",
            "global",
        ];
        for bad in bad {
            let error = bad.parse::<ZoneName>().unwrap_err().to_string();
            assert!(!error.chars().any(char::is_control) && error.len() < 400, "{bad:?}: {error:?}");
            assert!(serde_json::from_value::<ZoneName>(bad.into()).is_err(), "{bad:?} was taken from a peer");
        }
        for good in ["a", "evac1", "web-1.example.org", "9lives", "A_b"] {
            assert_eq!(good.parse::<ZoneName>().unwrap().as_str(), good);
            assert_eq!(ZoneName::of_platform(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn whatever_a_platform_calls_a_zone_has_one_name_that_leads_back_to_it() {
        for (platform, text) in [
            ("Windows 10", "Windows%2010"),
            ("müller", "m%C3%BCller"),
            ("mu\u{308}ller", "mu%CC%88ller"),
            (" web ", "%20web%20"),
            ("a\tb", "a%09b"),
            ("-rf", "%2Drf"),
            ("..", "%2E."),
            ("100%", "100%25"),
            ("a%20b", "a%2520b"),
            ("a'b\\\"<&>", "a%27b%5C%22%3C%26%3E"),
            ("$(id);`id`", "%24%28id%29%3B%60id%60"),
            ("a:b", "a%3Ab"),
            ("web\u{202e}", "web%E2%80%AE"),
            ("global", "%67lobal"),
            ("Global", "Global"),
            ("7", "7"),
            ("00511286-3319-4f84-a168-e5fcdfb0de45", "00511286-3319-4f84-a168-e5fcdfb0de45"),
        ] {
            let name = ZoneName::of_platform(platform).unwrap();
            assert_eq!((name.as_str(), name.platform_name().as_str()), (text, platform));
            assert_eq!(text.parse(), Ok(name));
        }
    }

    #[test]
    fn a_name_is_written_in_one_way_only() {
        for (text, written) in [
            ("%61", "a"),
            ("m%c3%bcller", "m%C3%BCller"),
            ("%77eb", "web"),
            ("a%2Db", "a-b"),
            ("a b", "a%20b"),
            ("a%", "a%25"),
            ("a%2", "a%252"),
            ("a%C3", "a%25C3"),
            ("a%+1", "a%25%2B1"),
            ("%67lobal1", "global1"),
            ("%E2%80%AE%41", "%E2%80%AEA"),
        ] {
            let said = text.parse::<ZoneName>().unwrap_err().to_string();
            assert_eq!(said, format!("zone name {text:?} is not in its canonical form, {written}"));
        }
    }

    #[test]
    fn what_no_platform_could_keep_is_no_name_however_it_is_written() {
        for (text, character) in [
            ("a%00b", '\0'),
            ("a%0Ab", '\n'),
            ("a%0D", '\r'),
            ("%1B", '\x1b'),
            ("%2E%2E%2Fx", '/'),
            ("a%2Fb", '/'),
            ("a%EF%BF%BF", '\u{ffff}'),
        ] {
            let error = text.parse::<ZoneName>().unwrap_err();
            assert!(
                matches!(error, ZoneNameError::Character { character: c, .. } if c == character),
                "{text}: {error}"
            );
        }
        for length in [248, 742, 1 << 20] {
            assert_eq!("x".repeat(length).parse::<ZoneName>(), Err(ZoneNameError::TooLong(length)));
        }
        assert_eq!(ZoneName::of_platform(&"ü".repeat(124)), Err(ZoneNameError::TooLong(248)));
        assert_eq!(ZoneName::of_platform(&"ü".repeat(123)).unwrap().as_str().len(), 3 * 246);
        assert!("x".repeat(247).parse::<ZoneName>().is_ok());
    }

    #[test]
    fn what_is_typed_is_a_name_as_it_is_listed_or_as_its_platform_has_it() {
        for (typed, name) in [
            ("web1", "web1"),
            ("Windows%2010", "Windows%2010"),
            ("Windows 10", "Windows%2010"),
            ("%61", "%2561"),
        ] {
            assert_eq!(ZoneName::typed(typed).unwrap().as_str(), name);
        }
        for typed in ["", "global", "../x", "a\nb"] {
            assert!(ZoneName::typed(typed).is_err(), "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_name_that_reads_back_or_an_error(text in "(%[0-9A-Fa-f]{2}|\\PC){0,80}") {
            if let Ok(name) = text.parse::<ZoneName>() {
                prop_assert_eq!(name.as_str(), text);
                prop_assert_eq!(ZoneName::of_platform(&name.platform_name()), Ok(name));
            }
        }

        #[test]
        fn no_two_names_of_a_platform_are_one(one in "[ %A2é\\t-]{1,4}", other in "[ %A2é\\t-]{1,4}") {
            let [first, second] = [&one, &other].map(|name| ZoneName::of_platform(name).unwrap());
            prop_assert_eq!(first == second, one == other);
            let is_safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '%');
            prop_assert!(first.as_str().chars().all(is_safe) && !first.as_str().starts_with(['-', '.', '_']));
            prop_assert_eq!(first.platform_name(), one);
        }
    }
}
