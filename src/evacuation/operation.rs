//! What is done with one zone of a run, and how an action applies to a zone in its present state. Pure.

use uuid::Uuid;

use crate::model::{Abilities, Aux, HostUri, Method, Zone, ZoneState};
use crate::plan::Action;
use crate::store::{StopMethod, ZoneRecord};

/// What is done with a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Nothing; the state of the job says why.
    Keep,
    /// It goes to the first of these hosts that accepts it.
    Migrate {
        method: Method,
        /// In order of preference.
        targets: Vec<HostUri>,
    },
    /// It comes back from its location; its record.
    Return(Box<ZoneRecord>),
    /// It goes from its location to another host, because its home has no room yet; its record.
    Relocate(Box<ZoneRecord>),
    /// It stays here, and is stopped or suspended.
    Stop { uuid: Uuid, method: StopMethod },
    /// It was stopped here, and is booted; its record.
    Boot(Box<ZoneRecord>),
}

impl Operation {
    /// The operation for an action on a zone in its present state. `able` is what its platform can do with zones
    /// of its brand. A zone that is migrated has no targets yet.
    ///
    /// # Errors
    /// Why it cannot be done.
    pub fn of(zone: &Zone, able: Abilities, action: Action) -> Result<Self, String> {
        let migrate = |method| Ok(Self::Migrate { method, targets: Vec::new() });
        match (zone.state, zone.aux) {
            _ if action == Action::Leave => Ok(Self::Keep),
            (ZoneState::Running, Some(Aux::MigratingIn | Aux::MigratingOut)) => {
                Err("it is being moved by somebody else".to_owned())
            }
            (ZoneState::Running | ZoneState::Ready, _) => Self::of_running(zone, able, action),
            (ZoneState::Installed, _) => match action {
                Action::Live | Action::Restart => migrate(Method::Cold),
                Action::Stop | Action::Suspend | Action::Leave => Ok(Self::Keep),
            },
            (ZoneState::ShuttingDown, _) => Err("it is shutting down; try again when it is down".to_owned()),
            (ZoneState::Down, _) => Err("it has crashed; end or reboot it first".to_owned()),
            (state @ (ZoneState::Configured | ZoneState::Incomplete | ZoneState::Unavailable), _) => {
                Err(format!("it is {state}"))
            }
        }
    }

    fn of_running(zone: &Zone, able: Abilities, action: Action) -> Result<Self, String> {
        let migrate = |method| Self::Migrate { method, targets: Vec::new() };
        let stop = |method| Self::Stop { uuid: zone.uuid, method };
        let brand = zone.brand;
        let operation = match action {
            Action::Leave => return Ok(Self::Keep),
            Action::Live if able.live => return Ok(migrate(Method::Live)),
            Action::Live => {
                return Err(format!(
                    "a running {brand} zone cannot be migrated live; use --action restart (zone migrate: -t cold), or shut it down and evacuate it with -a"
                ));
            }
            Action::Suspend if able.suspend => stop(StopMethod::Suspend),
            Action::Suspend => {
                return Err(format!(
                    "the memory of {brand} zones cannot be saved; --action stop shuts it down"
                ));
            }
            Action::Restart => migrate(Method::Restart),
            Action::Stop => stop(StopMethod::Stop),
        };
        // These end the zone for a while.
        if zone.aux.is_some() {
            return Err("it is paused and cannot shut down; resume it or end it first".to_owned());
        }
        if !zone.persistent {
            return Err("it is transient: nothing would be left of it when it ends".to_owned());
        }
        Ok(operation)
    }

    /// Whether the zone goes to another host, or comes from one.
    pub const fn is_move(&self) -> bool {
        matches!(self, Self::Migrate { .. } | Self::Return(_) | Self::Relocate(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::sample;

    const MACHINE: Abilities = Abilities { live: true, suspend: true, host_software: false };
    const CONTAINER: Abilities = Abilities { live: false, suspend: false, host_software: true };

    fn each(mut check: impl FnMut(&Zone, Abilities, Action, Result<Operation, String>)) {
        for &state in ZoneState::ALL {
            for able in [MACHINE, CONTAINER] {
                for aux in std::iter::once(None).chain(Aux::ALL.iter().copied().map(Some)) {
                    for persistent in [true, false] {
                        for &action in Action::ALL {
                            let zone = Zone { state, aux, persistent, ..sample::zone("z") };
                            check(&zone, able, action, Operation::of(&zone, able, action));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn only_what_its_platform_can_do_is_done_and_only_what_runs_is_ended() {
        each(|zone, able, action, operation| match operation {
            Ok(Operation::Migrate { method: Method::Live, .. }) => assert!(able.live && zone.is_running()),
            Ok(Operation::Stop { method: StopMethod::Suspend, .. }) => {
                assert!(able.suspend && zone.is_running())
            }
            Ok(Operation::Migrate { method: Method::Restart, .. } | Operation::Stop { .. }) => {
                assert!(zone.is_running() && matches!(action, Action::Restart | Action::Stop), "{zone:?}");
            }
            Ok(Operation::Migrate { method: Method::Cold, .. }) => assert!(!zone.is_running()),
            Ok(Operation::Keep) | Err(_) => {}
            Ok(other) => panic!("{other:?}"),
        });
    }

    #[test]
    fn nothing_is_ended_that_is_paused_or_would_be_gone() {
        each(|zone, _, _, operation| {
            if let Ok(Operation::Stop { .. } | Operation::Migrate { method: Method::Restart, .. }) = operation
            {
                assert!(zone.aux.is_none() && zone.persistent, "{zone:?}");
            }
        });
    }

    #[test]
    fn a_zone_that_is_left_alone_is_so_in_every_state() {
        each(|_, _, action, operation| assert!(action != Action::Leave || operation == Ok(Operation::Keep)));
    }
}
