//! Which rules a plan violates when it is simulated.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::plan::forecast::used;
use crate::plan::{Fleet, FleetZone, HostIx, PlannedMove, Rules, ZoneIx};

/// A violated rule, and when (ms).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breach {
    /// When a zone began to arrive, its host lacked that many bytes of memory.
    Memory { at_ms: u64, host: HostIx, missing: u64 },
    /// More moves left a host at the same time, or arrived at it, than allowed.
    Slots { at_ms: u64, host: HostIx },
    /// Two zones that must be kept apart were on one host, or on their way there.
    Apart { at_ms: u64, host: HostIx, zones: (ZoneIx, ZoneIx) },
    /// Two zones of a one-by-one group moved at the same time.
    OneByOne { at_ms: u64, zones: (ZoneIx, ZoneIx) },
    /// The first zone began before the second one had ended.
    After { at_ms: u64, zones: (ZoneIx, ZoneIx) },
    /// A move began on a host on which its zone was not.
    NotThere { at_ms: u64, zone: ZoneIx },
    /// A zone kept writing to its memory faster than the memory could be sent.
    NeverConverges { at_ms: u64, zone: ZoneIx },
}

/// Where everything is.
pub(super) struct Scene<'a> {
    fleet: &'a Fleet,
    rules: &'a Rules,
    places: Vec<Option<HostIx>>,
    /// Free memory of each host beyond its headroom, in bytes.
    memory: Vec<i128>,
    moving: Vec<PlannedMove>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(fleet: &'a Fleet, rules: &'a Rules) -> Self {
        let hosts: HashMap<_, _> =
            (0..).map(HostIx).zip(&fleet.hosts).map(|(n, host)| (&host.name, n)).collect();
        let places = fleet.zones.iter().map(|zone| hosts.get(&zone.host).copied()).collect();
        let headroom = |memory: u64| (memory as f64 * rules.headroom).ceil() as i128;
        let memory =
            fleet.hosts.iter().map(|host| i128::from(host.memory_free) - headroom(host.memory)).collect();
        Self { fleet, rules, places, memory, moving: Vec::new() }
    }

    pub(super) fn end(&mut self, one: &PlannedMove) {
        self.moving.retain(|other| other.zone != one.zone);
        let Some(zone) = self.zone(one.zone) else { return };
        let at_home = self.fleet.hosts.get(one.from.0 as usize).is_some_and(|host| host.name == zone.host);
        let back = if at_home && zone.huge_page.is_none() { used(zone) } else { needs(zone) };
        if let Some(memory) = self.memory.get_mut(one.from.0 as usize) {
            *memory += i128::from(back);
        }
        if let Some(place) = self.places.get_mut(one.zone.0 as usize) {
            *place = Some(one.to);
        }
    }

    /// The violations of a move that begins now. `open` are the zones of all moves that have not ended.
    pub(super) fn begin(
        &mut self,
        at_ms: u64,
        one: &PlannedMove,
        open: impl Iterator<Item = ZoneIx>,
    ) -> Vec<Breach> {
        let Some(zone) = self.zone(one.zone) else { return Vec::new() };
        let mut breaches = Vec::new();
        if self.places.get(one.zone.0 as usize) != Some(&Some(one.from)) {
            breaches.push(Breach::NotThere { at_ms, zone: one.zone });
        }
        if let Some(memory) = self.memory.get_mut(one.to.0 as usize) {
            *memory -= i128::from(needs(zone));
            if *memory < 0 && needs(zone) > 0 {
                let missing = u64::try_from(memory.unsigned_abs()).unwrap_or(u64::MAX);
                breaches.push(Breach::Memory { at_ms, host: one.to, missing });
            }
        }
        let count = |on: &dyn Fn(&PlannedMove) -> bool| self.moving.iter().filter(|other| on(other)).count();
        if count(&|other| other.from == one.from) >= self.rules.outbound.max(1) as usize {
            breaches.push(Breach::Slots { at_ms, host: one.from });
        }
        if count(&|other| other.to == one.to) >= self.rules.inbound.max(1) as usize {
            breaches.push(Breach::Slots { at_ms, host: one.to });
        }
        for (other, its) in (0..).map(ZoneIx).zip(&self.fleet.zones).filter(|(other, _)| *other != one.zone) {
            let zones = (one.zone, other);
            if self.is_at(other, one.to) && !its.apart.is_disjoint(&zone.apart) {
                breaches.push(Breach::Apart { at_ms, host: one.to, zones });
            }
            let moves = || self.moving.iter().any(|moving| moving.zone == other);
            if !its.one_by_one.is_disjoint(&zone.one_by_one) && moves() {
                breaches.push(Breach::OneByOne { at_ms, zones });
            }
        }
        let first = |other: &ZoneIx| self.zone(*other).is_some_and(|other| zone.after.contains(&other.name));
        breaches.extend(open.filter(first).map(|other| Breach::After { at_ms, zones: (one.zone, other) }));
        self.moving.push(*one);
        breaches
    }

    /// Whether it is there, or on its way there.
    fn is_at(&self, zone: ZoneIx, host: HostIx) -> bool {
        self.places.get(zone.0 as usize) == Some(&Some(host))
            || self.moving.iter().any(|moving| moving.zone == zone && moving.to == host)
    }

    fn zone(&self, zone: ZoneIx) -> Option<&'a FleetZone> {
        self.fleet.zones.get(zone.0 as usize)
    }
}

/// Bytes of ordinary memory that a zone takes where it arrives.
const fn needs(zone: &FleetZone) -> u64 {
    if zone.running && zone.huge_page.is_none() { zone.memory } else { 0 }
}
