//! A host, and all that can be asked of it.
//!
//! [`Host`] is symmetrical: this host ([`Local`]) and another one ([`Remote`]) answer the same questions, so a
//! migration is `migrate(zone, from: &dyn Host, to: &dyn Host)` in either direction. The questions are listed
//! once, in `calls`; from that list come the trait, the messages on the wire, the remote side and the role
//! that each question needs.

mod calls;
mod error;
#[cfg(test)]
pub(crate) mod fake;
mod local;
mod probe;
mod remote;
mod rights;
mod room;
mod sockets;

pub use calls::{Call, Host, Progress, Role, Sent};
pub use error::{HostError, chain};
pub use local::Local;
pub(crate) use probe::device_name;
pub use probe::{DiskView, Offer, ProbeTicket};
pub use remote::Remote;
pub use rights::{Deed, Named, Relation, Standing};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};

/// An authenticated stream of bytes to something on some host.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A stream, whatever carries it.
pub type ByteStream = Box<dyn Duplex>;

/// One of the streams of a live migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// From the hypervisor at the source to the hypervisor at the destination.
    Control,
    /// The zone's memory.
    Memory,
}

impl Channel {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Control, Self::Memory];

    /// The name of its socket in a migration's folder.
    pub const fn socket_name(self) -> &'static str {
        match self {
            Self::Control => "ctl",
            Self::Memory => "mem",
        }
    }
}

/// The secret of one live migration: who knows it may open the streams. It goes from host to host inside of
/// connections, and nowhere else; the folder of the sockets has a [name](Self::folder_name) of its own.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token(String);

impl std::fmt::Debug for Token {
    /// Not what it is: it could end up in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    /// A fresh one, from the system's randomness.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().simple().to_string())
    }

    /// 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the folder with the migration's sockets, the same on both hosts: 32 hexadecimal digits that do
    /// not lead back to the token. Every user of a host can read it, in the arguments of `virsh` and in
    /// `/proc/net/unix`, and it finds its way into the hypervisor's logs and errors.
    pub fn folder_name(&self) -> String {
        let digest = Sha256::digest(&self.0);
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl TryFrom<String> for Token {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 32 && text.bytes().all(hex) {
            Ok(Self(text))
        } else {
            Err("a migration token is 32 hexadecimal digits".to_owned())
        }
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.0
    }
}

/// A socket at the source on which the hypervisor there will knock.
#[async_trait::async_trait]
pub trait Pending: Send {
    /// Waits until it has knocked, and gives the stream to it.
    async fn accept(&mut self) -> Result<ByteStream, HostError>;
}

#[cfg(test)]
mod tests {
    use super::*;

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
        // sha256sum says so, too.
        let token = Token("0123456789abcdef".repeat(2));
        assert_eq!(token.folder_name(), "3eb1bd439947eb762998e566ccc2e099");
        assert_ne!(Token::random().folder_name(), Token::random().folder_name());
    }

    #[test]
    fn a_token_is_not_shown_by_accident() {
        let token = Token::random();
        let call = Call::close_arrival { token: token.clone() };
        assert!(!format!("{token:?}{call:?}").contains(token.as_str()));
    }
}
