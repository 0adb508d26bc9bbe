//! What a domain's XML says of the zone itself: all that is known about a zone which is not defined on any host.

use std::str::FromStr;

use roxmltree::Node;
use uuid::Uuid;

use super::{read, text};
use crate::model::{Brand, ZoneName};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainSettings {
    pub name: ZoneName,
    pub uuid: Uuid,
    pub brand: Brand,
    /// Maximum memory in bytes.
    pub memory: u64,
    /// Virtual CPUs at boot.
    pub cpus: u32,
}

/// # Errors
/// What is wrong, with its position.
pub fn stated(xml: &str) -> Result<DomainSettings, String> {
    let document = read(xml)?;
    let root = document.root_element();
    let brand = match root.attribute("type").unwrap_or_default() {
        "kvm" | "qemu" => Brand::KVM,
        "lxc" => Brand::LXC,
        other => return Err(text::at(root, format!("a domain of type {other:?} cannot be handled"))),
    };
    let name = text::only(root, "name")?;
    Ok(DomainSettings {
        name: ZoneName::of_platform(text::alone(name)?).map_err(|error| text::at(name, error))?,
        uuid: parsed(text::only(root, "uuid")?)?,
        brand,
        memory: bytes(text::only(root, "memory")?)?,
        cpus: cpus(root)?.map_or(1, |cpus| cpus.now),
    })
}

/// Parses an element's text.
fn parsed<T: FromStr<Err: std::fmt::Display>>(node: Node<'_, '_>) -> Result<T, String> {
    text::alone(node)?.trim().parse().map_err(|error: T::Err| text::at(node, error))
}

/// An amount of memory in bytes: `<memory unit='GiB'>2</memory>`.
pub(super) fn bytes(node: Node<'_, '_>) -> Result<u64, String> {
    let name = node.tag_name().name();
    let unit = node.attribute("unit").unwrap_or("KiB");
    let amount = text::alone(node)?.trim().parse::<u64>().ok();
    let bytes = amount.zip(bytes_of(unit)).and_then(|(amount, unit)| amount.checked_mul(unit));
    bytes.ok_or_else(|| text::at(node, format!("<{name}> is not an amount of memory")))
}

/// The size of one of libvirt's units, in bytes.
pub fn bytes_of(unit: &str) -> Option<u64> {
    Some(match unit {
        "b" | "bytes" => 1,
        "KB" => 1000,
        "k" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        "TB" => 1_000_000_000_000,
        "T" | "TiB" => 1 << 40,
        "PB" => 1_000_000_000_000_000,
        "P" | "PiB" => 1 << 50,
        "EB" => 1_000_000_000_000_000_000,
        "E" | "EiB" => 1 << 60,
        _ => return None,
    })
}

pub(super) struct Cpus<'a, 'input> {
    /// The element with the number.
    pub node: Node<'a, 'input>,
    /// The number at boot.
    pub now: u32,
    /// The maximum number.
    pub most: u32,
}

/// `<vcpu current='1'>2</vcpu>`; the default is 1.
pub(super) fn cpus<'a, 'input>(root: Node<'a, 'input>) -> Result<Option<Cpus<'a, 'input>>, String> {
    if !root.children().any(|node| node.is_element() && node.tag_name().name() == "vcpu") {
        return Ok(None);
    }
    let node = text::only(root, "vcpu")?;
    let most = parsed(node)?;
    let now = match node.attribute("current") {
        Some(current) => current.parse().map_err(|error| text::at(node, error))?,
        None => most,
    };
    Ok(Some(Cpus { node, now, most }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: &str = include_str!("../survey/fixtures/domain.xml");

    #[test]
    fn all_is_known_of_a_zone_from_its_configuration_alone() {
        let stated = stated(ZONE).unwrap();
        assert_eq!((stated.name.as_str(), stated.brand), ("web1", Brand::KVM));
        assert_eq!(stated.uuid.to_string(), "af10a2cc-78da-4b64-81ce-6e7aeae52845");
        assert_eq!((stated.memory, stated.cpus), (96 << 20, 1));
    }

    #[test]
    fn memory_is_read_in_every_unit_and_processors_as_they_are_at_boot() {
        let with = |from: &str, to: &str| stated(&ZONE.replacen(from, to, 1));
        let memory = "<memory unit='KiB'>98304</memory>";
        for (text, bytes) in [
            ("<memory>96</memory>", 96 << 10),
            ("<memory unit='GiB'> 2 </memory>", 2 << 30),
            ("<memory unit='MB'>5</memory>", 5_000_000),
            ("<memory unit='b'>4096</memory>", 4096),
        ] {
            assert_eq!(with(memory, text).unwrap().memory, bytes, "{text}");
        }
        let vcpu = "<vcpu placement='static'>1</vcpu>";
        assert_eq!(with(vcpu, "<vcpu current='2'>8</vcpu>").unwrap().cpus, 2);
        assert_eq!(with(vcpu, "").unwrap().cpus, 1);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let wrong = |from: &str, to: &str| stated(&ZONE.replacen(from, to, 1)).unwrap_err();
        for (from, to, what) in [
            ("<name>web1<", "<name>a/b<", "'/' is not allowed in a zone name at 2:3"),
            ("<uuid>af10", "<uuid>zz10", " at 3:3"),
            ("unit='KiB'>98304", "unit='pages'>98304", "<memory> is not an amount of memory at 15:3"),
            (">98304<", ">99999999999999999999<", "<memory> is not an amount of memory at 15:3"),
            (">98304<", "><!-- -->98304<", "nothing but text is expected in <memory> at 15:3"),
            ("type='qemu'", "type='xen'", "a domain of type \"xen\" cannot be handled at 1:1"),
            ("</metadata>", "", "expected 'metadata' tag"),
            ("<memory unit='KiB'>98304</memory>", "", "one <memory> is expected at 1:1"),
        ] {
            let said = wrong(from, to);
            assert!(said.contains(what), "{from}: {said}");
        }
    }
}
