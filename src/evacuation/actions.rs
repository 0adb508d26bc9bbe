//! What an action comes to for a zone as it is now. Pure.

use crate::model::{Abilities, Aux, Kind, Zone, ZoneState};
use crate::plan::Action;
use crate::store::RestWay;

/// What an action comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It leaves.
    Move(Kind),
    /// It stays, and rests.
    Rest(RestWay),
    /// It stays as it is.
    Stay,
}

/// What is done with a zone, or why that cannot be. `able` is what its platform can do with zones of its brand.
pub fn way(zone: &Zone, able: Abilities, action: Action) -> Result<Way, String> {
    match (zone.state, zone.aux) {
        _ if action == Action::Leave => Ok(Way::Stay),
        (ZoneState::Running, Some(Aux::MigratingIn | Aux::MigratingOut)) => {
            Err("it is being moved by somebody else".to_owned())
        }
        (ZoneState::Running | ZoneState::Ready, _) => way_of_running(zone, able, action),
        (ZoneState::Installed, _) => match action {
            Action::Live | Action::Restart => Ok(Way::Move(Kind::Cold)),
            Action::Stop | Action::Suspend | Action::Leave => Ok(Way::Stay),
        },
        (ZoneState::ShuttingDown, _) => Err("it is shutting down; try again when it is down".to_owned()),
        (ZoneState::Down, _) => Err("it has crashed; end or reboot it first".to_owned()),
        (state @ (ZoneState::Configured | ZoneState::Incomplete | ZoneState::Unavailable), _) => {
            Err(format!("it is {state}"))
        }
    }
}

fn way_of_running(zone: &Zone, able: Abilities, action: Action) -> Result<Way, String> {
    let brand = zone.brand;
    let way = match action {
        Action::Leave => return Ok(Way::Stay),
        Action::Live if able.live => return Ok(Way::Move(Kind::Live)),
        Action::Live => {
            return Err(format!(
                "a running {brand} zone cannot be migrated live; use --action restart (zone migrate: -t cold), or shut it down and evacuate it with -a"
            ));
        }
        Action::Suspend if able.suspend => Way::Rest(RestWay::Suspend),
        Action::Suspend => {
            return Err(format!("the memory of {brand} zones cannot be saved; --action stop shuts it down"));
        }
        Action::Restart => Way::Move(Kind::Restart),
        Action::Stop => Way::Rest(RestWay::Stop),
    };
    // These end it for a while.
    if zone.aux.is_some() {
        return Err("it is paused and cannot shut down; resume it or end it first".to_owned());
    }
    if !zone.persistent {
        return Err("it is transient: nothing would be left of it when it ends".to_owned());
    }
    Ok(way)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::sample_zone;

    const MACHINE: Abilities = Abilities { live: true, suspend: true, host_software: false };
    const CONTAINER: Abilities = Abilities { live: false, suspend: false, host_software: true };

    fn each(mut check: impl FnMut(&Zone, Abilities, Action, Result<Way, String>)) {
        for &state in ZoneState::ALL {
            for able in [MACHINE, CONTAINER] {
                for aux in std::iter::once(None).chain(Aux::ALL.iter().copied().map(Some)) {
                    for persistent in [true, false] {
                        for &action in Action::ALL {
                            let zone = Zone { state, aux, persistent, ..sample_zone("z") };
                            check(&zone, able, action, way(&zone, able, action));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn only_what_its_platform_can_do_is_done_and_only_what_runs_is_ended() {
        each(|zone, able, action, way| match way {
            Ok(Way::Move(Kind::Live)) => assert!(able.live && zone.is_running()),
            Ok(Way::Rest(RestWay::Suspend)) => assert!(able.suspend && zone.is_running()),
            Ok(Way::Move(Kind::Restart) | Way::Rest(RestWay::Stop)) => {
                assert!(zone.is_running() && matches!(action, Action::Restart | Action::Stop), "{zone:?}");
            }
            Ok(Way::Move(Kind::Cold)) => assert!(!zone.is_running()),
            Ok(Way::Stay) | Err(_) => {}
        });
    }

    #[test]
    fn nothing_is_ended_that_is_paused_or_would_be_gone() {
        each(|zone, _, _, way| {
            if let Ok(Way::Rest(_) | Way::Move(Kind::Restart)) = way {
                assert!(zone.aux.is_none() && zone.persistent, "{zone:?}");
            }
        });
    }

    #[test]
    fn a_zone_that_is_left_alone_is_so_in_every_state() {
        each(|_, _, action, way| assert!(action != Action::Leave || way == Ok(Way::Stay)));
    }
}
