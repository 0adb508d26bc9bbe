//! The first messages on every stream: protocol versions, and the purpose of the stream.
//!
//! ```text
//!   client                                   server
//!     Hello {versions, software, purpose} ──►
//!                                        ◄── Welcome::Chosen {version, software, host}   then the purpose begins
//!                                        ◄── Welcome::NoCommonVersion / Refused    then the end
//! ```

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio_util::io::InspectReader;

use super::{DialError, frame};
use crate::ByteStream;
use crate::model::{HostId, HostUri, plain};
use crate::model::{StreamId, Token, chain};

/// The protocol versions of this program, newest first.
pub const VERSIONS: &[u16] = &[1];

/// This program's own version.
pub const SOFTWARE: &str = env!("CARGO_PKG_VERSION");

/// How much is quoted of an invalid answer, in bytes.
const QUOTED: usize = 1000;

/// How long to wait for the rest of an invalid answer.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The client's first message. A server first parses it as `Hello<Value>`: so it can tell a newer client that
/// there is no common version even if it does not know the purpose.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello<P = Purpose> {
    /// Protocol versions that it speaks.
    pub versions: Vec<u16>,
    /// Its version of sysadm, to be shown to people.
    pub software: String,
    /// What the stream is for.
    pub purpose: P,
}

/// What a stream is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Requests and replies.
    Rpc,
    /// Bytes to a socket at the destination of a live migration.
    Connect { token: Token, stream: StreamId },
    /// Bytes from a socket at the source of a live migration. After the welcome the server sends one [`Accepted`]
    /// when the hypervisor has connected.
    Listen { token: Token, stream: StreamId },
}

/// The server's first message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Welcome {
    /// The stream is accepted.
    Chosen {
        /// The newest common version.
        version: u16,
        /// The server's version of sysadm, to be shown to people.
        software: String,
        /// The server's identity.
        host: HostId,
    },
    /// There is no common version.
    NoCommonVersion {
        /// The server's protocol versions.
        versions: Vec<u16>,
        /// The server's version of sysadm.
        software: String,
    },
    /// The stream is refused.
    Refused {
        reason: String,
        /// Whether the same stream may be accepted later.
        #[serde(default)]
        transient: bool,
    },
}

/// Sent once on a [`Purpose::Listen`] stream.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Accepted {}

/// The newest version that both speak.
pub fn choose(offered: &[u16]) -> Option<u16> {
    VERSIONS.iter().copied().filter(|version| offered.contains(version)).max()
}

/// Says hello on a new stream and waits for the welcome; returns the server's identity.
///
/// # Errors
/// [`DialError::Version`], [`DialError::Refused`], or [`DialError::NoAgent`] if something else answers.
pub async fn open(uri: &HostUri, stream: &mut ByteStream, purpose: Purpose) -> Result<HostId, DialError> {
    let hello = Hello { versions: VERSIONS.to_vec(), software: SOFTWARE.to_owned(), purpose };
    // If the server cannot be written to, it may have sent the reason.
    let _ = frame::write(stream, &hello).await;
    let welcome = welcome(stream).await.map_err(|what| DialError::NoAgent { uri: uri.clone(), what });
    match welcome? {
        Welcome::Chosen { version, host, .. } if VERSIONS.contains(&version) => Ok(host),
        Welcome::Chosen { version, software, .. } => Err(version_error(uri, &software, &[version])),
        Welcome::NoCommonVersion { versions, software } => Err(version_error(uri, &software, &versions)),
        Welcome::Refused { reason, transient } => {
            Err(DialError::Refused { uri: uri.clone(), what: reason, transient })
        }
    }
}

/// Reads the server's first message. The error quotes what came instead: from a shell that denies access, a
/// forced command, or a login script that prints something.
async fn welcome(stream: &mut ByteStream) -> Result<Welcome, String> {
    let mut heard = Vec::new();
    let first = {
        let note = |bytes: &[u8]| heard.extend_from_slice(bytes);
        frame::read(&mut InspectReader::new(&mut *stream, note), frame::MAX_HELLO).await
    };
    match first {
        Ok(welcome) => return Ok(welcome),
        Err(error) if heard.is_empty() => return Err(chain(&error)),
        Err(_) => {}
    }
    let mut rest = stream.take(QUOTED as u64);
    let end = tokio::time::timeout(LAST_WORDS, rest.read_to_end(&mut heard)).await;
    let how = match end {
        Ok(Err(end)) => format!("; {end}"),
        // It has ended without an error.
        Ok(Ok(_)) if heard.len() < QUOTED => "; then it ended".to_owned(),
        _ => "; does a login script there print that?".to_owned(),
    };
    Err(format!("it printed {}{how}", quoted(&heard)))
}

/// Printed text on one line, up to its first zero byte, where messages begin.
fn quoted(text: &[u8]) -> String {
    let text = text.split(|byte| *byte == 0).find(|part| !part.is_empty()).unwrap_or_default();
    let shown = String::from_utf8_lossy(text.get(..QUOTED).unwrap_or(text));
    let lines: Vec<_> = shown.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    format!("\"{}\"{}", plain(&lines.join("; ")).trim(), if text.len() > QUOTED { "…" } else { "" })
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

    /// The error for a peer that sends these bytes, and then ends or continues.
    async fn said(bytes: &[u8], ends: bool) -> String {
        let (mut far, near) = tokio::io::duplex(1 << 16);
        tokio::io::AsyncWriteExt::write_all(&mut far, bytes).await.unwrap();
        let kept = (!ends).then_some(far);
        let mut near: ByteStream = Box::new(near);
        let uri = "ssh://h2".parse().unwrap();
        let error = open(&uri, &mut near, Purpose::Rpc).await.unwrap_err().to_string();
        drop(kept);
        error.strip_prefix("ssh://h2: no agent there: ").unwrap().to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_is_no_answer_is_quoted() {
        let nologin = "\"This account is currently not available.\"; then it ended";
        assert_eq!(
            said(b"This account is currently not available.\n", true).await,
            format!("it printed {nologin}")
        );
        assert_eq!(said(b"no\n", true).await, "it printed \"no\"; then it ended");
        assert_eq!(said(b"one\r\n\n two\x1b[2J\n", true).await, "it printed \"one; two [2J\"; then it ended");
        assert_eq!(
            said(b"\xff\xfe\x01\x02binary", true).await,
            "it printed \"\u{fffd}\u{fffd}  binary\"; then it ended"
        );
        // A login script, and then an agent that waits for more.
        let welcome = b"Welcome to h2\n\0\0\0\x0c{\"chosen\":{}}";
        assert_eq!(
            said(welcome, false).await,
            "it printed \"Welcome to h2\"; does a login script there print that?"
        );
        let long = said(&[b'x'; 9000], true).await;
        assert!(long.len() < 1100 && long.ends_with("x\"…; does a login script there print that?"), "{long}");
        assert_eq!(said(b"", true).await, "the connection was closed");
        let malformed = said(b"\0\0\0\x05hello", true).await;
        assert_eq!(malformed, "it printed \"hello\"; then it ended");
    }
}
