//! Hosts h1, h2 and h3: a folder with a root for each, certificates, and agents on the loopback interface.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use sysadm::testing::paths::Paths;
use sysadm::testing::platform::sim::{Fault, HostSettings, Scale, Sim, StorageFolder, ZoneSpec};
use sysadm_model::{Brand, Millis, ZoneName};
use sysadm_transport::cert;

use crate::output::Printed;

pub const HOSTS: [&str; 3] = ["h1", "h2", "h3"];

/// Ends its agents by their process ids and removes its folder when dropped.
pub struct Environment {
    folder: tempfile::TempDir,
    agents: Vec<(&'static str, Child)>,
    /// The ports of the agents, also of those that have ended.
    ports: Vec<(&'static str, u16)>,
    /// Other names of hosts.
    also: Vec<(&'static str, &'static str)>,
    said: Arc<Mutex<String>>,
}

impl Environment {
    /// Three hosts without zones or agents.
    pub fn new() -> Self {
        // In memory, if possible: a hundred hosts would have to wait for the disk.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let new =
            Self { folder, agents: Vec::new(), ports: Vec::new(), also: Vec::new(), said: Arc::default() };
        let ca = new.at("ca");
        cert::init_ca(&ca, "test", Millis::now()).unwrap();
        for host in HOSTS {
            let tls = new.paths(host).tls_dir();
            let pair = cert::issue(&ca, host, &[], 30, Millis::now()).unwrap();
            std::fs::create_dir_all(&tls).unwrap();
            for (from, to) in [(pair.cert, "host.pem"), (pair.key, "host.key"), (ca.join("ca.pem"), "ca.pem")]
            {
                std::fs::copy(from, tls.join(to)).unwrap();
            }
            new.configure(host, &[]);
            new.set_host(host, |_| {});
        }
        new
    }

    /// The hosts of the story: h1 has three zones that run and two that do not, h2 and h3 can take them.
    pub fn story() -> Self {
        let mut new = Self::new();
        for zone in ["evac1", "evac2", "evac3"] {
            new.run_zone("h1", zone, |_| {});
        }
        new.make_zone("h1", "evac4", |_| {});
        new.make_zone("h1", "tzone1", |spec| spec.brand = Brand::LXC);
        new.start_agents(&["h1", "h2", "h3"]);
        new.done("h1", "target set --default rads://h2");
        new
    }

    /// The story after maintenance has begun.
    pub fn locked() -> Self {
        let new = Self::story();
        new.done("h1", "maintain -s -m 'new build'");
        new
    }

    /// The story after all zones have left.
    pub fn empty() -> Self {
        let new = Self::locked();
        new.done("h1", "evacuate -qa --jobs 1");
        new
    }

    /// The story after h1 is back in service.
    pub fn ready_to_return() -> Self {
        let new = Self::empty();
        new.done("h1", "maintain -e");
        new
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn paths(&self, host: &str) -> Paths {
        Paths::new(self.at(host))
    }

    pub fn sim(&self, host: &str) -> Sim {
        Sim::open(&self.paths(host))
    }

    pub fn set_host(&self, host: &str, change: impl FnOnce(&mut HostSettings)) {
        let mut settings = HostSettings {
            name: host.to_owned(),
            scale: Scale::Instant,
            storages: vec![
                StorageFolder { name: "nfs".to_owned(), folder: Some(self.at("nfs")) },
                StorageFolder { name: "local".to_owned(), folder: None },
            ],
            ..HostSettings::default()
        };
        change(&mut settings);
        self.sim(host).set_host(&settings).unwrap();
    }

    pub fn make_zone(&self, host: &str, zone: &str, change: impl FnOnce(&mut ZoneSpec)) {
        let name: ZoneName = zone.parse().unwrap();
        let mut spec = ZoneSpec { storages: vec!["nfs".to_owned()], memory: 4 << 30, ..ZoneSpec::new(name) };
        change(&mut spec);
        self.sim(host).create(spec).unwrap();
    }

    pub fn run_zone(&self, host: &str, zone: &str, change: impl FnOnce(&mut ZoneSpec)) {
        self.make_zone(host, zone, change);
        self.sim(host).start(&zone.parse().unwrap()).unwrap();
    }

    /// The system log of a host from now on, line by line.
    pub fn system_log(&self, host: &str) -> impl Fn() -> String {
        let path = self.paths(host).syslog();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let log = std::os::unix::net::UnixDatagram::bind(path).unwrap();
        log.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
        move || {
            let mut line = [0; 4096];
            let length = log.recv(&mut line).unwrap();
            String::from_utf8_lossy(&line[..length]).into_owned()
        }
    }

    pub fn set_faults(&self, host: &str, faults: &[Fault]) {
        self.sim(host).set_faults(faults).unwrap();
    }

    fn configure(&self, host: &str, ports: &[(&str, u16)]) {
        let mut text = format!("host = \"{host}\"\nplatform = \"sim\"\n[connect.addresses]\n");
        for (other, port) in ports {
            text.push_str(&format!("{other} = \"127.0.0.1:{port}\"\n"));
            for (_, name) in self.also.iter().filter(|(host, _)| host == other) {
                text.push_str(&format!("\"{name}\" = \"127.0.0.1:{port}\"\n"));
            }
        }
        std::fs::write(self.paths(host).config(), text).unwrap();
    }

    pub fn start_agents(&mut self, hosts: &[&'static str]) {
        for host in hosts {
            let mut agent = self.command(host, "agent --listen 127.0.0.1:0");
            let mut agent = agent.stderr(Stdio::piped()).spawn().unwrap();
            let mut lines = BufReader::new(agent.stderr.take().unwrap()).lines();
            let line = lines.next().unwrap().unwrap();
            let port = line.rsplit(':').next().unwrap().parse().unwrap();
            self.ports.retain(|(name, _)| name != host);
            self.ports.push((*host, port));
            let said = Arc::clone(&self.said);
            std::thread::spawn(move || {
                lines.for_each(|line| said.lock().unwrap().push_str(&(line.unwrap_or_default() + "\n")));
            });
            self.agents.push((host, agent));
        }
        HOSTS.iter().for_each(|host| self.configure(host, &self.ports));
    }

    /// Gives a host a second name.
    pub fn call_also(&mut self, host: &'static str, name: &'static str) {
        let (ca, tls) = (self.at("ca"), self.paths(host).tls_dir());
        let old = ["pem", "key"].map(|end| ca.join(format!("{host}.{end}")));
        old.iter().for_each(|file| std::fs::remove_file(file).unwrap());
        let pair = cert::issue(&ca, host, &[name.to_owned()], 30, Millis::now()).unwrap();
        std::fs::copy(pair.cert, tls.join("host.pem")).unwrap();
        std::fs::copy(pair.key, tls.join("host.key")).unwrap();
        self.also.push((host, name));
        self.stop_agent(host);
        self.start_agents(&[host]);
    }

    /// The output of the agents.
    pub fn agents_said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub fn stop_agent(&mut self, host: &str) {
        for (_, agent) in self.agents.iter_mut().filter(|(name, _)| *name == host) {
            agent.kill().unwrap();
            agent.wait().unwrap();
        }
        self.agents.retain(|(name, _)| *name != host);
    }

    /// A command line on a host, not started yet. Single quotes hold words together.
    pub fn command(&self, host: &str, line: &str) -> Command {
        self.command_below(&self.at(host), line)
    }

    pub fn command_below(&self, root: &Path, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sysadm"));
        let words = line.split('\'').enumerate().flat_map(|(n, part)| match n % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        });
        command.args(words).env_clear().env("SYSADM_ROOT", root).env("TZ", "UTC").env("TERM", "xterm");
        command.stdin(Stdio::null());
        command
    }

    /// Likewise, started; its output is not read.
    pub fn start_command(&self, host: &str, line: &str) -> Child {
        self.command(host, line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Runs a command on a host to its end.
    pub fn run(&self, host: &str, line: &str) -> Printed {
        self.finish(self.command(host, line))
    }

    /// Likewise after earlier moves, which influence estimates: these are redacted.
    pub fn run_after_moves(&self, host: &str, line: &str) -> String {
        let told = self.run(host, line).to_string();
        let word = |word: &str| if word.starts_with('~') { "~TIME".to_owned() } else { word.to_owned() };
        let line = |line: &str| line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
        told.lines().map(line).collect::<Vec<_>>().join("\n")
    }

    pub fn finish(&self, mut command: Command) -> Printed {
        Printed::new(&command.output().unwrap(), self.folder.path().to_str().unwrap())
    }

    /// Starts a command, and waits until its run is visible.
    pub fn start(&self, host: &str, line: &str) -> Child {
        let child = self.command(host, line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        self.wait_until(|| self.run(host, "evacuate -l").stdout.contains("in progress"));
        child
    }

    pub fn end(&self, child: Child) -> Printed {
        Printed::new(&child.wait_with_output().unwrap(), self.folder.path().to_str().unwrap())
    }

    pub fn wait_until(&self, mut reached: impl FnMut() -> bool) {
        for _ in 0..500 {
            if reached() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("it never came to that");
    }

    /// Runs a command that must succeed.
    pub fn done(&self, host: &str, line: &str) {
        let printed = self.run(host, line);
        assert_eq!(printed.status, Some(0), "{line}: {printed}");
    }

    /// State and auxiliary state of a zone on each host where it is.
    pub fn location(&self, zone: &str) -> String {
        let mut found = Vec::new();
        for host in HOSTS {
            let list = self.run(host, "zone list -cnp").stdout;
            for line in list.lines() {
                let fields: Vec<_> = line.split(':').collect();
                if fields[1] == zone && fields[2] != "configured" {
                    found.push(format!("{host} {}", [fields[2], fields[9]].join(" ").trim()));
                }
            }
        }
        found.join(", ")
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        for (_, agent) in &mut self.agents {
            let _ = agent.kill();
            let _ = agent.wait();
        }
    }
}

/// A terminal, and the line to it.
pub fn terminal() -> (std::os::fd::OwnedFd, std::fs::File) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let line = std::fs::OpenOptions::new().read(true).write(true).open(name).unwrap();
    (terminal, line)
}
