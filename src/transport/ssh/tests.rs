//! Tests with a real sshd on the loopback interface.

mod reasons;
pub(super) mod sshd;

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use self::sshd::{Sshd, keygen, options};
use super::*;
use crate::hello::{self, Purpose};
use crate::model::Hinted;

async fn refused(sshd: &Sshd) -> DialError {
    dial(&sshd.uri(), &options("cat"), sshd.surroundings()).await.err().expect("a refusal")
}

/// Waits for something that a thread does.
async fn eventually(mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < end, "it never came true");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Sends `size` bytes through a remote `cat` and checks that the same ones come back.
async fn echo(sshd: &Sshd, size: usize) -> Duration {
    let stream = dial(&sshd.uri(), &options("cat"), sshd.surroundings()).await.unwrap();
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
    let sshd = Sshd::start("");
    echo(&sshd, 32 << 20).await;
}

#[tokio::test]
async fn new_session_keys_in_the_middle_disturb_nothing() {
    let sshd = Sshd::start("RekeyLimit 1M");
    echo(&sshd, 24 << 20).await;
}

#[tokio::test]
async fn a_reader_that_takes_its_time_loses_nothing() {
    let sshd = Sshd::start("");
    let size = 24 << 20;
    let command = format!("head -c {size} /dev/zero");
    let mut stream = dial(&sshd.uri(), &options(&command), sshd.surroundings()).await.unwrap();
    let mut first = [1; 4096];
    stream.read_exact(&mut first).await.unwrap();
    // Longer than the time limit of keepalive: if we do not read, that must not count as the peer being dead.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(first.len() + rest.len(), size);
}

#[tokio::test]
async fn a_missing_agent_is_named_with_what_to_do() {
    let sshd = Sshd::start("");
    let config = options("no-such-sysadm agent --stdio");
    let mut stream = dial(&sshd.uri(), &config, sshd.surroundings()).await.unwrap();
    let error = hello::open(&sshd.uri(), &mut stream, Purpose::Rpc).await.unwrap_err();
    assert!(matches!(error, DialError::NoAgent { .. }), "{error}");
    let text = error.to_string();
    for part in ["127.0.0.1", "ended with status 127", "not found", "install sysadm there"] {
        assert!(text.contains(part), "{part:?} is missing: {text}");
    }
    assert!(!text.contains('\n'));
}

#[tokio::test]
async fn what_an_agent_complains_of_is_part_of_the_error_and_what_it_said_before_arrives() {
    let sshd = Sshd::start("");
    let config = options("echo hello; echo bad disk >&2; sleep 0.2; exit 3");
    let mut stream = dial(&sshd.uri(), &config, sshd.surroundings()).await.unwrap();
    let mut text = Vec::new();
    let error = stream.read_to_end(&mut text).await.unwrap_err().to_string();
    assert_eq!(text, b"hello\n");
    assert!(error.contains("ended with status 3 there: bad disk"), "{error}");
}

#[tokio::test]
async fn a_long_complaint_is_cut_and_never_stops_the_stream() {
    let sshd = Sshd::start("");
    let config = options("head -c 9000000 /dev/zero | tr '\\0' x >&2; echo the end >&2; kill -9 $$");
    let mut stream = dial(&sshd.uri(), &config, sshd.surroundings()).await.unwrap();
    let error = stream.read_to_end(&mut Vec::new()).await.unwrap_err().to_string();
    assert!(error.contains("SIGKILL") && error.ends_with("the end") && error.len() < 5000, "{error}");
}

#[tokio::test]
async fn who_drops_a_stream_ends_the_command_there() {
    let sshd = Sshd::start("");
    let (got, done) = (sshd.path("got"), sshd.path("done"));
    let config = options(&format!("cat > {}; touch {}", got.display(), done.display()));
    let mut stream = dial(&sshd.uri(), &config, sshd.surroundings()).await.unwrap();
    stream.write_all(&[7; 300_000]).await.unwrap();
    drop(stream);
    eventually(|| done.exists()).await;
    assert_eq!(fs::read(got).unwrap().len(), 300_000, "what was written before must arrive");
}

#[tokio::test]
async fn an_unknown_host_is_refused_with_its_fingerprint_and_the_command_that_settles_it() {
    let sshd = Sshd::start("");
    sshd.know(&[]);
    let error = refused(&sshd).await;
    assert!(matches!(error, DialError::Identity { .. }), "{error}");
    let print = Command::new("ssh-keygen").arg("-lf").arg(sshd.path("ed25519.pub")).output().unwrap().stdout;
    let print = String::from_utf8(print).unwrap().split(' ').nth(1).unwrap().to_owned();
    let scan = format!("ssh-keyscan -p {} -t ed25519 127.0.0.1 >> ", sshd.port);
    let text = error.to_string();
    assert!(print.starts_with("SHA256:") && text.contains(&print), "{text}");
    let hint = error.hints().concat();
    // The proposed command does solve the problem.
    let command = hint.split("the same: ").nth(1).unwrap();
    assert!(command.contains(&scan), "{hint}");
    assert!(Command::new("sh").arg("-c").arg(command).status().unwrap().success());
    dial(&sshd.uri(), &options("cat"), sshd.surroundings()).await.unwrap();
}

#[tokio::test]
async fn a_changed_key_is_refused_with_both_commands() {
    let sshd = Sshd::start("");
    keygen(&sshd.path("other"), "ed25519", "");
    let other = fs::read_to_string(sshd.path("other.pub")).unwrap();
    let known = sshd.path(".ssh/known_hosts");
    fs::write(&known, format!("# mine\n[127.0.0.1]:{} {other}", sshd.port)).unwrap();
    let error = refused(&sshd).await;
    assert!(matches!(error, DialError::Identity { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("line 2 of") && text.contains("SHA256:"), "{text}");
    let hint = error.hints().concat();
    let (remove, scan) = hint.split_once("explained: ").unwrap().1.split_once(", then: ").unwrap();
    for command in [remove, scan] {
        assert!(Command::new("sh").arg("-c").arg(command).status().unwrap().success(), "{command}");
    }
    dial(&sshd.uri(), &options("cat"), sshd.surroundings()).await.unwrap();
}

#[tokio::test]
async fn a_host_of_which_any_one_type_of_key_is_known_is_known() {
    let sshd = Sshd::start("");
    for kind in ["rsa", "ecdsa", "ed25519"] {
        sshd.know(&[kind]);
        dial(&sshd.uri(), &options("cat"), sshd.surroundings()).await.unwrap();
    }
}

#[tokio::test]
async fn a_hashed_known_hosts_is_read() {
    let sshd = Sshd::start("");
    let known = sshd.path(".ssh/known_hosts");
    let hashed = Command::new("ssh-keygen").args(["-q", "-H", "-f"]).arg(&known).output().unwrap();
    assert!(hashed.status.success() && fs::read_to_string(&known).unwrap().starts_with("|1|"));
    dial(&sshd.uri(), &options("cat"), sshd.surroundings()).await.unwrap();
}

#[tokio::test]
async fn a_key_that_is_not_let_in_is_named_and_one_with_a_passphrase_too() {
    let sshd = Sshd::start("");
    fs::write(sshd.path("authorized_keys"), "").unwrap();
    keygen(&sshd.path(".ssh/id_ecdsa"), "ecdsa", "secret");
    keygen(&sshd.path(".ssh/id_rsa"), "rsa", "secret");
    // The other format of private keys.
    let mut pem = Command::new("ssh-keygen");
    pem.args(["-q", "-p", "-m", "PEM", "-P", "secret", "-N", "secret", "-f"]).arg(sshd.path(".ssh/id_rsa"));
    assert!(pem.stdout(std::process::Stdio::null()).status().unwrap().success());
    let error = refused(&sshd).await;
    assert!(matches!(error, DialError::Login { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("id_ed25519,"), "{text}");
    assert!(error.hints().concat().contains("authorized_keys there"), "{text}");
    assert!(
        text.contains("id_ecdsa (has a passphrase") && text.contains("id_rsa (has a passphrase"),
        "{text}"
    );
}

#[tokio::test]
async fn a_server_that_takes_no_keys_says_what_it_takes() {
    let sshd = Sshd::start("PubkeyAuthentication no\nPasswordAuthentication yes");
    let error = refused(&sshd).await;
    assert!(matches!(error, DialError::Login { .. }), "{error}");
    assert!(error.to_string().contains("it accepts only password"), "{error}");
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn every_key_of_the_agent_is_tried() {
    let sshd = Sshd::start("");
    let socket = sshd.path("agent");
    let mut agent = Command::new("ssh-agent");
    agent.arg("-D").arg("-a").arg(&socket).stdout(std::process::Stdio::null());
    let _agent = Killed(agent.spawn().unwrap());
    eventually(|| socket.exists()).await;
    for name in ["one", "two", "three"] {
        keygen(&sshd.path(name), "ed25519", "");
        let add =
            Command::new("ssh-add").arg("-q").arg(sshd.path(name)).env("SSH_AUTH_SOCK", &socket).status();
        assert!(add.unwrap().success());
    }
    fs::copy(sshd.path("three.pub"), sshd.path("authorized_keys")).unwrap();
    fs::remove_file(sshd.path(".ssh/id_ed25519")).unwrap();
    let mut surroundings = sshd.surroundings();
    surroundings.agent = Some(socket);
    dial(&sshd.uri(), &options("cat"), surroundings).await.unwrap();
}

#[tokio::test]
async fn an_agent_that_is_gone_does_not_matter_when_a_file_will_do() {
    let sshd = Sshd::start("");
    let mut surroundings = sshd.surroundings();
    surroundings.agent = Some(sshd.path("nobody"));
    dial(&sshd.uri(), &options("cat"), surroundings.clone()).await.unwrap();
    fs::write(sshd.path("authorized_keys"), "").unwrap();
    let error = dial(&sshd.uri(), &options("cat"), surroundings).await.err().unwrap().to_string();
    assert!(error.contains("no ssh-agent at"), "{error}");
}

#[tokio::test]
async fn a_closed_port_and_a_silent_one_are_told_apart() {
    let sshd = Sshd::start("");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri: HostUri = format!("ssh://{}", listener.local_addr().unwrap()).parse().unwrap();
    let mut config = options("cat");
    config.connect.timeout = 1;
    let error = dial(&uri, &config, sshd.surroundings()).await.err().unwrap();
    assert!(matches!(error, DialError::Timeout { seconds: 1, .. }), "{error}");
    drop(listener);
    let error = dial(&uri, &config, sshd.surroundings()).await.err().unwrap();
    let DialError::Connect { source, .. } = &error else { panic!("{error}") };
    assert_eq!(source.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_line_that_is_cut_is_noticed_in_seconds() {
    let sshd = Sshd::start("");
    let mut stream = dial(&sshd.uri(), &options("cat"), sshd.surroundings()).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    stream.read_exact(&mut [0]).await.unwrap();
    // An idle connection that is alive stays open longer than the time limit.
    let idle = tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut [0])).await;
    assert!(idle.is_err(), "{idle:?}");
    sshd.signal(Signal::STOP);
    let start = Instant::now();
    let error = stream.read_exact(&mut [0]).await.unwrap_err();
    sshd.signal(Signal::CONT);
    assert!(error.to_string().contains("no sign of life"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_line_that_is_cut_while_it_is_full_is_noticed_as_well() {
    let sshd = Sshd::start("");
    let mut stream = dial(&sshd.uri(), &options("cat > /dev/null"), sshd.surroundings()).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    sshd.signal(Signal::STOP);
    let start = Instant::now();
    let block = vec![0; 1 << 20];
    let error = loop {
        if let Err(error) = stream.write_all(&block).await {
            break error;
        }
        assert!(start.elapsed() < Duration::from_secs(20));
    };
    sshd.signal(Signal::CONT);
    assert!(error.to_string().contains("no sign of life"), "{error}");
}

#[tokio::test]
async fn a_server_that_dies_ends_the_stream_with_an_error() {
    let sshd = Sshd::start("");
    let mut stream = dial(&sshd.uri(), &options("cat"), sshd.surroundings()).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    stream.read_exact(&mut [0]).await.unwrap();
    sshd.signal(Signal::KILL);
    let error = stream.read_exact(&mut [0]).await.unwrap_err();
    assert!(error.to_string().contains("the SSH connection broke"), "{error}");
}
