//! How many live migrations can share a network connection.
//!
//! Two that share a connection get half of it each. While they are sent, their zones keep writing; what is
//! written must be sent again, at half the rate. So two at the same time take longer than one after the other,
//! and if half the bandwidth is less than what a zone writes, they never end. Several at the same time are
//! worthwhile for zones that write little: the time between two moves, in which nothing is sent, is used.

use super::{Costs, Trip};

/// Several at the same time may take this much longer than one after the other.
const LONGER: f64 = 1.25;

/// How many moves like this one may share its connection without taking much longer than one after the other; at
/// least 1, at most `most`. One move may take `limit` bytes per second of the connection.
pub fn sharers(costs: &Costs, trip: &Trip<'_>, limit: Option<u64>, most: usize) -> usize {
    let time = |moves: usize| {
        let share = trip.rate / u64::try_from(moves).unwrap_or(u64::MAX);
        let rate = limit.map_or(share, |limit| limit.min(share));
        costs.forecast(&Trip { rate, ..*trip }).ok().map(|forecast| forecast.total_ms as f64)
    };
    let Some(alone) = time(1) else { return 1 };
    let bears = |moves: &usize| time(*moves).is_some_and(|time| time <= alone * *moves as f64 * LONGER);
    (2..=most).take_while(bears).last().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Method;
    use crate::plan::{Dirty, FleetHost, FleetZone};

    #[test]
    fn the_more_a_zone_writes_the_fewer_share_its_line() {
        let host = FleetHost::new("host".parse().unwrap());
        let bears = |percent: u64, limit, most| {
            let dirty = Some(Dirty { rate: percent * 1_000_000, ..Dirty::default() });
            let zone = FleetZone {
                running: true,
                memory_used: 4 << 30,
                dirty,
                ..FleetZone::new("zone".parse().unwrap(), "host".parse().unwrap())
            };
            let trip = Trip { zone: &zone, method: Method::Live, from: &host, to: &host, rate: 100_000_000 };
            sharers(&Costs::default(), &trip, limit, most)
        };
        assert_eq!([0, 1, 5, 10, 30, 60, 200].map(|percent| bears(percent, None, 9)), [9, 9, 4, 2, 1, 1, 1]);
        assert_eq!([0, 1, 2].map(|most| bears(0, None, most)), [1, 1, 2]);
        // What one may not take is available to others.
        assert_eq!(bears(10, Some(20_000_000), 9), 9);
    }
}
