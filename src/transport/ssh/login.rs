//! From nothing to an authenticated session.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ssh2::{ErrorCode, MethodType, Session};

use super::connect_error;
use super::known_hosts::{KnownKeys, Verdict, fingerprint, kind, name_with_port};
use super::settings::Settings;
use crate::model::HostUri;
use crate::transport::DialError;

/// Ciphers with hardware support first: a guest's memory is large.
const CIPHERS: &str = "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,\
    aes128-ctr,aes192-ctr,aes256-ctr";

/// Host key algorithms, and the key type of each, best first.
const HOST_KEYS: [(&str, &str); 6] = [
    ("ssh-ed25519", "ssh-ed25519"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
    ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"),
    ("ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "ssh-rsa"),
    ("rsa-sha2-256", "ssh-rsa"),
];

/// libssh2's errors for a limit that was reached.
const TIMEOUTS: [ErrorCode; 2] = [ErrorCode::Session(-9), ErrorCode::Session(-30)];

/// libssh2's errors for a key that the server does not want.
const NOT_THIS_KEY: [ErrorCode; 2] = [ErrorCode::Session(-18), ErrorCode::Session(-19)];

/// Connects, makes sure that the host is the right one, and logs in.
pub(super) fn log_in(uri: &HostUri, settings: &Settings) -> Result<(Session, TcpStream), DialError> {
    let known = KnownKeys::read(&settings.known_hosts, &settings.known_as, settings.port)
        .map_err(|what| DialError::Setup { uri: uri.clone(), what })?;
    let socket = connect(uri, settings)?;
    let broken = |error: ssh2::Error| match TIMEOUTS.contains(&error.code()) {
        true => DialError::Timeout { uri: uri.clone(), seconds: settings.timeout.as_secs() },
        false => connect_error(uri, format!("the SSH handshake failed: {}", error.message())),
    };
    let mut session = Session::new().map_err(broken)?;
    session.set_timeout(u32::try_from(settings.timeout.as_millis()).unwrap_or(u32::MAX));
    for ciphers in [MethodType::CryptCs, MethodType::CryptSc] {
        session.method_pref(ciphers, CIPHERS).map_err(broken)?;
    }
    session.method_pref(MethodType::HostKey, &host_key_order(&known)).map_err(broken)?;
    let clone = socket.try_clone().map_err(|source| DialError::Connect { uri: uri.clone(), source })?;
    session.set_tcp_stream(clone);
    session.handshake().map_err(broken)?;
    identify(uri, settings, &known, &session)?;
    authenticate(uri, settings, &session)?;
    Ok((session, socket))
}

/// Tries each address of the host until the time is up.
fn connect(uri: &HostUri, settings: &Settings) -> Result<TcpStream, DialError> {
    let refused = |source| DialError::Connect { uri: uri.clone(), source };
    let addresses = (settings.host.as_str(), settings.port).to_socket_addrs().map_err(refused)?;
    let end = Instant::now() + settings.timeout;
    let mut last = std::io::Error::other(format!("{} has no address", settings.host));
    for address in addresses {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(socket) => {
                socket.set_nodelay(true).map_err(refused)?;
                return Ok(socket);
            }
            Err(error) => last = error,
        }
    }
    match last.kind() {
        std::io::ErrorKind::TimedOut => {
            Err(DialError::Timeout { uri: uri.clone(), seconds: settings.timeout.as_secs() })
        }
        _ => Err(refused(last)),
    }
}

/// The types that are known of the host first, so that the server shows a key that can be checked.
fn host_key_order(known: &KnownKeys) -> String {
    let known: Vec<&str> = known.kinds().collect();
    let (mut first, rest): (Vec<_>, Vec<_>) = HOST_KEYS.iter().partition(|(_, kind)| known.contains(kind));
    first.extend(rest);
    first.iter().map(|(algorithm, _)| *algorithm).collect::<Vec<_>>().join(",")
}

/// Makes sure that the host has the key that it is known to have.
fn identify(
    uri: &HostUri,
    settings: &Settings,
    known: &KnownKeys,
    session: &Session,
) -> Result<(), DialError> {
    let wrong = |what: String| DialError::Identity { uri: uri.clone(), what };
    let (key, _) = session.host_key().ok_or_else(|| wrong("it showed no host key".to_owned()))?;
    let (kind, print) = (kind(key), fingerprint(key));
    let file =
        settings.known_hosts.first().map_or("~/.ssh/known_hosts".into(), |file| file.to_string_lossy());
    let short = kind.strip_prefix("ssh-").unwrap_or(kind).split('-').next().unwrap_or(kind);
    let scan = format!("ssh-keyscan -p {} -t {short} {} >> {file}", settings.port, settings.host);
    match known.judge(key) {
        Verdict::Known => Ok(()),
        Verdict::Unknown => Err(wrong(format!(
            "its {kind} key {print} is not known; compare this fingerprint with the host's own, then: {scan}"
        ))),
        Verdict::Changed { file, line } => Err(wrong(format!(
            "its {kind} key is {print} and not the one in line {line} of {path}: it was reinstalled, or another \
             machine answers; if that is explained: ssh-keygen -R '{name}' -f {path}, then: {scan}",
            path = file.display(),
            name = name_with_port(&settings.known_as, settings.port),
        ))),
        Verdict::Revoked { file, line } => Err(wrong(format!(
            "its {kind} key {print} is revoked in line {line} of {}; give the host a new one",
            file.display()
        ))),
    }
}

/// Tries every key that we have.
fn authenticate(uri: &HostUri, settings: &Settings, session: &Session) -> Result<(), DialError> {
    let user = &settings.user;
    let mut attempt = Attempt { user, session, tried: Vec::new() };
    let failed = |what: String| DialError::Login { uri: uri.clone(), what };
    let methods = match session.auth_methods(user) {
        // Without any credentials: the server says so by having none to offer.
        _ if session.authenticated() => return Ok(()),
        Ok(methods) => methods,
        Err(error) => return Err(failed(format!("as {user}: {}", error.message()))),
    };
    if !methods.split(',').any(|method| method == "publickey") {
        return Err(failed(format!(
            "for {user} it takes only {methods}; allow public keys in its sshd_config"
        )));
    }
    let accepted = attempt.agent(settings).and_then(|accepted| match accepted {
        true => Ok(true),
        false => attempt.files(settings),
    });
    match accepted {
        Ok(true) => Ok(()),
        Ok(false) => {
            let tried = match attempt.tried.is_empty() {
                true => "there is no key to try; make one with ssh-keygen".to_owned(),
                false => attempt.tried.join(", "),
            };
            Err(failed(format!(
                "as {user}: {tried}; add a public key of ours to ~{user}/.ssh/authorized_keys there"
            )))
        }
        Err(error) => {
            Err(failed(format!("as {user}: {}; tried {}", error.message(), attempt.tried.join(", "))))
        }
    }
}

struct Attempt<'a> {
    user: &'a str,
    session: &'a Session,
    tried: Vec<String>,
}

impl Attempt<'_> {
    /// The agent's keys, those first that an identity file names: sshd allows only a few attempts.
    fn agent(&mut self, settings: &Settings) -> Result<bool, ssh2::Error> {
        let Some(socket) = &settings.agent else { return Ok(false) };
        let list = || -> Result<_, ssh2::Error> {
            let mut agent = self.session.agent()?;
            agent.set_identity_path(socket)?;
            agent.connect()?;
            agent.list_identities()?;
            let identities = agent.identities()?;
            Ok((agent, identities))
        };
        let (agent, identities) = match list() {
            Ok(found) => found,
            Err(error) => {
                self.tried.push(format!("no ssh-agent at {} ({})", socket.display(), error.message()));
                return Ok(false);
            }
        };
        let wanted: Vec<_> = settings.identities.iter().filter_map(|file| public_half(file)).collect();
        let (mut ours, others): (Vec<_>, Vec<_>) =
            identities.iter().partition(|identity| wanted.iter().any(|blob| blob == identity.blob()));
        if !settings.identities_only {
            ours.extend(others);
        }
        for identity in ours {
            self.tried.push(format!("ssh-agent's {}", fingerprint(identity.blob())));
            if self.accepted(agent.userauth(self.user, identity))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn files(&mut self, settings: &Settings) -> Result<bool, ssh2::Error> {
        for file in &settings.identities {
            let text = match std::fs::read(file) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => {
                    self.tried.push(format!("{} ({error})", file.display()));
                    continue;
                }
            };
            if is_encrypted(&text) {
                self.tried.push(format!("{} (has a passphrase: add it to ssh-agent)", file.display()));
                continue;
            }
            self.tried.push(file.display().to_string());
            // An empty passphrase and not none: with none, libssh2 1.11 crashes on a key that needs one.
            if self.accepted(self.session.userauth_pubkey_file(self.user, None, file, Some("")))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the server took a key. An error is one that makes further attempts useless.
    fn accepted(&self, result: Result<(), ssh2::Error>) -> Result<bool, ssh2::Error> {
        match result {
            Ok(()) => Ok(self.session.authenticated()),
            Err(error) if NOT_THIS_KEY.contains(&error.code()) => Ok(false),
            // A file that is no usable key.
            Err(error) if error.code() == ErrorCode::Session(-16) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The public key beside a private one.
fn public_half(file: &Path) -> Option<Vec<u8>> {
    let mut name = file.as_os_str().to_owned();
    name.push(".pub");
    let text = std::fs::read_to_string(name).ok()?;
    STANDARD.decode(text.split_ascii_whitespace().nth(1)?).ok()
}

/// Whether a private key needs a passphrase, in PEM or in OpenSSH's format.
fn is_encrypted(key: &[u8]) -> bool {
    let text = String::from_utf8_lossy(key);
    if text.contains("ENCRYPTED") {
        return true;
    }
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    // "openssh-key-v1\0", then the name of a cipher or "none".
    STANDARD.decode(body.trim()).is_ok_and(|bytes| {
        bytes.strip_prefix(b"openssh-key-v1\0").is_some_and(|rest| !rest.starts_with(b"\0\0\0\x04none"))
    })
}
