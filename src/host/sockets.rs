//! The folders of live migrations, and the sockets in them.
//!
//! ```text
//!   /run/sysadm/NAME/ctl, mem, data-N   the hypervisor connects to these (source), or listens on them (destination)
//!              NAME.expected      at a destination: a zone was admitted with this token, and its arrival has not ended
//! ```
//!
//! NAME is derived from the migration's token and does not reveal it: command lines and `/proc/net/unix` show it
//! to every user of the host. So NAME is not secret, and does not protect the sockets. The folder itself does: at
//! a source it is root's, because libvirt's daemon opens both sockets itself and passes the stream to QEMU; at a
//! destination the platform gives it to the user that QEMU runs as, and no other user may enter. The marker is
//! beside the folder, where that user cannot change it.

use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use uuid::Uuid;

use super::{HostError, Pending};
use crate::backoff::{Backoff, Budget, retry};
use crate::file;
use crate::model::{StreamId, Token};
use crate::transport::ByteStream;

/// The extension of the file that marks a token as admitted.
const EXPECTED: &str = "expected";

/// How long a stream waits for the request that admits its zone: both are sent at the same time.
const ADMISSION: Duration = Duration::from_secs(10);

/// How long a stream waits for the hypervisor to create its socket.
const SOCKET: Duration = Duration::from_secs(30);

/// The age at which folders that a killed process left behind are removed.
const OLD: Duration = Duration::from_secs(24 * 3600);

/// The folder of all migrations.
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
        self.run_dir.join(token.folder_name())
    }

    /// The file that marks a zone as admitted.
    fn mark(&self, token: &Token) -> PathBuf {
        self.folder(token).with_extension(EXPECTED)
    }

    fn make(&self, token: &Token) -> io::Result<PathBuf> {
        // Every user may pass through the outer folder but not list it: the hypervisor's user reaches the inner
        // one by its name.
        crate::folder::run(&self.run_dir)?;
        self.sweep();
        let folder = self.folder(token);
        match std::fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(folder),
        }
    }

    /// Creates the folder of a zone that may arrive. A token admits one zone, however often it is asked for.
    pub fn expect(&self, token: &Token, uuid: Uuid) -> io::Result<PathBuf> {
        let (mark, uuid) = (self.mark(token), uuid.to_string());
        if std::fs::read(&mark).is_ok_and(|known| known != uuid.as_bytes()) {
            let refusal = "another zone is let in under this token";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, refusal));
        }
        let folder = self.make(token)?;
        file::replace(&mark, uuid, 0o600)?;
        Ok(folder)
    }

    /// Connects to a socket of the hypervisor for a zone that is admitted, or will be in a moment. After the end
    /// of its migration a token is useless.
    pub async fn connect(&self, token: &Token, socket: &Path) -> io::Result<UnixStream> {
        let mark = self.mark(token);
        soon(ADMISSION, || std::future::ready(is_let_in(&mark))).await?;
        let attempt = || async {
            is_let_in(&mark)?;
            UnixStream::connect(socket).await
        };
        soon(SOCKET, attempt).await
    }

    /// Creates a socket to which this host's hypervisor will connect: no other user can.
    pub fn listen(&self, token: &Token, stream: StreamId, host: &str) -> io::Result<Box<dyn Pending>> {
        let path = self.make(token)?.join(stream.socket_name());
        let listener = UnixListener::bind(&path)?;
        let socket = ListeningSocket { listener, path, host: host.to_owned() };
        std::fs::set_permissions(&socket.path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Box::new(socket))
    }

    /// Whether zones are leaving this host now. A process that was killed leaves its folder behind, so a yes may
    /// be wrong.
    pub fn has_departures(&self) -> bool {
        let is_departure = |folder: &Path| {
            is_let_in(&folder.with_extension(EXPECTED)).is_err()
                && entries(folder).any(|at| stream_at(&at).is_some())
        };
        entries(&self.run_dir).any(|folder| is_departure(&folder))
    }

    /// Removes a migration's folder.
    pub fn remove(&self, token: &Token) {
        // First the file that admits streams. Anything else that QEMU's user has put into its folder goes, too;
        // symbolic links are not followed.
        let _ = std::fs::remove_file(self.mark(token));
        let _ = std::fs::remove_dir_all(self.folder(token));
    }

    /// Removes folders that a killed process left behind.
    fn sweep(&self) {
        for path in entries(&self.run_dir) {
            // Folders' names have the same form as tokens.
            let stem = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
            let is_ours = stem.is_some_and(|stem| Token::try_from(stem).is_ok());
            let changed = path.symlink_metadata().ok().and_then(|about| about.modified().ok());
            let age = changed.and_then(|time| time.elapsed().ok());
            if is_ours && age.is_some_and(|age| age > OLD) {
                let _ =
                    if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
            }
        }
    }
}

/// The entries of a folder; none if it is not a folder.
fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// The stream of the socket with that path.
fn stream_at(path: &Path) -> Option<StreamId> {
    StreamId::of_socket(path.file_name()?.to_str()?)
}

fn is_let_in(mark: &Path) -> io::Result<()> {
    let refusal = || io::Error::new(io::ErrorKind::NotFound, "no zone is expected under this token");
    mark.exists().then_some(()).ok_or_else(refusal)
}

/// Tries until something exists that is about to be created.
async fn soon<T, F>(limit: Duration, attempt: impl Fn() -> F) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    use io::ErrorKind::{ConnectionRefused, NotFound};
    let pause = Duration::from_millis(3);
    let backoff = Backoff { first: pause, factor: 1, max: pause, budget: Budget::Time(limit) };
    let is_to_come = |error: &io::Error| matches!(error.kind(), NotFound | ConnectionRefused);
    retry(backoff, is_to_come, attempt).await
}

/// A socket to which this host's hypervisor will connect. Removed when dropped; the last one removes the folder, too.
struct ListeningSocket {
    listener: UnixListener,
    path: PathBuf,
    host: String,
}

#[async_trait::async_trait]
impl Pending for ListeningSocket {
    async fn accept(&mut self) -> Result<ByteStream, HostError> {
        let (stream, _) =
            self.listener.accept().await.map_err(|error| HostError::failed(&self.host, &error))?;
        Ok(Box::new(stream))
    }
}

impl Drop for ListeningSocket {
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
        let folder = sockets.expect(&coming, Uuid::nil()).unwrap();
        let _arrival = UnixListener::bind(folder.join("mem")).unwrap();
        assert!(!sockets.has_departures());
        for stream in [StreamId::Control, StreamId::Memory, StreamId::Data(7)] {
            let socket = sockets.listen(&leaving, stream, "h1").unwrap();
            assert!(sockets.has_departures(), "{stream:?}");
            drop(socket);
            assert!(!sockets.has_departures(), "{stream:?}");
        }
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
        // A socket at a source admits nothing here.
        let _socket = sockets.listen(&token, StreamId::Control, "h2").unwrap();
        refused(&token).await;
        sockets.expect(&token, Uuid::nil()).unwrap();
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
            sockets.expect(&token, Uuid::nil())
        };
        let (connected, admitted) = tokio::join!(sockets.connect(&token, &daemon), admit);
        connected.unwrap();
        admitted.unwrap();
    }

    #[tokio::test]
    async fn only_its_own_user_reaches_the_sockets_at_the_source() {
        let (_folder, sockets) = sockets();
        let token = Token::random();
        let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        for stream in [StreamId::Control, StreamId::Memory, StreamId::Data(0)] {
            let socket = sockets.listen(&token, stream, "h1").unwrap();
            assert_eq!(mode(sockets.folder(&token)), 0o700);
            assert_eq!(mode(sockets.folder(&token).join(stream.socket_name())), 0o600);
            let _again = sockets.listen(&token, stream, "h1").map(|_| ()).unwrap_err();
            drop(socket);
        }
    }

    #[tokio::test]
    async fn what_qemus_user_does_in_its_folder_does_not_let_streams_through_or_stay() {
        let (folder, sockets) = sockets();
        let token = Token::random();
        let own = sockets.expect(&token, Uuid::nil()).unwrap();
        let precious = folder.path().join("precious");
        std::fs::create_dir(&precious).unwrap();
        std::fs::write(precious.join("file"), "x").unwrap();
        std::os::unix::fs::symlink(&precious, own.join("mem")).unwrap();
        std::fs::create_dir_all(own.join("expected/more")).unwrap();
        sockets.remove(&token);
        assert!(precious.join("file").exists());
        assert_eq!(std::fs::read_dir(&sockets.run_dir).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn nothing_is_left_of_a_migration_that_has_ended() {
        let (_folder, sockets) = sockets();
        let token = Token::random();
        sockets.expect(&token, Uuid::nil()).unwrap();
        sockets.remove(&token);
        drop(sockets.listen(&token, StreamId::Memory, "h1").unwrap());
        assert_eq!(std::fs::read_dir(&sockets.run_dir).unwrap().count(), 0);
    }
}
