//! One stream of requests and replies.
//!
//! One task owns the stream; requests reach it through a queue, so a caller that gives up never leaves half a
//! frame behind. A broken stream stays broken, and every waiting and later request gets the reason.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

use crate::model::chain;
use crate::transport::ByteStream;
use crate::transport::frame;
use crate::transport::rpc::{LONGEST_PING, Reply, RpcRequest};

/// A reply or an error of the host, neither of them decoded yet.
pub(super) type Answer = Result<Value, Value>;

/// One stream of requests and replies. Dropping it closes the stream.
pub(super) struct Link {
    waiting: Arc<PendingCalls>,
    queue: mpsc::Sender<RpcRequest>,
    next: AtomicU64,
    _task: AbortOnDropHandle<()>,
}

impl Link {
    /// Takes over a stream after the hello. A ping is sent every `keepalive`; if nothing arrives for three times
    /// as long, the stream is broken.
    pub(super) fn start(stream: ByteStream, keepalive: Duration) -> Self {
        let keepalive = keepalive.clamp(Duration::from_secs(1), LONGEST_PING);
        let waiting = Arc::new(PendingCalls(Mutex::new(Ok(HashMap::new()))));
        let (queue, requests) = mpsc::channel(8);
        let task = tokio::spawn({
            let waiting = Arc::clone(&waiting);
            async move {
                let (reader, writer) = tokio::io::split(stream);
                let reason = tokio::select! {
                    reason = read_replies(reader, &waiting, keepalive * 3) => reason,
                    reason = write_requests(writer, requests, keepalive) => reason,
                };
                waiting.fail(reason);
            }
        });
        Self { waiting, queue, next: AtomicU64::new(1), _task: AbortOnDropHandle::new(task) }
    }

    /// Whether no request can be answered any more.
    pub(super) fn is_broken(&self) -> bool {
        self.waiting.lock().is_err()
    }

    /// Sends a request. The error says why no reply can come.
    pub(super) async fn ask(&self, call: Value) -> Result<Answer, String> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.waiting.lock().as_mut().map_err(|reason| reason.clone())?.insert(id, sender);
        let _forget = Forget { waiting: &self.waiting, id };
        // If the queue is closed, the reply's sender is gone as well, and the reason is known.
        let _ = self.queue.send(RpcRequest::Call { id, call }).await;
        answer.await.map_err(|_| self.waiting.reason())
    }
}

/// Which caller waits for which reply; once the stream is broken, why.
struct PendingCalls(Mutex<Result<HashMap<u64, oneshot::Sender<Answer>>, String>>);

impl PendingCalls {
    fn lock(&self) -> MutexGuard<'_, Result<HashMap<u64, oneshot::Sender<Answer>>, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes a reply on, unless its caller has given up.
    fn settle(&self, id: u64, answer: Answer) {
        let sender = self.lock().as_mut().ok().and_then(|waiting| waiting.remove(&id));
        if let Some(sender) = sender {
            let _ = sender.send(answer);
        }
    }

    fn fail(&self, reason: String) {
        *self.lock() = Err(reason);
    }

    fn reason(&self) -> String {
        self.lock().as_ref().err().cloned().unwrap_or_else(|| "the connection was closed".to_owned())
    }
}

/// Forgets a request when its caller gives up.
struct Forget<'a> {
    waiting: &'a PendingCalls,
    id: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        if let Ok(waiting) = self.waiting.lock().as_mut() {
            waiting.remove(&self.id);
        }
    }
}

async fn read_replies(mut reader: impl AsyncRead + Unpin, waiting: &PendingCalls, limit: Duration) -> String {
    loop {
        match tokio::time::timeout(limit, frame::read(&mut reader, frame::MAX_FRAME)).await {
            Ok(Ok(Reply::Ok { id, ok })) => waiting.settle(id, Ok(ok)),
            Ok(Ok(Reply::Err { id, err })) => waiting.settle(id, Err(err)),
            Ok(Ok(Reply::Pong { .. })) => {}
            Ok(Err(error)) => return chain(&error),
            Err(_) => return format!("no sign of life for {} s", limit.as_secs()),
        }
    }
}

async fn write_requests(
    mut writer: impl AsyncWrite + Unpin,
    mut requests: mpsc::Receiver<RpcRequest>,
    keepalive: Duration,
) -> String {
    let mut pings = tokio::time::interval(keepalive);
    pings.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut count = 0;
    loop {
        let request = tokio::select! {
            request = requests.recv() => match request {
                Some(request) => request,
                None => return "the connection was closed".to_owned(),
            },
            _ = pings.tick() => {
                count += 1;
                RpcRequest::Ping { ping: count }
            }
        };
        if let Err(error) = frame::write(&mut writer, &request).await {
            return chain(&error);
        }
    }
}
