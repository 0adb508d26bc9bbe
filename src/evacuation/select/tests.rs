//! Which zones a run is about.

use super::*;
use crate::evacuation::Actions;
use crate::model::{Abilities, Brand, Method};
use crate::store::Place;
use crate::store::tests::sample;

fn zone(name: &str, brand: Brand, state: ZoneState) -> Zone {
    Zone { name: name.parse().unwrap(), brand, state, ..sample::zone(name) }
}

/// Two domains with the same name in both of libvirt's drivers.
fn unmanaged_guest(running: bool) -> UnmanagedGuest {
    let name = if running { "twin" } else { "Windows 10" };
    UnmanagedGuest { name: name.into(), uuid: None, reason: "twice".into(), hint: None, running }
}

/// What libvirt can do.
fn able(brand: Brand) -> Abilities {
    let machine = brand == Brand::KVM;
    Abilities { live: machine, suspend: machine, host_software: !machine }
}

fn host() -> Inventory {
    Inventory {
        zones: vec![
            zone("db", Brand::KVM, ZoneState::Running),
            zone("ct", Brand::LXC, ZoneState::Running),
            zone("old", Brand::LXC, ZoneState::Installed),
            zone("half", Brand::KVM, ZoneState::Incomplete),
        ],
        unmanaged: [true, false].map(unmanaged_guest).to_vec(),
    }
}

fn targets() -> BTreeMap<TargetKey, Vec<HostUri>> {
    [(TargetKey::Default, vec!["ssh://h2".parse().unwrap()])].into()
}

fn open(zone: &str) -> Unsettled {
    Unsettled { row: sample::evacuated(zone), why: Some("why".into()) }
}

#[test]
fn a_zone_that_has_left_already_is_named_in_vain_and_is_no_error() {
    let away = [sample::evacuated("gone"), sample::evacuated("db")];
    let request =
        Request { zones: ["gone", "db"].map(|name| name.parse().unwrap()).into(), ..Request::default() };
    let already = gone_already(&host(), &away, &[], &request);
    assert_eq!(already, [&away[0]], "there is a db here");
    assert_eq!(gone_already(&host(), &away, &[open("gone")], &request), [] as [&ZoneRecord; 0]);
    let found = leaving(&host(), &targets(), &away[..1], &[], &request, able).unwrap();
    assert_eq!(summary(&found), ["db: live"]);
    let nobody = Request { zones: vec!["nobody".parse().unwrap()], ..request };
    assert!(leaving(&host(), &targets(), &away, &[], &nobody, able).is_err());
}

fn summary(candidates: &Candidates) -> Vec<String> {
    let word = |job: &Job| match (&job.state, &job.operation) {
        (JobState::Skipped(reason), _) => reason.to_string(),
        (JobState::Unknown(_), _) => "unsettled".to_owned(),
        (_, Operation::Migrate { method, .. }) => method.to_string(),
        (_, Operation::Return(_)) => "return".to_owned(),
        (_, Operation::Stop { method, .. }) => method.to_string(),
        (_, Operation::Boot(_)) => "boot".to_owned(),
        (state, operation) => panic!("{state:?} {operation:?}"),
    };
    candidates.list.iter().map(|job| format!("{}: {}", job.zone, word(job))).collect()
}

#[test]
fn a_zone_that_is_half_gone_is_not_forgotten() {
    // Whether it is still listed here or not.
    for name in ["old", "elsewhere"] {
        let away = [sample::evacuated(name)];
        let open = [open(name)];
        let unsettled = |zones: &[&str]| {
            let zones = zones.iter().map(|zone| zone.parse().unwrap()).collect();
            let request = Request { zones, ..Request::default() };
            let found = leaving(&host(), &BTreeMap::new(), &away, &open, &request, able).unwrap();
            found.list.into_iter().filter(|one| matches!(one.state, JobState::Unknown(_))).count()
        };
        assert_eq!((unsettled(&[]), unsettled(&[name]), unsettled(&["db"])), (1, 1, 0), "{name}");
    }
}

#[test]
fn without_options_only_running_zones_are_looked_at() {
    let found = leaving(&host(), &targets(), &[], &[], &Request::default(), able).unwrap();
    assert_eq!(summary(&found), ["db: live", "ct: a running lxc zone cannot be migrated live"]);
    assert_eq!(found.unmanaged, [unmanaged_guest(true)]);
}

#[test]
fn all_adds_installed_zones_but_not_incomplete_ones() {
    let request = Request { all: true, ..Request::default() };
    let found = leaving(&host(), &targets(), &[], &[], &request, able).unwrap();
    assert_eq!(summary(&found)[2..], ["old: cold"]);
    assert_eq!(found.unmanaged, [unmanaged_guest(true), unmanaged_guest(false)]);
}

#[test]
fn a_named_zone_is_looked_at_in_any_state() {
    let named = |names: &[&str]| Request {
        zones: names.iter().map(|name| name.parse().unwrap()).collect(),
        ..Request::default()
    };
    let found = leaving(&host(), &targets(), &[], &[], &named(&["old", "half"]), able).unwrap();
    assert_eq!(summary(&found), ["old: cold", "half: it is incomplete"]);
    assert!(found.unmanaged.is_empty());
    let error = leaving(&host(), &targets(), &[], &[], &named(&["old", "nope", "nada"]), able).unwrap_err();
    assert_eq!(error.to_string(), "no such zone: nope, nada");
    let error = leaving(&host(), &targets(), &[], &[], &named(&["Windows%2010"]), able).unwrap_err();
    assert_eq!(error.to_string(), "Windows%2010 does not run and cannot be handled: twice");
}

#[test]
fn a_zone_without_a_target_is_skipped_with_the_command_that_helps() {
    let found = leaving(&host(), &BTreeMap::new(), &[], &[], &Request::default(), able).unwrap();
    assert_eq!(summary(&found)[0], "db: no target is set");
}

fn all_doing(action: Action) -> Request {
    let actions = Actions { default: Some(action), ..Actions::default() };
    Request { all: true, actions, ..Request::default() }
}

#[test]
fn what_is_done_with_a_zone_is_what_was_asked_for_it() {
    let summary =
        |request: &Request| summary(&leaving(&host(), &targets(), &[], &[], request, able).unwrap());
    assert_eq!(summary(&all_doing(Action::Restart)), ["db: restart", "ct: restart", "old: cold"]);
    // A zone that does not run is not stopped.
    assert_eq!(summary(&all_doing(Action::Stop)), ["db: stop", "ct: stop"]);
    let cannot = "ct: lxc zones cannot be suspended";
    assert_eq!(summary(&all_doing(Action::Suspend)), ["db: suspend", cannot]);
    let mut request = all_doing(Action::Leave);
    assert_eq!(summary(&request), [] as [&str; 0]);
    request.actions.zones = [("ct".parse().unwrap(), Action::Stop)].into();
    assert_eq!(summary(&request), ["ct: stop"]);
}

#[test]
fn where_only_one_way_of_moving_was_asked_for_the_others_are_skipped() {
    let only = |only, action| Request { only: Some(only), ..all_doing(action) };
    let summary =
        |request: &Request| summary(&leaving(&host(), &targets(), &[], &[], request, able).unwrap());
    let cold = "old: only a cold migration is possible, but live was requested";
    let found = summary(&only(Method::Live, Action::Live));
    assert_eq!(found, ["db: live", "ct: a running lxc zone cannot be migrated live", cold]);
    let [db, ct] = ["db", "ct"]
        .map(|name| format!("{name}: only a restart migration is possible, but cold was requested"));
    assert_eq!(summary(&only(Method::Cold, Action::Restart)), [db.as_str(), &ct, "old: cold"]);
}

#[test]
fn zones_that_rest_come_back_first_and_the_last_one_first() {
    let rests = ["x", "y", "z"].map(|zone| sample::record(zone, 8, Place::Stopped));
    let back = |zones: &[&str]| {
        let zones = zones.iter().map(|zone| zone.parse().unwrap()).collect();
        let request = Request { zones, ..Request::default() };
        summary(&returning(vec![sample::evacuated("a")], &rests, &[], &[], &request).unwrap())
    };
    assert_eq!(back(&[]), ["z: boot", "y: boot", "x: boot", "a: return"]);
    assert_eq!(back(&["y"]), ["y: boot"]);
}

#[test]
fn a_zone_that_rests_here_does_not_leave_as_one_that_is_installed() {
    let old = |place| {
        let mut request = Request { all: true, ..Request::default() };
        let rests = [sample::record("old", 8, place)];
        let found = |request: &Request| {
            let mut found = leaving(&host(), &targets(), &[], &[], request, able).unwrap();
            apply_records(&mut found, &rests, &host(), request, false);
            summary(&found).into_iter().find(|line| line.starts_with("old"))
        };
        let all = found(&request);
        request.zones = vec!["old".parse().unwrap()];
        (all, found(&request))
    };
    let (all, named) = old(Place::Stopped);
    assert!(all.is_none() && named.unwrap().starts_with("old: already stopped here"));
    assert_eq!(old(Place::Stopping).0.unwrap(), "old: unsettled");
}

#[test]
fn a_zone_that_moves_for_good_leaves_no_other_one_of_its_name_behind() {
    let db = host().find(&"db".parse().unwrap()).unwrap().uuid;
    let found = |uuid: uuid::Uuid, for_good| {
        let records = [ZoneRecord { uuid, ..sample::record("db", 99, Place::Configured) }];
        let request = Request { zones: vec!["db".parse().unwrap()], ..Request::default() };
        let mut found = leaving(&host(), &targets(), &[], &[], &request, able).unwrap();
        apply_records(&mut found, &records, &host(), &request, for_good);
        summary(&found)
    };
    let other = uuid::Uuid::from_u128(99);
    assert!(found(other, true)[0].starts_with("db: another zone of this name is configured here"));
    assert_eq!(found(other, false), ["db: live"]);
    // Its own configuration is no obstacle.
    assert_eq!(found(db, true), ["db: live"]);
}

#[test]
fn a_zone_whose_location_is_unknown_is_not_touched() {
    let (away, open) = ([sample::evacuated("db")], [open("db")]);
    let found = leaving(&host(), &targets(), &away, &open, &Request::default(), able).unwrap();
    assert_eq!(found.list[0].peer, away[0].location.clone());
    assert_eq!(found.list[0].state, JobState::Unknown("why".into()));
    assert_eq!(summary(&found)[0], "db: unsettled");
    let found = returning(vec![sample::evacuated("db")], &[], &open, &[], &Request::default()).unwrap();
    assert_eq!(summary(&found), ["db: unsettled"]);
}

#[test]
fn a_namesake_of_a_zone_that_is_away_does_not_take_its_record() {
    let away = [ZoneRecord { uuid: uuid::Uuid::from_u128(99), ..sample::evacuated("db") }];
    let found = leaving(&host(), &targets(), &away, &[], &Request::default(), able).unwrap();
    assert!(
        summary(&found)[0].starts_with("db: another zone of this name is away at"),
        "{:?}",
        summary(&found)
    );
}

#[test]
fn only_zones_that_are_away_can_return() {
    let away = vec![sample::evacuated("a"), sample::evacuated("b")];
    let request = Request { zones: vec!["b".parse().unwrap()], ..Request::default() };
    assert_eq!(summary(&returning(away.clone(), &[], &[], &[], &request).unwrap()), ["b: return"]);
    let request = Request { zones: vec!["c".parse().unwrap()], ..Request::default() };
    assert!(matches!(returning(away.clone(), &[], &[], &[], &request), Err(EvacuationError::NotAway(_))));
    // For a zone that is home already nothing is to be done.
    let home = ["c".parse().unwrap()];
    assert_eq!(summary(&returning(away, &[], &[], &home, &request).unwrap()), [] as [&str; 0]);
}
