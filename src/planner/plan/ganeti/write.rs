//! Writes the cluster with instances where a placement puts them.

use super::Cluster;
use crate::plan::Placement;

impl Cluster {
    /// The file after all moves: instances on their new nodes, and nodes with their new free memory. Everything
    /// else is as it was read.
    pub fn with(&self, placement: &Placement) -> String {
        let mut lines = self.lines.clone();
        let mut free: Vec<i128> = self.nodes.iter().map(|node| i128::from(node.free)).collect();
        for step in &placement.moves {
            let (Some(instance), to) = (self.instances.get(step.zone.0 as usize), step.to.0 as usize) else {
                continue;
            };
            let Some(node) = self.nodes.get(to) else { continue };
            let memory = if instance.running { i128::from(instance.memory) } else { 0 };
            free[instance.node] += memory;
            free[to] -= memory;
            set(&mut lines[instance.line], 6, &node.name.to_string());
            if instance.secondary == Some(to) {
                set(&mut lines[instance.line], 7, &self.nodes[instance.node].name.to_string());
            }
        }
        for (node, free) in self.nodes.iter().zip(free).filter(|(node, _)| !node.offline) {
            set(&mut lines[node.line], 3, &free.clamp(0, u64::MAX.into()).to_string());
        }
        lines.iter().flat_map(|line| [line, "\n"]).collect()
    }

    /// The cluster with these nodes offline.
    #[must_use]
    pub fn offline(mut self, names: &[&str]) -> Self {
        for node in self.nodes.iter_mut().filter(|node| names.iter().any(|name| node.name.is_written(name))) {
            node.offline = true;
            set(&mut self.lines[node.line], 7, "Y");
        }
        self
    }
}

/// Replaces a field of a line.
fn set(line: &mut String, at: usize, value: &str) {
    let mut fields: Vec<_> = line.split('|').collect();
    fields.get_mut(at).into_iter().for_each(|field| *field = value);
    *line = fields.join("|");
}
