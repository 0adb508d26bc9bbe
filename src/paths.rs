//! Where things lie. Every path is below `SYSADM_ROOT`, for tests and for a second instance on one machine.

use std::path::{Path, PathBuf};

/// The layout of this host's files.
#[derive(Clone, Debug)]
pub struct Paths {
    root: PathBuf,
}

impl Paths {
    /// The layout below `root`; `/` on a real host.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The layout that the environment asks for.
    pub fn from_environment() -> Self {
        Self::new(std::env::var_os("SYSADM_ROOT").map_or_else(|| PathBuf::from("/"), PathBuf::from))
    }

    /// The root itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn below(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The folder of everything that must survive a reboot.
    pub fn state_dir(&self) -> PathBuf {
        self.below("var/lib/sysadm")
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.below("var/lib/sysadm/sysadm.db")
    }

    /// The simulated platform's own database.
    pub fn simulation(&self) -> PathBuf {
        self.below("var/lib/sysadm/sim.db")
    }

    /// There while maintenance is held: what the hypervisor's hooks look for.
    pub fn lock_marker(&self) -> PathBuf {
        self.below("var/lib/sysadm/maintenance")
    }

    /// Held by the process that evacuates or returns.
    pub fn run_lock(&self) -> PathBuf {
        self.below("var/lib/sysadm/run.lock")
    }

    /// Where that process is asked to stop.
    pub fn run_socket(&self) -> PathBuf {
        self.below("var/lib/sysadm/run.sock")
    }

    /// Sockets of migrations.
    pub fn run_dir(&self) -> PathBuf {
        self.below("run/sysadm")
    }

    /// The zones that may be booted now although the host is in maintenance.
    pub fn boot_permits(&self) -> PathBuf {
        self.below("run/sysadm/boot-permits")
    }

    /// The zones that must not be booted now, in maintenance or not.
    pub fn boot_blocks(&self) -> PathBuf {
        self.below("run/sysadm/boot-blocks")
    }

    /// What makes this machine one of its own: see machine-id(5).
    pub fn machine_id(&self) -> PathBuf {
        self.below("etc/machine-id")
    }

    /// The configuration.
    pub fn config(&self) -> PathBuf {
        self.below("etc/sysadm/sysadm.toml")
    }

    /// Policies.
    pub fn policies(&self) -> PathBuf {
        self.below("etc/sysadm/policies")
    }

    /// Certificates and keys.
    pub fn tls_dir(&self) -> PathBuf {
        self.below("etc/sysadm/tls")
    }

    /// libvirt's configuration, a folder for each driver in it.
    pub fn libvirt_config(&self) -> PathBuf {
        self.below("etc/libvirt")
    }

    /// libvirt's hook scripts.
    pub fn libvirt_hooks(&self) -> PathBuf {
        self.below("etc/libvirt/hooks")
    }

    /// The system log's socket.
    pub fn syslog(&self) -> PathBuf {
        self.below("dev/log")
    }

    /// libvirt's sockets.
    pub fn libvirt_run(&self) -> PathBuf {
        self.below("run/libvirt")
    }
}
