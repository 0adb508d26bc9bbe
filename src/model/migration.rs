//! What the two hosts of a live migration exchange: streams, token, progress and outcome.

use std::time::Duration;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// One of the streams of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamId {
    /// Between the two hypervisors' management daemons.
    Control,
    /// The zone's memory.
    Memory,
    /// The zone's data, if it is copied: one of several streams.
    Data(u16),
}

impl StreamId {
    /// The streams between the hypervisors of a live migration.
    pub const HYPERVISOR: [Self; 2] = [Self::Control, Self::Memory];

    /// The name of the stream's socket in the move's folder.
    pub fn socket_name(self) -> String {
        match self {
            Self::Control => "ctl".to_owned(),
            Self::Memory => "mem".to_owned(),
            Self::Data(number) => format!("{DATA}{number}"),
        }
    }

    /// The stream whose socket has that name.
    pub fn of_socket(name: &str) -> Option<Self> {
        let number = || name.strip_prefix(DATA)?.parse().ok().map(Self::Data);
        let stream =
            Self::HYPERVISOR.into_iter().find(|stream| stream.socket_name() == name).or_else(number)?;
        // The same number could be written in several ways.
        (stream.socket_name() == name).then_some(stream)
    }
}

/// The prefix of sockets for data.
const DATA: &str = "data-";

/// The secret of one live migration; knowing it is enough to open the streams. It is only ever sent inside of
/// authenticated connections. The folder of the sockets has a [name](Self::folder_name) that does not reveal it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token(String);

impl std::fmt::Debug for Token {
    /// Redacted, because debug output could end up in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    /// A new token from the system's random source.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().simple().to_string())
    }

    /// 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the folder with the migration's sockets, the same on both hosts: 32 hexadecimal digits from
    /// which the token cannot be derived. The name is not secret: every user of a host can read it in the
    /// arguments of `virsh` and in `/proc/net/unix`, and it appears in the hypervisor's logs and errors.
    pub fn folder_name(&self) -> String {
        let digest = digest(&SHA256, self.0.as_bytes());
        digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A text, which is not shown, is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a migration token is 32 hexadecimal digits")]
pub struct TokenError;

impl TryFrom<String> for Token {
    type Error = TokenError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 32 && text.bytes().all(hex) { Ok(Self(text)) } else { Err(TokenError) }
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.0
    }
}

/// The progress of a live migration, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Sent so far; pages sent again count again.
    pub sent: u64,
    /// Still to send, as far as is known now.
    pub remaining: u64,
    /// The zone's memory, counted once.
    pub total: u64,
    /// The current pass over the memory, from 1; 0 if the hypervisor does not say.
    #[serde(default)]
    pub pass: u32,
    /// Bytes per second that the zone changes; 0 if the hypervisor does not say.
    #[serde(default)]
    pub dirty_rate: u64,
    /// Bytes per second that are sent; 0 if the hypervisor does not say.
    #[serde(default)]
    pub rate: u64,
}

/// How a live migration ended, as seen by the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Milliseconds from the moment the zone was stopped at the source to this answer.
    pub stopped_for: u64,
    /// Bytes of memory sent, as counted by the hypervisor; 0 if it does not count.
    #[serde(default)]
    pub bytes: u64,
}

/// When a move is given up automatically.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MoveLimits {
    /// After this long without progress; none: never.
    pub stall: Option<Duration>,
    /// After this many passes over the memory without convergence; 0: never.
    pub passes: u32,
    /// How long a zone may take to shut down.
    pub shutdown: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_stream_has_one_word_on_the_wire_and_one_socket() {
        for (stream, word, socket) in [
            (StreamId::Control, r#""control""#, "ctl"),
            (StreamId::Memory, r#""memory""#, "mem"),
            (StreamId::Data(0), r#"{"data":0}"#, "data-0"),
            (StreamId::Data(u16::MAX), r#"{"data":65535}"#, "data-65535"),
        ] {
            assert_eq!(serde_json::to_string(&stream).unwrap(), word);
            assert_eq!(serde_json::from_str::<StreamId>(word).unwrap(), stream);
            assert_eq!((stream.socket_name().as_str(), StreamId::of_socket(socket)), (socket, Some(stream)));
        }
        for other in ["", "expected", "data-", "data-65536", "data-01", "data-+1", "data-x", "memory", "ctl "]
        {
            assert_eq!(StreamId::of_socket(other), None, "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn a_socket_is_that_of_one_stream(name in "(ctl|mem|data-)?[0-9a-z+ -]{0,6}") {
            if let Some(stream) = StreamId::of_socket(&name) {
                prop_assert_eq!(stream.socket_name(), name);
            }
        }
    }

    #[test]
    fn a_token_is_32_digits_and_nothing_that_leads_elsewhere() {
        let slashes = "../".repeat(10) + "aa";
        for bad in
            ["", "a", "../x", &slashes, &"A".repeat(32), &"a".repeat(33), &"а".repeat(16), &"\0".repeat(32)]
        {
            let read = serde_json::from_value::<Token>(bad.into());
            assert!(read.unwrap_err().to_string().contains("32 hexadecimal digits"), "{bad:?} was taken");
        }
        let good = Token::random();
        assert_eq!(Token::try_from(good.as_str().to_owned()), Ok(good));
    }

    #[test]
    fn a_tokens_folder_has_another_name_that_both_hosts_know() {
        // The expected value was computed with sha256sum.
        let token = Token("0123456789abcdef".repeat(2));
        assert_eq!(token.folder_name(), "3eb1bd439947eb762998e566ccc2e099");
        assert_ne!(Token::random().folder_name(), Token::random().folder_name());
    }
}
