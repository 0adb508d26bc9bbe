//! A plan as a file (JSON): what is to be done, and what that was decided on.
//!
//! It is made once, reviewed, and carried out exactly: by another person, or at night. So it contains the whole
//! fleet that it was made from, and a hash of everything; [`changes()`] says whether hosts and zones are still
//! such that the plan makes sense.

mod changes;
mod differ;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

pub use changes::{PlanChange, changes};
pub use differ::{ZoneDifference, differences};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::{Action, Fleet, HostIx, HostKey, Leg, Plan, PlannedMove, Rules, ZoneIx};
use crate::model::{Method, Millis, UnmanagedGuest, ZoneName};

/// The version of the format that this program writes.
pub const FORM: u32 = 1;

/// A plan with everything that it was made from. Sizes in bytes, times in ms from its begin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// [`FORM`].
    pub form: u32,
    pub created: Millis,
    /// The hosts to be emptied, or to which zones return.
    pub hosts: Vec<HostKey>,
    /// The policy's name.
    pub policy: String,
    /// The policy's rules.
    pub rules: Rules,
    /// What it was made from.
    pub fleet: Fleet,
    /// By begin.
    pub moves: Vec<FileMove>,
    /// Zones that cannot be placed, and why.
    pub unplaced: Vec<UnplacedZone>,
    /// When the last move ends.
    pub makespan_ms: u64,
    /// No order of these moves ends sooner.
    pub lower_bound_ms: u64,
    /// With a probability of 95 % the last move ends at most that much later.
    pub margin_ms: u64,
    /// SHA-256 of everything else, in hexadecimal.
    pub hash: String,
}

/// One move of a plan, with names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileMove {
    pub zone: ZoneName,
    /// The host that it leaves.
    pub from: HostKey,
    /// The host at which this move ends.
    pub to: HostKey,
    /// Which part of the zone's way this is.
    pub leg: Leg,
    pub method: Method,
    pub action: Action,
    pub start_ms: u64,
    pub end_ms: u64,
    /// The zone's downtime.
    pub downtime_ms: u64,
    /// The bandwidth that it gets, in bytes per second.
    pub rate: u64,
}

/// A zone that cannot be placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnplacedZone {
    /// The zone, or the name of a guest that cannot be handled.
    pub zone: String,
    /// The host on which it stays.
    pub host: HostKey,
    /// All reasons.
    pub reasons: Vec<String>,
}

impl UnplacedZone {
    /// A guest of that host that cannot be handled.
    pub fn unhandled(host: &HostKey, unmanaged_guest: &UnmanagedGuest) -> Self {
        let reasons = vec![format!("it cannot be handled: {}", unmanaged_guest.reason)];
        Self { zone: unmanaged_guest.label(), host: host.clone(), reasons }
    }
}

/// Why a text is not a usable plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// It is not well formed.
    #[error("not a plan: {0}")]
    Form(#[from] serde_json::Error),
    /// A later version has written it.
    #[error("a plan of form {0}; this sysadm knows form {FORM}")]
    Later(u32),
    /// It moves a zone that is not in its fleet.
    #[error("it moves zone {0}, which is not in its fleet")]
    UnknownZone(ZoneName),
    /// It moves a zone from or to a host that is not in its fleet.
    #[error("it moves zone {zone} from or to host {host}, which is not in its fleet")]
    UnknownHost { zone: ZoneName, host: HostKey },
    /// It was changed after it was made.
    #[error("it was changed after it was made: its hash is {found}, and it says {said}")]
    Changed {
        /// The hash of its contents.
        found: String,
        /// The hash in the file.
        said: String,
    },
}

impl crate::model::Hinted for PlanFileError {}

impl PlanFile {
    /// A plan with names instead of numbers, with its hash.
    pub fn new(about: About, fleet: Fleet, rules: Rules, plan: &Plan, unplaced: Vec<UnplacedZone>) -> Self {
        let host = |ix: HostIx| fleet.hosts.get(ix.0 as usize).map(|host| host.name.clone());
        let zone = |ix: ZoneIx| fleet.zones.get(ix.0 as usize).map(|zone| zone.name.clone());
        // All numbers of a plan are those of the fleet that it was made from.
        let moves = plan.moves.iter().filter_map(|a_move| {
            Some(FileMove {
                zone: zone(a_move.zone)?,
                from: host(a_move.from)?,
                to: host(a_move.to)?,
                leg: a_move.leg,
                method: a_move.method,
                action: a_move.action,
                start_ms: a_move.start_ms,
                end_ms: a_move.end_ms,
                downtime_ms: a_move.downtime_ms,
                rate: a_move.rate,
            })
        });
        let mut file = Self {
            form: FORM,
            created: about.created,
            hosts: about.hosts,
            policy: about.policy,
            moves: moves.collect(),
            unplaced,
            makespan_ms: plan.makespan_ms,
            lower_bound_ms: plan.lower_bound_ms,
            margin_ms: plan.margin_ms,
            rules,
            fleet,
            hash: String::new(),
        };
        file.hash = file.digest();
        file
    }

    /// The part of the plan that a host carries out when it is emptied: moves away from it.
    #[must_use]
    pub fn leaving(self, here: &HostKey) -> Self {
        let mut plan = self.seen_from(here);
        plan.moves.retain(|one| one.from == *here);
        plan
    }

    /// The part of the plan that a host carries out when its zones return: moves to it, including those by way of
    /// a third host.
    #[must_use]
    pub fn returning(self, here: &HostKey) -> Self {
        let mut plan = self.seen_from(here);
        let arrives = |one: &&FileMove| one.leg != Leg::First && one.to == *here;
        let zones: HashSet<_> = plan.moves.iter().filter(arrives).map(|one| one.zone.clone()).collect();
        plan.moves.retain(|one| zones.contains(&one.zone) && (one.to == *here || one.leg == Leg::First));
        plan
    }

    /// The plan as seen from a host that calls itself `here`. Others may know it by a URI.
    fn seen_from(mut self, here: &HostKey) -> Self {
        let is_here = |name: &HostKey| name.host() == here.host();
        let own = |name: &mut HostKey| {
            if is_here(name) {
                here.clone_into(name);
            }
        };
        self.moves.iter_mut().for_each(|one| [&mut one.from, &mut one.to].into_iter().for_each(own));
        self.hosts.retain(|host| is_here(host));
        self.hosts.iter_mut().for_each(own);
        self.unplaced.retain(|one| is_here(&one.host));
        self.fleet.hosts.iter_mut().for_each(|host| own(&mut host.name));
        self.fleet.zones.iter_mut().for_each(|zone| {
            own(&mut zone.host);
            zone.home.iter_mut().for_each(own);
        });
        self
    }

    /// The plan with numbers instead of names.
    pub fn plan(&self) -> Plan {
        let number = |place: Option<usize>| u32::try_from(place?).ok();
        let host =
            |name: &HostKey| number(self.fleet.hosts.iter().position(|host| host.name == *name)).map(HostIx);
        let homes: HashMap<_, _> =
            (0..).zip(&self.fleet.zones).map(|(ix, zone)| (&zone.name, ZoneIx(ix))).collect();
        // All names are known: that was checked when the file was read.
        let moves = self.moves.iter().filter_map(|one| {
            Some(PlannedMove {
                zone: *homes.get(&one.zone)?,
                from: host(&one.from)?,
                to: host(&one.to)?,
                leg: one.leg,
                method: one.method,
                action: one.action,
                start_ms: one.start_ms,
                end_ms: one.end_ms,
                downtime_ms: one.downtime_ms,
                rate: one.rate,
            })
        });
        Plan {
            moves: moves.collect(),
            blocked: Vec::new(),
            makespan_ms: self.makespan_ms,
            lower_bound_ms: self.lower_bound_ms,
            margin_ms: self.margin_ms,
        }
    }

    /// Parses a plan file, and checks its hash.
    ///
    /// # Errors
    /// With line and column if it is not well formed.
    pub fn parse(text: &str) -> Result<Self, PlanFileError> {
        /// Parsed first, so that a later version is reported instead of its unknown keys.
        #[derive(Deserialize)]
        struct Version {
            form: u32,
        }
        let version: Version = serde_json::from_str(text)?;
        if version.form > FORM {
            return Err(PlanFileError::Later(version.form));
        }
        let file: Self = serde_json::from_str(text)?;
        let found = file.digest();
        if found != file.hash {
            return Err(PlanFileError::Changed { found, said: file.hash });
        }
        file.check_names()?;
        Ok(file)
    }

    /// Every move must be of a zone and between hosts of the fleet.
    fn check_names(&self) -> Result<(), PlanFileError> {
        let zones: HashSet<_> = self.fleet.zones.iter().map(|zone| &zone.name).collect();
        let hosts: HashSet<_> = self.fleet.hosts.iter().map(|host| &host.name).collect();
        for one in &self.moves {
            if !zones.contains(&one.zone) {
                return Err(PlanFileError::UnknownZone(one.zone.clone()));
            }
            if let Some(host) = [&one.from, &one.to].into_iter().find(|host| !hosts.contains(host)) {
                return Err(PlanFileError::UnknownHost { zone: one.zone.clone(), host: host.clone() });
            }
        }
        Ok(())
    }

    /// The text of the file.
    ///
    /// # Errors
    /// If a number cannot be written (an infinite load, for example).
    pub fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// The hash of everything but itself.
    fn digest(&self) -> String {
        let blank = Self { hash: String::new(), ..self.clone() };
        let bytes = serde_json::to_vec(&blank).unwrap_or_default();
        digest(&SHA256, &bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// For which hosts, when and with which policy a plan was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    pub created: Millis,
    /// The hosts to be emptied, or to which zones return.
    pub hosts: Vec<HostKey>,
    /// The policy's name.
    pub policy: String,
}
