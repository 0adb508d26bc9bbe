//! Which settings apply for a host, from the URI, sysadm.toml and ssh_config.

use super::*;

fn resolve(uri: &str, text: &str) -> Result<Settings, DialError> {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".ssh")).unwrap();
    std::fs::write(home.path().join(".ssh/config"), text).unwrap();
    let surroundings = Surroundings {
        home: Some(home.path().to_owned()),
        user: Some("me".to_owned()),
        agent: Some("/agent".into()),
        config: home.path().join("system"),
        known_hosts: "/system".into(),
    };
    Settings::resolve(&uri.parse().unwrap(), &DialOptions::default(), &surroundings)
}

const TEXT: &str = "IdentityFile ~/.ssh/mine\nHost h2\n  HostName 10.0.0.2\n  Port 2200\n  User you\n  \
    UserKnownHostsFile ~/known /etc/known\n  HostKeyAlias two\n  IdentitiesOnly yes\n  IdentityAgent none\n\
    Host *\n  SomethingNew 7\n";

#[test]
fn ssh_config_says_what_the_uri_does_not() {
    let settings = resolve("ssh://h2", TEXT).unwrap();
    assert_eq!((settings.host.as_str(), settings.port), ("10.0.0.2", 2200));
    assert_eq!((settings.user.as_str(), settings.known_as.as_str()), ("you", "two"));
    assert!(settings.known_hosts[0].ends_with("known") && settings.known_hosts[0].is_absolute());
    let others = ["/etc/known", "/system", "/system2"].map(PathBuf::from);
    assert_eq!(settings.known_hosts[1..], others);
    assert!(settings.identities[0].is_absolute() && settings.identities[0].ends_with(".ssh/mine"));
    assert!(settings.identities_only && settings.agent.is_none());
}

#[test]
fn the_uri_says_more_than_ssh_config() {
    let settings = resolve("ssh://root@h2:22", TEXT).unwrap();
    assert_eq!((settings.port, settings.user.as_str()), (22, "root"));
}

#[test]
fn our_own_configuration_says_where_and_the_uri_says_who() {
    let text = "[connect.addresses]\nh2 = \"10.9.0.2:2222\"\n";
    let surroundings = Surroundings {
        home: None,
        user: Some("me".to_owned()),
        agent: None,
        config: "/none".into(),
        known_hosts: "/k".into(),
    };
    let resolve = |uri: &str| {
        Settings::resolve(&uri.parse().unwrap(), &toml::from_str(text).unwrap(), &surroundings).unwrap()
    };
    let settings = resolve("ssh://h2");
    assert_eq!((settings.host.as_str(), settings.port), ("10.9.0.2", 2222));
    assert_eq!((settings.known_as.as_str(), settings.known_plainly.as_str()), ("[h2]:2222", "h2"));
    assert_eq!(resolve("ssh://h2:22").port, 22);
    assert_eq!(resolve("ssh://h3").host, "h3");
}

#[test]
fn nothing_said_means_what_ssh_means() {
    let settings = resolve("ssh://H3", "").unwrap();
    assert_eq!((settings.host.as_str(), settings.port, settings.user.as_str()), ("H3", 22, "me"));
    assert_eq!(settings.known_as, "h3");
    assert!(settings.known_hosts[0].ends_with(".ssh/known_hosts"));
    assert_eq!(settings.agent, Some("/agent".into()));
    assert!(!settings.identities_only && !settings.identities_named);
}

#[test]
fn what_cannot_be_followed_is_refused_and_not_ignored() {
    let error = |text: &str| resolve("ssh://h2", text).unwrap_err().to_string();
    assert!(error("Host h2\n ProxyJump gate\n").contains("config:2: ProxyJump is not supported"));
    assert!(error("Host h2\n ProxyCommand nc %h %p\n").contains("config:2: ProxyCommand"));
    assert!(error("Match exec true\n Port 7\n").contains("config:1: Match exec cannot be followed"));
    assert!(error("Host h2\n Port many\n").contains("config:2: Port \"many\" is not a port number"));
    assert!(error("HostName %x\n").contains("config:1: \"%x\": unknown token %x"));
    assert!(error("IdentityFile \"~/a\n").contains("config:1: a quote has no end"));
    assert!(error("Port\n").contains("config:1: port has no value"));
    assert!(resolve("ssh://h2", "Match user nobody exec true\n Port 7\n").is_ok());
    assert!(resolve("ssh://h2", "Host h3\n ProxyJump gate\nHost h2\n ProxyJump none\n").is_ok());
}

#[test]
fn a_named_configuration_must_be_there() {
    let mut config = DialOptions::default();
    config.ssh.config = Some("/nonexistent/config".into());
    let surroundings = Surroundings {
        home: None,
        user: Some("me".to_owned()),
        agent: None,
        config: "/none".into(),
        known_hosts: "/k".into(),
    };
    let error = Settings::resolve(&"ssh://h2".parse().unwrap(), &config, &surroundings).unwrap_err();
    assert!(error.to_string().contains("failed to read /nonexistent/config"), "{error}");
}

#[test]
fn a_name_of_its_own_is_looked_up_without_a_port_and_any_other_with_it() {
    assert_eq!(resolve("ssh://h2:2200", "").unwrap().known_as, "[h2]:2200");
    assert_eq!(resolve("ssh://h2:2200", "HostKeyAlias Two\n").unwrap().known_as, "Two");
    assert_eq!(resolve("ssh://h2", "HostName H2.Example.org\n").unwrap().known_as, "h2.example.org");
}

#[test]
fn paths_are_what_they_stand_for() {
    let text = "HostName 10.0.0.2\nPort 2200\nHostKeyAlias two\nIdentityFile %d/.ssh/a-%h-%n-%p-%r-%u\n\
        IdentityFile \"~/my keys/id\"\nIdentityFile ~root/id\nIdentityFile none\nUserKnownHostsFile ~/k %d/k-%k\n\
        GlobalKnownHostsFile ~root/g\nIdentityAgent %d/agent\n";
    let settings = resolve("ssh://root@h2", text).unwrap();
    let home = settings.known_hosts[0].parent().unwrap().to_owned();
    let known = [home.join("k"), home.join("k-two"), PathBuf::from("/root/g")];
    assert_eq!(settings.known_hosts, known);
    let keys = [home.join(".ssh/a-10.0.0.2-h2-2200-root-me"), home.join("my keys/id"), "/root/id".into()];
    assert_eq!(settings.identities, keys);
    assert_eq!(settings.agent, Some(home.join("agent")));
    let agent = |word: &str| resolve("ssh://h2", &format!("IdentityAgent {word}\n")).unwrap().agent;
    let variable = std::env::var_os("PATH").map(PathBuf::from);
    assert_eq!((agent("$PATH"), agent("${PATH}")), (variable.clone(), variable));
    assert_eq!(agent("SSH_AUTH_SOCK"), Some("/agent".into()));
    let error = resolve("ssh://h2", "IdentityFile ${SYSADM_NO_SUCH}/id\n").unwrap_err().to_string();
    assert!(error.contains("config:1:") && error.contains("SYSADM_NO_SUCH is not set"), "{error}");
}

#[test]
fn what_is_not_heeded_is_named_where_it_may_matter() {
    let unheeded = |text: &str| resolve("ssh://h2", text).unwrap().unheeded.join("; ");
    let text =
        "BindAddress 10.0.0.1\nCertificateFile ~/cert\nStrictHostKeyChecking accept-new\nForwardAgent yes\n";
    let named = unheeded(text);
    assert!(named.contains("BindAddress (") && named.contains("config:1)"), "{named}");
    assert!(named.contains("CertificateFile (") && named.contains("StrictHostKeyChecking ("), "{named}");
    assert!(!named.contains("ForwardAgent"), "{named}");
    assert_eq!(unheeded("StrictHostKeyChecking ask\nPubkeyAuthentication yes\nVerifyHostKeyDNS no\n"), "");
    assert_eq!(unheeded("Host h3\nBindAddress 10.0.0.1\n"), "");
}

#[test]
fn only_one_family_of_addresses_is_used_if_that_is_said() {
    let only = |text: &str| resolve("ssh://h2", text).unwrap().only_ipv4;
    assert_eq!([only(""), only("AddressFamily any\n")], [None, None]);
    assert_eq!([only("AddressFamily inet\n"), only("AddressFamily inet6\n")], [Some(true), Some(false)]);
}

#[test]
fn what_everybody_here_sets_holds_where_the_user_sets_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (own, system) = (home.path().join(".ssh/config"), home.path().join("system"));
    std::fs::create_dir(home.path().join(".ssh")).unwrap();
    std::fs::write(&own, "Host h2\nPort 7\n").unwrap();
    std::fs::write(&system, "Port 8\nUser us\n").unwrap();
    let surroundings = Surroundings {
        home: Some(home.path().to_owned()),
        user: Some("me".to_owned()),
        agent: None,
        config: system,
        known_hosts: "/k".into(),
    };
    let mut config = DialOptions::default();
    let resolve = |config: &DialOptions| {
        let settings = Settings::resolve(&"ssh://h2".parse().unwrap(), config, &surroundings).unwrap();
        (settings.port, settings.user)
    };
    assert_eq!(resolve(&config), (7, "us".to_owned()));
    config.ssh.config = Some(own);
    assert_eq!(resolve(&config), (7, "me".to_owned()), "a file that is named is read alone");
}
