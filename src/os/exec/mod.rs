//! The only place that starts other programs: an argument list, never a shell; a time limit, a limit on their
//! output, a clean environment with `LC_ALL=C`. Only an editor gets the terminal.
//!
//! A program that could not be started, one that failed, and one whose end was not seen are three different
//! errors: after the last it is unknown whether the program did its work.

mod follow;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;

/// Maximum size of each of a program's outputs, in bytes.
const OUTPUT_CAP: u64 = 64 << 20;

/// Folders in which programs are searched for, besides those of this process's own `PATH`.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    program: &'static str,
    /// The program's file, if it need not be searched for.
    path: Option<PathBuf>,
    args: Vec<String>,
    env: Vec<(&'static str, OsString)>,
    stdin: Option<Vec<u8>>,
    timeout: Duration,
}

/// Why a program did not do its work, or may not have done it.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The program does not exist, or may not be executed.
    #[error("failed to start {program}")]
    Start { program: &'static str, source: std::io::Error },
    /// The program exited with an error.
    #[error("{command} failed ({status}): {stderr}")]
    Failed {
        /// The command line, to be shown.
        command: String,
        status: ExitStatus,
        /// Its standard error, on one line.
        stderr: String,
    },
    /// The program was killed because it took too long. It is unknown whether it did its work.
    #[error("{command} did not end within {seconds} s")]
    Timeout { command: String, seconds: u64 },
    /// The program printed more than `OUTPUT_CAP`.
    #[error("{command} printed more than {} MiB", OUTPUT_CAP >> 20)]
    TooMuch { command: String },
    /// The program's output could not be read.
    #[error("failed to talk to {command}")]
    Io { command: String, source: std::io::Error },
}

impl ExecError {
    /// The program's standard error, if it failed.
    pub fn stderr(&self) -> &str {
        match self {
            Self::Failed { stderr, .. } => stderr,
            _ => "",
        }
    }
}

impl Command {
    /// A program by its name, found in `PATH` or the system's folders.
    pub fn new(program: &'static str) -> Self {
        Self {
            program,
            path: None,
            args: Vec::new(),
            env: Vec::new(),
            stdin: None,
            timeout: Duration::from_secs(30),
        }
    }

    /// This program itself, whatever its path.
    pub fn own() -> std::io::Result<Self> {
        Ok(Self { path: Some(std::env::current_exe()?), ..Self::new(env!("CARGO_PKG_NAME")) })
    }

    /// The program in that file; `program` is its name in errors.
    pub fn at(path: impl Into<PathBuf>, program: &'static str) -> Self {
        Self { path: Some(path.into()), ..Self::new(program) }
    }

    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    #[must_use]
    pub fn args<I: Into<String>>(mut self, args: impl IntoIterator<Item = I>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable, besides those that every program gets.
    #[must_use]
    pub fn env(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// Sets what the program reads on its standard input.
    #[must_use]
    pub fn stdin(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(input.into());
        self
    }

    /// Sets the time limit; the default is 30 s.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Starts the program and does not wait. It is killed when the handle is dropped.
    pub fn spawn(&self) -> Result<Child, ExecError> {
        let stdin = if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        self.spawn_with(stdin, Stdio::piped(), Stdio::piped())
    }

    /// Starts the program so that it waits for a line on its standard input.
    pub fn spawn_waiting(&self) -> Result<PreparedCommand, ExecError> {
        let child = self.spawn_with(Stdio::piped(), Stdio::piped(), Stdio::piped())?;
        Ok(PreparedCommand { child })
    }

    fn spawn_with(&self, stdin: Stdio, stdout: Stdio, stderr: Stdio) -> Result<Child, ExecError> {
        let path = search_path(std::env::var_os("PATH").as_deref());
        let program = self.path.as_deref().unwrap_or_else(|| Path::new(self.program));
        #[expect(clippy::disallowed_methods, reason = "this is the place")]
        let mut command = tokio::process::Command::new(program);
        command
            .args(&self.args)
            .env_clear()
            .env("PATH", path)
            .env("LC_ALL", "C")
            .env("HOME", "/root")
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr)
            .kill_on_drop(true)
            .process_group(0)
            .spawn()
            .map_err(|source| ExecError::Start { program: self.program, source })
    }

    /// Runs the program to its end and returns its standard output.
    pub async fn run(&self) -> Result<String, ExecError> {
        let mut child = self.spawn()?;
        let timeout = ExecError::Timeout { command: self.to_string(), seconds: self.timeout.as_secs() };
        match tokio::time::timeout(self.timeout, self.collect(&mut child)).await {
            Ok(result) => result,
            Err(_) => Err(timeout),
        }
    }

    /// Waits for the end of a program started by [`spawn`](Self::spawn), without a time limit. The errors are
    /// those of [`run`](Self::run).
    pub async fn collect(&self, child: &mut Child) -> Result<String, ExecError> {
        let io = |source| ExecError::Io { command: self.to_string(), source };
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let feed = async {
            if let (Some(mut pipe), Some(input)) = (stdin, &self.stdin) {
                // A program that does not read all of its input reports the reason itself.
                let _ = pipe.write_all(input).await;
            }
        };
        let ((), stdout, stderr, status) =
            tokio::join!(feed, read_capped(stdout), read_capped(stderr), child.wait());
        let (stdout, stderr, status) = (stdout.map_err(io)?, stderr.map_err(io)?, status.map_err(io)?);
        if stdout.len() as u64 >= OUTPUT_CAP {
            return Err(ExecError::TooMuch { command: self.to_string() });
        }
        if status.success() {
            return Ok(String::from_utf8_lossy(&stdout).into_owned());
        }
        let stderr = one_line(&String::from_utf8_lossy(&stderr));
        Err(ExecError::Failed { command: self.to_string(), status, stderr })
    }
}

/// Runs a program of the user's choice on the user's terminal and in the user's environment, to its end.
pub async fn on_terminal(
    program: &str,
    args: impl IntoIterator<Item = OsString>,
) -> std::io::Result<ExitStatus> {
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    let mut command = tokio::process::Command::new(program);
    command.args(args).status().await
}

/// A program that was started ahead of time and waits for its only command.
#[derive(Debug)]
pub struct PreparedCommand {
    child: Child,
}

impl PreparedCommand {
    /// Sends the line, and returns whether a line of the answer contains `expected`. Everything else (an error, the
    /// program's end, an answer that takes more than 10 s) is a no.
    pub async fn tell(mut self, line: &str, expected: &str) -> bool {
        let (Some(mut stdin), Some(stdout)) = (self.child.stdin.take(), self.child.stdout.take()) else {
            return false;
        };
        let talk = async {
            stdin.write_all(format!("{line}\n").as_bytes()).await.ok()?;
            drop(stdin);
            let mut lines = tokio::io::BufReader::new(stdout.take(OUTPUT_CAP)).lines();
            while let Some(answer) = lines.next_line().await.ok()? {
                if answer.contains(expected) {
                    return Some(());
                }
            }
            None
        };
        matches!(tokio::time::timeout(Duration::from_secs(10), talk).await, Ok(Some(())))
    }
}

/// Where programs are searched for: in the absolute folders of this process's own `PATH`, and in the system's
/// folders. An empty or relative entry would mean the current folder, whatever that is.
fn search_path(own: Option<&OsStr>) -> OsString {
    let own = std::env::split_paths(own.unwrap_or_default()).filter(|folder| folder.is_absolute());
    let all = own.chain(std::env::split_paths(SYSTEM_PATH));
    std::env::join_paths(all).unwrap_or_else(|_| SYSTEM_PATH.into())
}

async fn read_capped(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(OUTPUT_CAP).read_to_end(&mut text).await?;
    }
    Ok(text)
}

/// A program's error message on one line, without the `error: ` before each of its lines.
fn one_line(text: &str) -> String {
    let lines =
        text.lines().map(|line| line.trim().trim_start_matches("error: ")).filter(|line| !line.is_empty());
    let text = lines.collect::<Vec<_>>().join("; ");
    text.chars().filter(|c| !c.is_control()).take(2000).collect()
}

impl std::fmt::Display for Command {
    /// `virsh domstate web1`: the program, and the first two words after its options.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.program)?;
        let mut words = self.args.iter().map(String::as_str).peekable();
        while let Some(word) = words.next() {
            if word == "-c" {
                words.next();
                continue;
            }
            if word.starts_with('-') {
                continue;
            }
            // Of several commands in one argument, only the first.
            write!(f, " {}", word.split(['\n', ';']).next().unwrap_or_default())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn arguments_arrive_as_they_are() {
        let output = Command::new("printf").args(["%s|", "a b", "$(id)", "*", ";"]).run().await.unwrap();
        assert_eq!(output, "a b|$(id)|*|;|");
    }

    #[tokio::test]
    async fn the_environment_is_clean() {
        let output = Command::new("env").run().await.unwrap();
        let names: Vec<_> = output.lines().filter_map(|line| line.split('=').next()).collect();
        assert!(names.iter().all(|name| ["PATH", "LC_ALL", "HOME"].contains(name)), "{names:?}");
    }

    #[test]
    fn programs_are_looked_for_in_the_systems_folders_whatever_path_says_and_in_no_relative_one() {
        let path = |own: Option<&str>| search_path(own.map(OsStr::new)).into_string().unwrap();
        for own in [None, Some(""), Some(":"), Some("."), Some("bin:../x")] {
            assert_eq!(path(own), SYSTEM_PATH, "{own:?}");
        }
        assert_eq!(path(Some("/opt/bin::.")), format!("/opt/bin:{SYSTEM_PATH}"));
    }

    #[tokio::test]
    async fn each_way_to_fail_is_told_from_the_others() {
        let missing = Command::new("no-such-program").run().await.unwrap_err();
        assert!(matches!(missing, ExecError::Start { .. }));
        let failed = Command::new("ls").arg("/no/such/folder").run().await.unwrap_err();
        assert!(failed.stderr().contains("No such file"), "{failed}");
        let slow =
            Command::new("sleep").arg("60").timeout(Duration::from_millis(20)).run().await.unwrap_err();
        assert!(matches!(slow, ExecError::Timeout { .. }));
    }

    #[tokio::test]
    async fn standard_input_is_fed() {
        let output = Command::new("cat").stdin("x".repeat(1 << 20)).run().await.unwrap();
        assert_eq!(output.len(), 1 << 20);
    }

    #[tokio::test]
    async fn a_waiting_program_does_as_it_is_told_once() {
        let cat = Command::new("cat");
        assert!(cat.spawn_waiting().unwrap().tell("run now", "run").await);
        assert!(!cat.spawn_waiting().unwrap().tell("run now", "stop").await);
        assert!(!Command::new("false").spawn_waiting().unwrap().tell("run", "run").await);
    }

    #[test]
    fn a_complaint_becomes_one_line() {
        assert_eq!(one_line("error: Failed\nerror: no domain\x1b[31m\n\n"), "Failed; no domain[31m");
    }
}
