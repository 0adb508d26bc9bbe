//! Why a zone cannot move, as its own host says.

use serde::{Deserialize, Serialize};

use super::Kind;
use crate::words;

words! {
    /// What an obstacle stands against.
    Against, "kind of obstacle" {
        /// Its being on any other host.
        Any = "any",
        /// Its moving by itself. Whoever attaches it by hand has what it names looked for where it goes.
        Moves = "moves",
        /// Its moving while it runs.
        Live = "live",
    }
}

/// Why a zone cannot move.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "ObstacleForm", into = "ObstacleForm")]
pub struct Obstacle {
    /// The reason, a lower-case fragment.
    pub reason: String,
    /// What it stands against.
    pub against: Against,
}

impl Obstacle {
    /// One that stands against that.
    pub fn new(against: Against, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), against }
    }

    /// Whether it stands against a move of that kind.
    pub fn stops(&self, kind: Kind) -> bool {
        self.against != Against::Live || kind == Kind::Live
    }

    /// Whether it stands against attaching the zone by hand, to which it would come in that way.
    pub fn stops_by_hand(&self, kind: Kind) -> bool {
        self.against != Against::Moves && self.stops(kind)
    }
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)
    }
}

impl From<String> for Obstacle {
    fn from(reason: String) -> Self {
        Self::new(Against::Any, reason)
    }
}

impl From<&str> for Obstacle {
    fn from(reason: &str) -> Self {
        reason.to_owned().into()
    }
}

/// How it is written: one that stands against everything as its reason alone.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ObstacleForm {
    Any(String),
    Some { reason: String, against: Against },
}

impl From<ObstacleForm> for Obstacle {
    fn from(written: ObstacleForm) -> Self {
        match written {
            ObstacleForm::Any(reason) => reason.into(),
            ObstacleForm::Some { reason, against } => Self { reason, against },
        }
    }
}

impl From<Obstacle> for ObstacleForm {
    fn from(Obstacle { reason, against }: Obstacle) -> Self {
        if against == Against::Any { Self::Any(reason) } else { Self::Some { reason, against } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_obstacle_stands_against_what_it_says_and_is_written_as_short_as_can_be() {
        for (against, live, cold, by_hand, written) in [
            (Against::Any, true, true, true, r#""x""#),
            (Against::Moves, true, true, false, r#"{"reason":"x","against":"moves"}"#),
            (Against::Live, true, false, false, r#"{"reason":"x","against":"live"}"#),
        ] {
            let one = Obstacle::new(against, "x");
            let stops = [one.stops(Kind::Live), one.stops(Kind::Cold), one.stops_by_hand(Kind::Cold)];
            assert_eq!(stops, [live, cold, by_hand], "{against}");
            assert_eq!(one.stops(Kind::Restart), cold);
            assert_eq!(serde_json::to_string(&one).unwrap(), written);
            assert_eq!(serde_json::from_str::<Obstacle>(written).unwrap(), one);
        }
        assert!(Obstacle::new(Against::Live, "x").stops_by_hand(Kind::Live));
    }
}
