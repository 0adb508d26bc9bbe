//! Serves one stream of one peer, from its hello to its end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncReadExt;

use super::ledger::Ledger;
use super::token_owners::{TokenOwners, TokenUse};
use super::{access, rpc};
use crate::host::{Host, HostError};
use crate::model::{Role, StreamId, Token, chain};
use crate::transport::ByteStream;
use crate::transport::hello::{Accepted, Hello, Purpose, SOFTWARE, VERSIONS, Welcome, choose};
use crate::transport::{frame, relay};

/// How long to wait for a peer's hello.
const HELLO_TIME: Duration = Duration::from_secs(10);

/// The peer, as its transport has authenticated it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// To be shown to people.
    pub name: String,
    pub role: Role,
    /// Whether the name is that of a host and is proven: then what the peer says about itself does not count.
    pub certified: bool,
    /// The tokens that this peer and the others use.
    pub token_owners: TokenOwners,
    /// The memory that this peer and the others use.
    pub ledger: Ledger,
}

impl Peer {
    /// A peer whose transport does not prove which host it is.
    pub fn new(name: String, role: Role) -> Self {
        let (token_owners, ledger) = (TokenOwners::default(), Ledger::default());
        Self { name, role, certified: false, token_owners, ledger }
    }
}

/// Why a stream ended prematurely.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// No hello arrived.
    #[error("{peer} said no hello within {seconds} s")]
    Silent { peer: String, seconds: u64 },
    /// The hello was invalid.
    #[error("{peer} said something else than hello")]
    Hello { peer: String, source: frame::FrameError },
    /// No common protocol version.
    #[error(
        "{peer} runs sysadm {software}, which speaks no protocol version that this one ({SOFTWARE}) speaks"
    )]
    Version {
        peer: String,
        /// The peer's version of sysadm.
        software: String,
    },
    /// The peer was refused.
    #[error("{peer} was refused a stream: {reason}")]
    Refused { peer: String, reason: String },
    /// The stream broke.
    #[error("the stream of {peer} broke")]
    Broken { peer: String, source: frame::FrameError },
}

impl crate::model::Hinted for ServeError {}

/// Serves one stream to its end. Requests that are open when it ends are finished first, because a half-done one
/// would be worse than one whose reply is lost.
///
/// # Errors
/// If the peer was refused, or the stream broke.
pub async fn serve(stream: ByteStream, host: Arc<dyn Host>, peer: Peer) -> Result<(), ServeError> {
    let mut session = Session { stream, peer };
    match session.hello().await? {
        Purpose::Rpc => {
            session.welcome(&*host).await?;
            let Session { stream, peer } = session;
            rpc::answer(stream, host, &peer)
                .await
                .map_err(|source| ServeError::Broken { peer: peer.name, source })
        }
        Purpose::Connect { token, stream } => session.connect(&*host, &token, stream).await,
        Purpose::Listen { token, stream } => session.listen(&*host, &token, stream).await,
    }
}

struct Session {
    stream: ByteStream,
    peer: Peer,
}

impl Session {
    /// Reads the hello, and refuses a peer without a common protocol version.
    async fn hello(&mut self) -> Result<Purpose, ServeError> {
        let hello = frame::read::<Hello<Value>>(&mut self.stream, frame::MAX_HELLO);
        let Hello { versions, software, purpose } = tokio::time::timeout(HELLO_TIME, hello)
            .await
            .map_err(|_| ServeError::Silent { peer: self.name(), seconds: HELLO_TIME.as_secs() })?
            .map_err(|source| ServeError::Hello { peer: self.name(), source })?;
        if choose(&versions).is_none() {
            let no = Welcome::NoCommonVersion { versions: VERSIONS.to_vec(), software: SOFTWARE.to_owned() };
            self.say(&no).await?;
            return Err(ServeError::Version { peer: self.name(), software });
        }
        match serde_json::from_value(purpose) {
            Ok(purpose) => Ok(purpose),
            Err(error) => {
                let reason = format!("sysadm {SOFTWARE} has no such stream: {error}");
                Err(self.refuse(reason).await)
            }
        }
    }

    /// Connects the stream to the hypervisor's socket.
    async fn connect(mut self, host: &dyn Host, token: &Token, stream: StreamId) -> Result<(), ServeError> {
        self.may_migrate(host, "connect").await?;
        let _claim = self.claim(token).await?;
        let inner = self.or_refuse(host.connect(token, stream)).await?;
        self.welcome(host).await?;
        self.relay(inner).await
    }

    /// Waits for the hypervisor to connect, and relays it to the peer. Ends if the peer leaves before.
    async fn listen(mut self, host: &dyn Host, token: &Token, stream: StreamId) -> Result<(), ServeError> {
        self.may_migrate(host, "listen").await?;
        let _claim = self.claim(token).await?;
        let mut pending = self.or_refuse(host.listen(token, stream)).await?;
        self.welcome(host).await?;
        let mut early = [0];
        let inner = tokio::select! {
            inner = pending.accept() => inner,
            // The peer sends nothing before the hypervisor has connected: this ends when the peer leaves.
            _ = self.stream.read(&mut early) => return Ok(()),
        };
        let inner =
            inner.map_err(|error| ServeError::Refused { peer: self.name(), reason: error.to_string() })?;
        self.say(&Accepted {}).await?;
        // The socket remains as long as the stream: by it this host knows that a zone is leaving.
        let relayed = self.relay(inner).await;
        drop(pending);
        relayed
    }

    async fn relay(self, inner: ByteStream) -> Result<(), ServeError> {
        let peer = self.peer.name;
        relay(self.stream, inner)
            .await
            .map_err(|error| ServeError::Broken { peer, source: frame::FrameError::Io(error) })?;
        Ok(())
    }

    async fn may_migrate(&mut self, host: &dyn Host, call: &str) -> Result<(), ServeError> {
        match access::not_allowed(host, &self.peer, call, Role::Migrate) {
            None => Ok(()),
            Some(error) => Err(self.refuse(error.to_string()).await),
        }
    }

    async fn claim(&mut self, token: &Token) -> Result<TokenUse, ServeError> {
        match self.peer.token_owners.claim(token, &self.peer.name) {
            Some(claim) => Ok(claim),
            None => Err(self.refuse("the token belongs to a migration of another host".to_owned()).await),
        }
    }

    /// The result of `action`; if it failed, the peer is told why.
    async fn or_refuse<T>(
        &mut self,
        action: impl Future<Output = Result<T, HostError>>,
    ) -> Result<T, ServeError> {
        match action.await {
            Ok(value) => Ok(value),
            Err(error) => Err(self.refuse_with(chain(&error), error.is_transient()).await),
        }
    }

    async fn refuse(&mut self, reason: String) -> ServeError {
        self.refuse_with(reason, false).await
    }

    async fn refuse_with(&mut self, reason: String, transient: bool) -> ServeError {
        match self.say(&Welcome::Refused { reason: reason.clone(), transient }).await {
            Ok(()) => ServeError::Refused { peer: self.name(), reason },
            Err(error) => error,
        }
    }

    async fn welcome(&mut self, host: &dyn Host) -> Result<(), ServeError> {
        let (version, software) = (VERSIONS[0], SOFTWARE.to_owned());
        self.say(&Welcome::Chosen { version, software, host: host.id() }).await
    }

    async fn say(&mut self, words: &impl serde::Serialize) -> Result<(), ServeError> {
        frame::write(&mut self.stream, words)
            .await
            .map_err(|source| ServeError::Broken { peer: self.peer.name.clone(), source })
    }

    fn name(&self) -> String {
        self.peer.name.clone()
    }
}

#[cfg(test)]
mod tests;
