//! Why a zone could not be on this host, as far as libvirt can tell; and what the host itself is.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::list::Listed;
use super::virsh::failed;
use super::{Driver, Libvirt, domain_xml};
use crate::exec::ExecError;
use crate::model::{Arrival, Blocker, BlockerKind, Kind, Network};
use crate::platform::PlatformError;
use crate::platform::identity::clash;

/// All reasons against an arrival.
pub(super) async fn check(libvirt: &Libvirt, arrival: &Arrival) -> Result<Vec<Blocker>, PlatformError> {
    let manifest = &arrival.manifest;
    let driver = Driver::of(manifest.zone.brand);
    let lists = libvirt.lists().await?;
    if !lists.iter().any(|(present, _)| *present == driver) && !driver.answers().await? {
        let reason = format!("libvirt has no {} driver there", driver.folder());
        return Ok(vec![Blocker::new(BlockerKind::Platform, reason)]);
    }
    let mut blockers = identity(lists.into_iter().flat_map(|(_, listed)| listed), arrival);
    for network in &manifest.networks {
        blockers.extend(missing_network(network, &arrival.describe(network)).await?);
    }
    let domain = domain_xml::parse(&manifest.config);
    match domain.and_then(|domain| domain_xml::must_be(&manifest.config, &manifest.zone).map(|()| domain)) {
        Ok(domain) if driver == Driver::Qemu => {
            blockers.extend(machine(libvirt, &domain, arrival.kind).await?);
        }
        Ok(_) => {}
        Err(reason) => blockers.push(Blocker::new(BlockerKind::Zone, format!("its configuration: {reason}"))),
    }
    Ok(blockers)
}

/// Other zones with its name or its identity.
fn identity(others: impl Iterator<Item = Listed>, arrival: &Arrival) -> Vec<Blocker> {
    let zone = &arrival.manifest.zone;
    let clash = |other: Listed| {
        let same_name = other.name == zone.name.as_str();
        let reason = clash(zone, same_name, other.uuid == zone.uuid, other.id.is_some(), arrival.overwrite)?;
        Some(Blocker::new(BlockerKind::Identity, reason.replace("{}", &other.name)))
    };
    others.filter_map(clash).collect()
}

/// The blocker if it is not there; `called` is what it is called in words.
async fn missing_network(network: &Network, called: &str) -> Result<Option<Blocker>, PlatformError> {
    // A name that comes from another host must not lead to some other file.
    let is_name = |name: &str| !name.contains('/') && !matches!(name, "" | "." | "..");
    let device = |name: &str| is_name(name) && Path::new("/sys/class/net").join(name).exists();
    let reason = match network {
        Network::Bridge(name) if device(name) => return Ok(None),
        Network::Bridge(_) => format!("no bridge {called} there"),
        Network::Device(name) if device(name) => return Ok(None),
        Network::Device(_) => format!("no network device {called} there"),
        Network::Managed(name) => {
            let command = Driver::Qemu.virsh().args(["net-list", "--name"]);
            let active = command.run().await.map_err(|error| failed("list the networks", error))?;
            if active.lines().any(|line| line.trim() == name) {
                return Ok(None);
            }
            format!("no active network {called} there")
        }
    };
    Ok(Some(Blocker::new(BlockerKind::Network, reason)))
}

/// What QEMU can do for a machine type, by what was asked; asked again after a minute, since QEMU may be updated.
#[derive(Debug, Default)]
pub(super) struct Machines {
    known: Mutex<HashMap<[String; 3], Answer>>,
}

/// The capabilities of a machine, or why there is none, and when that was so.
type Answer = (Instant, Result<String, String>);

impl Machines {
    /// The capabilities of a machine, or why there is none.
    async fn ask(&self, wanted: [String; 3]) -> Result<Result<String, String>, PlatformError> {
        const FRESH: Duration = Duration::from_secs(60);
        /// What peers ask for is theirs to say: it must not grow without end.
        const MANY: usize = 256;
        let known = |machines: &Self| {
            let known = machines.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(&wanted).filter(|(asked, _)| asked.elapsed() < FRESH).map(|(_, answer)| answer.clone())
        };
        if let Some(answer) = known(self) {
            return Ok(answer);
        }
        let [virt, arch, machine] = &wanted;
        let words = [("virttype", virt), ("arch", arch), ("machine", machine)];
        let words = words.map(|(option, word)| format!("--{option}={word}"));
        let command = Driver::Qemu.virsh().arg("domcapabilities");
        let answer = match command.args(words.iter().map(String::as_str)).run().await {
            Ok(capabilities) => Ok(capabilities),
            Err(error @ ExecError::Failed { .. }) => {
                let said = error.stderr().to_owned();
                if let down @ PlatformError::Down { .. } = failed("ask for capabilities", error) {
                    return Err(down);
                }
                Err(said)
            }
            Err(error) => return Err(failed("ask for capabilities", error)),
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MANY {
            known.clear();
        }
        known.insert(wanted, (Instant::now(), answer.clone()));
        Ok(answer)
    }
}

/// Machine type and CPU model that this host's QEMU does not have.
async fn machine(
    libvirt: &Libvirt,
    domain: &domain_xml::Domain,
    kind: Kind,
) -> Result<Option<Blocker>, PlatformError> {
    let Some(machine) = &domain.machine else { return Ok(None) };
    let blocker = |reason: String| Ok(Some(Blocker::new(BlockerKind::Platform, reason)));
    let wanted = [domain.virt.clone(), domain.arch.clone(), machine.clone()];
    if let Some(odd) = wanted.iter().find(|word| !is_plain(word)) {
        return blocker(format!("{odd:?} is no word for a machine"));
    }
    let capabilities = match libvirt.machines.ask(wanted).await? {
        Ok(capabilities) => capabilities,
        Err(said) => {
            return blocker(format!("no machine {} {machine} ({}) there: {said}", domain.arch, domain.virt));
        }
    };
    match domain.cpu_model.as_deref().filter(|_| kind == Kind::Live) {
        Some(model) if !cpu_is_usable(&capabilities, model) => {
            blocker(format!("no CPU {model} for {} there", domain.virt))
        }
        _ => Ok(None),
    }
}

/// Whether libvirt could have such a word for a type, an architecture or a machine.
pub(super) fn is_plain(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+');
    !word.is_empty() && word.len() <= 64 && !word.starts_with('-') && word.chars().all(plain)
}

//       <model usable='yes' vendor='unknown'>qemu64</model>
//       <model usable='no' vendor='AMD'>EPYC</model>
/// Whether a CPU model is usable. One that is not listed is left to libvirt's own judgement.
fn cpu_is_usable(capabilities: &str, model: &str) -> bool {
    let Ok(document) = roxmltree::Document::parse(capabilities) else { return true };
    let found = document.descendants().find(|node| {
        node.has_tag_name("model") && node.text() == Some(model) && node.has_attribute("usable")
    });
    found.is_none_or(|node| node.attribute("usable") != Some("no"))
}

// Compiled against library: libvirt 9.0.0
// Using library: libvirt 9.0.0
// Using API: QEMU 9.0.0
// Running hypervisor: QEMU 7.2.22
/// Hypervisor with version, and architecture.
pub(super) async fn version() -> Result<(String, String), PlatformError> {
    let command = Driver::Qemu.virsh().arg("version");
    let output = command.run().await.map_err(|error| failed("ask for the version", error))?;
    let field = |name: &str| output.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let library = field("Using library:").unwrap_or("libvirt");
    let text = match field("Running hypervisor:") {
        Some(hypervisor) => format!("{hypervisor} ({library})"),
        None => library.to_owned(),
    };
    let machine = rustix::system::uname();
    Ok((text, machine.machine().to_string_lossy().into_owned()))
}

/// Memory of the host, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    pub total: u64,
    pub available: u64,
}

/// Reads the host's memory.
pub(super) fn memory() -> Result<Memory, PlatformError> {
    let path = Path::new("/proc/meminfo");
    let text = std::fs::read_to_string(path).map_err(|source| PlatformError::Io {
        what: "read",
        path: path.to_owned(),
        source,
    })?;
    parse_meminfo(&text).ok_or_else(|| PlatformError::Output {
        command: "/proc/meminfo",
        what: "no MemTotal or MemAvailable".to_owned(),
    })
}

// MemTotal:       24684084 kB
// MemAvailable:   23512340 kB
fn parse_meminfo(text: &str) -> Option<Memory> {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
    };
    Some(Memory { total: field("MemTotal")?, available: field("MemAvailable")? })
}

/// Reads a text as each of the things that are read here.
#[cfg(feature = "fuzzing")]
pub(super) fn read_output(text: &str) {
    let _ = (parse_meminfo(text), cpu_is_usable(text, "qemu64"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_bytes() {
        let text = "MemTotal:       24684084 kB\nMemFree:        22628192 kB\nMemAvailable:   23512340 kB\n";
        assert_eq!(
            parse_meminfo(text),
            Some(Memory { total: 24_684_084 << 10, available: 23_512_340 << 10 })
        );
        assert_eq!(parse_meminfo("MemTotal: 1 kB\n"), None);
    }

    #[tokio::test]
    async fn the_name_of_a_network_leads_to_no_other_file() {
        for name in ["/etc/passwd", "../../../etc/passwd", ".", "..", ""] {
            for network in [Network::Bridge(name.to_owned()), Network::Device(name.to_owned())] {
                let blocker = missing_network(&network, name).await.unwrap();
                assert!(blocker.is_some_and(|blocker| blocker.reason.starts_with("no ")), "{name:?}");
            }
        }
        assert_eq!(missing_network(&Network::Device("lo".to_owned()), "lo").await.unwrap(), None);
    }

    #[test]
    fn only_plain_words_become_arguments() {
        assert!(["kvm", "x86_64", "pc-q35-7.2", "s390-ccw-virtio"].into_iter().all(is_plain));
        let long = "x".repeat(65);
        assert!(!["", "-rf", "a b", "a;b", "../x", "a\n", "а", long.as_str()].into_iter().any(is_plain));
    }

    #[test]
    fn a_cpu_model_is_usable_unless_the_host_says_no() {
        let text = "<domainCapabilities><cpu><mode name='custom'><model usable='yes' vendor='unknown'>qemu64</model>\
                    <model usable='no' vendor='AMD'>EPYC</model></mode></cpu></domainCapabilities>";
        assert!(
            cpu_is_usable(text, "qemu64") && !cpu_is_usable(text, "EPYC") && cpu_is_usable(text, "other")
        );
    }
}
