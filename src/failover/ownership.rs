//! Whether another host has a zone, or may have it: then it must not be attached here.
//!
//! A host that cannot be asked counts as having it. Only the administrator can assert otherwise, host by host
//! (`--not-on`). A host that has passed the zone on says where to, and that host is asked, too.

use futures_util::future::join_all;
use uuid::Uuid;

use crate::model::{Hinted, HostUri, Location, Message};
use crate::peers::{NoPeer, Peers};

/// Maximum number of hosts that are asked.
const MOST: usize = 32;

/// What another host says of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnershipReply {
    /// Where the zone is, as far as it knows.
    Location(Location),
    /// It did not answer, or not as a host should; the reason.
    Unreachable(Message),
}

/// Why a zone must not be attached here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnedElsewhere {
    /// The zone is there.
    #[error("it is on {0}")]
    Present(HostUri),
    /// The zone is about to arrive there.
    #[error("it is moving to {0}, or being attached there")]
    Arriving(HostUri),
    /// The zone may be there.
    #[error("{host} was a target of it and may have it: {reason}")]
    Unknown {
        host: HostUri,
        /// Why it could not be asked.
        reason: Message,
    },
}

impl Hinted for OwnedElsewhere {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Present(_) => Vec::new(),
            Self::Arriving(_) => vec!["try again later".to_owned()],
            Self::Unknown { host, reason } => {
                let know = format!("if you know that the zone is not there, use --not-on {}", host.host);
                reason.clone().with_hint(know).hints
            }
        }
    }
}

/// The question where a zone is.
pub struct OwnershipQuery<'a> {
    pub uuid: Uuid,
    /// The name of this host, which does not ask itself, even if it does not answer under that name.
    pub asker: &'a str,
}

impl OwnershipQuery<'_> {
    /// Asks these hosts in parallel, then those to which the zone went from them. The answers are in the hosts'
    /// order.
    pub async fn ask(&self, peers: &Peers, uris: Vec<HostUri>) -> Vec<(HostUri, OwnershipReply)> {
        let mut answers: Vec<(HostUri, OwnershipReply)> = Vec::new();
        let mut next = uris;
        while !next.is_empty() {
            if answers.len() + next.len() > MOST {
                let reason = Message::from("gave up after following the zone through many hosts");
                answers
                    .extend(next.into_iter().map(|uri| (uri, OwnershipReply::Unreachable(reason.clone()))));
                break;
            }
            let asking = next.into_iter().map(|uri| async {
                let answer = self.ask_one(peers, &uri).await;
                (uri, answer.map_or_else(OwnershipReply::Unreachable, OwnershipReply::Location))
            });
            answers.extend(join_all(asking).await);
            next = self.unasked(&answers);
        }
        answers
    }

    async fn ask_one(&self, peers: &Peers, uri: &HostUri) -> Result<Location, Message> {
        match peers.reach(uri).await {
            Ok(host) => host.location(self.uuid).await.map_err(Message::from),
            // This host is not another one, whatever name is used.
            Err(NoPeer::Itself) => Ok(Location::Unknown),
            Err(NoPeer::Silent(_)) if uri.host == self.asker => Ok(Location::Unknown),
            Err(NoPeer::Silent(reason)) => Err(reason),
        }
    }

    /// The hosts to which the zone went, according to these answers, and that were not asked yet.
    fn unasked(&self, answers: &[(HostUri, OwnershipReply)]) -> Vec<HostUri> {
        let asked = |host: &str| host == self.asker || answers.iter().any(|(uri, _)| uri.host == host);
        let gone = answers.iter().filter_map(|(_, answer)| match answer {
            OwnershipReply::Location(known) => known.gone_to(),
            OwnershipReply::Unreachable(_) => None,
        });
        let mut next: Vec<HostUri> = Vec::new();
        for uri in gone.filter(|uri| !asked(&uri.host)) {
            if next.iter().all(|other| other.host != uri.host) {
                next.push(uri.clone());
            }
        }
        next
    }
}

/// Whether no other host has the zone, by these answers; the administrator asserts that it is not on the hosts of
/// `not_on`.
///
/// # Errors
/// Which host has it, or may have it.
pub fn ensure_unowned(
    answers: &[(HostUri, OwnershipReply)],
    not_on: &[String],
) -> Result<(), OwnedElsewhere> {
    for (host, answer) in answers {
        match answer {
            OwnershipReply::Location(Location::Here | Location::Guest(_)) => {
                return Err(OwnedElsewhere::Present(host.clone()));
            }
            OwnershipReply::Location(Location::Arriving) => {
                return Err(OwnedElsewhere::Arriving(host.clone()));
            }
            OwnershipReply::Unreachable(reason) if !not_on.contains(&host.host) => {
                return Err(OwnedElsewhere::Unknown { host: host.clone(), reason: reason.clone() });
            }
            // The host to which it went was asked, too.
            OwnershipReply::Location(_) | OwnershipReply::Unreachable(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::sample::uri;

    #[test]
    fn whoever_has_it_or_may_have_it_is_named() {
        let h2 = || uri("rads://h2");
        let home = || crate::model::Home { name: "h1".into(), id: None };
        for (answer, not_on, expected) in [
            (OwnershipReply::Location(Location::Here), "h2", "it is on rads://h2"),
            (OwnershipReply::Location(Location::Guest(home())), "h2", "it is on rads://h2"),
            (OwnershipReply::Location(Location::Arriving), "h2", "it is moving to rads://h2"),
            (
                OwnershipReply::Unreachable("no route".into()),
                "h3",
                "rads://h2 was a target of it and may have it: no route",
            ),
            (OwnershipReply::Unreachable("no route".into()), "h2", "may"),
            (OwnershipReply::Location(Location::Configured), "", "may"),
            (OwnershipReply::Location(Location::Unknown), "", "may"),
            (OwnershipReply::Location(Location::Migrated(uri("rads://h9"))), "", "may"),
        ] {
            let answers = [(uri("rads://h0"), OwnershipReply::Location(Location::Unknown)), (h2(), answer)];
            let said = ensure_unowned(&answers, &[not_on.to_owned()]);
            let said = said.map_or_else(|error| error.to_string(), |()| "may".to_owned());
            assert!(said.starts_with(expected), "{answers:?} {not_on}: {said}");
        }
    }

    #[test]
    fn whoever_has_got_it_from_one_that_was_asked_is_asked_once() {
        let question = OwnershipQuery { uuid: Uuid::nil(), asker: "h0" };
        let went = |to: &str| OwnershipReply::Location(Location::Evacuated(uri(to)));
        let answers = [
            (uri("rads://h2"), went("ssh://h4")),
            (uri("rads://h3"), went("rads://h4")),
            (uri("rads://h5"), went("rads://h2")),
            (uri("rads://h6"), went("rads://h0")),
            (uri("rads://h8"), OwnershipReply::Unreachable("no route".into())),
        ];
        assert_eq!(question.unasked(&answers), [uri("ssh://h4")]);
    }
}
