//! The bandwidth of a move.
//!
//! A live migration gets the highest rate that its way allows: the zone keeps writing, so two that share a
//! connection take longer than one after the other. Only if one stream alone cannot fill the connection are there
//! several at the same time: as many as send most, whether that leaves a rest of the connection unused or makes
//! each a little slower.

use super::Given;
use super::plan::BlockedReason;
use super::stock::What;
use crate::plan::{FleetHost, Forecast, HostIx, NeverConverges};

/// The bandwidth of a move whose connection is not known: 1 Gbit/s, without overhead, in bytes per second.
const ASSUMED: u64 = 112_500_000;

/// The connections on a way, each with its bandwidth.
pub(in crate::plan) fn lines(given: &Given<'_>, from: HostIx, to: HostIx) -> Vec<(What, u64)> {
    let line = |host: HostIx| given.fleet.hosts.get(host.0 as usize).and_then(free);
    let ends =
        [(What::LineOut(from), line(from)), (What::LineIn(to), line(to)), (What::Switch, given.terms.switch)];
    let mut lines: Vec<_> = ends.into_iter().filter_map(|(what, line)| Some((what, line?))).collect();
    for (number, trunk) in given.terms.trunks.iter().enumerate() {
        match (trunk.hosts.contains(&from), trunk.hosts.contains(&to)) {
            (true, false) => lines.push((What::TrunkOut(number), trunk.bandwidth)),
            (false, true) => lines.push((What::TrunkIn(number), trunk.bandwidth)),
            _ => {}
        }
    }
    lines
}

/// How many moves may leave the one and arrive at the other.
pub(super) fn slots(given: &Given<'_>, from: HostIx, to: HostIx) -> [(What, u32); 2] {
    let rules = given.rules;
    [(What::SlotsOut(from), rules.outbound.max(1)), (What::SlotsIn(to), rules.inbound.max(1))]
}

/// The bandwidth that a move gets, in bytes per second.
pub(super) fn highest(
    given: &Given<'_>,
    lines: &[(What, u64)],
    forecast: impl Fn(u64) -> Result<Forecast, NeverConverges>,
) -> Result<u64, BlockedReason> {
    let line = lines.iter().map(|line| line.1).min();
    let stream = [given.rules.bandwidth, given.terms.stream].into_iter().flatten().min();
    match (line, stream) {
        (Some(0), _) | (_, Some(0)) => Err(BlockedReason::NoLine),
        (None, None) => Ok(ASSUMED),
        (Some(line), Some(stream)) if stream < line => {
            let slots = u64::from(given.rules.outbound.min(given.rules.inbound).max(1));
            Ok(fullest(line, stream, slots, forecast))
        }
        (Some(rate), _) | (None, Some(rate)) => Ok(rate),
    }
}

/// The rate at which a connection sends most, if one stream sends at most `stream`.
fn fullest(
    line: u64,
    stream: u64,
    slots: u64,
    forecast: impl Fn(u64) -> Result<Forecast, NeverConverges>,
) -> u64 {
    let (few, more) = ((line / stream).min(slots), line.div_ceil(stream).min(slots));
    let shared = (line / more).min(stream);
    let time = |rate| forecast(rate).map(|one| one.total_ms).unwrap_or(u64::MAX);
    let (alone, slower) = (u128::from(time(stream)), u128::from(time(shared)));
    if u128::from(more) * alone > u128::from(few) * slower { shared } else { stream }
}

/// The bandwidth besides other traffic; at least a tenth of the total, because other traffic gives way to moves, too.
fn free(host: &FleetHost) -> Option<u64> {
    host.bandwidth.map(|line| line.saturating_sub(host.network_load).max(line / 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A move of 1 GB, of which so many bytes are sent again for each second that it takes.
    fn again(dirty: u64) -> impl Fn(u64) -> Result<Forecast, NeverConverges> {
        move |rate| match rate.checked_sub(dirty) {
            None | Some(0) => Err(NeverConverges { dirty, rate }),
            Some(net) => Ok(Forecast { total_ms: 1_000_000_000_000 / net, ..Forecast::default() }),
        }
    }

    #[test]
    fn streams_that_leave_much_of_the_line_unused_go_one_more_at_once_and_slower() {
        assert_eq!(fullest(1_000_000_000, 400_000_000, 4, again(0)), 333_333_333);
    }

    #[test]
    fn zones_that_write_much_go_fewer_at_once() {
        assert_eq!(fullest(1_000_000_000, 480_000_000, 4, again(300_000_000)), 480_000_000);
        assert_eq!(fullest(1_000_000_000, 480_000_000, 4, again(350_000_000)), 480_000_000);
    }

    #[test]
    fn no_more_at_once_than_the_rules_allow() {
        assert_eq!(fullest(1_000_000_000, 400_000_000, 2, again(0)), 400_000_000);
    }
}
