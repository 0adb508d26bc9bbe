//! Answers the requests of one RPC stream.
//!
//! Each request is a task of its own, so a long one does not hold up the others; if one panics, only its own
//! outcome is unknown. Pings are answered at once, however many requests are open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::io::AsyncRead;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Peer;
use super::access::{in_its_own_name, must_be_own, not_allowed};
use super::ledger::{PeerQuota, QuotaPermit};
use super::replies::{QueuedReply, reply, write_replies};
use super::token_owners::TokenUse;
use crate::host::{Call, Host, HostError, ProbeTicket};
use crate::model::{Token, format_bytes};
use crate::transport::ByteStream;
use crate::transport::frame::{self, FrameError};
use crate::transport::rpc::{OUTSTANDING, Reply, RpcRequest, SILENCE};

/// Answers until the stream ends, then waits for the open requests to finish.
///
/// # Errors
/// If the stream broke.
pub(super) async fn answer(stream: ByteStream, host: Arc<dyn Host>, peer: &Peer) -> Result<(), FrameError> {
    let (reader, writer) = tokio::io::split(stream);
    let (replies, queue) = mpsc::channel(OUTSTANDING);
    let mut open = OpenRequests::default();
    let end = tokio::select! {
        end = read_requests(reader, &replies, &mut open, &host, peer) => end,
        end = write_replies(writer, queue) => end,
    };
    // Both halves of the stream are closed here, so the client knows at once that no reply will come.
    while open.tasks.join_next().await.is_some() {}
    // Only this task can do it: the client is gone, and a new connection knows nothing of these arrivals.
    for (token, _claim) in open.arrivals {
        let _ = host.close_incoming(token).await;
    }
    for ticket in open.marks.take() {
        let _ = host.clear_markers(ticket).await;
    }
    end
}

/// What a stream has begun and not yet ended.
#[derive(Default)]
struct OpenRequests {
    /// Requests being answered.
    tasks: JoinSet<()>,
    /// Arrivals that were opened and not yet closed.
    arrivals: HashMap<Token, TokenUse>,
    marks: LeftMarks,
}

/// The markers that were left on storage for a client, and not yet removed.
#[derive(Clone, Default)]
struct LeftMarks(Arc<Mutex<Vec<ProbeTicket>>>);

impl LeftMarks {
    fn lock(&self) -> MutexGuard<'_, Vec<ProbeTicket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a call, and records the markers that it leaves or removes.
    async fn noting(&self, host: Arc<dyn Host>, call: Call) -> Result<Value, HostError> {
        let is_export = matches!(call, Call::export { .. });
        if let Call::clear_markers { ticket } = &call {
            self.lock().retain(|left| left != ticket);
        }
        let answer = ask(host, call).await?;
        if is_export && let Ok(ticket) = serde_json::from_value(answer["ticket"].clone()) {
            self.lock().push(ticket);
        }
        Ok(answer)
    }

    fn take(&self) -> Vec<ProbeTicket> {
        std::mem::take(&mut self.lock())
    }
}

impl OpenRequests {
    /// Returns what must be held until the request is answered; an error if its token belongs to another peer.
    fn note(&mut self, call: &Call, peer: &Peer) -> Result<Option<TokenUse>, ()> {
        let (Call::open_incoming { token, .. } | Call::close_incoming { token } | Call::send { token, .. }) =
            call
        else {
            return Ok(None);
        };
        let claim = peer.token_owners.claim(token, &peer.name).ok_or(())?;
        match call {
            Call::open_incoming { .. } => {
                let kept = peer.token_owners.claim(token, &peer.name).ok_or(())?;
                self.arrivals.insert(token.clone(), kept);
            }
            Call::close_incoming { .. } => drop(self.arrivals.remove(token)),
            _ => {}
        }
        Ok(Some(claim))
    }
}

async fn read_requests(
    mut reader: impl AsyncRead + Unpin,
    replies: &mpsc::Sender<QueuedReply>,
    open: &mut OpenRequests,
    host: &Arc<dyn Host>,
    peer: &Peer,
) -> Result<(), FrameError> {
    loop {
        let next = tokio::time::timeout(SILENCE, next(&mut reader, peer)).await;
        let (request, held) = match next {
            Ok(Ok(Received::Request(request, held))) => (request, held),
            Ok(Ok(Received::Refused { id, reason })) => {
                let reason = format!("failed to begin a question: {reason}");
                let error = HostError::permanent(host.name(), reason);
                if replies.send(QueuedReply::small(&reply(id, Err(error)))?).await.is_err() {
                    return Ok(());
                }
                continue;
            }
            Ok(Err(FrameError::Closed)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(elapsed) => return Err(FrameError::Io(elapsed.into())),
        };
        let reply = match request {
            RpcRequest::Ping { ping } => Reply::Pong { pong: ping },
            RpcRequest::Call { id, call } => {
                while open.tasks.try_join_next().is_some() {}
                match admit(call, open, &**host, peer) {
                    Err(error) => reply(id, Err(error)),
                    Ok((call, claim)) => {
                        let (host, replies, peer) = (Arc::clone(host), replies.clone(), peer.clone());
                        let marks = open.marks.clone();
                        open.tasks.spawn(async move {
                            let answer = match must_be_own(&*host, &peer, &call).await {
                                Ok(()) => marks.noting(Arc::clone(&host), call).await,
                                Err(error) => Err(error),
                            };
                            drop(claim);
                            if let Ok(answer) = QueuedReply::of(id, answer, &*host, &peer) {
                                // Fails if the client is gone: then the reply is not needed.
                                let _ = replies.send(answer).await;
                            }
                            drop(held);
                        });
                        continue;
                    }
                }
            }
        };
        if replies.send(QueuedReply::small(&reply)?).await.is_err() {
            return Ok(());
        }
    }
}

/// What was read from the stream.
enum Received {
    /// A request with the memory reserved for it, or a ping.
    Request(RpcRequest, Option<QuotaPermit>),
    /// A request for which there was no memory: it was not read.
    Refused {
        /// The request's number.
        id: u64,
        reason: String,
    },
}

/// A request up to this length is read before memory is reserved for it.
const SMALL: u32 = frame::MAX_HELLO;

/// Reads the next request or ping.
async fn next(reader: &mut (impl AsyncRead + Unpin), peer: &Peer) -> Result<Received, FrameError> {
    let length = frame::head(reader, frame::MAX_FRAME).await?;
    let limit = PeerQuota::of(peer.role).question;
    let room = || peer.ledger.question(&peer.name, peer.role, length as usize);
    let held = match length {
        ..=SMALL => None,
        _ if length > limit => {
            let [length, limit] = [length, limit].map(|bytes| format_bytes(bytes.into()));
            let role = peer.role.as_str();
            Some(Err(format!("it has {length}, and one of a host with role '{role}' has {limit} at most")))
        }
        _ => Some(room()),
    };
    let held = match held {
        Some(Err(reason)) => {
            let id = number_of(&frame::skip(reader, length).await?)?;
            return Ok(Received::Refused { id, reason });
        }
        Some(Ok(held)) => Some(held),
        None => None,
    };
    let text = frame::body(reader, length).await?;
    if is_dense(&text) {
        return Err(malformed("more values than its length allows"));
    }
    let request: RpcRequest = serde_json::from_slice(&text)?;
    match (&request, held) {
        (RpcRequest::Call { id, .. }, None) => match room() {
            Ok(held) => Ok(Received::Request(request, Some(held))),
            Err(reason) => Ok(Received::Refused { id: *id, reason }),
        },
        (_, held) => Ok(Received::Request(request, held)),
    }
}

/// The number of a request of which only the beginning was read. Its sender puts the number there.
fn number_of(beginning: &[u8]) -> Result<u64, FrameError> {
    let text = String::from_utf8_lossy(beginning);
    let after = text.trim_start().strip_prefix('{').and_then(|text| text.trim_start().strip_prefix("\"id\""));
    let digits = after.and_then(|text| text.trim_start().strip_prefix(':')).unwrap_or_default().trim_start();
    let end = digits.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().map_err(|_| malformed("a question whose number is not at its beginning"))
}

fn malformed(what: &'static str) -> FrameError {
    FrameError::Malformed(<serde_json::Error as serde::de::Error>::custom(what))
}

/// Whether a text has so many values that they would take more than [`WEIGHT`](super::ledger::WEIGHT) times its
/// length.
fn is_dense(text: &[u8]) -> bool {
    // A value takes 32 bytes, and as much again in a list that has grown.
    const BYTES_OF_EACH: usize = 4;
    const FREE: usize = 1024;
    let (mut values, mut in_text, mut escaped) = (0, false, false);
    for byte in text {
        match (in_text, byte) {
            (true, b'\\') if !escaped => {
                escaped = true;
                continue;
            }
            (_, b'"') if !escaped => in_text = !in_text,
            (false, b',' | b'[' | b'{' | b':') => values += 1,
            _ => {}
        }
        escaped = false;
    }
    values > FREE + text.len() / BYTES_OF_EACH
}

/// Checks whether this peer may make the request now, and sets its name in the request.
fn admit(
    call: Value,
    open: &mut OpenRequests,
    host: &dyn Host,
    peer: &Peer,
) -> Result<(Call, Option<TokenUse>), HostError> {
    let failed = |what: &str, reason: String| HostError::permanent(host.name(), format!("{what}: {reason}"));
    let mut call: Call = serde_json::from_value(call).map_err(|error| {
        HostError::unsupported(host.name(), format!("failed to understand the question: {error}"))
    })?;
    let begin = format!("failed to begin {}", call.name());
    if let Some(error) = not_allowed(host, peer, call.name(), call.role()) {
        return Err(error);
    }
    if open.tasks.len() >= OUTSTANDING {
        let reason = format!("{OUTSTANDING} questions of this connection are open already");
        return Err(failed(&begin, reason));
    }
    if matches!(call, Call::open_incoming { .. }) && open.arrivals.len() >= OUTSTANDING {
        let reason = format!("{OUTSTANDING} arrivals of this connection are open already");
        return Err(failed(&begin, reason));
    }
    if peer.certified {
        in_its_own_name(&mut call, &peer.name);
    }
    let other = |()| failed(&begin, "the token belongs to a migration of another host".to_owned());
    let claim = open.note(&call, peer).map_err(other)?;
    Ok((call, claim))
}

async fn ask(host: Arc<dyn Host>, call: Call) -> Result<Value, HostError> {
    let name = host.name().to_owned();
    let task = tokio::spawn(async move { call.ask(&*host).await });
    task.await.unwrap_or_else(|error| {
        Err(HostError::NoAnswer {
            host: name,
            reason: format!("its agent crashed during the call: {error}").into(),
        })
    })
}
