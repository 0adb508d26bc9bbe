//! The first words on every stream: which versions, and what for.
//!
//! ```text
//!   client                                   server
//!     Hello {versions, software, purpose} ──►
//!                                        ◄── Welcome::Chosen {version, software, host}   then the purpose begins
//!                                        ◄── Welcome::NoCommonVersion / Refused    then the end
//! ```

use serde::{Deserialize, Serialize};

use super::{DialError, frame};
use crate::host::{ByteStream, Channel, Token};
use crate::model::{HostId, HostUri};

/// The protocol versions that this software speaks, newest first.
pub const VERSIONS: &[u16] = &[1];

/// This software's own version.
pub const SOFTWARE: &str = env!("CARGO_PKG_VERSION");

/// What the client says first. A server reads it as `Hello<Value>` at first: it can tell a newer client that
/// there is no common version even if it does not know the purpose.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello<P = Purpose> {
    /// Protocol versions that it speaks.
    pub versions: Vec<u16>,
    /// Its software's version, for people.
    pub software: String,
    /// What the stream is for.
    pub purpose: P,
}

/// What a stream is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Questions and answers.
    Rpc,
    /// Bytes to a socket at the destination of a live migration.
    Connect {
        /// The migration.
        token: Token,
        /// Which of its streams.
        channel: Channel,
    },
    /// Bytes from a socket at the source of a live migration. After the welcome the server sends one
    /// [`Accepted`] when the hypervisor has connected.
    Listen {
        /// The migration.
        token: Token,
        /// Which of its streams.
        channel: Channel,
    },
}

/// What the server says first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Welcome {
    /// Go on, in this version.
    Chosen {
        /// The newest common one.
        version: u16,
        /// The server's software, for people.
        software: String,
        /// Which host it is.
        host: HostId,
    },
    /// No version in common.
    NoCommonVersion {
        /// What the server speaks.
        versions: Vec<u16>,
        /// The server's software.
        software: String,
    },
    /// The stream is not to be had.
    Refused {
        /// Why.
        reason: String,
    },
}

/// Sent once on a [`Purpose::Listen`] stream.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Accepted {}

/// Picks the newest version that both speak.
pub fn choose(offered: &[u16]) -> Option<u16> {
    VERSIONS.iter().copied().filter(|version| offered.contains(version)).max()
}

/// Says hello on a fresh stream and waits for the welcome: which host it is.
///
/// # Errors
/// [`DialError::Version`], [`DialError::Refused`], or [`DialError::NoAgent`] if something else is there.
pub async fn open(uri: &HostUri, stream: &mut ByteStream, purpose: Purpose) -> Result<HostId, DialError> {
    let hello = Hello { versions: VERSIONS.to_vec(), software: SOFTWARE.to_owned(), purpose };
    let no_agent = |error: frame::FrameError| {
        let mut what = crate::host::chain(&error);
        if matches!(error, frame::FrameError::TooLarge { .. } | frame::FrameError::Malformed(_)) {
            what.push_str("; does a login script there print something?");
        }
        DialError::NoAgent { uri: uri.clone(), what }
    };
    frame::write(stream, &hello).await.map_err(no_agent)?;
    match frame::read(stream, frame::MAX_HELLO).await.map_err(no_agent)? {
        Welcome::Chosen { version, host, .. } if VERSIONS.contains(&version) => Ok(host),
        Welcome::Chosen { version, software, .. } => Err(version_error(uri, &software, &[version])),
        Welcome::NoCommonVersion { versions, software } => Err(version_error(uri, &software, &versions)),
        Welcome::Refused { reason } => Err(DialError::Refused { uri: uri.clone(), what: reason }),
    }
}

fn version_error(uri: &HostUri, software: &str, versions: &[u16]) -> DialError {
    let speaks = |software: &str, versions: &[u16]| {
        let list = versions.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        format!("{software} (protocol {list})")
    };
    DialError::Version {
        uri: uri.clone(),
        theirs: speaks(software, versions),
        ours: speaks(SOFTWARE, VERSIONS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_common_version_is_chosen() {
        assert_eq!(choose(&[0, 1, 2, 9]), Some(1));
        assert_eq!(choose(&[2, 9]), None);
        assert_eq!(choose(&[]), None);
    }
}
