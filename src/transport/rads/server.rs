//! The side that is connected to: who may come in.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::stream::Stream;
use super::{ACCEPTED, BUSY, Credentials, explain, tune};
use crate::ByteStream;
use crate::cert::{CertError, CertFacts};

/// How long a peer may take to show who it is, and to take note that it was accepted.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a peer was not let in.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// This host is not set up.
    #[error("this host cannot prove who it is")]
    Setup(#[from] CertError),
    /// It took too long.
    #[error("it did not finish the TLS handshake within {} s", PATIENCE.as_secs())]
    Slow,
    /// The handshake failed.
    #[error("{0}")]
    Handshake(String),
    /// Nobody could tell who it is.
    #[error("its certificate names no host")]
    Nameless,
    /// The connection broke.
    #[error("the connection failed")]
    Io(#[from] std::io::Error),
}

/// A peer whose certificate is good, and that waits to be told so.
pub struct Incoming {
    /// The name in its certificate.
    pub name: String,
    stream: TlsStream<TcpStream>,
}

/// Makes a peer prove who it is. Until it has, it gets nothing but what TLS itself says.
///
/// # Errors
/// If it does not, or not in time.
pub async fn accept(
    tcp: TcpStream,
    credentials: &Credentials,
    keepalive: u64,
) -> Result<Incoming, AcceptError> {
    tune(&tcp, keepalive)?;
    let acceptor = TlsAcceptor::from(credentials.server()?);
    let stream = tokio::time::timeout(PATIENCE, acceptor.accept(tcp))
        .await
        .map_err(|_| AcceptError::Slow)?
        .map_err(|error| AcceptError::Handshake(explain::refusal(credentials, &error)))?;
    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let name =
        certificate.and_then(CertFacts::of).and_then(|facts| facts.host()).ok_or(AcceptError::Nameless)?;
    Ok(Incoming { name, stream })
}

impl Incoming {
    /// Lets it in.
    ///
    /// # Errors
    /// If it is gone.
    pub async fn welcome(mut self) -> Result<ByteStream, AcceptError> {
        self.say(ACCEPTED).await?;
        Ok(Box::new(Stream(self.stream)))
    }

    /// Sends it away, for there is no room.
    ///
    /// # Errors
    /// If it is gone already.
    pub async fn send_away(mut self) -> Result<(), AcceptError> {
        self.say(BUSY).await?;
        Ok(self.stream.shutdown().await?)
    }

    async fn say(&mut self, word: u8) -> Result<(), AcceptError> {
        let said = async {
            self.stream.write_u8(word).await?;
            self.stream.flush().await
        };
        Ok(tokio::time::timeout(PATIENCE, said).await.map_err(|_| AcceptError::Slow)??)
    }
}
