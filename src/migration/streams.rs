//! The streams of a live migration: what connects at the source is relayed to the destination.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::try_join_all;
use tokio::task::JoinSet;

use super::task::Task;
use crate::host::{Host, HostError, Pending};
use crate::model::{StreamId, Token};
use crate::transport::relay::relay_counted;

/// The streams of one migration. They end when this is dropped.
pub(super) struct Streams {
    _tasks: JoinSet<()>,
    memory: Arc<AtomicU64>,
    trouble: Arc<Mutex<Option<HostError>>>,
}

impl Streams {
    /// Creates the sockets at the source, and waits in the background for its hypervisor to connect.
    pub async fn lay(task: &Task, token: &Token) -> Result<Self, HostError> {
        let mut tasks = JoinSet::new();
        let memory = Arc::new(AtomicU64::new(0));
        let trouble = Arc::new(Mutex::new(None));
        let listen = |stream| async move { Ok((stream, task.from.listen(token, stream).await?)) };
        for (stream, pending) in try_join_all(StreamId::HYPERVISOR.map(listen)).await? {
            let passed = match stream {
                StreamId::Memory | StreamId::Data(_) => Arc::clone(&memory),
                StreamId::Control => Arc::default(),
            };
            let to = Arc::clone(&task.to);
            tasks.spawn(carry(pending, to, token.clone(), stream, passed, Arc::clone(&trouble)));
        }
        Ok(Self { _tasks: tasks, memory, trouble })
    }

    /// Bytes of memory that were relayed.
    pub fn bytes(&self) -> u64 {
        self.memory.load(Ordering::Relaxed)
    }

    /// Why a stream broke, if so: the hypervisor only sees it close.
    pub fn trouble(&self) -> Option<HostError> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Carries what is opened at one socket. The far end is opened ahead of time: the zone's downtime and the whole
/// move would otherwise wait for a handshake.
async fn carry(
    mut pending: Box<dyn Pending>,
    to: Arc<dyn Host>,
    token: Token,
    stream: StreamId,
    passed: Arc<AtomicU64>,
    trouble: Arc<Mutex<Option<HostError>>>,
) {
    match tokio::join!(pending.accept(), to.connect(&token, stream)) {
        (Ok(near), Ok(far)) => drop(relay_counted(near, far, passed).await),
        // The hypervisor's connection is closed, which it notices.
        (_, Err(error)) => {
            trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
        (Err(_), Ok(_)) => {}
    }
}
