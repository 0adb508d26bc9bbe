//! Authenticates a host, and says what to do if its key is not known.
//!
//! The advice is a command that solves the problem exactly: it writes the key under the name that is looked up,
//! into a file that is read.

use std::path::Path;

use ssh2::Session;

use super::known_hosts::{KeyVerdict, KnownKeys, Place, fingerprint, kind};
use super::settings::{Settings, name_with_port};
use crate::DialError;
use crate::model::HostUri;

/// Checks that the host has the key that it is known to have.
pub(super) fn identify(
    uri: &HostUri,
    settings: &Settings,
    known: &KnownKeys,
    session: &Session,
) -> Result<(), DialError> {
    let wrong = |what: String| DialError::Identity { uri: uri.clone(), what };
    let (key, _) = session.host_key().ok_or_else(|| wrong("it showed no host key".to_owned()))?;
    let verdict = known.judge(key);
    if verdict == KeyVerdict::Known { Ok(()) } else { Err(wrong(objection(settings, key, &verdict))) }
}

/// What is wrong with a key, and what to do.
fn objection(settings: &Settings, key: &[u8], verdict: &KeyVerdict) -> String {
    let (kind, print) = (kind(key), fingerprint(key));
    let scan = scan(settings, kind);
    match verdict {
        KeyVerdict::Known => String::new(),
        KeyVerdict::Unknown(authority) => {
            let authority = authority.as_ref().map_or_else(String::new, |Place { file, line, .. }| {
                format!(" (line {line} of {} is an authority for it, but certificates of hosts are not understood here)", file.display())
            });
            format!(
                "its {kind} key {print} is not known as {}{authority}; compare this fingerprint with the host's own, then: {scan}",
                settings.known_as
            )
        }
        KeyVerdict::Changed(place) => format!(
            "its {kind} key is {print} and not the one in line {} of {}: it was reinstalled, or another machine answers; if \
             that is explained: {}, then: {scan}",
            place.line,
            place.file.display(),
            removal(place, &settings.known_as),
        ),
        KeyVerdict::Revoked(Place { file, line, .. }) => {
            format!(
                "its {kind} key {print} is revoked in line {line} of {}; give the host a new one",
                file.display()
            )
        }
    }
}

/// The command that makes the key of a host known.
fn scan(settings: &Settings, kind: &str) -> String {
    // What is written to a device cannot be read again.
    let Some(file) = settings.known_hosts.iter().find(|file| !file.starts_with("/dev")) else {
        return "name a file as UserKnownHostsFile in ssh_config, since there is none to which a key can be added".to_owned();
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
    let made = folder.map_or_else(String::new, |folder| format!("mkdir -p -m 700 {}; ", quoted(folder)));
    let short = kind.strip_prefix("ssh-").unwrap_or(kind).split('-').next().unwrap_or(kind);
    let (host, port) = (&settings.host, settings.port);
    let renamed = match name_with_port(host, port).eq_ignore_ascii_case(&settings.known_as) {
        true => String::new(),
        false => format!(" | sed 's/^[^ ]*/{}/'", settings.known_as.replace(['/', '\'', '&', '\\'], "?")),
    };
    format!("{made}ssh-keyscan -p {port} -t {short} {host}{renamed} >> {}", quoted(file))
}

/// The command that removes a key under that name. ssh-keygen does not change patterns.
fn removal(Place { file, line, is_pattern }: &Place, name: &str) -> String {
    match is_pattern {
        true => format!("sed -i {line}d {}", quoted(file)),
        false => format!("ssh-keygen -R '{name}' -f {}", quoted(file)),
    }
}

/// A path as a word for a shell.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:,=~%".contains(c);
    if text.chars().all(plain) { text.into_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh::Surroundings;

    fn settings(config: &str, known_hosts: &str) -> Settings {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".ssh")).unwrap();
        std::fs::write(home.path().join(".ssh/config"), known_hosts).unwrap();
        let surroundings = Surroundings {
            home: Some(home.path().to_owned()),
            user: Some("me".to_owned()),
            agent: None,
            config: "/none".into(),
            known_hosts: "/etc/k".into(),
        };
        Settings::resolve(&"ssh://h2".parse().unwrap(), &toml::from_str(config).unwrap(), &surroundings)
            .unwrap()
    }

    #[test]
    fn the_key_is_to_be_written_under_the_name_that_is_looked_up() {
        let file = "UserKnownHostsFile /etc/mine\n";
        for (config, options, command) in [
            ("", file.to_owned(), "ssh-keyscan -p 22 -t ed25519 h2 >> /etc/mine"),
            ("", format!("{file}Port 2200\n"), "ssh-keyscan -p 2200 -t ed25519 h2 >> /etc/mine"),
            ("", format!("{file}HostName 10.0.0.2\n"), "ssh-keyscan -p 22 -t ed25519 10.0.0.2 >> /etc/mine"),
            (
                "[connect.addresses]\nh2 = \"127.0.0.1:2222\"\n",
                file.to_owned(),
                "ssh-keyscan -p 2222 -t ed25519 127.0.0.1 | sed 's/^[^ ]*/[h2]:2222/' >> /etc/mine",
            ),
            (
                "[connect.addresses]\nh2 = \"10.9.0.2\"\n",
                file.to_owned(),
                "ssh-keyscan -p 22 -t ed25519 10.9.0.2 | sed 's/^[^ ]*/h2/' >> /etc/mine",
            ),
            (
                "",
                format!("{file}HostKeyAlias two\nPort 2200\n"),
                "ssh-keyscan -p 2200 -t ed25519 h2 | sed 's/^[^ ]*/two/' >> /etc/mine",
            ),
            ("", "UserKnownHostsFile /dev/null\n".to_owned(), "ssh-keyscan -p 22 -t ed25519 h2 >> /etc/k"),
            (
                "",
                "UserKnownHostsFile \"/etc/my keys\"\n".to_owned(),
                "ssh-keyscan -p 22 -t ed25519 h2 >> '/etc/my keys'",
            ),
            (
                "",
                "UserKnownHostsFile /no/such/folder/k\n".to_owned(),
                "mkdir -p -m 700 /no/such/folder; ssh-keyscan -p 22 -t ed25519 h2 >> /no/such/folder/k",
            ),
        ] {
            assert_eq!(scan(&settings(config, &options), "ssh-ed25519"), command, "{options}");
        }
        let none = settings("", "UserKnownHostsFile none\nGlobalKnownHostsFile none\n");
        assert!(scan(&none, "ssh-rsa").starts_with("name a file as UserKnownHostsFile"));
        assert!(scan(&settings("", file), "ecdsa-sha2-nistp384").contains("-t ecdsa h2"));
    }

    #[test]
    fn a_pattern_is_removed_by_its_line() {
        let place = |is_pattern| Place { file: "/k".into(), line: 3, is_pattern };
        assert_eq!(removal(&place(false), "[h2]:22"), "ssh-keygen -R '[h2]:22' -f /k");
        assert_eq!(removal(&place(true), "h2"), "sed -i 3d /k");
    }
}
