//! Another host, reached through its agent over a transport.
//!
//! All requests share one stream (a [`Link`]), each with its own time limit. A request whose reply did not arrive
//! fails with [`HostError::NoAnswer`] and is never repeated automatically: it may have been carried out. The next
//! request dials again if the stream is broken, so a run survives a connection that was interrupted. Each stream
//! of a migration is a connection of its own.

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
    /// If the host cannot be reached, or has no usable agent.
    pub async fn connect(uri: HostUri, dialer: Arc<Dialer>) -> Result<Self, DialError> {
        let (id, link) = open_link(&uri, &dialer).await?;
        Ok(Self { uri, id, dialer, link: Mutex::new(Arc::new(link)) })
    }

    /// The host part of its URI, to be shown to people.
    pub fn host_name(&self) -> &str {
        &self.uri.host
    }

    /// The identity of the host when it was first connected to: no other host is accepted in its place.
    pub const fn host_id(&self) -> HostId {
        self.id
    }

    pub const fn uri(&self) -> &HostUri {
        &self.uri
    }

    /// Whether the stream for requests works, as far as is known.
    pub fn is_linked(&self) -> bool {
        // If it is locked, it is being dialled again.
        self.link.try_lock().map_or(true, |link| !link.is_broken())
    }

    /// Sends a request, and waits for the reply up to the request's time limit.
    ///
    /// # Errors
    /// The host's error, or [`HostError::NoAnswer`].
    pub async fn ask<T: DeserializeOwned>(&self, call: Call) -> Result<T, HostError> {
        let name = call.name();
        serde_json::from_value(self.answer(call).await?)
            .map_err(|error| self.no_answer(format!("the answer to {name} is not understood: {error}")))
    }

    /// Likewise, before the reply is decoded. Not generic, so that it is compiled only once.
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
    pub async fn open_stream(&self, token: &Token, stream: StreamId) -> Result<ByteStream, HostError> {
        self.dial(Purpose::Connect { token: token.clone(), stream }).await
    }

    /// Creates a socket there to which the hypervisor will connect.
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

    /// The name may lead to another host than before.
    fn must_be_the_same(&self, id: HostId) -> Result<(), HostError> {
        let other = || format!("another host than before answers as {}", self.uri);
        if id == self.id { Ok(()) } else { Err(self.no_answer(other())) }
    }

    /// The stream for requests; a new one if the last one broke.
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

/// A stream to a socket at which the far host waits for its hypervisor.
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
