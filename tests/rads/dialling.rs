//! The side that connects: each way in which it can fail has its own error, which names the next step.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sysadm::testing::host::{Host, Remote};
use sysadm_model::{Hinted, StreamId, Token, chain};
use sysadm_model::{HostUri, Millis};
use sysadm_transport::{DialError, Dialer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::fake::{Fake, Other};
use super::raw;
use super::site::{Agent, DAY, Site, config, copy, dialer, impatient, uri, write};

async fn error(dialer: &Dialer, uri: &HostUri) -> (DialError, String) {
    let error = dialer.dial(uri).await.map(|_| ()).unwrap_err();
    // What to do comes after an arrow.
    let hints = error.hints().join("; ");
    let text = if hints.is_empty() { chain(&error) } else { format!("{} -> {hints}", chain(&error)) };
    assert!(!text.contains('\n'), "more than one line: {text}");
    (error, text)
}

fn after(days: u64) -> Millis {
    Millis::now().after(days * DAY)
}

fn ago(days: i64) -> Millis {
    Millis(Millis::now().0 - days * DAY as i64)
}

#[tokio::test]
async fn a_question_is_answered() {
    let site = Site::new("Example");
    let (here, there) = (site.host("h1"), site.host("h2"));
    let agent = Agent::start(&there, config(|_| {})).await;
    let remote = Remote::connect(agent.uri(), dialer(&here)).await.unwrap();
    assert_eq!(remote.facts().await.unwrap().host, "fake");
}

/// Addresses may belong to other hosts later, and so may names.
#[tokio::test]
async fn another_host_under_the_same_name_is_not_taken_for_the_one_before() {
    let site = Site::new("Example");
    let (here, there) = (site.host("h1"), site.host("h2"));
    let mut agent = Agent::start(&there, config(|_| {})).await;
    let remote = Remote::connect(agent.uri(), dialer(&here)).await.unwrap();
    assert_eq!(remote.id(), Fake.id());
    let listen = agent.address.to_string();
    agent.begin_stop();
    agent.ended().await;
    let _other = Agent::serve(&there, config(|config| config.agent.listen = listen), Arc::new(Other)).await;
    let stream = remote.connect(&Token::random(), StreamId::Memory).await;
    let mut told = vec![stream.err().map(|error| error.to_string())];
    // The first learns that the connection is cut.
    for _ in 0..2 {
        told.push(remote.facts().await.err().map(|error| error.to_string()));
    }
    let other = |why: &Option<String>| {
        why.as_ref().is_some_and(|why| why.contains("another host than before answers"))
    };
    assert!(other(&told[0]) && other(&told[2]), "{told:?}");
}

#[tokio::test]
async fn a_stream_carries_both_directions_and_each_ends_on_its_own() {
    const SIZE: usize = 32 << 20;
    let site = Site::new("Example");
    let (here, there) = (site.host("h1"), site.host("h2"));
    let agent = Agent::start(&there, config(|_| {})).await;
    let remote = Remote::connect(agent.uri(), dialer(&here)).await.unwrap();
    let stream = remote.connect(&Token::random(), StreamId::Memory).await.unwrap();
    let (mut reader, mut writer) = tokio::io::split(stream);
    let sent: Vec<u8> = (0..SIZE).map(|at| ((at * 31) >> 7) as u8).collect();
    let copy = sent.clone();
    let write = tokio::spawn(async move {
        writer.write_all(&copy).await.unwrap();
        writer.shutdown().await.unwrap();
        writer
    });
    let mut back = Vec::new();
    reader.read_to_end(&mut back).await.unwrap();
    assert!(back == sent, "{} of {SIZE} bytes came back, or others", back.len());
    write.await.unwrap();
}

#[tokio::test]
async fn a_line_that_is_cut_is_not_taken_for_the_end() {
    let site = Site::new("Example");
    let (here, there) = (site.host("h1"), site.host("h2"));
    let agent = Agent::start(&there, config(|_| {})).await;
    let to = agent.address;
    let (cut, is_cut) = tokio::sync::watch::channel(false);
    let proxy = raw::plain_server(move |mut tcp| {
        let mut is_cut = is_cut.clone();
        async move {
            let mut far = TcpStream::connect(to).await.unwrap();
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut tcp, &mut far) => {}
                _ = is_cut.changed() => {}
            }
        }
    })
    .await;
    let remote = Remote::connect(uri("127.0.0.1", proxy), dialer(&here)).await.unwrap();
    let mut stream = remote.connect(&Token::random(), StreamId::Memory).await.unwrap();
    stream.write_all(b"guest").await.unwrap();
    stream.read_exact(&mut [0; 5]).await.unwrap();
    cut.send(true).unwrap();
    let end = stream.read(&mut [0]).await;
    assert_eq!(end.unwrap_err().to_string(), "it was cut off");
}

#[tokio::test]
async fn a_host_that_is_not_there_is_told_from_one_that_does_not_answer() {
    let site = Site::new("Example");
    let here = site.host("h1");
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (error_, text) = error(&dialer(&here), &uri("127.0.0.1", gone)).await;
    assert!(matches!(error_, DialError::Connect { .. }), "{text}");
    assert!(
        text.contains("connection refused -> check that 'sysadm agent --listen' is running there, on port"),
        "{text}"
    );

    let silent = raw::plain_server(|tcp| async move {
        let _tcp = tcp;
        std::future::pending().await
    })
    .await;
    let (_, text) = error(&impatient(&here), &uri("127.0.0.1", silent)).await;
    assert!(text.ends_with("did not answer within 1 s"), "{text}");

    let (error_, text) = error(&dialer(&here), &"rads://nowhere.invalid".parse().unwrap()).await;
    assert!(matches!(error_, DialError::Connect { .. }), "{text}");
}

#[tokio::test]
async fn a_host_that_accepts_but_does_not_say_so_is_not_waited_for() {
    let site = Site::new("Example");
    let (here, there) = (site.host("h1"), site.host("h2"));
    let address = raw::server(&there, b"").await;
    let (error_, text) = error(&impatient(&here), &uri("127.0.0.1", address)).await;
    assert!(matches!(error_, DialError::Timeout { .. }), "{text}");
}

#[tokio::test]
async fn something_else_on_the_port_is_not_taken_for_an_agent() {
    let site = Site::new("Example");
    let (here, there) = (site.host("h1"), site.host("h2"));
    let ssh = raw::plain_server(|mut tcp| async move {
        tcp.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap();
        let _ = tcp.read(&mut [0; 4096]).await;
    })
    .await;
    let closes = raw::plain_server(|tcp| async move { drop(tcp) }).await;
    let other = raw::server(&there, b"HTTP/1.1 200 OK").await;
    for address in [ssh, closes, other] {
        let (error, text) = error(&dialer(&here), &uri("127.0.0.1", address)).await;
        assert!(matches!(error, DialError::NoAgent { .. }), "{text}");
        assert!(text.contains(&address.port().to_string()), "{text}");
    }
}

#[tokio::test]
async fn a_stranger_is_refused_whether_its_authority_has_our_name_or_another() {
    for name in ["Example", "Elsewhere"] {
        let (ours, theirs) = (Site::new("Example"), Site::new(name));
        let (here, there) = (ours.host("h1"), theirs.host("h2"));
        let agent = Agent::start(&there, config(|_| {})).await;
        let (error, text) = error(&dialer(&here), &agent.uri()).await;
        assert!(matches!(error, DialError::Identity { .. }), "{text}");
        assert!(text.contains("its certificate is not signed by the authority in"), "{text}");
        assert!(text.contains("O=Example, CN=sysadm CA"), "{text}");
        assert!(text.contains("sysadm cert issue 127.0.0.1"), "{text}");
        agent.logged("it does not want our certificate").await;
    }
}

#[tokio::test]
async fn the_certificate_must_be_for_the_name_in_the_uri() {
    let site = Site::new("Example");
    let (here, there) = (site.host("h1"), site.host("h2"));
    let agent = Agent::start(&there, config(|_| {})).await;
    let (error, text) = error(&dialer(&here), &uri("localhost", agent.address)).await;
    assert!(matches!(error, DialError::Identity { .. }), "{text}");
    assert!(
        text.contains("its certificate is not for localhost -> use a name that it is for: h2, 127.0.0.1"),
        "{text}"
    );
    assert!(text.contains("'sysadm cert issue localhost'"), "{text}");
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_told_with_the_date() {
    let site = Site::new("Example");
    let here = site.host("h1");
    let (old, young) = (site.host_at("h2", ago(40), 30), site.host_at("h3", after(3), 30));
    let address = raw::server(&old, b"+").await;
    let (error_, text) = error(&dialer(&here), &uri("127.0.0.1", address)).await;
    assert!(matches!(error_, DialError::Identity { .. }), "{text}");
    let date = ago(10).to_string();
    assert!(text.contains(&format!("its certificate expired on {}", &date[..10])), "{text}");

    let address = raw::server(&young, b"+").await;
    let (error_, text) = error(&dialer(&here), &uri("127.0.0.1", address)).await;
    assert!(matches!(error_, DialError::Identity { .. }), "{text}");
    assert!(text.contains("its certificate is valid only from") && text.contains("set the clocks"), "{text}");
}

#[tokio::test]
async fn our_own_certificate_out_of_its_time_is_found_before_anything_is_sent() {
    let site = Site::new("Example");
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let touched = raw::plain_server(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        async {}
    })
    .await;
    let old = site.host_at("h2", ago(40), 30);
    let (error_, text) = error(&dialer(&old), &uri("127.0.0.1", touched)).await;
    assert!(matches!(error_, DialError::Setup { .. }), "{text}");
    assert!(text.contains("host.pem expired on"), "{text}");
    let young = site.host_at("h3", after(3), 30);
    let (_, text) = error(&dialer(&young), &uri("127.0.0.1", touched)).await;
    assert!(text.contains("host.pem is not valid before"), "{text}");
    // It does have an effect: this one connects.
    error(&dialer(&site.host("h1")), &uri("127.0.0.1", touched)).await;
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_peer_that_does_not_accept_us_is_told_from_one_that_we_do_not_accept() {
    for name in ["Example", "Elsewhere"] {
        let (ours, theirs) = (Site::new(name), Site::new("Example"));
        let (here, there) = (ours.host("h1"), theirs.host("h2"));
        // We know their authority, they do not know ours.
        copy(&theirs.ca().join("ca.pem"), &here, "ca.pem");
        let agent = Agent::start(&there, config(|_| {})).await;
        let (error, text) = error(&dialer(&here), &agent.uri()).await;
        assert!(matches!(error, DialError::Login { .. }), "{text}");
        assert!(text.contains("host.pem (CN=h1, valid until"), "{text}");
        assert!(text.contains("is not signed by the authority that it trusts"), "{text}");
        agent.logged("its certificate is not signed by the authority in").await;
    }
}

#[tokio::test]
async fn what_is_missing_or_wrong_here_is_named_with_the_command_that_mends_it() {
    let site = Site::new("Example");
    let other = site.host("other");
    let nobody: HostUri = "rads://127.0.0.1:1".parse().unwrap();
    type Spoil<'a> = &'a dyn Fn(&std::path::Path);
    let cases: [(&str, Spoil<'_>, &str); 6] = [
        ("a", &|tls| fs::remove_file(tls.join("ca.pem")).unwrap(), "ca.pem -> run 'sysadm cert init-ca'"),
        (
            "b",
            &|tls| fs::remove_file(tls.join("host.pem")).unwrap(),
            "host.pem -> run 'sysadm cert issue HOST'",
        ),
        (
            "c",
            &|tls| fs::remove_file(tls.join("host.key")).unwrap(),
            "host.key -> run 'sysadm cert issue HOST'",
        ),
        (
            "d",
            &|tls| fs::set_permissions(tls.join("host.key"), fs::Permissions::from_mode(0o644)).unwrap(),
            "host.key is accessible to others (mode 0644) -> run 'chmod 0600",
        ),
        (
            "e",
            &|tls| fs::write(tls.join("host.pem"), "nothing").unwrap(),
            "host.pem holds no usable certificate",
        ),
        (
            "f",
            &|tls| {
                fs::copy(other.tls_dir().join("host.key"), tls.join("host.key")).unwrap();
            },
            "host.key does not belong to the certificate in",
        ),
    ];
    for (name, spoil, words) in cases {
        let here = site.host(name);
        spoil(&here.tls_dir());
        let (error, text) = error(&dialer(&here), &nobody).await;
        assert!(matches!(error, DialError::Setup { .. }), "{text}");
        assert!(text.contains(words), "{text}");
    }
}

#[tokio::test]
async fn a_key_that_is_none_is_not_quoted() {
    let site = Site::new("Example");
    let here = site.host("h1");
    write(&here, "host.key", b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
    let (error_, text) = error(&dialer(&here), &"rads://127.0.0.1:1".parse().unwrap()).await;
    assert!(text.contains("host.key holds no usable private key"), "{text}");
    assert!(!format!("{error_:?}{text}").contains("c2VjcmV0"));
}
