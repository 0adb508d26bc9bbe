//! What a policy does, in sentences.

use super::{Block, Convergence, HostRef, Limits, Match, Policy, ReturnOrder};
use crate::model::HostUri;
use crate::plan::{Action, Goal, Rules};

/// What the policy does, a sentence for each thing.
pub fn explain(policy: &Policy) -> Vec<String> {
    let mut said = Vec::new();
    if moves(policy) {
        said.extend([goal(policy.goal), destinations(policy)]);
        said.extend(limits(&policy.limits, &policy.rules()));
        said.extend(convergence(&policy.convergence));
        said.extend(policy.retries.map(retries));
    } else {
        said.push("No zone leaves this host.".to_owned());
    }
    if policy.zones.is_empty() {
        said.push("Every zone that runs moves live; one that does not run is moved as it is.".to_owned());
    } else {
        said.push(if moves(policy) {
            "Every zone that runs moves live unless one of these rules says otherwise; of two, the later one holds:".to_owned()
        } else {
            "What is done with zones that run, of two rules by the later one:".to_owned()
        });
        said.extend(policy.zones.iter().map(|block| format!("- {}", rule(policy, block))));
    }
    if policy.zones.iter().any(|block| block.action.is_some_and(Action::rests)) {
        said.push("Zones that stay are stopped or suspended one after the other when all others have left, and are back first, in the reverse order.".to_owned());
    }
    if !moves(policy) {
        return said;
    }
    said.push(match policy.return_order {
        ReturnOrder::Planned => "On return, zones come back in whatever order is shortest.".to_owned(),
        ReturnOrder::Reverse => {
            "On return, zones come back in the reverse order: the last one to leave or to stop is the first."
                .to_owned()
        }
    });
    said
}

/// Whether any zone can leave under it.
fn moves(policy: &Policy) -> bool {
    policy.zones.iter().fold(true, |moves, block| match block.action {
        Some(Action::Live | Action::Restart) => true,
        Some(Action::Stop | Action::Suspend | Action::Leave) => moves && !block.selects.is_all(),
        None => moves,
    })
}

fn goal(goal: Goal) -> String {
    match goal {
        Goal::Spread => "A zone that moves goes where most is left after its move, so that the fullest host is as empty as can be.".to_owned(),
        Goal::Pack => "Zones that move go to as few hosts as can take them.".to_owned(),
        Goal::Balance(weights) => format!(
            "Zones that move go where memory, processors and network of all hosts end up evenly used (weights {}, {} and {}).",
            weights.memory, weights.cpu, weights.network
        ),
        Goal::Pinned => "A zone that moves goes to the first of its targets that can take it, and nowhere else.".to_owned(),
        Goal::Ganeti => "Zones that move go where the hosts end up as even as 'hbal' of Ganeti wants them.".to_owned(),
        Goal::Fastest => "Zones that move go where the whole evacuation ends soonest: all lines are filled evenly.".to_owned(),
    }
}

fn destinations(policy: &Policy) -> String {
    if policy.destinations.is_empty() {
        return "They may go to the targets that each zone has ('sysadm target list').".to_owned();
    }
    format!("They may go to {}, and nowhere else.", hosts(policy, &policy.destinations, "or"))
}

/// Hosts as people list them; a group with its hosts behind it.
fn hosts(policy: &Policy, refs: &[HostRef], word: &str) -> String {
    let name = |host: &HostRef| match host {
        HostRef::Host(uri) => uri.to_string(),
        HostRef::Group(group) => {
            let members: Vec<_> = policy.members(host).iter().map(HostUri::to_string).collect();
            format!("group {group} ({})", members.join(", "))
        }
    };
    listed(&refs.iter().map(name).collect::<Vec<_>>(), word)
}

/// `a`, `a or b`, `a, b or c`.
fn listed(items: &[String], word: &str) -> String {
    match items {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} {word} {last}", most.join(", ")),
    }
}

fn limits(limits: &Limits, rules: &Rules) -> Vec<String> {
    let mut said = Vec::new();
    said.extend(limits.headroom.map(|share| format!("Of each host's memory {share} stays free.")));
    said.extend(
        limits.max_zones.map(|most| format!("No host gets more than {} in all.", counted(most, "zone"))),
    );
    said.extend(limits.vcpus_per_cpu.map(|ratio| {
        format!("Zones that run have at most {ratio} virtual processors for each processor of their host.")
    }));
    said.push(format!(
        "At most {} one host at once, and at most {} at one.",
        if rules.outbound == 1 {
            "1 zone leaves".to_owned()
        } else {
            format!("{} zones leave", rules.outbound)
        },
        if rules.inbound == 1 { "1 arrives".to_owned() } else { format!("{} arrive", rules.inbound) },
    ));
    said.extend(limits.bandwidth.map(|rate| format!("One move takes at most {rate} of the line.")));
    said
}

fn counted(number: u32, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn convergence(convergence: &Convergence) -> Vec<String> {
    let Convergence { stall, downtime, passes } = convergence;
    let mut said = Vec::new();
    said.extend(stall.map(|stall| match stall {
        0 => "A live migration is never given up because it makes no progress.".to_owned(),
        _ => format!("A live migration is given up after {stall} s without progress."),
    }));
    said.extend(
        downtime.map(|ms| format!("A zone may be stopped for {ms} ms at the end of its live migration.")),
    );
    said.extend(passes.map(|passes| match passes {
        0 => "A live migration is never given up because its passes do not come to an end.".to_owned(),
        _ => format!(
            "A live migration is given up after {passes} passes over the zone's memory that come to no end."
        ),
    }));
    said
}

fn retries(retries: u32) -> String {
    match retries {
        0 => "A move that failed is not tried again.".to_owned(),
        1 => "A move that failed for a reason that may pass is tried once more.".to_owned(),
        _ => format!("A move that failed for a reason that may pass is tried up to {retries} times more."),
    }
}

fn rule(policy: &Policy, block: &Block) -> String {
    let Block { selects, targets, action, priority, after, one_by_one, apart, together } = block;
    let mut said = Vec::new();
    said.extend(action.map(|action| doing(action).to_owned()));
    if !targets.is_empty() {
        said.push(format!("may go to {}, in this order", hosts(policy, targets, "or")));
    }
    said.extend(apart.as_ref().map(|group| format!("are kept apart, no two on one host (group {group})")));
    said.extend(together.as_ref().map(|group| format!("go to one host together (group {group})")));
    said.extend(priority.map(|priority| format!("have priority {priority} (higher goes first)")));
    if !after.is_empty() {
        let names: Vec<_> = after.iter().map(|pattern| format!("{:?}", pattern.to_string())).collect();
        said.push(format!("go after {}", listed(&names, "and")));
    }
    said.extend(one_by_one.as_ref().map(|group| format!("go one by one (group {group})")));
    format!("{} {}.", selected(selects), said.join("; they "))
}

const fn doing(action: Action) -> &'static str {
    match action {
        Action::Live => "move live",
        Action::Restart => "are shut down in order, move, and are booted there",
        Action::Stop => "are shut down in order and stay here, and are booted again at the return",
        Action::Suspend => "are suspended and stay here, their memory in a file, and go on at the return",
        Action::Leave => "are left alone",
    }
}

pub(super) fn selected(selects: &Match) -> String {
    let Match { name, brand, tag } = selects;
    if selects.is_all() {
        return "All zones".to_owned();
    }
    let mut text = brand.map_or_else(|| "Zones".to_owned(), |brand| format!("{brand} zones"));
    if let Some(name) = name {
        text.push_str(&format!(" named {:?}", name.to_string()));
    }
    if let Some(tag) = tag {
        text.push_str(&format!(" with tag {tag:?}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn every_key_of_a_block_has_its_words() {
        let policy = parse(
            "[groups]\nrack = [\"rads://h2\", \"rads://h3\"]\n[[zones]]\nmatch = { name = \"db*\", brand = \"kvm\", tag = \"prod\" }\n\
             targets = [\"rack\", \"ssh://h4\"]\naction = \"restart\"\npriority = -3\nafter = [\"web*\", \"app?\"]\n\
             one_by_one = \"db\"\napart = \"replicas\"\n[[zones]]\ntogether = \"pair\"\n",
        );
        let rules: Vec<_> =
            explain(&policy.unwrap()).into_iter().filter(|line| line.starts_with('-')).collect();
        assert_eq!(
            rules,
            [
                "- kvm zones named \"db*\" with tag \"prod\" are shut down in order, move, and are booted there; they may \
                 go to group rack (rads://h2, rads://h3) or ssh://h4, in this order; they are kept apart, no two on one \
                 host (group replicas); they have priority -3 (higher goes first); they go after \"web*\" and \"app?\"; \
                 they go one by one (group db).",
                "- All zones go to one host together (group pair)."
            ]
        );
    }
}
