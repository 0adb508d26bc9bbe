//! The near end of an SSH stream: a socket, plus the reason why the session behind it ended.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

/// Why the stream ended with an error. Set before the socket closes.
pub(super) type Fate = Arc<OnceLock<String>>;

/// The end that the rest of the program reads and writes.
pub(super) struct SshStream {
    socket: UnixStream,
    fate: Fate,
}

impl SshStream {
    /// Takes the near end of the socket pair.
    pub(super) fn new(socket: std::os::unix::net::UnixStream, fate: Fate) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket: UnixStream::from_std(socket)?, fate })
    }

    /// The session's reason instead of the socket's error.
    fn or_fate<T>(&self, result: io::Result<T>) -> io::Result<T> {
        match self.fate.get() {
            Some(reason) => Err(io::Error::new(io::ErrorKind::ConnectionAborted, reason.clone())),
            None => result,
        }
    }
}

impl AsyncRead for SshStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = ready!(Pin::new(&mut self.socket).poll_read(cx, buf));
        let ended = result.is_err() || buf.filled().len() == before && buf.remaining() > 0;
        Poll::Ready(if ended { self.or_fate(result) } else { result })
    }
}

impl AsyncWrite for SshStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.socket).poll_write(cx, bytes));
        Poll::Ready(if result.is_err() { self.or_fate(result) } else { result })
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
