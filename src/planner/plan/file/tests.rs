//! Names in a plan file that its fleet does not have, and hosts that can no longer be asked.

use super::*;
use crate::plan::{FleetHost, FleetZone};

fn host(name: &str) -> HostKey {
    name.parse().unwrap()
}

/// A plan with its hash that moves `web` from h1 to `to`.
fn plan(to: &str) -> PlanFile {
    let web: ZoneName = "web".parse().unwrap();
    let fleet = Fleet {
        hosts: vec![FleetHost::new(host("h1")), FleetHost::new(host(to))],
        zones: vec![FleetZone { running: true, ..FleetZone::new(web, host("h1")) }],
    };
    let plan = Plan {
        moves: vec![PlannedMove {
            zone: ZoneIx(0),
            from: HostIx(0),
            to: HostIx(1),
            leg: Leg::Whole,
            method: Method::Live,
            action: Action::Live,
            start_ms: 0,
            end_ms: 1000,
            downtime_ms: 10,
            rate: 1,
        }],
        blocked: Vec::new(),
        makespan_ms: 1000,
        lower_bound_ms: 1000,
        margin_ms: 0,
    };
    let about = About { created: Millis(0), hosts: vec![host("h1")], policy: "test".to_owned() };
    PlanFile::new(about, fleet, Rules::default(), &plan, Vec::new())
}

/// The result of parsing it after a change that its hash covers.
fn parsed(change: impl FnOnce(&mut PlanFile)) -> Result<PlanFile, PlanFileError> {
    let mut file = plan("ssh://h2");
    change(&mut file);
    file.hash = file.digest();
    PlanFile::parse(&file.text().unwrap())
}

#[test]
fn what_was_written_reads_back_as_the_same() {
    assert_eq!(parsed(|_| {}).unwrap(), plan("ssh://h2"));
}

#[test]
fn a_move_of_a_zone_that_the_fleet_does_not_have_is_an_error_and_never_left_out() {
    let error = parsed(|file| file.moves[0].zone = "mail".parse().unwrap()).unwrap_err();
    assert!(matches!(&error, PlanFileError::UnknownZone(zone) if zone.as_str() == "mail"), "{error}");
}

#[test]
fn a_move_from_or_to_a_host_that_the_fleet_does_not_have_is_an_error_and_never_left_out() {
    let changes: [fn(&mut FileMove); 2] = [|one| one.from = host("h9"), |one| one.to = host("h9")];
    for change in changes {
        let error = parsed(|file| change(&mut file.moves[0])).unwrap_err();
        let named = |zone: &ZoneName, of: &HostKey| zone.as_str() == "web" && *of == host("h9");
        assert!(matches!(&error, PlanFileError::UnknownHost { zone, host } if named(zone, host)), "{error}");
    }
}

#[test]
fn a_plan_to_a_host_that_has_only_a_name_or_does_not_answer_is_not_carried_out() {
    let subjects = |to: &str| {
        let file = plan(to);
        let now = Fleet { hosts: file.fleet.hosts[..1].to_vec(), zones: file.fleet.zones.clone() };
        changes(&file, &now).into_iter().map(|change| change.subject).collect::<Vec<_>>()
    };
    assert_eq!(subjects("h2"), ["h2"]);
    assert_eq!(subjects("ssh://h2"), ["ssh://h2"]);
}
