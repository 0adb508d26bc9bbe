//! Serves this host to every peer that holds a certificate of the site: what `sysadm agent --listen` does.
//!
//! No peer can end it, and none can use up what others need: a peer that has not shown its certificate yet holds
//! one of a few places at the door, for ten seconds at most, and none of the connections.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::{Peer, ServeError, serve};
use crate::config::Config;
use crate::host::{Host, Role, chain};
use crate::model::Millis;
use crate::paths::Paths;
use crate::transport::cert::CertError;
use crate::transport::rads::{self, AcceptError, Credentials};

/// Peers that are showing their certificates at the same time. More wait in the kernel's queue.
const DOORS: usize = 64;

/// How long connections may go on after the stop; then they are cut.
const GRACE: Duration = Duration::from_secs(10);

/// How long nothing is accepted after the kernel could not accept (no file descriptors left, mostly).
const PAUSE: Duration = Duration::from_millis(200);

/// Where the line about a refused peer goes.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// Why this host cannot be served over TLS.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// No usable certificate.
    #[error("cannot serve this host over TLS")]
    Setup(#[from] CertError),
    /// The address is not to be had.
    #[error("failed to listen on {address} ('agent.listen' in sysadm.toml)")]
    Bind {
        /// The address.
        address: String,
        /// Why.
        source: io::Error,
    },
}

/// A socket that waits for peers.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    config: Arc<Config>,
    paths: Paths,
}

impl Listener {
    /// Listens on `agent.listen`.
    ///
    /// # Errors
    /// If that address is not to be had, or this host has no valid certificate.
    pub async fn bind(config: Arc<Config>, paths: Paths) -> Result<Self, ListenError> {
        Credentials::load(&paths)?.check(Millis::now())?;
        let failed = |source| ListenError::Bind { address: config.agent.listen.clone(), source };
        let socket = TcpListener::bind(&config.agent.listen).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address, config, paths })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `host` until `stop` is ready, then for as long as there are connections, but for ten seconds at
    /// most. `log` gets one line for each peer that was refused: who, and why.
    pub async fn run(self, host: Arc<dyn Host>, log: Log, stop: impl Future<Output = ()>) {
        let doors = Arc::new(Semaphore::new(DOORS));
        let places = Arc::new(Semaphore::new(self.config.agent.connections));
        let house = Arc::new(House { host, log, places, config: self.config, paths: self.paths });
        let mut connections = JoinSet::new();
        tokio::pin!(stop);
        loop {
            let next = async {
                let door = Arc::clone(&doors).acquire_owned().await;
                (self.socket.accept().await, door)
            };
            tokio::select! {
                () = &mut stop => break,
                Some(ended) = connections.join_next() => house.note_end(ended),
                (accepted, door) = next => match accepted {
                    Ok((tcp, from)) => {
                        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
                        connections.spawn(Arc::clone(&house).receive(tcp, from, door.ok()));
                    }
                    Err(error) => {
                        house.say(&format!("cannot accept a connection: {error}"));
                        tokio::time::sleep(PAUSE).await;
                    }
                },
            }
        }
        drop(self.socket);
        let ended = async { while connections.join_next().await.is_some() {} };
        // What is left after that is cut when the set is dropped.
        let _ = tokio::time::timeout(GRACE, ended).await;
    }
}

/// What each connection needs.
struct House {
    host: Arc<dyn Host>,
    log: Log,
    places: Arc<Semaphore>,
    config: Arc<Config>,
    paths: Paths,
}

impl House {
    /// One connection from its first byte to its last.
    async fn receive(self: Arc<Self>, tcp: TcpStream, from: SocketAddr, door: Option<OwnedSemaphorePermit>) {
        let incoming = match self.identify(tcp).await {
            Ok(incoming) => incoming,
            Err(error) => return self.say(&format!("refused {from}: {}", chain(&error))),
        };
        drop(door);
        let who = format!("{} ({from})", incoming.name);
        let Ok(_place) = self.places.try_acquire() else {
            self.say(&format!("refused {who}: all {} connections are in use", self.config.agent.connections));
            // If it has gone meanwhile, it needs no answer.
            let _ = incoming.send_away().await;
            return;
        };
        let peer = Peer { role: self.role(&incoming.name), name: incoming.name.clone() };
        let stream = match incoming.welcome().await {
            Ok(stream) => stream,
            Err(error) => return self.say(&format!("refused {who}: {}", chain(&error))),
        };
        match serve(stream, Arc::clone(&self.host), peer).await {
            // A peer may go at any time; whether it should have is for the other end to judge.
            Ok(()) | Err(ServeError::Broken { .. }) => {}
            Err(error) => self.say(&format!("refused {who}: {}", chain(&error))),
        }
    }

    /// Reads this host's certificate each time: a renewed one needs no restart.
    async fn identify(&self, tcp: TcpStream) -> Result<rads::Incoming, AcceptError> {
        rads::accept(tcp, &Credentials::load(&self.paths)?, self.config.connect.keepalive).await
    }

    fn role(&self, name: &str) -> Role {
        let listed = self.config.roles.iter().find(|(listed, _)| listed.eq_ignore_ascii_case(name));
        listed.map_or(Role::Migrate, |(_, role)| *role)
    }

    fn note_end(&self, ended: Result<(), tokio::task::JoinError>) {
        if let Err(error) = ended {
            self.say(&format!("a connection failed within this agent: {error}"));
        }
    }

    fn say(&self, line: &str) {
        (self.log)(line);
    }
}
