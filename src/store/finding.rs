//! One thing that was found in the database, and who or what is needed for it.

use crate::model::{ZoneName, words};

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
    /// In words: what is wrong, and what to do.
    pub text: String,
}

impl Finding {
    /// One about a zone.
    pub(super) fn about(kind: FindingKind, zone: &ZoneName, text: String) -> Self {
        Self { kind, zone: Some(zone.clone()), text }
    }
}
