//! A zone (a guest) and what can be said of it: name, brand, state.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The name of a zone, valid by zonecfg(8)'s rule: 1 to 63 ASCII letters, digits, `_`, `-` and `.`, the first
/// one a letter or digit. So a name is never an option, a path, or a piece of XML.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ZoneName(String);

/// Why a text is not a zone name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ZoneNameError {
    /// The empty text.
    #[error("a zone name cannot be empty")]
    Empty,
    /// More than 63 bytes.
    #[error("zone name is {0} bytes long, at most 63 are allowed")]
    TooLong(usize),
    /// A character outside the allowed set, or not allowed at the beginning.
    #[error("zone name {name:?}: {character:?} is not allowed {}", if *first { "at the beginning" } else { "in a zone name" })]
    Character {
        /// The refused name.
        name: String,
        /// The first offending character.
        character: char,
        /// Whether it is the first character of the name.
        first: bool,
    },
    /// `global` is the host itself.
    #[error("'global' is the host itself, not a zone that can be named here")]
    Reserved,
}

impl ZoneName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ZoneName {
    type Err = ZoneNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(ZoneNameError::Empty);
        }
        if text.len() > 63 {
            return Err(ZoneNameError::TooLong(text.len()));
        }
        for (index, character) in text.char_indices() {
            let first = index == 0;
            let allowed =
                character.is_ascii_alphanumeric() || (!first && matches!(character, '_' | '-' | '.'));
            if !allowed {
                return Err(ZoneNameError::Character { name: text.to_owned(), character, first });
            }
        }
        if text == "global" {
            return Err(ZoneNameError::Reserved);
        }
        Ok(Self(text.to_owned()))
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

/// An enum whose variants have one fixed word each, for output, the store and the wire.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// Every variant, in order of declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word for it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("{text:?} is not a {}", $what)),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// The kind of a zone.
    Brand, "brand" {
        /// A virtual machine of QEMU, with or without hardware help.
        Kvm = "kvm",
        /// A container of libvirt's LXC driver.
        Lxc = "lxc",
    }
}

words! {
    /// A zone's state, zones(7)'s words exactly.
    ZoneState, "zone state" {
        /// The configuration is known, nothing more: so is every zone that was evacuated.
        Configured = "configured",
        /// Being installed or removed, or that was interrupted.
        Incomplete = "incomplete",
        /// Installed, but cannot run here as things are.
        Unavailable = "unavailable",
        /// Ready to be booted.
        Installed = "installed",
        /// The platform is up, no process runs.
        Ready = "ready",
        /// It runs, or the host would say that it does (paused, being moved, crashed but not ended).
        Running = "running",
        /// On its way down.
        ShuttingDown = "shutting_down",
        /// Ended, resources not yet returned.
        Down = "down",
    }
}

words! {
    /// What else is true of a zone beside its state.
    Aux, "auxiliary state" {
        /// Its image arrives here.
        MigratingIn = "migrating-in",
        /// Its image leaves here.
        MigratingOut = "migrating-out",
        /// Its memory lies in a file.
        Suspended = "suspended",
        /// Its processors are held.
        Paused = "paused",
    }
}

words! {
    /// How a zone moves.
    Kind, "kind of migration" {
        /// It keeps running.
        Live = "live",
        /// It does not run.
        Cold = "cold",
        /// It is shut down, moves, and is booted there.
        Restart = "restart",
    }
}

/// One zone as its host sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Its name, unique on a host.
    pub name: ZoneName,
    /// Its identity, the same wherever it lives.
    pub uuid: Uuid,
    /// What kind of guest it is.
    pub brand: Brand,
    /// What it does now.
    pub state: ZoneState,
    /// What is special about that.
    pub aux: Option<Aux>,
    /// The hypervisor's number for it while it runs.
    pub id: Option<u32>,
    /// Boots with its host.
    pub autostart: bool,
    /// Its configuration survives its end. (libvirt's transient domains vanish.)
    pub persistent: bool,
    /// Memory that it may use, in bytes.
    pub memory: u64,
    /// Virtual processors.
    pub cpus: u32,
}

impl Zone {
    /// Whether it runs, paused or not.
    pub const fn is_running(&self) -> bool {
        match self.state {
            ZoneState::Ready | ZoneState::Running | ZoneState::ShuttingDown | ZoneState::Down => true,
            ZoneState::Configured | ZoneState::Incomplete | ZoneState::Unavailable | ZoneState::Installed => {
                false
            }
        }
    }
}

/// A guest that this tool sees but cannot handle. It counts as one that is left here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stranger {
    /// What the hypervisor calls it.
    pub name: String,
    /// Why it cannot be handled.
    pub reason: String,
    /// Whether it runs.
    pub running: bool,
}

/// All guests of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Those that can be handled, by name.
    pub zones: Vec<Zone>,
    /// Those that cannot.
    pub strangers: Vec<Stranger>,
}

impl Inventory {
    /// The zone of that name.
    pub fn find(&self, name: &ZoneName) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.name == *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_are_options_paths_or_markup_are_refused() {
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
        for length in [64, 300, 1 << 20] {
            assert_eq!("x".repeat(length).parse::<ZoneName>(), Err(ZoneNameError::TooLong(length)));
        }
        assert!("x".repeat(63).parse::<ZoneName>().is_ok());
        for good in ["a", "evac1", "web-1.example.org", "9lives", "A_b"] {
            assert_eq!(good.parse::<ZoneName>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn every_state_word_reads_back() {
        for state in ZoneState::ALL {
            assert_eq!(state.as_str().parse::<ZoneState>().as_ref(), Ok(state));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_name_that_reads_back_or_an_error(text in "\\PC{0,80}") {
            if let Ok(name) = text.parse::<ZoneName>() {
                prop_assert_eq!(name.as_str(), text);
            }
        }
    }
}
