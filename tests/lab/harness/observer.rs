//! Watches guests from outside, without any code of the tool: on which hosts they run, and whether they tick.

mod places;
mod reported;
mod ticks;
mod virsh;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Lab;
use places::Places;
use reported::Downtimes;
use ticks::Ticks;

/// Two threads that watch until [`finish`](Self::finish).
pub struct Observer {
    over: Arc<AtomicBool>,
    places: Option<JoinHandle<Places>>,
    ticks: Option<JoinHandle<BTreeMap<String, Ticks>>>,
    downtimes: Downtimes,
}

/// What was seen.
#[derive(Debug)]
pub struct Report {
    /// What the hypervisors reported.
    pub places: Places,
    /// The ticks of each guest.
    pub guests: BTreeMap<String, Ticks>,
    /// The downtimes that the tool has reported meanwhile, longest first.
    pub reported: BTreeMap<String, Vec<Duration>>,
}

impl Observer {
    /// Watches these KVM guests of a lab, and on which hosts anything runs.
    pub fn start(lab: &Lab, guests: &[&str]) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let pid_files: Vec<_> = lab.hosts().map(|host| host.path("pid")).collect();
        let names: Vec<_> = guests.iter().map(|guest| (*guest).to_owned()).collect();
        let logs: Vec<_> =
            names.iter().map(|guest| (guest.clone(), lab.shared().join(format!("{guest}.log")))).collect();
        let (stop, stop_too) = (Arc::clone(&over), Arc::clone(&over));
        Self {
            over,
            downtimes: Downtimes::of(lab),
            places: Some(std::thread::spawn(move || places::watch(&pid_files, &names, &stop))),
            ticks: Some(std::thread::spawn(move || ticks::watch(&logs, &stop_too))),
        }
    }

    /// Returns what was seen.
    pub fn finish(mut self) -> Report {
        self.over.store(true, Ordering::Relaxed);
        let guests = self.ticks.take().unwrap().join().unwrap();
        let places = self.places.take().unwrap().join().unwrap();
        Report { places, guests, reported: self.downtimes.since() }
    }

    /// Nothing may have run twice, and no tick may be lost or repeated.
    #[track_caller]
    pub fn finds_nothing_wrong(self) -> Report {
        let report = self.finish();
        let Places { doubles, nowhere, rounds } = &report.places;
        assert!(*rounds > 0, "the hosts never all answered");
        assert!(doubles.is_empty(), "these ran on two hosts at once: {doubles:?}");
        assert!(nowhere.is_empty(), "these were known to no host: {nowhere:?}");
        for (guest, ticks) in &report.guests {
            let Ticks { breaks, others, .. } = ticks;
            assert!(
                breaks.is_empty(),
                "{guest}: ticks were lost or repeated: {breaks:?}; it printed {others:?}"
            );
            assert!(ticks.count > 0, "{guest} never ticked");
        }
        report
    }

    /// Nor may anything have been stopped for longer than the tool has reported.
    #[track_caller]
    pub fn finds_nothing_wrong_or_unreported(self) -> Report {
        let report = self.finds_nothing_wrong();
        let unreported = report.unreported();
        assert!(unreported.is_empty(), "these stood still for longer than was reported: {unreported:#?}");
        report
    }
}

impl Report {
    /// Guests that were stopped for longer than was reported, and how that is known.
    pub fn unreported(&self) -> Vec<String> {
        let none = Vec::new();
        let check = |(guest, ticks): (&String, &Ticks)| {
            let reported = self.reported.get(guest).unwrap_or(&none);
            ticks.longer_than(reported).map(|how| format!("{guest}: {how}"))
        };
        self.guests.iter().filter_map(check).collect()
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}
