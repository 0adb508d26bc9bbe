//! Requests to another host over a stream in memory, and what happens to them when it breaks.

#[cfg(feature = "ssh")]
mod over_ssh;

use std::sync::Arc;

use tokio::io::duplex;
use uuid::Uuid;

use super::*;
use crate::agent::{Peer, serve};
use crate::host::fake::{FakeHost, answer};
use crate::model::Role;
use crate::model::{Location, ZoneName};
use crate::transport::DialOptions;
use crate::transport::hello::{Hello, VERSIONS, Welcome};

fn uri() -> HostUri {
    "rads://h2".parse().unwrap()
}

fn zone(name: &str) -> ZoneName {
    name.parse().unwrap()
}

/// A request that a fake host answers when it is allowed to.
fn slow(number: u128) -> Call {
    Call::location { uuid: Uuid::from_u128(number) }
}

/// A remote host over a stream in memory; it cannot dial again.
fn remote(stream: ByteStream) -> Remote {
    let dialer = Dialer { options: DialOptions::default(), tls: "/nonexistent".into() };
    let link = Link::start(stream, Duration::from_secs(5));
    Remote { uri: uri(), id: HostId::test(1), dialer: Arc::new(dialer), link: Mutex::new(Arc::new(link)) }
}

/// Both ends of a stream on which `serve` answers.
async fn served(
    host: Arc<FakeHost>,
    role: Role,
) -> (Remote, tokio::task::JoinHandle<Result<(), crate::agent::ServeError>>) {
    let (client, server) = duplex(1 << 16);
    let peer = Peer::new("h1".to_owned(), role);
    let server = tokio::spawn(serve(Box::new(server), host, peer));
    let mut client: ByteStream = Box::new(client);
    hello::open(&uri(), &mut client, Purpose::Rpc).await.unwrap();
    (remote(client), server)
}

#[tokio::test]
async fn a_slow_question_holds_no_other_up() {
    let (host, _ends) = FakeHost::new("h2");
    let (remote, server) = served(Arc::clone(&host), Role::Observe).await;
    let remote = Arc::new(remote);
    let slow = tokio::spawn({
        let remote = Arc::clone(&remote);
        async move { remote.ask::<Location>(slow(1)).await }
    });
    host.asked.acquire().await.unwrap().forget();
    let facts: crate::model::Facts = remote.ask(Call::facts {}).await.unwrap();
    assert_eq!(facts.host, "h2");
    assert!(!slow.is_finished());
    host.gate.add_permits(1);
    assert_eq!(slow.await.unwrap(), Ok(answer(Uuid::from_u128(1))));
    drop(remote);
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn answers_find_their_questions() {
    let (host, _ends) = FakeHost::new("h2");
    let (remote, _server) = served(Arc::clone(&host), Role::Observe).await;
    host.gate.add_permits(50);
    let questions = (0..50).map(|number| remote.ask::<Location>(slow(number)));
    let answers = futures_util::future::join_all(questions).await;
    for (number, found) in (0..50).zip(answers) {
        assert_eq!(found, Ok(answer(Uuid::from_u128(number))));
    }
}

#[tokio::test]
async fn the_hosts_own_error_arrives_as_it_was() {
    let (host, _ends) = FakeHost::new("h2");
    let (remote, _server) = served(host, Role::Migrate).await;
    let error = remote.ask::<()>(Call::abort { zone: zone("web1") }).await.unwrap_err();
    assert_eq!(error, HostError::unsupported("h2", "it does not answer 'abort'"));
}

#[tokio::test]
async fn a_role_ends_where_the_next_begins() {
    let (host, _ends) = FakeHost::new("h2");
    let (remote, _server) = served(host, Role::Observe).await;
    let error = remote.ask::<()>(Call::abort { zone: zone("web1") }).await.unwrap_err();
    assert!(
        matches!(&error, HostError::NotAllowed { call, peer, .. } if call == "abort" && peer == "h1"),
        "{error}"
    );
    assert!(remote.ask::<crate::model::Facts>(Call::facts {}).await.is_ok());
}

#[tokio::test]
async fn a_broken_stream_fails_what_waits_and_what_comes() {
    let (host, _ends) = FakeHost::new("h2");
    let (remote, server) = served(Arc::clone(&host), Role::Observe).await;
    let waiting = remote.ask::<Location>(slow(1));
    let cut = async {
        host.asked.acquire().await.unwrap().forget();
        server.abort();
    };
    let (answer, ()) = tokio::join!(waiting, cut);
    assert!(answer.unwrap_err().is_no_answer());
    let error = remote.ask::<crate::model::Facts>(Call::facts {}).await.unwrap_err();
    assert!(error.is_no_answer(), "{error}");
}

#[tokio::test]
async fn what_was_begun_is_finished_though_nobody_hears_it() {
    let (host, _ends) = FakeHost::new("h2");
    let (remote, server) = served(Arc::clone(&host), Role::Observe).await;
    tokio::select! {
        _ = remote.ask::<Location>(slow(1)) => panic!("nothing lets it answer"),
        _ = host.asked.acquire() => {}
    }
    drop(remote);
    host.gate.add_permits(1);
    server.await.unwrap().unwrap();
    assert_eq!(host.answered.available_permits(), 1);
}

#[tokio::test]
async fn a_panic_in_one_question_is_an_unknown_outcome_of_that_one() {
    let (host, _ends) = FakeHost::new("h2");
    let (remote, _server) = served(Arc::clone(&host), Role::Observe).await;
    host.gate.close();
    assert!(remote.ask::<Location>(slow(1)).await.unwrap_err().is_no_answer());
    assert!(remote.ask::<crate::model::Facts>(Call::facts {}).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_stays_out_is_not_waited_for_beyond_its_deadline() {
    let (host, _ends) = FakeHost::new("h2");
    let (remote, _server) = served(Arc::clone(&host), Role::Observe).await;
    let start = tokio::time::Instant::now();
    let error = remote.ask::<Location>(slow(1)).await.unwrap_err();
    assert!(error.is_no_answer(), "{error}");
    assert_eq!(start.elapsed().as_secs(), 30);
    // The connection still works: pings were answered all the time.
    assert!(remote.ask::<crate::model::Facts>(Call::facts {}).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_gives_no_sign_of_life_is_given_up_within_seconds() {
    let (client, _mute) = duplex(1 << 16);
    let remote = remote(Box::new(client));
    let start = tokio::time::Instant::now();
    let error = remote.ask::<Location>(slow(1)).await.unwrap_err();
    assert!(error.to_string().contains("no sign of life for 15 s"), "{error}");
    assert_eq!(start.elapsed().as_secs(), 15);
}

#[tokio::test]
async fn an_unknown_error_of_a_newer_host_is_still_an_error_of_that_host() {
    let (client, mut server) = duplex(1 << 16);
    let remote = remote(Box::new(client));
    let answer = async {
        loop {
            let request: serde_json::Value = frame::read(&mut server, 9999).await.unwrap();
            if let Some(id) = request.get("id") {
                let reply = serde_json::json!({"id": id, "err": {"tired": {"until": "noon"}}});
                frame::write(&mut server, &reply).await.unwrap();
                return server;
            }
        }
    };
    let (answer, _server) = tokio::join!(remote.ask::<crate::model::Facts>(Call::facts {}), answer);
    let error = answer.unwrap_err();
    assert!(!error.is_no_answer() && error.to_string().contains("tired"), "{error}");
}

#[tokio::test]
async fn hosts_without_a_common_version_say_so_and_part() {
    let uri = uri();
    for (welcome, words) in [
        (Welcome::NoCommonVersion { versions: vec![7, 8], software: "9.0".into() }, "9.0 (protocol 7, 8)"),
        (Welcome::Chosen { version: 7, software: "9.0".into(), host: HostId::test(1) }, "9.0 (protocol 7)"),
        (Welcome::Refused { reason: "too late".into(), transient: false }, "refuses: too late"),
    ] {
        let (client, mut server) = duplex(1 << 16);
        let mut client: ByteStream = Box::new(client);
        let answer = async {
            let hello: Hello = frame::read(&mut server, frame::MAX_HELLO).await.unwrap();
            assert_eq!(hello.versions, VERSIONS);
            frame::write(&mut server, &welcome).await.unwrap();
        };
        let (opened, ()) = tokio::join!(hello::open(&uri, &mut client, Purpose::Rpc), answer);
        let error = opened.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn a_greeting_of_the_login_shell_is_not_taken_for_an_agent() {
    let (client, mut server) = duplex(1 << 16);
    let mut client: ByteStream = Box::new(client);
    tokio::io::AsyncWriteExt::write_all(&mut server, b"Welcome to h2!\n").await.unwrap();
    let error = hello::open(&uri(), &mut client, Purpose::Rpc).await.unwrap_err();
    assert!(matches!(error, DialError::NoAgent { .. }));
    assert!(error.to_string().contains("login"), "{error}");
}
