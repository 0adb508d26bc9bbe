//! Virtual time: how fast time passes on a simulated host, in milliseconds since the host was created.

use serde::{Deserialize, Serialize};

use crate::model::Millis;

/// Virtual milliseconds per real one. As a number, 0 stands for [`Scale::Instant`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "u32", into = "u32")]
pub enum Scale {
    /// Nothing ever waits: time stands still, and jumps to the moment that is waited for. For tests.
    Instant,
    /// Time passes that many times as fast as in reality.
    Times(u32),
}

impl Scale {
    /// A rate per virtual second as a rate per real second. If time stands still they are the same.
    pub(super) fn per_real_second(self, rate: u64) -> u64 {
        match self {
            Self::Instant => rate,
            Self::Times(times) => rate.saturating_mul(times.max(1).into()),
        }
    }
}

impl From<u32> for Scale {
    fn from(number: u32) -> Self {
        if number == 0 { Self::Instant } else { Self::Times(number) }
    }
}

impl From<Scale> for u32 {
    fn from(scale: Scale) -> Self {
        match scale {
            Scale::Instant => 0,
            Scale::Times(number) => number,
        }
    }
}

/// A moment in virtual and real time since which the scale has not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Anchor {
    pub real: Millis,
    pub virtual_time: Millis,
}

impl Anchor {
    /// The virtual time at a real time.
    pub fn now(self, scale: Scale, real: Millis) -> Millis {
        let passed = real.since(self.real).saturating_mul(u32::from(scale).into());
        self.virtual_time.after(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_by_its_scale_and_never_back() {
        let anchor = Anchor { real: Millis(1000), virtual_time: Millis(7) };
        assert_eq!(anchor.now(Scale::Times(20), Millis(1003)), Millis(67));
        assert_eq!(anchor.now(Scale::Instant, Millis(9999)), Millis(7));
        assert_eq!(anchor.now(Scale::Times(20), Millis(1)), Millis(7));
    }
}
