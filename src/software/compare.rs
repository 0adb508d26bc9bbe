//! What a zone depends on, there and here: the comparison that `zoneadm attach` makes.
//!
//! Four passes, each of which prints a heading and its findings: packages of the source that are not here or in
//! another version, packages of here that the source does not have, and the same for patches. Any finding is one too
//! many. A patch counts as present where another holds it (`Obsoletes`), in that revision and every older one.
//!
//! Hypervisors are no packages: a newer one takes the guests of an older one, so here only an older release is a
//! finding, and what the source does not have is none.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::order::{release, revisions};
use crate::model::{Patch, Software, System};

/// What is not the same on two systems. It prints as `zoneadm attach` does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The packaging system of the source.
    pub source: System,
    /// The packaging system here. None: none that is known. If it is another one, nothing else was compared.
    pub local: Option<System>,
    /// Packages.
    pub packages: Vec<Difference>,
    /// Patches by their numbers; their versions are revisions.
    pub patches: Vec<Difference>,
}

/// A package or a patch that is not the same on two systems.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// Its name or number.
    pub name: String,
    /// Its version on the source. None: it is not there.
    pub source: Option<String>,
    /// Its version here. None: it is not here.
    pub local: Option<String>,
}

/// Compares what the source had with what is here.
pub fn compare(source: &Software, local: Option<&Software>) -> Report {
    let mut report = Report {
        source: source.system,
        local: local.map(|local| local.system),
        packages: Vec::new(),
        patches: Vec::new(),
    };
    if let Some(local) = local.filter(|local| local.system == source.system) {
        report.packages = packages(source, local);
        report.patches = patches(&source.patches, &local.patches);
    }
    report
}

/// What a peer or a document says may neither steer a terminal nor break a line: a report has lines of its own.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Whether a version here will do for one on the source.
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
            differences.push(Difference { name, source: Some(version), local: found });
        }
    }
    if source.system != System::Hypervisor {
        let only_here = |(name, version)| Difference { name, source: None, local: Some(version) };
        differences.extend(here.into_iter().map(only_here));
    }
    differences.sort();
    differences
}

/// The patches of one system by number.
#[derive(Default)]
struct Patches<'a> {
    /// The newest revision that is installed.
    installed: BTreeMap<&'a str, &'a str>,
    /// The newest revision that another patch holds.
    held: BTreeMap<&'a str, &'a str>,
}

impl<'a> Patches<'a> {
    fn of(patches: &'a [Patch]) -> Self {
        let mut all = Self::default();
        for patch in patches {
            keep_newest(&mut all.installed, &patch.id);
            patch.obsoletes.iter().for_each(|id| keep_newest(&mut all.held, id));
        }
        all
    }

    fn holds(&self, number: &str, revision: &str) -> bool {
        self.held.get(number).is_some_and(|held| revisions(held, revision) != Ordering::Less)
    }
}

fn keep_newest<'a>(newest: &mut BTreeMap<&'a str, &'a str>, id: &'a str) {
    let (number, revision) = id.split_once('-').unwrap_or((id, ""));
    let known = newest.entry(number).or_insert(revision);
    if revisions(known, revision) == Ordering::Less {
        *known = revision;
    }
}

fn patches(source: &[Patch], local: &[Patch]) -> Vec<Difference> {
    let (there, here) = (Patches::of(source), Patches::of(local));
    let mut differences = Vec::new();
    for (number, revision) in &there.installed {
        let found = here.installed.get(number);
        if found != Some(revision) && !here.holds(number, revision) {
            let local = found.map(|found| plain(found));
            differences.push(Difference { name: plain(number), source: Some(plain(revision)), local });
        }
    }
    for (number, revision) in &here.installed {
        if !there.installed.contains_key(number) && !there.holds(number, revision) {
            let local = Some(plain(revision));
            differences.push(Difference { name: plain(number), source: None, local });
        }
    }
    differences.sort();
    differences
}

impl Report {
    /// Whether nothing is different.
    pub fn is_empty(&self) -> bool {
        self.local == Some(self.source) && self.packages.is_empty() && self.patches.is_empty()
    }

    /// Every difference on one line, `source` and `local` being what the two hosts are called.
    pub fn findings(&self, source: &str, local: &str) -> Vec<String> {
        let packages = self.packages.iter().map(|one| one.describe(self.source, "", source, local));
        let patches = self.patches.iter().map(|one| one.describe(self.source, "patch ", source, local));
        let systems = match self.local {
            Some(system) if system == self.source => None,
            Some(system) => {
                Some(format!("software is counted by {} on {source}, by {system} on {local}", self.source))
            }
            None => {
                Some(format!("software is counted by {} on {source}, by nothing on {local}", self.source))
            }
        };
        systems.into_iter().chain(packages).chain(patches).collect()
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
        if self.local != Some(self.source) {
            let local = self.local.map_or("nothing", System::as_str);
            return writeln!(
                f,
                "Software is counted by {} on the source system, by {local} on this system.",
                self.source
            );
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
    fn line(&self, f: &mut fmt::Formatter<'_>, kind: &str) -> fmt::Result {
        let name = &self.name;
        match (kind, &self.source, &self.local) {
            ("packages", Some(there), None) => writeln!(f, "\t{name}: not installed\n\t\t({there})"),
            ("packages", Some(there), Some(here)) => {
                writeln!(f, "\t{name}: version mismatch\n\t\t({there})\n\t\t({here})")
            }
            ("packages", None, here) => writeln!(f, "\t{name} ({})", here.as_deref().unwrap_or_default()),
            (_, Some(there), None) => writeln!(f, "\t{name}-{there}: not installed"),
            (_, Some(there), Some(here)) => writeln!(f, "\t{name}: version mismatch\n\t\t({there}) ({here})"),
            (_, None, here) => writeln!(f, "\t{name}-{}", here.as_deref().unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests;
