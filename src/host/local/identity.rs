//! Whether an incoming zone has the name or the UUID of a guest that is here. Pure.

use crate::model::{Blocker, BlockerKind, CheckRequest, Inventory, Message, ZoneName};

/// A guest that is here, compared with the incoming zone.
#[derive(Clone, Copy)]
struct Likeness {
    same_name: bool,
    same_uuid: bool,
    runs: bool,
}

/// The conflicts of an incoming zone with the guests that are here.
pub(super) fn blockers(here: &Inventory, request: &CheckRequest) -> Vec<Blocker> {
    let zone = &request.manifest.zone;
    let zones = here.zones.iter().map(|other| {
        let (same_name, same_uuid) = (other.name == zone.name, other.uuid == zone.uuid);
        (other.name.to_string(), Likeness { same_name, same_uuid, runs: other.is_running() })
    });
    let unmanaged = here.unmanaged.iter().map(|other| {
        let same_name = ZoneName::of_platform(&other.name).as_ref() == Ok(&zone.name);
        let same_uuid = other.uuid == Some(zone.uuid);
        (other.label(), Likeness { same_name, same_uuid, runs: other.running })
    });
    let reasons = zones.chain(unmanaged).filter_map(|(label, other)| clash(request, &label, other));
    reasons.map(|reason| Blocker::new(BlockerKind::Identity, reason)).collect()
}

/// Why a guest rules out the zone. If it is the same zone and may be overwritten, it does not.
fn clash(request: &CheckRequest, label: &str, other: Likeness) -> Option<Message> {
    let zone = &request.manifest.zone;
    let name = &zone.name;
    match (other.same_name, other.same_uuid) {
        (false, false) => None,
        (true, true) if other.runs => Some(format!("{name} is already running there").into()),
        (true, true) if request.overwrite => None,
        (true, true) => {
            let text = format!("{name} is already installed there");
            Some(Message::from(text).with_hint("use -w of evacuate or migrate to replace it"))
        }
        (true, false) => Some(format!("another zone is called {name} there").into()),
        (false, true) => Some(format!("zone {label} has the same UUID there ({})", zone.uuid).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Method, PendingLoad, UnmanagedGuest, ZoneState};
    use crate::store::tests::sample;

    fn request(overwrite: bool) -> CheckRequest {
        CheckRequest {
            manifest: sample::manifest_of("evac1", 1),
            method: Method::Cold,
            from: "h1".into(),
            home: None,
            overwrite,
            force: false,
            pending: PendingLoad::default(),
            disk: 0,
            mappings: vec![],
            owners: vec![],
        }
    }

    /// The conflict of the zone `evac1` with UUID 1 with the only guest here.
    fn said(name: &str, uuid: u128, state: ZoneState, overwrite: bool) -> Option<String> {
        let uuid = uuid::Uuid::from_u128(uuid);
        let mut zone = sample::zone("evac1");
        (zone.name, zone.uuid, zone.state) = (name.parse().unwrap(), uuid, state);
        let running = zone.is_running();
        let guest = UnmanagedGuest {
            name: name.to_owned(),
            uuid: Some(uuid),
            reason: "no".into(),
            hint: None,
            running,
        };
        let of = |here: Inventory| {
            blockers(&here, &request(overwrite)).into_iter().map(|blocker| blocker.reason).next()
        };
        let managed = of(Inventory { zones: vec![zone], unmanaged: Vec::new() });
        // A guest that cannot be handled has the same conflict.
        assert_eq!(of(Inventory { zones: Vec::new(), unmanaged: vec![guest] }), managed);
        managed
    }

    #[test]
    fn every_clash_is_told_apart() {
        let (runs, rests) = (ZoneState::Running, ZoneState::Installed);
        assert_eq!(said("web", 2, runs, false), None);
        assert_eq!(said("evac1", 1, rests, true), None);
        assert_eq!(said("evac1", 1, runs, true).unwrap(), "evac1 is already running there");
        assert_eq!(said("evac1", 1, rests, false).unwrap(), "evac1 is already installed there");
        assert_eq!(said("evac1", 2, rests, true).unwrap(), "another zone is called evac1 there");
        assert!(said("web", 1, rests, true).unwrap().starts_with("zone web has the same UUID there"));
    }
}
