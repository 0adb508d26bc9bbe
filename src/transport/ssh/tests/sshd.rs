//! A real sshd for one test: it has a folder, a port and keys of its own, and ends with the test.

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use sysadm_model::HostUri;
use sysadm_transport::DialOptions;
use sysadm_transport::ssh::Surroundings;

/// sshd must be started by its absolute path.
const SSHD: &str = "/usr/sbin/sshd";

/// An sshd that serves connections to a port of this test.
pub struct Sshd {
    pub folder: TempDir,
    pub port: u16,
    children: Arc<Mutex<Vec<Child>>>,
}

impl Sshd {
    /// Starts listening; our own ed25519 key is accepted, and all its keys are known.
    pub fn start(extra: &str) -> Self {
        assert!(
            Path::new(SSHD).exists(),
            "there is no {SSHD}: install openssh-server, or let tests/run do it"
        );
        // For its privilege separation; only root needs it, and only root can create it.
        let _ = fs::create_dir_all("/run/sshd");
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path(".ssh")).unwrap();
        keygen(&path(".ssh/id_ed25519"), "ed25519", "");
        fs::copy(path(".ssh/id_ed25519.pub"), path("authorized_keys")).unwrap();
        let mut config = format!(
            "{extra}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPidFile none\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\n",
            path("authorized_keys").display()
        );
        for kind in ["ed25519", "ecdsa", "rsa"] {
            keygen(&path(kind), kind, "");
            config.push_str(&format!("HostKey {}\n", path(kind).display()));
        }
        fs::write(path("sshd_config"), config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let children = Arc::new(Mutex::new(Vec::new()));
        std::thread::spawn({
            let (config, log, children) = (path("sshd_config"), path("log"), Arc::clone(&children));
            move || {
                for connection in listener.incoming().map_while(Result::ok) {
                    let Some(child) = serve(connection.into(), &config, &log) else { return };
                    children.lock().unwrap().push(child);
                }
            }
        });
        let sshd = Self { folder, port, children };
        sshd.know(&["ed25519", "ecdsa", "rsa"]);
        sshd
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes only its keys of these types known.
    pub fn know(&self, kinds: &[&str]) {
        let line = |kind: &&str| {
            let key = fs::read_to_string(self.path(&format!("{kind}.pub"))).unwrap();
            format!("[127.0.0.1]:{} {key}", self.port)
        };
        fs::write(self.path(".ssh/known_hosts"), kinds.iter().map(line).collect::<String>()).unwrap();
    }

    pub fn uri(&self) -> HostUri {
        format!("ssh://127.0.0.1:{}", self.port).parse().unwrap()
    }

    pub fn surroundings(&self) -> Surroundings {
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        Surroundings {
            home: Some(self.folder.path().to_owned()),
            user: Some(String::from_utf8(user).unwrap().trim().to_owned()),
            agent: None,
            config: self.path("none"),
            known_hosts: self.path("none"),
        }
    }

    /// Signals all its processes.
    pub fn signal(&self, signal: Signal) {
        for child in &*self.children.lock().unwrap() {
            let _ = kill_process_group(Pid::from_child(child), signal);
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        for mut child in self.children.lock().unwrap().drain(..) {
            let _ = child.wait();
        }
    }
}

fn serve(connection: OwnedFd, config: &Path, log: &Path) -> Option<Child> {
    Command::new(SSHD)
        .args(["-i", "-f"])
        .arg(config)
        .arg("-E")
        .arg(log)
        .stdin(connection.try_clone().ok()?)
        .stdout(Stdio::from(connection))
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .ok()
}

pub fn keygen(file: &Path, kind: &str, passphrase: &str) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f"])
        .arg(file)
        .status()
        .unwrap();
    assert!(made.success());
}

/// Options that start a remote `command`, with short limits.
pub fn options(command: &str) -> DialOptions {
    let mut options = DialOptions::default();
    options.ssh.agent = command.to_owned();
    options.connect.keepalive = 1;
    options
}
