//! Proving who we are, with every key that we have and without ever asking anybody.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ssh2::{ErrorCode, Session};

use super::known_hosts::fingerprint;
use super::settings::Settings;
use crate::model::HostUri;
use crate::transport::DialError;

/// libssh2's errors for a key that the server does not want.
const NOT_THIS_KEY: [ErrorCode; 2] = [ErrorCode::Session(-18), ErrorCode::Session(-19)];

/// Tries every key that we have.
pub(super) fn authenticate(uri: &HostUri, settings: &Settings, session: &Session) -> Result<(), DialError> {
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
