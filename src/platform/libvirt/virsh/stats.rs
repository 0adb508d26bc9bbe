//! `virsh domstats` and `virsh cpu-stats --total`: the resources that zones use.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Driver, ListedDomain};

/// What a zone has used so far, or uses now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time since its start, in ns.
    pub cpu_time: u64,
    /// Memory that its balloon leaves it, in bytes.
    pub balloon: Option<u64>,
    /// Resident memory of its process without huge pages, in bytes.
    pub resident: Option<u64>,
    /// Bytes sent and received since its start.
    pub network: u64,
    /// Bytes of memory written to per second, at the last measurement.
    pub dirty: Option<u64>,
}

/// By the zone's name.
pub type Usages = BTreeMap<String, Usage>;

/// The commands that list what these domains of a driver use.
pub fn commands(driver: Driver, listed: &[ListedDomain]) -> Vec<String> {
    match driver {
        // Separate commands, since an older virsh does not know dirty rates.
        Driver::Qemu => vec![
            "domstats --list-active --nowait --cpu-total --balloon --interface".to_owned(),
            "domstats --list-active --nowait --dirtyrate".to_owned(),
        ],
        Driver::Lxc => running(listed)
            .flat_map(|domain| {
                [format!("cpu-stats {} --total", domain.uuid), format!("dominfo {}", domain.uuid)]
            })
            .collect(),
    }
}

/// The commands that start to measure how fast zones write to their memory: a second later [`commands`] has the
/// result.
pub fn measure(driver: Driver, listed: &[ListedDomain]) -> Vec<String> {
    match driver {
        Driver::Qemu => {
            running(listed).map(|domain| format!("domdirtyrate-calc {} --seconds 1", domain.uuid)).collect()
        }
        Driver::Lxc => Vec::new(),
    }
}

fn running(listed: &[ListedDomain]) -> impl Iterator<Item = &ListedDomain> {
    listed.iter().filter(|domain| domain.id.is_some())
}

/// Parses the output of [`commands`].
pub fn parse(driver: Driver, listed: &[ListedDomain], answers: &[String]) -> Usages {
    match driver {
        Driver::Qemu => parse_domstats(&answers.concat()),
        Driver::Lxc => {
            let usage = |answers: &[String]| match answers {
                [cpu, info] => parse_container(cpu, info),
                _ => Usage::default(),
            };
            running(listed).map(|domain| domain.name.clone()).zip(answers.chunks(2).map(usage)).collect()
        }
    }
}

// Domain: 'web1'
//   cpu.time=3510000000
//   cpu.user=2820000000
//   cpu.system=690000000
//   balloon.current=98304
//   balloon.maximum=98304
//   balloon.rss=195012
//   net.count=1
//   net.0.name=vnet0
//   net.0.rx.bytes=1342
//   net.0.tx.bytes=446
//
// Domain: 'web1'
//   dirtyrate.calc_status=2
//   dirtyrate.calc_start_time=1278
//   dirtyrate.calc_period=1
//   dirtyrate.calc_mode=page-sampling
//   dirtyrate.megabytes_per_second=17
/// Parses the output of `virsh domstats`, of several runs, too.
fn parse_domstats(output: &str) -> Usages {
    let mut usages = Usages::new();
    let mut usage = None;
    for line in output.lines() {
        if let Some(name) = line.strip_prefix("Domain: '") {
            // A domain with a line break in its name is not a zone; its lines must not be taken for another's.
            let name = name.strip_suffix('\'');
            usage = name.map(|name| usages.entry(name.to_owned()).or_default());
        } else if let (Some(usage), Some((key, value))) = (&mut usage, line.trim().split_once('='))
            && let Ok(value) = value.parse::<u64>()
        {
            usage.add(key, value);
        }
    }
    usages
}

impl Usage {
    fn add(&mut self, key: &str, value: u64) {
        let kib = Some(value.saturating_mul(1 << 10));
        match key {
            "cpu.time" => self.cpu_time = value,
            "balloon.current" => self.balloon = kib,
            "balloon.rss" => self.resident = kib,
            "dirtyrate.megabytes_per_second" => self.dirty = Some(value.saturating_mul(1 << 20)),
            _ if key.starts_with("net.") && (key.ends_with(".rx.bytes") || key.ends_with(".tx.bytes")) => {
                self.network = self.network.saturating_add(value);
            }
            _ => {}
        }
    }

    /// The use since an earlier sample: CPUs kept busy, and network bytes per second.
    pub fn since(&self, before: &Self, time: Duration) -> (f64, u64) {
        let busy = Duration::from_nanos(self.cpu_time.saturating_sub(before.cpu_time));
        let load = if time.is_zero() { 0.0 } else { busy.div_duration_f64(time) };
        (load, per_second(self.network.saturating_sub(before.network), time))
    }
}

/// An amount in that time, per second.
pub fn per_second(amount: u64, time: Duration) -> u64 {
    let rate = u128::from(amount) * 1_000_000 / time.as_micros().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

// Total:
// 	cpu_time             0.531039448 seconds
// 	user_time            0.260000000 seconds
// 	system_time          0.260000000 seconds
//
// Id:             16662
// Name:           box
// CPU time:       0.5s
// Max memory:     98304 KiB
// Used memory:    284 KiB
/// Parses `virsh cpu-stats --total` and `virsh dominfo`.
fn parse_container(cpu: &str, info: &str) -> Usage {
    let value = |text: &str, name: &str, unit: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(name))?;
        Some(line.trim().strip_suffix(unit)?.trim().to_owned())
    };
    let nanos = |time: String| {
        let (seconds, nanos) = time.split_once('.')?;
        let nanos: u64 = format!("{nanos:0<9}").parse().ok()?;
        seconds.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanos)
    };
    let kib = value(info, "Used memory:", "KiB").and_then(|kib| kib.parse::<u64>().ok());
    Usage {
        cpu_time: value(cpu, "cpu_time", "seconds").and_then(nanos).unwrap_or(0),
        resident: kib.map(|kib| kib.saturating_mul(1 << 10)),
        ..Usage::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `virsh domstats` of libvirt 9.0 with a running zone that has a network and was measured.
    const DOMSTATS: &str = include_str!("fixtures/domstats.txt");

    #[test]
    fn what_zones_use_is_read_for_all_of_them_at_once() {
        let usages = parse_domstats(DOMSTATS);
        let expected = Usage {
            cpu_time: 3_210_000_000,
            balloon: Some(96 << 20),
            resident: Some(198_264 << 10),
            network: 90,
            dirty: Some(8 << 20),
        };
        assert_eq!(usages.keys().collect::<Vec<_>>(), ["web1", "web3"]);
        assert_eq!(usages["web3"], expected);
        assert_eq!((usages["web1"].network, usages["web1"].dirty), (0, Some(0)));
    }

    #[test]
    fn what_is_said_of_a_zone_is_said_of_the_one_of_that_name_whatever_it_is() {
        let output = "Domain: 'it's Windows 10 '\n  cpu.time=7\n\nDomain: 'a\nb'\n  cpu.time=8\n\n";
        let usages = parse_domstats(output);
        assert_eq!(usages.keys().collect::<Vec<_>>(), ["it's Windows 10 "]);
        assert_eq!(usages["it's Windows 10 "].cpu_time, 7);
    }

    #[test]
    fn the_time_of_a_container_is_read_to_the_nanosecond() {
        let cpu =
            "Total:\n\tcpu_time             0.531039448 seconds\n\tuser_time            0.26 seconds\n\n";
        let info = "Name:           box\nMax memory:     98304 KiB\nUsed memory:    284 KiB\n";
        let usage = Usage { cpu_time: 531_039_448, resident: Some(284 << 10), ..Usage::default() };
        assert_eq!(parse_container(cpu, info), usage);
        assert_eq!(parse_container("Total:\n", ""), Usage::default());
    }

    #[test]
    fn what_is_used_between_two_looks_is_a_rate() {
        let before = Usage { cpu_time: 1_000_000_000, network: 500, ..Usage::default() };
        let after = Usage { cpu_time: 1_375_000_000, network: 1500, ..Usage::default() };
        assert_eq!(after.since(&before, Duration::from_millis(250)), (1.5, 4000));
        // The domain was restarted in between.
        assert_eq!(before.since(&after, Duration::from_millis(250)), (0.0, 0));
        assert_eq!(after.since(&before, Duration::ZERO).0, 0.0);
    }

    proptest! {
        #[test]
        fn no_output_makes_the_readers_panic(
            text in "(Domain: '|'\n|cpu.time=|net.0.rx.bytes=|cpu_time| seconds|Used memory:| KiB|\\.|[0-9]{1,20}|\n|\\PC){0,40}"
        ) {
            let _ = parse_domstats(&text);
            let _ = parse_container(&text, &text);
        }

        #[test]
        fn every_rate_is_finite(a in any::<u64>(), b in any::<u64>(), nanos in any::<u64>()) {
            let of = |n| Usage { cpu_time: n, network: n, ..Usage::default() };
            prop_assert!(of(a).since(&of(b), Duration::from_nanos(nanos)).0.is_finite());
        }
    }
}
