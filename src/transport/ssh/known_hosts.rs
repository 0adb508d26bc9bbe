//! Which keys a host is known to have: the lines of known_hosts that concern it, sshd(8) "SSH_KNOWN_HOSTS FILE
//! FORMAT".
//!
//! ```text
//!   h2,10.0.0.2 ssh-ed25519 AAAAC3…              plain names, with * ? and !
//!   [h2]:2200 ssh-ed25519 AAAAC3…                another port than 22
//!   |1|base64 salt|base64 hash ssh-rsa AAAAB3…   hashed name
//!   @revoked * ssh-rsa AAAAB3…                   never again
//! ```
//!
//! Certificates (`@cert-authority`) are not used. A line that is not understood is skipped: it makes no key
//! known.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ring::hmac;
use sha2::{Digest, Sha256};

/// The keys of one host.
#[derive(Debug, Default)]
pub(super) struct KnownKeys {
    keys: Vec<KnownKey>,
    /// Under its plain name while another port than 22 is asked: good enough to recognise it, no more.
    elsewhere: Vec<KnownKey>,
    revoked: Vec<KnownKey>,
}

#[derive(Debug)]
struct KnownKey {
    kind: String,
    blob: Vec<u8>,
    file: PathBuf,
    line: usize,
}

/// What to think of a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the host's.
    Known,
    /// Nothing is known of it.
    Unknown,
    /// Another key of its type is the host's.
    Changed { file: PathBuf, line: usize },
    /// Not to be trusted any more.
    Revoked { file: PathBuf, line: usize },
}

impl KnownKeys {
    /// Reads the files; one that is not there says nothing.
    pub(super) fn read(files: &[PathBuf], host: &str, port: u16) -> Result<Self, String> {
        let mut known = Self::default();
        for file in files {
            match std::fs::read(file) {
                Ok(text) => known.add(&String::from_utf8_lossy(&text), file, host, port),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(format!("failed to read {}: {error}", file.display())),
            }
        }
        Ok(known)
    }

    fn add(&mut self, text: &str, file: &Path, host: &str, port: u16) {
        let name = name_with_port(host, port);
        for (number, line) in text.lines().enumerate() {
            let mut words = line.split_ascii_whitespace().peekable();
            let marker = words.next_if(|word| word.starts_with('@'));
            let (Some(names), Some(kind), Some(blob)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let Ok(blob) = STANDARD.decode(blob) else { continue };
            let (here, plain) = (matches(names, &name), matches(names, host));
            let list = match marker {
                None if here => &mut self.keys,
                None if plain => &mut self.elsewhere,
                Some("@revoked") if here || plain => &mut self.revoked,
                _ => continue,
            };
            list.push(KnownKey { kind: kind.to_owned(), blob, file: file.to_owned(), line: number + 1 });
        }
    }

    /// The types of its known keys.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().chain(&self.elsewhere).map(|key| key.kind.as_str())
    }

    /// What to think of a key that the host shows.
    pub(super) fn judge(&self, blob: &[u8]) -> Verdict {
        let find = |keys: &[KnownKey]| {
            keys.iter().find(|key| key.blob == blob).map(|key| (key.file.clone(), key.line))
        };
        if let Some((file, line)) = find(&self.revoked) {
            return Verdict::Revoked { file, line };
        }
        if find(&self.keys).is_some() || find(&self.elsewhere).is_some() {
            return Verdict::Known;
        }
        match self.keys.iter().find(|key| key.kind == kind(blob)) {
            Some(KnownKey { file, line, .. }) => Verdict::Changed { file: file.clone(), line: *line },
            None => Verdict::Unknown,
        }
    }
}

/// The name of a host as it stands in known_hosts.
pub(super) fn name_with_port(host: &str, port: u16) -> String {
    if port == 22 { host.to_owned() } else { format!("[{host}]:{port}") }
}

/// The type of a key, which its first field names.
pub(super) fn kind(blob: &[u8]) -> &str {
    let name = blob
        .split_first_chunk::<4>()
        .and_then(|(length, rest)| rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?));
    name.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or("unknown")
}

/// A key's fingerprint, as ssh shows it.
pub(super) fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob)))
}

/// Whether `name` is among the names of a line.
fn matches(names: &str, name: &str) -> bool {
    if let Some(hashed) = names.strip_prefix("|1|") {
        return hash_matches(hashed, name).unwrap_or(false);
    }
    let mut found = false;
    for pattern in names.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if glob(pattern.as_bytes(), name.as_bytes()) => return false,
            Some(_) => {}
            None => found |= glob(pattern.as_bytes(), name.as_bytes()),
        }
    }
    found
}

fn hash_matches(hashed: &str, name: &str) -> Option<bool> {
    let (salt, hash) = hashed.split_once('|')?;
    let (salt, hash) = (STANDARD.decode(salt).ok()?, STANDARD.decode(hash).ok()?);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt);
    Some(hmac::verify(&key, name.as_bytes(), &hash).is_ok())
}

/// Whether `*` (any text) and `?` (any character) in the pattern can make it the text. No recursion, so no
/// pattern can take long.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || byte.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                // Lets the last star take one character more.
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: &str, body: u8) -> Vec<u8> {
        let mut blob = u32::try_from(kind.len()).unwrap().to_be_bytes().to_vec();
        blob.extend_from_slice(kind.as_bytes());
        blob.push(body);
        blob
    }

    fn line(names: &str, kind: &str, body: u8) -> String {
        format!("{names} {kind} {} comment\n", STANDARD.encode(key(kind, body)))
    }

    fn judge(text: &str, host: &str, port: u16, shown: &[u8]) -> Verdict {
        let mut known = KnownKeys::default();
        known.add(text, Path::new("/k"), host, port);
        known.judge(shown)
    }

    #[test]
    fn a_key_is_known_unknown_changed_or_revoked() {
        let text = format!("# note\n\n{}{}", line("h2,10.0.0.2", "ssh-ed25519", 1), line("h2", "ssh-rsa", 1));
        let place = |line| (PathBuf::from("/k"), line);
        assert_eq!(judge(&text, "h2", 22, &key("ssh-ed25519", 1)), Verdict::Known);
        assert_eq!(judge(&text, "10.0.0.2", 22, &key("ssh-ed25519", 1)), Verdict::Known);
        assert_eq!(judge(&text, "h3", 22, &key("ssh-ed25519", 1)), Verdict::Unknown);
        assert_eq!(judge(&text, "h2", 22, &key("ecdsa-sha2-nistp256", 1)), Verdict::Unknown);
        let (file, at) = place(3);
        assert_eq!(judge(&text, "h2", 22, &key("ssh-ed25519", 2)), Verdict::Changed { file, line: at });
        let text = format!("{text}{}", line("@revoked *", "ssh-ed25519", 1));
        let (file, at) = place(5);
        assert_eq!(judge(&text, "h2", 22, &key("ssh-ed25519", 1)), Verdict::Revoked { file, line: at });
    }

    #[test]
    fn another_port_is_another_host_that_may_have_the_same_key() {
        let text = line("h2", "ssh-ed25519", 1);
        assert_eq!(judge(&text, "h2", 2200, &key("ssh-ed25519", 1)), Verdict::Known);
        assert_eq!(judge(&text, "h2", 2200, &key("ssh-ed25519", 2)), Verdict::Unknown);
        let text = line("[h2]:2200", "ssh-ed25519", 1);
        assert_eq!(judge(&text, "h2", 2200, &key("ssh-ed25519", 1)), Verdict::Known);
        assert_eq!(judge(&text, "h2", 22, &key("ssh-ed25519", 1)), Verdict::Unknown);
    }

    #[test]
    fn a_hashed_name_is_recognised() {
        // ssh-keygen -H on "h2".
        let salt = STANDARD.encode([7; 20]);
        let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &[7; 20]), b"h2");
        let name = format!("|1|{salt}|{}", STANDARD.encode(mac));
        let text = line(&name, "ssh-ed25519", 1);
        assert_eq!(judge(&text, "h2", 22, &key("ssh-ed25519", 1)), Verdict::Known);
        assert_eq!(judge(&text, "h3", 22, &key("ssh-ed25519", 1)), Verdict::Unknown);
    }

    #[test]
    fn patterns_match_and_exclude() {
        assert!(matches("*.example.com,!bad.example.com", "a.example.com"));
        assert!(!matches("*.example.com,!bad.example.com", "bad.example.com"));
        assert!(matches("h?", "H2") && !matches("h?", "h22") && matches("*2*", "h22"));
        assert!(!matches("|1|broken", "h2") && !matches("", "h2"));
    }

    #[test]
    fn authorities_and_broken_lines_make_nothing_known() {
        let text =
            format!("{}h2 ssh-ed25519 !!!\nh2 ssh-ed25519\n", line("@cert-authority h2", "ssh-ed25519", 1));
        assert_eq!(judge(&text, "h2", 22, &key("ssh-ed25519", 1)), Verdict::Unknown);
    }

    #[test]
    fn any_bytes_have_a_type_or_none() {
        assert_eq!(kind(&key("ssh-rsa", 0)), "ssh-rsa");
        assert_eq!(kind(&[0, 0, 0, 9, b'x']), "unknown");
        assert_eq!(kind(&[]), "unknown");
    }
}
