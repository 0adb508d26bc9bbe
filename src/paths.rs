//! Where files are. Every path is below `SYSADM_ROOT`, for tests and for a second instance on one machine.

use std::path::{Path, PathBuf};

#[derive(Clone, Debug)]
pub struct Paths {
    root: PathBuf,
}

impl Paths {
    /// The paths below `root`; `/` on a real host.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The paths below `SYSADM_ROOT`, or `/`.
    pub fn from_environment() -> Self {
        Self::new(std::env::var_os("SYSADM_ROOT").map_or_else(|| PathBuf::from("/"), PathBuf::from))
    }

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

    pub fn database(&self) -> PathBuf {
        self.below("var/lib/sysadm/sysadm.db")
    }

    /// The database of the simulated platform.
    pub fn simulation(&self) -> PathBuf {
        self.below("var/lib/sysadm/sim.db")
    }

    /// Exists while maintenance is held: the hypervisor's hooks look for it.
    pub fn lock_marker(&self) -> PathBuf {
        self.below("var/lib/sysadm/maintenance")
    }

    /// Locked by the process that evacuates or returns zones.
    pub fn run_lock(&self) -> PathBuf {
        self.below("var/lib/sysadm/run.lock")
    }

    /// The socket by which that process is asked to cancel.
    pub fn run_socket(&self) -> PathBuf {
        self.below("var/lib/sysadm/run.sock")
    }

    /// The folder of the sockets of migrations.
    pub fn run_dir(&self) -> PathBuf {
        self.below("run/sysadm")
    }

    /// Which zones may be booted now although the host is in maintenance.
    pub fn boot_permits(&self) -> PathBuf {
        self.below("run/sysadm/boot-permits")
    }

    /// Which zones must not be booted now, in maintenance or not.
    pub fn boot_blocks(&self) -> PathBuf {
        self.below("run/sysadm/boot-blocks")
    }

    /// The id of this machine: see machine-id(5).
    pub fn machine_id(&self) -> PathBuf {
        self.below("etc/machine-id")
    }

    /// sysadm.toml.
    pub fn config(&self) -> PathBuf {
        self.below("etc/sysadm/sysadm.toml")
    }

    pub fn policies(&self) -> PathBuf {
        self.below("etc/sysadm/policies")
    }

    /// Certificates and private keys.
    pub fn tls_dir(&self) -> PathBuf {
        self.below("etc/sysadm/tls")
    }

    /// libvirt's configuration, with a folder for each driver.
    pub fn libvirt_config(&self) -> PathBuf {
        self.below("etc/libvirt")
    }

    pub fn libvirt_hooks(&self) -> PathBuf {
        self.below("etc/libvirt/hooks")
    }

    /// The socket of the system log.
    pub fn syslog(&self) -> PathBuf {
        self.below("dev/log")
    }

    /// The folder of libvirt's sockets.
    pub fn libvirt_run(&self) -> PathBuf {
        self.below("run/libvirt")
    }
}
