//! Compared with `hbal` of Ganeti (`apt-get install ganeti-htools`): the same clusters for both, and hbal's own
//! score, which it prints for any placement (`hbal -l 0`), to judge both.
//!
//! hbal evacuates the nodes that are offline, with the moves that a zone can make without copying disks
//! (`--evac-mode --no-disk-moves`); if there is no other way it ignores what is to be kept apart and the CPU
//! ratio, so for zones that these rules hold back there is a second round without them here, too. hbal's time is
//! CPU time; ours is wall-clock time, the minimum of five runs, including reading the cluster's zones.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use sysadm_planner::plan::ganeti::Cluster;
use sysadm_planner::plan::{Assignment, HostIx, Placement, ZoneIx, place};

use crate::clock;

/// How often we are timed.
const RUNS: usize = 5;
/// Time limit of hbal, in seconds.
const LIMIT: &str = "300";

/// What one of the two made of a cluster.
#[derive(Default)]
struct Outcome {
    moved: usize,
    left: usize,
    /// By hbal; none if it cannot judge such a cluster.
    score: Option<f64>,
    /// In seconds.
    time: f64,
}

/// One line for each cluster: of each file either its offline nodes, or each of its nodes in turn, are emptied.
pub fn files(folder: &Path) -> std::io::Result<()> {
    let mut files: Vec<_> = std::fs::read_dir(folder)?.filter_map(|file| Some(file.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "data"));
    files.sort();
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let cluster = match Cluster::parse(&std::fs::read_to_string(&file)?) {
            Ok(cluster) => cluster,
            Err(what) => {
                println!("{name}: {what}");
                continue;
            }
        };
        if !cluster.question().drained.is_empty() {
            compare(&name, &cluster)?;
            continue;
        }
        let nodes: Vec<_> = cluster.nodes().map(ToString::to_string).collect();
        for node in nodes {
            let cluster = cluster.clone().offline(&[&node]);
            if !cluster.question().zones.is_empty() {
                compare(&format!("{name} {node}"), &cluster)?;
            }
        }
    }
    Ok(())
}

pub fn head() {
    println!(
        "{:<38} {:>5} | {:>11} {:>9} {:>21} | {:>23}",
        "cluster", "zones", "moved", "left", "score", "seconds"
    );
    println!("{:<38} {:>5} | {:>11} {:>9} {:>21} | {:>23}", "", "", "ours/hbal", "", "", "");
}

/// Runs both on a cluster and prints a line.
pub fn compare(name: &str, cluster: &Cluster) -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("cluster.data");
    let zones = cluster.question().zones.len();
    let group = group(cluster);
    let judge = |cluster: &Cluster, placement: &Placement| -> std::io::Result<Option<f64>> {
        std::fs::write(&file, cluster.with(placement))?;
        let (said, _) = hbal(&file, &group, &["-l", "0"])?;
        Ok(said.lines().find_map(|line| {
            let score = line
                .strip_prefix("Initial score: ")
                .or(line.strip_prefix("Cluster is already well balanced (initial score "));
            score?.split(&[',', ')', ' '][..]).next()?.parse().ok()
        }))
    };
    let (first, placement, time) = ours(cluster);
    let score = judge(&first, &placement)?;
    let left = first.question().zones.len() - placement.moves.len();
    let ours = Outcome { moved: zones - left, left, score, time };

    std::fs::write(&file, cluster.with(&Placement::default()))?;
    let (said, time) = hbal(&file, &group, &["--evac-mode", "--no-disk-moves"])?;
    let placement = solution(cluster, &said);
    let moved = said.lines().filter(|line| line.contains(" => ")).count();
    let theirs =
        Outcome { moved, left: zones - placement.moves.len(), score: judge(cluster, &placement)?, time };
    line(name, zones, &ours, &theirs);
    Ok(())
}

fn line(name: &str, zones: usize, ours: &Outcome, theirs: &Outcome) {
    let score = |of: &Outcome| of.score.map_or("-".to_owned(), |score| format!("{score:.5}"));
    let worse = ours.left > theirs.left
        || (ours.left == theirs.left
            && ours.score.zip(theirs.score).is_some_and(|(ours, theirs)| ours > theirs + 1e-6));
    println!(
        "{name:<38} {zones:>5} | {:>11} {:>9} {:>21} | {:>23}{}",
        format!("{}/{}", ours.moved, theirs.moved),
        format!("{}/{}", ours.left, theirs.left),
        format!("{}/{}", score(ours), score(theirs)),
        format!("{:.4}/{:.2} ×{:.0}", ours.time, theirs.time, theirs.time / ours.time.max(1e-6)),
        if worse { " WORSE" } else { "" },
    );
}

/// Our placement, the cluster to which it applies, and the seconds that it took: the minimum of some runs.
fn ours(cluster: &Cluster) -> (Cluster, Placement, f64) {
    let once = || {
        let begin = Instant::now();
        let (cluster, placement) = twice(cluster);
        (cluster, placement, begin.elapsed().as_secs_f64())
    };
    (0..RUNS).map(|_| once()).min_by(|a, b| a.2.total_cmp(&b.2)).expect("there are runs")
}

fn twice(cluster: &Cluster) -> (Cluster, Placement) {
    let placement = place(&cluster.fleet(), &Cluster::rules(), &cluster.question());
    if placement.unplaced.is_empty() {
        return (cluster.clone(), placement);
    }
    let cluster = Cluster::parse(&cluster.with(&placement)).expect("what was read is read again");
    let mut fleet = cluster.fleet();
    fleet.zones.iter_mut().for_each(|zone| zone.apart.clear());
    fleet.hosts.iter_mut().for_each(|host| host.max_vcpus = None);
    let placement = place(&fleet, &Cluster::rules(), &cluster.question());
    (cluster, placement)
}

/// hbal looks at one group of nodes at a time: that of the nodes that are emptied.
fn group(cluster: &Cluster) -> String {
    let fleet = cluster.fleet();
    let host = cluster.question().drained.first().and_then(|host| fleet.hosts.get(host.0 as usize));
    host.and_then(|host| host.groups.first().cloned()).unwrap_or_default()
}

/// The output of hbal, and the seconds that it took.
fn hbal(file: &Path, group: &str, arguments: &[&str]) -> std::io::Result<(String, f64)> {
    let begin = clock::children();
    let mut command = Command::new("timeout");
    command.args([LIMIT, "hbal", "-G", group, "-t"]).arg(file).args(arguments);
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok((said, clock::children() - begin))
}

/// hbal's moves: `1. zone from[:secondary] => to[:secondary] score …`.
fn solution(cluster: &Cluster, said: &str) -> Placement {
    let fleet = cluster.fleet();
    let mut placement = Placement::default();
    let host = |name: &str| {
        let name = name.split(':').next()?;
        fleet.hosts.iter().position(|host| host.name.is_written(name))
    };
    for line in said.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let [_, name, from, "=>", to, ..] = words[..] else { continue };
        let (Some(from), Some(to)) = (host(from), host(to)) else { continue };
        let taken =
            |zone: usize| placement.moves.iter().any(|step: &Assignment| step.zone.0 as usize == zone);
        let zone = (0..fleet.zones.len()).find(|zone| {
            fleet.zones[*zone].name.as_str() == name
                && fleet.zones[*zone].host == fleet.hosts[from].name
                && !taken(*zone)
        });
        let step = zone.map(|zone| Assignment { zone: ZoneIx(zone as u32), to: HostIx(to as u32) });
        placement.moves.extend(step);
    }
    placement
}
