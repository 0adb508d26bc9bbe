//! A program whose output is passed on while it runs.

use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::unix::pipe;

use super::{Command, ExecError};

impl Command {
    /// Runs the program to its end, without a time limit, and passes on every line that it prints: standard
    /// output and standard error in the order in which they were printed, as on a terminal.
    ///
    /// # Errors
    /// If the program cannot be started or read. That it exits with an error is not an error here.
    pub async fn follow(&self, mut line: impl FnMut(&str)) -> Result<ExitStatus, ExecError> {
        let io = |source| ExecError::Io { command: self.to_string(), source };
        let (writer, reader) = pipe::pipe().map_err(io)?;
        let writer = writer.into_blocking_fd().map_err(io)?;
        let other = writer.try_clone().map_err(io)?;
        let mut child = self.spawn_with(Stdio::null(), Stdio::from(writer), Stdio::from(other))?;
        let mut lines = BufReader::new(reader).lines();
        while let Some(text) = lines.next_line().await.map_err(io)? {
            line(&text);
        }
        child.wait().await.map_err(io)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_outputs_come_in_the_order_in_which_they_were_printed() {
        let command = Command::new("ls").args(["-d", "/nonexistent", "/"]);
        let mut lines = Vec::new();
        let status = command.follow(|line| lines.push(line.to_owned())).await.unwrap();
        assert!(!status.success());
        assert!(lines[0].contains("nonexistent") && lines[1] == "/", "{lines:?}");
    }

    #[tokio::test]
    async fn a_variable_is_handed_over() {
        let mut text = String::new();
        Command::new("env").env("COLOUR", "blue").follow(|line| text.push_str(line)).await.unwrap();
        assert!(text.contains("COLOUR=blue"), "{text}");
    }
}
