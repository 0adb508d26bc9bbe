//! The protocol of a simulated migration: messages of one JSON line each, some followed by bytes that stand for
//! memory.
//!
//! ```text
//!   source                     destination
//!   begin            ───────►
//!                    ◄───────  ready | refused
//!   round + bytes    ───────►
//!   …
//!   [stopped] last + bytes ─►  [whole, held]
//!                    ◄───────  held | refused
//! ```

use std::io::{Error, ErrorKind, Result};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use uuid::Uuid;

use crate::model::Network;

/// Maximum number of real bytes for one round.
pub(super) const PAYLOAD: u64 = 64 << 10;

/// Maximum length of a line.
const LINE: u64 = 16 << 10;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Message {
    /// The zone is to arrive, connected to these networks.
    Begin {
        uuid: Uuid,
        networks: Vec<Network>,
    },
    Ready,
    Refused {
        reason: String,
    },
    /// So many bytes of its memory, represented by `payload` bytes.
    Round {
        bytes: u64,
        payload: u64,
    },
    /// The rest of the memory. The guest has been stopped with this counter.
    Last {
        bytes: u64,
        payload: u64,
        counter: u64,
    },
    /// The zone is complete here, and held.
    Held,
}

/// Sends a message and its payload.
pub(super) async fn write<W: AsyncWrite + Unpin>(stream: &mut W, message: &Message) -> Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    let (Message::Round { payload, .. } | Message::Last { payload, .. }) = message else {
        stream.write_all(&line).await?;
        return stream.flush().await;
    };
    line.resize(line.len() + usize::try_from(*payload).unwrap_or(0), 0x5a);
    stream.write_all(&line).await?;
    stream.flush().await
}

/// Reads a message, and skips its payload.
pub(super) async fn read<R: AsyncBufRead + Unpin>(stream: &mut R) -> Result<Message> {
    let mut line = Vec::new();
    (&mut *stream).take(LINE).read_until(b'\n', &mut line).await?;
    if line.last() != Some(&b'\n') {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let message = serde_json::from_slice(&line)?;
    if let Message::Round { payload, .. } | Message::Last { payload, .. } = message {
        if payload > PAYLOAD {
            return Err(Error::new(ErrorKind::InvalidData, "too many bytes for one round"));
        }
        let read = tokio::io::copy(&mut (&mut *stream).take(payload), &mut tokio::io::sink()).await?;
        if read < payload {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
    }

    fn read_back(bytes: &[u8]) -> (Result<Message>, usize) {
        let mut rest = bytes;
        let read = block_on(read(&mut rest));
        (read, rest.len())
    }

    #[test]
    fn a_message_reads_back_and_one_that_is_cut_anywhere_is_an_error() {
        let message = Message::Last { bytes: 1 << 40, payload: 300, counter: 7 };
        let mut bytes = Vec::new();
        block_on(write(&mut bytes, &message)).unwrap();
        let (read, rest) = read_back(&bytes);
        assert_eq!((read.unwrap(), rest), (message, 0));
        for end in 0..bytes.len() {
            assert!(read_back(&bytes[..end]).0.is_err(), "taken after {end} bytes");
        }
    }

    proptest! {
        #[test]
        fn whatever_arrives_does_not_break_the_reader(bytes: Vec<u8>) {
            let _ = read_back(&bytes);
        }
    }
}
