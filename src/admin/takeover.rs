//! A zone of a lost host is taken over: attached from the replica that the host has left here.
//!
//! ```text
//!   check ─► reserve room ─► ask its host and its other targets ─► record the takeover ─► define it on the platform
//! ```
//!
//! Room is reserved before other hosts are asked: of two targets that do this at once, at least one learns of the
//! other. The takeover is recorded before the zone is defined: when its host is back, it learns of it from the
//! hosts with which it leaves replicas (see [`crate::failover`]).

use super::{AdminError, AdminRefusal, AttachOptions, ZoneAdmin};
use crate::failover::ownership::OwnershipQuery;
use crate::failover::{OperatorAssertions, hosts_to_ask, may_take_over};
use crate::host::Host;
use crate::model::{Home, Manifest, ZoneName};
use crate::run_lock::RunLock;
use crate::store::{HeldReplica, Place};

/// A zone that was taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenOver {
    /// Its replica.
    pub row: HeldReplica,
    /// What failed after it was attached.
    pub warnings: Vec<String>,
}

/// How a zone of a lost host is to be taken over.
pub struct TakeoverRequest<'a> {
    pub zone: &'a ZoneName,
    /// The host that it belongs to, if several have left replicas of a zone with that name.
    pub origin: Option<&'a str>,
    /// What the administrator asserts.
    pub stated: &'a OperatorAssertions,
    /// Ignore what its validation finds.
    pub force: bool,
    /// Called at the last moment before it is done.
    pub note: &'a (dyn Fn(&HeldReplica) + Sync),
}

impl ZoneAdmin<'_> {
    /// Takes over a zone of another host, which the administrator asserts to be down.
    ///
    /// # Errors
    /// Why not; nothing was changed then.
    pub async fn take_over(&self, request: &TakeoverRequest<'_>) -> Result<TakenOver, AdminError> {
        let zone = request.zone;
        let _lock = RunLock::take(self.local.paths(), format!("attach {zone}"))?;
        let store = self.local.store();
        let row = replica_of(store.held_replicas()?, zone, request.origin)?;
        let configured = self.at_rest(&row)?;
        self.known().await?.may_create(&configured)?;
        let against = self.obstacles(&configured).filter(|_| !request.force).collect();
        let terms = AttachOptions { force: request.force, update: false };
        let home = Home { name: row.origin.clone(), id: None };
        self.admit(&configured, terms, Some(home), against).await?;
        let taken = match self.must_be_lost(&row, request.stated).await {
            Ok(()) => {
                (request.note)(&row);
                self.bring(&row, &configured).await
            }
            Err(error) => Err(error),
        };
        let released = self.local.release(row.zone.clone(), row.uuid).await;
        let mut warnings = taken?;
        warnings.extend(released.err().map(|error| error.to_string()));
        Ok(TakenOver { row, warnings })
    }

    /// The zone as it would be after its next boot: what it had only while it ran is lost with its host.
    fn at_rest(&self, row: &HeldReplica) -> Result<Manifest, AdminError> {
        let manifest = self.local.store().replica_manifest(&row.origin, &row.zone)?;
        let manifest = manifest.ok_or_else(|| AdminRefusal::NoReplica(row.zone.clone()))?;
        let config = manifest.config.clone();
        Ok(self.local.platform().needs_editor()?.reread(&manifest, config)?.configured())
    }

    /// Asks its host, and all others that could have it.
    async fn must_be_lost(&self, row: &HeldReplica, stated: &OperatorAssertions) -> Result<(), AdminError> {
        let record = self.local.store().zone(row.uuid)?;
        let moved_to =
            record.filter(|record| record.place == Place::Migrated).and_then(|record| record.location);
        let question = OwnershipQuery { uuid: row.uuid, asker: self.local.name() };
        let answers = question.ask(&self.peers, hosts_to_ask(row, moved_to)).await;
        let lost = may_take_over(&row.origin, &answers, stated);
        lost.map_err(|why| AdminRefusal::NotTakenOver(row.zone.clone(), Box::new(why)).into())
    }

    /// Records the takeover, and defines the zone on the platform; returns what failed after that.
    async fn bring(&self, row: &HeldReplica, manifest: &Manifest) -> Result<Vec<String>, AdminError> {
        let (store, zone) = (self.local.store(), &row.zone);
        store.mark_replica_taken(&row.origin, zone, Some((self.now, &self.user)))?;
        let defined = self.define(manifest).await;
        if defined.is_err() && self.is_known_not_to_be_here(row.uuid).await {
            store.mark_replica_taken(&row.origin, zone, None)?;
        }
        defined
    }
}

/// The replica of the zone with that name.
fn replica_of(
    rows: Vec<HeldReplica>,
    zone: &ZoneName,
    origin: Option<&str>,
) -> Result<HeldReplica, AdminRefusal> {
    let of_it = |row: &HeldReplica| row.zone == *zone && origin.is_none_or(|origin| row.origin == origin);
    let mut rows: Vec<_> = rows.into_iter().filter(of_it).collect();
    match rows.pop() {
        None => Err(AdminRefusal::NoReplica(zone.clone())),
        Some(row) if rows.is_empty() => Ok(row),
        Some(last) => {
            let origins = rows.into_iter().chain([last]).map(|row| row.origin).collect();
            Err(AdminRefusal::SeveralReplicas(zone.clone(), origins))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{fresh, sample};

    #[test]
    fn a_zone_that_several_hosts_have_left_is_not_chosen_by_chance() {
        let (_folder, store) = fresh();
        for origin in ["h1", "h3"] {
            store.hold_replica(&sample::standby("web", origin), crate::model::Millis(1)).unwrap();
        }
        let left = |zone: &str, origin: Option<&str>| {
            replica_of(store.held_replicas().unwrap(), &sample::name(zone), origin).map(|row| row.origin)
        };
        assert_eq!(left("web", Some("h3")), Ok("h3".to_owned()));
        let several = AdminRefusal::SeveralReplicas(sample::name("web"), vec!["h1".into(), "h3".into()]);
        assert_eq!(left("web", None), Err(several));
        assert_eq!(left("web", Some("h2")), Err(AdminRefusal::NoReplica(sample::name("web"))));
        assert_eq!(left("db", None), Err(AdminRefusal::NoReplica(sample::name("db"))));
    }
}
