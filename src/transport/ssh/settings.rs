//! How a host is to be reached: the URI first, then `connect.addresses` in sysadm.toml, then ssh_config, then
//! what is usual.
//!
//! `Match` blocks and proxies cannot be followed. They are refused, because ignoring them would lead to
//! another host than the administrator meant.

use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ssh2_config::{HostParams, ParseRule, SshConfig};

use super::Surroundings;
use crate::config::Config;
use crate::host::chain;
use crate::model::HostUri;
use crate::transport::DialError;

/// The answer to every question that a login asks.
#[derive(Debug)]
pub(super) struct Settings {
    /// Name or address to connect to.
    pub host: String,
    /// Port to connect to.
    pub port: u16,
    /// As whom.
    pub user: String,
    /// The name under which its key is known.
    pub known_as: String,
    /// Files with known keys, the user's first.
    pub known_hosts: Vec<PathBuf>,
    /// Key files, in this order.
    pub identities: Vec<PathBuf>,
    /// Keys in the agent that are in no identity file are left alone.
    pub identities_only: bool,
    /// The socket of ssh-agent.
    pub agent: Option<PathBuf>,
    /// What is started there.
    pub agent_command: String,
    /// Limit for each step of the login.
    pub timeout: Duration,
}

impl Settings {
    /// Finds all answers.
    pub(super) fn resolve(
        uri: &HostUri,
        config: &Config,
        surroundings: &Surroundings,
    ) -> Result<Self, DialError> {
        let setup = |what: String| DialError::Setup { uri: uri.clone(), what };
        let home = surroundings.home.as_deref();
        let params = read_config(config.ssh.config.as_deref(), home, &uri.host).map_err(setup)?;
        let extra = Extra { params: &params, home };
        let user = uri.user.clone().or_else(|| params.user.clone()).or_else(|| surroundings.user.clone());
        let named =
            params.host_name.clone().map_or_else(|| uri.host.clone(), |name| name.replace("%h", &uri.host));
        // Our own configuration says where; who must answer there is the host that the URI names.
        let address = config.connect.address(&uri.host);
        let known_as = address.map_or(&named, |_| &uri.host).to_lowercase();
        let mut known_hosts = match extra.paths("userknownhostsfile") {
            Some(files) => files,
            None => home.map(|home| home.join(".ssh/known_hosts")).into_iter().collect(),
        };
        let system = extra.paths("globalknownhostsfile");
        known_hosts.extend(system.unwrap_or_else(|| vec![surroundings.known_hosts.clone()]));
        Ok(Self {
            port: uri.port.or(address.and_then(|address| address.port)).or(params.port).unwrap_or(22),
            user: user.ok_or_else(|| {
                setup("as whom is not known; write ssh://USER@HOST, or set USER".to_owned())
            })?,
            known_as: extra.word("hostkeyalias").map_or(known_as, str::to_owned),
            known_hosts,
            identities: identities(&params, home),
            identities_only: extra
                .word("identitiesonly")
                .is_some_and(|word| word.eq_ignore_ascii_case("yes")),
            agent: match extra.word("identityagent") {
                Some("none") => None,
                Some("SSH_AUTH_SOCK") | None => surroundings.agent.clone(),
                Some(path) => Some(extra.path(path)),
            },
            agent_command: config.ssh.agent.clone(),
            timeout: config.connect.timeout(),
            host: address.map_or(named, |address| address.host.clone()),
        })
    }
}

/// What the configuration says of `host`.
fn read_config(file: Option<&Path>, home: Option<&Path>, host: &str) -> Result<HostParams, String> {
    let usual = home.map(|home| home.join(".ssh/config"));
    let Some(path) = file.or(usual.as_deref()) else {
        return Ok(SshConfig::default().query(host));
    };
    let text = match std::fs::File::open(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && file.is_none() => {
            return Ok(SshConfig::default().query(host));
        }
        Err(error) => return Err(format!("failed to read {}: {error}", path.display())),
    };
    let rules = ParseRule::ALLOW_UNKNOWN_FIELDS | ParseRule::ALLOW_UNSUPPORTED_FIELDS;
    let parser = SshConfig::default();
    let parser = if let Some(home) = home { parser.home_dir(home) } else { parser };
    let config = parser
        .parse(&mut BufReader::new(text), rules)
        .map_err(|error| format!("{} is not understood: {}; {ELSEWHERE}", path.display(), chain(&error)))?;
    // The parser takes what follows a Match for a part of the block before it.
    let is_match = |field: &String| field.eq_ignore_ascii_case("match");
    if config.get_hosts().iter().any(|host| host.params.ignored_fields.keys().any(is_match)) {
        return Err(format!("{} has Match blocks, which are not supported; {ELSEWHERE}", path.display()));
    }
    let params = config.query(host);
    let is_set =
        |words: Option<&Vec<String>>| words.is_some_and(|words| words.iter().any(|word| word != "none"));
    if is_set(params.proxy_jump.as_ref()) || is_set(params.unsupported_fields.get("proxycommand")) {
        return Err(format!(
            "{} wants ProxyJump or ProxyCommand for it, which are not supported; {ELSEWHERE}",
            path.display()
        ));
    }
    Ok(params)
}

const ELSEWHERE: &str =
    "put what sysadm needs into a file of its own and name it as 'config' under [ssh] in sysadm.toml";

fn identities(params: &HostParams, home: Option<&Path>) -> Vec<PathBuf> {
    match (&params.identity_file, home) {
        (Some(files), _) => files.clone(),
        (None, Some(home)) => {
            ["id_ed25519", "id_ecdsa", "id_rsa"].iter().map(|name| home.join(".ssh").join(name)).collect()
        }
        (None, None) => Vec::new(),
    }
}

/// Fields that the parser knows, but leaves to us.
struct Extra<'a> {
    params: &'a HostParams,
    home: Option<&'a Path>,
}

impl Extra<'_> {
    fn word(&self, field: &str) -> Option<&str> {
        self.params.unsupported_fields.get(field)?.first().map(String::as_str)
    }

    fn paths(&self, field: &str) -> Option<Vec<PathBuf>> {
        let words = self.params.unsupported_fields.get(field)?;
        Some(words.iter().filter(|word| *word != "none").map(|word| self.path(word)).collect())
    }

    fn path(&self, word: &str) -> PathBuf {
        match (word.strip_prefix("~/").or_else(|| word.strip_prefix("%d/")), self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(uri: &str, text: &str) -> Result<Settings, DialError> {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".ssh")).unwrap();
        std::fs::write(home.path().join(".ssh/config"), text).unwrap();
        let surroundings = Surroundings {
            home: Some(home.path().to_owned()),
            user: Some("me".to_owned()),
            agent: Some("/agent".into()),
            known_hosts: "/system".into(),
        };
        Settings::resolve(&uri.parse().unwrap(), &Config::default(), &surroundings)
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
        assert_eq!(settings.known_hosts[1..], [PathBuf::from("/etc/known"), PathBuf::from("/system")]);
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
        let surroundings =
            Surroundings { home: None, user: Some("me".to_owned()), agent: None, known_hosts: "/k".into() };
        let resolve = |uri: &str| {
            Settings::resolve(&uri.parse().unwrap(), &Config::parse(text).unwrap(), &surroundings).unwrap()
        };
        let settings = resolve("ssh://h2");
        assert_eq!((settings.host.as_str(), settings.port), ("10.9.0.2", 2222));
        assert_eq!(settings.known_as, "h2");
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
        assert!(!settings.identities_only && settings.identities.len() == 3);
    }

    #[test]
    fn what_cannot_be_followed_is_refused_and_not_ignored() {
        let error = |text: &str| resolve("ssh://h2", text).unwrap_err().to_string();
        assert!(error("Host h2\n ProxyJump gate\n").contains("ProxyJump"));
        assert!(error("Host h2\n ProxyCommand nc %h %p\n").contains("ProxyCommand"));
        assert!(error("Match host h2\n Port 7\n").contains("Match blocks"));
        assert!(error("Host h2\n Port many\n").contains("not understood"));
        assert!(resolve("ssh://h2", "Host h3\n ProxyJump gate\nHost h2\n ProxyJump none\n").is_ok());
    }

    #[test]
    fn a_named_configuration_must_be_there() {
        let mut config = Config::default();
        config.ssh.config = Some("/nonexistent/config".into());
        let surroundings =
            Surroundings { home: None, user: Some("me".to_owned()), agent: None, known_hosts: "/k".into() };
        let error = Settings::resolve(&"ssh://h2".parse().unwrap(), &config, &surroundings).unwrap_err();
        assert!(error.to_string().contains("failed to read /nonexistent/config"), "{error}");
    }
}
