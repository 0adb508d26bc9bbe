//! What has changed since a plan was made, as far as it matters to the plan. Pure.
//!
//! A zone that the plan moves must be where it was, and must not have grown. A host to which it goes must still
//! be able to accept it. A zone that has since arrived on a host to be emptied would be left behind. Other
//! changes (a load, a zone that went away, more room) do not matter.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{FileMove, PlanFile};
use crate::model::{ZoneName, format_bytes};
use crate::plan::{Fleet, FleetHost, FleetZone, HostKey, Leg};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanChange {
    /// The zone or host.
    pub subject: String,
    /// What is different.
    pub what: String,
}

impl fmt::Display for PlanChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.what)
    }
}

/// All reasons not to carry out the plan now. `now` contains the hosts that answered.
pub fn changes(plan: &PlanFile, now: &Fleet) -> Vec<PlanChange> {
    let mut found = Vec::new();
    zones(plan, now, &mut found);
    newcomers(plan, now, &mut found);
    hosts(plan, now, &mut found);
    found
}

fn zone_of<'a>(fleet: &'a Fleet, name: &ZoneName, host: &HostKey) -> Option<&'a FleetZone> {
    fleet.zones.iter().find(|zone| zone.name == *name && zone.host == *host)
}

fn host_of<'a>(fleet: &'a Fleet, name: &HostKey) -> Option<&'a FleetHost> {
    fleet.hosts.iter().find(|host| host.name == *name)
}

/// The zones that the plan moves.
fn zones(plan: &PlanFile, now: &Fleet, found: &mut Vec<PlanChange>) {
    for a_move in plan.moves.iter().filter(|a_move| a_move.leg != Leg::Second) {
        let (zone, host) = (&a_move.zone, &a_move.from);
        let mut say = |what: String| found.push(PlanChange { subject: zone.to_string(), what });
        let Some(before) = zone_of(&plan.fleet, zone, host) else { continue };
        match zone_of(now, zone, host) {
            Some(zone) => differs(before, zone).into_iter().for_each(say),
            None if host_of(now, host).is_none() => say(format!("{host} did not answer")),
            None => say(match now.zones.iter().find(|other| other.name == *zone) {
                Some(other) => format!("it is no longer on {host} but on {}", other.host),
                None => format!("it is no longer on {host}"),
            }),
        }
    }
}

/// The relevant differences of a zone.
fn differs(before: &FleetZone, now: &FleetZone) -> Vec<String> {
    let mut found = Vec::new();
    match (before.running, now.running) {
        (true, false) => found.push("it no longer runs".to_owned()),
        (false, true) => found.push("it runs now".to_owned()),
        _ => {}
    }
    if before.brand != now.brand {
        found.push("its brand is another".to_owned());
    }
    if now.memory > before.memory {
        let (was, is) = (format_bytes(before.memory), format_bytes(now.memory));
        found.push(format!("it needs {is} of memory, and needed {was}"));
    }
    if now.cpus > before.cpus {
        found.push(format!("it has {} virtual processors, and had {}", now.cpus, before.cpus));
    }
    let mut more = |what: &str, before: &BTreeSet<String>, now: &BTreeSet<String>| {
        let new: Vec<_> = now.difference(before).map(String::as_str).collect();
        if !new.is_empty() {
            found.push(format!("it needs {what} {} now", new.join(", ")));
        }
    };
    more("network", &before.networks, &now.networks);
    more("storage", &before.storage, &now.storage);
    found
}

/// Zones that run on a host to be emptied and are not in the plan. Hosts to which zones return do not count.
fn newcomers(plan: &PlanFile, now: &Fleet, found: &mut Vec<PlanChange>) {
    let takes = |host: &&HostKey| plan.moves.iter().any(|one| one.to == **host);
    let emptied: BTreeSet<_> = plan.hosts.iter().filter(|host| !takes(host)).collect();
    let known: BTreeSet<_> = plan.fleet.zones.iter().map(|zone| (&zone.name, &zone.host)).collect();
    let here = |zone: &&FleetZone| zone.running && emptied.contains(&zone.host);
    for zone in now.zones.iter().filter(here) {
        if !known.contains(&(&zone.name, &zone.host)) {
            let what = format!("it runs on {} now, and the plan does not know it", zone.host);
            found.push(PlanChange { subject: zone.name.to_string(), what });
        }
    }
}

/// The hosts to which zones go, with all zones that go there.
fn hosts(plan: &PlanFile, now: &Fleet, found: &mut Vec<PlanChange>) {
    let mut arrivals: BTreeMap<&HostKey, Vec<&FileMove>> = BTreeMap::new();
    for a_move in &plan.moves {
        arrivals.entry(&a_move.to).or_default().push(a_move);
    }
    for (name, arriving) in arrivals {
        let mut say = |what: String| found.push(PlanChange { subject: name.to_string(), what });
        let (Some(before), Some(host)) = (host_of(&plan.fleet, name), host_of(now, name)) else {
            say(match name {
                HostKey::Uri(_) => "it did not answer".to_owned(),
                HostKey::Name(_) => "the plan has no URI for it".to_owned(),
            });
            continue;
        };
        if let Some(who) = host.maintenance.as_ref().filter(|_| before.maintenance.is_none()) {
            say(format!("it is in maintenance now ({who})"));
        }
        if let Some(when) = host.announced.as_ref().filter(|_| before.announced.is_none()) {
            say(format!("its maintenance begins at {when} now"));
        }
        if host.arch != before.arch {
            say(format!("it is {} and was {}", host.arch, before.arch));
        }
        if host.hypervisor < before.hypervisor {
            say("its hypervisor is older than it was".to_owned());
        }
        less("network", &before.networks, &host.networks).into_iter().for_each(&mut say);
        less("storage", &before.storage, &host.storage).into_iter().for_each(&mut say);
        less("processor feature", &before.cpu_features, &host.cpu_features).into_iter().for_each(&mut say);
        if let Some(what) = room(plan, before, host, &arriving) {
            say(what);
        }
    }
}

/// What a host no longer has.
fn less(what: &str, before: &Option<BTreeSet<String>>, now: &Option<BTreeSet<String>>) -> Option<String> {
    let (before, now) = (before.as_ref()?, now.as_ref()?);
    let gone: Vec<_> = before.difference(now).map(String::as_str).collect();
    (!gone.is_empty()).then(|| format!("it has {what} {} no longer", gone.join(", ")))
}

/// Whether the arriving zones still fit, considering those that leave.
fn room(plan: &PlanFile, before: &FleetHost, now: &FleetHost, arriving: &[&FileMove]) -> Option<String> {
    // The plan fitted then, so only less room than then is a change.
    if now.memory_free >= before.memory_free {
        return None;
    }
    let memory = |a_move: &FileMove| {
        let zone = plan.fleet.zones.iter().find(|zone| zone.name == a_move.zone);
        zone.filter(|zone| zone.running).map_or(0, |zone| zone.memory)
    };
    let needed: u64 = arriving.iter().map(|a_move| memory(a_move)).sum();
    let leaving = plan.moves.iter().filter(|a_move| a_move.from == now.name);
    let given: u64 = leaving.map(memory).sum();
    let kept = (now.memory as f64 * plan.rules.headroom) as u64;
    let free = now.memory_free.saturating_add(given).saturating_sub(kept);
    (needed > free).then(|| {
        format!(
            "it has {} of memory free for what goes there, {} are needed; it had {}",
            format_bytes(now.memory_free),
            format_bytes(needed),
            format_bytes(before.memory_free)
        )
    })
}
