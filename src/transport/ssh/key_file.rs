//! Files with private keys: explains why one cannot be used, because libssh2 only says that it failed.

use std::io::ErrorKind;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::known_hosts::kind;

/// Maximum size of a key file.
const LARGEST: u64 = 1 << 20;

/// Types of keys that libssh2 can sign with.
const SIGNED: [&str; 5] =
    ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"];

/// The beginning of a key in OpenSSH's own format: the name of a cipher or "none" follows, and later the public key.
const MAGIC: &[u8] = b"openssh-key-v1\0";

/// Why the file cannot be used as a key. None: no problem is known.
pub(super) fn unusable(file: &Path) -> Option<String> {
    match std::fs::metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Some("is not there".to_owned()),
        Err(error) => return Some(error.to_string()),
        Ok(about) if !about.is_file() || about.len() > LARGEST => {
            return Some("does not contain a key".to_owned());
        }
        Ok(_) => {}
    }
    match std::fs::read(file) {
        Ok(text) => objection(&text),
        Err(error) => Some(error.to_string()),
    }
}

fn objection(key: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(key);
    if text.starts_with("PuTTY-User-Key-File") {
        return Some("is in PuTTY's format: puttygen -O private-openssh makes another one of it".to_owned());
    }
    if !text.contains("-----BEGIN ") {
        let is_public =
            text.split_ascii_whitespace().nth(1).is_some_and(|word| STANDARD.decode(word).is_ok());
        return Some(if is_public { "is a public key" } else { "is not a key" }.to_owned());
    }
    let openssh = bytes(&text);
    let openssh = openssh.strip_prefix(MAGIC);
    if let Some(name) = openssh.and_then(type_of).filter(|name| !SIGNED.contains(&name.as_str())) {
        return Some(format!("is a key of type {name}, which is not supported"));
    }
    if text.contains("BEGIN DSA PRIVATE KEY") {
        return Some("is a key of type ssh-dss, which is not supported".to_owned());
    }
    let encrypted =
        text.contains("ENCRYPTED") || openssh.is_some_and(|rest| !rest.starts_with(b"\0\0\0\x04none"));
    encrypted.then(|| "has a passphrase: add it to ssh-agent".to_owned())
}

/// The decoded text between the first and the last line.
fn bytes(text: &str) -> Vec<u8> {
    let body: String = text.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).unwrap_or_default()
}

/// The type of a key in OpenSSH's format, which can be read even if there is a passphrase.
fn type_of(rest: &[u8]) -> Option<String> {
    // Cipher, key derivation function and its options.
    let rest = (0..3).try_fold(rest, |rest, _| string(rest).map(|(_, rest)| rest))?;
    // The number of keys.
    let (_, rest) = rest.split_first_chunk::<4>()?;
    Some(kind(string(rest)?.0).to_owned())
}

/// A string with its length before it, and the rest.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// The public key that belongs to a file: the one beside it, or the file itself.
pub(super) fn public_half(file: &Path) -> Option<Vec<u8>> {
    let mut name = file.as_os_str().to_owned();
    name.push(".pub");
    [Path::new(&name), file].into_iter().find_map(|file| {
        let text = std::fs::read_to_string(file).ok()?;
        STANDARD.decode(text.split_ascii_whitespace().nth(1)?).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh::tests::sshd::keygen;

    #[test]
    fn each_reason_against_a_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (name, kind, passphrase) in
            [("good", "ed25519", ""), ("locked", "ecdsa", "secret"), ("rsa", "rsa", "")]
        {
            keygen(&path(name), kind, passphrase);
        }
        for (name, text) in [
            ("putty", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n"),
            ("text", "hello\n"),
            ("empty", ""),
            ("pkcs8", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"),
            ("dsa", "-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n"),
        ] {
            std::fs::write(path(name), text).unwrap();
        }
        // As ssh-keygen -t ed25519-sk writes it, which needs the device: cipher, kdf, options, one key, its
        // public half.
        let sk = b"sk-ssh-ed25519@openssh.com";
        let mut blob = [MAGIC, b"\0\0\0\x04none\0\0\0\x04none\0\0\0\0\0\0\0\x01"].concat();
        blob.extend_from_slice(&(sk.len() as u32 + 4).to_be_bytes());
        blob.extend_from_slice(&(sk.len() as u32).to_be_bytes());
        blob.extend_from_slice(sk);
        let pem = |body: &[u8]| {
            let (name, body) = ("OPENSSH PRIVATE KEY", STANDARD.encode(body));
            format!("-----BEGIN {name}-----\n{body}\n-----END {name}-----\n")
        };
        std::fs::write(path("sk"), pem(&blob)).unwrap();
        std::fs::write(path("cut"), pem(MAGIC)).unwrap();
        for (name, reason) in [
            ("good", None),
            ("rsa", None),
            ("locked", Some("has a passphrase")),
            ("pkcs8", Some("has a passphrase")),
            ("good.pub", Some("is a public key")),
            ("putty", Some("PuTTY's format")),
            ("text", Some("is not a key")),
            ("empty", Some("is not a key")),
            ("dsa", Some("type ssh-dss, which is not supported")),
            ("sk", Some("type sk-ssh-ed25519@openssh.com, which is not supported")),
            ("none", Some("is not there")),
            (".", Some("does not contain a key")),
        ] {
            let why = unusable(&path(name));
            assert_eq!(why.is_some(), reason.is_some(), "{name}: {why:?}");
            assert!(why.unwrap_or_default().contains(reason.unwrap_or_default()), "{name}");
        }
        assert!(unusable(&path("cut")).is_some());
        assert_eq!(public_half(&path("good")), public_half(&path("good.pub")));
    }
}
