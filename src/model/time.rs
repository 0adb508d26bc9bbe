//! Points in time, and how times and sizes are printed.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Millis(pub i64);

impl Millis {
    /// The wall clock. Call it only at the edge, and pass the value on.
    #[expect(clippy::disallowed_methods, reason = "this is the edge")]
    pub fn now() -> Self {
        Self(Timestamp::now().as_millisecond())
    }

    /// Milliseconds since `earlier`; zero if the clock went backwards.
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    pub fn after(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(i64::try_from(milliseconds).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Millis {
    /// RFC 3339 in UTC, to the second: `2026-11-20T01:10:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Timestamp::from_millisecond(self.0 - self.0.rem_euclid(1000))
            .map_or_else(|_| self.0.to_string(), |time| time.to_string());
        f.pad(&text)
    }
}

/// `2026-11-20 01:10`, local time, as sysadm(8) prints dates.
pub fn format_minute(time: Millis, zone: &TimeZone) -> String {
    match Timestamp::from_millisecond(time.0) {
        Ok(time) => time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => "-".to_owned(),
    }
}

/// A duration for people: `240ms`, `3.2s`, `3m30s`, `2h05m`.
pub fn format_span(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0 => format!("{milliseconds}ms"),
        1..60 => format!("{}.{}s", seconds, milliseconds % 1000 / 100),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// A size in bytes as zfs(8) prints it: `96M`, `1.5G`.
pub fn format_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["K", "M", "G", "T", "P"];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let mut whole = bytes;
    let mut tenths = 0;
    let mut unit = "";
    for next in UNITS {
        if whole < 1024 {
            break;
        }
        tenths = (whole % 1024) * 10 / 1024;
        whole /= 1024;
        unit = next;
    }
    if tenths == 0 || whole >= 100 { format!("{whole}{unit}") } else { format!("{whole}.{tenths}{unit}") }
}

/// A text is not a size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a size")]
pub struct SizeError(String);

impl crate::Hinted for SizeError {
    fn hints(&self) -> Vec<String> {
        vec!["write a number and K, M, G or T: 512M, 1.5G".to_owned()]
    }
}

/// The size in bytes of a text such as `96M`, `1.5G`, `2GiB` or `4096`.
///
/// # Errors
/// If the text is not a size.
pub fn parse_bytes(text: &str) -> Result<u64, SizeError> {
    let bad = || SizeError(text.to_owned());
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[number.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KIB" => 10,
        "M" | "MIB" => 20,
        "G" | "GIB" => 30,
        "T" | "TIB" => 40,
        _ => return Err(bad()),
    };
    let (whole, tenths) = match number.split_once('.') {
        Some((whole, tenth)) if tenth.len() == 1 => (whole, tenth),
        Some(_) => return Err(bad()),
        None => (number, "0"),
    };
    let digits =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok());
    let (whole, tenths) =
        (digits(whole).flatten().ok_or_else(bad)?, digits(tenths).flatten().ok_or_else(bad)?);
    let bytes = (u128::from(whole) << shift) + ((u128::from(tenths) << shift) / 10);
    u64::try_from(bytes).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_sizes_read_naturally() {
        let spans = [0, 240, 3_250, 210_000, 7_500_000].map(format_span);
        assert_eq!(spans, ["0ms", "240ms", "3.2s", "3m30s", "2h05m"]);
        let sizes = [0, 1023, 1024, 96 << 20, (1 << 30) + (1 << 29), 300 << 30].map(format_bytes);
        assert_eq!(sizes, ["0B", "1023B", "1K", "96M", "1.5G", "300G"]);
    }

    #[test]
    fn a_size_is_read_as_it_is_printed() {
        for size in [0, 1023, 1024, 96 << 20, (1 << 30) + (1 << 29), 300 << 30] {
            assert_eq!(parse_bytes(&format_bytes(size)), Ok(size));
        }
        assert_eq!(["2GiB", "1.5MiB", "3kib"].map(parse_bytes), [Ok(2 << 30), Ok(3 << 19), Ok(3 << 10)]);
        for text in ["", "G", "-1", "1.25G", "1,5G", "5X", "5GB", "5iB", "+5", "1e3", "99999999999999T"] {
            assert!(parse_bytes(text).unwrap_err().to_string().contains("is not a size"), "{text:?}");
        }
    }

    #[test]
    fn a_clock_that_goes_back_gives_no_negative_span() {
        assert_eq!(Millis(5).since(Millis(9)), 0);
        assert_eq!(Millis(1_795_000_000_123).to_string(), "2026-11-18T11:06:40Z");
        assert_eq!(format_minute(Millis(0), &TimeZone::UTC), "1970-01-01 00:00");
    }
}
