//! The hosts of the demo: a folder with a root for each, certificates, and an agent for each.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::cli::{CliError, Exit};
use crate::exec;
use crate::file;
use crate::model::{Brand, Millis, ZoneName, chain};
use crate::paths::Paths;
use crate::platform::PlatformError;
use crate::platform::sim::{HostSettings, Scale, Sim, StorageFolder, ZoneSpec};
use crate::transport::cert;

/// How many times as fast as reality time passes on the simulated hosts.
pub const SCALE: u32 = 3;

/// The hosts, with their memory in GiB.
const HOSTS: [(&str, u64); 3] = [("h1", 64), ("h2", 10), ("h3", 64)];

/// The zones of h1: name, brand, memory in GiB, whether it runs.
const ZONES: [(&str, Brand, u64, bool); 5] = [
    ("evac1", Brand::KVM, 4, true),
    ("evac2", Brand::KVM, 6, true),
    ("evac3", Brand::KVM, 12, true),
    ("evac4", Brand::KVM, 2, false),
    ("tzone1", Brand::LXC, 1, false),
];

/// All hosts. When this is dropped their agents are ended and their files removed.
pub struct Site {
    folder: PathBuf,
    keep: bool,
    agents: Vec<Child>,
}

impl Site {
    /// An empty folder for the hosts.
    pub fn new(keep: bool) -> Result<Self, CliError> {
        let folder = std::env::temp_dir().join(format!("sysadm-demo-{}", std::process::id()));
        std::fs::DirBuilder::new().mode(0o700).create(&folder).map_err(|error| {
            CliError::new(Exit::Error, format!("failed to create {}: {}", folder.display(), chain(&error)))
        })?;
        Ok(Self { folder, keep, agents: Vec::new() })
    }

    fn root(&self, host: &str) -> PathBuf {
        self.folder.join(host)
    }

    /// A command on one of the hosts, not started yet.
    pub fn sysadm(&self, host: &str, args: &[&str]) -> Result<exec::Command, CliError> {
        let command = exec::Command::own()?.args(args.iter().copied()).env("SYSADM_ROOT", self.root(host));
        // So that dates are in the user's time zone.
        Ok(match std::env::var_os("TZ") {
            Some(zone) => command.env("TZ", zone),
            None => command,
        })
    }

    /// Creates the hosts, and starts their agents.
    pub async fn build(&mut self) -> Result<(), CliError> {
        let ca = self.folder.join("ca");
        cert::init_ca(&ca, "demo", Millis::now()).map_err(failed)?;
        for (host, memory) in HOSTS {
            self.make_host(&ca, host, memory)?;
        }
        let sim = Sim::open(&Paths::new(self.root("h1")));
        for (zone, brand, memory, running) in ZONES {
            make_zone(&sim, zone, brand, memory, running)?;
        }
        let mut ports = Vec::new();
        for (host, _) in HOSTS {
            ports.push((host, self.start_agent(host).await?));
        }
        // The ports are known only now.
        for (host, port) in &ports {
            self.configure(host, Some(*port), &ports)?;
        }
        Ok(())
    }

    fn make_host(&self, ca: &Path, host: &str, memory: u64) -> Result<(), CliError> {
        let paths = Paths::new(self.root(host));
        let pair = cert::issue(ca, host, &[], 1, Millis::now()).map_err(failed)?;
        std::fs::create_dir_all(paths.tls_dir())?;
        for (from, to) in [(&pair.cert, "host.pem"), (&pair.key, "host.key"), (&ca.join("ca.pem"), "ca.pem")]
        {
            file::create(&paths.tls_dir().join(to), std::fs::read(from)?, 0o600)?;
        }
        self.configure(host, None, &[])?;
        Sim::open(&paths).set_host(&HostSettings {
            name: host.to_owned(),
            memory: memory << 30,
            scale: Scale::Times(SCALE),
            storages: vec![StorageFolder { name: "nfs".to_owned(), folder: Some(self.folder.join("nfs")) }],
            ..HostSettings::default()
        })?;
        Ok(())
    }

    /// Writes a host's sysadm.toml.
    fn configure(&self, host: &str, port: Option<u16>, ports: &[(&str, u16)]) -> Result<(), CliError> {
        let listen = port.unwrap_or(0);
        let mut text =
            format!("host = \"{host}\"\nplatform = \"sim\"\n\n[agent]\nlisten = \"127.0.0.1:{listen}\"\n");
        text.push_str("\n[connect.addresses]\n");
        for (other, port) in ports {
            text.push_str(&format!("{other} = \"127.0.0.1:{port}\"\n"));
        }
        Ok(file::replace(&Paths::new(self.root(host)).config(), text, 0o644)?)
    }

    /// Starts a host's agent; returns the port on which it listens.
    async fn start_agent(&mut self, host: &str) -> Result<u16, CliError> {
        let mut agent = self.sysadm(host, &["agent", "--listen"])?.spawn().map_err(failed)?;
        let words = agent.stderr.take();
        self.agents.push(agent);
        let port = async {
            let mut lines = BufReader::new(words?).lines();
            let line = lines.next_line().await.ok()??;
            let port = line.rsplit(':').next()?.parse().ok();
            // Later output is read, too, so that the agent never blocks.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            port
        };
        match tokio::time::timeout(Duration::from_secs(10), port).await {
            Ok(Some(port)) => Ok(port),
            _ => Err(CliError::new(Exit::Error, format!("the agent of {host} did not start"))),
        }
    }

    /// How to continue to use hosts that are kept.
    pub fn directions(&self) -> String {
        let folder = self.folder.display();
        let sysadm = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("sysadm"));
        let sysadm = sysadm.display();
        format!(
            "\nThe hosts are kept in {folder}. To use them, start their agents:\n  \
             for h in h1 h2 h3; do SYSADM_ROOT={folder}/$h {sysadm} agent --listen & done\n\
             Then run each command with the root of its host:\n  \
             SYSADM_ROOT={folder}/h1 {sysadm} sim show\n"
        )
    }

    /// Ends the agents, waits for them, and removes the folder.
    pub async fn close(mut self) {
        for agent in &self.agents {
            let pid = agent.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
            if let Some(pid) = pid {
                let _ = kill_process(pid, Signal::TERM);
            }
        }
        for mut agent in std::mem::take(&mut self.agents) {
            // An agent that does not end in time is killed when its handle is dropped.
            let _ = tokio::time::timeout(Duration::from_secs(2), agent.wait()).await;
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.agents.clear();
        if !self.keep {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

fn make_zone(sim: &Sim, zone: &str, brand: Brand, memory: u64, running: bool) -> Result<(), CliError> {
    let name: ZoneName = zone.parse().map_err(|error| CliError::new(Exit::Error, error))?;
    sim.create(ZoneSpec {
        brand,
        memory: memory << 30,
        dirty_rate: 100 << 20,
        storages: vec!["nfs".to_owned()],
        ..ZoneSpec::new(name.clone())
    })?;
    let started: Result<(), PlatformError> = if running { sim.start(&name) } else { Ok(()) };
    Ok(started?)
}

fn failed(error: impl std::error::Error) -> CliError {
    CliError::new(Exit::Error, chain(&error))
}
