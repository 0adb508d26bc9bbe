//! Times as people type them.

use std::str::FromStr;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::model::{Hinted, Millis};

/// `2026-11-22 02:00`, `+2h`, or `none`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeArg {
    /// At that local time.
    At(DateTime),
    /// After that duration.
    In(Duration),
    /// `none`.
    Never,
}

/// Why a text is no time that is to come.
#[derive(Debug, thiserror::Error)]
pub enum TimeArgError {
    #[error("{0:?} is not a time")]
    NoTime(String),
    /// The clock skips it, or it is too far away.
    #[error(transparent)]
    Nowhere(#[from] jiff::Error),
    #[error("that time has passed")]
    Passed,
}

impl Hinted for TimeArgError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::NoTime(_) => vec!["write \"YYYY-MM-DD HH:MM\", +90min, +2h, or none".to_owned()],
            Self::Nowhere(_) | Self::Passed => Vec::new(),
        }
    }
}

impl FromStr for TimeArg {
    type Err = TimeArgError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || TimeArgError::NoTime(text.to_owned());
        if text == "none" {
            return Ok(Self::Never);
        }
        match text.strip_prefix('+') {
            Some(span) => humantime::parse_duration(span).map(Self::In).map_err(|_| bad()),
            None => DateTime::strptime("%Y-%m-%d %H:%M", text).map(Self::At).map_err(|_| bad()),
        }
    }
}

impl TimeArg {
    /// The moment; none for `none`.
    ///
    /// # Errors
    /// If it has passed, or does not exist.
    pub fn moment(&self, now: Millis, zone: &TimeZone) -> Result<Option<Millis>, TimeArgError> {
        let moment = match self {
            Self::Never => return Ok(None),
            Self::In(span) => now.after(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
            Self::At(time) => {
                let time = time.to_zoned(zone.clone())?;
                Millis(time.timestamp().as_millisecond())
            }
        };
        if moment < now { Err(TimeArgError::Passed) } else { Ok(Some(moment)) }
    }
}

/// Why a text is not a duration.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a duration")]
pub struct DurationError(String);

impl Hinted for DurationError {
    fn hints(&self) -> Vec<String> {
        vec!["write a number and its unit: 30s, 10m or 1h30m".to_owned()]
    }
}

/// `1h30m`.
pub fn duration(text: &str) -> Result<Duration, DurationError> {
    humantime::parse_duration(text).map_err(|_| DurationError(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_795_300_000_000);

    fn moment(text: &str) -> Result<Option<i64>, String> {
        let moment = text.parse::<TimeArg>().and_then(|time| time.moment(NOW, &TimeZone::UTC));
        moment.map(|moment| moment.map(|moment| moment.0)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_time_is_a_date_or_a_span_from_now() {
        assert_eq!(moment("+90min"), Ok(Some(NOW.0 + 5_400_000)));
        assert_eq!(moment("+2h"), Ok(Some(NOW.0 + 7_200_000)));
        assert_eq!(moment("2026-12-24 18:30"), Ok(Some(1_798_137_000_000)));
        assert_eq!(moment("none"), Ok(None));
        let east = TimeZone::fixed(jiff::tz::offset(1));
        let local = "2026-12-24 18:30".parse::<TimeArg>().unwrap().moment(NOW, &east);
        assert_eq!(local.unwrap(), Some(Millis(1_798_133_400_000)));
    }

    #[test]
    fn what_is_no_time_or_has_passed_is_refused() {
        for bad in
            ["", "+", "+soon", "2h", "tomorrow", "2026-12-24", "2026-13-24 18:30", "2026-12-24 25:00", "+-1h"]
        {
            assert!(moment(bad).unwrap_err().contains("is not a time"), "{bad:?} was taken");
        }
        assert_eq!(moment("2020-01-01 00:00"), Err("that time has passed".to_owned()));
    }
}
