//! The system log: one datagram per line, as in RFC 3164.

use std::os::unix::net::UnixDatagram;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::{Millis, plain};

/// `authpriv.notice`: facility 10, severity 5.
const PRIORITY: u8 = 10 << 3 | 5;

/// Writes a line with severity `notice` to the system log that listens at `socket`.
pub(super) fn notice(socket: &Path, text: &str, now: Millis, zone: &TimeZone) -> std::io::Result<()> {
    let now = Timestamp::from_millisecond(now.0).unwrap_or_default().to_zoned(zone.clone());
    let line = format!(
        "<{PRIORITY}>{} sysadm[{}]: {}",
        now.strftime("%b %e %H:%M:%S"),
        std::process::id(),
        plain(text)
    );
    UnixDatagram::unbound()?.send_to(line.as_bytes(), socket)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_arrives_as_one_datagram_in_local_time_without_control_characters() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("log");
        let log = UnixDatagram::bind(&socket).unwrap();
        let east = TimeZone::fixed(jiff::tz::offset(1));
        notice(&socket, "zone 'wéb1'\nmoved", Millis(1_793_750_645_999), &east).unwrap();
        let mut line = [0; 200];
        let length = log.recv(&mut line).unwrap();
        let expected = format!("<85>Nov  4 01:04:05 sysadm[{}]: zone 'wéb1' moved", std::process::id());
        assert_eq!(std::str::from_utf8(&line[..length]).unwrap(), expected);
    }

    #[test]
    fn a_log_that_is_not_there_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let error = notice(&dir.path().join("log"), "text", Millis(0), &TimeZone::UTC).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    }
}
