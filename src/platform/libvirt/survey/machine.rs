//! What `/proc` and `/sys` say of the host itself: its load, memory nodes, huge pages, network devices.

use std::collections::BTreeSet;
use std::path::Path;

use crate::plan::{HugePages, NumaNode};

/// The host itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Machine {
    /// Tasks that run or want to, on the average of the last minute.
    pub load: f64,
    /// Its memory nodes.
    pub nodes: Vec<NumaNode>,
    /// Huge pages of each size of which it has some.
    pub huge_pages: Vec<HugePages>,
    /// Bytes of a huge page for which no size is said.
    pub usual_huge_page: u64,
    /// Bridges and devices that zones can be plugged into.
    pub devices: BTreeSet<String>,
    /// The device that leads to other networks.
    pub line: Option<String>,
    /// Bytes a second that it carries, each way.
    pub bandwidth: Option<u64>,
}

impl Machine {
    /// Looks. What cannot be read is not known.
    pub fn look() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let line = parse_default_route(&read("/proc/net/route"));
        let speed = line.as_ref().map(|device| read(&format!("/sys/class/net/{device}/speed")));
        Self {
            load: parse_load(&read("/proc/loadavg")).unwrap_or(0.0),
            nodes: entries("/sys/devices/system/node")
                .filter(|(name, _)| is_numbered(name, "node"))
                .filter_map(|(_, folder)| {
                    parse_node(&read(&format!("{folder}/meminfo")), &read(&format!("{folder}/cpulist")))
                })
                .collect(),
            huge_pages: huge_pages(&read),
            usual_huge_page: kib(&read("/proc/meminfo"), "Hugepagesize").unwrap_or(2 << 20),
            devices: entries("/sys/class/net")
                .filter(|(name, folder)| is_for_zones(name, folder))
                .map(|(name, _)| name)
                .collect(),
            bandwidth: speed.as_deref().and_then(parse_speed),
            line,
        }
    }
}

/// Bytes that a device has sent and received so far.
pub fn carried(device: &str) -> Option<u64> {
    let count = |file: &str| {
        let text = std::fs::read_to_string(format!("/sys/class/net/{device}/statistics/{file}")).ok()?;
        text.trim().parse::<u64>().ok()
    };
    count("rx_bytes")?.checked_add(count("tx_bytes")?)
}

/// What is in a folder, by name: name and path.
fn entries(folder: &str) -> impl Iterator<Item = (String, String)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_by_key(|name| (name.len(), name.clone()));
    names.into_iter().map(move |name| (name.clone(), format!("{folder}/{name}")))
}

fn is_numbered(name: &str, word: &str) -> bool {
    name.strip_prefix(word).is_some_and(|number| number.parse::<u32>().is_ok())
}

/// Not the devices that zones themselves bring.
fn is_for_zones(name: &str, folder: &str) -> bool {
    name != "lo" && !Path::new(folder).join("tun_flags").exists()
}

fn huge_pages(read: &impl Fn(&str) -> String) -> Vec<HugePages> {
    let pages = entries("/sys/kernel/mm/hugepages").filter_map(|(name, folder)| {
        let size =
            name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse::<u64>().ok()?.checked_mul(1024)?;
        let count = |file: &str| read(&format!("{folder}/{file}")).trim().parse::<u64>().ok();
        let free = count("free_hugepages")?.saturating_sub(count("resv_hugepages").unwrap_or(0));
        (count("nr_hugepages")? > 0).then_some(HugePages { size, free })
    });
    pages.collect()
}

// 2.44 1.45 1.01 3/274 1181
fn parse_load(loadavg: &str) -> Option<f64> {
    loadavg.split(' ').next()?.parse().ok().filter(|load: &f64| load.is_finite())
}

// Node 0 MemTotal:       24682416 kB
// Node 0 MemFree:         3575004 kB
// Node 0 Active(file):    4224444 kB
// Node 0 Inactive(file): 15269740 kB
// Node 0 SReclaimable:     652352 kB
/// Reads the `meminfo` and `cpulist` of a node. What files are kept in can be had, too.
fn parse_node(meminfo: &str, cpulist: &str) -> Option<NumaNode> {
    let cached =
        ["Active(file)", "Inactive(file)", "SReclaimable"].iter().filter_map(|name| kib(meminfo, name));
    let memory = kib(meminfo, "MemTotal")?;
    let free = cached.fold(kib(meminfo, "MemFree")?, u64::saturating_add);
    Some(NumaNode { memory, memory_free: free.min(memory), cpus: parse_cpus(cpulist) })
}

/// A number of bytes in a list of `NAME: N kB`, whatever stands before the name.
fn kib(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let (before, value) = line.split_once(':')?;
        (before.rsplit(' ').next() == Some(name)).then_some(())?;
        value.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
    })
}

// 0-3,8-11
/// How many processors a list names.
fn parse_cpus(list: &str) -> u32 {
    let count = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        last.checked_sub(first)?.checked_add(1)
    };
    list.trim().split(',').filter_map(count).fold(0, u32::saturating_add)
}

// Iface  Destination  Gateway   Flags  RefCnt  Use  Metric  Mask      MTU  Window  IRTT
// eth0   00000000     010200C0  0003   0       0    0       00000000  0    0       0
// eth0   000200C0     00000000  0001   0       0    0       00FFFFFF  0    0       0
/// The device of the default route, in `/proc/net/route`.
fn parse_default_route(text: &str) -> Option<String> {
    let routes = text.lines().skip(1).filter_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        match fields.as_slice() {
            [device, "00000000", _, _, _, _, metric, "00000000", ..] if !device.contains('/') => {
                Some((metric.parse::<u32>().ok()?, *device))
            }
            _ => None,
        }
    });
    routes.min().map(|(_, device)| device.to_owned())
}

// 10000
/// Mbit/s in bytes a second; -1 means that the device does not know.
fn parse_speed(text: &str) -> Option<u64> {
    text.trim().parse::<u64>().ok().filter(|speed| *speed > 0)?.checked_mul(125_000)
}

/// Reads a text as each of the things that are read here.
#[cfg(feature = "fuzzing")]
pub fn read_output(text: &str) {
    let _ = (parse_load(text), parse_node(text, text), parse_default_route(text), parse_speed(text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_node_has_what_is_free_and_what_only_files_are_kept_in() {
        let node = parse_node(include_str!("fixtures/node-meminfo.txt"), "0-1\n").unwrap();
        assert_eq!((node.memory, node.cpus), (24_682_416 << 10, 2));
        assert!(node.memory_free > 20_000_000 << 10 && node.memory_free < node.memory, "{node:?}");
        assert_eq!(parse_node("", "0"), None);
    }

    #[test]
    fn processors_are_counted_in_ranges() {
        assert_eq!(parse_cpus("0-3,8-11\n"), 8);
        assert_eq!(parse_cpus("7"), 1);
        assert_eq!(parse_cpus("\n"), 0);
        assert_eq!(parse_cpus("3-1,0-4294967295"), 0);
    }

    #[test]
    fn the_line_is_the_device_of_the_default_route_with_the_lowest_metric() {
        let head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
        let route = |device: &str, to: &str, metric: u32, mask: &str| {
            format!("{device}\t{to}\t010200C0\t0003\t0\t0\t{metric}\t{mask}\t0\t0\t0   \n")
        };
        let text = [
            head.to_owned(),
            route("lan", "000200C0", 0, "00FFFFFF"),
            route("slow", "00000000", 600, "00000000"),
            route("fast", "00000000", 100, "00000000"),
        ];
        assert_eq!(parse_default_route(&text.concat()).as_deref(), Some("fast"));
        assert_eq!(parse_default_route(head), None);
    }

    #[test]
    fn a_device_that_does_not_know_its_speed_has_none() {
        assert_eq!(parse_speed("10000\n"), Some(1_250_000_000));
        assert_eq!(parse_speed("-1\n"), None);
        assert_eq!(parse_load("2.44 1.45 1.01 3/274 1181\n"), Some(2.44));
        assert_eq!(parse_load("NaN"), None);
    }

    #[test]
    fn this_machine_can_be_looked_at() {
        let machine = Machine::look();
        assert!(machine.load >= 0.0 && machine.usual_huge_page > 0, "{machine:?}");
        assert!(!machine.devices.contains("lo"), "{machine:?}");
    }

    proptest! {
        #[test]
        fn no_output_makes_the_readers_panic(text in "(Node 0 |MemTotal|MemFree|:| kB|[0-9]{1,20}|,|-|\t|00000000|\n|\\PC){0,40}") {
            let _ = (parse_load(&text), parse_node(&text, &text), parse_default_route(&text), parse_speed(&text));
        }
    }
}
