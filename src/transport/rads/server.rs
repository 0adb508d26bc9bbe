//! The side that is connected to: authenticates peers.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::stream::RadsStream;
use super::{ACCEPTED, BUSY, Credentials, explain, tune};
use crate::ByteStream;
use crate::cert::{CertError, CertFacts};

/// How long a peer may take to authenticate, and to receive the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a peer was refused.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// This host is not set up.
    #[error("this host cannot prove who it is")]
    Setup(#[from] CertError),
    /// The peer took too long.
    #[error("it did not finish the TLS handshake within {} s", PATIENCE.as_secs())]
    Slow,
    /// The handshake failed.
    #[error("{0}")]
    Handshake(String),
    /// The certificate does not contain a name.
    #[error("its certificate names no host")]
    Nameless,
    /// The connection broke.
    #[error("the connection failed")]
    Io(#[from] std::io::Error),
}

impl crate::model::Hinted for AcceptError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Setup(cause) => cause.hints(),
            Self::Slow | Self::Handshake(_) | Self::Nameless | Self::Io(_) => Vec::new(),
        }
    }
}

/// A peer with a valid certificate that waits to be accepted.
pub struct AcceptedPeer {
    /// The name in its certificate.
    pub name: String,
    stream: TlsStream<TcpStream>,
}

/// Authenticates a peer. Until then it receives only what TLS itself sends.
pub async fn accept(
    tcp: TcpStream,
    credentials: &Credentials,
    keepalive: u64,
) -> Result<AcceptedPeer, AcceptError> {
    tune(&tcp, keepalive)?;
    let acceptor = TlsAcceptor::from(credentials.server()?);
    let stream = tokio::time::timeout(PATIENCE, acceptor.accept(tcp))
        .await
        .map_err(|_| AcceptError::Slow)?
        .map_err(|error| AcceptError::Handshake(explain::refusal(credentials, &error)))?;
    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let name =
        certificate.and_then(CertFacts::of).and_then(|facts| facts.host()).ok_or(AcceptError::Nameless)?;
    Ok(AcceptedPeer { name, stream })
}

impl AcceptedPeer {
    /// Accepts the peer.
    pub async fn welcome(mut self) -> Result<ByteStream, AcceptError> {
        self.say(ACCEPTED).await?;
        Ok(Box::new(RadsStream(self.stream)))
    }

    /// Refuses the peer, because there are too many connections.
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
