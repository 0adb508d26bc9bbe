//! Cancelling a run from another terminal: the run listens on a socket beside its lock.
//!
//! Only the running process can answer there, whereas a process id in a file could meanwhile be another
//! program's. And the client learns what was done. The socket is in a folder that only root may enter, and is
//! removed at the end of the run; one that a killed run has left behind does no harm.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use super::{Cancel, CancelReason, Stage};
use crate::backoff::{Backoff, Budget, retry};
use crate::paths::Paths;
use crate::run_lock::is_running;
use crate::store::Direction;

/// How long to wait for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait for the socket of a run that has just begun.
const BEGINNING: Backoff = {
    let pause = Duration::from_millis(20);
    Backoff { first: pause, factor: 1, max: pause, budget: Budget::Time(Duration::from_secs(2)) }
};

/// Maximum length of an answer, in bytes.
const LIMIT: u64 = 4096;

/// The answer of a run that was asked to cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelReply {
    /// The id of its process.
    pub pid: u32,
    /// The direction of the run.
    pub direction: Direction,
    /// The stage that it has reached.
    pub stage: Stage,
}

/// Why a run could not be cancelled.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No run is in progress.
    #[error("no evacuation, return or migration is in progress")]
    NoRun,
    /// The holder of the run lock does not accept requests.
    #[error("what goes on here cannot be asked to stop")]
    NotListening(#[source] std::io::Error),
    /// The run does not answer.
    #[error("the run in progress does not answer within {} s; is its process stopped?", PATIENCE.as_secs())]
    Timeout,
    /// The answer is invalid.
    #[error("failed to understand what the run in progress answers: {0:?}")]
    Malformed(String),
}

/// Listens until it is dropped.
#[derive(Debug)]
pub struct ControlServer {
    task: JoinHandle<()>,
    path: std::path::PathBuf,
}

impl ControlServer {
    /// Listens for requests to a run. The caller holds the run lock, so an existing socket belongs to a dead run.
    ///
    /// # Errors
    /// If the socket cannot be created.
    pub fn open(
        paths: &Paths,
        direction: Direction,
        cancel: Cancel,
        tell: impl Fn(&str) + Send + 'static,
    ) -> std::io::Result<Self> {
        let path = paths.run_socket();
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        let task = tokio::spawn(async move {
            loop {
                let Ok((mut stream, _)) = listener.accept().await else { return };
                let stage = cancel.stage().next();
                // Reported first, so that the report precedes the consequences.
                tell(&words(stage));
                cancel.raise(stage, CancelReason::Operator);
                let answer = CancelReply { pid: std::process::id(), direction, stage };
                if let Ok(text) = serde_json::to_string(&answer) {
                    let _ = stream.write_all(format!("{text}\n").as_bytes()).await;
                }
            }
        });
        Ok(Self { task, path })
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_file(&self.path);
    }
}

fn words(stage: Stage) -> String {
    format!("cancelled from another terminal: {}", stage.words())
}

/// Asks the run in progress to cancel, one stage further than before.
///
/// # Errors
/// If there is none, or it does not answer.
pub async fn ask_to_stop(paths: &Paths) -> Result<CancelReply, ControlError> {
    let stream = connect(paths).await?;
    let mut text = String::new();
    let mut answer = BufReader::new(stream.take(LIMIT));
    match tokio::time::timeout(PATIENCE, answer.read_line(&mut text)).await {
        Err(_) => Err(ControlError::Timeout),
        // The run has just ended.
        Ok(Ok(0) | Err(_)) => Err(ControlError::NoRun),
        Ok(Ok(_)) => serde_json::from_str(&text).map_err(|_| ControlError::Malformed(text)),
    }
}

async fn connect(paths: &Paths) -> Result<UnixStream, ControlError> {
    let attempt = || async {
        let stream = UnixStream::connect(paths.run_socket()).await;
        stream.map_err(|error| match is_running(paths) {
            true => ControlError::NotListening(error),
            false => ControlError::NoRun,
        })
    };
    // The run has the lock and is about to listen.
    retry(BEGINNING, |error| matches!(error, ControlError::NotListening(_)), attempt).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_lock::RunLock;

    fn fresh() -> (tempfile::TempDir, Paths) {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::new(folder.path());
        (folder, paths)
    }

    #[tokio::test]
    async fn a_run_is_stopped_a_stage_further_by_each_request() {
        let (_folder, paths) = fresh();
        let cancel = Cancel::default();
        let _lock = RunLock::take(&paths, Direction::Return).unwrap();
        // Left behind by a killed run.
        std::fs::write(paths.run_socket(), "").unwrap();
        let ear = ControlServer::open(&paths, Direction::Return, cancel.clone(), |_| ()).unwrap();
        for stage in [Stage::Finishing, Stage::Aborting, Stage::Aborting] {
            let answer = ask_to_stop(&paths).await.unwrap();
            assert_eq!(answer, CancelReply { pid: std::process::id(), direction: Direction::Return, stage });
            assert_eq!(cancel.stage(), stage);
        }
        drop(ear);
        assert!(!paths.run_socket().exists());
    }

    #[tokio::test]
    async fn without_a_run_nobody_is_asked_whatever_a_dead_one_left() {
        let (_folder, paths) = fresh();
        assert!(matches!(ask_to_stop(&paths).await, Err(ControlError::NoRun)));
        std::fs::create_dir_all(paths.state_dir()).unwrap();
        drop(UnixListener::bind(paths.run_socket()).unwrap());
        std::fs::write(paths.run_lock(), "evacuate, pid 1").unwrap();
        assert!(matches!(ask_to_stop(&paths).await, Err(ControlError::NoRun)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_takes_no_requests_or_does_not_answer_is_not_waited_for_without_end() {
        let (_folder, paths) = fresh();
        let _lock = RunLock::take(&paths, Direction::Evacuate).unwrap();
        assert!(matches!(ask_to_stop(&paths).await, Err(ControlError::NotListening(_))));
        let _deaf = UnixListener::bind(paths.run_socket()).unwrap();
        assert!(matches!(ask_to_stop(&paths).await, Err(ControlError::Timeout)));
    }
}
