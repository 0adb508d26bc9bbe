//! A zone of a lost host is attached from the manifest that the host has left here.
//!
//! ```text
//!   ask its host and its other targets ─► check ─► book room ─► note that it was taken ─► the platform has it
//! ```
//!
//! The note is there first: its host, when it is back, hears of it from whoever it leaves manifests with (see
//! [`crate::standby`]).

use super::attach::obstacles;
use super::{AttachmentError, Desk, Refusal, Terms};
use crate::evacuation::{Peers, RunLock};
use crate::host::Host;
use crate::model::document::Written;
use crate::model::{HostUri, Manifest, Zone, ZoneName, ZoneState};
use crate::standby::{Answer, Stated, ask, may_take};
use crate::store::{Detached, StandbyRow};

/// A zone that was attached from what its host has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What had been left.
    pub row: StandbyRow,
    /// What its host and its other targets have said.
    pub answers: Vec<(HostUri, Answer)>,
}

impl Desk<'_> {
    /// Attaches a zone of another host, which is stated to be down. `origin` says which host if several have left a zone
    /// of that name.
    ///
    /// # Errors
    /// Why not; nothing was changed then.
    pub async fn attach_lost(
        &self,
        peers: &Peers,
        (zone, origin): (&ZoneName, Option<&str>),
        stated: &Stated,
        terms: Terms,
    ) -> Result<Taken, AttachmentError> {
        let _lock = RunLock::take(self.local.paths(), format_args!("attach {zone}"))?;
        let store = self.local.store();
        let row = left_by(store.standbys()?, zone, origin)?;
        let manifest = store.standby_manifest(&row.origin, zone)?;
        let manifest = manifest.ok_or_else(|| Refusal::NotLeft(zone.clone()))?;
        self.known().await?.may_create(&manifest)?;
        let answers = ask(peers, &row).await;
        may_take(&row, &answers, stated).map_err(|why| Refusal::NotLost(zone.clone(), why))?;
        let at_rest = Zone { state: ZoneState::Configured, aux: None, id: None, ..manifest.zone };
        let manifest = Manifest { zone: at_rest, ..manifest };
        let written = Written::by(&row.origin, row.since);
        let configured = Detached::new(manifest, written, self.user.clone());
        let against = obstacles(&configured.manifest).filter(|_| !terms.force).collect();
        self.admit(&configured, terms, against).await?;
        let attached = self.bring(&row, configured.manifest).await;
        let released = self.local.release(row.zone.clone(), row.uuid).await;
        attached?;
        released?;
        Ok(Taken { row, answers })
    }

    /// The platform gets the zone, and it is noted from where.
    async fn bring(&self, row: &StandbyRow, manifest: Manifest) -> Result<(), AttachmentError> {
        let (store, zone) = (self.local.store(), &row.zone);
        store.take_standby(&row.origin, zone, Some((self.now, &self.user)))?;
        let autostart = manifest.zone.autostart;
        if let Err(error) = self.local.attach(manifest).await {
            if self.is_known_not_to_be_here(row.uuid).await {
                store.take_standby(&row.origin, zone, None)?;
            }
            return Err(error.into());
        }
        if autostart {
            self.local.set_autostart(zone.clone(), true).await?;
        }
        Ok(())
    }
}

/// What was left here of the zone of that name.
fn left_by(rows: Vec<StandbyRow>, zone: &ZoneName, origin: Option<&str>) -> Result<StandbyRow, Refusal> {
    let of_it = |row: &StandbyRow| row.zone == *zone && origin.is_none_or(|origin| row.origin == origin);
    let mut rows: Vec<_> = rows.into_iter().filter(of_it).collect();
    match rows.pop() {
        None => Err(Refusal::NotLeft(zone.clone())),
        Some(row) if rows.is_empty() => Ok(row),
        Some(last) => {
            let origins = rows.into_iter().chain([last]).map(|row| row.origin).collect();
            Err(Refusal::LeftBySeveral(zone.clone(), origins))
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
            store.keep_standby(&sample::standby("web", origin), crate::model::Millis(1)).unwrap();
        }
        let left = |zone: &str, origin: Option<&str>| {
            left_by(store.standbys().unwrap(), &sample::name(zone), origin).map(|row| row.origin)
        };
        assert_eq!(left("web", Some("h3")), Ok("h3".to_owned()));
        let several = Refusal::LeftBySeveral(sample::name("web"), vec!["h1".into(), "h3".into()]);
        assert_eq!(left("web", None), Err(several));
        assert_eq!(left("web", Some("h2")), Err(Refusal::NotLeft(sample::name("web"))));
        assert_eq!(left("db", None), Err(Refusal::NotLeft(sample::name("db"))));
    }
}
