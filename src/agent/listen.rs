//! Serves this host to every peer with a certificate of the site: `sysadm agent --listen`.
//!
//! No peer can end the agent, and none can use up what others need: a peer that has not yet shown its certificate
//! takes one of the places for handshakes, for at most ten seconds, but no connection. No address gets all places
//! for handshakes, and no peer gets all connections.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::connection_limit::{ConnectionLimit, ConnectionPermit, network};
use super::{Ledger, Peer, ServeError, TokenOwners, serve};
use crate::config::Config;
use crate::host::Host;
use crate::model::{Message, Millis, Role};
use crate::paths::Paths;
use crate::transport::cert::CertError;
use crate::transport::rads::{self, AcceptError, Credentials};

/// Maximum number of simultaneous TLS handshakes.
const DOORS: usize = 256;

/// How long connections may continue after the stop; then they are closed.
const GRACE: Duration = Duration::from_secs(10);

/// How long to wait after the kernel could not accept a connection, mostly for lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(200);

/// Receives a line about each refused peer, and what to do about it.
pub type LogSink = Arc<dyn Fn(Message) + Send + Sync>;

/// Why this host cannot be served over TLS.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// There is no usable certificate.
    #[error("cannot serve this host over TLS")]
    Setup(#[from] CertError),
    /// The address cannot be bound.
    #[error("failed to listen on {address} ('agent.listen' in sysadm.toml)")]
    Bind { address: String, source: io::Error },
}

impl crate::model::Hinted for ListenError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Setup(cause) => cause.hints(),
            Self::Bind { .. } => Vec::new(),
        }
    }
}

/// A socket that listens for peers.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    config: Arc<Config>,
    paths: Paths,
}

impl Listener {
    /// Binds the address of `agent.listen`.
    ///
    /// # Errors
    /// If the address is not available, or this host has no valid certificate.
    pub async fn bind(config: Arc<Config>, paths: Paths) -> Result<Self, ListenError> {
        Credentials::load(&paths.tls_dir())?.check(Millis::now())?;
        let failed = |source| ListenError::Bind { address: config.agent.listen.clone(), source };
        let socket = TcpListener::bind(&config.agent.listen).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address, config, paths })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `host` until `stop` is ready, and then until the last connection ends, but for at most ten seconds.
    /// `log` gets a line for each peer that was refused: its name and the reason.
    pub async fn run(self, host: Arc<dyn Host>, log: LogSink, stop: impl Future<Output = ()>) {
        let doors = ConnectionLimit::new(DOORS, DOORS / 2);
        let places = self.config.agent.connections;
        let places = ConnectionLimit::new(places, places - places / 4);
        let (token_owners, ledger) = (TokenOwners::default(), Ledger::default());
        let house = Arc::new(House {
            host,
            log,
            places,
            token_owners,
            ledger,
            config: self.config,
            paths: self.paths,
        });
        let mut connections = JoinSet::new();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(ended) = connections.join_next() => house.note_end(ended),
                accepted = self.socket.accept() => match accepted {
                    Ok((tcp, from)) => {
                        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
                        match doors.take(network(from.ip())) {
                            Some(door) => drop(connections.spawn(Arc::clone(&house).receive(tcp, from, door))),
                            None => house.say(format!("refused {from}: too many there show no certificate")),
                        }
                    }
                    Err(error) => {
                        house.say(format!("cannot accept a connection: {error}"));
                        tokio::time::sleep(PAUSE).await;
                    }
                },
            }
        }
        drop(self.socket);
        let ended = async { while connections.join_next().await.is_some() {} };
        // Connections that remain are closed when the set is dropped.
        let _ = tokio::time::timeout(GRACE, ended).await;
    }
}

/// What each connection needs.
struct House {
    host: Arc<dyn Host>,
    log: LogSink,
    places: Arc<ConnectionLimit<String>>,
    token_owners: TokenOwners,
    ledger: Ledger,
    config: Arc<Config>,
    paths: Paths,
}

impl House {
    /// Serves one connection to its end.
    async fn receive(self: Arc<Self>, tcp: TcpStream, from: SocketAddr, door: ConnectionPermit<IpAddr>) {
        let incoming = match self.identify(tcp).await {
            Ok(incoming) => incoming,
            Err(error) => return self.say(Message::of(&error).about(format!("refused {from}"))),
        };
        drop(door);
        let who = format!("{} ({from})", incoming.name);
        let Some(_place) = self.places.take(incoming.name.clone()) else {
            let most = self.config.agent.connections;
            self.say(format!("refused {who}: all {most} connections are in use, or its share of them"));
            // A peer that is gone needs no answer.
            let _ = incoming.send_away().await;
            return;
        };
        let peer = Peer {
            role: self.role(&incoming.name),
            name: incoming.name.clone(),
            certified: true,
            token_owners: self.token_owners.clone(),
            ledger: self.ledger.clone(),
        };
        let stream = match incoming.welcome().await {
            Ok(stream) => stream,
            Err(error) => return self.say(Message::of(&error).about(format!("refused {who}"))),
        };
        match serve(stream, Arc::clone(&self.host), peer).await {
            // A peer may leave at any time; whether that is right is for the other host to judge.
            Ok(()) | Err(ServeError::Broken { .. }) => {}
            Err(error) => self.say(Message::of(&error).about(format!("refused {who}"))),
        }
    }

    /// Reads this host's certificate each time, so that a renewed one needs no restart.
    async fn identify(&self, tcp: TcpStream) -> Result<rads::AcceptedPeer, AcceptError> {
        rads::accept(tcp, &Credentials::load(&self.paths.tls_dir())?, self.config.connect.keepalive).await
    }

    fn role(&self, name: &str) -> Role {
        let listed = self.config.roles.iter().find(|(listed, _)| listed.eq_ignore_ascii_case(name));
        listed.map_or(Role::Migrate, |(_, role)| *role)
    }

    fn note_end(&self, ended: Result<(), tokio::task::JoinError>) {
        if let Err(error) = ended {
            self.say(format!("a connection failed within this agent: {error}"));
        }
    }

    /// A peer's name must not look like lines of this agent.
    fn say(&self, line: impl Into<Message>) {
        (self.log)(line.into().map(|text| text.replace(char::is_control, " ")));
    }
}
