//! Whether this host has what a zone's configuration names of its host: devices, folders, processors, secrets. A name says
//! nothing of what is behind it; one that is not there says enough. `docs/what-is-checked.md` has the table.
//!
//! What the kernel and the file system tell is in `here`; this asks libvirt for what it keeps itself.

mod here;

use roxmltree::Document;
use uuid::Uuid;

use super::super::Libvirt;
use super::super::domain_xml::{self, Domain, Need};
use super::super::machine::capabilities;
use super::super::query_cache::ask_now;
use super::super::virsh::Driver;
use crate::model::{Arrival, Blocker, Kind};
use crate::platform::PlatformError;
use here::Here;

/// What of it is not here now: much of it comes and goes.
pub async fn missing(
    libvirt: &Libvirt,
    domain: &Domain,
    arrival: &Arrival,
) -> Result<Vec<Blocker>, PlatformError> {
    let here = Here::default();
    let mut found = Vec::new();
    for need in &domain.needs {
        let reason = match need {
            // Those of the other driver are not the container's.
            Need::Security(_) if domain.virt == "lxc" => None,
            Need::Security(_) | Need::Tsc(_) => {
                (!is_capable(need, &capabilities(&libvirt.known).await?)).then(|| need.to_string())
            }
            // What is taken now may be free when it is booted.
            Need::Port(..) | Need::Cid(_) if arrival.kind == Kind::Cold => None,
            Need::Port(address, port) => here::is_taken(address, *port).then(|| need.to_string()),
            Need::Cid(_) => {
                let others = running(libvirt, arrival.manifest.zone.uuid).await?;
                others.iter().any(|other| other.needs.contains(need)).then(|| need.to_string())
            }
            Need::Address(address) => here::misses_address(address).await.then(|| need.to_string()),
            need => match question(need) {
                Some(words) => missed(need, ask_now(&words, "").await?),
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
    let documents =
        Driver::Qemu.each(others.map(|other| format!("dumpxml {}", other.uuid)).collect()).await?;
    Ok(documents.iter().filter_map(|xml| domain_xml::parse(xml.trim_start()).ok()).collect())
}

/// How virsh is asked for what libvirt keeps.
fn question(need: &Need) -> Option<Vec<String>> {
    let words: &[&str] = match need {
        Need::Volume(pool, volume) => &["vol-path", &format!("--pool={pool}"), &format!("--vol={volume}")],
        Need::Secret(uuid) => &["secret-dumpxml", &uuid.to_string()],
        Need::SecretFor(..) => &["secret-list"],
        Need::Network(_) => &["net-list", "--name"],
        Need::PortGroup(network, _) => &["net-dumpxml", &format!("--network={network}")],
        Need::Filter(_) => &["nwfilter-list"],
        _ => return None,
    };
    Some(words.iter().map(|&word| word.to_owned()).collect())
}

/// What is said of it after virsh's answer, if it is not there.
fn missed(need: &Need, answer: Result<String, String>) -> Option<String> {
    match (need, answer) {
        (need, Ok(answer)) => (!is_in(need, &answer)).then(|| need.to_string()),
        // That there is no such network is said already, by the interface.
        (Need::PortGroup(..), Err(_)) => None,
        (need, Err(said)) => Some(format!("{need}: {said}")),
    }
}

/// Whether it is what virsh has printed, or among that.
fn is_in(need: &Need, answer: &str) -> bool {
    // `UUID   name`
    let named = || answer.lines().filter_map(|line| line.trim().split_once(' ')).map(|(_, name)| name.trim());
    match need {
        //  c2177883-f1bb-47f0-914d-32a22e3a8804   ceph client.libvirt secret
        //  2a8b8ed6-fd31-48e8-a189-28b9737da1c5   Unused
        Need::SecretFor(kind, name) => {
            named().filter_map(|usage| usage.split_once(' ')).any(|usage| usage == (kind, name))
        }
        Need::Filter(filter) => named().any(|name| name == filter),
        Need::Network(network) => answer.lines().any(|line| line.trim() == network),
        Need::PortGroup(_, group) => Document::parse(answer).is_ok_and(|document| {
            let groups = document.descendants().filter(|node| node.has_tag_name("portgroup"));
            groups.into_iter().any(|node| node.attribute("name") == Some(group))
        }),
        _ => true,
    }
}

// <host>
//   <cpu>
//     <counter name='tsc' frequency='2099999000' scaling='no'/>
//   </cpu>
//   <secmodel>
//     <model>selinux</model>
//   </secmodel>
/// Whether libvirt says that this host has it. Of a counter that it does not know it says nothing.
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
            // libvirt's tolerance: 250 parts of a million.
            let is_near = |own: u64| own.abs_diff(*wanted) <= own / 4000;
            counter.attribute("scaling") == Some("yes") || own.is_none_or(is_near)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(devices: &str) -> Vec<String> {
        let domain = format!("<domain type='kvm'><devices>{devices}</devices></domain>");
        let needs = domain_xml::parse(&domain).unwrap().needs;
        needs.iter().filter_map(question).map(|words| words.join(" ")).collect()
    }

    #[test]
    fn volumes_secrets_filters_and_networks_are_asked_for_each_once() {
        let devices = "<disk type='volume'><source pool='vms' volume='web.img'/></disk>\
            <disk type='volume'><source pool='vms' volume='/etc/shadow'/></disk>\
            <disk type='volume'><source pool='vms' volume='x.iso' startupPolicy='optional'/></disk>\
            <disk type='network'><source protocol='rbd'><auth username='u'>\
            <secret type='ceph' uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></auth></source></disk>\
            <disk type='file'><source file='/x'><encryption format='luks'>\
            <secret type='passphrase' uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></encryption></source></disk>\
            <disk type='network'><source protocol='iscsi'><auth username='u'><secret type='iscsi' usage='san 1'/></auth>\
            </source></disk>\
            <interface type='network'><source network='lan' portgroup='blue'/><filterref filter='clean'/></interface>\
            <graphics type='vnc'><listen type='network' network='mgmt'/></graphics>";
        assert_eq!(
            asked(devices),
            [
                "net-dumpxml --network=lan",
                "nwfilter-list",
                "net-list --name",
                "vol-path --pool=vms --vol=web.img",
                "secret-dumpxml c2177883-f1bb-47f0-914d-32a22e3a8804",
                "secret-list",
            ]
        );
    }

    #[test]
    fn what_libvirt_keeps_is_found_by_its_name_or_what_it_is_for() {
        let secrets = " c2177883-f1bb-47f0-914d-32a22e3a8804   ceph client.libvirt secret\n \
                      1ed8a768-690a-425b-b2e5-776395e722c0   volume /x/y.img\n \
                      2a8b8ed6-fd31-48e8-a189-28b9737da1c5   Unused\n";
        let filters = " 0fd82ade-1a3a-4e4b-b7b2-d4a5f7b3a6e1   clean-traffic\n \
                       1ed8a768-690a-425b-b2e5-776395e722c0   my filter\n";
        let network = "<network><name>lan</name><portgroup name='blue'/></network>";
        let secret = |kind: &str, name: &str| Need::SecretFor(kind.into(), name.into());
        let group = |name: &str| Need::PortGroup("lan".into(), name.into());
        for (need, answer, there) in [
            (secret("ceph", "client.libvirt secret"), secrets, true),
            (secret("volume", "/x/y.img"), secrets, true),
            (secret("iscsi", "client.libvirt secret"), secrets, false),
            (secret("ceph", "client.libvirt"), secrets, false),
            (secret("ceph", ""), secrets, false),
            (Need::Filter("clean-traffic".into()), filters, true),
            (Need::Filter("my filter".into()), filters, true),
            (Need::Filter("clean".into()), filters, false),
            (Need::Network("lan".into()), " default\n lan\n", true),
            (Need::Network("la".into()), " default\n lan\n", false),
            (group("blue"), network, true),
            (group("red"), network, false),
        ] {
            let said = missed(&need, Ok(answer.to_owned()));
            assert_eq!(said, (!there).then(|| need.to_string()));
        }
        let said = missed(&Need::Filter("x".into()), Err("no such driver".into())).unwrap();
        assert_eq!(said, "no network filter x there: no such driver");
        assert_eq!(missed(&group("blue"), Err("no such network".into())), None);
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
