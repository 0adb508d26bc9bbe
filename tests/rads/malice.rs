//! Peers with a valid certificate that violate the protocol: each harms only its own connection.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sysadm::testing::host::{Host, Remote};
use sysadm::testing::paths::Paths;
use sysadm_transport::frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::raw;
use super::site::{Agent, Site, config, dialer};

type Line = TlsStream<TcpStream>;

/// A peer that was admitted and has said hello.
async fn greeted(agent: &Agent, there: &Paths, here: &Paths) -> Line {
    let mut stream = raw::connect(agent.address, there, Some(here)).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'+');
    let hello = json!({"versions": [1], "software": "1", "purpose": "rpc"});
    frame::write(&mut stream, &hello).await.unwrap();
    let welcome: Value = frame::read(&mut stream, frame::MAX_HELLO).await.unwrap();
    assert_eq!(welcome["chosen"]["version"], 1);
    stream
}

async fn ask(stream: &mut Line, call: Value) -> Value {
    frame::write(stream, &json!({"id": 1, "call": call})).await.unwrap();
    frame::read(stream, frame::MAX_FRAME).await.unwrap()
}

async fn works(agent: &Agent, site: &Site, name: &str) {
    let remote = Remote::connect(agent.uri(), dialer(&site.host(name))).await.unwrap();
    remote.facts().await.unwrap();
}

#[tokio::test]
async fn frames_that_are_too_large_cut_off_or_not_understood_end_that_connection_only() {
    let site = Site::new("Example");
    let (here, there) = (site.host("h1"), site.host("h2"));
    let agent = Agent::start(&there, config(|_| {})).await;
    let deep = [b"\0\x01\x86\xa0".as_slice(), &[b'['; 100_000]].concat();
    let cases: [&[u8]; 8] = [
        &[0xff, 0xff, 0xff, 0xff, b'{'],
        &[1, 0, 0, 1, b'{'],
        b"\0\0\0\x02{",
        b"\0\0\0\x00",
        b"\0\0\0\x02{}",
        b"\0\0\0\x04\xff\xfe\0\0",
        b"\0\0\0\x0e{\"ping\":-1e99}",
        &deep,
    ];
    for bytes in cases {
        let mut stream = greeted(&agent, &there, &here).await;
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert_eq!(answer, b"", "{:?}", &bytes[..bytes.len().min(20)]);
    }
    works(&agent, &site, "h4").await;
}

#[tokio::test]
async fn questions_with_impossible_names_tokens_and_numbers_are_refused_in_clear_words() {
    let site = Site::new("Example");
    let (here, there) = (site.host("h1"), site.host("h2"));
    let agent = Agent::start(&there, config(|_| {})).await;
    let mut stream = greeted(&agent, &there, &here).await;
    let zone = |name: &str| json!({"manifest": {"zone": name}});
    let token = |token: &str| json!({"close_incoming": {"token": token}});
    for (call, words) in [
        (zone("../x"), "'/' is not allowed in a zone name"),
        (zone("%2E%2E%2Fx"), "'/' is not allowed in a zone name"),
        (zone("a%00"), "'\\0' is not allowed in a zone name"),
        (zone("%61"), "\"%61\" is not in its canonical form, a"),
        (zone("a;b"), "\"a;b\" is not in its canonical form, a%3Bb"),
        (zone("-rf"), "\"-rf\" is not in its canonical form, %2Drf"),
        (zone(&"x".repeat(300)), "zone name is 300 bytes long; the maximum is 247"),
        (zone("a\u{1b}[2J"), "'\\u{1b}' is not allowed in a zone name"),
        (zone("wеb"), "is not in its canonical form, w%D0%B5b"),
        (zone(""), "a zone name cannot be empty"),
        (token("../../etc/passwd"), "a migration token is 32 hexadecimal digits"),
        (token(&"../".repeat(11)[..32]), "a migration token is 32 hexadecimal digits"),
        (token(""), "a migration token is 32 hexadecimal digits"),
        (json!({"release": {"zone": "a", "uuid": "../x"}}), "UUID"),
        (json!({"set_autostart": {"zone": "a", "autostart": "yes"}}), "expected a boolean"),
        (json!({"run": {"command": "rm -rf /"}}), "unknown variant `run`"),
        (json!(7), "failed to understand the question"),
    ] {
        let reply = ask(&mut stream, call.clone()).await;
        let said = reply["err"]["unsupported"]["reason"]["text"].as_str().unwrap();
        assert!(said.contains("failed to understand the question") && said.contains(words), "{call}: {said}");
        assert!(!said.chars().any(char::is_control), "{said:?}");
    }
    // The connection still works.
    assert_eq!(ask(&mut stream, json!({"facts": {}})).await["ok"]["host"], "fake");
}

#[tokio::test]
async fn a_stream_with_a_token_that_is_a_path_is_refused() {
    let site = Site::new("Example");
    let (here, there) = (site.host("h1"), site.host("h2"));
    let agent = Agent::start(&there, config(|_| {})).await;
    for (purpose, token) in [("connect", "../../../run/libvirt"), ("listen", "/tmp/x"), ("connect", "a")] {
        let mut stream = raw::connect(agent.address, &there, Some(&here)).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'+');
        let purpose = json!({purpose: {"token": token, "stream": "control"}});
        let hello = json!({"versions": [1], "software": "1", "purpose": purpose});
        frame::write(&mut stream, &hello).await.unwrap();
        let welcome: Value = frame::read(&mut stream, frame::MAX_HELLO).await.unwrap();
        let said = welcome["refused"]["reason"].as_str().unwrap();
        assert!(said.contains("32 hexadecimal digits"), "{said}");
    }
}

#[tokio::test]
async fn peers_that_send_one_byte_at_a_time_hold_nobody_up_and_are_sent_away() {
    let site = Site::new("Example");
    let (here, there) = (site.host("h1"), site.host("h2"));
    let agent = Agent::start(&there, config(|_| {})).await;
    let began = Instant::now();
    let mut drips = tokio::task::JoinSet::new();
    for certified in (0..20).map(|n| n % 2 == 0) {
        let (address, here, there) = (agent.address, here.clone(), there.clone());
        drips.spawn(async move {
            // A hello of 4096 bytes, or a TLS record of 16384, of which one byte comes at a time.
            let mut line: Box<dyn sysadm_transport::Duplex> = if certified {
                let mut stream = raw::connect(address, &there, Some(&here)).await.unwrap();
                stream.write_all(&[0, 0, 0x10, 0, b'{']).await.unwrap();
                Box::new(stream)
            } else {
                let mut tcp = TcpStream::connect(address).await.unwrap();
                tcp.write_all(&[0x16, 3, 1, 0x40, 0]).await.unwrap();
                Box::new(tcp)
            };
            let (mut reader, mut writer) = tokio::io::split(&mut line);
            let drip = async {
                while writer.write_all(b" ").await.is_ok() && writer.flush().await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            };
            let end = async { while matches!(reader.read(&mut [0; 64]).await, Ok(1..)) {} };
            tokio::select! {
                () = drip => {}
                () = end => {}
            }
        });
    }
    works(&agent, &site, "h4").await;
    assert!(began.elapsed() < Duration::from_secs(5));
    while let Some(ended) = drips.join_next().await {
        ended.unwrap();
    }
    assert!(began.elapsed() < Duration::from_secs(15));
    agent.logged("it did not finish the TLS handshake within 10 s").await;
    agent.logged("h1 said no hello within 10 s").await;
}

#[tokio::test]
async fn one_address_gets_no_more_than_half_of_the_doors_and_others_come_in_at_once() {
    let site = Site::new("Example");
    let agent = Agent::start(&site.host("h2"), config(|_| {})).await;
    let mut silent = Vec::new();
    let flood = async {
        for _ in 0..400 {
            silent.push(TcpStream::connect(agent.address).await.unwrap());
        }
    };
    flood.await;
    agent.logged("too many there show no certificate").await;
    let began = Instant::now();
    // The same host from another of its addresses, as another host would come.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let tcp = socket.connect(agent.address).await.unwrap();
    let mut stream = raw::connect_over(tcp, agent.address, &site.host("h3"), &site.host("h4")).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'+');
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn one_peer_gets_no_more_than_three_quarters_of_the_connections() {
    let site = Site::new("Example");
    let (here, there) = (site.host("h1"), site.host("h2"));
    let agent = Agent::start(&there, config(|config| config.agent.connections = 4)).await;
    let mut greedy = Vec::new();
    for _ in 0..3 {
        greedy.push(greeted(&agent, &there, &here).await);
    }
    let mut refused = raw::connect(agent.address, &there, Some(&here)).await.unwrap();
    assert_eq!(refused.read_u8().await.unwrap(), b'-');
    agent.logged("or its share of them").await;
    works(&agent, &site, "h4").await;
}

#[tokio::test]
async fn what_a_peer_calls_its_software_does_not_break_the_log() {
    let site = Site::new("Example");
    let (here, there) = (site.host("h1"), site.host("h2"));
    let agent = Agent::start(&there, config(|_| {})).await;
    let mut stream = raw::connect(agent.address, &there, Some(&here)).await.unwrap();
    let hello = json!({"versions": [9], "software": "1\nsysadm: refused nobody\u{1b}[2J", "purpose": "rpc"});
    frame::write(&mut stream, &hello).await.unwrap();
    let line = agent.logged("speaks no protocol version").await;
    assert!(!line.chars().any(char::is_control), "{line:?}");
}
