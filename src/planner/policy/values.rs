//! The values of a policy that are written as text: shares, rates, patterns, names of hosts, groups and policies.
//! Each parses as it is written.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::{
    HostUri, HostUriError, Identifier, IdentifierError, ZoneName, ZoneNameError, parse_bytes,
};

/// Why a text is not such a value. What it should be is part of the fact: serde passes on nothing but a text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    #[error("{0:?} is not a share: expected 0% to 99%, as in \"10%\"")]
    Share(String),
    #[error("{0:?} is not a bandwidth: expected a size per second, as in \"1GiB/s\" or \"100MiB/s\"")]
    Rate(String),
    #[error("{0:?} is too little; the least is 1MiB/s")]
    Slow(String),
    #[error("{text:?} is not a pattern of zone names: {what}; * matches any characters, ? one")]
    Pattern {
        text: String,
        /// Why no zone name matches it.
        what: String,
    },
    #[error(transparent)]
    Host(#[from] HostUriError),
    #[error(transparent)]
    Group(#[from] IdentifierError),
}

/// A type that serde sees as its text.
macro_rules! by_text {
    ($($name:ty),+) => {
        $(impl TryFrom<String> for $name {
            type Error = ValueError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        })+
    };
}

by_text!(Share, Rate, Pattern, HostRef);

/// A part of a whole: `10%`, `12.5%`. From 0 % to less than 100 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Share(f64);

impl Share {
    /// The share as a number from 0 to 1.
    pub fn part(self) -> f64 {
        self.0 / 100.0
    }
}

impl FromStr for Share {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || ValueError::Share(text.to_owned());
        let number = text.strip_suffix('%').ok_or_else(bad)?;
        let plain = number.starts_with(|c: char| c.is_ascii_digit())
            && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let percent = number.parse::<f64>().ok().filter(|percent| plain && *percent < 100.0);
        percent.map(Self).ok_or_else(bad)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// A bandwidth: `1GiB/s`, `100M/s`. At least 1 MiB/s, since hypervisors take less for no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate(u64);

impl Rate {
    /// In bytes per second.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for Rate {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || ValueError::Rate(text.to_owned());
        let bytes = text.strip_suffix("/s").and_then(|size| parse_bytes(size).ok()).ok_or_else(bad)?;
        if bytes < 1 << 20 {
            return Err(ValueError::Slow(text.to_owned()));
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
        let whole = units.into_iter().find(|(shift, _)| self.0.trailing_zeros() >= *shift);
        let (shift, unit) = whole.unwrap_or((0, "B"));
        write!(f, "{}{unit}/s", self.0 >> shift)
    }
}

/// A pattern of zone names: `*` stands for any number of characters, `?` for one. A character that is written
/// `%XX` in a zone's name is written like that in a pattern, too, and counts as one: `m?ller` matches
/// `m%C3%BCller`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(String);

impl Pattern {
    /// A name that it matches.
    pub(super) fn example(&self) -> String {
        self.0.replace(['*', '?'], "1")
    }

    pub fn matches(&self, name: &str) -> bool {
        let (mut pattern, mut rest) = (self.0.as_str(), name);
        // The rest of the pattern after the last `*`, and the part of the name where it was tried.
        let mut star: Option<(&str, &str)> = None;
        loop {
            let ((wanted, pattern_left), (found, rest_left)) = (first(pattern), first(rest));
            match (wanted, found) {
                ("*", _) => {
                    pattern = pattern_left;
                    star = Some((pattern, rest));
                }
                ("", "") => return true,
                (wanted, found) if !found.is_empty() && (wanted == found || wanted == "?") => {
                    (pattern, rest) = (pattern_left, rest_left);
                }
                // The last `*` takes one character more.
                _ => match star {
                    Some((after, from)) if !from.is_empty() => {
                        (pattern, rest) = (after, first(from).1);
                        star = Some((after, rest));
                    }
                    _ => return false,
                },
            }
        }
    }
}

/// The first character of a name, with all its bytes if it is written `%XX`, and the rest.
fn first(text: &str) -> (&str, &str) {
    let written = text.strip_prefix('%').and_then(|behind| u8::from_str_radix(behind.get(..2)?, 16).ok());
    let length = match written {
        Some(byte) if text.is_char_boundary(3 * utf8_length(byte)) => 3 * utf8_length(byte),
        _ => text.chars().next().map_or(0, char::len_utf8),
    };
    text.split_at_checked(length).unwrap_or((text, ""))
}

/// The length in bytes of a character that begins with this byte.
const fn utf8_length(first: u8) -> usize {
    match first.leading_ones() {
        length @ 2..=4 => length as usize,
        _ => 1,
    }
}

impl FromStr for Pattern {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The error is that of a name that matches: one in which the wildcards are replaced by a letter.
        let what = if text.is_empty() {
            "it is empty".to_owned()
        } else {
            match text.replace(['*', '?'], "x").parse::<ZoneName>() {
                Ok(_) | Err(ZoneNameError::Reserved) => return Ok(Self(text.to_owned())),
                Err(ZoneNameError::TooLong(_)) => "it is longer than a zone name can be".to_owned(),
                Err(ZoneNameError::Written { name, written }) => odd_part(&name, written.as_str()),
                Err(other) => other.to_string(),
            }
        };
        Err(ValueError::Pattern { text: text.to_owned(), what })
    }
}

/// Where a name differs from its canonical form.
fn odd_part(name: &str, written: &str) -> String {
    let (mut name, mut written) = (name, written);
    loop {
        let ((odd, name_left), (right, written_left)) = (first(name), first(written));
        if odd != right || odd.is_empty() {
            return format!("{odd:?} is written {right} in a zone name");
        }
        (name, written) = (name_left, written_left);
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A host, or a group of hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HostRef {
    /// One host.
    Host(HostUri),
    /// All hosts of that group.
    Group(Identifier),
}

impl FromStr for HostRef {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains([':', '/', '@']) {
            return Ok(Self::Host(text.parse()?));
        }
        Ok(Self::Group(text.parse()?))
    }
}

impl fmt::Display for HostRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(uri) => uri.fmt(f),
            Self::Group(name) => name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_star_stands_for_any_characters_and_a_question_mark_for_one() {
        let cases = [
            ("web1", "web1", true),
            ("web1", "web", false),
            ("web1", "web12", false),
            ("web*", "web", true),
            ("web*", "web-17.example", true),
            ("web*", "awe", false),
            ("*web", "my.web", true),
            ("*web", "my.webs", false),
            ("w?b", "web", true),
            ("w?b", "wb", false),
            ("*a*b*", "xaab", true),
            ("*a*b*", "xbba", false),
            ("*", "", true),
            ("?*", "", false),
            ("**?", "z", true),
            ("*-db?", "shop-db-db2", true),
            ("Windows*", "Windows%2010", true),
            ("Windows%20*", "Windows%2010", true),
            ("Windows%20*", "Windows-10", false),
            ("Windows?10", "Windows%2010", true),
            ("m?ller", "m%C3%BCller", true),
            ("m??ller", "m%C3%BCller", false),
            ("m%C3%BCll*", "m%C3%BCller", true),
            ("*%2Arf", "%2Arf", true),
            ("*rf", "%2Drf", true),
            ("???", "%2Drf", true),
            ("*2*", "a%20b", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(pattern.parse::<Pattern>().unwrap().matches(name), expected, "{pattern} {name}");
        }
        let many = "*a".repeat(30).parse::<Pattern>().unwrap();
        assert!(!many.matches(&format!("{}b", "a".repeat(60))), "it takes no time either");
    }

    #[test]
    fn what_is_no_share_rate_pattern_or_name_is_refused() {
        for text in ["10", "%", "-1%", "100%", "nan%", "inf%", "+5%", "1e1%", "1.2.3%", ".5%", " 1%", "1 %"] {
            assert!(text.parse::<Share>().unwrap_err().to_string().contains("is not a share"), "{text}");
        }
        for text in ["", "1G", "/s", "1GiB/min", "-1G/s", "1Gbit/s", "fast"] {
            assert!(text.parse::<Rate>().unwrap_err().to_string().contains("is not a bandwidth"), "{text}");
        }
        assert!("1023KiB/s".parse::<Rate>().unwrap_err().to_string().contains("the least is 1MiB/s"));
        for text in [
            "",
            "a b",
            "a/b",
            "-x",
            "web[12]",
            "wéb",
            "!web",
            &"x".repeat(248),
            "a%",
            "a%2",
            "%61",
            "a%2*",
            "m%C3*",
            "m%c3%bc",
            "a%0A",
            "%2E%2F",
        ] {
            assert!(text.parse::<Pattern>().unwrap_err().to_string().contains("is not a pattern"), "{text}");
        }
        for text in ["", "-x", "..", ".x", "a/b", "a b", &"x".repeat(64)] {
            assert!(
                text.parse::<Identifier>().unwrap_err().to_string().contains("cannot be a name"),
                "{text}"
            );
        }
        assert!("h2:22".parse::<HostRef>().unwrap_err().to_string().contains("no scheme"));
    }

    #[test]
    fn shares_and_rates_are_what_they_say() {
        assert!(("12.5%".parse::<Share>().unwrap().part() - 0.125).abs() < 1e-12);
        let cases =
            [("1GiB/s", 1 << 30), ("1.5G/s", 3 << 29), ("100MiB/s", 100 << 20), ("2097153B/s", 2_097_153)];
        for (text, bytes) in cases {
            assert_eq!(text.parse::<Rate>().unwrap().bytes(), bytes);
        }
    }

    /// The obvious algorithm, which takes for ever with many stars.
    fn by_definition(pattern: &str, name: &str) -> bool {
        match pattern.chars().next() {
            None => name.is_empty(),
            Some('*') => {
                let ends = (0..=name.len()).filter(|at| name.is_char_boundary(*at));
                ends.into_iter().any(|at| by_definition(&pattern[1..], &name[at..]))
            }
            Some(wanted) => name.chars().next().is_some_and(|c| {
                (wanted == '?' || wanted == c)
                    && by_definition(&pattern[wanted.len_utf8()..], &name[c.len_utf8()..])
            }),
        }
    }

    /// The canonical form of a platform's name, or of a pattern of such names.
    fn written(text: &str) -> String {
        let one = |c: char| match c {
            '*' | '?' => c.to_string(),
            c => ZoneName::of_platform(&format!("a{c}")).unwrap().as_str()[1..].to_owned(),
        };
        text.chars().map(one).collect()
    }

    proptest! {
        #[test]
        fn a_pattern_matches_what_it_means(pattern in "[aé %*?]{1,8}", name in "[aé %]{0,10}") {
            let matches = written(&pattern).parse::<Pattern>().unwrap().matches(&written(&name));
            prop_assert_eq!(matches, by_definition(&pattern, &name));
        }

        #[test]
        fn what_is_taken_reads_back_as_it_is_written(text in "\\PC{0,12}|[0-9.]{1,6}%|[0-9]{1,9}[KMG]?(iB)?/s|(ssh|rads)://[a-z@0-9:]{1,9}") {
            macro_rules! reads_back {
                ($($name:ty),+) => {
                    $(if let Ok(value) = text.parse::<$name>() {
                        prop_assert_eq!(value.to_string().parse::<$name>(), Ok(value));
                    })+
                };
            }
            reads_back!(Share, Rate, Pattern, Identifier, HostRef);
        }
    }
}
