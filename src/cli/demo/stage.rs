//! Runs commands as if they were typed, and shows their output.

use std::process::ExitStatus;
use std::time::Duration;

use super::site::Site;
use crate::cli::{CliError, Exit, ui};

/// The terminal on which the demo is shown.
pub struct Terminal<'a> {
    site: &'a Site,
    colour: bool,
}

impl<'a> Terminal<'a> {
    /// On standard output.
    pub fn new(site: &'a Site) -> Self {
        Self { site, colour: ui::in_colour() }
    }

    /// Prints what is happening, in a few words.
    pub fn say(&self, text: &str) {
        let lines: String = text.lines().map(|line| format!("# {line}\n")).collect();
        ui::note(&format!("\n{}", self.paint("2", lines.trim_end())));
        ui::note("\n");
    }

    /// Runs a command on a host to its end.
    pub async fn run(&self, host: &str, args: &[&str]) -> Result<(), CliError> {
        ui::note(&format!("{}\n", self.prompt(host, args)));
        let command = self.site.sysadm(host, args)?;
        let status = command.follow(|line| ui::note(&format!("{line}\n"))).await;
        self.tell_status(status.map_err(|error| CliError::new(Exit::Error, error))?);
        Ok(())
    }

    /// Likewise; after a while another command is run at the same time, as from another terminal.
    pub async fn run_meanwhile(
        &self,
        host: &str,
        args: &[&str],
        after: Duration,
        other: &[&str],
    ) -> Result<(), CliError> {
        let meanwhile = async {
            tokio::time::sleep(after).await;
            let mut text = format!("\n{}\n", self.paint("2", "# Meanwhile, in another terminal:"));
            text.push_str(&format!("{}\n", self.prompt(host, other)));
            let command = self.site.sysadm(host, other)?;
            let followed = command.follow(|line| text.push_str(&format!("{line}\n"))).await;
            followed.map_err(|error| CliError::new(Exit::Error, error))?;
            ui::note(&format!("{text}\n"));
            Ok(())
        };
        futures_util::future::try_join(self.run(host, args), meanwhile).await.map(|((), ())| ())
    }

    fn prompt(&self, host: &str, args: &[&str]) -> String {
        let mut line = "sysadm".to_owned();
        for arg in args {
            line.push(' ');
            line.push_str(&quoted(arg));
        }
        format!("{host}# {}", self.paint("1", &line))
    }

    fn tell_status(&self, status: ExitStatus) {
        if let Some(code @ 1..) = status.code() {
            ui::note(&format!("{}\n", self.paint("2", &format!("(exit status {code})"))));
        }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// As it would be typed.
fn quoted(arg: &str) -> String {
    if arg.contains(' ') { format!("\"{arg}\"") } else { arg.to_owned() }
}
