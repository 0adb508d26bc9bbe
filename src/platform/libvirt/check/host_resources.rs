//! Whether this host has what a zone's configuration names of its host: devices, folders, CPUs, secrets. That a
//! name exists does not prove that it means the same thing; that it is missing is proof enough.
//! `docs/what-is-checked.md` has the table.
//!
//! `here` asks the kernel and the file system; this file asks libvirt.

mod here;

use roxmltree::Document;
use uuid::Uuid;

use super::super::Libvirt;
use super::super::domain_xml::{self, Domain, Need};
use super::super::virsh::{Connection, Driver};
use crate::model::{Blocker, CheckRequest, Method};
use crate::platform::PlatformError;
use here::Here;

/// Which of these resources are missing here now; many of them come and go.
pub async fn missing(
    libvirt: &Libvirt,
    domain: &Domain,
    request: &CheckRequest,
) -> Result<Vec<Blocker>, PlatformError> {
    let here = Here::default();
    let mut found = Vec::new();
    for need in &domain.needs {
        let reason = match need {
            // Security drivers of the other hypervisor do not apply to containers.
            Need::Security(_) if domain.virt == "lxc" => None,
            Need::Security(_) | Need::Tsc(_) => {
                (!is_capable(need, &libvirt.queries.capabilities().await?)).then(|| need.to_string())
            }
            // A port or CID that is in use now may be free when the zone is booted.
            Need::Port(..) | Need::Cid(_) if request.method == Method::Cold => None,
            Need::Port(address, port) => here::is_taken(address, *port).then(|| need.to_string()),
            Need::Cid(_) => {
                let others = running(libvirt, request.manifest.zone.uuid).await?;
                others.iter().any(|other| other.needs.contains(need)).then(|| need.to_string())
            }
            Need::Address(address) => here::misses_address(address).await.then(|| need.to_string()),
            need => match kept(need).await? {
                Some(answer) => missed(need, answer),
                None => here.misses(need),
            },
        };
        found.extend(reason.map(|reason| Blocker::new(need.kind(), reason)));
    }
    Ok(found)
}

/// The other virtual machines that run here.
async fn running(libvirt: &Libvirt, zone: Uuid) -> Result<Vec<Domain>, PlatformError> {
    let lists = libvirt.lists().await?;
    let listed = lists.iter().filter(|(driver, _)| *driver == Driver::Qemu).flat_map(|(_, listed)| listed);
    let others = listed.filter(|other| other.id.is_some() && other.uuid != zone);
    let documents = Connection::qemu().documents(others.map(|other| other.uuid)).await?;
    Ok(documents.iter().filter_map(|xml| domain_xml::parse(xml.trim_start()).ok()).collect())
}

/// Whether libvirt has the resource, or its error. None: not a resource of libvirt's.
async fn kept(need: &Need) -> Result<Option<Result<bool, String>>, PlatformError> {
    let libvirt = Connection::qemu();
    Ok(Some(match need {
        Need::Volume(pool, volume) => libvirt.volume(pool, volume).await?.map(|_| true),
        Need::Secret(uuid) => libvirt.secret(*uuid).await?.map(|_| true),
        Need::SecretFor(kind, name) => {
            libvirt.secrets().await?.map(|all| all.contains(&format!("{kind} {name}")))
        }
        Need::Network(name) => Ok(libvirt.networks().await?.contains(name)),
        Need::PortGroup(network, group) => {
            libvirt.network(network).await?.map(|xml| has_port_group(&xml, group))
        }
        Need::Filter(filter) => libvirt.network_filters().await?.map(|all| all.contains(filter)),
        _ => return Ok(None),
    }))
}

/// The message after libvirt's answer, if the resource is missing.
fn missed(need: &Need, answer: Result<bool, String>) -> Option<String> {
    match (need, answer) {
        (need, Ok(there)) => (!there).then(|| need.to_string()),
        // The interface already reports a missing network.
        (Need::PortGroup(..), Err(_)) => None,
        (need, Err(said)) => Some(format!("{need}: {said}")),
    }
}

fn has_port_group(network: &str, group: &str) -> bool {
    Document::parse(network).is_ok_and(|document| {
        let mut groups = document.descendants().filter(|node| node.has_tag_name("portgroup"));
        groups.any(|node| node.attribute("name") == Some(group))
    })
}

// <host>
//   <cpu>
//     <counter name='tsc' frequency='2099999000' scaling='no'/>
//   </cpu>
//   <secmodel>
//     <model>selinux</model>
//   </secmodel>
/// Whether libvirt says that this host has the resource. libvirt does not list counters that it does not know.
fn is_capable(need: &Need, capabilities: &str) -> bool {
    let Ok(document) = Document::parse(capabilities) else { return true };
    let mut all = document.descendants();
    match need {
        Need::Security(driver) => all.any(|node| {
            let is_model = node.has_tag_name("model") && node.text().map(str::trim) == Some(driver);
            is_model && node.parent_element().is_some_and(|parent| parent.has_tag_name("secmodel"))
        }),
        Need::Tsc(wanted) => {
            let counter =
                all.find(|node| node.has_tag_name("counter") && node.attribute("name") == Some("tsc"));
            let Some(counter) = counter else { return true };
            let own = counter.attribute("frequency").and_then(|hertz| hertz.parse::<u64>().ok());
            // libvirt's tolerance: 250 ppm.
            let is_near = |own: u64| own.abs_diff(*wanted) <= own / 4000;
            counter.attribute("scaling") == Some("yes") || own.is_none_or(is_near)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libvirt_does_not_have_is_named_with_what_it_says() {
        let network = "<network><name>lan</name><portgroup name='blue'/></network>";
        assert!(has_port_group(network, "blue") && !has_port_group(network, "red"));
        assert!(!has_port_group("", "blue"));
        let group = Need::PortGroup("lan".into(), "blue".into());
        let filter = Need::Filter("x".into());
        assert_eq!(missed(&filter, Ok(true)), None);
        assert_eq!(missed(&filter, Ok(false)).unwrap(), "no network filter x");
        let said = missed(&filter, Err("no such driver".into())).unwrap();
        assert_eq!(said, "no network filter x: no such driver");
        assert_eq!(missed(&group, Err("no such network".into())), None);
    }

    #[test]
    fn security_drivers_and_the_counter_of_time_are_those_that_libvirt_tells_of() {
        let host = |inner: &str| format!("<capabilities><host>{inner}</host></capabilities>");
        let models = host("<secmodel><model>selinux</model></secmodel><cpu><model>dac</model></cpu>");
        let tsc = |scaling: &str| {
            host(&format!("<cpu><counter name='tsc' frequency='2000000000' scaling='{scaling}'/></cpu>"))
        };
        for (need, capabilities, there) in [
            (Need::Security("selinux".into()), &models, true),
            (Need::Security("dac".into()), &models, false),
            (Need::Tsc(2_000_400_000), &tsc("no"), true),
            (Need::Tsc(2_000_600_000), &tsc("no"), false),
            (Need::Tsc(1_000_000_000), &tsc("yes"), true),
            (Need::Tsc(1_000_000_000), &models, true),
        ] {
            assert_eq!(is_capable(&need, capabilities), there, "{need}: {capabilities}");
        }
    }
}
