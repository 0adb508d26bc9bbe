//! How a host is reached: settings come from the URI, then `connect.addresses` in sysadm.toml, then ssh_config,
//! then the defaults.
//!
//! Settings that cannot be followed are refused if ignoring them would lead to another host, or trust another
//! key, than the administrator meant: a proxy, a binary list of revoked keys. Other ignored settings are named if
//! they may be the reason of a failure.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Surroundings;
use super::ssh_config::{Options, Set, Target};
use super::tokens::{Known, expand, expand_path};
use crate::DialError;
use crate::DialOptions;
use crate::model::HostUri;

/// All settings of a login.
#[derive(Debug)]
pub(super) struct Settings {
    /// Name or address to connect to.
    pub host: String,
    /// Port to connect to.
    pub port: u16,
    /// Use only IPv4 addresses (false: only IPv6); none: any.
    pub only_ipv4: Option<bool>,
    /// The user at the other host.
    pub user: String,
    /// The name under which its key is known, with the port if that belongs to it.
    pub known_as: String,
    /// The name without the port: a key under it is only a hint that it is the host.
    pub known_plainly: String,
    /// Files with known keys, the user's first.
    pub known_hosts: Vec<PathBuf>,
    /// A file with revoked keys.
    pub revoked: Option<PathBuf>,
    /// Key files, in this order.
    pub identities: Vec<PathBuf>,
    /// The key files were configured, and are not the defaults.
    pub identities_named: bool,
    /// Use only those keys of the agent that are in an identity file.
    pub identities_only: bool,
    /// The socket of ssh-agent.
    pub agent: Option<PathBuf>,
    /// The command that is started there.
    pub agent_command: String,
    /// Time limit for each step of the login.
    pub timeout: Duration,
    /// Settings for this host that are ignored, each with its place.
    pub unheeded: Vec<String>,
}

/// The default names of key files, the best first.
const IDENTITIES: [&str; 5] = ["id_ed25519", "id_ecdsa", "id_rsa", "id_ed25519_sk", "id_ecdsa_sk"];

/// Settings that are ignored and may matter, and the values with which they do not.
const UNHEEDED: [(&str, &str, &[&str]); 18] = [
    ("bindaddress", "BindAddress", &[]),
    ("bindinterface", "BindInterface", &[]),
    ("canonicalizehostname", "CanonicalizeHostname", &["no"]),
    ("certificatefile", "CertificateFile", &["none"]),
    ("ciphers", "Ciphers", &[]),
    ("hostkeyalgorithms", "HostKeyAlgorithms", &[]),
    ("kexalgorithms", "KexAlgorithms", &[]),
    ("knownhostscommand", "KnownHostsCommand", &["none"]),
    ("macs", "MACs", &[]),
    ("nohostauthenticationforlocalhost", "NoHostAuthenticationForLocalhost", &["no"]),
    ("pkcs11provider", "PKCS11Provider", &["none"]),
    ("pubkeyacceptedalgorithms", "PubkeyAcceptedAlgorithms", &[]),
    ("pubkeyacceptedkeytypes", "PubkeyAcceptedKeyTypes", &[]),
    ("pubkeyauthentication", "PubkeyAuthentication", &["yes"]),
    ("securitykeyprovider", "SecurityKeyProvider", &["internal"]),
    ("setenv", "SetEnv", &[]),
    ("stricthostkeychecking", "StrictHostKeyChecking", &["yes", "ask"]),
    ("verifyhostkeydns", "VerifyHostKeyDNS", &["no"]),
];

const ELSEWHERE: &str =
    "put what sysadm needs into a file of its own and name it as 'config' under [ssh] in sysadm.toml";

impl Settings {
    /// Resolves all settings.
    pub(super) fn resolve(
        uri: &HostUri,
        own: &DialOptions,
        surroundings: &Surroundings,
    ) -> Result<Self, DialError> {
        let setup = |what: String| DialError::Setup { uri: uri.clone(), what };
        let options = read(uri, own, surroundings).map_err(setup)?;
        let Surroundings { home, user: own_user, .. } = surroundings;
        let home = home.as_deref();
        let user = uri.user.as_deref().or_else(|| options.word("user")).or(own_user.as_deref());
        let user =
            user.ok_or_else(|| setup("as whom is not known; write ssh://USER@HOST, or set USER".to_owned()))?;
        let named = host_name(uri, &options).map_err(setup)?;
        // Our own configuration says where; the host that must answer there is the one in the URI.
        let address = own.connect.address(&uri.host);
        let port = uri.port.or(address.and_then(|address| address.port));
        let port = match (port, options.get("port")) {
            (Some(port), _) => port,
            (None, Some(set)) => number(set).map_err(setup)?,
            (None, None) => 22,
        };
        let alias = options.word("hostkeyalias");
        let known_plainly =
            alias.map_or_else(|| address.map_or(&named, |_| &uri.host).to_lowercase(), str::to_owned);
        let known = Known {
            home,
            host: Some(&named),
            original: Some(&uri.host),
            alias: Some(alias.unwrap_or(&uri.host)),
            port: Some(port),
            user: Some(user),
            own_user: own_user.as_deref(),
        };
        let paths = PathOptions { options: &options, known: &known };
        let identities = paths.gathered("identityfile").map_err(setup)?;
        let usual =
            || home.iter().flat_map(|home| IDENTITIES.map(|name| home.join(".ssh").join(name))).collect();
        Ok(Self {
            // An alias is known as it is, whatever the port.
            known_as: if alias.is_some() {
                known_plainly.clone()
            } else {
                name_with_port(&known_plainly, port)
            },
            known_plainly,
            known_hosts: paths.known_hosts(&surroundings.known_hosts).map_err(setup)?,
            revoked: paths.first("revokedhostkeys").map_err(setup)?,
            identities_named: identities.is_some(),
            identities: identities.unwrap_or_else(usual),
            identities_only: options
                .word("identitiesonly")
                .is_some_and(|word| word.eq_ignore_ascii_case("yes")),
            agent: paths.agent(surroundings).map_err(setup)?,
            only_ipv4: only_ipv4(&options),
            agent_command: own.ssh.agent.clone(),
            timeout: own.connect.timeout(),
            unheeded: unheeded(&options),
            host: address.map_or_else(|| named.clone(), |address| address.host.clone()),
            port,
            user: user.to_owned(),
        })
    }
}

/// The ssh_config options for the host. A configured file must exist.
fn read(uri: &HostUri, own: &DialOptions, surroundings: &Surroundings) -> Result<Options, String> {
    let home = surroundings.home.as_deref();
    let files = match &own.ssh.config {
        Some(file) => {
            std::fs::metadata(file).map_err(|error| format!("failed to read {}: {error}", file.display()))?;
            vec![file.clone()]
        }
        None => home
            .map(|home| home.join(".ssh/config"))
            .into_iter()
            .chain([surroundings.config.clone()])
            .collect(),
    };
    let target =
        Target { host: &uri.host, user: uri.user.as_deref(), own_user: surroundings.user.as_deref(), home };
    let options = Options::read(&files, &target).map_err(|what| format!("{what}; {ELSEWHERE}"))?;
    for (name, shown) in [("proxyjump", "ProxyJump"), ("proxycommand", "ProxyCommand")] {
        let is_set = |set: &&Set| set.words.iter().any(|word| !word.eq_ignore_ascii_case("none"));
        if let Some(set) = options.get(name).filter(is_set) {
            return Err(format!("{}: {shown} is not supported; {ELSEWHERE}", set.place));
        }
    }
    Ok(options)
}

/// The host name that is looked up.
fn host_name(uri: &HostUri, options: &Options) -> Result<String, String> {
    let Some(set) = options.get("hostname") else { return Ok(uri.host.clone()) };
    let word = set.words.first().map_or("", String::as_str);
    let known = Known { host: Some(&uri.host), ..Known::default() };
    expand(word, &known).map_err(|what| format!("{}: {what}; {ELSEWHERE}", set.place))
}

fn number(set: &Set) -> Result<u16, String> {
    let word = set.words.first().map_or("", String::as_str);
    word.parse().map_err(|_| format!("{}: Port {word:?} is no number of a port; {ELSEWHERE}", set.place))
}

fn unheeded(options: &Options) -> Vec<String> {
    let is_set = |(name, shown, harmless): &(&str, &str, &[&str])| {
        let set = options.get(name)?;
        let matters = set.words.iter().any(|word| !harmless.iter().any(|one| word.eq_ignore_ascii_case(one)));
        matters.then(|| format!("{shown} ({})", set.place))
    };
    UNHEEDED.iter().filter_map(is_set).collect()
}

/// The name of a host as it is in known_hosts.
pub(super) fn name_with_port(host: &str, port: u16) -> String {
    if port == 22 { host.to_owned() } else { format!("[{host}]:{port}") }
}

fn only_ipv4(options: &Options) -> Option<bool> {
    match options.word("addressfamily") {
        Some("inet") => Some(true),
        Some("inet6") => Some(false),
        _ => None,
    }
}

/// Options that are paths.
struct PathOptions<'a> {
    options: &'a Options,
    known: &'a Known<'a>,
}

impl PathOptions<'_> {
    /// The socket of ssh-agent; none: no agent is used.
    fn agent(&self, surroundings: &Surroundings) -> Result<Option<PathBuf>, String> {
        match self.options.word("identityagent") {
            Some("none") => Ok(None),
            None | Some("SSH_AUTH_SOCK") => Ok(surroundings.agent.clone()),
            // An older syntax for a variable.
            Some(word) => match word.strip_prefix('$').filter(|name| !name.starts_with('{')) {
                Some(name) => Ok(std::env::var_os(name).map(PathBuf::from)),
                None => self.first("identityagent"),
            },
        }
    }

    fn of(&self, set: &Set) -> Result<Vec<PathBuf>, String> {
        let words = set.words.iter().filter(|word| !word.eq_ignore_ascii_case("none"));
        let path = |word: &String| {
            expand_path(word, self.known).map_err(|what| format!("{}: {what}; {ELSEWHERE}", set.place))
        };
        words.map(path).collect()
    }

    /// All paths of a cumulative option; none if it is not set.
    fn gathered(&self, name: &str) -> Result<Option<Vec<PathBuf>>, String> {
        let sets = self.options.all(name);
        let paths = sets.iter().map(|set| self.of(set)).collect::<Result<Vec<_>, _>>()?;
        Ok((!sets.is_empty()).then(|| paths.concat()))
    }

    fn first(&self, name: &str) -> Result<Option<PathBuf>, String> {
        Ok(self
            .options
            .get(name)
            .map(|set| self.of(set))
            .transpose()?
            .and_then(|paths| paths.into_iter().next()))
    }

    /// The user's files with known keys, then the system's.
    fn known_hosts(&self, system: &Path) -> Result<Vec<PathBuf>, String> {
        let second = |file: &Path| {
            let mut name = file.as_os_str().to_owned();
            name.push("2");
            [file.to_owned(), PathBuf::from(name)]
        };
        let mut files = match self.options.get("userknownhostsfile") {
            Some(set) => self.of(set)?,
            None => self
                .known
                .home
                .map(|home| second(&home.join(".ssh/known_hosts")))
                .into_iter()
                .flatten()
                .collect(),
        };
        match self.options.get("globalknownhostsfile") {
            Some(set) => files.extend(self.of(set)?),
            None => files.extend(second(system)),
        }
        Ok(files)
    }
}

#[cfg(test)]
mod tests;
