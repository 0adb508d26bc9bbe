//! From nothing to an authenticated session.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Instant;

use ssh2::{ErrorCode, MethodType, Session};

use super::connect_error;
use super::keys::authenticate;
use super::known_hosts::{KnownKeys, Verdict, fingerprint, kind, name_with_port};
use super::settings::Settings;
use crate::model::HostUri;
use crate::transport::DialError;

/// The fastest first, for a guest's memory is large: libssh2 1.11 hands AES to OpenSSL 16 bytes at a time, so
/// its own ChaCha20 is nearly twice as fast.
const CIPHERS: &str = "chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes256-gcm@openssh.com,\
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
