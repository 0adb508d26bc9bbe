//! Live migrations: start, progress, cancellation and end.

use std::path::Path;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use uuid::Uuid;

use super::job::{self, DomainEvent};
use super::{Connection, LibvirtError, script};
use crate::exec::{Command, ExecError, PreparedCommand};
use crate::model::Progress;
use crate::platform::{PlatformError, SendFailure};

/// The parameters of a live migration.
#[derive(Debug)]
pub struct VirshMigration<'a> {
    pub uuid: Uuid,
    /// Leave it paused at the destination.
    pub suspend: bool,
    /// Define it at the destination, too.
    pub persistent: bool,
    /// QEMU may slow it down so that the migration converges.
    pub auto_converge: bool,
    /// Maximum bandwidth in MiB/s; 0: no limit.
    pub bandwidth: u64,
    /// Allowed downtime at first, in ms.
    pub downtime: u64,
    /// A file with its XML at the destination; none: as here.
    pub xml: Option<&'a Path>,
    /// A file with its XML at the destination after its next boot; none: as here.
    pub persistent_xml: Option<&'a Path>,
    /// The socket of libvirt at the destination.
    pub control: &'a Path,
    /// The socket of QEMU at the destination.
    pub memory: &'a Path,
}

impl VirshMigration<'_> {
    fn words(&self) -> Vec<String> {
        let mut words = vec!["migrate", "--live", "--p2p", "--undefinesource"];
        words.extend(self.suspend.then_some("--suspend"));
        // It has been proven that both hosts see the same storage; libvirt only looks at the kind of file system.
        words.extend(["--unsafe", "--abort-on-error"]);
        words.extend(self.persistent.then_some("--persistent"));
        words.extend(self.auto_converge.then_some("--auto-converge"));
        let mut words: Vec<_> = words.into_iter().map(str::to_owned).collect();
        if self.bandwidth > 0 {
            words.extend(["--bandwidth".to_owned(), self.bandwidth.to_string()]);
        }
        for (option, path) in [("--xml", self.xml), ("--persistent-xml", self.persistent_xml)] {
            words.extend(path.into_iter().flat_map(|path| [option.to_owned(), path.display().to_string()]));
        }
        words.extend([
            self.uuid.to_string(),
            "--desturi".to_owned(),
            format!("qemu+unix:///system?socket={}", self.control.display()),
            "--migrateuri".to_owned(),
            format!("unix://{}", self.memory.display()),
        ]);
        words
    }
}

/// A migration under way. It is cancelled when this is dropped.
#[derive(Debug)]
pub struct Transfer {
    command: Command,
    child: Child,
}

impl Transfer {
    /// Waits for its end.
    ///
    /// # Errors
    /// Why the domain stays here.
    pub async fn ended(mut self) -> Result<(), SendFailure> {
        let ended = self.command.collect(&mut self.child).await;
        ended.map(drop).map_err(|error| LibvirtError::new(error).send_failure())
    }
}

/// The virsh command that sets the allowed downtime, in ms. An old QEMU that does not support it keeps its default.
fn allow(uuid: Uuid, downtime: u64) -> Vec<String> {
    vec!["migrate-setmaxdowntime".to_owned(), uuid.to_string(), downtime.to_string()]
}

impl Connection {
    /// Starts a migration and does not wait.
    pub fn migrate(self, migration: &VirshMigration<'_>) -> Result<Transfer, LibvirtError> {
        let words = script([allow(migration.uuid, migration.downtime), migration.words()]);
        let command = self.virsh().arg(words);
        let child = command.spawn().map_err(LibvirtError::new)?;
        Ok(Transfer { command, child })
    }

    /// Sets how long a domain may be stopped in order to migrate, in ms.
    pub async fn set_max_downtime(self, uuid: Uuid, downtime: u64) -> Result<(), LibvirtError> {
        self.virsh().args(allow(uuid, downtime)).run().await.map(drop).map_err(LibvirtError::new)
    }

    /// The progress of a domain's migration; none if there is none.
    pub async fn migration_progress(self, uuid: Uuid) -> Result<Option<Progress>, LibvirtError> {
        match self.run(["domjobinfo", "--rawstats", &uuid.to_string()]).await {
            Ok(output) => Ok(job::parse_progress(&output)),
            // The migration has just ended.
            Err(LibvirtError { source: ExecError::Failed { .. }, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Aborts the job of a domain.
    pub async fn abort_job(self, uuid: Uuid) -> Result<(), LibvirtError> {
        self.run(["domjobabort", &uuid.to_string()]).await.map(drop)
    }

    /// Resumes a paused domain.
    pub async fn resume(self, uuid: Uuid) -> Result<(), LibvirtError> {
        self.run(["resume", &uuid.to_string()]).await.map(drop)
    }

    /// Connects now, so that a paused domain can be resumed without delay later.
    pub fn resumer(self) -> Result<Resumer, PlatformError> {
        let virsh = Command::new("virsh").args(["-c", self.driver.uri()]);
        let waiting = virsh.spawn_waiting();
        Ok(Resumer(waiting.map_err(|error| LibvirtError::new(error).failed("wait for an request"))?))
    }

    /// Follows the events of a domain.
    pub fn events(self, uuid: Uuid) -> Result<Events, PlatformError> {
        let command = self.virsh().args(["event", "--domain", &uuid.to_string()]).args([
            "--all",
            "--loop",
            "--timestamp",
        ]);
        let spawned = command.spawn();
        let mut child = spawned.map_err(|error| LibvirtError::new(error).failed("listen for events"))?;
        let lines = child.stdout.take().map(|output| BufReader::new(output).lines());
        Ok(Events { lines, _child: child })
    }
}

/// A connection that waits for the command to resume.
#[derive(Debug)]
pub struct Resumer(PreparedCommand);

impl Resumer {
    /// Resumes the domain; returns whether libvirt has confirmed it.
    pub async fn resume(self, uuid: Uuid) -> bool {
        self.0.tell(&format!("resume {uuid}"), "resumed").await
    }
}

/// The events of a domain, until this is dropped.
#[derive(Debug)]
pub struct Events {
    lines: Option<Lines<BufReader<ChildStdout>>>,
    _child: Child,
}

impl Events {
    /// The next event; none after the last one.
    pub async fn next(&mut self) -> Option<DomainEvent> {
        let line = self.lines.as_mut()?.next_line().await.ok()??;
        Some(job::parse_event(&line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_is_told_all_that_it_needs_and_nothing_that_was_not_asked_for() {
        let migration = VirshMigration {
            uuid: Uuid::nil(),
            suspend: true,
            persistent: false,
            auto_converge: false,
            bandwidth: 0,
            downtime: 300,
            xml: None,
            persistent_xml: None,
            control: Path::new("/run/x/ctl"),
            memory: Path::new("/run/x/mem"),
        };
        let words = |migration: &VirshMigration<'_>| migration.words().join(" ");
        let nil = Uuid::nil();
        let end =
            format!("{nil} --desturi qemu+unix:///system?socket=/run/x/ctl --migrateuri unix:///run/x/mem");
        assert_eq!(
            words(&migration),
            format!("migrate --live --p2p --undefinesource --suspend --unsafe --abort-on-error {end}")
        );
        let all = VirshMigration {
            suspend: false,
            persistent: true,
            auto_converge: true,
            bandwidth: 9,
            xml: Some(Path::new("/x.xml")),
            persistent_xml: Some(Path::new("/x.later")),
            ..migration
        };
        assert_eq!(
            words(&all),
            format!(
                "migrate --live --p2p --undefinesource --unsafe --abort-on-error --persistent --auto-converge \
                 --bandwidth 9 --xml /x.xml --persistent-xml /x.later {end}"
            )
        );
    }
}
