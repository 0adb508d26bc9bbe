//! This host's libvirt, accessed through `virsh`: one function for each query or command, with typed answers and
//! errors. Nothing else builds arguments of virsh or parses its output, so the implementation can be replaced.
//!
//! A [`Connection`] is to one driver: `domains` has commands for domains, `migration` for migrations, `host` for
//! the host. [`QueryCache`] keeps what libvirt says of its emulators' abilities. The other files parse the output
//! of virsh.

mod cpu;
mod domains;
mod host;
mod job;
mod list;
mod migration;
mod query_cache;
mod stats;

pub use cpu::{CpuFit, CpuMismatch};
pub use domains::Described;
pub use host::{Versions, parse_version};
pub use job::{DEFAULT_DOWNTIME, DomainEvent};
pub use list::ListedDomain;
pub use migration::{Resumer, VirshMigration};
pub use query_cache::{QueryCache, VirshOutput};
pub use stats::{Usage, Usages, per_second};

use std::io::ErrorKind;
use std::time::Duration;

use crate::exec::{Command, ExecError};
use crate::model::{Abilities, Brand, chain};
use crate::platform::{PlatformError, SendFailure, is_lost_connection};

/// One of libvirt's drivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// Virtual machines.
    Qemu,
    /// Containers.
    Lxc,
}

impl Driver {
    pub const ALL: [Self; 2] = [Self::Qemu, Self::Lxc];

    /// The driver of a brand; none if libvirt has no such brand.
    pub fn of(brand: Brand) -> Option<Self> {
        Self::ALL.into_iter().find(|driver| driver.brand() == brand)
    }

    /// The brand of its guests.
    pub const fn brand(self) -> Brand {
        match self {
            Self::Qemu => Brand::KVM,
            Self::Lxc => Brand::LXC,
        }
    }

    /// What libvirt can do with its guests.
    pub const fn abilities(self) -> Abilities {
        match self {
            Self::Qemu => Abilities { live: true, suspend: true, host_software: false },
            Self::Lxc => Abilities { live: false, suspend: false, host_software: true },
        }
    }

    /// Its connection URI on this host.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Qemu => "qemu:///system",
            Self::Lxc => "lxc:///system",
        }
    }

    /// The name of its hook script and of its folder in `/etc/libvirt`.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Qemu => "qemu",
            Self::Lxc => "lxc",
        }
    }
}

/// A connection to one of libvirt's drivers.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    driver: Driver,
}

/// The kind of an error, by libvirt's error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// This libvirt does not have the driver, or its daemon.
    NoDriver,
    /// There is no such domain.
    NoDomain,
    /// The domain has no job, or does not run.
    NoJob,
    /// The domain runs already.
    Running,
    /// The first process of a container is not known yet: libvirt learns of it some ms after its start.
    TooEarly,
    /// Any other error.
    Other,
}

/// Why libvirt did not carry out a command.
#[derive(Debug)]
pub struct LibvirtError {
    pub code: Code,
    source: ExecError,
}

impl LibvirtError {
    fn new(source: ExecError) -> Self {
        Self { code: code(source.stderr()), source }
    }

    /// The error of the platform; `what` was tried.
    pub fn failed(self, what: impl Into<String>) -> PlatformError {
        failed(what, self.source)
    }

    /// The error of a migration.
    fn send_failure(self) -> SendFailure {
        let transient = is_transient(&self.source);
        let what = match self.source {
            ExecError::Failed { stderr, .. } => stderr,
            other => chain(&other),
        };
        SendFailure { what, transient }
    }

    /// libvirt's own message, if it answered at all.
    ///
    /// # Errors
    /// If it did not answer; `what` was tried.
    pub fn said(self, what: &str) -> Result<String, PlatformError> {
        match self.source {
            source @ ExecError::Failed { .. } => {
                let said = source.stderr().to_owned();
                match failed(what, source) {
                    down @ PlatformError::Down { .. } => Err(down),
                    _ => Ok(said),
                }
            }
            source => Err(failed(what, source)),
        }
    }

    pub fn into_source(self) -> ExecError {
        self.source
    }
}

/// Finds the code in virsh's message.
fn code(said: &str) -> Code {
    let says = |words: &str| said.contains(words);
    if says("no connection driver available")
        || (says("Failed to connect socket") && says("No such file or directory"))
    {
        Code::NoDriver
    } else if says("failed to get domain") || says("Domain not found") {
        Code::NoDomain
    } else if says("no job is active") || says("domain is not running") {
        Code::NoJob
    } else if says("already running") {
        Code::Running
    } else if says("Init process ID is not yet known") {
        Code::TooEarly
    } else {
        Code::Other
    }
}

impl Connection {
    pub const fn to(driver: Driver) -> Self {
        Self { driver }
    }

    pub const fn qemu() -> Self {
        Self::to(Driver::Qemu)
    }

    /// `virsh`, quiet, connected to the driver.
    fn virsh(self) -> Command {
        Command::new("virsh").args(["-q", "-c", self.driver.uri()]).timeout(Duration::from_secs(60))
    }

    /// Runs virsh with these arguments.
    async fn run<const N: usize>(self, words: [&str; N]) -> Result<String, LibvirtError> {
        self.virsh().args(words).run().await.map_err(LibvirtError::new)
    }

    /// Runs several virsh commands about several domains, any of which may be gone since it was listed: then only
    /// its answer is empty. At the end it checks that libvirt still answers.
    async fn each(self, mut commands: Vec<String>) -> Result<Vec<String>, PlatformError> {
        if commands.is_empty() {
            return Ok(commands);
        }
        commands.push("hostname".to_owned());
        let mut answers = self.batch(&commands).await?;
        answers.pop();
        Ok(answers)
    }

    /// Runs several virsh commands in one process. Returns the output of each; empty for one about a domain that
    /// does not exist. (virsh continues after a failed command, and fails itself if the last one has failed.)
    async fn batch(self, commands: &[String]) -> Result<Vec<String>, PlatformError> {
        // A guest must not be able to write something like the separator into its own description.
        let separator = uuid::Uuid::new_v4().simple().to_string();
        let script = commands.join(&format!("; echo --str {separator}; "));
        let output = match self.run([&script]).await {
            Ok(output) => output,
            // Gone since it was listed: the answers are empty.
            Err(error) if error.code == Code::NoDomain => return Ok(vec![String::new(); commands.len()]),
            Err(error) => return Err(error.failed("ask libvirt")),
        };
        let parts: Vec<_> = output.split(&separator).map(str::to_owned).collect();
        if parts.len() == commands.len() {
            Ok(parts)
        } else {
            Err(PlatformError::Output {
                command: "virsh",
                what: "a part of the answer is missing".to_owned(),
            })
        }
    }
}

/// Parses a text with every parser of virsh's output.
#[cfg(feature = "fuzzing")]
pub fn read_output(driver: Driver, text: &str) {
    let (info, state) = text.split_once("\n--\n").unwrap_or((text, text));
    let _ = (list::parse_list(text), list::parse_zone(driver.brand(), info, state));
    let _ = (job::parse_progress(text), text.lines().map(job::parse_event).count());
    let _ = (host::parse_version(text), CpuFit::of(text.to_owned()), cpu::parse_features(text));
    let _ = stats::parse(driver, &[], &[text.to_owned()]);
}

/// Commands as one argument of virsh: each word in quotes, for virsh's own parser.
fn script(commands: impl IntoIterator<Item = Vec<String>>) -> String {
    let quote = |word: String| format!("'{}'", word.replace('\'', r"'\''"));
    let line = |words: Vec<String>| words.into_iter().map(quote).collect::<Vec<_>>().join(" ");
    commands.into_iter().map(line).collect::<Vec<_>>().join("; ")
}

/// What to do where there is no virsh.
const ABSENT: &str =
    "install libvirt's clients, or write platform = \"sim\" into sysadm.toml for simulated zones";

/// The error of a failed virsh: distinguishes a missing virsh and a libvirtd that does not answer.
fn failed(what: impl Into<String>, source: ExecError) -> PlatformError {
    if let ExecError::Start { program, source: reason } = &source
        && reason.kind() == ErrorKind::NotFound
    {
        return PlatformError::Absent { program, remedy: ABSENT, source };
    }
    let said = source.stderr();
    if said.contains("failed to connect to the hypervisor") || said.contains("Failed to connect socket") {
        return PlatformError::Down { service: "libvirt", hint: "systemctl status libvirtd", source };
    }
    PlatformError::Command { what: what.into(), transient: is_transient(&source), source }
}

/// The messages of libvirt and the system's sockets if a connection was lost, or the hypervisor was busy with
/// something else; only the parts that are the same in all versions.
const TRANSIENT: &[&str] = &[
    // Sockets, whatever program used them.
    "Connection reset",
    "Connection timed out",
    "Broken pipe",
    // libvirt: its keepalive, its client, the end of the memory stream at the other host.
    "no response from client within",
    "client socket is closed",
    "End of file while reading data",
    "Failed to connect to remote libvirt",
    // libvirt: another job of the same domain.
    "cannot acquire state change lock",
    "another migration job is already running",
];

/// Whether virsh may succeed if it is run again later. An unknown failure counts as permanent.
fn is_transient(error: &ExecError) -> bool {
    match error {
        ExecError::Failed { stderr, .. } => TRANSIENT.iter().any(|part| stderr.contains(part)),
        ExecError::Start { source, .. } | ExecError::Io { source, .. } => is_lost_connection(source),
        ExecError::Timeout { .. } | ExecError::TooMuch { .. } => false,
    }
}

/// Whether libvirt could use such a word for a type, an architecture or a machine.
pub fn is_plain(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+');
    !word.is_empty() && word.len() <= 64 && !word.starts_with('-') && word.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Hinted;

    #[tokio::test]
    async fn a_virsh_that_is_not_there_is_not_a_libvirt_that_is_down() {
        let missing = Command::new("no-such-virsh").run().await.unwrap_err();
        let error = failed("list the zones", missing);
        assert_eq!(error.to_string(), "no-such-virsh is not installed on this host");
        assert!(error.hints().concat().contains("platform = \"sim\" into sysadm.toml"), "{error:?}");
        let file = tempfile::NamedTempFile::new().unwrap();
        let denied = Command::at(file.path(), "virsh").run().await.unwrap_err();
        assert!(matches!(failed("list the zones", denied), PlatformError::Command { .. }));
    }

    /// The error of a program that failed with this message.
    async fn failed_saying(words: &str) -> ExecError {
        Command::new("sh").args(["-c", "echo \"$1\" >&2; exit 1", "sh", words]).run().await.unwrap_err()
    }

    #[tokio::test]
    async fn lost_connections_and_busy_hypervisors_are_transient_and_everything_else_is_permanent() {
        let cases = [
            ("operation failed: Connection reset by peer", true),
            ("Timed out during operation: cannot acquire state change lock (held by agent)", true),
            ("internal error: client socket is closed", true),
            ("operation failed: another migration job is already running for domain 'web'", true),
            ("unsupported configuration: CPU features", false),
            ("operation failed: job 'migration out' failed: Unable to write to disk", false),
        ];
        for (words, is_transient) in cases {
            let error = failed("migrate zone 'web'", failed_saying(&format!("error: {words}")).await);
            assert_eq!(error.is_transient(), is_transient, "{words}");
        }
        let missing = Command::new("no-such-virsh").run().await.unwrap_err();
        assert!(!failed("list the zones", missing).is_transient());
    }

    #[test]
    fn a_container_that_has_just_been_started_is_told_from_one_that_cannot_be_shut_down() {
        let said = |what| {
            format!("error: Failed to shutdown domain 'x'\nerror: Requested operation is not valid: {what}")
        };
        assert_eq!(code(&said("Init process ID is not yet known")), Code::TooEarly);
        assert_eq!(code(&said("domain is not running")), Code::NoJob);
        assert_eq!(code(""), Code::Other);
    }

    #[test]
    fn only_plain_words_become_arguments() {
        assert!(["kvm", "x86_64", "pc-q35-7.2", "s390-ccw-virtio"].into_iter().all(is_plain));
        let long = "x".repeat(65);
        assert!(!["", "-rf", "a b", "a;b", "../x", "a\n", "а", long.as_str()].into_iter().any(is_plain));
    }
}
