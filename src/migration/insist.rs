//! How often a host that did not answer is asked again, and how often a move is tried again.

use std::time::Duration;

use crate::backoff::{Backoff, Budget, retry};
use crate::host::HostError;

/// How long to ask for an answer that only decides what is reported at the end.
pub(super) const SHORT: Duration = Duration::from_secs(10);

/// How long to ask for an answer while a zone does not run.
pub(super) const LONG: Duration = Duration::from_secs(120);

/// The pauses between the attempts of a move, and their maximum number: a broken connection is noticed after fifteen
/// seconds, so it has had some time already.
pub const fn backoff(retries: u32) -> Backoff {
    Backoff {
        first: Duration::from_secs(5),
        factor: 2,
        max: Duration::from_secs(120),
        budget: Budget::Retries(retries),
    }
}

/// Repeats a request for so long while no answer arrives; only for requests that may be repeated.
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

/// Sends a request that only cleans up and does not change the outcome, with a time limit.
pub(super) async fn soon(work: impl Future<Output = Result<(), HostError>>) {
    let _ = tokio::time::timeout(SHORT, work).await;
}
