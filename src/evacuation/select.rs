//! Which zones a run is about, and how each would move. Pure.

use std::collections::BTreeMap;

use super::actions::{Way, way};
use super::recover::Open;
use super::rest::Bed;
use super::{EvacuationError, Options};
use crate::model::{Brand, HostUri, Inventory, Kind, Stranger, Zone, ZoneName, ZoneState};
use crate::plan::Action;
use crate::store::{Away, Detached, Rest, RestPhase, TargetKey, targets_of};

/// Who could move, and who is in the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// One for each zone that the run is about.
    pub list: Vec<Candidate>,
    /// Guests that would have to leave, and cannot be handled.
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
    /// It stays here, and is stopped or suspended.
    Rest(Bed),
    /// It rests here, and is booted again.
    Wake(Box<Rest>),
    /// Not at all, and why.
    Skip(String),
    /// Where it is must be settled first: where it was last, and what is known of that.
    Unsettled(Option<HostUri>, Option<String>),
}

impl Intent {
    fn unsettled(open: &Open) -> Self {
        Self::Unsettled(Some(open.row.refuge.clone()), open.why.clone())
    }
}

/// Every zone that was named must be there, or have left already.
pub fn known(
    inventory: &Inventory,
    away: &[Away],
    open: &[Open],
    options: &Options,
) -> Result<(), EvacuationError> {
    let is_known =
        |name: &ZoneName| open.iter().map(|open| &open.row).chain(away).any(|row| row.zone == *name);
    let unknown = |name: &&ZoneName| inventory.find(name).is_none() && !is_known(name);
    let unknown: Vec<_> = options.zones.iter().filter(unknown).collect();
    EvacuationError::not_zones(inventory, &unknown)
}

/// Zones that were named and have left already: nothing is to be done with them.
pub fn gone_already<'a>(
    inventory: &Inventory,
    away: &'a [Away],
    open: &[Open],
    options: &Options,
) -> Vec<&'a Away> {
    let is_named = |row: &&Away| options.zones.contains(&row.zone) && inventory.find(&row.zone).is_none();
    let is_open = |row: &&Away| open.iter().any(|open| open.row.zone == row.zone);
    away.iter().filter(is_named).filter(|row| !is_open(row)).collect()
}

/// The zones that an evacuation is about. `away` are all records of zones that are elsewhere, `open` those of them
/// that could not be settled.
pub fn leaving(
    inventory: &Inventory,
    targets: &BTreeMap<TargetKey, Vec<HostUri>>,
    away: &[Away],
    open: &[Open],
    options: &Options,
) -> Result<Candidates, EvacuationError> {
    known(inventory, away, open, options)?;
    let is_open = |name: &ZoneName| open.iter().any(|open| open.row.zone == *name);
    let named = !options.zones.is_empty();
    // Those that are half gone: nobody may believe that all is done.
    let half_gone = open
        .iter()
        .map(|open| (&open.row, open))
        .filter(|(row, _)| {
            inventory.find(&row.zone).is_none() && (!named || options.zones.contains(&row.zone))
        })
        .map(|(row, open)| Candidate {
            zone: row.zone.clone(),
            brand: row.brand,
            intent: Intent::unsettled(open),
        });
    let wanted = |zone: &&Zone| {
        let action = options.actions.of(&zone.name);
        if action == Action::Leave && !is_open(&zone.name) {
            false
        } else if named {
            options.zones.contains(&zone.name)
        } else {
            zone.is_running()
                || (options.all && zone.state == ZoneState::Installed && way(zone, action) != Ok(Way::Stay))
                || is_open(&zone.name)
        }
    };
    let list = inventory.zones.iter().filter(wanted).map(|zone| Candidate {
        zone: zone.name.clone(),
        brand: zone.brand,
        intent: match way(zone, options.actions.of(&zone.name)) {
            _ if let Some(open) = open.iter().find(|open| open.row.zone == zone.name) => {
                Intent::unsettled(open)
            }
            // Its record would take the other one's place.
            _ if let Some(other) = away.iter().find(|row| row.zone == zone.name && row.uuid != zone.uuid) => {
                Intent::Skip(format!(
                    "another zone of this name is away at {}; return that one, or give it up",
                    other.refuge
                ))
            }
            Err(reason) => Intent::Skip(reason),
            Ok(Way::Stay) => Intent::Skip("it does not run".to_owned()),
            Ok(Way::Rest(way)) => {
                Intent::Rest(Bed { zone: zone.name.clone(), uuid: zone.uuid, brand: zone.brand, way })
            }
            Ok(Way::Move(kind)) if let Some(only) = options.only.filter(|only| *only != kind) => {
                Intent::Skip(format!("its way to move is {kind}, and only {only} was asked for"))
            }
            Ok(Way::Move(kind)) => match targets_of(targets, &zone.name).0 {
                [] => Intent::Skip(format!("no target; set one: sysadm target set {} URI", zone.name)),
                targets => Intent::Leave { kind, targets: targets.to_vec() },
            },
        },
    });
    let strangers = inventory.unhandled(options.all).filter(|_| !named);
    Ok(Candidates { list: list.chain(half_gone).collect(), strangers: strangers.cloned().collect() })
}

/// The zones that a return is about. Whether they still run at their refuges is found out later. `open` are the
/// records that could not be settled, `rests` the zones that rest here: they come first, the last one first.
pub fn returning(
    away: Vec<Away>,
    rests: &[Rest],
    open: &[Open],
    options: &Options,
) -> Result<Candidates, EvacuationError> {
    let unknown: Vec<_> = options
        .zones
        .iter()
        .filter(|name| !away.iter().any(|row| row.zone == **name))
        .filter(|name| !rests.iter().any(|rest| rest.zone == **name))
        .map(ToString::to_string)
        .collect();
    if !unknown.is_empty() {
        return Err(EvacuationError::NotAway(unknown));
    }
    let wanted = |row: &Away| options.zones.is_empty() || options.zones.contains(&row.zone);
    let list = away.into_iter().filter(wanted).map(|row| Candidate {
        zone: row.zone.clone(),
        brand: row.brand,
        intent: match open.iter().find(|open| open.row.zone == row.zone) {
            Some(open) => Intent::unsettled(open),
            None => Intent::Return(Box::new(row)),
        },
    });
    Ok(Candidates { list: wakers(rests, options).chain(list).collect(), strangers: Vec::new() })
}

/// Zones that rest here already do not leave, and are not in the way; one that is being saved is waited for.
pub(super) fn keep_out(candidates: &mut Candidates, rests: &[Rest], options: &Options) {
    candidates.list.retain_mut(|candidate| {
        match rests.iter().find(|rest| rest.zone == candidate.zone) {
            None => return true,
            Some(rest) if rest.phase == RestPhase::Stopping => {
                candidate.intent = Intent::Unsettled(None, None)
            }
            Some(_) if options.zones.contains(&candidate.zone) => {
                let reason =
                    "it rests here, and is booted again on return; 'sysadm evacuate --forget' gives that up";
                candidate.intent = Intent::Skip(reason.to_owned());
            }
            Some(_) => return false,
        }
        true
    });
}

/// A zone that has gone for good is configured here, under its name: one whose name another configured zone has does not
/// go.
pub(super) fn keep_namesakes(candidates: &mut Candidates, configured: &[Detached], inventory: &Inventory) {
    for candidate in &mut candidates.list {
        let uuid = inventory.find(&candidate.zone).map(|zone| zone.uuid);
        let other = configured.iter().find(|row| row.zone == candidate.zone && Some(row.uuid) != uuid);
        if let (Some(other), Intent::Leave { .. }) = (other, &candidate.intent) {
            candidate.intent = Intent::Skip(format!(
                "another zone of this name is configured here ({}); delete that one first: sysadm zone delete {}",
                other.uuid, other.zone
            ));
        }
    }
}

/// Those that are to be booted again on return, the last one first.
pub(super) fn wakers(rests: &[Rest], options: &Options) -> impl Iterator<Item = Candidate> {
    let wanted = |rest: &&Rest| options.zones.is_empty() || options.zones.contains(&rest.zone);
    rests.iter().rev().filter(wanted).map(|rest| Candidate {
        zone: rest.zone.clone(),
        brand: rest.brand,
        intent: match rest.phase {
            RestPhase::Resting => Intent::Wake(Box::new(rest.clone())),
            RestPhase::Stopping => Intent::Unsettled(None, None),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evacuation::Actions;
    use crate::store::tests::{sample, sample_away, sample_zone};
    use crate::store::{RestPhase, RestWay};

    fn zone(name: &str, brand: Brand, state: ZoneState) -> Zone {
        Zone { name: name.parse().unwrap(), brand, state, ..sample_zone(name) }
    }

    /// What has the same name in both of libvirt's drivers.
    fn stranger(running: bool) -> Stranger {
        let name = if running { "twin" } else { "Windows 10" };
        Stranger { name: name.into(), uuid: None, reason: "twice".into(), running }
    }

    fn host() -> Inventory {
        Inventory {
            zones: vec![
                zone("db", Brand::Kvm, ZoneState::Running),
                zone("ct", Brand::Lxc, ZoneState::Running),
                zone("old", Brand::Lxc, ZoneState::Installed),
                zone("half", Brand::Kvm, ZoneState::Incomplete),
            ],
            strangers: [true, false].map(stranger).to_vec(),
        }
    }

    fn targets() -> BTreeMap<TargetKey, Vec<HostUri>> {
        [(TargetKey::Default, vec!["ssh://h2".parse().unwrap()])].into()
    }

    fn open(zone: &str) -> Open {
        Open { row: sample_away(zone), why: Some("why".into()) }
    }

    #[test]
    fn a_zone_that_has_left_already_is_named_in_vain_and_is_no_error() {
        let away = [sample_away("gone"), sample_away("db")];
        let options =
            Options { zones: ["gone", "db"].map(|name| name.parse().unwrap()).into(), ..Options::default() };
        let already = gone_already(&host(), &away, &[], &options);
        assert_eq!(already, [&away[0]], "there is a db here");
        assert_eq!(gone_already(&host(), &away, &[open("gone")], &options), [] as [&Away; 0]);
        let found = leaving(&host(), &targets(), &away[..1], &[], &options).unwrap();
        assert_eq!(summary(&found), ["db: live"]);
        let nobody = Options { zones: vec!["nobody".parse().unwrap()], ..options };
        assert!(leaving(&host(), &targets(), &away, &[], &nobody).is_err());
    }

    fn summary(candidates: &Candidates) -> Vec<String> {
        let word = |intent: &Intent| match intent {
            Intent::Leave { kind, .. } => kind.to_string(),
            Intent::Return(_) => "return".to_owned(),
            Intent::Rest(bed) => bed.way.to_string(),
            Intent::Wake(_) => "wake".to_owned(),
            Intent::Skip(reason) => reason.split(';').next().unwrap().to_owned(),
            Intent::Unsettled(..) => "unsettled".to_owned(),
        };
        candidates.list.iter().map(|one| format!("{}: {}", one.zone, word(&one.intent))).collect()
    }

    #[test]
    fn a_zone_that_is_half_gone_is_not_forgotten() {
        // Whether it is still listed here or not.
        for name in ["old", "elsewhere"] {
            let away = [sample_away(name)];
            let open = [open(name)];
            let unsettled = |zones: &[&str]| {
                let zones = zones.iter().map(|zone| zone.parse().unwrap()).collect();
                let options = Options { zones, ..Options::default() };
                let found = leaving(&host(), &BTreeMap::new(), &away, &open, &options).unwrap();
                found.list.into_iter().filter(|one| matches!(one.intent, Intent::Unsettled(..))).count()
            };
            assert_eq!((unsettled(&[]), unsettled(&[name]), unsettled(&["db"])), (1, 1, 0), "{name}");
        }
    }

    #[test]
    fn without_options_only_running_zones_are_looked_at() {
        let found = leaving(&host(), &targets(), &[], &[], &Options::default()).unwrap();
        assert_eq!(summary(&found), ["db: live", "ct: a running lxc zone cannot be migrated live"]);
        assert_eq!(found.strangers, [stranger(true)]);
    }

    #[test]
    fn all_adds_installed_zones_but_not_incomplete_ones() {
        let options = Options { all: true, ..Options::default() };
        let found = leaving(&host(), &targets(), &[], &[], &options).unwrap();
        assert_eq!(summary(&found)[2..], ["old: cold"]);
        assert_eq!(found.strangers, [stranger(true), stranger(false)]);
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
        let error = leaving(&host(), &targets(), &[], &[], &named(&["Windows%2010"])).unwrap_err();
        assert_eq!(error.to_string(), "Windows%2010 does not run and cannot be handled: twice");
    }

    #[test]
    fn a_zone_without_a_target_is_skipped_with_the_command_that_helps() {
        let found = leaving(&host(), &BTreeMap::new(), &[], &[], &Options::default()).unwrap();
        assert_eq!(summary(&found)[0], "db: no target");
    }

    fn all_doing(action: Action) -> Options {
        let actions = Actions { default: Some(action), ..Actions::default() };
        Options { all: true, actions, ..Options::default() }
    }

    #[test]
    fn what_is_done_with_a_zone_is_what_was_asked_for_it() {
        let summary = |options: &Options| summary(&leaving(&host(), &targets(), &[], &[], options).unwrap());
        assert_eq!(summary(&all_doing(Action::Restart)), ["db: restart", "ct: restart", "old: cold"]);
        // What does not run rests already.
        assert_eq!(summary(&all_doing(Action::Stop)), ["db: stop", "ct: stop"]);
        let cannot = "ct: the memory of an lxc zone cannot be saved";
        assert_eq!(summary(&all_doing(Action::Suspend)), ["db: suspend", cannot]);
        let mut options = all_doing(Action::Leave);
        assert_eq!(summary(&options), [] as [&str; 0]);
        options.actions.zones = [("ct".parse().unwrap(), Action::Stop)].into();
        assert_eq!(summary(&options), ["ct: stop"]);
    }

    #[test]
    fn where_only_one_way_of_moving_was_asked_for_the_others_are_skipped() {
        let only = |only, action| Options { only: Some(only), ..all_doing(action) };
        let summary = |options: &Options| summary(&leaving(&host(), &targets(), &[], &[], options).unwrap());
        let cold = "old: its way to move is cold, and only live was asked for";
        let found = summary(&only(Kind::Live, Action::Live));
        assert_eq!(found, ["db: live", "ct: a running lxc zone cannot be migrated live", cold]);
        let [db, ct] = ["db", "ct"]
            .map(|name| format!("{name}: its way to move is restart, and only cold was asked for"));
        assert_eq!(summary(&only(Kind::Cold, Action::Restart)), [db.as_str(), &ct, "old: cold"]);
    }

    #[test]
    fn zones_that_rest_come_back_first_and_the_last_one_first() {
        let rests = ["x", "y", "z"].map(|zone| sample::rest(zone, RestWay::Stop, RestPhase::Resting));
        let back = |zones: &[&str]| {
            let zones = zones.iter().map(|zone| zone.parse().unwrap()).collect();
            let options = Options { zones, ..Options::default() };
            summary(&returning(vec![sample_away("a")], &rests, &[], &options).unwrap())
        };
        assert_eq!(back(&[]), ["z: wake", "y: wake", "x: wake", "a: return"]);
        assert_eq!(back(&["y"]), ["y: wake"]);
    }

    #[test]
    fn a_zone_that_rests_here_does_not_leave_as_one_that_is_installed() {
        let old = |phase| {
            let mut options = Options { all: true, ..Options::default() };
            let rests = [sample::rest("old", RestWay::Stop, phase)];
            let found = |options: &Options| {
                let mut found = leaving(&host(), &targets(), &[], &[], options).unwrap();
                keep_out(&mut found, &rests, options);
                summary(&found).into_iter().find(|line| line.starts_with("old"))
            };
            let all = found(&options);
            options.zones = vec!["old".parse().unwrap()];
            (all, found(&options))
        };
        let (all, named) = old(RestPhase::Resting);
        assert!(all.is_none() && named.unwrap().starts_with("old: it rests here"));
        assert_eq!(old(RestPhase::Stopping).0.unwrap(), "old: unsettled");
    }

    #[test]
    fn a_zone_whose_whereabouts_are_open_is_not_touched() {
        let (away, open) = ([sample_away("db")], [open("db")]);
        let found = leaving(&host(), &targets(), &away, &open, &Options::default()).unwrap();
        let why = (Some(away[0].refuge.clone()), Some("why".to_owned()));
        assert_eq!(found.list[0].intent, Intent::Unsettled(why.0, why.1));
        assert_eq!(summary(&found)[0], "db: unsettled");
        let found = returning(vec![sample_away("db")], &[], &open, &Options::default()).unwrap();
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
        assert_eq!(summary(&returning(away.clone(), &[], &[], &options).unwrap()), ["b: return"]);
        let options = Options { zones: vec!["c".parse().unwrap()], ..Options::default() };
        assert!(matches!(returning(away, &[], &[], &options), Err(EvacuationError::NotAway(_))));
    }
}
