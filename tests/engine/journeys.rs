//! Three hosts that are emptied and filled again in every order, and a zone that is moved on in between: it is
//! always known which host it belongs to, and that host brings it home with one command.
//!
//! The result of a step depends on the records of the hosts and on where the zone is. So a sequence that leads to
//! the same state as another one is not followed twice, and all sequences are covered.

use std::collections::BTreeSet;

use rusqlite::Connection;
use rusqlite::backup::Backup;
use sysadm::evacuation::Request;
use sysadm::failover;
use sysadm::model::{Method, Millis};
use sysadm::paths::Paths;
use sysadm::store::{Direction, Place, ZoneRecord};

use super::script::HOSTS;
use super::world::{World, name};

const DEPTH: usize = 4;

/// With replicas, too: there are many more states.
const DEPTH_WITH_STANDBY: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// One host is emptied onto the other.
    Evacuate(&'static str, &'static str),
    Return(&'static str),
    /// From wherever the zone is.
    Migrate(&'static str),
    /// The host leaves replicas with the others.
    Standby(&'static str),
}

fn steps() -> Vec<Step> {
    let pairs = HOSTS.into_iter().flat_map(|from| HOSTS.into_iter().map(move |to| (from, to)));
    let evacuations = pairs.filter(|(from, to)| from != to).map(|(from, to)| Step::Evacuate(from, to));
    let others =
        HOSTS.into_iter().flat_map(|host| [Step::Return(host), Step::Migrate(host), Step::Standby(host)]);
    evacuations.chain(others).collect()
}

/// Where the zone must be, and which host it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Zone {
    at: &'static str,
    home: &'static str,
}

impl Zone {
    fn after(self, step: Step) -> Self {
        match step {
            Step::Evacuate(from, to) if from == self.at => Self { at: to, ..self },
            Step::Return(host) if host == self.home => Self { at: host, ..self },
            Step::Migrate(to) if to == self.at => self,
            // A host that migrates its own zone gives it away; one that migrates another host's passes it on.
            Step::Migrate(to) if self.home == self.at => Self { at: to, home: to },
            Step::Migrate(to) => Self { at: to, ..self },
            Step::Evacuate(..) | Step::Return(_) | Step::Standby(_) => self,
        }
    }
}

/// All databases of a world, as they were.
struct Saved(Vec<(std::path::PathBuf, Connection)>);

impl Saved {
    fn of(world: &World) -> Self {
        let paths = HOSTS.into_iter().map(|host| Paths::new(world.at(host)));
        let files = paths.flat_map(|paths| [paths.database(), paths.simulation()]);
        Self(files.map(|file| (file.clone(), copy(&Connection::open(file).unwrap()))).collect())
    }

    fn restore(&self) {
        for (file, saved) in &self.0 {
            let mut live = Connection::open(file).unwrap();
            Backup::new(saved, &mut live).unwrap().step(-1).unwrap();
        }
    }
}

fn copy(from: &Connection) -> Connection {
    let mut copy = Connection::open_in_memory().unwrap();
    Backup::new(from, &mut copy).unwrap().step(-1).unwrap();
    copy
}

async fn take(world: &World, step: Step, zone: Zone) {
    let complete = async |host: &str, direction, request| {
        let outcome = world.engine_of(host).run(direction, &request).await.unwrap();
        assert!(outcome.is_complete(), "{step:?}: {outcome:?} {:?}", world.events.all());
    };
    match step {
        Step::Evacuate(from, to) => {
            world.set_default_target(from, &format!("rads://{to}"));
            world.lock(from);
            complete(from, Direction::Evacuate, World::request()).await;
            world.unlock(from);
        }
        Step::Return(host) => complete(host, Direction::Return, World::request()).await,
        Step::Migrate(to) if to != zone.at => {
            let destination = Some(format!("rads://{to}.example.org").parse().unwrap());
            let request = Request { destination, zones: vec![name("web")], ..World::request() };
            complete(zone.at, Direction::Migrate, request).await;
        }
        Step::Migrate(_) => {}
        Step::Standby(host) => {
            let peers = world.peers_of(host);
            let report =
                failover::replicate(&world.local(host), world.store(host), &peers, &[]).await.unwrap();
            assert_eq!(report.takeovers, [], "{step:?}");
        }
    }
}

/// The records of every host about the zone, on which the next step depends.
fn written(world: &World) -> String {
    let of_host = |host: &str| {
        let store = world.store(host);
        let away = store.away().unwrap();
        let away: Vec<_> = away.iter().map(|row| format!("{} {}", row.other_host(), row.place)).collect();
        let zones = store.zones().unwrap();
        let guest =
            |record: &ZoneRecord| Some((record.home.clone()?.name, record.place, record.location.clone()));
        let guests: Vec<_> = zones.iter().filter_map(guest).collect();
        let configured = store.configured().unwrap();
        let configured: Vec<_> = configured.iter().map(|row| (row.place, row.location.clone())).collect();
        let left: Vec<_> = store.sent_replicas().unwrap().iter().map(|row| row.uri.to_string()).collect();
        let standbys = store.held_replicas().unwrap();
        let standbys: Vec<_> = standbys.iter().map(|row| (row.origin.clone(), row.taken.is_some())).collect();
        format!("{away:?} {guests:?} {configured:?} {left:?} {standbys:?}")
    };
    HOSTS.map(of_host).join("; ")
}

/// The zone is where it must be, one host claims it, and nothing is left over.
async fn all_is_well(world: &World, zone: Zone, method: Method, path: &[Step]) {
    let context = || format!("after {path:?}; {}; events {:?}", written(world), world.events.all());
    assert_eq!(world.home_of("web", method).await, zone.at, "{}", context());
    for host in HOSTS {
        let store = world.store(host);
        let away = store.away().unwrap();
        let is_away: Vec<_> = away.iter().map(|row| row.place).collect();
        let expected = if host == zone.home && zone.at != host { vec![Place::Away] } else { vec![] };
        assert_eq!(is_away, expected, "{host} {}", context());
        if host == zone.at {
            let uuid = world.seen(host, "web").await.unwrap().uuid;
            let home = store.zone(uuid).unwrap().and_then(|record| record.home).map(|home| home.name);
            let expected = (zone.home != host).then(|| zone.home.to_owned());
            assert_eq!(home, expected, "{host} {}", context());
        }
        assert_eq!(store.reservations(Millis::now()).unwrap(), [], "{host} {}", context());
    }
    assert_eq!(world.script.wrong(), [] as [String; 0], "{}", context());
}

/// Follows every sequence, and returns the number of different states.
async fn follow_all(method: Method, steps: &[Step], depths: usize) -> usize {
    let world = World::with(method);
    let first = Zone { at: "h1", home: "h1" };
    let mut known = BTreeSet::from([(first, written(&world))]);
    let mut open = vec![(first, Saved::of(&world), Vec::new())];
    for depth in 0..=depths {
        let mut next = Vec::new();
        for (zone, saved, path) in open {
            // In the end, only whether it comes home, and no other host takes it.
            let returns = |step: &&Step| depth < depths || matches!(step, Step::Return(_));
            for &step in steps.iter().filter(returns) {
                saved.restore();
                let (after, mut path): (_, Vec<Step>) = (zone.after(step), path.clone());
                take(&world, step, zone).await;
                path.push(step);
                all_is_well(&world, after, method, &path).await;
                let state = (after, written(&world));
                if depth < depths && known.insert(state) {
                    next.push((after, Saved::of(&world), path));
                }
            }
        }
        open = next;
    }
    known.len()
}

#[tokio::test(start_paused = true)]
async fn after_every_sequence_of_evacuations_migrations_and_returns_a_zone_is_its_own_hosts() {
    for method in [Method::Live, Method::Cold] {
        let without = |step: &Step| !matches!(step, Step::Standby(_));
        let steps: Vec<_> = steps().into_iter().filter(without).collect();
        let begun = std::time::Instant::now();
        let ends = follow_all(method, &steps, DEPTH).await;
        println!("{method:?}: {ends} states in {:?}", begun.elapsed());
        assert!(ends > 20, "only {ends}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_so_too_where_manifests_are_left_with_other_hosts_in_between() {
    let begun = std::time::Instant::now();
    let ends = follow_all(Method::Cold, &steps(), DEPTH_WITH_STANDBY).await;
    println!("{ends} states in {:?}", begun.elapsed());
    assert!(ends > 40, "only {ends}");
}
