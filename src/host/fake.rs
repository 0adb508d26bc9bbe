//! A host in memory, for tests of what lies between two hosts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{DuplexStream, duplex};
use tokio::sync::{Mutex, Semaphore, mpsc};
use uuid::Uuid;

use super::*;
use crate::model::{Facts, HostId, Location, StreamId, Token};

/// Answers `facts` at once and `location` when the test allows it; the far ends of its streams are the test's.
pub struct FakeHost {
    pub name: String,
    /// Each permit allows one answer to `location`. If closed, it panics.
    pub gate: Semaphore,
    /// The number of `location` requests, both asked and answered.
    pub asked: Semaphore,
    pub answered: Semaphore,
    /// The hypervisor's ends of `connect`.
    pub connected: mpsc::UnboundedSender<DuplexStream>,
    /// The connections to the sockets of `listen`.
    pub connections: Arc<Mutex<mpsc::UnboundedReceiver<DuplexStream>>>,
    /// Every [`Pending`] holds one permit while it exists.
    pub listening: Arc<Semaphore>,
    /// The state of its connection.
    pub is_broken: AtomicBool,
}

/// The test's ends of a fake host's streams.
pub struct Ends {
    pub connected: mpsc::UnboundedReceiver<DuplexStream>,
    pub connections: mpsc::UnboundedSender<DuplexStream>,
}

impl FakeHost {
    pub fn new(name: &str) -> (Arc<Self>, Ends) {
        let (connected, at_connect) = mpsc::unbounded_channel();
        let (at_connection, connections) = mpsc::unbounded_channel();
        let host = Self {
            name: name.to_owned(),
            gate: Semaphore::new(0),
            asked: Semaphore::new(0),
            answered: Semaphore::new(0),
            connected,
            connections: Arc::new(Mutex::new(connections)),
            listening: Arc::new(Semaphore::new(1)),
            is_broken: AtomicBool::new(false),
        };
        (Arc::new(host), Ends { connected: at_connect, connections: at_connection })
    }
}

/// Where a fake host says that a zone is: every zone is on another host.
pub fn answer(uuid: Uuid) -> Location {
    Location::Migrated(format!("rads://{uuid}").parse().unwrap())
}

struct FakePending {
    connections: Arc<Mutex<mpsc::UnboundedReceiver<DuplexStream>>>,
    _listening: tokio::sync::OwnedSemaphorePermit,
}

#[async_trait::async_trait]
impl Pending for FakePending {
    async fn accept(&mut self) -> Result<ByteStream, HostError> {
        Ok(Box::new(self.connections.lock().await.recv().await.unwrap()))
    }
}

#[async_trait::async_trait]
impl Host for FakeHost {
    fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> HostId {
        HostId::test(1)
    }

    fn is_connected(&self) -> bool {
        !self.is_broken.load(Ordering::Relaxed)
    }

    async fn facts(&self) -> Result<Facts, HostError> {
        let text = || "fake".to_owned();
        Ok(Facts {
            host: self.name.clone(),
            software: text(),
            platform: text(),
            hypervisor: text(),
            arch: text(),
            memory: 1,
            memory_free: 1,
            cpus: 1,
            maintenance: None,
            announced: None,
        })
    }

    async fn location(&self, uuid: Uuid) -> Result<Location, HostError> {
        self.asked.add_permits(1);
        self.gate.acquire().await.expect("a bug").forget();
        self.answered.add_permits(1);
        Ok(answer(uuid))
    }

    async fn standing(&self, _: &str, _: &Named) -> Result<Standing, HostError> {
        Ok(Standing { relation: Relation::Own, reason: "fake".into() })
    }

    async fn connect(&self, _: &Token, stream: StreamId) -> Result<ByteStream, HostError> {
        if stream == StreamId::Control {
            return Err(HostError::permanent(&self.name, "fake"));
        }
        let (here, there) = duplex(1 << 16);
        self.connected.send(there).unwrap();
        Ok(Box::new(here))
    }

    async fn listen(&self, _: &Token, _: StreamId) -> Result<Box<dyn Pending>, HostError> {
        let listening = Arc::clone(&self.listening).acquire_owned().await.unwrap();
        Ok(Box::new(FakePending { connections: Arc::clone(&self.connections), _listening: listening }))
    }
}
