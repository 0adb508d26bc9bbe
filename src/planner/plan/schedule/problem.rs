//! From zones, hosts and rules to moves and stocks.

use std::collections::{BTreeMap, HashMap};

use super::plan::{BlockedReason, Leg, PlannedMove, Resource};
use super::rate;
use super::stock::{ScheduleProblem, SearchMove, Stocks, Use, What, signed};
use super::{Given, Terms};
use crate::model::Method;
use crate::plan::forecast::{Trip, used};
use crate::plan::{Action, FleetHost, FleetZone, HostIx, ZoneIx};

/// The zones on a host at the begin.
#[derive(Clone, Default)]
struct Tenants {
    zones: i64,
    cpus: i64,
    apart: BTreeMap<String, i64>,
}

pub(super) struct Builder<'a> {
    given: &'a Given<'a>,
    homes: Vec<Option<HostIx>>,
    tenants: Vec<Tenants>,
    groups: BTreeMap<&'a str, usize>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(given: &'a Given<'a>) -> Self {
        let fleet = given.fleet;
        let names: HashMap<_, _> = fleet.hosts.iter().enumerate().map(|(n, host)| (&host.name, n)).collect();
        let mut tenants = vec![Tenants::default(); fleet.hosts.len()];
        let homes = fleet.zones.iter().map(|zone| {
            let home = names.get(&zone.host).copied();
            if let Some(there) = home.and_then(|home| tenants.get_mut(home)) {
                there.zones += 1;
                there.cpus += if zone.running { i64::from(zone.cpus) } else { 0 };
                for group in &zone.apart {
                    *there.apart.entry(group.clone()).or_default() += 1;
                }
            }
            home.map(|home| HostIx(home as u32))
        });
        let homes = homes.collect();
        let mut groups = BTreeMap::new();
        for group in fleet.zones.iter().flat_map(|zone| zone.apart.iter().chain(&zone.one_by_one)) {
            let next = groups.len();
            groups.entry(group.as_str()).or_insert(next);
        }
        Self { given, homes, tenants, groups }
    }

    /// The name of a group, by its number.
    pub(super) fn group(&self, number: usize) -> String {
        let found = self.groups.iter().find(|(_, one)| **one == number);
        found.map(|(name, _)| (*name).to_owned()).unwrap_or_default()
    }

    /// Where a zone is.
    pub(super) fn home(&self, zone: ZoneIx) -> Option<HostIx> {
        self.homes.get(zone.0 as usize).copied().flatten()
    }

    /// All moves of these zones, with detours for those in `via`; and the moves that can never be made.
    pub(super) fn build(
        &self,
        zones: &[(ZoneIx, HostIx)],
        via: &BTreeMap<ZoneIx, HostIx>,
    ) -> (ScheduleProblem, Vec<(ZoneIx, BlockedReason)>) {
        let mut problem = ScheduleProblem::default();
        let (mut never, mut last) = (Vec::new(), HashMap::<&str, Vec<usize>>::new());
        for &(zone, to) in zones {
            let (Some(one), Some(home)) = (self.zone(zone), self.home(zone)) else {
                never.push((zone, BlockedReason::NoLine));
                continue;
            };
            let legs = match via.get(&zone) {
                Some(&third) => vec![(home, third, Leg::First), (third, to, Leg::Second)],
                None => vec![(home, to, Leg::Whole)],
            };
            let jobs: Result<Vec<_>, _> =
                legs.into_iter().map(|leg| self.job(&mut problem.stocks, zone, leg)).collect();
            match jobs {
                Err(obstacle) => never.push((zone, obstacle)),
                Ok(jobs) => {
                    for mut job in jobs {
                        let number = problem.jobs.len();
                        if job.draft.leg == Leg::Second {
                            job.after.push(number.saturating_sub(1));
                        }
                        problem.jobs.push(job);
                    }
                    last.entry(one.name.as_str()).or_default().push(problem.jobs.len() - 1);
                }
            }
        }
        for job in problem.jobs.iter_mut().filter(|job| job.draft.leg != Leg::Second) {
            let names = self.zone(job.draft.zone).map(|one| &one.after).into_iter().flatten();
            job.after.extend(names.filter_map(|name| last.get(name.as_str())).flatten());
        }
        (problem, never)
    }

    fn zone(&self, zone: ZoneIx) -> Option<&'a FleetZone> {
        self.given.fleet.zones.get(zone.0 as usize)
    }

    fn host(&self, host: HostIx) -> Option<&'a FleetHost> {
        self.given.fleet.hosts.get(host.0 as usize)
    }

    fn job(
        &self,
        stocks: &mut Stocks,
        zone: ZoneIx,
        (from, to, leg): (HostIx, HostIx, Leg),
    ) -> Result<SearchMove, BlockedReason> {
        let Terms { forecast, ready, .. } = self.given.terms;
        let (Some(one), Some(source), Some(target)) = (self.zone(zone), self.host(from), self.host(to))
        else {
            return Err(BlockedReason::NoLine);
        };
        let method = method_of(one)?;
        let trip = |rate| Trip { zone: one, method, from: source, to: target, rate };
        let lines = rate::lines(self.given, from, to);
        let rate = rate::highest(self.given, &lines, |rate| forecast(&trip(rate)))?;
        let forecast = forecast(&trip(rate)).map_err(BlockedReason::NeverConverges)?;
        let draft = PlannedMove {
            zone,
            from,
            to,
            leg,
            method,
            action: one.action,
            start_ms: 0,
            end_ms: 0,
            downtime_ms: forecast.downtime_ms,
            rate,
        };
        let mut holds: Vec<_> =
            lines.iter().map(|&(what, line)| stocks.of(what, rate, || signed(line))).collect();
        for (what, most) in rate::slots(self.given, from, to) {
            holds.push(stocks.of(what, 1, || i64::from(most)));
        }
        for group in &one.one_by_one {
            holds.push(stocks.of(What::OneByOne(self.number(group)), 1, || 1));
        }
        let of = |host| ready.get(&host).copied().unwrap_or(0);
        Ok(SearchMove {
            draft,
            length: forecast.total_ms.max(1),
            late: forecast.late_ms.saturating_sub(forecast.total_ms),
            ready: of(from).max(of(to)),
            priority: one.priority,
            takes: self.needs(stocks, one, to, one.memory),
            gives: self.needs(stocks, one, from, if leg == Leg::Second { one.memory } else { used(one) }),
            holds,
            after: Vec::new(),
        })
    }

    /// What a zone with that maximum memory needs of a host.
    fn needs(&self, stocks: &mut Stocks, one: &FleetZone, host: HostIx, memory: u64) -> Vec<Use> {
        let (Some(there), Some(tenants)) = (self.host(host), self.tenants.get(host.0 as usize)) else {
            return Vec::new();
        };
        let rules = self.given.rules;
        let mut room = |resource, amount: u64, level: &dyn Fn() -> i64| {
            (amount > 0).then(|| stocks.of(What::Room(host, resource), amount, level))
        };
        // Huge pages are taken and given back completely.
        let memory = if one.running { one.paged().unwrap_or(memory) } else { 0 };
        let mut needs = vec![match one.huge_page {
            Some(size) => room(Resource::HugePages(size), memory, &|| {
                there
                    .huge_pages
                    .iter()
                    .filter(|pages| pages.size == size)
                    .fold(0, |all: i64, p| all.saturating_add(signed(p.size.saturating_mul(p.free))))
            }),
            None => room(Resource::Memory, memory, &|| {
                signed(there.memory_free) - (there.memory as f64 * rules.headroom).ceil() as i64
            }),
        }];
        needs.push(room(Resource::Disk, one.disk, &|| signed(there.disk_free)));
        if let (Some(most), true) = (there.vcpus(rules), one.running) {
            let level = || i64::from(most) - tenants.cpus;
            needs.push(room(Resource::Cpus, u64::from(one.cpus), &level));
        }
        if let Some(most) = rules.max_zones {
            needs.push(room(Resource::Zones, 1, &|| i64::from(most) - tenants.zones));
        }
        let mut needs: Vec<_> = needs.into_iter().flatten().collect();
        for group in &one.apart {
            let there = tenants.apart.get(group).copied().unwrap_or(0);
            needs.push(stocks.of(What::Apart(host, self.number(group)), 1, || 1 - there));
        }
        needs
    }

    fn number(&self, group: &str) -> usize {
        self.groups.get(group).copied().unwrap_or(usize::MAX)
    }
}

/// The method.
fn method_of(zone: &FleetZone) -> Result<Method, BlockedReason> {
    match (zone.action, zone.running) {
        (Action::Live, true) if zone.is_bound() => Err(BlockedReason::NotLive),
        (Action::Live, true) => Ok(Method::Live),
        (Action::Live | Action::Restart, false) => Ok(Method::Cold),
        (Action::Restart, true) => Ok(Method::Restart),
        (stays @ (Action::Stop | Action::Suspend | Action::Leave), ..) => Err(BlockedReason::Stays(stays)),
    }
}
