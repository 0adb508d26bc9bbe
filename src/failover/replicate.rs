//! What a host does while all is well: it leaves the manifests of its zones with their targets, and withdraws
//! outdated ones. It records which host has which, and withdraws only those: so a host that was installed anew
//! does not remove what it had left before.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt;

use super::reconcile::{ReconciledTakeover, TakeoverOutcome, reconcile};
use crate::evacuation::EvacuationError;
use crate::host::{Host, Local};
use crate::model::{
    Aux, HostUri, Manifest, Message, Replica, Takeover, UnmanagedGuest, Zone, ZoneName, ZoneState,
};
use crate::peers::{Connected, NoPeer, Peers, Reached};
use crate::store::{RecordedTakeover, SentReplica, Store, StoreError, targets_of};

/// How many configurations are read at the same time.
const WIDTH: usize = 4;

/// What became of one replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaStatus {
    pub zone: ZoneName,
    /// The host with which it is left; none if the zone has no target.
    pub target: Option<HostUri>,
    /// Why it is not left.
    pub problem: Option<Message>,
}

/// A replica of a zone that is no longer here, or has another target now, which a host still has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleReplica {
    pub row: SentReplica,
    /// Why it could not be withdrawn.
    pub problem: Message,
}

/// The result of all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplicationReport {
    /// One for each zone and target.
    pub replicas: Vec<ReplicaStatus>,
    /// Zones that were taken over.
    pub takeovers: Vec<ReconciledTakeover>,
    /// What could not be withdrawn; it is tried again the next time.
    pub stale: Vec<StaleReplica>,
    /// Remarks about targets that are not hosts of their own.
    pub remarks: Vec<String>,
    /// Guests that cannot be handled, if all zones were requested.
    pub unmanaged: Vec<UnmanagedGuest>,
}

/// What is to be done at one host.
#[derive(Default)]
struct HostWork {
    /// Replicas to leave there.
    send: Vec<Replica>,
    /// Replicas to withdraw from there.
    withdraw: Vec<SentReplica>,
    /// Takeovers that it has reported already, and that were recorded.
    recorded: Vec<RecordedTakeover>,
}

/// What is to be done at each host, by its present URI.
type WorkByHost = BTreeMap<HostUri, HostWork>;

/// Leaves the manifests of all zones of this host, or of these, with their targets. First it asks which zones
/// were taken over there.
///
/// # Errors
/// If this host cannot list its zones, or its store cannot be read.
pub async fn replicate(
    local: &Arc<Local>,
    store: &Store,
    peers: &Peers,
    only: &[ZoneName],
) -> Result<ReplicationReport, EvacuationError> {
    let inventory = local.inventory().await?;
    let unknown: Vec<_> = only.iter().filter(|name| inventory.find(name).is_none()).collect();
    EvacuationError::not_zones(&inventory, &unknown)?;
    // A zone that is arriving still belongs to its former host.
    let zones = inventory.zones.into_iter().filter(|zone| zone.aux != Some(Aux::MigratingIn));
    let (targets, sent, recorded) = (store.targets()?, store.sent_replicas()?, store.recorded_takeovers()?);
    let zones: Vec<_> = zones.map(|zone| (targets_of(&targets, &zone.name).0, zone)).collect();
    let uris = zones.iter().flat_map(|(uris, _)| *uris).chain(sent.iter().map(|row| &row.uri));
    let connected = peers.connect(uris.chain(recorded.iter().map(|one| &one.uri)).cloned()).await;
    let here: Vec<_> = zones.into_iter().map(|(uris, zone)| (zone, connected.names_of(uris))).collect();
    let unmanaged = if only.is_empty() { inventory.unmanaged } else { Vec::new() };
    let mut report =
        ReplicationReport { remarks: connected.remarks(), unmanaged, ..ReplicationReport::default() };
    let mut work = WorkByHost::new();
    for uri in here.iter().flat_map(|(_, uris)| uris) {
        work.entry(uri.clone()).or_default();
    }
    for row in sent {
        let uri = connected.name_of(&row.uri);
        let host_work = work.entry(uri.clone()).or_default();
        if !here.iter().any(|(zone, uris)| zone.uuid == row.uuid && uris.contains(uri)) {
            host_work.withdraw.push(row);
        } else if row.uri != *uri {
            // It stays there, and is recorded under the present URI of that host.
            store.record_sent_replica(&SentReplica { uri: uri.clone(), ..row.clone() })?;
            store.drop_sent_replicas(&row.uri, &[row.uuid])?;
        }
    }
    for takeover in recorded {
        work.entry(connected.name_of(&takeover.uri).clone()).or_default().recorded.push(takeover);
    }
    let wanted = here.into_iter().filter(|(zone, _)| {
        zone.state != ZoneState::Incomplete && (only.is_empty() || only.contains(&zone.name))
    });
    write_out(local, wanted.collect(), &mut work, &mut report).await;
    let running = work.into_iter().map(|(uri, host_work)| {
        let host = reached(&connected, &uri);
        run(local.name(), store, host, uri, host_work)
    });
    for (uri, part) in futures_util::future::join_all(running).await {
        report.replicas.extend(part.replicas);
        report.stale.extend(part.stale);
        for takeover in part.takeovers {
            let outcome = reconcile(local, store, peers, &takeover, &uri).await;
            if matches!(
                outcome,
                TakeoverOutcome::NowAway | TakeoverOutcome::AlreadyAway | TakeoverOutcome::BackHome
            ) {
                let (zone, uuid, at) = (takeover.zone.clone(), takeover.uuid, takeover.at);
                store.record_takeover(&RecordedTakeover { uri: uri.clone(), zone, uuid, at })?;
            }
            report.takeovers.push(ReconciledTakeover { takeover, by: uri.clone(), outcome });
        }
    }
    report.replicas.sort_by(|a, b| (&a.zone, &a.target).cmp(&(&b.zone, &b.target)));
    Ok(report)
}

/// Withdraws all replicas of a zone, which goes to another host. Returns what could not be withdrawn; it is tried
/// again the next time.
///
/// # Errors
/// If the store cannot be read.
pub async fn drop_replicas(
    origin: &str,
    store: &Store,
    peers: &Peers,
    zone: &ZoneName,
) -> Result<Vec<StaleReplica>, StoreError> {
    let rows = store.sent_replicas()?.into_iter().filter(|row| row.zone == *zone);
    let running = rows.map(|row| async move {
        let (uri, host_work) = (row.uri.clone(), HostWork { withdraw: vec![row], ..HostWork::default() });
        run(origin, store, peers.reach(&uri).await, uri, host_work).await
    });
    let parts = futures_util::future::join_all(running).await;
    // The next `leave` processes what these hosts have taken over, as a whole.
    Ok(parts.into_iter().flat_map(|(_, part)| part.stale).collect())
}

/// Adds the manifest of each zone to what its targets get.
async fn write_out(
    local: &Arc<Local>,
    zones: Vec<(Zone, Vec<HostUri>)>,
    work: &mut WorkByHost,
    report: &mut ReplicationReport,
) {
    let manifests = futures_util::stream::iter(zones).map(|(zone, uris)| async move {
        let manifest = local.manifest(zone.name.clone()).await;
        (zone.name, uris, manifest)
    });
    let mut manifests = std::pin::pin!(manifests.buffered(WIDTH));
    while let Some((zone, uris, manifest)) = manifests.next().await {
        if uris.is_empty() {
            let problem = Some(
                Message::from("no target is set").with_hint(format!("set one: sysadm target set {zone} URI")),
            );
            report.replicas.push(ReplicaStatus { zone: zone.clone(), target: None, problem });
        }
        for uri in &uris {
            match &manifest {
                Ok(manifest) => {
                    let standby = standby(local.name(), manifest, uri, &uris);
                    work.entry(uri.clone()).or_default().send.push(standby);
                }
                Err(error) => report.replicas.push(ReplicaStatus {
                    zone: zone.clone(),
                    target: Some(uri.clone()),
                    problem: Some(Message::of(error)),
                }),
            }
        }
    }
}

/// The replica for one of a zone's targets.
fn standby(origin: &str, manifest: &Manifest, via: &HostUri, targets: &[HostUri]) -> Replica {
    let others = targets.iter().filter(|uri| *uri != via).cloned().collect();
    Replica { manifest: manifest.clone(), origin: origin.to_owned(), via: via.clone(), others }
}

/// What came of one host.
#[derive(Default)]
struct Part {
    replicas: Vec<ReplicaStatus>,
    stale: Vec<StaleReplica>,
    takeovers: Vec<Takeover>,
}

/// That host, as it was reached before.
fn reached(connected: &Connected, uri: &HostUri) -> Reached {
    connected.get(uri).cloned().unwrap_or_else(|| Err(NoPeer::Silent("not connected".into())))
}

/// Everything for one host: first it asks what the host has taken over; such a zone is not left there again.
async fn run(
    origin: &str,
    store: &Store,
    host: Reached,
    uri: HostUri,
    HostWork { send, withdraw, recorded }: HostWork,
) -> (HostUri, Part) {
    let uuids: Vec<_> = withdraw.iter().map(|row| row.uuid).collect();
    let known: Vec<_> = recorded.iter().map(|one| (one.uuid, one.at)).collect();
    let told = async {
        let host = host?;
        let takeovers = host.drop_replicas(origin.to_owned(), uuids.clone(), known).await;
        let takeovers = takeovers.map_err(Message::from)?;
        let gone = withdraw.iter().try_for_each(|row| store.drop_sent_replicas(&row.uri, &[row.uuid]));
        let told = || {
            recorded.iter().try_for_each(|one| store.acknowledge_takeovers(&one.uri, &[(one.uuid, one.at)]))
        };
        gone.and_then(|()| told()).map_err(Message::from)?;
        Ok::<_, Message>((host, takeovers))
    };
    let outcome = |zone, problem| ReplicaStatus { zone, target: Some(uri.clone()), problem };
    let mut part = Part::default();
    match told.await {
        Ok((host, takeovers)) => {
            for standby in send {
                let zone = standby.manifest.zone.name.clone();
                if !takeovers.iter().any(|takeover| takeover.uuid == standby.manifest.zone.uuid) {
                    let answer = replicate_one(store, &*host, standby).await;
                    part.replicas.push(outcome(zone, answer.err()));
                }
            }
            part.takeovers = takeovers;
        }
        Err(reason) => {
            let zones = send.into_iter().map(|standby| standby.manifest.zone.name);
            part.replicas = zones.map(|zone| outcome(zone, Some(reason.clone()))).collect();
            part.stale =
                withdraw.into_iter().map(|row| StaleReplica { row, problem: reason.clone() }).collect();
        }
    }
    (uri, part)
}

/// It is recorded first: a replica must be withdrawn even if the answer is lost.
async fn replicate_one(store: &Store, host: &dyn Host, standby: Replica) -> Result<(), Message> {
    let (zone, uuid) = (standby.manifest.zone.name.clone(), standby.manifest.zone.uuid);
    let row = SentReplica { uri: standby.via.clone(), zone, uuid };
    store.record_sent_replica(&row).map_err(Message::from)?;
    host.store_replica(standby).await.map_err(Message::from)
}
