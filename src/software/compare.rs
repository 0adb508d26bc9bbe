//! Compares the software that a zone depends on with that of this host, as `zoneadm attach` does.
//!
//! There are four passes, each of which prints a heading and its findings: packages of the source that are
//! missing here or have another version, packages here that the source does not have, and the same for patches. A
//! single finding is enough to refuse the zone. A patch counts as present if another one contains it
//! (`Obsoletes`), in any revision; a patch that is contained in another one at the source is not required here.
//!
//! If nothing counts on either side, the packaging systems may differ.
//!
//! Hypervisors are not packages: a newer one can run the guests of an older one. So only an older release here is
//! a finding, and additional software here is not.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::order::{release, revisions};
use crate::model::{Patch, Software, System, plain};

/// The differences between two hosts. It prints like the output of `zoneadm attach`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    pub source: System,
    /// The packaging system here; none: no known one.
    pub local: Option<System>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incomparable: Option<Incomparable>,
    pub packages: Vec<Difference>,
    /// Patches by number; their versions are revisions.
    pub patches: Vec<Difference>,
}

/// Why the software of two hosts cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Incomparable {
    /// The packaging systems differ.
    Systems,
    /// The software of the source could not be read there; the reason.
    Unknown(String),
}

/// A package or patch that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// A package's name or a patch's number.
    pub name: String,
    /// None: not installed at the source.
    pub source: Option<String>,
    /// None: not installed here.
    pub local: Option<String>,
    /// The packages that a patch patches at the source; empty if that is not known.
    #[serde(skip)]
    pub packages: Vec<String>,
}

pub fn compare(source: &Software, local: Option<&Software>) -> Report {
    let mut report = Report {
        source: source.system,
        local: local.map(|local| local.system),
        incomparable: source.why_unknown().map(|why| Incomparable::Unknown(plain(why))),
        packages: Vec::new(),
        patches: Vec::new(),
    };
    let counts = |software: &Software| !(software.packages.is_empty() && software.patches.is_empty());
    match local {
        _ if report.incomparable.is_some() => {}
        Some(local) if local.system == source.system => {
            report.packages = packages(source, local);
            report.patches = patches(&source.patches, &local.patches);
        }
        local if counts(source) || local.is_some_and(counts) => {
            report.incomparable = Some(Incomparable::Systems);
        }
        _ => {}
    }
    report
}

/// Whether a version here is acceptable for one at the source.
fn fits(system: System, source: &str, local: &str) -> bool {
    match (system, release(source), release(local)) {
        (System::Hypervisor, Some(source), Some(local)) => local >= source,
        _ => local == source,
    }
}

fn packages(source: &Software, local: &Software) -> Vec<Difference> {
    let by_name = |software: &Software| -> BTreeMap<String, String> {
        software.packages.iter().map(|one| (plain(&one.name), plain(&one.version))).collect()
    };
    let (there, mut here) = (by_name(source), by_name(local));
    let mut differences = Vec::new();
    for (name, version) in there {
        let found = here.remove(&name);
        if !found.as_ref().is_some_and(|found| fits(source.system, &version, found)) {
            differences.push(Difference { name, source: Some(version), local: found, packages: Vec::new() });
        }
    }
    if source.system != System::Hypervisor {
        let only_here =
            |(name, version)| Difference { name, source: None, local: Some(version), packages: Vec::new() };
        differences.extend(here.into_iter().map(only_here));
    }
    differences.sort();
    differences
}

/// The patches of one host by number.
#[derive(Default)]
struct Patches<'a> {
    /// The newest installed revision, and the packages that it patches.
    installed: BTreeMap<&'a str, (&'a str, &'a [String])>,
    /// The patches that are contained in others.
    held: BTreeSet<&'a str>,
}

impl<'a> Patches<'a> {
    fn of(patches: &'a [Patch]) -> Self {
        let mut all = Self::default();
        for patch in patches {
            let (number, revision) = parts(&patch.id);
            let known = all.installed.entry(number).or_insert((revision, &patch.packages));
            if revisions(known.0, revision) == Ordering::Less {
                *known = (revision, &patch.packages);
            }
            // Many patches list their own earlier revisions.
            let others = patch.obsoletes.iter().map(|id| parts(id).0).filter(|other| *other != number);
            all.held.extend(others);
        }
        all.installed.retain(|number, _| !all.held.contains(number));
        all
    }
}

fn parts(id: &str) -> (&str, &str) {
    id.split_once('-').unwrap_or((id, ""))
}

fn patches(source: &[Patch], local: &[Patch]) -> Vec<Difference> {
    let (there, here) = (Patches::of(source), Patches::of(local));
    let mut differences = Vec::new();
    for (number, (revision, packages)) in &there.installed {
        let found = here.installed.get(number).map(|(found, _)| *found);
        if found != Some(*revision) && !here.held.contains(number) {
            let packages = packages.iter().map(|name| plain(name)).collect();
            let (name, source, local) = (plain(number), Some(plain(revision)), found.map(plain));
            differences.push(Difference { name, source, local, packages });
        }
    }
    for (number, (revision, _)) in &here.installed {
        if !there.installed.contains_key(number) && !there.held.contains(number) {
            let (name, local) = (plain(number), Some(plain(revision)));
            differences.push(Difference { name, source: None, local, packages: Vec::new() });
        }
    }
    differences.sort();
    differences
}

impl Report {
    pub fn is_empty(&self) -> bool {
        self.incomparable.is_none() && self.packages.is_empty() && self.patches.is_empty()
    }

    /// Every difference on one line; `source` and `local` are the names of the two hosts.
    pub fn findings(&self, source: &str, local: &str) -> Vec<String> {
        let packages = self.packages.iter().map(|one| one.describe(self.source, "", source, local));
        let patches = self.patches.iter().map(|one| one.describe(self.source, "patch ", source, local));
        self.why_incomparable(source, local).into_iter().chain(packages).chain(patches).collect()
    }

    pub(super) fn why_incomparable(&self, source: &str, local: &str) -> Option<String> {
        Some(match self.incomparable.as_ref()? {
            Incomparable::Systems => {
                let here = self.local.map_or("nothing", System::as_str);
                format!("software is counted by {} on {source}, by {here} on {local}", self.source)
            }
            Incomparable::Unknown(why) => format!("the software of {source} is unknown: {why}"),
        })
    }
}

impl Difference {
    fn describe(&self, system: System, kind: &str, source: &str, local: &str) -> String {
        let name = &self.name;
        match (&self.source, &self.local) {
            (Some(there), Some(here)) => {
                let what = if system == System::Hypervisor { "too old" } else { "version mismatch" };
                format!("{kind}{name}: {what} ({there} on {source}, {here} on {local})")
            }
            (Some(there), None) => format!("{kind}{name}: not installed on {local} ({there} on {source})"),
            (None, here) => {
                format!(
                    "{kind}{name}: not installed on {source} ({} on {local})",
                    here.as_deref().unwrap_or_default()
                )
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why) = self.why_incomparable("the source system", "this system") {
            let (first, rest) = why.split_at_checked(1).unwrap_or_default();
            return writeln!(f, "{}{rest}.", first.to_uppercase());
        }
        let (here, there) = ("inconsistent with this system", "not installed on the source system");
        for (kind, differences) in [("packages", &self.packages), ("patches", &self.patches)] {
            let (theirs, ours): (Vec<_>, Vec<_>) = differences.iter().partition(|one| one.source.is_some());
            if !theirs.is_empty() {
                writeln!(f, "These {kind} installed on the source system are {here}:")?;
            }
            theirs.iter().try_for_each(|one| one.line(f, kind))?;
            if !ours.is_empty() {
                writeln!(f, "These {kind} installed on this system were {there}:")?;
            }
            ours.iter().try_for_each(|one| one.line(f, kind))?;
        }
        Ok(())
    }
}

impl Difference {
    /// In the format of the example in the proposal; a mismatch as `zoneadm` prints it.
    fn line(&self, f: &mut fmt::Formatter<'_>, kind: &str) -> fmt::Result {
        let name = &self.name;
        match (kind, &self.source, &self.local) {
            ("packages", Some(there), Some(here)) => {
                writeln!(f, "\t{name}: version mismatch\n\t\t({there})\n\t\t({here})")
            }
            ("packages", Some(there), None) => writeln!(f, "\t{name} ({there}) is not installed"),
            ("packages", None, here) => {
                writeln!(f, "\t{name} ({}) was not installed", here.as_deref().unwrap_or_default())
            }
            (_, Some(there), Some(here)) => writeln!(f, "\t{name}: version mismatch\n\t\t({there}) ({here})"),
            (_, Some(there), None) => writeln!(f, "\t{} is not installed", id(name, there)),
            (_, None, here) => {
                writeln!(f, "\t{} was not installed", id(name, here.as_deref().unwrap_or_default()))
            }
        }
    }
}

/// A patch id, in the format of its packaging system.
fn id(number: &str, revision: &str) -> String {
    if revision.is_empty() { number.to_owned() } else { format!("{number}-{revision}") }
}

#[cfg(test)]
mod tests;
