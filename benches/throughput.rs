//! How fast one stream over SSH is, compared with `ssh` itself: a gibibyte up, down and both ways, with an sshd
//! of its own on the loopback interface. `cargo bench --bench throughput`

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::process::Command;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[allow(dead_code, reason = "the tests need more of it")]
#[path = "../src/transport/ssh/tests/sshd.rs"]
mod sshd;

use sshd::Sshd;
use sysadm_transport::{ByteStream, ssh};

const SIZE: usize = 1 << 30;
const BLOCK: usize = 1 << 20;

fn report(name: &str, start: Instant) {
    let seconds = start.elapsed().max(Duration::from_millis(1)).as_secs_f64();
    println!("{name:<9} {:>6.0} MiB/s", (SIZE >> 20) as f64 / seconds);
}

#[tokio::main]
async fn main() {
    let sshd = Sshd::start("");
    let start = Instant::now();
    let mut stream = dial(&sshd, "cat > /dev/null").await;
    write(&mut stream).await;
    read(&mut stream).await;
    report("up", start);

    let start = Instant::now();
    read(&mut dial(&sshd, &format!("head -c {SIZE} /dev/zero")).await).await;
    report("down", start);

    let start = Instant::now();
    let (mut reader, mut writer) = tokio::io::split(dial(&sshd, "cat").await);
    tokio::join!(write(&mut writer), read(&mut reader));
    report("both", start);

    for (name, command) in [
        ("ssh up", format!("head -c {SIZE} /dev/zero | $SSH 'cat > /dev/null'")),
        ("ssh down", format!("$SSH 'head -c {SIZE} /dev/zero' > /dev/null")),
        ("ssh both", format!("head -c {SIZE} /dev/zero | $SSH cat > /dev/null")),
    ] {
        let start = Instant::now();
        let status = Command::new("sh").arg("-c").arg(command.replace("$SSH", &ssh(&sshd))).status().unwrap();
        assert!(status.success(), "{name} failed");
        report(name, start);
    }
}

async fn dial(sshd: &Sshd, command: &str) -> ByteStream {
    ssh::dial(&sshd.uri(), &sshd::options(command), sshd.surroundings()).await.unwrap()
}

async fn write(stream: &mut (impl AsyncWriteExt + Unpin)) {
    let block = vec![7; BLOCK];
    for _ in 0..SIZE / BLOCK {
        stream.write_all(&block).await.unwrap();
    }
    stream.shutdown().await.unwrap();
}

async fn read(stream: &mut (impl AsyncReadExt + Unpin)) {
    let mut block = vec![0; BLOCK];
    while stream.read(&mut block).await.unwrap() > 0 {}
}

/// The command line of ssh that does the same, with the same cipher.
fn ssh(sshd: &Sshd) -> String {
    format!(
        "ssh -F none -i {0}/.ssh/id_ed25519 -o UserKnownHostsFile={0}/.ssh/known_hosts -o IdentitiesOnly=yes \
         -c aes128-gcm@openssh.com -p {1} 127.0.0.1",
        sshd.folder.path().display(),
        sshd.port
    )
}
