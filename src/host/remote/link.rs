//! One stream of questions and answers.
//!
//! One task owns the stream; questions reach it through a queue, so a caller that gives up never leaves half
//! a frame behind. Once the stream is broken it stays so, and every waiting and later question hears why.

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
use crate::transport::rpc::{LONGEST_PING, Reply, Request};

/// An answer: what the host says, or its error, both not decoded yet.
pub(super) type Answer = Result<Value, Value>;

/// One stream of questions and answers. Dropping it closes the stream.
pub(super) struct Link {
    waiting: Arc<PendingCalls>,
    queue: mpsc::Sender<Request>,
    next: AtomicU64,
    _task: AbortOnDropHandle<()>,
}

impl Link {
    /// Takes over a stream on which the hello is done. A ping goes out every `keepalive`; when nothing came
    /// for three times that, the stream is broken.
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

    /// Whether a question can still be answered.
    pub(super) fn is_broken(&self) -> bool {
        self.waiting.lock().is_err()
    }

    /// Asks. The error says why no answer can come.
    pub(super) async fn ask(&self, call: Value) -> Result<Answer, String> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.waiting.lock().as_mut().map_err(|reason| reason.clone())?.insert(id, sender);
        let _forget = Forget { waiting: &self.waiting, id };
        // When the queue is closed, the answer's sender is gone as well, and the reason is known.
        let _ = self.queue.send(Request::Call { id, call }).await;
        answer.await.map_err(|_| self.waiting.reason())
    }
}

/// Who waits for which answer; once the stream is broken, why.
struct PendingCalls(Mutex<Result<HashMap<u64, oneshot::Sender<Answer>>, String>>);

impl PendingCalls {
    fn lock(&self) -> MutexGuard<'_, Result<HashMap<u64, oneshot::Sender<Answer>>, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands an answer over. Nobody may wait for it any more.
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

/// Forgets a question when its caller has gone.
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
    mut requests: mpsc::Receiver<Request>,
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
                Request::Ping { ping: count }
            }
        };
        if let Err(error) = frame::write(&mut writer, &request).await {
            return chain(&error);
        }
    }
}
