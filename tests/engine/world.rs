//! Hosts h1, h2 and h3 in one process. h1 is emptied and filled again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sysadm::cancel::Cancel;
use sysadm::config::{Config, Maps};
use sysadm::evacuation::{Actions, Engine, EvacuationError, Event, EventSink, Outcome, Request, recover};
use sysadm::host::{Host, Local};
use sysadm::maintenance;
use sysadm::model::{Brand, HostUri, Message, Method, Millis, Zone, ZoneName};
use sysadm::paths::Paths;
use sysadm::peers::{Connector, Peers};
use sysadm::plan::Action;
use sysadm::platform::Platform;
use sysadm::platform::sim::{Fault, HostSettings, Scale, Sim, StorageFolder, ZoneSpec};
use sysadm::store::{Direction, Holder, Move, MoveState, Place, Store, TargetKey, ZoneRecord};

use super::lines::Lines;
use super::script::{HOSTS, Script};

pub struct World {
    folder: Arc<tempfile::TempDir>,
    hosts: BTreeMap<&'static str, Arc<Local>>,
    stores: BTreeMap<&'static str, Arc<Store>>,
    pub script: Script,
    pub lines: Lines,
    pub events: Arc<Events>,
    pub cancel: Cancel,
    pub actions: Actions,
    /// The network names of other hosts in h1's sysadm.toml.
    pub maps: Maps,
}

pub fn name(zone: &str) -> ZoneName {
    zone.parse().unwrap()
}

/// A running virtual machine, on storage that all hosts can access.
pub fn live(zone: &str) -> ZoneSpec {
    ZoneSpec {
        storages: vec!["nfs".to_owned()],
        memory: 4 << 30,
        dirty_rate: 20 << 20,
        autostart: true,
        ..ZoneSpec::new(name(zone))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.script.let_go();
    }
}

impl World {
    pub fn new() -> Self {
        // In memory, if possible: these tests do not depend on the disk.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = Arc::new(folder.unwrap());
        let root = folder.path().to_owned();
        let lines = Lines::default();
        let script = Script::new(lines.clone(), move |host| root.join(host));
        let new = Self::open(folder, script, lines);
        for host in HOSTS {
            new.set_host(host, |_| {});
        }
        new.store("h1").set_targets(&[TargetKey::Default], &["rads://h2".parse().unwrap()]).unwrap();
        new
    }

    /// The same hosts after a power failure: everything is opened again from what is on the disks.
    pub fn after_power_loss(self) -> Self {
        let (folder, script, lines) = (Arc::clone(&self.folder), self.script.clone(), self.lines.clone());
        let (actions, maps) = (self.actions.clone(), self.maps.clone());
        drop(self);
        script.begin(None);
        let mut new = Self::open(folder, script, lines);
        (new.actions, new.maps) = (actions, maps);
        new
    }

    fn open(folder: Arc<tempfile::TempDir>, script: Script, lines: Lines) -> Self {
        let mut hosts = BTreeMap::new();
        let mut stores = BTreeMap::new();
        for host in HOSTS {
            let paths = Paths::new(folder.path().join(host));
            let store = Arc::new(Store::open(&paths.database()).unwrap());
            let sim = Sim::open_with(&paths, Arc::new(Millis::now), script.hook(host));
            script.works_with(host, &sim);
            let local = Local::new(host.to_owned(), Arc::new(sim), Arc::clone(&store), paths);
            hosts.insert(host, Arc::new(local.with_failpoints(script.failpoints_of(host))));
            stores.insert(host, store);
        }
        Self {
            folder,
            hosts,
            stores,
            script,
            lines,
            events: Arc::default(),
            cancel: Cancel::default(),
            actions: Actions::default(),
            maps: Maps::default(),
        }
    }

    pub fn set_host(&self, host: &str, change: impl FnOnce(&mut HostSettings)) {
        let mut settings = HostSettings {
            name: host.to_owned(),
            scale: Scale::Instant,
            storages: vec![StorageFolder {
                name: "nfs".to_owned(),
                folder: Some(self.folder.path().join("nfs")),
            }],
            ..HostSettings::default()
        };
        change(&mut settings);
        self.sim(host).set_host(&settings).unwrap();
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// A simulation of that host for the tests.
    pub fn sim(&self, host: &str) -> Sim {
        Sim::open(&Paths::new(self.at(host)))
    }

    pub fn store(&self, host: &str) -> &Arc<Store> {
        &self.stores[host]
    }

    pub fn run_zone(&self, spec: ZoneSpec) {
        self.run_zone_on("h1", spec);
    }

    pub fn run_zone_on(&self, host: &str, spec: ZoneSpec) {
        let zone = spec.name.clone();
        self.sim(host).create(spec).unwrap();
        self.sim(host).start(&zone).unwrap();
    }

    pub fn set_default_target(&self, host: &str, uri: &str) {
        self.store(host).set_targets(&[TargetKey::Default], &[uri.parse().unwrap()]).unwrap();
    }

    /// With one zone of that method.
    pub fn with(zone: Method) -> Self {
        let mut world = Self::new();
        match zone {
            Method::Restart => {
                world.run_zone(brand(live("web"), Brand::LXC));
                world.actions.zones = [(name("web"), Action::Restart)].into();
            }
            Method::Live => world.run_zone(live("web")),
            Method::Cold => world.sim("h1").create(live("web")).unwrap(),
        }
        world.script.watch(&name("web"));
        world
    }

    pub fn lock(&self, host: &str) {
        let holder =
            Holder { kind: "admin".parse().unwrap(), user: "me".to_owned(), since: Millis(0), message: None };
        maintenance::start(self.store(host), &Paths::new(self.at(host)), &holder).unwrap();
    }

    pub fn unlock(&self, host: &str) {
        maintenance::end(self.store(host), &Paths::new(self.at(host)), &"admin".parse().unwrap()).unwrap();
    }

    pub fn set_faults(&self, host: &str, faults: &[Fault]) {
        self.sim(host).set_faults(faults).unwrap();
    }

    pub fn clear_faults(&self) {
        HOSTS.iter().for_each(|host| self.set_faults(host, &[]));
    }

    pub fn engine(&self) -> Engine {
        self.engine_of("h1")
    }

    pub fn local(&self, host: &str) -> Arc<Local> {
        Arc::clone(&self.hosts[host])
    }

    pub fn engine_of(&self, host: &str) -> Engine {
        Engine {
            local: self.local(host),
            store: Arc::clone(&self.stores[host]),
            peers: self.peers_of(host),
            events: self.events.clone(),
            cancel: self.cancel.clone(),
            policy: Config::default().migration.policy(),
            maps: self.maps.clone(),
        }
    }

    pub fn peers_of(&self, host: &str) -> Peers {
        let net = Net { hosts: self.hosts.clone(), lines: self.lines.clone() };
        Peers::new(Arc::new(net), Some(self.hosts[host].id()))
    }

    pub fn request() -> Request {
        Request { all: true, jobs: 3, user: "me".to_owned(), ..Request::default() }
    }

    /// A request to migrate web to h2.
    pub fn migration(&self) -> Request {
        let destination = Some("rads://h2".parse().unwrap());
        Request { zones: vec![name("web")], destination, ..Self::request() }
    }

    /// Evacuates or returns everything; or migrates web for good.
    pub async fn run(&self, direction: Direction) -> Result<Outcome, EvacuationError> {
        let request = match direction {
            Direction::Migrate => self.migration(),
            Direction::Evacuate | Direction::Return => Self::request(),
        };
        let request = Request { actions: self.actions.clone(), ..request };
        self.engine().run(direction, &request).await
    }

    /// Brings the world into a state in which a run in that direction can begin.
    pub async fn make_ready_for(&self, direction: Direction) {
        if direction == Direction::Migrate {
            return;
        }
        self.lock("h1");
        if direction == Direction::Return {
            assert!(self.run(Direction::Evacuate).await.unwrap().is_complete());
            self.unlock("h1");
        }
    }

    /// Removes all faults, and settles what is open.
    pub async fn settle(&self) {
        self.clear_faults();
        self.lines.repair();
        let open = recover::settle_interrupted(&self.engine()).await.unwrap();
        assert_eq!(open.len(), 0, "still open: {open:?}; events {:?}", self.events.all());
    }

    pub async fn seen(&self, host: &str, zone: &str) -> Option<Zone> {
        self.sim(host).inventory().await.unwrap().find(&name(zone)).cloned()
    }

    /// The only host that has the zone, complete and as it was.
    pub async fn home_of(&self, zone: &str, method: Method) -> &'static str {
        let mut found = Vec::new();
        for host in HOSTS {
            if let Some(zone) = self.seen(host, zone).await {
                found.push((host, zone));
            }
        }
        assert_eq!(found.len(), 1, "{zone} is at {found:?}; events {:?}", self.events.all());
        let (host, seen) = &found[0];
        assert_eq!((seen.is_running(), seen.aux), (method != Method::Cold, None), "{zone} at {host}");
        if method != Method::Cold {
            assert!(
                self.sim(host).zone_counter(&name(zone)).unwrap().goes_on,
                "{zone} stands still at {host}"
            );
        }
        assert!(seen.persistent, "{zone} at {host} is gone with its end");
        assert!(seen.autostart, "{zone} at {host} has lost its autostart");
        host
    }

    /// Aborts a move at both of its ends, without the engine.
    pub async fn abort(&self, zone: &str) {
        for host in HOSTS {
            self.hosts[host].abort(name(zone)).await.unwrap();
        }
    }

    /// The host to which a zone was migrated for good, by a host's records.
    pub fn moved_to(&self, host: &str, zone: &str) -> Option<String> {
        let folder = self.at(host);
        let database = rusqlite::Connection::open(Paths::new(folder).database()).unwrap();
        let found = database.query_row(
            "SELECT location FROM zone WHERE name = ?1 AND place = 'migrated' AND manifest IS NOT NULL",
            [zone],
            |row| row.get(0),
        );
        found.ok()
    }

    /// h1's configuration of a zone that is away.
    pub fn configuration_of(&self, zone: &str) -> Option<sysadm::model::Manifest> {
        self.store("h1").manifest_of(self.away(zone)?.uuid).unwrap()
    }

    pub fn away(&self, zone: &str) -> Option<ZoneRecord> {
        self.store("h1").away().unwrap().into_iter().find(|row| row.zone == name(zone))
    }

    /// The zone is on one host, and h1's records say so.
    pub async fn all_is_told_truly(&self, zone: &str, method: Method) -> &'static str {
        let home = self.home_of(zone, method).await;
        match self.away(zone) {
            None => {
                let gone = self.moved_to("h1", zone).map(|uri| uri.replace("rads://", ""));
                assert_eq!(home, gone.as_deref().unwrap_or("h1"), "{zone} is away and h1 does not know");
            }
            Some(row) => {
                assert_eq!(row.place, Place::Away);
                assert_eq!(row.location.unwrap().host, home, "{zone} is elsewhere than h1 believes");
            }
        }
        assert_eq!(self.script.wrong(), [] as [String; 0]);
        home
    }

    /// The markers that storage probes have left.
    pub fn marks(&self) -> Vec<String> {
        let mut folders = vec![self.folder.path().to_owned()];
        let mut marks = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path
                    .file_name()
                    .is_some_and(|name| name.as_encoded_bytes().starts_with(b".sysadm-probe-"))
                {
                    true => marks.push(path.display().to_string()),
                    false if path.is_dir() => folders.push(path),
                    false => {}
                }
            }
        }
        marks
    }

    /// No host reserves room for a zone that does not come any more.
    pub fn all_room_is_given_back(&self) {
        for host in HOSTS {
            let reserved = self.store(host).reservations(Millis::now()).unwrap();
            assert_eq!(reserved, [], "{host} keeps room for a zone that does not come");
        }
    }
}

/// Waits for a condition.
pub async fn until(mut reached: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if reached() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came to that");
}

pub const BOTH_WAYS: [(Direction, Method); 6] = [
    (Direction::Evacuate, Method::Restart),
    (Direction::Return, Method::Restart),
    (Direction::Evacuate, Method::Live),
    (Direction::Evacuate, Method::Cold),
    (Direction::Return, Method::Live),
    (Direction::Return, Method::Cold),
];

/// Migrations for good.
pub const MIGRATIONS: [(Direction, Method); 3] = [
    (Direction::Migrate, Method::Live),
    (Direction::Migrate, Method::Cold),
    (Direction::Migrate, Method::Restart),
];

/// Where a zone is before and after a run.
pub fn ends(direction: Direction) -> (&'static str, &'static str) {
    match direction {
        Direction::Evacuate | Direction::Migrate => ("h1", "h2"),
        Direction::Return => ("h2", "h1"),
    }
}

/// That zone's row in an outcome.
pub fn state_of(outcome: &Outcome, zone: &str) -> MoveState {
    outcome.moves.iter().find(|a_move| a_move.zone == name(zone)).unwrap().state
}

pub fn error_of(outcome: &Outcome, zone: &str) -> String {
    let of = |a_move: &&Move| a_move.zone == name(zone);
    outcome.moves.iter().find(of).unwrap().error.clone().unwrap_or_default().text
}

/// The hints that a zone's move ended with.
pub fn hint_of(outcome: &Outcome, zone: &str) -> String {
    let of = |a_move: &&Move| a_move.zone == name(zone);
    outcome.moves.iter().find(of).unwrap().error.clone().unwrap_or_default().hints.join("; ")
}

pub fn brand(spec: ZoneSpec, brand: Brand) -> ZoneSpec {
    ZoneSpec { brand, ..spec }
}

struct Net {
    hosts: BTreeMap<&'static str, Arc<Local>>,
    lines: Lines,
}

#[async_trait::async_trait]
impl Connector for Net {
    async fn connect(&self, uri: &HostUri) -> Result<Arc<dyn Host>, Message> {
        // A host has other names in other domains.
        let name = uri.host.split('.').next().unwrap_or_default();
        let host = self.hosts.get(name).ok_or_else(|| format!("cannot connect to {uri}"))?;
        self.lines.lay(Arc::clone(host))
    }
}

/// All events of the engine.
#[derive(Default)]
pub struct Events(Mutex<Vec<String>>);

impl Events {
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub fn count(&self, words: &str) -> usize {
        self.all().iter().filter(|event| event.contains(words)).count()
    }
}

impl EventSink for Events {
    fn emit(&self, event: &Event<'_>) {
        let text = match event {
            Event::Migrating(zone, host) => format!("migrating {zone} to {host}"),
            Event::Relocating(zone, host) => format!("stepping aside {zone} to {host}"),
            Event::Ended(a_move) => {
                format!("ended {} {} {:?}", a_move.zone, a_move.state, a_move.error)
            }
            Event::Warning(text) => format!("warning {text}"),
            Event::Checking(zone, host) => format!("initializing {zone} to {host}"),
            Event::Retrying(zone, text) => format!("retrying {zone} {text}"),
            Event::Waiting(zone, text) => format!("waiting {zone} {text}"),
            Event::Booting(zone) => format!("waking {zone}"),
            Event::Progress(_)
            | Event::Step { .. }
            | Event::Estimate { .. }
            | Event::ReusingConfiguration(_) => return,
            Event::Checked(_) => "prepared".to_owned(),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(text);
    }
}
