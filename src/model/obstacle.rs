//! Why a zone cannot be moved, according to its own host.

use serde::{Deserialize, Serialize};

use super::{Message, Method};
use crate::words;

words! {
    /// What an obstacle rules out.
    Against, "kind of obstacle" {
        /// Running on any other host.
        Any = "any",
        /// Automatic moves. If the zone is attached by hand, the destination checks for what the obstacle names.
        Moves = "moves",
        /// Live migration.
        Live = "live",
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "ObstacleForm", into = "ObstacleForm")]
pub struct Obstacle {
    /// A lower-case sentence fragment.
    pub reason: String,
    pub against: Against,
    /// What to do about it, if it is known.
    pub hint: Option<String>,
}

impl Obstacle {
    pub fn new(against: Against, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), against, hint: None }
    }

    /// The reason, with what to do about it.
    pub fn message(&self) -> Message {
        Message::recorded(self.reason.clone(), self.hint.as_deref())
    }

    pub fn stops(&self, method: Method) -> bool {
        self.against != Against::Live || method == Method::Live
    }

    /// Whether it rules out attaching the zone by hand, for a move by this method.
    pub fn stops_by_hand(&self, method: Method) -> bool {
        self.against != Against::Moves && self.stops(method)
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

impl From<Message> for Obstacle {
    fn from(message: Message) -> Self {
        Self { hint: message.hint(), ..message.text.into() }
    }
}

impl From<&str> for Obstacle {
    fn from(reason: &str) -> Self {
        reason.to_owned().into()
    }
}

/// The serialized form: an obstacle that rules out everything is its reason alone.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ObstacleForm {
    Any(String),
    Some {
        reason: String,
        against: Against,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
}

impl From<ObstacleForm> for Obstacle {
    fn from(written: ObstacleForm) -> Self {
        match written {
            ObstacleForm::Any(reason) => reason.into(),
            ObstacleForm::Some { reason, against, hint } => Self { reason, against, hint },
        }
    }
}

impl From<Obstacle> for ObstacleForm {
    fn from(Obstacle { reason, against, hint }: Obstacle) -> Self {
        match (against, &hint) {
            (Against::Any, None) => Self::Any(reason),
            _ => Self::Some { reason, against, hint },
        }
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
            let stops = [one.stops(Method::Live), one.stops(Method::Cold), one.stops_by_hand(Method::Cold)];
            assert_eq!(stops, [live, cold, by_hand], "{against}");
            assert_eq!(one.stops(Method::Restart), cold);
            assert_eq!(serde_json::to_string(&one).unwrap(), written);
            assert_eq!(serde_json::from_str::<Obstacle>(written).unwrap(), one);
            let hinted = Obstacle { hint: Some("mend it".to_owned()), ..one };
            let written = serde_json::to_string(&hinted).unwrap();
            assert_eq!(serde_json::from_str::<Obstacle>(&written).unwrap(), hinted);
        }
        assert!(Obstacle::new(Against::Live, "x").stops_by_hand(Method::Live));
    }
}
