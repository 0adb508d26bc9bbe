//! What an action comes to for a zone as it is now. Pure.

use crate::model::{Aux, Brand, Kind, Zone, ZoneState};
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

/// What is done with a zone, or why that cannot be.
pub fn way(zone: &Zone, action: Action) -> Result<Way, String> {
    match (zone.state, zone.aux) {
        _ if action == Action::Leave => Ok(Way::Stay),
        (ZoneState::Running, Some(Aux::MigratingIn | Aux::MigratingOut)) => {
            Err("it is being moved by somebody else".to_owned())
        }
        (ZoneState::Running | ZoneState::Ready, _) => way_of_running(zone, action),
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

fn way_of_running(zone: &Zone, action: Action) -> Result<Way, String> {
    let way = match (action, zone.brand) {
        (Action::Leave, _) => return Ok(Way::Stay),
        (Action::Live, Brand::Kvm) => return Ok(Way::Move(Kind::Live)),
        (Action::Live, Brand::Lxc) => {
            return Err("a running lxc zone cannot be migrated live; use --action restart (zone migrate: -t cold), or shut it down and evacuate it with -a".to_owned());
        }
        (Action::Suspend, Brand::Lxc) => {
            return Err("the memory of an lxc zone cannot be saved; --action stop shuts it down".to_owned());
        }
        (Action::Restart, _) => Way::Move(Kind::Restart),
        (Action::Stop, _) => Way::Rest(RestWay::Stop),
        (Action::Suspend, Brand::Kvm) => Way::Rest(RestWay::Suspend),
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

    fn each(mut check: impl FnMut(&Zone, Action, Result<Way, String>)) {
        for &state in ZoneState::ALL {
            for &brand in Brand::ALL {
                for aux in std::iter::once(None).chain(Aux::ALL.iter().copied().map(Some)) {
                    for persistent in [true, false] {
                        for &action in Action::ALL {
                            let zone = Zone { state, brand, aux, persistent, ..sample_zone("z") };
                            check(&zone, action, way(&zone, action));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn only_kvm_moves_live_or_is_saved_and_only_what_runs_is_ended() {
        each(|zone, action, way| match way {
            Ok(Way::Move(Kind::Live) | Way::Rest(RestWay::Suspend)) => {
                assert_eq!(zone.brand, Brand::Kvm);
                assert!(zone.is_running());
            }
            Ok(Way::Move(Kind::Restart) | Way::Rest(RestWay::Stop)) => {
                assert!(zone.is_running() && matches!(action, Action::Restart | Action::Stop), "{zone:?}");
            }
            Ok(Way::Move(Kind::Cold)) => assert!(!zone.is_running()),
            Ok(Way::Stay) | Err(_) => {}
        });
    }

    #[test]
    fn nothing_is_ended_that_is_paused_or_would_be_gone() {
        each(|zone, _, way| {
            if let Ok(Way::Rest(_) | Way::Move(Kind::Restart)) = way {
                assert!(zone.aux.is_none() && zone.persistent, "{zone:?}");
            }
        });
    }

    #[test]
    fn a_zone_that_is_left_alone_is_so_in_every_state() {
        each(|_, action, way| assert!(action != Action::Leave || way == Ok(Way::Stay)));
    }
}
