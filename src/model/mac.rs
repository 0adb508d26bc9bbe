//! Hardware (MAC) addresses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// The address of the same interface in a copy of the zone with this UUID. It is in libvirt's range (`52:54:00`),
    /// always the same for the same copy, and different for each interface.
    #[must_use]
    pub fn of_copy(self, uuid: Uuid) -> Self {
        let [a, b, c, d, e, g] = self.0;
        // FNV-1a: this need not be secret, only well distributed.
        let step = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let sum = uuid.into_bytes().into_iter().chain([a, b, c]).fold(0xcbf2_9ce4_8422_2325, step);
        let [.., x, y, z] = (sum ^ (sum >> 32)).to_be_bytes();
        // Never the original address; and two addresses of one vendor stay different.
        let z = if [x, y, z] == [0; 3] { 1 } else { z };
        Self([0x52, 0x54, 0, d ^ x, e ^ y, g ^ z])
    }
}

/// A text is not a hardware address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a hardware address")]
pub struct MacError(String);

impl FromStr for Mac {
    type Err = MacError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || MacError(text.to_owned());
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part =
                parts.next().filter(|part| part.len() == 2 && !part.starts_with('+')).ok_or_else(bad)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| bad())?;
        }
        if parts.next().is_some() { Err(bad()) } else { Ok(Self(bytes)) }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl TryFrom<String> for Mac {
    type Error = MacError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_copy_has_addresses_of_its_own_and_always_the_same() {
        let uuid = Uuid::from_u128(0x0051_1286_3319_4f84_a168_e5fc_dfb0_de45);
        let [first, second] =
            ["52:54:00:00:00:01", "52:54:00:00:00:02"].map(|mac| mac.parse::<Mac>().unwrap());
        assert_eq!(first.of_copy(uuid).to_string(), "52:54:00:31:d1:1d");
        assert_ne!(second.of_copy(uuid), first.of_copy(uuid));
        let copies: BTreeSet<_> = (0..1000).map(|n| first.of_copy(Uuid::from_u128(n))).collect();
        assert_eq!(copies.len(), 1000, "each copy has another one");
    }

    proptest! {
        #[test]
        fn an_address_of_a_copy_is_in_the_range_of_libvirt_and_not_that_of_the_original(
            mac: [u8; 6], other: [u8; 3], uuid: u128,
        ) {
            let (copy, uuid) = (|mac: Mac| mac.of_copy(Uuid::from_u128(uuid)), Uuid::from_u128(uuid));
            let libvirts = Mac([0x52, 0x54, 0, mac[3], mac[4], mac[5]]);
            for mac in [Mac(mac), libvirts] {
                prop_assert_eq!(&copy(mac).0[..3], &[0x52, 0x54, 0]);
                prop_assert_ne!(copy(mac), mac);
                prop_assert_eq!(copy(mac), mac.of_copy(uuid));
            }
            let beside = Mac([0x52, 0x54, 0, other[0], other[1], other[2]]);
            prop_assert_eq!(copy(libvirts) == copy(beside), libvirts == beside);
        }
    }
}
