//! One thing that was found in the database, and who or what is needed for it.

use crate::model::{Message, ZoneName, words};

words! {
    /// What was found.
    FindingKind, "kind of finding" {
        /// The file is damaged.
        Damaged = "damaged",
        /// Two records contradict each other.
        Contradiction = "contradiction",
        /// A move was interrupted and is not settled.
        Interrupted = "interrupted",
        /// How a step ended is not recorded, nor where its zone is.
        Dangling = "dangling",
        /// The lock marker and the database disagree.
        Marker = "marker",
        /// A run left a zone unfinished; it was settled since.
        Unfinished = "unfinished",
        /// A reservation has expired.
        Expired = "expired",
    }
}

words! {
    /// Who or what is needed.
    Needs, "need" {
        /// It goes away by itself, or is only said.
        Nobody = "nobody",
        /// Somebody must do something; which zones are where can still be told.
        Operator = "operator",
        /// The database cannot be relied on.
        Backup = "backup",
    }
}

impl FindingKind {
    /// Who or what is needed.
    pub const fn needs(self) -> Needs {
        match self {
            Self::Damaged | Self::Contradiction => Needs::Backup,
            Self::Interrupted | Self::Dangling | Self::Marker => Needs::Operator,
            Self::Unfinished | Self::Expired => Needs::Nobody,
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The zone that it is about, if it is about one.
    pub zone: Option<ZoneName>,
    /// What is wrong.
    pub text: String,
    /// What to do, if something is.
    pub hint: Option<String>,
}

impl Finding {
    /// One about a zone.
    pub(super) fn about(kind: FindingKind, zone: &ZoneName, text: String) -> Self {
        Self { kind, zone: Some(zone.clone()), text, hint: None }
    }

    /// The same, with what to do.
    pub(super) fn with_hint(self, hint: &str) -> Self {
        Self { hint: Some(hint.to_owned()), ..self }
    }

    /// What is said of it.
    pub fn message(&self) -> Message {
        let message = Message::recorded(self.text.clone(), self.hint.as_deref());
        match &self.zone {
            Some(zone) => message.about(zone),
            None => message,
        }
    }
}
