//! Asks many hosts in parallel for their surveys, and makes a [`Fleet`] for the planner.
//!
//! Each host has its own time limit, from the first attempt to reach it to its last answer; one that hangs is
//! left out and does not hold up the others. What is missing from the fleet is reported, with the reason.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Peers, Reached};
use crate::host::{Host, HostError};
use crate::model::HostUri;
use crate::plan::{Fleet, HostKey, Survey};

/// Time limit for one host.
pub const LIMIT: Duration = Duration::from_secs(30);

/// The surveys of hosts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Surveyed {
    /// The hosts that have answered, by the names under which they were asked, with their zones.
    pub fleet: Fleet,
    /// The hosts that have not answered, and why.
    pub silent: Vec<(HostKey, String)>,
    /// Other names under which hosts were asked, each with the first one.
    pub also: BTreeMap<HostKey, HostKey>,
}

/// Asks this host, if requested, and all those at the URIs, which become their names. With `measure` they also
/// measure for a second how fast zones write to their memory.
pub async fn survey(
    local: Option<Arc<dyn Host>>,
    peers: &Peers,
    uris: &[HostUri],
    measure: bool,
) -> Surveyed {
    let here = async {
        let host = local?;
        Some(ask(HostKey::Name(host.name().to_owned()), std::future::ready(Ok(host)), measure).await)
    };
    let (here, there) = tokio::join!(here, ask_all(peers, uris, measure));
    Surveyed::of(here.into_iter().chain(there))
}

/// The name under which a host was asked, and its answer, or why there is none.
pub type SurveyReply = (HostKey, Result<Survey, String>);

/// Asks all hosts at the URIs.
pub async fn ask_all(peers: &Peers, uris: &[HostUri], measure: bool) -> Vec<SurveyReply> {
    let asked = uris.iter().map(|uri| ask(HostKey::Uri(uri.clone()), peers.reach(uri), measure));
    futures_util::future::join_all(asked).await
}

/// Asks one host, however it is reached.
pub async fn ask(name: HostKey, host: impl Future<Output = Reached>, measure: bool) -> SurveyReply {
    let answer = async {
        let host = host.await?;
        let survey = survey_of(&*host, measure).await.map_err(|error| error.to_string())?;
        Ok(Survey { id: Some(host.id()), ..survey })
    };
    let answer = tokio::time::timeout(LIMIT, answer).await;
    (name, answer.unwrap_or_else(|_| Err(format!("nothing came within {} s", LIMIT.as_secs()))))
}

/// A host's survey. One that is too old for the request, or cannot answer it, is asked for what every host knows.
async fn survey_of(host: &dyn Host, measure: bool) -> Result<Survey, HostError> {
    match host.survey(measure).await {
        Err(error) if !error.is_no_answer() => {
            let (facts, inventory) = tokio::try_join!(host.facts(), host.inventory())?;
            Ok(Survey::of_facts(facts, &inventory))
        }
        answer => answer,
    }
}

impl Surveyed {
    /// Combines answers, in their order. A host that has answered under several names is known by the first.
    pub fn of(answers: impl IntoIterator<Item = SurveyReply>) -> Self {
        let (mut silent, mut also, mut first) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let surveys = answers.into_iter().filter_map(|(name, answer)| match answer {
            Ok(survey) => {
                let known = survey.id.map(|id| first.entry(id).or_insert_with(|| name.clone()));
                if let Some(known) = known.filter(|known| **known != name) {
                    also.insert(name, known.clone());
                    return None;
                }
                Some(survey.named(&name))
            }
            Err(reason) => {
                silent.push((name, reason));
                None
            }
        });
        let fleet = Fleet::of(surveys);
        Self { fleet, silent, also }
    }

    /// The name by which that host is known.
    pub fn name_of<'a>(&'a self, name: &'a HostKey) -> &'a HostKey {
        self.also.get(name).unwrap_or(name)
    }

    /// Remarks about names that are other names of a host.
    pub fn remarks(&self) -> impl Iterator<Item = String> {
        self.also.iter().map(|(name, first)| format!("{name} is the same host as {first}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HostId;
    use crate::plan::FleetHost;

    #[test]
    fn whoever_answers_is_in_the_fleet_and_whoever_does_not_is_named() {
        let answer = |name: &str| Survey::new(FleetHost::new(name.parse().unwrap()), Vec::new());
        let known = |name: &str, id| Survey { id: Some(HostId::test(id)), ..answer(name) };
        let key = |name: &str| name.parse::<HostKey>().unwrap();
        let answers = [
            (key("h1"), Ok(known("h1", 1))),
            (key("rads://h2"), Err("no route".to_owned())),
            (key("rads://h3"), Ok(known("third", 3))),
            (key("ssh://h3"), Ok(known("third", 3))),
            (key("ssh://h1"), Ok(known("h1", 1))),
        ];
        let surveyed = Surveyed::of(answers);
        let names: Vec<_> = surveyed.fleet.hosts.iter().map(|host| host.name.to_string()).collect();
        assert_eq!(names, ["h1", "rads://h3"]);
        assert_eq!(surveyed.silent, [(key("rads://h2"), "no route".to_owned())]);
        assert_eq!(surveyed.name_of(&key("ssh://h3")), &key("rads://h3"));
        assert_eq!(surveyed.name_of(&key("ssh://h4")), &key("ssh://h4"));
        let remarks = ["ssh://h1 is the same host as h1", "ssh://h3 is the same host as rads://h3"];
        assert_eq!(surveyed.remarks().collect::<Vec<_>>(), remarks);
    }
}
