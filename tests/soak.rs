//! 500 zones on 20 simulated hosts: in each round some hosts are emptied and filled again while things go wrong.
//! No zone may be lost or duplicated, and no resource may leak.
//!
//! The seed is printed; `SOAK_SEED=N cargo test --test soak` repeats the same run, `SOAK_ROUNDS` sets its length.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::sync::Arc;

use sysadm::testing::cancel::Cancel;
use sysadm::testing::config::Config;
use sysadm::testing::evacuation::{Engine, Event, EventSink, Request, recover};
use sysadm::testing::host::{Host, Local};
use sysadm::testing::maintenance;
use sysadm::testing::paths::Paths;
use sysadm::testing::peers::{Connector, Peers};
use sysadm::testing::platform::Platform;
use sysadm::testing::platform::sim::{
    Effect, Fault, HostSettings, Operation, Scale, Sim, StorageFolder, ZoneSpec,
};
use sysadm::testing::store::{Direction, Holder, Store, TargetKey};
use sysadm_model::{HostUri, Millis};

const HOSTS: usize = 20;
const ZONES: usize = 500;
/// Number of hosts that are emptied at the same time.
const AT_ONCE: usize = 4;
/// From this round on resource use must not grow any more.
const WARM: usize = 5;

/// The same numbers for the same seed (an LCG with the constants of Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

struct Node {
    local: Arc<Local>,
    store: Arc<Store>,
    sim: Sim,
    paths: Paths,
}

type Nodes = Arc<BTreeMap<String, Node>>;

struct Net(Nodes);

#[async_trait::async_trait]
impl Connector for Net {
    async fn connect(&self, uri: &HostUri) -> Result<Arc<dyn Host>, String> {
        let node = self.0.get(&uri.host).ok_or_else(|| format!("there is no {uri}"))?;
        Ok(node.local.clone())
    }
}

/// Ignores all events.
struct Nobody;

impl EventSink for Nobody {
    fn emit(&self, event: &Event<'_>) {
        let text = match event {
            Event::Ended(a_move) => format!("{a_move:?}"),
            Event::Warning(text) => (*text).to_owned(),
            _ => return,
        };
        if let Ok(zone) = std::env::var("SOAK_ZONE")
            && text.contains(&zone)
        {
            println!("{text}");
        }
    }
}

fn host_name(number: usize) -> String {
    format!("h{number:02}")
}

fn raise(root: &std::path::Path) -> Nodes {
    let mut nodes = BTreeMap::new();
    for number in 0..HOSTS {
        let name = host_name(number);
        let paths = Paths::new(root.join(&name));
        let store = Arc::new(Store::open(&paths.database()).unwrap());
        let sim = Sim::open(&paths);
        let settings = HostSettings {
            name: name.clone(),
            scale: Scale::Instant,
            memory: 1 << 40,
            storages: vec![StorageFolder { name: "nfs".to_owned(), folder: Some(root.join("nfs")) }],
            ..HostSettings::default()
        };
        sim.set_host(&settings).unwrap();
        let local =
            Arc::new(Local::new(name.clone(), Arc::new(sim.clone()), Arc::clone(&store), paths.clone()));
        nodes.insert(name, Node { local, store, sim, paths });
    }
    for number in 0..ZONES {
        let node = &nodes[&host_name(number % HOSTS)];
        let spec = ZoneSpec {
            storages: vec!["nfs".to_owned()],
            dirty_rate: 100 << 20,
            autostart: number.is_multiple_of(3),
            ..ZoneSpec::new(format!("z{number}").parse().unwrap())
        };
        let name = spec.name.clone();
        node.sim.create(spec).unwrap();
        // One in five does not run.
        if !number.is_multiple_of(5) {
            node.sim.start(&name).unwrap();
        }
    }
    Arc::new(nodes)
}

fn engine(nodes: &Nodes, host: &str) -> Engine {
    let node = &nodes[host];
    Engine {
        local: node.local.clone(),
        store: Arc::clone(&node.store),
        peers: Peers::new(Arc::new(Net(Arc::clone(nodes))), Some(node.local.id())),
        events: Arc::new(Nobody),
        cancel: Cancel::default(),
        policy: Config::default().migration.policy(),
        maps: Config::default().map,
    }
}

fn request() -> Request {
    Request { all: true, jobs: 4, user: "soak".to_owned(), ..Request::default() }
}

fn any_faults(dice: &mut Dice) -> Vec<Fault> {
    let effect = |dice: &mut Dice| {
        let (at, rounds) = (dice.pick(Operation::ALL), u32::try_from(dice.below(4)).unwrap());
        let reason = "told so".to_owned();
        match dice.below(6) {
            0 | 1 => Effect::Fail { at, reason },
            2 | 3 => Effect::FailAfter { at, reason },
            4 => Effect::FailSend { rounds, reason },
            _ => dice.pick(&[Effect::Cut { rounds }, Effect::LoseAnswer]),
        }
    };
    let times = |dice: &mut Dice| Some(u32::try_from(1 + dice.below(4)).unwrap());
    (0..dice.below(4)).map(|_| Fault { times: times(dice), ..Fault::always(effect(dice)) }).collect()
}

/// Empties some hosts onto others, with faults; then removes the faults and brings everything back.
async fn round(nodes: &Nodes, dice: &mut Dice) -> usize {
    let start = dice.below(HOSTS);
    let leaving: Vec<_> = (0..AT_ONCE).map(|offset| host_name((start + offset * 5) % HOSTS)).collect();
    for host in &leaving {
        let others: Vec<_> = (0..HOSTS).map(host_name).filter(|other| !leaving.contains(other)).collect();
        let uris = [dice.pick(&others), dice.pick(&others)];
        let uris: Vec<_> = uris.iter().map(|other| format!("rads://{other}").parse().unwrap()).collect();
        let node = &nodes[host];
        node.store.set_targets(&[TargetKey::Default], &uris[..1 + dice.below(2)]).unwrap();
        let kind = "admin".parse().unwrap();
        let holder = Holder { kind, user: "soak".to_owned(), since: Millis(0), message: None };
        maintenance::start(&node.store, &node.paths, &holder).unwrap();
    }
    let mut moved = 0;
    for direction in [Direction::Evacuate, Direction::Return] {
        for node in nodes.values() {
            node.sim.set_faults(&any_faults(dice)).unwrap();
        }
        let given = request();
        let runs = leaving.iter().map(|host| async {
            let engine = engine(nodes, host);
            // What could not even begin is done below.
            engine.run(direction, &given).await.map_or(0, |outcome| outcome.moves.len())
        });
        moved += futures_util::future::join_all(runs).await.into_iter().sum::<usize>();
        for node in nodes.values() {
            node.sim.set_faults(&[]).unwrap();
        }
        for host in &leaving {
            let engine = engine(nodes, host);
            let open = recover::settle_interrupted(&engine).await.unwrap();
            assert!(open.is_empty(), "{host} after {direction}: {open:?}");
        }
        // Not before: until then a held image may be the only complete one.
        for host in &leaving {
            let engine = engine(nodes, host);
            if direction == Direction::Evacuate {
                let node = &nodes[host];
                maintenance::end(&node.store, &node.paths, &"admin".parse().unwrap()).unwrap();
            } else {
                let rest = engine.run(direction, &request()).await.unwrap();
                assert!(rest.is_complete(), "{host}: {rest:?}");
                assert_eq!(nodes[host].store.away().unwrap(), []);
            }
        }
    }
    moved
}

async fn everywhere(nodes: &Nodes) -> Vec<(String, sysadm_model::Zone)> {
    let mut found = Vec::new();
    for (host, node) in nodes.iter() {
        let zones = node.sim.inventory().await.unwrap().zones;
        found.extend(zones.into_iter().map(|zone| (host.clone(), zone)));
    }
    found
}

/// Every zone is where it belongs, exactly once, as it was.
async fn all_is_well(nodes: &Nodes) {
    let found = everywhere(nodes).await;
    assert_eq!(found.len(), ZONES, "lost or doubled");
    for (host, zone) in found {
        let number: usize = zone.name.as_str()[1..].parse().unwrap();
        assert_eq!(host, host_name(number % HOSTS), "{} is not at its origin", zone.name);
        assert_eq!((zone.is_running(), zone.aux), (!number.is_multiple_of(5), None), "{}", zone.name);
        assert_eq!(zone.autostart, number.is_multiple_of(3), "{}: autostart", zone.name);
    }
    for (host, node) in nodes.iter() {
        let reserved = node.store.reservations(Millis::now()).unwrap();
        assert_eq!(reserved, [], "{host} keeps room for a zone that does not come");
    }
}

/// Memory (KiB), open files, threads of this process.
fn usage() -> (usize, usize, usize) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    (field("VmRSS:"), std::fs::read_dir("/proc/self/fd").unwrap().count(), field("Threads:"))
}

fn from_environment(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn zones_that_go_and_come_for_a_long_time_are_neither_lost_nor_doubled_and_nothing_grows() {
    let seed = from_environment("SOAK_SEED", 2026);
    let rounds = from_environment("SOAK_ROUNDS", 30);
    println!("SOAK_SEED={seed}");
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let nodes = raise(folder.path());
    let mut dice = Dice(seed as u64);
    let (mut warm, mut moved) = ((0, 0, 0), 0);
    for number in 1..=rounds {
        moved += runtime.block_on(round(&nodes, &mut dice));
        runtime.block_on(all_is_well(&nodes));
        let now = usage();
        println!("round {number}: {moved} moves so far; {} KiB, {} files, {} threads", now.0, now.1, now.2);
        if number == WARM {
            warm = now;
        }
    }
    let end = usage();
    assert!(moved > rounds * 100, "only {moved} moves");
    // A host opens a lock when it is first used, and some descriptors stay open. A leak with every move, or every
    // fault, would be thousands.
    assert!(end.1 <= warm.1 + 3 * HOSTS, "open files grow: {warm:?} then {end:?}");
    assert!(end.2 <= warm.2, "threads grow: {warm:?} then {end:?}");
    // The allocator keeps some of what was freed.
    assert!(end.0 < warm.0 + warm.0 / 4, "memory grows: {warm:?} then {end:?}");
}
