//! What a peer can make an agent hold, measured at the agent's own process.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use sysadm::testing::agent::{Limits, WEIGHT};
use sysadm::testing::paths::Paths;
use sysadm::testing::transport::frame;
use sysadm_model::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::raw;
use super::site::Site;

/// An agent in a process of its own, in which h1 only looks.
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

    /// The most memory that it had, in bytes.
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

/// Sixty-four connections with as many large questions, of which the last byte is still to come: whatever the agent
/// reads of them it holds at the same time. Gives by how much it has grown.
async fn grown_by(length: usize) -> usize {
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
    for line in &mut lines {
        line.write_all(b"}").await.unwrap();
        line.flush().await.unwrap();
        let reply: Value = frame::read(line, frame::MAX_FRAME).await.unwrap();
        // Refused as too long or too much, or as nothing that the agent can be asked.
        let has_reason = |kind: &str| reply["err"][kind]["reason"].is_string();
        assert!(has_reason("failed") || has_reason("unsupported"), "{reply}");
    }
    agent.peak() - before
}

/// What connections take by themselves, each with its share of what the process has for all.
const CONNECTIONS: usize = 64 * (128 << 10);

#[tokio::test]
async fn an_observer_makes_the_agent_hold_no_more_than_its_share_on_however_many_connections() {
    let limits = Limits::of(Role::Observe);
    let stated = limits.questions * WEIGHT + CONNECTIONS;
    assert!(stated < 64 << 20);
    // Longer than it may be; each at its limit.
    for length in [4 << 20, limits.question as usize] {
        let grown = grown_by(length).await;
        assert!(grown <= stated, "64 questions of {length} bytes: {grown} bytes, {stated} are stated");
    }
}
