//! From nothing to an authenticated session.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Instant;

use ssh2::{ErrorCode, MethodType, Session};

use super::connect_error;
use super::identity::identify;
use super::keys::authenticate;
use super::known_hosts::{KnownHostsError, KnownKeys};
use super::settings::Settings;
use crate::DialError;
use crate::model::HostUri;

/// The fastest first, because a guest's memory is large: libssh2 1.11 passes AES to OpenSSL 16 bytes at a time,
/// so its own ChaCha20 is nearly twice as fast.
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

/// libssh2's errors for a timeout.
const TIMEOUTS: [ErrorCode; 2] = [ErrorCode::Session(-9), ErrorCode::Session(-30)];

/// Connects, authenticates the host, and logs in.
pub(super) fn log_in(uri: &HostUri, settings: &Settings) -> Result<(Session, TcpStream), DialError> {
    attempt(uri, settings).map_err(|error| naming(error, &settings.unheeded))
}

/// The error, with the settings of ssh_config that are ignored here: they may be the reason.
fn naming(mut error: DialError, unheeded: &[String]) -> DialError {
    if unheeded.is_empty() {
        return error;
    }
    let note = format!("; ssh_config sets what is not supported: {}", unheeded.join(", "));
    match &mut error {
        DialError::Identity { what, .. } | DialError::Login { what, .. } => what.text.push_str(&note),
        DialError::Connect { source, .. } => {
            *source = std::io::Error::new(source.kind(), format!("{source}{note}"));
        }
        _ => {}
    }
    error
}

fn attempt(uri: &HostUri, settings: &Settings) -> Result<(Session, TcpStream), DialError> {
    let setup = |error: KnownHostsError| DialError::Setup { uri: uri.clone(), what: error.into() };
    let mut known =
        KnownKeys::read(&settings.known_hosts, &settings.known_as, &settings.known_plainly).map_err(setup)?;
    if let Some(file) = &settings.revoked {
        known.revoke(file).map_err(setup)?;
    }
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
    let addresses =
        addresses.filter(|address| settings.only_ipv4.is_none_or(|only| only == address.is_ipv4()));
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

/// Key types that are known of the host come first, so that the server shows a key that can be checked.
fn host_key_order(known: &KnownKeys) -> String {
    let known: Vec<&str> = known.kinds().collect();
    let (mut first, rest): (Vec<_>, Vec<_>) = HOST_KEYS.iter().partition(|(_, kind)| known.contains(kind));
    first.extend(rest);
    first.iter().map(|(algorithm, _)| *algorithm).collect::<Vec<_>>().join(",")
}
