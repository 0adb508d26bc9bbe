//! Whether a zone of a lost host may be attached here.

use futures::future::join_all;

use crate::evacuation::Peers;
use crate::model::HostUri;
use crate::store::StandbyRow;

/// What another host says of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has it.
    Has,
    /// It answers, and has it not.
    HasNot,
    /// It does not answer, or not as a host should.
    Silent(String),
}

/// What the administrator takes upon himself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    /// The origin is fenced: it does not run, and will not by itself.
    pub origin_is_down: bool,
    /// The zone is not on these hosts.
    pub not_on: Vec<String>,
}

/// Why a zone may not be attached here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its origin lives.
    #[error(
        "{origin} answers; what becomes of its zones is decided there ('sysadm evacuate', 'sysadm zone migrate')"
    )]
    OriginAnswers {
        /// The host.
        origin: String,
    },
    /// Its origin may live.
    #[error(
        "{origin} does not answer ({reason}), but may still run it; fence it (power off, and see that it stays so), then say --origin-is-down"
    )]
    MayRun {
        /// The host.
        origin: String,
        /// What was tried.
        reason: String,
    },
    /// It has gone on before its origin was lost.
    #[error("it is on {0}")]
    Elsewhere(HostUri),
    /// It may have.
    #[error("{host} was a target of it and cannot be asked ({reason}); if you know that it is not there, say --not-on {}", .host.host)]
    MayBeElsewhere {
        /// The host.
        host: HostUri,
        /// What was tried.
        reason: String,
    },
    /// It was attached here.
    #[error("it was attached here already, by {0}")]
    Taken(String),
}

/// Where the origin of a manifest is to be found: as the one with whom it has left it was found from there.
fn origin_of(row: &StandbyRow) -> HostUri {
    HostUri { host: row.origin.clone(), ..row.via.clone() }
}

/// Asks the origin and the other targets of a zone, all at once; the origin's answer first.
pub async fn ask(peers: &Peers, row: &StandbyRow) -> Vec<(HostUri, Answer)> {
    let uris = std::iter::once(origin_of(row)).chain(row.others.iter().cloned());
    let asking = uris.map(|uri| async {
        let inventory = async {
            let host = peers.reach(&uri).await?;
            host.inventory().await.map_err(|error| error.to_string())
        };
        let answer = match inventory.await {
            Ok(inventory) if inventory.zones.iter().any(|zone| zone.uuid == row.uuid) => Answer::Has,
            Ok(_) => Answer::HasNot,
            Err(reason) => Answer::Silent(reason),
        };
        (uri, answer)
    });
    join_all(asking).await
}

/// Whether the zone may be attached here after these answers; the first is the origin's.
///
/// # Errors
/// Why not.
pub fn may_take(row: &StandbyRow, answers: &[(HostUri, Answer)], stated: &Stated) -> Result<(), Refused> {
    if let Some((_, by)) = &row.taken {
        return Err(Refused::Taken(by.clone()));
    }
    let origin = || row.origin.clone();
    let (at_home, elsewhere) = match answers {
        [(_, at_home), elsewhere @ ..] => (at_home.clone(), elsewhere),
        [] => (Answer::Silent("it was not asked".to_owned()), answers),
    };
    match at_home {
        // What is said of it is not true then.
        Answer::Has | Answer::HasNot => return Err(Refused::OriginAnswers { origin: origin() }),
        Answer::Silent(reason) if !stated.origin_is_down => {
            return Err(Refused::MayRun { origin: origin(), reason });
        }
        Answer::Silent(_) => {}
    }
    for (host, answer) in elsewhere {
        match answer {
            Answer::Has => return Err(Refused::Elsewhere(host.clone())),
            Answer::Silent(reason) if !stated.not_on.contains(&host.host) => {
                return Err(Refused::MayBeElsewhere { host: host.clone(), reason: reason.clone() });
            }
            Answer::Silent(_) | Answer::HasNot => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Brand, Millis};
    use crate::store::tests::sample::{name, uri};

    fn row(taken: bool) -> StandbyRow {
        StandbyRow {
            zone: name("web"),
            origin: "h1".into(),
            uuid: uuid::Uuid::from_u128(7),
            brand: Brand::Kvm,
            via: uri("rads://h2:12303"),
            others: vec![uri("rads://h3:12303")],
            since: Millis(1),
            taken: taken.then(|| (Millis(2), "ada".to_owned())),
        }
    }

    #[test]
    fn the_origin_is_asked_in_the_way_in_which_it_has_asked() {
        assert_eq!(origin_of(&row(false)), uri("rads://h1:12303"));
    }

    #[test]
    fn whoever_cannot_be_asked_counts_as_running_it() {
        let silent = || Answer::Silent("no route".into());
        let (has, has_not) = (|| Answer::Has, || Answer::HasNot);
        // The origin, the other target, what is stated: of the origin, of the target; and what comes of it.
        let table: &[(Answer, Answer, bool, bool, &str)] = &[
            (has(), has_not(), false, false, "h1 answers"),
            (has(), has_not(), true, true, "h1 answers"),
            (has_not(), has_not(), true, true, "h1 answers"),
            (silent(), has_not(), false, false, "h1 does not answer (no route), but may still run it"),
            (silent(), has_not(), false, true, "h1 does not answer (no route), but may still run it"),
            (silent(), has_not(), true, false, "may"),
            (silent(), has(), true, true, "it is on rads://h3"),
            (silent(), silent(), true, false, "rads://h3:12303 was a target of it and cannot be asked"),
            (silent(), silent(), true, true, "may"),
        ];
        for (origin, other, origin_is_down, not_there, expected) in table {
            let answers = [(uri("rads://h1:12303"), origin.clone()), (uri("rads://h3:12303"), other.clone())];
            let not_on = if *not_there { vec!["h3".to_owned()] } else { vec![] };
            let stated = Stated { origin_is_down: *origin_is_down, not_on };
            let said = match may_take(&row(false), &answers, &stated) {
                Ok(()) => "may".to_owned(),
                Err(refused) => refused.to_string(),
            };
            assert!(said.starts_with(expected), "{answers:?} {stated:?}: {said}");
        }
    }

    #[test]
    fn what_was_taken_is_not_taken_again() {
        let answers = [(uri("rads://h1:12303"), Answer::Silent("down".into()))];
        let stated = Stated { origin_is_down: true, not_on: vec![] };
        let error = may_take(&row(true), &answers, &stated).unwrap_err();
        assert_eq!(error, Refused::Taken("ada".into()));
    }
}
