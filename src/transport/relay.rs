//! Copies bytes between two streams, in both directions.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::copy_bidirectional_with_sizes;
use tokio_util::io::{InspectReader, InspectWriter};

use crate::ByteStream;

/// Guest memory comes in GiBs; a large buffer reduces the number of wake-ups.
const BUFFER: usize = 256 << 10;

/// Copies until both directions have ended. The end of one direction is passed on, and the other continues.
/// Returns the number of bytes from `a` to `b`, and from `b` to `a`.
///
/// # Errors
/// As soon as either stream fails; both are closed then.
pub async fn relay(mut a: ByteStream, mut b: ByteStream) -> io::Result<(u64, u64)> {
    copy_bidirectional_with_sizes(&mut a, &mut b, BUFFER, BUFFER).await
}

/// Like [`relay`]; also adds the bytes of both directions to `passed` as they pass.
pub async fn relay_counted(a: ByteStream, b: ByteStream, passed: Arc<AtomicU64>) -> io::Result<(u64, u64)> {
    let count = |counter: Arc<AtomicU64>| {
        move |bytes: &[u8]| {
            counter.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
    };
    let a = InspectWriter::new(InspectReader::new(a, count(Arc::clone(&passed))), count(passed));
    relay(Box::new(a), b).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn the_end_of_one_direction_leaves_the_other_open() {
        let (mut left, a) = duplex(64);
        let (mut right, b) = duplex(64);
        let passed = Arc::new(AtomicU64::new(0));
        let relay = tokio::spawn(relay_counted(Box::new(a), Box::new(b), Arc::clone(&passed)));

        left.write_all(b"question").await.unwrap();
        left.shutdown().await.unwrap();
        let mut text = String::new();
        right.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "question");

        right.write_all(b"a longer answer").await.unwrap();
        right.shutdown().await.unwrap();
        let mut text = String::new();
        left.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "a longer answer");
        assert_eq!(relay.await.unwrap().unwrap(), (8, 15));
        assert_eq!(passed.load(Ordering::Relaxed), 23);
    }
}
