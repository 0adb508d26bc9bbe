//! The replies of one RPC stream, with the memory that they take.

use serde_json::Value;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use super::Peer;
use super::ledger::QuotaPermit;
use crate::host::{Host, HostError};
use crate::transport::frame::{self, FrameError};
use crate::transport::rpc::{Reply, SILENCE};

/// A reply to be sent, with the memory reserved for it.
#[derive(Debug)]
pub(super) struct QueuedReply {
    frame: Vec<u8>,
    _held: Option<QuotaPermit>,
}

impl QueuedReply {
    /// A reply that needs hardly any memory.
    pub fn small(reply: &Reply) -> Result<Self, FrameError> {
        Ok(Self { frame: frame::encode(reply)?, _held: None })
    }

    /// The reply of a host; if there is no memory for it, an error.
    pub fn of(
        id: u64,
        answer: Result<Value, HostError>,
        host: &dyn Host,
        peer: &Peer,
    ) -> Result<Self, FrameError> {
        let no_answer = |reason: String| {
            let error = HostError::NoAnswer { host: host.name().to_owned(), reason: reason.into() };
            Self::small(&reply(id, Err(error)))
        };
        let frame = match frame::encode(&reply(id, answer)) {
            Err(error @ FrameError::TooLarge { .. }) => return no_answer(error.to_string()),
            frame => frame?,
        };
        match peer.ledger.answer(&peer.name, peer.role, frame.len()) {
            Ok(held) => Ok(Self { frame, _held: Some(held) }),
            Err(reason) => no_answer(reason),
        }
    }
}

/// Sends replies. A peer that does not read them for a while is disconnected.
pub(super) async fn write_replies(
    mut writer: impl AsyncWrite + Unpin,
    mut queue: mpsc::Receiver<QueuedReply>,
) -> Result<(), FrameError> {
    const CHUNK: usize = 64 << 10;
    while let Some(answer) = queue.recv().await {
        for chunk in answer.frame.chunks(CHUNK) {
            let written = tokio::time::timeout(SILENCE, writer.write_all(chunk)).await;
            written.map_err(|elapsed| FrameError::Io(elapsed.into()))??;
        }
        let flushed = tokio::time::timeout(SILENCE, writer.flush()).await;
        flushed.map_err(|elapsed| FrameError::Io(elapsed.into()))??;
    }
    Ok(())
}

pub(super) fn reply(id: u64, answer: Result<Value, HostError>) -> Reply {
    match answer {
        Ok(ok) => Reply::Ok { id, ok },
        Err(error) => {
            let err = serde_json::to_value(&error).unwrap_or_else(|_| Value::String(error.to_string()));
            Reply::Err { id, err }
        }
    }
}
