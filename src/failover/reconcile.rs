//! What a host does when it learns that its zones were taken over while it was down.

use std::sync::Arc;

use super::ownership::{OwnershipQuery, OwnershipReply};
use crate::host::{Host, Local};
use crate::model::{HostUri, Location, Message, Millis, RESUME, Takeover, UnmanagedGuest, Zone};
use crate::peers::Peers;
use crate::run_lock::{RunLock, is_running};
use crate::store::{Direction, Place, Store, ZoneRecord};

/// A zone that another host has taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconciledTakeover {
    /// What that host says.
    pub takeover: Takeover,
    pub by: HostUri,
    /// What follows from that.
    pub outcome: TakeoverOutcome,
}

/// What follows from a takeover of a zone of this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakeoverOutcome {
    /// The zone runs on both hosts.
    RunsTwice,
    /// It is configured here as well; it is recorded as away from now on.
    NowAway,
    /// It is recorded as away already.
    AlreadyAway,
    /// It is here again, and on no other host.
    BackHome,
    /// It should be recorded as away, but that failed.
    NotRecorded(Message),
}

/// What follows for the zone as it is here now.
fn outcome_of(zone: Option<&Zone>, away: &[ZoneRecord], takeover: &Takeover) -> TakeoverOutcome {
    // Its record would be lost: what is interrupted must be settled first.
    let in_the_way = |zone: &Zone| {
        let own = |row: &&ZoneRecord| row.zone == zone.name || row.uuid == zone.uuid;
        let row = away.iter().find(own).filter(|row| row.uuid != zone.uuid || row.place != Place::Away)?;
        let other = row.other_host();
        Some(match row.place {
            Place::Away => format!("another zone {} is away at {other}", row.zone).into(),
            _ => Message::from(format!("its move to {other} was interrupted")).with_hint(RESUME),
        })
    };
    match zone {
        Some(zone) if zone.is_running() => TakeoverOutcome::RunsTwice,
        Some(zone) => in_the_way(zone).map_or(TakeoverOutcome::NowAway, TakeoverOutcome::NotRecorded),
        None if away.iter().any(|row| row.uuid == takeover.uuid) => TakeoverOutcome::AlreadyAway,
        None => TakeoverOutcome::NotRecorded(
            "the zone is no longer configured here; its copy there stays until it is deleted there".into(),
        ),
    }
}

/// Records that a zone is away. It must not be booted here then, so its configuration goes into the store.
pub(super) async fn reconcile(
    local: &Arc<Local>,
    store: &Store,
    peers: &Peers,
    takeover: &Takeover,
    by: &HostUri,
) -> TakeoverOutcome {
    let verdict = match look(local, store, takeover).await {
        // Another host may have brought it home since.
        Ok((TakeoverOutcome::NowAway | TakeoverOutcome::RunsTwice, _))
            if is_nowhere_else(local, peers, takeover, by).await =>
        {
            Ok(TakeoverOutcome::BackHome)
        }
        Ok((TakeoverOutcome::NowAway, _)) => settle(local, store, takeover, by).await,
        looked => looked.map(|(verdict, _)| verdict),
    };
    verdict.unwrap_or_else(TakeoverOutcome::NotRecorded)
}

/// Whether the host that has taken the zone over, and those to which it went from there, say that they do not
/// have it.
async fn is_nowhere_else(local: &Local, peers: &Peers, takeover: &Takeover, by: &HostUri) -> bool {
    let question = OwnershipQuery { uuid: takeover.uuid, asker: local.name() };
    let answers = question.ask(peers, vec![by.clone()]).await;
    // A host on which it is configured may attach it again.
    let has_not = |known: &Location| *known == Location::Unknown || known.gone_to().is_some();
    answers.iter().all(|(_, answer)| matches!(answer, OwnershipReply::Location(known) if has_not(known)))
}

/// What follows from the takeover now, and the zone as it is here.
async fn look(
    local: &Local,
    store: &Store,
    takeover: &Takeover,
) -> Result<(TakeoverOutcome, Option<Zone>), Message> {
    let away = store.away().map_err(Message::from)?;
    let inventory = local.inventory().await.map_err(Message::from)?;
    let zone = inventory.identified(takeover.uuid).map_err(UnmanagedGuest::message)?;
    Ok((outcome_of(zone, &away, takeover), zone.cloned()))
}

/// Undefines the zone on this host, if nothing has changed meanwhile.
async fn settle(
    local: &Arc<Local>,
    store: &Store,
    takeover: &Takeover,
    by: &HostUri,
) -> Result<TakeoverOutcome, Message> {
    // A run in progress may be about this zone.
    let busy = || Message::from("an evacuation or return is in progress");
    let _lock = RunLock::take(local.paths(), Direction::Evacuate)
        .map_err(|error| if is_running(local.paths()) { busy() } else { error.into() })?;
    let (verdict, zone) = look(local, store, takeover).await?;
    if let (TakeoverOutcome::NowAway, Some(zone)) = (&verdict, zone) {
        let manifest = local.manifest(zone.name.clone()).await.map_err(Message::from)?;
        // The record first: a zone that is away and still defined here is settled the next time.
        let row = row_of(&zone, by, takeover.at);
        store.begin_move(&row, &manifest).map_err(Message::from)?;
        local.detach(zone.name.clone(), zone.uuid, true).await.map_err(Message::from)?;
    }
    Ok(verdict)
}

fn row_of(zone: &Zone, at: &HostUri, since: Millis) -> ZoneRecord {
    ZoneRecord {
        place: Place::Away,
        location: Some(at.clone()),
        since,
        // On the other host it was booted only if an administrator wanted it to run.
        ..ZoneRecord::of(zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ZoneState;
    use crate::store::tests::sample;

    #[test]
    fn what_a_claim_means_depends_on_how_the_zone_is_here() {
        let at_home = |state| Zone { state, ..sample::zone("web") };
        let (running, installed) = (at_home(ZoneState::Running), at_home(ZoneState::Installed));
        let takeover =
            Takeover { zone: sample::name("web"), uuid: running.uuid, at: Millis(5), by: "ada".into() };
        let away = [sample::evacuated("web")];
        let leaving = [sample::record("web", 7, Place::Leaving)];
        let other = [sample::record("web", 99, Place::Away)];
        let interrupted = "its move to ssh://root@h2 was interrupted";
        let not_recorded = TakeoverOutcome::NotRecorded(
            "the zone is no longer configured here; its copy there stays until it is deleted there".into(),
        );
        let table = [
            (Some(&running), &[][..], TakeoverOutcome::RunsTwice),
            (Some(&running), &away[..], TakeoverOutcome::RunsTwice),
            (Some(&installed), &[][..], TakeoverOutcome::NowAway),
            (Some(&installed), &away[..], TakeoverOutcome::NowAway),
            (
                Some(&installed),
                &leaving[..],
                TakeoverOutcome::NotRecorded(Message::from(interrupted).with_hint(RESUME)),
            ),
            (
                Some(&installed),
                &other[..],
                TakeoverOutcome::NotRecorded("another zone web is away at ssh://root@h2".into()),
            ),
            (None, &away[..], TakeoverOutcome::AlreadyAway),
            (None, &[][..], not_recorded),
        ];
        for (zone, away, verdict) in table {
            assert_eq!(outcome_of(zone, away, &takeover), verdict);
        }
    }
}
