//! Against a real sshd on the loopback interface.

mod sshd;

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use self::sshd::{Sshd, config};
use super::*;

/// Sends `size` bytes through a far `cat` and checks that the same ones come back.
async fn echo(sshd: &Sshd, size: usize) -> Duration {
    let stream = dial(&sshd.uri(), &config("cat"), sshd.surroundings()).await.unwrap();
    let start = Instant::now();
    let (mut reader, mut writer) = tokio::io::split(stream);
    let block = |number: usize| {
        (0..1 << 20).map(|at: usize| (number * 31 + at * 7 + (at >> 9)) as u8).collect::<Vec<_>>()
    };
    let blocks = size >> 20;
    let sender = tokio::spawn(async move {
        for number in 0..blocks {
            writer.write_all(&block(number)).await.unwrap();
        }
        writer.shutdown().await.unwrap();
    });
    let mut got = vec![0; 1 << 20];
    for number in 0..blocks {
        reader.read_exact(&mut got).await.unwrap();
        assert!(got == block(number), "block {number} differs");
    }
    assert_eq!(reader.read(&mut got).await.unwrap(), 0, "more came back than was sent");
    sender.await.unwrap();
    start.elapsed()
}

#[tokio::test]
async fn what_is_sent_comes_back_and_each_direction_ends_by_itself() {
    let Some(sshd) = Sshd::start("") else { return };
    echo(&sshd, 32 << 20).await;
}
