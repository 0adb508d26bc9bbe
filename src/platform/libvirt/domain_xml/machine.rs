//! The machine: boot files, CPUs, memory, tuning, security, and QEMU arguments.

use roxmltree::Node;

use super::devices::folder_of;
use super::need::{Need, by_name};
use super::storage::boot;
use super::{Domain, attribute, bytes_of, child, live, text_of};
use crate::model::Against;

/// Adds what a section of a domain says, except for devices.
pub fn section(section: Node<'_, '_>, domain: &mut Domain) {
    match section.tag_name().name() {
        "os" => os(section, domain),
        "sysinfo" => {
            for entry in section.descendants().filter(|node| node.has_tag_name("entry")) {
                domain.read_file("fwcfg", entry.attribute("file"));
            }
        }
        "bootloader" => domain.need_path(text_of(section).as_deref(), Need::Program),
        "features" => live::features(section, domain),
        "clock" => domain.needs(tsc(section).map(Need::Tsc)),
        "memoryBacking" => hugepages(section, domain),
        "memtune" => controlled(section, "memory", domain),
        "blkiotune" => {
            controlled(section, "io", domain);
            for device in section.children().filter(|node| node.has_tag_name("device")) {
                domain.need_path(child(device, "path").and_then(text_of).as_deref(), Need::Device);
            }
        }
        "vcpu" => {
            processors(section, domain);
            placed(section, domain);
        }
        "cputune" => cputune(section, domain),
        "numatune" => {
            for part in section.children().filter(Node::is_element) {
                domain.numbers(part.attribute("nodeset"), Need::Nodes);
                placed(part, domain);
            }
        }
        "resource" => {
            let is_marked = child(section, "fibrechannel").is_some();
            let mark = || Need::Device("/sys/class/fc/fc_udev_device/appid_store".into());
            domain.needs(is_marked.then(mark));
        }
        "perf" => perf(section, domain),
        "launchSecurity" => {
            let kind = attribute(section, "type");
            domain.obstacle(Against::Live, format!("its memory is guarded from its host ({kind})"));
            let service = child(section, "quoteGenerationService").and_then(|node| node.attribute("path"));
            domain.need_path(service, Need::Socket);
        }
        "seclabel" => label(section, domain),
        "commandline" => arguments(section, domain),
        "namespace" => namespaces(section, domain),
        "iommufd" if section.attribute("enabled") == Some("yes") => match section.attribute("fdgroup") {
            Some(_) => domain.obstacle(
                Against::Any,
                "/dev/iommu passed as a file descriptor when the zone was started (fdgroup)",
            ),
            None => domain.needs([Need::Device("/dev/iommu".into())]),
        },
        _ => {}
    }
}

/// The machine, and the files that it boots from.
fn os(os: Node<'_, '_>, domain: &mut Domain) {
    for part in os.children().filter(Node::is_element) {
        match part.tag_name().name() {
            "type" => {
                domain.arch = attribute(part, "arch");
                domain.machine = part.attribute("machine").map(str::to_owned);
            }
            "kernel" | "initrd" | "dtb" | "shim" | "loader" | "nvram" | "varstore" => boot(part, os, domain),
            "acpi" => {
                for table in part.children().filter(|node| node.has_tag_name("table")) {
                    domain.read_file("acpi table", text_of(table).as_deref());
                }
            }
            _ => {}
        }
    }
}

/// Adds what a domain requires of its CPU.
pub fn processor(root: Node<'_, '_>, domain: &mut Domain) {
    let Some(cpu) = child(root, "cpu") else { return };
    let mode = cpu.attribute("mode");
    if mode == Some("custom") {
        domain.cpu_model = child(cpu, "model").and_then(text_of);
    }
    let is_asked = |node: Node<'_, '_>| {
        node.attribute("name") == Some("invtsc")
            && matches!(node.attribute("policy"), None | Some("require" | "force"))
    };
    let features = cpu.children().filter(|node| node.has_tag_name("feature"));
    let has_invtsc = features.into_iter().any(is_asked);
    let shows_all = mode != Some("custom") && cpu.attribute("migratable") == Some("off");
    if (has_invtsc || shows_all) && child(root, "clock").and_then(tsc).is_none() {
        let what = if has_invtsc {
            "an invariant time stamp counter (invtsc)"
        } else {
            "every feature of its host's"
        };
        let reason = format!("its processor has {what}, and no frequency (tsc) is stated");
        domain.obstacle(Against::Live, reason);
    }
}

/// The configured frequency of the time stamp counter, in Hz.
fn tsc(clock: Node<'_, '_>) -> Option<u64> {
    let mut timers = clock.children().filter(|node| node.has_tag_name("timer"));
    timers.find(|node| node.attribute("name") == Some("tsc"))?.attribute("frequency")?.parse().ok()
}

fn hugepages(backing: Node<'_, '_>, domain: &mut Domain) {
    let Some(pages) = child(backing, "hugepages") else { return };
    let sizes: Vec<_> = pages.children().filter(|node| node.has_tag_name("page")).map(page_size).collect();
    domain.needs((if sizes.is_empty() { vec![None] } else { sizes }).into_iter().map(Need::HugePages));
}

/// The page size in bytes, if stated.
fn page_size(page: Node<'_, '_>) -> Option<u64> {
    let unit = bytes_of(page.attribute("unit").unwrap_or("KiB"))?;
    page.attribute("size")?.trim().parse::<u64>().ok()?.checked_mul(unit)
}

/// Adds the source of a memory device.
pub fn memory_source(device: Node<'_, '_>, domain: &mut Domain) {
    /// The largest ordinary page on any architecture.
    const LARGEST: u64 = 64 << 10;
    let Some(source) = child(device, "source") else { return };
    domain.numbers(child(source, "nodemask").and_then(text_of).as_deref(), Need::Nodes);
    let size = child(source, "pagesize").and_then(|node| {
        let unit = bytes_of(node.attribute("unit").unwrap_or("KiB"))?;
        text_of(node)?.parse::<u64>().ok()?.checked_mul(unit)
    });
    domain.needs(size.filter(|size| *size > LARGEST).map(|size| Need::HugePages(Some(size))));
}

fn controlled(section: Node<'_, '_>, controller: &'static str, domain: &mut Domain) {
    let is_tuned = section.children().any(|node| node.is_element());
    domain.needs(is_tuned.then_some(Need::Controller(controller)));
}

fn processors(node: Node<'_, '_>, domain: &mut Domain) {
    domain.numbers(node.attribute("cpuset"), Need::Processors);
}

/// With `placement='auto'` an external program chooses the CPUs.
fn placed(node: Node<'_, '_>, domain: &mut Domain) {
    let is_asked = node.attribute("placement") == Some("auto");
    domain.needs(is_asked.then(|| Need::Program("numad".into())));
}

fn cputune(section: Node<'_, '_>, domain: &mut Domain) {
    for part in section.children().filter(Node::is_element) {
        match part.tag_name().name() {
            "vcpupin" | "emulatorpin" | "iothreadpin" => processors(part, domain),
            "cachetune" | "memorytune" | "energytune" => {
                domain.needs([Need::Device("/sys/fs/resctrl/info".into())]);
            }
            "shares" => domain.needs([Need::Controller("cpu")]),
            // For the whole, for each CPU, for QEMU itself, for disk threads.
            name if name.ends_with("period") || name.ends_with("quota") => {
                domain.needs([Need::Controller("cpu")]);
            }
            _ => {}
        }
    }
}

/// Kernels since 4.14 do not count these events.
fn perf(section: Node<'_, '_>, domain: &mut Domain) {
    let gone = |node: &Node<'_, '_>| {
        node.attribute("enabled") == Some("yes")
            && matches!(node.attribute("name"), Some("cmt" | "mbmt" | "mbml"))
    };
    if section.children().any(|node| gone(&node)) {
        domain.needs([Need::Device("/sys/devices/intel_cqm/type".into())]);
    }
}

/// A configured security label of the domain, or of a part of it.
pub fn label(label: Node<'_, '_>, domain: &mut Domain) {
    let Some(model) = label.attribute("model").filter(|model| !matches!(*model, "none" | "")) else { return };
    domain.needs([Need::Security(model.to_owned())]);
    let text = child(label, "label").and_then(text_of).filter(|_| model == "dac");
    // A label of another type was chosen by libvirt at the source.
    let text = text.filter(|_| matches!(label.attribute("type"), None | Some("static")));
    let (user, group) = text.as_deref().map_or(("", ""), |text| text.split_once(':').unwrap_or((text, "")));
    domain.needs(by_name(user).map(Need::User));
    domain.needs(by_name(group).map(Need::Group));
}

/// QEMU's own arguments: libvirt does not interpret them, but a path in them is a path.
fn arguments(section: Node<'_, '_>, domain: &mut Domain) {
    let mut before = None;
    for value in section.children().filter_map(|node| node.attribute("value")) {
        // The kernel's command line is about the zone.
        if before.replace(value) != Some("-append") {
            paths_in(value).for_each(|path| path_of(path, domain));
        }
    }
}

/// The paths in words such as `file=/srv/x,if=none` or `{"path":"/run/x"}`. `//` follows the scheme of a URI.
fn paths_in(value: &str) -> impl Iterator<Item = &str> {
    value
        .split([',', '=', ':', '"'])
        .filter(|word| word.starts_with('/') && !word.starts_with("//") && word.len() > 1)
}

fn path_of(path: &str, domain: &mut Domain) {
    // Memory, which QEMU creates there.
    let is_memory = ["/dev/shm/", "/dev/hugepages"].iter().any(|folder| path.starts_with(folder));
    if !is_memory && (path.starts_with("/dev/") || path.starts_with("/sys/")) {
        domain.need_path(Some(path), Need::Device);
    } else {
        domain.needs(folder_of(path).map(Need::Folder));
    }
}

/// Namespaces that a container shares with another program on its host.
fn namespaces(section: Node<'_, '_>, domain: &mut Domain) {
    for part in section.children().filter(Node::is_element) {
        let value = attribute(part, "value");
        match part.attribute("type") {
            Some("netns") => domain.needs([Need::File(format!("/run/netns/{value}").into())]),
            kind => {
                let what = if kind == Some("pid") { "process" } else { "container" };
                let name = part.tag_name().name().trim_start_matches("share");
                domain
                    .obstacle(Against::Any, format!("its {name} is that of the {what} {value} of this host"));
            }
        }
    }
}
