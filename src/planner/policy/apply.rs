//! What a policy says of the hosts and zones of a fleet.

use super::cycles::break_cycles;
use super::{Block, HostRef, Match, Policy};
use crate::model::ZoneName;
use crate::plan::{Fleet, FleetHost, FleetZone, HostKey};

impl Policy {
    /// Applies the policy to each zone and host of the fleet.
    ///
    /// Targets that a zone has already (`sysadm target`) stay unless a block names others. If there are
    /// destinations, no zone may go anywhere else, whatever its targets are.
    ///
    /// Returns the cycles of `after` that had to be broken, as names of zones; see `cycles`.
    #[must_use = "what does not hold must be told"]
    pub fn apply(&self, fleet: &mut Fleet) -> Vec<Vec<ZoneName>> {
        fleet.hosts.iter_mut().for_each(|host| self.add_groups(host));
        let hosts = &fleet.hosts;
        for zone in &mut fleet.zones {
            for block in &self.zones {
                if block.selects.fits(zone) {
                    self.say(block, hosts, zone);
                }
            }
            self.restrict(hosts, zone);
        }
        self.wait(&mut fleet.zones);
        break_cycles(&mut fleet.zones)
    }

    /// Sets for each zone after which others it comes: after all that its blocks name. Only if a block both
    /// selects and names two zones, neither waits for the other.
    pub(super) fn wait(&self, zones: &mut [FleetZone]) {
        for block in self.zones.iter().filter(|block| !block.after.is_empty()) {
            let is_named =
                |zone: &FleetZone| block.after.iter().any(|pattern| pattern.matches(zone.name.as_str()));
            let named = zones.iter().filter(|zone| is_named(zone));
            let named: Vec<_> = named.map(|zone| (zone.name.clone(), block.selects.fits(zone))).collect();
            for zone in zones.iter_mut().filter(|zone| block.selects.fits(zone)) {
                let both = is_named(zone);
                let before = named.iter().filter(|(name, within)| *name != zone.name && !(both && *within));
                zone.after.extend(before.map(|(name, _)| name.clone()));
            }
        }
    }

    fn add_groups(&self, host: &mut FleetHost) {
        for (group, members) in &self.groups {
            if host.name.uri().is_some_and(|uri| members.contains(uri)) {
                host.groups.insert(group.to_string());
            }
        }
    }

    fn say(&self, block: &Block, hosts: &[FleetHost], zone: &mut FleetZone) {
        let Block { selects: _, targets, action, priority, after: _, one_by_one, apart, together } = block;
        if !targets.is_empty() {
            zone.targets = Some(self.names(targets, hosts));
        }
        zone.action = action.unwrap_or(zone.action);
        zone.priority = priority.unwrap_or(zone.priority);
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

    /// The names of hosts, in order and without duplicates. A group has the hosts that the policy lists, then
    /// those that the fleet assigns to it.
    fn names(&self, refs: &[HostRef], hosts: &[FleetHost]) -> Vec<HostKey> {
        let mut names: Vec<HostKey> = Vec::new();
        let mut add = |name: HostKey| {
            if !names.contains(&name) {
                names.push(name);
            }
        };
        for host in refs {
            self.members(host).iter().for_each(|uri| add(uri.clone().into()));
            if let HostRef::Group(group) = host {
                let of_group = hosts.iter().filter(|host| host.groups.contains(group.as_str()));
                of_group.for_each(|host| add(host.name.clone()));
            }
        }
        names
    }
}

impl Match {
    /// Whether the zone is selected. If its brand is not known it matches no brand.
    pub fn fits(&self, zone: &FleetZone) -> bool {
        let Self { name, brand, tag } = self;
        name.as_ref().is_none_or(|pattern| pattern.matches(zone.name.as_str()))
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
            brand,
            tags: tags.iter().map(ToString::to_string).collect(),
            targets: targets.map(|list| list.iter().map(|name| name.parse().unwrap()).collect()),
            ..FleetZone::new(name.parse().unwrap(), "h1".parse().unwrap())
        }
    }

    /// Three zones and four hosts, after the policy was applied.
    fn after(policy: &str) -> Fleet {
        let (fleet, cycles) = with_cycles(policy);
        assert!(cycles.is_empty(), "{cycles:?}");
        fleet
    }

    fn with_cycles(policy: &str) -> (Fleet, Vec<Vec<ZoneName>>) {
        let host = |name: &str, group: Option<&str>| FleetHost {
            groups: group.map(str::to_owned).into_iter().collect(),
            ..FleetHost::new(name.parse().unwrap())
        };
        let mut fleet = Fleet {
            hosts: vec![
                host("h1", None),
                host("rads://h2", None),
                host("rads://h3", None),
                host("rads://h4", Some("rack")),
            ],
            zones: vec![
                zone("web1", Some(Brand::KVM), &["prod"], None),
                zone("web2", Some(Brand::LXC), &[], Some(&["rads://h4", "rads://h3"])),
                zone("db1", None, &["prod"], Some(&["rads://h2"])),
            ],
        };
        let cycles = parse(policy).unwrap().apply(&mut fleet);
        (fleet, cycles)
    }

    fn join<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
        names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join(" ")
    }

    fn each<T>(fleet: &Fleet, value: impl Fn(&FleetZone) -> T) -> Vec<T> {
        fleet.zones.iter().map(value).collect()
    }

    #[test]
    fn a_policy_that_says_nothing_changes_nothing() {
        let mut fleet = after("");
        let before = fleet.clone();
        assert!(Policy::default().apply(&mut fleet).is_empty());
        assert_eq!(fleet, before);
        assert_eq!(each(&fleet, |zone| zone.action), [Action::Live; 3]);
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
        assert_eq!(each(&fleet, |zone| zone.action), [Action::Live, Action::Live, Action::Stop]);
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
        let targets = each(&fleet, |zone| zone.targets.clone().map(join));
        // h4 itself says that it belongs to the rack.
        assert_eq!(
            targets,
            [None, Some("rads://h4 rads://h3".to_owned()), Some("rads://h2 rads://h3 rads://h4".to_owned())]
        );
        assert!(fleet.hosts[2].groups.contains("rack"), "{:?}", fleet.hosts[2]);
    }

    #[test]
    fn no_zone_may_go_to_a_host_that_is_not_among_the_destinations() {
        let fleet = after("destinations = [\"rads://h3\", \"rads://h4\"]\n");
        let targets = each(&fleet, |zone| join(zone.targets.clone().unwrap()));
        assert_eq!(targets, ["rads://h3 rads://h4", "rads://h4 rads://h3", ""]);
    }

    fn waits(fleet: &Fleet) -> Vec<String> {
        each(fleet, |zone| join(&zone.after))
    }

    #[test]
    fn zones_come_after_all_that_are_named_and_those_that_are_both_selected_and_named_not_after_each_other() {
        let cases = [
            ("match = { name = \"web*\" }\nafter = [\"db?\"]", ["db1", "db1", ""]),
            ("match = { name = \"web*\" }\nafter = [\"*\"]", ["db1", "db1", ""]),
            ("match = { name = \"db*\" }\nafter = [\"*\"]", ["", "", "web1 web2"]),
            // It selects all zones, and yet has an effect.
            ("after = [\"web*\"]", ["", "", "web1 web2"]),
            ("match = { tag = \"prod\" }\nafter = [\"web1\", \"web2\"]", ["web2", "", "web1 web2"]),
            ("after = [\"none\"]", ["", "", ""]),
        ];
        for (block, expected) in cases {
            assert_eq!(waits(&after(&format!("[[zones]]\n{block}\n"))), expected, "{block}");
        }
    }

    #[test]
    fn a_ring_that_only_the_zones_themselves_make_is_broken_at_the_highest_priority_and_told() {
        let cycle = "[[zones]]\nmatch = { tag = \"prod\" }\nafter = [\"web2\"]\n\
                    [[zones]]\nmatch = { brand = \"lxc\" }\nafter = [\"db*\", \"none\"]\n";
        let (fleet, cycles) = with_cycles(cycle);
        assert_eq!(
            (waits(&fleet), cycles),
            (
                ["web2", "db1", ""].map(str::to_owned).to_vec(),
                vec![vec!["db1".parse().unwrap(), "web2".parse().unwrap()]]
            )
        );
        let (fleet, cycles) = with_cycles(&format!("{cycle}priority = 1\n"));
        assert_eq!(waits(&fleet), ["web2", "", "web2"]);
        assert_eq!(super::super::describe_cycle(&cycles[0]), "web2 after db1, db1 after web2");
    }
}
