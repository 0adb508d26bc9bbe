//! The error of a failed login is the real reason, and the advice helps.

use super::*;

/// The command in an advice.
fn advice(error: &DialError) -> String {
    assert!(matches!(error, DialError::Identity { .. }), "{error}");
    error.hints().concat().split("the same: ").nth(1).unwrap().to_owned()
}

fn run(command: &str) {
    let done = Command::new("sh").arg("-c").arg(command).stderr(std::process::Stdio::null()).status();
    assert!(done.unwrap().success(), "{command}");
}

/// A host that is called h2, and leads to the sshd.
fn renamed(sshd: &Sshd) -> (HostUri, DialOptions) {
    let mut config =
        toml::from_str::<DialOptions>(&format!("[connect.addresses]\nh2 = \"127.0.0.1:{}\"\n", sshd.port))
            .unwrap();
    config.ssh.agent = "cat".to_owned();
    ("ssh://h2".parse().unwrap(), config)
}

fn ssh_config(sshd: &Sshd, text: &str) {
    fs::write(sshd.path(".ssh/config"), text).unwrap();
}

async fn failed(uri: &HostUri, config: &DialOptions, sshd: &Sshd) -> DialError {
    dial(uri, config, sshd.surroundings()).await.err().expect("a refusal")
}

#[tokio::test]
async fn the_advice_for_an_unknown_host_helps_whatever_it_is_called() {
    let sshd = Sshd::start("");
    let port = sshd.port;
    let known = sshd.path(".ssh/known_hosts");
    for (what, options) in [
        ("another address", String::new()),
        ("a name of its own", "Host h2\nHostKeyAlias two\n".to_owned()),
        ("a file with blanks, not there yet", "UserKnownHostsFile \"%d/my hosts/known\"\n".to_owned()),
        (
            "the user's file is no file",
            format!("UserKnownHostsFile /dev/null\nGlobalKnownHostsFile {}\n", known.display()),
        ),
    ] {
        let _ = fs::remove_file(&known);
        ssh_config(&sshd, &options);
        let (uri, config) = renamed(&sshd);
        run(&advice(&failed(&uri, &config, &sshd).await));
        dial(&uri, &config, sshd.surroundings()).await.map(drop).expect(what);
    }
    // Under a name and a port from ssh_config.
    let _ = fs::remove_file(&known);
    ssh_config(&sshd, &format!("Host h3\nHostName 127.0.0.1\nPort {port}\n"));
    let uri = "ssh://h3".parse().unwrap();
    run(&advice(&failed(&uri, &options("cat"), &sshd).await));
    dial(&uri, &options("cat"), sshd.surroundings()).await.map(drop).unwrap();
    // Into a file in which all names are hashed.
    ssh_config(&sshd, "");
    let (uri, config) = renamed(&sshd);
    run(&format!("ssh-keygen -q -H -f {}", known.display()));
    run(&advice(&failed(&uri, &config, &sshd).await));
    dial(&uri, &config, sshd.surroundings()).await.map(drop).unwrap();
}

#[tokio::test]
async fn the_advice_for_a_changed_key_helps_whatever_line_has_the_old_one() {
    let sshd = Sshd::start("");
    let (uri, config) = renamed(&sshd);
    keygen(&sshd.path("other"), "ed25519", "");
    let other = fs::read_to_string(sshd.path("other.pub")).unwrap();
    let known = sshd.path(".ssh/known_hosts");
    let name = format!("[h2]:{}", sshd.port);
    for names in
        [name.clone(), format!("{name},[10.0.0.2]:22"), "*".to_owned(), format!("!h3,[h?]:{}", sshd.port)]
    {
        fs::write(&known, format!("# mine\n{names} {other}")).unwrap();
        let error = failed(&uri, &config, &sshd).await.hints().concat();
        let (remove, scan) = error.split_once("explained: ").unwrap().1.split_once(", then: ").unwrap();
        run(remove);
        run(scan);
        dial(&uri, &config, sshd.surroundings()).await.map(drop).expect(&names);
    }
    fs::write(&known, format!("{name} {other}")).unwrap();
    run(&format!("ssh-keygen -q -H -f {}", known.display()));
    let error = failed(&uri, &config, &sshd).await.hints().concat();
    let (remove, scan) = error.split_once("explained: ").unwrap().1.split_once(", then: ").unwrap();
    run(remove);
    run(scan);
    dial(&uri, &config, sshd.surroundings()).await.map(drop).unwrap();
}

#[tokio::test]
async fn an_authority_for_the_host_is_told_and_what_is_not_heeded_too() {
    let sshd = Sshd::start("");
    let key = fs::read_to_string(sshd.path("rsa.pub")).unwrap();
    fs::write(sshd.path(".ssh/known_hosts"), format!("\n@cert-authority 127.* {key}")).unwrap();
    ssh_config(&sshd, "StrictHostKeyChecking accept-new\nKnownHostsCommand /bin/true\n");
    let error = refused(&sshd).await.to_string();
    let known = sshd.path(".ssh/known_hosts");
    let authority = format!("(line 2 of {} is an authority for it", known.display());
    assert!(
        error.contains(&authority) && error.contains("certificates of hosts are not supported"),
        "{error}"
    );
    let unheeded = "not supported: KnownHostsCommand (";
    assert!(error.contains(unheeded) && error.contains("StrictHostKeyChecking ("), "{error}");
}

#[tokio::test]
async fn a_key_that_is_revoked_in_a_list_is_refused() {
    let sshd = Sshd::start("");
    fs::copy(sshd.path("ed25519.pub"), sshd.path("revoked")).unwrap();
    ssh_config(&sshd, "RevokedHostKeys %d/revoked\n");
    let error = refused(&sshd).await.to_string();
    assert!(error.contains("is revoked in line 1 of") && error.contains("/revoked"), "{error}");
    fs::remove_file(sshd.path("revoked")).unwrap();
    let error = refused(&sshd).await.to_string();
    assert!(error.contains("/revoked: it is not there"), "{error}");
}

#[tokio::test]
async fn a_key_is_used_wherever_ssh_config_says_that_it_is() {
    let sshd = Sshd::start("");
    fs::create_dir(sshd.path("my keys")).unwrap();
    fs::rename(sshd.path(".ssh/id_ed25519"), sshd.path("my keys/id")).unwrap();
    for word in ["%d/my keys/id", "~/my keys/id", "${SYSADM_NO_SUCH}/id"] {
        ssh_config(&sshd, &format!("IdentityFile \"{word}\"\n"));
        let dialled = dial(&sshd.uri(), &options("cat"), sshd.surroundings()).await.map(drop);
        match word.contains('$') {
            false => dialled.expect(word),
            true => assert!(dialled.unwrap_err().to_string().contains("SYSADM_NO_SUCH is not set")),
        }
    }
}

#[tokio::test]
async fn each_key_that_cannot_be_used_is_named_with_the_reason() {
    let sshd = Sshd::start("");
    fs::write(sshd.path("putty"), "PuTTY-User-Key-File-3: ssh-ed25519\n").unwrap();
    fs::write(
        sshd.path("broken"),
        "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
    )
    .unwrap();
    ssh_config(
        &sshd,
        "IdentityFile ~/.ssh/nokey\nIdentityFile ~/putty\nIdentityFile ~/.ssh/id_ed25519.pub\nIdentityFile ~/broken\n",
    );
    let error = refused(&sshd).await.to_string();
    for part in [
        "/.ssh/nokey (is not there)",
        "/putty (is in PuTTY's format",
        "id_ed25519.pub (is a public key)",
        "/broken (cannot be used",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    ssh_config(&sshd, "");
    fs::remove_file(sshd.path(".ssh/id_ed25519")).unwrap();
    let error = refused(&sshd).await;
    let text = error.to_string();
    assert!(text.contains("no SSH key found, such as") && text.ends_with("/.ssh/id_ed25519"), "{text}");
    assert_eq!(error.hints()[0], "make one with ssh-keygen");
}

#[tokio::test]
async fn what_the_other_side_prints_in_place_of_an_answer_is_quoted() {
    let sshd = Sshd::start("");
    for (command, parts) in [
        (
            "/usr/sbin/nologin",
            &["it printed \"This account is currently not available.\"", "ended with status 1 there"][..],
        ),
        ("echo ready; exec cat > /dev/null", &["it printed \"ready\""][..]),
        ("echo Go away; exit 0", &["it printed \"Go away\"; then it ended"][..]),
        (
            "echo no; echo bad disk >&2; exit 7",
            &["it printed \"no\"", "ended with status 7 there: bad disk"][..],
        ),
        ("sysadm-is-not-here", &["ended with status 127 there", "not found", "install sysadm there"][..]),
    ] {
        let mut stream = dial(&sshd.uri(), &options(command), sshd.surroundings()).await.unwrap();
        let error = hello::open(&sshd.uri(), &mut stream, Purpose::Rpc).await.unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "{command}: {error}");
        }
        assert!(!error.contains("bytes was announced"), "{error}");
    }
}
