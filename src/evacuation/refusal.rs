//! Why hosts refuse a zone, and what a zone waits for that was refused only for lack of room. Pure.

use crate::model::{Blocker, BlockerKind, HostUri, Message, Shortage, format_bytes};

/// One host's blockers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRefusal {
    pub target: HostUri,
    pub blockers: Vec<Blocker>,
}

/// What a zone waits for that was refused only for lack of room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// For each host, what is missing there.
    missing: Vec<(String, BlockerKind, Shortage)>,
    /// The blockers of all destinations.
    refusal: Message,
    /// What would help.
    hint: Option<String>,
    /// When it is asked again.
    until: Option<String>,
}

impl Wait {
    /// The first destination that only lacks room, if there is one. `refusal` is reported if that does not change.
    pub(super) fn of<'a>(
        answers: impl IntoIterator<Item = (&'a str, &'a [Blocker])>,
        refusal: &Message,
    ) -> Option<Self> {
        let missing = answers.into_iter().find_map(|(host, blockers)| {
            let missing = blockers.iter().map(|one| Some((host.to_owned(), one.kind, one.shortage?)));
            missing.collect::<Option<Vec<_>>>().filter(|missing| !missing.is_empty())
        })?;
        Some(Self { missing, refusal: refusal.clone(), hint: None, until: None })
    }

    /// Adds what would help.
    pub(super) fn with_hint(self, hint: Option<String>) -> Self {
        Self { hint, ..self }
    }

    /// Adds when it is asked again.
    pub(super) fn until(self, until: &str) -> Self {
        Self { until: Some(until.to_owned()), ..self }
    }

    /// What it waits for.
    pub fn message(&self) -> Message {
        Message::from(self.to_string()).with_hints(self.hint.clone())
    }

    /// The reason if it is no longer waited for.
    pub fn given_up(&self) -> Message {
        self.refusal.clone().with_hints(self.hint.clone())
    }

    /// Whether the time of the next attempt is reported.
    pub(super) const fn is_told(&self) -> bool {
        self.until.is_some()
    }

    /// Whether others are giving that room back.
    pub(super) fn may_free_up(&self) -> bool {
        self.missing.iter().all(|(.., shortage)| shortage.may_free_up)
    }
}

impl std::fmt::Display for Wait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("waits for room: ")?;
        for (number, (host, kind, shortage)) in self.missing.iter().enumerate() {
            let between = if number > 0 { " and " } else { "" };
            match kind {
                BlockerKind::Cpu => write!(f, "{between}{} more virtual processor(s)", shortage.missing)?,
                BlockerKind::Disk => {
                    write!(f, "{between}{} more disk space", format_bytes(shortage.missing))?
                }
                _ => write!(f, "{between}{} more memory", format_bytes(shortage.missing))?,
            }
            write!(f, " on {host}")?;
        }
        self.until.iter().try_for_each(|text| write!(f, "; {text}"))
    }
}

/// All findings on one line.
pub(super) fn describe(findings: &[HostRefusal]) -> Message {
    let one = |finding: &HostRefusal| Blocker::join(&finding.blockers).about(finding.target.host.as_str());
    Message::join(findings.iter().map(one), " | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short_of(kind: BlockerKind, missing: u64, may_free_up: bool) -> Blocker {
        Blocker { shortage: Some(Shortage { missing, may_free_up }), ..Blocker::new(kind, "too little") }
    }

    #[test]
    fn only_want_of_room_is_waited_for_and_what_is_missing_is_said() {
        let memory = short_of(BlockerKind::Memory, 4 << 30, true);
        let lock = Blocker::new(BlockerKind::Maintenance, "h2 is in maintenance");
        let wait = |answers: &[(&'static str, &[Blocker])]| Wait::of(answers.iter().copied(), &"why".into());
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&[("h2", &[])]), None);
        assert_eq!(wait(&[("h2", &[memory.clone(), lock.clone()])]), None);
        assert_eq!(wait(&[("h2", &[Blocker::new(BlockerKind::Memory, "never fits")])]), None);
        let found = wait(&[("h2", &[lock]), ("h3", std::slice::from_ref(&memory))]).unwrap();
        assert_eq!(found.to_string(), "waits for room: 4G more memory on h3");
        assert!(found.may_free_up());
        let both = wait(&[("h2", &[memory, short_of(BlockerKind::Cpu, 2, false)])]).unwrap();
        assert_eq!(
            both.to_string(),
            "waits for room: 4G more memory on h2 and 2 more virtual processor(s) on h2"
        );
        assert!(!both.may_free_up());
    }
}
