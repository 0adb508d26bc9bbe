//! The known keys of a host: the lines of known_hosts that concern it, sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT".
//!
//! ```text
//!   h2,10.0.0.2 ssh-ed25519 AAAAC3…              plain names, with * ? and !
//!   [h2]:2200 ssh-ed25519 AAAAC3…                another port than 22
//!   |1|base64 salt|base64 hash ssh-rsa AAAAB3…   hashed name
//!   @revoked * ssh-rsa AAAAB3…                   never again
//! ```
//!
//! Certificates (`@cert-authority`) are not used, but it is reported that there is an authority. A line that
//! cannot be parsed is skipped: it makes no key known.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ring::digest::{SHA256, digest};
use ring::hmac;

use crate::model::Hinted;

use super::pattern::among;

/// The keys of one host.
#[derive(Debug, Default)]
pub(super) struct KnownKeys {
    keys: Vec<KnownKey>,
    /// Keys under its plain name while another port than 22 is asked: only a hint that it is the host.
    elsewhere: Vec<KnownKey>,
    revoked: Vec<KnownKey>,
    /// Keys that may certify the host's.
    authorities: Vec<KnownKey>,
}

#[derive(Debug)]
struct KnownKey {
    kind: String,
    blob: Vec<u8>,
    place: Place,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// The line has a pattern, which may match several names.
    pub is_pattern: bool,
}

/// Why the keys of hosts cannot be known.
#[derive(Debug, thiserror::Error)]
pub(super) enum KnownHostsError {
    #[error("failed to read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("failed to read {0}: it is not there")]
    Missing(PathBuf),
    #[error("RevokedHostKeys {0}: a binary list of revoked keys is not supported")]
    Binary(PathBuf),
}

impl Hinted for KnownHostsError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Binary(_) => vec!["write them as text, one in a line".to_owned()],
            Self::Read { .. } | Self::Missing(_) => Vec::new(),
        }
    }
}

/// The status of a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KeyVerdict {
    /// It is the host's.
    Known,
    /// It is not known; the line of an authority that may certify the host's keys.
    Unknown(Option<Place>),
    /// The host is known to have another key of its type.
    Changed(Place),
    /// It was revoked.
    Revoked(Place),
}

impl KnownKeys {
    /// Reads the files; missing ones are skipped. The host is known by `name`; `plain` is that without a port.
    pub(super) fn read(files: &[PathBuf], name: &str, plain: &str) -> Result<Self, KnownHostsError> {
        let mut known = Self::default();
        for file in files {
            if let Some(text) = text_of(file)? {
                known.add(&String::from_utf8_lossy(&text), file, name, plain);
            }
        }
        Ok(known)
    }

    /// Treats the keys in a file as revoked, one per line. A list in OpenSSH's binary format cannot be read.
    pub(super) fn revoke(&mut self, file: &Path) -> Result<(), KnownHostsError> {
        let Some(text) = text_of(file)? else {
            return Err(KnownHostsError::Missing(file.to_owned()));
        };
        if text.starts_with(b"SSHKRL") {
            return Err(KnownHostsError::Binary(file.to_owned()));
        }
        for (line, text) in (1..).zip(String::from_utf8_lossy(&text).lines()) {
            let words: Vec<_> = text.split_ascii_whitespace().collect();
            let Some([kind, blob]) = words.first_chunk::<2>() else { continue };
            let Ok(blob) = STANDARD.decode(blob) else { continue };
            let place = Place { file: file.to_owned(), line, is_pattern: false };
            self.revoked.push(KnownKey { kind: (*kind).to_owned(), blob, place });
        }
        Ok(())
    }

    fn add(&mut self, text: &str, file: &Path, name: &str, plain: &str) {
        for (line, text) in (1..).zip(text.lines()) {
            let mut words = text.split_ascii_whitespace().peekable();
            let marker = words.next_if(|word| word.starts_with('@'));
            let (Some(names), Some(kind), Some(blob)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let Ok(blob) = STANDARD.decode(blob) else { continue };
            let (here, plainly) = (matches(names, name), matches(names, plain));
            let list = match marker {
                None if here => &mut self.keys,
                None if plainly => &mut self.elsewhere,
                Some("@revoked") if here || plainly => &mut self.revoked,
                Some("@cert-authority") if here || plainly => &mut self.authorities,
                _ => continue,
            };
            let place = Place { file: file.to_owned(), line, is_pattern: names.contains(['*', '?', '!']) };
            list.push(KnownKey { kind: kind.to_owned(), blob, place });
        }
    }

    /// The types of its known keys.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().chain(&self.elsewhere).map(|key| key.kind.as_str())
    }

    /// The status of a key that the host shows.
    pub(super) fn judge(&self, blob: &[u8]) -> KeyVerdict {
        let find = |keys: &[KnownKey]| keys.iter().find(|key| key.blob == blob).map(|key| key.place.clone());
        if let Some(place) = find(&self.revoked) {
            return KeyVerdict::Revoked(place);
        }
        if find(&self.keys).is_some() || find(&self.elsewhere).is_some() {
            return KeyVerdict::Known;
        }
        match self.keys.iter().find(|key| key.kind == kind(blob)) {
            Some(key) => KeyVerdict::Changed(key.place.clone()),
            None => KeyVerdict::Unknown(self.authorities.first().map(|key| key.place.clone())),
        }
    }
}

/// The contents of a file; none if it is missing.
fn text_of(file: &Path) -> Result<Option<Vec<u8>>, KnownHostsError> {
    match std::fs::read(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(KnownHostsError::Read { path: file.to_owned(), source }),
    }
}

/// The type of a key, which is its first field.
pub(super) fn kind(blob: &[u8]) -> &str {
    let name = blob
        .split_first_chunk::<4>()
        .and_then(|(length, rest)| rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?));
    name.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or("unknown")
}

/// A key's fingerprint, as ssh shows it.
pub(super) fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(digest(&SHA256, blob)))
}

/// Whether `name` is among the names of a line.
fn matches(names: &str, name: &str) -> bool {
    if let Some(hashed) = names.strip_prefix("|1|") {
        return hash_matches(hashed, name).unwrap_or(false);
    }
    among(&names.split(',').collect::<Vec<_>>(), name)
}

fn hash_matches(hashed: &str, name: &str) -> Option<bool> {
    let (salt, hash) = hashed.split_once('|')?;
    let (salt, hash) = (STANDARD.decode(salt).ok()?, STANDARD.decode(hash).ok()?);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt);
    Some(hmac::verify(&key, name.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh::settings::name_with_port;

    fn key(kind: &str, body: u8) -> Vec<u8> {
        let mut blob = u32::try_from(kind.len()).unwrap().to_be_bytes().to_vec();
        blob.extend_from_slice(kind.as_bytes());
        blob.push(body);
        blob
    }

    fn line(names: &str, kind: &str, body: u8) -> String {
        format!("{names} {kind} {} comment\n", STANDARD.encode(key(kind, body)))
    }

    fn judge(text: &str, host: &str, port: u16, shown: &[u8]) -> KeyVerdict {
        let mut known = KnownKeys::default();
        known.add(text, Path::new("/k"), &name_with_port(host, port), host);
        known.judge(shown)
    }

    #[test]
    fn a_key_is_known_unknown_changed_or_revoked() {
        let text = format!("# note\n\n{}{}", line("h2,10.0.0.2", "ssh-ed25519", 1), line("h2", "ssh-rsa", 1));
        let place = |line, is_pattern| Place { file: PathBuf::from("/k"), line, is_pattern };
        assert_eq!(judge(&text, "h2", 22, &key("ssh-ed25519", 1)), KeyVerdict::Known);
        assert_eq!(judge(&text, "10.0.0.2", 22, &key("ssh-ed25519", 1)), KeyVerdict::Known);
        assert_eq!(judge(&text, "h3", 22, &key("ssh-ed25519", 1)), KeyVerdict::Unknown(None));
        assert_eq!(judge(&text, "h2", 22, &key("ecdsa-sha2-nistp256", 1)), KeyVerdict::Unknown(None));
        assert_eq!(judge(&text, "h2", 22, &key("ssh-ed25519", 2)), KeyVerdict::Changed(place(3, false)));
        let text = format!("{text}{}", line("@revoked *", "ssh-ed25519", 1));
        assert_eq!(judge(&text, "h2", 22, &key("ssh-ed25519", 1)), KeyVerdict::Revoked(place(5, true)));
    }

    #[test]
    fn another_port_is_another_host_that_may_have_the_same_key() {
        let text = line("h2", "ssh-ed25519", 1);
        assert_eq!(judge(&text, "h2", 2200, &key("ssh-ed25519", 1)), KeyVerdict::Known);
        assert_eq!(judge(&text, "h2", 2200, &key("ssh-ed25519", 2)), KeyVerdict::Unknown(None));
        let text = line("[h2]:2200", "ssh-ed25519", 1);
        assert_eq!(judge(&text, "h2", 2200, &key("ssh-ed25519", 1)), KeyVerdict::Known);
        assert_eq!(judge(&text, "h2", 22, &key("ssh-ed25519", 1)), KeyVerdict::Unknown(None));
    }

    #[test]
    fn a_hashed_name_is_recognised() {
        // ssh-keygen -H on "h2".
        let salt = STANDARD.encode([7; 20]);
        let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &[7; 20]), b"h2");
        let name = format!("|1|{salt}|{}", STANDARD.encode(mac));
        let text = line(&name, "ssh-ed25519", 1);
        assert_eq!(judge(&text, "h2", 22, &key("ssh-ed25519", 1)), KeyVerdict::Known);
        assert_eq!(judge(&text, "h3", 22, &key("ssh-ed25519", 1)), KeyVerdict::Unknown(None));
    }

    #[test]
    fn the_names_of_a_line_are_patterns() {
        assert!(matches("*.example.com,!bad.example.com", "a.example.com"));
        assert!(!matches("*.example.com,!bad.example.com", "bad.example.com"));
        assert!(!matches("|1|broken", "h2") && !matches("", "h2"));
    }

    #[test]
    fn broken_lines_make_nothing_known_and_an_authority_is_told() {
        let text = "h2 ssh-ed25519 !!!\nh2 ssh-ed25519\n@odd h2 ssh-ed25519 AAAA\n".to_owned();
        assert_eq!(judge(&text, "h2", 22, &key("ssh-ed25519", 1)), KeyVerdict::Unknown(None));
        let text = text + &line("@cert-authority h*", "ssh-ed25519", 1);
        let place = Place { file: "/k".into(), line: 4, is_pattern: true };
        for port in [22, 2200] {
            assert_eq!(
                judge(&text, "h2", port, &key("ssh-ed25519", 1)),
                KeyVerdict::Unknown(Some(place.clone()))
            );
        }
        assert_eq!(judge(&text, "g2", 22, &key("ssh-ed25519", 1)), KeyVerdict::Unknown(None));
    }

    #[test]
    fn a_list_of_revoked_keys_is_read_if_it_is_text() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("revoked");
        let mut known = KnownKeys::default();
        known.add(&line("h2", "ssh-ed25519", 1), Path::new("/k"), "h2", "h2");
        assert!(known.revoke(&file).unwrap_err().to_string().contains("it is not there"));
        std::fs::write(&file, "SSHKRL\n\0\0").unwrap();
        assert!(known.revoke(&file).unwrap_err().to_string().contains("is not supported"));
        std::fs::write(&file, format!("# bad\nssh-ed25519 {}\n", STANDARD.encode(key("ssh-ed25519", 1))))
            .unwrap();
        known.revoke(&file).unwrap();
        assert_eq!(
            known.judge(&key("ssh-ed25519", 1)),
            KeyVerdict::Revoked(Place { file, line: 2, is_pattern: false })
        );
    }

    #[test]
    fn any_bytes_have_a_type_or_none() {
        assert_eq!(kind(&key("ssh-rsa", 0)), "ssh-rsa");
        assert_eq!(kind(&[0, 0, 0, 9, b'x']), "unknown");
        assert_eq!(kind(&[]), "unknown");
    }
}
