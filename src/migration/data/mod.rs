//! The data of a zone: who carries each piece of its storage to the destination.
//!
//! A [`Mover`] carries storage of some kind. Which one carries a piece is [chosen](choose) when the destination is checked,
//! from what that sees of it, and stands in the [`Task`](super::Task). `super::carry` says at which steps movers work.

mod shared;

use uuid::Uuid;

use crate::host::{DiskView, Host, HostError};
use crate::model::{Blocker, StorageUri, ZoneName};

/// A zone's way from one host to another.
#[derive(Clone, Copy)]
pub struct Route<'a> {
    pub zone: &'a ZoneName,
    pub uuid: Uuid,
    pub from: &'a dyn Host,
    pub to: &'a dyn Host,
}

/// Carries storage of one kind. A mover has no state of its own: it may be asked the same again, also by another process
/// after a crash. What it makes at the destination bears the zone's UUID, so that it removes nothing else.
#[async_trait::async_trait]
pub trait Mover: Send + Sync {
    /// Its name in messages.
    fn name(&self) -> &'static str;

    /// Whether it carries storage of which the destination sees this.
    ///
    /// # Errors
    /// What stands against it.
    fn fits(&self, view: &DiskView) -> Result<(), Blocker>;

    /// Bytes of disk space that the storage takes at the destination.
    fn room(&self, _view: &DiskView) -> u64 {
        0
    }

    /// Makes a place for the storage at the destination. Nothing is copied yet.
    async fn prepare(&self, _route: Route<'_>, _storage: &StorageUri) -> Result<(), HostError> {
        Ok(())
    }

    /// Copies it, in several rounds if the zone runs meanwhile. It may be dropped at any moment.
    async fn copy(&self, _route: Route<'_>, _storage: &StorageUri) -> Result<(), HostError> {
        Ok(())
    }

    /// Copies what has changed since. A zone that is restarted is down by now; one that moves live is about to leave.
    async fn catch_up(&self, _route: Route<'_>, _storage: &StorageUri) -> Result<(), HostError> {
        Ok(())
    }

    /// Puts the copy where the zone looks for it at the destination.
    async fn finish(&self, _route: Route<'_>, _storage: &StorageUri) -> Result<(), HostError> {
        Ok(())
    }

    /// Removes what it has made at the destination, if it has made anything: the zone stays where it is.
    async fn abandon(&self, _route: Route<'_>, _storage: &StorageUri) -> Result<(), HostError> {
        Ok(())
    }
}

/// All movers, in the order in which they are tried.
pub const MOVERS: &[&dyn Mover] = &[&shared::SharedStorage];

/// A piece of a zone's storage, and who carries it.
#[derive(Clone)]
pub struct StorageMove {
    pub storage: StorageUri,
    pub mover: &'static dyn Mover,
    /// Bytes of disk space that it takes at the destination.
    pub room: u64,
}

impl std::fmt::Display for StorageMove {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "storage {} ({})", self.storage.label(), self.mover.name())
    }
}

/// Who carries each piece of storage of which the destination sees this: the first mover that does.
///
/// # Errors
/// What stands against those pieces that nobody carries, as the first mover says it.
pub fn choose(movers: &[&'static dyn Mover], views: &[DiskView]) -> Result<Vec<StorageMove>, Vec<Blocker>> {
    let (mut chosen, mut blockers) = (Vec::new(), Vec::new());
    for view in views {
        let mut reasons = Vec::new();
        let mover =
            movers.iter().find(|mover| mover.fits(view).map_err(|reason| reasons.push(reason)).is_ok());
        match mover {
            Some(&mover) => {
                chosen.push(StorageMove { storage: view.source.clone(), mover, room: mover.room(view) });
            }
            None => blockers.extend(reasons.into_iter().next()),
        }
    }
    if blockers.is_empty() { Ok(chosen) } else { Err(blockers) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BlockerKind;

    /// Copies block devices of 7 bytes.
    struct Devices;

    impl Mover for Devices {
        fn name(&self) -> &'static str {
            "devices"
        }

        fn fits(&self, view: &DiskView) -> Result<(), Blocker> {
            match view.source.scheme() {
                "dev" => Ok(()),
                _ => Err(Blocker::new(BlockerKind::Storage, "it is no device")),
            }
        }

        fn room(&self, _: &DiskView) -> u64 {
            7
        }
    }

    fn view(source: &str, problem: Option<&str>) -> DiskView {
        let seen = serde_json::json!({ "source": source, "problem": problem });
        serde_json::from_value(seen).unwrap()
    }

    #[test]
    fn what_both_hosts_see_is_carried_by_nobody_else() {
        let views = [view("file:/srv/a.img", None), view("dev:/dev/vg/a", None)];
        let chosen = choose(&[&shared::SharedStorage, &Devices], &views).unwrap();
        let chosen: Vec<_> = chosen.iter().map(|one| (one.to_string(), one.room)).collect();
        assert_eq!(
            chosen,
            [("storage /srv/a.img (shared)".to_owned(), 0), ("storage /dev/vg/a (shared)".to_owned(), 0)]
        );
    }

    #[test]
    fn the_first_mover_that_fits_is_chosen_and_what_no_mover_carries_is_a_blocker() {
        let device = view("dev:/dev/vg/a", Some("is missing"));
        let chosen = choose(&[&shared::SharedStorage, &Devices], std::slice::from_ref(&device)).unwrap();
        assert_eq!((chosen[0].mover.name(), chosen[0].room), ("devices", 7));
        let file = view("file:/srv/a.img", Some("is missing"));
        for movers in [MOVERS, &[&shared::SharedStorage, &Devices]] {
            let blockers = choose(movers, &[device.clone(), file.clone()]).err().unwrap();
            let reasons: Vec<_> = blockers.iter().map(ToString::to_string).collect();
            let missing = ["storage /dev/vg/a is missing", "storage /srv/a.img is missing"];
            assert_eq!(reasons, missing[2 - reasons.len()..]);
            assert_eq!(reasons.len(), 3 - movers.len());
        }
    }
}
