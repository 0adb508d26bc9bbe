//! Labs for tests: hosts, commands on them, and the states of their guests.

mod dump;
mod host;
mod observer;
mod output;
mod running;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, Once};
use std::time::{Duration, Instant};

pub use dump::{assert_same, dump};
pub use host::Host;
pub use observer::{Observer, Report};
pub use output::Output;
pub use running::Running;

/// The binary under test.
pub const SYSADM: &str = env!("CARGO_BIN_EXE_sysadm");

/// Hosts with a network of their own. Removed when this is dropped.
pub struct Lab {
    folder: tempfile::TempDir,
    hosts: Vec<String>,
    agents: Mutex<Vec<Running>>,
    certificates: Once,
}

impl Lab {
    /// Sets up hosts.
    pub fn new(hosts: &[&str]) -> Self {
        // Short: QEMU's and libvirt's sockets have long names of their own.
        let folder = tempfile::Builder::new().prefix("l").tempdir_in("/tmp").unwrap();
        let hosts = hosts.iter().map(|&host| host.to_owned()).collect::<Vec<_>>();
        let lab = Self { folder, hosts, agents: Mutex::default(), certificates: Once::new() };
        let names: Vec<_> = lab.hosts.iter().map(String::as_str).collect();
        lab.script("up", &names);
        lab
    }

    /// Sets up hosts with libvirt hooks on all of them, and a default target on h1.
    pub fn with_default_target(hosts: &[&str], target: &str) -> Self {
        let lab = Self::new(hosts);
        lab.host("h1").sysadm(&["target", "set", "--default", target]).ends(0);
        lab
    }

    /// One of the hosts.
    pub fn host<'lab>(&'lab self, name: &str) -> Host<'lab> {
        let name = self.hosts.iter().find(|host| *host == name).expect("a host of the lab");
        Host { lab: self, name }
    }

    /// All hosts.
    pub fn hosts(&self) -> impl Iterator<Item = Host<'_>> {
        self.hosts.iter().map(|name| Host { lab: self, name })
    }

    /// The lab's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Storage that all hosts share.
    pub fn shared(&self) -> PathBuf {
        self.folder().join("shared")
    }

    /// The site's authority.
    pub fn authority(&self) -> PathBuf {
        self.folder().join("ca")
    }

    /// Gives every host a certificate. Only once in a lab.
    pub fn certificates(&self) {
        self.certificates.call_once(|| {
            let folder = self.authority();
            self.certify(&["init-ca"], &folder);
            for host in self.hosts() {
                self.certify(&["issue", host.name], &folder);
                host.install_certificate(&folder);
            }
        });
    }

    /// `sysadm cert` on the machine itself.
    pub fn certify(&self, arguments: &[&str], folder: &Path) {
        let output = Command::new(SYSADM)
            .arg("cert")
            .args(arguments)
            .arg("--dir")
            .arg(folder)
            .env("SYSADM_ROOT", self.folder().join("nowhere"))
            .output();
        Output::of("sysadm cert", output.unwrap()).ends(0);
    }

    /// `lab.sh COMMAND DIR ARGUMENTS`, which must succeed.
    pub fn script(&self, command: &str, arguments: &[&str]) -> String {
        let output = self.command(command, arguments).stdin(Stdio::null()).output().unwrap();
        Output::of(&format!("lab.sh {command} {}", arguments.join(" ")), output).ends(0).stdout
    }

    fn command(&self, command: &str, arguments: &[&str]) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/lab.sh");
        let mut shell = Command::new("bash");
        shell.arg(script).arg(command).arg(self.folder()).args(arguments);
        shell.env("LAB_PATH", Path::new(SYSADM).parent().unwrap());
        shell
    }

    /// Where every guest is, and its state: `h1: evac1 running, evac4 shut off`, a line for each host.
    pub fn location(&self) -> String {
        self.hosts().map(|host| format!("{}: {}\n", host.name, host.guests())).collect()
    }

    /// Compares [`location`](Self::location) with lines such as `h1: evac1 running`.
    #[track_caller]
    pub fn guests_are(&self, expected: &[&str]) {
        let expected: String = expected.iter().map(|line| format!("{}\n", line.trim_end())).collect();
        let found: String = self.location().lines().map(|line| format!("{}\n", line.trim_end())).collect();
        assert_eq!(found, expected, "where the guests are");
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.agents.lock().map(|mut agents| agents.clear()).ok();
        let down = self.command("down", &[]).stdin(Stdio::null()).output();
        if !down.is_ok_and(|output| output.status.success()) {
            eprintln!("the lab in {} could not be taken down", self.folder().display());
        }
        if std::thread::panicking() && std::env::var_os("SYSADM_KEEP_LAB").is_some() {
            self.folder.disable_cleanup(true);
            eprintln!("the lab's files are kept in {}", self.folder().display());
        }
    }
}

/// Waits for a condition; fails after that time.
#[track_caller]
pub fn wait_until(seconds: u64, what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited {seconds} s in vain until {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
