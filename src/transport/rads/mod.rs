//! `rads://`: TLS 1.3 over TCP, port 12302, between two hosts that each have a certificate of their site's authority.
//!
//! ```text
//!   dial()                                   accept()
//!     TCP ───────────────────────────────────►
//!     ◄── TLS 1.3, certificates both ways ───►   the name in the certificate is who the peer is
//!     ◄────────────────────────── one byte ───   ACCEPTED or BUSY
//!     hello …
//! ```
//!
//! The byte is necessary because with TLS 1.3 a client has finished the handshake before the server has seen its
//! certificate: only the byte says that it was accepted. Before the server has accepted a certificate it sends
//! nothing of its own, not even a version.
//!
//! The user part of a URI has no meaning here: the certificate says who we are. If `connect.addresses` in
//! sysadm.toml has another address for the host, that one is dialled, and must show a certificate for the host.

mod credentials;
mod explain;
mod server;
mod stream;

use std::path::Path;
use std::time::Duration;

use rustix::net::sockopt;
use rustls::pki_types::ServerName;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub use credentials::Credentials;
pub use server::{AcceptError, AcceptedPeer, accept};

use crate::model::{HostUri, Message, Millis};
use crate::{ByteStream, DialError, DialOptions};

/// The server has accepted the client's certificate; the client's hello is expected.
const ACCEPTED: u8 = b'+';

/// The client's certificate is valid, but there are too many connections.
const BUSY: u8 = b'-';

/// Opens one stream to the agent of `uri`, which has then accepted this host's certificate.
pub(super) async fn dial(uri: &HostUri, options: &DialOptions, tls: &Path) -> Result<ByteStream, DialError> {
    let setup = |what: Message| DialError::Setup { uri: uri.clone(), what };
    // Read each time, so that a renewed certificate needs no restart.
    let credentials = Credentials::load(tls).map_err(|error| setup(error.into()))?;
    credentials.check(Millis::now()).map_err(|error| setup(error.into()))?;
    let connector = TlsConnector::from(credentials.client().map_err(|error| setup(error.into()))?);
    let name = ServerName::try_from(uri.host.clone())
        .map_err(|_| setup(format!("{:?} cannot be a name in a certificate", uri.host).into()))?;
    let (host, port) = location(uri, options);
    let keepalive = options.connect.keepalive;
    let attempt = async {
        let tcp = TcpStream::connect((host, port)).await.and_then(|tcp| tune(&tcp, keepalive).map(|()| tcp));
        let tcp = tcp.map_err(|error| explain::connect(uri, error))?;
        let handshake = |error| explain::handshake(uri, port, &credentials, error);
        let mut stream = connector.connect(name, tcp).await.map_err(handshake)?;
        match stream.read_u8().await.map_err(handshake)? {
            ACCEPTED => Ok(Box::new(stream::RadsStream(stream)) as ByteStream),
            BUSY => Err(explain::busy(uri)),
            _ => Err(explain::unmanaged_guest(uri, port)),
        }
    };
    tokio::time::timeout(options.connect.timeout(), attempt)
        .await
        .unwrap_or_else(|_| Err(DialError::Timeout { uri: uri.clone(), seconds: options.connect.timeout }))
}

/// Host and port to connect to: the URI's port takes precedence over `connect.addresses`.
fn location<'a>(uri: &'a HostUri, options: &'a DialOptions) -> (&'a str, u16) {
    match options.connect.address(&uri.host) {
        Some(address) => {
            let port = uri.port.or(address.port).unwrap_or_else(|| uri.rads_port());
            (&address.host, port)
        }
        None => (&uri.host, uri.rads_port()),
    }
}

/// Sends small messages at once, and ends a connection whose peer has been silent for three times `keepalive`
/// seconds: while idle by TCP's keepalive, while it owes acknowledgements by TCP's user timeout.
fn tune(tcp: &TcpStream, keepalive: u64) -> std::io::Result<()> {
    let seconds = Duration::from_secs(keepalive.max(1));
    tcp.set_nodelay(true)?;
    sockopt::set_socket_keepalive(tcp, true)?;
    sockopt::set_tcp_keepidle(tcp, seconds)?;
    sockopt::set_tcp_keepintvl(tcp, seconds)?;
    sockopt::set_tcp_keepcnt(tcp, 3)?;
    #[cfg(target_os = "linux")]
    sockopt::set_tcp_user_timeout(tcp, u32::try_from(3 * seconds.as_millis()).unwrap_or(u32::MAX))?;
    Ok(())
}
