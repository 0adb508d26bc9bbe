//! Questions to libvirt about what it can do. It gives the same answer for a while, and may need seconds for it: so an
//! answer is kept for a minute, and no longer, since QEMU and libvirt may be updated.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Driver;
use super::virsh::failed;
use crate::exec::ExecError;
use crate::platform::PlatformError;

/// What virsh printed, or what it said against the question.
pub type Answer = Result<String, String>;

/// Words for virsh, and what it is given to read.
type Question = (Vec<String>, String);

/// Questions with their answers, and when they were asked.
#[derive(Debug, Default)]
pub struct Known(Mutex<HashMap<Question, (Instant, Answer)>>);

impl Known {
    /// Asks virsh in these words. `input` is what it reads from `/dev/stdin`, if they name that.
    ///
    /// # Errors
    /// If libvirt does not answer. That it answers "no" is an answer.
    pub async fn ask<I: Into<String>>(
        &self,
        words: impl IntoIterator<Item = I>,
        input: &str,
    ) -> Result<Answer, PlatformError> {
        let question: Question = (words.into_iter().map(Into::into).collect(), input.to_owned());
        if let Some(answer) = self.fresh(&question) {
            return Ok(answer);
        }
        let command = Driver::Qemu.virsh().args(question.0.iter().map(String::as_str)).stdin(input);
        let answer = match command.run().await {
            Ok(output) => Ok(output),
            Err(error @ ExecError::Failed { .. }) => {
                let said = error.stderr().to_owned();
                if let down @ PlatformError::Down { .. } = failed("ask libvirt what it can do", error) {
                    return Err(down);
                }
                Err(said)
            }
            Err(error) => return Err(failed("ask libvirt what it can do", error)),
        };
        self.keep(question, answer.clone());
        Ok(answer)
    }

    fn fresh(&self, question: &Question) -> Option<Answer> {
        const FRESH: Duration = Duration::from_secs(60);
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(question).filter(|(asked, _)| asked.elapsed() < FRESH).map(|(_, answer)| answer.clone())
    }

    fn keep(&self, question: Question, answer: Answer) {
        /// What peers ask for is theirs to say: it must not grow without end.
        const MANY: usize = 256;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MANY {
            known.clear();
        }
        known.insert(question, (Instant::now(), answer));
    }
}
