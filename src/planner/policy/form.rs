//! From the text of a policy to a [`Policy`]: every key, its valid values, and what must be consistent.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::{Deserialize, Serialize, Serializer};
use toml::Spanned;

use super::cycles::own_cycles;
use super::diagnostic::Diagnostic;
use super::read::{Diagnostics, Section};
use super::{Block, Convergence, HostRef, Limits, Match, Pattern, Policy};
use crate::model::{HostUri, Identifier};
use crate::plan::{Goal, Weights};

/// Parses a policy.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn parse(text: &str) -> Result<Policy, Vec<Diagnostic>> {
    let mut file = Section::whole(text)?;
    let mut form = Form::default();
    form.groups(&mut file);
    let about: Option<Spanned<String>> = file.value("about", &mut form.wrong);
    let destinations = form.hosts(&mut file, "destinations");
    form.destinations = destinations.iter().flat_map(|host| form.members(host.get_ref())).cloned().collect();
    let policy = Policy {
        about: about.map(Spanned::into_inner),
        destinations: plain(destinations),
        retries: file.number("retries", 0..=10, &mut form.wrong),
        return_order: file
            .value("return_order", &mut form.wrong)
            .map(Spanned::into_inner)
            .unwrap_or_default(),
        goal: form.goal(&mut file),
        limits: form.limits(&mut file),
        convergence: form.convergence(&mut file),
        zones: file.sections("zones", &mut form.wrong).into_iter().map(|block| form.block(block)).collect(),
        groups: std::mem::take(&mut form.groups),
    };
    file.end(&mut form.wrong);
    form.check_rings(&policy);
    form.wrong.or(text, policy)
}

/// The state while a policy is parsed.
#[derive(Default)]
struct Form {
    wrong: Diagnostics,
    groups: BTreeMap<Identifier, Vec<HostUri>>,
    /// All destinations; empty if any host may be one.
    destinations: BTreeSet<HostUri>,
    /// Where `after` is in each block.
    after: Vec<Range<usize>>,
}

/// The goals as a file names them.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum GoalWord {
    Spread,
    Pack,
    Balance,
    Pinned,
    Fastest,
    Ganeti,
}

impl Form {
    fn groups(&mut self, file: &mut Section<'_>) {
        let section = file.section("groups", &mut self.wrong);
        for (name, hosts) in section.lists::<HostUri>(&mut self.wrong) {
            let hosts = self.each_once(hosts);
            match name.get_ref().parse::<Identifier>() {
                Ok(word) => {
                    self.groups.insert(word, plain(hosts));
                }
                Err(error) => self.wrong.add(name.span(), error.to_string()),
            }
        }
    }

    fn members<'a>(&'a self, host: &'a HostRef) -> &'a [HostUri] {
        match host {
            HostRef::Host(uri) => std::slice::from_ref(uri),
            HostRef::Group(name) => self.groups.get(name).map_or(&[], Vec::as_slice),
        }
    }

    /// Hosts and groups that exist.
    fn hosts(&mut self, section: &mut Section<'_>, key: &'static str) -> Vec<Spanned<HostRef>> {
        let Some(list) = section.list::<HostRef>(key, &mut self.wrong) else { return Vec::new() };
        let list = self.each_once(list);
        for host in &list {
            if let HostRef::Group(name) = host.get_ref()
                && !self.groups.contains_key(name)
            {
                let what = format!(
                    "there is no group {:?} in [groups], and a host is written ssh://HOST or rads://HOST",
                    name.as_str()
                );
                self.wrong.add(host.span(), what);
            }
        }
        list
    }

    fn each_once<T: PartialEq + ToString>(&mut self, list: Vec<Spanned<T>>) -> Vec<Spanned<T>> {
        let mut seen: Vec<Spanned<T>> = Vec::new();
        for item in list {
            if seen.iter().any(|other| other.get_ref() == item.get_ref()) {
                self.wrong.add(item.span(), format!("{} is named twice", item.get_ref().to_string()));
            } else {
                seen.push(item);
            }
        }
        seen
    }

    fn goal(&mut self, file: &mut Section<'_>) -> Goal {
        let mut section = file.section("goal", &mut self.wrong);
        let place = section.value("place", &mut self.wrong).map(Spanned::into_inner);
        let mut weights = section.section("weights", &mut self.wrong);
        let (given, span) = (!weights.is_empty(), weights.span());
        let mut weight = |key| self.positive(&mut weights, key, 0.0).unwrap_or(1.0);
        let read = Weights { memory: weight("memory"), cpu: weight("cpu"), network: weight("network") };
        weights.end(&mut self.wrong);
        section.end(&mut self.wrong);
        let goal = match place.unwrap_or(GoalWord::Spread) {
            GoalWord::Spread => Goal::Spread,
            GoalWord::Pack => Goal::Pack,
            GoalWord::Balance => Goal::Balance(read),
            GoalWord::Pinned => Goal::Pinned,
            GoalWord::Fastest => Goal::Fastest,
            GoalWord::Ganeti => Goal::Ganeti,
        };
        if given && !matches!(goal, Goal::Balance(_)) {
            self.wrong.add(span, "weights count only with place = \"balance\"");
        } else if read.memory + read.cpu + read.network <= 0.0 {
            self.wrong.add(span, "not all weights can be 0");
        }
        goal
    }

    /// A number of at least `least`, and at most 1000.
    fn positive(&mut self, section: &mut Section<'_>, key: &'static str, least: f64) -> Option<f64> {
        let number = section.value::<f64>(key, &mut self.wrong)?;
        if (least..=1000.0).contains(number.get_ref()) {
            return Some(number.into_inner());
        }
        self.wrong.add(number.span(), format!("{key}: a number from {least} to 1000 is expected"));
        None
    }

    fn limits(&mut self, file: &mut Section<'_>) -> Limits {
        let mut section = file.section("limits", &mut self.wrong);
        let limits = Limits {
            headroom: section.value("headroom", &mut self.wrong).map(Spanned::into_inner),
            max_zones: section.number("max_zones", 1..=100_000, &mut self.wrong),
            outbound: section.number("outbound", 1..=64, &mut self.wrong),
            inbound: section.number("inbound", 1..=64, &mut self.wrong),
            bandwidth: section.value("bandwidth", &mut self.wrong).map(Spanned::into_inner),
            vcpus_per_cpu: self.positive(&mut section, "vcpus_per_cpu", 0.1),
        };
        section.end(&mut self.wrong);
        limits
    }

    fn convergence(&mut self, file: &mut Section<'_>) -> Convergence {
        let mut section = file.section("convergence", &mut self.wrong);
        let convergence = Convergence {
            stall: section.number("stall", 0..=86_400, &mut self.wrong),
            // QEMU accepts at most 2000 s.
            downtime: section.number("downtime", 1..=2_000_000, &mut self.wrong),
            passes: section.number("passes", 0..=1_000_000, &mut self.wrong),
        };
        section.end(&mut self.wrong);
        convergence
    }

    fn block(&mut self, mut section: Section<'_>) -> Block {
        let span = section.span();
        let selects = self.selects(&mut section);
        let says_nothing = section.is_empty();
        let targets = self.hosts(&mut section, "targets");
        self.check_among_destinations(&targets);
        let action = section.value("action", &mut self.wrong);
        let wrong = &mut self.wrong;
        let after = section.list::<Pattern>("after", wrong).unwrap_or_default();
        let at = after.first().map_or(0, |first| first.span().start);
        self.after.push(at..after.last().map_or(at, |last| last.span().end));
        let block = Block {
            selects,
            targets: plain(targets),
            action: action.map(Spanned::into_inner),
            priority: section.number("priority", -1000..=1000, wrong),
            after: plain(after),
            one_by_one: section.value("one_by_one", wrong).map(Spanned::into_inner),
            apart: section.value("apart", wrong).map(Spanned::into_inner),
            together: section.value("together", wrong).map(Spanned::into_inner),
        };
        section.end(wrong);
        if says_nothing {
            wrong.add(span, "this block says nothing about its zones");
        } else if block.apart.is_some() && block.together.is_some() {
            wrong.add(span, "zones cannot be apart and together");
        }
        block
    }

    fn selects(&mut self, block: &mut Section<'_>) -> Match {
        let mut section = block.section("match", &mut self.wrong);
        let tag: Option<Spanned<String>> = section.value("tag", &mut self.wrong);
        if let Some(tag) = tag.as_ref().filter(|tag| tag.get_ref().trim().is_empty()) {
            self.wrong.add(tag.span(), "a tag cannot be empty");
        }
        let selects = Match {
            name: section.value("name", &mut self.wrong).map(Spanned::into_inner),
            brand: section.value("brand", &mut self.wrong).map(Spanned::into_inner),
            tag: tag.map(Spanned::into_inner),
        };
        section.end(&mut self.wrong);
        selects
    }

    fn check_rings(&mut self, policy: &Policy) {
        for (block, what) in own_cycles(policy) {
            self.wrong.add(self.after.get(block).cloned().unwrap_or_default(), what);
        }
    }

    fn check_among_destinations(&mut self, targets: &[Spanned<HostRef>]) {
        let outside: Vec<(Range<usize>, String)> = targets
            .iter()
            .filter(|_| !self.destinations.is_empty())
            .flat_map(|target| self.members(target.get_ref()).iter().map(|host| (target.span(), host)))
            .filter(|(_, host)| !self.destinations.contains(*host))
            .map(|(span, host)| (span, format!("{host} is not among the destinations")))
            .collect();
        outside.into_iter().for_each(|(span, what)| self.wrong.add(span, what));
    }
}

fn plain<T>(list: Vec<Spanned<T>>) -> Vec<T> {
    list.into_iter().map(Spanned::into_inner).collect()
}

/// `[goal]`, as in a file.
pub(super) fn write_goal<S: Serializer>(goal: &Goal, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Written {
        place: GoalWord,
        #[serde(skip_serializing_if = "Option::is_none")]
        weights: Option<Weights>,
    }
    let (place, weights) = match goal {
        Goal::Spread => (GoalWord::Spread, None),
        Goal::Pack => (GoalWord::Pack, None),
        Goal::Balance(weights) => (GoalWord::Balance, Some(*weights)),
        Goal::Pinned => (GoalWord::Pinned, None),
        Goal::Fastest => (GoalWord::Fastest, None),
        Goal::Ganeti => (GoalWord::Ganeti, None),
    };
    Written { place, weights }.serialize(serializer)
}
