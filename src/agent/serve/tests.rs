//! What a peer receives on a stream, from its hello to its end.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;

use super::*;
use crate::host::Local;
use crate::host::fake::FakeHost;
use crate::paths::Paths;
use crate::platform::sim::{HostSettings, Sim, StorageFolder, ZoneSpec};
use crate::store::Store;
use crate::transport::rpc::RpcRequest;

fn start(host: Arc<dyn Host>, role: Role) -> (DuplexStream, JoinHandle<Result<(), ServeError>>) {
    let (client, server) = duplex(1 << 16);
    let peer = Peer::new("h1".to_owned(), role);
    (client, tokio::spawn(serve(Box::new(server), host, peer)))
}

async fn greet(client: &mut DuplexStream, versions: &[u16], purpose: Value) -> Welcome {
    let hello = Hello { versions: versions.to_vec(), software: "test".to_owned(), purpose };
    frame::write(client, &hello).await.unwrap();
    frame::read(client, frame::MAX_HELLO).await.unwrap()
}

fn stream(purpose: &str, stream: &str) -> Value {
    json!({purpose: {"token": "0123456789abcdef0123456789abcdef", "stream": stream}})
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_sent_away_after_ten_seconds() {
    let (host, _ends) = FakeHost::new("h2");
    let (mut client, server) = start(host, Role::Admin);
    client.write_all(&[0, 0]).await.unwrap();
    let start = tokio::time::Instant::now();
    assert!(matches!(server.await.unwrap(), Err(ServeError::Silent { .. })));
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn a_hello_that_is_none_gets_no_answer() {
    for bytes in [b"GET / HTTP/1.1\r\n\r\n".as_slice(), &[0, 0, 0x10, 1, b'{'], &[0, 0, 0, 2, b'{', b'}']] {
        let (host, _ends) = FakeHost::new("h2");
        let (mut client, server) = start(host, Role::Admin);
        client.write_all(bytes).await.unwrap();
        assert!(matches!(server.await.unwrap(), Err(ServeError::Hello { .. })));
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert!(answer.is_empty());
    }
}

#[tokio::test]
async fn the_newest_common_version_is_agreed_on_or_none() {
    let (host, _ends) = FakeHost::new("h2");
    let (mut client, _server) = start(Arc::clone(&host) as _, Role::Observe);
    let welcome = greet(&mut client, &[3, 2, 1], json!("rpc")).await;
    assert!(matches!(welcome, Welcome::Chosen { version: 1, .. }));

    // A version and a purpose from the future: the version is what matters.
    let (mut client, server) = start(host, Role::Observe);
    let welcome = greet(&mut client, &[3, 2], json!({"teleport": {}})).await;
    assert!(matches!(welcome, Welcome::NoCommonVersion { .. }));
    assert!(matches!(server.await.unwrap(), Err(ServeError::Version { .. })));
}

#[tokio::test]
async fn an_unknown_purpose_is_refused_with_a_reason() {
    let (host, _ends) = FakeHost::new("h2");
    let (mut client, server) = start(host, Role::Admin);
    let welcome = greet(&mut client, &[1], json!({"teleport": {}})).await;
    assert!(
        matches!(&welcome, Welcome::Refused { reason, transient: false } if reason.contains("no such stream")),
        "{welcome:?}"
    );
    assert!(matches!(server.await.unwrap(), Err(ServeError::Refused { .. })));
}

#[tokio::test]
async fn an_observer_gets_no_stream() {
    for purpose in ["connect", "listen"] {
        let (host, mut ends) = FakeHost::new("h2");
        let (mut client, server) = start(Arc::clone(&host) as _, Role::Observe);
        let welcome = greet(&mut client, &[1], stream(purpose, "memory")).await;
        assert!(
            matches!(&welcome, Welcome::Refused { reason, transient: false } if reason.contains("needs role 'migrate'")),
            "{welcome:?}"
        );
        assert!(matches!(server.await.unwrap(), Err(ServeError::Refused { .. })));
        assert!(ends.connected.try_recv().is_err() && host.listening.available_permits() == 1);
    }
}

#[tokio::test]
async fn a_connected_stream_is_led_to_the_hypervisor_and_back() {
    let (host, mut ends) = FakeHost::new("h2");
    let (mut client, server) = start(host, Role::Migrate);
    assert!(matches!(greet(&mut client, &[1], stream("connect", "memory")).await, Welcome::Chosen { .. }));
    let mut hypervisor = ends.connected.recv().await.unwrap();
    client.write_all(b"memory").await.unwrap();
    client.shutdown().await.unwrap();
    let mut text = String::new();
    hypervisor.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "memory");
    hypervisor.write_all(b"received").await.unwrap();
    drop(hypervisor);
    text.clear();
    client.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "received");
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_refused_in_the_hosts_words() {
    let (host, _ends) = FakeHost::new("h2");
    let (mut client, _server) = start(host, Role::Migrate);
    let welcome = greet(&mut client, &[1], stream("connect", "control")).await;
    assert_eq!(welcome, Welcome::Refused { reason: "h2: fake".to_owned(), transient: false });
}

#[tokio::test]
async fn a_listening_stream_begins_when_the_hypervisor_connects() {
    let (host, ends) = FakeHost::new("h2");
    let (mut client, server) = start(Arc::clone(&host) as _, Role::Migrate);
    assert!(matches!(greet(&mut client, &[1], stream("listen", "memory")).await, Welcome::Chosen { .. }));
    let (mut hypervisor, socket) = duplex(1 << 16);
    ends.connections.send(socket).unwrap();
    let Accepted {} = frame::read(&mut client, frame::MAX_HELLO).await.unwrap();
    hypervisor.write_all(b"memory").await.unwrap();
    drop(hypervisor);
    let mut text = String::new();
    client.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "memory");
    drop(client);
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn who_goes_away_is_not_listened_for() {
    let (host, _ends) = FakeHost::new("h2");
    let (mut client, server) = start(Arc::clone(&host) as _, Role::Migrate);
    assert!(matches!(greet(&mut client, &[1], stream("listen", "memory")).await, Welcome::Chosen { .. }));
    assert_eq!(host.listening.available_permits(), 0);
    drop(client);
    server.await.unwrap().unwrap();
    assert_eq!(host.listening.available_permits(), 1);
}

#[tokio::test]
async fn a_question_from_the_future_spoils_only_itself() {
    let (host, _ends) = FakeHost::new("h2");
    let (mut client, _server) = start(host, Role::Admin);
    greet(&mut client, &[1], json!("rpc")).await;
    frame::write(&mut client, &json!({"id": 1, "call": {"teleport": {}}})).await.unwrap();
    let reply: Value = frame::read(&mut client, 9999).await.unwrap();
    assert_eq!(reply["id"], 1);
    assert!(reply["err"]["unsupported"]["reason"]["text"].as_str().unwrap().contains("teleport"), "{reply}");
    frame::write(&mut client, &json!({"ping": 5})).await.unwrap();
    let reply: Value = frame::read(&mut client, 9999).await.unwrap();
    assert_eq!(reply, json!({"pong": 5}));
}

#[tokio::test]
async fn one_client_asks_no_more_than_64_questions_at_once() {
    let (host, _ends) = FakeHost::new("h2");
    let (mut client, _server) = start(host, Role::Admin);
    greet(&mut client, &[1], json!("rpc")).await;
    for id in 0..65 {
        frame::write(&mut client, &json!({"id": id, "call": {"location": {"uuid": uuid::Uuid::nil()}}}))
            .await
            .unwrap();
    }
    let reply: Value = frame::read(&mut client, 9999).await.unwrap();
    assert_eq!(reply["id"], 64);
    assert!(reply["err"]["failed"]["reason"]["text"].as_str().unwrap().contains("64 questions"), "{reply}");
    // Pings are answered all the same.
    frame::write(&mut client, &json!({"ping": 5})).await.unwrap();
    let reply: Value = frame::read(&mut client, 9999).await.unwrap();
    assert_eq!(reply, json!({"pong": 5}));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_gives_no_sign_of_life_is_let_go() {
    let (host, _ends) = FakeHost::new("h2");
    let (mut client, server) = start(host, Role::Admin);
    greet(&mut client, &[1], json!("rpc")).await;
    assert!(matches!(server.await.unwrap(), Err(ServeError::Broken { .. })));
}

#[tokio::test]
async fn the_marks_left_for_a_client_whose_line_broke_are_taken_away() {
    let root = tempfile::tempdir().unwrap();
    let (paths, nfs) = (Paths::new(root.path()), root.path().join("nfs"));
    let sim = Sim::open(&paths);
    let storages = vec![StorageFolder { name: "nfs".into(), folder: Some(nfs.clone()) }];
    let settings = HostSettings { name: "h2".into(), storages, ..HostSettings::default() };
    sim.set_host(&settings).unwrap();
    sim.create(ZoneSpec { storages: vec!["nfs".into()], ..ZoneSpec::new("web".parse().unwrap()) }).unwrap();
    let store = Arc::new(Store::open(&paths.database()).unwrap());
    let host = Arc::new(Local::new("h2".to_owned(), Arc::new(sim), store, paths));
    let marks = || {
        let entries = std::fs::read_dir(&nfs).unwrap().map(|entry| entry.unwrap().file_name());
        entries.filter(|name| name.as_encoded_bytes().starts_with(b".sysadm-probe-")).count()
    };
    let (mut client, server) = start(host, Role::Admin);
    greet(&mut client, &[1], json!("rpc")).await;
    frame::write(&mut client, &json!({"id": 1, "call": {"export": {"zone": "web"}}})).await.unwrap();
    let reply: Value = frame::read(&mut client, 99_999).await.unwrap();
    assert!(reply["ok"]["ticket"].is_object(), "{reply}");
    assert_eq!(marks(), 1);
    drop(client);
    server.await.unwrap().unwrap();
    assert_eq!(marks(), 0);
}

/// A connection of an observer that shares the ledger, and asks what no host answers.
async fn asking(host: &Arc<FakeHost>, ledger: &Ledger) -> DuplexStream {
    let (mut client, server) = duplex(1 << 16);
    let peer = Peer { ledger: ledger.clone(), ..Peer::new("h1".to_owned(), Role::Observe) };
    tokio::spawn(serve(Box::new(server), Arc::clone(host) as _, peer));
    greet(&mut client, &[1], json!("rpc")).await;
    client
}

/// A request of that many bytes that is answered when the host's gate is opened.
fn question(id: u64, length: usize) -> RpcRequest {
    let more = " ".repeat(length - 100);
    RpcRequest::Call { id, call: json!({"location": {"more": more, "uuid": uuid::Uuid::nil()}}) }
}

#[tokio::test]
async fn questions_for_which_there_is_no_room_are_refused_in_clear_words_and_read_past() {
    let (host, _ends) = FakeHost::new("h2");
    let ledger = Ledger::default();
    let mut lines = vec![asking(&host, &ledger).await, asking(&host, &ledger).await];
    // Two that fit, from one peer on two connections.
    for line in &mut lines {
        frame::write(line, &question(1, 1_000_000)).await.unwrap();
    }
    host.asked.acquire_many(2).await.unwrap().forget();
    for (id, length, words) in [
        (2, 1_000_000, "failed to begin a question: questions of 1.9M are open from this host already"),
        (
            3,
            2_000_000,
            "failed to begin a question: it has 1.9M, and one of a host with role 'observe' has 1M at most",
        ),
    ] {
        frame::write(&mut lines[0], &question(id, length)).await.unwrap();
        let reply: Value = frame::read(&mut lines[0], 9999).await.unwrap();
        assert_eq!(reply["id"], id);
        assert!(reply["err"]["failed"]["reason"]["text"].as_str().unwrap().starts_with(words), "{reply}");
    }
    // The connection still works, and when those are answered there is room again.
    host.gate.add_permits(3);
    for line in &mut lines {
        let reply: Value = frame::read(line, 9999).await.unwrap();
        assert_eq!(reply["id"], 1);
    }
    frame::write(&mut lines[1], &question(4, 1_000_000)).await.unwrap();
    let reply: Value = frame::read(&mut lines[1], 9999).await.unwrap();
    assert!(reply["id"] == 4 && reply["ok"].is_object(), "{reply}");
}

#[tokio::test]
async fn a_question_of_more_values_than_text_is_not_taken_apart() {
    let (host, _ends) = FakeHost::new("h2");
    for text in [format!("{{\"id\":1,\"call\":[{}1]}}", "1,".repeat(300_000)), "[".repeat(500_000)] {
        let (mut client, server) = start(Arc::clone(&host) as _, Role::Admin);
        greet(&mut client, &[1], json!("rpc")).await;
        let length = u32::try_from(text.len()).unwrap().to_be_bytes();
        client.write_all(&[&length, text.as_bytes()].concat()).await.unwrap();
        let Err(ServeError::Broken { source, .. }) = server.await.unwrap() else { panic!("it was taken") };
        assert!(crate::model::chain(&source).contains("more values than its length allows"), "{source}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_its_answers_is_let_go() {
    let (host, _ends) = FakeHost::new("h2");
    let (mut client, server) = start(host, Role::Observe);
    greet(&mut client, &[1], json!("rpc")).await;
    // More replies and pings than any buffer on the way holds, but nothing is read.
    let asking = async {
        for id in 0.. {
            let facts = json!({"id": id, "call": {"facts": {}}});
            if frame::write(&mut client, &facts).await.is_err() {
                break;
            }
        }
    };
    let (ended, ()) = tokio::join!(server, asking);
    assert!(matches!(ended.unwrap(), Err(ServeError::Broken { .. })));
}
