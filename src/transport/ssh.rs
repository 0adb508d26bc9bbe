//! Streams over SSH: `sysadm agent --stdio`, started by the other host's sshd.
//!
//! ```text
//!   Stream ◄─ socket pair ─► session (a thread) ◄─ libssh2 session, one channel ─► sshd ─► sysadm agent --stdio
//! ```
//!
//! libssh2 is not safe across threads, so each stream has a session of its own, and one thread creates, uses and
//! frees it. Nothing ever prompts: the host's key must be in known_hosts, and our own key in an agent or in a
//! file without passphrase.

mod buffer;
mod exit_report;
mod identity;
mod key_file;
mod keys;
mod known_hosts;
mod login;
mod pattern;
mod session;
mod settings;
mod ssh_config;
mod stream;
mod tokens;

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::oneshot;

use self::session::SessionLoop;
use self::settings::Settings;
use self::stream::{Fate, SshStream};
use super::DialError;
use crate::ByteStream;
use crate::DialOptions;
use crate::model::HostUri;

/// The parts of the process's environment that SSH uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// The folder that contains `.ssh`.
    pub home: Option<PathBuf>,
    /// The default user at other hosts.
    pub user: Option<String>,
    /// The socket of ssh-agent.
    pub agent: Option<PathBuf>,
    /// The system-wide ssh_config.
    pub config: PathBuf,
    /// The system-wide known_hosts.
    pub known_hosts: PathBuf,
}

impl Surroundings {
    /// From the environment. A system service or a cron job may have neither `HOME` nor `USER`; then the owner of
    /// the process is used.
    pub fn from_environment() -> Self {
        let get = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let own = rustix::process::getuid().as_raw();
        let account = tokens::account(|_, number| number == own);
        let user = get("USER").or_else(|| get("LOGNAME")).and_then(|user| user.into_string().ok());
        Self {
            home: get("HOME").map(PathBuf::from).or_else(|| account.clone().map(|(_, home)| home)),
            user: user.or_else(|| account.map(|(name, _)| name)),
            agent: get("SSH_AUTH_SOCK").map(PathBuf::from),
            config: "/etc/ssh/ssh_config".into(),
            known_hosts: "/etc/ssh/ssh_known_hosts".into(),
        }
    }
}

/// Logs in at the other host and starts the agent there.
///
/// # Errors
/// A [`DialError`] that says what to do. That there is no agent is noticed only by the first read: it fails with
/// what the other host sent instead.
pub async fn dial(
    uri: &HostUri,
    options: &DialOptions,
    surroundings: Surroundings,
) -> Result<ByteStream, DialError> {
    let (ready, answer) = oneshot::channel();
    let (far_uri, options, timeout) = (uri.clone(), options.clone(), options.connect.timeout());
    let thread = std::thread::Builder::new().name(format!("ssh {}", uri.host));
    thread
        .spawn(move || {
            let opened = open(&far_uri, &options, &surroundings);
            let (opened, line) =
                opened.map_or_else(|error| (Err(error), None), |(ends, line)| (Ok(ends), Some(line)));
            // If no one waits any more, the stream's near end closes here, and the session ends at once.
            let _ = ready.send(opened);
            if let Some(line) = line {
                line.run();
            }
        })
        .map_err(|source| DialError::Connect { uri: uri.clone(), source })?;
    let late = |_| DialError::Timeout { uri: uri.clone(), seconds: timeout.as_secs() };
    let lost = |_| connect_error(uri, "the thread of the connection ended".to_owned());
    let (socket, fate) = tokio::time::timeout(timeout, answer).await.map_err(late)?.map_err(lost)??;
    let stream =
        SshStream::new(socket, fate).map_err(|source| DialError::Connect { uri: uri.clone(), source })?;
    Ok(Box::new(stream))
}

type LocalEnd = (std::os::unix::net::UnixStream, Fate);

fn open(
    uri: &HostUri,
    options: &DialOptions,
    surroundings: &Surroundings,
) -> Result<(LocalEnd, SessionLoop), DialError> {
    let settings = Settings::resolve(uri, options, surroundings)?;
    let (session, socket) = login::log_in(uri, &settings)?;
    let keepalive = Duration::from_secs(options.connect.keepalive.max(1));
    SessionLoop::start(uri, session, socket, &settings.agent_command, keepalive)
}

fn connect_error(uri: &HostUri, what: String) -> DialError {
    DialError::Connect { uri: uri.clone(), source: std::io::Error::other(what) }
}

#[cfg(test)]
mod tests;
