//! What `/proc` and `/sys` report of the host itself: load, NUMA nodes, huge pages, network devices.

use std::collections::BTreeSet;
use std::path::Path;

use crate::plan::{HugePages, NumaNode};

/// The host itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Machine {
    /// Running and waiting tasks, averaged over the last minute.
    pub load: f64,
    /// NUMA nodes.
    pub nodes: Vec<NumaNode>,
    /// Huge pages of each available size.
    pub huge_pages: Vec<HugePages>,
    /// The default size of huge pages in bytes.
    pub usual_huge_page: u64,
    /// Bridges and devices that zones can be connected to.
    pub devices: BTreeSet<String>,
    /// The device that leads to other networks.
    pub line: Option<String>,
    /// Bytes a second that it carries, each way.
    pub bandwidth: Option<u64>,
}

impl Machine {
    /// Reads everything. What cannot be read is unknown.
    pub fn look() -> Self {
        Self::below("")
    }

    /// Reads below another folder than `/`.
    fn below(root: &str) -> Self {
        let read = |path: &str| std::fs::read_to_string(format!("{root}{path}")).unwrap_or_default();
        let line = parse_default_route(&read("/proc/net/route"));
        let speed = line.as_ref().map(|device| read(&format!("/sys/class/net/{device}/speed")));
        let node = |name: &str| {
            let file = |file: &str| read(&format!("/sys/devices/system/node/{name}/{file}"));
            parse_node(&file("meminfo"), &file("cpulist"))
        };
        let pages = |name: &str| {
            let file = |file: &str| read(&format!("/sys/kernel/mm/hugepages/{name}/{file}"));
            parse_pages(name, &file("nr_hugepages"), &file("free_hugepages"), &file("resv_hugepages"))
        };
        // Not the devices that zones themselves bring.
        let is_for_zones = |name: &String| {
            name != "lo" && !Path::new(&format!("{root}/sys/class/net/{name}/tun_flags")).exists()
        };
        let names = |folder: &str| names(&format!("{root}{folder}"));
        Self {
            load: parse_load(&read("/proc/loadavg")).unwrap_or(0.0),
            nodes: names("/sys/devices/system/node").iter().filter_map(|name| node(name)).collect(),
            huge_pages: names("/sys/kernel/mm/hugepages").iter().filter_map(|name| pages(name)).collect(),
            usual_huge_page: kib(&read("/proc/meminfo"), "Hugepagesize").unwrap_or(2 << 20),
            devices: names("/sys/class/net").into_iter().filter(is_for_zones).collect(),
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

/// The names in a folder, `node2` before `node10`.
fn names(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_by_key(|name| (name.len(), name.clone()));
    names
}

/// Parses the folder `hugepages-2048kB`; none if the host has no such pages. Reserved pages are not free.
fn parse_pages(name: &str, all: &str, free: &str, promised: &str) -> Option<HugePages> {
    let kib = name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse::<u64>().ok()?;
    let count = |text: &str| text.trim().parse::<u64>().ok();
    let free = count(free)?.saturating_sub(count(promised).unwrap_or(0));
    (count(all)? > 0).then_some(HugePages { size: kib.checked_mul(1024)?, free })
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
/// Parses the `meminfo` and `cpulist` of a node. Page cache counts as available.
fn parse_node(meminfo: &str, cpulist: &str) -> Option<NumaNode> {
    let cached =
        ["Active(file)", "Inactive(file)", "SReclaimable"].iter().filter_map(|name| kib(meminfo, name));
    let memory = kib(meminfo, "MemTotal")?;
    let free = cached.fold(kib(meminfo, "MemFree")?, u64::saturating_add);
    Some(NumaNode { memory, memory_free: free.min(memory), cpus: parse_cpus(cpulist) })
}

/// A number of bytes in a list of `NAME: N kB`, whatever is before the name.
fn kib(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let (before, value) = line.split_once(':')?;
        (before.rsplit(' ').next() == Some(name)).then_some(())?;
        value.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
    })
}

// 0-3,8-11
/// The number of CPUs in a list.
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
/// The device of the default route, from `/proc/net/route`.
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
/// Mbit/s as bytes per second; -1 means that the device does not know.
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
    fn nodes_huge_pages_devices_and_the_line_are_found_where_the_kernel_shows_them() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        for (node, cpus) in [("node0", "0-3"), ("node10", "8-9"), ("node2", "4-7")] {
            write(
                &format!("sys/devices/system/node/{node}/meminfo"),
                "Node 0 MemTotal: 8 kB\nNode 0 MemFree: 2 kB\n",
            );
            write(&format!("sys/devices/system/node/{node}/cpulist"), cpus);
        }
        write("sys/devices/system/node/online", "0,2,10");
        for (size, all) in [("2048", "100"), ("1048576", "0")] {
            for (file, text) in [("nr", all), ("free", all), ("resv", "10")] {
                write(&format!("sys/kernel/mm/hugepages/hugepages-{size}kB/{file}_hugepages"), text);
            }
        }
        for file in ["lo/speed", "br0/speed", "vnet0/tun_flags"] {
            write(&format!("sys/class/net/{file}"), "25000");
        }
        write("proc/net/route", "Iface\nbr0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
        write("proc/meminfo", "Hugepagesize:    1048576 kB\n");
        write("proc/loadavg", "1.5 1 1 1/1 1");
        let node = |cpus| NumaNode { memory: 8 << 10, memory_free: 2 << 10, cpus };
        let expected = Machine {
            load: 1.5,
            nodes: vec![node(4), node(4), node(2)],
            huge_pages: vec![HugePages { size: 2 << 20, free: 90 }],
            usual_huge_page: 1 << 30,
            devices: BTreeSet::from(["br0".to_owned()]),
            line: Some("br0".to_owned()),
            bandwidth: Some(3_125_000_000),
        };
        assert_eq!(Machine::below(folder.path().to_str().unwrap()), expected);
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
