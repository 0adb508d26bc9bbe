//! What a host does while all is well: it leaves the manifests of its zones with their targets, and hears from these
//! which of them were attached there while it was away.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt;
use uuid::Uuid;

use crate::evacuation::{EvacuationError, Peers, RunLock, is_running};
use crate::host::{Host, Local};
use crate::model::{Aux, Claim, HostUri, Kind, Manifest, Millis, Standby, Zone, ZoneName, ZoneState};
use crate::store::{Away, AwayPhase, Direction, Store, targets_of};

/// So many configurations are read at once.
const WIDTH: usize = 4;

/// What became of one manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The zone.
    pub zone: ZoneName,
    /// With whom it is left; none if the zone has no target.
    pub target: Option<HostUri>,
    /// Why it is not.
    pub problem: Option<String>,
}

/// What was found of a zone that another host has attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// What that host says.
    pub claim: Claim,
    /// That host.
    pub by: HostUri,
    /// What it means here.
    pub verdict: Verdict,
}

/// What it means that a zone of this host was attached elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It runs in both places.
    Twice,
    /// It is configured here as well; it counts as away from now on.
    Gone,
    /// It counts as away already.
    Known,
    /// It should count as away, but that could not be put down.
    NotRecorded(String),
}

/// What came of all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One for each zone and target.
    pub left: Vec<Left>,
    /// Zones that were attached elsewhere.
    pub claimed: Vec<Claimed>,
}

/// Leaves the manifests of all zones of this host, or of these, with their targets. First it is heard which were attached there.
///
/// # Errors
/// If this host itself does not tell its zones, or its store its targets.
pub async fn leave(
    local: &Arc<Local>,
    store: &Store,
    peers: &Peers,
    only: &[ZoneName],
) -> Result<Report, EvacuationError> {
    let inventory = local.inventory().await?;
    let unknown: Vec<_> = only.iter().filter(|name| inventory.find(name).is_none()).collect();
    if !unknown.is_empty() {
        return Err(EvacuationError::NoSuchZone(unknown.into_iter().map(ToString::to_string).collect()));
    }
    // One that is on its way to here is its old host's affair until it has come.
    let here: Vec<_> =
        inventory.zones.into_iter().filter(|zone| zone.aux != Some(Aux::MigratingIn)).collect();
    let targets = store.targets()?;
    let mut report = Report::default();
    let mut posts: BTreeMap<HostUri, Vec<(Standby, ZoneName)>> = BTreeMap::new();
    let mut zones = Vec::new();
    for zone in here.iter().filter(|zone| zone.state != ZoneState::Incomplete) {
        let uris = targets_of(&targets, &zone.name).0.to_vec();
        for uri in &uris {
            posts.entry(uri.clone()).or_default();
        }
        if only.is_empty() || only.contains(&zone.name) {
            if uris.is_empty() {
                let problem = Some("no target".to_owned());
                report.left.push(Left { zone: zone.name.clone(), target: None, problem });
            }
            zones.push((zone.name.clone(), uris));
        }
    }
    let manifests = futures::stream::iter(zones).map(|(zone, uris)| async move {
        let manifest = local.manifest(zone.clone()).await;
        (zone, uris, manifest)
    });
    let mut manifests = std::pin::pin!(manifests.buffered(WIDTH));
    while let Some((zone, uris, manifest)) = manifests.next().await {
        for uri in &uris {
            match &manifest {
                Ok(manifest) => {
                    let standby = standby(local.name(), manifest, uri, &uris);
                    posts.entry(uri.clone()).or_default().push((standby, zone.clone()));
                }
                Err(error) => report.left.push(Left {
                    zone: zone.clone(),
                    target: Some(uri.clone()),
                    problem: Some(error.to_string()),
                }),
            }
        }
    }
    let uuids: Vec<_> = here.iter().map(|zone| zone.uuid).collect();
    let posting = posts.into_iter().map(|(uri, post)| post_to(local.name(), peers, uri, post, &uuids));
    for (uri, left, claims) in futures::future::join_all(posting).await {
        report.left.extend(left);
        for claim in claims {
            let verdict = heed(local, store, &claim, &uri).await;
            report.claimed.push(Claimed { claim, by: uri.clone(), verdict });
        }
    }
    report.left.sort_by(|a, b| (&a.zone, &a.target).cmp(&(&b.zone, &b.target)));
    Ok(report)
}

/// What is left with one of a zone's targets.
fn standby(origin: &str, manifest: &Manifest, via: &HostUri, targets: &[HostUri]) -> Standby {
    let others = targets.iter().filter(|uri| *uri != via).cloned().collect();
    Standby { manifest: manifest.clone(), origin: origin.to_owned(), via: via.clone(), others }
}

/// Everything for one target: what it has attached is heard first, and such a zone is not left again.
async fn post_to(
    origin: &str,
    peers: &Peers,
    uri: HostUri,
    post: Vec<(Standby, ZoneName)>,
    all: &[Uuid],
) -> (HostUri, Vec<Left>, Vec<Claim>) {
    let told = async {
        let host = peers.reach(&uri).await?;
        let claims = host.keep_standby(origin.to_owned(), all.to_vec()).await;
        Ok::<_, String>((host, claims.map_err(|error| error.to_string())?))
    };
    let outcome = |zone, problem| Left { zone, target: Some(uri.clone()), problem };
    let (host, claims) = match told.await {
        Ok(told) => told,
        Err(reason) => {
            let left = post.into_iter().map(|(_, zone)| outcome(zone, Some(reason.clone()))).collect();
            return (uri, left, Vec::new());
        }
    };
    let mut left = Vec::new();
    for (standby, zone) in post {
        if !claims.iter().any(|claim| claim.uuid == standby.manifest.zone.uuid) {
            let answer = host.leave_standby(standby).await;
            left.push(outcome(zone, answer.err().map(|error| error.to_string())));
        }
    }
    (uri, left, claims)
}

/// What a claim means for the zone as it is here now.
pub(super) fn judge(zone: Option<&Zone>, away: &[Away], claim: &Claim) -> Verdict {
    match zone {
        Some(zone) if zone.is_running() => Verdict::Twice,
        Some(_) => Verdict::Gone,
        None if away.iter().any(|row| row.uuid == claim.uuid) => Verdict::Known,
        None => Verdict::NotRecorded("its configuration is not here any more".to_owned()),
    }
}

/// Puts down that a zone is away. It must not be booted here then, so its configuration goes into the store.
async fn heed(local: &Arc<Local>, store: &Store, claim: &Claim, by: &HostUri) -> Verdict {
    let heeded = async {
        let away = store.away().map_err(|error| crate::host::chain(&error))?;
        let inventory = local.inventory().await.map_err(|error| error.to_string())?;
        let zone = inventory.zones.iter().find(|zone| zone.uuid == claim.uuid);
        let verdict = judge(zone, &away, claim);
        if let (Verdict::Gone, Some(zone)) = (&verdict, zone) {
            // A run that is under way may be about this very zone.
            let busy = || "an evacuation or return is in progress".to_owned();
            let _lock = RunLock::take(local.paths(), Direction::Evacuate)
                .map_err(|error| if is_running(local.paths()) { busy() } else { error.to_string() })?;
            let manifest = local.manifest(zone.name.clone()).await.map_err(|error| error.to_string())?;
            // The row first: a zone that is away and still defined here is settled by the next time.
            let row = row_of(zone, local.name(), by, claim.at);
            store.begin_away(&row, &manifest).map_err(|error| crate::host::chain(&error))?;
            local.detach(zone.name.clone(), zone.uuid, true).await.map_err(|error| error.to_string())?;
        }
        Ok::<_, String>(verdict)
    };
    heeded.await.unwrap_or_else(Verdict::NotRecorded)
}

fn row_of(zone: &Zone, origin: &str, refuge: &HostUri, at: Millis) -> Away {
    Away {
        zone: zone.name.clone(),
        uuid: zone.uuid,
        brand: zone.brand,
        origin: origin.to_owned(),
        refuge: refuge.clone(),
        aside: None,
        one_way: false,
        was_running: true,
        kind: Kind::Cold,
        phase: AwayPhase::Away,
        started: at,
        ended: Some(at),
        bytes: 0,
        downtime: None,
        expected: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{sample, sample_away, sample_zone};

    #[test]
    fn what_a_claim_means_depends_on_how_the_zone_is_here() {
        let at_home = |state| Zone { state, ..sample_zone("web") };
        let (running, installed) = (at_home(ZoneState::Running), at_home(ZoneState::Installed));
        let claim = Claim { zone: sample::name("web"), uuid: running.uuid, at: Millis(5), by: "ada".into() };
        let away = [Away { uuid: claim.uuid, ..sample_away("web") }];
        let not_recorded = Verdict::NotRecorded("its configuration is not here any more".into());
        let table = [
            (Some(&running), &[][..], Verdict::Twice),
            (Some(&running), &away[..], Verdict::Twice),
            (Some(&installed), &[][..], Verdict::Gone),
            (Some(&installed), &away[..], Verdict::Gone),
            (None, &away[..], Verdict::Known),
            (None, &[][..], not_recorded),
        ];
        for (zone, away, verdict) in table {
            assert_eq!(judge(zone, away, &claim), verdict);
        }
    }
}
