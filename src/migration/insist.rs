//! How often a host is asked again that did not answer, and how often a move is tried again.

use std::time::Duration;

use crate::backoff::{Backoff, Budget, retry};
use crate::host::HostError;

/// How long an answer is insisted on that decides only what is said at the end.
pub(super) const SHORT: Duration = Duration::from_secs(10);

/// How long an answer is insisted on while a zone stands still.
pub(super) const LONG: Duration = Duration::from_secs(120);

/// The pauses between the attempts of a move, which is tried again so often at most: a line that broke is given up after
/// fifteen seconds, so it has had some time already.
pub const fn backoff(retries: u32) -> Backoff {
    Backoff {
        first: Duration::from_secs(5),
        factor: 2,
        max: Duration::from_secs(120),
        budget: Budget::Retries(retries),
    }
}

/// Asks again while no answer arrives, for so long: for what may be asked twice.
pub(super) async fn insist<T, F>(limit: Duration, ask: impl FnMut() -> F) -> Result<T, HostError>
where
    F: Future<Output = Result<T, HostError>>,
{
    let backoff = Backoff {
        first: Duration::from_millis(100),
        factor: 2,
        max: Duration::from_secs(5),
        budget: Budget::Time(limit),
    };
    retry(backoff, HostError::is_no_answer, ask).await
}

/// Does what puts things in order and changes nothing about the outcome: it is not waited for without end.
pub(super) async fn soon(work: impl Future<Output = Result<(), HostError>>) {
    let _ = tokio::time::timeout(SHORT, work).await;
}
