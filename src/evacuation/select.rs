//! Which zones a run is about, and how each would move. Pure.

use std::collections::BTreeMap;

use super::{EvacuationError, Options};
use crate::model::{Aux, Brand, HostUri, Inventory, Kind, Stranger, Zone, ZoneName, ZoneState};
use crate::store::{Away, TargetKey, targets_of};

/// Who could move, and who is in the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// One for each zone that the run is about.
    pub list: Vec<Candidate>,
    /// Guests that run here and cannot be handled.
    pub strangers: Vec<Stranger>,
}

/// One zone of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The zone.
    pub zone: ZoneName,
    /// Its brand.
    pub brand: Brand,
    /// What is intended.
    pub intent: Intent,
}

/// What is intended with a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// To one of these hosts, the first that takes it.
    Leave {
        /// How.
        kind: Kind,
        /// Where to, in order.
        targets: Vec<HostUri>,
    },
    /// Back from its refuge.
    Return(Box<Away>),
    /// Not at all, and why.
    Skip(String),
    /// Where it is must be settled first.
    Unsettled,
}

/// The zones that an evacuation is about. `away` are all records of zones that are elsewhere, `open` those of them
/// that could not be settled.
pub fn leaving(
    inventory: &Inventory,
    targets: &BTreeMap<TargetKey, Vec<HostUri>>,
    away: &[Away],
    open: &[Away],
    options: &Options,
) -> Result<Candidates, EvacuationError> {
    let is_open = |name: &ZoneName| open.iter().any(|row| row.zone == *name);
    let known = |name: &ZoneName| inventory.find(name).is_some() || is_open(name);
    let unknown: Vec<_> = options.zones.iter().filter(|name| !known(name)).map(ToString::to_string).collect();
    if !unknown.is_empty() {
        return Err(EvacuationError::NoSuchZone(unknown));
    }
    let named = !options.zones.is_empty();
    // Those that are half gone: nobody may believe that all is done.
    let half_gone = open
        .iter()
        .filter(|row| inventory.find(&row.zone).is_none() && (!named || options.zones.contains(&row.zone)))
        .map(|row| Candidate { zone: row.zone.clone(), brand: row.brand, intent: Intent::Unsettled });
    let wanted = |zone: &&Zone| {
        if named {
            options.zones.contains(&zone.name)
        } else {
            zone.is_running() || (options.all && zone.state == ZoneState::Installed) || is_open(&zone.name)
        }
    };
    let list = inventory.zones.iter().filter(wanted).map(|zone| Candidate {
        zone: zone.name.clone(),
        brand: zone.brand,
        intent: match way_to_leave(zone) {
            _ if is_open(&zone.name) => Intent::Unsettled,
            // Its record would take the other one's place.
            _ if let Some(other) = away.iter().find(|row| row.zone == zone.name && row.uuid != zone.uuid) => {
                Intent::Skip(format!(
                    "another zone of this name is away at {}; return that one, or give it up",
                    other.refuge
                ))
            }
            Err(reason) => Intent::Skip(reason),
            Ok(kind) => match targets_of(targets, &zone.name).0 {
                [] => Intent::Skip(format!("no target; set one: sysadm target set {} URI", zone.name)),
                targets => Intent::Leave { kind, targets: targets.to_vec() },
            },
        },
    });
    let strangers = inventory.strangers.iter().filter(|stranger| !named && stranger.running);
    Ok(Candidates { list: list.chain(half_gone).collect(), strangers: strangers.cloned().collect() })
}

/// How a zone can leave, or why it cannot.
fn way_to_leave(zone: &Zone) -> Result<Kind, String> {
    match (zone.state, zone.aux, zone.brand) {
        (ZoneState::Running, Some(Aux::MigratingIn | Aux::MigratingOut), _) => {
            Err("it is being moved by somebody else".to_owned())
        }
        (ZoneState::Running | ZoneState::Ready, _, Brand::Kvm) => Ok(Kind::Live),
        (ZoneState::Running | ZoneState::Ready, _, Brand::Lxc) => {
            Err("a running lxc zone cannot be migrated live; shut it down, then evacuate it with -a"
                .to_owned())
        }
        (ZoneState::Installed, _, _) => Ok(Kind::Cold),
        (ZoneState::ShuttingDown, _, _) => Err("it is shutting down; try again when it is down".to_owned()),
        (ZoneState::Down, _, _) => Err("it has crashed; end or reboot it first".to_owned()),
        (state @ (ZoneState::Configured | ZoneState::Incomplete | ZoneState::Unavailable), _, _) => {
            Err(format!("it is {state}"))
        }
    }
}

/// The zones that a return is about. Whether they still run at their refuges is found out later. `open` are the
/// records that could not be settled.
pub fn returning(away: Vec<Away>, open: &[Away], options: &Options) -> Result<Candidates, EvacuationError> {
    let unknown: Vec<_> = options
        .zones
        .iter()
        .filter(|name| !away.iter().any(|row| row.zone == **name))
        .map(ToString::to_string)
        .collect();
    if !unknown.is_empty() {
        return Err(EvacuationError::NotAway(unknown));
    }
    let wanted = |row: &Away| options.zones.is_empty() || options.zones.contains(&row.zone);
    let list = away.into_iter().filter(wanted).map(|row| Candidate {
        zone: row.zone.clone(),
        brand: row.brand,
        intent: if open.iter().any(|other| other.zone == row.zone) {
            Intent::Unsettled
        } else {
            Intent::Return(Box::new(row))
        },
    });
    Ok(Candidates { list: list.collect(), strangers: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{sample_away, sample_zone};

    fn zone(name: &str, brand: Brand, state: ZoneState) -> Zone {
        Zone { name: name.parse().unwrap(), brand, state, ..sample_zone(name) }
    }

    fn host() -> Inventory {
        Inventory {
            zones: vec![
                zone("db", Brand::Kvm, ZoneState::Running),
                zone("ct", Brand::Lxc, ZoneState::Running),
                zone("old", Brand::Lxc, ZoneState::Installed),
                zone("half", Brand::Kvm, ZoneState::Incomplete),
            ],
            strangers: vec![Stranger { name: "Windows 10".into(), reason: "name".into(), running: true }],
        }
    }

    fn targets() -> BTreeMap<TargetKey, Vec<HostUri>> {
        [(TargetKey::Default, vec!["ssh://h2".parse().unwrap()])].into()
    }

    fn summary(candidates: &Candidates) -> Vec<String> {
        let word = |intent: &Intent| match intent {
            Intent::Leave { kind, .. } => kind.to_string(),
            Intent::Return(_) => "return".to_owned(),
            Intent::Skip(reason) => reason.split(';').next().unwrap().to_owned(),
            Intent::Unsettled => "unsettled".to_owned(),
        };
        candidates.list.iter().map(|one| format!("{}: {}", one.zone, word(&one.intent))).collect()
    }

    #[test]
    fn a_zone_that_is_half_gone_is_not_forgotten() {
        // Whether it is still listed here or not.
        for name in ["old", "elsewhere"] {
            let open = [sample_away(name)];
            let unsettled = |zones: &[&str]| {
                let zones = zones.iter().map(|zone| zone.parse().unwrap()).collect();
                let options = Options { zones, ..Options::default() };
                let found = leaving(&host(), &BTreeMap::new(), &open, &open, &options).unwrap();
                found.list.into_iter().filter(|one| one.intent == Intent::Unsettled).count()
            };
            assert_eq!((unsettled(&[]), unsettled(&[name]), unsettled(&["db"])), (1, 1, 0), "{name}");
        }
    }

    #[test]
    fn without_options_only_running_zones_are_looked_at() {
        let found = leaving(&host(), &targets(), &[], &[], &Options::default()).unwrap();
        assert_eq!(summary(&found), ["db: live", "ct: a running lxc zone cannot be migrated live"]);
        assert_eq!(found.strangers.len(), 1);
    }

    #[test]
    fn all_adds_installed_zones_but_not_incomplete_ones() {
        let options = Options { all: true, ..Options::default() };
        let found = leaving(&host(), &targets(), &[], &[], &options).unwrap();
        assert_eq!(summary(&found)[2..], ["old: cold"]);
    }

    #[test]
    fn a_named_zone_is_looked_at_in_any_state() {
        let named = |names: &[&str]| Options {
            zones: names.iter().map(|name| name.parse().unwrap()).collect(),
            ..Options::default()
        };
        let found = leaving(&host(), &targets(), &[], &[], &named(&["old", "half"])).unwrap();
        assert_eq!(summary(&found), ["old: cold", "half: it is incomplete"]);
        assert!(found.strangers.is_empty());
        let error = leaving(&host(), &targets(), &[], &[], &named(&["old", "nope", "nada"])).unwrap_err();
        assert_eq!(error.to_string(), "no such zone: nope, nada");
    }

    #[test]
    fn a_zone_without_a_target_is_skipped_with_the_command_that_helps() {
        let found = leaving(&host(), &BTreeMap::new(), &[], &[], &Options::default()).unwrap();
        assert_eq!(summary(&found)[0], "db: no target");
    }

    #[test]
    fn no_state_is_left_without_an_answer_and_only_kvm_moves_live() {
        for &state in ZoneState::ALL {
            for &brand in Brand::ALL {
                if way_to_leave(&zone("z", brand, state)) == Ok(Kind::Live) {
                    assert_eq!(brand, Brand::Kvm);
                    assert!(zone("z", brand, state).is_running());
                }
            }
        }
    }

    #[test]
    fn a_zone_whose_whereabouts_are_open_is_not_touched() {
        let open = [sample_away("db")];
        let found = leaving(&host(), &targets(), &open, &open, &Options::default()).unwrap();
        assert_eq!(summary(&found)[0], "db: unsettled");
        let found = returning(vec![sample_away("db")], &open, &Options::default()).unwrap();
        assert_eq!(summary(&found), ["db: unsettled"]);
    }

    #[test]
    fn a_namesake_of_a_zone_that_is_away_does_not_take_its_record() {
        let away = [Away { uuid: uuid::Uuid::from_u128(99), ..sample_away("db") }];
        let found = leaving(&host(), &targets(), &away, &[], &Options::default()).unwrap();
        assert!(
            summary(&found)[0].starts_with("db: another zone of this name is away at"),
            "{:?}",
            summary(&found)
        );
    }

    #[test]
    fn only_zones_that_are_away_can_return() {
        let away = vec![sample_away("a"), sample_away("b")];
        let options = Options { zones: vec!["b".parse().unwrap()], ..Options::default() };
        assert_eq!(summary(&returning(away.clone(), &[], &options).unwrap()), ["b: return"]);
        let options = Options { zones: vec!["c".parse().unwrap()], ..Options::default() };
        assert!(matches!(returning(away, &[], &options), Err(EvacuationError::NotAway(_))));
    }
}
