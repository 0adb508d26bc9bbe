//! A connection through a real sshd, and what happens to a request when it breaks.

#[path = "../../../transport/ssh/tests/sshd.rs"]
mod sshd;

use rustix::process::Signal;

use self::sshd::Sshd;
use super::*;
use crate::host::Host as _;

/// Serves a fake host on a port of the loopback interface; what sshd starts leads there.
async fn far_host() -> (Arc<FakeHost>, String) {
    let (host, _ends) = FakeHost::new("h2");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let command =
        format!("bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; exec 4<&0; cat <&4 >&3 & exec cat <&3'");
    let served = Arc::clone(&host);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let peer = Peer::new("h1".to_owned(), Role::Admin);
            tokio::spawn(serve(Box::new(stream), Arc::clone(&served) as _, peer));
        }
    });
    (host, command)
}

#[tokio::test]
async fn a_question_is_lost_with_its_line_and_the_next_one_takes_a_new_line() {
    let sshd = Sshd::start("");
    let (host, command) = far_host().await;
    // The dialer takes the real surroundings, so everything of this test is in a configuration of its own.
    let ssh_config = format!(
        "Host *\n IdentityFile {0}/.ssh/id_ed25519\n UserKnownHostsFile {0}/.ssh/known_hosts\n User {1}\n \
         IdentityAgent none\n",
        sshd.folder.path().display(),
        sshd.surroundings().user.unwrap()
    );
    std::fs::write(sshd.path("ssh_config"), ssh_config).unwrap();
    let mut options = sshd::options(&command);
    options.ssh.config = Some(sshd.path("ssh_config"));
    let dialer = Dialer { options, tls: sshd.folder.path().to_owned() };
    let remote = Remote::connect(sshd.uri(), Arc::new(dialer)).await.unwrap();
    assert_eq!(remote.facts().await.unwrap().host, "h2");
    let zone = Uuid::from_u128(1);
    let cut = async {
        host.asked.acquire().await.unwrap().forget();
        sshd.signal(Signal::KILL);
    };
    let (lost, ()) = tokio::join!(remote.location(zone), cut);
    assert!(lost.unwrap_err().is_no_answer());
    assert_eq!(host.asked.available_permits(), 0, "what may have been done is not asked again");
    host.gate.add_permits(2);
    assert_eq!(remote.location(zone).await, Ok(answer(zone)));
}
