//! What was learnt from moves that ended: by which factor the model is wrong, for moves like this one.
//!
//! For each class of moves the last ratios of actual to modelled time are kept. The classes are asked from the
//! widest to the narrowest (all of its method; similar memory and rate; also the same path), and each adjusts the
//! answer of the one before according to how many moves it has: a single odd move changes little, many change a
//! lot.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Forecast, Trip};

/// Number of ratios kept for each class.
const KEPT: usize = 31;
/// Number of classes kept; the one with the fewest moves is dropped first.
const CLASSES: usize = 1024;
/// The answer of the wider class counts as this many moves.
const TRUST: f64 = 2.0;
/// With fewer moves, a class says nothing about how widely times vary.
const SCATTER: usize = 5;
/// The factor that 1 of 20 moves exceeds if nothing is known: the error of the model alone.
const LATE: f64 = 1.4;

/// What a move took, and what [`Costs`](super::Costs) had said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The forecast of the model alone.
    pub model: Forecast,
    /// Milliseconds from its begin to its end.
    pub total_ms: u64,
    /// The downtime in milliseconds; none if it was not measured.
    pub downtime_ms: Option<u64>,
}

/// What was learnt. It can be stored as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Calibration {
    classes: BTreeMap<String, RecentRatios>,
}

/// The last ratios of actual to modelled time, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct RecentRatios {
    seen: u64,
    total: Vec<f64>,
    downtime: Vec<f64>,
}

impl Calibration {
    /// Adds one more move.
    #[must_use]
    pub fn learn(mut self, trip: &Trip<'_>, seen: &Observation) -> Self {
        for name in names(trip) {
            let class = self.classes.entry(name).or_default();
            class.seen += 1;
            keep(&mut class.total, seen.total_ms, seen.model.total_ms);
            if let Some(downtime) = seen.downtime_ms {
                keep(&mut class.downtime, downtime, seen.model.downtime_ms);
            }
        }
        while self.classes.len() > CLASSES {
            let Some(least) = self.classes.iter().min_by_key(|(_, class)| class.seen) else { break };
            let name = least.0.clone();
            self.classes.remove(&name);
        }
        self
    }

    /// The model's forecast, corrected.
    #[must_use]
    pub fn correct(&self, trip: &Trip<'_>, model: Forecast) -> Forecast {
        let (mut total, mut downtime, mut late) = (1.0, 1.0, LATE);
        for class in names(trip).iter().filter_map(|name| self.classes.get(name)) {
            total = lean(total, &class.total);
            downtime = lean(downtime, &class.downtime);
            if class.total.len() >= SCATTER {
                late = (quantile(&class.total, 0.95) / quantile(&class.total, 0.5)).max(1.0);
            }
        }
        let total_ms = model.total_ms as f64 * total;
        Forecast {
            total_ms: total_ms.round() as u64,
            late_ms: (total_ms * late).round() as u64,
            downtime_ms: (model.downtime_ms as f64 * downtime).round() as u64,
        }
    }
}

/// The classes of a trip, from the widest to the narrowest.
fn names(trip: &Trip<'_>) -> [String; 3] {
    let memory = half_octave(super::used(trip.zone) + trip.zone.disk);
    let alike = format!("{} {memory} {}", trip.method, half_octave(trip.rate));
    let path = format!("{alike} {} {}", trip.from.name, trip.to.name);
    [trip.method.to_string(), alike, path]
}

/// The same for numbers that differ by less than about 40 %.
fn half_octave(number: u64) -> u32 {
    ((number.max(1) as f64).log2() * 2.0).round() as u32
}

fn keep(ratios: &mut Vec<f64>, seen: u64, model: u64) {
    if model > 0 {
        if ratios.len() >= KEPT {
            ratios.remove(0);
        }
        ratios.push(seen as f64 / model as f64);
    }
}

/// The answer of a class, weighted with that of the wider class.
fn lean(wider: f64, ratios: &[f64]) -> f64 {
    let seen = ratios.len() as f64;
    if ratios.is_empty() { wider } else { (quantile(ratios, 0.5) * seen + wider * TRUST) / (seen + TRUST) }
}

/// The quantile, interpolated between two values.
fn quantile(ratios: &[f64], part: f64) -> f64 {
    let mut sorted = ratios.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = part * sorted.len().saturating_sub(1) as f64;
    let at = |index: f64| sorted.get(index as usize).copied().unwrap_or(1.0);
    let (below, above) = (at(place.floor()), at(place.ceil()));
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::super::Costs;
    use super::*;
    use crate::model::Method;
    use crate::plan::{FleetHost, FleetZone};

    const GB: u64 = 1_000_000_000;

    fn with<T>(to: &str, memory: u64, then: impl FnOnce(&Trip<'_>, Forecast) -> T) -> T {
        let host = |name: &str| FleetHost::new(name.parse().unwrap());
        let zone = FleetZone {
            running: true,
            memory,
            ..FleetZone::new("zone".parse().unwrap(), "host".parse().unwrap())
        };
        let (from, to) = (host("a"), host(to));
        let trip = Trip { zone: &zone, method: Method::Live, from: &from, to: &to, rate: GB / 10 };
        let model = Costs::default().forecast(&trip).unwrap();
        then(&trip, model)
    }

    /// Moves to `to` that take `percent` of what the model says.
    fn seen(calibration: Calibration, to: &str, memory: u64, percent: &[u64]) -> Calibration {
        percent.iter().fold(calibration, |calibration, percent| {
            with(to, memory, |trip, model| {
                let total_ms = model.total_ms * percent / 100;
                calibration.learn(trip, &Observation { model, total_ms, downtime_ms: None })
            })
        })
    }

    fn total(calibration: &Calibration, to: &str, memory: u64) -> u64 {
        with(to, memory, |trip, model| calibration.correct(trip, model).total_ms)
    }

    #[test]
    fn nothing_learnt_changes_nothing_but_says_how_late_it_may_be() {
        let found = with("b", GB, |trip, model| Calibration::default().correct(trip, model));
        assert_eq!((found.total_ms, found.late_ms), (10_000, 14_000));
    }

    #[test]
    fn many_moves_are_believed_and_one_odd_one_among_them_is_not() {
        let calibration = seen(Calibration::default(), "b", GB, &[80; 20]);
        let before = total(&calibration, "b", GB);
        assert!((8_000..8_100).contains(&before), "{before}");
        assert!(total(&seen(calibration, "b", GB, &[900]), "b", GB).abs_diff(before) < 20);
    }

    #[test]
    fn a_slow_path_makes_only_itself_slow() {
        let calibration = seen(Calibration::default(), "b", GB, &[100; 20]);
        let calibration = seen(calibration, "slow", GB, &[200; 10]);
        assert!(total(&calibration, "slow", GB) > 17_500);
        assert!(total(&calibration, "b", GB) < 10_500);
    }

    #[test]
    fn what_is_not_known_of_a_class_is_taken_from_its_kind() {
        let calibration = seen(Calibration::default(), "b", GB, &[50; 31]);
        assert!(total(&calibration, "c", 64 * GB) < 640_000 * 6 / 10);
    }

    #[test]
    fn the_last_moves_outweigh_those_long_ago() {
        let calibration = seen(Calibration::default(), "b", GB, &[200; 40]);
        let calibration = seen(calibration, "b", GB, &[100; 31]);
        assert!(total(&calibration, "b", GB) < 10_100);
    }

    #[test]
    fn moves_that_scatter_are_late_more_often() {
        let scattered = seen(Calibration::default(), "b", GB, &[80, 90, 100, 110, 120, 100, 130]);
        let steady = seen(Calibration::default(), "b", GB, &[100; 7]);
        let late = |known: &Calibration| with("b", GB, |trip, model| known.correct(trip, model).late_ms);
        assert!(late(&scattered) > 12_000 && late(&steady) < 10_100);
    }

    #[test]
    fn what_was_learnt_survives_as_json() {
        let calibration = seen(Calibration::default(), "b", GB, &[80, 95]);
        let text = serde_json::to_string(&calibration).unwrap();
        assert_eq!(serde_json::from_str::<Calibration>(&text).unwrap(), calibration);
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let calibration =
            (0..1500).fold(Calibration::default(), |known, n| seen(known, &format!("h{n}"), GB, &[100]));
        assert_eq!(calibration.classes.len(), CLASSES);
        assert!(calibration.classes.contains_key("live"));
    }
}
