//! What every command needs: paths, configuration, store, platform, this host.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::cancel::Cancel;
use crate::config::{Config, PlatformKind};
use crate::evacuation::{Engine, EventSink};
use crate::host::{Host, Local};
use crate::model::{Message, Millis, chain};
use crate::paths::Paths;
use crate::peers::{Dialled, Peers};
use crate::platform::Platform;
use crate::platform::libvirt::Libvirt;
use crate::platform::sim::Sim;
use crate::policy::Convergence;
use crate::run_lock::lock_holder;
use crate::store::{Store, StoreError};
use crate::transport::Dialer;

use super::{CliError, Exit, syslog};

/// This host's files and settings.
pub struct Context {
    pub paths: Paths,
    pub config: Arc<Config>,
}

impl Context {
    /// Reads the environment and the configuration.
    pub fn load() -> Result<Self, CliError> {
        let paths = Paths::from_environment();
        let config = Arc::new(Config::load(&paths.config())?);
        Ok(Self { paths, config })
    }

    /// This host's name.
    pub fn host_name(&self) -> String {
        self.config.host.clone().unwrap_or_else(|| {
            let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
            // Messages have short host names, like URIs.
            name.split('.').next().unwrap_or(&name).to_owned()
        })
    }

    /// The store, for writing.
    pub fn store(&self) -> Result<Arc<Store>, CliError> {
        self.must_not_be_missing()?;
        Ok(Arc::new(Store::open(&self.paths.database())?))
    }

    /// The store, for reading; none if there is no database yet.
    pub fn store_to_read(&self) -> Result<Option<Store>, CliError> {
        Ok(self.open_to_read()?)
    }

    /// Likewise, with the store's own error.
    pub fn open_to_read(&self) -> Result<Option<Store>, StoreError> {
        self.must_not_be_missing()?;
        Store::open_read_only(&self.paths.database())
    }

    /// A missing database does not count as an empty one if something shows that it existed.
    fn must_not_be_missing(&self) -> Result<(), StoreError> {
        let path = self.paths.database();
        if path.symlink_metadata().is_ok() {
            return Ok(());
        }
        let marker = self.paths.lock_marker();
        let journal = path.with_extension("db-wal");
        let (sign, leftover) = if let Some(holder) = lock_holder(&self.paths) {
            (format!("process {} is at work on this host's zones", holder.pid), None)
        } else if marker.symlink_metadata().is_ok() {
            (format!("{} says that maintenance is held", marker.display()), Some(marker))
        } else if journal.symlink_metadata().is_ok() {
            (format!("its journal {} is there", journal.display()), Some(journal))
        } else {
            return Ok(());
        };
        Err(StoreError::Missing { path, sign, leftover })
    }

    /// The store for commands that change nothing: they do not even create the database.
    pub fn store_to_ask(&self) -> Result<Arc<Store>, CliError> {
        let store = self.open_to_read()?;
        Ok(Arc::new(store.map_or_else(|| Store::nothing(&self.paths.database()), Ok)?))
    }

    /// The platform of this host.
    pub fn platform(&self) -> Result<Arc<dyn Platform>, CliError> {
        Ok(match self.config.platform {
            PlatformKind::Libvirt => {
                let libvirt = Libvirt::new(self.config.libvirt.clone(), self.paths.clone());
                Arc::new(libvirt.with_downtime(self.config.migration.downtime))
            }
            PlatformKind::Sim => Arc::new(Sim::open(&self.paths)),
        })
    }

    /// The simulation of this host.
    pub fn simulation(&self) -> Result<Sim, CliError> {
        if self.config.platform == PlatformKind::Sim {
            return Ok(Sim::open(&self.paths));
        }
        let text = format!(
            "the zones of this host are real; to simulate some, set SYSADM_ROOT to a folder in which {} says: platform = \"sim\"",
            "etc/sysadm/sysadm.toml"
        );
        Err(CliError::new(Exit::Error, text))
    }

    pub fn local(&self, store: Arc<Store>) -> Result<Arc<Local>, CliError> {
        let local = Local::new(self.host_name(), self.platform()?, store, self.paths.clone());
        Ok(Arc::new(local.with_limits(self.config.limits)))
    }

    pub fn dialer(&self) -> Arc<Dialer> {
        Arc::new(Dialer { options: self.config.dial_options(), tls: self.paths.tls_dir() })
    }

    /// The peers of that host; none: no host is excluded as this one.
    pub fn peers(&self, here: Option<&Local>) -> Peers {
        Peers::new(Arc::new(Dialled(self.dialer())), here.map(Host::id))
    }

    /// Replaces the configuration's settings for live migrations by the policy's, and limits each migration to
    /// that bandwidth in bytes per second.
    pub fn converge(&mut self, convergence: &Convergence, bandwidth: Option<u64>) {
        let migration = self.config.migration.under(convergence);
        let libvirt = self.config.libvirt.clone().keeping_to(bandwidth);
        self.config = Arc::new(Config { migration, libvirt, ..(*self.config).clone() });
    }

    /// Everything that a run needs.
    pub fn engine(&self, events: Arc<dyn EventSink>, cancel: Cancel) -> Result<Engine, CliError> {
        let store = self.store()?;
        let (local, policy) = (self.local(Arc::clone(&store))?, self.config.migration.policy());
        let peers = self.peers(Some(&local));
        let maps = self.config.map.clone();
        Ok(Engine { local, store, peers, events, cancel, policy, maps })
    }

    /// The user: the person behind sudo or doas, or else the owner of the process.
    pub fn user() -> String {
        let uid = rustix::process::getuid();
        let behind = ["SUDO_USER", "DOAS_USER"]
            .iter()
            .filter(|_| uid.is_root())
            .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
        behind.or_else(|| name_of(uid.as_raw())).unwrap_or_else(|| uid.as_raw().to_string())
    }

    /// Writes a line about what was done to the system log.
    pub fn audit(&self, text: &str) {
        if self.config.platform == PlatformKind::Sim && !self.paths.syslog().exists() {
            // A simulated host has no system log, unless one was created for it.
            return;
        }
        let zone = TimeZone::system();
        if let Err(error) = syslog::notice(&self.paths.syslog(), text, Millis::now(), &zone) {
            let why = Message::from(chain(&error));
            super::ui::complain(why.about("warning: no line could be written to syslog"));
        }
    }
}

fn name_of(uid: u32) -> Option<String> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}
