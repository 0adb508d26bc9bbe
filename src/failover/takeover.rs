//! Whether a zone of a lost host may be taken over.

use super::ownership::{OwnedElsewhere, OwnershipReply, ensure_unowned};
use crate::model::{HostUri, Location};
use crate::store::HeldReplica;

/// What the administrator asserts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatorAssertions {
    /// The origin is fenced: it does not run, and will not by itself.
    pub origin_is_down: bool,
    /// The zone is not on these hosts.
    pub not_on: Vec<String>,
}

/// Why a zone may not be taken over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TakeoverRefusal {
    /// Its origin answers.
    #[error(
        "{origin} answers; what becomes of its zones is decided there ('sysadm evacuate', 'sysadm zone migrate')"
    )]
    OriginAnswers { origin: String },
    /// Its origin answers, but is not the same host as before.
    #[error("{origin} answers, and knows nothing of it; if it was set up anew, say --not-on {origin}")]
    OriginForgot { origin: String },
    /// Its origin may be running.
    #[error(
        "{origin} does not answer ({reason}), but may still run it; fence it (power off, and see that it stays so), then say --origin-is-down"
    )]
    MayRun {
        origin: String,
        /// Why it could not be asked.
        reason: String,
    },
    /// Before its origin was lost, the zone went to another host, or may have.
    #[error(transparent)]
    OwnedElsewhere(#[from] OwnedElsewhere),
}

/// Which hosts may have the zone: its origin, which is the first, its other targets, and the host to which it
/// went from here.
pub fn hosts_to_ask(row: &HeldReplica, moved_to: Option<HostUri>) -> Vec<HostUri> {
    let mut uris = vec![origin_of(row)];
    for uri in row.others.iter().cloned().chain(moved_to) {
        if !uris.contains(&uri) {
            uris.push(uri);
        }
    }
    uris
}

/// The URI of the origin, derived from the one by which the origin reached this host.
fn origin_of(row: &HeldReplica) -> HostUri {
    HostUri { host: row.origin.clone(), ..row.via.clone() }
}

/// Whether the zone may be taken over after these answers; the first is the origin's.
///
/// # Errors
/// Why not.
pub fn may_take_over(
    origin: &str,
    answers: &[(HostUri, OwnershipReply)],
    stated: &OperatorAssertions,
) -> Result<(), TakeoverRefusal> {
    let origin = origin.to_owned();
    let (at_home, elsewhere) = match answers {
        [(_, at_home), elsewhere @ ..] => (at_home.clone(), elsewhere),
        [] => (OwnershipReply::Unreachable("it was not asked".to_owned()), answers),
    };
    match at_home {
        OwnershipReply::Location(Location::Unknown) if stated.not_on.contains(&origin) => {}
        OwnershipReply::Location(Location::Unknown) => return Err(TakeoverRefusal::OriginForgot { origin }),
        // The administrator's assertion is wrong then.
        OwnershipReply::Location(_) => return Err(TakeoverRefusal::OriginAnswers { origin }),
        OwnershipReply::Unreachable(reason) if !stated.origin_is_down => {
            return Err(TakeoverRefusal::MayRun { origin, reason });
        }
        OwnershipReply::Unreachable(_) => {}
    }
    Ok(ensure_unowned(elsewhere, &stated.not_on)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Brand, Millis};
    use crate::store::tests::sample::{name, uri};

    fn row() -> HeldReplica {
        HeldReplica {
            zone: name("web"),
            origin: "h1".into(),
            uuid: uuid::Uuid::from_u128(7),
            brand: Brand::KVM,
            via: uri("rads://h2:12303"),
            others: vec![uri("rads://h3:12303")],
            since: Millis(1),
            taken: None,
        }
    }

    #[test]
    fn the_origin_is_asked_first_in_the_way_in_which_it_has_asked_and_nobody_twice() {
        let [h1, h3, h4] = ["rads://h1:12303", "rads://h3:12303", "ssh://h4"].map(uri);
        assert_eq!(hosts_to_ask(&row(), None), [h1.clone(), h3.clone()]);
        assert_eq!(hosts_to_ask(&row(), Some(h4.clone())), [h1.clone(), h3.clone(), h4]);
        assert_eq!(hosts_to_ask(&row(), Some(h3.clone())), [h1, h3]);
    }

    #[test]
    fn whoever_cannot_be_asked_counts_as_running_it() {
        let silent = || OwnershipReply::Unreachable("no route".into());
        let knows = OwnershipReply::Location;
        let [here, unknown, configured] = [Location::Here, Location::Unknown, Location::Configured]
            .map(|known| move || knows(known.clone()));
        let moved = || knows(Location::Migrated(uri("rads://h9")));
        // The origin, the other target, assertions about the origin and the target; and the result.
        let table: &[(OwnershipReply, OwnershipReply, bool, &[&str], &str)] = &[
            (here(), unknown(), false, &[], "h1 answers; what becomes"),
            (here(), unknown(), true, &["h1", "h3"], "h1 answers; what becomes"),
            (configured(), unknown(), true, &["h1", "h3"], "h1 answers; what becomes"),
            (moved(), unknown(), true, &["h1", "h3"], "h1 answers; what becomes"),
            (
                unknown(),
                unknown(),
                true,
                &["h3"],
                "h1 answers, and knows nothing of it; if it was set up anew, say --not-on h1",
            ),
            (unknown(), unknown(), false, &["h1"], "may"),
            (unknown(), here(), false, &["h1"], "it is on rads://h3"),
            (silent(), unknown(), false, &[], "h1 does not answer (no route), but may still run it"),
            (
                silent(),
                unknown(),
                false,
                &["h1", "h3"],
                "h1 does not answer (no route), but may still run it",
            ),
            (silent(), unknown(), true, &[], "may"),
            (silent(), here(), true, &["h3"], "it is on rads://h3"),
            (silent(), knows(Location::Arriving), true, &["h3"], "it is about to be on rads://h3"),
            (silent(), silent(), true, &[], "rads://h3:12303 was a target of it and cannot be asked"),
            (silent(), silent(), true, &["h3"], "may"),
        ];
        for (origin, other, origin_is_down, not_on, expected) in table {
            let answers = [(uri("rads://h1:12303"), origin.clone()), (uri("rads://h3:12303"), other.clone())];
            let not_on = not_on.iter().map(|&host| host.to_owned()).collect();
            let stated = OperatorAssertions { origin_is_down: *origin_is_down, not_on };
            let said = match may_take_over("h1", &answers, &stated) {
                Ok(()) => "may".to_owned(),
                Err(refused) => refused.to_string(),
            };
            assert!(said.starts_with(expected), "{answers:?} {stated:?}: {said}");
        }
    }
}
