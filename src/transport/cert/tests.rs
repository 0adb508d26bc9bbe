//! Certificates of a site.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::cert::{self, CertError};
use crate::model::{Hinted, Millis};

const NOW: Millis = Millis(1_795_000_000_000);
const DAY: u64 = 86_400_000;

fn site() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    cert::init_ca(dir.path(), "Example", NOW).unwrap();
    dir
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_host_gets_what_was_asked_for() {
    let dir = site();
    let extra = ["H2".to_owned(), "10.0.0.2".to_owned(), "fe80::2".to_owned(), "h2.example.com".to_owned()];
    let pair = cert::issue(dir.path(), "H2.Example.COM.", &extra, 30, NOW).unwrap();
    assert_eq!(pair.cert, dir.path().join("h2.example.com.pem"));
    let facts = cert::show(&pair.cert).unwrap();
    assert_eq!(facts.subject, "CN=h2.example.com");
    assert_eq!(facts.issuer, "O=Example, CN=sysadm CA");
    assert_eq!(facts.names, ["h2.example.com", "h2", "10.0.0.2", "fe80::2"]);
    assert_eq!(facts.host().unwrap(), "h2.example.com");
    assert_eq!(facts.not_before, Millis(NOW.0 - 3_600_000));
    assert_eq!(facts.not_after, NOW.after(30 * DAY));
    assert_eq!(facts.fingerprint.len(), 32 * 3 - 1);
    assert_eq!((mode(&pair.key), mode(&dir.path().join("ca.key"))), (0o600, 0o600));
}

#[test]
fn peers_know_a_host_by_its_first_name_not_by_an_address() {
    let dir = site();
    let pair = cert::issue(dir.path(), "10.0.0.9", &["h9".to_owned()], 30, NOW).unwrap();
    assert_eq!(cert::show(&pair.cert).unwrap().host().unwrap(), "h9");
    let bare = cert::issue(dir.path(), "10.0.0.8", &[], 30, NOW).unwrap();
    assert_eq!(cert::show(&bare.cert).unwrap().host().unwrap(), "10.0.0.8");
}

#[test]
fn nothing_is_overwritten_and_no_draft_is_left() {
    let dir = site();
    cert::issue(dir.path(), "h2", &[], 30, NOW).unwrap();
    let before: Vec<_> = listing(dir.path());
    assert!(matches!(cert::init_ca(dir.path(), "Other", NOW), Err(CertError::Exists { .. })));
    assert!(matches!(cert::issue(dir.path(), "h2", &[], 30, NOW), Err(CertError::Exists { .. })));
    assert!(matches!(cert::issue(dir.path(), "ca", &[], 30, NOW), Err(CertError::Exists { .. })));
    assert_eq!(listing(dir.path()), before);
    assert_eq!(before.len(), 4);
}

fn listing(dir: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn of_many_who_issue_for_one_host_exactly_one_succeeds() {
    let dir = site();
    let made: usize = std::thread::scope(|scope| {
        let issue = || cert::issue(dir.path(), "h2", &[], 30, NOW).is_ok();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(issue)).collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
    });
    assert_eq!(made, 1);
    assert_eq!(listing(dir.path()).len(), 4);
}

#[test]
fn a_name_that_is_none_makes_no_file() {
    let dir = site();
    for name in ["", "..", "../h2", "a/b", "a b", "*.example.com", "h2\n", "-", "h2:1"] {
        let error = cert::issue(dir.path(), name, &[], 30, NOW).unwrap_err();
        assert!(matches!(error, CertError::Name { .. }), "{name:?}: {error}");
        assert!(cert::issue(dir.path(), "h2", &[name.to_owned()], 30, NOW).is_err(), "{name:?}");
    }
    assert_eq!(listing(dir.path()).len(), 2);
    for name in ["", "a\nb", &"x".repeat(65)] {
        assert!(matches!(cert::init_ca(dir.path(), name, NOW), Err(CertError::Site { .. })), "{name:?}");
    }
}

#[test]
fn no_certificate_outlives_its_authority() {
    let dir = site();
    let end = cert::show(&dir.path().join("ca.pem")).unwrap().not_after;
    let pair = cert::issue(dir.path(), "h2", &[], 36500, NOW).unwrap();
    assert_eq!(cert::show(&pair.cert).unwrap().not_after, end);
    let error = cert::issue(dir.path(), "h3", &[], 30, end).unwrap_err();
    assert!(matches!(error, CertError::Expired { .. }), "{error}");
    assert!(matches!(cert::issue(dir.path(), "h3", &[], u32::MAX, NOW), Err(CertError::Days { .. })));
}

#[test]
fn an_authority_that_is_not_usable_is_named() {
    let message = |dir: &Path| {
        let error = cert::issue(dir, "h2", &[], 30, NOW).unwrap_err();
        format!("{error} -> {}", error.hints().concat())
    };
    let empty = tempfile::tempdir().unwrap();
    assert!(message(empty.path()).contains("ca.key -> run 'sysadm cert init-ca'"));

    let open = site();
    fs::set_permissions(open.path().join("ca.key"), fs::Permissions::from_mode(0o640)).unwrap();
    assert!(message(open.path()).contains("ca.key is accessible to others (mode 0640) -> run 'chmod 0600"));

    let (mixed, other) = (site(), site());
    fs::copy(other.path().join("ca.pem"), mixed.path().join("ca.pem")).unwrap();
    assert!(message(mixed.path()).contains("does not belong to the certificate"));

    let leaf = site();
    let pair = cert::issue(leaf.path(), "h3", &[], 30, NOW).unwrap();
    fs::copy(&pair.cert, leaf.path().join("ca.pem")).unwrap();
    assert!(message(leaf.path()).contains("ca.pem holds no usable certificate of an authority"));
}

#[test]
fn what_is_in_a_key_file_never_gets_into_an_error() {
    let dir = site();
    let key = dir.path().join("ca.key");
    let whole = fs::read_to_string(&key).unwrap();
    let secret = whole.lines().nth(1).unwrap().to_owned();
    for broken in [whole.replace("-----END", "-----ENDE"), whole.replacen(&secret, &secret[1..], 1)] {
        fs::write(&key, broken).unwrap();
        let error = cert::issue(dir.path(), "h2", &[], 30, NOW).unwrap_err();
        assert!(!format!("{error:?} {}", crate::model::chain(&error)).contains(&secret[8..40]));
    }
    fs::write(&key, &whole).unwrap();
    assert!(cert::show(&key).unwrap_err().to_string().contains("ca.key holds no usable certificate"));
}

#[test]
fn a_long_host_name_fits() {
    let dir = site();
    let host = format!("{}.{}.example.com", "a".repeat(63), "b".repeat(63));
    let pair = cert::issue(dir.path(), &host, &[], 30, NOW).unwrap();
    let facts = cert::show(&pair.cert).unwrap();
    assert_eq!((facts.names, facts.subject), (vec![host], format!("CN={}", "a".repeat(63))));
}
