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

/// Not a test: how fast a stream is. `cargo test --release -- --ignored --nocapture throughput`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn throughput() {
    let Some(sshd) = Sshd::start("") else { return };
    let size = 1usize << 30;
    let rate = |time: Duration| (size >> 20) as f64 / time.as_secs_f64();
    // Up only, down only, and what ssh itself does.
    let mut stream = dial(&sshd.uri(), &config("cat > /dev/null"), sshd.surroundings()).await.unwrap();
    let start = Instant::now();
    let block = vec![7; 1 << 20];
    for _ in 0..size >> 20 {
        stream.write_all(&block).await.unwrap();
    }
    stream.shutdown().await.unwrap();
    stream.read(&mut [0]).await.unwrap();
    println!("up:   {:.0} MiB/s", rate(start.elapsed()));
    let mut stream =
        dial(&sshd.uri(), &config(&format!("head -c {size} /dev/zero")), sshd.surroundings()).await.unwrap();
    let start = Instant::now();
    let mut block = vec![7; 1 << 20];
    while stream.read(&mut block).await.unwrap() > 0 {}
    println!("down: {:.0} MiB/s", rate(start.elapsed()));
    println!("both: {:.0} MiB/s", rate(echo(&sshd, size).await));
    for (name, command) in [
        ("ssh up", format!("head -c {size} /dev/zero | $SSH 'cat > /dev/null'")),
        ("ssh down", format!("$SSH 'head -c {size} /dev/zero' > /dev/null")),
        ("ssh both", format!("head -c {size} /dev/zero | $SSH cat > /dev/null")),
    ] {
        let start = Instant::now();
        let ssh = format!(
            "ssh -F none -i {0}/.ssh/id_ed25519 -o UserKnownHostsFile={0}/.ssh/known_hosts -o IdentitiesOnly=yes -c aes128-gcm@openssh.com -p {1} 127.0.0.1",
            sshd.folder.path().display(),
            sshd.port
        );
        assert!(
            std::process::Command::new("sh")
                .arg("-c")
                .arg(command.replace("$SSH", &ssh))
                .status()
                .unwrap()
                .success()
        );
        println!("{name}: {:.0} MiB/s", rate(start.elapsed()));
    }
}
