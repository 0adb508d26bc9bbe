//! Storage URIs, after suri(7): where a piece of storage lies.
//!
//! ```text
//! file:/srv/web1.img                  a file of the host
//! dir:/zones/web1/root                a folder of the host
//! dev:/dev/vg/web1                    a block device of the host
//! rbd://mon1:6789,mon2/pool/web1      storage that a hypervisor reaches over the network, with its servers
//! zfs:tank/zones/web1                 whatever else a platform knows by a name
//! ```
//!
//! What has a meaning in such a text, and all that is not plain ASCII, is percent-encoded in the parts.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::percent;

/// Where a piece of storage lies, as the zone's host sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StorageUri {
    /// What kind of storage it is: `file`, `dir`, `dev`, `rbd`, `iscsi`, `nfs`, `zfs`, …
    scheme: String,
    /// The servers, any of which will do: `host`, `host:port`, or in a form of the protocol's own.
    authority: Vec<String>,
    /// What it is called there.
    path: PathBuf,
}

/// A text is not a storage URI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a storage URI, such as file:/srv/web1.img")]
pub struct StorageUriError(String);

/// Storage that the host itself has under a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalPath<'a> {
    File(&'a Path),
    Dir(&'a Path),
    Device(&'a Path),
}

impl<'a> LocalPath<'a> {
    pub const fn path(self) -> &'a Path {
        match self {
            Self::File(path) | Self::Dir(path) | Self::Device(path) => path,
        }
    }
}

const FILE: &str = "file";
const DIR: &str = "dir";
const DEVICE: &str = "dev";

impl StorageUri {
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::local(FILE, path)
    }

    pub fn dir(path: impl Into<PathBuf>) -> Self {
        Self::local(DIR, path)
    }

    pub fn device(path: impl Into<PathBuf>) -> Self {
        Self::local(DEVICE, path)
    }

    fn local(scheme: &str, path: impl Into<PathBuf>) -> Self {
        Self { scheme: scheme.to_owned(), authority: Vec::new(), path: path.into() }
    }

    /// Storage that is reached over the network in that protocol. `name` is what its servers call it.
    ///
    /// # Errors
    /// If no protocol can have that name.
    pub fn network(protocol: &str, servers: Vec<String>, name: &str) -> Result<Self, StorageUriError> {
        if !is_scheme(protocol) || [FILE, DIR, DEVICE].contains(&protocol) {
            return Err(StorageUriError(format!("{protocol}:")));
        }
        let authority = servers.into_iter().filter(|server| !server.is_empty()).collect();
        Ok(Self { scheme: protocol.to_owned(), authority, path: name.into() })
    }

    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The servers of network storage.
    pub fn servers(&self) -> &[String] {
        &self.authority
    }

    /// Where it lies on its host; none if it is not storage of the host's own file systems and devices.
    pub fn local_path(&self) -> Option<LocalPath<'_>> {
        match self.scheme.as_str() {
            FILE => Some(LocalPath::File(&self.path)),
            DIR => Some(LocalPath::Dir(&self.path)),
            DEVICE => Some(LocalPath::Device(&self.path)),
            _ => None,
        }
    }

    /// The same at another path of its host; as it is if it has none there, or stays where it is.
    #[must_use]
    pub fn moved(&self, to: impl FnOnce(&Path) -> Option<PathBuf>) -> Self {
        match self.local_path().and_then(|local| to(local.path())) {
            Some(path) => Self { path, ..self.clone() },
            None => self.clone(),
        }
    }

    /// What it is called in messages: by its path where that says enough.
    pub fn label(&self) -> String {
        match self.local_path() {
            Some(local) => local.path().display().to_string(),
            None => self.to_string(),
        }
    }
}

fn is_scheme(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(is_plain)
}

fn is_plain_in_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte)
}

fn is_plain_in_server(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:@[]".contains(&byte)
}

impl fmt::Display for StorageUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = percent::encode(self.path.as_os_str().as_bytes(), |_, byte| is_plain_in_path(byte));
        let servers = self
            .authority
            .iter()
            .map(|server| percent::encode(server.as_bytes(), |_, byte| is_plain_in_server(byte)));
        match servers.collect::<Vec<_>>().join(",") {
            none if none.is_empty() && !path.starts_with("//") => write!(f, "{}:{path}", self.scheme),
            servers if path.is_empty() => write!(f, "{}://{servers}", self.scheme),
            servers => write!(f, "{}://{servers}/{path}", self.scheme),
        }
    }
}

impl FromStr for StorageUri {
    type Err = StorageUriError;

    fn from_str(text: &str) -> Result<Self, StorageUriError> {
        let wrong = || StorageUriError(text.to_owned());
        let (scheme, rest) =
            text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)).ok_or_else(wrong)?;
        let (servers, path) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
            None => ("", rest),
        };
        let decoded = |server: &str| {
            percent::decode(server).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(wrong)
        };
        let authority = servers.split(',').filter(|server| !server.is_empty()).map(decoded);
        let authority = authority.collect::<Result<Vec<_>, _>>()?;
        if !authority.is_empty() && [FILE, DIR, DEVICE].contains(&scheme) {
            return Err(wrong());
        }
        let path = OsString::from_vec(percent::decode(path).ok_or_else(wrong)?).into();
        Ok(Self { scheme: scheme.to_owned(), authority, path })
    }
}

impl TryFrom<String> for StorageUri {
    type Error = StorageUriError;

    fn try_from(text: String) -> Result<Self, StorageUriError> {
        text.parse()
    }
}

impl From<StorageUri> for String {
    fn from(uri: StorageUri) -> Self {
        uri.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use proptest::prelude::*;

    use super::*;

    fn network(protocol: &str, servers: &[&str], name: &str) -> StorageUri {
        StorageUri::network(protocol, servers.iter().map(|&server| server.to_owned()).collect(), name)
            .unwrap()
    }

    #[test]
    fn each_kind_of_storage_is_one_text() {
        for (uri, text, label) in [
            (StorageUri::file("/srv/a b.img"), "file:/srv/a%20b.img", "/srv/a b.img"),
            (StorageUri::dir("/zones/müller/root"), "dir:/zones/m%C3%BCller/root", "/zones/müller/root"),
            (StorageUri::device("/dev/vg/a"), "dev:/dev/vg/a", "/dev/vg/a"),
            (StorageUri::file("//srv/a"), "file://///srv/a", "//srv/a"),
            (StorageUri::file(OsStr::from_bytes(b"/srv/\xff")), "file:/srv/%FF", "/srv/\u{fffd}"),
            (
                network("rbd", &["mon1:6789", "mon2"], "pool/a"),
                "rbd://mon1:6789,mon2/pool/a",
                "rbd://mon1:6789,mon2/pool/a",
            ),
            (network("rbd", &[], "pool/a"), "rbd:pool/a", "rbd:pool/a"),
            (
                network("nbd", &["unix:/run/nbd.sock"], ""),
                "nbd://unix:%2Frun%2Fnbd.sock",
                "nbd://unix:%2Frun%2Fnbd.sock",
            ),
            (
                network("iscsi", &["[::1]:3260"], "iqn.2026-01.org:a/1"),
                "iscsi://[::1]:3260/iqn.2026-01.org:a/1",
                "iscsi://[::1]:3260/iqn.2026-01.org:a/1",
            ),
            (network("http", &["h"], "/x?y"), "http://h//x%3Fy", "http://h//x%3Fy"),
        ] {
            assert_eq!((uri.to_string().as_str(), uri.label().as_str()), (text, label));
            assert_eq!(text.parse(), Ok(uri));
        }
    }

    #[test]
    fn what_is_no_storage_uri_is_not_taken_for_one() {
        for text in [
            "",
            "/srv/a.img",
            "a",
            ":/a",
            "File:/a",
            "a b:/c",
            "file://h2/srv/a",
            "rbd://%FF/a",
            "file:/a%zz",
        ] {
            assert_eq!(text.parse::<StorageUri>(), Err(StorageUriError(text.to_owned())));
        }
        for protocol in ["", "RBD", "file", "a:b"] {
            assert!(StorageUri::network(protocol, vec![], "a").is_err(), "{protocol}");
        }
    }

    #[test]
    fn only_what_has_a_path_on_its_host_can_be_at_another_one() {
        let to = |_: &Path| Some(PathBuf::from("/new"));
        assert_eq!(StorageUri::dir("/old").moved(to), StorageUri::dir("/new"));
        assert_eq!(StorageUri::dir("/old").moved(|_| None), StorageUri::dir("/old"));
        let rbd = network("rbd", &["m"], "old");
        assert_eq!(rbd.moved(to), rbd);
        assert_eq!((rbd.local_path(), rbd.scheme()), (None, "rbd"));
        assert_eq!(StorageUri::device("/dev/a").local_path(), Some(LocalPath::Device(Path::new("/dev/a"))));
    }

    fn uri() -> impl Strategy<Value = StorageUri> {
        let path = proptest::collection::vec(prop_oneof![Just(b'/'), Just(b'%'), any::<u8>()], 0..20);
        let servers = proptest::collection::vec("[^\0]{1,9}|unix:/[a-z]{1,4}|\\[::1\\]:[1-9]", 0..3);
        ("file|dir|dev|zfs|rbd|iscsi|nbd\\+unix", servers, path).prop_map(|(scheme, servers, path)| {
            let path = PathBuf::from(OsString::from_vec(path));
            let authority = if ["file", "dir", "dev"].contains(&scheme.as_str()) { vec![] } else { servers };
            StorageUri { scheme, authority, path }
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(uri in uri()) {
            let text = uri.to_string();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{}", text);
            prop_assert_eq!(text.parse(), Ok(uri.clone()), "{}", text);
            prop_assert_eq!(serde_json::from_value::<StorageUri>(serde_json::to_value(&uri).unwrap()).unwrap(), uri);
        }

        #[test]
        fn what_is_read_has_one_text(text in "((file|rbd|zfs):)?/{0,4}[a-z,:%0-9]{0,8}/{0,3}\\PC{0,8}") {
            if let Ok(uri) = text.parse::<StorageUri>() {
                prop_assert_eq!(uri.to_string().parse(), Ok(uri));
            }
        }
    }
}
