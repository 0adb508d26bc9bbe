//! What travels on a [`Purpose::Rpc`](super::hello::Purpose::Rpc) stream, one frame each.
//!
//! Questions and answers are matched by number, so many may be on their way at once, and answers come in any
//! order. The client pings; any frame is a sign of life. What a question or an error says is decoded apart
//! from its envelope: a word that only a newer peer knows spoils one call, not the stream.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A client pings at least that often.
pub const LONGEST_PING: Duration = Duration::from_secs(20);

/// A server that hears nothing for that long takes the client for dead.
pub const SILENCE: Duration = Duration::from_secs(3 * LONGEST_PING.as_secs());

/// Questions that one client may have open at once.
pub const OUTSTANDING: usize = 64;

/// From the client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Request {
    /// A question.
    Call {
        /// Its number.
        id: u64,
        /// What is asked.
        call: Value,
    },
    /// Are you there?
    Ping {
        /// Comes back in the pong.
        ping: u64,
    },
}

/// From the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Reply {
    /// An answer.
    Ok {
        /// The question's number.
        id: u64,
        /// The answer.
        ok: Value,
    },
    /// A refusal or failure.
    Err {
        /// The question's number.
        id: u64,
        /// What became of it instead: an error of the host.
        err: Value,
    },
    /// Here I am.
    Pong {
        /// From the ping.
        pong: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_nothing_is_told_from_no_answer() {
        let reply: Reply = serde_json::from_str(r#"{"id":1,"ok":null}"#).unwrap();
        assert_eq!(reply, Reply::Ok { id: 1, ok: Value::Null });
        assert!(serde_json::from_str::<Reply>(r#"{"id":1}"#).is_err());
    }

    #[test]
    fn the_wire_is_plain() {
        let text = |value: &Request| serde_json::to_string(value).unwrap();
        let call = serde_json::json!({"facts": {}});
        assert_eq!(text(&Request::Call { id: 7, call }), r#"{"id":7,"call":{"facts":{}}}"#);
        assert_eq!(text(&Request::Ping { ping: 3 }), r#"{"ping":3}"#);
    }
}
