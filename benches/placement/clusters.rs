//! Clusters of Ganeti from a seed.

use std::fmt::Write as _;

use sysadm_planner::plan::ganeti::Cluster;

use crate::generate::Dice;

/// MiB.
const HOST: u64 = 256 * 1024;

/// Hosts of 256 GB that are filled to about 70 %, with zones on shared files, of which so many are on offline hosts.
pub fn cluster(hosts: usize, zones: usize, leaving: usize) -> Cluster {
    let mut dice = Dice::new(hosts as u64 + leaving as u64);
    let offline = leaving.div_ceil(16);
    let mut free = vec![HOST - 1024; hosts];
    let mut instances = String::new();
    for zone in 0..zones {
        let memory = [2, 4, 8, 8, 16, 32][dice.roll(6) as usize] * 1024;
        let mut draw = || offline + dice.roll((hosts - offline) as u64) as usize;
        let some = [draw(), draw(), draw()];
        let roomy = some.into_iter().max_by_key(|host| free[*host]).unwrap_or_default();
        let host = if zone < leaving { zone % offline } else { roomy };
        free[host] = free[host].saturating_sub(memory);
        let cpus = 1 + dice.roll(4);
        let _ = writeln!(instances, "zone-{zone}|{memory}|10240|{cpus}|running|Y|node-{host}||sharedfile||1");
    }
    let mut text = "default|uuid|preferred||\n\n".to_owned();
    for (host, free) in free.iter().enumerate() {
        let state = if host < offline { 'Y' } else { 'N' };
        let _ = writeln!(text, "node-{host}|{HOST}|1024|{free}|1000000|1000000|64|{state}|uuid|1");
    }
    text = format!("{text}\n{instances}\n\n");
    Cluster::parse(&text).expect("it is what hbal reads")
}
