//! Parses Ganeti's text files.

use std::collections::HashMap;
use std::str::FromStr;

use thiserror::Error;

use super::{Cluster, Instance, Node, Template};

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {what}")]
pub struct ParseError {
    /// From 1.
    pub line: usize,
    pub what: String,
}

/// hbal's own ratio, for clusters that have none.
const RATIO: f64 = 4.0;

/// Virtual CPUs that a node itself uses, if its line does not say.
const OWN_CPUS: u32 = 1;

/// One line, with its index in the file.
struct ParsedLine<'a> {
    at: usize,
    fields: Vec<&'a str>,
}

impl<'a> ParsedLine<'a> {
    fn error(&self, what: String) -> ParseError {
        ParseError { line: self.at + 1, what }
    }

    fn field(&self, at: usize, what: &str) -> Result<&'a str, ParseError> {
        self.fields
            .get(at)
            .copied()
            .ok_or_else(|| self.error(format!("no {what}: field {} is missing", at + 1)))
    }

    fn number<T: FromStr>(&self, at: usize, what: &str) -> Result<T, ParseError> {
        let field = self.field(at, what)?;
        field.parse().map_err(|_| self.error(format!("{what} {field:?} is not a number")))
    }

    /// The name of a node or an instance.
    fn name<T: FromStr<Err: std::fmt::Display>>(&self) -> Result<T, ParseError> {
        self.field(0, "name")?.parse().map_err(|error: T::Err| self.error(error.to_string()))
    }

    fn words(&self, at: usize) -> Vec<String> {
        let words = self.fields.get(at).map_or("", |field| field).split(',');
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }
}

pub(super) fn cluster(text: &str) -> Result<Cluster, ParseError> {
    let lines: Vec<String> = text.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect();
    let mut parts: [Vec<ParsedLine<'_>>; 5] = Default::default();
    let mut part = 0;
    for (at, line) in lines.iter().enumerate() {
        let row = ParsedLine { at, fields: line.split('|').collect() };
        match (line.is_empty(), parts.get_mut(part)) {
            (true, _) => part += 1,
            (false, Some(rows)) => rows.push(row),
            (false, None) => return Err(row.error("there are more than five parts".to_owned())),
        }
    }
    let [groups, nodes, instances, tags, policies] = parts;
    let groups = groups
        .iter()
        .map(|row| Ok((row.field(1, "UUID")?, row.field(0, "name")?)))
        .collect::<Result<_, _>>()?;
    let ratios = policies.iter().map(ratio).collect::<Result<_, _>>()?;
    let nodes = nodes.iter().map(|row| node(row, &groups, &ratios)).collect::<Result<Vec<_>, _>>()?;
    let at: HashMap<String, usize> =
        nodes.iter().enumerate().map(|(at, node)| (node.name.to_string(), at)).collect();
    let instances = instances.iter().map(|row| instance(row, &at)).collect::<Result<Vec<_>, _>>()?;
    let tags = tags.iter().map(|row| row.fields.join("|")).collect();
    Ok(Cluster { nodes, instances, tags, lines })
}

/// `owner|standard|limits[|limits]|templates|ratio|spindles`: the ratio of a group, or of the cluster if there is
/// no owner.
fn ratio<'a>(row: &ParsedLine<'a>) -> Result<(&'a str, f64), ParseError> {
    let at = row.fields.len().saturating_sub(2);
    Ok((row.field(0, "owner")?, row.number(at, "ratio of virtual processors")?))
}

/// The virtual CPUs that instances may have on a node, besides its own. A negative ratio means no limit.
fn vcpus(ratio: f64, cpus: u32, own: u32) -> Option<u32> {
    (ratio >= 0.0).then(|| ((f64::from(cpus) * ratio).floor() as u32).saturating_sub(own))
}

/// `name|tmem|nmem|fmem|tdisk|fdisk|cpus|offline|group|spindles[|tags[|exclusive storage|free spindles[|own cpus[|speed]]]]`
fn node(
    row: &ParsedLine<'_>,
    groups: &HashMap<&str, &str>,
    ratios: &HashMap<&str, f64>,
) -> Result<Node, ParseError> {
    let uuid = row.field(8, "group")?;
    let Some(group) = groups.get(uuid) else { return Err(row.error(format!("there is no group {uuid:?}"))) };
    let offline = row.field(7, "state")? == "Y" || row.fields[1..7].contains(&"?");
    // What an offline node has does not matter, and may be unknown.
    let size = |at, what| if offline { Ok(0) } else { row.number(at, what) };
    let cpus = if offline { 0 } else { row.number(6, "number of processors")? };
    let own = match row.fields.get(13) {
        Some(_) if !offline => row.number(13, "number of its own virtual processors")?,
        _ => OWN_CPUS,
    };
    let ratio = ratios.get(group).or_else(|| ratios.get("")).copied().unwrap_or(RATIO);
    Ok(Node {
        line: row.at,
        name: row.name()?,
        memory: size(1, "memory")?,
        own: size(2, "memory of the node")?,
        free: size(3, "free memory")?,
        disk: size(4, "disk")?,
        disk_free: size(5, "free disk")?,
        cpus,
        vcpus: vcpus(ratio, cpus, own),
        offline,
        group: (*group).to_owned(),
        tags: row.words(10),
    })
}

/// `name|mem|disk|vcpus|status|autobal|pnode|snode|template|tags[|…]`
fn instance(row: &ParsedLine<'_>, nodes: &HashMap<String, usize>) -> Result<Instance, ParseError> {
    let on = |at, what| {
        let name = row.field(at, what)?;
        nodes.get(name).copied().ok_or_else(|| row.error(format!("there is no node {name:?}")))
    };
    let node = on(6, "primary node")?;
    let secondary =
        if row.field(7, "secondary node")?.is_empty() { None } else { Some(on(7, "secondary node")?) };
    if secondary == Some(node) {
        return Err(row.error("primary and secondary node are the same".to_owned()));
    }
    row.number::<u64>(2, "disk")?;
    Ok(Instance {
        line: row.at,
        name: row.name()?,
        memory: row.number(1, "memory")?,
        cpus: row.number(3, "number of processors")?,
        running: matches!(row.field(4, "state")?, "running" | "ERROR_up"),
        node,
        secondary,
        template: match row.field(8, "disk template")? {
            "sharedfile" | "gluster" | "rbd" | "ext" | "blockdev" | "diskless" => Template::Shared,
            "plain" | "file" => Template::Local,
            "drbd" => Template::Mirrored,
            other => return Err(row.error(format!("{other:?} is not a disk template"))),
        },
        tags: row.words(9),
    })
}
