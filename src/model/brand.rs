//! The brand of a zone: what kind of guest it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Maximum length of a brand, in bytes.
const LONGEST: usize = 24;

/// The kind of a zone, as its platform calls it: `kvm`, `lxc`, `solaris-kz`, … Any word is accepted; the platform
/// says what it can do with zones of a brand ([`Abilities`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Brand {
    /// The word, padded with zeros.
    bytes: [u8; LONGEST],
}

impl Brand {
    /// A virtual machine run by QEMU, with or without hardware acceleration.
    pub const KVM: Self = Self::known(b"kvm");
    /// A container of libvirt's LXC driver.
    pub const LXC: Self = Self::known(b"lxc");

    const fn known(word: &[u8]) -> Self {
        let mut bytes = [0; LONGEST];
        let (target, _) = bytes.split_at_mut(word.len());
        target.copy_from_slice(word);
        Self { bytes }
    }

    pub fn as_str(&self) -> &str {
        let end = self.bytes.iter().position(|byte| *byte == 0).unwrap_or(LONGEST);
        std::str::from_utf8(&self.bytes[..end]).unwrap_or_default()
    }
}

/// A text is not a brand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a brand")]
pub struct BrandError(String);

impl FromStr for Brand {
    type Err = BrandError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
        let starts_well = text.starts_with(|first: char| first.is_ascii_lowercase());
        if text.len() <= LONGEST && starts_well && text.bytes().all(is_plain) {
            Ok(Self::known(text.as_bytes()))
        } else {
            Err(BrandError(text.to_owned()))
        }
    }
}

impl fmt::Display for Brand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Brand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Brand {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Brand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a platform can do with the zones of one brand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// Zones can be migrated while they run.
    pub live: bool,
    /// A zone's memory can be saved to a file.
    pub suspend: bool,
    /// Zones run software of their host, so they depend on the packages installed there.
    pub host_software: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn any_plain_word_is_a_brand() {
        for word in
            ["kvm", "lxc", "solaris-kz", "solaris10", "bhyve", "ipkg", "joyent-minimal", "system-illumos"]
        {
            let brand: Brand = word.parse().unwrap();
            assert_eq!((brand.as_str(), format!("{brand:>30}").trim_start()), (word, word));
            assert_eq!(serde_json::to_string(&brand).unwrap(), format!("{word:?}"));
        }
        assert_eq!("kvm".parse(), Ok(Brand::KVM));
        assert!(Brand::KVM < Brand::LXC);
        let long = "x".repeat(25);
        for odd in ["", "KVM", "-rf", "a b", "a;b", "../x", "k\0", "kvm\n", "\u{9b}2J", "7", long.as_str()] {
            assert!(odd.parse::<Brand>().is_err(), "{odd:?}");
        }
    }

    proptest! {
        #[test]
        fn a_brand_is_what_was_written(text in "\\PC{0,30}|[a-z][a-z0-9._-]{0,30}") {
            if let Ok(brand) = text.parse::<Brand>() {
                prop_assert_eq!(brand.as_str(), text);
            }
        }
    }
}
