//! Serves one stream on standard input and output, as started by sshd.
//!
//! Both are taken away from the process first, so that anything that it prints goes to standard error and never
//! into the stream.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::fs::FileType;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

use super::{Peer, ServeError, serve};
use crate::host::Host;
use crate::model::Role;
use crate::transport::ByteStream;

/// Serves the peer at standard input and output. A user who can start this program here may do everything with it.
///
/// # Errors
/// If the descriptors cannot be used, or [`serve()`] fails.
pub async fn run(host: Arc<dyn Host>) -> Result<(), StdioError> {
    let stream = take()?;
    let peer = Peer::new(peer_name(), Role::Admin);
    Ok(serve(stream, host, peer).await?)
}

/// Why standard input and output could not be served.
#[derive(Debug, thiserror::Error)]
pub enum StdioError {
    /// They cannot be used.
    #[error("failed to take over standard input and output")]
    Take(#[from] io::Error),
    /// Serving the stream failed.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// sshd passes the address of the client to the programs that it starts.
fn peer_name() -> String {
    let connection = std::env::var("SSH_CONNECTION").unwrap_or_default();
    match connection.split(' ').next() {
        Some(address) if !address.is_empty() => format!("ssh client {address}"),
        _ => "the client at standard input".to_owned(),
    }
}

/// Takes standard input and output away from the process, as one stream.
fn take() -> io::Result<ByteStream> {
    let input = io::stdin().as_fd().try_clone_to_owned()?;
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdin(std::fs::File::open("/dev/null")?)?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    stream(input, output)
}

/// One stream of two descriptors: pipes, sockets (sshd passes the same one twice), or anything else, which
/// threads then read and write.
fn stream(input: OwnedFd, output: OwnedFd) -> io::Result<ByteStream> {
    Ok(Box::new(tokio::io::join(reader(input)?, Output(Some(writer(output)?)))))
}

type BoxedReader = Box<dyn AsyncRead + Send + Unpin>;
type BoxedWriter = Box<dyn AsyncWrite + Send + Unpin>;

fn reader(fd: OwnedFd) -> io::Result<BoxedReader> {
    Ok(match kind(&fd)? {
        FileType::Socket => Box::new(socket(fd)?),
        FileType::Fifo => Box::new(pipe::Receiver::from_owned_fd(fd)?),
        _ => Box::new(tokio::fs::File::from_std(fd.into())),
    })
}

fn writer(fd: OwnedFd) -> io::Result<BoxedWriter> {
    Ok(match kind(&fd)? {
        FileType::Socket => Box::new(socket(fd)?),
        FileType::Fifo => Box::new(pipe::Sender::from_owned_fd(fd)?),
        _ => Box::new(tokio::fs::File::from_std(fd.into())),
    })
}

fn kind(fd: &OwnedFd) -> io::Result<FileType> {
    Ok(FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode))
}

fn socket(fd: OwnedFd) -> io::Result<UnixStream> {
    let socket = std::os::unix::net::UnixStream::from(fd);
    socket.set_nonblocking(true)?;
    UnixStream::from_std(socket)
}

/// Standard output. The only way to signal the end of a pipe is to close it.
struct Output(Option<BoxedWriter>);

impl Output {
    fn open(&mut self) -> io::Result<Pin<&mut (dyn AsyncWrite + Send + Unpin)>> {
        match &mut self.0 {
            Some(output) => Ok(Pin::new(&mut **output)),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl AsyncWrite for Output {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.open()?.poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.open()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Ok(output) = self.open() {
            ready!(output.poll_shutdown(cx))?;
        }
        self.0 = None;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Sends more than any buffer holds through `here` and back, and ends each direction separately.
    async fn echo(far: ByteStream, mut input: impl AsyncRead + Unpin, mut output: Option<BoxedWriter>) {
        let server = tokio::spawn(async move {
            let (mut reader, mut writer) = tokio::io::split(far);
            tokio::io::copy(&mut reader, &mut writer).await.unwrap();
            writer.shutdown().await.unwrap();
            // The stream is not dropped: the end must arrive all the same.
            (reader, writer)
        });
        let client = tokio::spawn(async move {
            output.as_mut().unwrap().write_all(&vec![7; 3 << 20]).await.unwrap();
            output.as_mut().unwrap().shutdown().await.unwrap();
            drop(output.take());
        });
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes, vec![7; 3 << 20]);
        client.await.unwrap();
        drop(server.await.unwrap());
    }

    #[tokio::test]
    async fn pipes_carry_a_stream() {
        let ((input, to_input), (from_output, output)) = (io::pipe().unwrap(), io::pipe().unwrap());
        let far = stream(input.into(), output.into()).unwrap();
        echo(far, reader(from_output.into()).unwrap(), Some(writer(to_input.into()).unwrap())).await;
    }

    #[tokio::test]
    async fn one_socket_for_both_carries_a_stream() {
        let (near, far) = std::os::unix::net::UnixStream::pair().unwrap();
        let far = stream(far.try_clone().unwrap().into(), far.into()).unwrap();
        near.set_nonblocking(true).unwrap();
        let (input, output) = UnixStream::from_std(near).unwrap().into_split();
        echo(far, input, Some(Box::new(output))).await;
    }

    #[tokio::test]
    async fn what_is_neither_is_read_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("input");
        std::fs::write(&path, "text").unwrap();
        let output = std::fs::File::create(folder.path().join("output")).unwrap();
        let mut far = stream(std::fs::File::open(&path).unwrap().into(), output.into()).unwrap();
        let mut text = String::new();
        far.read_to_string(&mut text).await.unwrap();
        far.write_all(b"answer").await.unwrap();
        far.shutdown().await.unwrap();
        assert_eq!(text, "text");
        assert_eq!(std::fs::read_to_string(folder.path().join("output")).unwrap(), "answer");
    }
}
