//! How a zone can come back from its refuge.

use std::sync::Arc;

use super::actions::{Way, way};
use super::prepared::Readiness;
use super::{Engine, Event, Options};
use crate::host::{Host, HostError};
use crate::model::{Brand, Kind, Whereabouts};
use crate::plan::Action;
use crate::platform::Platform;
use crate::store::Away;

/// So many hosts may have migrated a zone on, one after the other.
const FOLLOWED: usize = 8;

impl Engine {
    /// Where a zone is that its refuge may have migrated on, and so on: its record as it is then, and that host.
    pub(super) async fn follow(
        &self,
        away: &Away,
        refuge: Arc<dyn Host>,
    ) -> Result<(Away, Arc<dyn Host>), String> {
        let (mut away, mut refuge) = (away.clone(), refuge);
        for _ in 0..FOLLOWED {
            let known = told(refuge.whereabouts(away.uuid).await.map(Some))?;
            let Some(Whereabouts::Migrated(next)) = known else { break };
            let moved = format!("{} has migrated it to {next}", refuge.name());
            self.watcher.event(&Event::Warning(&format!("{}: {moved}; it returns from there", away.zone)));
            refuge = self.peers.reach(&next).await.map_err(|reason| format!("{moved}: {reason}"))?;
            away.refuge = next;
        }
        Ok((away, refuge))
    }
}

/// What a refuge has said of where a zone has gone. Whoever is too old to be asked has not moved it; an answer that did
/// not come is none.
fn told<T>(answer: Result<Option<T>, HostError>) -> Result<Option<T>, String> {
    match answer {
        Err(error) if error.is_not_understood() => Ok(None),
        answer => answer.map_err(|error| format!("where it is cannot be told: {error}")),
    }
}

/// How the zone can come back, found out at its refuge.
pub(super) async fn way_back(
    away: &Away,
    refuge: &dyn Host,
    options: &Options,
    platform: &dyn Platform,
) -> Result<Kind, Readiness> {
    let boot = platform.boot_command(&away.zone, away.brand);
    let failed = |reason: String| Readiness::Failed(reason);
    let inventory = refuge.inventory().await.map_err(|error| failed(error.to_string()))?;
    let name = refuge.name();
    let Some(zone) = inventory.zones.iter().find(|zone| zone.uuid == away.uuid) else {
        let known = told(refuge.whereabouts(away.uuid).await.map(Some)).map_err(failed)?;
        return Err(failed(match known {
            Some(Whereabouts::Configured) => format!(
                "it was detached on {name}; attach it there ('sysadm zone attach {}'), or give it up: sysadm evacuate --forget {}",
                away.zone, away.zone
            ),
            Some(Whereabouts::Evacuated(uri)) => format!(
                "{name} has evacuated it to {uri}; first return it to {name}: run 'sysadm evacuate -r {}' there",
                away.zone
            ),
            _ => format!(
                "it is no longer on {name}: moved on or removed there; find it, or give it up: 'sysadm evacuate --forget {}' makes it configured here",
                away.zone
            ),
        }));
    };
    if zone.name != away.zone {
        return Err(failed(format!("it is called {} on {name} now; rename it there first", zone.name)));
    }
    // A zone comes back as it went.
    let restarts = away.kind == Kind::Restart || options.actions.of(&away.zone) == Action::Restart;
    match (zone.is_running(), zone.brand) {
        (true, _) if restarts => match way(zone, Action::Restart) {
            Ok(Way::Move(kind)) => Ok(kind),
            Ok(Way::Rest(_) | Way::Stay) => Err(Readiness::Skipped("it cannot be restarted".to_owned())),
            Err(reason) => Err(Readiness::Skipped(format!("on {name}: {reason}"))),
        },
        (true, Brand::Kvm) => Ok(Kind::Live),
        (true, Brand::Lxc) => Err(Readiness::Skipped(format!(
            "a running lxc zone cannot be migrated live; return it with --action restart, or shut it down on {name} and use -ra"
        ))),
        (false, _) if options.all || options.zones.contains(&away.zone) => Ok(Kind::Cold),
        (false, _) if away.was_running => {
            let reason = "it ran when it left and does not run on";
            Err(Readiness::Skipped(format!(
                "{reason} {name}; boot it there: {boot}; or -ra returns it as it is"
            )))
        }
        (false, _) => Err(Readiness::Skipped(format!("it does not run on {name}; -ra returns it too"))),
    }
}
