//! `virsh list --all --id --name --uuid`, `virsh dominfo`, `virsh domstate --reason`.

use uuid::Uuid;

use crate::model::{Aux, Brand, Ended, UnmanagedGuest, Zone, ZoneName, ZoneState};
use crate::platform::PlatformError;

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDomain {
    pub uuid: Uuid,
    /// The number of a running domain.
    pub id: Option<u32>,
    /// Any text.
    pub name: String,
}

impl ListedDomain {
    /// Whether it is the zone with that name.
    pub fn is(&self, zone: &ZoneName) -> bool {
        ZoneName::of_platform(&self.name).as_ref() == Ok(zone)
    }

    /// The domain as a guest that cannot be handled.
    pub fn unmanaged_guest(&self, reason: String) -> UnmanagedGuest {
        UnmanagedGuest { name: self.name.clone(), uuid: Some(self.uuid), reason, running: self.id.is_some() }
    }
}

// 00511286-3319-4f84-a168-e5fcdfb0de45 1 evac1
// 6b5bd03f-ed22-41e2-9128-dadfae40d005 - evac4
/// Parses the output of `virsh list --all --id --name --uuid`. The name is the whole rest of a line, including
/// blanks at its ends; a line that does not begin with a UUID continues the name on the line before, which
/// contains a line break.
pub fn parse_list(output: &str) -> Result<Vec<ListedDomain>, PlatformError> {
    let mut all: Vec<ListedDomain> = Vec::new();
    for line in output.trim_end_matches('\n').split('\n') {
        match (parse_line(line), all.last_mut()) {
            (Some(listed), _) => all.push(listed),
            (None, Some(last)) => last.name.extend(["\n", line]),
            (None, None) if line.is_empty() => {}
            (None, None) => {
                return Err(PlatformError::Output { command: "virsh list", what: format!("{line:?}") });
            }
        }
    }
    Ok(all)
}

fn parse_line(line: &str) -> Option<ListedDomain> {
    let (uuid, rest) = line.split_once(' ')?;
    let (id, name) = rest.split_once(' ')?;
    let id = match id {
        "-" => None,
        number => Some(number.parse().ok()?),
    };
    Some(ListedDomain { uuid: uuid.parse().ok()?, id, name: name.to_owned() })
}

// Id:             1
// Name:           evac1
// UUID:           00511286-3319-4f84-a168-e5fcdfb0de45
// OS Type:        hvm
// State:          running
// CPU(s):         1
// CPU time:       1.1s
// Max memory:     98304 KiB
// Used memory:    98304 KiB
// Persistent:     yes
// Autostart:      disable
// Managed save:   no
/// Parses the output of `virsh dominfo` and `virsh domstate --reason`; none if the domain is gone by now.
///
/// # Errors
/// Why the domain cannot be handled: it has a name that no zone can have, or something else is unexpected.
pub fn parse_zone(brand: Brand, dominfo: &str, domstate: &str) -> Result<Option<Zone>, PlatformError> {
    if dominfo.trim().is_empty() {
        return Ok(None);
    }
    let odd = |what: &str| PlatformError::Output { command: "virsh dominfo", what: what.to_owned() };
    // Nothing in a name with line breaks may be taken for another field.
    let (head, rest) = dominfo.split_once("Name:").ok_or_else(|| odd("no \"Name\""))?;
    let (name, rest) = rest.rsplit_once("\nUUID:").ok_or_else(|| odd("no \"UUID\""))?;
    // "Name:" and the blanks after it take 16 columns.
    let name = name.strip_prefix("           ").unwrap_or_else(|| name.trim());
    let (uuid, fields) = rest.split_once('\n').ok_or_else(|| odd("UUID"))?;
    let field = |name: &str| {
        let mut lines = fields.lines().chain(head.lines());
        lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
    };
    let needed = |name: &str| field(name).ok_or_else(|| odd(&format!("no {name:?}")));
    let (state, mut aux) = state_of(needed("State")?, domstate);
    if field("Managed save") == Some("yes") && state == ZoneState::Installed {
        aux = Some(Aux::Suspended);
    }
    let memory = needed("Max memory")?.strip_suffix(" KiB").and_then(|kib| kib.parse::<u64>().ok());
    Ok(Some(Zone {
        name: ZoneName::of_platform(name).map_err(|error| odd(&error.to_string()))?,
        uuid: uuid.trim().parse().map_err(|_| odd("UUID"))?,
        brand,
        state,
        aux,
        id: needed("Id")?.parse().ok(),
        autostart: field("Autostart") == Some("enable"),
        persistent: field("Persistent") != Some("no"),
        ended: (state == ZoneState::Installed).then(|| ended(domstate)).flatten(),
        memory: memory.ok_or_else(|| odd("Max memory"))?.saturating_mul(1024),
        cpus: needed("CPU(s)")?.parse().map_err(|_| odd("CPU(s)"))?,
    }))
}

// running (booted)
// paused (migrating)
/// The state in the words of zones(7).
fn state_of(state: &str, reason: &str) -> (ZoneState, Option<Aux>) {
    match state {
        "shut off" => (ZoneState::Installed, None),
        "in shutdown" => (ZoneState::ShuttingDown, None),
        "crashed" => (ZoneState::Down, None),
        "paused" if reason.contains("(migrating)") => (ZoneState::Running, Some(Aux::MigratingIn)),
        "paused" => (ZoneState::Running, Some(Aux::Paused)),
        // Asleep by its own choice (ACPI S3): its memory is still in its process.
        "pmsuspended" => (ZoneState::Running, Some(Aux::Paused)),
        // "running", "idle", "no state", and states of later versions: to be on the safe side, the zone runs.
        _ => (ZoneState::Running, None),
    }
}

// shut off (crashed)
/// How a domain that does not run has ended; unknown if it has not run since libvirt was started.
fn ended(domstate: &str) -> Option<Ended> {
    let (_, reason) = domstate.trim().split_once('(')?;
    match reason.trim_end_matches(')') {
        "shutdown" => Some(Ended::ShutDown),
        "destroyed" => Some(Ended::Destroyed),
        "crashed" | "failed" => Some(Ended::Crashed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DOMINFO: &str = "Id:             1\nName:           evac1\n\
        UUID:           00511286-3319-4f84-a168-e5fcdfb0de45\nOS Type:        hvm\nState:          running\n\
        CPU(s):         1\nCPU time:       1.1s\nMax memory:     98304 KiB\nUsed memory:    98304 KiB\n\
        Persistent:     yes\nAutostart:      disable\nManaged save:   no\nSecurity model: none\n\
        Security DOI:   0\nMessages:       tainted: running with undesirable elevated privileges\n";

    #[test]
    fn a_list_with_running_and_stopped_domains_is_read() {
        let list = parse_list(
            "00511286-3319-4f84-a168-e5fcdfb0de45 1 evac1\n\
             6b5bd03f-ed22-41e2-9128-dadfae40d005 - Windows 10\n\n",
        )
        .unwrap();
        assert_eq!((list[0].id, list[0].name.as_str()), (Some(1), "evac1"));
        assert_eq!((list[1].id, list[1].name.as_str()), (None, "Windows 10"));
    }

    #[test]
    fn a_name_is_read_with_every_blank_and_line_break_in_it() {
        let uuid = |number: u128| uuid::Uuid::from_u128(number);
        let names = [" web", "web ", " ", "a  b", "a\tb", "- x", "a\nb", "a\n\nb", "it's"];
        let lines = names.iter().enumerate().map(|(at, name)| format!("{} - {name}\n", uuid(at as u128)));
        let list = parse_list(&format!("{}\n", lines.collect::<String>())).unwrap();
        assert_eq!(list.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), names);
        assert!(parse_list("").unwrap().is_empty() && parse_list("\n").unwrap().is_empty());
        assert!(parse_list("error: no\n").is_err());
    }

    #[test]
    fn a_domain_of_any_name_is_a_zone_and_its_name_says_nothing_else() {
        let read = |name: &str| parse_zone(Brand::KVM, &DOMINFO.replace("evac1", name), "running (booted)");
        for (name, text) in [("Windows 10", "Windows%2010"), (" a ", "%20a%20"), ("müller", "m%C3%BCller")] {
            assert_eq!(read(name).unwrap().unwrap().name.as_str(), text);
        }
        let trick = "x\nUUID:           6b5bd03f-ed22-41e2-9128-dadfae40d005\nState:          shut off";
        let said = read(trick).unwrap_err().to_string();
        assert!(said.contains("'\\n' is not allowed in a zone name"), "{said}");
        // A valid name may be followed by text that looks like a field.
        let info = DOMINFO.replace("Name:           evac1\n", "Name:           UUID: State:\n");
        let zone = parse_zone(Brand::KVM, &info, "").unwrap().unwrap();
        assert_eq!((zone.name.as_str(), zone.state), ("UUID%3A%20State%3A", ZoneState::Running));
    }

    #[test]
    fn a_running_domain_is_read_whole() {
        let zone = parse_zone(Brand::KVM, DOMINFO, "running (booted)").unwrap().unwrap();
        assert_eq!(zone.name.as_str(), "evac1");
        assert_eq!((zone.state, zone.aux, zone.id), (ZoneState::Running, None, Some(1)));
        assert_eq!((zone.memory, zone.cpus), (96 << 20, 1));
        assert!(zone.persistent && !zone.autostart);
    }

    #[test]
    fn every_state_of_libvirt_has_its_zone_state() {
        let read = |state: &str, reason: &str| {
            let info = DOMINFO.replace("running\nCPU", &format!("{state}\nCPU"));
            let zone = parse_zone(Brand::KVM, &info, reason).unwrap().unwrap();
            (zone.state, zone.aux)
        };
        assert_eq!(read("idle", "idle (unknown)"), (ZoneState::Running, None));
        assert_eq!(read("paused", "paused (user)"), (ZoneState::Running, Some(Aux::Paused)));
        assert_eq!(read("paused", "paused (migrating)"), (ZoneState::Running, Some(Aux::MigratingIn)));
        assert_eq!(read("in shutdown", ""), (ZoneState::ShuttingDown, None));
        assert_eq!(read("shut off", "shut off (destroyed)"), (ZoneState::Installed, None));
        assert_eq!(read("crashed", ""), (ZoneState::Down, None));
        assert_eq!(read("something new", ""), (ZoneState::Running, None));
    }

    #[test]
    fn how_a_domain_has_ended_is_read_where_libvirt_knows_it() {
        let read = |state: &str, reason: &str| {
            let info = DOMINFO.replace("running\nCPU", &format!("{state}\nCPU"));
            parse_zone(Brand::KVM, &info, reason).unwrap().unwrap().ended
        };
        for (reason, expected) in [
            ("shut off (shutdown)\n\n", Some(Ended::ShutDown)),
            ("shut off (destroyed)", Some(Ended::Destroyed)),
            ("shut off (crashed)", Some(Ended::Crashed)),
            ("shut off (failed)", Some(Ended::Crashed)),
            ("shut off (unknown)", None),
            ("shut off (migrated)", None),
            ("", None),
        ] {
            assert_eq!(read("shut off", reason), expected, "{reason}");
        }
        assert_eq!(read("paused", "paused (crashed)"), None);
    }

    #[test]
    fn a_managed_save_image_is_seen() {
        let info =
            DOMINFO.replace("Managed save:   no", "Managed save:   yes").replace("running\n", "shut off\n");
        let zone = parse_zone(Brand::KVM, &info, "shut off (saved)").unwrap().unwrap();
        assert_eq!(zone.aux, Some(Aux::Suspended));
    }

    #[test]
    fn a_domain_that_is_gone_is_no_error() {
        assert_eq!(parse_zone(Brand::KVM, "\n", "").unwrap(), None);
    }

    proptest! {
        #[test]
        fn no_output_makes_the_readers_panic(text in "(Name|State|Id|UUID|Max memory|CPU\\(s\\)|: |\n|\\PC){0,40}") {
            let _ = parse_list(&text);
            let _ = parse_zone(Brand::LXC, &text, &text);
        }
    }
}
