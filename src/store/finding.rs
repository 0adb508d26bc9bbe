//! Something that was found in the database, and who must act.

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
        /// It is not recorded how a step ended, or where its zone is.
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
    /// Who must act.
    Needs, "need" {
        /// It will go away by itself, or is only for information.
        Nobody = "nobody",
        /// The operator must act; it is still known where zones are.
        Operator = "operator",
        /// The database cannot be relied on: restore a backup.
        Backup = "backup",
    }
}

impl FindingKind {
    pub const fn needs(self) -> Needs {
        match self {
            Self::Damaged | Self::Contradiction => Needs::Backup,
            Self::Interrupted | Self::Dangling | Self::Marker => Needs::Operator,
            Self::Unfinished | Self::Expired => Needs::Nobody,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub kind: FindingKind,
    /// The zone that it is about, if any.
    pub zone: Option<ZoneName>,
    /// What is wrong, and what to do.
    pub text: String,
}

impl Finding {
    /// A finding about a zone.
    pub(super) fn about(kind: FindingKind, zone: &ZoneName, text: String) -> Self {
        Self { kind, zone: Some(zone.clone()), text }
    }
}
