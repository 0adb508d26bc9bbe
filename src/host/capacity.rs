//! Whether an incoming zone finds room besides the zones that are here and the reservations. Pure.
//!
//! ```text
//!   taken  =  zones that run here  +  reservations of zones that are not here yet
//! ```
//!
//! A zone that is arriving has a reservation and already a process here, but counts once: its CPUs are those of
//! the process; its memory is that of the reservation until all of it has arrived, because the process has not
//! allocated it before.

use crate::model::{Aux, Blocker, BlockerKind, CheckRequest, Method, Shortage, Zone, format_bytes};
use crate::platform::PlatformFacts;
use crate::store::Reservation;

/// A host's resources, and the zones on it.
pub(super) struct Capacity<'a> {
    pub host: &'a str,
    /// The platform's description of the host.
    pub facts: PlatformFacts,
    /// The zones that run here.
    pub running: Vec<Zone>,
    /// At least one of them is leaving.
    pub leaving: bool,
    /// Maximum number of virtual CPUs per CPU; 0: no limit.
    pub ratio: u32,
}

/// One resource: bytes of memory, or CPUs.
struct Amounts {
    wanted: u64,
    /// Available to the zone now.
    left: u64,
    /// Available to the zone on an empty host.
    all: u64,
    /// Reserved for other zones, which may not come.
    reserved: u64,
}

impl Capacity<'_> {
    /// The resources that do not suffice for that zone, `reserved` being the reservations of others.
    pub fn blockers(&self, request: &CheckRequest, reserved: &[Reservation]) -> Vec<Blocker> {
        [self.memory(request, reserved), self.cpus(request, reserved), self.disk(request, reserved)]
            .into_iter()
            .flatten()
            .collect()
    }

    fn memory(&self, request: &CheckRequest, reserved: &[Reservation]) -> Option<Blocker> {
        // A suspended or paused zone has arrived completely.
        let whole = |zone: &Zone| zone.aux != Some(Aux::MigratingIn);
        let reserved =
            self.not_here(reserved, whole).map(|reservation| reservation.memory).fold(0, u64::saturating_add);
        let coming = reserved.saturating_add(request.pending.memory);
        let amounts = Amounts {
            wanted: memory_of(request),
            left: self.facts.memory_free.saturating_sub(coming),
            all: self.facts.memory,
            reserved: coming,
        };
        let [wanted, left] = [amounts.wanted, amounts.left].map(format_bytes);
        let reason = format!("{wanted} of memory needed, {} has {left} free", self.host);
        self.blocker(BlockerKind::Memory, &amounts, reason)
    }

    fn disk(&self, request: &CheckRequest, reserved: &[Reservation]) -> Option<Blocker> {
        let whole = |zone: &Zone| zone.aux != Some(Aux::MigratingIn);
        let reserved = self.not_here(reserved, whole).map(|one| one.disk).fold(0, u64::saturating_add);
        let coming = reserved.saturating_add(request.pending.disk);
        let amounts = Amounts {
            wanted: request.disk,
            left: self.facts.disk_free.saturating_sub(coming),
            all: self.facts.disk,
            reserved: coming,
        };
        let [wanted, left] = [amounts.wanted, amounts.left].map(format_bytes);
        let reason = format!("{wanted} of disk space needed, {} has {left} free", self.host);
        self.blocker(BlockerKind::Disk, &amounts, reason)
    }

    fn cpus(&self, request: &CheckRequest, reserved: &[Reservation]) -> Option<Blocker> {
        if self.ratio == 0 {
            return None;
        }
        let sum = |cpus: &mut dyn Iterator<Item = u32>| cpus.map(u64::from).sum::<u64>();
        let here = sum(&mut self.running.iter().map(|zone| zone.cpus));
        let reserved = sum(&mut self.not_here(reserved, |_| true).map(|reservation| reservation.cpus));
        let coming = reserved + u64::from(request.pending.cpus);
        let all = u64::from(self.facts.cpus) * u64::from(self.ratio);
        let amounts = Amounts {
            wanted: u64::from(cpus_of(request)),
            left: all.saturating_sub(here + coming),
            all,
            reserved: coming,
        };
        let reason = format!(
            "{} virtual processor(s) needed, {} has {} left of {all} ({} for each of its {})",
            amounts.wanted, self.host, amounts.left, self.ratio, self.facts.cpus
        );
        self.blocker(BlockerKind::Cpu, &amounts, reason)
    }

    /// The reservations of zones that are not here yet, or not completely.
    fn not_here<'a>(
        &self,
        reserved: &'a [Reservation],
        as_it_should: impl Fn(&Zone) -> bool,
    ) -> impl Iterator<Item = &'a Reservation> {
        reserved.iter().filter(move |reservation| {
            !self.running.iter().any(|zone| zone.uuid == reservation.uuid && as_it_should(zone))
        })
    }

    fn blocker(&self, kind: BlockerKind, amounts: &Amounts, reason: String) -> Option<Blocker> {
        let missing = amounts.wanted.checked_sub(amounts.left).filter(|missing| *missing > 0)?;
        let may_free_up = self.leaving || missing <= amounts.reserved;
        let shortage = (amounts.wanted <= amounts.all).then_some(Shortage { missing, may_free_up });
        Some(Blocker { shortage, ..Blocker::new(kind, reason) })
    }
}

/// The memory that a zone needs on arrival, in bytes: none if it does not run.
pub(super) fn memory_of(request: &CheckRequest) -> u64 {
    match request.method {
        Method::Live | Method::Restart => request.manifest.zone.memory,
        Method::Cold => 0,
    }
}

/// The virtual CPUs that a zone needs on arrival: none if it does not run.
pub(super) fn cpus_of(request: &CheckRequest) -> u32 {
    match request.method {
        Method::Live | Method::Restart => request.manifest.zone.cpus,
        Method::Cold => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Manifest, Millis, PendingLoad, ZoneState};
    use crate::store::tests::sample;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn zone(number: u128, memory: u64, cpus: u32, aux: Option<Aux>) -> Zone {
        let uuid = Uuid::from_u128(number);
        Zone { uuid, memory, cpus, aux, state: ZoneState::Running, ..sample::zone("web") }
    }

    fn request(memory: u64, cpus: u32, method: Method) -> CheckRequest {
        let manifest = Manifest {
            zone: zone(0, memory, cpus, None),
            config: String::new(),
            platform: "sim".into(),
            disks: Vec::new(),
            networks: Vec::new(),
            interfaces: vec![],
            obstacles: Vec::new(),
            software: None,
            processor: None,
        };
        CheckRequest {
            manifest,
            method,
            from: "h1".into(),
            home: None,
            overwrite: false,
            force: false,
            pending: PendingLoad::default(),
            disk: 0,
            mappings: vec![],
            owners: vec![],
        }
    }

    fn reservation(number: u128, memory: u64, cpus: u32) -> Reservation {
        Reservation {
            zone: "other".parse().unwrap(),
            uuid: Uuid::from_u128(number),
            source: "h3".into(),
            memory,
            cpus,
            disk: 0,
            expires: Millis(0),
        }
    }

    /// A host of 100 bytes and 2 CPUs, with those zones.
    fn capacity(running: Vec<Zone>, memory_free: u64, ratio: u32) -> Capacity<'static> {
        let (hypervisor, arch) = (String::new(), String::new());
        let facts =
            PlatformFacts { hypervisor, arch, memory: 100, memory_free, cpus: 2, disk: 1000, disk_free: 400 };
        Capacity { host: "h2", facts, running, leaving: false, ratio }
    }

    fn found(
        capacity: &Capacity<'_>,
        request: &CheckRequest,
        reserved: &[Reservation],
    ) -> Vec<(String, Option<Shortage>)> {
        let blockers = capacity.blockers(request, reserved).into_iter();
        blockers.map(|blocker| (format!("{}: {blocker}", blocker.kind), blocker.shortage)).collect()
    }

    #[test]
    fn what_is_here_and_what_is_reserved_is_taken_and_the_figures_are_told() {
        let capacity = capacity(vec![zone(1, 20, 3, None)], 80, 4);
        let reserved = [reservation(2, 50, 4)];
        assert_eq!(found(&capacity, &request(30, 1, Method::Live), &reserved), []);
        assert_eq!(found(&capacity, &request(99, 9, Method::Cold), &reserved), []);
        let may_free_up = |missing| Some(Shortage { missing, may_free_up: true });
        assert_eq!(
            found(&capacity, &request(31, 2, Method::Live), &reserved),
            [
                ("memory: 31B of memory needed, h2 has 30B free".to_owned(), may_free_up(1)),
                (
                    "cpu: 2 virtual processor(s) needed, h2 has 1 left of 8 (4 for each of its 2)".to_owned(),
                    may_free_up(1)
                ),
            ]
        );
    }

    #[test]
    fn what_zones_under_way_would_make_up_for_is_told_from_what_only_others_could_and_from_what_never_fits() {
        let shortage = |capacity: &Capacity<'_>, memory, reserved: &[Reservation]| {
            capacity.blockers(&request(memory, 0, Method::Live), reserved)[0].shortage
        };
        let full = capacity(vec![zone(1, 90, 1, None)], 10, 0);
        assert_eq!(shortage(&full, 30, &[]), Some(Shortage { missing: 20, may_free_up: false }));
        assert_eq!(shortage(&full, 101, &[]), None);
        let leaving = Capacity { leaving: true, ..capacity(vec![zone(1, 90, 1, None)], 10, 0) };
        assert_eq!(shortage(&leaving, 30, &[]), Some(Shortage { missing: 20, may_free_up: true }));
        let reserved = [reservation(2, 3, 1)];
        assert_eq!(shortage(&full, 40, &reserved), Some(Shortage { missing: 33, may_free_up: false }));
        assert_eq!(shortage(&full, 8, &reserved), Some(Shortage { missing: 1, may_free_up: true }));
    }

    #[test]
    fn a_zone_that_is_reserved_and_here_counts_once() {
        let reserved = [reservation(1, 60, 8)];
        for (aux, memory_free) in [(Some(Aux::MigratingIn), 100), (Some(Aux::Paused), 40), (None, 40)] {
            let capacity = capacity(vec![zone(1, 60, 8, aux)], memory_free, 5);
            assert_eq!(found(&capacity, &request(40, 2, Method::Live), &reserved), [], "{aux:?}");
            assert_eq!(found(&capacity, &request(41, 3, Method::Live), &reserved).len(), 2, "{aux:?}");
        }
    }

    #[test]
    fn data_that_is_copied_needs_room_beside_what_is_reserved_and_what_is_shared_needs_none() {
        let capacity = capacity(vec![zone(1, 1, 1, None), zone(2, 1, 1, Some(Aux::MigratingIn))], 90, 0);
        let with = |number, disk| Reservation { disk, ..reservation(number, 0, 0) };
        // The first is here: its data is no longer reserved but there.
        let reserved = [with(1, 390), with(2, 100), with(3, 50)];
        let data = |disk, method| CheckRequest { disk, ..request(1, 1, method) };
        for method in [Method::Live, Method::Cold, Method::Restart] {
            assert_eq!(found(&capacity, &data(0, method), &[with(3, 5000)]), [], "{method}");
            assert_eq!(found(&capacity, &data(250, method), &reserved), [], "{method}");
            let shortage = Some(Shortage { missing: 1, may_free_up: true });
            let short = ("disk: 251B of disk space needed, h2 has 250B free".to_owned(), shortage);
            assert_eq!(found(&capacity, &data(251, method), &reserved), [short], "{method}");
            assert_eq!(found(&capacity, &data(1001, method), &[])[0].1, None, "{method}");
        }
        let pending = PendingLoad { disk: 300, ..PendingLoad::default() };
        let told = found(&capacity, &CheckRequest { pending, ..data(101, Method::Cold) }, &[]);
        assert_eq!(told[0].0, "disk: 101B of disk space needed, h2 has 100B free");
    }

    #[test]
    fn without_a_limit_processors_are_not_counted() {
        assert_eq!(found(&capacity(Vec::new(), 100, 0), &request(1, 1000, Method::Live), &[]), []);
        assert_eq!(found(&capacity(Vec::new(), 100, 1), &request(1, 3, Method::Live), &[]).len(), 1);
    }

    proptest! {
        #[test]
        fn no_order_of_arrivals_overbooks(zones in proptest::collection::vec((0..60_u64, 0..5_u32), 0..12)) {
            let capacity = capacity(Vec::new(), 100, 4);
            let mut reserved = Vec::new();
            for (number, (memory, cpus)) in zones.into_iter().enumerate() {
                if capacity.blockers(&request(memory, cpus, Method::Live), &reserved).is_empty() {
                    reserved.push(reservation(number as u128, memory, cpus));
                }
            }
            prop_assert!(reserved.iter().map(|one| one.memory).sum::<u64>() <= 100);
            prop_assert!(reserved.iter().map(|one| one.cpus).sum::<u32>() <= 8);
        }
    }
}
