//! What a policy says of the hosts and zones of a fleet.

use super::{Block, HostRef, Match, Policy};
use crate::plan::{Fleet, FleetHost, FleetZone};

impl Policy {
    /// Writes down, in the fleet itself, what holds for each of its zones and hosts.
    ///
    /// Targets that a zone has already (`sysadm target`) stay unless a block names others. Where there are
    /// destinations, no zone may go anywhere else, whatever its targets are. A zone never waits (`after`) for itself
    /// or for another one of its own block.
    pub fn apply(&self, fleet: &mut Fleet) {
        fleet.hosts.iter_mut().for_each(|host| self.add_groups(host));
        let waits = self.waits(&fleet.zones);
        let hosts = &fleet.hosts;
        for zone in &mut fleet.zones {
            for (block, waits) in self.zones.iter().zip(&waits) {
                if block.selects.fits(zone) {
                    self.say(block, waits, hosts, zone);
                }
            }
            self.restrict(hosts, zone);
        }
    }

    fn add_groups(&self, host: &mut FleetHost) {
        for (group, members) in &self.groups {
            if members.iter().any(|uri| uri.to_string() == host.name) {
                host.groups.insert(group.to_string());
            }
        }
    }

    /// For each block the names of the zones for which those that it selects wait.
    fn waits(&self, zones: &[FleetZone]) -> Vec<Vec<String>> {
        let of_block = |block: &Block| {
            let is_meant = |zone: &&FleetZone| {
                block.after.iter().any(|pattern| pattern.matches(&zone.name)) && !block.selects.fits(zone)
            };
            zones.iter().filter(is_meant).map(|zone| zone.name.clone()).collect()
        };
        self.zones.iter().map(of_block).collect()
    }

    fn say(&self, block: &Block, waits: &[String], hosts: &[FleetHost], zone: &mut FleetZone) {
        let Block { selects: _, targets, action, priority, after: _, one_by_one, apart, together } = block;
        if !targets.is_empty() {
            zone.targets = Some(self.names(targets, hosts));
        }
        zone.action = action.unwrap_or(zone.action);
        zone.priority = priority.unwrap_or(zone.priority);
        zone.after.extend(waits.iter().filter(|name| **name != zone.name).cloned());
        for (set, group) in
            [(&mut zone.one_by_one, one_by_one), (&mut zone.apart, apart), (&mut zone.together, together)]
        {
            set.extend(group.iter().map(ToString::to_string));
        }
    }

    fn restrict(&self, hosts: &[FleetHost], zone: &mut FleetZone) {
        if self.destinations.is_empty() {
            return;
        }
        let allowed = self.names(&self.destinations, hosts);
        zone.targets = Some(match zone.targets.take() {
            Some(targets) => targets.into_iter().filter(|name| allowed.contains(name)).collect(),
            None => allowed,
        });
    }

    /// The names of hosts, in order, each once. A group has the hosts that the policy lists, then those of which the
    /// fleet says so.
    fn names(&self, refs: &[HostRef], hosts: &[FleetHost]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut add = |name: String| {
            if !names.contains(&name) {
                names.push(name);
            }
        };
        for host in refs {
            self.members(host).iter().for_each(|uri| add(uri.to_string()));
            if let HostRef::Group(group) = host {
                let of_group = hosts.iter().filter(|host| host.groups.contains(group.as_str()));
                of_group.for_each(|host| add(host.name.clone()));
            }
        }
        names
    }
}

impl Match {
    /// Whether the zone is meant. One whose brand is not known is not of any brand.
    pub fn fits(&self, zone: &FleetZone) -> bool {
        let Self { name, brand, tag } = self;
        name.as_ref().is_none_or(|pattern| pattern.matches(&zone.name))
            && brand.is_none_or(|brand| zone.brand == Some(brand))
            && tag.as_ref().is_none_or(|tag| zone.tags.contains(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::model::Brand;
    use crate::plan::Action;

    fn zone(name: &str, brand: Option<Brand>, tags: &[&str], targets: Option<&[&str]>) -> FleetZone {
        FleetZone {
            name: name.to_owned(),
            host: "h1".to_owned(),
            brand,
            tags: tags.iter().map(ToString::to_string).collect(),
            targets: targets.map(|list| list.iter().map(ToString::to_string).collect()),
            ..FleetZone::default()
        }
    }

    /// Three zones and four hosts, after the policy.
    fn after(policy: &str) -> Fleet {
        let host = |name: &str, group: Option<&str>| FleetHost {
            name: name.to_owned(),
            groups: group.map(str::to_owned).into_iter().collect(),
            ..FleetHost::default()
        };
        let mut fleet = Fleet {
            hosts: vec![
                host("h1", None),
                host("rads://h2", None),
                host("rads://h3", None),
                host("rads://h4", Some("rack")),
            ],
            zones: vec![
                zone("web1", Some(Brand::Kvm), &["prod"], None),
                zone("web2", Some(Brand::Lxc), &[], Some(&["rads://h4", "rads://h3"])),
                zone("db1", None, &["prod"], Some(&["rads://h2"])),
            ],
        };
        parse(policy).unwrap().apply(&mut fleet);
        fleet
    }

    fn each<T>(fleet: &Fleet, value: impl Fn(&FleetZone) -> T) -> Vec<T> {
        fleet.zones.iter().map(value).collect()
    }

    #[test]
    fn a_policy_that_says_nothing_changes_nothing() {
        let mut fleet = after("");
        let before = fleet.clone();
        Policy::default().apply(&mut fleet);
        assert_eq!(fleet, before);
        assert_eq!(each(&fleet, |zone| zone.action), [Action::Migrate; 3]);
    }

    #[test]
    fn zones_are_selected_by_pattern_brand_and_tag_and_by_all_that_is_said() {
        let cases = [
            ("", [true, true, true]),
            ("match = { name = \"web*\" }", [true, true, false]),
            ("match = { brand = \"kvm\" }", [true, false, false]),
            ("match = { tag = \"prod\" }", [true, false, true]),
            ("match = { name = \"*1\", tag = \"prod\", brand = \"kvm\" }", [true, false, false]),
            ("match = { name = \"nope\" }", [false, false, false]),
        ];
        for (selects, expected) in cases {
            let fleet = after(&format!("[[zones]]\n{selects}\npriority = 5\n"));
            assert_eq!(each(&fleet, |zone| zone.priority == 5), expected, "{selects}");
        }
    }

    #[test]
    fn the_later_block_wins_where_two_say_different_things_and_groups_add_up() {
        let fleet = after(
            "[[zones]]\naction = \"stop\"\npriority = 1\napart = \"all\"\n\
             [[zones]]\nmatch = { name = \"web*\" }\naction = \"live\"\napart = \"web\"\none_by_one = \"w\"\n\
             [[zones]]\nmatch = { name = \"db*\" }\ntogether = \"db\"\n",
        );
        assert_eq!(each(&fleet, |zone| zone.action), [Action::Migrate, Action::Migrate, Action::Stop]);
        assert_eq!(each(&fleet, |zone| zone.priority), [1, 1, 1]);
        let sets = |zone: &FleetZone| {
            let join =
                |set: &std::collections::BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(",");
            format!("{} {} {}", join(&zone.apart), join(&zone.together), join(&zone.one_by_one))
        };
        assert_eq!(each(&fleet, sets), ["all,web  w", "all,web  w", "all db "]);
    }

    #[test]
    fn targets_of_a_block_replace_those_of_a_zone_and_groups_stand_for_their_hosts() {
        let fleet = after(
            "[groups]\nrack = [\"rads://h3\"]\n\
             [[zones]]\nmatch = { name = \"db*\" }\ntargets = [\"rads://h2\", \"rack\"]\n",
        );
        let targets = each(&fleet, |zone| zone.targets.clone().map(|list| list.join(" ")));
        // h4 says itself that it belongs to the rack.
        assert_eq!(
            targets,
            [None, Some("rads://h4 rads://h3".to_owned()), Some("rads://h2 rads://h3 rads://h4".to_owned())]
        );
        assert!(fleet.hosts[2].groups.contains("rack"), "{:?}", fleet.hosts[2]);
    }

    #[test]
    fn no_zone_may_go_to_a_host_that_is_not_among_the_destinations() {
        let fleet = after("destinations = [\"rads://h3\", \"rads://h4\"]\n");
        let targets = each(&fleet, |zone| zone.targets.clone().unwrap().join(" "));
        assert_eq!(targets, ["rads://h3 rads://h4", "rads://h4 rads://h3", ""]);
    }

    #[test]
    fn zones_wait_for_those_of_other_blocks_only() {
        let fleet = after("[[zones]]\nmatch = { name = \"web*\" }\nafter = [\"*\"]\n");
        let waits = each(&fleet, |zone| zone.after.iter().cloned().collect::<Vec<_>>().join(" "));
        assert_eq!(waits, ["db1", "db1", ""]);
    }
}
