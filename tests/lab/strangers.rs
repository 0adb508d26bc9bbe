//! Other users of a host, who can read the name of a migration's socket in the list of processes.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use sysadm::config;
use sysadm::host::{Channel, Host, Local, Token};
use sysadm::paths::Paths;
use sysadm::platform::libvirt::Libvirt;
use sysadm::store::Store;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;

/// Knocks as a user who is nobody, and prints what it hears until the end.
fn knock_as_nobody(socket: &Path) -> tokio::process::Command {
    let program = r#"use IO::Socket::UNIX;
        my $line = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "cannot connect: $!";
        print "connected\n"; print while <$line>;"#;
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "perl", "-e", program]).arg(socket);
    command.into()
}

#[tokio::test]
async fn what_another_user_sends_is_not_taken_for_the_hypervisors() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let paths = Paths::new(folder.path());
    let store = Arc::new(Store::open(&paths.database()).unwrap());
    let platform = Arc::new(Libvirt::new(config::Libvirt::default(), paths.clone()));
    let host = Local::new("h1".to_owned(), platform, store, paths.clone());
    for channel in Channel::ALL {
        let token = Token::random();
        let mut pending = host.listen(&token, channel).await.unwrap();
        let socket = paths.run_dir().join(token.as_str()).join(channel.socket_name());
        let accepted = tokio::spawn(async move { pending.accept().await });

        let stranger = knock_as_nobody(&socket).output().await.unwrap();
        let heard = String::from_utf8_lossy(&stranger.stdout).into_owned();
        match channel {
            // Behind it is the other host's daemon: nobody else gets that far.
            Channel::Control => assert_eq!((heard.as_str(), stranger.status.success()), ("", false)),
            Channel::Memory => assert_eq!(heard, "connected\n"),
        }

        let mut hypervisor = UnixStream::connect(&socket).await.unwrap();
        drop(accepted.await.unwrap().unwrap());
        assert_eq!(hypervisor.read(&mut [0]).await.unwrap(), 0);
    }
}
