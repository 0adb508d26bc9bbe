//! A policy in plain English: `sysadm policy show`.

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
        said.push("Running zones migrate live; zones that are not running migrate cold.".to_owned());
    } else {
        said.push(if moves(policy) {
            "Running zones migrate live unless one of these rules says otherwise (if several do, the last one applies):".to_owned()
        } else {
            "These rules say what is done with running zones (if several match, the last one applies):".to_owned()
        });
        said.extend(policy.zones.iter().map(|block| format!("- {}", rule(policy, block))));
    }
    if policy.zones.iter().any(|block| block.action.is_some_and(Action::rests)) {
        said.push("Zones that stay are stopped or suspended one at a time after all others have left. On return they come first, in reverse order.".to_owned());
    }
    if !moves(policy) {
        return said;
    }
    said.push(match policy.return_order {
        ReturnOrder::Planned => "On return, zones come back in the order that takes the least time.".to_owned(),
        ReturnOrder::Reverse => {
            "On return, zones come back in reverse order: the last zone to leave or stop is the first to return."
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
        Goal::Spread => "Each zone goes to the host that has the most memory left afterwards.".to_owned(),
        Goal::Pack => "Zones go to as few hosts as possible.".to_owned(),
        Goal::Balance(weights) => format!(
            "Zones go where they balance the use of memory, CPU and network across all hosts (weights {}, {} and {}).",
            weights.memory, weights.cpu, weights.network
        ),
        Goal::Pinned => "Each zone goes to the first of its targets that can take it.".to_owned(),
        Goal::Ganeti => "Zones go where they give the best score of Ganeti's 'hbal'.".to_owned(),
        Goal::Fastest => "Zones go where the whole evacuation takes the least time.".to_owned(),
    }
}

fn destinations(policy: &Policy) -> String {
    if policy.destinations.is_empty() {
        return "Zones may go to their own targets ('sysadm target list').".to_owned();
    }
    format!("Zones may go to {}, and nowhere else.", hosts(policy, &policy.destinations, "or"))
}

/// Hosts as people list them; a group with its hosts after it.
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
    said.extend(limits.headroom.map(|share| format!("{share} of each host's memory stays free.")));
    said.extend(
        limits.max_zones.map(|most| format!("No host takes more than {} in total.", counted(most, "zone"))),
    );
    said.extend(limits.vcpus_per_cpu.map(|ratio| {
        format!("Running zones have at most {ratio} virtual CPUs for each CPU thread of their host.")
    }));
    said.push(format!(
        "At most {} a host at the same time, and at most {}.",
        if rules.outbound == 1 {
            "1 zone leaves".to_owned()
        } else {
            format!("{} zones leave", rules.outbound)
        },
        if rules.inbound == 1 { "1 arrives".to_owned() } else { format!("{} arrive", rules.inbound) },
    ));
    said.extend(limits.bandwidth.map(|rate| format!("Each move uses at most {rate}.")));
    said
}

fn counted(number: u32, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn convergence(convergence: &Convergence) -> Vec<String> {
    let Convergence { stall, downtime, passes } = convergence;
    let mut said = Vec::new();
    said.extend(stall.map(|stall| match stall {
        0 => "A live migration is never aborted for lack of progress.".to_owned(),
        _ => format!("A live migration is aborted after {stall} s without progress."),
    }));
    said.extend(downtime.map(|ms| format!("A live migration may pause the zone for at most {ms} ms.")));
    said.extend(passes.map(|passes| match passes {
        0 => "A live migration is never aborted for not converging.".to_owned(),
        _ => format!(
            "A live migration that does not converge is aborted after {passes} passes over the zone's memory."
        ),
    }));
    said
}

fn retries(retries: u32) -> String {
    match retries {
        0 => "A failed move is not retried.".to_owned(),
        1 => "A move is retried once after a transient failure.".to_owned(),
        _ => format!("A move is retried up to {retries} times after transient failures."),
    }
}

fn rule(policy: &Policy, block: &Block) -> String {
    let Block { selects, targets, action, priority, after, one_by_one, apart, together } = block;
    let mut said = Vec::new();
    said.extend(action.map(|action| doing(action).to_owned()));
    if !targets.is_empty() {
        said.push(format!("may go to {}, in order of preference", hosts(policy, targets, "or")));
    }
    said.extend(apart.as_ref().map(|group| format!("are kept on different hosts (group {group})")));
    said.extend(together.as_ref().map(|group| format!("go to the same host (group {group})")));
    said.extend(priority.map(|priority| format!("have priority {priority} (higher goes first)")));
    if !after.is_empty() {
        let names: Vec<_> = after.iter().map(|pattern| format!("{:?}", pattern.to_string())).collect();
        said.push(format!("leave after {}", listed(&names, "and")));
    }
    said.extend(one_by_one.as_ref().map(|group| format!("move one at a time (group {group})")));
    format!("{} {}.", selected(selects), said.join("; they "))
}

const fn doing(action: Action) -> &'static str {
    match action {
        Action::Live => "migrate live",
        Action::Restart => "are shut down, moved, and booted at their destination",
        Action::Stop => "are shut down and stay here, and are booted on return",
        Action::Suspend => "are suspended to a file and stay here, and are resumed on return",
        Action::Leave => "are left running",
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
                "- kvm zones named \"db*\" with tag \"prod\" are shut down, moved, and booted at their destination; \
                 they may go to group rack (rads://h2, rads://h3) or ssh://h4, in order of preference; they are kept on \
                 different hosts (group replicas); they have priority -3 (higher goes first); they leave after \"web*\" \
                 and \"app?\"; they move one at a time (group db).",
                "- All zones go to the same host (group pair)."
            ]
        );
    }
}
