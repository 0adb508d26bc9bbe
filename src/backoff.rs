//! How often and how soon something is tried again: the only retry policy.
//!
//! Each pause is longer than the one before by a factor, up to a maximum. Retries end when the budget is used up.

use std::time::Duration;

use tokio::time::Instant;

/// The limit of retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// No retry begins later than this after the first attempt.
    Time(Duration),
    /// The number of retries.
    Retries(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The pause after the first attempt.
    pub first: Duration,
    /// Each pause is this many times longer than the one before.
    pub factor: u32,
    pub max: Duration,
    pub budget: Budget,
}

impl Backoff {
    /// The pause after that many attempts.
    pub fn pause(&self, attempts: u32) -> Duration {
        let factor = self.factor.checked_pow(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.max)
    }

    /// The pause after that many attempts, of which the first began `elapsed` ago; none if the budget is used up.
    pub fn next(&self, attempts: u32, elapsed: Duration) -> Option<Duration> {
        let pause = self.pause(attempts);
        let is_within = match self.budget {
            Budget::Time(limit) => elapsed.saturating_add(pause) < limit,
            Budget::Retries(limit) => attempts <= limit,
        };
        is_within.then_some(pause)
    }
}

/// Tries until the function succeeds, fails with an error that is not worth a retry, or the budget is used up.
/// Returns the last result.
pub async fn retry<T, E, F>(
    backoff: Backoff,
    is_worth_it: impl Fn(&E) -> bool,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let begun = Instant::now();
    let mut attempts = 1;
    loop {
        let error = match attempt().await {
            Err(error) if is_worth_it(&error) => error,
            result => return result,
        };
        match backoff.next(attempts, begun.elapsed()) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(error),
        }
        attempts += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const MOVE: Backoff =
        Backoff { first: seconds(5), factor: 2, max: seconds(120), budget: Budget::Retries(40) };

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let pauses = [1, 2, 3, 4, 5, 6, 7, 40].map(|attempts| MOVE.next(attempts, seconds(0)));
        assert_eq!(pauses, [5, 10, 20, 40, 80, 120, 120, 120].map(|pause| Some(seconds(pause))));
        assert_eq!(MOVE.next(41, seconds(0)), None);
    }

    #[test]
    fn no_retry_begins_after_the_time_is_up() {
        let backoff = Backoff { budget: Budget::Time(seconds(10)), ..MOVE };
        assert_eq!(backoff.next(1, seconds(4)), Some(seconds(5)));
        assert_eq!(backoff.next(1, seconds(5)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_worth_it_is_tried_until_the_budget_is_used_up() {
        let mut attempts = 0;
        let backoff = Backoff { budget: Budget::Retries(2), ..MOVE };
        let mut failing = || {
            attempts += 1;
            std::future::ready(Err::<(), _>(attempts))
        };
        assert_eq!(retry(backoff, |_| true, &mut failing).await, Err(3));
        assert_eq!(retry(backoff, |error| *error < 5, &mut failing).await, Err(5));
        assert_eq!(retry(backoff, |_: &()| true, || async { Ok(1) }).await, Ok(1));
    }
}
