//! The messages on a [`Purpose::Rpc`](super::hello::Purpose::Rpc) stream, one frame each.
//!
//! Requests and replies are matched by number, so many requests may be open at the same time, and replies come in
//! any order. The client pings; any frame is a sign of life. The contents of a request or an error are decoded
//! separately from its envelope: a word that only a newer peer knows fails one request, not the stream.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Maximum time between two pings of a client.
pub const LONGEST_PING: Duration = Duration::from_secs(20);

/// A server that receives nothing for this long considers the client dead.
pub const SILENCE: Duration = Duration::from_secs(3 * LONGEST_PING.as_secs());

/// Maximum number of open requests of one client.
pub const OUTSTANDING: usize = 64;

/// From the client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RpcRequest {
    Call {
        id: u64,
        /// The call, still undecoded.
        call: Value,
    },
    /// A ping.
    Ping {
        /// Is returned in the pong.
        ping: u64,
    },
}

/// From the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Reply {
    /// The reply to a request.
    Ok {
        /// The request's number.
        id: u64,
        ok: Value,
    },
    /// The error of a request.
    Err {
        /// The request's number.
        id: u64,
        /// The host's error, still undecoded.
        err: Value,
    },
    /// The answer to a ping.
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
        let text = |value: &RpcRequest| serde_json::to_string(value).unwrap();
        let call = serde_json::json!({"facts": {}});
        assert_eq!(text(&RpcRequest::Call { id: 7, call }), r#"{"id":7,"call":{"facts":{}}}"#);
        assert_eq!(text(&RpcRequest::Ping { ping: 3 }), r#"{"ping":3}"#);
    }
}
