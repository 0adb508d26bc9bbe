//! Another host: its agent answers there, over a stream that some transport gives.
//!
//! All questions share one stream (a [`Link`]), each with its own deadline. A question whose answer did not
//! arrive fails with [`HostError::NoAnswer`] and is never repeated from here: it may have been carried out.
//! The next question dials again if the stream is broken, so a cut that has been mended is survived.
//! A stream of a migration is a connection of its own.

mod link;

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Mutex;

use self::link::Link;
use super::{Call, HostError, Pending};
use crate::model::{HostId, HostUri, StreamId, Token, chain};
use crate::transport::hello::{self, Accepted, Purpose};
use crate::transport::{ByteStream, DialError, Dialer, frame};

/// Another host.
pub struct Remote {
    uri: HostUri,
    id: HostId,
    dialer: Arc<Dialer>,
    link: Mutex<Arc<Link>>,
}

impl Remote {
    /// Connects to the host's agent.
    ///
    /// # Errors
    /// If it cannot be reached, or there is no usable agent.
    pub async fn connect(uri: HostUri, dialer: Arc<Dialer>) -> Result<Self, DialError> {
        let (id, link) = open_link(&uri, &dialer).await?;
        Ok(Self { uri, id, dialer, link: Mutex::new(Arc::new(link)) })
    }

    /// The host part of its URI: what people see.
    pub fn host_name(&self) -> &str {
        &self.uri.host
    }

    /// Which host it was when it was connected to, and is: no other one is taken in its place.
    pub const fn host_id(&self) -> HostId {
        self.id
    }

    /// Its URI.
    pub const fn uri(&self) -> &HostUri {
        &self.uri
    }

    /// Whether the stream for questions is whole, as far as is known.
    pub fn is_linked(&self) -> bool {
        // One that is just being dialled again will be.
        self.link.try_lock().map_or(true, |link| !link.is_broken())
    }

    /// Asks, and waits for the answer no longer than the question's deadline.
    ///
    /// # Errors
    /// What the host says, or [`HostError::NoAnswer`].
    pub async fn ask<T: DeserializeOwned>(&self, call: Call) -> Result<T, HostError> {
        let name = call.name();
        serde_json::from_value(self.answer(call).await?)
            .map_err(|error| self.no_answer(format!("the answer to {name} is not understood: {error}")))
    }

    /// The same before the answer is read. It is not generic, so that it is compiled only once.
    async fn answer(&self, call: Call) -> Result<Value, HostError> {
        let (name, seconds) = (call.name(), call.seconds());
        let call = serde_json::to_value(call).map_err(|error| {
            HostError::permanent(self.host_name(), format!("failed to encode the question {name}: {error}"))
        })?;
        let answer = async { self.link().await?.ask(call).await.map_err(|reason| self.no_answer(reason)) };
        let answer = tokio::time::timeout(Duration::from_secs(seconds), answer)
            .await
            .map_err(|_| self.no_answer(format!("nothing came within {seconds} s to {name}")))?;
        answer?.map_err(|error| self.their_error(name, error))
    }

    /// Opens a stream to the hypervisor's socket there.
    ///
    /// # Errors
    /// If the host cannot be reached, or has no such socket.
    pub async fn open_stream(&self, token: &Token, stream: StreamId) -> Result<ByteStream, HostError> {
        self.dial(Purpose::Connect { token: token.clone(), stream }).await
    }

    /// Makes a socket there, on which the hypervisor will connect.
    ///
    /// # Errors
    /// If the host cannot be reached, or cannot make the socket.
    pub async fn open_pending(&self, token: &Token, stream: StreamId) -> Result<Box<dyn Pending>, HostError> {
        let stream = self.dial(Purpose::Listen { token: token.clone(), stream }).await?;
        Ok(Box::new(RemoteSocket { host: self.host_name().to_owned(), stream: Some(stream) }))
    }

    async fn dial(&self, purpose: Purpose) -> Result<ByteStream, HostError> {
        let (id, stream) = open(&self.uri, &self.dialer, purpose).await.map_err(|error| match error {
            DialError::Refused { what, transient, .. } => HostError::Failed {
                host: self.host_name().to_owned(),
                reason: format!("refuses the stream: {what}"),
                transient,
            },
            error => self.no_answer(chain(&error)),
        })?;
        self.must_be_the_same(id)?;
        Ok(stream)
    }

    /// Behind a name there may be another host than before.
    fn must_be_the_same(&self, id: HostId) -> Result<(), HostError> {
        let other = || format!("another host than before answers as {}", self.uri);
        if id == self.id { Ok(()) } else { Err(self.no_answer(other())) }
    }

    /// The stream for questions; a new one if the last one broke.
    async fn link(&self) -> Result<Arc<Link>, HostError> {
        let mut link = self.link.lock().await;
        if link.is_broken() {
            let fresh = open_link(&self.uri, &self.dialer).await;
            let (id, fresh) = fresh.map_err(|error| self.no_answer(chain(&error)))?;
            self.must_be_the_same(id)?;
            *link = Arc::new(fresh);
        }
        Ok(Arc::clone(&link))
    }

    fn their_error(&self, call: &str, error: Value) -> HostError {
        serde_json::from_value(error.clone()).unwrap_or_else(|_| {
            HostError::permanent(self.host_name(), format!("failed to do {call}: {error}"))
        })
    }

    fn no_answer(&self, reason: String) -> HostError {
        HostError::NoAnswer { host: self.host_name().to_owned(), reason }
    }
}

async fn open(uri: &HostUri, dialer: &Dialer, purpose: Purpose) -> Result<(HostId, ByteStream), DialError> {
    let mut stream = dialer.dial(uri).await?;
    let seconds = dialer.options.connect.timeout;
    let id = tokio::time::timeout(dialer.options.connect.timeout(), hello::open(uri, &mut stream, purpose))
        .await
        .map_err(|_| DialError::Timeout { uri: uri.clone(), seconds })??;
    Ok((id, stream))
}

async fn open_link(uri: &HostUri, dialer: &Dialer) -> Result<(HostId, Link), DialError> {
    let (id, stream) = open(uri, dialer, Purpose::Rpc).await?;
    Ok((id, Link::start(stream, Duration::from_secs(dialer.options.connect.keepalive))))
}

/// A stream at whose far end a socket waits for the hypervisor.
struct RemoteSocket {
    host: String,
    stream: Option<ByteStream>,
}

#[async_trait::async_trait]
impl Pending for RemoteSocket {
    async fn accept(&mut self) -> Result<ByteStream, HostError> {
        let no_answer = |reason: String| HostError::NoAnswer { host: self.host.clone(), reason };
        let mut stream =
            self.stream.take().ok_or_else(|| no_answer("the stream was taken before".to_owned()))?;
        match frame::read::<Accepted>(&mut stream, frame::MAX_HELLO).await {
            Ok(Accepted {}) => Ok(stream),
            Err(error) => Err(no_answer(format!("while its hypervisor was awaited: {}", chain(&error)))),
        }
    }
}

#[cfg(test)]
mod tests;
