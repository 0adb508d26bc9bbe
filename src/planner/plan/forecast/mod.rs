//! How long a move takes, and the downtime of its zone, before anything has moved.
//!
//! A live migration sends all memory in use, then again what was written meanwhile, until the rest is so small
//! that it can be sent while the zone is stopped. The model is that of Kherbache, Madelaine and Hermenier (IEEE
//! TCC 2017), see [`Dirty`]; if all of the hot part can be sent within the allowed downtime, it need not be sent
//! faster than it is written. A cold migration sends what is on the host's own storage; a zone that is restarted
//! for it is down all the time.
//!
//! No model knows the hosts. [`Calibration`] learns by which factor it is wrong.

mod calibrate;
mod share;

pub use calibrate::{Calibration, Observation};
use serde::{Deserialize, Serialize};
pub use share::sharers;

use super::fleet::{Dirty, FleetHost, FleetZone};
use crate::model::Method;

/// What a move is expected to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// Milliseconds from its begin to its end; the median.
    pub total_ms: u64,
    /// Milliseconds that 19 of 20 moves like this do not exceed.
    pub late_ms: u64,
    /// The zone's downtime in milliseconds; 0 if it does not run.
    pub downtime_ms: u64,
}

/// A zone's way from one host to another, at a rate.
#[derive(Clone, Copy, Debug)]
pub struct Trip<'a> {
    pub zone: &'a FleetZone,
    pub method: Method,
    /// The host that it leaves.
    pub from: &'a FleetHost,
    /// The host to which it goes.
    pub to: &'a FleetHost,
    /// The bandwidth that it gets, in bytes per second.
    pub rate: u64,
}

/// A live migration that never ends: the zone writes to its memory faster than the memory can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("it writes {dirty} bytes a second, and {rate} can be sent")]
pub struct NeverConverges {
    /// Bytes per second that it writes again and again.
    pub dirty: u64,
    /// Bytes per second that can be sent.
    pub rate: u64,
}

impl crate::model::Hinted for NeverConverges {}

/// The fixed costs of moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Costs {
    /// Milliseconds for which a live migration may stop its zone to send the rest.
    pub downtime_ms: u64,
    /// Milliseconds from the last byte until the zone runs at its destination.
    pub switch_ms: u64,
    /// Milliseconds for moving a configuration.
    pub paper_ms: u64,
    /// Milliseconds of an orderly shutdown.
    pub shutdown_ms: u64,
    /// Milliseconds of a boot.
    pub boot_ms: u64,
}

impl Default for Costs {
    fn default() -> Self {
        Self { downtime_ms: 300, switch_ms: 50, paper_ms: 1000, shutdown_ms: 20_000, boot_ms: 30_000 }
    }
}

impl Costs {
    /// The forecast of the model alone.
    ///
    /// # Errors
    /// [`NeverConverges`]: a live migration at this rate never ends.
    pub fn forecast(&self, trip: &Trip<'_>) -> Result<Forecast, NeverConverges> {
        let zone = trip.zone;
        let storage = seconds(zone.disk, trip.rate)?;
        let (total, downtime) = match trip.method {
            Method::Live => {
                let (memory, hold) = self.live(used(zone), zone.dirty.unwrap_or_default(), trip.rate)?;
                (storage + memory, hold + ms(self.switch_ms))
            }
            Method::Restart => {
                let down = storage + ms(self.shutdown_ms) + ms(self.boot_ms);
                (down, down)
            }
            Method::Cold => (storage + ms(self.paper_ms), 0.0),
        };
        let total_ms = (total * 1000.0).round() as u64;
        Ok(Forecast { total_ms, late_ms: total_ms, downtime_ms: (downtime * 1000.0).round() as u64 })
    }

    /// The duration and downtime of a live migration of `used` bytes, in seconds.
    fn live(&self, used: u64, dirty: Dirty, rate: u64) -> Result<(f64, f64), NeverConverges> {
        let (b, hot, cold) = (rate as f64, dirty.hot as f64, dirty.rate as f64);
        let period = ms(dirty.hot_ms.max(1));
        let hot_rate = hot / period;
        let first = seconds(used, rate)?;
        let hold = (hot / b).min(ms(self.downtime_ms));
        let fits = hot / b <= ms(self.downtime_ms);
        if cold >= b || (!fits && hot_rate >= b) {
            return Err(NeverConverges { dirty: if cold >= b { dirty.rate } else { hot_rate as u64 }, rate });
        }
        let total = if first > period {
            let chase = if fits { 0.0 } else { (hot / b) * (hot_rate / (b - hot_rate)) };
            first + (hot + (first - period) * cold) / (b - cold) + chase
        } else {
            let written = hot_rate * first;
            first + written / if fits { b } else { b - hot_rate }
        };
        Ok((total, hold))
    }
}

/// Bytes of memory that a zone uses; its maximum if that is not known.
pub fn used(zone: &FleetZone) -> u64 {
    match (zone.running, zone.memory_used) {
        (false, _) => 0,
        (true, 0) => zone.memory,
        (true, used) => used,
    }
}

/// The time to send that many bytes, in seconds.
fn seconds(bytes: u64, rate: u64) -> Result<f64, NeverConverges> {
    match (bytes, rate) {
        (0, _) => Ok(0.0),
        (_, 0) => Err(NeverConverges { dirty: 0, rate }),
        _ => Ok(bytes as f64 / rate as f64),
    }
}

fn ms(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1_000_000;

    fn zone(used: u64, dirty: Option<Dirty>) -> FleetZone {
        FleetZone {
            running: true,
            memory: 2 * used,
            memory_used: used,
            dirty,
            ..FleetZone::new("zone".parse().unwrap(), "host".parse().unwrap())
        }
    }

    fn forecast(zone: &FleetZone, method: Method, rate: u64) -> Result<Forecast, NeverConverges> {
        let host = FleetHost::new("host".parse().unwrap());
        Costs::default().forecast(&Trip { zone, method, from: &host, to: &host, rate })
    }

    #[test]
    fn the_published_migrations_take_as_long_as_published() {
        let dirty = Dirty { hot: 96 * MB, hot_ms: 2000, rate: 2 * MB };
        let seconds = [(2000, 111), (3000, 111), (2000, 55), (3000, 55)].map(|(used, rate)| {
            let all = forecast(&zone(used * MB, Some(dirty)), Method::Live, rate * MB).unwrap();
            (all.total_ms + 500) / 1000
        });
        assert_eq!(seconds, [20, 29, 51, 70]);
    }

    #[test]
    fn a_zone_that_writes_faster_than_the_line_never_arrives_live() {
        let busy = zone(2000 * MB, Some(Dirty { hot: 400 * MB, hot_ms: 1000, rate: 0 }));
        assert_eq!(
            forecast(&busy, Method::Live, 300 * MB),
            Err(NeverConverges { dirty: 400 * MB, rate: 300 * MB })
        );
        assert!(forecast(&busy, Method::Live, 500 * MB).is_ok());
    }

    #[test]
    fn what_can_be_sent_within_the_downtime_need_not_be_outrun() {
        let small = zone(2000 * MB, Some(Dirty { hot: 20 * MB, hot_ms: 10, rate: 0 }));
        let found = forecast(&small, Method::Live, 100 * MB).unwrap();
        assert_eq!(found, Forecast { total_ms: 20_200, late_ms: 20_200, downtime_ms: 250 });
    }

    #[test]
    fn half_the_line_takes_more_than_twice_as_long() {
        let busy = zone(4000 * MB, Some(Dirty { hot: 100 * MB, hot_ms: 2000, rate: 3 * MB }));
        let [whole, half] = [120, 60].map(|rate| forecast(&busy, Method::Live, rate * MB).unwrap().total_ms);
        assert!(half > 2 * whole, "{half} against {whole}");
    }

    #[test]
    fn a_zone_that_is_restarted_is_down_for_the_whole_of_its_move() {
        let running = FleetZone { disk: 1000 * MB, ..zone(2000 * MB, None) };
        let all = forecast(&running, Method::Restart, 100 * MB).unwrap();
        assert_eq!((all.total_ms, all.downtime_ms), (60_000, 60_000));
        let still = FleetZone { running: false, ..running };
        let all = forecast(&still, Method::Cold, 100 * MB).unwrap();
        assert_eq!((all.total_ms, all.downtime_ms), (11_000, 0));
    }

    #[test]
    fn nothing_is_sent_over_a_line_that_carries_nothing() {
        assert!(forecast(&zone(MB, None), Method::Live, 0).is_err());
    }
}
