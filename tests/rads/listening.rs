//! The side that is connected to: it gives nothing to peers without access, and survives them.

use std::time::{Duration, Instant};

use sysadm::testing::agent::listen::Listener;
use sysadm::testing::host::{Host, HostError, Remote};
use sysadm_model::Millis;
use sysadm_model::{Role, StreamId, Token, chain};
use sysadm_transport::{DialError, cert};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::raw;
use super::site::{Agent, DAY, Site, config, copy, dialer};

async fn works(agent: &Agent, site: &Site, name: &str) {
    let remote = Remote::connect(agent.uri(), dialer(&site.host(name))).await.unwrap();
    remote.facts().await.unwrap();
}

#[tokio::test]
async fn a_peer_without_a_certificate_gets_nothing() {
    let site = Site::new("Example");
    let there = site.host("h2");
    let agent = Agent::start(&there, config(|_| {})).await;
    let (bytes, end) = raw::heard(raw::connect(agent.address, &there, None).await).await;
    assert_eq!(bytes, b"");
    assert!(end.unwrap().to_string().contains("CertificateRequired"));
    let line = agent.logged("it showed no certificate").await;
    assert!(line.starts_with("refused 127.0.0.1:"), "{line}");
    works(&agent, &site, "h1").await;
}

#[tokio::test]
async fn a_peer_with_a_bad_certificate_gets_nothing() {
    let (site, elsewhere) = (Site::new("Example"), Site::new("Elsewhere"));
    let there = site.host("h2");
    let agent = Agent::start(&there, config(|_| {})).await;
    let old = site.host_at("old", Millis(Millis::now().0 - 40 * DAY as i64), 30);
    let young = site.host_at("young", Millis::now().after(3 * DAY), 30);
    let cases = [
        (elsewhere.host("h9"), "its certificate is not signed by the authority in"),
        (old, "its certificate expired on"),
        (young, "its certificate is valid only from"),
    ];
    for (showing, words) in cases {
        let (bytes, end) = raw::heard(raw::connect(agent.address, &there, Some(&showing)).await).await;
        assert_eq!(bytes, b"", "{words}");
        assert!(end.is_some(), "{words}");
        agent.logged(words).await;
    }
    works(&agent, &site, "h1").await;
}

#[tokio::test]
async fn a_peer_without_tls_gets_at_most_an_alert() {
    let site = Site::new("Example");
    let agent = Agent::start(&site.host("h2"), config(|_| {})).await;
    let hello = br#"{"versions":[1],"software":"1","purpose":"rpc"}"#;
    let framed = [&[0, 0, 0, hello.len() as u8], hello.as_slice()].concat();
    for words in
        [framed.as_slice(), b"GET / HTTP/1.0\r\n\r\n", &[0x16, 3, 1, 0xff, 0xff, 1, 2, 3], &[0; 70_000]]
    {
        let mut tcp = TcpStream::connect(agent.address).await.unwrap();
        let _ = tcp.write_all(words).await;
        let _ = tcp.shutdown().await;
        let mut bytes = Vec::new();
        // The end may be a reset, because the agent does not read what it does not want.
        let _ = tcp.read_to_end(&mut bytes).await;
        let alert = bytes.len() == 7 && bytes[0] == 0x15;
        assert!(bytes.is_empty() || alert, "{bytes:?}");
    }
    agent.logged("it does not speak TLS").await;
    works(&agent, &site, "h1").await;
}

#[tokio::test]
async fn peers_that_say_nothing_are_sent_away_and_hold_nobody_up() {
    let site = Site::new("Example");
    let agent = Agent::start(&site.host("h2"), config(|config| config.agent.connections = 2)).await;
    let began = Instant::now();
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(agent.address).await.unwrap());
    }
    works(&agent, &site, "h1").await;
    assert!(began.elapsed() < Duration::from_secs(5));
    for mut tcp in silent {
        let mut bytes = Vec::new();
        let _ = tcp.read_to_end(&mut bytes).await;
        assert_eq!(bytes, b"");
    }
    assert!(began.elapsed() < Duration::from_secs(15));
    agent.logged("it did not finish the TLS handshake within 10 s").await;
}

#[tokio::test]
async fn many_peers_are_served_at_the_same_time() {
    let site = Site::new("Example");
    let agent = Agent::start(&site.host("h2"), config(|_| {})).await;
    let dialer = dialer(&site.host("h1"));
    let mut remotes = Vec::new();
    for _ in 0..100 {
        remotes.push(Remote::connect(agent.uri(), dialer.clone()).await.unwrap());
    }
    for remote in &remotes {
        remote.facts().await.unwrap();
    }
}

#[tokio::test]
async fn one_connection_too_many_is_told_why_and_the_next_after_an_end_is_served() {
    let site = Site::new("Example");
    let agent = Agent::start(&site.host("h2"), config(|config| config.agent.connections = 1)).await;
    let here = site.host("h1");
    let first = Remote::connect(agent.uri(), dialer(&here)).await.unwrap();
    let error = dialer(&here).dial(&agent.uri()).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, DialError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("agent.connections"), "{error}");
    agent.logged("refused h1 (127.0.0.1:").await;
    drop(first);
    let began = Instant::now();
    while dialer(&here).dial(&agent.uri()).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "the place is not given back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_a_peer_may_do_follows_from_the_name_in_its_certificate() {
    let site = Site::new("Example");
    let roles = [("H1.example.com".to_owned(), Role::Observe), ("h3".to_owned(), Role::Admin)];
    let agent = Agent::start(&site.host("h2"), config(|config| config.roles = roles.into())).await;
    let observer = Remote::connect(agent.uri(), dialer(&site.host("h1.example.com"))).await.unwrap();
    observer.facts().await.unwrap();
    let denied = observer.abort("z".parse().unwrap()).await.unwrap_err();
    assert!(matches!(&denied, HostError::NotAllowed { peer, .. } if peer == "h1.example.com"), "{denied}");
    let stream = observer.connect(&Token::random(), StreamId::Memory).await;
    assert!(stream.is_err());

    let other = Remote::connect(agent.uri(), dialer(&site.host("h4"))).await.unwrap();
    let tried = other.abort("z".parse().unwrap()).await.unwrap_err();
    assert!(matches!(tried, HostError::Unsupported { .. }), "{tried}");
}

#[tokio::test]
async fn a_certificate_that_names_no_host_is_refused() {
    let site = Site::new("Example");
    let there = site.host("h2");
    let agent = Agent::start(&there, config(|_| {})).await;
    let nameless = site.host("h1");
    let key = rcgen::KeyPair::generate().unwrap();
    let ca_key =
        rcgen::KeyPair::from_pem(&std::fs::read_to_string(site.ca().join("ca.key")).unwrap()).unwrap();
    let mut about = rcgen::CertificateParams::default();
    about.distinguished_name = rcgen::DistinguishedName::new();
    about.distinguished_name.push(rcgen::DnType::OrganizationName, "Example");
    about.distinguished_name.push(rcgen::DnType::CommonName, "sysadm CA");
    let issuer = rcgen::Issuer::new(about, ca_key);
    let pem = rcgen::CertificateParams::default().signed_by(&key, &issuer).unwrap().pem();
    super::site::write(&nameless, "host.pem", pem.as_bytes());
    super::site::write(&nameless, "host.key", key.serialize_pem().as_bytes());
    let (bytes, _) = raw::heard(raw::connect(agent.address, &there, Some(&nameless)).await).await;
    assert_eq!(bytes, b"");
    agent.logged("its certificate names no host").await;
}

#[tokio::test]
async fn an_oversized_hello_ends_that_connection_only() {
    let site = Site::new("Example");
    let (here, there) = (site.host("h1"), site.host("h2"));
    let agent = Agent::start(&there, config(|_| {})).await;
    let mut stream = raw::connect(agent.address, &there, Some(&here)).await.unwrap();
    stream.write_all(&[0x7f, 0xff, 0xff, 0xff, b'{']).await.unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    assert_eq!(bytes, b"+");
    agent.logged("refused h1 (127.0.0.1:").await;
    works(&agent, &site, "h4").await;
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart() {
    let site = Site::new("Example");
    let (here, there) = (site.host("h1"), site.host("h2"));
    let agent = Agent::start(&there, config(|_| {})).await;
    let shown = async || {
        let stream = raw::connect(agent.address, &there, Some(&here)).await.unwrap();
        let chain = stream.get_ref().1.peer_certificates().unwrap().to_vec();
        cert::CertFacts::of(&chain[0]).unwrap().names
    };
    assert_eq!(shown().await, ["h2", "127.0.0.1"]);
    let extra = ["127.0.0.1".to_owned(), "10.9.9.9".to_owned()];
    let renewed = cert::issue(&site.ca(), "h2.new", &extra, 30, Millis::now()).unwrap();
    copy(&renewed.cert, &there, "host.pem");
    copy(&renewed.key, &there, "host.key");
    assert_eq!(shown().await, ["h2.new", "127.0.0.1", "10.9.9.9"]);
}

#[tokio::test]
async fn a_stop_lets_nobody_in_and_what_runs_may_end() {
    let site = Site::new("Example");
    let here = site.host("h1");
    let mut agent = Agent::start(&site.host("h2"), config(|_| {})).await;
    let remote = Remote::connect(agent.uri(), dialer(&here)).await.unwrap();
    let mut stream = remote.connect(&Token::random(), StreamId::Memory).await.unwrap();
    agent.begin_stop();
    let began = Instant::now();
    while TcpStream::connect(agent.address).await.is_ok() {
        assert!(began.elapsed() < Duration::from_secs(5), "it still listens");
    }
    stream.write_all(b"guest").await.unwrap();
    stream.read_exact(&mut [0; 5]).await.unwrap();
    drop((stream, remote));
    agent.ended().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn it_does_not_start_where_it_could_not_serve() {
    let site = Site::new("Example");
    let error = async |paths, address: &str| {
        let config = config(|config| config.agent.listen = address.to_owned());
        chain(&Listener::bind(config, paths).await.map(|_| ()).unwrap_err())
    };
    let old = site.host_at("old", Millis(Millis::now().0 - 40 * DAY as i64), 30);
    let text = error(old, "127.0.0.1:0").await;
    assert!(text.starts_with("cannot serve this host over TLS: ") && text.contains("expired on"), "{text}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let text = error(site.host("h2"), &taken.local_addr().unwrap().to_string()).await;
    assert!(text.contains("failed to listen on 127.0.0.1:") && text.contains("in use"), "{text}");
}
