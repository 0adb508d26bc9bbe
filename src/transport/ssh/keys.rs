//! Authenticates us, with every key that we have and without ever prompting.

use ssh2::{ErrorCode, Session};

use super::key_file::{public_half, unusable};
use super::known_hosts::fingerprint;
use super::settings::Settings;
use crate::DialError;
use crate::model::{HostUri, Message};

/// libssh2's errors for a key that the server does not accept.
const NOT_THIS_KEY: [ErrorCode; 2] = [ErrorCode::Session(-18), ErrorCode::Session(-19)];

/// libssh2's error for a file that it cannot use as a key.
const NO_KEY: ErrorCode = ErrorCode::Session(-16);

/// Tries every key that we have.
pub(super) fn authenticate(uri: &HostUri, settings: &Settings, session: &Session) -> Result<(), DialError> {
    let user = &settings.user;
    let mut attempt = KeyAttempt { user, session, tried: Vec::new() };
    let failed = |what: Message| DialError::Login { uri: uri.clone(), what };
    let methods = match session.auth_methods(user) {
        // Without any authentication: the server says so by offering no method.
        _ if session.authenticated() => return Ok(()),
        Ok(methods) => methods,
        Err(error) => return Err(failed(format!("as {user}: {}", error.message()).into())),
    };
    if !methods.split(',').any(|method| method == "publickey") {
        let text = format!("for {user} it accepts only {methods}");
        return Err(failed(Message::from(text).with_hint("allow public keys in its sshd_config")));
    }
    let accepted = attempt.agent(settings).and_then(|accepted| match accepted {
        true => Ok(true),
        false => attempt.files(settings),
    });
    match accepted {
        Ok(true) => Ok(()),
        Ok(false) => {
            let tried = match attempt.tried.is_empty() {
                true => none_to_try(settings),
                false => attempt.tried.join(", ").into(),
            };
            let hint = format!("add a public key of this host to ~{user}/.ssh/authorized_keys there");
            Err(failed(tried.about(format!("as {user}")).with_hint(hint)))
        }
        Err(error) => {
            let tried = attempt.tried.join(", ");
            Err(failed(format!("as {user}: {}; tried {tried}", error.message()).into()))
        }
    }
}

/// What to do if there is no key at all.
fn none_to_try(settings: &Settings) -> Message {
    match settings.identities.first() {
        Some(usual) => Message::from(format!("no SSH key found, such as {}", usual.display()))
            .with_hint("make one with ssh-keygen"),
        None => {
            Message::from("no SSH key found").with_hint("name one as IdentityFile in ssh_config, or set HOME")
        }
    }
}

struct KeyAttempt<'a> {
    user: &'a str,
    session: &'a Session,
    tried: Vec<String>,
}

impl KeyAttempt<'_> {
    /// The agent's keys, those named by an identity file first: sshd allows only a few attempts.
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
            let shown = file.display();
            if let Some(why) = unusable(file) {
                // That a default file is missing is normal.
                if settings.identities_named || file.exists() {
                    self.tried.push(format!("{shown} ({why})"));
                }
                continue;
            }
            // An empty passphrase instead of none: with none, libssh2 1.11 crashes on a key that needs one.
            let result = self.session.userauth_pubkey_file(self.user, None, file, Some(""));
            let failed = result.as_ref().err().filter(|error| error.code() == NO_KEY);
            self.tried.push(match failed {
                Some(error) => format!("{shown} (cannot be used: {})", error.message()),
                None => shown.to_string(),
            });
            if self.accepted(result)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the server accepted a key. An error means that further attempts are useless.
    fn accepted(&self, result: Result<(), ssh2::Error>) -> Result<bool, ssh2::Error> {
        match result {
            Ok(()) => Ok(self.session.authenticated()),
            Err(error) if NOT_THIS_KEY.contains(&error.code()) => Ok(false),
            Err(error) if error.code() == NO_KEY => Ok(false),
            Err(error) => Err(error),
        }
    }
}
