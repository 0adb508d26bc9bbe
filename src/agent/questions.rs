//! Answers the questions of one RPC stream.
//!
//! Each question is a task of its own, so a long one holds no other up; a panic in one is an unknown outcome
//! of that one. Pings are answered at once, however much is being asked.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Peer;
use super::claims::Claim;
use crate::host::{ByteStream, Call, Deed, Host, HostError, Named, Role, Standing, Token};
use crate::model::{Blocker, BlockerKind};
use crate::transport::frame::{self, FrameError};
use crate::transport::rpc::{OUTSTANDING, Reply, Request, SILENCE};

/// Answers until the stream ends, then lets the open questions finish.
///
/// # Errors
/// If the stream broke.
pub(super) async fn answer(stream: ByteStream, host: Arc<dyn Host>, peer: &Peer) -> Result<(), FrameError> {
    let (reader, writer) = tokio::io::split(stream);
    let (replies, queue) = mpsc::channel(OUTSTANDING);
    let mut open = Open::default();
    let end = tokio::select! {
        end = read_requests(reader, &replies, &mut open, &host, peer) => end,
        end = write_replies(writer, queue) => end,
    };
    // Both halves of the stream are closed here, so the client knows at once that no answer will come.
    while open.tasks.join_next().await.is_some() {}
    // Nobody else will: a client whose line broke is gone, and a new connection knows nothing of these.
    for (token, _claim) in open.arrivals {
        let _ = host.close_arrival(token).await;
    }
    end
}

/// What a stream has begun and not ended.
#[derive(Default)]
struct Open {
    /// Questions that are being answered.
    tasks: JoinSet<()>,
    /// Arrivals that were opened and not closed.
    arrivals: HashMap<Token, Claim>,
}

impl Open {
    /// Gives what must be held until a question is answered; an error if its token belongs to another peer.
    fn note(&mut self, call: &Call, peer: &Peer) -> Result<Option<Claim>, ()> {
        let (Call::open_arrival { token, .. } | Call::close_arrival { token } | Call::send { token, .. }) =
            call
        else {
            return Ok(None);
        };
        let claim = peer.claims.claim(token, &peer.name).ok_or(())?;
        match call {
            Call::open_arrival { .. } => {
                let kept = peer.claims.claim(token, &peer.name).ok_or(())?;
                self.arrivals.insert(token.clone(), kept);
            }
            Call::close_arrival { .. } => drop(self.arrivals.remove(token)),
            _ => {}
        }
        Ok(Some(claim))
    }
}

/// The refusal, if `peer` may not do what needs `role`.
pub(super) fn not_allowed(host: &dyn Host, peer: &Peer, call: &str, role: Role) -> Option<HostError> {
    (role > peer.role).then(|| HostError::NotAllowed {
        host: host.name().to_owned(),
        peer: peer.name.clone(),
        call: call.to_owned(),
        role: role.as_str().to_owned(),
    })
}

async fn read_requests(
    mut reader: impl AsyncRead + Unpin,
    replies: &mpsc::Sender<Reply>,
    open: &mut Open,
    host: &Arc<dyn Host>,
    peer: &Peer,
) -> Result<(), FrameError> {
    loop {
        let request = match tokio::time::timeout(SILENCE, frame::read(&mut reader, frame::MAX_FRAME)).await {
            Ok(Ok(request)) => request,
            Ok(Err(FrameError::Closed)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(elapsed) => return Err(FrameError::Io(elapsed.into())),
        };
        let reply = match request {
            Request::Ping { ping } => Reply::Pong { pong: ping },
            Request::Call { id, call } => {
                while open.tasks.try_join_next().is_some() {}
                match admit(call, open, &**host, peer) {
                    Err(error) => reply(id, Err(error)),
                    Ok((call, claim)) => {
                        let (host, replies, peer) = (Arc::clone(host), replies.clone(), peer.clone());
                        open.tasks.spawn(async move {
                            let answer = match own(&*host, &peer, &call).await {
                                Ok(()) => ask(host, call).await,
                                Err(error) => Err(error),
                            };
                            drop(claim);
                            // Fails when the client has gone: then nobody wants to know.
                            let _ = replies.send(reply(id, answer)).await;
                        });
                        continue;
                    }
                }
            }
        };
        if replies.send(reply).await.is_err() {
            return Ok(());
        }
    }
}

async fn write_replies(
    mut writer: impl AsyncWrite + Unpin,
    mut queue: mpsc::Receiver<Reply>,
) -> Result<(), FrameError> {
    while let Some(reply) = queue.recv().await {
        match (frame::write(&mut writer, &reply).await, reply) {
            (Ok(()), _) => {}
            // Nothing of it has been written, so the stream is as good as before.
            (Err(error @ FrameError::TooLarge { .. }), Reply::Ok { id, .. }) => {
                let error = HostError::NoAnswer { host: "the agent".to_owned(), reason: error.to_string() };
                frame::write(&mut writer, &self::reply(id, Err(error))).await?;
            }
            (Err(error), _) => return Err(error),
        }
    }
    Ok(())
}

/// A question that may be asked now by this peer, in the peer's own name.
fn admit(
    call: Value,
    open: &mut Open,
    host: &dyn Host,
    peer: &Peer,
) -> Result<(Call, Option<Claim>), HostError> {
    let failed = |what: &str, reason: String| HostError::Failed {
        host: host.name().to_owned(),
        reason: format!("{what}: {reason}"),
    };
    let mut call: Call =
        serde_json::from_value(call).map_err(|error| HostError::not_understood(host.name(), &error))?;
    let begin = format!("failed to begin {}", call.name());
    if let Some(error) = not_allowed(host, peer, call.name(), call.role()) {
        return Err(error);
    }
    if open.tasks.len() >= OUTSTANDING {
        let reason = format!("{OUTSTANDING} questions of this connection are open already");
        return Err(failed(&begin, reason));
    }
    if peer.certified {
        in_its_own_name(&mut call, &peer.name);
    }
    let other = |()| failed(&begin, "the token belongs to a migration of another host".to_owned());
    let claim = open.note(&call, peer).map_err(other)?;
    Ok((call, claim))
}

/// A peer that has proved who it is speaks for nobody else.
fn in_its_own_name(call: &mut Call, name: &str) {
    match call {
        Call::check { arrival } | Call::reserve { arrival, .. } => arrival.from = name.to_owned(),
        Call::leave_standby { standby } => standby.origin = name.to_owned(),
        Call::withdraw_standby { origin, .. } => *origin = name.to_owned(),
        _ => {}
    }
}

/// Refuses what may be done with a peer's own zones only, if the zone is not its own.
async fn own(host: &dyn Host, peer: &Peer, call: &Call) -> Result<(), HostError> {
    let deed = Deed::of(call);
    if deed == Deed::Look || peer.role == Role::Admin {
        return Ok(());
    }
    let Standing { relation, reason } = host.standing(&peer.name, &Named::by(call)).await?;
    if deed.is_allowed(relation) {
        return Ok(());
    }
    if let Call::reserve { arrival, .. } = call {
        // Asked whether a zone may come, a host says what is against it.
        let blockers = vec![Blocker::new(BlockerKind::Identity, reason)];
        let zone = arrival.manifest.zone.name.clone();
        return Err(HostError::Refused { host: host.name().to_owned(), zone, blockers });
    }
    let (host, peer, call) = (host.name().to_owned(), peer.name.clone(), call.name().to_owned());
    Err(HostError::NotItsOwn { host, peer, call, reason })
}

async fn ask(host: Arc<dyn Host>, call: Call) -> Result<Value, HostError> {
    let name = host.name().to_owned();
    let task = tokio::spawn(async move { call.ask(&*host).await });
    task.await.unwrap_or_else(|error| {
        Err(HostError::NoAnswer { host: name, reason: format!("its agent failed within the call: {error}") })
    })
}

fn reply(id: u64, answer: Result<Value, HostError>) -> Reply {
    match answer {
        Ok(ok) => Reply::Ok { id, ok },
        Err(error) => {
            let err = serde_json::to_value(&error).unwrap_or_else(|_| Value::String(error.to_string()));
            Reply::Err { id, err }
        }
    }
}
