//! TLS peers that do not follow sysadm's protocol.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use sysadm::testing::paths::Paths;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn roots(paths: &Paths) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(paths.tls_dir().join("ca.pem")).unwrap() {
        roots.add(root.unwrap()).unwrap();
    }
    Arc::new(roots)
}

fn own(paths: &Paths) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::pem_file_iter(paths.tls_dir().join("host.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(paths.tls_dir().join("host.key")).unwrap();
    (chain.collect::<Result<_, _>>().unwrap(), key)
}

/// Connects to an agent that `trusting` trusts, with the certificate of `showing` or none.
pub async fn connect(
    address: SocketAddr,
    trusting: &Paths,
    showing: Option<&Paths>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(address).await?;
    TlsConnector::from(client(trusting, showing)).connect(ServerName::from(address.ip()), tcp).await
}

fn client(trusting: &Paths, showing: Option<&Paths>) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots(trusting));
    Arc::new(match showing {
        None => builder.with_no_client_auth(),
        Some(paths) => {
            let (chain, key) = own(paths);
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    })
}

/// Likewise over an existing TCP connection, with a certificate.
pub async fn connect_over(
    tcp: TcpStream,
    address: SocketAddr,
    trusting: &Paths,
    showing: &Paths,
) -> std::io::Result<TlsStream<TcpStream>> {
    let config = client(trusting, Some(showing));
    TlsConnector::from(config).connect(ServerName::from(address.ip()), tcp).await
}

/// What the agent sends to such a peer before it ends the connection: its bytes within TLS, and why it ended.
pub async fn heard(stream: std::io::Result<TlsStream<TcpStream>>) -> (Vec<u8>, Option<std::io::Error>) {
    let mut bytes = Vec::new();
    let end = match stream {
        Err(error) => Some(error),
        Ok(mut stream) => match stream.write_all(b"\0\0\0\x02{}").await {
            Err(error) => Some(error),
            Ok(()) => stream.read_to_end(&mut bytes).await.err(),
        },
    };
    (bytes, end)
}

/// A TLS server with the certificate of `paths`, even if it is not valid, that accepts every certificate of its
/// authority, sends `greeting`, then holds the connection.
pub async fn server(paths: &Paths, greeting: &'static [u8]) -> SocketAddr {
    let (chain, key) = own(paths);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(paths), provider()).build().unwrap();
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    plain_server(move |tcp| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut stream) = acceptor.accept(tcp).await {
                let _ = stream.write_all(greeting).await;
                let _ = stream.flush().await;
                let _ = stream.read(&mut [0]).await;
            }
        }
    })
    .await
}

/// A TCP server that does `serve` with each connection.
pub async fn plain_server<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            tokio::spawn(serve(tcp));
        }
    });
    address
}
