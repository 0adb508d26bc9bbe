//! The folders of live migrations, and the sockets in them.
//!
//! ```text
//!   /run/sysadm/TOKEN/ctl, mem     where the hypervisor knocks (source), or waits (destination)
//!                    /expected     at a destination: a zone was let in under this token, and has not ended
//!             asked                 how long ago a zone of this host was asked for
//! ```
//!
//! The name of a folder is hard to guess but no secret within this host: a command's arguments and
//! `/proc/net/unix` show it to every user here. What leads to another host's hypervisor is for root alone.

use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::time::Instant;

use super::{ByteStream, Channel, HostError, Pending, Token};
use crate::platform::Platform;

/// The file that says that a zone is let in under a token.
const EXPECTED: &str = "expected";

/// How long a stream waits for the question that lets its zone in: the two are asked at the same time.
const ADMISSION: Duration = Duration::from_secs(10);

/// How long a stream waits for the hypervisor to make its socket.
const SOCKET: Duration = Duration::from_secs(30);

/// The file whose age says when a zone of this host was last asked for.
const ASKED: &str = "asked";

/// Who still waits for room has asked again after this time: the longest pause between two passes, and some more.
const WAITING: Duration = Duration::from_secs(150);

/// Folders that a killed process has left are taken away after that.
const OLD: Duration = Duration::from_secs(24 * 3600);

/// The folder with all of them.
#[derive(Debug)]
pub(super) struct Sockets {
    run_dir: PathBuf,
}

impl Sockets {
    pub fn new(run_dir: PathBuf) -> Self {
        Self { run_dir }
    }

    /// The folder of one migration.
    pub fn folder(&self, token: &Token) -> PathBuf {
        self.run_dir.join(token.as_str())
    }

    /// Everybody may pass through the outer folder, nobody may list it: the hypervisor's user finds the inner one by
    /// its name.
    fn make_outer(&self) -> io::Result<()> {
        std::fs::DirBuilder::new().recursive(true).mode(0o711).create(&self.run_dir)
    }

    /// Somebody asks for a zone of this host.
    pub fn note_request(&self) {
        // All that depends on it is how long others wait for room here.
        let _ = self.make_outer().and_then(|()| std::fs::write(self.run_dir.join(ASKED), []));
    }

    fn make(&self, token: &Token) -> io::Result<PathBuf> {
        self.make_outer()?;
        self.sweep();
        let folder = self.folder(token);
        match std::fs::DirBuilder::new().mode(0o711).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(folder),
        }
    }

    /// Makes the folder of a zone that may arrive.
    pub fn expect(&self, token: &Token) -> io::Result<PathBuf> {
        let folder = self.make(token)?;
        std::fs::write(folder.join(EXPECTED), [])?;
        Ok(folder)
    }

    /// Connects to a socket of the hypervisor for a zone that is let in, or will be in a moment. After the end
    /// of its migration a token leads nowhere.
    pub async fn connect(&self, token: &Token, socket: &Path) -> io::Result<UnixStream> {
        let mark = self.folder(token).join(EXPECTED);
        soon(ADMISSION, || std::future::ready(is_let_in(&mark))).await?;
        let attempt = || async {
            is_let_in(&mark)?;
            UnixStream::connect(socket).await
        };
        soon(SOCKET, attempt).await
    }

    /// Makes a socket on which this host's hypervisor will knock.
    pub fn listen(
        &self,
        token: &Token,
        channel: Channel,
        platform: Arc<dyn Platform>,
        host: &str,
    ) -> io::Result<Box<dyn Pending>> {
        let path = self.make(token)?.join(channel.socket_name());
        let listener = UnixListener::bind(&path)?;
        let knock = Knock { listener, path, channel, platform, host: host.to_owned() };
        // libvirt's daemon is root, and behind `ctl` is the daemon of the other host. QEMU is not root: who it is
        // that knocks there is looked at then.
        let mode = match channel {
            Channel::Control => 0o600,
            Channel::Memory => 0o666,
        };
        std::fs::set_permissions(&knock.path, std::fs::Permissions::from_mode(mode))?;
        Ok(Box::new(knock))
    }

    /// Whether zones leave this host now, or soon, for somebody asks for them and perhaps waits for room himself. It
    /// may be wrong in saying so: a process that was killed leaves its folder behind.
    pub fn has_departures(&self) -> bool {
        let asked = std::fs::metadata(self.run_dir.join(ASKED)).and_then(|about| about.modified()).ok();
        if asked.and_then(|time| time.elapsed().ok()).is_some_and(|age| age < WAITING) {
            return true;
        }
        let entries = std::fs::read_dir(&self.run_dir).into_iter().flatten().flatten();
        let memory = Channel::Memory.socket_name();
        entries
            .map(|entry| entry.path())
            .any(|at| at.join(memory).exists() && is_let_in(&at.join(EXPECTED)).is_err())
    }

    /// Takes a migration's folder away.
    pub fn remove(&self, token: &Token) {
        remove(&self.folder(token));
    }

    /// Takes the folders away that a process left which was killed.
    fn sweep(&self) {
        for entry in std::fs::read_dir(&self.run_dir).into_iter().flatten().flatten() {
            let is_token =
                entry.file_name().to_str().is_some_and(|name| Token::try_from(name.to_owned()).is_ok());
            let changed = entry.metadata().ok().and_then(|about| about.modified().ok());
            let age = changed.and_then(|time| time.elapsed().ok());
            if is_token && age.is_some_and(|age| age > OLD) {
                remove(&entry.path());
            }
        }
    }
}

fn remove(folder: &Path) {
    // First what lets streams through.
    let _ = std::fs::remove_file(folder.join(EXPECTED));
    for channel in Channel::ALL {
        let _ = std::fs::remove_file(folder.join(channel.socket_name()));
    }
    let _ = std::fs::remove_dir(folder);
}

fn is_let_in(mark: &Path) -> io::Result<()> {
    let refusal = || io::Error::new(io::ErrorKind::NotFound, "no zone is expected under this token");
    mark.exists().then_some(()).ok_or_else(refusal)
}

/// Tries until something that is about to be there is there.
async fn soon<T, F>(limit: Duration, attempt: impl Fn() -> F) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    use io::ErrorKind::{ConnectionRefused, NotFound};
    let deadline = Instant::now() + limit;
    loop {
        match attempt().await {
            Err(error)
                if matches!(error.kind(), NotFound | ConnectionRefused) && Instant::now() < deadline =>
            {
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
            result => return result,
        }
    }
}

/// A socket on which this host's hypervisor will knock. Gone when dropped, and the last one takes the folder
/// with it.
struct Knock {
    listener: UnixListener,
    path: PathBuf,
    channel: Channel,
    platform: Arc<dyn Platform>,
    host: String,
}

#[async_trait::async_trait]
impl Pending for Knock {
    async fn accept(&mut self) -> Result<ByteStream, HostError> {
        let failed = |error: io::Error| HostError::failed(&self.host, &error);
        loop {
            let (stream, _) = self.listener.accept().await.map_err(failed)?;
            if self.platform.may_knock(self.channel, stream.peer_cred().map_err(failed)?.uid()) {
                return Ok(Box::new(stream));
            }
        }
    }
}

impl Drop for Knock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        if let Some(folder) = self.path.parent() {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform() -> Arc<dyn Platform> {
        Arc::new(crate::platform::sim::Sim::open(&crate::paths::Paths::new("/nowhere")))
    }

    fn sockets() -> (tempfile::TempDir, Sockets) {
        let folder = tempfile::tempdir().unwrap();
        let sockets = Sockets::new(folder.path().join("run"));
        (folder, sockets)
    }

    #[tokio::test]
    async fn a_zone_that_leaves_is_told_from_one_that_comes() {
        let (_folder, sockets) = sockets();
        assert!(!sockets.has_departures());
        let (coming, leaving) = (Token::random(), Token::random());
        let folder = sockets.expect(&coming).unwrap();
        let _arrival = UnixListener::bind(folder.join("mem")).unwrap();
        assert!(!sockets.has_departures());
        let knock = sockets.listen(&leaving, Channel::Memory, platform(), "h1").unwrap();
        assert!(sockets.has_departures());
        drop(knock);
        assert!(!sockets.has_departures());
        sockets.note_request();
        assert!(sockets.has_departures());
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_leads_to_the_hypervisor_only_while_its_zone_is_expected() {
        let (folder, sockets) = sockets();
        let daemon = folder.path().join("libvirt-sock");
        let _listener = UnixListener::bind(&daemon).unwrap();
        let refused = async |token: &Token| {
            let error = sockets.connect(token, &daemon).await.unwrap_err();
            assert_eq!(error.to_string(), "no zone is expected under this token");
        };
        let token = Token::random();
        refused(&token).await;
        // A socket at a source lets nobody in here.
        let _knock = sockets.listen(&token, Channel::Control, platform(), "h2").unwrap();
        refused(&token).await;
        sockets.expect(&token).unwrap();
        sockets.connect(&token, &daemon).await.unwrap();
        refused(&Token::random()).await;
        sockets.remove(&token);
        refused(&token).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_may_come_a_moment_before_its_zone_is_let_in() {
        let (folder, sockets) = sockets();
        let daemon = folder.path().join("sock");
        let _listener = UnixListener::bind(&daemon).unwrap();
        let token = Token::random();
        let admit = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            sockets.expect(&token)
        };
        let (connected, admitted) = tokio::join!(sockets.connect(&token, &daemon), admit);
        connected.unwrap();
        admitted.unwrap();
    }

    #[tokio::test]
    async fn only_root_reaches_the_other_hosts_daemon_through_the_socket_at_the_source() {
        let (_folder, sockets) = sockets();
        let token = Token::random();
        let _knock = sockets.listen(&token, Channel::Control, platform(), "h1").unwrap();
        let about = std::fs::metadata(sockets.folder(&token).join("ctl")).unwrap();
        assert_eq!(about.permissions().mode() & 0o777, 0o600);
        let _again = sockets.listen(&token, Channel::Control, platform(), "h1").map(|_| ()).unwrap_err();
    }

    #[tokio::test]
    async fn nothing_is_left_of_a_migration_that_has_ended() {
        let (_folder, sockets) = sockets();
        let token = Token::random();
        sockets.expect(&token).unwrap();
        sockets.remove(&token);
        drop(sockets.listen(&token, Channel::Memory, platform(), "h1").unwrap());
        assert_eq!(std::fs::read_dir(&sockets.run_dir).unwrap().count(), 0);
    }
}
