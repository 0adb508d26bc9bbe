//! How much memory a peer can make an agent use, measured at the agent's own process.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use sysadm::testing::agent::{PeerQuota, WEIGHT};
use sysadm::testing::paths::Paths;
use sysadm_model::Role;
use sysadm_transport::frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::raw;
use super::site::Site;

/// An agent in a process of its own, in which h1 has role `observe`.
struct Agent {
    child: Child,
    address: std::net::SocketAddr,
}

impl Agent {
    fn start(paths: &Paths) -> Self {
        let settings = "host = \"h2\"\nplatform = \"sim\"\n[roles]\nh1 = \"observe\"\n";
        std::fs::write(paths.config(), settings).unwrap();
        let root = paths.tls_dir().join("../../..");
        let mut command = Command::new(env!("CARGO_BIN_EXE_sysadm"));
        command.args(["agent", "--listen", "127.0.0.1:0"]).env_clear().env("SYSADM_ROOT", root);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let line = BufReader::new(child.stderr.take().unwrap()).lines().next().unwrap().unwrap();
        let address = line.rsplit(' ').next().unwrap().parse().unwrap();
        Self { child, address }
    }

    /// The maximum of its memory, in bytes.
    fn peak(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sixty-four connections with as many large requests, of which the last byte is still to come: what the agent
/// reads of them it holds at the same time. Returns by how much it has grown, and the answers.
async fn grown_by(length: usize) -> (usize, Vec<Value>) {
    let site = Site::new("Example");
    let (here, there) = (site.host("h1"), site.host("h2"));
    let agent = Agent::start(&there);
    let before = agent.peak();
    let text = format!("{{\"id\":1,\"call\":{{\"check\":\"{}\"}}}}", "x".repeat(length - 40));
    let head = u32::try_from(text.len()).unwrap().to_be_bytes();
    let mut lines = Vec::new();
    for _ in 0..64 {
        let mut line = raw::connect(agent.address, &there, Some(&here)).await.unwrap();
        assert_eq!(line.read_u8().await.unwrap(), b'+');
        let hello = json!({"versions": [1], "software": "1", "purpose": "rpc"});
        frame::write(&mut line, &hello).await.unwrap();
        let _: Value = frame::read(&mut line, frame::MAX_HELLO).await.unwrap();
        line.write_all(&head).await.unwrap();
        line.write_all(&text.as_bytes()[..text.len() - 1]).await.unwrap();
        line.flush().await.unwrap();
        lines.push(line);
    }
    let mut replies = Vec::new();
    for line in &mut lines {
        line.write_all(b"}").await.unwrap();
        line.flush().await.unwrap();
        let mut reply: Value = frame::read(line, frame::MAX_FRAME).await.unwrap();
        replies.push(reply["err"].take());
    }
    (agent.peak() - before, replies)
}

/// What connections take by themselves, each with its share of what the process has for all.
const CONNECTIONS: usize = 64 * (128 << 10);

#[tokio::test]
async fn an_observer_makes_the_agent_hold_no_more_than_its_share_on_however_many_connections() {
    let limits = PeerQuota::of(Role::Observe);
    let stated = limits.questions * WEIGHT + CONNECTIONS;
    assert!(stated < 64 << 20);
    let is_refused = |reply: &Value, why: &str| {
        reply["failed"]["reason"]["text"]
            .as_str()
            .is_some_and(|reason| reason.starts_with("failed to begin a question: ") && reason.ends_with(why))
    };
    let is_read = |reply: &Value| {
        reply["unsupported"]["reason"]["text"]
            .as_str()
            .is_some_and(|reason| reason.starts_with("failed to understand the question"))
    };
    let (grown, replies) = grown_by(5 << 20).await;
    assert!(grown <= stated, "64 questions that are too long: {grown} bytes, {stated} are stated");
    let too_long = "it has 4.9M, and one of a host with role 'observe' has 1M at most";
    assert!(replies.iter().all(|reply| is_refused(reply, too_long)), "{replies:?}");

    let (grown, replies) = grown_by(limits.question as usize).await;
    assert!(grown <= stated, "64 questions at their limit: {grown} bytes, {stated} are stated");
    let (read, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| is_read(reply));
    assert!(read.len() >= limits.questions / limits.question as usize, "{replies:?}");
    let no_room = "are open from this host already, and no more than that is read";
    assert!(refused.iter().all(|reply| is_refused(reply, no_room)), "{refused:?}");
}
